//! Credentials that a client encrypted before it sent them, in the scheme `asymmetric`: YAML text under a key of the
//! client's, and that key under the public key of this server. Here is the form; `store` has the key that opens it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

/// How clients are to encrypt, in the words of the documented service.
pub(crate) const ALGORITHM: &str = "RSA_4096_OAEP_SHA256";

/// What is encrypted, and for whom.
pub(crate) struct SealedBox {
    /// Id of the key pair.
    pub(crate) key_id: String,
    /// The client's key, under the public key.
    pub(crate) client_key: Vec<u8>,
    /// The credentials, under the client's key.
    pub(crate) data: Vec<u8>,
}

impl SealedBox {
    /// Reads `encrypted_credentials`. Other schemes are refused by name: better now than at the first run.
    pub(crate) fn read(encrypted: &Map<String, Value>) -> Result<SealedBox, String> {
        let mut entries = encrypted.iter();
        let (scheme, inner) = match (entries.next(), entries.next()) {
            (Some((scheme, inner)), None) => (scheme, inner),
            _ => return Err("`encrypted_credentials` has not exactly one entry; `asymmetric` is expected".into()),
        };
        if scheme != "asymmetric" {
            let shown: String = scheme.chars().take(60).collect();
            return Err(format!(
                "`encrypted_credentials.{shown}` cannot be opened here, since this server has no key for it; \
                 `asymmetric` can"
            ));
        }
        let field = |name: &str| match inner.get(name) {
            Some(Value::String(text)) => Ok(text.as_str()),
            Some(_) => Err(format!("`encrypted_credentials.asymmetric.{name}` is not text")),
            None => Err(format!("`encrypted_credentials.asymmetric.{name}` is missing")),
        };
        let algorithm = field("algorithm")?;
        if algorithm != ALGORITHM {
            let shown: String = algorithm.chars().take(60).collect();
            return Err(format!(
                "`encrypted_credentials.asymmetric.algorithm` is `{shown}`; `{ALGORITHM}` is expected"
            ));
        }
        let bytes = |name: &str| {
            STANDARD
                .decode(field(name)?)
                .map_err(|_| format!("`encrypted_credentials.asymmetric.{name}` is not base64 text"))
        };
        Ok(SealedBox {
            key_id: field("key_id")?.to_string(),
            client_key: bytes("encrypted_client_key")?,
            data: bytes("data")?,
        })
    }
}

/// The credentials that were in a box. What is wrong with them is not told in detail: it would show them.
pub(crate) fn credentials(plain: &[u8]) -> Result<Map<String, Value>, String> {
    let text = std::str::from_utf8(plain).ok();
    match text.and_then(|text| workflow::parse(text).ok()).map(|node| node.to_json()) {
        Some(Value::Object(map)) => Ok(map),
        _ => Err("what is encrypted is not a YAML mapping of credentials".into()),
    }
}
