//! Credentials that a client encrypted before it sent them. This server has no key pair and no key service to open
//! any, so it takes none: better now than at the first run.

use serde_json::{Map, Value};
use workflow::Code;

use super::answer::{Refusal, bounded};

/// Fails for every scheme, by its name.
pub(crate) fn check(encrypted: &Map<String, Value>) -> Result<(), Refusal> {
    let scheme = encrypted.keys().next().map_or("", String::as_str);
    let shown = bounded(scheme);
    Err(Refusal::new(
        Code::ConnectionInvalid,
        format!("`encrypted_credentials.{shown}` cannot be opened here; this server has no key for it"),
    )
    .hint("Send `credentials`; they are sealed before they are kept and never given back."))
}
