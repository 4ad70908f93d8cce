//! API keys: the texts by which users prove themselves to a server. In: a text. Out: whose it is. The text itself is
//! shown once, when it is made; kept is its SHA-256, which needs no salt and no slow hash, since the text has 240 bits
//! that nobody chose.

use std::time::Duration;

use sha2::{Digest, Sha256};
use sqlx::Row;
use sqlx::any::AnyRow;
use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::users::{User, user};
use crate::{Store, ids, now_us, seal};

const PREFIX: &str = "grtu";
const DIGITS: usize = 60;
/// How old the time of the last use may be before it is written anew: a minute.
const USE_WRITTEN_EVERY_US: i64 = 60_000_000;
/// How long a request may wait for a writer to write that time.
const USE_PATIENCE: Duration = Duration::from_millis(100);

/// One key, without its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// `k_` and 27 characters.
    pub id: String,
    /// Id of the user.
    pub user: String,
    /// For people.
    pub name: String,
    /// The first eight characters of the text, for people to tell keys apart.
    pub start: String,
    /// When it was made.
    pub created_at: i64,
    /// From when on it no longer holds.
    pub expires_at: Option<i64>,
    /// When it was taken back.
    pub revoked_at: Option<i64>,
    /// When it was last used, to about a minute.
    pub last_used_at: Option<i64>,
}

/// What a text stood for, as remembered.
#[derive(Clone)]
pub(crate) struct Known {
    key: String,
    user: User,
    expires_at: Option<i64>,
}

impl Store {
    /// Makes a key for a user and gives its text, which cannot be had again.
    pub async fn create_key(
        &self,
        user: &str,
        name: &str,
        expires_at: Option<i64>,
    ) -> Result<(ApiKey, Zeroizing<String>), StoreError> {
        let user = self.user(user).await?.id;
        let text = Zeroizing::new(ids::hex_behind(PREFIX, DIGITS));
        let key = ApiKey {
            id: ids::guid("k_"),
            user,
            name: name.into(),
            start: text[..8].into(),
            created_at: now_us(),
            expires_at,
            revoked_at: None,
            last_used_at: None,
        };
        sqlx::query(
            "INSERT INTO api_keys (id, user_id, name, start, hash, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(&key.id)
        .bind(&key.user)
        .bind(&key.name)
        .bind(&key.start)
        .bind(seal::hex(&hash(&text)))
        .bind(key.created_at)
        .bind(key.expires_at)
        .execute(self.db.write())
        .await?;
        Ok((key, text))
    }

    /// The keys of a user by id, or all, newest first; also those that no longer hold.
    pub async fn keys(&self, user: Option<&str>) -> Result<Vec<ApiKey>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM api_keys WHERE CAST($1 AS TEXT) IS NULL OR user_id = $1 ORDER BY created_at DESC, id",
        )
        .bind(user)
        .fetch_all(self.db.read())
        .await?;
        Ok(rows.iter().map(api_key).collect())
    }

    /// Takes a key back; from now on it proves nothing to this store, and to other processes within five seconds.
    pub async fn revoke_key(&self, id: &str) -> Result<ApiKey, StoreError> {
        sqlx::query("UPDATE api_keys SET revoked_at = COALESCE(revoked_at, $2) WHERE id = $1")
            .bind(id)
            .bind(now_us())
            .execute(self.db.write())
            .await?;
        self.known_keys.forget(|_, known| known.key == id);
        sqlx::query("SELECT * FROM api_keys WHERE id = $1")
            .bind(id)
            .fetch_optional(self.db.read())
            .await?
            .map(|row| api_key(&row))
            .ok_or_else(|| StoreError::not_found("key", id))
    }

    /// Whose key this text is; `None` when it is none, has expired or was taken back.
    pub async fn authenticate(&self, text: &str) -> Result<Option<User>, StoreError> {
        let digits = text.strip_prefix(PREFIX).unwrap_or_default();
        if digits.len() != DIGITS || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(None);
        }
        let (hash, now) = (hash(text), now_us());
        let (known, moment) = self.known_keys.find(&hash, now);
        if let Some(known) = known {
            return Ok(holds(known.expires_at, now).then_some(known.user));
        }
        let row = sqlx::query(
            "SELECT users.*, api_keys.id AS key_id, expires_at, last_used_at FROM api_keys
             JOIN users ON users.id = api_keys.user_id WHERE hash = $1 AND revoked_at IS NULL",
        )
        .bind(seal::hex(&hash))
        .fetch_optional(self.db.read())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let known = Known { key: row.get("key_id"), user: user(&row), expires_at: row.get("expires_at") };
        if !holds(known.expires_at, now) {
            return Ok(None);
        }
        let last: Option<i64> = row.get("last_used_at");
        if last.is_none_or(|last| now - last >= USE_WRITTEN_EVERY_US) {
            self.write_use(&known.key, now).await?;
        }
        self.known_keys.keep(hash, known.clone(), now, moment);
        Ok(Some(known.user))
    }

    /// Writes when a key was used. Where every writer is busy it is left to the next time: nobody waits long for this.
    async fn write_use(&self, key: &str, now: i64) -> Result<(), StoreError> {
        if let Ok(Ok(mut connection)) = tokio::time::timeout(USE_PATIENCE, self.db.write().acquire()).await {
            sqlx::query("UPDATE api_keys SET last_used_at = $2 WHERE id = $1")
                .bind(key)
                .bind(now)
                .execute(&mut *connection)
                .await?;
        }
        Ok(())
    }
}

fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

fn holds(expires_at: Option<i64>, now: i64) -> bool {
    expires_at.is_none_or(|end| now < end)
}

fn api_key(row: &AnyRow) -> ApiKey {
    ApiKey {
        id: row.get("id"),
        user: row.get("user_id"),
        name: row.get("name"),
        start: row.get("start"),
        created_at: row.get("created_at"),
        expires_at: row.get("expires_at"),
        revoked_at: row.get("revoked_at"),
        last_used_at: row.get("last_used_at"),
    }
}
