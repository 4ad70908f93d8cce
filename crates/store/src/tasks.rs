//! Tasks: how each action of a run stands. In: the actions of a run and what became of them. Out: one record an action.
//! A task that has ended never changes.

use sqlx::Row;
use sqlx::any::AnyRow;

use crate::error::StoreError;
use crate::runs::{ACTIVE, CREATED, ended};
use crate::{Store, ids, now_us};

/// One action of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// `wt_` and 27 characters.
    pub id: String,
    /// Id of the run.
    pub run: String,
    /// Name of the action.
    pub action: String,
    /// Its type.
    pub action_type: String,
    /// Its place among the actions, from 0.
    pub position: i64,
    /// `RUN_STATUS_...`, as runs have them.
    pub status: String,
    /// Name of the code of a failure; else empty.
    pub error_code: String,
    /// What is so, for a failure; else empty.
    pub error_msg: String,
    /// When it was made.
    pub created_at: i64,
    /// When it began.
    pub started_at: Option<i64>,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// When it last changed.
    pub updated_at: i64,
}

impl Store {
    /// Makes a task for each action (name and type) of a run, in this order. Those that are there stay as they are.
    pub async fn create_tasks(&self, run: &str, actions: &[(&str, &str)]) -> Result<(), StoreError> {
        let mut transaction = self.db.begin().await?;
        self.lock_run(&mut transaction, run).await?;
        for (position, (action, action_type)) in (0i64..).zip(actions) {
            sqlx::query(
                "INSERT INTO tasks (id, run, action, action_type, position, status, error_code, error_msg, created_at,
                 updated_at) VALUES ($1, $2, $3, $4, $5, $6, '', '', $7, $7) ON CONFLICT (run, action) DO NOTHING",
            )
            .bind(ids::guid("wt_"))
            .bind(run)
            .bind(action)
            .bind(action_type)
            .bind(position)
            .bind(CREATED)
            .bind(now_us())
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// The tasks of a run, in the order of its actions.
    pub async fn tasks(&self, run: &str) -> Result<Vec<Task>, StoreError> {
        let rows = sqlx::query("SELECT * FROM tasks WHERE run = $1 ORDER BY position, id")
            .bind(run)
            .fetch_all(self.db.read())
            .await?;
        Ok(rows.iter().map(task).collect())
    }

    /// The task with this id.
    pub async fn task(&self, id: &str) -> Result<Task, StoreError> {
        sqlx::query("SELECT * FROM tasks WHERE id = $1")
            .bind(id)
            .fetch_optional(self.db.read())
            .await?
            .map(|row| task(&row))
            .ok_or_else(|| StoreError::not_found("task", id))
    }

    /// Says how an action of a run stands, with code and message where it failed. A task that has ended stays as it is,
    /// and so does nothing where there is no such task.
    pub async fn set_task(
        &self,
        run: &str,
        action: &str,
        status: &str,
        error: Option<(&str, &str)>,
    ) -> Result<(), StoreError> {
        let now = now_us();
        let (code, message) = error.unwrap_or_default();
        sqlx::query(
            "UPDATE tasks SET status = $3, error_code = $4, error_msg = $5, started_at = COALESCE(started_at, $6),
             ended_at = $7, updated_at = $8 WHERE run = $1 AND action = $2 AND ended_at IS NULL",
        )
        .bind(run)
        .bind(action)
        .bind(status)
        .bind(code)
        .bind(message)
        .bind((status == ACTIVE).then_some(now))
        .bind(ended(status).then_some(now))
        .bind(now)
        .execute(self.db.write())
        .await?;
        Ok(())
    }

    /// Ends every task of a run that has not ended, so that nobody waits for it.
    pub async fn end_tasks(&self, run: &str, status: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE tasks SET status = $2, ended_at = $3, updated_at = $3 WHERE run = $1 AND ended_at IS NULL")
            .bind(run)
            .bind(status)
            .bind(now_us())
            .execute(self.db.write())
            .await?;
        Ok(())
    }
}

fn task(row: &AnyRow) -> Task {
    Task {
        id: row.get("id"),
        run: row.get("run"),
        action: row.get("action"),
        action_type: row.get("action_type"),
        position: row.get("position"),
        status: row.get("status"),
        error_code: row.get("error_code"),
        error_msg: row.get("error_msg"),
        created_at: row.get("created_at"),
        started_at: row.get("started_at"),
        ended_at: row.get("ended_at"),
        updated_at: row.get("updated_at"),
    }
}
