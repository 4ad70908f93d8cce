//! Listing: the whole of a prefix, page by page, by continuation token only. The order of a listing is no contract, so
//! nothing is ever resumed from a key.

use std::sync::Arc;

use aws_sdk_s3::types::EncodingType;
use workflow::{Attempt, Code, Failure, Object, Origin, Progress};

use super::client::Bucket;
use super::keys::decode;

/// Everything under a prefix.
pub(crate) struct Listing {
    /// Objects, by key, bytewise.
    pub(crate) objects: Vec<Object>,
    /// Keys that were listed and are none of the objects, with the reason.
    pub(crate) left_out: Vec<(String, String)>,
}

impl Bucket {
    /// Lists `prefix` to the end: its direct children, or everything below it when `recursive`. `filename` of each
    /// object is relative to the prefix.
    pub(crate) fn list(&self, prefix: &str, recursive: bool, attempt: &Attempt<'_>) -> Result<Listing, Failure> {
        let doing = self.doing("s3:ListBucket", None);
        let mut listing = Listing { objects: Vec::new(), left_out: Vec::new() };
        let mut token: Option<String> = None;
        loop {
            let page = self.call(attempt, &doing, |client| {
                client
                    .list_objects_v2()
                    .bucket(&self.name)
                    .prefix(prefix)
                    .set_delimiter((!recursive).then(|| "/".to_string()))
                    .encoding_type(EncodingType::Url)
                    .set_continuation_token(token.clone())
                    .send()
            })?;
            let encoded = page.encoding_type() == Some(&EncodingType::Url);
            for entry in page.contents() {
                self.take(entry, prefix, recursive, encoded, &mut listing);
            }
            (attempt.progress)(Progress { doing: "listing", done: listing.objects.len() as u64, total: 0 });
            if !page.is_truncated().unwrap_or(false) {
                break;
            }
            let next = page.next_continuation_token().map(str::to_string);
            if next.is_none() || next == token {
                // Going on would lose objects without a word, or never end.
                let message = format!("the listing of bucket `{}` says that there is more and not where", self.name);
                return Err(Failure::new(Code::S3Unavailable, message));
            }
            token = next;
        }
        listing.objects.sort_by(|a, b| a.origin.key.as_bytes().cmp(b.origin.key.as_bytes()));
        listing.objects.dedup_by(|a, b| a.origin.key == b.origin.key);
        Ok(listing)
    }

    fn take(
        &self,
        entry: &aws_sdk_s3::types::Object,
        prefix: &str,
        recursive: bool,
        encoded: bool,
        listing: &mut Listing,
    ) {
        let listed = entry.key().unwrap_or_default();
        let key = if encoded { decode(listed) } else { Some(listed.to_string()) };
        let Some(key) = key else {
            listing.left_out.push((listed.to_string(), "the key is not UTF-8".into()));
            return;
        };
        let bytes = u64::try_from(entry.size().unwrap_or(0)).unwrap_or(0);
        let Some(filename) = key.strip_prefix(prefix).map(str::to_string) else {
            listing.left_out.push((key, "outside the path".into()));
            return;
        };
        if bytes == 0 && key.ends_with('/') || filename.is_empty() {
            listing.left_out.push((key, "a folder marker".into()));
            return;
        }
        if !recursive && filename.contains('/') {
            listing.left_out.push((key, "below the path; `recursive` is false".into()));
            return;
        }
        let etag = entry.e_tag().unwrap_or_default().trim_matches('"').to_string();
        let modified =
            entry.last_modified().map(|time| format!("{}.{:09}", time.secs(), time.subsec_nanos())).unwrap_or_default();
        let identity = format!("{etag} {bytes} {modified}");
        let origin = Arc::new(Origin { bucket: self.name.clone(), key, identity });
        listing.objects.push(Object { origin, filename, bytes, etag });
    }
}
