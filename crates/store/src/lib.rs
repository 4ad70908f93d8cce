//! Memory: records and journals come in, the same come out after any crash. The only SQL and the only sealed secrets
//! of the house live here; YAML and tables are opaque text to this crate.
//!
//! A [`Store`] is a database (a SQLite file in the home, or a PostgreSQL server), a home directory for files, and the
//! key under which secrets are sealed. Times are microseconds since 1970-01-01 UTC.

mod alone;
mod audit;
mod backup;
mod connections;
mod db;
mod error;
mod files;
mod files_of_home;
mod ids;
mod jobs;
mod journal;
mod key_file;
mod key_pair;
mod keyring;
mod keys;
mod ledger;
mod members;
mod overrides;
mod projects;
mod recent;
mod runs;
mod schema;
mod seal;
mod search;
mod sessions;
mod sunk;
mod tasks;
mod users;
mod webhooks;
mod workflows;

use std::path::{Path, PathBuf};

pub use alone::ServerLock;
pub use audit::AuditEntry;
pub use backup::{KEPT, KEY_FILES};
pub use connections::{ConnectionEdit, ConnectionRecord, NewConnection};
pub use error::StoreError;
pub use files::Upload;
pub use files_of_home::private_file;
pub use jobs::{Job, JobEdit, JobFilter, JobLine, NewJob};
pub use journal::EventRow;
pub use key_file::{HomeKey, KeyService};
pub use key_pair::EncryptionKey;
pub use keyring::Rotation;
pub use keys::ApiKey;
pub use ledger::{ArtifactRow, Done, DoneMark, UnitKey, UnitRow};
pub use members::Role;
pub use overrides::LetThrough;
pub use projects::{NewProject, Project};
pub use runs::{NewRun, Run};
pub use search::{ConnectionFilter, Page, RunFilter, Sort, WorkflowFilter};
pub use sessions::Session;
pub use sunk::Sunk;
pub use tasks::Task;
pub use users::{NewUser, User};
pub use webhooks::{Delivery, Webhook};
pub use workflows::{NewWorkflow, Workflow};

use recent::Recent;

/// The memory of one home directory. Clones share connections and what was lately read.
#[derive(Clone)]
pub struct Store {
    db: db::Db,
    keys: key_file::KeySource,
    home: PathBuf,
    known_keys: Recent<[u8; 32], keys::Known>,
    known_roles: Recent<(String, String), Option<Role>>,
}

impl Store {
    /// Opens the store of `home`, making directory, database and key on first use. The key comes from `key_text` (64
    /// hex digits) or from the file `key` in `home`, which only its owner may read. The database is `hansel.db` in
    /// `home` (`None` or `sqlite:...`), or the one that a `postgres://` URL names.
    ///
    /// Fails when the directory or the database cannot be used, the key is not one, or the database is of a version
    /// that this program does not read.
    pub async fn open(home: &Path, key_text: Option<&str>, database: Option<&str>) -> Result<Store, StoreError> {
        Store::open_with(home, &key_text.map_or(HomeKey::File, HomeKey::Text), database).await
    }

    /// As [`Store::open`], with the key from where the caller says.
    pub async fn open_with(home: &Path, key: &HomeKey<'_>, database: Option<&str>) -> Result<Store, StoreError> {
        files_of_home::make_private_dir(home)?;
        let keys = key_file::KeySource::of_home(home, key)?;
        let db = db::Db::open(home, database).await?;
        schema::migrate(&db).await?;
        let (known_keys, known_roles) = (Recent::new(), Recent::new());
        let store = Store { db, keys, home: home.to_path_buf(), known_keys, known_roles };
        store.end_rotation().await?;
        Ok(store)
    }

    /// A key for one purpose of the caller's, derived from the key of the home; another purpose has another.
    pub fn purpose_key(&self, purpose: &str) -> zeroize::Zeroizing<[u8; 32]> {
        self.keys.key().derived(purpose)
    }

    /// The home directory.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Folder of the kept files of a run.
    pub fn artifacts_dir(&self, run: &str) -> PathBuf {
        self.home.join("artifacts").join(run)
    }

    /// Folder in which work of a run may spool; emptied when the run begins and ends.
    pub fn scratch_dir(&self, run: &str) -> PathBuf {
        self.home.join("scratch").join(run)
    }

    /// Path of the file whose lock a workflow's active run holds.
    pub fn lock_file(&self, workflow: &str) -> PathBuf {
        self.home.join("locks").join(workflow)
    }
}

fn now_us() -> i64 {
    jiff::Timestamp::now().as_microsecond()
}
