//! Reads CSV as tables. In: unpacked bytes. Out: a uniform sample as a [`Table`], the file's layout, and the rows that
//! were malformed. One pass, and memory bounded by the options.

use std::collections::HashSet;
use std::io::Read;

use crate::assemble::Builder;
use crate::csv::{End, Field, Next, Records, split};
use crate::csv_layout::CsvLayout;
use crate::dialect::{Dialect, LineEnd, Need, sniff};
use crate::flaw::{Flaw, SetAside, Unreadable};
use crate::layout::Format;
use crate::packing::Packing;
use crate::profile::{Profile, Written};
use crate::read::{Head, ReadOptions, Reading};
use crate::sample::{Record, Sample};
use crate::{Form, Kind, Layout, Spelling, Table};

/// Reads a file whose name speaks for the delimiter `name_hint`.
pub(crate) fn read(head: Head<'_>, name_hint: Option<u8>, options: &ReadOptions) -> Result<Reading, Unreadable> {
    let mut start = open(head, name_hint);
    let packing = start.packing;
    let header = start.header()?;
    let mut seen = HashSet::new();
    let mut duplicates: Vec<String> = Vec::new();
    for name in &header.names {
        if !seen.insert(name) && !duplicates.contains(name) {
            duplicates.push(name.clone());
        }
    }
    if !duplicates.is_empty() {
        return Err(Unreadable::DuplicateHeader { names: duplicates });
    }
    let mut profiles: Vec<Profile> = header.names.iter().map(|_| Profile::new()).collect();
    let scan = start.scan(header.names.len(), options, usize::MAX, Some(&mut profiles))?;
    if scan.rows == 0 && scan.set_aside.rows == 0 {
        return Err(Unreadable::NoRecords);
    }
    if scan.set_aside.rows > scan.rows {
        return Err(Unreadable::Malformed { set_aside: scan.set_aside, rows: scan.rows });
    }
    let mut columns: Vec<Written> =
        header.names.iter().zip(&profiles).map(|(name, profile)| profile.written(name)).collect();
    let records = scan.sample.into_records();
    let table = loop {
        match assemble(&records, &start.records.dialect, &columns) {
            Ok(table) => break table,
            // No spelling reads this cell after all: the column is text.
            Err(misspelt) => columns[misspelt.column] = text(&columns[misspelt.column]),
        }
    };
    let layout = CsvLayout {
        packing,
        byte_order_mark: start.byte_order_mark,
        dialect: Dialect { line_end: start.line_end(scan.ends.0, scan.ends.1), ..start.records.dialect },
        header: header.bytes,
        header_end: header.end,
        columns,
        line_end_last: scan.line_end_last,
        blank_lines: scan.blank_lines,
    };
    let layout = Layout { format: Format::Csv(layout) };
    Ok(Reading { table, layout, rows: scan.rows, set_aside: scan.set_aside })
}

fn text(written: &Written) -> Written {
    Written { kind: Kind::Text, spelling: Spelling { form: Form::Plain, null: String::new() }, ..written.clone() }
}

/// Reads a file that has this layout; see [`Layout::read_back`].
pub(crate) fn read_back(layout: &CsvLayout, head: Head<'_>, options: &ReadOptions) -> Result<Table, Unreadable> {
    let Head { packing, bytes, source, .. } = head;
    let mark = if layout.byte_order_mark { 3 } else { 0 };
    let records = Records::new(source, bytes, mark, layout.dialect);
    let mut start = Start { packing, byte_order_mark: layout.byte_order_mark, records };
    if start.header()?.bytes != layout.header {
        return Err(Unreadable::OtherHeader);
    }
    let scan = start.scan(layout.columns.len(), options, layout.blank_lines, None)?;
    if scan.set_aside.rows > 0 {
        return Err(Unreadable::Malformed { set_aside: scan.set_aside, rows: scan.rows });
    }
    let records = scan.sample.into_records();
    assemble(&records, &layout.dialect, &layout.columns).map_err(|misspelt| {
        let column = layout.columns[misspelt.column].name.clone();
        let mut set_aside = SetAside::default();
        set_aside.add(misspelt.line, Flaw::Cell { column });
        Unreadable::Malformed { set_aside, rows: scan.rows - 1 }
    })
}

/// A cell that is not written as its column is.
struct Misspelt {
    /// The line its record begins on.
    line: u64,
    column: usize,
}

/// The table of these records, each of which has as many fields as there are columns.
fn assemble(records: &[Record], dialect: &Dialect, columns: &[Written]) -> Result<Table, Misspelt> {
    let mut builders: Vec<Builder> = columns.iter().map(|written| Builder::new(written.kind, records.len())).collect();
    let mut fields: Vec<Field> = Vec::with_capacity(columns.len());
    let mut scratch = Vec::new();
    for Record { line, bytes } in records {
        split(bytes, dialect, true, &mut fields);
        for (column, ((field, written), builder)) in fields.iter().zip(columns).zip(&mut builders).enumerate() {
            let cell = cell(bytes, field, dialect, &mut scratch);
            builder.push(cell, field.quoted, written).ok_or(Misspelt { line: *line, column })?;
        }
    }
    let columns = columns.iter().zip(builders).map(|(written, builder)| builder.finish(written)).collect();
    Ok(Table::new(columns).expect("every record filled every column"))
}

/// What a field says; its escapes are undone in `scratch`.
fn cell<'a>(record: &'a [u8], field: &Field, dialect: &Dialect, scratch: &'a mut Vec<u8>) -> &'a [u8] {
    let raw = &record[field.start as usize..field.end as usize];
    if !field.escaped {
        return raw;
    }
    scratch.clear();
    dialect.unescape(raw, scratch);
    scratch
}

/// A file whose dialect is known, at its header.
struct Start<'a> {
    packing: Packing,
    byte_order_mark: bool,
    records: Records<Box<dyn Read + 'a>>,
}

fn open(head: Head<'_>, name_hint: Option<u8>) -> Start<'_> {
    let Head { packing, bytes, whole, source } = head;
    let mark = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let dialect = sniff(&bytes[mark..], whole, name_hint);
    let records = Records::new(source, bytes, mark, dialect);
    Start { packing, byte_order_mark: mark > 0, records }
}

struct Header {
    bytes: Vec<u8>,
    names: Vec<String>,
    end: LineEnd,
}

/// What a pass over all rows found.
struct Scan {
    sample: Sample,
    rows: u64,
    set_aside: SetAside,
    /// Rows that end with a carriage return and line feed, and rows that end with one byte.
    ends: (u64, u64),
    line_end_last: bool,
    blank_lines: usize,
    scratch: Vec<u8>,
}

impl Start<'_> {
    fn header(&mut self) -> Result<Header, Unreadable> {
        let packing = self.packing;
        let mut blank = false;
        let mut next = self.records.advance().map_err(|error| packing.blame(error))?;
        while matches!(next, Next::Record(_)) && self.records.bytes().is_empty() {
            blank = true;
            next = self.records.advance().map_err(|error| packing.blame(error))?;
        }
        match next {
            Next::Record(_) if blank => Err(Unreadable::Header { flaw: Flaw::Blank }),
            Next::End => Err(Unreadable::NoRecords),
            Next::Flawed(flaw) => Err(Unreadable::Header { flaw }),
            Next::Record(end) => {
                let record = self.records.bytes();
                check_text(record, self.records.line())?;
                let mut names = Vec::new();
                let mut scratch = Vec::new();
                for field in self.records.fields() {
                    let name = cell(record, field, &self.records.dialect, &mut scratch);
                    names.push(String::from_utf8_lossy(name).into_owned());
                }
                let end = self.line_end(u64::from(end == End::LineAfterReturn), u64::from(end == End::Line));
                Ok(Header { bytes: record.to_vec(), names, end })
            }
        }
    }

    /// The line end of most of so many rows with and without a carriage return before the line feed.
    fn line_end(&self, with: u64, without: u64) -> LineEnd {
        match self.records.dialect.line_end {
            LineEnd::Cr => LineEnd::Cr,
            LineEnd::Lf | LineEnd::CrLf if with > without => LineEnd::CrLf,
            LineEnd::Lf | LineEnd::CrLf if without > with => LineEnd::Lf,
            same => same,
        }
    }

    /// Goes over all rows behind the header. `blank_lines_max` bounds the blank lines at the end that are not rows.
    fn scan(
        &mut self,
        columns: usize,
        options: &ReadOptions,
        blank_lines_max: usize,
        mut profiles: Option<&mut [Profile]>,
    ) -> Result<Scan, Unreadable> {
        let packing = self.packing;
        let mut scan = Scan::new(options);
        let mut blank: Vec<u64> = Vec::new();
        loop {
            let next = self.records.advance().map_err(|error| packing.blame(error))?;
            let line = self.records.line();
            let ended = matches!(next, Next::End);
            if let Next::Record(_) = next
                && self.records.bytes().is_empty()
            {
                blank.push(line);
                continue;
            }
            // Blank lines at the end are kept as such; in between they are rows of a file of one column.
            let spared = if ended { blank_lines_max.min(blank.len()) } else { 0 };
            scan.blank_lines = spared;
            for line in blank.drain(spared..) {
                if columns > 1 {
                    scan.set_aside.add(line, Flaw::Blank);
                } else {
                    scan.take(line, b"", &[BLANK], &self.records.dialect, profiles.as_deref_mut());
                }
            }
            match next {
                Next::End => return Ok(scan),
                Next::Flawed(flaw) => scan.set_aside.add(line, flaw),
                Next::Record(end) => {
                    let (record, fields) = (self.records.bytes(), self.records.fields());
                    check_text(record, line)?;
                    scan.line_end_last = end != End::File;
                    scan.ends.0 += u64::from(end == End::LineAfterReturn);
                    scan.ends.1 += u64::from(end == End::Line);
                    if fields.len() == columns {
                        scan.take(line, record, fields, &self.records.dialect, profiles.as_deref_mut());
                    } else {
                        scan.set_aside.add(line, Flaw::Fields { found: fields.len(), expected: columns });
                    }
                }
            }
        }
    }
}

/// The only field of a blank line.
const BLANK: Field = Field { start: 0, end: 0, quoted: false, escaped: false };

impl Scan {
    fn new(options: &ReadOptions) -> Scan {
        Scan {
            sample: Sample::new(options.rows_max, options.bytes_max, options.seed),
            rows: 0,
            set_aside: SetAside::default(),
            ends: (0, 0),
            line_end_last: true,
            blank_lines: 0,
            scratch: Vec::new(),
        }
    }

    /// Takes a sound row.
    fn take(
        &mut self,
        line: u64,
        record: &[u8],
        fields: &[Field],
        dialect: &Dialect,
        profiles: Option<&mut [Profile]>,
    ) {
        // Most rows have no quotes at all, which one look at the whole row tells.
        let plain = memchr::memchr(dialect.quote, record).is_none();
        for (field, profile) in fields.iter().zip(profiles.into_iter().flatten()) {
            let cell = cell(record, field, dialect, &mut self.scratch);
            profile.see(cell, field.quoted, if plain { Need::None } else { dialect.need(cell) });
        }
        self.rows += 1;
        self.sample.offer(line, record);
    }
}

/// Whether a record is UTF-8; else the line of the first byte that is not.
pub(crate) fn check_text(record: &[u8], line: u64) -> Result<(), Unreadable> {
    match std::str::from_utf8(record) {
        Ok(_) => Ok(()),
        Err(error) => {
            let before = &record[..error.valid_up_to()];
            let lines = memchr::memchr_iter(b'\n', before).count() as u64;
            Err(Unreadable::NotText { line: line + lines })
        }
    }
}
