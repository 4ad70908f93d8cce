//! A copy of what a store remembers. In: a store at work. Out: its database as of one moment in a file, and which parts
//! of the home belong to it. PostgreSQL copies itself, by its own means.

use std::path::Path;

use sqlx::{AnyConnection, Connection};

use crate::Store;
use crate::db::sqlite_url;
use crate::error::StoreError;

/// What of a home, beside the database and the key, is kept for good.
pub static KEPT: &[&str] = &["artifacts", "jobs", "uploads"];

/// Files of a home that hold its key, as it is or wrapped by a key service.
pub static KEY_FILES: [&str; 2] = ["key", "key.kms"];

impl Store {
    /// Writes the database as of now to a new file, while others go on to write; gives whether there is one, since
    /// PostgreSQL's is not in the home.
    pub async fn copy_database(&self, into: &Path) -> Result<bool, StoreError> {
        if !self.db.in_home() {
            return Ok(false);
        }
        let path = self.home.join("hansel.db");
        let path = path.canonicalize().map_err(|error| StoreError::unusable(&path, error))?;
        let Some(text) = into.to_str() else {
            return Err(StoreError::Unusable(format!("the path `{}` is not UTF-8", into.display())));
        };
        // A connection of its own: the readers' may write nothing, and the writer's would keep all others waiting.
        let mut connection = AnyConnection::connect(&sqlite_url(&path)?).await?;
        sqlx::query("VACUUM INTO $1").bind(text).execute(&mut connection).await?;
        connection.close().await?;
        Ok(true)
    }
}
