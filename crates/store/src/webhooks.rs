//! Webhooks: whom to tell that a run of a project has ended, and what is still to be told. In: an address and a secret.
//! Out: deliveries that are due. A delivery is made in the transaction that ends its run and stays until it was heard or
//! given up, so that neither a crash loses it nor a second end makes another.

use serde_json::json;
use sqlx::any::{Any, AnyRow};
use sqlx::{Row, Transaction};
use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::keyring::Place;
use crate::{Store, ids, now_us};

/// Whom to tell, without the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Where to.
    pub url: String,
    /// Guid of the user who set it.
    pub created_by: String,
    /// When it was set.
    pub created_at: i64,
}

/// One message that is to be delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// `evt_` and 27 characters; the same at every attempt.
    pub id: String,
    /// Id of the project.
    pub project: String,
    /// Its guid.
    pub project_guid: String,
    /// Id of the run.
    pub run: String,
    /// Where to.
    pub url: String,
    /// JSON text, the same at every attempt.
    pub body: String,
    /// How often it was tried in vain.
    pub attempts: i64,
    /// When the run ended.
    pub created_at: i64,
}

pub(crate) fn secret_of(project: &str) -> Place<'_> {
    Place { table: "webhooks", row: project, column: "secret" }
}

impl Store {
    /// Sets the webhook of a project in place of the one it has; the secret is sealed.
    pub async fn set_webhook(&self, project: &str, url: &str, secret: &[u8], by: &str) -> Result<Webhook, StoreError> {
        let mut transaction = self.db.begin().await?;
        self.lock_sealing(&mut transaction).await?;
        // What is replaced need not be opened, and its key may be lost.
        sqlx::query("DELETE FROM webhooks WHERE project = $1").bind(project).execute(&mut *transaction).await?;
        let sealed = self.seal(&mut transaction, project, &secret_of(project), secret).await?;
        let now = now_us();
        sqlx::query("INSERT INTO webhooks (project, url, sealed, created_by, created_at) VALUES ($1, $2, $3, $4, $5)")
            .bind(project)
            .bind(url)
            .bind(sealed)
            .bind(by)
            .bind(now)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(Webhook { url: url.into(), created_by: by.into(), created_at: now })
    }

    /// The webhook of a project.
    pub async fn webhook(&self, project: &str) -> Result<Webhook, StoreError> {
        let row = sqlx::query("SELECT url, created_by, created_at FROM webhooks WHERE project = $1")
            .bind(project)
            .fetch_optional(self.db.read())
            .await?
            .ok_or_else(|| StoreError::not_found("webhook of project", project))?;
        Ok(Webhook { url: row.get("url"), created_by: row.get("created_by"), created_at: row.get("created_at") })
    }

    /// The secret with which messages of a project are signed.
    pub async fn webhook_secret(&self, project: &str) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let sealed: Option<Vec<u8>> = sqlx::query_scalar("SELECT sealed FROM webhooks WHERE project = $1")
            .bind(project)
            .fetch_optional(self.db.read())
            .await?;
        let sealed = sealed.ok_or_else(|| StoreError::not_found("webhook of project", project))?;
        self.open_sealed(project, &secret_of(project), &sealed).await?.ok_or_else(|| {
            StoreError::Unusable(format!(
                "the secret of the webhook of project `{project}` was sealed with another key"
            ))
        })
    }

    /// Takes the webhook of a project away, with what was still to be told to it.
    pub async fn delete_webhook(&self, project: &str) -> Result<(), StoreError> {
        let mut transaction = self.db.begin().await?;
        let gone = sqlx::query("DELETE FROM webhooks WHERE project = $1").bind(project).execute(&mut *transaction);
        if gone.await?.rows_affected() == 0 {
            return Err(StoreError::not_found("webhook of project", project));
        }
        sqlx::query("DELETE FROM deliveries WHERE project = $1").bind(project).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// What is due now: of each project the longest due delivery, of at most `limit` projects.
    pub async fn due_deliveries(&self, limit: i64) -> Result<Vec<Delivery>, StoreError> {
        let rows = sqlx::query(
            "SELECT d.id, d.project, p.guid, d.run, w.url, d.body, d.attempts, d.created_at FROM deliveries d
             JOIN webhooks w ON w.project = d.project JOIN projects p ON p.id = d.project
             WHERE d.id = (SELECT o.id FROM deliveries o WHERE o.project = w.project AND o.due_at <= $1
             ORDER BY o.due_at, o.id LIMIT 1) ORDER BY d.due_at, d.id LIMIT $2",
        )
        .bind(now_us())
        .bind(limit)
        .fetch_all(self.db.read())
        .await?;
        Ok(rows.iter().map(delivery).collect())
    }

    /// Takes a delivery that was heard, or is given up, off the list.
    pub async fn end_delivery(&self, id: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM deliveries WHERE id = $1").bind(id).execute(self.db.write()).await?;
        Ok(())
    }

    /// Records that an attempt was in vain, and that the next is due in `wait_us` microseconds.
    pub async fn postpone_delivery(&self, id: &str, wait_us: i64) -> Result<(), StoreError> {
        sqlx::query("UPDATE deliveries SET attempts = attempts + 1, due_at = $2 WHERE id = $1")
            .bind(id)
            .bind(now_us() + wait_us)
            .execute(self.db.write())
            .await?;
        Ok(())
    }
}

/// Makes the delivery that a run has ended, where its project has a webhook. No word of the workflow is in it, and no
/// message of the run, which may name buckets and keys.
pub(crate) async fn announce(transaction: &mut Transaction<'static, Any>, run: &str) -> Result<(), StoreError> {
    let row = sqlx::query(
        "SELECT r.project, p.guid, r.workflow, r.status, r.scheduled, r.created_at, r.started_at, r.ended_at
         FROM runs r JOIN projects p ON p.id = r.project JOIN webhooks w ON w.project = r.project WHERE r.id = $1",
    )
    .bind(run)
    .fetch_optional(&mut **transaction)
    .await?;
    let Some(row) = row else { return Ok(()) };
    let (id, now) = (ids::guid("evt_"), now_us());
    let time = |at: Option<i64>| at.and_then(|at| jiff::Timestamp::from_microsecond(at).ok()).map(|at| at.to_string());
    let body = json!({
        "event": "run.ended",
        "id": id,
        "run": {
            "id": run,
            "workflow_id": row.get::<String, _>("workflow"),
            "project_id": row.get::<String, _>("guid"),
            "status": row.get::<String, _>("status"),
            "scheduled": row.get::<i64, _>("scheduled") != 0,
            "created_at": time(Some(row.get("created_at"))),
            "started_at": time(row.get("started_at")),
            "ended_at": time(row.get("ended_at")),
        },
    });
    sqlx::query(
        "INSERT INTO deliveries (id, project, run, attempts, due_at, created_at, body) VALUES ($1, $2, $3, 0, $4, $4, $5)",
    )
    .bind(&id)
    .bind(row.get::<String, _>("project"))
    .bind(run)
    .bind(now)
    .bind(body.to_string())
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

fn delivery(row: &AnyRow) -> Delivery {
    Delivery {
        id: row.get("id"),
        project: row.get("project"),
        project_guid: row.get("guid"),
        run: row.get("run"),
        url: row.get("url"),
        body: row.get("body"),
        attempts: row.get("attempts"),
        created_at: row.get("created_at"),
    }
}
