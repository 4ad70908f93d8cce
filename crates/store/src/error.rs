//! Why the store could not do what was asked.

use std::path::Path;

/// What went wrong in the store.
#[derive(Debug)]
pub enum StoreError {
    /// The home directory, its database or its key cannot be used: message and cause.
    Unusable(String),
    /// No record of this kind, name or id.
    NotFound {
        /// The noun, such as `project`, `connection` or `run`.
        kind: &'static str,
        /// What was asked for.
        id: String,
    },
    /// What was given is not allowed: a name, mostly.
    Refused(String),
    /// The database failed in the middle of something.
    Database(sqlx::Error),
}

impl StoreError {
    pub(crate) fn unusable(home: &Path, cause: impl std::fmt::Display) -> StoreError {
        StoreError::Unusable(format!("the home directory `{}` cannot be used: {cause}", home.display()))
    }

    pub(crate) fn not_found(kind: &'static str, id: &str) -> StoreError {
        StoreError::NotFound { kind, id: id.to_string() }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> StoreError {
        let database = error.as_database_error();
        if database.is_some_and(|error| error.is_foreign_key_violation()) {
            return StoreError::Refused("what this record would belong to is not there".into());
        }
        // PostgreSQL keeps every text but those with a zero byte.
        if database.and_then(|error| error.code()).is_some_and(|code| code == "22021") {
            return StoreError::Refused("a text with a zero byte cannot be kept".into());
        }
        StoreError::Database(error)
    }
}

impl std::fmt::Display for StoreError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            StoreError::Unusable(message) | StoreError::Refused(message) => f.write_str(message),
            StoreError::NotFound { kind, id } => write!(f, "no {kind} `{id}`"),
            StoreError::Database(error) => write!(f, "the database failed: {error}"),
        }
    }
}

impl std::error::Error for StoreError {}
