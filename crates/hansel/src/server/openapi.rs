//! The OpenAPI document, generated from the routes, and a page to browse it.

use axum::Router;
use axum::response::{Html, IntoResponse};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Components, Info, OpenApi, OpenApiBuilder};

use super::state::App;

/// The document before the routes are in it.
pub(crate) fn head() -> OpenApi {
    let mut info = Info::new("Hansel", env!("CARGO_PKG_VERSION"));
    info.description = Some(
        "What the documented client calls, and additions under /v1 that it ignores. Every request but /healthz, \
         /readyz, /metrics and signed links carries an API key."
            .into(),
    );
    let mut components = Components::new();
    let header = ApiKey::Header(ApiKeyValue::with_description("Authorization", "The key itself, or `Bearer` and it."));
    components.add_security_scheme("key", SecurityScheme::ApiKey(header));
    let key = SecurityRequirement::new::<_, [&str; 0], &str>("key", []);
    OpenApiBuilder::new().info(info).components(Some(components)).security(Some([key])).build()
}

pub(crate) fn routes(document: OpenApi) -> Router<App> {
    let text = document.to_json().unwrap_or_default();
    let page = super::apipage::page(&document);
    let json = move || async move { ([("content-type", "application/json")], text).into_response() };
    let html = move || async move { Html(page) };
    Router::new().route("/openapi.json", axum::routing::get(json)).route("/api", axum::routing::get(html))
}
