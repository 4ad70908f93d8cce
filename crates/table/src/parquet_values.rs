//! Turns cells into Parquet values. In: the rows of a row group. Out: values and definition levels, column by column. A value
//! that a column's type cannot hold becomes the nearest that it can.

use parquet::basic::Type as Physical;
use parquet::column::writer::ColumnWriter;
use parquet::data_type::{ByteArray, DataType, FixedLenByteArray, Int96};
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedColumnWriter;

use arrow_array::Array;
use arrow_array::cast::AsArray;

use crate::layout::value;
use crate::parquet_column::ParquetColumn;
use crate::parquet_layout::ParquetLayout;
use crate::parquet_type::{Leaf, Meaning, unscaled};
use crate::time::DAY;
use crate::{Cell, Spelling, Table, Values};

/// The Julian day of 1970-01-01.
const JULIAN_EPOCH: i64 = 2_440_588;
const WRITE_ROWS: usize = 4096;

/// Which groups are there in which rows.
pub(crate) struct Levels {
    /// Per group, per row: whether any value in it is there.
    present: Vec<Vec<bool>>,
}

impl Levels {
    pub(crate) fn of(layout: &ParquetLayout, tables: &[Table], rows: usize) -> Levels {
        let present = layout.groups.iter().map(|group| {
            let mut present = vec![!group.missing; rows];
            for leaf in group.leaves.clone() {
                let mut at = 0;
                for table in tables {
                    for row in 0..table.rows() {
                        present[at] |= !table.missing(leaf, row) || layout.columns[leaf].word;
                        at += 1;
                    }
                }
            }
            present
        });
        Levels { present: present.collect() }
    }

    /// How deep a row is there down to a column whose value is missing; `None` if a value must be there.
    fn missing(&self, leaf: &Leaf, row: usize) -> Option<i16> {
        let depth = leaf.groups.iter().take_while(|&&group| self.present[group][row]).count();
        (depth < leaf.groups.len() || leaf.optional).then_some(depth as i16)
    }
}

/// Writes one column of a row group.
pub(crate) fn write_column(
    writer: &mut SerializedColumnWriter<'_>,
    layout: &ParquetLayout,
    index: usize,
    tables: &[Table],
    levels: &Levels,
) -> Result<(), ParquetError> {
    let (leaf, column) = (&layout.leaves[index], &layout.columns[index]);
    let cells = Cells { leaf, column, levels, tables, index };
    let meaning = leaf.meaning;
    match writer.untyped() {
        ColumnWriter::BoolColumnWriter(writer) => cells.write(writer, |cell| matches!(cell, Cell::Bool(true))),
        ColumnWriter::Int32ColumnWriter(writer) => cells.write(writer, |cell| {
            // Unsigned numbers are stored as the signed ones of the same bits.
            integer(meaning, column, cell) as i32
        }),
        ColumnWriter::Int64ColumnWriter(writer) => cells.write(writer, |cell| integer(meaning, column, cell) as i64),
        ColumnWriter::Int96ColumnWriter(writer) => {
            cells.write(writer, |cell| stamp_old(integer(meaning, column, cell) as i64))
        }
        ColumnWriter::FloatColumnWriter(writer) => cells.write(writer, |cell| match real(column, cell) as f32 {
            value if value.is_infinite() => f32::MAX.copysign(value),
            value => value,
        }),
        ColumnWriter::DoubleColumnWriter(writer) => cells.write(writer, |cell| real(column, cell)),
        ColumnWriter::ByteArrayColumnWriter(writer) => {
            cells.write_bytes(writer, |cell| ByteArray::from(bytes(meaning, column, None, cell)))
        }
        ColumnWriter::FixedLenByteArrayColumnWriter(writer) => {
            let descriptor = writer.get_descriptor().clone();
            debug_assert_eq!(descriptor.physical_type(), Physical::FIXED_LEN_BYTE_ARRAY);
            let length = descriptor.type_length().max(0) as usize;
            cells.write_bytes(writer, |cell| {
                FixedLenByteArray::from(ByteArray::from(bytes(meaning, column, Some(length), cell)))
            })
        }
    }
}

/// The cells of one column.
struct Cells<'a> {
    leaf: &'a Leaf,
    column: &'a ParquetColumn,
    levels: &'a Levels,
    tables: &'a [Table],
    index: usize,
}

type Writer<'a, T> = parquet::column::writer::ColumnWriterImpl<'a, T>;

impl Cells<'_> {
    fn write<T: DataType>(
        &self,
        writer: &mut Writer<'_, T>,
        of: impl Fn(Cell<'_>) -> T::T,
    ) -> Result<(), ParquetError> {
        self.write_each(writer, |values, row| of(value(values, row)))
    }

    /// Turns each different text into bytes only once.
    fn write_bytes<T: DataType>(
        &self,
        writer: &mut Writer<'_, T>,
        of: impl Fn(Cell<'_>) -> T::T,
    ) -> Result<(), ParquetError> {
        let mut words: Vec<Option<T::T>> = Vec::new();
        let mut of_table: Option<*const ()> = None;
        self.write_each(writer, |values, row| {
            let Values::Text(texts) = values else { return of(value(values, row)) };
            let Some(key) = texts.key(row) else { return of(Cell::Null) };
            let dictionary = texts.values().as_string::<i32>();
            let place = std::ptr::from_ref(dictionary).cast::<()>();
            if of_table != Some(place) {
                of_table = Some(place);
                words.clear();
                words.resize(dictionary.len(), None);
            }
            words[key].get_or_insert_with(|| of(Cell::Text(dictionary.value(key)))).clone()
        })
    }

    fn write_each<T: DataType>(
        &self,
        writer: &mut Writer<'_, T>,
        mut of: impl FnMut(&Values<'_>, usize) -> T::T,
    ) -> Result<(), ParquetError> {
        let depth = (self.leaf.groups.len() + usize::from(self.leaf.optional)) as i16;
        let (mut levels, mut written) = (Vec::with_capacity(WRITE_ROWS), Vec::with_capacity(WRITE_ROWS));
        let mut at = 0;
        for table in self.tables {
            let values = table.values(self.index);
            for row in 0..table.rows() {
                let missing = table.missing(self.index, row) && !self.column.word;
                match if missing { self.levels.missing(self.leaf, at) } else { None } {
                    Some(level) => levels.push(level),
                    None => {
                        levels.push(depth);
                        written.push(of(&values, row));
                    }
                }
                at += 1;
                if levels.len() == WRITE_ROWS {
                    writer.write_batch(&written, (depth > 0).then_some(&levels[..]), None)?;
                    levels.clear();
                    written.clear();
                }
            }
        }
        if !levels.is_empty() {
            writer.write_batch(&written, (depth > 0).then_some(&levels[..]), None)?;
        }
        Ok(())
    }
}

/// A cell as it is read in text: for a column whose values are told by texts.
fn text(column: &ParquetColumn, cell: Cell<'_>) -> String {
    let mut out = Vec::new();
    column.spelling.write(cell, &mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// What is stored for a whole number, a decimal or a time. What must be there and is missing is zero.
fn integer(meaning: Meaning, column: &ParquetColumn, cell: Cell<'_>) -> i128 {
    match (meaning, cell) {
        (Meaning::Whole { low, high }, Cell::Int(value)) => i128::from(value.clamp(low, high)),
        (Meaning::Decimal { places, digits }, Cell::Real(value)) => {
            let most = 10f64.powi(digits as i32) - 1.0;
            (value * 10f64.powi(places as i32)).round().clamp(-most, most) as i128
        }
        (Meaning::Digits { places, low, high }, cell) if cell != Cell::Null => {
            unscaled(&text(column, cell), places).unwrap_or_default().clamp(low, high)
        }
        (_, Cell::Time(micros)) => {
            let step = grain(&column.spelling);
            let stored = meaning.stored(micros - micros.rem_euclid(step));
            i128::from(if matches!(meaning, Meaning::Date) {
                stored.clamp(i64::from(i32::MIN), i64::from(i32::MAX))
            } else {
                stored
            })
        }
        _ => 0,
    }
}

fn grain(spelling: &Spelling) -> i64 {
    spelling.step().map_or(1, |step| (step as i64).clamp(1, DAY))
}

fn stamp_old(micros: i64) -> Int96 {
    let (day, nanos) = (micros.div_euclid(DAY), micros.rem_euclid(DAY) as u64 * 1000);
    let mut stamp = Int96::new();
    stamp.set_data(nanos as u32, (nanos >> 32) as u32, (day + JULIAN_EPOCH).clamp(0, i64::from(u32::MAX)) as u32);
    stamp
}

/// What is stored for a number; what is missing as `NaN`.
fn real(column: &ParquetColumn, cell: Cell<'_>) -> f64 {
    match cell {
        Cell::Int(value) => value as f64,
        Cell::Real(value) => match column.spelling.decimals() {
            Some(places) => {
                let power = 10f64.powi(places as i32);
                let near = (value * power).round() / power;
                if near.is_finite() { near } else { value }
            }
            None => value,
        },
        _ if column.word => f64::NAN,
        _ => 0.0,
    }
}

fn bytes(meaning: Meaning, column: &ParquetColumn, length: Option<usize>, cell: Cell<'_>) -> Vec<u8> {
    match meaning {
        Meaning::Uuid => uuid(&text(column, cell)),
        Meaning::Whole { .. } | Meaning::Decimal { .. } | Meaning::Digits { .. } => {
            let wide = integer(meaning, column, cell).to_be_bytes();
            let fill = if wide[0] >= 0x80 { 0xff } else { 0 };
            match length {
                Some(length) if length <= wide.len() => wide[wide.len() - length..].to_vec(),
                Some(length) => [vec![fill; length - wide.len()], wide.to_vec()].concat(),
                None => {
                    let sign = |at: usize| wide[at] == fill && (wide[at + 1] ^ fill) < 0x80;
                    let start = (0..wide.len() - 1).take_while(|&at| sign(at)).count();
                    wide[start..].to_vec()
                }
            }
        }
        _ if cell == Cell::Null && !column.word => Vec::new(),
        _ => text(column, cell).into_bytes(),
    }
}

/// The sixteen bytes of a UUID; of a text that is none, sixteen that it alone gives.
fn uuid(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().filter_map(|letter| letter.to_digit(16)).map(|digit| digit as u8).collect();
    if text.len() == 36 && digits.len() == 32 {
        return digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    }
    // Fowler, Noll and Vo, FNV-1a of 128 bits.
    let (basis, prime) = (0x6c62272e07bb014262b821756295c58d_u128, 0x0000000001000000000000000000013b_u128);
    text.bytes().fold(basis, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(prime)).to_be_bytes().to_vec()
}
