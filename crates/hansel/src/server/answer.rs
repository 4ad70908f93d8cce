//! What the server answers: JSON with status 200, or a refusal with one line a person can read.
//!
//! The documented client takes any other 2xx for a fault, retries 429 and 502-504, and prints the whole body of an
//! error: so every answer of ours is 200 or a refusal, and refusals are short.

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use store::StoreError;
use utoipa::ToSchema;
use workflow::{Code, Failure, Problem};

/// What a route gives: a JSON body, or a refusal.
pub(crate) type Answer<T> = Result<Json<T>, Refusal>;

/// An empty JSON object, the answer of every deletion.
#[derive(Serialize, Deserialize, ToSchema)]
pub(crate) struct Nothing {}

/// A request that is not done, as the client gets it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Refused {
    /// What is so, in one line.
    pub(crate) message: String,
    /// The code of the error table.
    pub(crate) code: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<String>,
    /// Every problem of a config, one entry each.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub(crate) details: Vec<Detail>,
}

/// One problem of what was sent.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Detail {
    /// Where, as a path of keys.
    pub(crate) path: String,
    /// Line of the text, from 1; 0 where there is no text.
    pub(crate) line: usize,
    /// Column of the text, from 1; 0 where there is no text.
    pub(crate) column: usize,
    /// The code of the error table.
    pub(crate) code: String,
    /// What is so.
    pub(crate) message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<String>,
}

/// Why a request is not done.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    body: Refused,
}

impl Refusal {
    /// A refusal with the status that the code stands for.
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Refusal {
        let status = StatusCode::from_u16(code.http()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = Refused { message: message.into(), code: code.name().into(), hint: None, details: Vec::new() };
        Refusal { status, body }
    }

    /// What was sent is not understood.
    pub(crate) fn bad(message: impl Into<String>) -> Refusal {
        Refusal::new(Code::RequestInvalid, message)
    }

    /// No record of this kind and id, or none that the caller may see.
    pub(crate) fn not_found(kind: &str, id: &str) -> Refusal {
        // The id is the caller's own text: bounded, since it comes back.
        let id: String = id.chars().take(80).collect();
        Refusal::new(Code::NotFound, format!("no {kind} `{id}`"))
    }

    /// The same with a sentence the reader can act on.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Refusal {
        self.body.hint = Some(hint.into());
        self
    }

    /// Every problem of a config at once; the message says the first.
    pub(crate) fn problems(problems: &[Problem]) -> Refusal {
        let first = problems.first().map(|problem| problem.to_string()).unwrap_or_default();
        let code = problems.first().map_or(Code::ConfigInvalid, |problem| problem.code);
        let message = match problems.len() {
            0 | 1 => first,
            count => format!("{first}; and {} more", count - 1),
        };
        let mut refusal = Refusal::new(code, message);
        // Every problem of what was sent is the sender's to mend, whatever its code is elsewhere.
        refusal.status = StatusCode::BAD_REQUEST;
        refusal.body.details = problems.iter().map(detail).collect();
        refusal
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn message(&self) -> &str {
        &self.body.message
    }
}

fn detail(problem: &Problem) -> Detail {
    Detail {
        path: problem.at.path.clone(),
        line: problem.at.line,
        column: problem.at.column,
        code: problem.code.name().into(),
        message: problem.message.clone(),
        hint: problem.hint.clone(),
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        if self.status.is_server_error() {
            tracing::error!(code = self.body.code, "{}", self.body.message);
        }
        let mut response = (self.status, Json(self.body)).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert("www-authenticate", "Bearer".parse().expect("a word is a header"));
        }
        response
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Refusal {
        let message = match &failure.cause {
            // What lay below an internal fault is for the log, not for the caller.
            Some(cause) if failure.code.http() < 500 => format!("{} ({})", failure.message, cause.replace('\n', " ")),
            Some(cause) => {
                tracing::error!(code = failure.code.name(), %cause, "{}", failure.message);
                failure.message.clone()
            }
            None => failure.message.clone(),
        };
        let mut refusal = Refusal::new(failure.code, message);
        refusal.body.hint = failure.hint;
        refusal
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Refusal {
        match error {
            StoreError::NotFound { kind, id } => Refusal::not_found(kind, &id),
            StoreError::Refused(message) => Refusal::bad(message),
            error => {
                tracing::error!(%error, "the store failed");
                Refusal::new(Code::Internal, "the server's memory failed; its log says more")
            }
        }
    }
}

impl From<JsonRejection> for Refusal {
    fn from(rejection: JsonRejection) -> Refusal {
        let mut refusal = Refusal::bad(rejection.body_text().replace('\n', " "));
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            refusal.status = StatusCode::PAYLOAD_TOO_LARGE;
        }
        refusal
    }
}

impl From<QueryRejection> for Refusal {
    fn from(rejection: QueryRejection) -> Refusal {
        Refusal::bad(rejection.body_text().replace('\n', " "))
    }
}

/// The caller's own text as it may come back in a refusal: its first 60 characters.
pub(crate) fn bounded(text: &str) -> String {
    text.chars().take(60).collect()
}

/// Microseconds since 1970 as RFC 3339, with six decimals at most.
pub(crate) fn time(us: i64) -> String {
    jiff::Timestamp::from_microsecond(us).map(|time| time.to_string()).unwrap_or_default()
}
