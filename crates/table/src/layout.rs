//! How a file is laid out, and a writer of more of the same. In: tables of the layout's columns. Out: bytes that read back
//! as they were. What a format asks for is in its own modules.

use std::fs::File;
use std::io::{self, Write};

use arrow_array::Array;
use arrow_array::cast::AsArray;

use crate::csv_layout::{CsvLayout, CsvWriter};
use crate::json_layout::{JsonLayout, JsonWriter};
use crate::packing::Packing;
use crate::parquet_layout::{ParquetLayout, ParquetWriter};
use crate::{Cell, Kind, ReadOptions, Table, Unreadable, Values};

/// How a file is written, from its packing to the spelling of each column: enough to write another of the same kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    pub(crate) format: Format,
}

/// The layout of each format.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Format {
    Csv(CsvLayout),
    Json(JsonLayout),
    Parquet(ParquetLayout),
}

impl Layout {
    /// Starts a file of this layout: writes what stands before the first row to `out`.
    pub fn writer<W: Write + Send>(&self, out: W) -> io::Result<Writer<W>> {
        Ok(Writer {
            kinds: self.kinds(),
            of: match &self.format {
                Format::Csv(layout) => Of::Csv(layout.writer(out)?),
                Format::Json(layout) => Of::Json(layout.writer(out)?),
                Format::Parquet(layout) => Of::Parquet(Box::new(layout.writer(out)?)),
            },
        })
    }

    /// The same layout for a file of this name: packed as its extension says, whatever the source's packing was. Parquet
    /// packs within itself and stays as it is.
    pub fn packed_for(mut self, name: &str) -> Layout {
        match &mut self.format {
            Format::Csv(layout) => layout.packing = Packing::named(name),
            Format::Json(layout) => layout.packing = Packing::named(name),
            Format::Parquet(_) => {}
        }
        self
    }

    /// Reads a file that was written by [`Layout::writer`]: by this very layout, so that the kinds and spellings are the
    /// source's. A row that is not written so is malformed, and any malformed row fails.
    pub fn read_back(&self, file: &File, options: &ReadOptions) -> Result<Table, Unreadable> {
        crate::read::read_back(self, file, options)
    }

    fn kinds(&self) -> Vec<Kind> {
        match &self.format {
            Format::Csv(layout) => layout.columns.iter().map(|written| written.kind).collect(),
            Format::Json(layout) => layout.columns.iter().map(|column| column.written.kind).collect(),
            Format::Parquet(layout) => layout.columns.iter().map(|column| column.kind).collect(),
        }
    }
}

/// Writes tables of one layout, one below the other.
pub struct Writer<W: Write + Send> {
    kinds: Vec<Kind>,
    of: Of<W>,
}

enum Of<W: Write + Send> {
    Csv(CsvWriter<W>),
    Json(JsonWriter<W>),
    Parquet(Box<ParquetWriter<W>>),
}

impl<W: Write + Send> Writer<W> {
    /// Writes the rows of a table, which must have the layout's columns.
    pub fn write(&mut self, table: &Table) -> io::Result<()> {
        let same = table.columns() == self.kinds.len()
            && self.kinds.iter().enumerate().all(|(index, &kind)| table.kind(index) == kind);
        if !same {
            let message = "the table's columns are not those of the layout";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        match &mut self.of {
            Of::Csv(writer) => writer.write(table),
            Of::Json(writer) => writer.write(table),
            Of::Parquet(writer) => writer.write(table),
        }
    }

    /// Ends the file and gives back what it was written to.
    pub fn finish(self) -> io::Result<W> {
        match self.of {
            Of::Csv(writer) => writer.finish(),
            Of::Json(writer) => writer.finish(),
            Of::Parquet(writer) => writer.finish(),
        }
    }
}

/// The value of one row.
pub(crate) fn value<'a>(values: &Values<'a>, row: usize) -> Cell<'a> {
    match values {
        Values::Int(values) if values.is_valid(row) => Cell::Int(values.value(row)),
        Values::Real(values) if values.is_valid(row) => Cell::Real(values.value(row)),
        Values::Bool(values) if values.is_valid(row) => Cell::Bool(values.value(row)),
        Values::Time(values) if values.is_valid(row) => Cell::Time(values.value(row)),
        Values::Text(values) => match values.key(row) {
            Some(key) => Cell::Text(values.values().as_string::<i32>().value(key)),
            None => Cell::Null,
        },
        _ => Cell::Null,
    }
}
