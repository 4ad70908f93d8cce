//! What goes back to the client: an answer, or a refusal that becomes one.
//!
//! In: status, headers, body. Out: the same as XML or as a hyper response. It never decides anything.

use hyper::body::Bytes;
use hyper::header::{CONTENT_LENGTH, HeaderName, HeaderValue};
use hyper::{HeaderMap, StatusCode};

use crate::xml::Xml;

/// An answer before it goes out.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
    /// The length to announce when it is not the body's: the answer to HEAD has no body.
    pub(crate) length: Option<usize>,
}

impl Answer {
    pub(crate) fn empty(status: u16) -> Answer {
        Answer { status, headers: Vec::new(), body: Bytes::new(), length: None }
    }

    pub(crate) fn xml(status: u16, text: String) -> Answer {
        let mut answer = Answer::empty(status).with("content-type", "application/xml");
        answer.body = Bytes::from(text);
        answer
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Answer {
        self.headers.push((name.to_string(), value.to_string()));
        self
    }

    /// Status and headers as hyper wants them. A header that HTTP cannot carry is left out.
    pub(crate) fn head(&self, request_id: &str) -> (StatusCode, HeaderMap) {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let name = HeaderName::from_bytes(name.as_bytes());
            let value = HeaderValue::from_bytes(value.as_bytes());
            if let (Ok(name), Ok(value)) = (name, value) {
                headers.append(name, value);
            }
        }
        if let Ok(value) = HeaderValue::from_str(request_id) {
            headers.insert(HeaderName::from_static("x-amz-request-id"), value);
        }
        if let Some(length) = self.length {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        (status, headers)
    }
}

/// A request that is not granted: HTTP status, S3 error code, message.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn new(status: u16, code: &str, message: impl Into<String>) -> Refusal {
        Refusal { status, code: code.to_string(), message: message.into() }
    }

    /// The one refusal that must look the same whatever its reason, lest it tell what exists.
    pub(crate) fn denied() -> Refusal {
        Refusal::new(403, "AccessDenied", "access denied")
    }

    /// The refusal as S3 words it.
    pub(crate) fn answer(&self, resource: &str, request_id: &str) -> Answer {
        let mut xml = Xml::new("Error", "");
        xml.leaf("Code", &self.code);
        xml.leaf("Message", &self.message);
        xml.leaf("Resource", resource);
        xml.leaf("RequestId", request_id);
        Answer::xml(self.status, xml.end())
    }
}
