//! Finds how a column writes its times. In: its cells, one by one. Out: the [`Pattern`] that writes each of them back byte
//! for byte, or none. Where day and month cannot be told apart, the day comes first.

use crate::time::{Case, Item, Padding, Pattern, read_items};

/// The dates that are tried, as in strftime; `B` is a month's name in any length and case. Earlier ones are preferred.
const DATES: [&str; 29] = [
    "Y-m-d", "Y/m/d", "Y.m.d", "Ymd", "Y m d", "d/m/Y", "m/d/Y", "d.m.Y", "m.d.Y", "d-m-Y", "m-d-Y", "d/m/y", "m/d/y",
    "d.m.y", "d-m-y", "m-d-y", "y-m-d", "y/m/d", "d-B-Y", "d-B-y", "d B Y", "d B y", "B d, Y", "B d Y", "Y-B-d",
    "d/B/Y", "dBY", "Y-m", "m/Y",
];
const CLOCKS: [&str; 11] =
    ["H:M:S.f", "H:M:S,f", "H:M:S", "H:M:Sg", "H:M:St", "H:M", "I:M:S p", "I:M:Sp", "I:M p", "I:Mp", "HMS"];
const JOINS: [&str; 7] = ["T", " ", "", "_", ", ", " - ", " at "];
const CELL_BYTES_MAX: usize = 48;

struct Candidate {
    items: Vec<Item>,
    date_padded: Option<bool>,
    hour_padded: Option<bool>,
}

/// The patterns that fit every cell seen so far.
pub(crate) struct Times {
    seen: bool,
    candidates: Vec<Candidate>,
    first: Vec<u8>,
    /// Whether two cells differ.
    varied: bool,
    /// Whether some year lies outside of 1900 to 2100.
    unlikely: bool,
}

impl Times {
    pub(crate) fn new() -> Times {
        Times { seen: false, candidates: Vec::new(), first: Vec::new(), varied: false, unlikely: false }
    }

    pub(crate) fn alive(&self) -> bool {
        !self.seen || !self.candidates.is_empty()
    }

    pub(crate) fn see(&mut self, cell: &[u8]) {
        if !self.seen {
            self.seen = true;
            self.first = cell.to_vec();
            self.candidates = candidates(cell);
        }
        if self.candidates.is_empty() {
            return;
        }
        self.varied |= self.first != cell;
        let (unlikely, mut wider) = (&mut self.unlikely, Vec::new());
        self.candidates.retain_mut(|candidate| {
            let fits = candidate.fits(cell, unlikely);
            if !fits {
                wider.extend(candidate.wider());
            }
            fits
        });
        self.candidates.extend(wider.into_iter().filter_map(|mut wider| wider.fits(cell, unlikely).then_some(wider)));
    }

    /// The pattern that writes back every cell seen.
    pub(crate) fn form(&self) -> Option<Pattern> {
        for candidate in &self.candidates {
            let pattern = Pattern {
                items: candidate.items.clone(),
                date_padded: candidate.date_padded.unwrap_or(true),
                hour_padded: candidate.hour_padded.unwrap_or(true),
            };
            // Digits alone are times only if they look like nothing else.
            let padded = candidate.date_padded != Some(false) && candidate.hour_padded != Some(false);
            if !pattern.compact() || padded && self.varied && !self.unlikely {
                return Some(pattern);
            }
        }
        None
    }
}

impl Candidate {
    fn fits(&mut self, cell: &[u8], unlikely: &mut bool) -> bool {
        const YEARS: std::ops::RangeInclusive<&[u8]> = (b"1900" as &[u8])..=(b"2100" as &[u8]);
        let mut padding = Padding { date: self.date_padded, hour: self.hour_padded, mixed: false };
        let Some((_, rest)) = read_items(&self.items, cell, &mut padding) else { return false };
        if self.items[0] == Item::Year {
            *unlikely |= !YEARS.contains(&&cell[..4]);
        }
        let fits = rest.is_empty() && !padding.mixed;
        if fits {
            (self.date_padded, self.hour_padded) = (padding.date, padding.hour);
        }
        fits
    }

    /// The patterns that fit all that this one fits, and fractions of seconds too. They are tried when this one fails,
    /// so that columns of full seconds are not read three times.
    fn wider(&self) -> Vec<Candidate> {
        let after = self.items.iter().position(|item| *item == Item::Second).map(|second| second + 1);
        let Some(after) = after.filter(|_| !self.items.iter().any(Item::fraction)) else { return Vec::new() };
        let with = |fraction: Item| {
            let mut items = self.items.clone();
            items.insert(after, fraction);
            Candidate { items, date_padded: self.date_padded, hour_padded: self.hour_padded }
        };
        vec![with(Item::FractionSix), with(Item::FractionTrimmed)]
    }
}

/// Every pattern that fits one cell, the preferred ones first.
fn candidates(cell: &[u8]) -> Vec<Candidate> {
    let mut found = Vec::new();
    if cell.len() > CELL_BYTES_MAX || cell.iter().filter(|byte| byte.is_ascii_digit()).count() < 3 {
        return found;
    }
    for (weekday, rest) in weekdays(cell) {
        for date in DATES {
            for (date, rest) in fit(date, rest) {
                let items = [weekday.clone(), date].concat();
                if rest.is_empty() {
                    keep(items, cell, &mut found);
                    continue;
                }
                for join in JOINS {
                    let Some(rest) = rest.strip_prefix(join.as_bytes()) else { continue };
                    for (clock, zone) in clocks(rest) {
                        let join = Item::Literal(join.into());
                        let join =
                            if matches!(&join, Item::Literal(text) if text.is_empty()) { vec![] } else { vec![join] };
                        keep([items.clone(), join, clock, zone].concat(), cell, &mut found);
                    }
                }
            }
        }
    }
    for (clock, zone) in clocks(cell) {
        // Six digits could be anything.
        if !cell.iter().all(u8::is_ascii_digit) {
            keep([clock, zone].concat(), cell, &mut found);
        }
    }
    found
}

fn keep(items: Vec<Item>, cell: &[u8], found: &mut Vec<Candidate>) {
    let mut candidate = Candidate { items, date_padded: None, hour_padded: None };
    // The year is looked at when the cell is seen.
    if candidate.fits(cell, &mut false) {
        found.push(candidate);
    }
}

/// The beginnings with and without a weekday.
fn weekdays(cell: &[u8]) -> Vec<(Vec<Item>, &[u8])> {
    let mut found = vec![(Vec::new(), cell)];
    if cell.first().is_some_and(u8::is_ascii_alphabetic) {
        let letters = cell.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let separator = if cell[letters..].starts_with(b", ") { ", " } else { " " };
        if cell[letters..].starts_with(separator.as_bytes()) {
            for case in Case::ALL {
                for long in [false, true] {
                    let items = vec![Item::Weekday { long, case }, Item::Literal(separator.into())];
                    found.push((items, &cell[letters + separator.len()..]));
                }
            }
        }
    }
    found
}

/// The clock times that a cell's rest is, each with the zone behind it.
fn clocks(rest: &[u8]) -> Vec<(Vec<Item>, Vec<Item>)> {
    let mut found = Vec::new();
    for clock in CLOCKS {
        if clock.ends_with(['g', 't']) && !rest.contains(&b'.') {
            continue;
        }
        for (items, behind) in fit(clock, rest) {
            if behind.is_empty() {
                found.push((items, vec![]));
            } else if let Some(zone) = zone(behind) {
                found.push((items, vec![Item::Literal(zone.into())]));
            }
        }
    }
    found
}

/// A zone at the end of a cell: `Z`, a few letters, or an offset, which must be the same in the whole column.
fn zone(rest: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(rest).ok()?;
    let bare = text.strip_prefix(' ').unwrap_or(text);
    let offset = bare.strip_prefix(['+', '-']).is_some_and(|digits| {
        matches!(digits.len(), 2 | 4 | 5)
            && digits.bytes().enumerate().all(|(at, b)| b.is_ascii_digit() || at == 2 && b == b':')
    });
    let letters = matches!(
        bare,
        "Z" | "UTC" | "GMT" | "EST" | "EDT" | "CST" | "CDT" | "MST" | "MDT" | "PST" | "PDT" | "CET" | "CEST"
    );
    (offset || letters).then_some(text)
}

/// The ways in which a pattern fits the beginning of a cell, each with the rest of the cell.
fn fit<'a>(pattern: &str, cell: &'a [u8]) -> Vec<(Vec<Item>, &'a [u8])> {
    let mut found = Vec::new();
    for case in if pattern.contains('B') { &Case::ALL[..] } else { &Case::ALL[..1] } {
        for long in if pattern.contains('B') { &[false, true][..] } else { &[false][..] } {
            let Some(items) = items(pattern, cell, *long, *case) else { continue };
            // A date or clock alone is read to find where it ends; months without a year cannot occur.
            if let Some((_, rest)) = read_items(&items, cell, &mut Padding::default()) {
                found.push((items, rest));
            }
        }
    }
    found
}

fn items(pattern: &str, cell: &[u8], long: bool, case: Case) -> Option<Vec<Item>> {
    let mut items = Vec::new();
    for letter in pattern.chars() {
        items.push(match letter {
            'Y' => Item::Year,
            'y' => Item::YearShort,
            'm' => Item::Month,
            'd' => Item::Day,
            'B' => Item::MonthName { long, case },
            'H' => Item::Hour,
            'I' => Item::Hour12,
            'M' => Item::Minute,
            'S' => Item::Second,
            'f' => Item::Fraction(fraction_places(cell)?),
            'g' => Item::FractionSix,
            't' => Item::FractionTrimmed,
            'p' => Item::Half { upper: cell.iter().any(|byte| matches!(byte, b'A' | b'P')) },
            other => Item::Literal(other.into()),
        });
    }
    Some(items)
}

/// The digits behind the second of a clock time that begins a cell.
fn fraction_places(cell: &[u8]) -> Option<usize> {
    let mark = cell.iter().position(|byte| matches!(byte, b'.' | b','))?;
    let places = cell[mark + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    (1..=12).contains(&places).then_some(places)
}
