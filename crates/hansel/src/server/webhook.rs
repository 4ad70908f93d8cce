//! The webhook of a project: whom this server tells that a run has ended. An addition of ours.

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use store::Role;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::answer::{Answer, Nothing, Refusal, Refused, time};
use super::body::Body;
use super::caller::Caller;
use super::state::App;

/// Shortest and longest secret, in bytes.
const SECRET: std::ops::RangeInclusive<usize> = 16..=256;

/// A webhook, without its secret.
#[derive(Serialize, ToSchema)]
struct Webhook {
    url: String,
    /// Guid of the user who set it.
    created_by: String,
    created_at: String,
}

/// What a webhook is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WebhookWanted {
    /// Where messages are posted to; a host that the server was allowed to reach.
    url: String,
    /// What messages are signed with: 16-256 bytes. It is sealed and never given back.
    secret: String,
}

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get, put, delete))
}

/// The webhook of a project.
#[utoipa::path(get, path = "/v1/projects/{guid}/webhook", tag = "projects", params(("guid" = String, Path)),
    responses((status = 200, body = Webhook), (status = "4XX", body = Refused)))]
async fn get(State(app): State<App>, caller: Caller, Path(guid): Path<String>) -> Answer<Webhook> {
    let project = caller.project(&app, &guid, Role::Administrator).await?;
    let found = app.store().webhook(&project.id).await.map_err(|error| none(error, &guid))?;
    Ok(Json(Webhook { url: found.url, created_by: found.created_by, created_at: time(found.created_at) }))
}

/// Sets the webhook of a project. At the end of each run a signed message is posted to it, until it was heard.
#[utoipa::path(put, path = "/v1/projects/{guid}/webhook", tag = "projects", params(("guid" = String, Path)),
    request_body = WebhookWanted, responses((status = 200, body = Webhook), (status = "4XX", body = Refused)))]
async fn put(
    State(app): State<App>,
    caller: Caller,
    Path(guid): Path<String>,
    Body(wanted): Body<WebhookWanted>,
) -> Answer<Webhook> {
    let project = caller.project(&app, &guid, Role::Administrator).await?;
    if !SECRET.contains(&wanted.secret.len()) {
        return Err(Refusal::bad(format!(
            "`secret` has {} bytes; {}-{} are expected",
            wanted.secret.len(),
            SECRET.start(),
            SECRET.end()
        )));
    }
    app.outside().check(&wanted.url)?;
    let secret = zeroize::Zeroizing::new(wanted.secret);
    let set = app.store().set_webhook(&project.id, &wanted.url, secret.as_bytes(), &caller.0.guid).await?;
    app.audit(&caller, "set", "webhook", &project.id, &project.guid).await?;
    Ok(Json(Webhook { url: set.url, created_by: set.created_by, created_at: time(set.created_at) }))
}

/// Takes the webhook of a project away.
#[utoipa::path(delete, path = "/v1/projects/{guid}/webhook", tag = "projects", params(("guid" = String, Path)),
    responses((status = 200, body = Nothing), (status = "4XX", body = Refused)))]
async fn delete(State(app): State<App>, caller: Caller, Path(guid): Path<String>) -> Answer<Nothing> {
    let project = caller.project(&app, &guid, Role::Administrator).await?;
    app.store().delete_webhook(&project.id).await.map_err(|error| none(error, &guid))?;
    app.audit(&caller, "delete", "webhook", &project.id, &project.guid).await?;
    Ok(Json(Nothing {}))
}

fn none(error: store::StoreError, guid: &str) -> Refusal {
    match error {
        store::StoreError::NotFound { .. } => Refusal::not_found("webhook of project", guid),
        error => error.into(),
    }
}
