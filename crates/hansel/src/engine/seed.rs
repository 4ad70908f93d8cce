//! Seeds of units: the same object of the same workflow always gets the same one, on any machine.

use sha2::{Digest, Sha256};
use workflow::Object;

/// The seed of the unit that works on `object`.
pub(crate) fn of_unit(workflow_seed: u64, object: &Object) -> u64 {
    let mut hash = Sha256::new();
    hash.update(workflow_seed.to_le_bytes());
    for part in [&object.origin.bucket, &object.origin.key, &object.etag] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    let digest = hash.finalize();
    // 53 bits, so that the seed can be read from JSON by any program and given to `--seed` again.
    u64::from_le_bytes(digest[..8].try_into().expect("a digest has 32 bytes")) >> 11
}

/// The seed of a piece of work that has a name of its own.
pub(crate) fn of_text(name: &str) -> u64 {
    let digest = Sha256::digest(name.as_bytes());
    u64::from_le_bytes(digest[..8].try_into().expect("a digest has 32 bytes")) >> 11
}
