//! Runs: one execution of a workflow. In: what is to run, and how it stands. Out: the record. A run's record is a cache
//! of its journal (`journal.rs`); what must survive a crash is the journal and the ledger.

use std::path::PathBuf;

use serde_json::Value;
use sqlx::any::{Any, AnyRow};
use sqlx::{Row, Transaction};

use crate::error::StoreError;
use crate::journal::append_event;
use crate::search::{Conditions, Page, RunFilter};
use crate::{Store, ids, now_us};

pub(crate) const CREATED: &str = "RUN_STATUS_CREATED";
pub(crate) const PENDING: &str = "RUN_STATUS_PENDING";
pub(crate) const ACTIVE: &str = "RUN_STATUS_ACTIVE";
pub(crate) const ERROR: &str = "RUN_STATUS_ERROR";
pub(crate) const LOST: &str = "RUN_STATUS_LOST";
pub(crate) const COMPLETED: &str = "RUN_STATUS_COMPLETED";
pub(crate) const CANCELLING: &str = "RUN_STATUS_CANCELLING";
pub(crate) const CANCELLED: &str = "RUN_STATUS_CANCELLED";

/// One run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// `wr_` and 27 characters.
    pub id: String,
    /// Id of the workflow.
    pub workflow: String,
    /// Id of the workflow's project.
    pub project: String,
    /// For people; may be empty.
    pub name: String,
    /// The YAML it was created with.
    pub config: String,
    /// What was asked beside the YAML, as text; runs with the same config and options may take each other up.
    pub options: String,
    /// `RUN_STATUS_` and `CREATED`, `PENDING`, `ACTIVE`, `ERROR`, `LOST`, `COMPLETED`, `CANCELLING` or `CANCELLED`.
    pub status: String,
    /// Why, where it is not plain completion.
    pub message: String,
    /// Guid of the user; empty without a server.
    pub created_by: String,
    /// Guid of the user who first asked for it to be cancelled; empty without a server.
    pub cancel_by: String,
    /// When it was first asked to be cancelled.
    pub cancel_at: Option<i64>,
    /// Id of the run whose failures it tries again; empty for the others.
    pub retry_of: String,
    /// Whether a trigger made it.
    pub scheduled: bool,
    /// When it was asked for.
    pub created_at: i64,
    /// When it began.
    pub started_at: Option<i64>,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// When how it stands last changed.
    pub updated_at: i64,
}

/// What a new run is to be.
#[derive(Clone, Copy, Debug)]
pub struct NewRun<'a> {
    /// Id of the workflow.
    pub workflow: &'a str,
    /// The text to run.
    pub config: &'a str,
    /// What was asked beside it.
    pub options: &'a str,
    /// For people; may be empty.
    pub name: &'a str,
    /// Guid of the user; may be empty.
    pub created_by: &'a str,
    /// Id of the run whose failures it tries again, or empty.
    pub retry_of: &'a str,
    /// `RUN_STATUS_CREATED` or `RUN_STATUS_PENDING`.
    pub status: &'a str,
    /// Whether a trigger made it.
    pub scheduled: bool,
}

impl<'a> NewRun<'a> {
    /// A run that waits, asked for without a server.
    pub fn pending(workflow: &'a str, config: &'a str, options: &'a str) -> NewRun<'a> {
        let none = "";
        NewRun {
            workflow,
            config,
            options,
            name: none,
            created_by: none,
            retry_of: none,
            status: PENDING,
            scheduled: false,
        }
    }
}

impl Store {
    /// Creates a run that has not begun.
    pub async fn create_run(&self, new: &NewRun<'_>) -> Result<Run, StoreError> {
        if ![CREATED, PENDING].contains(&new.status) {
            return Err(StoreError::Refused(format!(
                "a new run cannot be `{}`; `{CREATED}` and `{PENDING}` are allowed",
                new.status
            )));
        }
        let id = ids::guid("wr_");
        let made = sqlx::query(
            "INSERT INTO runs (id, workflow, project, name, config, options, status, message, created_by, cancel_by,
             retry_of, scheduled, created_at, updated_at)
             SELECT $1, id, project, $3, $4, $5, $6, '', $7, '', $8, $9, $10, $10 FROM workflows WHERE id = $2",
        )
        .bind(&id)
        .bind(new.workflow)
        .bind(new.name)
        .bind(new.config)
        .bind(new.options)
        .bind(new.status)
        .bind(new.created_by)
        .bind(new.retry_of)
        .bind(i64::from(new.scheduled))
        .bind(now_us())
        .execute(self.db.write())
        .await?;
        if made.rows_affected() == 0 {
            return Err(StoreError::not_found("workflow", new.workflow));
        }
        self.run(&id).await
    }

    /// The run with this id.
    pub async fn run(&self, id: &str) -> Result<Run, StoreError> {
        sqlx::query("SELECT * FROM runs WHERE id = $1")
            .bind(id)
            .fetch_optional(self.db.read())
            .await?
            .map(|row| run(&row))
            .ok_or_else(|| StoreError::not_found("run", id))
    }

    /// The newest runs, of one workflow or of all.
    pub async fn runs(&self, workflow: Option<&str>, limit: u32) -> Result<Vec<Run>, StoreError> {
        let mut conditions = Conditions::default();
        conditions.equal("workflow", workflow);
        let rows = conditions.page(&self.db, "runs", &Page::newest(limit.into())).await?;
        Ok(rows.iter().map(run).collect())
    }

    /// A page of the runs that fit, and how many fit.
    pub async fn runs_page(&self, filter: &RunFilter, page: &Page) -> Result<(Vec<Run>, i64), StoreError> {
        let mut conditions = Conditions::default();
        conditions.any_of("id", &filter.ids);
        conditions.any_of("workflow", &filter.workflows);
        conditions.within("project", filter.projects.as_deref());
        conditions.any_of("status", &filter.statuses);
        let rows = conditions.page(&self.db, "runs", page).await?;
        Ok((rows.iter().map(run).collect(), conditions.count(&self.db, "runs").await?))
    }

    /// Runs of a workflow that have not ended, oldest first: those that wait and those that have begun. Asked under the
    /// workflow's lock, the latter are runs whose process is gone.
    pub async fn unfinished_runs(&self, workflow: &str) -> Result<Vec<Run>, StoreError> {
        let rows = sqlx::query("SELECT * FROM runs WHERE ended_at IS NULL AND workflow = $1 ORDER BY created_at, id")
            .bind(workflow)
            .fetch_all(self.db.read())
            .await?;
        Ok(rows.iter().map(run).collect())
    }

    /// Runs of all workflows that have not ended, oldest first.
    pub async fn open_runs(&self) -> Result<Vec<Run>, StoreError> {
        let rows = sqlx::query("SELECT * FROM runs WHERE ended_at IS NULL ORDER BY created_at, id")
            .fetch_all(self.db.read())
            .await?;
        Ok(rows.iter().map(run).collect())
    }

    /// Appends to a run's journal and, when the status changes, to its record, in one transaction.
    ///
    /// A run that has ended stays as it ended: a further end is neither recorded nor a failure, a beginning is refused,
    /// and only what changes no status is still appended. A run that is to be cancelled does not become active again.
    pub async fn append(
        &self,
        run: &str,
        kind: &str,
        body: &Value,
        status: Option<(&str, &str)>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.db.begin().await?;
        let found = self.lock_run(&mut transaction, run).await?;
        let status = match status {
            Some((status, _)) if ended(&found) => {
                if ended(status) {
                    return Ok(());
                }
                return Err(StoreError::Refused(format!("run `{run}` has ended with {found}")));
            }
            Some((ACTIVE | PENDING | CREATED, _)) if found == CANCELLING => None,
            status => status,
        };
        append_event(&mut transaction, run, kind, body).await?;
        if let Some((status, message)) = status {
            set_status(&mut transaction, run, status, message).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Asks for a run to be cancelled. One that has not begun is cancelled at once, with `event` (kind and body, whose
    /// `message` becomes the run's) as the last of its journal; an active one becomes `RUN_STATUS_CANCELLING`, and
    /// whoever conducts it ends it; one that has ended stays as it is.
    pub async fn request_cancel(&self, run: &str, by: &str, event: (&str, &Value)) -> Result<Run, StoreError> {
        let mut transaction = self.db.begin().await?;
        let found = self.lock_run(&mut transaction, run).await?;
        if !ended(&found) && found != CANCELLING {
            sqlx::query("UPDATE runs SET cancel_by = $2, cancel_at = $3 WHERE id = $1")
                .bind(run)
                .bind(by)
                .bind(now_us())
                .execute(&mut *transaction)
                .await?;
            if found == ACTIVE {
                set_status(&mut transaction, run, CANCELLING, "").await?;
            } else {
                append_event(&mut transaction, run, event.0, event.1).await?;
                let message = event.1.get("message").and_then(Value::as_str).unwrap_or_default();
                set_status(&mut transaction, run, CANCELLED, message).await?;
            }
            transaction.commit().await?;
        }
        self.run(run).await
    }

    /// How a run stands, which nobody else changes and to whose journal nobody else appends until the transaction ends.
    pub(crate) async fn lock_run(
        &self,
        transaction: &mut Transaction<'static, Any>,
        run: &str,
    ) -> Result<String, StoreError> {
        sqlx::query_scalar(self.db.locking("SELECT status FROM runs WHERE id = $1"))
            .bind(run)
            .fetch_optional(&mut **transaction)
            .await?
            .ok_or_else(|| StoreError::not_found("run", run))
    }

    /// Every path of the home that is a run's own.
    pub(crate) fn paths_of_run(&self, run: &str) -> [PathBuf; 3] {
        [self.artifacts_dir(run), self.scratch_dir(run), self.lock_file(run)]
    }
}

/// Whether a run or task of this status has ended.
pub(crate) fn ended(status: &str) -> bool {
    [ERROR, LOST, COMPLETED, CANCELLED].contains(&status)
}

async fn set_status(
    transaction: &mut Transaction<'static, Any>,
    run: &str,
    status: &str,
    message: &str,
) -> Result<(), StoreError> {
    let now = now_us();
    sqlx::query(
        "UPDATE runs SET status = $2, message = $3, started_at = COALESCE(started_at, $4), ended_at = $5,
         updated_at = $6 WHERE id = $1",
    )
    .bind(run)
    .bind(status)
    .bind(message)
    .bind((status == ACTIVE).then_some(now))
    .bind(ended(status).then_some(now))
    .bind(now)
    .execute(&mut **transaction)
    .await?;
    if ended(status) {
        crate::webhooks::announce(transaction, run).await?;
    }
    Ok(())
}

fn run(row: &AnyRow) -> Run {
    Run {
        id: row.get("id"),
        workflow: row.get("workflow"),
        project: row.get("project"),
        name: row.get("name"),
        config: row.get("config"),
        options: row.get("options"),
        status: row.get("status"),
        message: row.get("message"),
        created_by: row.get("created_by"),
        cancel_by: row.get("cancel_by"),
        cancel_at: row.get("cancel_at"),
        retry_of: row.get("retry_of"),
        scheduled: row.get::<i64, _>("scheduled") != 0,
        created_at: row.get("created_at"),
        started_at: row.get("started_at"),
        ended_at: row.get("ended_at"),
        updated_at: row.get("updated_at"),
    }
}
