//! Runs and their journals. A run's record is a cache of its journal; what must survive a crash is the journal and the
//! ledger.

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::error::StoreError;
use crate::{Store, ids, now_us};

/// One run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// `wr_` and 27 characters.
    pub id: String,
    /// Id of the workflow.
    pub workflow: String,
    /// The YAML it was created with.
    pub config: String,
    /// What was asked beside the YAML, as text; runs with the same config and options may take each other up.
    pub options: String,
    /// `RUN_STATUS_...`.
    pub status: String,
    /// Why, where it is not plain completion.
    pub message: String,
    /// When it was asked for.
    pub created_at: i64,
    /// When it began.
    pub started_at: Option<i64>,
    /// When it ended.
    pub ended_at: Option<i64>,
}

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
    pub body: serde_json::Value,
}

impl Store {
    /// Creates a run that waits.
    pub async fn create_run(&self, workflow: &str, config: &str, options: &str) -> Result<Run, StoreError> {
        let id = ids::guid("wr_");
        sqlx::query(
            "INSERT INTO runs (id, workflow, config, options, status, message, created_at)
             VALUES ($1, $2, $3, $4, 'RUN_STATUS_PENDING', '', $5)",
        )
        .bind(&id)
        .bind(workflow)
        .bind(config)
        .bind(options)
        .bind(now_us())
        .execute(&self.pool)
        .await?;
        self.run(&id).await
    }

    /// The run with this id.
    pub async fn run(&self, id: &str) -> Result<Run, StoreError> {
        sqlx::query("SELECT * FROM runs WHERE id = $1")
            .bind(id)
            .fetch_optional(&self.pool)
            .await?
            .map(|row| run(&row))
            .ok_or_else(|| StoreError::not_found("run", id))
    }

    /// The newest runs, of one workflow or of all.
    pub async fn runs(&self, workflow: Option<&str>, limit: u32) -> Result<Vec<Run>, StoreError> {
        let rows =
            sqlx::query("SELECT * FROM runs WHERE $1 IS NULL OR workflow = $1 ORDER BY created_at DESC, id LIMIT $2")
                .bind(workflow)
                .bind(limit)
                .fetch_all(&self.pool)
                .await?;
        Ok(rows.iter().map(run).collect())
    }

    /// Runs of a workflow that have not ended, oldest first: those that wait and those that have begun. Asked under the
    /// workflow's lock, the latter are runs whose process is gone.
    pub async fn unfinished_runs(&self, workflow: &str) -> Result<Vec<Run>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM runs WHERE workflow = $1 AND status IN ('RUN_STATUS_PENDING', 'RUN_STATUS_ACTIVE')
             ORDER BY created_at, id",
        )
        .bind(workflow)
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.iter().map(run).collect())
    }

    /// Appends to a run's journal and, when the status changes, to its record, in one transaction.
    pub async fn append(
        &self,
        run: &str,
        kind: &str,
        body: &serde_json::Value,
        status: Option<(&str, &str)>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        append_event(&mut transaction, run, kind, body).await?;
        if let Some((status, message)) = status {
            let now = now_us();
            let started = (status == "RUN_STATUS_ACTIVE").then_some(now);
            let ended = (status != "RUN_STATUS_ACTIVE" && status != "RUN_STATUS_PENDING").then_some(now);
            sqlx::query(
                "UPDATE runs SET status = $2, message = $3, started_at = COALESCE(started_at, $4),
                 ended_at = COALESCE($5, ended_at) WHERE id = $1",
            )
            .bind(run)
            .bind(status)
            .bind(message)
            .bind(started)
            .bind(ended)
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// A run's journal from behind entry `after`, oldest first.
    pub async fn events(&self, run: &str, after: i64) -> Result<Vec<EventRow>, StoreError> {
        let rows = sqlx::query("SELECT seq, at, kind, body FROM events WHERE run = $1 AND seq > $2 ORDER BY seq")
            .bind(run)
            .bind(after)
            .fetch_all(&self.pool)
            .await?;
        let event = |row: &SqliteRow| {
            let body: String = row.get("body");
            EventRow {
                seq: row.get("seq"),
                at: row.get("at"),
                kind: row.get("kind"),
                body: serde_json::from_str(&body).unwrap_or_default(),
            }
        };
        Ok(rows.iter().map(event).collect())
    }
}

/// Appends one event within a transaction. Times of a journal rise strictly, since readers tell entries apart by them.
pub(crate) async fn append_event(
    transaction: &mut sqlx::SqliteConnection,
    run: &str,
    kind: &str,
    body: &serde_json::Value,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO events (run, seq, at, kind, body)
         SELECT $1, COALESCE(MAX(seq), 0) + 1, MAX($2, COALESCE(MAX(at), 0) + 1), $3, $4 FROM events WHERE run = $1",
    )
    .bind(run)
    .bind(now_us())
    .bind(kind)
    .bind(body.to_string())
    .execute(transaction)
    .await?;
    Ok(())
}

fn run(row: &SqliteRow) -> Run {
    Run {
        id: row.get("id"),
        workflow: row.get("workflow"),
        config: row.get("config"),
        options: row.get("options"),
        status: row.get("status"),
        message: row.get("message"),
        created_at: row.get("created_at"),
        started_at: row.get("started_at"),
        ended_at: row.get("ended_at"),
    }
}
