//! Workflows: a text of a project, under which runs and done marks are kept. In: the text, which is opaque here. Out: the
//! same with an id. Those of a server have any name; those run without one are found again by their name.

use std::path::PathBuf;

use sqlx::Row;
use sqlx::any::AnyRow;

use crate::error::StoreError;
use crate::projects::ids_of;
use crate::search::{Conditions, Page, WorkflowFilter};
use crate::{Store, ids, now_us};

/// One workflow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workflow {
    /// `w_` and 27 characters.
    pub id: String,
    /// Id of the owning project.
    pub project: String,
    /// The `name` of its text.
    pub name: String,
    /// Drawn once; every run without a seed of its own uses it.
    pub seed: u64,
    /// The text as it was given, YAML or JSON; empty for one that is run without a server.
    pub config_text: String,
    /// The text, where it is JSON; else empty.
    pub config: String,
    /// Whether the text is JSON.
    pub from_json: bool,
    /// Opaque; may be empty.
    pub runner_mode: String,
    /// Guid of the user who made it; empty without a server.
    pub created_by: String,
    /// Guid of the user who last changed it; empty without a server.
    pub updated_by: String,
    /// When it was made.
    pub created_at: i64,
    /// When its text was last changed.
    pub updated_at: i64,
    /// When its trigger is due; `None` without a trigger.
    pub next_run: Option<i64>,
}

/// What a new workflow is to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewWorkflow {
    /// Id of the owning project.
    pub project: String,
    /// Need not be unique.
    pub name: String,
    /// The text, kept as it is; may be empty.
    pub config_text: String,
    /// Whether the text is JSON.
    pub from_json: bool,
    /// Opaque; may be empty.
    pub runner_mode: String,
    /// Guid of the user.
    pub created_by: String,
    /// When its trigger is due first.
    pub next_run: Option<i64>,
}

impl Store {
    /// The workflow that is run under this name in the project without a server, made on first use.
    pub async fn workflow(&self, project: &str, name: &str) -> Result<Workflow, StoreError> {
        if let Some(found) = self.workflow_named(project, name).await? {
            return Ok(found);
        }
        let new = NewWorkflow { project: project.into(), name: name.into(), ..NewWorkflow::default() };
        self.insert_workflow(&new, "local").await?;
        let found = self.workflow_named(project, name).await?;
        found.ok_or_else(|| StoreError::not_found("workflow", name))
    }

    /// The workflow that is run under this name in the project without a server, if it ever ran.
    pub async fn workflow_named(&self, project: &str, name: &str) -> Result<Option<Workflow>, StoreError> {
        let row = sqlx::query("SELECT * FROM workflows WHERE project = $1 AND name = $2 AND origin = 'local'")
            .bind(project)
            .bind(name)
            .fetch_optional(self.db.read())
            .await?;
        Ok(row.as_ref().map(workflow))
    }

    /// The workflow with this id.
    pub async fn workflow_of(&self, id: &str) -> Result<Workflow, StoreError> {
        sqlx::query("SELECT * FROM workflows WHERE id = $1")
            .bind(id)
            .fetch_optional(self.db.read())
            .await?
            .map(|row| workflow(&row))
            .ok_or_else(|| StoreError::not_found("workflow", id))
    }

    /// Makes a workflow of a server; others of the same name stay beside it.
    pub async fn create_workflow(&self, new: &NewWorkflow) -> Result<Workflow, StoreError> {
        let id = self.insert_workflow(new, "server").await?;
        self.workflow_of(&id).await
    }

    async fn insert_workflow(&self, new: &NewWorkflow, origin: &str) -> Result<String, StoreError> {
        let id = ids::guid("w_");
        // 53 bits, so that the seed survives every JSON reader.
        let seed = u64::from_le_bytes(ids::random_bytes()) >> 11;
        sqlx::query(
            "INSERT INTO workflows (id, project, name, origin, seed, config_text, from_json, runner_mode, created_by,
             updated_by, created_at, updated_at, next_run)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10, $10, $11)
             ON CONFLICT (project, name) WHERE origin = 'local' DO NOTHING",
        )
        .bind(&id)
        .bind(&new.project)
        .bind(&new.name)
        .bind(origin)
        .bind(seed as i64)
        .bind(&new.config_text)
        .bind(i64::from(new.from_json))
        .bind(&new.runner_mode)
        .bind(&new.created_by)
        .bind(now_us())
        .bind(new.next_run)
        .execute(self.db.write())
        .await?;
        Ok(id)
    }

    /// Gives a workflow another text, and with it another name and another time at which it is due.
    pub async fn update_workflow(
        &self,
        id: &str,
        config_text: &str,
        from_json: bool,
        name: Option<&str>,
        updated_by: &str,
        next_run: Option<i64>,
    ) -> Result<Workflow, StoreError> {
        sqlx::query(
            "UPDATE workflows SET config_text = $2, from_json = $3, name = COALESCE($4, name), updated_by = $5,
             next_run = $6, updated_at = $7 WHERE id = $1",
        )
        .bind(id)
        .bind(config_text)
        .bind(i64::from(from_json))
        .bind(name)
        .bind(updated_by)
        .bind(next_run)
        .bind(now_us())
        .execute(self.db.write())
        .await?;
        self.workflow_of(id).await
    }

    /// Deletes a workflow with its runs, its done marks and the files that its runs left.
    pub async fn delete_workflow(&self, id: &str) -> Result<Workflow, StoreError> {
        let workflow = self.workflow_of(id).await?;
        let mut transaction = self.db.begin().await?;
        let runs = ids_of(&mut transaction, "SELECT id FROM runs WHERE workflow = $1", id).await?;
        sqlx::query("DELETE FROM workflows WHERE id = $1").bind(id).execute(&mut *transaction).await?;
        let own = runs.iter().flat_map(|run| self.paths_of_run(run)).chain([self.lock_file(id)]);
        let paths: Vec<PathBuf> = own.collect();
        self.let_go_with(&mut transaction, paths.iter().map(PathBuf::as_path)).await?;
        transaction.commit().await?;
        for path in &paths {
            crate::files_of_home::remove(path)?;
        }
        Ok(workflow)
    }

    /// The workflows whose triggers are due at `now`, the longest due first.
    pub async fn due_workflows(&self, now: i64) -> Result<Vec<Workflow>, StoreError> {
        let rows = sqlx::query("SELECT * FROM workflows WHERE next_run <= $1 ORDER BY next_run, id")
            .bind(now)
            .fetch_all(self.db.read())
            .await?;
        Ok(rows.iter().map(workflow).collect())
    }

    /// Says when a workflow's trigger is due next; `None` when never.
    pub async fn set_next_run(&self, id: &str, next_run: Option<i64>) -> Result<(), StoreError> {
        let set = sqlx::query("UPDATE workflows SET next_run = $2 WHERE id = $1")
            .bind(id)
            .bind(next_run)
            .execute(self.db.write())
            .await?;
        if set.rows_affected() == 0 {
            return Err(StoreError::not_found("workflow", id));
        }
        Ok(())
    }

    /// A page of the workflows that fit, and how many fit.
    pub async fn workflows_page(
        &self,
        filter: &WorkflowFilter,
        page: &Page,
    ) -> Result<(Vec<Workflow>, i64), StoreError> {
        let mut conditions = Conditions::default();
        conditions.any_of("id", &filter.ids);
        conditions.within("project", filter.projects.as_deref());
        let rows = conditions.page(&self.db, "workflows", page).await?;
        Ok((rows.iter().map(workflow).collect(), conditions.count(&self.db, "workflows").await?))
    }
}

fn workflow(row: &AnyRow) -> Workflow {
    let config_text: String = row.get("config_text");
    let from_json = row.get::<i64, _>("from_json") != 0;
    Workflow {
        id: row.get("id"),
        project: row.get("project"),
        name: row.get("name"),
        seed: row.get::<i64, _>("seed") as u64,
        config: if from_json { config_text.clone() } else { String::new() },
        config_text,
        from_json,
        runner_mode: row.get("runner_mode"),
        created_by: row.get("created_by"),
        updated_by: row.get("updated_by"),
        created_at: row.get("created_at"),
        updated_at: row.get("updated_at"),
        next_run: row.get("next_run"),
    }
}
