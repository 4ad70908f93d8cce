//! Columns that are given: a fitted engine and the positions of columns come in; an engine that draws the others beside
//! them goes out. It is learned from rows that the fitted engine draws, so it needs no training table.

use table::{Column, Table, Values};

use crate::encode::{Encoded, Scale};
use crate::fit::{Material, Terms, learn_trees};
use crate::generator::{Output, Trees};
use crate::makers::maker::Maker;
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
            encoded: Encoded::plain(
                values,
                matches!(output.scale, Scale::Bool | Scale::Text { .. }),
                output.scale.clone(),
            ),
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

/// The ticks of given values, NaN for missing.
fn ticks_of(output: &Output, values: &Values) -> Vec<f64> {
    let mut ticks = output.scale.ticks(values);
    if output.maker.as_ref().is_some_and(Maker::makes_all) {
        ticks.iter_mut().filter(|tick| !tick.is_nan()).for_each(|tick| *tick = 0.0);
    }
    ticks
}
