//! Reads JSON records as tables: one a line, or all in an array. In: unpacked bytes. Out: a uniform sample as a [`Table`],
//! the file's layout, and the rows that were malformed. One pass, and memory bounded by the options.

use std::io::{self, Read};

use crate::assemble::Builder;
use crate::csv::{End, Next as Line, Records};
use crate::csv_read::check_text;
use crate::dialect::{Dialect, LineEnd};
use crate::flaw::{Flaw, SetAside, Unreadable};
use crate::json_columns::{JsonColumn, Sightings};
use crate::json_elements::{Elements, Next as Element};
use crate::json_layout::{Frame, JsonLayout};
use crate::json_scan::{Token, compact, unescape};
use crate::json_style::Style;
use crate::json_tree::{Tree, Walker};
use crate::layout::Format;
use crate::packing::Packing;
use crate::profile::Written;
use crate::read::{Head, ReadOptions, Reading};
use crate::sample::{Record, Sample};
use crate::{Form, Kind, Layout, Spelling, Table};

/// What the records stand in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One a line; `alone` if the file's name allows that there is only one.
    Lines {
        alone: bool,
    },
    Array,
}

/// Reads a file of this shape.
pub(crate) fn read(head: Head<'_>, shape: Shape, options: &ReadOptions) -> Result<Reading, Unreadable> {
    let (packing, byte_order_mark) = (head.packing, head.bytes.starts_with(b"\xef\xbb\xbf"));
    let mut scan = Scan::new(Walker::new(), Some(Sightings::new()), options);
    let frame = scan.run(head, shape)?;
    if scan.rows == 0 && scan.set_aside.rows == 0 {
        return Err(Unreadable::NoRecords);
    }
    if shape == (Shape::Lines { alone: false }) && scan.rows + scan.set_aside.rows == 1 {
        return Err(Unreadable::UnsupportedType { found: "a single JSON object".into() });
    }
    if scan.set_aside.rows > scan.rows {
        return Err(Unreadable::Malformed { set_aside: scan.set_aside, rows: scan.rows });
    }
    let sightings = scan.sightings.take().expect("put in above");
    let (tree, mut columns) = sightings.finish(&scan.walker.tree);
    let style = Style {
        ascii: scan.walker.letter_escaped && !scan.beyond_ascii,
        slash: scan.walker.slash_escaped,
        ..scan.style.unwrap_or_default()
    };
    if columns.is_empty() {
        return Err(Unreadable::NoRecords);
    }
    let records = scan.sample.into_records();
    let table = loop {
        match assemble(&records, &tree, &columns) {
            Ok(table) => break table,
            // No spelling reads this cell after all: the column is text.
            Err(misspelt) => columns[misspelt.column] = text(&columns[misspelt.column]),
        }
    };
    let layout = JsonLayout { packing, byte_order_mark, frame, style, tree, columns };
    let layout = Layout { format: Format::Json(layout) };
    Ok(Reading { table, layout, rows: scan.rows, set_aside: scan.set_aside })
}

fn text(column: &JsonColumn) -> JsonColumn {
    let spelling = Spelling { form: Form::Plain, null: String::new() };
    if !column.written.quoted {
        return JsonColumn::raw(&column.written.name, column.absent);
    }
    let written =
        Written { kind: Kind::Text, spelling, null_quoted: false, space_led: false, ..column.written.clone() };
    JsonColumn { written, ..column.clone() }
}

/// Reads a file that has this layout; see [`Layout::read_back`].
pub(crate) fn read_back(layout: &JsonLayout, head: Head<'_>, options: &ReadOptions) -> Result<Table, Unreadable> {
    let shape = match layout.frame {
        Frame::Lines { .. } => Shape::Lines { alone: true },
        Frame::Array(_) => Shape::Array,
    };
    let mut scan = Scan::new(Walker::over(layout.tree.clone()), None, options);
    scan.run(head, shape)?;
    if scan.set_aside.rows > 0 {
        return Err(Unreadable::Malformed { set_aside: scan.set_aside, rows: scan.rows });
    }
    assemble(&scan.sample.into_records(), &layout.tree, &layout.columns).map_err(|misspelt| {
        let column = layout.columns[misspelt.column].written.name.clone();
        let mut set_aside = SetAside::default();
        set_aside.add(misspelt.line, Flaw::Cell { column });
        Unreadable::Malformed { set_aside, rows: scan.rows - 1 }
    })
}

/// A pass over all records.
struct Scan {
    walker: Walker,
    sightings: Option<Sightings>,
    sample: Sample,
    rows: u64,
    set_aside: SetAside,
    style: Option<Style>,
    beyond_ascii: bool,
}

impl Scan {
    fn new(walker: Walker, sightings: Option<Sightings>, options: &ReadOptions) -> Scan {
        Scan {
            walker,
            sightings,
            sample: Sample::new(options.rows_max, options.bytes_max, options.seed),
            rows: 0,
            set_aside: SetAside::default(),
            style: None,
            beyond_ascii: false,
        }
    }

    fn run(&mut self, head: Head<'_>, shape: Shape) -> Result<Frame, Unreadable> {
        let Head { packing, bytes, source, .. } = head;
        let mark = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        match shape {
            Shape::Lines { .. } => self.lines(packing, Records::new(source, bytes, mark, LINES)),
            Shape::Array => self.elements(packing, Elements::new(source, bytes, mark)),
        }
    }

    fn lines<R: Read>(&mut self, packing: Packing, mut records: Records<R>) -> Result<Frame, Unreadable> {
        let mut blank: Vec<u64> = Vec::new();
        let (mut with, mut without, mut line_end_last) = (0u64, 0u64, true);
        loop {
            let next = records.advance().map_err(|error: io::Error| packing.blame(error))?;
            let line = records.line();
            if let Line::Record(_) = next
                && records.bytes().trim_ascii().is_empty()
            {
                blank.push(line);
                continue;
            }
            if let Line::End = next {
                let line_end = if with > without { LineEnd::CrLf } else { LineEnd::Lf };
                return Ok(Frame::Lines { line_end, line_end_last, blank_lines: blank.len() });
            }
            for line in blank.drain(..) {
                self.set_aside.add(line, Flaw::Blank);
            }
            match next {
                Line::Record(end) => {
                    line_end_last = end != End::File;
                    with += u64::from(end == End::LineAfterReturn);
                    without += u64::from(end == End::Line);
                    self.take(line, records.bytes(), b"")?;
                }
                Line::Flawed(flaw) => self.set_aside.add(line, flaw),
                Line::End => {}
            }
        }
    }

    fn elements<R: Read>(&mut self, packing: Packing, mut elements: Elements<R>) -> Result<Frame, Unreadable> {
        loop {
            match elements.advance().map_err(|error| packing.blame(error))? {
                Element::Element => self.take(elements.line(), elements.bytes(), &elements.gaps.open)?,
                Element::Flawed(flaw) => self.set_aside.add(elements.line(), flaw),
                Element::End => return Ok(Frame::Array(elements.gaps)),
            }
        }
    }

    fn take(&mut self, line: u64, record: &[u8], before: &[u8]) -> Result<(), Unreadable> {
        check_text(record, line)?;
        match self.walker.walk(record) {
            Ok(()) => {
                if let Some(sightings) = &mut self.sightings {
                    sightings.see(record, &self.walker.leaves);
                }
                if self.style.is_none() && record.len() > 2 {
                    self.style = Some(Style::of(record, before));
                }
                self.beyond_ascii |= !record.is_ascii();
                self.rows += 1;
                self.sample.offer(line, record);
            }
            Err(flaw) => self.set_aside.add(line, flaw),
        }
        Ok(())
    }
}

/// Lines as records of one field; no line of JSON begins with a zero byte.
const LINES: Dialect = Dialect { delimiter: None, quote: 0, backslash: false, line_end: LineEnd::Lf };

/// A cell that is not written as its column is.
struct Misspelt {
    /// The line its record begins on.
    line: u64,
    column: usize,
}

/// The table of these records, all of whose keys are in the tree.
fn assemble(records: &[Record], tree: &Tree, columns: &[JsonColumn]) -> Result<Table, Misspelt> {
    let mut walker = Walker::over(tree.clone());
    let builder = |column: &JsonColumn| Builder::new(column.written.kind, records.len());
    let mut builders: Vec<Builder> = columns.iter().map(builder).collect();
    let mut leaf_of: Vec<Option<usize>> = Vec::new();
    let mut scratch = Vec::new();
    for Record { line, bytes } in records {
        let known = walker.walk(bytes);
        leaf_of.clear();
        leaf_of.resize(columns.len(), None);
        for (index, leaf) in walker.leaves.iter().enumerate() {
            match walker.tree.nodes[leaf.node].column {
                Some(column) => leaf_of[column] = Some(index),
                // Only an object or nothing is written there.
                None if matches!(leaf.token, Token::Object | Token::Null) => {}
                None => return Err(Misspelt { line: *line, column: 0 }),
            }
        }
        for (index, ((column, builder), leaf)) in columns.iter().zip(&mut builders).zip(&leaf_of).enumerate() {
            let (cell, quoted) = match leaf.map(|leaf| &walker.leaves[leaf]) {
                None => (&b""[..], false),
                Some(leaf) => cell(column, leaf.token, bytes, &leaf.span, &mut scratch),
            };
            let pushed = known.is_ok().then(|| builder.push(cell, quoted, &column.written)).flatten();
            pushed.ok_or(Misspelt { line: *line, column: index })?;
        }
    }
    let columns = columns.iter().zip(builders).map(|(column, builder)| builder.finish(&column.written)).collect();
    Ok(Table::new(columns).expect("every record filled every column"))
}

/// What a value says, and whether it stands in quotes.
fn cell<'a>(
    column: &JsonColumn,
    token: Token,
    record: &'a [u8],
    span: &std::ops::Range<usize>,
    scratch: &'a mut Vec<u8>,
) -> (&'a [u8], bool) {
    let bytes = &record[span.clone()];
    scratch.clear();
    match token {
        Token::Null => (b"", false),
        Token::Text { .. } if column.raw => (&record[span.start - 1..span.end + 1], false),
        Token::Text { escaped: true } => {
            unescape(bytes, scratch);
            (scratch, true)
        }
        Token::Text { escaped: false } => (bytes, true),
        Token::Array | Token::Object => {
            compact(bytes, scratch);
            (scratch, false)
        }
        Token::Number if column.written.kind == Kind::Real && bytes.contains(&b'E') => {
            scratch.extend(bytes.iter().map(u8::to_ascii_lowercase));
            (scratch, false)
        }
        Token::Bool | Token::Number | Token::Word => (bytes, false),
    }
}
