//! How dates, timestamps and clock times are written. In: microseconds since 1970-01-01 or a cell. Out: the cell or the
//! microseconds. No time zones: a zone is part of the spelling and the same in every cell.

use std::io::Write;

use crate::calendar::{date_of, days_of};

pub(crate) const SECOND: i64 = 1_000_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// One part of a written time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Item {
    Year,
    /// Two digits: 1969 to 2068.
    YearShort,
    Month,
    Day,
    MonthName {
        long: bool,
        case: Case,
    },
    Weekday {
        long: bool,
        case: Case,
    },
    Hour,
    Hour12,
    Minute,
    Second,
    /// Digits behind the second.
    Fraction(usize),
    /// A point and six digits, or nothing on the full second.
    FractionSix,
    /// A point and the digits up to the last that is not zero, or nothing on the full second.
    FractionTrimmed,
    /// AM or PM.
    Half {
        upper: bool,
    },
    Literal(String),
}

impl Item {
    pub(crate) fn fraction(&self) -> bool {
        matches!(self, Item::Fraction(_) | Item::FractionSix | Item::FractionTrimmed)
    }
}

/// The letters of a written name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Case {
    Title,
    Upper,
    Lower,
}

impl Case {
    pub(crate) const ALL: [Case; 3] = [Case::Title, Case::Upper, Case::Lower];

    fn apply(self, at: usize, letter: u8) -> u8 {
        match self {
            Case::Title if at == 0 => letter.to_ascii_uppercase(),
            Case::Upper => letter.to_ascii_uppercase(),
            _ => letter.to_ascii_lowercase(),
        }
    }
}

/// How the times of one column are written.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    pub(crate) items: Vec<Item>,
    /// Whether days and months below ten have two digits; and hours.
    pub(crate) date_padded: bool,
    pub(crate) hour_padded: bool,
}

/// What a cell showed of the padding: `None` if it could be either.
#[derive(Clone, Copy, Default)]
pub(crate) struct Padding {
    pub date: Option<bool>,
    pub hour: Option<bool>,
    /// Both in one cell.
    pub mixed: bool,
}

impl Padding {
    fn note(seen: &mut Option<bool>, mixed: &mut bool, digits: &[u8]) {
        let now = match digits {
            [b'0', _] => true,
            [_] => false,
            _ => return,
        };
        *mixed |= *seen.get_or_insert(now) != now;
    }
}

#[derive(Default)]
struct Parts {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    weekday: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    micros: i64,
    afternoon: Option<bool>,
}

impl Parts {
    fn micros(&self) -> Option<i64> {
        let mut days = 0;
        if self.year.is_some() || self.month.is_some() || self.day.is_some() {
            let (year, month, day) = (self.year?, self.month?, self.day.unwrap_or(1));
            if !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
                return None;
            }
            days = days_of(year, month, day);
        }
        if self.weekday.is_some_and(|weekday| weekday != weekday_of(days)) {
            return None;
        }
        let hour = match self.afternoon {
            Some(_) if !(1..=12).contains(&self.hour) => return None,
            Some(afternoon) => self.hour % 12 + if afternoon { 12 } else { 0 },
            None => self.hour,
        };
        if hour > 23 || self.minute > 59 || self.second > 59 {
            return None;
        }
        Some(days * DAY + hour * HOUR + self.minute * MINUTE + self.second * SECOND + self.micros)
    }
}

/// Reads a cell by these items; the microseconds, what it showed of the padding, and what is left of it.
pub(crate) fn read_items<'a>(items: &[Item], cell: &'a [u8], padding: &mut Padding) -> Option<(i64, &'a [u8])> {
    let mut parts = Parts::default();
    let mut rest = cell;
    for item in items {
        match item {
            Item::Year => parts.year = Some(digits(&mut rest, 4, 4)?.0).filter(|&year| year > 0),
            Item::YearShort => {
                let year = digits(&mut rest, 2, 2)?.0;
                parts.year = Some(if year < 69 { 2000 + year } else { 1900 + year });
            }
            Item::Month | Item::Day => {
                let (value, written) = digits(&mut rest, 1, 2)?;
                Padding::note(&mut padding.date, &mut padding.mixed, written);
                if *item == Item::Month {
                    parts.month = Some(value);
                } else {
                    parts.day = Some(value);
                }
            }
            Item::MonthName { long, case } => parts.month = Some(name(&mut rest, &MONTHS, *long, *case)? + 1),
            Item::Weekday { long, case } => parts.weekday = Some(name(&mut rest, &WEEKDAYS, *long, *case)?),
            Item::Hour | Item::Hour12 => {
                let (value, written) = digits(&mut rest, 1, 2)?;
                Padding::note(&mut padding.hour, &mut padding.mixed, written);
                parts.hour = value;
            }
            Item::Minute => parts.minute = digits(&mut rest, 2, 2)?.0,
            Item::Second => parts.second = digits(&mut rest, 2, 2)?.0,
            Item::Fraction(places) => parts.micros = fraction(&mut rest, *places)?,
            Item::FractionSix | Item::FractionTrimmed => {
                if let [b'.', behind @ ..] = rest {
                    rest = behind;
                    let places = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
                    let last = places.checked_sub(1).map(|last| rest[last]);
                    let fits = if *item == Item::FractionSix { places == 6 } else { places <= 6 && last > Some(b'0') };
                    parts.micros = Some(fraction(&mut rest, places)?).filter(|&micros| fits && micros > 0)?;
                }
            }
            Item::Half { upper } => parts.afternoon = Some(half(&mut rest, *upper)?),
            Item::Literal(literal) => rest = rest.strip_prefix(literal.as_bytes())?,
        }
    }
    Some((parts.micros()?, rest))
}

fn digits<'a>(rest: &mut &'a [u8], min: usize, max: usize) -> Option<(i64, &'a [u8])> {
    let count = rest.iter().take(max).take_while(|byte| byte.is_ascii_digit()).count();
    if count < min {
        return None;
    }
    let (written, behind) = rest.split_at(count);
    *rest = behind;
    Some((written.iter().fold(0, |value, byte| value * 10 + i64::from(byte - b'0')), written))
}

/// Digits behind the second; those beyond microseconds must be zeros.
fn fraction(rest: &mut &[u8], places: usize) -> Option<i64> {
    let (written, behind) = rest.split_at_checked(places)?;
    if !written.iter().all(u8::is_ascii_digit) || behind.first().is_some_and(u8::is_ascii_digit) {
        return None;
    }
    if written.iter().skip(6).any(|&byte| byte != b'0') {
        return None;
    }
    *rest = behind;
    Some((0..6).fold(0, |value, at| value * 10 + written.get(at).map_or(0, |byte| i64::from(byte - b'0'))))
}

fn name(rest: &mut &[u8], names: &[&str], long: bool, case: Case) -> Option<i64> {
    for (index, name) in names.iter().enumerate() {
        let name = if long { name.as_bytes() } else { &name.as_bytes()[..3] };
        let fits = rest.len() >= name.len()
            && name.iter().enumerate().all(|(at, &letter)| rest[at] == case.apply(at, letter))
            && !rest.get(name.len()).is_some_and(u8::is_ascii_alphabetic);
        if fits {
            *rest = &rest[name.len()..];
            return Some(index as i64);
        }
    }
    None
}

fn half(rest: &mut &[u8], upper: bool) -> Option<bool> {
    let (written, behind) = rest.split_at_checked(2)?;
    *rest = behind;
    match (written, upper) {
        (b"AM", true) | (b"am", false) => Some(false),
        (b"PM", true) | (b"pm", false) => Some(true),
        _ => None,
    }
}

impl std::fmt::Display for Pattern {
    /// The pattern as strftime writes it; `%-d` for days without padding, `%3f` for three digits behind the second.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let pad = |padded: bool| if padded { "" } else { "-" };
        for item in &self.items {
            match item {
                Item::Year => f.write_str("%Y")?,
                Item::YearShort => f.write_str("%y")?,
                Item::Month => write!(f, "%{}m", pad(self.date_padded))?,
                Item::Day => write!(f, "%{}d", pad(self.date_padded))?,
                Item::MonthName { long, .. } => f.write_str(if *long { "%B" } else { "%b" })?,
                Item::Weekday { long, .. } => f.write_str(if *long { "%A" } else { "%a" })?,
                Item::Hour => write!(f, "%{}H", pad(self.hour_padded))?,
                Item::Hour12 => write!(f, "%{}I", pad(self.hour_padded))?,
                Item::Minute => f.write_str("%M")?,
                Item::Second => f.write_str("%S")?,
                Item::Fraction(places) => write!(f, "%{places}f")?,
                Item::FractionSix => f.write_str("[.%6f]")?,
                Item::FractionTrimmed => f.write_str("[.%f]")?,
                Item::Half { upper } => f.write_str(if *upper { "%p" } else { "%P" })?,
                Item::Literal(literal) => f.write_str(literal)?,
            }
        }
        Ok(())
    }
}

impl Pattern {
    pub(crate) fn read(&self, cell: &[u8]) -> Option<i64> {
        let mut padding = Padding::default();
        let (micros, rest) = read_items(&self.items, cell, &mut padding)?;
        let padded = padding.date.is_none_or(|padded| padded == self.date_padded)
            && padding.hour.is_none_or(|padded| padded == self.hour_padded);
        (rest.is_empty() && padded && !padding.mixed).then_some(micros)
    }

    pub(crate) fn write(&self, micros: i64, out: &mut Vec<u8>) {
        let (days, clock) = (micros.div_euclid(DAY), micros.rem_euclid(DAY));
        let (year, month, day) = date_of(days);
        let hour = clock / HOUR;
        for item in &self.items {
            match item {
                Item::Year => {
                    two(year / 100, true, out);
                    two(year % 100, true, out);
                }
                Item::YearShort => two(year % 100, true, out),
                Item::Month => two(month, self.date_padded, out),
                Item::Day => two(day, self.date_padded, out),
                Item::MonthName { long, case } => write_name(MONTHS[month as usize - 1], *long, *case, out),
                Item::Weekday { long, case } => write_name(WEEKDAYS[weekday_of(days) as usize], *long, *case, out),
                Item::Hour => two(hour, self.hour_padded, out),
                Item::Hour12 => two((hour + 11) % 12 + 1, self.hour_padded, out),
                Item::Minute => two(clock / MINUTE % 60, true, out),
                Item::Second => two(clock / SECOND % 60, true, out),
                Item::Fraction(places) => {
                    let start = out.len();
                    write!(out, "{:06}", clock % SECOND).expect("writing to memory does not fail");
                    out.resize(start + places, b'0');
                }
                Item::FractionSix | Item::FractionTrimmed if clock % SECOND == 0 => {}
                Item::FractionSix | Item::FractionTrimmed => {
                    write!(out, ".{:06}", clock % SECOND).expect("writing to memory does not fail");
                    while *item == Item::FractionTrimmed && out.last() == Some(&b'0') {
                        out.pop();
                    }
                }
                Item::Half { upper } => {
                    let half: &[u8] = if hour < 12 { b"am" } else { b"pm" };
                    out.extend(half.iter().map(|letter| if *upper { letter.to_ascii_uppercase() } else { *letter }));
                }
                Item::Literal(literal) => out.extend_from_slice(literal.as_bytes()),
            }
        }
    }

    /// The smallest difference that can be written, in microseconds.
    pub(crate) fn step(&self) -> i64 {
        let step = |item: &Item| match item {
            Item::Fraction(places) => 10i64.pow(6u32.saturating_sub(*places as u32)),
            Item::FractionSix | Item::FractionTrimmed => 1,
            Item::Second => SECOND,
            Item::Minute => MINUTE,
            Item::Hour | Item::Hour12 => HOUR,
            _ => DAY,
        };
        self.items.iter().map(step).min().unwrap_or(DAY)
    }

    /// The first and last times that can be written, in microseconds since 1970-01-01; whole seconds, since a double
    /// does not carry a microsecond of the year 9999.
    pub(crate) fn range(&self) -> (i64, i64) {
        let (first, last) = if self.items.contains(&Item::YearShort) {
            (1969, 2068)
        } else if self.compact() {
            (1900, 2100)
        } else if self.items.contains(&Item::Year) {
            (1, 9999)
        } else {
            (1970, 1970)
        };
        let end = if self.items.contains(&Item::Year) || self.items.contains(&Item::YearShort) {
            days_of(last + 1, 1, 1)
        } else {
            1
        };
        (days_of(first, 1, 1) * DAY, end * DAY - self.step().max(SECOND))
    }

    /// Whether the pattern is digits alone, such as 20240131, which could be any number.
    pub(crate) fn compact(&self) -> bool {
        !self.items.iter().any(|item| matches!(item, Item::Literal(_) | Item::MonthName { .. }))
    }
}

fn two(value: i64, padded: bool, out: &mut Vec<u8>) {
    if padded || value > 9 {
        out.push(b'0' + (value / 10 % 10) as u8);
    }
    out.push(b'0' + (value % 10) as u8);
}

fn write_name(name: &str, long: bool, case: Case, out: &mut Vec<u8>) {
    let letters = if long { name.as_bytes() } else { &name.as_bytes()[..3] };
    out.extend(letters.iter().enumerate().map(|(at, &letter)| case.apply(at, letter)));
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// 0 for Monday.
fn weekday_of(days: i64) -> i64 {
    (days + 3).rem_euclid(7)
}

/// The pattern of times whose source had none.
pub(crate) fn iso() -> Pattern {
    let literal = |text: &str| Item::Literal(text.into());
    let date = [Item::Year, literal("-"), Item::Month, literal("-"), Item::Day, literal(" ")];
    let clock = [Item::Hour, literal(":"), Item::Minute, literal(":"), Item::Second, literal("."), Item::Fraction(6)];
    Pattern { items: date.into_iter().chain(clock).collect(), date_padded: true, hour_padded: true }
}
