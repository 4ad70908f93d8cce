//! Patterns of text: a regular expression comes in; whether a text matches the whole of it, and texts that do, go out.

use regex_automata::meta::Regex;
use regex_syntax::hir::{Class, Hir, HirKind};

use table::Kept;

use crate::random::{mix, permuted};

/// How much longer than needed a repetition without an end is written.
const MORE: u32 = 6;

/// No pattern is believed to have more texts than this.
const TEXTS_MAX: u128 = 1 << 100;

/// A regular expression that a whole text has to match.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    written: String,
    parsed: Hir,
    whole: Regex,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.written == other.written
    }
}

impl Pattern {
    /// Reads a regular expression in the syntax of Rust's `regex`; fails with a sentence that names it.
    pub(crate) fn parse(written: &str) -> Result<Pattern, String> {
        let fault = |error: String| {
            let last = error.lines().last().unwrap_or_default().trim_start_matches("error: ").to_string();
            format!("`{written}` is no regular expression: {last}")
        };
        let parsed = regex_syntax::parse(written).map_err(|error| fault(error.to_string()))?;
        let whole = Regex::new(&format!("^(?:{written})$")).map_err(|error| fault(error.to_string()))?;
        Ok(Pattern { written: written.into(), parsed, whole })
    }

    /// Whether the whole text matches.
    pub(crate) fn matches(&self, text: &str) -> bool {
        self.whole.is_match(text)
    }

    /// How many texts [`Pattern::text`] can tell apart.
    pub(crate) fn size(&self) -> u128 {
        size(&self.parsed)
    }

    /// A text for row `row` of an output of so many: another for each row if there are as many. `salt` belongs to the
    /// output and the column.
    pub(crate) fn row_text(&self, row: u64, rows_total: u64, salt: u64) -> String {
        let size = self.size().max(1);
        let place = if size >= rows_total as u128 { row as u128 } else { mix(salt ^ mix(row)) as u128 % size };
        // A pattern may hold anchors within; then another of its texts may do.
        let texts = (0..8).map(|step| self.text(permuted((place + step * rows_total as u128) % size, size, salt)));
        texts.clone().find(|text| self.matches(text)).or_else(|| texts.clone().next()).unwrap_or_default()
    }

    /// The text of this index, which must be below [`Pattern::size`]; it matches unless the pattern holds anchors or
    /// word boundaries within.
    pub(crate) fn text(&self, index: u128) -> String {
        let mut text = String::new();
        write(&self.parsed, index, &mut text);
        text
    }
}

fn ranges(class: &Class) -> Vec<(u32, u32)> {
    let mut ranges: Vec<(u32, u32)> = match class {
        Class::Unicode(class) => class.iter().map(|r| (r.start() as u32, r.end() as u32)).collect(),
        Class::Bytes(class) => class.iter().map(|r| (r.start() as u32, (r.end() as u32).min(127))).collect(),
    };
    // A class such as `.` or `\w` holds all the world's letters; plain ones are enough where there are some.
    let plain: Vec<(u32, u32)> =
        ranges.iter().map(|&(from, to)| (from.max(0x20), to.min(0x7e))).filter(|(from, to)| from <= to).collect();
    if !plain.is_empty() {
        ranges = plain;
    }
    ranges
}

fn size(hir: &Hir) -> u128 {
    let capped = |size: u128| size.min(TEXTS_MAX);
    match hir.kind() {
        HirKind::Empty | HirKind::Literal(_) | HirKind::Look(_) => 1,
        HirKind::Class(class) => ranges(class).iter().map(|&(from, to)| (to - from + 1) as u128).sum::<u128>().max(1),
        HirKind::Capture(capture) => size(&capture.sub),
        HirKind::Concat(parts) => parts.iter().fold(1, |all, part| capped(all.saturating_mul(size(part)))),
        HirKind::Alternation(parts) => capped(parts.iter().fold(0u128, |all, part| all.saturating_add(size(part)))),
        HirKind::Repetition(repetition) => {
            let (least, most) = times(repetition.min, repetition.max);
            let one = size(&repetition.sub);
            capped((least..=most).fold(0u128, |all, count| all.saturating_add(power(one, count))))
        }
    }
}

fn times(least: u32, most: Option<u32>) -> (u32, u32) {
    (least, most.unwrap_or(least.saturating_add(MORE)).min(least.saturating_add(64)))
}

fn power(base: u128, count: u32) -> u128 {
    (0..count.min(128)).fold(1, |all: u128, _| all.saturating_mul(base).min(TEXTS_MAX))
}

fn write(hir: &Hir, mut index: u128, out: &mut String) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => out.push_str(&String::from_utf8_lossy(&literal.0)),
        HirKind::Class(class) => {
            for (from, to) in ranges(class) {
                let count = (to - from + 1) as u128;
                if index < count {
                    out.extend(char::from_u32(from + index as u32));
                    return;
                }
                index -= count;
            }
        }
        HirKind::Capture(capture) => write(&capture.sub, index, out),
        HirKind::Concat(parts) => {
            for part in parts {
                let own = size(part);
                write(part, index % own, out);
                index /= own;
            }
        }
        HirKind::Alternation(parts) => {
            for part in parts {
                let own = size(part);
                if index < own {
                    return write(part, index, out);
                }
                index -= own;
            }
        }
        HirKind::Repetition(repetition) => {
            let (least, most) = times(repetition.min, repetition.max);
            let one = size(&repetition.sub);
            for count in least..=most {
                let own = power(one, count);
                if index < own || count == most {
                    for _ in 0..count {
                        write(&repetition.sub, index % one, out);
                        index /= one;
                    }
                    return;
                }
                index -= own;
            }
        }
    }
}

impl Kept for Pattern {
    fn put(&self, out: &mut Vec<u8>) {
        self.written.put(out);
    }
    fn take(from: &mut &[u8]) -> Option<Pattern> {
        Pattern::parse(&String::take(from)?).ok()
    }
}
