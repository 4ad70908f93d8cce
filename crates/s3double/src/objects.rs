//! Operations on buckets and whole objects.
//!
//! In: permitted requests. Out: answers, and changed buckets. Digests are computed before a lock is taken.

use std::collections::BTreeMap;
use std::sync::Arc;

use hyper::Method;
use jiff::Timestamp;

use crate::answer::{Answer, Refusal};
use crate::buckets::{Stored, found, found_mut, made};
use crate::checksums;
use crate::identities::Caller;
use crate::request::Ask;
use crate::server::{World, locked};
use crate::xml::{S3_NAMESPACE, Xml};

/// Where all buckets live.
const REGION: &str = "us-east-1";

/// S3's own limit on the bytes of a key.
const KEY_BYTES_MAX: usize = 1024;

pub(crate) fn list_buckets(world: &World, caller: &Caller) -> Result<Answer, Refusal> {
    let mut xml = Xml::new("ListAllMyBucketsResult", S3_NAMESPACE);
    xml.open("Owner");
    xml.leaf("ID", &caller.access_key);
    xml.close("Owner");
    xml.open("Buckets");
    for (name, bucket) in locked(&world.buckets).iter() {
        xml.open("Bucket");
        xml.leaf("Name", name);
        xml.leaf("CreationDate", &iso(bucket.created));
        xml.close("Bucket");
    }
    xml.close("Buckets");
    Ok(Answer::xml(200, xml.end()))
}

pub(crate) fn create_bucket(world: &World, ask: &Ask, now: Timestamp) -> Result<Answer, Refusal> {
    let name = ask.bucket.as_str();
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    if !(3..=63).contains(&name.len()) || !name.bytes().all(plain) {
        let message = format!("bucket name `{name}` is not 3 to 63 of a-z, 0-9, `.` and `-`");
        return Err(Refusal::new(400, "InvalidBucketName", message));
    }
    let mut buckets = locked(&world.buckets);
    if buckets.contains_key(name) {
        return Err(Refusal::new(409, "BucketAlreadyOwnedByYou", format!("bucket `{name}` exists already")));
    }
    made(&mut buckets, name, now);
    Ok(Answer::empty(200).with("location", &format!("/{name}")))
}

pub(crate) fn head_bucket(world: &World, ask: &Ask) -> Result<Answer, Refusal> {
    found(&locked(&world.buckets), &ask.bucket)?;
    Ok(Answer::empty(200).with("x-amz-bucket-region", REGION))
}

/// An empty location is S3's name for us-east-1.
pub(crate) fn location(world: &World, ask: &Ask) -> Result<Answer, Refusal> {
    found(&locked(&world.buckets), &ask.bucket)?;
    Ok(Answer::xml(200, Xml::new("LocationConstraint", S3_NAMESPACE).end()))
}

pub(crate) fn put(world: &World, ask: &Ask, now: Timestamp) -> Result<Answer, Refusal> {
    check_key(&ask.key)?;
    let mut stored = Stored::described(ask, ask.body.clone(), now);
    stored.checksums = checksums::received(ask, &stored.body)?;
    if stored.checksums.is_empty() {
        // The service adds one of its own choice to what comes without.
        let sum = checksums::compute("crc64nvme", &stored.body);
        stored.checksums.extend(sum.map(|sum| ("crc64nvme".to_string(), sum)));
    }
    let mut answer = Answer::empty(200).with("etag", &stored.etag);
    answer.headers.extend(checksum_headers(&stored.checksums, &stored.checksum_type));
    answer.headers.push(encryption_header(&stored));
    let mut buckets = locked(&world.buckets);
    let bucket = found_mut(&mut buckets, &ask.bucket)?;
    check_overwrite(ask, bucket.objects.get(&ask.key))?;
    bucket.objects.insert(ask.key.clone(), Arc::new(stored));
    Ok(answer)
}

/// GET and HEAD. Who may not list the bucket is not told whether a key exists.
pub(crate) fn get(world: &World, ask: &Ask, may_list: bool) -> Result<Answer, Refusal> {
    let stored = {
        let buckets = locked(&world.buckets);
        found(&buckets, &ask.bucket)?.objects.get(&ask.key).cloned()
    };
    let Some(stored) = stored else {
        return Err(match may_list {
            true => Refusal::new(404, "NoSuchKey", format!("key `{}` does not exist", ask.key)),
            false => Refusal::denied(),
        });
    };
    if ask.header("if-match").is_some_and(|wanted| !names(wanted, &stored.etag)) {
        return Err(Refusal::new(412, "PreconditionFailed", "the object's ETag is not the one in If-Match"));
    }
    if ask.header("if-none-match").is_some_and(|known| names(known, &stored.etag)) {
        return Ok(Answer::empty(304).with("etag", &stored.etag));
    }
    let length = stored.body.len();
    let (status, body, content_range) = match span(ask.header("range"), length) {
        Span::Whole => (200, stored.body.clone(), None),
        Span::Part(first, last) => {
            (206, stored.body.slice(first..=last), Some(format!("bytes {first}-{last}/{length}")))
        }
        Span::Beyond => {
            let message = format!("the range begins beyond the object's {length} bytes");
            return Err(Refusal::new(416, "InvalidRange", message));
        }
    };
    let mut answer = Answer::empty(status);
    answer.headers = described(&stored);
    if ask.header("x-amz-checksum-mode").is_some_and(|mode| mode.eq_ignore_ascii_case("enabled")) && status == 200 {
        answer.headers.extend(checksum_headers(&stored.checksums, &stored.checksum_type));
    }
    if let Some(range) = content_range {
        answer = answer.with("content-range", &range);
    }
    if ask.method == Method::HEAD {
        answer.length = Some(body.len());
    } else {
        answer.body = body;
    }
    Ok(answer)
}

/// Deleting what is not there succeeds.
pub(crate) fn delete(world: &World, ask: &Ask) -> Result<Answer, Refusal> {
    let mut buckets = locked(&world.buckets);
    found_mut(&mut buckets, &ask.bucket)?.objects.remove(&ask.key);
    Ok(Answer::empty(204))
}

/// Refuses a key that is too long.
pub(crate) fn check_key(key: &str) -> Result<(), Refusal> {
    if key.len() > KEY_BYTES_MAX {
        let message = format!("the key has {} bytes, the most is {KEY_BYTES_MAX}", key.len());
        return Err(Refusal::new(400, "KeyTooLongError", message));
    }
    Ok(())
}

/// Refuses a write whose conditions the object that stands there does not meet.
pub(crate) fn check_overwrite(ask: &Ask, standing: Option<&Arc<Stored>>) -> Result<(), Refusal> {
    match ask.header("if-none-match") {
        None => {}
        Some("*") if standing.is_some() => {
            return Err(Refusal::new(412, "PreconditionFailed", "there is an object of this key already"));
        }
        Some("*") => {}
        Some(_) => return Err(Refusal::new(501, "NotImplemented", "writes know If-None-Match only with `*`")),
    }
    match (ask.header("if-match"), standing) {
        (None, _) => Ok(()),
        (Some(_), None) => Err(Refusal::new(404, "NoSuchKey", format!("key `{}` does not exist", ask.key))),
        (Some(wanted), Some(stored)) if names(wanted, &stored.etag) => Ok(()),
        (Some(_), Some(_)) => {
            Err(Refusal::new(412, "PreconditionFailed", "the object's ETag is not the one in If-Match"))
        }
    }
}

/// The checksums of an object as headers.
pub(crate) fn checksum_headers(checksums: &BTreeMap<String, String>, kind: &str) -> Vec<(String, String)> {
    let mut headers: Vec<(String, String)> =
        checksums.iter().map(|(algorithm, sum)| (checksums::header(algorithm), sum.clone())).collect();
    if !headers.is_empty() {
        headers.push(("x-amz-checksum-type".to_string(), kind.to_string()));
    }
    headers
}

/// S3 encrypts everything, with keys of its own when the writer asks for nothing else.
pub(crate) fn encryption_header(stored: &Stored) -> (String, String) {
    let kind = stored.server_side_encryption.clone().unwrap_or_else(|| "AES256".to_string());
    ("x-amz-server-side-encryption".to_string(), kind)
}

/// A time as XML carries it.
pub(crate) fn iso(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

/// The headers that say what the object is, without its length.
fn described(stored: &Stored) -> Vec<(String, String)> {
    let mut headers = vec![
        ("accept-ranges".to_string(), "bytes".to_string()),
        ("etag".to_string(), stored.etag.clone()),
        ("last-modified".to_string(), stored.last_modified.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()),
        ("content-type".to_string(), stored.content_type.clone()),
        encryption_header(stored),
    ];
    headers.extend(stored.kms_key_id.iter().map(|id| {
        let name = "x-amz-server-side-encryption-aws-kms-key-id";
        (name.to_string(), id.clone())
    }));
    headers.extend(stored.headers.iter().map(|(name, value)| (name.clone(), value.clone())));
    headers.extend(stored.metadata.iter().map(|(name, value)| (format!("x-amz-meta-{name}"), value.clone())));
    headers
}

/// Whether a condition names this ETag, with or without quotes, or any.
fn names(condition: &str, etag: &str) -> bool {
    condition.split(',').map(str::trim).any(|item| item == "*" || item.trim_matches('"') == etag.trim_matches('"'))
}

/// Which bytes a range asks for; the last one is included.
enum Span {
    Whole,
    Part(usize, usize),
    Beyond,
}

/// A range that is not understood asks for everything, as HTTP has it.
fn span(header: Option<&str>, length: usize) -> Span {
    let Some((first, last)) = header.and_then(|text| text.strip_prefix("bytes=")?.split_once('-')) else {
        return Span::Whole;
    };
    let number = |text: &str| text.trim().parse::<usize>().ok();
    match (number(first), number(last)) {
        // The last so many bytes.
        (None, Some(count)) if first.trim().is_empty() => match count.min(length) {
            0 => Span::Beyond,
            count => Span::Part(length - count, length - 1),
        },
        (Some(first), Some(last)) if first > last => Span::Whole,
        (Some(_), None) if !last.trim().is_empty() => Span::Whole,
        (Some(first), _) if first >= length => Span::Beyond,
        (Some(first), last) => Span::Part(first, last.unwrap_or(length - 1).min(length - 1)),
        _ => Span::Whole,
    }
}
