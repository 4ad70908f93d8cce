//! Random numbers: a seed path comes in, a stream goes out; the same on every machine and for ever. Never reads
//! entropy of its own.

/// A xoshiro256++ stream (Blackman and Vigna, 2019, "Scrambled linear pseudorandom number generators"), seeded by
/// splitmix64.
#[derive(Clone, Debug)]
pub(crate) struct Random {
    state: [u64; 4],
}

impl Random {
    /// The stream of a path of seeds, such as (seed, block, node).
    pub(crate) fn at(path: &[u64]) -> Random {
        let mut seed = 0x243f_6a88_85a3_08d3;
        for &part in path {
            seed = mix(seed ^ mix(part.wrapping_add(0x9e37_79b9_7f4a_7c15)));
        }
        let mut state = [0; 4];
        for word in &mut state {
            seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
            *word = mix(seed);
        }
        Random { state }
    }

    /// The next 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        let s = &mut self.state;
        let out = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        out
    }

    /// A number from 0 up to 1, 1 left out.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A whole number below `limit`; 0 where the limit is 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        ((self.next() as u128 * limit as u128) >> 64) as usize
    }

    /// Puts `items` into random order.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            items.swap(end, self.below(end + 1));
        }
    }
}

/// Scrambles 64 bits, one to one.
pub(crate) fn mix(bits: u64) -> u64 {
    let mut z = bits;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A 64-bit fingerprint of bytes under a key (FNV-1a, then mixed).
pub(crate) fn fingerprint(key: u64, bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325 ^ mix(key);
    for &byte in bytes {
        hash = (hash ^ byte as u64).wrapping_mul(0x0000_0100_0000_01b3);
    }
    mix(hash)
}

/// Where `index` goes in a random one-to-one order of `0..size` that `key` picks; `index` must be below `size`.
/// A four-round Feistel network over the next even number of bits, walked until it lands inside.
pub(crate) fn permuted(index: u128, size: u128, key: u64) -> u128 {
    let bits = 128 - size.saturating_sub(1).max(1).leading_zeros();
    let half = bits.div_ceil(2).max(1);
    let low = if half >= 64 { u64::MAX } else { (1u64 << half) - 1 };
    let mut at = index;
    loop {
        let (mut left, mut right) = ((at >> half) as u64 & low, at as u64 & low);
        for round in 0..4 {
            let next = left ^ (mix(right ^ mix(key.wrapping_add(round))) & low);
            left = right;
            right = next;
        }
        at = ((left as u128) << half) | right as u128;
        if at < size {
            return at;
        }
    }
}

/// `count` of `0..rows` in ascending order, spread by chance; all of them where `count >= rows`.
pub(crate) fn some_rows(rows: usize, count: usize, seed: u64) -> Vec<u32> {
    if count >= rows {
        return (0..rows as u32).collect();
    }
    let mut random = Random::at(&[seed, 0x726f_7773]);
    let mut kept = Vec::with_capacity(count);
    let mut needed = count;
    for row in 0..rows {
        if random.below(rows - row) < needed {
            kept.push(row as u32);
            needed -= 1;
        }
    }
    kept
}
