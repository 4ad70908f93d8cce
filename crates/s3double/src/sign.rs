//! AWS Signature Version 4: whether a request was signed by who it says.
//!
//! In: a request, in headers or in a presigned address, and the identities. Out: the caller; the request's body
//! stripped of its chunk framing. What the caller may do is decided elsewhere.
//!
//! Source: AWS documentation, "Authenticating Requests (AWS Signature Version 4)" in the Amazon S3 API Reference.

use std::sync::Mutex;

use hmac::{Hmac, KeyInit, Mac};
use hyper::body::Bytes;
use hyper::header::{HeaderName, HeaderValue};
use jiff::{SignedDuration, Timestamp};
use md5::Md5;
use sha2::{Digest, Sha256};

use crate::answer::Refusal;
use crate::chunked::{ChunkSigner, unframe};
use crate::identities::{Caller, Identities};
use crate::request::{Ask, decode, encode};
use crate::server::locked;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// How far a request's clock may be off.
const SKEW: SignedDuration = SignedDuration::from_mins(15);

/// Finds and proves who makes the request, verifies every digest of the body that the signature covers, and takes the
/// chunk framing off the body. `service` is `s3` or `sts`.
pub(crate) fn authenticate(
    ask: &mut Ask,
    identities: &Mutex<Identities>,
    now: Timestamp,
    service: &str,
) -> Result<Caller, Refusal> {
    let claim = Claim::read(ask, service)?;
    claim.check_time(now)?;
    let (secret, caller) = locked(identities).find(&claim.access_key, claim.token.as_deref(), now)?;
    let payload = claim.payload(ask, service)?;
    let key = claim.signing_key(&secret);
    let canonical = claim.canonical_request(ask, &payload);
    let text = format!("{ALGORITHM}\n{}\n{}\n{}", claim.timestamp, claim.scope(), hex(&sha256(canonical.as_bytes())));
    if hex(&hmac(&key, text.as_bytes())) != claim.signature {
        let message = "the signature does not match the request and the secret of its access key";
        return Err(Refusal::new(403, "SignatureDoesNotMatch", message));
    }
    accept_body(ask, &claim, key, &payload)?;
    Ok(caller)
}

/// What a request says about its signature.
struct Claim {
    access_key: String,
    /// `YYYYMMDD`.
    date: String,
    region: String,
    service: String,
    /// `YYYYMMDDTHHMMSSZ`.
    timestamp: String,
    time: Timestamp,
    /// In lower case and in the order given.
    signed_headers: Vec<String>,
    signature: String,
    token: Option<String>,
    /// How long a presigned address holds; `None` when the signature is in a header.
    lifetime: Option<SignedDuration>,
}

/// The pieces of a signature, wherever they stand.
struct Pieces<'a> {
    credential: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
    timestamp: Option<&'a str>,
    token: Option<&'a str>,
    lifetime: Option<SignedDuration>,
}

impl<'a> Pieces<'a> {
    fn in_header(ask: &'a Ask, header: &'a str) -> Result<Pieces<'a>, Refusal> {
        let Some(fields) = header.strip_prefix(ALGORITHM) else {
            return Err(Refusal::new(400, "InvalidRequest", format!("the authorization is not by {ALGORITHM}")));
        };
        let field = |name: &str| {
            let found = fields.split(',').find_map(|item| item.trim().strip_prefix(name)?.strip_prefix('='));
            found.ok_or_else(|| malformed(&format!("{name} is missing in the authorization")))
        };
        Ok(Pieces {
            credential: field("Credential")?,
            signed_headers: field("SignedHeaders")?,
            signature: field("Signature")?,
            timestamp: ask.header("x-amz-date"),
            token: ask.header("x-amz-security-token"),
            lifetime: None,
        })
    }

    fn in_query(ask: &'a Ask) -> Result<Pieces<'a>, Refusal> {
        let wrong = |message: String| Refusal::new(400, "AuthorizationQueryParametersError", message);
        let field = |name: &str| ask.param(name).ok_or_else(|| wrong(format!("query parameter {name} is missing")));
        let seconds = field("X-Amz-Expires")?;
        let Some(seconds) = seconds.parse::<u32>().ok().filter(|seconds| *seconds <= 604_800) else {
            return Err(wrong(format!("X-Amz-Expires `{seconds}` is not a number of seconds up to 604800")));
        };
        Ok(Pieces {
            credential: field("X-Amz-Credential")?,
            signed_headers: field("X-Amz-SignedHeaders")?,
            signature: field("X-Amz-Signature")?,
            timestamp: Some(field("X-Amz-Date")?),
            token: ask.param("X-Amz-Security-Token"),
            lifetime: Some(SignedDuration::from_secs(i64::from(seconds))),
        })
    }
}

impl Claim {
    fn read(ask: &Ask, service: &str) -> Result<Claim, Refusal> {
        let pieces = match ask.header("authorization") {
            Some(header) => Pieces::in_header(ask, header)?,
            None if ask.param("X-Amz-Algorithm") == Some(ALGORITHM) => Pieces::in_query(ask)?,
            None => return Err(Refusal::denied()),
        };
        let parts: Vec<&str> = pieces.credential.split('/').collect();
        let [access_key, date, region, scope_service, "aws4_request"] = parts[..] else {
            return Err(malformed("the Credential is not KEY/DATE/REGION/SERVICE/aws4_request"));
        };
        if scope_service != service {
            return Err(malformed(&format!("the Credential is for service `{scope_service}`, not `{service}`")));
        }
        let timestamp = pieces.timestamp.unwrap_or_default();
        let Some(time) = read_time(timestamp).filter(|_| timestamp.starts_with(date)) else {
            return Err(Refusal::new(403, "AccessDenied", "the request has no X-Amz-Date that fits its Credential"));
        };
        let claim = Claim {
            access_key: access_key.to_string(),
            date: date.to_string(),
            region: region.to_string(),
            service: scope_service.to_string(),
            timestamp: timestamp.to_string(),
            time,
            signed_headers: pieces.signed_headers.split(';').map(str::to_ascii_lowercase).collect(),
            signature: pieces.signature.to_string(),
            token: pieces.token.map(str::to_string),
            lifetime: pieces.lifetime,
        };
        claim.check_headers(ask)?;
        Ok(claim)
    }

    /// A header that changes what a request means must be signed.
    fn check_headers(&self, ask: &Ask) -> Result<(), Refusal> {
        let signed = |name: &str| self.signed_headers.iter().any(|given| given == name);
        for name in ask.headers.keys() {
            let must = name.as_str() == "host" || (name.as_str().starts_with("x-amz-") && self.lifetime.is_none());
            if must && !signed(name.as_str()) {
                return Err(Refusal::new(403, "AccessDenied", format!("header `{name}` is not signed")));
            }
        }
        Ok(())
    }

    fn check_time(&self, now: Timestamp) -> Result<(), Refusal> {
        let age = now.duration_since(self.time);
        match self.lifetime {
            Some(lifetime) if age > lifetime => Err(Refusal::new(403, "AccessDenied", "the presigned address expired")),
            Some(_) if age < -SKEW => Err(Refusal::new(403, "AccessDenied", "the presigned address is not valid yet")),
            None if age.abs() > SKEW => {
                let message = format!("the request's time {} is too far from {now}", self.time);
                Err(Refusal::new(403, "RequestTimeTooSkewed", message))
            }
            _ => Ok(()),
        }
    }

    /// What stands for the body in the canonical request.
    fn payload(&self, ask: &Ask, service: &str) -> Result<String, Refusal> {
        if self.lifetime.is_some() {
            return Ok(ask.header("x-amz-content-sha256").unwrap_or(UNSIGNED).to_string());
        }
        match ask.header("x-amz-content-sha256") {
            Some(payload) => Ok(payload.to_string()),
            // Only S3 asks for the header; elsewhere the digest is understood.
            None if service != "s3" => Ok(hex(&sha256(&ask.body))),
            None => Err(Refusal::new(400, "InvalidRequest", "header `x-amz-content-sha256` is missing")),
        }
    }

    fn scope(&self) -> String {
        format!("{}/{}/{}/aws4_request", self.date, self.region, self.service)
    }

    fn signing_key(&self, secret: &str) -> Vec<u8> {
        let mut key = format!("AWS4{secret}").into_bytes();
        for part in [self.date.as_str(), self.region.as_str(), self.service.as_str(), "aws4_request"] {
            key = hmac(&key, part.as_bytes());
        }
        key
    }

    fn canonical_request(&self, ask: &Ask, payload: &str) -> String {
        // Decoded and encoded again: the client may have encoded more or less than the signature wants.
        let path = encode(&decode(&ask.path).unwrap_or_default(), "/");
        let mut query = Vec::new();
        for (name, value) in &ask.query {
            if name != "X-Amz-Signature" {
                query.push((encode(name, ""), encode(value, "")));
            }
        }
        query.sort();
        let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut headers = String::new();
        for name in &self.signed_headers {
            let mut values = Vec::new();
            for value in ask.headers.get_all(name.as_str()) {
                values.push(squeezed(&String::from_utf8_lossy(value.as_bytes())));
            }
            headers.push_str(&format!("{name}:{}\n", values.join(",")));
        }
        format!("{}\n{path}\n{}\n{headers}\n{}\n{payload}", ask.method, query.join("&"), self.signed_headers.join(";"))
    }
}

fn malformed(what: &str) -> Refusal {
    Refusal::new(400, "AuthorizationHeaderMalformed", what)
}

/// Verifies the body against what the canonical request says of it, and unwraps it.
fn accept_body(ask: &mut Ask, claim: &Claim, key: Vec<u8>, payload: &str) -> Result<(), Refusal> {
    let signer = || ChunkSigner {
        key,
        timestamp: claim.timestamp.clone(),
        scope: claim.scope(),
        previous: claim.signature.clone(),
    };
    let unframed = match payload {
        UNSIGNED => return Ok(()),
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER" => unframe(&ask.body, None)?,
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" | "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => {
            unframe(&ask.body, Some(signer()))?
        }
        digest if digest == hex(&sha256(&ask.body)) => return Ok(()),
        _ => {
            let message = "x-amz-content-sha256 is not the SHA-256 of the body";
            return Err(Refusal::new(400, "XAmzContentSHA256Mismatch", message));
        }
    };
    let announced = ask.header("x-amz-decoded-content-length").and_then(|text| text.parse::<usize>().ok());
    if announced != Some(unframed.body.len()) {
        let message = "x-amz-decoded-content-length is not the length of the body";
        return Err(Refusal::new(400, "IncompleteBody", message));
    }
    for name in ask.header("x-amz-trailer").unwrap_or_default().split(',').filter(|name| !name.is_empty()) {
        if !unframed.trailers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name.trim())) {
            let message = format!("the announced trailer `{name}` did not come");
            return Err(Refusal::new(400, "MalformedTrailerError", message));
        }
    }
    ask.body = Bytes::from(unframed.body);
    for (name, value) in unframed.trailers {
        let parsed = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(&value));
        if let (Ok(name), Ok(value)) = parsed
            && name.as_str().starts_with("x-amz-checksum-")
        {
            ask.headers.insert(name, value);
        }
    }
    Ok(())
}

/// Reads `YYYYMMDDTHHMMSSZ`.
fn read_time(text: &str) -> Option<Timestamp> {
    if text.len() != 16 || !text.is_ascii() || &text[8..9] != "T" || &text[15..] != "Z" {
        return None;
    }
    let (year, month, day) = (&text[..4], &text[4..6], &text[6..8]);
    let (hour, minute, second) = (&text[9..11], &text[11..13], &text[13..15]);
    format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z").parse().ok()
}

/// Without outer spaces, and with single ones inside.
fn squeezed(value: &str) -> String {
    value.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// HMAC-SHA-256, 32 bytes.
pub(crate) fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("an HMAC takes a key of any length");
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

/// SHA-256, 32 bytes.
pub(crate) fn sha256(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(bytes).to_vec()
}

/// MD5, 16 bytes.
pub(crate) fn md5(bytes: &[u8]) -> Vec<u8> {
    Md5::digest(bytes).to_vec()
}

/// Hexadecimal in lower case.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use hyper::{HeaderMap, Method, Uri};

    use super::*;
    use crate::identities::Rights;

    /// The worked examples of the S3 API Reference all use this key, this bucket and midnight of 2013-05-24.
    fn published(method: Method, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Result<Ask, Refusal> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a header name");
            map.insert(name, HeaderValue::from_str(value).expect("a header value"));
        }
        let uri: Uri = path.parse().expect("an address");
        let mut ask = Ask::read(method, &uri, map, Bytes::from(body));
        let identities = Mutex::new(Identities::default());
        locked(&identities).add_user(
            "AKIAIOSFODNN7EXAMPLE",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            Rights::Everything,
        );
        let now = "2013-05-24T00:00:00Z".parse().expect("a time");
        authenticate(&mut ask, &identities, now, "s3")?;
        Ok(ask)
    }

    fn authorization(signed: &str, signature: &str) -> String {
        let credential = "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request";
        format!("AWS4-HMAC-SHA256 Credential={credential},SignedHeaders={signed},Signature={signature}")
    }

    fn listing(path: &str) -> Result<Ask, Refusal> {
        let authorization = authorization(
            "host;x-amz-content-sha256;x-amz-date",
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        );
        let headers = [
            ("host", "examplebucket.s3.amazonaws.com"),
            ("x-amz-content-sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("x-amz-date", "20130524T000000Z"),
            ("authorization", authorization.as_str()),
        ];
        published(Method::GET, path, &headers, Vec::new())
    }

    #[test]
    fn the_published_get_of_a_listing_is_accepted_and_no_other() {
        listing("/?max-keys=2&prefix=J").expect("the example as published");
        listing("/?prefix=%4a&max-keys=2").expect("order and needless escapes play no part");
        let refusal = listing("/?max-keys=2&prefix=K").err().expect("another prefix");
        assert_eq!((refusal.status, refusal.code.as_str()), (403, "SignatureDoesNotMatch"));
    }

    fn chunked(last_byte: u8) -> Result<Ask, Refusal> {
        let authorization = authorization(
            "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;\
             x-amz-storage-class",
            "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
        );
        let headers = [
            ("host", "s3.amazonaws.com"),
            ("x-amz-date", "20130524T000000Z"),
            ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
            ("authorization", authorization.as_str()),
            ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
            ("content-encoding", "aws-chunked"),
            ("x-amz-decoded-content-length", "66560"),
            ("content-length", "66824"),
        ];
        let mut wire = Vec::new();
        for (size, signature) in [
            (65_536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
            (1_024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
            (0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
        ] {
            wire.extend(format!("{size:x};chunk-signature={signature}\r\n").into_bytes());
            wire.extend(vec![b'a'; size]);
            if size == 1_024 {
                let last = wire.len() - 1;
                wire[last] = last_byte;
            }
            wire.extend(b"\r\n");
        }
        published(Method::PUT, "/examplebucket/chunkObject.txt", &headers, wire)
    }

    #[test]
    fn the_published_chunked_upload_is_unwrapped_and_a_changed_byte_refused() {
        let ask = chunked(b'a').expect("the example as published");
        assert_eq!((ask.bucket.as_str(), ask.key.as_str()), ("examplebucket", "chunkObject.txt"));
        assert!(ask.body.len() == 66_560 && ask.body.iter().all(|&byte| byte == b'a'));
        let refusal = chunked(b'b').err().expect("a changed byte");
        assert_eq!((refusal.status, refusal.code.as_str()), (403, "SignatureDoesNotMatch"));
    }
}
