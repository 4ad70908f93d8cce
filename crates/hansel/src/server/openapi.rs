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
         /readyz, /metrics, /login and signed links carries an API key, a session or a token of the issuer."
            .into(),
    );
    let mut components = Components::new();
    let header = ApiKey::Header(ApiKeyValue::with_description(
        "Authorization",
        "The key itself, or `Bearer` and it, or `Bearer` and a token of the issuer, where the server has one.",
    ));
    components.add_security_scheme("key", SecurityScheme::ApiKey(header));
    let cookie = ApiKey::Cookie(ApiKeyValue::with_description(
        "hansel_session",
        "What `/login` gives a browser. Whatever is not GET or HEAD carries `x-hansel-session: 1` beside it.",
    ));
    components.add_security_scheme("session", SecurityScheme::ApiKey(cookie));
    let either = ["key", "session"].map(|name| SecurityRequirement::new::<_, [&str; 0], &str>(name, []));
    OpenApiBuilder::new().info(info).components(Some(components)).security(Some(either)).build()
}

pub(crate) fn routes(document: OpenApi) -> Router<App> {
    let text = document.to_json().unwrap_or_default();
    let page = super::apipage::page(&document);
    let json = move || async move { ([("content-type", "application/json")], text).into_response() };
    let html = move || async move { Html(page) };
    Router::new().route("/openapi.json", axum::routing::get(json)).route("/api", axum::routing::get(html))
}
