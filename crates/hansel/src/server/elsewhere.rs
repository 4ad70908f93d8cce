//! What the documented service had and one server of ours has no use for: valid answers that hold nothing.

use axum::Json;
use axum::extract::Path;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::answer::{Answer, Refusal, Refused};
use super::caller::Caller;
use super::state::App;

#[derive(Serialize, ToSchema)]
struct Clusters {
    #[schema(value_type = Vec<Object>)]
    clusters: Vec<Value>,
}

#[derive(Serialize, ToSchema)]
struct Tenants {
    #[schema(value_type = Vec<Object>)]
    tenants: Vec<Value>,
}

#[derive(Serialize, ToSchema)]
struct Events {
    #[schema(value_type = Vec<Object>)]
    events: Vec<Value>,
    total: i64,
}

#[derive(Serialize, ToSchema)]
struct ElsewhereModels {
    #[schema(value_type = Vec<Object>)]
    models: Vec<Value>,
}

#[derive(Serialize, ToSchema)]
struct Invites {
    data: InvitesData,
}

#[derive(Serialize, ToSchema)]
struct InvitesData {
    #[schema(value_type = Vec<Object>)]
    invites: Vec<Value>,
}

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(clusters))
        .routes(routes!(cluster))
        .routes(routes!(tenants))
        .routes(routes!(activity))
        .routes(routes!(invites))
        .routes(routes!(inference_models))
}

/// No clusters: this server does all work itself.
#[utoipa::path(get, path = "/v1/clusters", tag = "elsewhere",
    responses((status = 200, body = Clusters), (status = "4XX", body = Refused)))]
async fn clusters(_caller: Caller) -> Answer<Clusters> {
    Ok(Json(Clusters { clusters: Vec::new() }))
}

/// No cluster of any id.
#[utoipa::path(get, path = "/v1/clusters/{id}", tag = "elsewhere", params(("id" = String, Path)),
    responses((status = "4XX", body = Refused)))]
async fn cluster(_caller: Caller, Path(id): Path<String>) -> Answer<Clusters> {
    Err(Refusal::not_found("cluster", &id))
}

/// No tenants: this server is the one that was asked.
#[utoipa::path(get, path = "/v1/serverless/tenants", tag = "elsewhere",
    responses((status = 200, body = Tenants), (status = "4XX", body = Refused)))]
async fn tenants(_caller: Caller) -> Answer<Tenants> {
    Ok(Json(Tenants { tenants: Vec::new() }))
}

/// No events of the documented service; what happened here is in the audit log.
#[utoipa::path(get, path = "/v1/activity", tag = "elsewhere",
    responses((status = 200, body = Events), (status = "4XX", body = Refused)))]
async fn activity(_caller: Caller) -> Answer<Events> {
    Ok(Json(Events { events: Vec::new(), total: 0 }))
}

/// No open invitations: a role is given at once.
#[utoipa::path(get, path = "/users/me/invites", tag = "elsewhere",
    responses((status = 200, body = Invites), (status = "4XX", body = Refused)))]
async fn invites(_caller: Caller) -> Answer<Invites> {
    Ok(Json(Invites { data: InvitesData { invites: Vec::new() } }))
}

/// No language models to ask.
#[utoipa::path(get, path = "/v1/inference/models", tag = "elsewhere",
    responses((status = 200, body = ElsewhereModels), (status = "4XX", body = Refused)))]
async fn inference_models(_caller: Caller) -> Answer<ElsewhereModels> {
    Ok(Json(ElsewhereModels { models: Vec::new() }))
}
