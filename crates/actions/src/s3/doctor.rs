//! What a connection may do: who its credentials are, where a bucket lies, and each permission tried on the real thing.
//! Nothing is written: an upload is begun and aborted, of an object the first byte is read.

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use workflow::{Attempt, Code, Connection, Failure};

use super::client::{self, Bucket};
use super::keys::{directory, join};
use crate::{Finding, Standing, Use};

/// Keys of the first page of a listing that are looked at for one to read.
const LOOK_AT: i32 = 100;
/// Name of the object that is never written.
const PROBE: &str = ".hansel-doctor";

/// Tries what a connection is to do, thing by thing.
pub(crate) fn diagnose(connection: &Connection, uses: &[Use]) -> Vec<Finding> {
    let attempt = Attempt::silent("doctor", &|| false);
    let mut findings = Vec::new();
    let bucket = match Bucket::new("", Some(connection)) {
        Ok(bucket) => bucket,
        Err(failure) => return vec![missing("connection", &failure)],
    };
    let known = who(&bucket, connection, &attempt);
    let refused = known.standing == Standing::Missing;
    findings.push(known);
    // Whoever is not known may do nothing: more refusals would say no more.
    if refused {
        return findings;
    }
    let mut seen: Vec<&str> = Vec::new();
    for wanted in uses {
        let Ok(bucket) = Bucket::new(&wanted.bucket, Some(connection)) else { continue };
        if !seen.contains(&wanted.bucket.as_str()) {
            seen.push(&wanted.bucket);
            let region = region(&bucket, &attempt);
            let gone = region.standing == Standing::Missing;
            findings.push(region);
            if gone {
                continue;
            }
        }
        match wanted.source {
            true => source(&bucket, &wanted.path, &attempt, &mut findings),
            false => destination(&bucket, &wanted.path, &attempt, &mut findings),
        }
    }
    findings
}

/// Who the credentials are, in the words of the token service; a store without one is asked as workflows ask it.
fn who(bucket: &Bucket, connection: &Connection, attempt: &Attempt<'_>) -> Finding {
    match bucket.caller(attempt) {
        Ok(Some(arn)) => good("identity", arn),
        Ok(None) => match client::identity(connection) {
            Ok(said) => good("identity", said),
            Err(failure) => missing("identity", &failure),
        },
        Err(failure) => missing("identity", &failure),
    }
}

/// Where the bucket lies. The store says so also to who may do nothing in it.
fn region(bucket: &Bucket, attempt: &Attempt<'_>) -> Finding {
    let what = format!("region of bucket `{}`", bucket.name);
    let answer = bucket.call_raw(attempt, |client| client.head_bucket().bucket(&bucket.name).send());
    let (status, told) = match &answer {
        Err(failure) => return unknown(&what, failure.to_string()),
        Ok(Ok(head)) => (200, head.bucket_region().map(str::to_string)),
        Ok(Err(error)) => {
            let response = error.raw_response();
            let header = response.and_then(|response| response.headers().get("x-amz-bucket-region"));
            (response.map_or(0, |response| response.status().as_u16()), header.map(str::to_string))
        }
    };
    match (status, told) {
        (404, _) => {
            let gone = Failure::new(Code::S3BucketNotFound, format!("no bucket `{}`", bucket.name));
            missing(&what, &gone)
        }
        (0, _) => unknown(&what, "the store could not be reached".into()),
        (_, Some(region)) => good(&what, region),
        (_, None) => unknown(&what, "the store does not say".into()),
    }
}

fn source(bucket: &Bucket, path: &str, attempt: &Attempt<'_>, findings: &mut Vec<Finding>) {
    let prefix = directory(path);
    let listing = bucket.call_raw(attempt, |client| {
        client.list_objects_v2().bucket(&bucket.name).prefix(&prefix).max_keys(LOOK_AT).send()
    });
    let what = format!("s3:ListBucket on bucket `{}`", bucket.name);
    let mut tried = None;
    if let Ok(Ok(page)) = &listing {
        // A marker of a folder is an object too, but some policies leave it out.
        let real = page.contents().iter().find(|one| one.key().is_some_and(|key| !key.ends_with('/')));
        tried = real.and_then(|one| one.key()).map(str::to_string);
    }
    let place = if prefix.is_empty() { "the bucket".to_string() } else { format!("`{prefix}`") };
    findings.push(held(&what, listing, format!("{place} was listed")));
    let Some(key) = tried else {
        let what = format!("s3:GetObject in bucket `{}`", bucket.name);
        findings.push(unknown(&what, format!("no object is known to try it with; {place} shows none")));
        return;
    };
    let what = format!("s3:GetObject on object `{key}` of bucket `{}`", bucket.name);
    let read =
        bucket.call_raw(attempt, |client| client.get_object().bucket(&bucket.name).key(&key).range("bytes=0-0").send());
    // An object without bytes has no first one; the store looked at the permission before it looked at that.
    let empty = matches!(&read, Ok(Err(error)) if status(error) == 416);
    findings.push(if empty { good(&what, "it was opened".into()) } else { held(&what, read, "it was opened".into()) });
}

fn destination(bucket: &Bucket, path: &str, attempt: &Attempt<'_>, findings: &mut Vec<Finding>) {
    let key = join(path, PROBE);
    let put = format!("s3:PutObject on object `{key}` of bucket `{}`", bucket.name);
    let begun =
        bucket.call_raw(attempt, |client| client.create_multipart_upload().bucket(&bucket.name).key(&key).send());
    let upload = match &begun {
        Ok(Ok(created)) => created.upload_id().map(str::to_string),
        _ => None,
    };
    findings.push(held(&put, begun, "an upload was begun; nothing was written".into()));
    let abort = format!("s3:AbortMultipartUpload on object `{key}` of bucket `{}`", bucket.name);
    let id = upload.clone().unwrap_or_else(|| "none".to_string());
    let aborted = bucket.call_raw(attempt, |client| {
        client.abort_multipart_upload().bucket(&bucket.name).key(&key).upload_id(&id).send()
    });
    // That there is no such upload is said to who may abort one.
    let none = upload.is_none() && matches!(&aborted, Ok(Err(error)) if status(error) == 404);
    let mut finding =
        if none { good(&abort, "it may be aborted".into()) } else { held(&abort, aborted, "it was aborted".into()) };
    if upload.is_some() && finding.standing != Standing::Held {
        finding.said.push_str("; the empty upload stays open until a lifecycle rule removes it");
    }
    findings.push(finding);
}

/// What an answer says about a permission.
fn held<T, E>(what: &str, answer: Result<Result<T, SdkError<E, HttpResponse>>, Failure>, good_news: String) -> Finding
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    match answer {
        Ok(Ok(_)) => good(what, good_news),
        Ok(Err(error)) => {
            let code = error.as_service_error().and_then(|error| error.code()).unwrap_or("without a code");
            let said = error.as_service_error().and_then(|error| error.message()).unwrap_or_default();
            let said = format!("the store says: {} {code} {said}", status(&error)).trim_end().replace('\n', " ");
            match status(&error) {
                403 => Finding { what: what.into(), standing: Standing::Missing, said },
                0 => unknown(what, "the store could not be reached".into()),
                _ => unknown(what, said),
            }
        }
        Err(failure) => unknown(what, failure.to_string()),
    }
}

fn status<E>(error: &SdkError<E, HttpResponse>) -> u16 {
    error.raw_response().map_or(0, |response| response.status().as_u16())
}

fn good(what: &str, said: String) -> Finding {
    Finding { what: what.into(), standing: Standing::Held, said }
}

fn unknown(what: &str, said: String) -> Finding {
    Finding { what: what.into(), standing: Standing::Unknown, said }
}

fn missing(what: &str, failure: &Failure) -> Finding {
    let mut said = failure.to_string();
    for more in [&failure.cause, &failure.hint].into_iter().flatten() {
        said.push_str(&format!("; {}", more.replace('\n', " ")));
    }
    Finding { what: what.into(), standing: Standing::Missing, said }
}
