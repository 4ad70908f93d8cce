//! The additional checksums of S3: CRC-32, CRC-32C, CRC-64/NVME, SHA-1, SHA-256.
//!
//! In: the headers of a request and its body. Out: the checksums it carries, verified. SHA-1 is stored as given and
//! never verified.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crc_fast::{CrcAlgorithm, checksum};

use crate::answer::Refusal;
use crate::request::Ask;
use crate::sign;

/// The algorithms by the names they have in headers.
pub(crate) const ALGORITHMS: [&str; 5] = ["crc32", "crc32c", "crc64nvme", "sha1", "sha256"];

/// The XML element of an algorithm, such as `ChecksumCRC32`.
pub(crate) fn element(algorithm: &str) -> String {
    format!("Checksum{}", algorithm.to_ascii_uppercase())
}

/// The header of an algorithm, such as `x-amz-checksum-crc32`.
pub(crate) fn header(algorithm: &str) -> String {
    format!("x-amz-checksum-{algorithm}")
}

/// The checksum of a body in base64; `None` for what cannot be computed here.
pub(crate) fn compute(algorithm: &str, body: &[u8]) -> Option<String> {
    // A CRC of 32 bits comes in the lower half of the 64.
    let low = |crc: u64| crc.to_be_bytes()[4..].to_vec();
    let sum = match algorithm {
        "crc32" => low(checksum(CrcAlgorithm::Crc32IsoHdlc, body)),
        "crc32c" => low(checksum(CrcAlgorithm::Crc32Iscsi, body)),
        "crc64nvme" => checksum(CrcAlgorithm::Crc64Nvme, body).to_be_bytes().to_vec(),
        "sha256" => sign::sha256(body),
        _ => return None,
    };
    Some(base64(&sum))
}

/// The checksums a request carries, in headers or, once its body is unwrapped, in trailers. Refused when one differs
/// from the body's, and so is a `Content-MD5`.
pub(crate) fn received(ask: &Ask, body: &[u8]) -> Result<BTreeMap<String, String>, Refusal> {
    if let Some(given) = ask.header("content-md5") {
        let Some(bytes) = unbase64(given).filter(|bytes| bytes.len() == 16) else {
            return Err(Refusal::new(400, "InvalidDigest", format!("Content-MD5 `{given}` is not an MD5 in base64")));
        };
        if bytes != sign::md5(body) {
            return Err(Refusal::new(400, "BadDigest", "Content-MD5 is not the MD5 of the body"));
        }
    }
    let mut checksums = BTreeMap::new();
    for algorithm in ALGORITHMS {
        let Some(given) = ask.header(&header(algorithm)) else { continue };
        if compute(algorithm, body).is_some_and(|computed| computed != given) {
            let message = format!("checksum {algorithm} `{given}` is not the one of the body");
            return Err(Refusal::new(400, "BadDigest", message));
        }
        checksums.insert(algorithm.to_string(), given.to_string());
    }
    Ok(checksums)
}

/// The checksum over the parts' checksums with the number of parts behind it; `None` when one is missing or the
/// algorithm cannot be computed here.
pub(crate) fn composite(algorithm: &str, parts: &[&BTreeMap<String, String>]) -> Option<String> {
    let mut joined = Vec::new();
    for part in parts {
        joined.extend(unbase64(part.get(algorithm)?)?);
    }
    Some(format!("{}-{}", compute(algorithm, &joined)?, parts.len()))
}

/// Base64 with padding.
pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The bytes behind base64 with padding.
pub(crate) fn unbase64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}
