//! Whom listed words speak of: the drawn words of a row come in, the names of its persona as far as they say them go out.

use std::collections::HashMap;

use table::kept;

use crate::makers::fake_form::Persona;
use crate::makers::fake_lists::fold;
use crate::makers::faker::{Cast, Stage};
use crate::random::{Random, fingerprint, mix};

/// A column with listed words, and whom they speak of.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Told {
    /// The column.
    pub(crate) column: u16,
    /// First and last name per word; empty where it says none.
    pub(crate) names: Vec<[String; 2]>,
    /// Share of each word among the rows of which no earlier column tells whose they are.
    pub(crate) share: Vec<f64>,
}

/// What the drawn words of a row say of whom it is about.
pub(crate) struct Drawn<'a> {
    /// First and last name.
    pub(crate) names: [Option<&'a str>; 2],
    /// Tells the words that said so from others; 0 where none did.
    pub(crate) key: u64,
    /// Share of rows of which these words are said.
    pub(crate) share: f64,
    /// Whether the last name is to be another than the words of the row say: it is about someone whom few rows name.
    other: bool,
}

impl<'a> Drawn<'a> {
    /// What the words of a row say; the first column that tells a name is believed.
    pub(crate) fn of(stage: &'a Stage, cast: &'a Cast, row: usize) -> Drawn<'a> {
        let mut drawn = Drawn { names: [None; 2], key: 0, share: 1.0, other: false };
        // Whom the row would speak of, were it not about someone else.
        let mut instead: Option<&[String; 2]> = None;
        let mut parts = 0;
        let mut first = (0, 1.0);
        for told in &cast.told {
            let Some(&tick) = stage.ticks.get(told.column as usize).and_then(|ticks| ticks.get(row)) else { continue };
            let Some(names) = told.names.get(if tick.is_nan() { usize::MAX } else { tick as usize }) else { continue };
            if stage.word(told.column, row).is_none() {
                let whole = names.iter().all(|name| !name.is_empty());
                instead = instead.or(whole.then_some(names));
                continue;
            }
            let mut new = 0;
            for (name, said) in drawn.names.iter_mut().zip(names) {
                if name.is_none() && !said.is_empty() {
                    *name = Some(said);
                    new += 1;
                }
            }
            if new > 0 {
                parts += 1;
                drawn.key = mix(drawn.key ^ mix(((told.column as u64) << 32) + tick as u64 + 1));
                drawn.share *= told.share.get(tick as usize).copied().unwrap_or(1.0);
            }
            if parts == 1 && drawn.names[0].is_some() {
                first = (drawn.key, drawn.share);
            }
        }
        match (instead, drawn.names) {
            // Each part is told alone: the first name stays, with a last name beside it that it has in no list.
            (Some(_), [Some(_), Some(_)]) if parts > 1 => {
                drawn.names[1] = None;
                (drawn.key, drawn.share) = first;
                drawn.other = true;
            }
            (Some(names), [None, None]) => {
                drawn.names[0] = Some(&names[0]);
                drawn.key = fingerprint(3, names[0].as_bytes());
                drawn.share = cast.told.iter().map(|told| told.share_of(&names[0])).fold(0.0, f64::max);
                drawn.other = true;
            }
            _ => {}
        }
        for (name, shown) in drawn.names.iter_mut().zip(cast.shown) {
            *name = name.or_else(|| stage.word(shown?, row));
        }
        drawn
    }

    /// Gives the row of someone else a last name: one of those that stand for the table's, as often as they stand there,
    /// with the first name in no listed word, or else a new one.
    pub(crate) fn complete(&mut self, stage: &Stage, cast: &'a Cast, whom: &[Whom], row: usize) {
        let ([Some(first), None], true) = (self.names, self.other) else { return };
        let some = (stage.ask.rows_total as f64 * cast.crowd * self.share).round().max(1.0);
        let nth = (stage.dice(0x6e74_6820, row).unit() * some) as u64;
        let mut random = Random::at(&[stage.ask.seed, 0x6c61_7374, self.key, nth]);
        // The last of the columns is the one that tells last names alone, if there is one.
        let Some(told) = cast.told.iter().rev().find(|told| told.names.iter().any(|names| !names[1].is_empty())) else {
            return;
        };
        for _ in 0..8 {
            let mut at = random.unit();
            let found = told.share.iter().position(|share| {
                at -= share;
                at < 0.0
            });
            let Some(last) = found.map(|word| told.names[word][1].as_str()) else { break };
            let pair = [fold(first), fold(last)];
            if !last.is_empty() && whom.iter().all(|whom| !whom.words.contains_key(&pair)) {
                self.names[1] = Some(last);
                return;
            }
        }
        // Only names that are new to the table are left.
        let lasts = &cast.words.lasts;
        self.names[1] = lasts.get(random.below(lasts.len())).map(String::as_str);
    }
}

impl Told {
    /// The share of the words that speak of someone of this first name.
    fn share_of(&self, first: &str) -> f64 {
        self.names.iter().zip(&self.share).filter(|(names, _)| names[0] == first).map(|word| word.1).sum()
    }
}

/// Whom the words of a column speak of, to be looked up both ways.
pub(crate) struct Whom {
    /// The column.
    pub(crate) column: u16,
    /// Folded first and last name per word.
    names: Vec<[String; 2]>,
    /// The first word that speaks of someone.
    words: HashMap<[String; 2], usize>,
}

impl Whom {
    /// Looks up the words of a column.
    pub(crate) fn of(told: &Told) -> Whom {
        let names: Vec<[String; 2]> = told.names.iter().map(|names| [fold(&names[0]), fold(&names[1])]).collect();
        let words = names.iter().cloned().zip(0..names.len()).rev();
        let words = words.filter(|word| word.0.iter().any(|name| !name.is_empty())).collect();
        Whom { column: told.column, words, names }
    }

    /// Whether a word speaks of the persona, or of no one.
    pub(crate) fn fits(&self, word: usize, who: &Persona) -> bool {
        let same = |(name, own): (&String, &str)| name.is_empty() || *name == fold(own);
        self.names.get(word).is_none_or(|names| names.iter().zip([&*who.first, &*who.last]).all(same))
    }

    /// A word that speaks of the persona.
    pub(crate) fn word(&self, who: &Persona) -> Option<usize> {
        let (first, last) = (fold(&who.first), fold(&who.last));
        let keys = [[first.clone(), last.clone()], [first, String::new()], [String::new(), last]];
        keys.iter().find_map(|key| self.words.get(key)).copied()
    }
}

kept!(struct Told { column, names, share });
