//! Version-2 workflows: steps that clients build one by one, try out on few rows and run as a batch. Runs, tasks and logs
//! are those of every workflow; here are the checks, the two ways to begin, and the outputs.

use std::sync::atomic::{AtomicBool, Ordering};

use actions::tasks::{StepWorkflow, TASKS, check_task, plan_steps};
use axum::Json;
use axum::body::{Body as Bytes, HttpBody};
use axum::extract::{Path, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{NewWorkflow, Project, Role};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use workflow::Code;

use super::answer::{Answer, Refusal, Refused, bounded, time};
use super::body::{Asked, Body};
use super::caller::Caller;
use super::jobs::of_source;
use super::runs::{self, named};
use super::state::App;
use super::{files, workflows};
use crate::engine::{Said, preview};

/// Lines of a preview that wait for a slow reader.
const LINES_MAX: usize = 64;

#[derive(Serialize, ToSchema)]
struct Registry {
    tasks: Vec<TaskKind>,
}

/// A kind of step.
#[derive(Serialize, ToSchema)]
struct TaskKind {
    name: String,
    /// `dataset`, or the task's own name for a report.
    output: String,
    description: String,
}

/// A task to check.
#[derive(Deserialize, ToSchema)]
struct TaskToCheck {
    /// The kind of the task.
    name: String,
    #[schema(value_type = Option<Object>)]
    config: Option<Value>,
    #[schema(value_type = Option<Object>)]
    globals: Option<Value>,
    #[allow(dead_code, reason = "what a task reads is checked with the whole workflow; here for the document")]
    #[schema(value_type = Option<Vec<Object>>)]
    inputs: Option<Value>,
}

#[derive(Serialize, ToSchema)]
struct TaskChecked {
    valid: bool,
    message: String,
}

/// A workflow to run as a batch.
#[derive(Deserialize, ToSchema)]
struct Batch {
    /// Guid, id or name of the project.
    project_id: String,
    /// `name`, `globals`, `steps`.
    #[schema(value_type = Object)]
    workflow_config: Value,
    /// The workflow to run again, with this config; a new one is made without it.
    workflow_id: Option<String>,
    workflow_run_name: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct Begun {
    project_id: String,
    workflow_id: String,
    workflow_run_id: String,
}

#[derive(Serialize, ToSchema)]
struct ModelSuites {
    #[schema(value_type = Vec<Object>)]
    model_suites: Vec<Value>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct OfRun {
    /// `dataset_parquet`, `report_json` or `report_html`.
    r#type: String,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct OfStep {
    /// `parquet`, `holdout`, `model`, `json` or `html`; without it what the step is for.
    format: Option<String>,
}

/// One line of a preview.
#[derive(Serialize, ToSchema)]
struct Line {
    step: String,
    /// `logs`, `step_outputs` or `step_states`.
    stream: String,
    #[schema(value_type = Object)]
    payload: Value,
    r#type: String,
    ts: String,
}

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(registry))
        .routes(routes!(validate_task))
        .routes(routes!(validate))
        .routes(routes!(exec_batch))
        .routes(routes!(exec_streaming))
        .routes(routes!(run_output))
        .routes(routes!(step_output))
        .routes(routes!(model_suites))
}

/// Fails where a step reads a file that is not the caller's, or an artifact that is not the project's.
pub(crate) async fn readable(
    app: &App,
    caller: &Caller,
    project: &Project,
    plan: &StepWorkflow,
) -> Result<(), Refusal> {
    for id in plan.files() {
        if id.starts_with("file_") {
            own_file(app, caller, id).await?;
        } else if id.contains("://") {
            let message = format!("input `{}` is an address; steps read uploaded files", bounded(id));
            return Err(Refusal::new(Code::ConfigInvalid, message).hint("Upload it to /v1/files and name its id."));
        } else {
            of_source(app, project, id).await?;
        }
    }
    Ok(())
}

async fn own_file(app: &App, caller: &Caller, id: &str) -> Result<(), Refusal> {
    let refused = |refusal: Refusal| match refusal.status().as_u16() {
        404 => Refusal::new(Code::ConfigInvalid, format!("input: {}", refusal.message())),
        _ => refusal,
    };
    files::own(app, caller, id).await.map(drop).map_err(refused)
}

/// Problems of a step, in the form that clients of this layer read.
fn violations(problems: &[actions::ModelProblem]) -> Response {
    let fields: Vec<Value> = problems
        .iter()
        .map(|(path, message, hint)| {
            let error = hint.as_ref().map_or(message.clone(), |hint| format!("{message}. {hint}"));
            json!({ "field": path, "error_message": error })
        })
        .collect();
    let first = problems.first().map(|(path, message, _)| format!("{path}: {message}")).unwrap_or_default();
    let message = match problems.len() {
        0 | 1 => first,
        count => format!("{first}; and {} more", count - 1),
    };
    let body = json!({
        "message": message, "code": Code::ConfigInvalid.name(), "details": [{ "field_violations": fields }],
    });
    (axum::http::StatusCode::UNPROCESSABLE_ENTITY, Json(body)).into_response()
}

/// The kinds of steps, and what each gives.
#[utoipa::path(get, path = "/v2/workflows/registry", tag = "steps",
    responses((status = 200, body = Registry), (status = "4XX", body = Refused)))]
async fn registry(_caller: Caller) -> Answer<Registry> {
    let kind = |kind: &&actions::tasks::TaskType| TaskKind {
        name: kind.name.into(),
        output: kind.output.into(),
        description: kind.about.into(),
    };
    Ok(Json(Registry { tasks: TASKS.iter().map(kind).collect() }))
}

/// Checks one task. What is wrong comes back as 422, field by field.
#[utoipa::path(post, path = "/v2/workflows/tasks/validate", tag = "steps", request_body = TaskToCheck,
    responses((status = 200, body = TaskChecked), (status = 422, body = Object), (status = "4XX", body = Refused)))]
async fn validate_task(_caller: Caller, Body(asked): Body<TaskToCheck>) -> Result<Response, Refusal> {
    let (config, globals) = (asked.config.unwrap_or_default(), asked.globals.unwrap_or_default());
    Ok(match check_task(&asked.name, &config, &globals) {
        Ok(_) => Json(TaskChecked { valid: true, message: String::new() }).into_response(),
        Err(problems) => violations(&problems),
    })
}

/// Checks a whole workflow, or the config of one task as templates have it.
#[utoipa::path(post, path = "/v2/workflows/validate", tag = "steps", request_body = Object,
    responses((status = 200, body = TaskChecked), (status = 422, body = Object), (status = "4XX", body = Refused)))]
async fn validate(_caller: Caller, Body(config): Body<Value>) -> Result<Response, Refusal> {
    let task = config.get("task").filter(|_| config.get("steps").is_none());
    let checked = match task {
        Some(task) => {
            let name = task.get("name").and_then(Value::as_str).unwrap_or_default();
            check_task(name, &task["config"], &config["globals"]).map(drop)
        }
        None => plan_steps(&config).map(drop),
    };
    Ok(match checked {
        Ok(()) => Json(TaskChecked { valid: true, message: String::new() }).into_response(),
        Err(problems) => violations(&problems),
    })
}

/// Makes a workflow of the steps, or takes one that is there, and runs it.
#[utoipa::path(post, path = "/v2/workflows/exec_batch", tag = "steps", request_body = Batch,
    responses((status = 200, body = Begun), (status = 422, body = Object), (status = "4XX", body = Refused)))]
async fn exec_batch(State(app): State<App>, caller: Caller, Body(asked): Body<Batch>) -> Result<Response, Refusal> {
    let project = caller.project(&app, &asked.project_id, Role::Write).await?;
    let name = named(asked.workflow_run_name)?;
    let plan = match plan_steps(&asked.workflow_config) {
        Ok(plan) => plan,
        Err(problems) => return Ok(violations(&problems)),
    };
    readable(&app, &caller, &project, &plan).await?;
    let text = serde_json::to_string_pretty(&asked.workflow_config).unwrap_or_default();
    let workflow = match asked.workflow_id.as_deref().filter(|id| !id.is_empty()) {
        Some(id) => {
            let (workflow, of) = workflows::find(&app, &caller, id, Role::Write).await?;
            if of.id != project.id {
                return Err(Refusal::not_found("workflow", id));
            }
            let store = app.store();
            store.update_workflow(&workflow.id, &text, true, Some(&plan.name), &caller.0.guid, None).await?
        }
        None => {
            let new = NewWorkflow {
                project: project.id.clone(),
                name: plan.name.clone(),
                next_run: None,
                config_text: text.clone(),
                from_json: true,
                runner_mode: "RUNNER_MODE_CLOUD".into(),
                created_by: caller.0.guid.clone(),
            };
            let workflow = app.store().create_workflow(&new).await?;
            app.audit(&caller, "create", "workflow", &workflow.id, &project.guid).await?;
            workflow
        }
    };
    let wanted = runs::Wanted { workflow: &workflow.id, text: &text, name: &name, retry_of: "" };
    // What was checked above is not checked again.
    let run = runs::make(&app, &caller, &wanted, &workflows::Checked::Steps(plan)).await?;
    app.audit(&caller, "create", "run", &run.id, &project.guid).await?;
    let begun = Begun { project_id: project.guid, workflow_id: workflow.id, workflow_run_id: run.id };
    Ok(Json(begun).into_response())
}

/// Tries the steps out on few rows: a line of JSON for everything that is said or made. Nothing is kept.
#[utoipa::path(post, path = "/v2/workflows/exec_streaming", tag = "steps", request_body = Object,
    responses((status = 200, description = "lines of JSON", content_type = "application/x-ndjson", body = Line), (status = 422, body = Object), (status = "4XX", body = Refused)))]
async fn exec_streaming(
    State(app): State<App>,
    caller: Caller,
    Body(config): Body<Value>,
) -> Result<Response, Refusal> {
    let mut plan = match plan_steps(&config) {
        Ok(plan) => plan,
        Err(problems) => return Ok(violations(&problems)),
    };
    for id in plan.files() {
        if !id.starts_with("file_") {
            let message = format!("input `{}` is of a project; a preview reads uploaded files", bounded(id));
            return Err(Refusal::new(Code::ConfigInvalid, message).hint("Upload it to /v1/files and name its id."));
        }
        own_file(&app, &caller, id).await?;
    }
    let Ok(slot) = app.previews().try_acquire_owned() else {
        return Err(Refusal::new(Code::RequestTooMany, "other previews are at work; try again when they are done"));
    };
    let (told, lines) = tokio::sync::mpsc::channel::<Result<String, std::convert::Infallible>>(LINES_MAX);
    let memory = app.memory().clone();
    tokio::task::spawn_blocking(move || {
        let (gone, _slot) = (AtomicBool::new(false), slot);
        let tell = |said: Said| {
            let heard = told.blocking_send(Ok(line(said))).is_ok();
            gone.fetch_or(!heard, Ordering::SeqCst);
            heard
        };
        if let Err(failure) = preview(&memory, &mut plan, &tell, &|| gone.load(Ordering::SeqCst)) {
            tracing::error!(code = failure.code.name(), "{}", failure.message);
        }
    });
    let lines = futures_util::stream::unfold(lines, async |mut lines| lines.recv().await.map(|line| (line, lines)));
    Ok(([(CONTENT_TYPE, "application/x-ndjson")], Bytes::from_stream(lines)).into_response())
}

fn line(said: Said) -> String {
    let line = Line {
        step: said.step,
        stream: said.stream.into(),
        payload: said.payload,
        r#type: said.kind,
        ts: time(jiff::Timestamp::now().as_microsecond()),
    };
    format!("{}\n", serde_json::to_string(&line).unwrap_or_default())
}

/// The bytes of the last output of a kind that a run's steps gave.
#[utoipa::path(get, path = "/v2/workflows/runs/{id}/outputs", tag = "steps", params(("id" = String, Path), OfRun),
    responses((status = 200, description = "the file", content_type = "application/octet-stream", body = Vec<u8>), (status = "4XX", body = Refused)))]
async fn run_output(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Asked(asked): Asked<OfRun>,
    request: Request,
) -> Result<Response, Refusal> {
    let kind = match asked.r#type.as_str() {
        "dataset_parquet" => "dataset",
        "report_json" => "report_json",
        "report_html" => "report",
        other => {
            let shown = bounded(other);
            return Err(Refusal::bad(format!(
                "`type` is `{shown}`; `dataset_parquet`, `report_json` and `report_html` are allowed"
            )));
        }
    };
    output(&app, &caller, (&id, None), &[kind], request).await
}

/// The bytes of what one step of a run gave: Parquet or JSON.
#[utoipa::path(get, path = "/v2/workflows/runs/{id}/{step}/outputs", tag = "steps",
    params(("id" = String, Path), ("step" = String, Path), OfStep),
    responses((status = 200, description = "the file", content_type = "application/octet-stream", body = Vec<u8>), (status = "4XX", body = Refused)))]
async fn step_output(
    State(app): State<App>,
    caller: Caller,
    Path((id, step)): Path<(String, String)>,
    Asked(asked): Asked<OfStep>,
    request: Request,
) -> Result<Response, Refusal> {
    let kinds: &[&str] = match asked.format.as_deref() {
        None => &["dataset", "report_json"],
        Some("parquet" | "dataset") => &["dataset"],
        Some("holdout") => &["holdout"],
        Some("model") => &["model"],
        Some("json") => &["report_json"],
        Some("html") => &["report"],
        Some(other) => {
            let shown = bounded(other);
            return Err(Refusal::bad(format!(
                "`format` is `{shown}`; `parquet`, `holdout`, `model`, `json` and `html` are allowed"
            )));
        }
    };
    output(&app, &caller, (&id, Some(&step)), kinds, request).await
}

async fn output(
    app: &App,
    caller: &Caller,
    (id, step): (&str, Option<&str>),
    kinds: &[&str],
    request: Request,
) -> Result<Response, Refusal> {
    let (run, _) = runs::find(app, caller, id, Role::Read).await?;
    let tasks = app.store().tasks(&run.id).await?;
    let place = |action: &str| tasks.iter().find(|task| task.action == action).map_or(-1, |task| task.position);
    let rows = app.store().artifacts(&run.id).await?;
    let mine =
        |row: &&store::ArtifactRow| kinds.contains(&row.kind.as_str()) && step.is_none_or(|step| row.action == step);
    let row = rows.iter().filter(mine).max_by_key(|row| place(&row.action)).ok_or_else(|| {
        Refusal::not_found(if kinds.contains(&"dataset") { "dataset" } else { "output" }, step.unwrap_or(&run.id))
    })?;
    let mut response = super::links::serve(app, &app.store().home().join(&row.path), &row.name, request).await?;
    if row.name.ends_with(".parquet") && response.status().is_success() && !response.body().is_end_stream() {
        let parquet = "application/vnd.apache.parquet".parse().expect("a word is a header");
        response.headers_mut().insert(CONTENT_TYPE, parquet);
    }
    Ok(response)
}

/// No suites of language models.
#[utoipa::path(get, path = "/v2/workflows/model_suites", tag = "steps",
    responses((status = 200, body = ModelSuites), (status = "4XX", body = Refused)))]
async fn model_suites(_caller: Caller) -> Answer<ModelSuites> {
    Ok(Json(ModelSuites { model_suites: Vec::new() }))
}
