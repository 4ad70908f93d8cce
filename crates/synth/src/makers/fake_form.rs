//! Forms of made-up texts: parsed training values come in (a name is a first name, a blank, a last name), the forms that
//! enough rows share go out, and a persona put into a form gives a new text. A form holds no word of a training value but
//! such as many rows share.

use std::borrow::Cow;
use std::collections::BTreeMap;

use table::{Kept, kept};

use crate::makers::fake_lists::{NOUNS, domain_stem, fold, fold_wide};
use crate::random::Random;

/// Forms kept at most.
const FORMS_MAX: usize = 60;

/// One piece of a form.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Piece {
    /// Written as it is.
    Lit(String),
    /// Something of the row's persona, or a word of its own.
    Part { part: Part, cut: u8, case: Case, plain: Plain },
    /// Digits; per place a bit for each that may stand there.
    Digits(Vec<u16>),
    /// One of several words that many rows share, with running totals.
    Pick(Vec<(String, u32)>),
    /// A domain.
    Domain,
}

/// What a piece shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// The persona's first name.
    First,
    /// The persona's last name.
    Last,
    /// Another given name.
    Middle,
    /// The first name of someone else.
    OtherFirst,
    /// The last name of someone else.
    OtherLast,
    /// A word like a last name, new for each piece.
    Word,
    /// A plain word, new for each piece.
    Noun,
    /// The persona's company.
    Company,
}

const PARTS: [Part; 8] =
    [Part::First, Part::Last, Part::Middle, Part::OtherFirst, Part::OtherLast, Part::Word, Part::Noun, Part::Company];

/// Which letters are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Plain {
    /// All, and signs.
    No,
    /// Letters and digits without accents.
    Fold,
    /// The same, with `ae` for `ä`.
    Wide,
}

const PLAINS: [Plain; 3] = [Plain::No, Plain::Fold, Plain::Wide];

/// How letters are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Case {
    /// As they come.
    Kept,
    /// Small.
    Lower,
    /// Capital.
    Upper,
    /// The first capital, the others small.
    Title,
}

const CASES: [Case; 4] = [Case::Kept, Case::Lower, Case::Upper, Case::Title];

/// Pieces in a row, and how many training rows have them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Form {
    /// In order.
    pub(crate) pieces: Vec<Piece>,
    /// Training rows.
    pub(crate) rows: u32,
}

/// Which domains a column shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Domains {
    /// Those that many rows share, with running totals of rows.
    pub(crate) shared: Vec<(String, u32)>,
    /// Rows with a domain that few share.
    pub(crate) made: u32,
    /// Endings of those, with running totals.
    pub(crate) endings: Vec<(String, u32)>,
    /// Share of those that are the row's company, its first word or all of it.
    pub(crate) of_company: [f64; 2],
}

/// Who a row is about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Persona<'a> {
    /// First name.
    pub(crate) first: Cow<'a, str>,
    /// Last name.
    pub(crate) last: Cow<'a, str>,
    /// Company; empty where no column shows one.
    pub(crate) company: Cow<'a, str>,
    /// Decides what is the persona's without being written.
    pub(crate) dice: u64,
    /// Whether no other block of the output has the same first and last name.
    pub(crate) owned: bool,
}

/// Where words come from.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Words {
    /// First names.
    pub(crate) firsts: Vec<String>,
    /// Last names.
    pub(crate) lasts: Vec<String>,
}

impl Case {
    /// How a word is written.
    pub(crate) fn of(word: &str) -> Case {
        let mut letters = word.chars().filter(|c| c.is_alphabetic());
        let Some(first) = letters.next() else { return Case::Kept };
        let rest: Vec<char> = letters.collect();
        let small = rest.iter().all(|c| !c.is_uppercase());
        if first.is_uppercase() && !rest.is_empty() && rest.iter().all(|c| c.is_uppercase()) {
            Case::Upper
        } else if small {
            if first.is_uppercase() { Case::Title } else { Case::Lower }
        } else {
            Case::Kept
        }
    }

    /// Writes a word so.
    pub(crate) fn write(self, word: &str, out: &mut String) {
        match self {
            Case::Kept => out.push_str(word),
            Case::Lower => out.extend(word.chars().flat_map(char::to_lowercase)),
            Case::Upper => out.extend(word.chars().flat_map(char::to_uppercase)),
            Case::Title => {
                let mut letters = word.chars();
                out.extend(letters.next().into_iter().flat_map(char::to_uppercase));
                let mut inner = false;
                for letter in letters {
                    // A capital behind a hyphen or an apostrophe stays.
                    if inner {
                        out.push(letter);
                    } else {
                        out.extend(letter.to_lowercase());
                    }
                    inner = !letter.is_alphabetic();
                }
            }
        }
    }
}

impl Piece {
    /// A whole part.
    pub(crate) fn whole(part: Part, case: Case) -> Piece {
        Piece::Part { part, cut: 0, case, plain: Plain::No }
    }

    /// A run of digits as it stands in a training value.
    pub(crate) fn digits(run: &str) -> Piece {
        Piece::Digits(run.bytes().map(|digit| 1 << (digit & 15).min(9)).collect())
    }

    /// What tells its form.
    fn kind(&self) -> Piece {
        match self {
            Piece::Digits(places) => Piece::Digits(vec![0; places.len()]),
            Piece::Pick(_) => Piece::Pick(Vec::new()),
            other => other.clone(),
        }
    }
}

/// Writes all names as the widest writing among them asks: a name without an umlaut leaves it open.
pub(crate) fn widened(parsed: &mut [Vec<Piece>]) {
    let wide = |piece: &Piece| matches!(piece, Piece::Part { plain: Plain::Wide, .. });
    if !parsed.iter().flatten().any(wide) {
        return;
    }
    for piece in parsed.iter_mut().flatten() {
        if let Piece::Part { plain, .. } = piece
            && *plain == Plain::Fold
        {
            *plain = Plain::Wide;
        }
    }
}

/// Joins neighbouring literals.
pub(crate) fn joined(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut out: Vec<Piece> = Vec::with_capacity(pieces.len());
    for piece in pieces {
        match (out.last_mut(), piece) {
            (Some(Piece::Lit(before)), Piece::Lit(text)) => before.push_str(&text),
            (_, piece) => out.push(piece),
        }
    }
    out
}

/// The forms that at least `floor` of these parsed values share; where those are few, forms of two rows and more.
pub(crate) fn learn(parsed: &[Vec<Piece>], floor: usize) -> Vec<Form> {
    let mut places: BTreeMap<Vec<Piece>, Vec<u32>> = BTreeMap::new();
    for (at, pieces) in parsed.iter().enumerate() {
        places.entry(pieces.iter().map(Piece::kind).collect()).or_default().push(at as u32);
    }
    let covered = |least: usize| places.values().map(Vec::len).filter(|&n| n >= least).sum::<usize>();
    let least = if 2 * covered(floor) >= parsed.len() {
        floor
    } else if 4 * covered(2) >= parsed.len() {
        2
    } else {
        1
    };
    let mut all: Vec<(&Vec<Piece>, &Vec<u32>)> = places.iter().filter(|(_, rows)| rows.len() >= least).collect();
    all.sort_by(|a, b| b.1.len().cmp(&a.1.len()).then_with(|| a.0.cmp(b.0)));
    all.truncate(FORMS_MAX);
    let grown = |(kinds, rows): (&Vec<Piece>, &Vec<u32>)| Form {
        pieces: (0..kinds.len()).map(|at| merged(parsed, rows, at)).collect(),
        rows: rows.len() as u32,
    };
    all.into_iter().map(grown).collect()
}

/// Piece `at` of all these rows in one.
fn merged(parsed: &[Vec<Piece>], rows: &[u32], at: usize) -> Piece {
    match &parsed[rows[0] as usize][at] {
        Piece::Digits(places) => {
            let mut sets = vec![0u16; places.len()];
            for &row in rows {
                if let Piece::Digits(own) = &parsed[row as usize][at] {
                    sets.iter_mut().zip(own).for_each(|(set, bit)| *set |= bit);
                }
            }
            // Few rows show too few digits: all but a leading nought are as likely.
            for (place, set) in sets.iter_mut().enumerate() {
                if rows.len() < 100 && set.count_ones() > 2 {
                    *set |= if place == 0 && *set & 1 == 0 { 0x3fe } else { 0x3ff };
                }
            }
            Piece::Digits(sets)
        }
        Piece::Pick(_) => {
            let mut held: BTreeMap<&str, u32> = BTreeMap::new();
            for &row in rows {
                if let Piece::Pick(words) = &parsed[row as usize][at] {
                    words.iter().for_each(|word| *held.entry(&word.0).or_default() += 1);
                }
            }
            Piece::Pick(running(held.into_iter().map(|(word, rows)| (word.to_string(), rows))))
        }
        other => other.clone(),
    }
}

/// Words and rows as words and running totals.
pub(crate) fn running(words: impl Iterator<Item = (String, u32)>) -> Vec<(String, u32)> {
    let mut total = 0;
    let add = |(word, rows): (String, u32)| {
        total += rows;
        (word, total)
    };
    words.map(add).collect()
}

/// One of these words with running totals, `at` of all counted rows.
fn picked(words: &[(String, u32)], at: u64) -> &str {
    let total = words.last().map_or(0, |word| word.1) as u64;
    if total == 0 {
        return "";
    }
    let at = (at % total) as u32;
    &words[words.partition_point(|word| word.1 <= at).min(words.len() - 1)].0
}

/// One of the forms in shares of rows.
pub(crate) fn form_of<'f>(forms: &'f [Form], random: &mut Random) -> Option<&'f Form> {
    let total: u32 = forms.iter().map(|form| form.rows).sum();
    let mut at = random.below(total as usize) as u32;
    for form in forms {
        if at < form.rows {
            return Some(form);
        }
        at -= form.rows;
    }
    forms.first()
}

impl Form {
    /// Writes a text of this form for the persona.
    pub(crate) fn write(&self, who: &Persona, words: &Words, domains: &Domains, random: &mut Random, out: &mut String) {
        for piece in &self.pieces {
            match piece {
                Piece::Lit(text) => out.push_str(text),
                Piece::Part { part, cut, case, plain } => {
                    let word = part_of(*part, who, words, random);
                    let word = match plain {
                        Plain::No => word,
                        Plain::Fold => Cow::Owned(fold(&word)),
                        Plain::Wide => Cow::Owned(fold_wide(&word)),
                    };
                    match cut {
                        0 => case.write(&word, out),
                        _ => case.write(&word.chars().take(*cut as usize).collect::<String>(), out),
                    }
                }
                Piece::Digits(places) => {
                    for set in places {
                        let nth = random.below(set.count_ones() as usize);
                        let digit = (0..10).filter(|d| set >> d & 1 == 1).nth(nth).unwrap_or(0);
                        out.push((b'0' + digit) as char);
                    }
                }
                Piece::Pick(words) => out.push_str(picked(words, random.next())),
                Piece::Domain => domains.write(who, words, random, out),
            }
        }
    }
}

fn part_of<'w>(part: Part, who: &'w Persona, words: &'w Words, random: &mut Random) -> Cow<'w, str> {
    let any = |list: &'w [String], dice: u64| match list.is_empty() {
        true => Cow::Borrowed("X"),
        false => Cow::Borrowed(list[(dice % list.len() as u64) as usize].as_str()),
    };
    match part {
        Part::First => Cow::Borrowed(&who.first),
        Part::Last => Cow::Borrowed(&who.last),
        Part::Company => Cow::Borrowed(&who.company),
        Part::Middle => any(&words.firsts, who.dice >> 7),
        Part::OtherFirst => any(&words.firsts, random.next()),
        Part::OtherLast | Part::Word => any(&words.lasts, random.next()),
        Part::Noun => Cow::Borrowed(NOUNS[random.below(NOUNS.len())]),
    }
}

impl Domains {
    fn write(&self, who: &Persona, words: &Words, random: &mut Random, out: &mut String) {
        let shared = self.shared.last().map_or(0, |domain| domain.1);
        if random.below((shared + self.made).max(1) as usize) < shared as usize {
            out.push_str(picked(&self.shared, random.next()));
            return;
        }
        let unit = random.unit();
        let slug = match who.company.is_empty() {
            true => String::new(),
            false if unit < self.of_company[0] => fold(who.company.split([' ', ',']).next().unwrap_or("")),
            false if unit < self.of_company[0] + self.of_company[1] => fold(&who.company),
            false => String::new(),
        };
        let mut own = Random::at(&[who.dice, 0x646f_6d61]);
        let dice = own.next();
        match slug.is_empty() {
            true => out.push_str(&domain_stem(&words.lasts, &mut own)),
            false => out.push_str(&slug),
        }
        out.push('.');
        let ending = picked(&self.endings, dice);
        out.push_str(if ending.is_empty() { "com" } else { ending });
    }
}

impl Kept for Piece {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Piece::Lit(text) => {
                0u8.put(out);
                text.put(out);
            }
            Piece::Part { part, cut, case, plain } => {
                1u8.put(out);
                (PARTS.iter().position(|p| p == part).unwrap_or(0) as u8).put(out);
                cut.put(out);
                (CASES.iter().position(|c| c == case).unwrap_or(0) as u8).put(out);
                (PLAINS.iter().position(|p| p == plain).unwrap_or(0) as u8).put(out);
            }
            Piece::Digits(places) => {
                2u8.put(out);
                places.put(out);
            }
            Piece::Pick(words) => {
                3u8.put(out);
                words.put(out);
            }
            Piece::Domain => 4u8.put(out),
        }
    }
    fn take(from: &mut &[u8]) -> Option<Piece> {
        Some(match u8::take(from)? {
            0 => Piece::Lit(Kept::take(from)?),
            1 => Piece::Part {
                part: *PARTS.get(u8::take(from)? as usize)?,
                cut: Kept::take(from)?,
                case: *CASES.get(u8::take(from)? as usize)?,
                plain: *PLAINS.get(u8::take(from)? as usize)?,
            },
            2 => Piece::Digits(Kept::take(from)?),
            3 => Piece::Pick(Kept::take(from)?),
            4 => Piece::Domain,
            _ => return None,
        })
    }
}

kept!(struct Form { pieces, rows });

kept!(struct Domains { shared, made, endings, of_company });

kept!(struct Words { firsts, lasts });
