//! Projects: the owners of connections, workflows, jobs and uploads. In: what one is to be. Out: the same by id, guid or
//! name. A project's guid is the external id of every role it assumes.

use std::path::PathBuf;

use sqlx::Row;
use sqlx::Transaction;
use sqlx::any::{Any, AnyRow};

use crate::error::StoreError;
use crate::members::Role;
use crate::search::{Conditions, Page};
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
    /// Id of the user who owns it; `None` for a project made without a server.
    pub owner: Option<String>,
    /// Opaque; `None` when it was not given.
    pub runner_mode: Option<String>,
    /// When it was made.
    pub created_at: i64,
    /// When it was last changed.
    pub updated_at: i64,
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
    /// Id of the user who is to own it.
    pub owner: Option<String>,
    /// Kept as it is.
    pub runner_mode: Option<String>,
}

impl Store {
    /// Makes a project, its owner a member of it; `true` says that it was made now. The same owner who asks again for
    /// the same name gets the one that is there. Refuses another's name, and one that is not a DNS-like label.
    pub async fn create_project(&self, new: &NewProject) -> Result<(Project, bool), StoreError> {
        if let Some(name) = &new.name {
            check_name(name)?;
        }
        let mut transaction = self.db.begin().await?;
        for attempt in 0.. {
            // Five digits, and more where those are taken.
            let drawn = || format!("proj-{}", ids::hex(5 + attempt));
            let project = as_new(new, new.name.clone().unwrap_or_else(drawn));
            if insert(&mut transaction, &project).await? {
                if let Some(owner) = &project.owner {
                    sqlx::query("INSERT INTO members (project, user_id, role) VALUES ($1, $2, $3)")
                        .bind(&project.id)
                        .bind(owner)
                        .bind(Role::Owner.level())
                        .execute(&mut *transaction)
                        .await?;
                }
                transaction.commit().await?;
                return Ok((project, true));
            }
            if new.name.is_none() {
                continue;
            }
            let found = sqlx::query("SELECT * FROM projects WHERE name = $1")
                .bind(&project.name)
                .fetch_optional(&mut *transaction)
                .await?;
            return match found.map(|row| self::project(&row)) {
                Some(found) if found.owner == new.owner => Ok((found, false)),
                Some(_) => Err(StoreError::Refused(format!(
                    "Project name not available: `{}` belongs to another user",
                    project.name
                ))),
                // Deleted between the two statements.
                None => continue,
            };
        }
        unreachable!("some name is free")
    }

    /// The project with this guid, id or name.
    pub async fn project(&self, id: &str) -> Result<Project, StoreError> {
        // No name looks like an id or a guid, so that none can stand for another project.
        sqlx::query("SELECT * FROM projects WHERE guid = $1 OR id = $1 OR name = $1")
            .bind(id)
            .fetch_optional(self.db.read())
            .await?
            .map(|row| project(&row))
            .ok_or_else(|| StoreError::not_found("project", id))
    }

    /// The project that a home has by itself, made on first use.
    pub async fn default_project(&self) -> Result<Project, StoreError> {
        match self.project("default").await {
            Err(StoreError::NotFound { .. }) => {}
            found => return found,
        }
        let new = NewProject {
            name: Some("default".into()),
            display_name: Some("Default project".into()),
            description: Some("Made on first use".into()),
            ..NewProject::default()
        };
        Ok(self.create_project(&new).await?.0)
    }

    /// The projects of which a user, by id, is a member, or all; of those, the ones whose names, display names or
    /// descriptions contain `query` in whatever case; newest first.
    pub async fn projects_of(
        &self,
        user: Option<&str>,
        query: &str,
        limit: i64,
        skip: i64,
    ) -> Result<Vec<Project>, StoreError> {
        let mut conditions = Conditions::default();
        conditions.contains("words", query);
        if let Some(user) = user {
            conditions.among("id", "SELECT project FROM members WHERE user_id = {}", user);
        }
        let rows = conditions.page(&self.db, "projects", &Page { skip, ..Page::newest(limit) }).await?;
        Ok(rows.iter().map(project).collect())
    }

    /// Deletes a project with all that belongs to it, and the files that its runs, jobs and uploads left.
    pub async fn delete_project(&self, id: &str) -> Result<Project, StoreError> {
        let project = self.project(id).await?;
        let mut transaction = self.db.begin().await?;
        let mut paths = Vec::new();
        for run in ids_of(&mut transaction, "SELECT id FROM runs WHERE project = $1", &project.id).await? {
            paths.extend(self.paths_of_run(&run));
        }
        for job in ids_of(&mut transaction, "SELECT id FROM jobs WHERE project = $1", &project.id).await? {
            paths.push(self.job_dir(&job));
        }
        for upload in ids_of(&mut transaction, "SELECT id FROM uploads WHERE project = $1", &project.id).await? {
            paths.push(self.upload_path(&upload));
        }
        for workflow in ids_of(&mut transaction, "SELECT id FROM workflows WHERE project = $1", &project.id).await? {
            paths.push(self.lock_file(&workflow));
        }
        sqlx::query("DELETE FROM projects WHERE id = $1").bind(&project.id).execute(&mut *transaction).await?;
        self.let_go_with(&mut transaction, paths.iter().map(PathBuf::as_path)).await?;
        transaction.commit().await?;
        self.known_roles.forget(|(of, _), _| *of == project.id);
        for path in &paths {
            crate::files_of_home::remove(path)?;
        }
        Ok(project)
    }
}

/// The ids that a `SELECT` gives for one value, within a transaction.
pub(crate) async fn ids_of(
    transaction: &mut Transaction<'static, Any>,
    select: &'static str,
    value: &str,
) -> Result<Vec<String>, StoreError> {
    Ok(sqlx::query_scalar(select).bind(value).fetch_all(&mut **transaction).await?)
}

fn as_new(new: &NewProject, name: String) -> Project {
    let now = now_us();
    Project {
        id: ids::hex24(),
        guid: ids::guid("proj_"),
        display_name: new.display_name.clone().unwrap_or_else(|| name.clone()),
        description: new.description.clone().unwrap_or_default(),
        owner: new.owner.clone(),
        runner_mode: new.runner_mode.clone(),
        created_at: now,
        updated_at: now,
        name,
    }
}

/// Whether the name was free.
async fn insert(transaction: &mut Transaction<'static, Any>, project: &Project) -> Result<bool, StoreError> {
    let words = format!("{}\n{}\n{}", project.name, project.display_name, project.description).to_lowercase();
    let made = sqlx::query(
        "INSERT INTO projects (id, guid, name, display_name, description, words, owner, runner_mode, created_at,
         updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9) ON CONFLICT (name) DO NOTHING",
    )
    .bind(&project.id)
    .bind(&project.guid)
    .bind(&project.name)
    .bind(&project.display_name)
    .bind(&project.description)
    .bind(words)
    .bind(&project.owner)
    .bind(&project.runner_mode)
    .bind(project.created_at)
    .execute(&mut **transaction)
    .await?;
    Ok(made.rows_affected() > 0)
}

fn project(row: &AnyRow) -> Project {
    Project {
        id: row.get("id"),
        guid: row.get("guid"),
        name: row.get("name"),
        display_name: row.get("display_name"),
        description: row.get("description"),
        owner: row.get("owner"),
        runner_mode: row.get("runner_mode"),
        created_at: row.get("created_at"),
        updated_at: row.get("updated_at"),
    }
}

fn check_name(name: &str) -> Result<(), StoreError> {
    let letters = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    let ends = !name.starts_with('-') && !name.ends_with('-');
    if name.len() == 24 && name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(StoreError::Refused(format!("`{name}` is not a project name; 24 hex digits are how ids look")));
    }
    if letters && ends && (3..=63).contains(&name.len()) {
        return Ok(());
    }
    Err(StoreError::Refused(format!(
        "`{name}` is not a project name; 3-63 characters of a-z, 0-9 and `-`, no `-` at either end, are allowed"
    )))
}
