//! Columns in at most twelve bins. In: a case. Out: per column and table, the bin of each sampled row. Identifiers have
//! none.

use rayon::prelude::*;

use crate::case::{Case, Side};
use crate::encode::Cells;
use crate::statistic::sorted;

/// Bins of a column beside those for missing and for other values.
const BINS: usize = 10;
/// All bins: 0 is missing, the last is other values.
pub(crate) const WIDTH: usize = BINS + 2;

/// The bins of one column: tenths of the training values for numbers, the ten commonest values for others.
pub(crate) struct Axis {
    /// The column's position.
    pub(crate) column: usize,
    /// Lower ends of all bins of a number but the first.
    edges: Vec<f64>,
}

/// The axes of these columns.
pub(crate) fn axes(case: &Case, columns: &[usize]) -> Vec<Axis> {
    let axis = |&column: &usize| {
        let edges = match &case.training.sample[column] {
            Cells::Codes(_) => Vec::new(),
            Cells::Numbers(values) => {
                let sorted = sorted(values);
                let mut edges: Vec<f64> =
                    (1..BINS).filter_map(|at| sorted.get(at * sorted.len() / BINS).copied()).collect();
                edges.dedup();
                edges
            }
        };
        Axis { column, edges }
    };
    columns.par_iter().map(axis).collect()
}

impl Axis {
    /// The bin of each sampled row of a table.
    pub(crate) fn bins(&self, side: &Side) -> Vec<u8> {
        match &side.sample[self.column] {
            // Codes are in falling order of their training counts.
            Cells::Codes(codes) => codes.iter().map(|&code| (code as usize).min(WIDTH - 1) as u8).collect(),
            Cells::Numbers(values) => {
                let bin = |value: f64| {
                    if value.is_nan() { 0 } else { 1 + self.edges.partition_point(|&edge| edge <= value) as u8 }
                };
                values.iter().map(|&value| bin(value)).collect()
            }
        }
    }
}
