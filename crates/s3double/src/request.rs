//! A request as it came in: which operation on which bucket and key, its query and its headers.
//!
//! In: hyper's request head and the whole body. Out: an `Ask`. Keys are decoded once and never normalised. Whether
//! the request is allowed or makes sense is not decided here.

use hyper::body::Bytes;
use hyper::{HeaderMap, Method, Uri};

use crate::answer::Refusal;

/// The operations the service knows. The name of a variant is the name of the operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    ListBuckets,
    CreateBucket,
    HeadBucket,
    GetBucketLocation,
    ListObjectsV2,
    ListMultipartUploads,
    GetObject,
    HeadObject,
    PutObject,
    DeleteObject,
    CreateMultipartUpload,
    UploadPart,
    CompleteMultipartUpload,
    AbortMultipartUpload,
    ListParts,
    AssumeRole,
    GetCallerIdentity,
    Unsupported,
}

/// One line of the request log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestLine {
    /// The operation's name, such as `ListObjectsV2`; `Unsupported` for what the service does not know.
    pub operation: String,
    /// The bucket, or empty.
    pub bucket: String,
    /// The key, decoded, or empty; for `AssumeRole` the role's ARN.
    pub key: String,
    /// The query as it stood in the address, still percent-encoded.
    pub query: String,
    /// The access key the request claims, verified or not; empty when it claims none.
    pub access_key: String,
    /// The HTTP status answered; 0 before there is one, and when the connection was closed without an answer.
    pub status: u16,
}

/// A request.
pub(crate) struct Ask {
    pub(crate) method: Method,
    /// Still percent-encoded.
    pub(crate) path: String,
    pub(crate) raw_query: String,
    /// Decoded names and values in the order of the address.
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    /// As it came; once the signature is verified, without its chunk framing.
    pub(crate) body: Bytes,
    pub(crate) operation: Operation,
    pub(crate) bucket: String,
    pub(crate) key: String,
    /// The decoded form of an STS request.
    pub(crate) form: Vec<(String, String)>,
    /// Why the address cannot be understood, if so.
    pub(crate) flaw: Option<Refusal>,
}

impl Ask {
    pub(crate) fn read(method: Method, uri: &Uri, headers: HeaderMap, body: Bytes) -> Ask {
        let path = uri.path().to_string();
        let raw_query = uri.query().unwrap_or_default().to_string();
        let (raw_bucket, raw_key) = {
            let inside = path.strip_prefix('/').unwrap_or(&path);
            inside.split_once('/').unwrap_or((inside, ""))
        };
        let mut understood = true;
        let mut text = |raw: &str| {
            decode(raw).unwrap_or_else(|| {
                understood = false;
                raw.to_string()
            })
        };
        let (bucket, key) = (text(raw_bucket), text(raw_key));
        let mut query = Vec::new();
        for pair in raw_query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            query.push((text(name), text(value)));
        }
        let flaw = (!understood).then(|| Refusal::new(400, "InvalidURI", "the address is not percent-encoded utf-8"));
        let mut ask = Ask {
            method,
            path,
            raw_query,
            query,
            headers,
            body,
            operation: Operation::Unsupported,
            bucket,
            key,
            form: Vec::new(),
            flaw,
        };
        ask.operation = ask.recognise();
        ask
    }

    /// The value of a header that is UTF-8; of several with one name the first.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.headers.get(name)?.as_bytes()).ok()
    }

    /// The decoded value of a query parameter; empty when it has none.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// The decoded value of a form field.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.form.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// Whether it is for STS rather than S3.
    pub(crate) fn is_sts(&self) -> bool {
        matches!(self.operation, Operation::AssumeRole | Operation::GetCallerIdentity)
    }

    /// What the log says about it, as long as there is no status.
    pub(crate) fn line(&self) -> RequestLine {
        let claim = match (self.header("authorization"), self.param("X-Amz-Credential")) {
            (Some(header), _) => header.split_once("Credential=").map(|(_, after)| after),
            (None, param) => param,
        };
        RequestLine {
            operation: format!("{:?}", self.operation),
            bucket: self.bucket.clone(),
            key: if self.operation == Operation::AssumeRole {
                self.field("RoleArn").unwrap_or_default().to_string()
            } else {
                self.key.clone()
            },
            query: self.raw_query.clone(),
            access_key: claim.and_then(|text| text.split('/').next()).unwrap_or_default().to_string(),
            status: 0,
        }
    }

    /// Which operation it is, by method, by what the address names, and by the query.
    fn recognise(&mut self) -> Operation {
        if self.bucket.is_empty() {
            return match self.method.as_str() {
                "GET" => Operation::ListBuckets,
                "POST" => self.recognise_sts(),
                _ => Operation::Unsupported,
            };
        }
        if self.query.iter().any(|(name, _)| UNSERVED.contains(&name.as_str()))
            || self.headers.contains_key("x-amz-copy-source")
        {
            return Operation::Unsupported;
        }
        let has = |name: &str| self.param(name).is_some();
        match (self.method.as_str(), self.key.is_empty()) {
            ("GET", true) if has("location") => Operation::GetBucketLocation,
            ("GET", true) if has("uploads") => Operation::ListMultipartUploads,
            ("GET", true) if self.param("list-type") == Some("2") => Operation::ListObjectsV2,
            ("HEAD", true) => Operation::HeadBucket,
            ("PUT", true) => Operation::CreateBucket,
            ("GET", false) if has("uploadId") => Operation::ListParts,
            ("GET", false) => Operation::GetObject,
            ("HEAD", false) => Operation::HeadObject,
            ("PUT", false) if has("uploadId") => Operation::UploadPart,
            ("PUT", false) => Operation::PutObject,
            ("POST", false) if has("uploads") => Operation::CreateMultipartUpload,
            ("POST", false) if has("uploadId") => Operation::CompleteMultipartUpload,
            ("DELETE", false) if has("uploadId") => Operation::AbortMultipartUpload,
            ("DELETE", false) => Operation::DeleteObject,
            _ => Operation::Unsupported,
        }
    }

    /// STS shares the address with S3: it is a form posted to `/`.
    fn recognise_sts(&mut self) -> Operation {
        let is_form =
            self.header("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        let Ok(form) = std::str::from_utf8(&self.body) else { return Operation::Unsupported };
        if !is_form {
            return Operation::Unsupported;
        }
        let mut fields = Vec::new();
        for pair in form.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = decode(&value.replace('+', "%20"));
            fields.push((name.to_string(), value.unwrap_or_default()));
        }
        self.form = fields;
        match self.field("Action") {
            Some("AssumeRole") => Operation::AssumeRole,
            Some("GetCallerIdentity") => Operation::GetCallerIdentity,
            _ => Operation::Unsupported,
        }
    }
}

/// Subresources whose requests would otherwise be mistaken for plain ones.
const UNSERVED: [&str; 28] = [
    "accelerate",
    "acl",
    "analytics",
    "attributes",
    "cors",
    "delete",
    "encryption",
    "inventory",
    "legal-hold",
    "lifecycle",
    "logging",
    "metrics",
    "notification",
    "object-lock",
    "ownershipControls",
    "policy",
    "policyStatus",
    "publicAccessBlock",
    "replication",
    "requestPayment",
    "restore",
    "retention",
    "select",
    "tagging",
    "torrent",
    "versioning",
    "versions",
    "website",
];

/// Replaces `%XX` by bytes; `None` when an escape is not one or the bytes are not UTF-8.
pub(crate) fn decode(raw: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first == b'%' {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return None;
            }
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

/// Percent-encodes all but RFC 3986's unreserved characters and those in `kept`, as signatures want it.
pub(crate) fn encode(text: &str, kept: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || kept.as_bytes().contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Encodes a key in a listing with `encoding-type=url`. S3 does it as HTML forms do: a space becomes `+`, `~` is
/// encoded, and `*` and `/` are not.
pub(crate) fn encode_listed(text: &str) -> String {
    encode(text, "/*").replace("%20", "+").replace('~', "%7E")
}
