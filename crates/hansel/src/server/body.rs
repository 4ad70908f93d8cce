//! How bodies and query strings are read: whatever does not fit becomes a refusal of ours, and a body is only read
//! where a route takes one (the documented client says `application/json` on every request, also on those without).

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::answer::Refusal;

/// A JSON body; an empty one reads as `{}`.
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Body<T>, Refusal> {
        let bytes = Raw::from_request(request, state).await?.0;
        let bytes: &[u8] = if bytes.iter().all(u8::is_ascii_whitespace) { b"{}" } else { &bytes };
        json(bytes).map(Body)
    }
}

/// The bytes of a body, within the limit of the server.
pub(crate) struct Raw(pub(crate) Bytes);

impl<S: Send + Sync> FromRequest<S> for Raw {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Raw, Refusal> {
        match Bytes::from_request(request, state).await {
            Ok(bytes) => Ok(Raw(bytes)),
            Err(rejection) if rejection.status() == 413 => {
                Err(Refusal::new(workflow::Code::RequestTooLarge, "the body is longer than this server takes"))
            }
            Err(rejection) => Err(Refusal::bad(rejection.body_text())),
        }
    }
}

/// Reads JSON; what does not fit is said with its place.
pub(crate) fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(bytes).map_err(|error| {
        let said = error.to_string();
        // What was sent is not said back: it may be a secret in the wrong place.
        let said = match (said.split_once("string \""), said.rsplit_once("\", expected")) {
            (Some((before, _)), Some((_, after))) => format!("{before}a string, expected{after}"),
            _ => said,
        };
        Refusal::bad(format!("the body is not what is expected: {said}"))
    })
}

/// The query string.
pub(crate) struct Asked<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Asked<T>, Refusal> {
        let axum::extract::Query(value) = axum::extract::Query::from_request_parts(parts, state).await?;
        Ok(Asked(value))
    }
}

/// Every value of a query key: repeated (`expand=a&expand=b`) and comma-separated (`expand=a,b`) alike, since the
/// layers of the documented client do it in both ways.
pub(crate) struct Expand(pub(crate) Vec<String>);

impl Expand {
    pub(crate) fn wants(&self, what: &str) -> bool {
        self.0.iter().any(|one| one == what)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Expand {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Expand, Refusal> {
        let Asked(pairs): Asked<Vec<(String, String)>> = Asked::from_request_parts(parts, state).await?;
        let expand = pairs.iter().filter(|(key, _)| key == "expand");
        Ok(Expand(expand.flat_map(|(_, value)| value.split(',')).map(|one| one.trim().to_string()).collect()))
    }
}
