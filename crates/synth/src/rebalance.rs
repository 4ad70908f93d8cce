//! Target shares: a generator and the shares that values of one column are to have come in; that column, to draw the others
//! beside, goes out.

use serde_json::Value;
use table::{Cell, Table, Values};

use crate::config::nearest::nearest;
use crate::model::{Ask, Generator};
use crate::random::Random;

/// Rows drawn to see what values there are.
const ROWS: usize = 40_000;

/// The shares that values of a column are to have; values that are not named share the rest as they do anyway.
#[derive(Clone, Debug, PartialEq)]
pub struct Shares {
    /// The column.
    pub column: String,
    /// Values as the table writes them, with their shares (0 to 1).
    pub shares: Vec<(String, f64)>,
}

impl Shares {
    /// Reads `column: {value: share}`; fails with what is so and what is allowed.
    pub(crate) fn of(value: &Value) -> Result<Shares, String> {
        let entry = value.as_object().filter(|map| map.len() == 1).and_then(|map| map.iter().next());
        let Some((column, Value::Object(shares))) = entry else {
            return Err(format!("`rebalance` is {value} where one column with the shares of its values is allowed"));
        };
        let shares = shares.iter().map(|(value, share)| (value.clone(), share.as_f64().unwrap_or(f64::NAN)));
        Shares { column: column.clone(), shares: shares.collect() }.checked()
    }

    /// The same, if every share lies between 0 and 1 and all together make at most 1.
    pub fn checked(self) -> Result<Shares, String> {
        if let Some((value, share)) = self.shares.iter().find(|(_, share)| !(0.0..=1.0).contains(share)) {
            return Err(format!("the share of `{value}` is {share} where a number from 0 to 1 is allowed"));
        }
        let sum: f64 = self.shares.iter().map(|share| share.1).sum();
        if sum > 1.0 + 1e-9 || self.shares.is_empty() {
            return Err(format!("the shares of `{}` add up to {sum} where at most 1 is allowed", self.column));
        }
        Ok(self)
    }

    /// `rows` values of the column in random order, with these shares to within one row (rows x 1). Fails where the
    /// generator has no such column or value, or no value for the rest.
    pub fn column(&self, generator: &dyn Generator, rows: usize, seed: u64) -> Result<(usize, Table), String> {
        let drawn = generator.sample(&Ask::all(ROWS, seed));
        let at = drawn.position(&self.column).ok_or_else(|| {
            let near = nearest(&self.column, (0..drawn.columns()).map(|at| drawn.name(at)));
            let near = near.map_or(String::new(), |near| format!(" (is `{near}` meant?)"));
            format!("`rebalance` names the column `{}`, which the table does not have{near}", self.column)
        })?;
        let texts: Vec<Option<String>> = (0..ROWS).map(|row| written(&drawn, at, row)).collect();
        let mut places: Vec<u32> = Vec::with_capacity(rows);
        let mut taken = 0.0;
        for (value, share) in &self.shares {
            let shown = texts.iter().position(|text| text.as_ref() == Some(value));
            let Some(place) = shown else {
                let near = nearest(value, texts.iter().flatten().map(String::as_str));
                let near = near.map_or(String::new(), |near| format!(" (is `{near}` meant?)"));
                return Err(format!(
                    "`rebalance` names the value `{value}`, which `{}` does not show{near}",
                    self.column
                ));
            };
            taken += share;
            let end = (taken * rows as f64).round() as usize;
            places.resize(end.clamp(places.len(), rows), place as u32);
        }
        let named = |row: &usize| self.shares.iter().any(|share| texts[*row].as_ref() == Some(&share.0));
        let rest: Vec<u32> = (0..ROWS).filter(|row| !named(row)).map(|row| row as u32).collect();
        let mut random = Random::at(&[seed, 0x7265_6261]);
        if places.len() < rows && rest.is_empty() {
            return Err(format!("the shares of `{}` add up to {taken} and there is no other value", self.column));
        }
        while places.len() < rows {
            places.push(rest[random.below(rest.len())]);
        }
        random.shuffle(&mut places);
        let one = Table::new(vec![drawn.column(at)]).expect("one column");
        Ok((at, one.take(&places)))
    }
}

/// A cell as the table writes it; nothing where it is missing.
fn written(table: &Table, column: usize, row: usize) -> Option<String> {
    if table.missing(column, row) {
        return None;
    }
    let cell = match table.values(column) {
        Values::Int(values) => Cell::Int(values.value(row)),
        Values::Real(values) => Cell::Real(values.value(row)),
        Values::Bool(values) => Cell::Bool(values.value(row)),
        Values::Time(values) => Cell::Time(values.value(row)),
        Values::Text(values) => {
            Cell::Text(arrow_array::cast::AsArray::as_string::<i32>(values.values()).value(values.key(row)?))
        }
    };
    let mut bytes = Vec::new();
    table.spelling(column).write(cell, &mut bytes);
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
