//! Uploads: files that users bring. In: a name, later a length. Out: a key, and the path where the bytes are to lie. A
//! user's name for a file never becomes a path.

use std::path::PathBuf;

use sha2::{Digest, Sha256};
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::error::StoreError;
use crate::{Store, ids, now_us, seal};

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// Of an artifact `gretel_`, 32 hex digits, `_` and the name; of a file `file_` and 27 characters.
    pub key: String,
    /// `artifact` or `file`.
    pub kind: String,
    /// Id of the project; empty for a file, which belongs to its user.
    pub project: String,
    /// As the user calls it.
    pub name: String,
    /// Its length; `None` until it was uploaded.
    pub bytes: Option<i64>,
    /// What it is for; may be empty.
    pub purpose: String,
    /// Guid of the user.
    pub created_by: String,
    /// When it was announced.
    pub created_at: i64,
}

impl Store {
    /// Announces a file, an `artifact` or a `file`, and gives it a key.
    pub async fn create_upload(
        &self,
        kind: &str,
        project: &str,
        name: &str,
        purpose: &str,
        created_by: &str,
    ) -> Result<Upload, StoreError> {
        let key = match kind {
            "artifact" => format!("gretel_{}_{name}", ids::hex(32)),
            "file" => ids::guid("file_"),
            other => {
                return Err(StoreError::Refused(format!(
                    "`{other}` is not a kind of upload; `artifact` and `file` are allowed"
                )));
            }
        };
        sqlx::query(
            "INSERT INTO uploads (id, kind, project, name, purpose, created_by, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(&key)
        .bind(kind)
        .bind(Some(project).filter(|project| !project.is_empty()))
        .bind(name)
        .bind(purpose)
        .bind(created_by)
        .bind(now_us())
        .execute(self.db.write())
        .await?;
        self.upload(&key).await
    }

    /// The file with this key.
    pub async fn upload(&self, key: &str) -> Result<Upload, StoreError> {
        sqlx::query("SELECT * FROM uploads WHERE id = $1")
            .bind(key)
            .fetch_optional(self.db.read())
            .await?
            .map(|row| upload(&row))
            .ok_or_else(|| StoreError::not_found("file", key))
    }

    /// The files of a project and kind, newest first; also those not yet uploaded.
    pub async fn uploads(&self, project: &str, kind: &str) -> Result<Vec<Upload>, StoreError> {
        let rows =
            sqlx::query("SELECT * FROM uploads WHERE project = $1 AND kind = $2 ORDER BY created_at DESC, id DESC")
                .bind(project)
                .bind(kind)
                .fetch_all(self.db.read())
                .await?;
        Ok(rows.iter().map(upload).collect())
    }

    /// Records that a file lies at its path, with its length.
    pub async fn finish_upload(&self, key: &str, bytes: i64) -> Result<Upload, StoreError> {
        sqlx::query("UPDATE uploads SET bytes = $2 WHERE id = $1")
            .bind(key)
            .bind(bytes)
            .execute(self.db.write())
            .await?;
        self.upload(key).await
    }

    /// The uploads of a kind that a user made, newest first.
    pub async fn uploads_by(&self, user: &str, kind: &str) -> Result<Vec<Upload>, StoreError> {
        let rows =
            sqlx::query("SELECT * FROM uploads WHERE created_by = $1 AND kind = $2 ORDER BY created_at DESC, id")
                .bind(user)
                .bind(kind)
                .fetch_all(self.db.read())
                .await?;
        Ok(rows.iter().map(upload).collect())
    }

    /// Says what an upload is for.
    pub async fn set_purpose(&self, key: &str, purpose: &str) -> Result<Upload, StoreError> {
        sqlx::query("UPDATE uploads SET purpose = $2 WHERE id = $1")
            .bind(key)
            .bind(purpose)
            .execute(self.db.write())
            .await?;
        self.upload(key).await
    }

    /// Deletes a file and its bytes.
    pub async fn delete_upload(&self, key: &str) -> Result<Upload, StoreError> {
        let upload = self.upload(key).await?;
        let path = self.upload_path(key);
        let mut transaction = self.db.begin().await?;
        sqlx::query("DELETE FROM uploads WHERE id = $1").bind(key).execute(&mut *transaction).await?;
        self.let_go_with(&mut transaction, [path.as_path()]).await?;
        transaction.commit().await?;
        crate::files_of_home::remove(&path)?;
        Ok(upload)
    }

    /// Where the bytes of a file are to lie. The folder may have to be made.
    pub fn upload_path(&self, key: &str) -> PathBuf {
        self.home().join("uploads").join(seal::hex(&Sha256::digest(key.as_bytes())))
    }
}

fn upload(row: &AnyRow) -> Upload {
    Upload {
        key: row.get("id"),
        kind: row.get("kind"),
        project: row.get::<Option<String>, _>("project").unwrap_or_default(),
        name: row.get("name"),
        bytes: row.get("bytes"),
        purpose: row.get("purpose"),
        created_by: row.get("created_by"),
        created_at: row.get("created_at"),
    }
}
