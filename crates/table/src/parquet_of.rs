//! Any table as a Parquet file. In: a table, whatever format it was read from. Out: the same rows in Parquet's types, and a
//! layout to write them by. Nothing is lost: what a number or a truth value could not say is text as its source spells it.

use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::errors::ParquetError;
use parquet::schema::types::Type;

use crate::layout::Format;
use crate::parquet_column::ParquetColumn;
use crate::parquet_layout::ParquetLayout;
use crate::parquet_type::{Leaf, Meaning};
use crate::{Cell, Column, Form, Kind, Layout, Spelling, Table, respell};

/// Rows of a row group.
const GROUP_ROWS: usize = 1 << 16;

/// The rows of `table` as columns that Parquet has types for, and a layout to write them (and others like them) by. Plain
/// numbers stay numbers, `true` and `false` in any case truth values; times, and numbers with padding, currency or thousands
/// marks, become the text that their source has: the same cells that a reader of that source gets.
pub fn to_parquet(table: &Table) -> (Table, Layout) {
    let columns: Vec<Column> = (0..table.columns())
        .map(|at| match plain(table.kind(at), table.spelling(at)) {
            true => table.column(at),
            false => respell(table, at, Kind::Text, &Spelling::plain()).expect("every cell has a text"),
        })
        .collect();
    let table = Table::new(columns).expect("columns of one table");
    let layout = layout(&table).expect("a table's columns have names and types that a schema takes");
    (table, Layout { format: Format::Parquet(layout) })
}

impl Layout {
    /// Whether files of this layout are Parquet.
    pub fn is_parquet(&self) -> bool {
        matches!(self.format, Format::Parquet(_))
    }
}

/// Whether every reader would take the cells of a column for what they are.
fn plain(kind: Kind, spelling: &Spelling) -> bool {
    match (kind, &spelling.form) {
        (Kind::Text | Kind::Int | Kind::Real, Form::Plain) => true,
        (Kind::Int | Kind::Real, Form::Number(number)) => {
            let [prefix, suffix, marks] = number.ornaments();
            let bare = prefix.is_empty() && suffix.is_empty() && marks.bytes().all(|mark| mark == b'.');
            bare && number.width == 0 && !number.plus
        }
        (Kind::Bool, _) => {
            let word = |value: bool| {
                let mut out = Vec::new();
                spelling.write(Cell::Bool(value), &mut out);
                out.eq_ignore_ascii_case(value.to_string().as_bytes())
            };
            word(true) && word(false)
        }
        _ => false,
    }
}

fn layout(table: &Table) -> Result<ParquetLayout, ParquetError> {
    let (mut fields, mut leaves, mut columns) = (Vec::new(), Vec::new(), Vec::new());
    for at in 0..table.columns() {
        let (kind, name) = (table.kind(at), table.name(at));
        let (physical, logical, meaning) = match kind {
            Kind::Int => (Physical::INT64, None, Meaning::Whole { low: i64::MIN, high: i64::MAX }),
            Kind::Real => (Physical::DOUBLE, None, Meaning::Double),
            Kind::Bool => (Physical::BOOLEAN, None, Meaning::Bool),
            Kind::Text | Kind::Time => (Physical::BYTE_ARRAY, Some(LogicalType::String), Meaning::Text),
        };
        let field = Type::primitive_type_builder(name, physical)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(logical)
            .build()?;
        fields.push(Arc::new(field));
        leaves.push(Leaf { name: name.into(), meaning, groups: Vec::new(), optional: true });
        columns.push(ParquetColumn { kind, spelling: table.spelling(at).clone(), word: false });
    }
    let schema = Type::group_type_builder("schema").with_fields(fields).build()?;
    Ok(ParquetLayout {
        schema: Arc::new(schema),
        metadata: None,
        compression: vec![Compression::SNAPPY; columns.len()],
        group_rows: GROUP_ROWS,
        leaves,
        groups: Vec::new(),
        columns,
    })
}
