//! Layouts as bytes and back, so that a saved model can write files of its source's layout. In: a layout, or bytes that
//! anybody may have written. Out: bytes that begin with their version, or a layout that can be written without harm. A
//! length, a number or a tree in the bytes is never believed unseen.

use parquet::basic::Compression;
use parquet::file::metadata::ParquetMetaDataReader;

use crate::csv_layout::CsvLayout;
use crate::dialect::{Dialect, LineEnd};
use crate::json_columns::JsonColumn;
use crate::json_elements::Gaps;
use crate::json_layout::{Frame, JsonLayout};
use crate::json_style::Style;
use crate::json_tree::{Missing, Node, Tree};
use crate::layout::Format;
use crate::packing::Packing;
use crate::parquet_column::ParquetColumn;
use crate::parquet_layout::ParquetLayout;
use crate::parquet_read;
use crate::profile::Written;
use crate::{Kept, Kind, Layout, Spelling, kept};

/// The version that is written, and the newest that is read. Every older one is read too.
const VERSION: u64 = 1;
/// More blank lines behind the last row are not kept, so that bytes cannot ask for endless output.
const BLANK_LINES_MAX: usize = 1 << 20;
/// Deeper trees are none that a file was read into.
const LEVELS_MAX: usize = 32;

/// Why bytes are no layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoLayout {
    /// They were written by a later version.
    Newer {
        /// The version found.
        found: u64,
    },
    /// They were cut short or changed, or are something else.
    Damaged,
}

impl std::fmt::Display for NoLayout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            NoLayout::Newer { found } => {
                write!(f, "the layout is of version {found} where at most {VERSION} is read")
            }
            NoLayout::Damaged => f.write_str("the layout was cut short or changed"),
        }
    }
}

impl std::error::Error for NoLayout {}

impl Layout {
    /// The layout as bytes, which [`Layout::from_bytes`] reads back to an equal layout. The same layout always gives the
    /// same bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        VERSION.put(&mut out);
        match &self.format {
            Format::Csv(layout) => {
                0u8.put(&mut out);
                layout.put(&mut out);
            }
            Format::Json(layout) => {
                1u8.put(&mut out);
                layout.put(&mut out);
            }
            Format::Parquet(layout) => {
                2u8.put(&mut out);
                layout.put(&mut out);
            }
        }
        out
    }

    /// The layout that [`Layout::to_bytes`] wrote, in this version or an earlier one.
    pub fn from_bytes(bytes: &[u8]) -> Result<Layout, NoLayout> {
        let mut rest = bytes;
        match u64::take(&mut rest).ok_or(NoLayout::Damaged)? {
            0 => return Err(NoLayout::Damaged),
            found if found > VERSION => return Err(NoLayout::Newer { found }),
            _ => {}
        }
        let format = match u8::take(&mut rest).ok_or(NoLayout::Damaged)? {
            0 => CsvLayout::take(&mut rest).map(Format::Csv),
            1 => JsonLayout::take(&mut rest).filter(sound).map(Format::Json),
            2 => ParquetLayout::take(&mut rest).map(Format::Parquet),
            _ => None,
        };
        match format {
            Some(format) if rest.is_empty() => Ok(Layout { format }),
            _ => Err(NoLayout::Damaged),
        }
    }
}

/// Whether the keys are a tree whose leaves are the columns, each once.
fn sound(layout: &JsonLayout) -> bool {
    let nodes = &layout.tree.nodes;
    let mut level = vec![None; nodes.len()];
    let mut columns = vec![false; layout.columns.len()];
    if nodes.first().is_none_or(|root| root.column.is_some()) {
        return false;
    }
    level[0] = Some(0);
    // Children stand behind their parents, so that there are no circles.
    for (index, node) in nodes.iter().enumerate() {
        let Some(above) = level[index].filter(|&above| above < LEVELS_MAX) else { return false };
        if let Some(column) = node.column {
            match columns.get_mut(column) {
                Some(met) if !*met && node.children.is_empty() => *met = true,
                _ => return false,
            }
        }
        for &child in &node.children {
            match level.get_mut(child) {
                Some(level) if child > index && level.is_none() => *level = Some(above + 1),
                _ => return false,
            }
        }
    }
    columns.into_iter().all(|met| met)
}

const PACKINGS: [Packing; 3] = [Packing::None, Packing::Gzip, Packing::Zstd];
const LINE_ENDS: [LineEnd; 3] = [LineEnd::Lf, LineEnd::CrLf, LineEnd::Cr];
const KINDS: [Kind; 5] = [Kind::Int, Kind::Real, Kind::Bool, Kind::Time, Kind::Text];
const MISSING: [Missing; 3] = [Missing::Absent, Missing::Null, Missing::Inside];

kept!(one of LineEnd: LINE_ENDS);

kept!(one of Packing: PACKINGS);

kept!(one of Kind: KINDS);

kept!(one of Missing: MISSING);

impl Kept for Spelling {
    fn put(&self, out: &mut Vec<u8>) {
        self.to_text().put(out);
    }
    fn take(rest: &mut &[u8]) -> Option<Spelling> {
        Spelling::from_text(&String::take(rest)?)
    }
}

kept!(struct Written { name, kind, spelling, quoted, null_quoted, quotes_inside, space_led });

impl Kept for CsvLayout {
    fn put(&self, out: &mut Vec<u8>) {
        self.packing.put(out);
        self.byte_order_mark.put(out);
        self.dialect.delimiter.put(out);
        self.dialect.quote.put(out);
        self.dialect.backslash.put(out);
        self.dialect.line_end.put(out);
        self.header.put(out);
        self.header_end.put(out);
        self.columns.put(out);
        self.line_end_last.put(out);
        self.blank_lines.min(BLANK_LINES_MAX).put(out);
    }
    fn take(rest: &mut &[u8]) -> Option<CsvLayout> {
        Some(CsvLayout {
            packing: Kept::take(rest)?,
            byte_order_mark: Kept::take(rest)?,
            dialect: Dialect {
                delimiter: Kept::take(rest)?,
                quote: Kept::take(rest)?,
                backslash: Kept::take(rest)?,
                line_end: Kept::take(rest)?,
            },
            header: Kept::take(rest)?,
            header_end: Kept::take(rest)?,
            columns: Kept::take(rest)?,
            line_end_last: Kept::take(rest)?,
            blank_lines: Kept::take(rest).filter(|&lines| lines <= BLANK_LINES_MAX)?,
        })
    }
}

impl Kept for Frame {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Frame::Lines { line_end, line_end_last, blank_lines } => {
                0u8.put(out);
                line_end.put(out);
                line_end_last.put(out);
                (*blank_lines).min(BLANK_LINES_MAX).put(out);
            }
            Frame::Array(gaps) => {
                1u8.put(out);
                gaps.open.put(out);
                gaps.comma.put(out);
                gaps.close.put(out);
                gaps.tail.put(out);
            }
        }
    }
    fn take(rest: &mut &[u8]) -> Option<Frame> {
        match u8::take(rest)? {
            0 => Some(Frame::Lines {
                line_end: Kept::take(rest)?,
                line_end_last: Kept::take(rest)?,
                blank_lines: Kept::take(rest).filter(|&lines| lines <= BLANK_LINES_MAX)?,
            }),
            1 => Some(Frame::Array(Gaps {
                open: Kept::take(rest)?,
                comma: Kept::take(rest)?,
                close: Kept::take(rest)?,
                tail: Kept::take(rest)?,
            })),
            _ => None,
        }
    }
}

kept!(struct Style { colon, comma, brace, ascii, slash, lines });

kept!(struct Node { key, children, whole, column, missing });

kept!(struct JsonColumn { written, raw, absent });

impl Kept for JsonLayout {
    fn put(&self, out: &mut Vec<u8>) {
        self.packing.put(out);
        self.byte_order_mark.put(out);
        self.frame.put(out);
        self.style.put(out);
        self.tree.nodes.put(out);
        self.columns.put(out);
    }
    fn take(rest: &mut &[u8]) -> Option<JsonLayout> {
        Some(JsonLayout {
            packing: Kept::take(rest)?,
            byte_order_mark: Kept::take(rest)?,
            frame: Kept::take(rest)?,
            style: Kept::take(rest)?,
            tree: Tree { nodes: Kept::take(rest)? },
            columns: Kept::take(rest)?,
        })
    }
}

kept!(struct ParquetColumn { kind, spelling, word });

/// The packings of Parquet columns that are read.
fn compressions() -> [Compression; 5] {
    [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(Default::default()),
        Compression::BROTLI(Default::default()),
        Compression::ZSTD(Default::default()),
    ]
}

kept!(one of Compression: compressions());

impl Kept for ParquetLayout {
    /// Schema and metadata are saved as what already is a lasting form for them: a Parquet file without rows.
    fn put(&self, out: &mut Vec<u8>) {
        let hollow = self.writer(Vec::new()).and_then(|writer| writer.finish());
        hollow.unwrap_or_default().put(out);
        self.compression.put(out);
        self.group_rows.put(out);
        self.groups.iter().map(|group| group.missing).collect::<Vec<_>>().put(out);
        self.columns.put(out);
    }
    fn take(rest: &mut &[u8]) -> Option<ParquetLayout> {
        let hollow: Vec<u8> = Kept::take(rest)?;
        let (footer, magic) = hollow.split_at_checked(hollow.len().checked_sub(8)?)?;
        let length = u32::from_le_bytes(magic.get(..4)?.try_into().ok()?) as usize;
        let footer = footer.get(footer.len().checked_sub(length)?..).filter(|_| magic.ends_with(b"PAR1"))?;
        // A schema that no reader understands may make the decoder panic, as it may in a file.
        let read = parquet_read::guarded(|| {
            let metadata = ParquetMetaDataReader::decode_metadata(footer).map_err(parquet_read::damaged)?;
            parquet_read::layout(&metadata)
        });
        let (mut layout, compression) = (read.ok()?, Kept::take(rest)?);
        layout.compression = compression;
        layout.group_rows = Kept::take(rest)?;
        let missing: Vec<bool> = Kept::take(rest)?;
        layout.columns = Kept::take(rest)?;
        for (group, &missing) in layout.groups.iter_mut().zip(&missing) {
            group.missing = missing;
        }
        let whole = missing.len() == layout.groups.len() && layout.columns.len() == layout.leaves.len();
        let packed = [0, layout.leaves.len()].contains(&layout.compression.len());
        (whole && packed).then_some(layout)
    }
}
