//! Records as clients read them, whatever the format of their source: CSV with commas in gzip. In: rows about to be drawn.
//! Out: a file. Cells are spelled as their source spells them, so that they read alike.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use arrow_array::StringArray;
use flate2::write::GzEncoder;
use table::{Cell, Table, Values};
use workflow::{Attempt, Failure};

use super::leave::packer;
use crate::drawing::Drawing;
use crate::synthesis::{WriteError, each_chunk, unwritable};

/// Draws all rows into `path`.
pub(crate) fn write_csv(
    drawing: &Drawing<'_>,
    header: &Table,
    path: &Path,
    attempt: &Attempt<'_>,
) -> Result<(), Failure> {
    let out = File::create(path).map_err(|error| unwritable(path, error))?;
    let mut out: GzEncoder<BufWriter<File>> = packer(BufWriter::new(out));
    let mut buffer = Vec::new();
    let names = (0..header.columns()).map(|at| header.name(at).as_bytes());
    for (at, name) in names.enumerate() {
        separate(at, &mut buffer);
        quoted(name, name.is_empty(), &mut buffer);
    }
    buffer.push(b'\n');
    let mut take = |rows: &Table| -> io::Result<()> {
        write_rows(rows, &mut buffer);
        out.write_all(&buffer)?;
        buffer.clear();
        Ok(())
    };
    let mut all = || -> Result<(), WriteError> {
        take(&header.head(0))?;
        each_chunk(drawing, attempt, &mut take)
    };
    all().map_err(|error| error.failure(path))?;
    let done = || out.finish()?.into_inner().map_err(io::IntoInnerError::into_error);
    done().map(drop).map_err(|error| unwritable(path, error))
}

fn separate(at: usize, out: &mut Vec<u8>) {
    if at > 0 {
        out.push(b',');
    }
}

fn write_rows(rows: &Table, out: &mut Vec<u8>) {
    let columns: Vec<Values<'_>> = (0..rows.columns()).map(|at| rows.values(at)).collect();
    // A line without anything on it would be passed over by readers.
    let alone = columns.len() == 1;
    let mut text = Vec::new();
    for row in 0..rows.rows() {
        for (at, values) in columns.iter().enumerate() {
            separate(at, out);
            let spelling = rows.spelling(at);
            let cell = if rows.missing(at, row) { Cell::Null } else { cell(values, row) };
            text.clear();
            spelling.write(cell, &mut text);
            // Quotes tell a text from a missing value that is written the same.
            let must = match cell {
                Cell::Null => alone && text.is_empty(),
                Cell::Text(text) => text == spelling.null,
                _ => false,
            };
            quoted(&text, must, out);
        }
        out.push(b'\n');
    }
}

/// The value of a row that has one.
fn cell<'a>(values: &Values<'a>, row: usize) -> Cell<'a> {
    match values {
        Values::Int(values) => Cell::Int(values.value(row)),
        Values::Real(values) => Cell::Real(values.value(row)),
        Values::Bool(values) => Cell::Bool(values.value(row)),
        Values::Time(values) => Cell::Time(values.value(row)),
        Values::Text(values) => {
            let words = values.values().as_any().downcast_ref::<StringArray>().expect("text columns hold strings");
            values.key(row).map_or(Cell::Null, |key| Cell::Text(words.value(key)))
        }
    }
}

/// A field, in quotes where it must be or where it could not be read otherwise.
fn quoted(text: &[u8], must: bool, out: &mut Vec<u8>) {
    if !must && !text.iter().any(|byte| b",\"\r\n".contains(byte)) {
        return out.extend_from_slice(text);
    }
    out.push(b'"');
    for &byte in text {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}
