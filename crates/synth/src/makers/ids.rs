//! Identifiers: unique columns come in; how to make new ones comes out. An identifier is made from the row's position
//! alone, so that it is unique over a whole output however that is cut, and is none of the training table's if the
//! space of its form leaves room.

use crate::random::{mix, permuted};
use crate::sieve::Sieve;

/// Candidates that a row may choose from, so that it can pass by one that the training table holds.
const TRIES: u128 = 6;

/// Forms of text that a plan keeps at most.
const MASKS_MAX: usize = 24;

/// How the identifiers of a column are made.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct IdPlan {
    /// Forms, in shares of rows.
    pub(crate) forms: Vec<Form>,
    /// What the training table holds.
    pub(crate) known: Sieve,
    /// Whether they ascend with the rows.
    pub(crate) ascending: bool,
    /// What has to be right about every one.
    pub(crate) check: Check,
    /// Whether one may come twice.
    pub(crate) repeats: bool,
}

/// What has to be right about an identifier beyond its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    /// Nothing.
    None,
    /// No group of digits is all noughts.
    Noughts,
    /// As [`Check::Noughts`], and it does not begin with 666: a number of social security.
    Social,
    /// The last digit is the check digit of Luhn (1960, patent US 2950048).
    Luhn,
    /// The third and fourth sign are the check digits of ISO 13616 (IBAN).
    Iban,
}

impl Check {
    /// All, in the order of their numbers in saved models.
    pub(crate) const ALL: [Check; 5] = [Check::None, Check::Noughts, Check::Social, Check::Luhn, Check::Iban];

    /// Whether the text is right as it is.
    pub(crate) fn holds(self, text: &str) -> bool {
        match self {
            Check::None => true,
            Check::Noughts => no_noughts(text),
            Check::Social => no_noughts(text) && !text.starts_with("666"),
            Check::Luhn | Check::Iban => self.mended(text.to_string()) == text,
        }
    }

    /// The text with its check digits put right.
    fn mended(self, text: String) -> String {
        match self {
            Check::Luhn => luhn(text),
            Check::Iban => iban(text),
            _ => text,
        }
    }
}

fn no_noughts(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_digit()).all(|run| run.len() < 2 || run.bytes().any(|b| b != b'0'))
}

fn luhn(mut text: String) -> String {
    let digits: Vec<(usize, u32)> =
        text.bytes().enumerate().filter(|d| d.1.is_ascii_digit()).map(|(at, d)| (at, (d - b'0') as u32)).collect();
    let Some((&(last, _), rest)) = digits.split_last() else { return text };
    let weigh = |(at, digit): (usize, &(usize, u32))| match (at % 2, 2 * digit.1) {
        (0, double) if double > 9 => double - 9,
        (0, double) => double,
        _ => digit.1,
    };
    let sum: u32 = rest.iter().rev().enumerate().map(weigh).sum();
    text.replace_range(last..last + 1, &((10 - sum % 10) % 10).to_string());
    text
}

fn iban(mut text: String) -> String {
    let places: Vec<usize> = text.bytes().enumerate().filter(|b| b.1.is_ascii_alphanumeric()).map(|b| b.0).collect();
    if places.len() < 6 || !text.is_ascii() {
        return text;
    }
    let value = |at: &usize| (text.as_bytes()[*at] as char).to_digit(36).unwrap_or(0) as u64;
    let order = places[4..].iter().chain(&places[..2]);
    let rest = order.map(value).fold(0u64, |rest, v| (rest * if v > 9 { 100 } else { 10 } + v) % 97);
    let check = format!("{:02}", 98 - rest * 100 % 97);
    for (nth, &place) in places[2..4].iter().enumerate() {
        text.replace_range(place..place + 1, &check[nth..nth + 1]);
    }
    text
}

/// One form of identifier.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Form {
    /// Training rows of this form.
    pub(crate) rows: u64,
    /// What it is made of.
    pub(crate) make: Make,
}

/// What identifiers of one form are.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Make {
    /// Whole numbers `low .. low + size`.
    Range { low: i64, size: u64 },
    /// A character of each set in turn.
    Places { sets: Vec<Vec<char>> },
    /// A lead, then numbers `low .. low + size` with a sign between them; hexadecimal ones at least `wide` digits long.
    Parts { lead: String, parts: Vec<(u32, u32)>, sign: char, hex: bool, wide: u8 },
}

impl Make {
    /// Identifiers that can be made.
    pub(crate) fn size(&self) -> u128 {
        match self {
            Make::Range { size, .. } => *size as u128,
            Make::Places { sets } => counted(sets.iter().rev().map(Vec::len)).1,
            Make::Parts { parts, .. } => counted(parts.iter().rev().map(|part| part.1 as usize)).1,
        }
    }

    fn write(&self, index: u128) -> String {
        match self {
            Make::Range { low, .. } => (*low as i128 + index as i128).to_string(),
            Make::Places { sets } => {
                let places = spread(index, &sets.iter().map(Vec::len).collect::<Vec<_>>());
                sets.iter().zip(places).filter_map(|(set, place)| set.get(place)).collect()
            }
            Make::Parts { lead, parts, sign, hex, wide } => {
                let places = spread(index, &parts.iter().map(|part| part.1 as usize).collect::<Vec<_>>());
                let mut text = lead.clone();
                for (at, (part, place)) in parts.iter().zip(places).enumerate() {
                    let value = part.0 + place as u32;
                    if at > 0 {
                        text.push(*sign);
                    }
                    text += &if *hex { format!("{value:0w$x}", w = *wide as usize) } else { value.to_string() };
                }
                text
            }
        }
    }
}

/// Of these sizes of places, how many are counted with, and how many values they have together: more than 2^96 are never
/// needed.
fn counted(sizes: impl Iterator<Item = usize>) -> (usize, u128) {
    let (mut places, mut values) = (0, 1u128);
    for size in sizes {
        if values >= 1 << 96 {
            break;
        }
        (places, values) = (places + 1, values * size.max(1) as u128);
    }
    (places, values)
}

/// The number as a place in each of these sizes: the last ones count, those before them follow by chance.
fn spread(index: u128, sizes: &[usize]) -> Vec<usize> {
    let (places, _) = counted(sizes.iter().rev().copied());
    let mut left = index;
    let mut dice = mix(index as u64 ^ mix((index >> 64) as u64));
    let mut made = vec![0; sizes.len()];
    for (at, &size) in sizes.iter().enumerate().rev() {
        let size = size.max(1) as u128;
        if sizes.len() - at <= places {
            made[at] = (left % size) as usize;
            left /= size;
        } else {
            dice = mix(dice.wrapping_add(0x9e37_79b9_7f4a_7c15));
            made[at] = ((dice as u128 * size) >> 64) as usize;
        }
    }
    made
}

impl IdPlan {
    /// The identifier of row `row` of `rows_total`, as text. `salt` belongs to the output and the column.
    pub(crate) fn id(&self, row: u64, rows_total: u64, salt: u64) -> String {
        let rows = rows_total.max(row + 1) as u128;
        let place = if self.ascending { row as u128 } else { permuted(row as u128, rows, salt) };
        let all: u128 = self.forms.iter().map(|form| form.rows as u128).sum();
        let (mut start, mut shown) = (0u128, 0u128);
        let mut found = None;
        for (at, form) in self.forms.iter().enumerate() {
            shown += form.rows as u128;
            let end = if at + 1 == self.forms.len() { rows } else { rows * shown / all };
            if let (Make::Range { low, size }, true) = (&form.make, (form.make.size()) < end - start) {
                // A part of the range is too small: all rows share one range, as long as it takes.
                let first = if let Make::Range { low, .. } = &self.forms[0].make { *low } else { *low };
                let whole = self.forms.iter().map(|form| form.make.size()).sum::<u128>().max(rows).max(*size as u128);
                let index = if self.ascending { place } else { permuted(place, whole, salt) };
                return (first as i128 + index as i128).min(i64::MAX as i128).to_string();
            }
            if found.is_none() && place < end {
                found = Some((at, start, end));
            }
            start = end;
        }
        let Some((at, start, end)) = found else { return String::new() };
        self.of_form(&self.forms[at], place - start, end - start, salt.wrapping_add(at as u64))
    }

    fn of_form(&self, form: &Form, rank: u128, needed: u128, salt: u64) -> String {
        let size = form.make.size();
        if self.repeats {
            return self.any_of(form, rank as u64, salt);
        }
        if size < needed {
            // The form is too small for so many rows: a number of fixed width behind it keeps them apart.
            let width = (needed / size).to_string().len();
            let text = self.check.mended(form.make.write(rank % size));
            return format!("{text}{:0width$}", rank / size);
        }
        let tries = (size / needed).min(TRIES);
        let candidate = |at: u128| {
            let room = size / needed;
            let index = match self.ascending {
                true => rank * room + (mix(salt ^ rank as u64) as u128 + at) % room,
                false => permuted(rank * tries + at, size, salt),
            };
            self.check.mended(form.make.write(index))
        };
        for at in 0..tries {
            let text = candidate(at);
            if !self.known.holds(text.as_bytes()) && (self.check == Check::None || self.check.holds(&text)) {
                return text;
            }
        }
        candidate(0)
    }
}

impl IdPlan {
    /// Any text of the form, none of the training table's if there is one within reach.
    fn any_of(&self, form: &Form, rank: u64, salt: u64) -> String {
        let size = form.make.size();
        let mut text = String::new();
        for at in 0..2 * TRIES as u64 {
            let (high, low) = (mix(salt ^ mix(rank).wrapping_add(at)), mix(salt.wrapping_add(at) ^ mix(!rank)));
            text = self.check.mended(form.make.write(((high as u128) << 64 | low as u128) % size));
            if !self.known.holds(text.as_bytes()) && self.check.holds(&text) {
                break;
            }
        }
        text
    }
}

/// A plan for whole numbers, all different. `meant` says of them, in row order and ascending, whether they are identifiers
/// at all.
pub(crate) fn plan_numbers(values: &[Option<i64>], key: u64, meant: &dyn Fn(&[i64], &[i64]) -> bool) -> Option<IdPlan> {
    let present: Vec<i64> = values.iter().flatten().copied().collect();
    let mut sorted = present.clone();
    sorted.sort_unstable();
    if present.len() < 10 || sorted.windows(2).any(|pair| pair[0] == pair[1]) {
        return None;
    }
    let count = sorted.len() as u128;
    let size = sorted[0].abs_diff(sorted[sorted.len() - 1]) as u128 + 1;
    if !meant(&present, &sorted) {
        return None;
    }
    let ascending = present.windows(2).all(|pair| pair[0] < pair[1]);
    let mut known = Sieve::new(sorted.len(), key);
    sorted.iter().for_each(|value| known.add(value.to_string().as_bytes()));
    let parts = if ascending && size == count { 1 } else { (sorted.len() / 40).clamp(1, 64) };
    let mut forms: Vec<Form> = Vec::new();
    for part in 0..parts {
        let (from, to) = (part * sorted.len() / parts, (part + 1) * sorted.len() / parts);
        let low = sorted[from];
        let end = if part + 1 == parts { sorted[sorted.len() - 1] as i128 + 1 } else { sorted[to] as i128 };
        forms.push(Form { rows: (to - from) as u64, make: Make::Range { low, size: (end - low as i128) as u64 } });
    }
    if size < 2 * count {
        // A dense range: it is filled as the training table filled it, and grows at its end with the rows asked for.
        forms = vec![Form { rows: count as u64, make: Make::Range { low: sorted[0], size: size as u64 } }];
    }
    Some(IdPlan { forms, known, ascending, check: Check::None, repeats: false })
}

/// A plan for texts, all different and of few forms.
pub(crate) fn plan_texts(texts: &[&str], key: u64) -> Option<IdPlan> {
    let mut forms: Vec<(Vec<char>, u64, Vec<Vec<char>>)> = Vec::new();
    let mut places: std::collections::HashMap<Vec<char>, usize> = std::collections::HashMap::new();
    let mut known = Sieve::new(texts.len(), key);
    for text in texts {
        known.add(text.as_bytes());
        let letters: Vec<char> = text.chars().collect();
        let mask: Vec<char> = letters.iter().map(|&c| class(c)).collect();
        let at = *places.entry(mask.clone()).or_insert(forms.len());
        if at == forms.len() {
            if forms.len() > MASKS_MAX * 40 {
                return None;
            }
            forms.push((mask, 0, vec![Vec::new(); letters.len()]));
        }
        forms[at].1 += 1;
        for (set, letter) in forms[at].2.iter_mut().zip(letters) {
            if !set.contains(&letter) {
                set.push(letter);
            }
        }
    }
    forms.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    forms.truncate(MASKS_MAX);
    let covered: u64 = forms.iter().map(|form| form.1).sum();
    if (covered as f64) < 0.95 * texts.len() as f64 {
        return None;
    }
    let ascending = texts.windows(2).all(|pair| pair[0] < pair[1]) && forms.len() == 1;
    let forms = forms
        .into_iter()
        .map(|(_, rows, sets)| Form { rows, make: Make::Places { sets: roomy(sets, rows, 0) } })
        .collect();
    Some(IdPlan { forms, known, ascending, check: Check::None, repeats: false })
}

/// A plan for whole numbers that are to be different whatever the training table does: any of their range, which grows
/// with the rows asked for. None where there are no numbers.
pub(crate) fn plan_range(values: impl Iterator<Item = i64> + Clone, key: u64) -> Option<IdPlan> {
    let (low, high) = (values.clone().min()?, values.clone().max()?);
    let mut known = Sieve::new(values.clone().count(), key);
    values.for_each(|value| known.add(value.to_string().as_bytes()));
    let forms = vec![Form { rows: 1, make: Make::Range { low, size: high.abs_diff(low).saturating_add(1) } }];
    Some(IdPlan { forms, known, ascending: false, check: Check::None, repeats: false })
}

/// Sets in order; where there is little room, each letter's and digit's set grows to its whole alphabet, from the last
/// place back to place `from`.
pub(crate) fn roomy(mut sets: Vec<Vec<char>>, rows: u64, from: usize) -> Vec<Vec<char>> {
    sets.iter_mut().for_each(|set| set.sort_unstable());
    for place in (from..sets.len()).rev() {
        let size = sets.iter().fold(1u128, |size, set| size.saturating_mul(set.len() as u128));
        if size >= 20 * rows as u128 {
            break;
        }
        let alphabet: Vec<char> = match class(sets[place][0]) {
            '9' => ('0'..='9').collect(),
            'a' if sets[place].iter().all(|c| c.is_ascii_hexdigit()) => ('a'..='f').collect(),
            'a' => ('a'..='z').collect(),
            'A' => ('A'..='Z').collect(),
            _ => continue,
        };
        sets[place] = alphabet;
    }
    sets
}

/// What kind of character it is; others stand for themselves.
fn class(letter: char) -> char {
    match letter {
        '0'..='9' => '9',
        'a'..='z' => 'a',
        'A'..='Z' => 'A',
        other => other,
    }
}
