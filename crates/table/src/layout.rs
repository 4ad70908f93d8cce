//! How a file is laid out, and a writer of more of the same. In: tables of the layout's columns. Out: bytes that read back
//! as they were.

use std::fs::File;
use std::io::{self, Write};

use arrow_array::Array;

use crate::dialect::Dialect;
use crate::packing::{Packer, Packing};
use crate::profile::Written;
use crate::{Cell, Kind, ReadOptions, Table, Unreadable, Values};

/// Bytes that are gathered before they are packed and written.
const BUFFER_BYTES: usize = 128 << 10;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// How a file is written, from its packing to the spelling of each column: enough to write another of the same kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    pub(crate) packing: Packing,
    pub(crate) byte_order_mark: bool,
    pub(crate) dialect: Dialect,
    /// The header as it stands, without its line end.
    pub(crate) header: Vec<u8>,
    pub(crate) columns: Vec<Written>,
    /// Whether the last row has a line end; and the blank lines behind it.
    pub(crate) line_end_last: bool,
    pub(crate) blank_lines: usize,
}

impl Layout {
    /// Starts a file of this layout: writes its header to `out`.
    pub fn writer<W: Write>(&self, out: W) -> io::Result<Writer<W>> {
        let mut buffer = Vec::with_capacity(BUFFER_BYTES + BUFFER_BYTES / 4);
        if self.byte_order_mark {
            buffer.extend_from_slice(BYTE_ORDER_MARK);
        }
        buffer.extend_from_slice(&self.header);
        let mut out = Packer::new(self.packing, out)?;
        out.write_all(&buffer)?;
        buffer.clear();
        Ok(Writer { layout: self.clone(), out, buffer })
    }

    /// Reads a file that was written by [`Layout::writer`]: by this very layout, so that the kinds and spellings are the
    /// source's. A row that is not written so is malformed, and any malformed row fails.
    pub fn read_back(&self, file: &File, options: &ReadOptions) -> Result<Table, Unreadable> {
        crate::read::read_back(self, file, options)
    }
}

/// Writes tables of one layout, one below the other.
pub struct Writer<W: Write> {
    layout: Layout,
    out: Packer<W>,
    buffer: Vec<u8>,
}

impl<W: Write> Writer<W> {
    /// Writes the rows of a table, which must have the layout's columns.
    pub fn write(&mut self, table: &Table) -> io::Result<()> {
        self.check(table)?;
        let columns: Vec<Values<'_>> = (0..table.columns()).map(|index| table.values(index)).collect();
        let mut scratch = Vec::new();
        for row in 0..table.rows() {
            self.buffer.extend_from_slice(self.layout.dialect.line_end.bytes());
            let row_start = self.buffer.len();
            for (index, (values, written)) in columns.iter().zip(&self.layout.columns).enumerate() {
                if index > 0 {
                    self.buffer.extend(self.layout.dialect.delimiter);
                }
                write_cell(value(values, row), written, &self.layout.dialect, &mut scratch, &mut self.buffer);
            }
            // An empty line would be no row for most readers; but a source that has such rows keeps them.
            debug_assert!(columns.len() == 1 || self.buffer.len() > row_start);
            if self.buffer.len() >= BUFFER_BYTES {
                self.out.write_all(&self.buffer)?;
                self.buffer.clear();
            }
        }
        Ok(())
    }

    /// Ends the file and gives back what it was written to.
    pub fn finish(mut self) -> io::Result<W> {
        let line_ends = usize::from(self.layout.line_end_last) + self.layout.blank_lines;
        for _ in 0..line_ends {
            self.buffer.extend_from_slice(self.layout.dialect.line_end.bytes());
        }
        self.out.write_all(&self.buffer)?;
        self.out.finish()
    }

    fn check(&self, table: &Table) -> io::Result<()> {
        let columns = &self.layout.columns;
        let same = table.columns() == columns.len()
            && columns.iter().enumerate().all(|(index, written)| table.kind(index) == written.kind);
        if same {
            return Ok(());
        }
        let message = "the table's columns are not those of the layout";
        Err(io::Error::new(io::ErrorKind::InvalidInput, message))
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
            Some(key) => Cell::Text(words(values).value(key)),
            None => Cell::Null,
        },
        _ => Cell::Null,
    }
}

fn words<'a>(values: &'a arrow_array::DictionaryArray<arrow_array::types::Int32Type>) -> &'a arrow_array::StringArray {
    use arrow_array::cast::AsArray;
    values.values().as_string::<i32>()
}

fn write_cell(cell: Cell<'_>, written: &Written, dialect: &Dialect, scratch: &mut Vec<u8>, out: &mut Vec<u8>) {
    let quoted = match cell {
        Cell::Null => written.null_quoted,
        Cell::Text(text) => {
            // Quotes tell a text from a missing value that is written the same.
            let like_null = !written.null_quoted && text == written.spelling.null;
            if written.quoted || like_null || dialect.needs_quotes(text.as_bytes()) {
                dialect.write_quoted(text.as_bytes(), out);
            } else {
                out.extend_from_slice(text.as_bytes());
            }
            return;
        }
        _ => written.quoted,
    };
    scratch.clear();
    let start = out.len();
    written.spelling.write(cell, out);
    // A number may hold the delimiter as its decimal comma or thousands mark.
    if quoted || written.kind != Kind::Text && dialect.needs_quotes(&out[start..]) {
        scratch.extend_from_slice(&out[start..]);
        out.truncate(start);
        dialect.write_quoted(scratch, out);
    }
}
