//! Writing one object: PUT or multipart by size, never more than the documented minimum policy allows. A write may be
//! repeated: the same key gets the same bytes.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart, ObjectCannedAcl, ServerSideEncryption};
use aws_smithy_types::base64;
use md5::{Digest, Md5};
use workflow::{Attempt, Code, Data, Failure, Progress};

use super::client::Bucket;
use super::failure::failure;
use super::fetch::spool;

/// Objects up to this many bytes go in one request.
const SINGLE_BYTES_MAX: u64 = 16 << 20;
/// The least bytes of a part; S3 itself wants 5 MiB.
const PART_BYTES_MIN: u64 = 8 << 20;
/// The most parts that an upload may have.
const PARTS_MAX: u64 = 10_000;
/// How often an unanswered completion is asked for again.
const COMPLETE_TRIES: usize = 4;

/// How an object is to be stored.
pub(crate) struct Manner {
    pub(crate) content_type: &'static str,
    pub(crate) metadata: HashMap<String, String>,
    pub(crate) server_side_encryption: Option<ServerSideEncryption>,
    pub(crate) kms_key_id: Option<String>,
    pub(crate) acl: Option<ObjectCannedAcl>,
}

impl Bucket {
    /// Writes the bytes of `data` under `key`.
    pub(crate) fn publish(
        &self,
        key: &str,
        data: &Data,
        manner: &Manner,
        attempt: &Attempt<'_>,
    ) -> Result<(), Failure> {
        let mut file = File::open(&data.path).map_err(spool)?;
        if data.bytes <= SINGLE_BYTES_MAX {
            let mut body = Vec::with_capacity(data.bytes as usize);
            file.read_to_end(&mut body).map_err(spool)?;
            return self.put(key, body, manner, attempt);
        }
        let upload = self.create(key, manner, attempt)?;
        let written = self
            .parts(key, &upload, &mut file, data.bytes, attempt)
            .and_then(|parts| self.complete(key, &upload, parts, attempt));
        if written.is_err() {
            self.abort(key, &upload);
        }
        written
    }

    fn put(&self, key: &str, body: Vec<u8>, manner: &Manner, attempt: &Attempt<'_>) -> Result<(), Failure> {
        let digest = content_md5(&body);
        let body = SdkBody::from(body);
        self.call(attempt, &self.doing("s3:PutObject", Some(key)), |client| {
            client
                .put_object()
                .bucket(&self.name)
                .key(key)
                .content_md5(&digest)
                .content_type(manner.content_type)
                .set_metadata(Some(manner.metadata.clone()))
                .set_server_side_encryption(manner.server_side_encryption.clone())
                .set_ssekms_key_id(manner.kms_key_id.clone())
                .set_acl(manner.acl.clone())
                .body(ByteStream::new(body.try_clone().expect("a body in memory can be sent again")))
                .send()
        })?;
        Ok(())
    }

    fn create(&self, key: &str, manner: &Manner, attempt: &Attempt<'_>) -> Result<String, Failure> {
        let created = self.call(attempt, &self.doing("s3:PutObject", Some(key)), |client| {
            client
                .create_multipart_upload()
                .bucket(&self.name)
                .key(key)
                .content_type(manner.content_type)
                .set_metadata(Some(manner.metadata.clone()))
                .set_server_side_encryption(manner.server_side_encryption.clone())
                .set_ssekms_key_id(manner.kms_key_id.clone())
                .set_acl(manner.acl.clone())
                .send()
        })?;
        created.upload_id().map(str::to_string).ok_or_else(|| {
            Failure::new(Code::S3WriteFailed, format!("the store began an upload of `{key}` without an id"))
        })
    }

    fn parts(
        &self,
        key: &str,
        upload: &str,
        file: &mut File,
        total: u64,
        attempt: &Attempt<'_>,
    ) -> Result<Vec<CompletedPart>, Failure> {
        let part_bytes = PART_BYTES_MIN.max(total.div_ceil(PARTS_MAX));
        let mut parts = Vec::new();
        let mut done = 0;
        while done < total {
            let mut body = Vec::with_capacity(part_bytes as usize);
            file.by_ref().take(part_bytes).read_to_end(&mut body).map_err(spool)?;
            if body.is_empty() {
                return Err(Failure::new(Code::Internal, "the spooled output is shorter than it was"));
            }
            done += body.len() as u64;
            let number = parts.len() as i32 + 1;
            let digest = content_md5(&body);
            let body = SdkBody::from(body);
            let answer = self.call(attempt, &self.doing("s3:PutObject", Some(key)), |client| {
                client
                    .upload_part()
                    .bucket(&self.name)
                    .key(key)
                    .upload_id(upload)
                    .part_number(number)
                    .content_md5(&digest)
                    .body(ByteStream::new(body.try_clone().expect("a body in memory can be sent again")))
                    .send()
            })?;
            parts.push(
                CompletedPart::builder().part_number(number).set_e_tag(answer.e_tag().map(str::to_string)).build(),
            );
            (attempt.progress)(Progress { doing: "writing", done, total });
        }
        Ok(parts)
    }

    /// Completes an upload. An answer that got lost is asked for again; when the upload is then unknown, it was our
    /// own earlier request that completed it, since nobody else knows its id.
    fn complete(
        &self,
        key: &str,
        upload: &str,
        parts: Vec<CompletedPart>,
        attempt: &Attempt<'_>,
    ) -> Result<(), Failure> {
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let doing = self.doing("s3:PutObject", Some(key));
        let mut unanswered = false;
        for tries_left in (0..COMPLETE_TRIES).rev() {
            let answer = self.call_raw(attempt, |client| {
                client
                    .complete_multipart_upload()
                    .bucket(&self.name)
                    .key(key)
                    .upload_id(upload)
                    .multipart_upload(parts.clone())
                    .customize()
                    .config_override(
                        aws_sdk_s3::config::Builder::new().retry_config(aws_config::retry::RetryConfig::disabled()),
                    )
                    .send()
            })?;
            let Err(error) = answer else { return Ok(()) };
            if unanswered && error.code() == Some("NoSuchUpload") {
                return Ok(());
            }
            let ambiguous = error.raw_response().is_none_or(|response| response.status().as_u16() >= 500);
            unanswered |= ambiguous && !matches!(error, SdkError::ConstructionFailure(_));
            let again = ambiguous || error.code() == Some("InternalError") || error.code() == Some("SlowDown");
            if !again || tries_left == 0 {
                return Err(failure(&error, &doing));
            }
        }
        Err(Failure::new(Code::Internal, "an upload was never completed"))
    }

    /// Leaves no orphaned parts behind. What cannot be aborted is left to the bucket's lifecycle rule.
    fn abort(&self, key: &str, upload: &str) {
        let never = || false;
        // The attempt itself may be cancelled, and just then the abort has to go through.
        let attempt = Attempt::silent("abort", &never);
        let _ = self.call(&attempt, &self.doing("s3:AbortMultipartUpload", Some(key)), |client| {
            client.abort_multipart_upload().bucket(&self.name).key(key).upload_id(upload).send()
        });
    }
}

fn content_md5(body: &[u8]) -> String {
    base64::encode(Md5::digest(body))
}
