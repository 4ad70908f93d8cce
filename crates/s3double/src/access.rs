//! Which permissions an operation needs.
//!
//! In: a request and who makes it. Out: nothing, or a refusal. Whether what is asked for exists plays no part.

use crate::answer::Refusal;
use crate::identities::Caller;
use crate::request::{Ask, Operation};

/// Refuses what the caller may not do.
pub(crate) fn check(caller: &Caller, ask: &Ask) -> Result<(), Refusal> {
    for (action, resource) in needed(ask) {
        if !caller.may(action, &resource) {
            return Err(Refusal::denied());
        }
    }
    Ok(())
}

/// Whether the caller may learn that a key does not exist.
pub(crate) fn may_list(caller: &Caller, ask: &Ask) -> bool {
    caller.may("s3:ListBucket", &bucket_arn(ask))
}

/// The parts of an upload have no permissions of their own: all of them ride on `s3:PutObject`.
fn needed(ask: &Ask) -> Vec<(&'static str, String)> {
    let bucket = bucket_arn(ask);
    let object = format!("{bucket}/{}", ask.key);
    match ask.operation {
        Operation::ListBuckets => vec![("s3:ListAllMyBuckets", "arn:aws:s3:::*".to_string())],
        Operation::CreateBucket => vec![("s3:CreateBucket", bucket)],
        Operation::HeadBucket | Operation::ListObjectsV2 => vec![("s3:ListBucket", bucket)],
        Operation::GetBucketLocation => vec![("s3:GetBucketLocation", bucket)],
        Operation::ListMultipartUploads => vec![("s3:ListBucketMultipartUploads", bucket)],
        Operation::GetObject | Operation::HeadObject => vec![("s3:GetObject", object)],
        Operation::DeleteObject => vec![("s3:DeleteObject", object)],
        Operation::UploadPart => vec![("s3:PutObject", object)],
        Operation::AbortMultipartUpload => vec![("s3:AbortMultipartUpload", object)],
        Operation::ListParts => vec![("s3:ListMultipartUploadParts", object)],
        Operation::PutObject | Operation::CreateMultipartUpload | Operation::CompleteMultipartUpload => {
            let mut needs = vec![("s3:PutObject", object.clone())];
            if sets_acl(ask) {
                needs.push(("s3:PutObjectAcl", object.clone()));
            }
            // A conditional overwrite tells something about the object that stands there.
            if ask.header("if-match").is_some() {
                needs.push(("s3:GetObject", object));
            }
            needs
        }
        Operation::AssumeRole | Operation::GetCallerIdentity | Operation::Unsupported => Vec::new(),
    }
}

fn bucket_arn(ask: &Ask) -> String {
    format!("arn:aws:s3:::{}", ask.bucket)
}

fn sets_acl(ask: &Ask) -> bool {
    ask.header("x-amz-acl").is_some_and(|acl| acl != "private")
        || ask.headers.keys().any(|name| name.as_str().starts_with("x-amz-grant-"))
}
