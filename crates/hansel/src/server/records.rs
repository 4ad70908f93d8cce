//! Our own additions, under paths that the documented client never asks: what a run did with each object, what it
//! left, its events as they happen, decisions about the gate, and who changed what.

use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{EventRow, Role};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use workflow::Code;

use super::answer::{Answer, Nothing, Refusal, Refused, bounded, time};
use super::body::{Asked, Body};
use super::caller::Caller;
use super::runs::find;
use super::search::page;
use super::state::App;

/// How often a stream of events looks for new ones.
const LOOK: Duration = Duration::from_millis(500);

#[derive(Serialize, ToSchema)]
struct Objects {
    objects: Vec<ObjectRecord>,
}

/// One object of a run.
#[derive(Serialize, ToSchema)]
struct ObjectRecord {
    /// Name of the source action.
    source: String,
    bucket: String,
    key: String,
    /// Which version of it.
    identity: String,
    /// `waiting`, `done` or `failed`.
    state: String,
    /// Code of its failure, empty where it did not fail.
    code: String,
    message: String,
}

#[derive(Serialize, ToSchema)]
struct Artifacts {
    artifacts: Vec<ArtifactRecord>,
}

/// One file that a run left.
#[derive(Serialize, ToSchema)]
struct ArtifactRecord {
    /// Number within the run, for its path.
    number: i64,
    key: String,
    action: String,
    /// `model`, `data`, `report` or `report_json`.
    kind: String,
    name: String,
    bytes: i64,
    /// Path of its bytes on this server.
    href: String,
}

#[derive(Serialize, ToSchema)]
struct Overrides {
    overrides: Vec<OverrideRecord>,
}

/// A decision to let a version of an object through a gate that refuses it.
#[derive(Serialize, ToSchema)]
struct OverrideRecord {
    key: String,
    identity: String,
    reason: String,
    run: String,
    at: String,
}

/// One event of the stream, as its fields.
#[derive(ToSchema)]
#[allow(dead_code, reason = "written field by field; here for the document")]
struct RunEvent {
    /// Number within the run; `Last-Event-ID` goes on behind it.
    id: String,
    /// The kind of the event.
    event: String,
    /// JSON text: `at`, and the event's own fields under `event`.
    data: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LetThrough {
    /// Key of the object that the run refused.
    key: String,
    /// Why it is let through; goes into the log of the run that publishes it.
    reason: String,
}

#[derive(Serialize, ToSchema)]
struct AuditLog {
    entries: Vec<AuditRecord>,
}

/// Who changed what.
#[derive(Serialize, ToSchema)]
struct AuditRecord {
    at: String,
    /// Guid of the user.
    user: String,
    verb: String,
    kind: String,
    id: String,
    /// Guid of the project, empty where there is none.
    project: String,
    note: String,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct AuditAsk {
    /// Only of this project; all for an administrator of the server who names none.
    project_id: Option<String>,
    /// Only before this entry's time, in microseconds since 1970.
    before: Option<i64>,
    #[param(minimum = 0)]
    limit: Option<i64>,
}

/// Records of a run on one page where nothing else is asked for.
const PAGE: i64 = 1000;
/// Reports on one page: each may be long.
const REPORTS: i64 = 100;

/// Which part of a list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Part {
    /// At most so many.
    #[param(minimum = 0)]
    limit: Option<i64>,
    /// Behind so many.
    #[param(minimum = 0)]
    skip: Option<i64>,
}

/// Which objects of a run.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct WhichObjects {
    /// At most so many.
    #[param(minimum = 0)]
    limit: Option<i64>,
    /// Behind so many.
    #[param(minimum = 0)]
    skip: Option<i64>,
    /// Only `waiting`, `done` or `failed` ones.
    state: Option<String>,
}

/// At most how many, behind how many.
fn part(limit: Option<i64>, skip: Option<i64>, usual: i64) -> Result<(i64, i64), Refusal> {
    let page = page(limit.or(Some(usual)), skip, None)?;
    Ok((page.limit, page.skip))
}

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(objects))
        .routes(routes!(artifacts))
        .routes(routes!(artifact))
        .routes(routes!(report))
        .routes(routes!(events))
        .routes(routes!(overrides, let_through, withdraw))
        .routes(routes!(audit_log))
}

/// What a run did with each object, in key order; 1,000 on a page, and none on the one behind the last.
#[utoipa::path(get, path = "/v1/workflows/runs/{id}/objects", tag = "runs", params(("id" = String, Path), WhichObjects),
    responses((status = 200, body = Objects), (status = "4XX", body = Refused)))]
async fn objects(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Asked(asked): Asked<WhichObjects>,
) -> Answer<Objects> {
    let (run, _) = find(&app, &caller, &id, Role::Read).await?;
    let (limit, skip) = part(asked.limit, asked.skip, PAGE)?;
    let state = asked.state.as_deref().unwrap_or_default();
    if !["", "waiting", "done", "failed"].contains(&state) {
        let shown = bounded(state);
        return Err(Refusal::bad(format!("`state` is `{shown}`; `waiting`, `done` and `failed` are allowed")));
    }
    let units = app.store().units_page(&run.id, state, limit, skip).await?;
    let object = |row: store::UnitRow| ObjectRecord {
        source: row.unit.branch,
        bucket: row.unit.bucket,
        key: row.unit.key,
        identity: row.identity,
        state: row.state,
        code: row.code,
        message: row.message,
    };
    Ok(Json(Objects { objects: units.into_iter().map(object).collect() }))
}

/// The files that a run left; 1,000 on a page, and none on the one behind the last.
#[utoipa::path(get, path = "/v1/workflows/runs/{id}/artifacts", tag = "runs", params(("id" = String, Path), Part),
    responses((status = 200, body = Artifacts), (status = "4XX", body = Refused)))]
async fn artifacts(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Asked(asked): Asked<Part>,
) -> Answer<Artifacts> {
    let (run, _) = find(&app, &caller, &id, Role::Read).await?;
    let (limit, skip) = part(asked.limit, asked.skip, PAGE)?;
    let rows = app.store().artifacts_page(&run.id, "", limit, skip).await?;
    let record = |(number, row): (i64, store::ArtifactRow)| ArtifactRecord {
        number,
        href: format!("/v1/workflows/runs/{}/artifacts/{number}", run.id),
        key: row.unit.key,
        action: row.action,
        kind: row.kind,
        name: row.name,
        bytes: row.bytes,
    };
    Ok(Json(Artifacts { artifacts: (skip..).zip(rows).map(record).collect() }))
}

/// The bytes of a file that a run left.
#[utoipa::path(get, path = "/v1/workflows/runs/{id}/artifacts/{number}", tag = "runs",
    params(("id" = String, Path), ("number" = i64, Path)),
    responses((status = 200, description = "the file", content_type = "application/octet-stream", body = Vec<u8>), (status = "4XX", body = Refused)))]
async fn artifact(
    State(app): State<App>,
    caller: Caller,
    Path((id, number)): Path<(String, i64)>,
    request: Request,
) -> Result<Response, Refusal> {
    let (run, _) = find(&app, &caller, &id, Role::Read).await?;
    let rows = app.store().artifacts_page(&run.id, "", i64::from(number >= 0), number.max(0)).await?;
    let row = rows.first().ok_or_else(|| Refusal::not_found("artifact", &number.to_string()))?;
    super::links::serve(&app, &app.store().home().join(&row.path), &row.name, request).await
}

/// The JSON reports of a run, by object; 100 on a page.
#[utoipa::path(get, path = "/v1/workflows/runs/{id}/report", tag = "runs", params(("id" = String, Path), Part),
    responses((status = 200, body = Object), (status = "4XX", body = Refused)))]
async fn report(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Asked(asked): Asked<Part>,
) -> Answer<Value> {
    let (run, _) = find(&app, &caller, &id, Role::Read).await?;
    let (limit, skip) = part(asked.limit, asked.skip, REPORTS)?;
    let rows = app.store().artifacts_page(&run.id, "report_json", limit, skip).await?;
    let mut reports = serde_json::Map::new();
    for row in rows {
        let path = app.store().home().join(&row.path);
        let _in_use = app.at_hand(&path).await?;
        let bytes = tokio::fs::read(&path).await.unwrap_or_default();
        reports.insert(row.unit.key, serde_json::from_slice(&bytes).unwrap_or(Value::Null));
    }
    Ok(Json(serde_json::json!({ "reports": reports })))
}

/// The events of a run as they happen (`text/event-stream`), from behind `Last-Event-ID`; the stream ends with the run.
#[utoipa::path(get, path = "/v1/workflows/runs/{id}/events", tag = "runs", params(("id" = String, Path)),
    responses((status = 200, description = "events", content_type = "text/event-stream", body = RunEvent), (status = "4XX", body = Refused)))]
async fn events(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let (run, _) = find(&app, &caller, &id, Role::Read).await?;
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let after: i64 = last.and_then(|id| id.parse().ok()).unwrap_or(0);
    let told = stream::unfold((app, run.id, after, Vec::new().into_iter(), false), step);
    Ok(Sse::new(told).keep_alive(KeepAlive::default()).into_response())
}

type Told = (App, String, i64, std::vec::IntoIter<EventRow>, bool);

/// The next event of a stream, waited for where there is none yet.
async fn step((app, run, mut after, mut rows, mut over): Told) -> Option<(Result<Event, Infallible>, Told)> {
    loop {
        if let Some(row) = rows.next() {
            after = row.seq;
            over |= row.kind == "finished";
            let body = serde_json::json!({ "at": time(row.at), "event": row.body });
            let event = Event::default().id(row.seq.to_string()).event(&row.kind).data(body.to_string());
            return Some((Ok(event), (app, run, after, rows, over)));
        }
        if over {
            return None;
        }
        let found = app.store().events_page(&run, after, 500).await.ok()?;
        if found.is_empty() {
            // A run that is over and has no event left to tell ends the stream, as does one that was deleted.
            let ended = app.store().run(&run).await.ok()?.ended_at.is_some();
            if ended && app.store().events_page(&run, after, 1).await.ok()?.is_empty() {
                return None;
            }
            tokio::time::sleep(LOOK).await;
        }
        rows = found.into_iter();
    }
}

/// What somebody let through the gates of the run's workflow.
#[utoipa::path(get, path = "/v1/workflows/runs/{id}/gate", tag = "runs", params(("id" = String, Path)),
    responses((status = 200, body = Overrides), (status = "4XX", body = Refused)))]
async fn overrides(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Answer<Overrides> {
    let (run, _) = find(&app, &caller, &id, Role::Read).await?;
    let found = app.store().overrides(&run.workflow).await?;
    let record = |one: store::LetThrough| OverrideRecord {
        key: one.unit.key,
        identity: one.identity,
        reason: one.reason,
        run: one.run,
        at: time(one.at),
    };
    Ok(Json(Overrides { overrides: found.into_values().map(record).collect() }))
}

/// Lets the version of an object that this run refused through the gate, from the next run on.
#[utoipa::path(post, path = "/v1/workflows/runs/{id}/gate", tag = "runs", params(("id" = String, Path)),
    request_body = LetThrough, responses((status = 200, body = OverrideRecord), (status = "4XX", body = Refused)))]
async fn let_through(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(asked): Body<LetThrough>,
) -> Answer<OverrideRecord> {
    let (run, project) = find(&app, &caller, &id, Role::Administrator).await?;
    if asked.reason.trim().is_empty() {
        return Err(Refusal::bad("`reason` is empty; say why the object is let through"));
    }
    let one = app.store().let_through(&run.id, &asked.key, Code::GateRefused.name(), asked.reason.trim()).await?;
    app.audit(&caller, "let through", "object", &asked.key, &project.guid).await?;
    Ok(Json(OverrideRecord {
        key: one.unit.key,
        identity: one.identity,
        reason: one.reason,
        run: one.run,
        at: time(one.at),
    }))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ByKey {
    /// Key of the object.
    key: String,
}

/// Takes such a decision back.
#[utoipa::path(delete, path = "/v1/workflows/runs/{id}/gate", tag = "runs", params(("id" = String, Path), ByKey),
    responses((status = 200, body = Nothing), (status = "4XX", body = Refused)))]
async fn withdraw(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Asked(asked): Asked<ByKey>,
) -> Answer<Nothing> {
    let (run, project) = find(&app, &caller, &id, Role::Administrator).await?;
    app.store().withdraw_override(&run.workflow, &asked.key).await?;
    app.audit(&caller, "withdraw", "object", &asked.key, &project.guid).await?;
    Ok(Json(Nothing {}))
}

/// Who changed what, newest first.
#[utoipa::path(get, path = "/v1/audit", tag = "operations", params(AuditAsk),
    responses((status = 200, body = AuditLog), (status = "4XX", body = Refused)))]
async fn audit_log(State(app): State<App>, caller: Caller, Asked(asked): Asked<AuditAsk>) -> Answer<AuditLog> {
    let project = match &asked.project_id {
        Some(any) => Some(caller.project(&app, any, Role::Administrator).await?.guid),
        None => {
            caller.administrator()?;
            None
        }
    };
    let limit = page(asked.limit, None, None)?.limit.min(1000);
    let entries = app.store().audit_log(project.as_deref(), asked.before, limit).await?;
    let record = |entry: store::AuditEntry| AuditRecord {
        at: time(entry.at),
        user: entry.user,
        verb: entry.verb,
        kind: entry.kind,
        id: entry.id,
        project: entry.project,
        note: entry.note,
    };
    Ok(Json(AuditLog { entries: entries.into_iter().map(record).collect() }))
}
