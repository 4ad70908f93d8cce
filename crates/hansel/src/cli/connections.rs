//! `hansel connections`: stored access to outside services, in the home or at a server. Credentials go in and never
//! come out.

use std::path::PathBuf;

use serde_json::{Map, Value, json};
use store::{ConnectionEdit, ConnectionRecord, NewConnection};
use workflow::{Code, Failure, Secret};

use super::Setting;
use super::binding::{ConnectionFile, check_type, sealed};
use super::place::Place;
use super::say::{self, Stop};
use crate::client::{Sent, Server, path};
use crate::memory::Memory;

/// Create, list, show, change and delete connections
#[derive(clap::Subcommand)]
pub(crate) enum Connections {
    /// Keep a connection from its file; the file can be deleted afterwards
    Create {
        /// Owning project: guid, id or name [default: the file's `project_id`, else the configured one, else the home's own]
        #[arg(long, value_name = "P")]
        project: Option<String>,
        /// The connection file, JSON or YAML
        #[arg(long, value_name = "F")]
        from_file: PathBuf,
    },
    /// Print the connections of a project, or all
    List {
        /// Only of this project
        #[arg(long, value_name = "P")]
        project: Option<String>,
    },
    /// Print one connection
    Get {
        /// Its id
        #[arg(long, value_name = "ID")]
        id: String,
    },
    /// Change a connection from a file; its type stays
    Update {
        /// Its id
        #[arg(long, value_name = "ID")]
        id: String,
        /// The connection file, JSON or YAML
        #[arg(long, value_name = "F")]
        from_file: PathBuf,
    },
    /// Ask the service behind a connection whether it knows the credentials
    Validate {
        /// Its id
        #[arg(long, value_name = "ID")]
        id: String,
    },
    /// Delete a connection
    Delete {
        /// Its id
        #[arg(long, value_name = "ID")]
        id: String,
    },
}

impl Connections {
    pub(crate) fn go(self, setting: &Setting) -> Result<(), Stop> {
        match setting.place()? {
            Place::Home(memory) => self.at_home(&memory),
            Place::Server(server) => self.at_server(&server, setting),
        }
    }

    fn at_home(self, memory: &Memory) -> Result<(), Stop> {
        let store = &memory.store;
        match self {
            Connections::Create { project, from_file } => {
                let file = ConnectionFile::read(&from_file)?;
                file.check()?;
                other_project(project.as_deref(), &file);
                let project = memory.project(project.as_deref().or(file.project_id.as_deref()))?;
                let Some(name) = file.name else {
                    return Err(
                        Failure::new(Code::ConnectionInvalid, "`name` is missing in the connection file").into()
                    );
                };
                let new = NewConnection {
                    project: project.id,
                    name,
                    kind: file.kind,
                    config: Value::Object(file.config),
                    credentials: file.credentials.as_ref().map(|map| sealed(map).open().to_vec().into()),
                    target: file.target_text,
                    auth_strategy: file.auth_strategy,
                    encrypted_credentials: None,
                    created_by: String::new(),
                };
                let made = memory.ask(store.create_connection(new))?;
                say::json(&record(memory, &made)?);
            }
            Connections::List { project } => {
                let project = project.map(|project| memory.project(Some(&project))).transpose()?;
                let found = memory.ask(store.connections(project.as_ref().map(|project| project.id.as_str())))?;
                let records = found.iter().map(|found| record(memory, found)).collect::<Result<Vec<_>, _>>()?;
                say::json(&Value::Array(records));
            }
            Connections::Get { id } => {
                let found = memory.ask(store.connection(&id))?;
                say::json(&record(memory, &found)?);
            }
            Connections::Update { id, from_file } => {
                let changed = update(memory, &id, ConnectionFile::read(&from_file)?)?;
                say::json(&record(memory, &changed)?);
            }
            Connections::Validate { id } => {
                let opened = memory.opened(&id)?;
                let (status, message) = match actions::identity(&opened) {
                    Ok(said) => ("VALID", said),
                    Err(failure) => ("INVALID", failure.to_string()),
                };
                return validated(&json!({ "status": format!("VALIDATION_STATUS_{status}"), "message": message }));
            }
            Connections::Delete { id } => {
                memory.ask(store.delete_connection(&id))?;
                say::note(&format!("deleted connection `{id}`"));
            }
        }
        Ok(())
    }

    fn at_server(self, server: &Server, setting: &Setting) -> Result<(), Stop> {
        let one = |id: &str| path(&["v1", "connections", id]);
        match self {
            Connections::Create { project, from_file } => {
                let file = ConnectionFile::read(&from_file)?;
                other_project(project.as_deref(), &file);
                let named = project.as_deref().or(file.project_id.as_deref());
                let guid = server.project(named)?["guid"].take();
                let mut wanted = wire(&file);
                wanted.insert("project_id".into(), guid);
                say::json(&server.post("/v1/connections", &Value::Object(wanted))?);
            }
            Connections::List { project } => {
                let mut found = match project {
                    Some(project) => {
                        let project = server.project(Some(&project))?;
                        let query = format!("project_id:{}", project["guid"].as_str().unwrap_or_default());
                        server.get("/v1/connections", &[("query", query.as_str())])?
                    }
                    None => server.get("/v1/connections", &[])?,
                };
                say::each(found["data"].take(), setting);
            }
            Connections::Get { id } => say::json(&server.get(&one(&id), &[])?),
            Connections::Update { id, from_file } => {
                let file = ConnectionFile::read(&from_file)?;
                let old = server.get(&one(&id), &[])?;
                same_type(&id, old["type"].as_str().unwrap_or_default(), &file.kind)?;
                let mut wanted = wire(&file);
                wanted.shift_remove("type");
                let wanted = Value::Object(wanted);
                let changed = server.call("PATCH", &one(&id), Sent::Json(&wanted));
                say::json(&changed.map_err(|refused| refused.failure)?);
            }
            Connections::Validate { id } => {
                return validated(&server.post(&(one(&id) + "/validate-credentials"), &json!({}))?);
            }
            Connections::Delete { id } => {
                server.delete(&one(&id), &[])?;
                say::note(&format!("deleted connection `{id}`"));
            }
        }
        Ok(())
    }
}

/// Says that the file names another project than the command.
fn other_project(asked: Option<&str>, file: &ConnectionFile) {
    if let (Some(asked), Some(written)) = (asked, &file.project_id)
        && asked != written
    {
        say::note(&format!("warning: the file names project `{written}`; `{asked}` is used"));
    }
}

/// What a file says, for a server; what it leaves out is left out.
fn wire(file: &ConnectionFile) -> Map<String, Value> {
    let mut map = Map::new();
    map.insert("type".into(), json!(file.kind));
    for (key, text) in [
        ("name", file.name.as_deref()),
        ("connection_target_type", Some(file.target_text.as_str())),
        ("auth_strategy", Some(file.auth_strategy.as_str())),
    ] {
        map.extend(text.filter(|text| !text.is_empty()).map(|text| (key.to_string(), json!(text))));
    }
    if !file.config.is_empty() {
        map.insert("config".into(), Value::Object(file.config.clone()));
    }
    let parts = [("credentials", &file.credentials), ("encrypted_credentials", &file.encrypted)];
    map.extend(parts.into_iter().filter_map(|(key, part)| Some((key.to_string(), Value::Object(part.clone()?)))));
    map
}

/// Prints what came of a check; a connection that is not valid ends the command with the code of refused credentials.
fn validated(said: &Value) -> Result<(), Stop> {
    say::json(said);
    match said["status"].as_str() {
        Some("VALIDATION_STATUS_VALID") => Ok(()),
        _ => Err(Stop::Exit(Code::AuthInvalidCredentials.exit())),
    }
}

/// Fails where a connection would become one of another type.
fn same_type(id: &str, old: &str, new: &str) -> Result<(), Failure> {
    if old.eq_ignore_ascii_case(new) {
        return Ok(());
    }
    let message = format!("connection `{id}` is of type `{old}` and cannot become `{new}`");
    Err(Failure::new(Code::ConnectionInvalid, message).hint("Create another connection."))
}

fn update(memory: &Memory, id: &str, file: ConnectionFile) -> Result<ConnectionRecord, Stop> {
    let store = &memory.store;
    let old = memory.ask(store.connection(id))?;
    same_type(id, &old.kind, &file.kind)?;
    if file.encrypted.is_some() {
        file.check()?;
    }
    // What the file leaves out stays; the whole has to fit the type.
    let config = if file.config.is_empty() { old.config.as_object().cloned().unwrap_or_default() } else { file.config };
    // New credentials need not know the old ones, whose key may be lost.
    let kept: Option<Map<String, Value>> = match &file.credentials {
        Some(_) => None,
        None => {
            memory.ask(crate::memory::credentials(store, &old))?.and_then(|plain| serde_json::from_slice(&plain).ok())
        }
    };
    check_type(id, &old.kind, &config, file.credentials.as_ref().or(kept.as_ref()))?;
    let credentials: Option<Secret> = file.credentials.as_ref().map(sealed);
    let edit = ConnectionEdit {
        name: file.name,
        config: Some(Value::Object(config)),
        credentials: credentials.map(|secret| secret.open().to_vec().into()),
        target: (!file.target_text.is_empty()).then_some(file.target_text),
        ..ConnectionEdit::default()
    };
    Ok(memory.ask(store.update_connection(id, edit))?)
}

/// The documented record of a connection; credentials are never part of it.
fn record(memory: &Memory, found: &ConnectionRecord) -> Result<Value, Failure> {
    let project = memory.ask(memory.store.project(&found.project))?;
    Ok(json!({
        "id": found.id,
        "type": found.kind,
        "name": found.name,
        "project_id": project.guid,
        "config": found.config,
        "created_at": timestamp(found.created_at),
        "connection_target_type": found.target,
        "auth_strategy": found.auth_strategy,
        "customer_managed_credentials_encryption": found.encrypted,
        "has_credentials": found.credentials || found.encrypted,
    }))
}

/// Microseconds since 1970 as RFC 3339.
pub(crate) fn timestamp(us: i64) -> String {
    jiff::Timestamp::from_microsecond(us).map(|time| time.to_string()).unwrap_or_default()
}
