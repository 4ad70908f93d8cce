//! The store as blocking code sees it: one runtime, and the store's errors as failures.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value};
use store::{HomeKey, KeyService, Store, StoreError};
use workflow::{Code, Connection, Failure, Secret, Target};
use zeroize::Zeroizing;

use crate::depot::Depot;
use crate::sealed_box::{self, SealedBox};

/// A home's store with the runtime that its calls run on.
#[derive(Clone)]
pub(crate) struct Memory {
    pub(crate) store: Store,
    runtime: Arc<tokio::runtime::Runtime>,
    /// Where else its files lie, for a server with a sink.
    pub(crate) depot: Option<Arc<Depot>>,
}

impl Memory {
    /// Opens the home, making it on first use.
    pub(crate) fn open(home: &Path) -> Result<Memory, Failure> {
        let text = variable("HANSEL_KEY").map(Zeroizing::new);
        let key = match (&text, variable("HANSEL_KEY_KMS")) {
            (Some(_), Some(_)) => {
                let message = "both HANSEL_KEY and HANSEL_KEY_KMS are set; one of them is expected";
                return Err(Failure::new(Code::Usage, message));
            }
            (Some(text), None) => HomeKey::Text(text),
            (None, Some(key)) => HomeKey::Service(Arc::new(Wrapping(actions::Kms::new(key)))),
            (None, None) => HomeKey::File,
        };
        Memory::with(home, &key, database().as_deref())
    }

    /// Opens a home that goes away again; its records lie in it, whatever database the others have.
    pub(crate) fn open_passing(home: &Path) -> Result<Memory, Failure> {
        Memory::with(home, &HomeKey::File, None)
    }

    fn with(home: &Path, key: &HomeKey<'_>, database: Option<&str>) -> Result<Memory, Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("store")
            .enable_all()
            .build()
            .map_err(|error| Failure::new(Code::Internal, "no thread can be started").cause(error))?;
        let store = runtime.block_on(Store::open_with(home, key, database)).map_err(failure)?;
        Ok(Memory { store, runtime: Arc::new(runtime), depot: None })
    }

    /// Waits for a call of the store.
    pub(crate) fn ask<T>(&self, call: impl Future<Output = Result<T, StoreError>>) -> Result<T, Failure> {
        self.runtime.block_on(call).map_err(failure)
    }

    /// The project with this guid, id or name; the home's default project without one.
    pub(crate) fn project(&self, project: Option<&str>) -> Result<store::Project, Failure> {
        match project {
            Some(project) if project != "default" => self.ask(self.store.project(project)),
            _ => self.ask(self.store.default_project()),
        }
    }

    /// Those of the connections that the home keeps for a project which `wanted` names, opened. Others are not opened:
    /// what is wrong with them is no matter of this workflow.
    pub(crate) fn connections(
        &self,
        project: &store::Project,
        wanted: &BTreeSet<String>,
    ) -> Result<Vec<Connection>, Failure> {
        self.ask(connections(&self.store, project, wanted))
    }

    /// A kept connection with its credentials opened, for work in its project.
    pub(crate) fn opened(&self, id: &str) -> Result<Connection, Failure> {
        let record = self.ask(self.store.connection(id))?;
        let project = self.ask(self.store.project(&record.project))?;
        self.ask(connection(&self.store, &record, &project))
    }

    /// The right to be the one server of this home and of its database, for as long as it lives.
    pub(crate) fn only_server(&self) -> Result<Alone, Failure> {
        let home = self.only_server_of_home()?;
        let database = self.ask(self.store.lone_server()).map_err(|failure| match failure.code {
            Code::HomeUnusable if failure.cause.is_none() => {
                failure.hint("One server works on a database; stop the other.")
            }
            _ => failure,
        })?;
        Ok(Alone { _home: home, database })
    }

    /// Whether the right is still held; a database that was started again has forgotten it.
    pub(crate) fn still_alone(&self, alone: &mut Alone) -> Result<bool, Failure> {
        self.ask(self.store.still_lone(&mut alone.database))
    }

    fn only_server_of_home(&self) -> Result<std::fs::File, Failure> {
        let path = self.store.lock_file("server");
        let unusable = |error: std::io::Error| {
            Failure::new(Code::HomeUnusable, "the lock of the server cannot be taken").cause(error)
        };
        std::fs::create_dir_all(path.parent().expect("a lock file lies in a folder")).map_err(unusable)?;
        let lock = std::fs::File::options().create(true).append(true).open(&path).map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => Ok(lock),
            Err(std::fs::TryLockError::WouldBlock) => {
                let message = format!("another server works in the home directory `{}`", self.store.home().display());
                Err(Failure::new(Code::HomeUnusable, message).hint("Stop it, or name another with `--home DIR`."))
            }
            Err(std::fs::TryLockError::Error(error)) => Err(unusable(error)),
        }
    }
}

/// The right to be the one server.
pub(crate) struct Alone {
    _home: std::fs::File,
    database: store::ServerLock,
}

/// Those of a project's connections that `wanted` names, opened.
pub(crate) async fn connections(
    store: &Store,
    project: &store::Project,
    wanted: &BTreeSet<String>,
) -> Result<Vec<Connection>, StoreError> {
    let mut opened = Vec::new();
    for id in wanted {
        match store.connection(id).await {
            Ok(record) if record.project == project.id => opened.push(connection(store, &record, project).await?),
            Ok(_) | Err(StoreError::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(opened)
}

/// A connection with its credentials opened, for work in its project.
pub(crate) async fn connection(
    store: &Store,
    record: &store::ConnectionRecord,
    project: &store::Project,
) -> Result<Connection, StoreError> {
    let credentials = credentials(store, record).await?;
    Ok(Connection {
        id: record.id.clone(),
        name: record.name.clone(),
        kind: record.kind.clone(),
        config: record.config.as_object().cloned().unwrap_or_default(),
        credentials: credentials.map(|plain| Secret::new(plain.to_vec())),
        target: target(&record.target),
        external_id: project.guid.clone(),
    })
}

/// The credentials of a connection in the clear, whoever encrypted them.
pub(crate) async fn credentials(
    store: &Store,
    record: &store::ConnectionRecord,
) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
    if !record.encrypted {
        return store.open_credentials(&record.id).await;
    }
    let kept = store.encrypted_credentials(&record.id).await?;
    let Some(Value::Object(kept)) = kept else { return Ok(None) };
    match unboxed(store, &kept).await {
        Ok(map) => Ok(Some(Zeroizing::new(Value::Object(map).to_string().into_bytes()))),
        Err(StoreError::Database(error)) => Err(StoreError::Database(error)),
        Err(error) => {
            let id = &record.id;
            Err(StoreError::Unusable(format!(
                "the encrypted credentials of connection `{id}` cannot be opened: {error}"
            )))
        }
    }
}

/// Credentials that a client encrypted, in the clear. Refused when they are not of the form, not for a key of this
/// store, or not whole.
pub(crate) async fn unboxed(store: &Store, encrypted: &Map<String, Value>) -> Result<Map<String, Value>, StoreError> {
    let sealed = SealedBox::read(encrypted).map_err(StoreError::Refused)?;
    let plain = match store.open_encrypted(&sealed.key_id, &sealed.client_key, &sealed.data).await {
        Err(StoreError::NotFound { .. }) => {
            let shown: String = sealed.key_id.chars().take(60).collect();
            return Err(StoreError::Refused(format!("there is no encryption key `{shown}` here")));
        }
        found => found?,
    };
    let plain = plain.ok_or_else(|| {
        StoreError::Refused("`encrypted_credentials` were not encrypted for this key, or are not whole".into())
    })?;
    sealed_box::credentials(&plain).map_err(StoreError::Refused)
}

/// The database that the environment names in place of the home's own file.
fn database() -> Option<String> {
    variable("HANSEL_DATABASE")
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// AWS KMS as what wraps the key of a home.
struct Wrapping(actions::Kms);

impl KeyService for Wrapping {
    fn wrap(&self, key: &[u8]) -> Result<Vec<u8>, String> {
        self.0.encrypt(key)
    }

    fn unwrap(&self, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, String> {
        self.0.decrypt(wrapped).map(Zeroizing::new)
    }
}

/// Whether the home has records already.
pub(crate) fn exists(home: &Path) -> bool {
    database().is_some() || home.join("hansel.db").is_file()
}

/// The end of a workflow that a record's `target` stands for.
pub(crate) fn target(text: &str) -> Target {
    match text {
        "source" => Target::Source,
        "destination" => Target::Destination,
        _ => Target::Any,
    }
}

/// Where the home is: as asked, or below the user's data directory.
pub(crate) fn home_dir(asked: Option<PathBuf>) -> Result<PathBuf, Failure> {
    if let Some(home) = asked {
        return Ok(home);
    }
    let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let data = data.or_else(|| std::env::home_dir().map(|home| home.join(".local/share")));
    data.map(|data| data.join("hansel")).ok_or_else(|| {
        Failure::new(Code::HomeUnusable, "no home directory is known").hint("Name one with `--home DIR`.")
    })
}

fn failure(error: StoreError) -> Failure {
    match error {
        StoreError::NotFound { .. } => Failure::new(Code::NotFound, error.to_string()),
        StoreError::Refused(message) => Failure::new(Code::Usage, message),
        StoreError::Unusable(message) => Failure::new(Code::HomeUnusable, message),
        StoreError::Database(error) => Failure::new(Code::HomeUnusable, "the database of the home failed").cause(error),
    }
}
