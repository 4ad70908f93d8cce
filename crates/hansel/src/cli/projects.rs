//! `hansel projects`: owners of connections and workflows, in the home or at a server.

use serde_json::{Value, json};
use store::{NewProject, Project};
use workflow::{Code, Failure};

use super::Setting;
use super::place::Place;
use super::say::{self, Stop};
use crate::client::{ConfigFile, Server, checked, path};
use crate::memory::Memory;

/// Create, find and delete projects
#[derive(clap::Subcommand)]
pub(crate) enum Projects {
    /// Make a project and print its record
    Create {
        /// Unique name: 3-63 characters of a-z, 0-9 and `-`
        #[arg(long, value_name = "N")]
        name: Option<String>,
        /// Name for people
        #[arg(long, value_name = "T")]
        display_name: Option<String>,
        /// Description
        #[arg(long, value_name = "D")]
        desc: Option<String>,
        /// At a server: make it the default project of the configuration file
        #[arg(long)]
        set_default: bool,
        /// At a server: `cloud` or `legacy`, which mean the same here
        #[arg(long, value_name = "TYPE", value_parser = ["cloud", "legacy"])]
        project_type: Option<String>,
    },
    /// Print the projects whose names or descriptions contain a text
    Search {
        /// The text; all projects without it
        #[arg(long, default_value = "", value_name = "Q")]
        query: String,
        /// At most this many
        #[arg(long, default_value_t = 200, value_name = "N")]
        limit: u32,
    },
    /// Delete a project with its connections, workflows and runs
    Delete {
        /// Its name
        #[arg(long, required_unless_present = "uid", conflicts_with = "uid", value_name = "N")]
        name: Option<String>,
        /// Its guid or id
        #[arg(long, value_name = "ID")]
        uid: Option<String>,
    },
    /// At a server: make a project the default one, in the configuration file
    SetDefault {
        /// Its name
        #[arg(long, value_name = "N")]
        name: String,
    },
    /// Print principal, external id and trust policy for a role that this project may assume
    TrustPolicy {
        /// The project: guid, id or name [default: the configured one, or the home's own]
        #[arg(long, value_name = "P")]
        project: Option<String>,
        /// Who assumes the role: the ARN of the user, role or account that this process runs as
        #[arg(long, value_name = "ARN", default_value = "arn:aws:iam::<account that runs hansel>:root")]
        principal: String,
    },
}

impl Projects {
    pub(crate) fn go(self, setting: &Setting) -> Result<(), Stop> {
        match setting.place()? {
            Place::Home(memory) => self.at_home(&memory, setting),
            Place::Server(server) => self.at_server(&server, setting),
        }
    }

    fn at_home(self, memory: &Memory, setting: &Setting) -> Result<(), Stop> {
        let store = &memory.store;
        match self {
            Projects::Create { set_default: true, .. } | Projects::SetDefault { .. } => {
                // Whichever was asked for, it needs the configuration of a server.
                setting.server("a default project", "The home has its own default project, `default`.")?;
            }
            Projects::Create { name, display_name, desc, .. } => {
                let new = NewProject { name, display_name, description: desc, ..NewProject::default() };
                let (project, made) = memory.ask(store.create_project(&new))?;
                if !made {
                    let message = format!("a project `{}` is there already", project.name);
                    return Err(Failure::new(Code::Usage, message).into());
                }
                say::json(&record(&project));
            }
            Projects::Search { query, limit } => {
                memory.project(None)?;
                let found = memory.ask(store.projects_of(None, &query, limit.into(), 0))?;
                say::json(&Value::Array(found.iter().map(record).collect()));
            }
            Projects::Delete { name, uid } => {
                let id = name.or(uid).unwrap_or_default();
                let project = memory.ask(store.delete_project(&id))?;
                say::note(&format!("deleted project `{}`", project.name));
            }
            Projects::TrustPolicy { project, principal } => {
                let project = memory.project(project.as_deref())?;
                trust_policy(&project.guid, &principal, setting);
            }
        }
        Ok(())
    }

    fn at_server(self, server: &Server, setting: &Setting) -> Result<(), Stop> {
        match self {
            Projects::Create { name, display_name, desc, set_default, .. } => {
                if let Some(name) = &name {
                    match server.get(&path(&["projects", name]), &[]) {
                        Ok(_) => {
                            let message = format!("a project `{name}` is there already");
                            return Err(Failure::new(Code::Usage, message).into());
                        }
                        Err(failure) if failure.code == Code::NotFound => {}
                        Err(failure) => return Err(failure.into()),
                    }
                }
                let new = json!({ "name": name, "display_name": display_name, "description": desc });
                let made = server.post("/projects", &new)?;
                let id = made["data"]["id"].as_str().unwrap_or_default().to_string();
                let mut found = server.get(&path(&["projects", &id]), &[])?;
                if set_default {
                    default_project(server, found["data"]["project"]["name"].as_str().unwrap_or_default())?;
                }
                say::json(&found["data"].take());
            }
            Projects::Search { query, limit } => {
                let limit = limit.to_string();
                let found = server.get("/projects", &[("query", query.as_str()), ("limit", &limit)])?;
                let projects = found["data"]["projects"].as_array().map(Vec::as_slice).unwrap_or_default();
                say::json(&Value::Array(projects.iter().map(printed).collect()));
            }
            Projects::SetDefault { name } => {
                server.get(&path(&["projects", &name]), &[])?;
                let file = default_project(server, &name)?;
                say::json(&file.masked());
            }
            Projects::Delete { name, uid } => {
                let project = server.project(name.or(uid).as_deref())?;
                say::json(&printed(&project));
                server.delete(&path(&["projects", project["guid"].as_str().unwrap_or_default()]), &[])?;
                say::note(&format!("deleted project `{}`", project["name"].as_str().unwrap_or_default()));
            }
            Projects::TrustPolicy { project, principal } => {
                let project = server.project(project.as_deref())?;
                trust_policy(project["guid"].as_str().unwrap_or_default(), &principal, setting);
            }
        }
        Ok(())
    }
}

/// A server's project as the documented client prints it.
fn printed(project: &Value) -> Value {
    json!({
        "name": project["name"],
        "project_id": project["_id"],
        "project_guid": project["guid"],
        "display_name": project["display_name"],
        "desc": project["description"],
        "console_url": "",
    })
}

/// Makes a project the default one of the configuration file, which has to be that of the same server.
fn default_project(server: &Server, name: &str) -> Result<ConfigFile, Failure> {
    let mut file = ConfigFile::read()?;
    let endpoint = file.text("endpoint").map(|text| checked(&text, "the configuration file")).transpose()?;
    if endpoint.as_deref() != Some(server.endpoint()) {
        let message = format!("the configuration file `{}` is not that of this server", file.path.display());
        return Err(Failure::new(Code::Usage, message)
            .hint("`hansel configure` writes it; or set HANSEL_PROJECT to the name of the project."));
    }
    file.set("default_project_name", Some(name));
    file.write()?;
    say::note(&format!("`{name}` is the default project now"));
    Ok(file)
}

/// The documented record of a project.
fn record(project: &Project) -> Value {
    json!({
        "name": project.name,
        "project_id": project.id,
        "project_guid": project.guid,
        "display_name": project.display_name,
        "desc": project.description,
        // There is no console yet; the key is part of the documented record.
        "console_url": "",
    })
}

fn trust_policy(guid: &str, principal: &str, setting: &Setting) {
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "AWS": principal },
            "Action": "sts:AssumeRole",
            "Condition": { "StringEquals": { "sts:ExternalId": guid } },
        }],
    });
    if setting.json() {
        say::json(&json!({ "principal": principal, "external_id": guid, "policy": policy }));
        return;
    }
    say::result(&format!("principal:   {principal}"));
    say::result(&format!("external id: {guid}"));
    say::result("policy:");
    say::json(&policy);
}
