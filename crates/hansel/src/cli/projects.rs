//! `hansel projects`: owners of connections and workflows.

use serde_json::{Value, json};
use store::{NewProject, Project};
use workflow::{Code, Failure};

use super::Setting;
use super::say::{self, Stop};

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
    /// Print principal, external id and trust policy for a role that this project may assume
    TrustPolicy {
        /// The project: guid, id or name [default: the home's own]
        #[arg(long, value_name = "P")]
        project: Option<String>,
        /// Who assumes the role: the ARN of the user, role or account that this process runs as
        #[arg(long, value_name = "ARN", default_value = "arn:aws:iam::<account that runs hansel>:root")]
        principal: String,
    },
}

impl Projects {
    pub(crate) fn go(self, setting: &Setting) -> Result<(), Stop> {
        let memory = setting.memory()?;
        let store = &memory.store;
        match self {
            Projects::Create { name, display_name, desc } => {
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
                trust_policy(&project, &principal, setting);
            }
        }
        Ok(())
    }
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

fn trust_policy(project: &Project, principal: &str, setting: &Setting) {
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "AWS": principal },
            "Action": "sts:AssumeRole",
            "Condition": { "StringEquals": { "sts:ExternalId": project.guid } },
        }],
    });
    if setting.json() {
        say::json(&json!({ "principal": principal, "external_id": project.guid, "policy": policy }));
        return;
    }
    say::result(&format!("principal:   {principal}"));
    say::result(&format!("external id: {}", project.guid));
    say::result("policy:");
    say::json(&policy);
}
