//! Reads files as tables. In: an open file and its name. Out: a uniform sample as a [`Table`], the file's [`Layout`], and
//! the rows that were malformed. Memory bounded by the options. What a format asks for is in its own modules.

use std::fs::File;
use std::io::Read;

use crate::content::{Content, told};
use crate::flaw::{SetAside, Unreadable};
use crate::layout::Format;
use crate::packing::{Packing, unpack};
use crate::{Layout, Table, csv_read, json_read, parquet_read};

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
    let head = Head::of(file)?;
    match told(name, &head.bytes, head.packing != Packing::None)? {
        Content::Csv => csv_read::read(head, None, options),
        Content::Tsv => csv_read::read(head, Some(b'\t'), options),
        Content::JsonLines { alone } => json_read::read(head, json_read::Shape::Lines { alone }, options),
        Content::JsonArray => json_read::read(head, json_read::Shape::Array, options),
        Content::Parquet => parquet_read::read(file, options),
    }
}

/// Reads a file that has this layout; see [`Layout::read_back`].
pub(crate) fn read_back(layout: &Layout, file: &File, options: &ReadOptions) -> Result<Table, Unreadable> {
    match &layout.format {
        Format::Csv(layout) => csv_read::read_back(layout, Head::of(file)?, options),
        Format::Json(layout) => json_read::read_back(layout, Head::of(file)?, options),
        Format::Parquet(layout) => parquet_read::read_back(layout, file, options),
    }
}

/// The beginning of an unpacked file and what comes behind it.
pub(crate) struct Head<'a> {
    pub packing: Packing,
    pub bytes: Vec<u8>,
    /// Whether nothing comes behind.
    pub whole: bool,
    pub source: Box<dyn Read + 'a>,
}

impl Head<'_> {
    fn of(file: &File) -> Result<Head<'_>, Unreadable> {
        let (packing, mut source) = unpack(file)?;
        let mut bytes = Vec::new();
        source.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut bytes).map_err(|error| packing.blame(error))?;
        Ok(Head { packing, whole: bytes.len() < HEAD_BYTES, bytes, source })
    }
}
