//! Every route of the server behind its guards.

use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use workflow::Code;

use super::answer::{Answer, Refusal, Refused};
use super::state::App;
use super::{
    artifacts, connections, elsewhere, files, guard, handlers, links, login, logs, models, openapi, projects, records,
    runs, steps, users, webhook, workflows,
};

/// Whether the server is well.
#[derive(Serialize, ToSchema)]
struct Health {
    status: String,
}

/// The whole server as one service.
pub(crate) fn router(app: App, metrics: PrometheusHandle) -> Router {
    let (router, document) = documented().split_for_parts();
    let limit = app.settings().body_bytes_max;
    // Links and uploads have a limit of their own, and no key.
    let router = router.layer(DefaultBodyLimit::max(limit)).merge(links::routes().split_for_parts().0);
    let router = router
        .merge(openapi::routes(document))
        .route(
            "/metrics",
            axum::routing::get(move |State(app): State<App>| async move { guard::figures(&metrics, &app) }),
        )
        .fallback(nowhere)
        .method_not_allowed_fallback(not_so);
    guard::around(router, &app).with_state(app)
}

/// The routes that the OpenAPI document describes.
pub(crate) fn documented() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(openapi::head())
        .merge(users::routes())
        .merge(projects::routes())
        .merge(webhook::routes())
        .merge(connections::routes())
        .merge(workflows::routes())
        .merge(runs::routes())
        .merge(records::routes())
        .merge(logs::routes())
        .merge(models::routes())
        .merge(handlers::routes())
        .merge(artifacts::routes())
        .merge(files::routes().layer(DefaultBodyLimit::disable()))
        .merge(steps::routes())
        .merge(elsewhere::routes())
        .merge(login::routes())
        .routes(routes!(health))
        .routes(routes!(ready))
}

/// That the process answers.
#[utoipa::path(get, path = "/healthz", tag = "operations", responses((status = 200, body = Health)), security(()))]
async fn health() -> Json<Health> {
    Json(Health { status: "ok".into() })
}

/// That the server can work: its memory answers.
#[utoipa::path(get, path = "/readyz", tag = "operations", security(()),
    responses((status = 200, body = Health), (status = 503, body = Refused)))]
async fn ready(State(app): State<App>) -> Answer<Health> {
    match app.store().open_runs().await {
        Ok(_) => Ok(Json(Health { status: "ok".into() })),
        Err(error) => {
            tracing::error!(%error, "the store failed");
            Err(Refusal::new(Code::ServerUnready, "the server's memory does not answer"))
        }
    }
}

async fn nowhere(request: axum::extract::Request) -> Response {
    let path: String = request.uri().path().chars().take(200).collect();
    Refusal::new(Code::NotFound, format!("nothing is at `{path}`")).into_response()
}

async fn not_so(request: axum::extract::Request) -> Response {
    let path: String = request.uri().path().chars().take(200).collect();
    let message = format!("`{path}` does not take {}", request.method());
    let mut response = Refusal::new(Code::RequestInvalid, message).into_response();
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    response
}
