//! Texts that few rows share: training texts come in, a model that writes new ones goes out. It is a small model of words,
//! or for short names of letters, trained on the one column alone. No training text is written, no run of eight words
//! that one text alone holds, no word that few texts hold, and numbers are made up.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use table::Kept;

use crate::makers::fake_form::Case;
use crate::makers::fake_lists::{NOUNS, REGIONS};
use crate::makers::text_grams::{EDGE, Grams};
use crate::makers::text_tokens::{Sort, sort_of, split, spoken};
use crate::random::{Random, fingerprint, mix};
use crate::sieve::Sieve;

/// Texts that a model is made of at most.
const TEXTS_MAX: usize = 30_000;

/// Words in a row that must not come from one text.
const RUN: usize = 8;

/// Begins a token that stands for numbers: the number of digits follows.
const NUMBER: char = '\u{1}';

/// Begins a token that stands for words too few texts hold: how they are written follows.
const RARE: char = '\u{2}';

/// Writes texts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Writer {
    /// Whether tokens are words; else single characters.
    pub(crate) words: bool,
    /// Tokens; the first is the edge.
    pub(crate) tokens: Vec<String>,
    /// What follows what.
    pub(crate) grams: Grams,
    /// Training texts and the runs of words that one text alone holds.
    pub(crate) known: Sieve,
    /// Lengths of the training texts in tokens, ascending, evenly chosen.
    pub(crate) lengths: Vec<u32>,
    /// Whether every training text was different, so that every new one must be.
    pub(crate) unique: bool,
}

/// Where rows stand in an output.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// Blocks of the whole output.
    pub(crate) blocks: u64,
    /// The block.
    pub(crate) number: u64,
}

/// One token of a new text: its number among the tokens and how it is written.
type Written = (u32, String);

impl Writer {
    /// Learns from these texts (distinct or not). A word must be in `floor` texts to be written.
    pub(crate) fn learn(texts: &[&str], floor: usize, unique: bool, key: u64) -> Writer {
        let step = texts.len().div_ceil(TEXTS_MAX).max(1);
        let sample: Vec<&str> = texts.iter().step_by(step).copied().collect();
        let split_texts: Vec<Vec<&str>> = sample.iter().map(|text| split(text)).collect();
        let held = texts_of(split_texts.iter().map(|text| text.as_slice()));
        let words = wordy(&split_texts, &held, floor);
        let coded: Vec<Vec<String>> = if words {
            let common = floor.max(sample.len() / 100);
            split_texts.iter().map(|text| generalised(text, &held, floor, common)).collect()
        } else {
            let letters = texts_of_letters(&sample);
            let shared = |c: &char| letters.get(c).is_some_and(|n| *n >= 2 || sample.len() < 10);
            sample.iter().map(|text| text.chars().filter(shared).map(String::from).collect()).collect()
        };
        let mut tokens: BTreeSet<&str> = coded.iter().flatten().map(String::as_str).collect();
        tokens.remove("");
        let number: BTreeMap<&str, u32> =
            tokens.iter().enumerate().map(|(at, token)| (*token, at as u32 + 1)).collect();
        let numbered: Vec<Vec<u32>> =
            coded.iter().map(|text| text.iter().filter_map(|t| number.get(t.as_str()).copied()).collect()).collect();
        let mut sizes: Vec<u32> = numbered.iter().map(|text| text.len() as u32).collect();
        sizes.sort_unstable();
        let lengths = (0..64).map(|at| sizes.get(at * sizes.len() / 64).copied().unwrap_or(1).max(1)).collect();
        Writer {
            words,
            tokens: std::iter::once("").chain(tokens).map(str::to_string).collect(),
            grams: Grams::learn(&numbered, 3),
            known: sieve(texts, words, key),
            lengths,
            unique,
        }
    }

    /// New texts for the rows of a block that want one (`wanted`); the others stay empty. `salt` belongs to the output and
    /// the column.
    pub(crate) fn write(&self, wanted: &[bool], place: Place, salt: u64) -> Vec<String> {
        let mut taken: HashSet<String> = HashSet::new();
        let mut write = |(row, &wanted): (usize, &bool)| {
            if !wanted {
                return String::new();
            }
            let mut random = Random::at(&[salt, place.number, row as u64]);
            let text = self.one(place, &taken, &mut random);
            if self.unique {
                taken.insert(text.clone());
            }
            text
        };
        wanted.iter().enumerate().map(&mut write).collect()
    }

    fn one(&self, place: Place, taken: &HashSet<String>, random: &mut Random) -> String {
        let tries = if self.words { 12 } else { 40 };
        let mut last = String::new();
        for _ in 0..tries {
            let mut made = self.attempt(random);
            if self.unique && !self.owned(&made, place) && !(self.words && self.adjusted(&mut made, place, random)) {
                last = joined(&made);
                continue;
            }
            let text = joined(&made);
            if !text.is_empty() && !self.known.holds(text.trim().as_bytes()) && !taken.contains(&text) {
                return text;
            }
        }
        if last.is_empty() {
            last = (0..6).map(|_| (b'a' + random.below(26) as u8) as char).collect();
        }
        // The last resort: a number that this block alone may write.
        for nth in 1.. {
            let text = format!("{last} {}", place.number + place.blocks * nth);
            if (!self.unique || !taken.contains(&text)) && !self.known.holds(text.as_bytes()) {
                return text;
            }
        }
        last
    }

    /// Whether this block alone may write the text: the sum of its tokens says. Texts that end in a number are told by it,
    /// so that the last resort is no one else's text.
    fn owned(&self, made: &[Written], place: Place) -> bool {
        place.blocks == 1 || owner(made, place.blocks) == place.number
    }

    /// Changes one number, or one word for another that stands between the same two, so that the text is this block's.
    fn adjusted(&self, made: &mut [Written], place: Place, random: &mut Random) -> bool {
        let inner = made.len().saturating_sub(1);
        for at in (0..inner).filter(|&at| self.tokens[made[at].0 as usize].contains(NUMBER)).collect::<Vec<_>>() {
            for _ in 0..2 * place.blocks.min(64) {
                made[at].1 = self.written(made[at].0, &[], random);
                if self.owned(made, place) && !self.repeats(made) {
                    return true;
                }
            }
        }
        let history: Vec<u32> = made.iter().map(|token| token.0).collect();
        let start = random.below(inner.max(1));
        for at in (0..inner).map(|at| (at + start) % inner) {
            let Some(others) = self.grams.after(&history[..at], 1) else { continue };
            let kept = made[at].clone();
            for &(other, _) in others.iter().filter(|other| self.plain(other.0)).take(40) {
                made[at] = (other, self.tokens[other as usize].clone());
                if self.owned(made, place)
                    && self.grams.fits(&[other], history[at + 1])
                    && sort_of(&made[at].1) == sort_of(&kept.1)
                    && !self.repeats(made)
                {
                    return true;
                }
            }
            made[at] = kept;
        }
        false
    }

    /// Whether a token is written as it is.
    fn plain(&self, token: u32) -> bool {
        token != EDGE && !self.tokens[token as usize].contains([NUMBER, RARE])
    }

    fn attempt(&self, random: &mut Random) -> Vec<Written> {
        let wanted = self.lengths[random.below(self.lengths.len())] as usize;
        let longest = self.lengths.last().copied().unwrap_or(1) as usize;
        let mut made: Vec<Written> = Vec::new();
        let mut history: Vec<u32> = Vec::new();
        let mut voices: Vec<Option<u64>> = Vec::new();
        let mut steps_back = 0;
        let mut whole = 0;
        while made.len() < longest {
            let mut most = self.grams.order;
            let mut found = None;
            for attempt in 0..10 {
                let next = self.grams.next(&history, most, random);
                let early = next == EDGE && made.len() * 4 < wanted * 3 && attempt < 4;
                if early || self.circles(&history, next) {
                    continue;
                }
                if next == EDGE {
                    found = Some((EDGE, String::new()));
                    break;
                }
                let text = self.written(next, &history, random);
                if !self.words || !self.repeats_with(&voices, &text) {
                    found = Some((next, text));
                    break;
                }
                // A run of one training text is left by what follows fewer words.
                most = most.saturating_sub(attempt % 2).max(1);
            }
            let Some(token) = found else {
                // No way on from here: another way is looked for from some words before.
                steps_back += 1;
                if steps_back > 8 {
                    return Vec::new();
                }
                made.truncate(made.len().saturating_sub(2 + random.below(4)));
                history.truncate(made.len());
                voices.truncate(made.len());
                whole = whole.min(made.len());
                continue;
            };
            if token.0 == EDGE {
                break;
            }
            history.push(token.0);
            voices.push(if self.words { voice(self.known.key, &token.1) } else { None });
            made.push(token);
            let ends = self.grams.after(&history, 1).is_some_and(|next| next.first().is_some_and(|n| n.0 == EDGE));
            if made.len() * 4 > wanted * 5 && ends {
                break;
            }
            if ends {
                whole = made.len();
            }
        }
        // At the greatest length the text is cut where one may end.
        if self.words && made.len() >= longest && whole > 0 {
            made.truncate(whole);
        }
        made
    }

    /// Whether the text would go round in a circle: the same word twice, or the same three tokens again.
    fn circles(&self, history: &[u32], next: u32) -> bool {
        if !self.words || next == EDGE {
            return false;
        }
        let count = history.len();
        let twice = count > 0 && history[count - 1] == next && sort_of(&self.tokens[next as usize]) == Sort::Word;
        let again = count >= 2
            && history[..count - 1]
                .windows(3)
                .any(|w| w[0] == history[count - 2] && w[1] == history[count - 1] && w[2] == next);
        twice || again
    }

    /// Whether any eight words in a row come from one training text.
    fn repeats(&self, made: &[Written]) -> bool {
        let voices: Vec<u64> = made.iter().filter_map(|token| voice(self.known.key, &token.1)).collect();
        voices.windows(RUN).any(|run| self.known.holds_print(run_print(run)))
    }

    /// Whether the last eight words do, with one more.
    fn repeats_with(&self, voices: &[Option<u64>], next: &str) -> bool {
        let Some(next) = voice(self.known.key, next) else { return false };
        let mut run: Vec<u64> = voices.iter().rev().flatten().copied().take(RUN - 1).collect();
        run.reverse();
        run.push(next);
        run.len() == RUN && self.known.holds_print(run_print(&run))
    }

    /// How a token is written: numbers are made up, and other words stand for those that few texts hold.
    fn written(&self, token: u32, history: &[u32], random: &mut Random) -> String {
        let text = &self.tokens[token as usize];
        let Some(at) = text.find([NUMBER, RARE]) else { return text.clone() };
        let (blank, sign) = text.split_at(at);
        let about = &sign[1..];
        if sign.starts_with(NUMBER) {
            let digits = about.chars().next().map_or(1, |c| c as usize - 'a' as usize + 1);
            let digit = |at: usize, random: &mut Random| {
                let low = usize::from(at == 0 && digits > 1);
                (b'0' + (low + random.below(10 - low)) as u8) as char
            };
            return (0..digits).fold(blank.to_string(), |mut number, at| {
                number.push(digit(at, random));
                number
            });
        }
        if about == "T" && !history.is_empty() {
            let names = REGIONS[0].1;
            return format!("{blank}{}", names[random.below(names.len())]);
        }
        let same = |other: &u32| {
            let word = &self.tokens[*other as usize];
            self.plain(*other) && word.starts_with(' ') != blank.is_empty() && written_as(word) == about
        };
        let near: Vec<u32> =
            self.grams.after(history, 1).unwrap_or(&[]).iter().map(|n| n.0).filter(same).take(200).collect();
        if !near.is_empty() {
            return self.tokens[near[random.below(near.len())] as usize].clone();
        }
        let noun = NOUNS[random.below(NOUNS.len())];
        match about {
            "U" => format!("{blank}{}", noun.to_uppercase()),
            "T" => format!("{blank}{}{}", noun[..1].to_uppercase(), &noun[1..]),
            _ => format!("{blank}{noun}"),
        }
    }
}

/// A fingerprint of a word or number as it is spoken; nothing for signs.
fn voice(key: u64, token: &str) -> Option<u64> {
    spoken(token).map(|word| fingerprint(key, word.as_bytes()))
}

/// A fingerprint of words in a row.
fn run_print(voices: &[u64]) -> u64 {
    voices.iter().fold(0x0072_756e, |print, voice| mix(print ^ voice).wrapping_add(0x9e37_79b9_7f4a_7c15))
}

/// Which of the blocks may write the text: the number at its end says, else the sum of its tokens.
fn owner(made: &[Written], blocks: u64) -> u64 {
    let tail: String =
        made.iter().rev().take(20).map(|token| token.1.as_str()).collect::<Vec<_>>().into_iter().rev().collect();
    let digits = &tail[tail.trim_end_matches(|c: char| c.is_ascii_digit()).len()..];
    if let Ok(number) = digits.parse::<u64>() {
        return number % blocks;
    }
    let sum = made.iter().fold(0u64, |sum, token| sum.wrapping_add(fingerprint(13, token.1.as_bytes())));
    sum % blocks
}

fn joined(made: &[Written]) -> String {
    made.iter().map(|token| token.1.as_str()).collect()
}

/// In how many texts each token is.
fn texts_of<'a>(texts: impl Iterator<Item = &'a [&'a str]>) -> BTreeMap<String, usize> {
    let mut held: BTreeMap<String, usize> = BTreeMap::new();
    for text in texts {
        let bare: BTreeSet<&str> = text.iter().map(|token| token.trim_start_matches(' ')).collect();
        for token in bare {
            match held.get_mut(token) {
                Some(count) => *count += 1,
                None => drop(held.insert(token.to_string(), 1)),
            }
        }
    }
    held
}

fn texts_of_letters(texts: &[&str]) -> BTreeMap<char, usize> {
    let mut held: BTreeMap<char, usize> = BTreeMap::new();
    for text in texts {
        text.chars().collect::<BTreeSet<_>>().into_iter().for_each(|c| *held.entry(c).or_default() += 1);
    }
    held
}

/// Whether texts are sentences rather than names: several words, most of which many texts share.
fn wordy(texts: &[Vec<&str>], held: &BTreeMap<String, usize>, floor: usize) -> bool {
    let words = texts.iter().flatten().filter(|token| sort_of(token) == Sort::Word);
    let (mut all, mut shared) = (0, 0);
    for word in words {
        all += 1;
        shared += (held.get(word.trim_start_matches(' ')).is_some_and(|n| *n >= floor)) as usize;
    }
    all >= 4 * texts.len() || (all as f64 >= 1.6 * texts.len() as f64 && shared * 10 >= all * 6)
}

/// The tokens of a text, with signs in the place of numbers and of words that fewer than `floor` texts hold. A number that
/// `common` texts hold is a word.
fn generalised(text: &[&str], held: &BTreeMap<String, usize>, floor: usize, common: usize) -> Vec<String> {
    let general = |token: &&str| {
        let bare = token.trim_start_matches(' ');
        let blank = &token[..token.len() - bare.len()];
        let texts = held.get(bare).copied().unwrap_or(0);
        match sort_of(token) {
            Sort::Number if texts >= common => token.to_string(),
            Sort::Number => format!("{blank}{NUMBER}{}", (b'a' + (bare.len() - 1).min(25) as u8) as char),
            Sort::Word if texts < floor => format!("{blank}{RARE}{}", written_as(token)),
            Sort::Sign if texts < floor.min(3) => String::new(),
            _ => token.to_string(),
        }
    };
    text.iter().map(general).collect()
}

/// How a word is written: small, capital, or with a capital first.
fn written_as(token: &str) -> &'static str {
    match Case::of(token) {
        Case::Upper => "U",
        Case::Title | Case::Kept => "T",
        Case::Lower => "L",
    }
}

/// The texts, and the runs of words that one text alone holds.
fn sieve(texts: &[&str], words: bool, key: u64) -> Sieve {
    let mut runs: Vec<(u64, u32)> = Vec::new();
    if words {
        for (at, text) in texts.iter().enumerate() {
            let voices: Vec<u64> = split(text).into_iter().filter_map(|token| voice(key, token)).collect();
            runs.extend(voices.windows(RUN).map(|run| (run_print(run), at as u32)));
        }
        runs.sort_unstable();
        runs.dedup();
    }
    let alone = || runs.chunk_by(|a, b| a.0 == b.0).filter(|run| run.len() == 1).map(|run| run[0].0);
    let mut known = Sieve::new(texts.len() + alone().count(), key);
    texts.iter().for_each(|text| known.add(text.trim().as_bytes()));
    alone().for_each(|run| known.add_print(run));
    known
}

impl Kept for Writer {
    fn put(&self, out: &mut Vec<u8>) {
        self.words.put(out);
        self.tokens.put(out);
        self.grams.put(out);
        self.known.put(out);
        self.lengths.put(out);
        self.unique.put(out);
    }
    fn take(from: &mut &[u8]) -> Option<Writer> {
        let writer = Writer {
            words: Kept::take(from)?,
            tokens: Kept::take(from)?,
            grams: Kept::take(from)?,
            known: Kept::take(from)?,
            lengths: Kept::take(from)?,
            unique: Kept::take(from)?,
        };
        let sound = |token: u32| (token as usize) < writer.tokens.len();
        let followers = writer.grams.follow.iter().flat_map(|follow| &follow.next);
        (!writer.lengths.is_empty() && followers.map(|next| next.0).all(sound)).then_some(writer)
    }
}
