//! Reads files as tables. In: an open file and its name. Out: a uniform sample as a [`Table`], the file's [`Layout`], and
//! the rows that were malformed. One pass, and memory bounded by the options.

use std::fs::File;
use std::io::Read;

use crate::assemble::{assemble, cell};
use crate::content;
use crate::csv::{End, Next, Records};
use crate::dialect::{LineEnd, sniff};
use crate::flaw::{Flaw, SetAside, Unreadable};
use crate::packing::{Packing, unpack};
use crate::profile::{Profile, Written};
use crate::sample::Sample;
use crate::{Form, Kind, Layout, Spelling, Table};

/// The beginning of a file that its type and dialect are told from.
const HEAD_BYTES: usize = 64 << 10;

/// The bounds of the sample that is kept in memory.
pub struct ReadOptions {
    /// Most rows of the sample.
    pub rows_max: usize,
    /// Most bytes of the sampled rows as they stand in the source; fewer rows are kept rather than more bytes.
    pub bytes_max: usize,
    /// Decides which rows are sampled.
    pub seed: u64,
}

/// A file that was read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The uniform sample in source order; all readable rows if they keep to the bounds.
    pub table: Table,
    /// How to write a file of the same kind.
    pub layout: Layout,
    /// The readable data rows of the whole file.
    pub rows: u64,
    /// The malformed rows of the whole file.
    pub set_aside: SetAside,
}

/// Reads a file from its beginning, whatever the position it is at. `name` is the object's key, whose extensions help to
/// tell the type; the packing is told by the content.
pub fn read(name: &str, file: &File, options: &ReadOptions) -> Result<Reading, Unreadable> {
    let mut start = open(name, file)?;
    let packing = start.packing;
    let header = start.header()?;
    let mut duplicates: Vec<String> = Vec::new();
    for (index, name) in header.names.iter().enumerate() {
        if header.names[..index].contains(name) && !duplicates.contains(name) {
            duplicates.push(name.clone());
        }
    }
    if !duplicates.is_empty() {
        return Err(Unreadable::DuplicateHeader { names: duplicates });
    }
    let mut profiles: Vec<Profile> = header.names.iter().map(|_| Profile::new()).collect();
    let scan = start.scan(header.names.len(), options, Some(&mut profiles))?;
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
    let layout = Layout {
        packing,
        byte_order_mark: start.byte_order_mark,
        dialect: crate::dialect::Dialect { line_end: header.line_end, ..start.records.dialect },
        header: header.bytes,
        columns,
        line_end_last: scan.line_end_last,
        blank_lines: scan.blank_lines,
    };
    Ok(Reading { table, layout, rows: scan.rows, set_aside: scan.set_aside })
}

fn text(written: &Written) -> Written {
    Written { kind: Kind::Text, spelling: Spelling { form: Form::Plain, null: String::new() }, ..written.clone() }
}

/// Reads a file that has this layout; see [`Layout::read_back`].
pub(crate) fn read_back(layout: &Layout, file: &File, options: &ReadOptions) -> Result<Table, Unreadable> {
    let (packing, mut source) = unpack(file)?;
    let mut head = Vec::new();
    let mark = if layout.byte_order_mark { 3 } else { 0 };
    source.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head).map_err(|error| packing.blame(error))?;
    let records = Records::new(source, head, mark, layout.dialect);
    let mut start = Start { packing, byte_order_mark: layout.byte_order_mark, records };
    if start.header()?.bytes != layout.header {
        return Err(Unreadable::OtherHeader);
    }
    let scan = start.scan(layout.columns.len(), options, None)?;
    if scan.set_aside.rows > 0 {
        return Err(Unreadable::Malformed { set_aside: scan.set_aside, rows: scan.rows });
    }
    let records = scan.sample.into_records();
    assemble(&records, &layout.dialect, &layout.columns).map_err(|misspelt| {
        let column = layout.columns[misspelt.column].name.clone();
        let mut set_aside = SetAside::default();
        set_aside.add(misspelt.record as u64 + 2, Flaw::Cell { column });
        Unreadable::Malformed { set_aside, rows: scan.rows - 1 }
    })
}

/// A file whose dialect is known, at its header.
struct Start<'a> {
    packing: Packing,
    byte_order_mark: bool,
    records: Records<Box<dyn Read + 'a>>,
}

fn open<'a>(name: &str, file: &'a File) -> Result<Start<'a>, Unreadable> {
    let (packing, mut source) = unpack(file)?;
    let mut head = Vec::new();
    source.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head).map_err(|error| packing.blame(error))?;
    let kind = content::told(name, &head)?;
    let mark = if head.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let dialect = sniff(&head[mark..], head.len() < HEAD_BYTES, kind.delimiter());
    let records = Records::new(source, head, mark, dialect);
    Ok(Start { packing, byte_order_mark: mark > 0, records })
}

struct Header {
    bytes: Vec<u8>,
    names: Vec<String>,
    line_end: LineEnd,
}

/// What a pass over all rows found.
struct Scan {
    sample: Sample,
    rows: u64,
    set_aside: SetAside,
    line_end_last: bool,
    blank_lines: usize,
}

impl Start<'_> {
    fn header(&mut self) -> Result<Header, Unreadable> {
        let packing = self.packing;
        match self.records.advance().map_err(|error| packing.blame(error))? {
            Next::End => Err(Unreadable::NoRecords),
            Next::Flawed(flaw) => Err(Unreadable::Header { flaw }),
            Next::Record(_) => {
                let record = self.records.bytes();
                check_text(record, self.records.line())?;
                let mut names = Vec::new();
                let mut scratch = Vec::new();
                for field in self.records.fields() {
                    let name = cell(record, field, &self.records.dialect, &mut scratch);
                    names.push(String::from_utf8_lossy(name).into_owned());
                }
                Ok(Header { bytes: record.to_vec(), names, line_end: self.records.dialect.line_end })
            }
        }
    }

    fn scan(
        &mut self,
        columns: usize,
        options: &ReadOptions,
        mut profiles: Option<&mut Vec<Profile>>,
    ) -> Result<Scan, Unreadable> {
        let packing = self.packing;
        let sample = Sample::new(options.rows_max, options.bytes_max, options.seed);
        let set_aside = SetAside::default();
        let mut scan = Scan { sample, rows: 0, set_aside, line_end_last: true, blank_lines: 0 };
        let mut blank: Vec<u64> = Vec::new();
        let mut scratch = Vec::new();
        loop {
            let next = self.records.advance().map_err(|error| packing.blame(error))?;
            let line = self.records.line();
            let end = match next {
                Next::End => break,
                Next::Flawed(flaw) => {
                    scan.set_aside.add(line, flaw);
                    continue;
                }
                Next::Record(end) => end,
            };
            let (record, fields) = (self.records.bytes(), self.records.fields());
            if record.is_empty() && columns > 1 {
                blank.push(line);
                continue;
            }
            for line in blank.drain(..) {
                scan.set_aside.add(line, Flaw::Blank);
            }
            check_text(record, line)?;
            if fields.len() != columns {
                scan.set_aside.add(line, Flaw::Fields { found: fields.len(), expected: columns });
                continue;
            }
            if let Some(profiles) = &mut profiles {
                for (field, profile) in fields.iter().zip(profiles.iter_mut()) {
                    let dialect = &self.records.dialect;
                    let cell = cell(record, field, dialect, &mut scratch);
                    profile.see(cell, field.quoted, field.quoted && dialect.needs_quotes(cell));
                }
            }
            scan.rows += 1;
            scan.sample.offer(record);
            scan.line_end_last = end != End::File;
        }
        scan.blank_lines = blank.len();
        Ok(scan)
    }
}

/// Whether a record is UTF-8; else the line of the first byte that is not.
fn check_text(record: &[u8], line: u64) -> Result<(), Unreadable> {
    match std::str::from_utf8(record) {
        Ok(_) => Ok(()),
        Err(error) => {
            let before = &record[..error.valid_up_to()];
            let lines = memchr::memchr_iter(b'\n', before).count() as u64;
            Err(Unreadable::NotText { line: line + lines })
        }
    }
}
