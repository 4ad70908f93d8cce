//! Sealing of credentials: XChaCha20-Poly1305 (IETF draft-irtf-cfrg-xchacha) under one key per home. A sealed value is
//! bound to its table, row and column, so that it cannot be moved to another row.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::ids::random_bytes;

/// First byte of every sealed value: the scheme, so that a later one can be told apart.
const SCHEME: u8 = 1;

/// The key that seals the credentials of a home.
#[derive(Clone)]
pub(crate) struct Key(Arc<Zeroizing<[u8; 32]>>);

impl Key {
    /// The key given as text, else the one in the file `key` of `home`, which is made on first use.
    pub(crate) fn of_home(home: &Path, key_text: Option<&str>) -> Result<Key, StoreError> {
        if let Some(text) = key_text {
            return Key::parse(text)
                .ok_or_else(|| StoreError::Unusable("HANSEL_KEY is not a key; 64 hex digits are expected".into()));
        }
        let path = home.join("key");
        match std::fs::File::open(&path) {
            Ok(mut file) => {
                let mut text = Zeroizing::new(String::new());
                file.read_to_string(&mut text).map_err(|error| StoreError::unusable(home, error))?;
                Key::parse(text.trim()).ok_or_else(|| {
                    StoreError::Unusable(format!(
                        "the file `{}` is not a key; 64 hex digits are expected",
                        path.display()
                    ))
                })
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Key::make(&path).map_err(|e| StoreError::unusable(home, e))
            }
            Err(error) => Err(StoreError::unusable(home, error)),
        }
    }

    fn make(path: &Path) -> std::io::Result<Key> {
        let bytes = Zeroizing::new(random_bytes::<32>());
        let text = Zeroizing::new(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        // Written whole under another name first: a crash leaves no half key behind.
        let draft = path.with_extension("new");
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&draft)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        // A link, not a rename: of two processes that begin at once, the second takes the first one's key.
        match std::fs::hard_link(&draft, path) {
            Ok(()) => {
                std::fs::remove_file(&draft)?;
                Ok(Key(Arc::new(bytes)))
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                let text = Zeroizing::new(std::fs::read_to_string(path)?);
                Key::parse(text.trim()).ok_or_else(|| std::io::Error::other("the key file is not a key"))
            }
            Err(error) => Err(error),
        }
    }

    fn parse(text: &str) -> Option<Key> {
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        let mut bytes = Zeroizing::new([0; 32]);
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Key(Arc::new(bytes)))
    }

    /// Seals `plain` for one place (`table|row|column`).
    pub(crate) fn seal(&self, plain: &[u8], place: &str) -> Vec<u8> {
        let nonce: [u8; 24] = random_bytes();
        let sealed = self
            .cipher()
            .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: place.as_bytes() })
            .expect("a message of this size can be sealed");
        [&[SCHEME][..], &nonce, &sealed].concat()
    }

    /// Opens what was sealed for the same place; `None` when key, place or bytes are not the same.
    pub(crate) fn open(&self, sealed: &[u8], place: &str) -> Option<Zeroizing<Vec<u8>>> {
        let (scheme, rest) = sealed.split_first()?;
        let (nonce, body) = rest.split_at_checked(24)?;
        if *scheme != SCHEME {
            return None;
        }
        let nonce: [u8; 24] = nonce.try_into().ok()?;
        let plain = self.cipher().decrypt(&XNonce::from(nonce), Payload { msg: body, aad: place.as_bytes() }).ok()?;
        Some(Zeroizing::new(plain))
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        let key: &[u8; 32] = &self.0;
        XChaCha20Poly1305::new(key.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_value_opens_in_its_own_place_only() {
        let key = Key(Arc::new(Zeroizing::new([7; 32])));
        let sealed = key.seal(b"secret", "connections|c_1|credentials");
        assert!(!sealed.windows(6).any(|window| window == b"secret"));
        assert_eq!(key.open(&sealed, "connections|c_1|credentials").expect("same place").as_slice(), b"secret");
        assert!(key.open(&sealed, "connections|c_2|credentials").is_none());
        let mut bent = sealed.clone();
        *bent.last_mut().expect("not empty") ^= 1;
        assert!(key.open(&bent, "connections|c_1|credentials").is_none());
    }
}
