//! Runs and their tasks: asked for here, worked on by the queue.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{NewRun, Project, Role, RunFilter, Task};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use workflow::Code;

use super::answer::{Answer, Refusal, Refused, bounded, time};
use super::body::{Asked, Body, Expand};
use super::caller::Caller;
use super::people::{Profile, profile};
use super::projects::{ProjectV1, v1};
use super::search::{Query, page};
use super::state::App;
use super::workflows::{self, Checked};

/// A run of a workflow.
#[derive(Serialize, ToSchema)]
pub(crate) struct Run {
    id: String,
    workflow_id: String,
    /// Guid of the project.
    project_id: String,
    runner_mode: String,
    /// `RUN_STATUS_CREATED`, `…_PENDING`, `…_ACTIVE`, `…_CANCELLING`, or at the end `…_COMPLETED`, `…_ERROR`,
    /// `…_CANCELLED`, `…_LOST`.
    status: String,
    status_details: StatusDetails,
    created_by: String,
    created_at: String,
    updated_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[schema(value_type = Option<Object>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<Value>,
    config_text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pending_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    active_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lost_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancelled_at: Option<String>,
    /// When the run ended, however it did; an addition to the documented record.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancellation_request: Option<Cancellation>,
    /// Seconds of work, in the spelling of the documented record.
    total_compute_time_sconds: i64,
    /// The run whose failures this one took up; an addition to the documented record.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_of: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_by_profile: Option<Profile>,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<ProjectV1>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actions: Option<Vec<Action>>,
}

#[derive(Serialize, ToSchema)]
struct StatusDetails {
    message: String,
}

#[derive(Serialize, ToSchema)]
struct Cancellation {
    requested_by: String,
    requested_at: String,
}

/// One action of a run, in the order written.
#[derive(Serialize, ToSchema)]
struct Action {
    name: String,
    action_type: String,
    status: String,
    task_id: String,
    run_id: String,
}

/// The execution of one action in one run.
#[derive(Serialize, ToSchema)]
struct TaskRecord {
    id: String,
    workflow_run_id: String,
    project_id: String,
    log_location: String,
    status: String,
    action_name: String,
    action_type: String,
    created_by: String,
    created_at: String,
    updated_at: String,
    /// What went wrong, in one line; empty where nothing did.
    error_msg: String,
    /// Exit code that the command line has for it; 0 where nothing went wrong.
    error_code: i64,
    stack_trace: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    active_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    completed_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancelled_at: Option<String>,
    total_compute_time_sconds: i64,
}

#[derive(Serialize, ToSchema)]
struct RunsSearched {
    runs: Vec<Run>,
    total: i64,
}

#[derive(Serialize, ToSchema)]
struct TasksSearched {
    tasks: Vec<TaskRecord>,
    total: i64,
}

/// A run to make.
#[derive(Deserialize, ToSchema)]
struct RunWanted {
    workflow_id: String,
    /// 3-30 characters, a letter first, then letters, digits, `-` and `_`.
    name: Option<String>,
    /// Used for this run instead of the workflow's own.
    #[schema(value_type = Option<Object>)]
    config: Option<Value>,
    config_text: Option<String>,
}

#[derive(Default, Deserialize, ToSchema)]
struct Retry {
    name: Option<String>,
    #[schema(value_type = Option<Object>)]
    config: Option<Value>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Search {
    /// `id:…`, `workflow_id:…`, `project_id:…`, `status:…`; for tasks `workflow_run_id:…`.
    query: Option<String>,
    /// `created_at` or `updated_at`, with `-` before it for falling order.
    sort: Option<String>,
    #[param(minimum = 0)]
    limit: Option<i64>,
    #[param(minimum = 0)]
    skip: Option<i64>,
    /// `project`, `created_by`, `actions`.
    #[allow(dead_code, reason = "read by its own extractor, which also takes repeated values; here for the document")]
    expand: Option<String>,
}

/// Which parts of a run are told beside its own fields.
#[derive(Default)]
pub(crate) struct RunParts {
    project: bool,
    created_by: bool,
    actions: bool,
}

impl RunParts {
    fn of(expand: &Expand) -> RunParts {
        RunParts {
            project: expand.wants("project"),
            created_by: expand.wants("created_by"),
            actions: expand.wants("actions"),
        }
    }
}

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create))
        .routes(routes!(search))
        .routes(routes!(get))
        .routes(routes!(cancel))
        .routes(routes!(retry))
        .routes(routes!(search_tasks))
        .routes(routes!(get_task))
}

/// The run and its project, if the caller has this role there.
pub(crate) async fn find(app: &App, caller: &Caller, id: &str, least: Role) -> Result<(store::Run, Project), Refusal> {
    let run = app.store().run(id).await?;
    let project = app.store().project(&run.project).await?;
    caller.may(app, &project, least, "run", id).await?;
    Ok((run, project))
}

pub(crate) async fn wire(app: &App, run: &store::Run, project: &Project, parts: &RunParts) -> Result<Run, Refusal> {
    let ended = |status: &str| run.ended_at.filter(|_| run.status == status).map(time);
    let actions = match parts.actions {
        true => {
            let tasks = app.store().tasks(&run.id).await?;
            let action = |task: &Task| Action {
                name: task.action.clone(),
                action_type: task.action_type.clone(),
                status: task.status.clone(),
                task_id: task.id.clone(),
                run_id: run.id.clone(),
            };
            Some(tasks.iter().map(action).collect())
        }
        false => None,
    };
    let given = |text: &str| Some(text.to_string()).filter(|text| !text.is_empty());
    Ok(Run {
        id: run.id.clone(),
        workflow_id: run.workflow.clone(),
        project_id: project.guid.clone(),
        runner_mode: "RUNNER_MODE_CLOUD".into(),
        status: run.status.clone(),
        status_details: StatusDetails { message: run.message.clone() },
        created_by: run.created_by.clone(),
        created_at: time(run.created_at),
        updated_at: time(run.updated_at),
        name: given(&run.name),
        config: workflows::config_of(&run.config),
        config_text: run.config.clone(),
        pending_at: (run.status != "RUN_STATUS_CREATED").then(|| time(run.created_at)),
        active_at: run.started_at.map(time),
        error_at: ended("RUN_STATUS_ERROR"),
        lost_at: ended("RUN_STATUS_LOST"),
        cancelled_at: ended("RUN_STATUS_CANCELLED"),
        ended_at: run.ended_at.map(time),
        cancellation_request: run
            .cancel_at
            .map(|at| Cancellation { requested_by: run.cancel_by.clone(), requested_at: time(at) }),
        total_compute_time_sconds: seconds(run.started_at, run.ended_at),
        retry_of: given(&run.retry_of),
        created_by_profile: if parts.created_by { profile(app, &run.created_by).await? } else { None },
        project: parts.project.then(|| v1(project)),
        actions,
    })
}

fn seconds(started: Option<i64>, ended: Option<i64>) -> i64 {
    let Some(started) = started else { return 0 };
    let ended = ended.unwrap_or_else(|| jiff::Timestamp::now().as_microsecond());
    (ended - started).max(0) / 1_000_000
}

fn task_record(task: &Task, run: &store::Run, project: &Project) -> TaskRecord {
    let ended = |status: &str| task.ended_at.filter(|_| task.status == status).map(time);
    TaskRecord {
        id: task.id.clone(),
        workflow_run_id: task.run.clone(),
        project_id: project.guid.clone(),
        log_location: String::new(),
        status: task.status.clone(),
        action_name: task.action.clone(),
        action_type: task.action_type.clone(),
        created_by: run.created_by.clone(),
        created_at: time(task.created_at),
        updated_at: time(task.updated_at),
        error_msg: task.error_msg.clone(),
        error_code: Code::named(&task.error_code).map_or(0, |code| i64::from(code.exit())),
        stack_trace: String::new(),
        active_at: task.started_at.map(time),
        completed_at: ended("RUN_STATUS_COMPLETED"),
        error_at: ended("RUN_STATUS_ERROR"),
        cancelled_at: ended("RUN_STATUS_CANCELLED"),
        total_compute_time_sconds: seconds(task.started_at, task.ended_at),
    }
}

/// Checks a run's name.
pub(crate) fn named(name: Option<String>) -> Result<String, Refusal> {
    let Some(name) = name.filter(|name| !name.is_empty()) else { return Ok(String::new()) };
    let first = name.chars().next().is_some_and(|c| c.is_ascii_alphabetic());
    let rest = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if first && rest && (3..=30).contains(&name.len()) {
        return Ok(name);
    }
    let shown = bounded(&name);
    Err(Refusal::bad(format!(
        "`{shown}` is not a name for a run; 3-30 letters, digits, `-` and `_`, a letter first, are allowed"
    )))
}

/// A run that is about to be made.
pub(crate) struct Wanted<'a> {
    pub(crate) workflow: &'a str,
    pub(crate) text: &'a str,
    pub(crate) name: &'a str,
    /// Id of the run that it takes up; empty for the others.
    pub(crate) retry_of: &'a str,
}

/// Makes a run of a checked text with its tasks, and calls the queue.
pub(crate) async fn make(
    app: &App,
    caller: &Caller,
    wanted: &Wanted<'_>,
    checked: &Checked,
) -> Result<store::Run, Refusal> {
    let new = NewRun {
        workflow: wanted.workflow,
        config: wanted.text,
        options: "",
        name: wanted.name,
        created_by: &caller.0.guid,
        retry_of: wanted.retry_of,
        status: "RUN_STATUS_CREATED",
        scheduled: false,
    };
    let run = app.store().create_run(&new).await?;
    app.store().create_tasks(&run.id, &checked.tasks()).await?;
    app.queue().ring();
    Ok(run)
}

/// Makes a run. It begins as soon as no other run of the workflow is active.
#[utoipa::path(post, path = "/v1/workflows/runs", tag = "runs", request_body = RunWanted,
    responses((status = 200, body = Run), (status = "4XX", body = Refused)))]
async fn create(State(app): State<App>, caller: Caller, Body(wanted): Body<RunWanted>) -> Answer<Run> {
    let (workflow, project) = workflows::find(&app, &caller, &wanted.workflow_id, Role::Write).await?;
    let name = named(wanted.name)?;
    let own = workflows::text_of(wanted.config.as_ref(), wanted.config_text).map(|(text, _)| text);
    let text = match own {
        Some(text) => text,
        None if workflow.config_text.is_empty() => {
            let message = format!("workflow `{}` has no config, and none came with the run", workflow.id);
            return Err(Refusal::new(Code::ConfigInvalid, message));
        }
        None => workflow.config_text.clone(),
    };
    let checked = workflows::check(&app, &caller, &project, &text).await?;
    let wanted = Wanted { workflow: &workflow.id, text: &text, name: &name, retry_of: "" };
    let run = make(&app, &caller, &wanted, &checked).await?;
    app.audit(&caller, "create", "run", &run.id, &project.guid).await?;
    Ok(Json(wire(&app, &run, &project, &RunParts::default()).await?))
}

/// Runs that a query finds, newest first.
#[utoipa::path(get, path = "/v1/workflows/runs/search", tag = "runs", params(Search),
    responses((status = 200, body = RunsSearched), (status = "4XX", body = Refused)))]
async fn search(
    State(app): State<App>,
    caller: Caller,
    expand: Expand,
    Asked(asked): Asked<Search>,
) -> Answer<RunsSearched> {
    let fields = ["id", "workflow_id", "project_id", "status", "runner_mode", "cancellation_request"];
    let query = Query::read(asked.query.as_deref(), &fields)?;
    let page = page(asked.limit, asked.skip, asked.sort.as_deref())?;
    let projects = match query.one("project_id") {
        Some(any) => vec![caller.project(&app, any, Role::Read).await?.id],
        None => caller.sight(&app).await?,
    };
    let filter = RunFilter {
        ids: query.all("id"),
        workflows: query.all("workflow_id"),
        projects: Some(projects),
        statuses: query.all("status"),
    };
    let (found, total) = app.store().runs_page(&filter, &page).await?;
    let parts = RunParts::of(&expand);
    let mut runs = Vec::with_capacity(found.len());
    // A page is mostly of one project: each is looked up once.
    let mut projects: BTreeMap<&str, Project> = BTreeMap::new();
    for run in &found {
        if !projects.contains_key(run.project.as_str()) {
            projects.insert(&run.project, app.store().project(&run.project).await?);
        }
        runs.push(wire(&app, run, &projects[run.project.as_str()], &parts).await?);
    }
    Ok(Json(RunsSearched { runs, total }))
}

/// One run.
#[utoipa::path(get, path = "/v1/workflows/runs/{id}", tag = "runs", params(("id" = String, Path)),
    responses((status = 200, body = Run), (status = "4XX", body = Refused)))]
async fn get(State(app): State<App>, caller: Caller, Path(id): Path<String>, expand: Expand) -> Answer<Run> {
    let (run, project) = find(&app, &caller, &id, Role::Read).await?;
    Ok(Json(wire(&app, &run, &project, &RunParts::of(&expand)).await?))
}

/// Asks a run to stop: what is under way is aborted, what was published stays.
#[utoipa::path(patch, path = "/v1/workflows/runs/{id}/cancel", tag = "runs", params(("id" = String, Path)),
    responses((status = 200, body = Run), (status = "4XX", body = Refused)))]
async fn cancel(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Answer<Run> {
    let (_, project) = find(&app, &caller, &id, Role::Write).await?;
    let run = app.queue().cancel_run(&id, &caller.0.guid).await?;
    app.audit(&caller, "cancel", "run", &id, &project.guid).await?;
    Ok(Json(wire(&app, &run, &project, &RunParts::default()).await?))
}

/// Makes a new run that takes up the objects which failed or were left open in this one.
#[utoipa::path(post, path = "/v1/workflows/runs/{id}/retry_failures", tag = "runs", params(("id" = String, Path)),
    request_body = Retry, responses((status = 200, body = Run), (status = "4XX", body = Refused)))]
async fn retry(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(asked): Body<Retry>,
) -> Answer<Run> {
    let (old, project) = find(&app, &caller, &id, Role::Write).await?;
    if !["RUN_STATUS_ERROR", "RUN_STATUS_CANCELLED", "RUN_STATUS_LOST"].contains(&old.status.as_str()) {
        let message = format!("run `{id}` is {}; only a run that failed or was cut off can be retried", old.status);
        return Err(Refusal::new(Code::RunConflict, message));
    }
    let name = named(asked.name)?;
    let text = workflows::text_of(asked.config.as_ref(), None).map_or(old.config.clone(), |(text, _)| text);
    let checked = workflows::check(&app, &caller, &project, &text).await?;
    let wanted = Wanted { workflow: &old.workflow, text: &text, name: &name, retry_of: &old.id };
    let run = make(&app, &caller, &wanted, &checked).await?;
    app.audit(&caller, "retry", "run", &id, &project.guid).await?;
    Ok(Json(wire(&app, &run, &project, &RunParts::default()).await?))
}

/// Tasks of a run, in the order of its actions.
#[utoipa::path(get, path = "/v1/workflows/runs/tasks/search", tag = "runs", params(Search),
    responses((status = 200, body = TasksSearched), (status = "4XX", body = Refused)))]
async fn search_tasks(State(app): State<App>, caller: Caller, Asked(asked): Asked<Search>) -> Answer<TasksSearched> {
    let query = Query::read(asked.query.as_deref(), &["workflow_run_id", "id", "status"])?;
    let page = page(asked.limit, asked.skip, asked.sort.as_deref())?;
    let Some(id) = query.one("workflow_run_id") else {
        return Err(Refusal::bad("`query` names no run; `workflow_run_id:wr_…` is expected"));
    };
    let (run, project) = find(&app, &caller, id, Role::Read).await?;
    let (ids, statuses) = (query.all("id"), query.all("status"));
    let tasks: Vec<Task> = app
        .store()
        .tasks(&run.id)
        .await?
        .into_iter()
        .filter(|task| ids.is_empty() || ids.contains(&task.id))
        .filter(|task| statuses.is_empty() || statuses.contains(&task.status))
        .collect();
    let total = tasks.len() as i64;
    let records = tasks.iter().skip(usize::try_from(page.skip).unwrap_or(usize::MAX));
    let records = records.take(usize::try_from(page.limit).unwrap_or(usize::MAX));
    Ok(Json(TasksSearched { tasks: records.map(|task| task_record(task, &run, &project)).collect(), total }))
}

/// One task.
#[utoipa::path(get, path = "/v1/workflows/runs/tasks/{id}", tag = "runs", params(("id" = String, Path)),
    responses((status = 200, body = TaskRecord), (status = "4XX", body = Refused)))]
async fn get_task(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Answer<TaskRecord> {
    let task = app.store().task(&id).await?;
    let Ok((run, project)) = find(&app, &caller, &task.run, Role::Read).await else {
        return Err(Refusal::not_found("task", &id));
    };
    Ok(Json(task_record(&task, &run, &project)))
}
