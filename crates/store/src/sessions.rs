//! Sessions: what a browser proves itself by once its user has signed in. In: a text. Out: whose it is. The text is given
//! once, when the session begins; kept is its SHA-256, as of API keys. A session that has ended is no record any more.

use sha2::{Digest, Sha256};
use sqlx::Row;
use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::users::{User, user};
use crate::{Store, ids, now_us, seal};

/// Hexadecimal digits of a text: 256 bits.
const DIGITS: usize = 64;

/// One session that holds, without its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// `s_` and 27 characters.
    pub id: String,
    /// Whose it is.
    pub user: User,
    /// From when on it no longer holds.
    pub expires_at: i64,
}

impl Store {
    /// Begins a session of a user that holds for `seconds`; gives its text, which cannot be had again. Sessions that
    /// have expired are thrown away with it.
    pub async fn begin_session(&self, user: &User, seconds: u32) -> Result<(Session, Zeroizing<String>), StoreError> {
        let (text, now) = (Zeroizing::new(ids::hex(DIGITS)), now_us());
        let expires_at = now + i64::from(seconds) * 1_000_000;
        let session = Session { id: ids::guid("s_"), user: user.clone(), expires_at };
        let mut transaction = self.db.begin().await?;
        sqlx::query("DELETE FROM sessions WHERE expires_at <= $1").bind(now).execute(&mut *transaction).await?;
        sqlx::query("INSERT INTO sessions (id, user_id, hash, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)")
            .bind(&session.id)
            .bind(&user.id)
            .bind(hash(&text))
            .bind(now)
            .bind(expires_at)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok((session, text))
    }

    /// The session of this text; `None` when there is none, or it has ended. It is never remembered, so that the end of
    /// one is its end at once, in every process.
    pub async fn session(&self, text: &str) -> Result<Option<Session>, StoreError> {
        if text.len() != DIGITS || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(None);
        }
        let row = sqlx::query(
            "SELECT users.*, sessions.id AS session_id, expires_at FROM sessions
             JOIN users ON users.id = sessions.user_id WHERE hash = $1 AND expires_at > $2",
        )
        .bind(hash(text))
        .bind(now_us())
        .fetch_optional(self.db.read())
        .await?;
        Ok(row.map(|row| Session { id: row.get("session_id"), user: user(&row), expires_at: row.get("expires_at") }))
    }

    /// Ends a session by id; one that has ended already stays so.
    pub async fn end_session(&self, id: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM sessions WHERE id = $1").bind(id).execute(self.db.write()).await?;
        Ok(())
    }

    /// Ends every session of a user by id; gives how many there were.
    pub async fn end_sessions_of(&self, user: &str) -> Result<u64, StoreError> {
        let ended = sqlx::query("DELETE FROM sessions WHERE user_id = $1").bind(user).execute(self.db.write()).await?;
        Ok(ended.rows_affected())
    }
}

fn hash(text: &str) -> String {
    seal::hex(&Sha256::digest(text.as_bytes()))
}
