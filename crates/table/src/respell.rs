//! Gives a column that was read apart the kind and spelling of another, so that values given in a small file fit a table
//! that was read from a large one. In: a column, a kind and a spelling. Out: the column in that kind, or the first cell that
//! has no such value. Never rounds, never guesses.

use std::collections::HashMap;

use crate::layout::value;
use crate::{Cell, Column, Kind, Spelling, Table};

/// The largest whole number up to which doubles carry all.
const EXACT: u64 = 1 << f64::MANTISSA_DIGITS;

/// A cell that has no value of the kind asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadCell {
    /// The row, counted from 0.
    pub row: usize,
    /// The cell as its file wrote it.
    pub text: String,
}

impl std::fmt::Display for BadCell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "row {} holds `{}`", self.row + 1, self.text)
    }
}

impl std::error::Error for BadCell {}

/// Column `column` of `table` in another column's kind and spelling; its name stays.
///
/// A cell keeps its value if that is of the kind, or is a whole number where reals are asked for, or a real without
/// fraction where whole numbers are. Any other cell is read anew, from the text that its own file has for it, by the new
/// spelling. Missing values stay missing.
pub fn respell(table: &Table, column: usize, kind: Kind, spelling: &Spelling) -> Result<Column, BadCell> {
    let (values, written) = (table.values(column), table.spelling(column));
    let mut respelt = Respelt::new(kind, table.rows());
    let (mut text, mut anew) = (Vec::new(), Vec::new());
    for row in 0..table.rows() {
        let cell = value(&values, row);
        if respelt.push(cell) {
            continue;
        }
        text.clear();
        written.write(cell, &mut text);
        let text = String::from_utf8_lossy(&text);
        let read = spelling.read(kind, &text).filter(|&cell| {
            // More digits than a double carries are read as a neighbour, which would be written otherwise.
            anew.clear();
            spelling.write(cell, &mut anew);
            anew == text.as_bytes()
        });
        if !read.is_some_and(|cell| respelt.push(cell)) {
            return Err(BadCell { row, text: text.into_owned() });
        }
    }
    Ok(respelt.finish(table.name(column), spelling.clone()))
}

/// The values so far.
enum Respelt {
    Ints(Vec<Option<i64>>),
    Reals(Vec<Option<f64>>),
    Bools(Vec<Option<bool>>),
    Times(Vec<Option<i64>>),
    Texts { codes: Vec<Option<i32>>, code_of: HashMap<String, i32>, words: Vec<String> },
}

impl Respelt {
    fn new(kind: Kind, rows: usize) -> Respelt {
        match kind {
            Kind::Int => Respelt::Ints(Vec::with_capacity(rows)),
            Kind::Real => Respelt::Reals(Vec::with_capacity(rows)),
            Kind::Bool => Respelt::Bools(Vec::with_capacity(rows)),
            Kind::Time => Respelt::Times(Vec::with_capacity(rows)),
            Kind::Text => {
                Respelt::Texts { codes: Vec::with_capacity(rows), code_of: HashMap::new(), words: Vec::new() }
            }
        }
    }

    /// Takes the next value; `false` if it is not of the kind.
    fn push(&mut self, cell: Cell<'_>) -> bool {
        match (self, cell) {
            (Respelt::Ints(values), Cell::Int(value)) => values.push(Some(value)),
            (Respelt::Ints(values), Cell::Real(value)) if value.fract() == 0.0 && value.abs() <= EXACT as f64 => {
                values.push(Some(value as i64));
            }
            (Respelt::Reals(values), Cell::Real(value)) => values.push(Some(value)),
            (Respelt::Reals(values), Cell::Int(value)) if value.unsigned_abs() <= EXACT => {
                values.push(Some(value as f64));
            }
            (Respelt::Bools(values), Cell::Bool(value)) => values.push(Some(value)),
            (Respelt::Times(values), Cell::Time(value)) => values.push(Some(value)),
            (Respelt::Texts { codes, code_of, words }, Cell::Text(text)) => {
                let code = code_of.get(text).copied().unwrap_or_else(|| {
                    let code = words.len() as i32;
                    words.push(text.to_string());
                    code_of.insert(text.to_string(), code);
                    code
                });
                codes.push(Some(code));
            }
            (Respelt::Ints(values) | Respelt::Times(values), Cell::Null) => values.push(None),
            (Respelt::Reals(values), Cell::Null) => values.push(None),
            (Respelt::Bools(values), Cell::Null) => values.push(None),
            (Respelt::Texts { codes, .. }, Cell::Null) => codes.push(None),
            _ => return false,
        }
        true
    }

    fn finish(self, name: &str, spelling: Spelling) -> Column {
        match self {
            Respelt::Ints(values) => Column::ints(name, values, spelling),
            Respelt::Reals(values) => Column::reals(name, values, spelling),
            Respelt::Bools(values) => Column::bools(name, values, spelling),
            Respelt::Times(values) => Column::times(name, values, spelling),
            Respelt::Texts { codes, words, .. } => Column::texts(name, codes, words, spelling),
        }
    }
}
