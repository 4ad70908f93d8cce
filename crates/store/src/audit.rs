//! The audit log: who did what to which record. In: an entry. Out: the entries, newest first. Nothing is ever changed or
//! taken out, also when the record it speaks of is deleted.

use sqlx::Row;
use sqlx::any::AnyRow;

use crate::error::StoreError;
use crate::{Store, now_us};

/// One entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditEntry {
    /// When, different for each entry. The store sets it; what an entry that is being made says is not looked at.
    pub at: i64,
    /// Guid of the user; empty where there was none.
    pub user: String,
    /// What was done, such as `create` or `delete`.
    pub verb: String,
    /// To what sort of record, such as `connection`.
    pub kind: String,
    /// To which.
    pub id: String,
    /// Guid of the record's project; empty where it has none.
    pub project: String,
    /// For people; may be empty.
    pub note: String,
}

impl Store {
    /// Writes an entry, now.
    pub async fn audit(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        let mut transaction = self.db.begin().await?;
        self.db.lock_table(&mut transaction, "audit").await?;
        let last: Option<i64> = sqlx::query_scalar("SELECT MAX(at) FROM audit").fetch_one(&mut *transaction).await?;
        sqlx::query("INSERT INTO audit (at, who, verb, kind, id, project, note) VALUES ($1, $2, $3, $4, $5, $6, $7)")
            .bind(now_us().max(last.unwrap_or(0) + 1))
            .bind(&entry.user)
            .bind(&entry.verb)
            .bind(&entry.kind)
            .bind(&entry.id)
            .bind(&entry.project)
            .bind(&entry.note)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// At most `limit` entries of a project, by guid, or of all, from before `before`, newest first.
    pub async fn audit_log(
        &self,
        project: Option<&str>,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let (before, limit) = (before.unwrap_or(i64::MAX), limit.max(0));
        let query = match project {
            Some(project) => {
                sqlx::query("SELECT * FROM audit WHERE at < $1 AND project = $3 ORDER BY at DESC LIMIT $2")
                    .bind(before)
                    .bind(limit)
                    .bind(project)
            }
            None => sqlx::query("SELECT * FROM audit WHERE at < $1 ORDER BY at DESC LIMIT $2").bind(before).bind(limit),
        };
        let rows = query.fetch_all(self.db.read()).await?;
        Ok(rows.iter().map(entry).collect())
    }
}

fn entry(row: &AnyRow) -> AuditEntry {
    AuditEntry {
        at: row.get("at"),
        user: row.get("who"),
        verb: row.get("verb"),
        kind: row.get("kind"),
        id: row.get("id"),
        project: row.get("project"),
        note: row.get("note"),
    }
}
