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
use crate::parts::{Part, put_all, put_one, take_all, take_one};
use crate::profile::Written;
use crate::{Kind, Layout, Spelling};

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

impl Part for LineEnd {
    fn put(&self, out: &mut Vec<u8>) {
        put_one(&LINE_ENDS, self, out);
    }
    fn take(rest: &mut &[u8]) -> Option<LineEnd> {
        take_one(&LINE_ENDS, rest)
    }
}

impl Part for Packing {
    fn put(&self, out: &mut Vec<u8>) {
        put_one(&PACKINGS, self, out);
    }
    fn take(rest: &mut &[u8]) -> Option<Packing> {
        take_one(&PACKINGS, rest)
    }
}

impl Part for Kind {
    fn put(&self, out: &mut Vec<u8>) {
        put_one(&KINDS, self, out);
    }
    fn take(rest: &mut &[u8]) -> Option<Kind> {
        take_one(&KINDS, rest)
    }
}

impl Part for Missing {
    fn put(&self, out: &mut Vec<u8>) {
        put_one(&MISSING, self, out);
    }
    fn take(rest: &mut &[u8]) -> Option<Missing> {
        take_one(&MISSING, rest)
    }
}

impl Part for Spelling {
    fn put(&self, out: &mut Vec<u8>) {
        self.to_text().put(out);
    }
    fn take(rest: &mut &[u8]) -> Option<Spelling> {
        Spelling::from_text(&String::take(rest)?)
    }
}

impl Part for Written {
    fn put(&self, out: &mut Vec<u8>) {
        self.name.put(out);
        self.kind.put(out);
        self.spelling.put(out);
        [self.quoted, self.null_quoted, self.quotes_inside, self.space_led].iter().for_each(|flag| flag.put(out));
    }
    fn take(rest: &mut &[u8]) -> Option<Written> {
        Some(Written {
            name: Part::take(rest)?,
            kind: Part::take(rest)?,
            spelling: Part::take(rest)?,
            quoted: Part::take(rest)?,
            null_quoted: Part::take(rest)?,
            quotes_inside: Part::take(rest)?,
            space_led: Part::take(rest)?,
        })
    }
}

impl Part for CsvLayout {
    fn put(&self, out: &mut Vec<u8>) {
        self.packing.put(out);
        self.byte_order_mark.put(out);
        self.dialect.delimiter.put(out);
        self.dialect.quote.put(out);
        self.dialect.backslash.put(out);
        self.dialect.line_end.put(out);
        self.header.put(out);
        self.header_end.put(out);
        put_all(&self.columns, out);
        self.line_end_last.put(out);
        self.blank_lines.min(BLANK_LINES_MAX).put(out);
    }
    fn take(rest: &mut &[u8]) -> Option<CsvLayout> {
        Some(CsvLayout {
            packing: Part::take(rest)?,
            byte_order_mark: Part::take(rest)?,
            dialect: Dialect {
                delimiter: Part::take(rest)?,
                quote: Part::take(rest)?,
                backslash: Part::take(rest)?,
                line_end: Part::take(rest)?,
            },
            header: Part::take(rest)?,
            header_end: Part::take(rest)?,
            columns: take_all(rest)?,
            line_end_last: Part::take(rest)?,
            blank_lines: Part::take(rest).filter(|&lines| lines <= BLANK_LINES_MAX)?,
        })
    }
}

impl Part for Frame {
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
                line_end: Part::take(rest)?,
                line_end_last: Part::take(rest)?,
                blank_lines: Part::take(rest).filter(|&lines| lines <= BLANK_LINES_MAX)?,
            }),
            1 => Some(Frame::Array(Gaps {
                open: Part::take(rest)?,
                comma: Part::take(rest)?,
                close: Part::take(rest)?,
                tail: Part::take(rest)?,
            })),
            _ => None,
        }
    }
}

impl Part for Style {
    fn put(&self, out: &mut Vec<u8>) {
        [self.colon, self.comma, self.brace, self.ascii, self.slash].iter().for_each(|flag| flag.put(out));
        self.lines.put(out);
    }
    fn take(rest: &mut &[u8]) -> Option<Style> {
        Some(Style {
            colon: Part::take(rest)?,
            comma: Part::take(rest)?,
            brace: Part::take(rest)?,
            ascii: Part::take(rest)?,
            slash: Part::take(rest)?,
            lines: Part::take(rest)?,
        })
    }
}

impl Part for Node {
    fn put(&self, out: &mut Vec<u8>) {
        self.key.put(out);
        put_all(&self.children, out);
        self.whole.put(out);
        self.column.put(out);
        self.missing.put(out);
    }
    fn take(rest: &mut &[u8]) -> Option<Node> {
        Some(Node {
            key: Part::take(rest)?,
            children: take_all(rest)?,
            whole: Part::take(rest)?,
            column: Part::take(rest)?,
            missing: Part::take(rest)?,
        })
    }
}

impl Part for JsonColumn {
    fn put(&self, out: &mut Vec<u8>) {
        self.written.put(out);
        self.raw.put(out);
        self.absent.put(out);
    }
    fn take(rest: &mut &[u8]) -> Option<JsonColumn> {
        Some(JsonColumn { written: Part::take(rest)?, raw: Part::take(rest)?, absent: Part::take(rest)? })
    }
}

impl Part for JsonLayout {
    fn put(&self, out: &mut Vec<u8>) {
        self.packing.put(out);
        self.byte_order_mark.put(out);
        self.frame.put(out);
        self.style.put(out);
        put_all(&self.tree.nodes, out);
        put_all(&self.columns, out);
    }
    fn take(rest: &mut &[u8]) -> Option<JsonLayout> {
        Some(JsonLayout {
            packing: Part::take(rest)?,
            byte_order_mark: Part::take(rest)?,
            frame: Part::take(rest)?,
            style: Part::take(rest)?,
            tree: Tree { nodes: take_all(rest)? },
            columns: take_all(rest)?,
        })
    }
}

impl Part for ParquetColumn {
    fn put(&self, out: &mut Vec<u8>) {
        self.kind.put(out);
        self.spelling.put(out);
        self.word.put(out);
    }
    fn take(rest: &mut &[u8]) -> Option<ParquetColumn> {
        Some(ParquetColumn { kind: Part::take(rest)?, spelling: Part::take(rest)?, word: Part::take(rest)? })
    }
}

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

impl Part for Compression {
    fn put(&self, out: &mut Vec<u8>) {
        put_one(&compressions(), self, out);
    }
    fn take(rest: &mut &[u8]) -> Option<Compression> {
        take_one(&compressions(), rest)
    }
}

impl Part for ParquetLayout {
    /// Schema and metadata are saved as what already is a lasting form for them: a Parquet file without rows.
    fn put(&self, out: &mut Vec<u8>) {
        let hollow = self.writer(Vec::new()).and_then(|writer| writer.finish());
        hollow.unwrap_or_default().put(out);
        put_all(&self.compression, out);
        self.group_rows.put(out);
        put_all(&self.groups.iter().map(|group| group.missing).collect::<Vec<_>>(), out);
        put_all(&self.columns, out);
    }
    fn take(rest: &mut &[u8]) -> Option<ParquetLayout> {
        let hollow: Vec<u8> = Part::take(rest)?;
        let (footer, magic) = hollow.split_at_checked(hollow.len().checked_sub(8)?)?;
        let length = u32::from_le_bytes(magic.get(..4)?.try_into().ok()?) as usize;
        let footer = footer.get(footer.len().checked_sub(length)?..).filter(|_| magic.ends_with(b"PAR1"))?;
        // A schema that no reader understands may make the decoder panic, as it may in a file.
        let read = parquet_read::guarded(|| {
            let metadata = ParquetMetaDataReader::decode_metadata(footer).map_err(parquet_read::damaged)?;
            parquet_read::layout(&metadata)
        });
        let (mut layout, compression) = (read.ok()?, take_all(rest)?);
        layout.compression = compression;
        layout.group_rows = Part::take(rest)?;
        let missing: Vec<bool> = take_all(rest)?;
        layout.columns = take_all(rest)?;
        for (group, &missing) in layout.groups.iter_mut().zip(&missing) {
            group.missing = missing;
        }
        let whole = missing.len() == layout.groups.len() && layout.columns.len() == layout.leaves.len();
        let packed = [0, layout.leaves.len()].contains(&layout.compression.len());
        (whole && packed).then_some(layout)
    }
}
