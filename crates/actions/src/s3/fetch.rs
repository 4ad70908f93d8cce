//! Reading one object: exactly the version that was listed, whole, verified.

use std::io::Write;

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::types::{ChecksumMode, ServerSideEncryption};
use md5::{Digest, Md5};
use workflow::{Attempt, Code, Data, Failure, Object, Progress};

use super::client::{Bucket, wait};

/// A body that breaks off is asked for again this often; the SDK itself retries only up to the first byte.
const TRIES: usize = 4;

impl Bucket {
    /// Fetches a listed object into the attempt's folder. Fails with `s3.object_changed` when it was replaced since it
    /// was listed; what does not have the listed length or digest is never handed on.
    pub(crate) fn fetch(&self, object: &Object, attempt: &Attempt<'_>) -> Result<Data, Failure> {
        let mut last = None;
        for _ in 0..TRIES {
            match self.fetch_once(object, attempt) {
                Err(failure) if failure.code == Code::S3Unavailable => last = Some(failure),
                other => return other,
            }
        }
        Err(last.expect("at least one try was made"))
    }

    fn fetch_once(&self, object: &Object, attempt: &Attempt<'_>) -> Result<Data, Failure> {
        let key = object.origin.key.as_str();
        let answer = self.call(attempt, &self.doing("s3:GetObject", Some(key)), |client| {
            client
                .get_object()
                .bucket(&self.name)
                .key(key)
                .set_if_match((!object.etag.is_empty()).then(|| format!("\"{}\"", object.etag)))
                .checksum_mode(ChecksumMode::Enabled)
                .send()
        })?;
        let version = answer.version_id().filter(|version| *version != "null").map(str::to_string);
        let path = attempt.folder.join("source");
        let broken = |what: String| {
            Failure::new(Code::S3Unavailable, format!("object `{key}` of bucket `{}` {what}", self.name))
        };
        let digest_expected = md5_of(object, &answer);
        let mut body = answer.body;
        let mut file = std::io::BufWriter::new(std::fs::File::create(&path).map_err(spool)?);
        let mut digest = Md5::new();
        let mut bytes = 0u64;
        while let Some(chunk) = wait(attempt, body.next())? {
            let chunk = chunk.map_err(|error| broken("broke off while it was read".into()).cause(error))?;
            digest.update(&chunk);
            bytes += chunk.len() as u64;
            file.write_all(&chunk).map_err(spool)?;
            (attempt.progress)(Progress { doing: "reading", done: bytes, total: object.bytes });
        }
        file.flush().map_err(spool)?;
        if bytes != object.bytes {
            return Err(broken(format!("gave {bytes} bytes where {} were listed", object.bytes)));
        }
        if let Some(expected) = digest_expected
            && expected != hex(&digest.finalize())
        {
            return Err(broken("does not have the listed digest".into()));
        }
        let mut provenance =
            vec![("source-key".to_string(), key.to_string()), ("source-etag".to_string(), object.etag.clone())];
        provenance.extend(version.map(|version| ("source-version".to_string(), version)));
        Ok(Data { path, bytes, provenance })
    }
}

/// The MD5 that the ETag is, where it is one: not for multipart uploads and not under KMS or customer keys.
fn md5_of(object: &Object, answer: &GetObjectOutput) -> Option<String> {
    let plain = match answer.server_side_encryption() {
        None | Some(ServerSideEncryption::Aes256) => answer.sse_customer_algorithm().is_none(),
        Some(_) => false,
    };
    let hexadecimal = object.etag.len() == 32 && object.etag.bytes().all(|byte| byte.is_ascii_hexdigit());
    (plain && hexadecimal).then(|| object.etag.to_ascii_lowercase())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn spool(error: std::io::Error) -> Failure {
    Failure::new(Code::HomeUnusable, "the scratch folder cannot be used").cause(error)
}
