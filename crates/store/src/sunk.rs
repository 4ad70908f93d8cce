//! Which files of the home lie in a sink as well. In: paths below the home, announced before they are copied and marked
//! when all of them arrived. Out: the same, and what is to be deleted there since its record is gone. What a key of a
//! sink is to be is known from here alone, so that nobody has to list one.

use std::collections::BTreeMap;
use std::path::Path;

use sqlx::any::AnyRow;
use sqlx::{Any, Row, Transaction};

use crate::Store;
use crate::error::StoreError;

/// A file and its copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sunk {
    /// Below the home, with slashes; the key below the sink's prefix.
    pub path: String,
    /// `jobs/UID`, `artifacts/RUN` or the path of an upload: what goes away together.
    pub folder: String,
    /// The sink, as it is written.
    pub sink: String,
    /// Length.
    pub bytes: i64,
    /// When the local file was last written; with the length it tells one content from the next.
    pub modified_at: i64,
    /// Whether all of it arrived.
    pub kept: bool,
    /// Whether its record is gone, so that the copy has to go.
    pub gone: bool,
}

impl Store {
    /// Says that a file is about to be copied.
    pub async fn announce_sunk(&self, new: &Sunk) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO sunk (path, folder, sink, bytes, modified_at, kept, gone) VALUES ($1, $2, $3, $4, $5, 0, 0)
             ON CONFLICT (path) DO UPDATE SET sink = $3, bytes = $4, modified_at = $5, kept = 0",
        )
        .bind(&new.path)
        .bind(&new.folder)
        .bind(&new.sink)
        .bind(new.bytes)
        .bind(new.modified_at)
        .execute(self.db.write())
        .await?;
        Ok(())
    }

    /// Says that all of a file arrived.
    pub async fn keep_sunk(&self, path: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE sunk SET kept = 1 WHERE path = $1").bind(path).execute(self.db.write()).await?;
        Ok(())
    }

    /// What is known of the copy of a file.
    pub async fn sunk(&self, path: &str) -> Result<Option<Sunk>, StoreError> {
        let row = sqlx::query("SELECT * FROM sunk WHERE path = $1").bind(path).fetch_optional(self.db.read()).await?;
        Ok(row.map(|row| sunk(&row)))
    }

    /// The copies of what goes away together.
    pub async fn sunk_in(&self, folder: &str) -> Result<Vec<Sunk>, StoreError> {
        let rows = sqlx::query("SELECT * FROM sunk WHERE folder = $1 ORDER BY path")
            .bind(folder)
            .fetch_all(self.db.read())
            .await?;
        Ok(rows.iter().map(sunk).collect())
    }

    /// Copies that were begun and of which it is not known that they arrived.
    pub async fn sunk_open(&self) -> Result<Vec<Sunk>, StoreError> {
        let rows = sqlx::query("SELECT * FROM sunk WHERE kept = 0").fetch_all(self.db.read()).await?;
        Ok(rows.iter().map(sunk).collect())
    }

    /// Copies that have to go.
    pub async fn sunk_gone(&self) -> Result<Vec<Sunk>, StoreError> {
        let rows = sqlx::query("SELECT * FROM sunk WHERE gone = 1 ORDER BY path").fetch_all(self.db.read()).await?;
        Ok(rows.iter().map(sunk).collect())
    }

    /// Whether any file lies in a sink.
    pub async fn any_sunk(&self) -> Result<bool, StoreError> {
        Ok(sqlx::query("SELECT path FROM sunk WHERE kept = 1 LIMIT 1").fetch_optional(self.db.read()).await?.is_some())
    }

    /// Says that what a folder holds has to go from the sink too.
    pub async fn let_go(&self, folder: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE sunk SET gone = 1 WHERE folder = $1").bind(folder).execute(self.db.write()).await?;
        Ok(())
    }

    /// Forgets a copy that is deleted.
    pub async fn forget_sunk(&self, path: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM sunk WHERE path = $1 AND gone = 1").bind(path).execute(self.db.write()).await?;
        Ok(())
    }

    /// The keys of all uploads, by their folders.
    pub async fn upload_folders(&self) -> Result<BTreeMap<String, String>, StoreError> {
        let keys: Vec<String> = sqlx::query_scalar("SELECT id FROM uploads").fetch_all(self.db.read()).await?;
        Ok(keys.into_iter().map(|key| (self.folder_of(&self.upload_path(&key)), key)).collect())
    }

    /// The folder that a path of the home belongs to: its first two parts.
    pub fn folder_of(&self, path: &Path) -> String {
        let below = path.strip_prefix(self.home()).unwrap_or(path);
        below.iter().take(2).map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
    }

    /// Says within a deletion that the copies of these paths have to go.
    pub(crate) async fn let_go_with(
        &self,
        transaction: &mut Transaction<'static, Any>,
        paths: impl IntoIterator<Item = &Path>,
    ) -> Result<(), StoreError> {
        for path in paths {
            sqlx::query("UPDATE sunk SET gone = 1 WHERE folder = $1")
                .bind(self.folder_of(path))
                .execute(&mut **transaction)
                .await?;
        }
        Ok(())
    }
}

fn sunk(row: &AnyRow) -> Sunk {
    Sunk {
        path: row.get("path"),
        folder: row.get("folder"),
        sink: row.get("sink"),
        bytes: row.get("bytes"),
        modified_at: row.get("modified_at"),
        kept: row.get::<i64, _>("kept") != 0,
        gone: row.get::<i64, _>("gone") != 0,
    }
}
