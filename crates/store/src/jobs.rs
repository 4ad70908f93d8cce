//! Jobs: the models and record handlers of the REST API. In: what is to be done and how it stands. Out: the record, and
//! the log line by line. A job that has ended keeps its status; what it does is no matter of this crate.

use std::path::PathBuf;

use serde_json::Value;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::error::StoreError;
use crate::search::{Conditions, Page};
use crate::{Store, ids, now_us};

/// One job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// 24 hex digits.
    pub uid: String,
    /// `model` or `handler`.
    pub kind: String,
    /// Id of the project.
    pub project: String,
    /// For a handler the uid of its model; else empty.
    pub model: String,
    /// For people.
    pub name: String,
    /// What sort of model or handler.
    pub job_type: String,
    /// What was asked for, as JSON text.
    pub config: String,
    /// `created`, `pending`, `active`, `completed`, `cancelled`, `error` or `lost`; the last four are final.
    pub status: String,
    /// What is so, for a failure.
    pub error_msg: Option<String>,
    /// Guid of the user.
    pub created_by: String,
    /// Id of the workflow run that made it, or empty.
    pub run: String,
    /// When it was made.
    pub created_at: i64,
    /// When it last changed.
    pub updated_at: i64,
    /// When it became active.
    pub started_at: Option<i64>,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// Whether it is to stop.
    pub cancel_asked: bool,
    /// What is known of its results, as JSON text.
    pub facts: String,
}

/// What a new job is to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewJob {
    /// `model` or `handler`.
    pub kind: String,
    /// Id of the project.
    pub project: String,
    /// For a handler the uid of its model; else empty.
    pub model: String,
    /// For people.
    pub name: String,
    /// What sort of model or handler.
    pub job_type: String,
    /// What was asked for, as JSON text.
    pub config: String,
    /// Guid of the user.
    pub created_by: String,
    /// Id of the workflow run that makes it, or empty.
    pub run: String,
}

/// What of a job is to change; `None` leaves it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobEdit {
    /// New status; not looked at once the job has ended.
    pub status: Option<String>,
    /// What is so, for a failure; not looked at once the job has ended.
    pub error_msg: Option<String>,
    /// New config.
    pub config: Option<String>,
    /// New facts.
    pub facts: Option<String>,
    /// New name.
    pub name: Option<String>,
}

/// Which jobs; what is `None` or empty leaves everything in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// Of this project, by id.
    pub project: Option<String>,
    /// `model` or `handler`.
    pub kind: Option<String>,
    /// Handlers of this model.
    pub model: Option<String>,
    /// With this in their names, in whatever case.
    pub name: Option<String>,
    /// With one of these statuses.
    pub statuses: Vec<String>,
    /// Made by this workflow run.
    pub run: Option<String>,
}

/// One line of a job's log.
#[derive(Clone, Debug, PartialEq)]
pub struct JobLine {
    /// From 1, without gaps.
    pub seq: i64,
    /// When; strictly later than the line before.
    pub at: i64,
    /// In which part of the work.
    pub stage: String,
    /// For people.
    pub msg: String,
    /// Figures, a JSON object.
    pub ctx: Value,
}

impl Store {
    /// Makes a job of the status `created`.
    pub async fn create_job(&self, new: &NewJob) -> Result<Job, StoreError> {
        let uid = ids::hex24();
        sqlx::query(
            "INSERT INTO jobs (id, kind, project, model, name, words, job_type, config, status, created_by, run,
             created_at, updated_at, cancel_asked, facts)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'created', $9, $10, $11, $11, 0, '{}')",
        )
        .bind(&uid)
        .bind(&new.kind)
        .bind(&new.project)
        .bind(&new.model)
        .bind(&new.name)
        .bind(new.name.to_lowercase())
        .bind(&new.job_type)
        .bind(&new.config)
        .bind(&new.created_by)
        .bind(&new.run)
        .bind(now_us())
        .execute(self.db.write())
        .await?;
        self.job(&uid).await
    }

    /// A job as it would be made, which is not kept.
    pub fn draft_job(&self, new: &NewJob) -> Job {
        let now = now_us();
        Job {
            uid: ids::hex24(),
            kind: new.kind.clone(),
            project: new.project.clone(),
            model: new.model.clone(),
            name: new.name.clone(),
            job_type: new.job_type.clone(),
            config: new.config.clone(),
            status: "created".into(),
            error_msg: None,
            created_by: new.created_by.clone(),
            run: new.run.clone(),
            created_at: now,
            updated_at: now,
            started_at: None,
            ended_at: None,
            cancel_asked: false,
            facts: String::new(),
        }
    }

    /// The job with this uid.
    pub async fn job(&self, uid: &str) -> Result<Job, StoreError> {
        sqlx::query("SELECT * FROM jobs WHERE id = $1")
            .bind(uid)
            .fetch_optional(self.db.read())
            .await?
            .map(|row| job(&row))
            .ok_or_else(|| StoreError::not_found("job", uid))
    }

    /// A page of the jobs that fit, and how many fit.
    pub async fn jobs(&self, filter: &JobFilter, page: &Page) -> Result<(Vec<Job>, i64), StoreError> {
        let mut conditions = Conditions::default();
        conditions.equal("project", filter.project.as_deref());
        conditions.equal("kind", filter.kind.as_deref());
        conditions.equal("model", filter.model.as_deref());
        conditions.equal("run", filter.run.as_deref());
        conditions.contains("words", filter.name.as_deref().unwrap_or_default());
        conditions.any_of("status", &filter.statuses);
        let rows = conditions.page(&self.db, "jobs", page).await?;
        Ok((rows.iter().map(job).collect(), conditions.count(&self.db, "jobs").await?))
    }

    /// The jobs that have not ended, oldest first.
    pub async fn open_jobs(&self) -> Result<Vec<Job>, StoreError> {
        let rows = sqlx::query("SELECT * FROM jobs WHERE ended_at IS NULL ORDER BY created_at, id")
            .fetch_all(self.db.read())
            .await?;
        Ok(rows.iter().map(job).collect())
    }

    /// Changes a job. Once it has ended, its status and message stay.
    pub async fn set_job(&self, uid: &str, edit: &JobEdit) -> Result<Job, StoreError> {
        let now = now_us();
        let status = edit.status.as_deref();
        sqlx::query(
            "UPDATE jobs SET status = CASE WHEN ended_at IS NULL THEN COALESCE($2, status) ELSE status END,
             error_msg = CASE WHEN ended_at IS NULL THEN COALESCE($3, error_msg) ELSE error_msg END,
             config = COALESCE($4, config), facts = COALESCE($5, facts), name = COALESCE($6, name),
             words = COALESCE($7, words), started_at = COALESCE(started_at, $8), ended_at = COALESCE(ended_at, $9),
             updated_at = $10 WHERE id = $1",
        )
        .bind(uid)
        .bind(status)
        .bind(edit.error_msg.as_deref())
        .bind(edit.config.as_deref())
        .bind(edit.facts.as_deref())
        .bind(edit.name.as_deref())
        .bind(edit.name.as_deref().map(str::to_lowercase))
        .bind((status == Some("active")).then_some(now))
        .bind(status.filter(|status| ended(status)).map(|_| now))
        .bind(now)
        .execute(self.db.write())
        .await?;
        self.job(uid).await
    }

    /// Asks for a job to stop. One that is not active is cancelled at once; an active one is left to whoever does it.
    pub async fn cancel_job(&self, uid: &str) -> Result<Job, StoreError> {
        let now = now_us();
        sqlx::query(
            "UPDATE jobs SET cancel_asked = 1, updated_at = $2,
             ended_at = CASE WHEN status = 'active' THEN ended_at ELSE $2 END,
             status = CASE WHEN status = 'active' THEN status ELSE 'cancelled' END
             WHERE id = $1 AND ended_at IS NULL",
        )
        .bind(uid)
        .bind(now)
        .execute(self.db.write())
        .await?;
        self.job(uid).await
    }

    /// Deletes a job with its log and its folder, and the handlers of a model with it.
    pub async fn delete_job(&self, uid: &str) -> Result<Job, StoreError> {
        let job = self.job(uid).await?;
        let mut transaction = self.db.begin().await?;
        let select = "SELECT id FROM jobs WHERE model = $1 AND kind = 'handler'";
        let mut uids = crate::projects::ids_of(&mut transaction, select, uid).await?;
        uids.push(uid.to_string());
        for uid in &uids {
            sqlx::query("DELETE FROM jobs WHERE id = $1").bind(uid).execute(&mut *transaction).await?;
            self.let_go_with(&mut transaction, [self.job_dir(uid).as_path()]).await?;
        }
        transaction.commit().await?;
        for uid in &uids {
            crate::files_of_home::remove(&self.job_dir(uid))?;
        }
        Ok(job)
    }

    /// Appends a line to a job's log.
    pub async fn append_job_log(&self, uid: &str, stage: &str, msg: &str, ctx: &Value) -> Result<(), StoreError> {
        let mut transaction = self.db.begin().await?;
        let found: Option<String> = sqlx::query_scalar(self.db.locking("SELECT id FROM jobs WHERE id = $1"))
            .bind(uid)
            .fetch_optional(&mut *transaction)
            .await?;
        if found.is_none() {
            return Err(StoreError::not_found("job", uid));
        }
        let last = sqlx::query("SELECT seq, at FROM job_log WHERE job = $1 ORDER BY seq DESC LIMIT 1")
            .bind(uid)
            .fetch_optional(&mut *transaction)
            .await?;
        let (seq, at): (i64, i64) = last.map_or((0, 0), |row| (row.get("seq"), row.get("at")));
        sqlx::query("INSERT INTO job_log (job, seq, at, stage, msg, ctx) VALUES ($1, $2, $3, $4, $5, $6)")
            .bind(uid)
            .bind(seq + 1)
            .bind(now_us().max(at + 1))
            .bind(stage)
            .bind(msg)
            .bind(ctx.to_string())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// A job's log from behind line `after`, oldest first.
    pub async fn job_log(&self, uid: &str, after: i64) -> Result<Vec<JobLine>, StoreError> {
        let rows = sqlx::query("SELECT * FROM job_log WHERE job = $1 AND seq > $2 ORDER BY seq")
            .bind(uid)
            .bind(after)
            .fetch_all(self.db.read())
            .await?;
        Ok(rows.iter().map(line).collect())
    }

    /// Folder of what a job leaves.
    pub fn job_dir(&self, uid: &str) -> PathBuf {
        self.home().join("jobs").join(uid)
    }
}

fn ended(status: &str) -> bool {
    ["completed", "cancelled", "error", "lost"].contains(&status)
}

fn line(row: &AnyRow) -> JobLine {
    let ctx: String = row.get("ctx");
    JobLine {
        seq: row.get("seq"),
        at: row.get("at"),
        stage: row.get("stage"),
        msg: row.get("msg"),
        ctx: serde_json::from_str(&ctx).unwrap_or_default(),
    }
}

fn job(row: &AnyRow) -> Job {
    Job {
        uid: row.get("id"),
        kind: row.get("kind"),
        project: row.get("project"),
        model: row.get("model"),
        name: row.get("name"),
        job_type: row.get("job_type"),
        config: row.get("config"),
        status: row.get("status"),
        error_msg: row.get("error_msg"),
        created_by: row.get("created_by"),
        run: row.get("run"),
        created_at: row.get("created_at"),
        updated_at: row.get("updated_at"),
        started_at: row.get("started_at"),
        ended_at: row.get("ended_at"),
        cancel_asked: row.get::<i64, _>("cancel_asked") != 0,
        facts: row.get("facts"),
    }
}
