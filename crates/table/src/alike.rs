//! Brings tables that were read apart to common kinds, so that they can be compared. In: tables of one header. Out: the
//! same tables with the same kind in each column. Values never change beyond whole numbers becoming reals and
//! values becoming the text they were written as.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{Float64Array, Int64Array};

use crate::layout::value;
use crate::{Cell, Column, Form, Kind, Spelling, Table, Values};

/// Tables whose headers differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The table's position among those given.
    pub table: usize,
    /// Columns of the first table that this one lacks.
    pub missing: Vec<String>,
    /// Columns of this table that the first lacks. Both are empty if only the order differs.
    pub surplus: Vec<String>,
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let list = |names: &[String]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        write!(f, "table {} has other columns than table 1", self.table + 1)?;
        match (self.missing.is_empty(), self.surplus.is_empty()) {
            (true, true) => write!(f, ": the same in another order"),
            (false, true) => write!(f, ": without {}", list(&self.missing)),
            (true, false) => write!(f, ": also {}", list(&self.surplus)),
            (false, false) => write!(f, ": {} instead of {}", list(&self.surplus), list(&self.missing)),
        }
    }
}

impl std::error::Error for Mismatch {}

/// The tables with the same kind in each column: whole numbers beside reals become reals, any other kinds that differ
/// become text; a column without values takes any kind. Columns keep their spelling where they keep their kind.
pub fn alike(tables: &[&Table]) -> Result<Vec<Table>, Mismatch> {
    let Some(first) = tables.first() else { return Ok(Vec::new()) };
    for (index, table) in tables.iter().enumerate() {
        check(index, first, table)?;
    }
    let kinds: Vec<Kind> = (0..first.columns()).map(|column| common(tables, column)).collect();
    Ok(tables.iter().map(|table| convert(table, &kinds)).collect())
}

fn check(index: usize, first: &Table, table: &Table) -> Result<(), Mismatch> {
    let names = |table: &Table| (0..table.columns()).map(|column| table.name(column).to_string()).collect::<Vec<_>>();
    let (ours, theirs) = (names(table), names(first));
    if ours == theirs {
        return Ok(());
    }
    let without =
        |some: &[String], others: &[String]| some.iter().filter(|name| !others.contains(name)).cloned().collect();
    Err(Mismatch { table: index, missing: without(&theirs, &ours), surplus: without(&ours, &theirs) })
}

fn common(tables: &[&Table], column: usize) -> Kind {
    let mut common = None;
    for table in tables.iter().filter(|table| (0..table.rows()).any(|row| !table.missing(column, row))) {
        common = match (common, table.kind(column)) {
            (None, kind) => Some(kind),
            (Some(common), kind) if common == kind => Some(kind),
            (Some(Kind::Int | Kind::Real), Kind::Int | Kind::Real) => Some(Kind::Real),
            _ => Some(Kind::Text),
        };
    }
    common.unwrap_or(Kind::Text)
}

fn convert(table: &Table, kinds: &[Kind]) -> Table {
    let columns = kinds.iter().enumerate().map(|(index, &kind)| {
        let column = table.column(index);
        match (table.values(index), kind) {
            _ if table.kind(index) == kind => column,
            (Values::Int(values), Kind::Real) => Column { values: Arc::new(reals(values)), ..column },
            (_, Kind::Text) => texts(table, index),
            // Only a column without values comes here: any other kind was weighed above.
            _ => empty(&column.name, kind, table.rows()),
        }
    });
    Table::new(columns.collect()).expect("every column keeps its rows")
}

fn reals(values: &Int64Array) -> Float64Array {
    values.iter().map(|value| value.map(|value| value as f64)).collect()
}

fn empty(name: &str, kind: Kind, rows: usize) -> Column {
    match kind {
        Kind::Int => Column::ints(name, vec![None; rows], Spelling::plain()),
        Kind::Real => Column::reals(name, vec![None; rows], Spelling::plain()),
        Kind::Bool => Column::bools(name, vec![None; rows], Spelling::plain()),
        Kind::Time => Column::times(name, vec![None; rows], Spelling::plain()),
        Kind::Text => Column::texts(name, vec![None; rows], Vec::new(), Spelling::plain()),
    }
}

fn texts(table: &Table, index: usize) -> Column {
    let (values, spelling) = (table.values(index), table.spelling(index));
    let mut words: Vec<String> = Vec::new();
    let mut code_of: HashMap<Vec<u8>, i32> = HashMap::new();
    let mut cell = Vec::new();
    let mut code = |row| {
        let value = value(&values, row);
        if value == Cell::Null {
            return None;
        }
        cell.clear();
        spelling.write(value, &mut cell);
        if let Some(&code) = code_of.get(&cell) {
            return Some(code);
        }
        let code = words.len() as i32;
        words.push(String::from_utf8_lossy(&cell).into_owned());
        code_of.insert(cell.clone(), code);
        Some(code)
    };
    let codes = (0..table.rows()).map(&mut code).collect();
    Column::texts(table.name(index), codes, words, Spelling { form: Form::Plain, null: spelling.null.clone() })
}
