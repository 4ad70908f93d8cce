//! `s3_destination`: writes data under a path of a bucket. It only ever puts, never looks.

use std::collections::HashMap;

use aws_sdk_s3::types::{ObjectCannedAcl, ServerSideEncryption};
use sha2::{Digest, Sha256};
use workflow::{
    Accepts, ActionType, Attempt, Built, Code, Config, Connection, Data, Failure, Field, Inputs, Outcome, Problem,
    Reach, Role, Shape, Step,
};

use crate::s3::{Bucket, Manner, check_bucket, directory, join};

/// The action type `s3_destination`.
pub(crate) static S3_DESTINATION: ActionType = ActionType {
    name: "s3_destination",
    about: "Writes data to an S3 bucket, under the name and folder of its source or any other.",
    role: Role::Destination,
    connection: Some("s3"),
    fields: &[
        Field {
            name: "bucket",
            shape: Shape::Text,
            required: true,
            about: "Name of the bucket to write to; the name only.",
            example: "my-synthesized-analytics-bucket",
        },
        Field {
            name: "path",
            shape: Shape::Template(Accepts::Text),
            required: false,
            about: "Directory to write below; the root of the bucket by default.",
            example: "metrics/",
        },
        Field {
            name: "filename",
            shape: Shape::Template(Accepts::Text),
            required: true,
            about: "Name of the object, appended to `path`.",
            example: "\"{outputs.<source>.dataset.files.filename}\"",
        },
        Field {
            name: "input",
            shape: Shape::Template(Accepts::Data),
            required: true,
            about: "The data to write.",
            example: "\"{outputs.<model>.dataset.files.data}\"",
        },
        Field {
            name: "server_side_encryption",
            shape: Shape::Choice(&["AES256", "aws:kms", "aws:kms:dsse"]),
            required: false,
            about: "How the store encrypts the object; the bucket's own default if left out.",
            example: "aws:kms",
        },
        Field {
            name: "kms_key_id",
            shape: Shape::Text,
            required: false,
            about: "Key for `aws:kms` and `aws:kms:dsse`; the account's default key if left out.",
            example: "alias/synthetic",
        },
        Field {
            name: "acl",
            shape: Shape::Choice(&[
                "private",
                "public-read",
                "public-read-write",
                "authenticated-read",
                "aws-exec-read",
                "bucket-owner-read",
                "bucket-owner-full-control",
            ]),
            required: false,
            about: "Canned access list of the object; needs s3:PutObjectAcl. The bucket's own default if left out.",
            example: "bucket-owner-full-control",
        },
    ],
    check,
    reach: |config| {
        let path = config.template("path");
        let literal_path = path.map(|path| path.literal_prefix().to_string()).unwrap_or_default();
        let open = |template: Option<&workflow::Template>| {
            template.is_some_and(|template| template.references().next().is_some())
        };
        let name = config.template("filename").map(|name| name.literal_prefix().to_string()).unwrap_or_default();
        let prefix = if open(path) { literal_path } else { join(&literal_path, &name) };
        let deep = open(path) || open(config.template("filename"));
        Some(Reach { bucket: config.text("bucket")?.to_string(), prefix, deep, feedback_allowed: false })
    },
    build: |config, connection| Ok(Built::Step(Box::new(S3Destination::new(config, connection)?))),
};

fn check(config: &Config, problems: &mut Vec<Problem>, _warnings: &mut Vec<Problem>) {
    if let Some(message) = config.text("bucket").and_then(check_bucket) {
        problems.push(config.problem("bucket", message, Some("Write for instance `bucket: my-synthetic-bucket`.")));
    }
    if config.text("kms_key_id").is_some()
        && !config.text("server_side_encryption").is_some_and(|how| how.starts_with("aws:kms"))
    {
        let message = "`kms_key_id` is given and `server_side_encryption` is not `aws:kms` or `aws:kms:dsse`";
        problems.push(config.problem("kms_key_id", message, Some("Add `server_side_encryption: aws:kms`.")));
    }
}

/// What the store lets user metadata weigh, in bytes of names and values together.
const METADATA_BYTES_MAX: usize = 2048;
/// A failed write is tried again this often, on top of the SDK's own retries.
const RETRIES: usize = 2;

struct S3Destination {
    bucket: Bucket,
    server_side_encryption: Option<ServerSideEncryption>,
    kms_key_id: Option<String>,
    acl: Option<ObjectCannedAcl>,
}

impl S3Destination {
    fn new(config: &Config, connection: Option<&Connection>) -> Result<S3Destination, Failure> {
        Ok(S3Destination {
            bucket: Bucket::new(config.text("bucket").unwrap_or_default(), connection)?,
            server_side_encryption: config.text("server_side_encryption").map(ServerSideEncryption::from),
            kms_key_id: config.text("kms_key_id").map(str::to_string),
            acl: config.text("acl").map(ObjectCannedAcl::from),
        })
    }

    fn key(texts: &[(&'static str, String)]) -> Option<String> {
        let text = |name: &str| texts.iter().find(|(field, _)| *field == name).map(|(_, text)| text.as_str());
        let filename = text("filename").filter(|filename| !filename.is_empty())?;
        Some(join(&directory(text("path").unwrap_or_default()), filename))
    }
}

impl Step for S3Destination {
    fn run(&self, inputs: &Inputs, attempt: &Attempt<'_>) -> Result<Outcome, Failure> {
        let key = S3Destination::key(&inputs.texts)
            .ok_or_else(|| Failure::new(Code::S3WriteFailed, "the filename is empty"))?;
        if key.len() > 1024 {
            return Err(Failure::new(
                Code::S3WriteFailed,
                format!("the key `{key}` has {} bytes where S3 allows 1024", key.len()),
            ));
        }
        let data = &inputs.file("input").ok_or_else(|| Failure::new(Code::Internal, "a write without data"))?.data;
        let manner = Manner {
            content_type: content_type(&key),
            metadata: metadata(data, attempt.run),
            server_side_encryption: self.server_side_encryption.clone(),
            kms_key_id: self.kms_key_id.clone(),
            acl: self.acl.clone(),
        };
        (attempt.publishing)(&format!("s3://{}/{key}", self.bucket.name));
        let mut outcome = Outcome::default();
        for retry in 0.. {
            match self.bucket.publish(&key, data, &manner, attempt) {
                Ok(()) => break,
                Err(failure) if failure.code == Code::S3Unavailable && retry < RETRIES => {
                    let text =
                        format!("writing `{key}` did not work, retry {} of {RETRIES}: {}", retry + 1, failure.message);
                    outcome.log.push(("warning", text));
                }
                Err(failure) if failure.code == Code::S3Unavailable => {
                    let mut written = Failure::new(
                        Code::S3WriteFailed,
                        format!(
                            "object `{key}` could not be written to bucket `{}` in {} tries",
                            self.bucket.name,
                            RETRIES + 1
                        ),
                    )
                    .hint("The next run takes the source object again.");
                    written.cause = Some(failure.cause.unwrap_or(failure.message));
                    return Err(written);
                }
                Err(failure) => return Err(failure),
            }
        }
        outcome.facts.push(("written".into(), format!("s3://{}/{key}", self.bucket.name)));
        outcome.facts.push(("bytes".into(), data.bytes.to_string()));
        Ok(outcome)
    }

    fn target(&self, texts: &[(&'static str, String)]) -> Option<String> {
        Some(format!("s3://{}/{}", self.bucket.name, S3Destination::key(texts)?))
    }
}

/// Provenance as object metadata: names with `hansel-` in front, values percent-encoded, within what S3 allows. A
/// source key that does not fit goes as its SHA-256, any other value that does not fit is left out.
fn metadata(data: &Data, run: &str) -> HashMap<String, String> {
    let mut metadata = HashMap::new();
    let mut weight = 0;
    // Whether the prefix counts is not documented; counting it keeps every reading within the limit.
    let weigh = |name: &str, value: &str| "x-amz-meta-".len() + name.len() + value.len();
    let run = [("run".to_string(), run.to_string())];
    // Short values first, so that a long key or many scores push nothing else out.
    let mut entries: Vec<&(String, String)> = run.iter().chain(&data.provenance).collect();
    entries.sort_by_key(|(name, value)| (value.len(), name.clone()));
    for (name, value) in entries {
        let (mut name, mut value) = (format!("hansel-{name}"), percent(value));
        if name == "hansel-source-key" && weight + weigh(&name, &value) > METADATA_BYTES_MAX {
            name = "hansel-source-key-sha256".into();
            let original = &data.provenance.iter().find(|(name, _)| name == "source-key").expect("it was just seen").1;
            value = Sha256::digest(original.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        }
        if weight + weigh(&name, &value) <= METADATA_BYTES_MAX {
            weight += weigh(&name, &value);
            metadata.insert(name, value);
        }
    }
    metadata
}

fn percent(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' | b':' | b'=' | b',' => {
                encoded.push(byte as char)
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

fn content_type(key: &str) -> &'static str {
    let name = key.to_ascii_lowercase();
    static TYPES: &[(&str, &str)] = &[
        (".csv", "text/csv"),
        (".tsv", "text/tab-separated-values"),
        (".txt", "text/plain"),
        (".jsonl", "application/x-ndjson"),
        (".ndjson", "application/x-ndjson"),
        (".json", "application/json"),
        (".parquet", "application/vnd.apache.parquet"),
        (".gz", "application/gzip"),
        (".zst", "application/zstd"),
    ];
    TYPES.iter().find(|(end, _)| name.ends_with(end)).map_or("application/octet-stream", |(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_stays_within_what_s3_allows() {
        let data = |key: String| Data {
            path: Default::default(),
            bytes: 0,
            provenance: vec![
                ("source-key".into(), key),
                ("source-etag".into(), "e".into()),
                ("scores".into(), "s".repeat(1500)),
            ],
        };
        let short = metadata(&data("a b".into()), "wr_1");
        assert_eq!(short["hansel-source-key"], "a%20b");
        assert_eq!(short["hansel-run"], "wr_1");
        let long = metadata(&data("é".repeat(500)), "wr_1");
        assert!(!long.contains_key("hansel-source-key"));
        assert_eq!(long["hansel-source-key-sha256"].len(), 64);
        let weight: usize = long.iter().map(|(name, value)| name.len() + value.len()).sum();
        assert!(weight <= METADATA_BYTES_MAX, "{weight}");
    }
}
