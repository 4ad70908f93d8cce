//! Numerals: decimal numbers that stayed text (written in more than one way, or beside words) come in, the forms of new ones
//! go out. What is made is a number again: it has one decimal point at most, and marks where they belong.

use std::collections::BTreeMap;

use crate::makers::ids::{Form, Make};

/// Forms kept at most.
const FORMS_MAX: usize = 64;

/// Share of texts that must be numbers.
const MOST: f64 = 0.9;

/// Share of texts that must have a decimal point; else they may be codes of digits.
const POINTED: f64 = 0.3;

/// New numbers that a form must have room for, for each that is known.
const ROOM: u128 = 20;

/// What stands in a mask for a digit to be made, and for one whose zero would be no digit of the number.
const DIGIT: char = '9';
const EDGE: char = '1';

/// Whether these different texts are decimal numbers.
pub(crate) fn decimals(texts: &[&str]) -> bool {
    let masks: Vec<(String, bool)> = texts.iter().filter_map(|text| mask(text)).collect();
    let pointed = masks.iter().filter(|mask| mask.1).count();
    masks.len() as f64 >= MOST * texts.len() as f64 && pointed as f64 >= POINTED * texts.len() as f64
}

/// The forms of decimal numbers; none if the texts are no such numbers, or leave no room for others of their forms.
pub(crate) fn numerals(texts: &[&str]) -> Option<Vec<Form>> {
    if !decimals(texts) {
        return None;
    }
    let mut found: BTreeMap<String, (u64, Vec<Vec<char>>)> = BTreeMap::new();
    for text in texts {
        let Some((mask, _)) = mask(text) else { continue };
        let form = found.entry(mask).or_insert_with_key(|mask| (0, vec![Vec::new(); mask.chars().count()]));
        form.0 += 1;
        for (set, letter) in form.1.iter_mut().zip(text.chars()) {
            if !set.contains(&letter) {
                set.push(letter);
            }
        }
    }
    let mut forms: Vec<Form> = Vec::new();
    for (mask, (rows, sets)) in found {
        let form = Form { rows, make: Make::Places { sets: widened(&mask, sets, rows) } };
        if form.make.size() >= ROOM * rows as u128 {
            forms.push(form);
        }
    }
    let covered: u64 = forms.iter().map(|form| form.rows).sum();
    (covered as f64 >= 0.8 * texts.len() as f64).then(|| spread(forms, covered))
}

/// The sets of a form, in order; those of digits grow to all of them from the last place on, until there is room.
fn widened(mask: &str, mut sets: Vec<Vec<char>>, rows: u64) -> Vec<Vec<char>> {
    sets.iter_mut().for_each(|set| set.sort_unstable());
    let signs: Vec<char> = mask.chars().collect();
    for at in (0..sets.len()).rev().filter(|&at| matches!(signs[at], DIGIT | EDGE)) {
        let size = sets.iter().fold(1u128, |size, set| size.saturating_mul(set.len() as u128));
        if size >= ROOM * rows as u128 {
            break;
        }
        let zero = signs[at] == DIGIT || sets[at].contains(&'0');
        sets[at] = (if zero { '0' } else { '1' }..='9').collect();
    }
    sets
}

/// At most [`FORMS_MAX`] of the forms, short and long ones alike: those that rows at even distances have.
fn spread(mut forms: Vec<Form>, rows: u64) -> Vec<Form> {
    let length = |form: &Form| if let Make::Places { sets } = &form.make { sets.len() } else { 0 };
    forms.sort_by_key(length);
    if forms.len() <= FORMS_MAX {
        return forms;
    }
    let mut kept: Vec<Form> = Vec::new();
    let (mut seen, mut picked) = (0, 0);
    for form in forms {
        seen += form.rows;
        let until = (seen * FORMS_MAX as u64).div_ceil(rows);
        if until > picked {
            kept.push(Form { rows: until - picked, ..form });
            picked = until;
        }
    }
    kept
}

/// The mask of a number, and whether it has a decimal point; none for any other text. An exponent stands for itself, and so
/// does a lone zero before the point.
fn mask(text: &str) -> Option<(String, bool)> {
    const SIGNS: [char; 9] = ['-', '+', '<', '>', '=', '~', '≤', '≥', ' '];
    const EXPONENT_MAX: usize = 3;
    let body = text.trim_start_matches(SIGNS);
    let (body, exponent) = body.find(['e', 'E']).map_or((body, ""), |at| body.split_at(at));
    if !exponent.is_empty() {
        let power = exponent[1..].trim_start_matches(['-', '+']);
        let sound = (1..=EXPONENT_MAX).contains(&power.len()) && power.bytes().all(|byte| byte.is_ascii_digit());
        if !sound || exponent.len() - power.len() > 2 {
            return None;
        }
    }
    let point = point_of(body)?;
    let letters: Vec<char> = body.chars().collect();
    let first = letters.iter().position(char::is_ascii_digit)?;
    let lone = letters.get(first + 1).is_none_or(|next| !next.is_ascii_digit());
    let mut mask: String = text[..text.len() - body.len() - exponent.len()].to_string();
    for (at, &letter) in letters.iter().enumerate() {
        mask.push(match letter {
            '0' if at == first && lone && point != Some(0) => '0',
            '0'..='9' if at == first && point != Some(0) => EDGE,
            '0'..='9' if point.is_some_and(|point| at > point) && at + 1 == letters.len() => EDGE,
            '0'..='9' => DIGIT,
            other => other,
        });
    }
    mask.push_str(exponent);
    Some((mask, point.is_some()))
}

/// Where the decimal point of an unsigned number stands, if it has one; none if it is no number. A sign that comes once, behind
/// all others, is a point; any other sign is a thousands mark with three digits behind it.
fn point_of(body: &str) -> Option<Option<usize>> {
    const MARKS: [char; 5] = ['.', ',', '\'', ' ', '_'];
    let runs: Vec<&str> = body.split(MARKS).collect();
    let marks: Vec<char> = body.chars().filter(|letter| MARKS.contains(letter)).collect();
    let digits = |run: &&str| run.bytes().all(|byte| byte.is_ascii_digit());
    if !runs.iter().all(digits) || runs.iter().all(|run| run.is_empty()) {
        return None;
    }
    let Some((&last, others)) = marks.split_last() else { return Some(None) };
    let pointed = matches!(last, '.' | ',') && !others.contains(&last);
    let (grouped, kinds) = if pointed { (&runs[..marks.len()], others) } else { (&runs[..], &marks[..]) };
    let grouping = grouped.len() < 2
        || (1..=3).contains(&grouped[0].len())
            && grouped[1..].iter().all(|run| run.len() == 3)
            && kinds.iter().all(|kind| *kind == kinds[0]);
    // What stands behind the point is the last run; all is in one-byte letters.
    grouping.then(|| pointed.then(|| body.len() - runs[runs.len() - 1].len() - 1))
}
