//! The store as blocking code sees it: one runtime, and the store's errors as failures.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use store::{Store, StoreError};
use workflow::{Code, Connection, Failure, Secret, Target};

/// A home's store with the runtime that its calls run on.
#[derive(Clone)]
pub(crate) struct Memory {
    pub(crate) store: Store,
    runtime: Arc<tokio::runtime::Runtime>,
}

impl Memory {
    /// Opens the home, making it on first use.
    pub(crate) fn open(home: &Path) -> Result<Memory, Failure> {
        Memory::with(home, database().as_deref())
    }

    /// Opens a home that goes away again; its records lie in it, whatever database the others have.
    pub(crate) fn open_passing(home: &Path) -> Result<Memory, Failure> {
        Memory::with(home, None)
    }

    fn with(home: &Path, database: Option<&str>) -> Result<Memory, Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("store")
            .enable_all()
            .build()
            .map_err(|error| Failure::new(Code::Internal, "no thread can be started").cause(error))?;
        let key = std::env::var("HANSEL_KEY").ok().filter(|key| !key.is_empty());
        let store = runtime.block_on(Store::open(home, key.as_deref(), database)).map_err(failure)?;
        Ok(Memory { store, runtime: Arc::new(runtime) })
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
        let mut connections = Vec::new();
        for record in self.ask(self.store.connections(Some(&project.id)))? {
            if !wanted.contains(&record.id) {
                continue;
            }
            let credentials = self.ask(self.store.open_credentials(&record.id))?;
            connections.push(Connection {
                id: record.id,
                name: record.name,
                kind: record.kind,
                config: record.config.as_object().cloned().unwrap_or_default(),
                credentials: credentials.map(|plain| Secret::new(plain.to_vec())),
                target: target(&record.target),
                external_id: project.guid.clone(),
            });
        }
        Ok(connections)
    }
}

/// The database that the environment names in place of the home's own file.
fn database() -> Option<String> {
    std::env::var("HANSEL_DATABASE").ok().filter(|database| !database.is_empty())
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
