//! Columns as the metrics read them. In: tables of the same columns and kinds. Out: per column a [`Role`], and its
//! cells as numbers or as codes into levels that all tables share. What comes out depends on the rows, never on their
//! order.

use std::collections::HashMap;

use arrow_array::cast::AsArray;
use table::{Cell, Kind, Table, Values};

use crate::random::mix;

/// Text with more values than this can be an identifier.
const ID_VALUES_MIN: usize = 100;
/// Text of at least this share of distinct values is an identifier.
const ID_DISTINCT_SHARE: f64 = 0.95;
/// Numbers with at most this many distinct values count as categories.
const CATEGORY_DISTINCT_MAX: usize = 2;

/// How a column is judged. It is told from the training table alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Numbers with more than two distinct values.
    Number,
    /// Dates, timestamps and clock times with more than two distinct values, in microseconds.
    Time,
    /// Truth values, text, and columns of at most two distinct values.
    Category,
    /// Near-unique text: only compared with itself, never part of a distribution.
    Id,
}

impl Role {
    /// The word for it in the report.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Role::Number => "number",
            Role::Time => "time",
            Role::Category => "category",
            Role::Id => "identifier",
        }
    }

    /// Whether the cells are numbers.
    pub(crate) fn numeric(self) -> bool {
        matches!(self, Role::Number | Role::Time)
    }
}

/// One column over all tables.
pub(crate) struct Column {
    /// The header's name.
    pub(crate) name: String,
    /// How it is judged.
    pub(crate) role: Role,
    /// What the tables say it is.
    pub(crate) kind: Kind,
    /// The distinct values of a category or identifier as text: by falling count in the training table, then by the
    /// alphabet. Code `n` stands for `levels[n - 1]`.
    pub(crate) levels: Vec<String>,
    /// How many training rows hold each level.
    pub(crate) counts: Vec<usize>,
}

/// The cells of one column of one table.
#[derive(Clone)]
pub(crate) enum Cells {
    /// Numbers, or microseconds; NaN is missing.
    Numbers(Vec<f64>),
    /// 0 is missing, `n` stands for level `n - 1`.
    Codes(Vec<u32>),
}

impl Cells {
    /// The cells at these rows, in this order.
    pub(crate) fn take(&self, rows: &[u32]) -> Cells {
        match self {
            Cells::Numbers(values) => Cells::Numbers(rows.iter().map(|&row| values[row as usize]).collect()),
            Cells::Codes(codes) => Cells::Codes(rows.iter().map(|&row| codes[row as usize]).collect()),
        }
    }

    /// How many cells are missing.
    pub(crate) fn missing(&self) -> usize {
        match self {
            Cells::Numbers(values) => values.iter().filter(|value| value.is_nan()).count(),
            Cells::Codes(codes) => codes.iter().filter(|&&code| code == 0).count(),
        }
    }

    /// Folds each cell into the fingerprint of its row.
    pub(crate) fn fold_into(&self, fingerprints: &mut [u64], salt: u64) {
        let mut fold = |row: usize, bits: u64| fingerprints[row] = mix(fingerprints[row] ^ mix(bits ^ salt));
        match self {
            Cells::Numbers(values) => values.iter().enumerate().for_each(|(row, &value)| fold(row, number_bits(value))),
            Cells::Codes(codes) => codes.iter().enumerate().for_each(|(row, &code)| fold(row, code as u64)),
        }
    }
}

/// The bits of a number that nine decimals can tell from others; one pattern for missing, one for zero.
fn number_bits(value: f64) -> u64 {
    if value.is_nan() {
        return u64::MAX;
    }
    let rounded = (value * 1e9).round() / 1e9;
    // Beyond 1e15 a number has no ninth decimal to round.
    if value == 0.0 || rounded == 0.0 {
        0
    } else if value.abs() < 1e6 {
        rounded.to_bits()
    } else {
        value.to_bits()
    }
}

/// Encodes column `index` of the tables, the training table being the first; text that was made up is an identifier.
pub(crate) fn encode(tables: &[Table], index: usize, made: bool) -> (Column, Vec<Cells>) {
    let training = &tables[0];
    let kind = training.kind(index);
    let mut column = Column {
        name: training.name(index).to_string(),
        role: Role::Category,
        kind,
        levels: Vec::new(),
        counts: Vec::new(),
    };
    if let Some(role) = numeric_role(training, index) {
        column.role = role;
        return (column, tables.iter().map(|table| Cells::Numbers(numbers(table, index))).collect());
    }
    let local: Vec<Local> = tables.iter().map(|table| localize(table, index)).collect();
    column.role = if kind == Kind::Text && (made || near_unique(&local[0])) { Role::Id } else { Role::Category };
    let (levels, counts) = share_levels(&local);
    let code_of: HashMap<&str, u32> =
        levels.iter().enumerate().map(|(at, level)| (level.as_str(), at as u32 + 1)).collect();
    let cells = local.iter().map(|local| {
        let shared: Vec<u32> =
            local.words.iter().map(|word| code_of.get(word.as_str()).copied().unwrap_or(0)).collect();
        Cells::Codes(local.codes.iter().map(|&code| if code == 0 { 0 } else { shared[code as usize - 1] }).collect())
    });
    let cells = cells.collect();
    column.levels = levels;
    column.counts = counts;
    (column, cells)
}

fn numeric_role(training: &Table, index: usize) -> Option<Role> {
    let role = match training.kind(index) {
        Kind::Int | Kind::Real => Role::Number,
        Kind::Time => Role::Time,
        Kind::Bool | Kind::Text => return None,
    };
    let mut seen: Vec<f64> = Vec::new();
    for value in numbers(training, index).into_iter().filter(|value| !value.is_nan()) {
        if !seen.contains(&value) {
            seen.push(value);
            if seen.len() > CATEGORY_DISTINCT_MAX {
                return Some(role);
            }
        }
    }
    None
}

/// The cells of a number or time column; NaN where missing or of another kind.
fn numbers(table: &Table, index: usize) -> Vec<f64> {
    match table.values(index) {
        Values::Int(values) => values.iter().map(|value| value.map_or(f64::NAN, |value| value as f64)).collect(),
        Values::Real(values) => values.iter().map(|value| value.unwrap_or(f64::NAN)).collect(),
        Values::Time(values) => values.iter().map(|value| value.map_or(f64::NAN, |value| value as f64)).collect(),
        Values::Bool(_) | Values::Text(_) => vec![f64::NAN; table.rows()],
    }
}

/// One table's own codes: 0 is missing, `n` stands for `words[n - 1]`. Words may be unused.
struct Local {
    codes: Vec<u32>,
    words: Vec<String>,
    counts: Vec<usize>,
}

fn localize(table: &Table, index: usize) -> Local {
    let mut local = Local { codes: Vec::with_capacity(table.rows()), words: Vec::new(), counts: Vec::new() };
    if let Values::Text(values) = table.values(index) {
        local.words =
            values.values().as_string::<i32>().iter().map(|word| word.unwrap_or_default().to_string()).collect();
        local.codes = values.keys().iter().map(|key| key.map_or(0, |key| key as u32 + 1)).collect();
    } else {
        let spelling = table.spelling(index);
        let mut code_of: HashMap<u64, u32> = HashMap::new();
        for row in 0..table.rows() {
            let (key, cell) = cell(table, index, row);
            if cell == Cell::Null {
                local.codes.push(0);
                continue;
            }
            let code = *code_of.entry(key).or_insert_with(|| {
                let mut word = Vec::new();
                spelling.write(cell, &mut word);
                local.words.push(String::from_utf8_lossy(&word).into_owned());
                local.words.len() as u32
            });
            local.codes.push(code);
        }
    }
    local.counts = vec![0; local.words.len()];
    for &code in local.codes.iter().filter(|&&code| code > 0) {
        local.counts[code as usize - 1] += 1;
    }
    local
}

/// A cell that is not text, and bits that are the same for equal values.
fn cell<'a>(table: &Table, index: usize, row: usize) -> (u64, Cell<'a>) {
    if table.missing(index, row) {
        return (0, Cell::Null);
    }
    match table.values(index) {
        Values::Int(values) => (values.value(row) as u64, Cell::Int(values.value(row))),
        Values::Time(values) => (values.value(row) as u64, Cell::Time(values.value(row))),
        Values::Bool(values) => (values.value(row) as u64, Cell::Bool(values.value(row))),
        Values::Real(values) => {
            // Zero has two signs and one meaning.
            let value = values.value(row) + 0.0;
            (value.to_bits(), Cell::Real(value))
        }
        Values::Text(_) => (0, Cell::Null),
    }
}

fn near_unique(local: &Local) -> bool {
    let values: usize = local.counts.iter().sum();
    let distinct = local.counts.iter().filter(|&&count| count > 0).count();
    values > ID_VALUES_MIN && distinct as f64 >= ID_DISTINCT_SHARE * values as f64
}

/// The used words of all tables in an order that no row order changes, and their counts in the first table.
fn share_levels(local: &[Local]) -> (Vec<String>, Vec<usize>) {
    let mut count_of: HashMap<&str, usize> = HashMap::new();
    for (table, local) in local.iter().enumerate() {
        for (word, &count) in local.words.iter().zip(&local.counts).filter(|(_, count)| **count > 0) {
            *count_of.entry(word).or_insert(0) += if table == 0 { count } else { 0 };
        }
    }
    let mut levels: Vec<(&str, usize)> = count_of.into_iter().collect();
    levels.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    levels.into_iter().map(|(word, count)| (word.to_string(), count)).unzip()
}
