//! The `aws-chunked` framing of bodies, with or without signatures and trailers.
//!
//! In: the body as it came over the wire. Out: the bytes inside it and the trailers behind it, their signatures
//! verified. Checksums in trailers are verified elsewhere.

use crate::answer::Refusal;
use crate::sign;

/// What a framed body holds.
#[derive(Debug)]
pub(crate) struct Unframed {
    pub(crate) body: Vec<u8>,
    /// Names in lower case.
    pub(crate) trailers: Vec<(String, String)>,
}

/// Verifies the chain of chunk signatures, each of which covers the one before.
pub(crate) struct ChunkSigner {
    pub(crate) key: Vec<u8>,
    /// `YYYYMMDDTHHMMSSZ`.
    pub(crate) timestamp: String,
    pub(crate) scope: String,
    /// The signature of the request, then of each chunk.
    pub(crate) previous: String,
}

impl ChunkSigner {
    /// `what` tells a chunk's string to sign from a trailer's; `digests` is the rest of it.
    fn verify(&mut self, what: &str, digests: &str, given: Option<&str>) -> Result<(), Refusal> {
        let text = format!("AWS4-HMAC-SHA256-{what}\n{}\n{}\n{}\n{digests}", self.timestamp, self.scope, self.previous);
        let expected = sign::hex(&sign::hmac(&self.key, text.as_bytes()));
        if given != Some(expected.as_str()) {
            return Err(Refusal::new(403, "SignatureDoesNotMatch", "the signature of a chunk does not match"));
        }
        self.previous = expected;
        Ok(())
    }
}

/// Takes the framing off. Each chunk is `SIZE[;chunk-signature=HEX]\r\n` and its bytes; the empty one ends the body and
/// trailers follow.
pub(crate) fn unframe(wire: &[u8], mut signer: Option<ChunkSigner>) -> Result<Unframed, Refusal> {
    let incomplete = || Refusal::new(400, "IncompleteBody", "the chunked body ends early");
    let mut rest = wire;
    let mut body = Vec::with_capacity(wire.len());
    loop {
        let line = next_line(&mut rest).ok_or_else(incomplete)?;
        let (size, extension) = line.split_once(';').unwrap_or((line.as_str(), ""));
        let size = usize::from_str_radix(size.trim(), 16)
            .map_err(|_| Refusal::new(400, "InvalidRequest", format!("chunk size `{size}` is not hexadecimal")))?;
        let (chunk, after) = rest.split_at_checked(size).ok_or_else(incomplete)?;
        rest = after;
        if let Some(signer) = &mut signer {
            let digests = format!("{}\n{}", sign::hex(&sign::sha256(b"")), sign::hex(&sign::sha256(chunk)));
            signer.verify("PAYLOAD", &digests, extension.trim().strip_prefix("chunk-signature="))?;
        }
        if size == 0 {
            break;
        }
        body.extend_from_slice(chunk);
        rest = rest.strip_prefix(b"\r\n").ok_or_else(incomplete)?;
    }
    let trailers = trailers(&mut rest, signer)?;
    Ok(Unframed { body, trailers })
}

/// Reads `name:value` lines up to the empty one. Signed bodies that have trailers sign them as the last link.
fn trailers(rest: &mut &[u8], signer: Option<ChunkSigner>) -> Result<Vec<(String, String)>, Refusal> {
    let mut trailers = Vec::new();
    let mut signature = None;
    while let Some(line) = next_line(rest).filter(|line| !line.is_empty()) {
        let Some((name, value)) = line.split_once(':') else {
            return Err(Refusal::new(400, "MalformedTrailerError", format!("trailer `{line}` has no colon")));
        };
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim().to_string());
        if name == "x-amz-trailer-signature" {
            signature = Some(value);
        } else {
            trailers.push((name, value));
        }
    }
    if let Some(mut signer) = signer
        && !trailers.is_empty()
    {
        trailers.sort();
        let canonical: String = trailers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        signer.verify("TRAILER", &sign::hex(&sign::sha256(canonical.as_bytes())), signature.as_deref())?;
    }
    Ok(trailers)
}

/// Takes a line off, without its end; `None` when there is none or it is not UTF-8.
fn next_line(rest: &mut &[u8]) -> Option<String> {
    let end = rest.iter().position(|&byte| byte == b'\n')?;
    let line = std::str::from_utf8(&rest[..end]).ok()?.trim_end_matches('\r').to_string();
    *rest = &rest[end + 1..];
    Some(line)
}
