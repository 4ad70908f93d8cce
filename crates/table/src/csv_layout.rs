//! How a CSV file is laid out, and a writer of more of the same. In: tables of the layout's columns. Out: bytes that read
//! back as they were.

use std::io::{self, Write};

use crate::dialect::{Dialect, LineEnd, Need};
use crate::layout::value;
use crate::packing::{Packer, Packing};
use crate::profile::Written;
use crate::{Cell, Form, Table, Values};

/// Bytes that are gathered before they are packed and written.
const BUFFER_BYTES: usize = 128 << 10;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// How a CSV file is written, from its packing to the spelling of each column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CsvLayout {
    pub(crate) packing: Packing,
    pub(crate) byte_order_mark: bool,
    pub(crate) dialect: Dialect,
    /// The header as it stands, without its line end.
    pub(crate) header: Vec<u8>,
    /// The header's line end, which is not always that of the rows.
    pub(crate) header_end: LineEnd,
    pub(crate) columns: Vec<Written>,
    /// Whether the last row has a line end; and the blank lines behind it.
    pub(crate) line_end_last: bool,
    pub(crate) blank_lines: usize,
}

impl CsvLayout {
    /// Starts a file of this layout: writes its header to `out`.
    pub(crate) fn writer<W: Write>(&self, out: W) -> io::Result<CsvWriter<W>> {
        let mut buffer = Vec::with_capacity(BUFFER_BYTES + BUFFER_BYTES / 4);
        if self.byte_order_mark {
            buffer.extend_from_slice(BYTE_ORDER_MARK);
        }
        buffer.extend_from_slice(&self.header);
        buffer.extend_from_slice(self.header_end.bytes());
        let mut out = Packer::new(self.packing, out)?;
        out.write_all(&buffer)?;
        buffer.clear();
        let plain = self.columns.iter().map(|written| self.plain(written)).collect();
        Ok(CsvWriter { layout: self.clone(), out, buffer, plain, rows: false, blank: false })
    }

    fn plain(&self, written: &Written) -> bool {
        let delimiter = self.dialect.delimiter;
        let fine = |text: &str| !text.bytes().any(|byte| Some(byte) == delimiter || byte == self.dialect.quote);
        match &written.spelling.form {
            _ if written.quoted || written.space_led => false,
            Form::Number(number) => number.ornaments().iter().all(|text| fine(text)),
            _ => false,
        }
    }
}

/// Writes tables of one layout, one below the other.
pub(crate) struct CsvWriter<W: Write> {
    layout: CsvLayout,
    out: Packer<W>,
    buffer: Vec<u8>,
    /// Whether a column's numbers are written as they come: without quotes, which none of them needs.
    plain: Vec<bool>,
    /// Whether there are rows so far.
    rows: bool,
    /// Whether the last line is blank so far: a missing value in a file of one column.
    blank: bool,
}

impl<W: Write> CsvWriter<W> {
    /// Writes the rows of a table, which must have the layout's columns.
    pub(crate) fn write(&mut self, table: &Table) -> io::Result<()> {
        let columns: Vec<Values<'_>> = (0..table.columns()).map(|index| table.values(index)).collect();
        let mut scratch = Vec::new();
        for row in 0..table.rows() {
            if self.rows {
                self.buffer.extend_from_slice(self.layout.dialect.line_end.bytes());
            }
            self.rows = true;
            let row_start = self.buffer.len();
            for (index, (values, written)) in columns.iter().zip(&self.layout.columns).enumerate() {
                if index > 0 {
                    self.buffer.extend(self.layout.dialect.delimiter);
                }
                match value(values, row) {
                    cell @ (Cell::Int(_) | Cell::Real(_)) if self.plain[index] => {
                        written.spelling.write(cell, &mut self.buffer);
                    }
                    cell => write_cell(cell, written, &self.layout.dialect, &mut scratch, &mut self.buffer),
                }
            }
            self.blank = self.buffer.len() == row_start;
            if self.buffer.len() >= BUFFER_BYTES {
                self.out.write_all(&self.buffer)?;
                self.buffer.clear();
            }
        }
        Ok(())
    }

    /// Ends the file and gives back what it was written to.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        // Without its line end a blank last line would be no line.
        let line_end_last = self.rows && self.layout.line_end_last || self.blank;
        let line_ends = usize::from(line_end_last) + self.layout.blank_lines;
        for _ in 0..line_ends {
            self.buffer.extend_from_slice(self.layout.dialect.line_end.bytes());
        }
        self.out.write_all(&self.buffer)?;
        self.out.finish()
    }
}

fn write_cell(cell: Cell<'_>, written: &Written, dialect: &Dialect, scratch: &mut Vec<u8>, out: &mut Vec<u8>) {
    let start = out.len();
    if written.space_led {
        out.push(b' ');
    }
    written.spelling.write(cell, out);
    let quoted = match cell {
        Cell::Null => written.null_quoted,
        // Quotes tell a text from a missing value that is written the same.
        Cell::Text(text) => written.quoted || !written.null_quoted && text == written.spelling.null,
        _ => written.quoted,
    };
    let need = if quoted { Need::Must } else { dialect.need(&out[start..]) };
    if need == Need::Must || need == Need::May && !written.quotes_inside {
        scratch.clear();
        scratch.extend_from_slice(&out[start..]);
        out.truncate(start);
        dialect.write_quoted(scratch, out);
    }
}
