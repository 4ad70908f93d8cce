//! Projects: the owners of connections and workflows. A project's guid is the external id of every role it assumes.

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::error::StoreError;
use crate::{Store, ids, now_us};

/// One project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// 24 hex digits.
    pub id: String,
    /// `proj_` and 27 characters; never changes.
    pub guid: String,
    /// Unique, lower-case.
    pub name: String,
    /// For people.
    pub display_name: String,
    /// For people.
    pub description: String,
    /// When it was made.
    pub created_at: i64,
}

/// What a new project is to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewProject {
    /// 3-63 characters of `a-z`, `0-9` and `-`; drawn when not given.
    pub name: Option<String>,
    /// The name when not given.
    pub display_name: Option<String>,
    /// Empty when not given.
    pub description: Option<String>,
}

impl Store {
    /// Makes a project. Refuses a name that is taken or is not a DNS-like label.
    pub async fn create_project(&self, new: &NewProject) -> Result<Project, StoreError> {
        let name = match &new.name {
            Some(name) => name.clone(),
            None => format!("proj-{}", ids::hex(5)),
        };
        check_name(&name)?;
        let project = Project {
            id: ids::hex24(),
            guid: ids::guid("proj_"),
            display_name: new.display_name.clone().unwrap_or_else(|| name.clone()),
            description: new.description.clone().unwrap_or_default(),
            created_at: now_us(),
            name,
        };
        let made = sqlx::query(
            "INSERT INTO projects (id, guid, name, display_name, description, created_at)
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (name) DO NOTHING",
        )
        .bind(&project.id)
        .bind(&project.guid)
        .bind(&project.name)
        .bind(&project.display_name)
        .bind(&project.description)
        .bind(project.created_at)
        .execute(&self.pool)
        .await?;
        if made.rows_affected() == 0 {
            return Err(StoreError::Refused(format!("a project `{}` is there already", project.name)));
        }
        Ok(project)
    }

    /// The project with this guid, id or name.
    pub async fn project(&self, id: &str) -> Result<Project, StoreError> {
        sqlx::query("SELECT * FROM projects WHERE guid = $1 OR id = $1 OR name = $1")
            .bind(id)
            .fetch_optional(&self.pool)
            .await?
            .map(|row| project(&row))
            .ok_or_else(|| StoreError::not_found("project", id))
    }

    /// The project that a home has by itself, made on first use.
    pub async fn default_project(&self) -> Result<Project, StoreError> {
        let new = NewProject {
            name: Some("default".into()),
            display_name: Some("Default project".into()),
            description: Some("Made on first use".into()),
        };
        match self.project("default").await {
            Err(StoreError::NotFound { .. }) => match self.create_project(&new).await {
                // Another process was faster.
                Err(StoreError::Refused(_)) => self.project("default").await,
                made => made,
            },
            found => found,
        }
    }

    /// Projects whose names, display names or descriptions contain `query` (all when empty), newest first.
    pub async fn search_projects(&self, query: &str, limit: u32) -> Result<Vec<Project>, StoreError> {
        let rows = sqlx::query("SELECT * FROM projects ORDER BY created_at DESC, id").fetch_all(&self.pool).await?;
        let query = query.to_lowercase();
        let matches = |project: &Project| {
            [&project.name, &project.display_name, &project.description]
                .iter()
                .any(|text| text.to_lowercase().contains(&query))
        };
        Ok(rows.iter().map(project).filter(matches).take(limit as usize).collect())
    }

    /// Deletes a project with its connections, workflows and runs, and the files that the runs left.
    pub async fn delete_project(&self, id: &str) -> Result<Project, StoreError> {
        let project = self.project(id).await?;
        let runs: Vec<String> = sqlx::query_scalar(
            "SELECT runs.id FROM runs JOIN workflows ON runs.workflow = workflows.id WHERE workflows.project = $1",
        )
        .bind(&project.id)
        .fetch_all(&self.pool)
        .await?;
        sqlx::query("DELETE FROM projects WHERE id = $1").bind(&project.id).execute(&self.pool).await?;
        for run in runs {
            match std::fs::remove_dir_all(self.artifacts_dir(&run)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(StoreError::unusable(self.home(), error));
                }
                _ => {}
            }
        }
        Ok(project)
    }
}

fn project(row: &SqliteRow) -> Project {
    Project {
        id: row.get("id"),
        guid: row.get("guid"),
        name: row.get("name"),
        display_name: row.get("display_name"),
        description: row.get("description"),
        created_at: row.get("created_at"),
    }
}

fn check_name(name: &str) -> Result<(), StoreError> {
    let letters = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    let ends = !name.starts_with('-') && !name.ends_with('-');
    if letters && ends && (3..=63).contains(&name.len()) {
        return Ok(());
    }
    Err(StoreError::Refused(format!(
        "`{name}` is not a project name; 3-63 characters of a-z, 0-9 and `-`, no `-` at either end, are allowed"
    )))
}
