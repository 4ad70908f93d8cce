//! Connections: stored access to outside services. Credentials are sealed before they touch the database and are
//! opened only for work.

use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::{Store, ids, now_us};

/// One connection, without its credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionRecord {
    /// `c_` and 27 characters.
    pub id: String,
    /// Id of the owning project.
    pub project: String,
    /// 3-30 characters.
    pub name: String,
    /// The type, such as `s3`.
    pub kind: String,
    /// The readable part, a JSON object.
    pub config: serde_json::Value,
    /// Whether credentials are kept.
    pub credentials: bool,
    /// `source`, `destination` or empty.
    pub target: String,
    /// Which of several ways to authenticate, where a type has several; else empty.
    pub auth_strategy: String,
    /// When it was made.
    pub created_at: i64,
    /// When it was last changed.
    pub updated_at: i64,
}

/// What a new connection is to be.
pub struct NewConnection {
    /// Id of the owning project.
    pub project: String,
    /// 3-30 characters of `a-z`, `0-9`, `-` and `_`.
    pub name: String,
    /// The type.
    pub kind: String,
    /// The readable part.
    pub config: serde_json::Value,
    /// The credentials in the clear; sealed here.
    pub credentials: Option<Zeroizing<Vec<u8>>>,
    /// `source`, `destination` or empty.
    pub target: String,
    /// Which of several ways to authenticate; may be empty.
    pub auth_strategy: String,
}

/// What of a connection is to change; `None` leaves it.
#[derive(Default)]
pub struct ConnectionEdit {
    /// New name.
    pub name: Option<String>,
    /// New readable part.
    pub config: Option<serde_json::Value>,
    /// New credentials.
    pub credentials: Option<Zeroizing<Vec<u8>>>,
    /// New target.
    pub target: Option<String>,
}

impl Store {
    /// Keeps a connection. Refuses a name that does not fit.
    pub async fn create_connection(&self, new: NewConnection) -> Result<ConnectionRecord, StoreError> {
        check_name(&new.name)?;
        let (id, now) = (ids::guid("c_"), now_us());
        let sealed = new.credentials.as_ref().map(|plain| self.key.seal(plain, &place(&id)));
        sqlx::query(
            "INSERT INTO connections (id, project, name, kind, config, sealed, target, auth_strategy, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)",
        )
        .bind(&id)
        .bind(&new.project)
        .bind(&new.name)
        .bind(&new.kind)
        .bind(new.config.to_string())
        .bind(sealed)
        .bind(&new.target)
        .bind(&new.auth_strategy)
        .bind(now)
        .execute(&self.pool)
        .await?;
        self.connection(&id).await
    }

    /// The connection with this id.
    pub async fn connection(&self, id: &str) -> Result<ConnectionRecord, StoreError> {
        sqlx::query("SELECT * FROM connections WHERE id = $1")
            .bind(id)
            .fetch_optional(&self.pool)
            .await?
            .map(|row| record(&row))
            .ok_or_else(|| StoreError::not_found("connection", id))
    }

    /// The connections of a project, or all, newest first.
    pub async fn connections(&self, project: Option<&str>) -> Result<Vec<ConnectionRecord>, StoreError> {
        let rows =
            sqlx::query("SELECT * FROM connections WHERE $1 IS NULL OR project = $1 ORDER BY created_at DESC, id")
                .bind(project)
                .fetch_all(&self.pool)
                .await?;
        Ok(rows.iter().map(record).collect())
    }

    /// The credentials of a connection in the clear, if it has any.
    pub async fn open_credentials(&self, id: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let row = sqlx::query("SELECT sealed FROM connections WHERE id = $1")
            .bind(id)
            .fetch_optional(&self.pool)
            .await?
            .ok_or_else(|| StoreError::not_found("connection", id))?;
        let Some(sealed): Option<Vec<u8>> = row.get("sealed") else { return Ok(None) };
        let opened = self.key.open(&sealed, &place(id)).ok_or_else(|| {
            StoreError::Unusable(format!("the credentials of connection `{id}` were sealed with another key"))
        })?;
        Ok(Some(opened))
    }

    /// Changes a connection; its type and project stay.
    pub async fn update_connection(&self, id: &str, edit: ConnectionEdit) -> Result<ConnectionRecord, StoreError> {
        let old = self.connection(id).await?;
        if let Some(name) = &edit.name {
            check_name(name)?;
        }
        let sealed = edit.credentials.as_ref().map(|plain| self.key.seal(plain, &place(id)));
        sqlx::query(
            "UPDATE connections SET name = $2, config = $3, target = $4, updated_at = $5, sealed = COALESCE($6, sealed)
             WHERE id = $1",
        )
        .bind(id)
        .bind(edit.name.unwrap_or(old.name))
        .bind(edit.config.unwrap_or(old.config).to_string())
        .bind(edit.target.unwrap_or(old.target))
        .bind(now_us())
        .bind(sealed)
        .execute(&self.pool)
        .await?;
        self.connection(id).await
    }

    /// Deletes a connection; workflows that name it fail from then on.
    pub async fn delete_connection(&self, id: &str) -> Result<ConnectionRecord, StoreError> {
        let record = self.connection(id).await?;
        sqlx::query("DELETE FROM connections WHERE id = $1").bind(id).execute(&self.pool).await?;
        Ok(record)
    }
}

fn place(id: &str) -> String {
    format!("connections|{id}|credentials")
}

fn record(row: &SqliteRow) -> ConnectionRecord {
    let config: String = row.get("config");
    let sealed: Option<Vec<u8>> = row.get("sealed");
    ConnectionRecord {
        id: row.get("id"),
        project: row.get("project"),
        name: row.get("name"),
        kind: row.get("kind"),
        config: serde_json::from_str(&config).unwrap_or_default(),
        credentials: sealed.is_some(),
        target: row.get("target"),
        auth_strategy: row.get("auth_strategy"),
        created_at: row.get("created_at"),
        updated_at: row.get("updated_at"),
    }
}

fn check_name(name: &str) -> Result<(), StoreError> {
    let letters = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_');
    if letters && (3..=30).contains(&name.len()) {
        return Ok(());
    }
    Err(StoreError::Refused(format!(
        "`{name}` is not a connection name; 3-30 characters of a-z, 0-9, `-` and `_` are allowed"
    )))
}
