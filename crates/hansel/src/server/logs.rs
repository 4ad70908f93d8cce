//! The log of a task, folded from the run's journal.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use store::{EventRow, Role};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::answer::{Answer, Refusal, Refused, time};
use super::body::Asked;
use super::caller::Caller;
use super::search::Query;
use super::state::App;

/// A page of a log. The token is behind the last line; a page without lines means that there is no more yet.
#[derive(Serialize, ToSchema)]
struct Page {
    lines: Vec<LogLine>,
    next_page_token: String,
}

/// One line of a log.
#[derive(Serialize, ToSchema)]
struct LogLine {
    msg: String,
    /// Strictly rising within a task.
    ts: String,
    level: String,
    marker: String,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Ask {
    /// `workflowTask:wt_…`.
    query: Option<String>,
    #[param(minimum = 0)]
    limit: Option<i64>,
    page_token: Option<String>,
    /// Only lines of this level: `info`, `warning` or `error`.
    level: Option<String>,
}

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(logs))
}

/// The log of a task, oldest line first.
#[utoipa::path(get, path = "/v1/logs", tag = "runs", params(Ask),
    responses((status = 200, body = Page), (status = "4XX", body = Refused)))]
async fn logs(State(app): State<App>, caller: Caller, Asked(asked): Asked<Ask>) -> Answer<Page> {
    let query = Query::read(asked.query.as_deref(), &["workflowTask"])?;
    let Some(id) = query.one("workflowTask") else {
        return Err(Refusal::bad("`query` names no task; `workflowTask:wt_…` is expected"));
    };
    let task = app.store().task(id).await?;
    if super::runs::find(&app, &caller, &task.run, Role::Read).await.is_err() {
        return Err(Refusal::not_found("task", id));
    }
    let after: i64 = match asked.page_token.as_deref().filter(|token| !token.is_empty()) {
        None => 0,
        Some(token) => token
            .parse()
            .ok()
            .filter(|after| *after >= 0)
            .ok_or_else(|| Refusal::bad("`page_token` is none that this server gave"))?,
    };
    let limit = super::search::page(asked.limit.or(Some(1000)), None, None)?.limit.min(10_000);
    let level = asked.level.as_deref().unwrap_or_default().to_lowercase();
    let (mut lines, mut next) = (Vec::new(), after);
    // Events that say nothing make no page: one without lines stands for the end.
    while (lines.len() as i64) < limit {
        let events = app.store().task_events(&task.run, &task.action, next, limit - lines.len() as i64).await?;
        let Some(last) = events.last() else { break };
        next = last.seq;
        lines.extend(events.iter().filter_map(line).filter(|line| level.is_empty() || line.level == level));
    }
    Ok(Json(Page { lines, next_page_token: next.to_string() }))
}

/// The line of an event; one that says nothing has none.
fn line(event: &EventRow) -> Option<LogLine> {
    let (level, msg) = crate::told::line(&event.kind, &event.body)?;
    Some(LogLine { msg, ts: time(event.at), level, marker: event.kind.clone() })
}
