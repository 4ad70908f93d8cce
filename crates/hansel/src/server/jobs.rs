//! What models and record handlers share: both are jobs, asked for over the older layer and worked on by the queue.

use axum::Json;
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use store::{Job, JobFilter, JobLine, Project, Role, Sort};
use utoipa::{IntoParams, ToSchema};
use workflow::Code;

use super::answer::{Answer, Nothing, Refusal, bounded, time};
use super::artifacts::{LinkUrl, of_project};
use super::body::Expand;
use super::caller::Caller;
use super::links::Purpose;
use super::search::page;
use super::state::App;

/// A model or a record handler.
#[derive(Serialize, ToSchema)]
pub(crate) struct JobRecord {
    /// 24 hex digits.
    pub(crate) uid: String,
    pub(crate) guid: String,
    /// Uid of the model, for a record handler.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) model_id: Option<String>,
    pub(crate) model_name: String,
    pub(crate) model_type: String,
    /// `created`, `pending`, `active`, and at the end `completed`, `cancelled`, `error` or `lost`.
    pub(crate) status: String,
    pub(crate) runner_mode: String,
    /// Why it failed; null where it did not.
    pub(crate) error_msg: Option<String>,
    /// Always null: errors are told by `error_msg`.
    pub(crate) traceback: Option<String>,
    /// The config with its defaults filled in.
    #[schema(value_type = Object)]
    pub(crate) config: Value,
    pub(crate) user_id: String,
    pub(crate) project_id: String,
    pub(crate) project_guid: String,
    pub(crate) logs: Option<Vec<LogLine>>,
    /// When each status was reached.
    #[schema(value_type = Object)]
    pub(crate) status_history: Value,
    pub(crate) last_modified: String,
    pub(crate) duration_minutes: i64,
    pub(crate) container_image: Option<String>,
    #[schema(value_type = Option<Object>)]
    pub(crate) annotations: Option<Value>,
}

/// A line of a job's log.
#[derive(Serialize, ToSchema)]
pub(crate) struct LogLine {
    pub(crate) ts: String,
    pub(crate) msg: String,
    /// What the line counts: epochs, records.
    #[schema(value_type = Object)]
    pub(crate) ctx: Value,
    pub(crate) stage: String,
    pub(crate) seq: i64,
}

/// A name.
#[derive(Serialize, ToSchema)]
pub(crate) struct Named {
    pub(crate) name: String,
}

/// A signed link.
#[derive(Serialize, ToSchema)]
pub(crate) struct JobLink {
    pub(crate) data: LinkUrl,
}

/// How jobs are searched.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ModelSearch {
    #[param(minimum = 0)]
    pub(crate) limit: Option<i64>,
    #[param(minimum = 0)]
    pub(crate) skip: Option<i64>,
    /// Part of the config's name.
    pub(crate) model_name: Option<String>,
    pub(crate) workflow_run_id: Option<String>,
    /// `asc` or `desc`.
    pub(crate) sort_by: Option<String>,
    /// `last_modified`, `status_history.created` or `model_name`.
    pub(crate) sort_field: Option<String>,
    /// Comma-separated statuses.
    pub(crate) status: Option<String>,
}

/// Which file is asked for.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Artifact {
    /// The artifact's type.
    pub(crate) r#type: Option<String>,
}

/// What of a job is to change.
#[derive(Deserialize, ToSchema)]
pub(crate) struct JobChange {
    /// `cancelled` is the one status that can be asked for.
    pub(crate) status: String,
}

/// A job as the client reads one.
pub(crate) fn record(job: &Job, project: &Project) -> JobRecord {
    let mut history = Map::new();
    history.insert("created".into(), json!(time(job.created_at)));
    if let Some(at) = job.started_at {
        history.insert("active".into(), json!(time(at)));
    }
    if let Some(at) = job.ended_at {
        history.insert(job.status.clone(), json!(time(at)));
    }
    let minutes = job.started_at.map_or(0, |started| (job.ended_at.unwrap_or(job.updated_at) - started) / 60_000_000);
    JobRecord {
        uid: job.uid.clone(),
        guid: format!("{}_{}", job.kind, job.uid),
        model_id: Some(job.model.clone()).filter(|model| !model.is_empty()),
        model_name: job.name.clone(),
        model_type: job.job_type.clone(),
        status: job.status.clone(),
        runner_mode: "cloud".into(),
        error_msg: job.error_msg.clone(),
        traceback: None,
        config: serde_json::from_str(&job.config).unwrap_or_default(),
        user_id: job.created_by.clone(),
        project_id: project.id.clone(),
        project_guid: project.guid.clone(),
        logs: None,
        status_history: Value::Object(history),
        last_modified: time(job.updated_at),
        duration_minutes: minutes.max(0),
        container_image: None,
        annotations: None,
    }
}

/// A line as the client reads it.
pub(crate) fn line(line: &JobLine) -> LogLine {
    let ctx = if line.ctx.is_object() { line.ctx.clone() } else { json!({}) };
    LogLine { ts: time(line.at), msg: line.msg.clone(), ctx, stage: line.stage.clone(), seq: line.seq }
}

/// The project's job of this kind, if the caller has this role there.
pub(crate) async fn find(
    app: &App,
    caller: &Caller,
    (project, uid): (&str, &str),
    kind: &str,
    least: Role,
) -> Result<(Job, Project), Refusal> {
    let project = caller.project(app, project, least).await?;
    let word = if kind == "handler" { "record handler" } else { "model" };
    match app.store().job(uid).await {
        Ok(job) if job.project == project.id && job.kind == kind => Ok((job, project)),
        Ok(_) | Err(store::StoreError::NotFound { .. }) => Err(Refusal::not_found(word, uid)),
        Err(error) => Err(error.into()),
    }
}

/// Problems of a model's config as a refusal.
pub(crate) fn unfit(problems: Vec<actions::ModelProblem>) -> Refusal {
    let problem = |(path, message, hint): actions::ModelProblem| workflow::Problem {
        code: Code::ConfigInvalid,
        at: workflow::Place { path, line: 0, column: 0 },
        message,
        hint,
    };
    Refusal::problems(&problems.into_iter().map(problem).collect::<Vec<_>>())
}

/// Fails where a data source is not an artifact of the project.
pub(crate) async fn of_source(app: &App, project: &Project, source: &str) -> Result<(), Refusal> {
    if source.contains("://") {
        // It is fetched when the job is worked on; what may not be is told here.
        return Ok(app.outside().check(source)?);
    }
    let upload = of_project(app, project, source).await.map_err(|refusal| match refusal.status().as_u16() {
        404 => Refusal::new(Code::ConfigInvalid, format!("data source: {}", refusal.message())),
        _ => refusal,
    })?;
    if upload.bytes.is_none() {
        return Err(Refusal::new(Code::ConfigInvalid, format!("data source `{source}` was not uploaded to its end")));
    }
    Ok(())
}

/// The jobs of a project that a search finds.
pub(crate) async fn jobs(
    app: &App,
    project: &Project,
    kind: &str,
    model: &str,
    asked: &ModelSearch,
) -> Result<Vec<Job>, Refusal> {
    let falling = match asked.sort_by.as_deref().unwrap_or("desc") {
        "asc" => false,
        "desc" => true,
        other => {
            let shown = bounded(other);
            return Err(Refusal::bad(format!("`sort_by` is `{shown}`; `asc` or `desc` is expected")));
        }
    };
    let sort = match (asked.sort_field.as_deref().unwrap_or("status_history.created"), falling) {
        ("last_modified", true) => Sort::UpdatedDesc,
        ("last_modified", false) => Sort::UpdatedAsc,
        ("status_history.created" | "model_name", true) => Sort::CreatedDesc,
        ("status_history.created" | "model_name", false) => Sort::CreatedAsc,
        (other, _) => {
            let shown = bounded(other);
            return Err(Refusal::bad(format!(
                "`sort_field` is `{shown}`; `last_modified`, `status_history.created` and `model_name` are allowed"
            )));
        }
    };
    let page = page(asked.limit, asked.skip, None)?;
    let statuses = asked.status.as_deref().unwrap_or_default().split(',').map(str::trim);
    let filter = JobFilter {
        project: Some(project.id.clone()),
        kind: Some(kind.into()),
        model: Some(model.to_string()).filter(|model| !model.is_empty()),
        name: asked.model_name.clone().filter(|name| !name.is_empty()),
        statuses: statuses.filter(|status| !status.is_empty()).map(str::to_string).collect(),
        run: asked.workflow_run_id.clone().filter(|run| !run.is_empty()),
    };
    let (mut jobs, _) = app.store().jobs(&filter, &store::Page { sort, ..page }).await?;
    if asked.sort_field.as_deref() == Some("model_name") {
        jobs.sort_by(|a, b| a.name.cmp(&b.name));
        if falling {
            jobs.reverse();
        }
    }
    Ok(jobs)
}

/// What a job left, of the documented types.
pub(crate) async fn left(app: &App, job: &Job, types: &[(&str, &str)]) -> Result<Vec<Named>, Refusal> {
    let folder = app.store().job_dir(&job.uid);
    let sunk = match app.memory().depot {
        Some(_) => app.store().sunk_in(&app.store().folder_of(&folder)).await?,
        None => Vec::new(),
    };
    let far = |file: &str| sunk.iter().any(|sunk| sunk.kept && sunk.path.rsplit('/').next() == Some(file));
    let there = types.iter().filter(|(_, file)| folder.join(file).is_file() || far(file));
    Ok(there.map(|(name, _)| Named { name: (*name).to_string() }).collect())
}

/// A job's log, where it is asked for.
pub(crate) async fn lines(app: &App, job: &Job, expand: &Expand) -> Result<Vec<LogLine>, Refusal> {
    if !expand.wants("logs") {
        return Ok(Vec::new());
    }
    Ok(app.store().job_log(&job.uid, 0).await?.iter().map(line).collect())
}

/// Asks a job to stop.
pub(crate) async fn cancel(
    app: &App,
    caller: &Caller,
    job: &Job,
    project: &Project,
    change: &JobChange,
) -> Result<(), Refusal> {
    if change.status != "cancelled" {
        let shown = bounded(&change.status);
        return Err(Refusal::bad(format!("`status` is `{shown}`; `cancelled` is the one that can be asked for")));
    }
    app.queue().cancel_job(&job.uid).await?;
    app.audit(caller, "cancel", &job.kind, &job.uid, &project.guid).await?;
    Ok(())
}

/// Deletes a job with everything it left.
pub(crate) async fn delete(app: &App, caller: &Caller, job: &Job, project: &Project) -> Answer<Nothing> {
    app.queue().cancel_job(&job.uid).await?;
    app.store().delete_job(&job.uid).await?;
    app.sink_soon();
    app.audit(caller, "delete", &job.kind, &job.uid, &project.guid).await?;
    Ok(Json(Nothing {}))
}

/// A signed link to what a job left.
pub(crate) fn link(
    app: &App,
    headers: &HeaderMap,
    job: &Job,
    types: &[(&str, &str)],
    asked: &Artifact,
) -> Result<Json<JobLink>, Refusal> {
    let wanted = asked.r#type.as_deref().unwrap_or_default();
    let Some((_, file)) = types.iter().find(|(name, _)| *name == wanted) else {
        let names: Vec<String> = types.iter().map(|(name, _)| format!("`{name}`")).collect();
        let shown = bounded(wanted);
        return Err(Refusal::bad(format!("`type` is `{shown}`; allowed: {}", names.join(", "))));
    };
    // A link is given whether the file is there or not: the client takes a 404 behind it for "none", and a refusal
    // here would hide from it why a model failed.
    let url = app.signer().link(headers, Purpose::Job, &job.uid, file, app.settings().link_seconds);
    Ok(Json(JobLink { data: LinkUrl { url } }))
}
