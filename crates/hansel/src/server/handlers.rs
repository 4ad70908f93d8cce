//! Record handlers: records drawn from a trained model, by number or from seed rows.

use actions::jobs::{HANDLER_ARTIFACTS, HandlerJob, ModelJob};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{Job, NewJob, Project, Role};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use workflow::Code;

use super::answer::{Answer, Nothing, Refusal, Refused};
use super::body::{Asked, Body, Expand};
use super::caller::Caller;
use super::jobs::{Artifact, JobChange, JobLink, JobRecord, LogLine, ModelSearch, Named};
use super::jobs::{cancel, delete, find, jobs, left, lines, link, of_source, record, unfit};
use super::state::App;
use crate::engine::handler_source;

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
struct Handlers {
    data: HandlersData,
}

#[derive(Serialize, ToSchema)]
struct HandlersData {
    handlers: Vec<JobRecord>,
}

#[derive(Serialize, ToSchema)]
struct OneHandler {
    data: OneHandlerData,
}

#[derive(Serialize, ToSchema)]
struct OneHandlerData {
    handler: JobRecord,
    logs: Vec<LogLine>,
    artifacts: Vec<Named>,
    #[schema(value_type = Object)]
    billing_data: Value,
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
        .routes(routes!(search_handlers, create_handler))
        .routes(routes!(get_handler, change_handler, delete_handler))
        .routes(routes!(handler_artifact))
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
    let trained = ModelJob::check(&serde_json::from_str(&model.config).unwrap_or_default()).map_err(unfit)?;
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
    let artifacts = left(&app, &job, HANDLER_ARTIFACTS).await?;
    let handler = record(&job, &project);
    Ok(Json(OneHandler { data: OneHandlerData { handler, logs, artifacts, billing_data: json!({}) } }))
}

/// Asks a record handler to stop.
#[utoipa::path(patch, path = "/projects/{project}/models/{model}/record_handlers/{handler}", tag = "models",
    params(("project" = String, Path), ("model" = String, Path), ("handler" = String, Path)), request_body = JobChange,
    responses((status = 200, body = Nothing), (status = "4XX", body = Refused)))]
async fn change_handler(
    State(app): State<App>,
    caller: Caller,
    Path(place): HandlerPath,
    Body(change): Body<JobChange>,
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
    responses((status = 200, body = JobLink), (status = "4XX", body = Refused)))]
async fn handler_artifact(
    State(app): State<App>,
    caller: Caller,
    Path(place): HandlerPath,
    headers: HeaderMap,
    Asked(asked): Asked<Artifact>,
) -> Answer<JobLink> {
    let (job, _) = handler(&app, &caller, &place, Role::Read).await?;
    link(&app, &headers, &job, HANDLER_ARTIFACTS, &asked)
}
