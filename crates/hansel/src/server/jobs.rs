//! Models and record handlers of the older layer: both are jobs, asked for here and worked on by the queue.

use actions::jobs::{HANDLER_ARTIFACTS, HandlerJob, MODEL_ARTIFACTS, ModelJob};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use store::{Job, JobFilter, JobLine, NewJob, Project, Role, Sort};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use workflow::Code;

use super::answer::{Answer, Nothing, Refusal, Refused, time};
use super::artifacts::{LinkUrl, of_project};
use super::body::{Asked, Body, Expand};
use super::caller::Caller;
use super::links::Purpose;
use super::search::page;
use super::state::App;
use crate::engine::handler_source;

/// A model or a record handler.
#[derive(Serialize, ToSchema)]
struct JobRecord {
    /// 24 hex digits.
    uid: String,
    guid: String,
    /// Uid of the model, for a record handler.
    #[serde(skip_serializing_if = "Option::is_none")]
    model_id: Option<String>,
    model_name: String,
    model_type: String,
    /// `created`, `pending`, `active`, and at the end `completed`, `cancelled`, `error` or `lost`.
    status: String,
    runner_mode: String,
    /// Why it failed; null where it did not.
    error_msg: Option<String>,
    /// Always null: errors are told by `error_msg`.
    traceback: Option<String>,
    /// The config with its defaults filled in.
    #[schema(value_type = Object)]
    config: Value,
    user_id: String,
    project_id: String,
    project_guid: String,
    logs: Option<Vec<Line>>,
    /// When each status was reached.
    #[schema(value_type = Object)]
    status_history: Value,
    last_modified: String,
    duration_minutes: i64,
    container_image: Option<String>,
    #[schema(value_type = Option<Object>)]
    annotations: Option<Value>,
}

/// A line of a job's log.
#[derive(Serialize, ToSchema)]
struct Line {
    ts: String,
    msg: String,
    /// What the line counts: epochs, records.
    #[schema(value_type = Object)]
    ctx: Value,
    stage: String,
    seq: i64,
}

#[derive(Serialize, ToSchema)]
struct Named {
    name: String,
}

#[derive(Serialize, ToSchema)]
struct MadeModel {
    data: ModelOnly,
    worker_key: String,
}

#[derive(Serialize, ToSchema)]
struct ModelOnly {
    model: JobRecord,
}

#[derive(Serialize, ToSchema)]
struct MadeHandler {
    data: HandlerOnly,
    worker_key: String,
}

#[derive(Serialize, ToSchema)]
struct HandlerOnly {
    handler: JobRecord,
}

#[derive(Serialize, ToSchema)]
struct Models {
    data: ModelsData,
}

#[derive(Serialize, ToSchema)]
struct ModelsData {
    models: Vec<JobRecord>,
}

#[derive(Serialize, ToSchema)]
struct Handlers {
    data: HandlersData,
}

#[derive(Serialize, ToSchema)]
struct HandlersData {
    handlers: Vec<JobRecord>,
}

#[derive(Serialize, ToSchema)]
struct OneModel {
    data: OneModelData,
}

#[derive(Serialize, ToSchema)]
struct OneModelData {
    model: JobRecord,
    logs: Vec<Line>,
    artifacts: Vec<Named>,
    #[schema(value_type = Object)]
    billing_data: Value,
}

#[derive(Serialize, ToSchema)]
struct OneHandler {
    data: OneHandlerData,
}

#[derive(Serialize, ToSchema)]
struct OneHandlerData {
    handler: JobRecord,
    logs: Vec<Line>,
    artifacts: Vec<Named>,
    #[schema(value_type = Object)]
    billing_data: Value,
}

#[derive(Serialize, ToSchema)]
struct Link {
    data: LinkUrl,
}

#[derive(Deserialize, IntoParams)]
struct Making {
    /// `yes`: the config is checked and nothing is made.
    dry_run: Option<String>,
    runner_mode: Option<String>,
}

#[derive(Deserialize, IntoParams)]
struct ModelSearch {
    #[param(minimum = 0)]
    limit: Option<i64>,
    #[param(minimum = 0)]
    skip: Option<i64>,
    /// Part of the config's name.
    model_name: Option<String>,
    workflow_run_id: Option<String>,
    /// `asc` or `desc`.
    sort_by: Option<String>,
    /// `last_modified`, `status_history.created` or `model_name`.
    sort_field: Option<String>,
    /// Comma-separated statuses.
    status: Option<String>,
}

#[derive(Deserialize, IntoParams)]
struct Artifact {
    /// The artifact's type.
    r#type: Option<String>,
}

#[derive(Deserialize, ToSchema)]
struct Change {
    /// `cancelled` is the one status that can be asked for.
    status: String,
}

#[derive(Deserialize, ToSchema)]
struct WantedHandler {
    #[schema(value_type = Option<Object>)]
    params: Option<Value>,
    /// Key of an artifact that holds seed rows.
    #[schema(value_type = Option<Object>)]
    data_source: Option<Value>,
    #[schema(value_type = Option<Object>)]
    ref_data: Option<Value>,
    #[schema(value_type = Option<Object>)]
    #[allow(dead_code, reason = "sent by the documented client; says nothing about the work")]
    provenance: Option<Value>,
}

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(search_models, create_model))
        .routes(routes!(get_model, change_model, delete_model))
        .routes(routes!(model_artifact))
        .routes(routes!(search_handlers, create_handler))
        .routes(routes!(get_handler, change_handler, delete_handler))
        .routes(routes!(handler_artifact))
}

fn record(job: &Job, project: &Project) -> JobRecord {
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

fn line(line: &JobLine) -> Line {
    let ctx = if line.ctx.is_object() { line.ctx.clone() } else { json!({}) };
    Line { ts: time(line.at), msg: line.msg.clone(), ctx, stage: line.stage.clone(), seq: line.seq }
}

/// The project's job of this kind, if the caller has this role there.
async fn find(
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

/// Makes a model and trains it. A dry run checks the config and gives it back with its defaults filled in.
#[utoipa::path(post, path = "/projects/{project}/models", tag = "models",
    params(("project" = String, Path), Making), request_body = Object,
    responses((status = 200, body = MadeModel), (status = "4XX", body = Refused)))]
async fn create_model(
    State(app): State<App>,
    caller: Caller,
    Path(any): Path<String>,
    Asked(making): Asked<Making>,
    Body(sent): Body<Value>,
) -> Answer<MadeModel> {
    let project = caller.project(&app, &any, Role::Write).await?;
    mode(making.runner_mode.as_deref())?;
    // Sent bare, or with its provenance around it.
    let config = sent.get("config").filter(|_| sent.get("models").is_none()).unwrap_or(&sent);
    let model = ModelJob::check(config).map_err(unfit)?;
    for key in sources(&model) {
        of_source(&app, &project, &key).await?;
    }
    let dry = making.dry_run.as_deref().is_some_and(|dry| ["yes", "true", "1"].contains(&dry));
    let new = NewJob {
        kind: "model".into(),
        project: project.id.clone(),
        model: String::new(),
        name: model.name().unwrap_or_default().to_string(),
        job_type: model.kind().to_string(),
        config: model.filled().to_string(),
        created_by: caller.0.id.clone(),
        run: String::new(),
    };
    let job = match dry {
        true => app.store().draft_job(&new),
        false => {
            let job = app.store().create_job(&new).await?;
            app.audit(&caller, "create", "model", &job.uid, &project.guid).await?;
            app.queue().ring();
            job
        }
    };
    Ok(Json(MadeModel { data: ModelOnly { model: record(&job, &project) }, worker_key: String::new() }))
}

/// Problems of a model's config as a refusal.
fn unfit(problems: Vec<actions::ModelProblem>) -> Refusal {
    let problem = |(path, message, hint): actions::ModelProblem| workflow::Problem {
        code: Code::ConfigInvalid,
        at: workflow::Place { path, line: 0, column: 0 },
        message,
        hint,
    };
    Refusal::problems(&problems.into_iter().map(problem).collect::<Vec<_>>())
}

fn mode(asked: Option<&str>) -> Result<(), Refusal> {
    match asked.unwrap_or_default() {
        "" | "cloud" | "hybrid" | "inherit" => Ok(()),
        "manual" => Err(Refusal::bad("`runner_mode` is `manual`; this server does all work itself, `cloud` is expected")),
        other => {
            let shown: String = other.chars().take(60).collect();
            Err(Refusal::bad(format!("`runner_mode` is `{shown}`; `cloud` is expected")))
        }
    }
}

/// Every data source that a model names.
fn sources(model: &ModelJob) -> Vec<String> {
    let data = model.data_source().into_iter().map(str::to_string);
    data.chain(model.ref_data().into_iter().map(|(_, source)| source)).collect()
}

/// Fails where a data source is not an artifact of the project.
async fn of_source(app: &App, project: &Project, source: &str) -> Result<(), Refusal> {
    if source.contains("://") {
        return Err(Refusal::new(
            Code::ConfigInvalid,
            format!("data source `{}` is an address; this server fetches none", source.chars().take(200).collect::<String>()),
        )
        .hint("Upload the file as an artifact of the project and name its key."));
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

/// The project's models, newest first unless asked otherwise.
#[utoipa::path(get, path = "/projects/{project}/models", tag = "models",
    params(("project" = String, Path), ModelSearch),
    responses((status = 200, body = Models), (status = "4XX", body = Refused)))]
async fn search_models(
    State(app): State<App>,
    caller: Caller,
    Path(any): Path<String>,
    Asked(asked): Asked<ModelSearch>,
) -> Answer<Models> {
    let project = caller.project(&app, &any, Role::Read).await?;
    let jobs = jobs(&app, &project, "model", "", &asked).await?;
    let models = jobs.iter().map(|job| record(job, &project)).collect();
    Ok(Json(Models { data: ModelsData { models } }))
}

async fn jobs(
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
            let shown: String = other.chars().take(60).collect();
            return Err(Refusal::bad(format!("`sort_by` is `{shown}`; `asc` or `desc` is expected")));
        }
    };
    let sort = match (asked.sort_field.as_deref().unwrap_or("status_history.created"), falling) {
        ("last_modified", true) => Sort::UpdatedDesc,
        ("last_modified", false) => Sort::UpdatedAsc,
        ("status_history.created" | "model_name", true) => Sort::CreatedDesc,
        ("status_history.created" | "model_name", false) => Sort::CreatedAsc,
        (other, _) => {
            let shown: String = other.chars().take(60).collect();
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
fn left(app: &App, job: &Job, types: &[(&str, &str)]) -> Vec<Named> {
    let folder = app.store().job_dir(&job.uid);
    let there = types.iter().filter(|(_, file)| folder.join(file).is_file());
    there.map(|(name, _)| Named { name: (*name).to_string() }).collect()
}

async fn lines(app: &App, job: &Job, expand: &Expand) -> Result<Vec<Line>, Refusal> {
    if !expand.wants("logs") {
        return Ok(Vec::new());
    }
    Ok(app.store().job_log(&job.uid, 0).await?.iter().map(line).collect())
}

/// One model, with its log and what it left where that is asked for.
#[utoipa::path(get, path = "/projects/{project}/models/{model}", tag = "models",
    params(("project" = String, Path), ("model" = String, Path), ("expand" = Option<String>, Query)),
    responses((status = 200, body = OneModel), (status = "4XX", body = Refused)))]
async fn get_model(
    State(app): State<App>,
    caller: Caller,
    Path((any, uid)): Path<(String, String)>,
    expand: Expand,
) -> Answer<OneModel> {
    let (job, project) = find(&app, &caller, (&any, &uid), "model", Role::Read).await?;
    let logs = lines(&app, &job, &expand).await?;
    let artifacts = left(&app, &job, MODEL_ARTIFACTS);
    Ok(Json(OneModel { data: OneModelData { model: record(&job, &project), logs, artifacts, billing_data: json!({}) } }))
}

async fn cancel(app: &App, caller: &Caller, job: &Job, project: &Project, change: &Change) -> Result<(), Refusal> {
    if change.status != "cancelled" {
        let shown: String = change.status.chars().take(60).collect();
        return Err(Refusal::bad(format!("`status` is `{shown}`; `cancelled` is the one that can be asked for")));
    }
    app.queue().cancel_job(&job.uid).await?;
    app.audit(caller, "cancel", &job.kind, &job.uid, &project.guid).await?;
    Ok(())
}

/// Asks a model to stop training.
#[utoipa::path(patch, path = "/projects/{project}/models/{model}", tag = "models",
    params(("project" = String, Path), ("model" = String, Path)), request_body = Change,
    responses((status = 200, body = Nothing), (status = "4XX", body = Refused)))]
async fn change_model(
    State(app): State<App>,
    caller: Caller,
    Path((any, uid)): Path<(String, String)>,
    Body(change): Body<Change>,
) -> Answer<Nothing> {
    let (job, project) = find(&app, &caller, (&any, &uid), "model", Role::Write).await?;
    cancel(&app, &caller, &job, &project, &change).await?;
    Ok(Json(Nothing {}))
}

async fn delete(app: &App, caller: &Caller, job: &Job, project: &Project) -> Answer<Nothing> {
    app.queue().cancel_job(&job.uid).await?;
    app.store().delete_job(&job.uid).await?;
    app.audit(caller, "delete", &job.kind, &job.uid, &project.guid).await?;
    Ok(Json(Nothing {}))
}

/// Deletes a model with everything it left.
#[utoipa::path(delete, path = "/projects/{project}/models/{model}", tag = "models",
    params(("project" = String, Path), ("model" = String, Path)),
    responses((status = 200, body = Nothing), (status = "4XX", body = Refused)))]
async fn delete_model(
    State(app): State<App>,
    caller: Caller,
    Path((any, uid)): Path<(String, String)>,
) -> Answer<Nothing> {
    let (job, project) = find(&app, &caller, (&any, &uid), "model", Role::Write).await?;
    delete(&app, &caller, &job, &project).await
}

fn link(
    app: &App,
    headers: &HeaderMap,
    job: &Job,
    types: &[(&str, &str)],
    asked: &Artifact,
) -> Result<Json<Link>, Refusal> {
    let wanted = asked.r#type.as_deref().unwrap_or_default();
    let Some((_, file)) = types.iter().find(|(name, _)| *name == wanted) else {
        let names: Vec<String> = types.iter().map(|(name, _)| format!("`{name}`")).collect();
        let shown: String = wanted.chars().take(60).collect();
        return Err(Refusal::bad(format!("`type` is `{shown}`; allowed: {}", names.join(", "))));
    };
    // A link is given whether the file is there or not: the client takes a 404 behind it for "none", and a refusal
    // here would hide from it why a model failed.
    let url = app.signer().link(headers, Purpose::Job, &job.uid, file, app.settings().link_seconds);
    Ok(Json(Link { data: LinkUrl { url } }))
}

/// A signed link to what a model left.
#[utoipa::path(get, path = "/projects/{project}/models/{model}/artifact", tag = "models",
    params(("project" = String, Path), ("model" = String, Path), Artifact),
    responses((status = 200, body = Link), (status = "4XX", body = Refused)))]
async fn model_artifact(
    State(app): State<App>,
    caller: Caller,
    Path((any, uid)): Path<(String, String)>,
    headers: HeaderMap,
    Asked(asked): Asked<Artifact>,
) -> Answer<Link> {
    let (job, _) = find(&app, &caller, (&any, &uid), "model", Role::Read).await?;
    link(&app, &headers, &job, MODEL_ARTIFACTS, &asked)
}

/// Generates records with a trained model.
#[utoipa::path(post, path = "/projects/{project}/models/{model}/record_handlers", tag = "models",
    params(("project" = String, Path), ("model" = String, Path), ("runner_mode" = Option<String>, Query)),
    request_body = WantedHandler,
    responses((status = 200, body = MadeHandler), (status = "4XX", body = Refused)))]
async fn create_handler(
    State(app): State<App>,
    caller: Caller,
    Path((any, uid)): Path<(String, String)>,
    Body(wanted): Body<WantedHandler>,
) -> Answer<MadeHandler> {
    let (model, project) = find(&app, &caller, (&any, &uid), "model", Role::Write).await?;
    if model.status != "completed" {
        let message = format!("model `{uid}` is {}; only a completed one generates records", model.status);
        return Err(Refusal::new(Code::RunConflict, message));
    }
    let trained = ModelJob::check(&serde_json::from_str(&model.config).unwrap_or_default())
        .map_err(unfit)?;
    let config = json!({
        "params": wanted.params.unwrap_or(Value::Null),
        "data_source": wanted.data_source.unwrap_or(Value::Null),
        "ref_data": wanted.ref_data.unwrap_or_else(|| json!({})),
    });
    let seeds = handler_source(&config);
    HandlerJob::check(&trained, &config["params"], seeds.is_some()).map_err(unfit)?;
    if let Some(source) = seeds {
        of_source(&app, &project, source).await?;
    }
    let new = NewJob {
        kind: "handler".into(),
        project: project.id.clone(),
        model: uid,
        name: model.name.clone(),
        job_type: model.job_type.clone(),
        config: config.to_string(),
        created_by: caller.0.id.clone(),
        run: String::new(),
    };
    let job = app.store().create_job(&new).await?;
    app.audit(&caller, "create", "handler", &job.uid, &project.guid).await?;
    app.queue().ring();
    Ok(Json(MadeHandler { data: HandlerOnly { handler: record(&job, &project) }, worker_key: String::new() }))
}

/// The record handlers of a model, newest first.
#[utoipa::path(get, path = "/projects/{project}/models/{model}/record_handlers", tag = "models",
    params(("project" = String, Path), ("model" = String, Path), ModelSearch),
    responses((status = 200, body = Handlers), (status = "4XX", body = Refused)))]
async fn search_handlers(
    State(app): State<App>,
    caller: Caller,
    Path((any, uid)): Path<(String, String)>,
    Asked(asked): Asked<ModelSearch>,
) -> Answer<Handlers> {
    let (model, project) = find(&app, &caller, (&any, &uid), "model", Role::Read).await?;
    let jobs = jobs(&app, &project, "handler", &model.uid, &asked).await?;
    let handlers = jobs.iter().map(|job| record(job, &project)).collect();
    Ok(Json(Handlers { data: HandlersData { handlers } }))
}

type HandlerPath = Path<(String, String, String)>;

async fn handler(
    app: &App,
    caller: &Caller,
    (any, model, uid): &(String, String, String),
    least: Role,
) -> Result<(Job, Project), Refusal> {
    let (job, project) = find(app, caller, (any, uid), "handler", least).await?;
    if job.model != *model {
        return Err(Refusal::not_found("record handler", uid));
    }
    Ok((job, project))
}

/// One record handler, with its log and what it left.
#[utoipa::path(get, path = "/projects/{project}/models/{model}/record_handlers/{handler}", tag = "models",
    params(("project" = String, Path), ("model" = String, Path), ("handler" = String, Path), ("expand" = Option<String>, Query)),
    responses((status = 200, body = OneHandler), (status = "4XX", body = Refused)))]
async fn get_handler(
    State(app): State<App>,
    caller: Caller,
    Path(place): HandlerPath,
    expand: Expand,
) -> Answer<OneHandler> {
    let (job, project) = handler(&app, &caller, &place, Role::Read).await?;
    let logs = lines(&app, &job, &expand).await?;
    let artifacts = left(&app, &job, HANDLER_ARTIFACTS);
    let handler = record(&job, &project);
    Ok(Json(OneHandler { data: OneHandlerData { handler, logs, artifacts, billing_data: json!({}) } }))
}

/// Asks a record handler to stop.
#[utoipa::path(patch, path = "/projects/{project}/models/{model}/record_handlers/{handler}", tag = "models",
    params(("project" = String, Path), ("model" = String, Path), ("handler" = String, Path)), request_body = Change,
    responses((status = 200, body = Nothing), (status = "4XX", body = Refused)))]
async fn change_handler(
    State(app): State<App>,
    caller: Caller,
    Path(place): HandlerPath,
    Body(change): Body<Change>,
) -> Answer<Nothing> {
    let (job, project) = handler(&app, &caller, &place, Role::Write).await?;
    cancel(&app, &caller, &job, &project, &change).await?;
    Ok(Json(Nothing {}))
}

/// Deletes a record handler with everything it left.
#[utoipa::path(delete, path = "/projects/{project}/models/{model}/record_handlers/{handler}", tag = "models",
    params(("project" = String, Path), ("model" = String, Path), ("handler" = String, Path)),
    responses((status = 200, body = Nothing), (status = "4XX", body = Refused)))]
async fn delete_handler(State(app): State<App>, caller: Caller, Path(place): HandlerPath) -> Answer<Nothing> {
    let (job, project) = handler(&app, &caller, &place, Role::Write).await?;
    delete(&app, &caller, &job, &project).await
}

/// A signed link to what a record handler left.
#[utoipa::path(get, path = "/projects/{project}/models/{model}/record_handlers/{handler}/artifact", tag = "models",
    params(("project" = String, Path), ("model" = String, Path), ("handler" = String, Path), Artifact),
    responses((status = 200, body = Link), (status = "4XX", body = Refused)))]
async fn handler_artifact(
    State(app): State<App>,
    caller: Caller,
    Path(place): HandlerPath,
    headers: HeaderMap,
    Asked(asked): Asked<Artifact>,
) -> Answer<Link> {
    let (job, _) = handler(&app, &caller, &place, Role::Read).await?;
    link(&app, &headers, &job, HANDLER_ARTIFACTS, &asked)
}
