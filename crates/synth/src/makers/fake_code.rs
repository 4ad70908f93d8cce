//! Codes: typed numbers and codes of a column (telephone numbers, addresses of machines, card numbers, UUIDs) come in, a
//! plan for new ones of the same forms goes out. What many rows share of a code (a country, an area, a network, the
//! version of a UUID) is kept, check digits are computed.

use std::collections::{BTreeMap, HashMap};
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::makers::fake_kind::Kind;
use crate::makers::fake_numeral::numerals;
use crate::makers::ids::{Check, Form, IdPlan, Make, roomy};
use crate::sieve::Sieve;

/// Forms of a code kept at most.
const FORMS_MAX: usize = 64;

/// A plan for codes of a kind; none if they keep to too many forms. `texts` are the different ones.
pub(crate) fn plan_codes(texts: &[&str], kind: Kind, repeats: bool, floor: usize, key: u64) -> Option<IdPlan> {
    let mut known = Sieve::new(texts.len(), key);
    texts.iter().for_each(|text| known.add(text.as_bytes()));
    let check = check_of(texts, kind);
    let forms = match kind {
        Kind::Ipv4 => networks(texts, floor),
        Kind::Ipv6 => networks_of_six(texts, floor),
        Kind::Code => masks(texts, kind, (Class::Sign, &[6, 5, 4, 3, 2, 1]), check, repeats, floor)
            .or_else(|| numerals(texts))
            .or_else(|| masks(texts, kind, (Class::Sign, &[0]), check, repeats, floor))
            .or_else(|| tokens(texts, floor)),
        Kind::Mac => masks(texts, kind, (Class::Hex, &[8, 0]), check, repeats, floor),
        Kind::Uuid | Kind::Hash => masks(texts, kind, (Class::Hex, &[0]), check, repeats, floor),
        Kind::Iban => masks(texts, kind, (Class::Sign, &[2]), check, repeats, floor),
        Kind::Card => masks(texts, kind, (Class::Sign, &[4, 2, 1, 0]), check, repeats, floor),
        Kind::Phone => masks(texts, kind, (Class::Sign, &[8, 7, 6, 5, 4, 3, 2, 1, 0]), check, repeats, floor),
        _ => masks(texts, kind, (Class::Sign, &[0]), check, repeats, floor),
    }?;
    Some(IdPlan { forms, known, ascending: false, check, repeats })
}

/// A plan for whole numbers that are numbers of cards: all different, of thirteen digits and more, each with its check
/// digit.
pub(crate) fn plan_cards(values: &[Option<i64>], floor: usize, key: u64) -> Option<IdPlan> {
    const LEAST: i64 = 1_000_000_000_000;
    let present: Vec<i64> = values.iter().flatten().copied().collect();
    if present.len() < 20 || present.iter().any(|&value| value < LEAST) {
        return None;
    }
    let mut texts: Vec<String> = present.iter().map(i64::to_string).collect();
    if !texts.iter().all(|text| Check::Luhn.holds(text)) {
        return None;
    }
    texts.sort_unstable();
    if texts.windows(2).any(|pair| pair[0] == pair[1]) {
        return None;
    }
    plan_codes(&texts.iter().map(String::as_str).collect::<Vec<_>>(), Kind::Card, false, floor, key)
}

/// What is right about all of them.
fn check_of(texts: &[&str], kind: Kind) -> Check {
    let wanted = match kind {
        Kind::Card => Check::Luhn,
        Kind::Iban => Check::Iban,
        Kind::Social => Check::Social,
        _ => Check::Noughts,
    };
    if texts.iter().all(|text| wanted.holds(text)) { wanted } else { Check::None }
}

/// Forms by mask: as many first signs as they are, of the numbers of them to try, as let enough rows share each beginning;
/// the others by their class.
fn masks(
    texts: &[&str],
    kind: Kind,
    (signs, leads): (Class, &[usize]),
    check: Check,
    repeats: bool,
    floor: usize,
) -> Option<Vec<Form>> {
    for &lead in leads {
        let mut forms: BTreeMap<String, (u64, Vec<Vec<char>>)> = BTreeMap::new();
        for text in texts {
            let letters: Vec<char> = text.chars().collect();
            let mask: String =
                letters.iter().enumerate().map(|(at, &c)| if at < lead { c } else { signs.of(c) }).collect();
            let form = forms.entry(mask).or_insert_with(|| (0, vec![Vec::new(); letters.len()]));
            form.0 += 1;
            for (set, letter) in form.1.iter_mut().zip(letters) {
                if !set.contains(&letter) {
                    set.push(letter);
                }
            }
        }
        // Beginnings of accounts are those of countries, which are few and no secret.
        let least = if lead > 0 && kind != Kind::Iban { floor as u64 } else { 1 };
        let mut forms: Vec<(String, u64, Vec<Vec<char>>)> =
            forms.into_iter().filter(|form| form.1.0 >= least).map(|(mask, (rows, sets))| (mask, rows, sets)).collect();
        forms.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let many = forms.len() > FORMS_MAX;
        forms.truncate(FORMS_MAX);
        let covered: u64 = forms.iter().map(|form| form.1).sum();
        let enough = if lead > 0 { 0.95 } else { 0.8 };
        if (lead > 0 && many) || (covered as f64) < enough * texts.len() as f64 {
            continue;
        }
        let made = forms.into_iter().map(|(_, shown, mut sets)| {
            sets.iter_mut().for_each(|set| set.sort_unstable());
            let fixed: Vec<usize> = match check {
                Check::Luhn => sets.iter().rposition(|set| set[0].is_ascii_digit()).into_iter().collect(),
                Check::Iban => vec![2, 3],
                _ => Vec::new(),
            };
            fixed.iter().for_each(|&at| sets[at] = vec!['0']);
            let from = fixed.first().map_or(sets.len(), |&at| if check == Check::Iban { sets.len() } else { at });
            let tail = sets.split_off(from);
            // Where values come twice it takes room for a few only: but a form of one row must have others than this row's.
            let rows = if repeats { shown.min(floor as u64) } else { shown };
            let mut sets = if signs == Class::Sign { roomy(sets, rows, lead) } else { sets };
            sets.extend(tail);
            Form { rows: shown, make: Make::Places { sets } }
        });
        let mut made: Vec<Form> = made.collect();
        if check == Check::Iban {
            // The check digits stand in the middle; they may have been widened with their neighbours.
            for form in &mut made {
                if let Make::Places { sets } = &mut form.make {
                    sets[2..4].iter_mut().for_each(|set| *set = vec!['0']);
                }
            }
        }
        return Some(made);
    }
    None
}

/// What signs are told apart in a mask.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Digits, small and capital letters.
    Sign,
    /// Hexadecimal digits from the rest.
    Hex,
    /// Letters and digits from the rest.
    Token,
}

impl Class {
    fn of(self, letter: char) -> char {
        match (self, letter) {
            (Class::Hex, '0'..='9' | 'a'..='f' | 'A'..='F') => 'h',
            (Class::Token, '0'..='9' | 'a'..='z' | 'A'..='Z') => 'x',
            (_, '0'..='9') => '9',
            (_, 'a'..='z') => 'a',
            (_, 'A'..='Z') => 'A',
            (_, other) => other,
        }
    }
}

/// Forms of random tokens: long ones of few lengths, with letters and digits in any place.
fn tokens(texts: &[&str], floor: usize) -> Option<Vec<Form>> {
    let mixed = |text: &&&str| text.len() >= 8 && text.bytes().any(|b| b.is_ascii_digit());
    if texts.iter().filter(mixed).count() * 10 < texts.len() * 7 {
        return None;
    }
    masks(texts, Kind::Hash, (Class::Token, &[0]), Check::None, false, floor)
}

/// Networks of four: as many leading octets as enough rows share, the others within the bounds seen.
fn networks(texts: &[&str], floor: usize) -> Option<Vec<Form>> {
    let parsed = texts.iter().map(|text| text.parse::<Ipv4Addr>().ok().map(|a| a.octets()));
    let parsed: Vec<[u8; 4]> = parsed.collect::<Option<_>>()?;
    let bounds: Vec<(u32, u32)> = (0..4)
        .map(|at| {
            let low = parsed.iter().map(|octets| octets[at]).min().unwrap_or(0) as u32;
            let high = parsed.iter().map(|octets| octets[at]).max().unwrap_or(255) as u32;
            // Bounds seen on few rows are no bounds.
            if high - low > 150 || parsed.len() < 30 { (1, 254) } else { (low, high - low + 1) }
        })
        .collect();
    let parts = |lead: &str, from: usize, rows: u64| Form {
        rows,
        make: Make::Parts { lead: lead.to_string(), parts: bounds[from..].to_vec(), sign: '.', hex: false, wide: 0 },
    };
    for lead in [3usize, 2, 1] {
        let mut held: BTreeMap<&[u8], u64> = BTreeMap::new();
        parsed.iter().for_each(|octets| *held.entry(&octets[..lead]).or_default() += 1);
        held.retain(|_, rows| *rows >= floor as u64);
        let covered: u64 = held.values().sum();
        let room: u64 = bounds[lead..].iter().map(|b| b.1 as u64).product();
        let roomy = held.values().all(|rows| rows * 200 <= room);
        if held.len() <= FORMS_MAX && roomy && covered * 10 >= parsed.len() as u64 * 9 {
            let write = |lead: &[u8]| lead.iter().map(|octet| format!("{octet}.")).collect::<String>();
            return Some(held.into_iter().map(|(octets, rows)| parts(&write(octets), lead, rows)).collect());
        }
    }
    Some(vec![parts("", 0, parsed.len() as u64)])
}

/// Networks of six: forms by where groups are left out, leading groups as enough rows share them.
fn networks_of_six(texts: &[&str], floor: usize) -> Option<Vec<Form>> {
    let mut forms: HashMap<(String, usize), u64> = HashMap::new();
    let wide = texts.iter().all(|text| text.split(':').all(|group| group.is_empty() || group.len() == 4));
    let lead_of = |text: &str, groups: usize| -> String {
        let mut lead: String = text.split(':').take(groups).map(|group| format!("{group}:")).collect();
        if text[lead.len().min(text.len())..].starts_with(':') {
            lead.push(':');
        }
        lead
    };
    for groups in [4, 3, 2, 1, 0] {
        forms.clear();
        for text in texts {
            text.parse::<Ipv6Addr>().ok()?;
            let lead = lead_of(text, groups);
            let rest = text.get(lead.len()..).unwrap_or("");
            if rest.is_empty() || rest.contains("::") || rest.contains('.') {
                continue;
            }
            *forms.entry((lead, rest.split(':').count())).or_default() += 1;
        }
        forms.retain(|_, rows| groups == 0 || *rows >= floor as u64);
        let covered: u64 = forms.values().sum();
        if forms.len() <= FORMS_MAX && covered * 10 >= texts.len() as u64 * if groups == 0 { 1 } else { 9 } {
            break;
        }
    }
    let mut forms: Vec<((String, usize), u64)> = forms.into_iter().collect();
    forms.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    forms.truncate(FORMS_MAX);
    let make = |((lead, groups), rows): ((String, usize), u64)| Form {
        rows,
        make: Make::Parts {
            lead,
            parts: vec![(1, 65_535); groups],
            sign: ':',
            hex: true,
            wide: if wide { 4 } else { 0 },
        },
    };
    (!forms.is_empty()).then(|| forms.into_iter().map(make).collect())
}
