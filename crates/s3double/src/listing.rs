//! Listings: ListObjectsV2 in pages, and the uploads under way.
//!
//! In: prefix, delimiter, start and page size. Out: XML with keys in the order of their bytes. A continuation token
//! holds the last key or common prefix given, so a listing survives changes of the bucket between two pages.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use crate::answer::{Answer, Refusal};
use crate::buckets::{Stored, found};
use crate::checksums::{base64, unbase64};
use crate::objects::iso;
use crate::request::{Ask, encode_listed};
use crate::server::{World, locked};
use crate::xml::{S3_NAMESPACE, Xml};

/// S3's own limit on the keys of a page.
const KEYS_MAX: usize = 1000;

/// ListObjectsV2.
pub(crate) fn objects(world: &World, ask: &Ask) -> Result<Answer, Refusal> {
    let query = Query::read(ask)?;
    let page = {
        let buckets = locked(&world.buckets);
        query.page(&found(&buckets, &ask.bucket)?.objects)
    };
    Ok(Answer::xml(200, query.written(&ask.bucket, &page)))
}

/// ListMultipartUploads, always in one page.
pub(crate) fn uploads(world: &World, ask: &Ask) -> Result<Answer, Refusal> {
    let url = url_encoded(ask)?;
    let shown = |text: &str| if url { encode_listed(text) } else { text.to_string() };
    let prefix = ask.param("prefix").unwrap_or_default();
    let buckets = locked(&world.buckets);
    let bucket = found(&buckets, &ask.bucket)?;
    let mut uploads: Vec<_> = bucket.uploads.iter().filter(|(_, upload)| upload.key.starts_with(prefix)).collect();
    uploads.sort_by(|(_, one), (_, other)| one.key.cmp(&other.key).then(one.initiated.cmp(&other.initiated)));
    let mut xml = Xml::new("ListMultipartUploadsResult", S3_NAMESPACE);
    xml.leaf("Bucket", &ask.bucket);
    xml.leaf("Prefix", &shown(prefix));
    xml.leaf("MaxUploads", "1000");
    xml.leaf("IsTruncated", "false");
    for (id, upload) in uploads {
        xml.open("Upload");
        xml.leaf("Key", &shown(&upload.key));
        xml.leaf("UploadId", id);
        xml.leaf("StorageClass", "STANDARD");
        xml.leaf("Initiated", &iso(upload.initiated));
        xml.close("Upload");
    }
    Ok(Answer::xml(200, xml.end()))
}

/// What a listing asks for.
struct Query<'a> {
    prefix: &'a str,
    delimiter: &'a str,
    start_after: &'a str,
    token: Option<&'a str>,
    /// Where the page begins.
    after: After,
    keys_max: usize,
    url: bool,
}

/// What stood last on the page before.
enum After {
    Nothing,
    Key(String),
    CommonPrefix(String),
}

/// One page.
#[derive(Default)]
struct Page {
    objects: Vec<(String, Arc<Stored>)>,
    common_prefixes: Vec<String>,
    /// The token for the next page; `None` on the last one.
    next: Option<String>,
}

impl<'a> Query<'a> {
    fn read(ask: &'a Ask) -> Result<Query<'a>, Refusal> {
        let keys_max = match ask.param("max-keys") {
            None => KEYS_MAX,
            Some(text) => text.parse::<u32>().map(|keys| (keys as usize).min(KEYS_MAX)).map_err(|_| {
                Refusal::new(400, "InvalidArgument", format!("max-keys `{text}` is not a number from 0 on"))
            })?,
        };
        let start_after = ask.param("start-after").unwrap_or_default();
        let token = ask.param("continuation-token");
        let after = match token {
            Some(token) => After::from_token(token)
                .ok_or_else(|| Refusal::new(400, "InvalidArgument", "the continuation token is not one given here"))?,
            None if start_after.is_empty() => After::Nothing,
            None => After::Key(start_after.to_string()),
        };
        Ok(Query {
            prefix: ask.param("prefix").unwrap_or_default(),
            delimiter: ask.param("delimiter").unwrap_or_default(),
            start_after,
            token,
            after,
            keys_max,
            url: url_encoded(ask)?,
        })
    }

    fn page(&self, objects: &BTreeMap<String, Arc<Stored>>) -> Page {
        let mut page = Page::default();
        if self.keys_max == 0 {
            return page;
        }
        let (from, mut folded): (Bound<&str>, Option<&str>) = match &self.after {
            After::Nothing => (Bound::Included(self.prefix), None),
            After::Key(key) if key.as_str() < self.prefix => (Bound::Included(self.prefix), None),
            After::Key(key) => (Bound::Excluded(key.as_str()), None),
            After::CommonPrefix(prefix) => (Bound::Included(prefix.as_str()), Some(prefix.as_str())),
        };
        let mut last = After::Nothing;
        for (key, stored) in objects.range::<str, _>((from, Bound::Unbounded)) {
            if !key.starts_with(self.prefix) {
                break;
            }
            if folded.is_some_and(|prefix| key.starts_with(prefix)) {
                continue;
            }
            if page.objects.len() + page.common_prefixes.len() == self.keys_max {
                page.next = Some(last.token());
                break;
            }
            match self.common_prefix(key) {
                Some(prefix) => {
                    page.common_prefixes.push(prefix.to_string());
                    last = After::CommonPrefix(prefix.to_string());
                    folded = Some(prefix);
                }
                None => {
                    page.objects.push((key.clone(), stored.clone()));
                    last = After::Key(key.clone());
                }
            }
        }
        page
    }

    /// The key up to and with the first delimiter behind the prefix.
    fn common_prefix<'k>(&self, key: &'k str) -> Option<&'k str> {
        if self.delimiter.is_empty() {
            return None;
        }
        let at = key[self.prefix.len()..].find(self.delimiter)?;
        Some(&key[..self.prefix.len() + at + self.delimiter.len()])
    }

    fn written(&self, bucket: &str, page: &Page) -> String {
        let shown = |text: &str| if self.url { encode_listed(text) } else { text.to_string() };
        let mut xml = Xml::new("ListBucketResult", S3_NAMESPACE);
        xml.leaf("Name", bucket);
        xml.leaf("Prefix", &shown(self.prefix));
        if !self.delimiter.is_empty() {
            xml.leaf("Delimiter", &shown(self.delimiter));
        }
        if !self.start_after.is_empty() {
            xml.leaf("StartAfter", &shown(self.start_after));
        }
        if let Some(token) = self.token {
            xml.leaf("ContinuationToken", token);
        }
        if let Some(token) = &page.next {
            xml.leaf("NextContinuationToken", token);
        }
        if self.url {
            xml.leaf("EncodingType", "url");
        }
        xml.leaf("KeyCount", &(page.objects.len() + page.common_prefixes.len()).to_string());
        xml.leaf("MaxKeys", &self.keys_max.to_string());
        xml.leaf("IsTruncated", if page.next.is_some() { "true" } else { "false" });
        for (key, stored) in &page.objects {
            xml.open("Contents");
            xml.leaf("Key", &shown(key));
            xml.leaf("LastModified", &iso(stored.last_modified));
            xml.leaf("ETag", &stored.etag);
            xml.leaf("Size", &stored.body.len().to_string());
            xml.leaf("StorageClass", "STANDARD");
            xml.close("Contents");
        }
        for prefix in &page.common_prefixes {
            xml.open("CommonPrefixes");
            xml.leaf("Prefix", &shown(prefix));
            xml.close("CommonPrefixes");
        }
        xml.end()
    }
}

impl After {
    /// Opaque to clients, and with characters in it that must be encoded in an address.
    fn token(&self) -> String {
        match self {
            After::Nothing => String::new(),
            After::Key(key) => base64(format!("k{key}").as_bytes()),
            After::CommonPrefix(prefix) => base64(format!("p{prefix}").as_bytes()),
        }
    }

    fn from_token(token: &str) -> Option<After> {
        let text = String::from_utf8(unbase64(token)?).ok()?;
        match text.strip_prefix('k') {
            Some(key) => Some(After::Key(key.to_string())),
            None => text.strip_prefix('p').map(|prefix| After::CommonPrefix(prefix.to_string())),
        }
    }
}

/// Whether keys are to be encoded in the answer.
fn url_encoded(ask: &Ask) -> Result<bool, Refusal> {
    match ask.param("encoding-type") {
        None => Ok(false),
        Some("url") => Ok(true),
        Some(other) => Err(Refusal::new(400, "InvalidArgument", format!("encoding-type `{other}` is not `url`"))),
    }
}
