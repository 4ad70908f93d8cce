//! Connection files, and how a workflow's connection ids are bound to them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use workflow::{Code, Connection, Connections, Failure, Secret, Target, nearest};

use super::say::Stop;
use crate::memory::{Memory, target};

/// `ID=FILE`.
#[derive(Clone, Debug)]
pub(crate) struct Bound {
    pub(crate) id: String,
    pub(crate) file: PathBuf,
}

impl std::str::FromStr for Bound {
    type Err = String;

    fn from_str(text: &str) -> Result<Bound, String> {
        match text.split_once('=') {
            Some((id, file)) if !id.is_empty() && !file.is_empty() => Ok(Bound { id: id.into(), file: file.into() }),
            _ => Err("ID=FILE is expected".into()),
        }
    }
}

/// The connections a run may use: those of the project in the home and, before them, those bound for this run.
pub(crate) fn connections(
    memory: &Memory,
    project: &store::Project,
    workflow: &str,
    bound: &[Bound],
) -> Result<Connections, Stop> {
    let mut wanted = workflow::connections_named(workflow);
    wanted.retain(|id| !bound.iter().any(|binding| binding.id == *id));
    let mut known: BTreeMap<String, Connection> = memory
        .connections(project, &wanted)?
        .into_iter()
        .map(|connection| (connection.id.clone(), connection))
        .collect();
    for binding in bound {
        let file = ConnectionFile::read(&binding.file)?;
        file.check()?;
        let connection = Connection {
            id: binding.id.clone(),
            name: file.name.clone().unwrap_or_else(|| binding.id.clone()),
            kind: file.kind,
            config: file.config,
            credentials: file.credentials.as_ref().map(sealed),
            target: file.target,
            external_id: project.guid.clone(),
        };
        known.insert(binding.id.clone(), connection);
    }
    Ok(Connections::Known(known))
}

/// Credentials as bytes that are not shown.
pub(crate) fn sealed(credentials: &Map<String, Value>) -> Secret {
    Secret::new(Value::Object(credentials.clone()).to_string().into_bytes())
}

/// A connection file as documented.
pub(crate) struct ConnectionFile {
    path: String,
    pub(crate) name: Option<String>,
    pub(crate) kind: String,
    pub(crate) config: Map<String, Value>,
    pub(crate) credentials: Option<Map<String, Value>>,
    /// Encrypted for a server.
    pub(crate) encrypted: Option<Map<String, Value>>,
    pub(crate) project_id: Option<String>,
    pub(crate) target: Target,
    pub(crate) target_text: String,
    pub(crate) auth_strategy: String,
}

static KEYS: &[&str] = &[
    "name",
    "type",
    "config",
    "credentials",
    "encrypted_credentials",
    "project_id",
    "connection_target_type",
    "auth_strategy",
];

impl ConnectionFile {
    /// Reads a file: JSON first, then YAML, which also takes the trailing commas of the documented sample.
    pub(crate) fn read(path: &Path) -> Result<ConnectionFile, Stop> {
        let text = super::read_text(path)?;
        let shown = path.display().to_string();
        let value = match serde_json::from_str(&text) {
            Ok(value) => value,
            Err(_) => workflow::parse(&text).map_err(|problems| Stop::Problems(shown.clone(), problems))?.to_json(),
        };
        let file = |message: String| invalid(&shown, &[message]);
        let Value::Object(map) = value else { return Err(file("a mapping is expected".into()).into()) };
        let mut problems = Vec::new();
        for key in map.keys().filter(|key| !KEYS.contains(&key.as_str())) {
            let near =
                nearest(key, KEYS.iter().copied()).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            problems.push(format!("unknown key `{key}`{near}"));
        }
        let mut text = |key: &str| match map.get(key) {
            Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
            None | Some(Value::Null) => None,
            Some(_) => {
                problems.push(format!("`{key}` is not text"));
                None
            }
        };
        let (name, kind, project_id) = (text("name"), text("type"), text("project_id"));
        let target_text = text("connection_target_type").unwrap_or_default();
        let auth_strategy = text("auth_strategy").unwrap_or_default();
        if kind.is_none() {
            problems.push("`type` is missing".into());
        }
        if !["", "unspecified", "source", "destination"].contains(&target_text.as_str()) {
            problems
                .push(format!("`connection_target_type` is `{target_text}`; `source` or `destination` is expected"));
        }
        let mut mapping = |key: &str| match map.get(key) {
            Some(Value::Object(map)) => Some(map.clone()),
            None | Some(Value::Null) => None,
            Some(_) => {
                problems.push(format!("`{key}` is not a mapping"));
                None
            }
        };
        let (config, credentials) = (mapping("config").unwrap_or_default(), mapping("credentials"));
        let encrypted = mapping("encrypted_credentials");
        if !problems.is_empty() {
            return Err(invalid(&shown, &problems).into());
        }
        let kind = kind.unwrap_or_default();
        let target = target(&target_text);
        Ok(ConnectionFile {
            path: shown,
            name,
            kind,
            config,
            credentials,
            encrypted,
            project_id,
            target,
            target_text,
            auth_strategy,
        })
    }

    /// Checks what was read against the connection's type.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if self.encrypted.is_some() {
            let failure = invalid(&self.path, &["`encrypted_credentials` are for a server's key".to_string()]);
            return Err(failure.hint("Name the server with `--endpoint`, or give `credentials`."));
        }
        check_type(&self.path, &self.kind, &self.config, self.credentials.as_ref())
    }
}

/// Checks config and credentials against a connection type. Types that no action here uses are taken as they are, so
/// that files of other services can be told apart from them by name.
pub(crate) fn check_type(
    place: &str,
    kind: &str,
    config: &Map<String, Value>,
    credentials: Option<&Map<String, Value>>,
) -> Result<(), Failure> {
    match actions::CONNECTION_TYPES.iter().find(|known| known.name == kind) {
        Some(known) => {
            let problems = (known.check)(config, credentials);
            if problems.is_empty() { Ok(()) } else { Err(invalid(place, &problems)) }
        }
        None if credentials.is_none() && config.is_empty() => {
            Err(invalid(place, &["neither `credentials` nor `config` is given".to_string()]))
        }
        None => Ok(()),
    }
}

fn invalid(place: &str, problems: &[String]) -> Failure {
    Failure::new(Code::ConnectionInvalid, format!("connection file `{place}`: {}", problems.join("; ")))
}
