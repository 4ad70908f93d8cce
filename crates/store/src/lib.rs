//! Memory: records and journals come in, the same come out after any crash. The only SQL and the only sealed secrets
//! of the house live here; YAML and tables are opaque text to this crate.
//!
//! A [`Store`] is one SQLite file in a home directory, with the key that seals credentials beside it. Times are
//! microseconds since 1970-01-01 UTC.

mod connections;
mod error;
mod ids;
mod ledger;
mod overrides;
mod projects;
mod runs;
mod schema;
mod seal;
mod workflows;

use std::path::{Path, PathBuf};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};

pub use connections::{ConnectionEdit, ConnectionRecord, NewConnection};
pub use error::StoreError;
pub use ledger::{ArtifactRow, Done, DoneMark, UnitKey, UnitRow};
pub use overrides::LetThrough;
pub use projects::{NewProject, Project};
pub use runs::{EventRow, Run};
pub use workflows::Workflow;

/// The memory of one home directory.
#[derive(Clone)]
pub struct Store {
    pool: SqlitePool,
    key: seal::Key,
    home: PathBuf,
}

impl Store {
    /// Opens the store of `home`, making directory, database and key on first use. The key comes from `key_text` (64
    /// hex digits) or from the file `key` in `home`, which only its owner may read.
    ///
    /// Fails when the directory cannot be used, the key is not one, or the database is of a newer version.
    pub async fn open(home: &Path, key_text: Option<&str>) -> Result<Store, StoreError> {
        schema::make_private_dir(home)?;
        let key = seal::Key::of_home(home, key_text)?;
        // Made before SQLite opens it, so that its side files inherit the mode.
        schema::make_private_file(&home.join("hansel.db"))?;
        let options = SqliteConnectOptions::new()
            .filename(home.join("hansel.db"))
            .create_if_missing(true)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            // FULL, since a done mark that is lost after a publication would publish twice.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(std::time::Duration::from_secs(30));
        // One connection: SQLite has one writer anyway, and every read here is short.
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options)
            .await
            .map_err(|error| StoreError::unusable(home, error))?;
        schema::migrate(&pool).await?;
        Ok(Store { pool, key, home: home.to_path_buf() })
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
