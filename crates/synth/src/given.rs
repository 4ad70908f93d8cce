//! Columns that are given: a fitted engine and the positions of columns come in; an engine that draws the others beside
//! them goes out. It is learned from rows that the fitted engine draws, so it needs no training table.

use std::collections::HashMap;

use arrow_array::cast::AsArray;
use table::{Column, Table, Values};

use crate::encode::{Encoded, Scale};
use crate::fit::{Material, Terms, learn_trees};
use crate::generator::{Output, Trees};
use crate::model::{Ask, Completion, Generator};

/// Rows drawn to learn from.
const ROWS: usize = 60_000;

/// Drawn rows of a value from which on it is shown: no training row is at stake any more.
const FLOOR: usize = 2;

/// Draws columns beside given ones.
pub(crate) struct Beside {
    trees: Trees,
    columns: Vec<usize>,
}

impl Beside {
    /// Learns to draw the other columns of `from` beside these.
    pub(crate) fn learn(from: &Trees, columns: &[usize], seed: u64) -> Beside {
        let drawn = from.draw_ticks(&Ask::all(ROWS, seed), None);
        let material = from.outputs.iter().zip(drawn).map(|(output, values)| Material {
            name: output.name.clone(),
            spelling: output.spelling.clone(),
            encoded: Encoded {
                values,
                nominal: matches!(output.scale, Scale::Bool | Scale::Text { .. }),
                scale: output.scale.clone(),
                rare_rows: 0,
            },
            maker: output.maker.clone(),
            pattern: output.pattern.clone(),
            hidden: output.hidden,
        });
        let (rules, copies) = (from.rules.clone(), Some(from.copies.clone()));
        let terms = Terms { given: columns, rules, copies, ..Terms::plain(FLOOR, seed) };
        let trees = learn_trees(material.collect(), &terms, from.notes(), &|_| true)
            .expect("nobody stops it, and the rows are many");
        Beside { trees, columns: columns.to_vec() }
    }
}

impl Completion for Beside {
    fn complete(&self, given: &Table, ask: &Ask) -> Table {
        let mut ticks = vec![Vec::new(); self.trees.nodes.len()];
        for (place, &column) in self.columns.iter().enumerate() {
            let output = &self.trees.outputs[column];
            ticks[output.node as usize] = ticks_of(output, &given.values(place));
        }
        let drawn = self.trees.draw_ticks(ask, Some(&ticks));
        let given: Vec<(usize, Column)> =
            self.columns.iter().enumerate().map(|(place, &column)| (column, given.column(place))).collect();
        self.trees.table(drawn, ask, &given)
    }
}

/// The ticks of values that come from elsewhere, NaN for missing. A word that the scale does not know counts as one of
/// those not kept.
fn ticks_of(output: &Output, values: &Values) -> Vec<f64> {
    let tick = |value: Option<f64>| {
        let Some(value) = value else { return f64::NAN };
        match (&output.maker, &output.scale) {
            (Some(maker), _) if maker.makes_all() => 0.0,
            (_, Scale::Int { base, unit } | Scale::Time { base, unit }) => (value - *base as f64) / *unit as f64,
            (_, Scale::Real { unit, per }) if *per > 0.0 => value * per / unit,
            (_, Scale::Clock) => (value / 100.0).floor() * 60.0 + value % 100.0,
            _ => value,
        }
    };
    match values {
        Values::Int(values) => values.iter().map(|v| tick(v.map(|v| v as f64))).collect(),
        Values::Time(values) => values.iter().map(|v| tick(v.map(|v| v as f64))).collect(),
        Values::Real(values) => values.iter().map(tick).collect(),
        Values::Bool(values) => values.iter().map(|v| tick(v.map(|v| v as u8 as f64))).collect(),
        Values::Text(values) => {
            let Scale::Text { words } = &output.scale else { return vec![f64::NAN; values.len()] };
            let known: HashMap<&str, usize> = words.iter().enumerate().map(|(at, word)| (word.as_str(), at)).collect();
            let own = values.values().as_string::<i32>();
            let of_word: Vec<f64> = own
                .iter()
                .map(|word| word.and_then(|word| known.get(word)).copied().unwrap_or(words.len()) as f64)
                .collect();
            (0..values.len()).map(|row| tick(values.key(row).map(|key| of_word[key]))).collect()
        }
    }
}
