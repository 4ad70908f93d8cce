//! Journals: what happened in a run, entry by entry. In: a kind and a body. Out: the same in order, from any entry on.
//! Nothing is ever changed or taken out.

use serde_json::Value;
use sqlx::any::{Any, AnyRow};
use sqlx::{Row, Transaction};

use crate::error::StoreError;
use crate::{Store, now_us};

/// One entry of a journal.
#[derive(Clone, Debug, PartialEq)]
pub struct EventRow {
    /// From 1, without gaps.
    pub seq: i64,
    /// When; strictly later than the entry before.
    pub at: i64,
    /// A stable word.
    pub kind: String,
    /// The fields.
    pub body: Value,
}

impl Store {
    /// A run's journal from behind entry `after`, oldest first.
    pub async fn events(&self, run: &str, after: i64) -> Result<Vec<EventRow>, StoreError> {
        self.events_page(run, after, i64::MAX).await
    }

    /// At most `limit` entries of a run's journal from behind entry `after`, oldest first.
    pub async fn events_page(&self, run: &str, after: i64, limit: i64) -> Result<Vec<EventRow>, StoreError> {
        let rows =
            sqlx::query("SELECT seq, at, kind, body FROM events WHERE run = $1 AND seq > $2 ORDER BY seq LIMIT $3")
                .bind(run)
                .bind(after)
                .bind(limit.max(0))
                .fetch_all(self.db.read())
                .await?;
        Ok(rows.iter().map(event).collect())
    }

    /// As [`Store::events_page`], of the entries whose body names `action`.
    pub async fn task_events(
        &self,
        run: &str,
        action: &str,
        after: i64,
        limit: i64,
    ) -> Result<Vec<EventRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT seq, at, kind, body FROM events WHERE run = $1 AND action = $2 AND seq > $3 ORDER BY seq LIMIT $4",
        )
        .bind(run)
        .bind(action)
        .bind(after)
        .bind(limit.max(0))
        .fetch_all(self.db.read())
        .await?;
        Ok(rows.iter().map(event).collect())
    }
}

/// Appends one event within a transaction that has locked the run. Times of a journal rise strictly, since readers tell
/// entries apart by them.
pub(crate) async fn append_event(
    transaction: &mut Transaction<'static, Any>,
    run: &str,
    kind: &str,
    body: &Value,
) -> Result<(), StoreError> {
    let last = sqlx::query("SELECT seq, at FROM events WHERE run = $1 ORDER BY seq DESC LIMIT 1")
        .bind(run)
        .fetch_optional(&mut **transaction)
        .await?;
    let (seq, at): (i64, i64) = last.map_or((0, 0), |row| (row.get("seq"), row.get("at")));
    sqlx::query("INSERT INTO events (run, seq, at, kind, action, body) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(run)
        .bind(seq + 1)
        .bind(now_us().max(at + 1))
        .bind(kind)
        .bind(body.get("action").and_then(Value::as_str).unwrap_or_default())
        .bind(body.to_string())
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

fn event(row: &AnyRow) -> EventRow {
    let body: String = row.get("body");
    EventRow {
        seq: row.get("seq"),
        at: row.get("at"),
        kind: row.get("kind"),
        body: serde_json::from_str(&body).unwrap_or_default(),
    }
}
