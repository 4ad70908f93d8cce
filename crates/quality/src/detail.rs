//! What the page shows of each column. In: a case. Out: distributions in bins that a reader can name. No value that
//! fewer than five training rows hold, and no extreme, is ever shown.

use rayon::prelude::*;
use table::Kind;

use crate::case::Case;
use crate::column_shapes::shares;
use crate::encode::{Cells, Column, Role};
use crate::metric::Score;
use crate::rare_values::RARE_ROWS;
use crate::scale::{number_edges, time_edges};
use crate::statistic::{quantile, sorted};

/// Most values shown of a category.
const VALUES_MAX: usize = 10;
/// The part of the training values at either end that the axis leaves to the outer bins.
const TAIL_SHARE: f64 = 0.005;

/// One column, as judged.
pub(crate) struct Detail {
    /// Its position.
    pub(crate) index: usize,
    /// How alike it is spread.
    pub(crate) shape: Score,
    /// Shares of missing cells: training, synthetic.
    pub(crate) missing: [f64; 2],
    /// Its distribution in both tables.
    pub(crate) spread: Spread,
}

/// Shares of the cells that are not missing: training, synthetic.
pub(crate) enum Spread {
    /// Numbers or microseconds between ascending edges; the outer bins hold what lies beyond them.
    Bins { edges: Vec<f64>, shares: [Vec<f64>; 2] },
    /// The commonest values and the share of all others.
    Values { values: Vec<String>, shares: [Vec<f64>; 2], others: [f64; 2], others_count: usize },
    /// Nothing to show, and why.
    Nothing(&'static str),
}

/// The details of every column.
pub(crate) fn details(case: &Case) -> Vec<Detail> {
    let shapes = case.shapes();
    (0..case.columns.len())
        .into_par_iter()
        .map(|index| {
            let missing =
                [&case.training, &case.synthetic].map(|side| side.missing[index] as f64 / side.rows.max(1) as f64);
            Detail { index, shape: shapes[index], missing, spread: spread(case, index) }
        })
        .collect()
}

fn spread(case: &Case, index: usize) -> Spread {
    let column = &case.columns[index];
    if column.role == Role::Id {
        return Spread::Nothing("Its values are near-unique; they are only searched for copies.");
    }
    match (&case.training.sample[index], &case.synthetic.sample[index]) {
        (Cells::Numbers(training), Cells::Numbers(synthetic)) => bins(column, &sorted(training), &sorted(synthetic)),
        (Cells::Codes(training), Cells::Codes(synthetic)) => {
            let levels = column.levels.len();
            values(column, [shares(training, levels), shares(synthetic, levels)])
        }
        _ => Spread::Nothing("It is of two kinds."),
    }
}

fn bins(column: &Column, training: &[f64], synthetic: &[f64]) -> Spread {
    let (Some(low), Some(high)) = (quantile(training, TAIL_SHARE), quantile(training, 1.0 - TAIL_SHARE)) else {
        return Spread::Nothing("It has no values in the training table.");
    };
    let edges = match column.role {
        Role::Time => time_edges(low, high),
        _ => number_edges(low, high, column.kind == Kind::Int),
    };
    let Some(edges) = edges else { return Spread::Nothing("Its values lie too far apart for a chart.") };
    let counted = [training, synthetic].map(|values| {
        let mut counts = vec![0usize; edges.len() - 1];
        for &value in values {
            counts[edges.partition_point(|&edge| edge <= value).clamp(1, edges.len() - 1) - 1] += 1;
        }
        counts.into_iter().map(|count| count as f64 / values.len().max(1) as f64).collect()
    });
    Spread::Bins { edges, shares: counted }
}

fn values(column: &Column, all: [Vec<f64>; 2]) -> Spread {
    // The two words of a truth value point to nobody.
    let common = |index: usize| column.counts[index] >= RARE_ROWS || column.kind == Kind::Bool;
    let shown = (0..column.levels.len()).take_while(|&index| common(index)).count();
    // A lone last value is shown rather than called "others".
    let shown =
        if column.levels.len() == VALUES_MAX + 1 && shown == VALUES_MAX + 1 { shown } else { shown.min(VALUES_MAX) };
    if column.levels.is_empty() {
        return Spread::Nothing("It has no values.");
    }
    let others = all.each_ref().map(|shares| shares[shown..].iter().sum());
    Spread::Values {
        values: column.levels[..shown].to_vec(),
        shares: all.map(|shares| shares[..shown].to_vec()),
        others,
        others_count: column.levels.len() - shown,
    }
}
