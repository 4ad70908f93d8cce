//! Multipart uploads: begin, parts, completion, abortion.
//!
//! In: permitted requests. Out: answers; an object appears only on completion. Parts are kept until then.

use std::collections::BTreeMap;
use std::sync::Arc;

use hyper::body::Bytes;
use jiff::Timestamp;

use crate::answer::{Answer, Refusal};
use crate::buckets::{Bucket, Part, Stored, Upload, found, found_mut, quoted, whole_seconds};
use crate::checksums;
use crate::objects::{check_key, check_overwrite, checksum_headers, encryption_header, iso};
use crate::request::Ask;
use crate::server::{World, locked};
use crate::sign;
use crate::xml::{NamedPart, S3_NAMESPACE, Xml, named_parts};

/// Every part but the last has at least so many bytes.
const PART_BYTES_MIN: usize = 5 << 20;

/// Parts are numbered from 1 to this.
const PARTS_MAX: u32 = 10_000;

pub(crate) fn create(world: &World, ask: &Ask, now: Timestamp) -> Result<Answer, Refusal> {
    check_key(&ask.key)?;
    let algorithm = ask.header("x-amz-checksum-algorithm").map(str::to_ascii_lowercase);
    if let Some(name) = &algorithm
        && !checksums::ALGORITHMS.contains(&name.as_str())
    {
        let known = checksums::ALGORITHMS.join(", ");
        return Err(Refusal::new(400, "InvalidRequest", format!("checksum `{name}` is not one of {known}")));
    }
    let mut draft = Stored::described(ask, Bytes::new(), now);
    let composite = algorithm.as_deref().is_some_and(|name| name != "crc64nvme");
    draft.checksum_type = match ask.header("x-amz-checksum-type") {
        Some(kind) => kind.to_ascii_uppercase(),
        None if composite => "COMPOSITE".to_string(),
        None => "FULL_OBJECT".to_string(),
    };
    let (header, encryption) = encryption_header(&draft);
    let kind = draft.checksum_type.clone();
    let seed = format!("{}\n{}\n{}", world.endpoint, world.next_number(), ask.key);
    let id = sign::hex(&sign::sha256(seed.as_bytes()));
    let mut buckets = locked(&world.buckets);
    let bucket = found_mut(&mut buckets, &ask.bucket)?;
    let upload = Upload {
        key: ask.key.clone(),
        initiated: whole_seconds(now),
        draft,
        algorithm: algorithm.clone(),
        parts: BTreeMap::new(),
    };
    bucket.uploads.insert(id.clone(), upload);
    let mut xml = Xml::new("InitiateMultipartUploadResult", S3_NAMESPACE);
    xml.leaf("Bucket", &ask.bucket);
    xml.leaf("Key", &ask.key);
    xml.leaf("UploadId", &id);
    let mut answer = Answer::xml(200, xml.end()).with(&header, &encryption);
    if let Some(algorithm) = algorithm {
        let name = algorithm.to_ascii_uppercase();
        answer = answer.with("x-amz-checksum-algorithm", &name).with("x-amz-checksum-type", &kind);
    }
    Ok(answer)
}

pub(crate) fn upload_part(world: &World, ask: &Ask, now: Timestamp) -> Result<Answer, Refusal> {
    let number = ask.param("partNumber").and_then(|text| text.parse::<u32>().ok());
    let Some(number) = number.filter(|number| (1..=PARTS_MAX).contains(number)) else {
        return Err(Refusal::new(400, "InvalidArgument", format!("partNumber is not a number from 1 to {PARTS_MAX}")));
    };
    let mut sums = checksums::received(ask, &ask.body)?;
    let md5 = sign::md5(&ask.body);
    let mut answer = Answer::empty(200).with("etag", &quoted(&md5));
    answer.headers.extend(checksum_headers(&sums, "").into_iter().filter(|(name, _)| name != "x-amz-checksum-type"));
    let mut buckets = locked(&world.buckets);
    let upload = found_upload_mut(found_mut(&mut buckets, &ask.bucket)?, ask)?;
    if let Some(algorithm) = &upload.algorithm {
        if let Some(other) = sums.keys().find(|given| *given != algorithm) {
            let message = format!("the upload was begun with checksum {algorithm}, the part came with {other}");
            return Err(Refusal::new(400, "InvalidRequest", message));
        }
        // What the client leaves out the service computes.
        if sums.is_empty()
            && let Some(sum) = checksums::compute(algorithm, &ask.body)
        {
            sums.insert(algorithm.clone(), sum);
        }
    }
    let part =
        Part { body: ask.body.clone(), etag: quoted(&md5), md5, checksums: sums, last_modified: whole_seconds(now) };
    upload.parts.insert(number, part);
    Ok(answer)
}

pub(crate) fn complete(world: &World, ask: &Ask, now: Timestamp) -> Result<Answer, Refusal> {
    let named = std::str::from_utf8(&ask.body).ok().and_then(named_parts).filter(|parts| !parts.is_empty());
    let Some(named) = named else {
        return Err(Refusal::new(400, "MalformedXML", "the body is not a CompleteMultipartUpload with parts"));
    };
    let mut buckets = locked(&world.buckets);
    let bucket = found_mut(&mut buckets, &ask.bucket)?;
    let upload = found_upload_mut(bucket, ask)?;
    let parts = chosen(upload, &named)?;
    let stored = assembled(upload, &parts, now);
    check_overwrite(ask, bucket.objects.get(&ask.key))?;
    let mut xml = Xml::new("CompleteMultipartUploadResult", S3_NAMESPACE);
    xml.leaf("Location", &format!("{}{}", world.endpoint, ask.path));
    xml.leaf("Bucket", &ask.bucket);
    xml.leaf("Key", &ask.key);
    xml.leaf("ETag", &stored.etag);
    for (algorithm, sum) in &stored.checksums {
        xml.leaf(&checksums::element(algorithm), sum);
    }
    xml.leaf("ChecksumType", &stored.checksum_type);
    let (header, encryption) = encryption_header(&stored);
    bucket.objects.insert(ask.key.clone(), Arc::new(stored));
    bucket.uploads.remove(ask.param("uploadId").unwrap_or_default());
    Ok(Answer::xml(200, xml.end()).with(&header, &encryption))
}

/// The parts that the client names, once all that can be wrong with them is not.
fn chosen<'a>(upload: &'a Upload, named: &[NamedPart]) -> Result<Vec<&'a Part>, Refusal> {
    if !named.is_sorted_by(|one, next| one.number < next.number) {
        return Err(Refusal::new(400, "InvalidPartOrder", "the parts are not in ascending order"));
    }
    let mut parts = Vec::new();
    for NamedPart { number, etag, checksums } in named {
        let wrong = |what: &str| Refusal::new(400, "InvalidPart", format!("part {number} {what}"));
        let part = upload.parts.get(number).ok_or_else(|| wrong("was not uploaded"))?;
        if part.etag.trim_matches('"') != etag {
            return Err(wrong("has another ETag"));
        }
        for (algorithm, sum) in checksums {
            if part.checksums.get(*algorithm).is_some_and(|stored| stored != sum) {
                return Err(wrong("has another checksum"));
            }
        }
        if let Some(algorithm) = &upload.algorithm
            && upload.draft.checksum_type == "COMPOSITE"
            && !checksums.iter().any(|(given, _)| given == algorithm)
        {
            let message = format!("the upload was begun with checksum {algorithm}, which is missing for part {number}");
            return Err(Refusal::new(400, "InvalidRequest", message));
        }
        parts.push(part);
    }
    let all_but_last = &parts[..parts.len() - 1];
    if all_but_last.iter().any(|part| part.body.len() < PART_BYTES_MIN) {
        let message = format!("a part other than the last has less than {PART_BYTES_MIN} bytes");
        return Err(Refusal::new(400, "EntityTooSmall", message));
    }
    Ok(parts)
}

/// The object made of the parts.
fn assembled(upload: &Upload, parts: &[&Part], now: Timestamp) -> Stored {
    let mut body = Vec::with_capacity(parts.iter().map(|part| part.body.len()).sum());
    let mut md5s = Vec::new();
    for part in parts {
        body.extend_from_slice(&part.body);
        md5s.extend_from_slice(&part.md5);
    }
    let mut stored = upload.draft.clone();
    stored.etag = format!("\"{}-{}\"", sign::hex(&sign::md5(&md5s)), parts.len());
    stored.last_modified = whole_seconds(now);
    let algorithm = upload.algorithm.as_deref().unwrap_or("crc64nvme");
    let sum = if stored.checksum_type == "COMPOSITE" {
        let sums: Vec<&BTreeMap<String, String>> = parts.iter().map(|part| &part.checksums).collect();
        checksums::composite(algorithm, &sums)
    } else {
        checksums::compute(algorithm, &body)
    };
    stored.checksums.extend(sum.map(|sum| (algorithm.to_string(), sum)));
    stored.body = Bytes::from(body);
    stored
}

pub(crate) fn abort(world: &World, ask: &Ask) -> Result<Answer, Refusal> {
    let mut buckets = locked(&world.buckets);
    let bucket = found_mut(&mut buckets, &ask.bucket)?;
    found_upload_mut(bucket, ask)?;
    bucket.uploads.remove(ask.param("uploadId").unwrap_or_default());
    Ok(Answer::empty(204))
}

pub(crate) fn list_parts(world: &World, ask: &Ask) -> Result<Answer, Refusal> {
    let number = |name: &str, otherwise: u32| match ask.param(name) {
        None => Ok(otherwise),
        Some(text) => text
            .parse::<u32>()
            .map_err(|_| Refusal::new(400, "InvalidArgument", format!("{name} `{text}` is not a number from 0 on"))),
    };
    let (marker, parts_max) = (number("part-number-marker", 0)?, number("max-parts", 1000)?.min(1000));
    let id = ask.param("uploadId").unwrap_or_default();
    let buckets = locked(&world.buckets);
    let upload = found(&buckets, &ask.bucket)?.uploads.get(id).filter(|upload| upload.key == ask.key);
    let upload = upload.ok_or_else(no_such_upload)?;
    let behind: Vec<(&u32, &Part)> = upload.parts.range(marker.saturating_add(1)..).collect();
    let shown = &behind[..behind.len().min(parts_max as usize)];
    let mut xml = Xml::new("ListPartsResult", S3_NAMESPACE);
    xml.leaf("Bucket", &ask.bucket);
    xml.leaf("Key", &ask.key);
    xml.leaf("UploadId", id);
    xml.leaf("StorageClass", "STANDARD");
    xml.leaf("PartNumberMarker", &marker.to_string());
    if let Some((last, _)) = shown.last() {
        xml.leaf("NextPartNumberMarker", &last.to_string());
    }
    xml.leaf("MaxParts", &parts_max.to_string());
    xml.leaf("IsTruncated", if shown.len() < behind.len() { "true" } else { "false" });
    for (number, part) in shown {
        xml.open("Part");
        xml.leaf("PartNumber", &number.to_string());
        xml.leaf("LastModified", &iso(part.last_modified));
        xml.leaf("ETag", &part.etag);
        xml.leaf("Size", &part.body.len().to_string());
        for (algorithm, sum) in &part.checksums {
            xml.leaf(&checksums::element(algorithm), sum);
        }
        xml.close("Part");
    }
    Ok(Answer::xml(200, xml.end()))
}

/// The upload that the request names; it must be one of the same key.
fn found_upload_mut<'a>(bucket: &'a mut Bucket, ask: &Ask) -> Result<&'a mut Upload, Refusal> {
    let id = ask.param("uploadId").unwrap_or_default();
    bucket.uploads.get_mut(id).filter(|upload| upload.key == ask.key).ok_or_else(no_such_upload)
}

fn no_such_upload() -> Refusal {
    Refusal::new(404, "NoSuchUpload", "there is no such upload of this key; it may be completed or aborted")
}
