//! A sieve of fingerprints (Bloom 1970, "Space/time trade-offs in hash coding with allowable errors"): training texts
//! come in and are forgotten; whether a new text may be one of them is answered, wrongly "yes" about once in a hundred.

use crate::random::{fingerprint, mix};

/// Fingerprints under a key.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sieve {
    /// Secret of this sieve.
    pub(crate) key: u64,
    /// A power of two of bits.
    pub(crate) bits: Vec<u64>,
}

impl Sieve {
    /// An empty sieve for about `count` entries.
    pub(crate) fn new(count: usize, key: u64) -> Sieve {
        let words = (count.max(8) * 12 / 64).next_power_of_two();
        Sieve { key, bits: vec![0; words] }
    }

    /// Takes an entry in.
    pub(crate) fn add(&mut self, entry: &[u8]) {
        self.add_print(fingerprint(self.key, entry));
    }

    /// Whether the entry may have been taken in.
    pub(crate) fn holds(&self, entry: &[u8]) -> bool {
        self.holds_print(fingerprint(self.key, entry))
    }

    /// Takes in an entry that is a number already.
    pub(crate) fn add_print(&mut self, print: u64) {
        for place in self.places(print) {
            self.bits[place >> 6] |= 1 << (place & 63);
        }
    }

    /// Whether the number may have been taken in.
    pub(crate) fn holds_print(&self, print: u64) -> bool {
        self.places(print).into_iter().all(|place| self.bits[place >> 6] >> (place & 63) & 1 == 1)
    }

    fn places(&self, print: u64) -> [usize; 6] {
        let (step, limit) = (mix(print) | 1, self.bits.len() * 64 - 1);
        [0, 1, 2, 3, 4, 5].map(|i| print.wrapping_add(step.wrapping_mul(i)) as usize & limit)
    }
}
