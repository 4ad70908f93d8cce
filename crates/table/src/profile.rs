//! Finds how a column is written. In: every cell of the column, one by one. Out: its kind, its spelling and its quotes.
//! Holds a few numbers a column, never its cells.

use crate::number_profile::{Numbers, bare_digits};
use crate::time_profile::Times;
use crate::{Form, Kind, Spelling};

/// The words for a missing value in a column that is not text. The empty cell is apart from these.
const NULLS: [&str; 14] =
    ["NA", "N/A", "n/a", "NULL", "null", "Null", "None", "none", "NaN", "nan", "-", "\\N", "?", "."];

/// Pairs of words for true and false.
const WORDS: [(&str, &str); 13] = [
    ("true", "false"),
    ("True", "False"),
    ("TRUE", "FALSE"),
    ("yes", "no"),
    ("Yes", "No"),
    ("YES", "NO"),
    ("y", "n"),
    ("Y", "N"),
    ("t", "f"),
    ("T", "F"),
    ("on", "off"),
    ("On", "Off"),
    ("ON", "OFF"),
];

/// How one column is written in its file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Written {
    pub name: String,
    pub kind: Kind,
    pub spelling: Spelling,
    /// Whether present values are in quotes also where they need none; and missing ones.
    pub quoted: bool,
    pub null_quoted: bool,
}

impl Written {
    /// Whether a cell is a missing value. In a column of text a missing value is told from a text by its quotes.
    pub(crate) fn missing(&self, cell: &[u8], quoted: bool) -> bool {
        cell == self.spelling.null.as_bytes() && (self.kind != Kind::Text || quoted == self.null_quoted)
    }
}

/// What the cells of a column seen so far allow.
pub(crate) struct Profile {
    empty_bare: u64,
    empty_quoted: u64,
    /// Present cells in quotes that they do not need, and cells without quotes.
    quoted: u64,
    bare: u64,
    /// Missing values written as a word: which, how often, how often in quotes.
    null: Option<&'static str>,
    null_count: u64,
    null_quoted: u64,
    null_varied: bool,
    /// Unquoted cells that are no null word.
    bare_words: bool,
    typed: bool,
    numbers: Numbers,
    times: Times,
    words: Words,
}

impl Profile {
    pub(crate) fn new() -> Profile {
        Profile {
            empty_bare: 0,
            empty_quoted: 0,
            quoted: 0,
            bare: 0,
            null: None,
            null_count: 0,
            null_quoted: 0,
            null_varied: false,
            bare_words: false,
            typed: true,
            numbers: Numbers::new(),
            times: Times::new(),
            words: Words::default(),
        }
    }

    /// Takes the next cell; `quoted` if it stands in quotes, `needed` if it must.
    pub(crate) fn see(&mut self, cell: &[u8], quoted: bool, needed: bool) {
        if cell.is_empty() {
            *(if quoted { &mut self.empty_quoted } else { &mut self.empty_bare }) += 1;
            return;
        }
        if !quoted {
            self.bare += 1;
        } else if !needed {
            self.quoted += 1;
        }
        if !self.typed {
            if !quoted && !self.bare_words {
                self.see_word(cell, quoted);
            }
            return;
        }
        if bare_digits(cell) {
            self.bare_words |= !quoted;
            self.numbers.see_bare(cell);
            self.words.broken = true;
            if self.times.alive() {
                self.times.see(cell);
            }
        } else if !self.see_word(cell, quoted) {
            self.numbers.see(cell);
            if self.times.alive() {
                self.times.see(cell);
            }
            self.words.see(cell);
            self.typed = self.numbers.alive() || self.times.alive() || !self.words.broken;
        }
    }

    /// Counts a cell that may be a null word; false if it is none.
    fn see_word(&mut self, cell: &[u8], quoted: bool) -> bool {
        const NULL_BYTES_MAX: usize = 4;
        let null = if cell.len() > NULL_BYTES_MAX { None } else { NULLS.iter().find(|null| null.as_bytes() == cell) };
        let Some(null) = null else {
            self.bare_words |= !quoted;
            return false;
        };
        self.null_varied |= self.null.get_or_insert(null) != null;
        self.null_count += 1;
        self.null_quoted += u64::from(quoted);
        true
    }

    /// How the column is written.
    pub(crate) fn written(&self, name: &str) -> Written {
        let quoted = self.quoted > self.bare;
        let null_word = self.null.unwrap_or("");
        let empties = self.empty_bare + self.empty_quoted;
        let one_null = !self.null_varied
            && (self.null.is_none() || empties == 0)
            && (self.empty_bare == 0 || self.empty_quoted == 0);
        let form = if one_null && self.typed { self.form() } else { None };
        if let Some((kind, form)) = form {
            let null_quoted = if self.null.is_none() {
                self.empty_quoted > 0 || empties == 0 && quoted
            } else {
                self.null_quoted * 2 > self.null_count
            };
            let spelling = Spelling { form, null: null_word.into() };
            return Written { name: name.into(), kind, spelling, quoted, null_quoted };
        }
        // In text, quotes are all that tells a missing value from a text: a file that quotes every text and writes NA
        // without quotes means a missing value; so does an empty cell in quotes where everything is.
        let word = quoted && !self.bare_words && !self.null_varied && self.null_count > self.null_quoted && empties == 0;
        let null = if word { null_word } else { "" };
        let null_quoted = !word && quoted && self.empty_bare == 0;
        let spelling = Spelling { form: Form::Plain, null: null.into() };
        Written { name: name.into(), kind: Kind::Text, spelling, quoted, null_quoted }
    }

    fn form(&self) -> Option<(Kind, Form)> {
        if self.times.alive()
            && let Some(pattern) = self.times.form()
        {
            return Some((Kind::Time, Form::Time(pattern)));
        }
        if let Some(number) = self.numbers.form() {
            let kind = if number.whole() { Kind::Int } else { Kind::Real };
            return Some((kind, Form::Number(number)));
        }
        self.words.form().map(|form| (Kind::Bool, form))
    }
}

/// Which pair of words the cells seen so far are of.
#[derive(Default)]
struct Words {
    pair: Option<usize>,
    yes: bool,
    no: bool,
    broken: bool,
}

impl Words {
    fn see(&mut self, cell: &[u8]) {
        if self.broken {
            return;
        }
        let found = WORDS.iter().position(|(yes, no)| yes.as_bytes() == cell || no.as_bytes() == cell);
        match found {
            Some(pair) if *self.pair.get_or_insert(pair) == pair => {
                let yes = WORDS[pair].0.as_bytes() == cell;
                self.yes |= yes;
                self.no |= !yes;
            }
            _ => self.broken = true,
        }
    }

    /// One word alone is no pair.
    fn form(&self) -> Option<Form> {
        let (yes, no) = WORDS[self.pair?];
        (!self.broken && self.yes && self.no).then(|| Form::Words { yes: yes.into(), no: no.into() })
    }
}
