//! `hansel doctor`: looks whether what a command needs is there, and what a connection may do. It changes nothing.

use std::path::{Path, PathBuf};

use actions::{Finding, Standing, Use};
use serde_json::{Value, json};
use workflow::{Code, Failure, Node};

use super::place::Place;
use super::say::{self, Stop};
use super::whoami::email;
use super::{Setting, read_text};
use crate::client::{Server, path};
use crate::memory::{self, Memory};

/// Look whether home and server are usable, or what a connection may do in a bucket; nothing is changed
#[derive(clap::Args)]
pub(crate) struct Doctor {
    /// Try this connection
    #[arg(long, value_name = "ID")]
    connection: Option<String>,
    /// In this bucket; without one only the identity is asked for
    #[arg(long, requires = "connection", value_name = "B")]
    bucket: Option<String>,
    /// Below this path of the bucket
    #[arg(long, requires = "bucket", default_value = "", value_name = "P")]
    path: String,
    /// To read there or to write there [default: what the connection is for, else both]
    #[arg(long = "as", requires = "bucket", value_name = "SIDE", value_parser = ["source", "destination"])]
    side: Option<String>,
    /// For all that this workflow does with the connection
    #[arg(long, requires = "connection", conflicts_with = "bucket", value_name = "FILE")]
    workflow: Option<PathBuf>,
}

impl Doctor {
    pub(crate) fn go(self, setting: &Setting) -> Result<(), Stop> {
        let findings = match &self.connection {
            Some(id) => self.connection(id, setting)?,
            None => surroundings(setting)?,
        };
        if setting.json() {
            say::json(&Value::Array(findings.iter().map(record).collect()));
        } else {
            for one in &findings {
                say::result(&format!("{:<7}  {}: {}", one.standing.word(), one.what, one.said));
            }
        }
        match findings.iter().any(|one| one.standing == Standing::Missing) {
            true => Err(Stop::Exit(Code::S3AccessDenied.exit())),
            false => Ok(()),
        }
    }

    fn connection(&self, id: &str, setting: &Setting) -> Result<Vec<Finding>, Stop> {
        let uses = |target: &str| -> Result<Vec<Use>, Stop> {
            match (&self.workflow, &self.bucket) {
                (Some(file), _) => of_workflow(file, id),
                (None, Some(bucket)) => {
                    if let Some(problem) = actions::bucket_problem(bucket) {
                        return Err(Failure::new(Code::Usage, problem).into());
                    }
                    let side = self.side.as_deref().unwrap_or(target);
                    let sides = [("source", true), ("destination", false)].into_iter();
                    let wanted = sides.filter(|(name, _)| *name == side || !["source", "destination"].contains(&side));
                    Ok(wanted
                        .map(|(_, source)| Use { bucket: bucket.clone(), path: self.path.clone(), source })
                        .collect())
                }
                (None, None) => Ok(Vec::new()),
            }
        };
        match setting.place()? {
            Place::Home(memory) => {
                let target = memory.ask(memory.store.connection(id))?.target;
                let uses = uses(&target)?;
                Ok(actions::diagnose(&memory.opened(id)?, &uses)?)
            }
            Place::Server(server) => {
                let record = server.get(&path(&["v1", "connections", id]), &[])?;
                let uses = uses(record["connection_target_type"].as_str().unwrap_or_default())?;
                Ok(at_server(&server, id, &uses)?)
            }
        }
    }
}

fn record(one: &Finding) -> Value {
    json!({ "what": one.what, "standing": one.standing.word(), "said": one.said })
}

fn at_server(server: &Server, id: &str, uses: &[Use]) -> Result<Vec<Finding>, Failure> {
    let wire = |one: &Use| {
        let side = if one.source { "source" } else { "destination" };
        json!({ "bucket": one.bucket, "path": one.path, "side": side })
    };
    let asked = json!({ "uses": uses.iter().map(wire).collect::<Vec<_>>() });
    let said = server.post(&path(&["v1", "connections", id, "diagnose"]), &asked)?;
    let finding = |one: &Value| {
        let word = |key: &str| one[key].as_str().unwrap_or_default().to_string();
        let standing = match one["standing"].as_str() {
            Some("held") => Standing::Held,
            Some("missing") => Standing::Missing,
            _ => Standing::Unknown,
        };
        Finding { what: word("what"), standing, said: word("said") }
    };
    Ok(said["findings"].as_array().into_iter().flatten().map(finding).collect())
}

/// What a workflow does with a connection: each action that names it, with its bucket and path.
fn of_workflow(file: &Path, id: &str) -> Result<Vec<Use>, Stop> {
    let shown = file.display().to_string();
    let root = workflow::parse(&read_text(file)?).map_err(|problems| Stop::Problems(shown.clone(), problems))?;
    let actions = match root.get("actions").map(|node| &node.value) {
        Some(workflow::Value::List(items)) => items.as_slice(),
        _ => &[],
    };
    let mut uses = Vec::new();
    for action in actions {
        let text = |node: &Node, key: &str| node.get(key).and_then(Node::text).map(str::to_string);
        let source = match text(action, "type").as_deref() {
            Some("s3_source") => true,
            Some("s3_destination") => false,
            _ => continue,
        };
        let Some(config) = action.get("config").filter(|_| text(action, "connection").as_deref() == Some(id)) else {
            continue;
        };
        let path = text(config, "path").unwrap_or_default();
        // Behind a reference the path is another for each object; what lies before it is the same for all.
        let path = path.split('{').next().unwrap_or_default().to_string();
        let bucket = text(config, "bucket").unwrap_or_default();
        if let Some(problem) = actions::bucket_problem(&bucket) {
            return Err(Failure::new(Code::ConfigInvalid, format!("the file `{shown}`: {problem}")).into());
        }
        uses.push(Use { bucket, path, source });
    }
    if uses.is_empty() {
        let message = format!("the file `{shown}` has no source or destination with connection `{id}`");
        return Err(Failure::new(Code::Usage, message).into());
    }
    Ok(uses)
}

/// Home, its key and database, and the server that is named.
fn surroundings(setting: &Setting) -> Result<Vec<Finding>, Stop> {
    let finding = |what: &str, standing, said: String| Finding { what: what.into(), standing, said };
    let mut findings = Vec::new();
    let home = setting.home_dir()?;
    let place = home.display().to_string();
    if memory::exists(&home) {
        match Memory::open(&home).and_then(|memory| memory.ask(memory.store.users()).map(|_| ())) {
            Ok(()) => {
                let key = match std::env::var("HANSEL_KEY").is_ok_and(|key| !key.is_empty()) {
                    true => "HANSEL_KEY".to_string(),
                    false => home.join("key").display().to_string(),
                };
                let database = match std::env::var("HANSEL_DATABASE").is_ok_and(|text| !text.is_empty()) {
                    // The address may hold a password.
                    true => "the database of HANSEL_DATABASE answers".to_string(),
                    false => format!("`{}` can be read", home.join("hansel.db").display()),
                };
                findings.push(finding("home", Standing::Held, place));
                findings.push(finding("key of the home", Standing::Held, key));
                findings.push(finding("database", Standing::Held, database));
            }
            Err(failure) => findings.push(finding("home", Standing::Missing, said(&failure))),
        }
    } else {
        let text = format!("`{place}` is not there yet; the first command that keeps something makes it");
        findings.push(finding("home", Standing::Unknown, text));
    }
    if let Some(server) = setting.named_server()? {
        let what = format!("server `{}`", server.endpoint());
        findings.push(match email(&server) {
            Ok(email) => finding(&what, Standing::Held, format!("the key is that of {email}")),
            Err(failure) => finding(&what, Standing::Missing, said(&failure)),
        });
    }
    Ok(findings)
}

/// A failure in one line.
fn said(failure: &Failure) -> String {
    let more = [&failure.cause, &failure.hint].into_iter().flatten();
    more.fold(failure.to_string(), |text, more| format!("{text}; {}", more.replace('\n', " ")))
}
