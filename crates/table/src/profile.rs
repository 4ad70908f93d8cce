//! Finds how a column is written. In: every cell of the column, one by one. Out: its kind, its spelling and its quotes.
//! Holds a few numbers a column, never its cells.

use crate::dialect::Need;
use crate::number_profile::{Numbers, bare_digits};
use crate::time_profile::Times;
use crate::{Form, Kind, Spelling};

/// The words for a missing value in a column that is not text. The empty cell is apart from these.
const NULLS: [&str; 17] = [
    "NA", "N/A", "n/a", "NULL", "null", "Null", "None", "none", "NaN", "nan", "NaT", "<NA>", "#N/A", "-", "\\N", "?",
    ".",
];

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
    /// Whether a cell with a quote inside stands without quotes around it.
    pub quotes_inside: bool,
    /// Whether every cell begins with a space that is not part of the value.
    pub space_led: bool,
}

impl Written {
    /// A cell without the space that every cell of the column begins with.
    pub(crate) fn trim<'a>(&self, cell: &'a [u8]) -> Option<&'a [u8]> {
        if self.space_led { cell.strip_prefix(b" ") } else { Some(cell) }
    }

    /// Whether a trimmed cell is a missing value. In a column of text a missing value is told from a text by its quotes.
    pub(crate) fn missing(&self, cell: &[u8], quoted: bool) -> bool {
        cell == self.spelling.null.as_bytes() && (self.kind != Kind::Text || quoted == self.null_quoted)
    }
}

/// What the cells of a column seen so far allow.
pub(crate) struct Profile {
    cells: u64,
    space_led: u64,
    empty_bare: u64,
    empty_quoted: u64,
    /// Present cells in quotes that they do not need, and cells without quotes.
    quoted: u64,
    bare: u64,
    /// Cells that are quoted for nothing but a quote inside, and cells that are not.
    quote_quoted: u64,
    quote_bare: u64,
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
            cells: 0,
            space_led: 0,
            quote_quoted: 0,
            quote_bare: 0,
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

    /// Takes the next cell; `quoted` if it stands in quotes, which it `need`s or not.
    pub(crate) fn see(&mut self, cell: &[u8], quoted: bool, need: Need) {
        self.cells += 1;
        let cell = match cell {
            [b' ', rest @ ..] => {
                self.space_led += 1;
                rest
            }
            _ => cell,
        };
        if cell.is_empty() {
            *(if quoted { &mut self.empty_quoted } else { &mut self.empty_bare }) += 1;
            return;
        }
        let null = if self.typed || !self.bare_words { null_word(cell) } else { None };
        if let Some(null) = null {
            self.null_varied |= *self.null.get_or_insert(null) != null;
            self.null_count += 1;
            self.null_quoted += u64::from(quoted);
            return;
        }
        match (need, quoted) {
            (Need::None, true) => self.quoted += 1,
            (Need::May, true) => self.quote_quoted += 1,
            (Need::Must, true) => {}
            (need, false) => {
                self.bare += 1;
                self.bare_words = true;
                self.quote_bare += u64::from(need == Need::May);
            }
        }
        if self.typed {
            self.see_typed(cell);
        }
    }

    /// Whether any cell but missing ones stood in quotes.
    pub(crate) fn quoted(&self) -> bool {
        self.quoted + self.quote_quoted > 0
    }

    fn see_typed(&mut self, cell: &[u8]) {
        if self.space_led > 0 && self.space_led < self.cells {
            self.typed = false;
            return;
        }
        if bare_digits(cell) {
            self.numbers.see_bare(cell);
            self.words.broken = true;
        } else {
            self.numbers.see(cell);
            self.words.see(cell);
        }
        if self.times.alive() {
            self.times.see(cell);
        }
        self.typed = self.numbers.alive() || self.times.alive() || !self.words.broken;
    }

    /// How the column is written.
    pub(crate) fn written(&self, name: &str) -> Written {
        let empties = self.empty_bare + self.empty_quoted;
        let space_led = self.space_led > 0 && self.space_led == self.cells;
        let one_null = !self.null_varied
            && (self.null.is_none() || empties == 0)
            && (self.empty_bare == 0 || self.empty_quoted == 0);
        let typed = self.typed && one_null && (space_led || self.space_led == 0);
        let quotes_inside = self.quote_bare > self.quote_quoted;
        let quoted = self.quoted > self.bare;
        if let Some((kind, form)) = if typed { self.form() } else { None } {
            let null_quoted = match self.null {
                None => self.empty_quoted > 0 || empties == 0 && quoted,
                Some(_) => self.null_quoted * 2 > self.null_count,
            };
            let spelling = Spelling { form, null: self.null.unwrap_or_default().into() };
            return Written { name: name.into(), kind, spelling, quoted, null_quoted, quotes_inside, space_led };
        }
        // In text, quotes are all that tells a missing value from a text: a file that quotes every text and writes NA
        // without quotes means a missing value; so does an empty cell in quotes where everything is.
        let null_bare = self.null_count - self.null_quoted;
        let null =
            self.null.filter(|_| quoted && !self.bare_words && !self.null_varied && null_bare > 0 && empties == 0);
        let quoted = null.is_some() || self.quoted + self.null_quoted > self.bare + null_bare;
        let null_quoted = null.is_none() && quoted && self.empty_bare == 0;
        let spelling = Spelling { form: Form::Plain, null: null.unwrap_or_default().into() };
        // Some cells led by a space and others not: then the space is part of the text.
        Written { name: name.into(), kind: Kind::Text, spelling, quoted, null_quoted, quotes_inside, space_led }
    }

    /// How a column is written whose texts and missing values are told apart without quotes; all its cells were taken as
    /// quoted. Then an empty text is one, unless the column is none of text; and so is a word for a missing value.
    pub(crate) fn written_apart(&mut self, name: &str, nulls: bool) -> Written {
        if nulls {
            self.see(b"", false, Need::None);
        }
        let mut written = Written { quoted: true, quotes_inside: false, ..self.written(name) };
        if written.kind == Kind::Text || written.space_led {
            written.kind = Kind::Text;
            written.spelling = Spelling::plain();
            written.space_led = false;
            written.null_quoted = false;
        }
        if written.spelling.null.is_empty() && self.empty_quoted == 0 {
            written.null_quoted = false;
        }
        written
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

fn null_word(cell: &[u8]) -> Option<&'static str> {
    const BYTES_MAX: usize = 4;
    if cell.len() > BYTES_MAX || cell[0].is_ascii_digit() {
        return None;
    }
    NULLS.iter().find(|null| null.as_bytes() == cell).copied()
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
