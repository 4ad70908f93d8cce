//! A prefix of a bucket as the far place of files. In: files and keys below the prefix. Out: the same files, whole. The
//! process's own identity is used, and asks for `s3:PutObject`, `s3:GetObject`, `s3:DeleteObject` and
//! `s3:AbortMultipartUpload`; nothing is ever listed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use workflow::{Attempt, Code, Data, Failure, Object, Origin};

use crate::s3::{Bucket, Manner, check_bucket};

/// A prefix of a bucket.
pub struct Sink {
    bucket: Bucket,
    /// Empty, or with a slash at its end.
    prefix: String,
}

impl Sink {
    /// The sink that `s3://bucket/prefix` names. No I/O happens before the first call.
    pub fn parse(text: &str) -> Result<Sink, Failure> {
        let refused = |message: String| Err(Failure::new(Code::Usage, message));
        let Some(rest) = text.strip_prefix("s3://") else {
            return refused(format!("the artifact sink is `{text}`; `s3://bucket/prefix` is expected"));
        };
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if let Some(problem) = check_bucket(bucket) {
            return refused(format!("the artifact sink is `{text}`: {problem}"));
        }
        let prefix = prefix.trim_matches('/');
        if prefix.len() > 512 || prefix.chars().any(char::is_control) {
            return refused("the prefix of the artifact sink is longer than 512 bytes, or not of letters".into());
        }
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        Ok(Sink { bucket: Bucket::of_process(bucket, "artifact sink"), prefix })
    }

    /// The sink as it is written.
    pub fn text(&self) -> String {
        format!("s3://{}/{}", self.bucket.name, self.prefix)
    }

    /// Copies a file to a key below the prefix, and looks whether all of it arrived; gives its length.
    pub fn put(&self, file: &Path, key: &str, cancelled: &(dyn Fn() -> bool + Sync)) -> Result<u64, Failure> {
        let attempt = Attempt::silent("sink", cancelled);
        let key = format!("{}{key}", self.prefix);
        let unreadable = |error: std::io::Error| {
            Failure::new(Code::HomeUnusable, format!("`{}` cannot be read", file.display())).cause(error)
        };
        let bytes = std::fs::metadata(file).map_err(unreadable)?.len();
        let data = Data { path: file.to_path_buf(), bytes, provenance: Vec::new() };
        let manner = Manner {
            content_type: "application/octet-stream",
            metadata: Default::default(),
            server_side_encryption: None,
            kms_key_id: None,
            acl: None,
        };
        self.bucket.publish(&key, &data, &manner, &attempt)?;
        // To ask for the head of an object takes the permission to read it.
        let head = self.bucket.call(&attempt, &self.bucket.doing("s3:GetObject", Some(&key)), |client| {
            client.head_object().bucket(&self.bucket.name).key(&key).send()
        })?;
        match head.content_length() {
            Some(length) if u64::try_from(length) == Ok(bytes) => Ok(bytes),
            found => {
                let found = found.map_or("no".to_string(), |found| found.to_string());
                let message = format!("object `{key}` has {found} bytes where {bytes} were written");
                Err(Failure::new(Code::S3WriteFailed, message))
            }
        }
    }

    /// Brings back the `bytes` bytes of a key into a folder that exists; gives where they lie. What is of another
    /// length is never given.
    pub fn get(&self, key: &str, bytes: u64, folder: &Path) -> Result<PathBuf, Failure> {
        let never = || false;
        let attempt = Attempt { folder, ..Attempt::silent("sink", &never) };
        let (bucket, key) = (self.bucket.name.clone(), format!("{}{key}", self.prefix));
        let origin = Arc::new(Origin { bucket, key, identity: String::new() });
        let object = Object { origin, etag: String::new(), bytes, filename: String::new() };
        Ok(self.bucket.fetch(&object, &attempt)?.path)
    }

    /// Deletes a key; one that is not there is as good.
    pub fn remove(&self, key: &str, cancelled: &(dyn Fn() -> bool + Sync)) -> Result<(), Failure> {
        let attempt = Attempt::silent("sink", cancelled);
        let key = format!("{}{key}", self.prefix);
        self.bucket.call(&attempt, &self.bucket.doing("s3:DeleteObject", Some(&key)), |client| {
            client.delete_object().bucket(&self.bucket.name).key(&key).send()
        })?;
        Ok(())
    }
}
