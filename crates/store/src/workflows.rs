//! Workflows: a name within a project, under which runs and done marks are kept. The text belongs to the runs.

use sqlx::Row;

use crate::error::StoreError;
use crate::{Store, ids, now_us};

/// One workflow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workflow {
    /// `w_` and 27 characters.
    pub id: String,
    /// Id of the owning project.
    pub project: String,
    /// The `name` of its YAML.
    pub name: String,
    /// Drawn once; every run without a seed of its own uses it.
    pub seed: u64,
}

impl Store {
    /// The workflow of this name in the project, made on first use.
    pub async fn workflow(&self, project: &str, name: &str) -> Result<Workflow, StoreError> {
        // 53 bits, so that the seed survives every JSON reader.
        let seed = u64::from_le_bytes(ids::random_bytes()) >> 11;
        sqlx::query(
            "INSERT INTO workflows (id, project, name, seed, created_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (project, name) DO NOTHING",
        )
        .bind(ids::guid("w_"))
        .bind(project)
        .bind(name)
        .bind(seed as i64)
        .bind(now_us())
        .execute(&self.pool)
        .await?;
        let row = sqlx::query("SELECT id, seed FROM workflows WHERE project = $1 AND name = $2")
            .bind(project)
            .bind(name)
            .fetch_one(&self.pool)
            .await?;
        let seed: i64 = row.get("seed");
        Ok(Workflow { id: row.get("id"), project: project.into(), name: name.into(), seed: seed as u64 })
    }

    /// The workflow of this name in the project, if it ever ran.
    pub async fn workflow_named(&self, project: &str, name: &str) -> Result<Option<Workflow>, StoreError> {
        let row = sqlx::query("SELECT id, seed FROM workflows WHERE project = $1 AND name = $2")
            .bind(project)
            .bind(name)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.map(|row| {
            let seed: i64 = row.get("seed");
            Workflow { id: row.get("id"), project: project.into(), name: name.into(), seed: seed as u64 }
        }))
    }

    /// The workflow with this id.
    pub async fn workflow_of(&self, id: &str) -> Result<Workflow, StoreError> {
        let row = sqlx::query("SELECT project, name, seed FROM workflows WHERE id = $1")
            .bind(id)
            .fetch_optional(&self.pool)
            .await?
            .ok_or_else(|| StoreError::not_found("workflow", id))?;
        let seed: i64 = row.get("seed");
        Ok(Workflow { id: id.into(), project: row.get("project"), name: row.get("name"), seed: seed as u64 })
    }
}
