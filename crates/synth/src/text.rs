//! Texts that few rows share: training texts come in, a model that writes new ones goes out. No training text is written,
//! and no run of eight words of one. Sentences are made word by word, names and codes letter by letter.

use std::collections::{BTreeMap, BTreeSet};

use crate::random::Random;
use crate::sieve::Sieve;

/// Texts that a model is made of at most.
const TEXTS_MAX: usize = 30_000;

/// Words in a row that must not come from one text.
const RUN: usize = 8;

/// The sign for the start and the end of a text.
const EDGE: &str = "";

/// Writes texts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Writer {
    /// Whether tokens are words with blanks between them; else single characters.
    pub(crate) words: bool,
    /// Tokens; the first is the edge.
    pub(crate) tokens: Vec<String>,
    /// What follows two tokens, then what follows one: (context, followers with running totals), ascending.
    pub(crate) follow: Vec<Follow>,
    /// Training texts and, for words, their runs.
    pub(crate) known: Sieve,
    /// Longest text, in tokens.
    pub(crate) longest: usize,
    /// Whether every training text was different, so that every new one must be.
    pub(crate) unique: bool,
}

/// What follows a context.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Follow {
    /// The last token and, in the upper half, one more than the one before it; 0 there for a context of one token.
    pub(crate) context: u64,
    /// Token and running total.
    pub(crate) next: Vec<(u32, u32)>,
}

impl Writer {
    /// Learns from these texts (distinct or not). A word must be in `floor` texts to be written.
    pub(crate) fn learn(texts: &[&str], floor: usize, unique: bool, key: u64) -> Writer {
        let step = texts.len().div_ceil(TEXTS_MAX).max(1);
        let sample: Vec<&str> = texts.iter().step_by(step).copied().collect();
        let blanks: usize = sample.iter().map(|text| text.split_whitespace().count().saturating_sub(1)).sum();
        let words = blanks >= 3 * sample.len();
        let split: Vec<Vec<String>> = sample.iter().map(|text| tokens_of(text, words)).collect();
        let mut held: BTreeMap<&str, usize> = BTreeMap::new();
        for tokens in &split {
            for token in tokens.iter().map(String::as_str).collect::<BTreeSet<_>>() {
                *held.entry(token).or_default() += 1;
            }
        }
        let mut least = if words { floor } else { 2 };
        while least > 1 && held.values().filter(|&&n| n >= least).count() < 12 {
            least -= 1;
        }
        let mut tokens = vec![EDGE.to_string()];
        tokens.extend(held.iter().filter(|entry| *entry.1 >= least).map(|entry| entry.0.to_string()));
        let number: BTreeMap<&str, u32> =
            tokens.iter().enumerate().skip(1).map(|(at, token)| (token.as_str(), at as u32)).collect();
        let coded: Vec<Vec<u32>> =
            split.iter().map(|text| text.iter().filter_map(|t| number.get(t.as_str()).copied()).collect()).collect();
        let known = Writer::sieve(texts, &split, words, key);
        let longest = split.iter().map(Vec::len).max().unwrap_or(0).max(1);
        let follow = follows(&coded, words);
        Writer { words, tokens, follow, known, longest, unique }
    }

    fn sieve(texts: &[&str], split: &[Vec<String>], words: bool, key: u64) -> Sieve {
        let runs: usize = if words { split.iter().map(|text| text.len().saturating_sub(RUN - 1)).sum() } else { 0 };
        let mut known = Sieve::new(texts.len() + runs, key);
        texts.iter().for_each(|text| known.add(text.trim().as_bytes()));
        if words {
            for text in split {
                text.windows(RUN).for_each(|run| known.add(run.join(" ").as_bytes()));
            }
        }
        known
    }

    /// A new text for row `row` of an output.
    pub(crate) fn write(&self, row: u64, random: &mut Random) -> String {
        let mut text = String::new();
        for _ in 0..12 {
            text = self.attempt(random);
            if !text.is_empty() && !self.known.holds(text.trim().as_bytes()) {
                break;
            }
            text.clear();
        }
        if text.is_empty() {
            text = (0..6).map(|_| (b'a' + random.below(26) as u8) as char).collect();
        }
        if self.unique && text.len() < 60 { tagged(&text, row) } else { text }
    }

    fn attempt(&self, random: &mut Random) -> String {
        let mut made: Vec<u32> = Vec::new();
        let (mut before, mut last) = (0u32, 0u32);
        while made.len() < self.longest {
            let mut next = self.next(before, last, random);
            for _ in 0..6 {
                if !self.repeats(&made, next) {
                    break;
                }
                // A run of one training text is left by what follows the last word alone, or any word.
                next = if self.tokens.len() > 1 { 1 + random.below(self.tokens.len() - 1) as u32 } else { 0 };
            }
            if next == 0 || self.repeats(&made, next) {
                break;
            }
            made.push(next);
            (before, last) = (last, next);
        }
        let parts: Vec<&str> = made.iter().map(|&token| self.tokens[token as usize].as_str()).collect();
        parts.join(if self.words { " " } else { "" })
    }

    fn repeats(&self, made: &[u32], next: u32) -> bool {
        if !self.words || next == 0 || made.len() + 1 < RUN {
            return false;
        }
        let run = made[made.len() + 1 - RUN..].iter().chain([&next]);
        let run: Vec<&str> = run.map(|&token| self.tokens[token as usize].as_str()).collect();
        self.known.holds(run.join(" ").as_bytes())
    }

    fn next(&self, before: u32, last: u32, random: &mut Random) -> u32 {
        let find =
            |context: u64| self.follow.binary_search_by_key(&context, |f| f.context).ok().map(|at| &self.follow[at]);
        let found = find((before as u64 + 1) << 32 | last as u64).or_else(|| find(last as u64));
        let Some(Follow { next, .. }) = found else { return 0 };
        let total = next.last().map_or(0, |n| n.1);
        let at = random.below(total as usize) as u32;
        next.get(next.partition_point(|n| n.1 <= at)).map_or(0, |n| n.0)
    }
}

fn tokens_of(text: &str, words: bool) -> Vec<String> {
    if words { text.split_whitespace().map(str::to_string).collect() } else { text.chars().map(String::from).collect() }
}

/// Followers of two tokens, where at least two texts (for letters: three) show that context with more than one
/// follower, and of one token.
fn follows(coded: &[Vec<u32>], words: bool) -> Vec<Follow> {
    let mut counts: BTreeMap<u64, BTreeMap<u32, (u32, u32)>> = BTreeMap::new();
    let mut see = |context: u64, next: u32, text: u32| {
        let (count, last) = counts.entry(context).or_default().entry(next).or_insert((0, u32::MAX));
        if *last != text {
            *count += 1;
            *last = text;
        }
    };
    for (at, text) in coded.iter().enumerate() {
        let (mut before, mut last) = (0u32, 0u32);
        for &next in text.iter().chain([&0]) {
            see((before as u64 + 1) << 32 | last as u64, next, at as u32);
            see(last as u64, next, at as u32);
            (before, last) = (last, next);
        }
    }
    let least = if words { 2 } else { 3 };
    let kept = counts.into_iter().filter(|(context, next)| {
        let texts: u32 = next.values().map(|n| n.0).sum();
        context >> 32 == 0 || (next.len() > 1 && texts >= least)
    });
    let total = |next: BTreeMap<u32, (u32, u32)>| {
        let mut sum = 0;
        let running = |(token, (count, _))| {
            sum += count;
            (token, sum)
        };
        next.into_iter().map(running).collect()
    };
    kept.map(|(context, next)| Follow { context, next: total(next) }).collect()
}

/// The text with a sign of its own for the row, so that no two rows are alike; before an `@` if there is one.
fn tagged(text: &str, row: u64) -> String {
    let mut tag = String::new();
    let mut rest = row + 1;
    while rest > 0 {
        tag.insert(0, char::from_digit((rest % 36) as u32, 36).unwrap_or('0'));
        rest /= 36;
    }
    match text.find('@') {
        Some(at) => format!("{}.{tag}{}", &text[..at], &text[at..]),
        None => format!("{text} {tag}"),
    }
}
