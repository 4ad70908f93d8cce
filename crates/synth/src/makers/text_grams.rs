//! What follows what: coded texts come in, counts of followers by the one to three tokens before go out. The longest known
//! context speaks first and gives way to a shorter one by absolute discounting (Ney, Essen and Kneser, 1994, "On
//! structuring probabilistic dependences in stochastic language modelling"); contexts of one text only are left out.

use table::Kept;

use crate::random::{Random, mix};

/// The token at both ends of every text.
pub(crate) const EDGE: u32 = 0;

/// What is taken off every count and given to the shorter context.
const DISCOUNT: f64 = 0.25;

/// Counts of followers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Grams {
    /// Tokens of the longest context.
    pub(crate) order: usize,
    /// Ascending by context.
    pub(crate) follow: Vec<Follow>,
}

/// What follows a context.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Follow {
    /// Fingerprint of the tokens before.
    pub(crate) context: u64,
    /// Token and running total of texts.
    pub(crate) next: Vec<(u32, u32)>,
}

/// The fingerprint of the last `length` tokens of a history, edges before its beginning.
fn context_of(history: &[u32], length: usize) -> u64 {
    let mut print = length as u64;
    for back in (1..=length).rev() {
        let token = history.len().checked_sub(back).map_or(EDGE, |at| history[at]);
        print = mix(print ^ (token as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    }
    print
}

impl Grams {
    /// Counts over these texts, with contexts of up to `order` tokens.
    pub(crate) fn learn(coded: &[Vec<u32>], order: usize) -> Grams {
        let mut follow = Vec::new();
        for length in 1..=order {
            let mut seen: Vec<(u64, u32, u32)> = Vec::new();
            for (text, tokens) in coded.iter().enumerate() {
                for at in 0..=tokens.len() {
                    let next = tokens.get(at).copied().unwrap_or(EDGE);
                    seen.push((context_of(&tokens[..at], length), next, text as u32));
                }
            }
            seen.sort_unstable();
            seen.dedup();
            for run in seen.chunk_by(|a, b| a.0 == b.0) {
                let single = run.iter().all(|entry| entry.2 == run[0].2);
                if length > 1 && single {
                    continue;
                }
                let mut total = 0;
                let next = run.chunk_by(|a, b| a.1 == b.1).map(|texts| {
                    total += texts.len() as u32;
                    (texts[0].1, total)
                });
                follow.push(Follow { context: run[0].0, next: next.collect() });
            }
        }
        follow.sort_unstable_by_key(|f| f.context);
        Grams { order, follow }
    }

    /// The followers of the last `length` tokens.
    pub(crate) fn after(&self, history: &[u32], length: usize) -> Option<&[(u32, u32)]> {
        let context = context_of(history, length);
        let at = self.follow.binary_search_by_key(&context, |f| f.context).ok()?;
        Some(&self.follow[at].next)
    }

    /// A token that follows, from contexts of at most `most` tokens.
    pub(crate) fn next(&self, history: &[u32], most: usize, random: &mut Random) -> u32 {
        for length in (1..=most.min(self.order)).rev() {
            let Some(next) = self.after(history, length) else { continue };
            let total = next.last().map_or(0, |n| n.1);
            let drawn = random.below(total as usize) as u32;
            let place = next.partition_point(|n| n.1 <= drawn);
            let Some(&(token, end)) = next.get(place) else { continue };
            let count = end - place.checked_sub(1).map_or(0, |before| next[before].1);
            if length == 1 || random.unit() * count as f64 >= DISCOUNT {
                return token;
            }
        }
        EDGE
    }

    /// Whether the token has been seen right behind the last one.
    pub(crate) fn fits(&self, before: &[u32], token: u32) -> bool {
        self.after(before, 1).is_some_and(|next| next.binary_search_by_key(&token, |n| n.0).is_ok())
    }
}

impl Kept for Follow {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.context.to_le_bytes());
        self.next.put(out);
    }
    fn take(from: &mut &[u8]) -> Option<Follow> {
        let context = u64::from_le_bytes([
            u8::take(from)?,
            u8::take(from)?,
            u8::take(from)?,
            u8::take(from)?,
            u8::take(from)?,
            u8::take(from)?,
            u8::take(from)?,
            u8::take(from)?,
        ]);
        Some(Follow { context, next: Kept::take(from)? })
    }
}

impl Kept for Grams {
    fn put(&self, out: &mut Vec<u8>) {
        self.order.put(out);
        self.follow.put(out);
    }
    fn take(from: &mut &[u8]) -> Option<Grams> {
        let order = usize::take(from)?;
        (order <= 8).then_some(Grams { order, follow: Kept::take(from)? })
    }
}
