//! How a file of JSON records is laid out, and a writer of more of the same. In: tables of the layout's columns. Out: bytes
//! that read back as they were.

use std::io::{self, Write};

use crate::dialect::LineEnd;
use crate::json_columns::JsonColumn;
use crate::json_elements::Gaps;
use crate::json_style::Style;
use crate::json_tree::{Missing, Tree};
use crate::layout::value;
use crate::packing::{Packer, Packing};
use crate::{Cell, Kind, Table, Values};

/// Bytes that are gathered before they are packed and written.
const BUFFER_BYTES: usize = 128 << 10;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// How a file of JSON records is written, from its packing to the spelling of each column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct JsonLayout {
    pub packing: Packing,
    pub byte_order_mark: bool,
    pub frame: Frame,
    pub style: Style,
    pub tree: Tree,
    pub columns: Vec<JsonColumn>,
}

/// What stands around the records.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Frame {
    /// One record a line. Whether the last has a line end; and the blank lines behind it.
    Lines { line_end: LineEnd, line_end_last: bool, blank_lines: usize },
    /// All records in one array.
    Array(Gaps),
}

impl JsonLayout {
    /// Starts a file of this layout.
    pub(crate) fn writer<W: Write>(&self, out: W) -> io::Result<JsonWriter<W>> {
        let mut buffer = Vec::with_capacity(BUFFER_BYTES + BUFFER_BYTES / 4);
        if self.byte_order_mark {
            buffer.extend_from_slice(BYTE_ORDER_MARK);
        }
        let between = match &self.frame {
            Frame::Lines { line_end, .. } => line_end.bytes().to_vec(),
            Frame::Array(gaps) => {
                buffer.push(b'[');
                let lines = gaps.open.contains(&b'\n');
                let space = if self.style.comma { &b" "[..] } else { b"" };
                let alone = (Vec::new(), if lines { gaps.open.clone() } else { space.to_vec() });
                let (before, behind) = gaps.comma.clone().unwrap_or(alone);
                [before, b",".to_vec(), behind].concat()
            }
        };
        let keys = self.tree.nodes.iter().map(|node| {
            let mut key = Vec::new();
            self.style.string(&node.key, &mut key);
            self.style.colon(&mut key);
            key
        });
        let (keys, out) = (keys.collect(), Packer::new(self.packing, out)?);
        Ok(JsonWriter { layout: self.clone(), out, buffer, keys, between, rows: false })
    }
}

/// Writes tables of one layout, one below the other.
pub(crate) struct JsonWriter<W: Write> {
    layout: JsonLayout,
    out: Packer<W>,
    buffer: Vec<u8>,
    /// The key of each node as it is written, with its colon.
    keys: Vec<Vec<u8>>,
    /// What stands between two records.
    between: Vec<u8>,
    /// Whether there are rows so far.
    rows: bool,
}

impl<W: Write> JsonWriter<W> {
    /// Writes the rows of a table, which must have the layout's columns.
    pub(crate) fn write(&mut self, table: &Table) -> io::Result<()> {
        let columns: Vec<Values<'_>> = (0..table.columns()).map(|index| table.values(index)).collect();
        let (mut cells, mut scratch) = (Vec::with_capacity(columns.len()), Vec::new());
        for row in 0..table.rows() {
            if self.rows {
                self.buffer.extend_from_slice(&self.between);
            } else if let Frame::Array(gaps) = &self.layout.frame {
                self.buffer.extend_from_slice(&gaps.open);
            }
            self.rows = true;
            cells.clear();
            cells.extend(columns.iter().map(|values| value(values, row)));
            let mut record = Record { layout: &self.layout, keys: &self.keys, cells: &cells, scratch: &mut scratch };
            record.object(0, 1, &mut self.buffer);
            if self.buffer.len() >= BUFFER_BYTES {
                self.out.write_all(&self.buffer)?;
                self.buffer.clear();
            }
        }
        Ok(())
    }

    /// Ends the file and gives back what it was written to.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        match &self.layout.frame {
            Frame::Lines { line_end, line_end_last, blank_lines } => {
                let line_ends = usize::from(self.rows && *line_end_last) + blank_lines;
                for _ in 0..line_ends {
                    self.buffer.extend_from_slice(line_end.bytes());
                }
            }
            Frame::Array(gaps) => {
                self.buffer.extend_from_slice(&gaps.close);
                self.buffer.push(b']');
                self.buffer.extend_from_slice(&gaps.tail);
            }
        }
        self.out.write_all(&self.buffer)?;
        self.out.finish()
    }
}

/// A row on its way.
struct Record<'a> {
    layout: &'a JsonLayout,
    keys: &'a [Vec<u8>],
    cells: &'a [Cell<'a>],
    scratch: &'a mut Vec<u8>,
}

impl Record<'_> {
    /// Appends the object of a node, whose values are `level` deep.
    fn object(&mut self, node: usize, level: usize, out: &mut Vec<u8>) {
        let layout = self.layout;
        let mut first = true;
        for &child in &layout.tree.nodes[node].children {
            let inner = &layout.tree.nodes[child];
            let missing = match inner.column {
                Some(column) if self.cells[column] != Cell::Null => None,
                Some(column) if layout.columns[column].absent => Some(Missing::Absent),
                None if self.hollow(child) => Some(inner.missing),
                _ => None,
            };
            if missing == Some(Missing::Absent) {
                continue;
            }
            if first {
                layout.style.open(b'{', level, out);
            } else {
                layout.style.comma(level, out);
            }
            first = false;
            out.extend_from_slice(&self.keys[child]);
            match inner.column {
                Some(column) => self.value(column, level + 1, out),
                None if missing == Some(Missing::Null) => out.extend_from_slice(b"null"),
                None => self.object(child, level + 1, out),
            }
        }
        if first {
            out.extend_from_slice(b"{}");
        } else {
            layout.style.close(b'}', level, out);
        }
    }

    /// Whether all values below a node are missing.
    fn hollow(&self, node: usize) -> bool {
        self.layout.tree.nodes[node].children.iter().all(|&child| match self.layout.tree.nodes[child].column {
            Some(column) => self.cells[column] == Cell::Null,
            None => self.hollow(child),
        })
    }

    fn value(&mut self, column: usize, level: usize, out: &mut Vec<u8>) {
        let (style, column, cell) = (&self.layout.style, &self.layout.columns[column], self.cells[column]);
        let written = &column.written;
        let (quoted, word) = match cell {
            Cell::Text(text) if column.raw => {
                style.value(text, level, out);
                return;
            }
            Cell::Null if written.spelling.null.is_empty() && !written.null_quoted => {
                out.extend_from_slice(b"null");
                return;
            }
            Cell::Null => (written.null_quoted, true),
            _ => (written.quoted, written.kind == Kind::Bool && !written.quoted),
        };
        let start = out.len();
        if written.space_led {
            out.push(b' ');
        }
        written.spelling.write(cell, out);
        // Digits that are no JSON number, such as those of a time that begins with a zero, are safe in quotes.
        let digits = out[start..].strip_prefix(b"-").unwrap_or(&out[start..]);
        if quoted || !word && matches!(digits, [b'0', b'0'..=b'9', ..]) {
            self.scratch.clear();
            self.scratch.extend_from_slice(&out[start..]);
            out.truncate(start);
            style.string(&String::from_utf8_lossy(self.scratch), out);
        }
    }
}
