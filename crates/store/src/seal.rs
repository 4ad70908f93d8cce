//! Sealing: XChaCha20-Poly1305 (IETF draft-irtf-cfrg-xchacha). In: a key, bytes, and the place where they will lie. Out:
//! sealed bytes that open with this key in this place only. Which key seals what is the matter of `keyring.rs`.

use std::sync::Arc;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::ids::random_bytes;

/// A key of 256 bits, wiped when the last copy is dropped.
#[derive(Clone)]
pub(crate) struct Key(Arc<Zeroizing<[u8; 32]>>);

impl Key {
    /// A new key from the operating system's randomness.
    pub(crate) fn drawn() -> Key {
        Key(Arc::new(Zeroizing::new(random_bytes())))
    }

    /// The key that 64 hex digits stand for.
    pub(crate) fn parse(text: &str) -> Option<Key> {
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        let mut bytes = Zeroizing::new([0; 32]);
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Key(Arc::new(bytes)))
    }

    /// The key as 64 hex digits.
    pub(crate) fn text(&self) -> Zeroizing<String> {
        Zeroizing::new(hex(&self.0[..]))
    }

    /// The key as it lies wrapped by another.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0[..]
    }

    /// The key that was wrapped as these bytes.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Key> {
        Some(Key(Arc::new(Zeroizing::new(bytes.try_into().ok()?))))
    }

    /// Another key, for one purpose (HMAC-SHA-256 of the purpose under this key, RFC 2104).
    pub(crate) fn derived(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0[..]).expect("a key of any length is taken");
        mac.update(b"hansel purpose\0");
        mac.update(purpose.as_bytes());
        Zeroizing::new(mac.finalize().into_bytes().into())
    }

    /// A name for the key, which tells nothing of it: 16 hex digits of a hash.
    pub(crate) fn id(&self) -> String {
        hex(&Sha256::new().chain_update(b"hansel key name\0").chain_update(&self.0[..]).finalize()[..8])
    }

    /// Seals `plain` for one place.
    pub(crate) fn seal(&self, plain: &[u8], place: &str) -> Vec<u8> {
        let nonce: [u8; 24] = random_bytes();
        let sealed = self
            .cipher()
            .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: place.as_bytes() })
            .expect("a message of this size can be sealed");
        [&nonce[..], &sealed].concat()
    }

    /// Opens what was sealed for the same place; `None` when key, place or bytes are not the same.
    pub(crate) fn open(&self, sealed: &[u8], place: &str) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, body) = sealed.split_at_checked(24)?;
        let nonce: [u8; 24] = nonce.try_into().ok()?;
        let plain = self.cipher().decrypt(&XNonce::from(nonce), Payload { msg: body, aad: place.as_bytes() }).ok()?;
        Some(Zeroizing::new(plain))
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        let key: &[u8; 32] = &self.0;
        XChaCha20Poly1305::new(key.into())
    }
}

/// Bytes as lower-case hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_value_opens_in_its_own_place_only() {
        let key = Key::parse(&"07".repeat(32)).expect("64 digits are a key");
        let sealed = key.seal(b"secret", "connections|c_1|credentials");
        assert!(!sealed.windows(6).any(|window| window == b"secret"));
        assert_eq!(key.open(&sealed, "connections|c_1|credentials").expect("same place").as_slice(), b"secret");
        assert!(key.open(&sealed, "connections|c_2|credentials").is_none());
        assert!(Key::drawn().open(&sealed, "connections|c_1|credentials").is_none());
        for index in 0..sealed.len() {
            let mut bent = sealed.clone();
            bent[index] ^= 1;
            assert!(key.open(&bent, "connections|c_1|credentials").is_none());
        }
    }
}
