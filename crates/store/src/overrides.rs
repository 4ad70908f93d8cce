//! Overrides: which versions of which objects somebody decided to let through a gate that refuses them, and why.

use std::collections::BTreeMap;

use sqlx::Row;

use crate::error::StoreError;
use crate::ledger::UnitKey;
use crate::{Store, now_us};

/// One decision. It holds for one version of one object of one workflow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetThrough {
    /// Which object.
    pub unit: UnitKey,
    /// Which version of it.
    pub identity: String,
    /// Why, in the words of who decided.
    pub reason: String,
    /// The run that refused it.
    pub run: String,
    /// When, in microseconds since 1970-01-01 UTC.
    pub at: i64,
}

impl Store {
    /// Records that the version of an object which `run` refused, with a failure of the code `refused`, is let through
    /// from now on. Gives the decision; fails where the run did not refuse the object.
    pub async fn let_through(
        &self,
        run: &str,
        key: &str,
        refused: &str,
        reason: &str,
    ) -> Result<LetThrough, StoreError> {
        let workflow = self.run(run).await?.workflow;
        let refused: Vec<_> =
            self.units(run).await?.into_iter().filter(|row| row.unit.key == key && row.code == refused).collect();
        let [row] = refused.as_slice() else {
            let many = if refused.is_empty() { "did not refuse" } else { "refused, through several sources," };
            return Err(StoreError::Refused(format!("run `{run}` {many} object `{key}`")));
        };
        let decision = LetThrough {
            unit: row.unit.clone(),
            identity: row.identity.clone(),
            reason: reason.into(),
            run: run.into(),
            at: now_us(),
        };
        sqlx::query(
            "INSERT INTO let_through (workflow, branch, bucket, key, identity, reason, run, at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (workflow, branch, bucket, key) DO UPDATE
             SET identity = excluded.identity, reason = excluded.reason, run = excluded.run, at = excluded.at",
        )
        .bind(workflow)
        .bind(&decision.unit.branch)
        .bind(&decision.unit.bucket)
        .bind(&decision.unit.key)
        .bind(&decision.identity)
        .bind(reason)
        .bind(run)
        .bind(decision.at)
        .execute(self.db.write())
        .await?;
        Ok(decision)
    }

    /// All decisions for a workflow, by object.
    pub async fn overrides(&self, workflow: &str) -> Result<BTreeMap<UnitKey, LetThrough>, StoreError> {
        let rows = sqlx::query("SELECT * FROM let_through WHERE workflow = $1")
            .bind(workflow)
            .fetch_all(self.db.read())
            .await?;
        let decision = |row: &sqlx::any::AnyRow| LetThrough {
            unit: UnitKey { branch: row.get("branch"), bucket: row.get("bucket"), key: row.get("key") },
            identity: row.get("identity"),
            reason: row.get("reason"),
            run: row.get("run"),
            at: row.get("at"),
        };
        Ok(rows.iter().map(decision).map(|one| (one.unit.clone(), one)).collect())
    }

    /// Takes a decision back. Fails where there is none.
    pub async fn withdraw_override(&self, workflow: &str, key: &str) -> Result<(), StoreError> {
        let gone = sqlx::query("DELETE FROM let_through WHERE workflow = $1 AND key = $2")
            .bind(workflow)
            .bind(key)
            .execute(self.db.write())
            .await?;
        if gone.rows_affected() == 0 {
            return Err(StoreError::Refused(format!("no version of object `{key}` is let through")));
        }
        Ok(())
    }
}
