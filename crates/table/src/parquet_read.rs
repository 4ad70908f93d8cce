//! Reads Parquet as tables, column by column. In: an open file. Out: a uniform sample as a [`Table`] and the file's layout.
//! One pass over each column; memory bounded by the sample and one page.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};

use parquet::basic::Compression;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};

use crate::flaw::{Flaw, SetAside, Unreadable};
use crate::layout::Format;
use crate::parquet_column::Gathered;
use crate::parquet_layout::ParquetLayout;
use crate::parquet_type::{Leaf, Meaning, leaves, refused};
use crate::read::{ReadOptions, Reading};
use crate::sample::positions;
use crate::{Layout, Table};

/// Values that are read at once.
const BATCH_ROWS: usize = 4096;
/// No object holds more rows, but a broken footer may tell of any number, all of which would be drawn from.
const ROWS_MAX: u64 = 1 << 34;
/// Bytes that a sampled cell costs beside those it has in the file.
const CELL_BYTES: usize = 8;

/// Reads a file.
pub(crate) fn read(file: &File, options: &ReadOptions) -> Result<Reading, Unreadable> {
    guarded(|| {
        let reader = open(file)?;
        let mut layout = layout(reader.metadata())?;
        let rows = rows(reader.metadata());
        if rows > ROWS_MAX {
            return Err(damaged(ParquetError::General(format!("its footer tells of {rows} rows"))));
        }
        if rows == 0 || layout.leaves.is_empty() {
            return Err(Unreadable::NoRecords);
        }
        let kept = kept(reader.metadata(), rows, options);
        let mut columns = Vec::with_capacity(layout.leaves.len());
        for (index, leaf) in layout.leaves.iter().enumerate() {
            let (gathered, levels) = gather(&reader, index, leaf, kept.as_deref())?;
            for (&group, missing) in leaf.groups.iter().zip(levels) {
                layout.groups[group].missing |= missing;
            }
            let (column, written) = gathered.finish(leaf);
            columns.push(column);
            layout.columns.push(written);
        }
        let table = Table::new(columns).expect("every column was gathered at the same rows");
        let layout = Layout { format: Format::Parquet(layout) };
        Ok(Reading { table, layout, rows, set_aside: SetAside::default() })
    })
}

/// Reads a file that has this layout; see [`Layout::read_back`].
pub(crate) fn read_back(layout: &ParquetLayout, file: &File, options: &ReadOptions) -> Result<Table, Unreadable> {
    guarded(|| {
        let reader = open(file)?;
        if reader.metadata().file_metadata().schema_descr().root_schema() != &*layout.schema {
            return Err(Unreadable::OtherHeader);
        }
        let kept = kept(reader.metadata(), rows(reader.metadata()), options);
        let mut columns = Vec::with_capacity(layout.leaves.len());
        for (index, (leaf, column)) in layout.leaves.iter().zip(&layout.columns).enumerate() {
            let (gathered, _) = gather(&reader, index, leaf, kept.as_deref())?;
            columns.push(gathered.column(leaf, column).map_err(|(_, line)| {
                let mut set_aside = SetAside::default();
                set_aside.add(line, Flaw::Cell { column: leaf.name.clone() });
                Unreadable::Malformed { set_aside, rows: rows(reader.metadata()).saturating_sub(1) }
            })?);
        }
        Ok(Table::new(columns).expect("every column was gathered at the same rows"))
    })
}

/// A damaged file may make the decoder panic, which says no more than that it is damaged.
pub(crate) fn guarded<T>(read: impl FnOnce() -> Result<T, Unreadable>) -> Result<T, Unreadable> {
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err(damaged(ParquetError::General("a page cannot be decoded".into()))))
}

/// What the decoder says.
pub(crate) fn damaged(error: ParquetError) -> Unreadable {
    let cause = match error {
        ParquetError::General(text) | ParquetError::EOF(text) | ParquetError::NYI(text) => text,
        other => other.to_string(),
    };
    Unreadable::DamagedParquet { cause }
}

fn open(file: &File) -> Result<SerializedFileReader<File>, Unreadable> {
    let file = file.try_clone().map_err(Unreadable::Io)?;
    SerializedFileReader::new(file).map_err(damaged)
}

fn rows(metadata: &ParquetMetaData) -> u64 {
    metadata.row_groups().iter().map(|group| group.num_rows().max(0) as u64).fold(0, u64::saturating_add)
}

/// The layout that a file's footer tells, without its columns.
pub(crate) fn layout(metadata: &ParquetMetaData) -> Result<ParquetLayout, Unreadable> {
    let file = metadata.file_metadata();
    let schema = file.schema_descr();
    let (leaves, groups) = leaves(schema.root_schema(), schema.columns())?;
    let mut duplicates: Vec<String> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for leaf in &leaves {
        if !seen.insert(&leaf.name) && !duplicates.contains(&leaf.name) {
            duplicates.push(leaf.name.clone());
        }
    }
    if !duplicates.is_empty() {
        return Err(Unreadable::DuplicateHeader { names: duplicates });
    }
    for group in metadata.row_groups() {
        for (chunk, leaf) in group.columns().iter().zip(&leaves) {
            if let Compression::LZO | Compression::LZ4 | Compression::LZ4_RAW = chunk.compression() {
                return Err(refused(&leaf.name, "is packed with LZ4 or LZO"));
            }
        }
    }
    let first = metadata.row_groups().first();
    let compression = first.map_or(Vec::new(), |group| group.columns().iter().map(|c| c.compression()).collect());
    let rows_max = metadata.row_groups().iter().map(|group| group.num_rows().max(0) as usize).max();
    Ok(ParquetLayout {
        schema: schema.root_schema_ptr(),
        metadata: file.key_value_metadata().cloned(),
        compression,
        group_rows: rows_max.unwrap_or_default(),
        leaves,
        groups,
        columns: Vec::new(),
    })
}

/// The positions of the sampled rows in order, or `None` for all.
fn kept(metadata: &ParquetMetaData, rows: u64, options: &ReadOptions) -> Option<Vec<u64>> {
    let bytes: u64 = metadata.row_groups().iter().map(|group| group.total_byte_size().max(0) as u64).sum();
    let cells = metadata.file_metadata().schema_descr().num_columns() * CELL_BYTES;
    let row_bytes = bytes as f64 / rows.max(1) as f64 + cells as f64;
    // One row always stays, so that a file of one huge row is still a table.
    let fitting = ((options.bytes_max as f64 / row_bytes) as usize).max(1);
    let rows_max = options.rows_max.min(fitting);
    (rows > rows_max as u64).then(|| positions(rows, rows_max, options.seed))
}

/// Reads one column of all row groups; also which of the levels down to a value are the last in any row without one.
fn gather(
    reader: &SerializedFileReader<File>,
    index: usize,
    leaf: &Leaf,
    kept: Option<&[u64]>,
) -> Result<(Gathered, Vec<bool>), Unreadable> {
    let mut gathered = Gathered::new(leaf);
    let mut rows = Rows { next: 0, kept, levels: vec![false; leaf.groups.len() + 1] };
    let mut not_text = false;
    for group in 0..reader.num_row_groups() {
        let group = reader.get_row_group(group).map_err(damaged)?;
        let expected = rows.next + group.metadata().num_rows().max(0) as u64;
        let descriptor = group.metadata().schema_descr().column(index);
        let level = descriptor.max_def_level();
        let meaning = leaf.meaning;
        match group.get_column_reader(index).map_err(damaged)? {
            ColumnReader::BoolColumnReader(column) => {
                pass(column, level, &mut rows, |_, kept, value| gathered.bool(kept, value.copied()))
            }
            ColumnReader::Int32ColumnReader(column) => pass(column, level, &mut rows, |_, kept, value| {
                // Unsigned numbers are stored as the signed ones of the same bits.
                let unsigned = matches!(meaning, Meaning::Whole { low: 0, .. });
                let wide = |value: &i32| if unsigned { i64::from(*value as u32) } else { i64::from(*value) };
                gathered.int(meaning, kept, value.map(wide));
            }),
            ColumnReader::Int64ColumnReader(column) => pass(column, level, &mut rows, |row, kept, value| {
                if let Meaning::Digits { places, low, .. } = meaning {
                    let wide = |value: &i64| if low == 0 { i128::from(*value as u64) } else { i128::from(*value) };
                    gathered.digits(row, kept, value.map(wide), places);
                } else {
                    gathered.int(meaning, kept, value.copied());
                }
            }),
            ColumnReader::Int96ColumnReader(column) => pass(column, level, &mut rows, |_, kept, value| {
                gathered.int(meaning, kept, value.map(|value| value.to_micros()));
            }),
            ColumnReader::FloatColumnReader(column) => pass(column, level, &mut rows, |_, kept, value| {
                gathered.double(kept, value.map(|&value| f64::from(value)))
            }),
            ColumnReader::DoubleColumnReader(column) => {
                pass(column, level, &mut rows, |_, kept, value| gathered.double(kept, value.copied()))
            }
            ColumnReader::ByteArrayColumnReader(column) => pass(column, level, &mut rows, |row, kept, value| {
                not_text |= !gathered.bytes(row, kept, value.map(|value| value.data()), meaning);
            }),
            ColumnReader::FixedLenByteArrayColumnReader(column) => {
                pass(column, level, &mut rows, |row, kept, value| {
                    not_text |= !gathered.bytes(row, kept, value.map(|value| value.data()), meaning);
                })
            }
        }
        .map_err(damaged)?;
        if not_text {
            return Err(refused(&leaf.name, "holds bytes that are no text"));
        }
        if rows.next != expected {
            return Err(damaged(ParquetError::General(format!("column `{}` ends too early", leaf.name))));
        }
    }
    Ok((gathered, rows.levels))
}

/// Tells which rows are sampled, in their order.
struct Rows<'a> {
    next: u64,
    kept: Option<&'a [u64]>,
    /// Whether any row without a value ends at this level.
    levels: Vec<bool>,
}

impl Rows<'_> {
    /// Goes to the next row: its position and whether it is sampled.
    fn step(&mut self) -> (u64, bool) {
        let row = self.next;
        self.next += 1;
        let kept = match &mut self.kept {
            None => true,
            Some([first, rest @ ..]) if *first == row => {
                self.kept = Some(rest);
                true
            }
            Some(_) => false,
        };
        (row, kept)
    }
}

/// Goes over the values of one column in one row group.
fn pass<T: DataType>(
    mut column: ColumnReaderImpl<T>,
    level: i16,
    rows: &mut Rows<'_>,
    mut take: impl FnMut(u64, bool, Option<&T::T>),
) -> Result<(), ParquetError> {
    let (mut levels, mut values) = (Vec::with_capacity(BATCH_ROWS), Vec::with_capacity(BATCH_ROWS));
    loop {
        levels.clear();
        values.clear();
        let (records, _, _) = column.read_records(BATCH_ROWS, Some(&mut levels), None, &mut values)?;
        if records == 0 {
            return Ok(());
        }
        let mut present = values.iter();
        for at in 0..records {
            let (row, kept) = rows.step();
            let value = match levels.get(at) {
                Some(&last) if last < level => {
                    if let Some(seen) = rows.levels.get_mut(last.max(0) as usize) {
                        *seen = true;
                    }
                    None
                }
                _ => present.next(),
            };
            take(row, kept, value);
        }
    }
}
