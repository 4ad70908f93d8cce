//! PII replay. In: a case. Out: for each column of a personal kind, how many training values there are and how many of
//! them the synthetic table holds. On all rows; values themselves are never given.

use table::Kind;

use crate::case::Case;

/// Share of the values that must be of a kind for the column to be.
const MOST: f64 = 0.8;

/// One column of personal data.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Replayed {
    /// The column.
    pub(crate) column: String,
    /// What its values are.
    pub(crate) entity: &'static str,
    /// Training cells with a value.
    pub(crate) total: usize,
    /// Different training values.
    pub(crate) distinct: usize,
    /// Synthetic cells that hold a training value.
    pub(crate) replayed: usize,
    /// Different training values that the synthetic table holds.
    pub(crate) distinct_replayed: usize,
}

impl Replayed {
    /// Different replayed values in a hundred training values, rounded up as documented.
    pub(crate) fn percent(&self) -> u64 {
        (100 * self.distinct_replayed).div_ceil(self.distinct.max(1)) as u64
    }
}

/// What a value may be, and how it is told.
type Entity = (&'static str, fn(&str) -> bool);

const ENTITIES: [Entity; 7] = [
    ("email", is_mail),
    ("ssn", |text| digits_between(text, &[3, 2, 4], '-')),
    ("credit_card_number", |text| digits_of(text).is_some_and(|d| (13..=19).contains(&d.len()) && luhn(&d))),
    ("phone_number", is_phone),
    ("ipv4", |text| text.parse::<std::net::Ipv4Addr>().is_ok()),
    ("url", |text| text.contains("://") || text.starts_with("www.")),
    ("uuid", |text| text.len() == 36 && text.split('-').map(str::len).eq([8, 4, 4, 4, 12]) && is_hex(text)),
];

/// Parts of a header by which words are names of people and places.
const HEADERS: [(&str, &[&str]); 4] = [
    ("first_name", &["first_name", "firstname", "given_name", "forename"]),
    ("last_name", &["last_name", "lastname", "surname", "family_name"]),
    ("name", &["full_name", "fullname", "name", "customer_name", "person"]),
    ("street_address", &["address", "street", "street_address"]),
];

/// The columns of personal kinds, in the order of the table; of these kinds only, unless there are none.
pub(crate) fn replayed(case: &Case, kinds: &[String]) -> Vec<Replayed> {
    let mut found = Vec::new();
    for (index, column) in case.columns.iter().enumerate().filter(|(_, column)| column.kind == Kind::Text) {
        let known: Vec<usize> = (0..column.levels.len()).filter(|&level| column.counts[level] > 0).collect();
        let Some(entity) = entity(&column.name, known.iter().map(|&level| column.levels[level].as_str())) else {
            continue;
        };
        if !kinds.is_empty() && !kinds.iter().any(|kind| kind == entity) {
            continue;
        }
        let mut held = vec![0usize; column.levels.len() + 1];
        case.synthetic.codes(index).iter().for_each(|&code| held[code as usize] += 1);
        let shown = known.iter().filter(|&&level| held[level + 1] > 0);
        found.push(Replayed {
            column: column.name.clone(),
            entity,
            total: known.iter().map(|&level| column.counts[level]).sum(),
            distinct: known.len(),
            replayed: known.iter().map(|&level| held[level + 1]).sum(),
            distinct_replayed: shown.count(),
        });
    }
    found
}

fn entity<'a>(header: &str, values: impl Iterator<Item = &'a str> + Clone) -> Option<&'static str> {
    let values = values.take(1_000);
    let all = values.clone().count();
    if all == 0 {
        return None;
    }
    let share = |test: fn(&str) -> bool| values.clone().filter(|text| test(text.trim())).count() as f64 / all as f64;
    if let Some((name, _)) = ENTITIES.iter().find(|(_, test)| share(*test) >= MOST) {
        return Some(name);
    }
    let header = header.to_lowercase().replace([' ', '-'], "_");
    HEADERS.iter().find(|(_, names)| names.contains(&header.as_str())).map(|(name, _)| *name)
}

fn is_mail(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    !local.is_empty() && domain.contains('.') && !text.contains(char::is_whitespace)
}

fn is_phone(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let marked = text.contains(['+', '(', '-', ' ', '.', '/']);
    (7..=15).contains(&digits) && marked && text.chars().all(|c| c.is_ascii_digit() || "+()-./ x".contains(c))
}

fn digits_between(text: &str, lengths: &[usize], mark: char) -> bool {
    text.split(mark).map(str::len).eq(lengths.iter().copied())
        && text.bytes().all(|b| b.is_ascii_digit() || b == mark as u8)
}

fn digits_of(text: &str) -> Option<Vec<u32>> {
    text.chars().filter(|c| !matches!(c, ' ' | '-')).map(|c| c.to_digit(10)).collect()
}

/// Whether the last digit is the check digit of Luhn (1960, patent US 2950048).
fn luhn(digits: &[u32]) -> bool {
    let doubled = |digit: u32| if digit > 4 { 2 * digit - 9 } else { 2 * digit };
    let sum: u32 = digits.iter().rev().enumerate().map(|(at, &d)| if at % 2 == 1 { doubled(d) } else { d }).sum();
    sum.is_multiple_of(10)
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}
