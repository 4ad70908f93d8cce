//! Distances between rows. In: a case. Out: how far sampled rows are from their nearest rows of other tables.
//!
//! Gower, "A general coefficient of similarity and some of its properties", 1971, as a sum over columns: for numbers
//! and times the difference over the 1 % to 99 % range of the training table, at most 1; for categories 0 or 1; a
//! missing cell is at 1 from every other, at 0 from a missing one.

use rayon::prelude::*;

use crate::case::{Case, Side};
use crate::encode::Cells;
use crate::statistic::{quantile, sorted};

/// Most synthetic rows, and most holdout rows that are compared with training rows.
const PROBES_MAX: usize = 2_000;
/// Most rows of the holdout, and of each block of training rows.
const BLOCK_ROWS_MAX: usize = 5_000;
const BLOCKS_MAX: usize = 4;
/// Columns from which on fewer rows are compared.
const WIDE: usize = 40;
/// Distances nearer than this are equal.
pub(crate) const EQUAL: f32 = 1e-6;
/// Where missing numbers lie: farther than any other.
const MISSING: f32 = 1e8;

/// What the privacy metrics share.
pub(crate) struct Nearest {
    /// Per synthetic row and block of training rows, the distance to the nearest row of the block.
    pub(crate) to_blocks: Vec<Vec<f32>>,
    /// Per synthetic row, the distance to the nearest holdout row.
    pub(crate) to_holdout: Vec<f32>,
    /// Per holdout row (at most 2,000), the distance to the nearest row of all blocks.
    pub(crate) holdout_to_training: Vec<f32>,
    /// Rows of each block and of the holdout sample.
    pub(crate) block_rows: usize,
}

impl Nearest {
    /// Per synthetic row, the distance to the nearest row of all blocks.
    pub(crate) fn to_training(&self) -> Vec<f32> {
        least(&self.to_blocks)
    }
}

fn least(of_blocks: &[Vec<f32>]) -> Vec<f32> {
    let rows = of_blocks.first().map_or(0, Vec::len);
    (0..rows).map(|row| of_blocks.iter().map(|block| block[row]).fold(f32::INFINITY, f32::min)).collect()
}

/// Measures the distances, or says why it cannot.
pub(crate) fn nearest(case: &Case) -> Result<Nearest, &'static str> {
    let Some(holdout) = &case.holdout else { return Err("there is no holdout") };
    let columns = case.compared();
    if columns.is_empty() {
        return Err("there are no columns to measure distances by");
    }
    if case.synthetic.sampled == 0 {
        return Err("the synthetic table has no rows");
    }
    // Time grows with probes, block rows and columns: a wide table gets fewer of the first two.
    let fewer =
        |most: usize, least: usize| if columns.len() <= WIDE { most } else { (most * WIDE / columns.len()).max(least) };
    let probes = fewer(PROBES_MAX, 500);
    let block_rows = holdout.sampled.min(case.training.sampled).min(fewer(BLOCK_ROWS_MAX, 1_000));
    if block_rows == 0 {
        return Err("the training table or the holdout has no rows");
    }
    let blocks = (case.training.sampled / block_rows).clamp(1, BLOCKS_MAX);
    let scales: Vec<Scale> = columns.iter().map(|&index| Scale::of(&case.training.sample[index])).collect();
    let placed = |side: &Side, rows: std::ops::Range<usize>| place(side, &columns, &scales, rows);
    let synthetic = placed(&case.synthetic, 0..case.synthetic.sampled.min(probes));
    let probe = placed(holdout, 0..holdout.sampled.min(probes));
    let holdout = placed(holdout, 0..block_rows);
    let training: Vec<Placed> =
        (0..blocks).map(|block| placed(&case.training, block * block_rows..(block + 1) * block_rows)).collect();
    let holdout_to_blocks: Vec<Vec<f32>> = training.iter().map(|block| distances(&probe, block)).collect();
    Ok(Nearest {
        to_blocks: training.iter().map(|block| distances(&synthetic, block)).collect(),
        to_holdout: distances(&synthetic, &holdout),
        holdout_to_training: least(&holdout_to_blocks),
        block_rows,
    })
}

/// How a column becomes a coordinate.
enum Scale {
    Number { low: f64, width: f64 },
    Code,
}

impl Scale {
    fn of(training: &Cells) -> Scale {
        let Cells::Numbers(values) = training else { return Scale::Code };
        let sorted = sorted(values);
        let (Some(mut low), Some(mut high)) = (quantile(&sorted, 0.01), quantile(&sorted, 0.99)) else {
            return Scale::Number { low: 0.0, width: 1.0 };
        };
        if high <= low {
            (low, high) = (sorted[0], sorted[sorted.len() - 1]);
        }
        let width = high - low;
        Scale::Number { low, width: if width > 0.0 && width.is_finite() { width } else { 1.0 } }
    }
}

/// Coordinates, column by column.
struct Placed {
    columns: Vec<Vec<f32>>,
    rows: usize,
}

fn place(side: &Side, columns: &[usize], scales: &[Scale], rows: std::ops::Range<usize>) -> Placed {
    let mut numbers = Vec::new();
    let mut codes = Vec::new();
    for (&index, scale) in columns.iter().zip(scales) {
        match (&side.sample[index], scale) {
            (Cells::Numbers(values), Scale::Number { low, width }) => {
                let at = |value: f64| {
                    if value.is_nan() { MISSING } else { (((value - low) / width) as f32).clamp(-1e7, 1e7) }
                };
                numbers.push(values[rows.clone()].iter().map(|&value| at(value)).collect());
            }
            // Codes differ by 1 or more, and the difference is cut at 1.
            (Cells::Codes(of_column), _) => {
                codes.push(of_column[rows.clone()].iter().map(|&code| code as f32).collect())
            }
            _ => {}
        }
    }
    numbers.append(&mut codes);
    Placed { columns: numbers, rows: rows.len() }
}

/// The distance of each probe to its nearest row.
fn distances(probes: &Placed, rows: &Placed) -> Vec<f32> {
    (0..probes.rows)
        .into_par_iter()
        .map_init(
            || vec![0f32; rows.rows],
            |sums, probe| {
                sums.fill(0.0);
                for (mine, theirs) in probes.columns.iter().zip(&rows.columns) {
                    let mine = mine[probe];
                    for (sum, theirs) in sums.iter_mut().zip(theirs) {
                        // A comparison, since `min` with its care for NaN is slower; nothing here is NaN.
                        let apart = (mine - theirs).abs();
                        *sum += if apart < 1.0 { apart } else { 1.0 };
                    }
                }
                sums.iter().copied().fold(f32::INFINITY, f32::min)
            },
        )
        .collect()
}
