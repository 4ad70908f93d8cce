//! Names for new records, drawn from the operating system's randomness.

use rand::TryRng;
use rand::rngs::SysRng;

const BASE62: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const HEX: &[u8] = b"0123456789abcdef";

pub(crate) fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SysRng.try_fill_bytes(&mut bytes).expect("the operating system has randomness");
    bytes
}

/// `prefix` and 27 characters of base 62, as the documented guids have.
pub(crate) fn guid(prefix: &str) -> String {
    format!("{prefix}{}", drawn(BASE62, 27))
}

/// 24 hex digits, as the documented project ids have.
pub(crate) fn hex24() -> String {
    drawn(HEX, 24)
}

/// `count` lower-case hex digits.
pub(crate) fn hex(count: usize) -> String {
    drawn(HEX, count)
}

/// `prefix` and `count` lower-case hex digits.
pub(crate) fn hex_behind(prefix: &str, count: usize) -> String {
    format!("{prefix}{}", drawn(HEX, count))
}

fn drawn(alphabet: &[u8], count: usize) -> String {
    let mut text = String::with_capacity(count);
    while text.len() < count {
        // Bytes beyond the last whole multiple of the alphabet would favour its first letters.
        let whole = 256 / alphabet.len() * alphabet.len();
        for byte in random_bytes::<32>() {
            if (byte as usize) < whole && text.len() < count {
                text.push(alphabet[byte as usize % alphabet.len()] as char);
            }
        }
    }
    text
}
