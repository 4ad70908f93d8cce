//! Connections: stored access to outside services. In: what one is to be. Out: the same without its credentials, which
//! are sealed before they touch the database and are opened only for work.

use sqlx::any::{Any, AnyRow};
use sqlx::{Row, Transaction};
use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::keyring::credentials_of;
use crate::search::{Conditions, ConnectionFilter, Page};
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
    /// Whether credentials are kept that can be opened here.
    pub credentials: bool,
    /// Whether credentials are kept that the customer encrypted.
    pub encrypted: bool,
    /// `source`, `destination` or empty.
    pub target: String,
    /// Which of several ways to authenticate, where a type has several; else empty.
    pub auth_strategy: String,
    /// `UNKNOWN`, `VALID` or `INVALID`, as found when it was last tried.
    pub validation: String,
    /// What was found.
    pub validation_message: String,
    /// Guid of the user who made it; empty for one made without a server.
    pub created_by: String,
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
    /// Credentials that the customer encrypted; sealed like the others. Not both.
    pub encrypted_credentials: Option<serde_json::Value>,
    /// `source`, `destination` or empty.
    pub target: String,
    /// Which of several ways to authenticate; may be empty.
    pub auth_strategy: String,
    /// Guid of the user; empty without a server.
    pub created_by: String,
}

/// What of a connection is to change; `None` leaves it.
#[derive(Default)]
pub struct ConnectionEdit {
    /// New name.
    pub name: Option<String>,
    /// New readable part.
    pub config: Option<serde_json::Value>,
    /// New credentials, in place of those of either sort.
    pub credentials: Option<Zeroizing<Vec<u8>>>,
    /// New credentials that the customer encrypted, in place of those of either sort.
    pub encrypted_credentials: Option<serde_json::Value>,
    /// New target.
    pub target: Option<String>,
    /// New way to authenticate.
    pub auth_strategy: Option<String>,
    /// What was found when it was tried: `UNKNOWN`, `VALID` or `INVALID`, and why. Unless given, a change of config or
    /// credentials makes it unknown.
    pub validation: Option<(String, String)>,
}

impl Store {
    /// Keeps a connection. Refuses a name that does not fit, and credentials of both sorts at once.
    pub async fn create_connection(&self, new: NewConnection) -> Result<ConnectionRecord, StoreError> {
        check_name(&new.name)?;
        let (id, now) = (ids::guid("c_"), now_us());
        let encrypted = new.encrypted_credentials.is_some();
        let mut transaction = self.db.begin().await?;
        let plain = one_of(new.credentials, new.encrypted_credentials)?;
        let sealed = self.sealed(&mut transaction, &new.project, &id, encrypted, plain).await?;
        sqlx::query(
            "INSERT INTO connections (id, project, name, kind, config, sealed, encrypted, target, auth_strategy,
             validation, validation_message, created_by, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'UNKNOWN', '', $10, $11, $11)",
        )
        .bind(&id)
        .bind(&new.project)
        .bind(&new.name)
        .bind(&new.kind)
        .bind(new.config.to_string())
        .bind(sealed)
        .bind(i64::from(encrypted))
        .bind(&new.target)
        .bind(&new.auth_strategy)
        .bind(&new.created_by)
        .bind(now)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        self.connection(&id).await
    }

    /// The connection with this id.
    pub async fn connection(&self, id: &str) -> Result<ConnectionRecord, StoreError> {
        sqlx::query("SELECT * FROM connections WHERE id = $1")
            .bind(id)
            .fetch_optional(self.db.read())
            .await?
            .map(|row| record(&row))
            .ok_or_else(|| StoreError::not_found("connection", id))
    }

    /// The connections of a project, or all, newest first.
    pub async fn connections(&self, project: Option<&str>) -> Result<Vec<ConnectionRecord>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM connections WHERE CAST($1 AS TEXT) IS NULL OR project = $1 ORDER BY created_at DESC, id",
        )
        .bind(project)
        .fetch_all(self.db.read())
        .await?;
        Ok(rows.iter().map(record).collect())
    }

    /// A page of the connections that fit, and how many fit.
    pub async fn connections_page(
        &self,
        filter: &ConnectionFilter,
        page: &Page,
    ) -> Result<(Vec<ConnectionRecord>, i64), StoreError> {
        let mut conditions = Conditions::default();
        conditions.any_of("id", &filter.ids);
        conditions.within("project", filter.projects.as_deref());
        let rows = conditions.page(&self.db, "connections", page).await?;
        Ok((rows.iter().map(record).collect(), conditions.count(&self.db, "connections").await?))
    }

    /// The credentials of a connection in the clear, if it has any that can be opened here.
    pub async fn open_credentials(&self, id: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        self.opened(id, false).await
    }

    /// The credentials of a connection as the customer encrypted them, if it has such.
    pub async fn encrypted_credentials(&self, id: &str) -> Result<Option<serde_json::Value>, StoreError> {
        let opened = self.opened(id, true).await?;
        Ok(opened.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    async fn opened(&self, id: &str, encrypted: bool) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let row = sqlx::query("SELECT project, sealed, encrypted FROM connections WHERE id = $1")
            .bind(id)
            .fetch_optional(self.db.read())
            .await?
            .ok_or_else(|| StoreError::not_found("connection", id))?;
        let (project, sealed): (String, Option<Vec<u8>>) = (row.get("project"), row.get("sealed"));
        let Some(sealed) = sealed.filter(|_| (row.get::<i64, _>("encrypted") != 0) == encrypted) else {
            return Ok(None);
        };
        let opened = self.open_sealed(&project, &credentials_of(id, encrypted), &sealed).await?;
        opened.map(Some).ok_or_else(|| {
            StoreError::Unusable(format!("the credentials of connection `{id}` were sealed with another key"))
        })
    }

    async fn sealed(
        &self,
        transaction: &mut Transaction<'static, Any>,
        project: &str,
        id: &str,
        encrypted: bool,
        plain: Option<Zeroizing<Vec<u8>>>,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        match plain {
            Some(plain) => Ok(Some(self.seal(transaction, project, &credentials_of(id, encrypted), &plain).await?)),
            None => Ok(None),
        }
    }

    /// Changes a connection; its type and project stay.
    pub async fn update_connection(&self, id: &str, edit: ConnectionEdit) -> Result<ConnectionRecord, StoreError> {
        if let Some(name) = &edit.name {
            check_name(name)?;
        }
        let mut transaction = self.db.begin().await?;
        let encrypted = edit.encrypted_credentials.is_some();
        let plain = one_of(edit.credentials, edit.encrypted_credentials)?;
        if plain.is_some() {
            self.lock_sealing(&mut transaction).await?;
        }
        let old = sqlx::query(self.db.locking("SELECT * FROM connections WHERE id = $1"))
            .bind(id)
            .fetch_optional(&mut *transaction)
            .await?
            .map(|row| record(&row))
            .ok_or_else(|| StoreError::not_found("connection", id))?;
        if plain.is_some() {
            // What is replaced need not be opened, and its key may be lost.
            sqlx::query("UPDATE connections SET sealed = NULL WHERE id = $1")
                .bind(id)
                .execute(&mut *transaction)
                .await?;
        }
        let sealed = self.sealed(&mut transaction, &old.project, id, encrypted, plain).await?;
        let encrypted = if sealed.is_some() { encrypted } else { old.encrypted };
        let changed = sealed.is_some() || edit.config.is_some() || edit.auth_strategy.is_some();
        let (validation, message) = match edit.validation {
            Some(found) => found,
            None if changed => ("UNKNOWN".into(), String::new()),
            None => (old.validation, old.validation_message),
        };
        sqlx::query(
            "UPDATE connections SET name = $2, config = $3, target = $4, updated_at = $5, sealed = COALESCE($6, sealed),
             encrypted = $7, auth_strategy = $8, validation = $9, validation_message = $10 WHERE id = $1",
        )
        .bind(id)
        .bind(edit.name.unwrap_or(old.name))
        .bind(edit.config.unwrap_or(old.config).to_string())
        .bind(edit.target.unwrap_or(old.target))
        .bind(now_us())
        .bind(sealed)
        .bind(i64::from(encrypted))
        .bind(edit.auth_strategy.unwrap_or(old.auth_strategy))
        .bind(validation)
        .bind(message)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        self.connection(id).await
    }

    /// Deletes a connection; workflows that name it fail from then on.
    pub async fn delete_connection(&self, id: &str) -> Result<ConnectionRecord, StoreError> {
        let record = self.connection(id).await?;
        sqlx::query("DELETE FROM connections WHERE id = $1").bind(id).execute(self.db.write()).await?;
        Ok(record)
    }
}

/// The bytes to seal, of credentials in the clear or of encrypted ones.
fn one_of(
    plain: Option<Zeroizing<Vec<u8>>>,
    encrypted: Option<serde_json::Value>,
) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
    match (plain, encrypted) {
        (Some(_), Some(_)) => {
            Err(StoreError::Refused("a connection has `credentials` or `encrypted_credentials`, not both".into()))
        }
        (plain, None) => Ok(plain),
        (None, Some(value)) => Ok(Some(Zeroizing::new(value.to_string().into_bytes()))),
    }
}

fn record(row: &AnyRow) -> ConnectionRecord {
    let config: String = row.get("config");
    let sealed: Option<Vec<u8>> = row.get("sealed");
    let encrypted = row.get::<i64, _>("encrypted") != 0;
    ConnectionRecord {
        id: row.get("id"),
        project: row.get("project"),
        name: row.get("name"),
        kind: row.get("kind"),
        config: serde_json::from_str(&config).unwrap_or_default(),
        credentials: sealed.is_some() && !encrypted,
        encrypted,
        target: row.get("target"),
        auth_strategy: row.get("auth_strategy"),
        validation: row.get("validation"),
        validation_message: row.get("validation_message"),
        created_by: row.get("created_by"),
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
