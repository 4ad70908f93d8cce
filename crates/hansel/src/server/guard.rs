//! What stands around every route: a name for each request, a limit for each key, figures and a line in the log, and
//! no answer that is not ours.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use governor::clock::Clock;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use sha2::{Digest, Sha256};
use tracing::Instrument;
use workflow::{Code, Failure};

use super::answer::Refusal;
use super::state::App;

/// Bounds of the request times that are counted, in seconds.
const SECONDS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

type Limiter = Arc<DefaultKeyedRateLimiter<[u8; 16]>>;

/// Where the process's figures are gathered.
pub(crate) fn metrics() -> Result<PrometheusHandle, Failure> {
    let internal = |error: metrics_exporter_prometheus::BuildError| {
        Failure::new(Code::Internal, "figures cannot be gathered").cause(error)
    };
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full("hansel_http_request_seconds".into()), SECONDS)
        .map_err(internal)?;
    builder.install_recorder().map_err(internal)
}

/// All figures as text, with how much is under way right now.
pub(crate) fn figures(metrics: &PrometheusHandle, app: &App) -> String {
    let (runs, jobs) = app.queue().working();
    metrics::gauge!("hansel_runs_active").set(runs as f64);
    metrics::gauge!("hansel_jobs_active").set(jobs as f64);
    metrics.run_upkeep();
    metrics.render()
}

/// The routes with their guards around them.
pub(crate) fn around(router: Router<App>, app: &App) -> Router<App> {
    let each = NonZeroU32::new(app.settings().requests_per_second.max(1)).expect("at least one");
    let burst = each.saturating_mul(NonZeroU32::new(10).expect("ten is not zero"));
    let limiter: Limiter = Arc::new(RateLimiter::keyed(Quota::per_second(each).allow_burst(burst)));
    router
        .layer(middleware::from_fn(ours))
        .layer(middleware::from_fn_with_state(app.clone(), sized))
        .layer(middleware::from_fn_with_state(limiter, limit))
        .layer(middleware::from_fn(count))
}

/// Puts a path in order before it is routed: repeated slashes are one (an endpoint written with a final slash makes
/// them), and the prefix that some of the documented client's classes insist on is cut off.
pub(crate) fn in_order(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    let cut = path.strip_prefix("/serverless.dev.gretel.ai").filter(|rest| rest.is_empty() || rest.starts_with('/'));
    if cut.is_none() && !path.contains("//") {
        return None;
    }
    let mut clean = String::with_capacity(path.len());
    for c in cut.unwrap_or(path).chars() {
        if c != '/' || !clean.ends_with('/') {
            clean.push(c);
        }
    }
    if clean.is_empty() {
        clean.push('/');
    }
    if let Some(query) = uri.query() {
        clean.push('?');
        clean.push_str(query);
    }
    clean.parse().ok()
}

/// A name that no other request of this process has, nor one of an earlier process on this machine.
fn next_id() -> String {
    static BEGAN: OnceLock<i64> = OnceLock::new();
    static ASKED: AtomicU64 = AtomicU64::new(0);
    let began = BEGAN.get_or_init(|| jiff::Timestamp::now().as_microsecond());
    format!("{began:x}-{:x}", ASKED.fetch_add(1, Ordering::Relaxed))
}

/// A name for the request, its figures, and its line in the log.
async fn count(matched: Option<MatchedPath>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let (method, path) = (request.method().clone(), request.uri().path().to_string());
    let given = request.headers().get("x-request-id").and_then(|id| id.to_str().ok());
    let fits = |id: &&str| (1..=64).contains(&id.len()) && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let id = given.filter(fits).map_or_else(next_id, str::to_string);
    request.headers_mut().remove("x-request-id");
    let route = matched.map_or_else(|| "none".to_string(), |matched| matched.as_str().to_string());
    let span = crate::spans::request(method.as_str(), &route);
    let mut response = next.run(request).instrument(span).await;
    let seconds = began.elapsed().as_secs_f64();
    let status = response.status().as_u16();
    metrics::counter!("hansel_http_requests_total", "method" => method.to_string(), "route" => route.clone(), "status" => status.to_string()).increment(1);
    metrics::histogram!("hansel_http_request_seconds", "route" => route).record(seconds);
    tracing::info!(request = id, %method, path, status, seconds, "request");
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-request-id", value);
    }
    response.headers_mut().insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    response
}

/// What the head of an upload may add to its length.
const FORM_BYTES: u64 = 64 << 10;

/// Refuses a body by the length that its head gives, before any of it is read.
async fn sized(State(app): State<App>, request: Request, next: Next) -> Response {
    let length = request.headers().get("content-length").and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let upload = request.uri().path().starts_with("/links/") || request.uri().path() == "/v1/files";
    let settings = app.settings();
    let most = if upload { settings.upload_bytes_max + FORM_BYTES } else { settings.body_bytes_max as u64 };
    match length.filter(|&length| length > most) {
        None => next.run(request).await,
        Some(length) => {
            let message = format!("the body has {length} bytes where {most} are allowed");
            let mut response = Refusal::new(Code::RequestTooLarge, message).into_response();
            // The rest of the body is not waited for.
            response.headers_mut().insert("connection", HeaderValue::from_static("close"));
            response
        }
    }
}

/// Holds each key, and each address without one, to its share.
async fn limit(State(limiter): State<Limiter>, request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let who = match request.headers().get("authorization") {
        Some(key) => Sha256::digest(key.as_bytes()),
        None => Sha256::digest(peer.map(|peer| peer.0.ip().to_string()).unwrap_or_default()),
    };
    let who: [u8; 16] = who[..16].try_into().expect("a digest has 32 bytes");
    match limiter.check_key(&who) {
        Ok(()) => next.run(request).await,
        Err(not_until) => {
            let wait = not_until.wait_time_from(governor::clock::DefaultClock::default().now());
            let refusal = Refusal::new(Code::RequestTooMany, "this key asks faster than this server allows");
            let mut response = refusal.into_response();
            let seconds = (wait.as_secs() + 1).to_string();
            if let Ok(value) = HeaderValue::from_str(&seconds) {
                response.headers_mut().insert("retry-after", value);
            }
            response
        }
    }
}

/// Refusals that the framework made in its own words become ours: the client reads JSON only.
async fn ours(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let status = response.status();
    let json =
        response.headers().get("content-type").is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    if !(status.is_client_error() || status.is_server_error()) || json || status == StatusCode::RANGE_NOT_SATISFIABLE {
        return response;
    }
    let text = to_bytes(response.into_body(), 4096).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&text).replace('\n', " ");
    let message = if text.is_empty() { status.to_string() } else { text };
    let code = if status.is_server_error() { Code::Internal } else { Code::RequestInvalid };
    let mut refusal = Refusal::new(code, message).into_response();
    *refusal.status_mut() = status;
    let (parts, body) = refusal.into_parts();
    Response::from_parts(parts, Body::new(body))
}
