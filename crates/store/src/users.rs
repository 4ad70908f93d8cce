//! Users: who may ask a server for something. In: who they are. Out: the same by id, guid or e-mail address. What they
//! prove themselves by is the matter of `keys.rs`.

use sqlx::Row;
use sqlx::any::AnyRow;

use crate::error::StoreError;
use crate::{Store, ids, now_us};

/// One user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// 24 hex digits.
    pub id: String,
    /// `user_` and 27 characters.
    pub guid: String,
    /// Unique, whatever the case; as it was written.
    pub email: String,
    /// For people.
    pub first_name: String,
    /// For people.
    pub last_name: String,
    /// Whether everything is allowed, in every project.
    pub administrator: bool,
    /// When it was made.
    pub created_at: i64,
}

/// What a new user is to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewUser {
    /// Text with an `@` inside, at most 254 bytes.
    pub email: String,
    /// For people.
    pub first_name: String,
    /// For people.
    pub last_name: String,
    /// Whether everything is allowed.
    pub administrator: bool,
}

impl Store {
    /// Makes a user. Refuses an address that another user has, in whatever case.
    pub async fn create_user(&self, new: &NewUser) -> Result<User, StoreError> {
        check_email(&new.email)?;
        let user = User {
            id: ids::hex24(),
            guid: ids::guid("user_"),
            email: new.email.clone(),
            first_name: new.first_name.clone(),
            last_name: new.last_name.clone(),
            administrator: new.administrator,
            created_at: now_us(),
        };
        let made = sqlx::query(
            "INSERT INTO users (id, guid, email, email_key, first_name, last_name, administrator, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (email_key) DO NOTHING",
        )
        .bind(&user.id)
        .bind(&user.guid)
        .bind(&user.email)
        .bind(user.email.to_lowercase())
        .bind(&user.first_name)
        .bind(&user.last_name)
        .bind(i64::from(user.administrator))
        .bind(user.created_at)
        .execute(self.db.write())
        .await?;
        if made.rows_affected() == 0 {
            return Err(StoreError::Refused(format!("a user `{}` is there already", user.email)));
        }
        Ok(user)
    }

    /// The user with this id, guid or e-mail address.
    pub async fn user(&self, any: &str) -> Result<User, StoreError> {
        // Addresses have an `@`, ids and guids have none: nobody can take the name of another.
        sqlx::query("SELECT * FROM users WHERE id = $1 OR guid = $1 OR email_key = $2")
            .bind(any)
            .bind(any.to_lowercase())
            .fetch_optional(self.db.read())
            .await?
            .map(|row| user(&row))
            .ok_or_else(|| StoreError::not_found("user", any))
    }

    /// All users, oldest first.
    pub async fn users(&self) -> Result<Vec<User>, StoreError> {
        let rows = sqlx::query("SELECT * FROM users ORDER BY created_at, id").fetch_all(self.db.read()).await?;
        Ok(rows.iter().map(user).collect())
    }
}

pub(crate) fn user(row: &AnyRow) -> User {
    User {
        id: row.get("id"),
        guid: row.get("guid"),
        email: row.get("email"),
        first_name: row.get("first_name"),
        last_name: row.get("last_name"),
        administrator: row.get::<i64, _>("administrator") != 0,
        created_at: row.get("created_at"),
    }
}

fn check_email(email: &str) -> Result<(), StoreError> {
    let parts = email.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
    let letters = !email.chars().any(|letter| letter.is_whitespace() || letter.is_control());
    if parts && letters && email.len() <= 254 {
        return Ok(());
    }
    Err(StoreError::Refused(format!(
        "`{}` is not an e-mail address; a name, `@` and a host, no spaces, at most 254 bytes, are expected",
        email.escape_debug()
    )))
}
