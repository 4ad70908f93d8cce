//! `hansel workflows`: workflows that a server keeps and runs. Without a server `hansel run FILE` runs a file.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use workflow::{Code, Failure};

use super::say::{self, Stop};
use super::workflows_run::Run;
use super::{Setting, read_text};
use crate::client::{Refused, Sent, Server, path};

/// Keep workflows at a server and run them there
#[derive(clap::Subcommand)]
pub(crate) enum Workflows {
    /// Keep a workflow and print its record
    Create {
        /// The workflow file
        #[arg(long, value_name = "PATH")]
        config: PathBuf,
        /// Name of the workflow instead of the file's
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// The project: guid, id or name [default: the configured one]
        #[arg(long, value_name = "P")]
        project: Option<String>,
        /// Where its runs are worked on: `cloud` and `hybrid` both stand for the server
        #[arg(long = "runner_mode", alias = "runner-mode", default_value = "cloud", value_parser = ["cloud", "hybrid"])]
        runner_mode: String,
    },
    /// Print the workflows in your sight, newest first
    List {
        /// At most this many
        #[arg(long, default_value_t = 25, value_name = "N")]
        limit: u32,
        /// Leave out so many
        #[arg(long, default_value_t = 0, value_name = "N")]
        skip: u32,
        /// Only of this project
        #[arg(long, value_name = "P")]
        project: Option<String>,
    },
    /// Print one workflow
    Get {
        /// Its id
        #[arg(long, value_name = "ID")]
        id: String,
    },
    /// Replace the config of a workflow
    Update {
        /// Its id
        #[arg(long, value_name = "ID")]
        workflow_id: String,
        /// The workflow file
        #[arg(long, value_name = "PATH")]
        config: PathBuf,
    },
    /// Run a workflow and wait for it; the record of the run is printed, its log goes to stderr
    Run(Run),
    /// Check a workflow file against the connections of a project
    Validate {
        /// The workflow file
        #[arg(long, value_name = "PATH")]
        config: PathBuf,
        /// The project: guid, id or name [default: the configured one]
        #[arg(long, value_name = "P")]
        project: Option<String>,
    },
    /// Delete a workflow with its runs; what they published stays
    Delete {
        /// Its id
        #[arg(long, value_name = "ID")]
        id: String,
    },
}

impl Workflows {
    pub(crate) fn go(self, setting: &Setting) -> Result<(), Stop> {
        let server = setting.server("`hansel workflows`", "Without one, `hansel run FILE` runs a workflow file.")?;
        match self {
            Workflows::Create { config, name, project, runner_mode } => {
                let record = create(&server, &config, name, project.as_deref(), &runner_mode)?;
                say::json(&record);
            }
            Workflows::List { limit, skip, project } => {
                let query = match project {
                    Some(project) => format!("project_id:{}", guid(&server, Some(&project))?),
                    None => String::new(),
                };
                let (limit, skip) = (limit.to_string(), skip.to_string());
                let mut asked = vec![("limit", limit.as_str()), ("skip", skip.as_str())];
                if !query.is_empty() {
                    asked.push(("query", &query));
                }
                let mut found = server.get("/v1/workflows/search", &asked)?;
                say::each(found["workflows"].take(), setting);
            }
            Workflows::Get { id } => say::json(&server.get(&path(&["v1", "workflows", &id]), &[])?),
            Workflows::Update { workflow_id, config } => {
                let text = read_text(&config)?;
                let at = path(&["v1", "workflows", &workflow_id, "config"]);
                say::json(&server.call("POST", &at, Sent::Yaml(&text)).map_err(|refused| of_file(&config, refused))?);
            }
            Workflows::Run(run) => return run.go(&server),
            Workflows::Validate { config, project } => {
                let text = read_text(&config)?;
                let project = match (&project, &server.named().project) {
                    (None, None) => None,
                    _ => Some(guid(&server, project.as_deref())?),
                };
                let wanted = json!({ "config": text, "project_id": project });
                server
                    .call("POST", "/v1/workflows/validate-config", Sent::Json(&wanted))
                    .map_err(|refused| of_file(&config, refused))?;
                match setting.json() {
                    true => say::json(&json!({ "problems": [] })),
                    false => say::result(&format!("workflow file `{}` is valid", config.display())),
                }
            }
            Workflows::Delete { id } => {
                server.delete(&path(&["v1", "workflows", &id]), &[])?;
                say::note(&format!("deleted workflow `{id}`"));
            }
        }
        Ok(())
    }
}

/// Guid of a project.
pub(crate) fn guid(server: &Server, project: Option<&str>) -> Result<String, Failure> {
    Ok(server.project(project)?["guid"].as_str().unwrap_or_default().to_string())
}

/// The text goes as it was written, so that the server's messages have the file's lines.
fn create(
    server: &Server,
    file: &Path,
    name: Option<String>,
    project: Option<&str>,
    mode: &str,
) -> Result<Value, Stop> {
    let text = read_text(file)?;
    let node = workflow::parse(&text).map_err(|problems| Stop::Problems(file.display().to_string(), problems))?;
    let written = node.get("name").and_then(|name| name.text()).map(str::to_string);
    let Some(name) = name.or(written) else {
        let message = format!("the file `{}` has no `name`", file.display());
        return Err(Failure::new(Code::ConfigInvalid, message).hint("Write one, or give `--name`.").into());
    };
    let wanted = json!({
        "project_id": guid(server, project)?,
        "name": name,
        "config_text": text,
        "runner_mode": format!("RUNNER_MODE_{}", mode.to_uppercase()),
    });
    server.call("POST", "/v1/workflows", Sent::Json(&wanted)).map_err(|refused| of_file(file, refused))
}

/// A refusal of what a file says, with the places in the file.
fn of_file(file: &Path, refused: Refused) -> Stop {
    match refused.problems.is_empty() {
        true => Stop::Failure(refused.failure),
        false => Stop::Problems(file.display().to_string(), refused.problems),
    }
}
