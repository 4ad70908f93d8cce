//! What can be wrong with a file: with one row, which is set aside, or with all of it. Only words, no reading.

use std::io;

/// What is wrong with one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// The row has another number of fields than the header.
    Fields {
        /// Its fields.
        found: usize,
        /// The header's fields.
        expected: usize,
    },
    /// The line is blank in a file of several columns.
    Blank,
    /// A quote is opened and never closed.
    QuoteOpen,
    /// A closing quote is followed by more text.
    TextAfterQuote,
    /// The row is longer than 16 MiB.
    TooLong,
    /// The row is not JSON.
    NotJson {
        /// What is wrong with it.
        what: &'static str,
    },
    /// The row is JSON but no object.
    NotObject,
    /// An object has the same key twice.
    KeyTwice {
        /// The key.
        key: String,
    },
    /// The row adds a key to those of more columns than a table may have.
    Keys {
        /// The columns it may have.
        keys_max: usize,
    },
    /// An object has a key that the layout does not know (only when a known layout is read back).
    KeyUnknown {
        /// The key.
        key: String,
    },
    /// A cell is not written the way its column is (only when a known layout is read back).
    Cell {
        /// The column's name.
        column: String,
    },
}

impl std::fmt::Display for Flaw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Flaw::Fields { found: 1, expected } => write!(f, "1 field where the header has {expected}"),
            Flaw::Fields { found, expected } => write!(f, "{found} fields where the header has {expected}"),
            Flaw::Blank => write!(f, "a blank line"),
            Flaw::QuoteOpen => write!(f, "a quote that is never closed"),
            Flaw::TextAfterQuote => write!(f, "text after a closing quote"),
            Flaw::TooLong => write!(f, "a row longer than 16 MiB"),
            Flaw::NotJson { what } => write!(f, "text that is not JSON: {what}"),
            Flaw::NotObject => write!(f, "a value that is not an object"),
            Flaw::KeyTwice { key } => write!(f, "an object with the key `{key}` twice"),
            Flaw::Keys { keys_max } => write!(f, "more than {keys_max} different keys"),
            Flaw::KeyUnknown { key } => write!(f, "the key `{key}`, which the others do not have"),
            Flaw::Cell { column } => write!(f, "a cell of column `{column}` that is not written like the others"),
        }
    }
}

/// One malformed row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aside {
    /// The line it begins on; the header's line is 1.
    pub line: u64,
    /// What is wrong with it.
    pub flaw: Flaw,
}

/// The malformed rows of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetAside {
    /// How many there are.
    pub rows: u64,
    /// The first of them, at most [`SetAside::FIRST_MAX`].
    pub first: Vec<Aside>,
}

impl SetAside {
    /// How many malformed rows are told one by one.
    pub const FIRST_MAX: usize = 3;

    pub(crate) fn add(&mut self, line: u64, flaw: Flaw) {
        self.rows += 1;
        if self.first.len() < SetAside::FIRST_MAX {
            self.first.push(Aside { line, flaw });
        }
    }
}

impl std::fmt::Display for SetAside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} malformed {}", self.rows, if self.rows == 1 { "row" } else { "rows" })?;
        for (index, aside) in self.first.iter().enumerate() {
            write!(f, "{} line {}: {}", if index == 0 { ";" } else { "," }, aside.line, aside.flaw)?;
        }
        Ok(())
    }
}

/// Why a file cannot be read as a table.
#[derive(Debug)]
pub enum Unreadable {
    /// The file is of a type that is not read.
    UnsupportedType {
        /// What it is, such as `a PNG image`.
        found: String,
    },
    /// The file has no data rows.
    NoRecords,
    /// More rows are malformed than not.
    Malformed {
        /// The malformed rows.
        set_aside: SetAside,
        /// The sound rows.
        rows: u64,
    },
    /// Column names occur more than once.
    DuplicateHeader {
        /// These names, each once.
        names: Vec<String>,
    },
    /// The header cannot be split into names.
    Header {
        /// What is wrong with it.
        flaw: Flaw,
    },
    /// The header read back is not the layout's.
    OtherHeader,
    /// The bytes are not UTF-8.
    NotText {
        /// The line of the first byte that is not.
        line: u64,
    },
    /// The packing is damaged.
    Damaged {
        /// Its name: `gzip` or `zstd`.
        packing: &'static str,
        /// What the unpacker says.
        cause: io::Error,
    },
    /// The file is a Parquet file whose pages or footer are damaged.
    DamagedParquet {
        /// What the decoder says.
        cause: String,
    },
    /// The file could not be read.
    Io(io::Error),
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Unreadable::UnsupportedType { found } => {
                write!(
                    f,
                    "the file is {found}, which is not read; these are: csv, tsv, jsonl and json, each as it is or packed \
                     with gz or zst, and parquet"
                )
            }
            Unreadable::NoRecords => write!(f, "the file has no data rows"),
            Unreadable::Malformed { set_aside, rows } => {
                write!(f, "{set_aside}; only {rows} of {} rows are sound", rows + set_aside.rows)
            }
            Unreadable::DuplicateHeader { names } => {
                let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
                write!(f, "the header names {} more than once", names.join(", "))
            }
            Unreadable::Header { flaw: Flaw::Blank } => write!(f, "the header is a blank line"),
            Unreadable::Header { flaw } => write!(f, "the header has {flaw}"),
            Unreadable::OtherHeader => write!(f, "the header is not the one of the layout"),
            Unreadable::NotText { line } => write!(f, "line {line} is not UTF-8 text"),
            Unreadable::Damaged { packing, cause } => write!(f, "the {packing} packing is damaged: {cause}"),
            Unreadable::DamagedParquet { cause } => write!(f, "the Parquet file is damaged: {cause}"),
            Unreadable::Io(error) => write!(f, "the file could not be read: {error}"),
        }
    }
}

impl std::error::Error for Unreadable {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Unreadable::Damaged { cause, .. } | Unreadable::Io(cause) => Some(cause),
            _ => None,
        }
    }
}
