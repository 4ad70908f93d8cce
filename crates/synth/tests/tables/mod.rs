//! Tables for tests, and ways to look into one.

#![allow(dead_code)]

use synth::{Generator, MODELS, Params, Recipe};
use table::{Column, Spelling, Table, Values};

/// Numbers for tests: a linear congruential generator, so that tests need no dependency.
pub struct Dice(pub u64);

impl Dice {
    /// A whole number below `limit`.
    pub fn roll(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

pub fn texts(name: &str, cells: &[Option<String>]) -> Column {
    let mut words: Vec<String> = cells.iter().flatten().cloned().collect();
    words.sort();
    words.dedup();
    let code = |cell: &Option<String>| cell.as_ref().map(|c| words.binary_search(c).expect("collected above") as i32);
    Column::texts(name, cells.iter().map(code).collect(), words.clone(), Spelling::plain())
}

pub fn text_at(table: &Table, column: usize, row: usize) -> Option<String> {
    let Values::Text(values) = table.values(column) else { return None };
    let words = arrow_array::cast::AsArray::as_string::<i32>(values.values().as_ref());
    values.key(row).map(|key| words.value(key).to_string())
}

pub fn int_at(table: &Table, column: usize, row: usize) -> Option<i64> {
    let Values::Int(values) = table.values(column) else { return None };
    (!table.missing(column, row)).then(|| values.value(row))
}

/// A table with every kind, with laws, gaps, rare words and identifiers.
pub fn mixed(rows: usize) -> Table {
    let mut dice = Dice(7);
    let town = |at: u64| Some(["Kiel", "Ulm", "Köln", "大阪"][at as usize].to_string());
    let towns: Vec<u64> = (0..rows).map(|_| dice.roll(4)).collect();
    let mut named: Vec<Option<String>> = towns.iter().map(|&at| town(at)).collect();
    for name in named.iter_mut().take(3) {
        *name = Some("Atlantis".into());
    }
    let price: Vec<i64> = (0..rows).map(|_| 100 + dice.roll(900) as i64).collect();
    let tax: Vec<i64> = (0..rows).map(|_| dice.roll(90) as i64).collect();
    let gap: Vec<bool> = (0..rows).map(|_| dice.roll(5) == 0).collect();
    let zip = |at: u64| Some(20_000 + 7 * at as i64);
    Table::new(vec![
        texts("id", &(0..rows).map(|row| Some(format!("A-{:05}", row * 37 % 100_000))).collect::<Vec<_>>()),
        texts("town", &named),
        Column::ints("zip", towns.iter().map(|&at| zip(at)).collect(), Spelling::plain()),
        Column::ints("price", price.iter().map(|&p| Some(p)).collect(), Spelling::plain()),
        Column::ints("tax", tax.iter().map(|&t| Some(t)).collect(), Spelling::plain()),
        Column::ints("total", price.iter().zip(&tax).map(|(p, t)| Some(p + t)).collect(), Spelling::plain()),
        Column::reals(
            "weight",
            (0..rows).map(|row| (!gap[row]).then(|| price[row] as f64 / 8.0 + dice.roll(9) as f64 / 4.0)).collect(),
            Spelling::plain(),
        ),
        Column::bools("open", (0..rows).map(|row| (!gap[row]).then(|| price[row] > 500)).collect(), Spelling::plain()),
        Column::times(
            "when",
            (0..rows).map(|_| Some(1_600_000_000_000_000 + dice.roll(40_000_000) as i64 * 1_000_000)).collect(),
            Spelling::plain(),
        ),
        Column::ints("row", (0..rows).map(|row| Some(row as i64 + 1)).collect(), Spelling::plain()),
    ])
    .expect("columns of one length")
}

pub fn recipe(model: usize) -> Box<dyn Recipe> {
    match (MODELS[model].recipe)(&Params::default()) {
        Ok(recipe) => recipe,
        Err(bad) => panic!("the empty config is taken: {bad:?}"),
    }
}

pub fn fitted(model: usize, table: &Table) -> Box<dyn Generator> {
    recipe(model).fit(table, None, 11, &|_| true).unwrap_or_else(|unfit| panic!("the table fits: {unfit}"))
}

/// The cells of a table, as text.
pub fn cells(table: &Table) -> Vec<Vec<String>> {
    let cell = |column: usize, row: usize| {
        if table.missing(column, row) {
            return "-".to_string();
        }
        match table.values(column) {
            Values::Int(values) => values.value(row).to_string(),
            Values::Real(values) => format!("{:?}", values.value(row)),
            Values::Bool(values) => values.value(row).to_string(),
            Values::Time(values) => values.value(row).to_string(),
            Values::Text(_) => text_at(table, column, row).unwrap_or_default(),
        }
    };
    (0..table.rows()).map(|row| (0..table.columns()).map(|column| cell(column, row)).collect()).collect()
}
