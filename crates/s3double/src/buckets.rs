//! What the service remembers: buckets, the objects in them, and uploads under way.
//!
//! In: requests' headers and bodies. Out: stored objects. It checks no permissions and no conditions.

use std::collections::BTreeMap;
use std::sync::Arc;

use hyper::body::Bytes;
use jiff::Timestamp;

use crate::answer::Refusal;
use crate::request::Ask;
use crate::sign;

/// All buckets by name.
pub(crate) type Buckets = BTreeMap<String, Bucket>;

/// One bucket.
pub(crate) struct Bucket {
    pub(crate) created: Timestamp,
    /// By key. Rust orders strings by their bytes, which is S3's order.
    pub(crate) objects: BTreeMap<String, Arc<Stored>>,
    /// By upload id.
    pub(crate) uploads: BTreeMap<String, Upload>,
}

/// An object as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The bytes.
    pub body: Bytes,
    /// The entity tag with its double quotes: the MD5 of the body, or of the parts' MD5s with `-N` behind it.
    pub etag: String,
    /// `binary/octet-stream` when the writer gave none.
    pub content_type: String,
    /// `cache-control`, `content-disposition`, `content-encoding`, `content-language` and `expires`, if given.
    pub headers: BTreeMap<String, String>,
    /// User metadata without the `x-amz-meta-` before the names.
    pub metadata: BTreeMap<String, String>,
    /// When it was written, in whole seconds.
    pub last_modified: Timestamp,
    /// `AES256`, `aws:kms` or what else the writer asked for; `None` when it asked for nothing.
    pub server_side_encryption: Option<String>,
    /// The KMS key the writer asked for.
    pub kms_key_id: Option<String>,
    /// The canned ACL the writer asked for.
    pub acl: Option<String>,
    /// Checksums in base64 by algorithm, such as `crc32`.
    pub checksums: BTreeMap<String, String>,
    /// `FULL_OBJECT` or `COMPOSITE`.
    pub checksum_type: String,
}

/// A multipart upload under way.
pub(crate) struct Upload {
    pub(crate) key: String,
    pub(crate) initiated: Timestamp,
    /// The object to be, without a body.
    pub(crate) draft: Stored,
    /// The checksum algorithm named at the beginning, in lower case.
    pub(crate) algorithm: Option<String>,
    pub(crate) parts: BTreeMap<u32, Part>,
}

/// One part of an upload.
pub(crate) struct Part {
    pub(crate) body: Bytes,
    pub(crate) md5: Vec<u8>,
    /// With its double quotes.
    pub(crate) etag: String,
    pub(crate) checksums: BTreeMap<String, String>,
    pub(crate) last_modified: Timestamp,
}

impl Stored {
    /// An object with nothing but a body.
    pub(crate) fn plain(body: Bytes, last_modified: Timestamp) -> Stored {
        Stored {
            etag: quoted(&sign::md5(&body)),
            body,
            content_type: "binary/octet-stream".to_string(),
            headers: BTreeMap::new(),
            metadata: BTreeMap::new(),
            last_modified: whole_seconds(last_modified),
            server_side_encryption: None,
            kms_key_id: None,
            acl: None,
            checksums: BTreeMap::new(),
            checksum_type: "FULL_OBJECT".to_string(),
        }
    }

    /// An object with a body and all that the headers of a request say about it, save checksums.
    pub(crate) fn described(ask: &Ask, body: Bytes, now: Timestamp) -> Stored {
        let mut stored = Stored::plain(body, now);
        for name in ["cache-control", "content-disposition", "content-encoding", "content-language", "expires"] {
            let mut values = Vec::new();
            for value in ask.headers.get_all(name) {
                values.push(String::from_utf8_lossy(value.as_bytes()).into_owned());
            }
            let mut value = values.join(", ");
            if name == "content-encoding" {
                // The framing of the transfer is no property of the object.
                let kept: Vec<&str> = value.split(',').map(str::trim).filter(|item| *item != "aws-chunked").collect();
                value = kept.join(", ");
            }
            if !value.is_empty() {
                stored.headers.insert(name.to_string(), value);
            }
        }
        for (name, value) in &ask.headers {
            if let Some(name) = name.as_str().strip_prefix("x-amz-meta-") {
                let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                stored.metadata.insert(name.to_string(), value);
            }
        }
        let header = |name: &str| ask.header(name).map(str::to_string);
        if let Some(content_type) = header("content-type") {
            stored.content_type = content_type;
        }
        stored.server_side_encryption = header("x-amz-server-side-encryption");
        stored.kms_key_id = header("x-amz-server-side-encryption-aws-kms-key-id");
        stored.acl = header("x-amz-acl");
        stored
    }
}

/// The bucket of that name, created if need be.
pub(crate) fn made<'a>(buckets: &'a mut Buckets, name: &str, now: Timestamp) -> &'a mut Bucket {
    buckets.entry(name.to_string()).or_insert_with(|| Bucket {
        created: whole_seconds(now),
        objects: BTreeMap::new(),
        uploads: BTreeMap::new(),
    })
}

/// The bucket a request names.
pub(crate) fn found<'a>(buckets: &'a Buckets, name: &str) -> Result<&'a Bucket, Refusal> {
    buckets.get(name).ok_or_else(|| no_such_bucket(name))
}

/// The bucket a request names, to change it.
pub(crate) fn found_mut<'a>(buckets: &'a mut Buckets, name: &str) -> Result<&'a mut Bucket, Refusal> {
    buckets.get_mut(name).ok_or_else(|| no_such_bucket(name))
}

/// An entity tag with its quotes.
pub(crate) fn quoted(md5: &[u8]) -> String {
    format!("\"{}\"", sign::hex(md5))
}

/// S3 keeps no fractions of seconds.
pub(crate) fn whole_seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

fn no_such_bucket(name: &str) -> Refusal {
    Refusal::new(404, "NoSuchBucket", format!("bucket `{name}` does not exist"))
}
