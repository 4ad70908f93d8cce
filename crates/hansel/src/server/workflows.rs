//! Workflows: a text that is checked whole when it comes in, kept byte for byte, and run by runs.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{NewWorkflow, Page, Project, Role, RunFilter, Sort, Workflow, WorkflowFilter};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use workflow::{Code, Connections, Plan};

use actions::tasks::StepWorkflow;

use super::answer::{Answer, Nothing, Refusal, Refused, bounded, time};
use super::body::{Asked, Body, Expand, Raw, json};
use super::caller::Caller;
use super::connections::Validated;
use super::jobs::unfit;
use super::people::{Profile, profile};
use super::projects::{ProjectV1, v1};
use super::runs::{Run, RunParts};
use super::search::{Query, page};
use super::state::App;
use crate::engine::{actions_of, read_steps, schedule_now, tasks_of};

/// A workflow.
#[derive(Serialize, ToSchema)]
pub(crate) struct WorkflowRecord {
    id: String,
    name: String,
    /// Guid of the project.
    project_id: String,
    created_by: String,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<String>,
    runner_mode: String,
    #[schema(value_type = Option<Object>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    config_text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_scheduled_run: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<ProjectV1>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_by_profile: Option<Profile>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_by_profile: Option<Profile>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latest_run: Option<Box<Run>>,
}

#[derive(Serialize, ToSchema)]
struct WorkflowSearched {
    workflows: Vec<WorkflowRecord>,
    total: i64,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Search {
    /// `id:…`, `project_id:…`.
    query: Option<String>,
    /// `created_at` or `updated_at`, with `-` before it for falling order.
    sort: Option<String>,
    #[param(minimum = 0)]
    limit: Option<i64>,
    #[param(minimum = 0)]
    skip: Option<i64>,
    /// Fields to leave out: `config`, `config_text`.
    omit: Option<String>,
    /// `project`, `created_by`, `updated_by`, `latest_run`.
    #[allow(dead_code, reason = "read by its own extractor, which also takes repeated values; here for the document")]
    expand: Option<String>,
}

/// A new workflow.
#[derive(Deserialize, ToSchema)]
struct WorkflowWanted {
    /// Guid, id or name of the project.
    project_id: String,
    name: Option<String>,
    #[schema(value_type = Option<Object>)]
    config: Option<Value>,
    /// The workflow as YAML or JSON text; kept byte for byte.
    config_text: Option<String>,
    runner_mode: Option<String>,
}

/// A config to check.
#[derive(Deserialize, ToSchema)]
struct ToCheck {
    #[schema(value_type = Object)]
    config: Value,
    runner_mode: Option<String>,
    /// Project whose connections it may name; without one connections are taken on trust.
    project_id: Option<String>,
}

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(search))
        .routes(routes!(get, delete))
        .routes(routes!(update))
        .routes(routes!(validate_config))
        .routes(routes!(validate_action))
}

/// The workflow and its project, if the caller has this role there.
pub(crate) async fn find(app: &App, caller: &Caller, id: &str, least: Role) -> Result<(Workflow, Project), Refusal> {
    let workflow = app.store().workflow_of(id).await?;
    let project = app.store().project(&workflow.project).await?;
    caller.may(app, &project, least, "workflow", id).await?;
    Ok((workflow, project))
}

/// The mode that is kept for what was asked; everything runs on this server, whatever it is called.
pub(crate) fn runner_mode(asked: Option<&str>) -> Result<String, Refusal> {
    match asked.unwrap_or_default() {
        "" | "RUNNER_MODE_UNSET" | "RUNNER_MODE_CLOUD" => Ok("RUNNER_MODE_CLOUD".into()),
        "RUNNER_MODE_HYBRID" => Ok("RUNNER_MODE_HYBRID".into()),
        other => {
            let shown = bounded(other);
            Err(Refusal::bad(format!("`runner_mode` is `{shown}`; `RUNNER_MODE_CLOUD` is expected")))
        }
    }
}

/// A workflow text that was checked.
pub(crate) enum Checked {
    /// A workflow of actions.
    Actions(Box<Plan>),
    /// A version-2 workflow of steps.
    Steps(StepWorkflow),
}

impl Checked {
    /// What the text calls the workflow.
    pub(crate) fn name(&self) -> &str {
        match self {
            Checked::Actions(plan) => plan.name(),
            Checked::Steps(plan) => &plan.name,
        }
    }

    /// Name and type of every action or step.
    pub(crate) fn tasks(&self) -> Vec<(&str, &str)> {
        match self {
            Checked::Actions(plan) => actions_of(plan),
            Checked::Steps(plan) => tasks_of(plan),
        }
    }

    /// The next moment of its trigger, in microseconds.
    pub(crate) fn next_run(&self) -> Option<i64> {
        match self {
            Checked::Actions(plan) => plan.trigger()?.next(schedule_now()).map(|at| at.as_microsecond()),
            Checked::Steps(_) => None,
        }
    }
}

/// A checked workflow text. A plan is made with the connections of the project, or, for steps, with files that the caller
/// may read; every problem is told.
pub(crate) async fn check(app: &App, caller: &Caller, project: &Project, text: &str) -> Result<Checked, Refusal> {
    if let Some(steps) = read_steps(text) {
        let plan = steps.map_err(unfit)?;
        super::steps::readable(app, caller, project, &plan).await?;
        return Ok(Checked::Steps(plan));
    }
    let connections = crate::memory::connections(app.store(), project, &workflow::connections_named(text)).await?;
    let connections = connections.into_iter().map(|connection| (connection.id.clone(), connection)).collect();
    workflow::plan_to_keep(text, actions::ACTIONS, &Connections::Known(connections))
        .map(|plan| Checked::Actions(Box::new(plan)))
        .map_err(|problems| Refusal::problems(&problems))
}

/// Text and origin of a config that came as text or as JSON.
pub(crate) fn text_of(config: Option<&Value>, text: Option<String>) -> Option<(String, bool)> {
    if let Some(text) = text.filter(|text| !text.trim().is_empty()) {
        return Some((text, false));
    }
    let config = config.filter(|config| !config.is_null())?;
    Some((serde_json::to_string_pretty(config).unwrap_or_default(), true))
}

async fn wire(app: &App, workflow: &Workflow, project: &Project, expand: &Expand) -> Result<WorkflowRecord, Refusal> {
    let latest_run = if expand.wants("latest_run") {
        let filter = RunFilter { workflows: vec![workflow.id.clone()], ..RunFilter::default() };
        let page = Page { limit: 1, skip: 0, sort: Sort::CreatedDesc };
        match app.store().runs_page(&filter, &page).await?.0.first() {
            Some(run) => Some(Box::new(super::runs::wire(app, run, project, &RunParts::default()).await?)),
            None => None,
        }
    } else {
        None
    };
    let person = async |wanted: &str, guid: &str| -> Result<Option<Profile>, Refusal> {
        if expand.wants(wanted) { profile(app, guid).await } else { Ok(None) }
    };
    let given = |text: &str| Some(text.to_string()).filter(|text| !text.is_empty());
    Ok(WorkflowRecord {
        id: workflow.id.clone(),
        name: workflow.name.clone(),
        project_id: project.guid.clone(),
        created_by: workflow.created_by.clone(),
        created_at: time(workflow.created_at),
        updated_by: given(&workflow.updated_by),
        updated_at: Some(time(workflow.updated_at)),
        runner_mode: workflow.runner_mode.clone(),
        config: config_of(&workflow.config_text),
        config_text: given(&workflow.config_text),
        next_scheduled_run: workflow.next_run.map(time),
        project: expand.wants("project").then(|| v1(project)),
        created_by_profile: person("created_by", &workflow.created_by).await?,
        updated_by_profile: person("updated_by", &workflow.updated_by).await?,
        latest_run,
    })
}

/// A workflow text as the JSON object that it stands for.
pub(crate) fn config_of(text: &str) -> Option<Value> {
    if text.is_empty() {
        return None;
    }
    workflow::parse(text).ok().map(|node| node.to_json())
}

/// Makes a workflow. Its config is checked whole; one without a config is allowed, a run of it brings its own.
#[utoipa::path(post, path = "/v1/workflows", tag = "workflows", request_body = WorkflowWanted,
    responses((status = 200, body = WorkflowRecord), (status = "4XX", body = Refused)))]
async fn create(State(app): State<App>, caller: Caller, Body(wanted): Body<WorkflowWanted>) -> Answer<WorkflowRecord> {
    let project = caller.project(&app, &wanted.project_id, Role::Write).await?;
    let runner_mode = runner_mode(wanted.runner_mode.as_deref())?;
    let given = wanted.name.filter(|name| !name.is_empty());
    let new = match text_of(wanted.config.as_ref(), wanted.config_text) {
        Some((text, from_json)) => {
            let plan = check(&app, &caller, &project, &text).await?;
            NewWorkflow {
                project: project.id.clone(),
                name: given.unwrap_or_else(|| plan.name().to_string()),
                next_run: plan.next_run(),
                config_text: text,
                from_json,
                runner_mode,
                created_by: caller.0.guid.clone(),
            }
        }
        None => NewWorkflow {
            project: project.id.clone(),
            name: given.ok_or_else(|| Refusal::bad("neither a config nor a name is given"))?,
            next_run: None,
            config_text: String::new(),
            from_json: false,
            runner_mode,
            created_by: caller.0.guid.clone(),
        },
    };
    let workflow = app.store().create_workflow(&new).await?;
    app.audit(&caller, "create", "workflow", &workflow.id, &project.guid).await?;
    app.queue().ring();
    Ok(Json(wire(&app, &workflow, &project, &Expand(Vec::new())).await?))
}

async fn found(
    app: &App,
    caller: &Caller,
    asked: &Search,
    expand: &Expand,
) -> Result<(Vec<WorkflowRecord>, i64), Refusal> {
    let query = Query::read(asked.query.as_deref(), &["id", "project_id"])?;
    let page = page(asked.limit, asked.skip, asked.sort.as_deref())?;
    let projects = match query.one("project_id") {
        Some(any) => vec![caller.project(app, any, Role::Read).await?.id],
        None => caller.sight(app).await?,
    };
    let filter = WorkflowFilter { projects: Some(projects), ids: query.all("id") };
    let (workflows, total) = app.store().workflows_page(&filter, &page).await?;
    let omit: Vec<&str> = asked.omit.as_deref().unwrap_or_default().split(',').map(str::trim).collect();
    let mut records = Vec::with_capacity(workflows.len());
    for workflow in &workflows {
        let project = app.store().project(&workflow.project).await?;
        let mut record = wire(app, workflow, &project, expand).await?;
        if omit.contains(&"config") {
            record.config = None;
        }
        if omit.contains(&"config_text") {
            record.config_text = None;
        }
        records.push(record);
    }
    Ok((records, total))
}

/// Workflows in the caller's sight.
#[utoipa::path(get, path = "/v1/workflows", tag = "workflows", params(Search),
    responses((status = 200, body = WorkflowSearched), (status = "4XX", body = Refused)))]
async fn list(
    State(app): State<App>,
    caller: Caller,
    expand: Expand,
    Asked(asked): Asked<Search>,
) -> Answer<WorkflowSearched> {
    let (workflows, total) = found(&app, &caller, &asked, &expand).await?;
    Ok(Json(WorkflowSearched { workflows, total }))
}

/// Workflows that a query finds.
#[utoipa::path(get, path = "/v1/workflows/search", tag = "workflows", params(Search),
    responses((status = 200, body = WorkflowSearched), (status = "4XX", body = Refused)))]
async fn search(
    State(app): State<App>,
    caller: Caller,
    expand: Expand,
    Asked(asked): Asked<Search>,
) -> Answer<WorkflowSearched> {
    let (workflows, total) = found(&app, &caller, &asked, &expand).await?;
    Ok(Json(WorkflowSearched { workflows, total }))
}

/// One workflow.
#[utoipa::path(get, path = "/v1/workflows/{id}", tag = "workflows", params(("id" = String, Path)),
    responses((status = 200, body = WorkflowRecord), (status = "4XX", body = Refused)))]
async fn get(State(app): State<App>, caller: Caller, Path(id): Path<String>, expand: Expand) -> Answer<WorkflowRecord> {
    let (workflow, project) = find(&app, &caller, &id, Role::Read).await?;
    Ok(Json(wire(&app, &workflow, &project, &expand).await?))
}

/// Replaces the config: raw YAML (`text/yaml`), kept byte for byte, or JSON. Runs that are there keep theirs.
#[utoipa::path(post, path = "/v1/workflows/{id}/config", tag = "workflows", params(("id" = String, Path)),
    request_body(content((String = "text/yaml"), (Object = "application/json"))),
    responses((status = 200, body = WorkflowRecord), (status = "4XX", body = Refused)))]
async fn update(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Raw(bytes): Raw,
) -> Answer<WorkflowRecord> {
    let (old, project) = find(&app, &caller, &id, Role::Write).await?;
    let kind = headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let (text, from_json) = if kind.starts_with("application/json") {
        // The documented binding sends the text as a JSON string where it is asked to.
        match json::<Value>(&bytes)? {
            Value::String(text) => (text, false),
            value => (serde_json::to_string_pretty(&value).unwrap_or_default(), true),
        }
    } else {
        let text = String::from_utf8(bytes.to_vec()).map_err(|_| Refusal::bad("the config is not UTF-8"))?;
        (text, false)
    };
    let plan = check(&app, &caller, &project, &text).await?;
    let name = (plan.name() != old.name).then(|| plan.name().to_string());
    let workflow =
        app.store().update_workflow(&id, &text, from_json, name.as_deref(), &caller.0.guid, plan.next_run()).await?;
    app.audit(&caller, "update", "workflow", &id, &project.guid).await?;
    app.queue().ring();
    Ok(Json(wire(&app, &workflow, &project, &Expand(Vec::new())).await?))
}

/// Deletes a workflow with its runs. What they published stays where it is.
#[utoipa::path(delete, path = "/v1/workflows/{id}", tag = "workflows", params(("id" = String, Path)),
    responses((status = 200, body = Nothing), (status = "4XX", body = Refused)))]
async fn delete(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Answer<Nothing> {
    let (_, project) = find(&app, &caller, &id, Role::Administrator).await?;
    app.queue().cancel_workflow(&id);
    app.store().delete_workflow(&id).await?;
    app.sink_soon();
    app.audit(&caller, "delete", "workflow", &id, &project.guid).await?;
    Ok(Json(Nothing {}))
}

/// Checks a whole config; every problem comes back at once.
#[utoipa::path(post, path = "/v1/workflows/validate-config", tag = "workflows", request_body = ToCheck,
    responses((status = 200, body = Nothing), (status = "4XX", body = Refused)))]
async fn validate_config(State(app): State<App>, caller: Caller, Body(asked): Body<ToCheck>) -> Answer<Nothing> {
    runner_mode(asked.runner_mode.as_deref())?;
    let text = match &asked.config {
        Value::String(text) => text.clone(),
        value => serde_json::to_string_pretty(value).unwrap_or_default(),
    };
    match &asked.project_id {
        Some(any) => {
            let project = caller.project(&app, any, Role::Read).await?;
            check(&app, &caller, &project, &text).await?;
        }
        None => match read_steps(&text) {
            Some(steps) => drop(steps.map_err(unfit)?),
            None => {
                workflow::plan(&text, actions::ACTIONS, &Connections::Unbound)
                    .map_err(|problems| Refusal::problems(&problems))?;
            }
        },
    }
    Ok(Json(Nothing {}))
}

/// Checks one action by itself: its type, its keys and their values. What it refers to is checked with the whole.
#[utoipa::path(post, path = "/v1/workflows/validate-action", tag = "workflows", request_body = Object,
    params(("runner_mode" = Option<String>, Query)),
    responses((status = 200, body = Validated), (status = "4XX", body = Refused)))]
async fn validate_action(_caller: Caller, Body(action): Body<Value>) -> Answer<Validated> {
    if !action.is_object() {
        return Err(Refusal::new(Code::ConfigInvalid, "an action is a mapping with `name`, `type` and `config`"));
    }
    let text = serde_json::json!({ "name": "action", "actions": [action] }).to_string();
    let problems = match workflow::plan(&text, actions::ACTIONS, &Connections::Unbound) {
        Ok(_) => Vec::new(),
        // What the action refers to is not here to be checked.
        Err(problems) => problems.into_iter().filter(|problem| problem.code != Code::ConfigReference).collect(),
    };
    let said: Vec<String> = problems.iter().map(|problem| problem.to_string()).collect();
    let status = if said.is_empty() { "VALIDATION_STATUS_VALID" } else { "VALIDATION_STATUS_INVALID" };
    Ok(Json(Validated { status: status.into(), message: said.join("; ") }))
}
