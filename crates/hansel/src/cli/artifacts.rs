//! `hansel artifacts`: files that a server keeps for a project, to train on and to draw beside.

use std::path::PathBuf;

use serde_json::{Value, json};
use workflow::{Code, Failure};

use super::Setting;
use super::job;
use super::say::{self, Stop};
use crate::client::{download, path, upload};

/// Upload, list, download and delete the files of a project at a server
#[derive(clap::Subcommand)]
pub(crate) enum Artifacts {
    /// Upload a file and print its key, which models take as their data source
    Upload {
        /// The file
        #[arg(long, value_name = "PATH")]
        in_data: PathBuf,
        #[command(flatten)]
        project: job::Of,
    },
    /// Print the files of a project, or links to those of a model
    List {
        /// The model
        #[arg(long, value_name = "UID")]
        model_id: Option<String>,
        #[command(flatten)]
        project: job::Of,
    },
    /// Download a file of a project
    Download {
        /// Its key
        #[arg(long, value_name = "KEY")]
        artifact_key: String,
        /// Where to
        #[arg(long, default_value = ".", value_name = "DIR")]
        out: PathBuf,
        #[command(flatten)]
        project: job::Of,
    },
    /// Delete a file of a project, or all
    Delete {
        /// Its key
        #[arg(long, required_unless_present = "all", conflicts_with = "all", value_name = "KEY")]
        artifact_key: Option<String>,
        /// All of them
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        project: job::Of,
    },
}

impl Artifacts {
    pub(crate) fn go(self, setting: &Setting) -> Result<(), Stop> {
        let server =
            setting.server("`hansel artifacts`", "Without one, `hansel synthesize FILE` takes local files.")?;
        match self {
            Artifacts::Upload { in_data, project } => {
                let project = server.project_name(project.name())?;
                let key = upload(&server, &project, &in_data)?;
                say::json(&json!({ "key": key }));
            }
            Artifacts::List { model_id: None, project } => {
                let project = server.project_name(project.name())?;
                say::json(&Value::Array(listed(&server, &project)?));
            }
            Artifacts::List { model_id: Some(uid), project } => {
                let (uid, project) = job::reference(&server, &uid, project.name(), "uid")?;
                let mut links = Vec::new();
                for (kind, _) in actions::jobs::MODEL_ARTIFACTS {
                    let at = path(&["projects", &project, "models", &uid, "artifact"]);
                    let link = server.get(&at, &[("type", kind)])?;
                    links.push(json!({ "artifact_type": kind, "signed_url": link["data"]["url"] }));
                }
                say::json(&Value::Array(links));
            }
            Artifacts::Download { artifact_key, out, project } => {
                let project = server.project_name(project.name())?;
                let at = path(&["projects", &project, "artifacts", "download"]);
                let link = server.get(&at, &[("key", &artifact_key)])?;
                let url = link["data"]["data"]["url"].as_str().unwrap_or_default();
                match download(&server, url, &out)? {
                    Some(file) => say::json(&json!({ "key": artifact_key, "path": file })),
                    None => {
                        let message = format!("artifact `{artifact_key}` was not uploaded to its end");
                        return Err(Failure::new(Code::NotFound, message).into());
                    }
                }
            }
            Artifacts::Delete { artifact_key, project, .. } => {
                let project = server.project_name(project.name())?;
                let keys = match artifact_key {
                    Some(key) => vec![key],
                    None => {
                        let listed = listed(&server, &project)?;
                        listed.iter().filter_map(|one| one["key"].as_str().map(str::to_string)).collect()
                    }
                };
                for key in keys {
                    server.delete(&path(&["projects", &project, "artifacts"]), &[("key", &key)])?;
                    say::note(&format!("deleted artifact `{key}`"));
                }
            }
        }
        Ok(())
    }
}

fn listed(server: &crate::client::Server, project: &str) -> Result<Vec<Value>, Failure> {
    let mut found = server.get(&path(&["projects", project, "artifacts"]), &[])?;
    match found["data"]["artifacts"].take() {
        Value::Array(list) => Ok(list),
        _ => Ok(Vec::new()),
    }
}
