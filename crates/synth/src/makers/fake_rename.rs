//! Stand-ins: the names that a training table shows come in, a made-up one for each goes out, the same wherever the name
//! stands, so that all columns of a row go on to speak of one person. No stand-in is a name of the table.

use std::collections::{BTreeMap, BTreeSet};

use crate::encode::{Encoded, Scale};
use crate::makers::fake_fit::Typed;
use crate::makers::fake_form::Case;
use crate::makers::fake_group::Groups;
use crate::makers::fake_kind::Kind;
use crate::makers::fake_lists::{TITLES, fold, listed, pool, region_of_name, sex_of};
use crate::makers::fake_parse::{Named, split_name};
use crate::random::{fingerprint, mix};

/// Names made at a time for one region.
const STOCK: std::ops::RangeInclusive<usize> = 400..=4000;

/// Made-up names for the names of a table.
pub(crate) struct Stand {
    /// Folded first and last names that the table shows.
    shown: [BTreeSet<String>; 2],
    /// The region of a name that several have.
    region: usize,
    seed: u64,
    /// What stands for each name, by its small letters.
    given: [BTreeMap<String, String>; 2],
    /// Folded stand-ins.
    used: [BTreeSet<String>; 2],
    /// Names to be given, by part, region and sex, and how many of them are.
    stock: BTreeMap<(usize, usize, u8), (Vec<String>, usize)>,
}

impl Stand {
    /// Stand-ins for a table of names that come mostly from this region.
    pub(crate) fn new(region: usize, seed: u64) -> Stand {
        Stand {
            shown: Default::default(),
            region,
            seed,
            given: Default::default(),
            used: Default::default(),
            stock: BTreeMap::new(),
        }
    }

    /// Makes no stand-in of any word of a text that a column of this kind shows.
    pub(crate) fn avoid(&mut self, kind: Kind, text: &str) {
        for run in runs(text).into_iter().filter(|run| proper(run)) {
            let name = fold(run);
            if kind != Kind::Last {
                self.shown[0].insert(name.clone());
            }
            if kind != Kind::First {
                self.shown[1].insert(name);
            }
        }
    }

    /// Whether a name (0 a first, 1 a last one) is one of the table's, or stands for one.
    pub(crate) fn holds(&self, part: usize, name: &str) -> bool {
        let name = fold(name);
        self.shown[part].contains(&name) || self.used[part].contains(&name)
    }

    /// A first (`part` 0) or last name with a stand-in for each word. Another `turn` gives other ones.
    pub(crate) fn name(&mut self, part: usize, text: &str, turn: usize) -> String {
        if Kind::Full.common(text) {
            return text.to_string();
        }
        runs(text).into_iter().map(|run| self.word(part, run, turn)).collect()
    }

    /// A name of a person, told apart by the names of its row.
    fn full(&mut self, text: &str, row: &Named, turn: usize) -> String {
        // A word for no one stays here, too.
        if Kind::Full.common(&row.last)
            && row.last.len() > 1
            && let Some((before, after)) = text.split_once(&row.last)
        {
            let row = Named { first: row.first.clone(), last: String::new() };
            return format!(
                "{}{}{}",
                self.full(before, &row, turn),
                &text[before.len()..text.len() - after.len()],
                self.full(after, &row, turn)
            );
        }
        let words = |name: &str| -> Vec<String> { runs(name).into_iter().map(str::to_lowercase).collect() };
        let (mut first, mut last) = (words(&row.first), words(&row.last));
        let mut out = String::with_capacity(text.len() + 8);
        for run in runs(text) {
            let lower = run.to_lowercase();
            let take = |names: &mut Vec<String>| {
                let at = names.iter().position(|name| *name == lower)?;
                Some(names.remove(at))
            };
            let short = run.chars().count() == 1;
            if take(&mut first).is_some() {
                out.push_str(&self.word(0, run, turn));
            } else if take(&mut last).is_some() {
                out.push_str(&self.word(1, run, turn));
            } else if let Some(part) = [&first, &last].into_iter().position(|names| short && begins(names, &lower)) {
                let name = if part == 0 { &row.first } else { &row.last };
                let name = self.name(part, name, turn);
                Case::of(run).write(&name.chars().take(1).collect::<String>(), &mut out);
            } else {
                out.push_str(&self.word(0, run, turn));
            }
        }
        out
    }

    /// One word of a name, or what stands between words. Titles and particles stay, a letter becomes another.
    fn word(&mut self, part: usize, run: &str, turn: usize) -> String {
        let letter = run.chars().next().unwrap_or(' ');
        if !letter.is_alphabetic() || listed(TITLES, &run.to_lowercase()) {
            return run.to_string();
        }
        let mut out = String::new();
        if run.chars().count() == 1 {
            let dice = mix(self.seed ^ fingerprint(part as u64, run.as_bytes()));
            let other = (b'A' + (dice % 26) as u8) as char;
            Case::of(run).write(&other.to_string(), &mut out);
            return out;
        }
        let key = format!("{}{}", run.to_lowercase(), " ".repeat(turn));
        let name = match self.given[part].get(&key) {
            Some(name) => name.clone(),
            None => {
                let name = self.fresh(part, run);
                self.given[part].insert(key, name.clone());
                name
            }
        };
        let case = if Case::of(run) == Case::Title { Case::Kept } else { Case::of(run) };
        case.write(&name, &mut out);
        out
    }

    /// A name that stands for none yet: of the region and the sex of `like`, where lists know them.
    fn fresh(&mut self, part: usize, like: &str) -> String {
        let region = region_of_name(&fold(like), part == 1, self.region);
        let sex = if part == 0 { sex_of(&fold(like)) } else { 0 };
        if !self.stock.contains_key(&(part, region, 0)) {
            let count = (4 * self.shown[part].len()).clamp(*STOCK.start(), *STOCK.end());
            let key = mix(self.seed ^ region as u64);
            let names = pool(region, part == 1, count, &|name| self.holds(part, name), key);
            for sex in 0..3 {
                let of = names.iter().filter(|name| (if part == 0 { sex_of(&fold(name)) } else { 0 }) == sex);
                self.stock.insert((part, region, sex), (of.cloned().collect(), 0));
            }
        }
        let able = |sex: &u8| self.stock.get(&(part, region, *sex)).is_some_and(|stock| stock.0.len() > 1);
        let sex = [sex, 0, 1, 2].into_iter().find(able).unwrap_or(0);
        let Some((names, next)) = self.stock.get_mut(&(part, region, sex)) else { return "X".into() };
        loop {
            let (at, round) = (*next % names.len().max(1), *next / names.len().max(1));
            *next += 1;
            let Some(one) = names.get(at) else { return "X".into() };
            // When all are given, two of them in one are as good a name.
            let name = match round {
                0 => one.clone(),
                _ => format!("{one}-{}", names[(at + round) % names.len()]),
            };
            // The list is left once each name stands beside each other one.
            if self.used[part].insert(fold(&name)) || round > names.len() {
                return name;
            }
        }
    }
}

fn begins(names: &[String], letter: &str) -> bool {
    names.first().is_some_and(|name| name.starts_with(letter))
}

/// A word that names someone.
fn proper(run: &str) -> bool {
    run.chars().count() > 1 && run.starts_with(char::is_alphabetic) && !listed(TITLES, &run.to_lowercase())
}

/// Words and what stands between them, in their order.
fn runs(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let inner = |c: char| c.is_alphabetic() || c == '\'' || c == '’';
        let same = |c: char| if letter.is_alphabetic() { inner(c) } else { !c.is_alphabetic() };
        let (run, after) = rest.split_at(rest.find(|c| !same(c)).unwrap_or(rest.len()));
        found.push(run);
        rest = after;
    }
    found
}

/// What stands for the listed words of a column.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stood {
    /// The new words, in their order; none where they are still to be made.
    pub(crate) words: Vec<String>,
    /// First and last name of whom each new word speaks of, as far as its rows say one.
    pub(crate) names: Vec<[String; 2]>,
}

/// Stand-ins for the listed words of a column of names; for other columns, those of the names that their rows show.
pub(crate) fn stand_in(typed: &[Typed], nth: usize, groups: &Groups, encoded: &Encoded, stand: &mut Stand) -> Stood {
    let Scale::Text { words } = &encoded.scale else { return Stood::default() };
    let column = &typed[nth];
    let rows = match column.kind {
        Kind::Full | Kind::Mail | Kind::User => agreed(typed, nth, groups, encoded, words.len()),
        _ => vec![Named::default(); words.len()],
    };
    let mut taken: BTreeSet<String> = column.words.iter().map(|word| word.0.to_string()).collect();
    let mut stood = Stood::default();
    for (word, mut row) in words.iter().zip(rows) {
        if column.kind.common(word) {
            stood.words.push(word.clone());
            stood.names.push(match column.kind {
                Kind::First => [word.clone(), String::new()],
                Kind::Last => [String::new(), word.clone()],
                _ => Default::default(),
            });
            continue;
        }
        match column.kind {
            Kind::First => row.first = word.clone(),
            Kind::Last => row.last = word.clone(),
            _ => {}
        }
        let mut text = String::new();
        let mut names: [String; 2] = Default::default();
        for turn in 0..8 {
            names = [stand.name(0, &row.first, turn), stand.name(1, &row.last, turn)];
            text = match column.kind {
                Kind::First => names[0].clone(),
                Kind::Last => names[1].clone(),
                Kind::Full => stand.full(word, &row, turn),
                _ => break,
            };
            if taken.insert(text.clone()) {
                break;
            }
        }
        stood.words.push(text);
        stood.names.push(names);
    }
    if !matches!(column.kind, Kind::First | Kind::Last | Kind::Full) {
        stood.words.clear();
    }
    stood
}

/// The names that the rows of each listed word show, where they agree.
fn agreed(typed: &[Typed], nth: usize, groups: &Groups, encoded: &Encoded, count: usize) -> Vec<Named> {
    /// Rows of a word looked at.
    const ROWS_MAX: usize = 20;
    let mut held: Vec<Vec<Named>> = vec![Vec::new(); count];
    for (row, &tick) in encoded.values.iter().enumerate() {
        let known = !tick.is_nan() && (tick as usize) < count && held[tick as usize].len() < ROWS_MAX;
        if known {
            held[tick as usize].push(groups.named(typed, nth, row as u32));
        }
    }
    let column = &typed[nth];
    let most = |names: &mut dyn Iterator<Item = &String>, all: usize| -> String {
        let mut counts: BTreeMap<&String, usize> = BTreeMap::new();
        names.for_each(|name| *counts.entry(name).or_default() += 1);
        let found = counts.into_iter().max_by_key(|entry| entry.1);
        found.filter(|entry| entry.1 * 10 >= all * 9).map(|entry| entry.0.clone()).unwrap_or_default()
    };
    let Scale::Text { words } = &encoded.scale else { return Vec::new() };
    let of_rows = |(at, rows): (usize, Vec<Named>)| {
        let mut name = Named {
            first: most(&mut rows.iter().map(|row| &row.first), rows.len()),
            last: most(&mut rows.iter().map(|row| &row.last), rows.len()),
        };
        if column.kind == Kind::Full && (name.first.is_empty() || name.last.is_empty()) {
            let own = split_name(&words[at], column.turned);
            if name.first.is_empty() && own.first != name.last {
                name.first = own.first;
            }
            if name.last.is_empty() && own.last != name.first {
                name.last = own.last;
            }
        }
        name
    };
    held.into_iter().enumerate().map(of_rows).collect()
}
