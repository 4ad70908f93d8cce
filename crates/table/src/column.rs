//! Columns and tables. In: Arrow arrays with their spelling. Out: a [`Table`] whose columns all have the
//! same length. Nothing here parses or prints values.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, Int32Builder, PrimitiveBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{
    Array, ArrayRef, BooleanArray, DictionaryArray, Float64Array, Int64Array, PrimitiveArray, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow_schema::{DataType, Field, Schema, TimeUnit};

use crate::Spelling;

/// What a column's values are, whatever their spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Whole numbers (`Int64`).
    Int,
    /// Numbers with a fraction (`Float64`).
    Real,
    /// Truth values (`Boolean`).
    Bool,
    /// Dates, timestamps and clock times: microseconds since 1970-01-01 (`Timestamp(Microsecond, None)`), as the
    /// source's own wall clock reads; a clock time lies on 1970-01-01.
    Time,
    /// Everything else: a dictionary of distinct strings (`Dictionary(Int32, Utf8)`).
    Text,
}

/// The values of one column, typed; `rows` long, nulls in the array's validity bitmap.
#[derive(Clone, Copy, Debug)]
pub enum Values<'a> {
    /// Whole numbers.
    Int(&'a Int64Array),
    /// Numbers with a fraction; never NaN or infinite.
    Real(&'a Float64Array),
    /// Truth values.
    Bool(&'a BooleanArray),
    /// Microseconds since 1970-01-01 of the wall clock.
    Time(&'a TimestampMicrosecondArray),
    /// Codes into distinct strings.
    Text(&'a DictionaryArray<Int32Type>),
}

impl Values<'_> {
    /// A number that tells the cell of row `row` from the others of its column; missing ones share theirs.
    pub fn bits(&self, row: usize) -> u64 {
        const MISSING: u64 = u64::MAX - 1;
        let present = |valid: bool, bits: u64| if valid { bits } else { MISSING };
        match self {
            Values::Int(values) => present(values.is_valid(row), values.value(row) as u64),
            Values::Time(values) => present(values.is_valid(row), values.value(row) as u64),
            Values::Real(values) => present(values.is_valid(row), (values.value(row) + 0.0).to_bits()),
            Values::Bool(values) => present(values.is_valid(row), values.value(row) as u64),
            Values::Text(values) => values.key(row).map_or(MISSING, |key| key as u64),
        }
    }
}

/// One named column: its values and how the source wrote them.
#[derive(Clone, Debug)]
pub struct Column {
    /// The header's name.
    pub name: String,
    /// The values; one of the five types of [`Kind`].
    pub values: ArrayRef,
    /// How a value is written.
    pub spelling: Spelling,
}

impl Column {
    /// A column of whole numbers.
    pub fn ints(name: &str, values: Vec<Option<i64>>, spelling: Spelling) -> Column {
        Column { name: name.into(), values: Arc::new(Int64Array::from(values)), spelling }
    }

    /// A column of numbers with a fraction.
    pub fn reals(name: &str, values: Vec<Option<f64>>, spelling: Spelling) -> Column {
        Column { name: name.into(), values: Arc::new(Float64Array::from(values)), spelling }
    }

    /// A column of truth values.
    pub fn bools(name: &str, values: Vec<Option<bool>>, spelling: Spelling) -> Column {
        Column { name: name.into(), values: Arc::new(BooleanArray::from(values)), spelling }
    }

    /// A column of wall-clock times in microseconds since 1970-01-01.
    pub fn times(name: &str, values: Vec<Option<i64>>, spelling: Spelling) -> Column {
        Column { name: name.into(), values: Arc::new(TimestampMicrosecondArray::from(values)), spelling }
    }

    /// A column of text from codes into `words`; a code of `None` is a null. Every code must be below `words.len()`.
    pub fn texts(name: &str, codes: Vec<Option<i32>>, words: Vec<String>, spelling: Spelling) -> Column {
        let keys = PrimitiveArray::<Int32Type>::from(codes);
        let values = DictionaryArray::new(keys, Arc::new(StringArray::from(words)));
        Column { name: name.into(), values: Arc::new(values), spelling }
    }
}

impl Column {
    /// The column with the values of `with` at these rows: one each, in their order. Both are of one kind.
    pub fn filled(&self, rows: &[u32], with: &Column) -> Column {
        let mut from: Vec<Option<u32>> = vec![None; self.values.len()];
        rows.iter().enumerate().for_each(|(place, &row)| from[row as usize] = Some(place as u32));
        let values: ArrayRef = match (self.values.data_type(), with.values.data_type()) {
            (DataType::Int64, DataType::Int64) => Arc::new(mixed::<Int64Type>(&self.values, &with.values, &from)),
            (DataType::Float64, DataType::Float64) => Arc::new(mixed::<Float64Type>(&self.values, &with.values, &from)),
            (DataType::Timestamp(..), DataType::Timestamp(..)) => {
                Arc::new(mixed::<TimestampMicrosecondType>(&self.values, &with.values, &from))
            }
            (DataType::Boolean, DataType::Boolean) => {
                let (own, other) = (self.values.as_boolean(), with.values.as_boolean());
                let at = |array: &BooleanArray, row: usize| array.is_valid(row).then(|| array.value(row));
                let value =
                    |(row, from): (usize, &Option<u32>)| from.map_or(at(own, row), |place| at(other, place as usize));
                Arc::new(from.iter().enumerate().map(value).collect::<BooleanArray>())
            }
            (DataType::Dictionary(..), DataType::Dictionary(..)) => {
                let (own, other) = (self.values.as_dictionary::<Int32Type>(), with.values.as_dictionary::<Int32Type>());
                let words = |array: &DictionaryArray<Int32Type>| -> Vec<String> {
                    array.values().as_string::<i32>().iter().map(|word| word.unwrap_or_default().to_string()).collect()
                };
                let mut all = words(own);
                let shift = all.len() as i32;
                all.extend(words(other));
                let code = |(row, from): (usize, &Option<u32>)| match from {
                    None => own.key(row).map(|key| key as i32),
                    Some(place) => other.key(*place as usize).map(|key| key as i32 + shift),
                };
                let codes = from.iter().enumerate().map(code).collect();
                return Column::texts(&self.name, codes, all, self.spelling.clone());
            }
            _ => self.values.clone(),
        };
        Column { values, name: self.name.clone(), spelling: self.spelling.clone() }
    }
}

fn mixed<T: ArrowPrimitiveType>(own: &ArrayRef, other: &ArrayRef, from: &[Option<u32>]) -> PrimitiveArray<T> {
    let (own, other) = (own.as_primitive::<T>(), other.as_primitive::<T>());
    let at = |array: &PrimitiveArray<T>, row: usize| array.is_valid(row).then(|| array.value(row));
    from.iter().enumerate().map(|(row, from)| from.map_or(at(own, row), |place| at(other, place as usize))).collect()
}

/// Why columns do not make a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misshapen {
    /// A column is not as long as the first one.
    Length {
        /// Name of the column.
        column: String,
        /// Its rows.
        rows: usize,
        /// The rows of the first column.
        expected: usize,
    },
    /// A column's Arrow type is none of the five.
    Type {
        /// Name of the column.
        column: String,
        /// Its Arrow type.
        found: String,
    },
}

impl std::fmt::Display for Misshapen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Misshapen::Length { column, rows, expected } => {
                write!(f, "column `{column}` has {rows} rows where the first column has {expected}")
            }
            Misshapen::Type { column, found } => write!(f, "column `{column}` is of the unsupported type {found}"),
        }
    }
}

impl std::error::Error for Misshapen {}

/// Columns of equal length, each with its spelling. `rows() x columns()`.
#[derive(Clone, Debug)]
pub struct Table {
    batch: RecordBatch,
    spelling: Vec<Spelling>,
}

impl Table {
    /// A table of these columns, in this order. Column names may repeat; positions tell columns apart.
    pub fn new(columns: Vec<Column>) -> Result<Table, Misshapen> {
        let expected = columns.first().map_or(0, |c| c.values.len());
        let mut fields = Vec::with_capacity(columns.len());
        let mut arrays = Vec::with_capacity(columns.len());
        let mut spelling = Vec::with_capacity(columns.len());
        for column in columns {
            if column.values.len() != expected {
                return Err(Misshapen::Length { column: column.name, rows: column.values.len(), expected });
            }
            if kind_of(column.values.data_type()).is_none() {
                return Err(Misshapen::Type { column: column.name, found: column.values.data_type().to_string() });
            }
            fields.push(Field::new(column.name, column.values.data_type().clone(), true));
            arrays.push(column.values);
            spelling.push(column.spelling);
        }
        let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(expected));
        let batch = RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
            .expect("lengths and types were checked above");
        Ok(Table { batch, spelling })
    }

    /// How many rows the table has.
    pub fn rows(&self) -> usize {
        self.batch.num_rows()
    }

    /// How many columns the table has.
    pub fn columns(&self) -> usize {
        self.batch.num_columns()
    }

    /// The name of column `index`.
    pub fn name(&self, index: usize) -> &str {
        self.batch.schema_ref().field(index).name()
    }

    /// The position of the first column with this name.
    pub fn position(&self, name: &str) -> Option<usize> {
        (0..self.columns()).find(|&index| self.name(index) == name)
    }

    /// What column `index` holds.
    pub fn kind(&self, index: usize) -> Kind {
        kind_of(self.batch.column(index).data_type()).expect("checked when the table was made")
    }

    /// The typed values of column `index`.
    pub fn values(&self, index: usize) -> Values<'_> {
        let array = self.batch.column(index);
        match self.kind(index) {
            Kind::Int => Values::Int(array.as_primitive::<Int64Type>()),
            Kind::Real => Values::Real(array.as_primitive::<Float64Type>()),
            Kind::Bool => Values::Bool(array.as_boolean()),
            Kind::Time => Values::Time(array.as_primitive::<TimestampMicrosecondType>()),
            Kind::Text => Values::Text(array.as_dictionary::<Int32Type>()),
        }
    }

    /// How the source wrote column `index`.
    pub fn spelling(&self, index: usize) -> &Spelling {
        &self.spelling[index]
    }

    /// Whether row `row` of column `index` is missing.
    pub fn missing(&self, index: usize, row: usize) -> bool {
        self.batch.column(index).is_null(row)
    }

    /// Column `index` with its name and spelling (the values are shared, not copied).
    pub fn column(&self, index: usize) -> Column {
        Column {
            name: self.name(index).to_string(),
            values: self.batch.column(index).clone(),
            spelling: self.spelling[index].clone(),
        }
    }

    /// The rows at these positions, in this order; a position may occur more than once.
    pub fn take(&self, rows: &[u32]) -> Table {
        let columns =
            (0..self.columns()).map(|index| Column { values: self.take_values(index, rows), ..self.column(index) });
        Table::new(columns.collect()).expect("every column was taken at the same rows")
    }

    /// A number for each row, the same for rows that agree in these columns; numbered from 0 in the order of their first
    /// rows.
    pub fn groups(&self, columns: &[usize]) -> Vec<u32> {
        let values: Vec<Values> = columns.iter().map(|&column| self.values(column)).collect();
        let mut number: HashMap<Vec<u64>, u32> = HashMap::new();
        let group = |row: usize| {
            let key = values.iter().map(|values| values.bits(row)).collect();
            let next = number.len() as u32;
            *number.entry(key).or_insert(next)
        };
        (0..self.rows()).map(group).collect()
    }

    /// The first `rows_max` rows, or all.
    pub fn head(&self, rows_max: usize) -> Table {
        let batch = self.batch.slice(0, rows_max.min(self.rows()));
        Table { batch, spelling: self.spelling.clone() }
    }

    /// So many rows from a position on.
    pub(crate) fn slice(&self, start: usize, rows: usize) -> Table {
        Table { batch: self.batch.slice(start, rows), spelling: self.spelling.clone() }
    }

    fn take_values(&self, index: usize, rows: &[u32]) -> ArrayRef {
        match self.values(index) {
            Values::Int(values) => Arc::new(take_primitive(values, rows)),
            Values::Real(values) => Arc::new(take_primitive(values, rows)),
            Values::Time(values) => Arc::new(take_primitive(values, rows)),
            Values::Bool(values) => {
                let mut taken = BooleanBuilder::with_capacity(rows.len());
                for &row in rows {
                    let row = row as usize;
                    taken.append_option(values.is_valid(row).then(|| values.value(row)));
                }
                Arc::new(taken.finish())
            }
            Values::Text(values) => {
                let mut keys = Int32Builder::with_capacity(rows.len());
                for &row in rows {
                    keys.append_option(values.key(row as usize).map(|key| key as i32));
                }
                Arc::new(DictionaryArray::new(keys.finish(), values.values().clone()))
            }
        }
    }
}

fn take_primitive<T: ArrowPrimitiveType>(values: &PrimitiveArray<T>, rows: &[u32]) -> PrimitiveArray<T> {
    let mut taken = PrimitiveBuilder::<T>::with_capacity(rows.len());
    for &row in rows {
        let row = row as usize;
        taken.append_option(values.is_valid(row).then(|| values.value(row)));
    }
    taken.finish()
}

fn kind_of(data_type: &DataType) -> Option<Kind> {
    match data_type {
        DataType::Int64 => Some(Kind::Int),
        DataType::Float64 => Some(Kind::Real),
        DataType::Boolean => Some(Kind::Bool),
        DataType::Timestamp(TimeUnit::Microsecond, None) => Some(Kind::Time),
        DataType::Dictionary(key, value) if **key == DataType::Int32 && **value == DataType::Utf8 => Some(Kind::Text),
        _ => None,
    }
}
