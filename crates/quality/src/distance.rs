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
    /// Per block, the sum of squares of the shares of synthetic rows that each row of block and holdout is nearest to.
    pub(crate) hubs: Vec<f64>,
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
    let space = Space::of(case, columns);
    let placed = |side: &Side, rows: std::ops::Range<usize>| space.place(side, &side.order[rows]);
    let synthetic = placed(&case.synthetic, 0..case.synthetic.sampled.min(probes));
    let holdout = placed(holdout, 0..block_rows);
    let training: Vec<Placed> =
        (0..blocks).map(|block| placed(&case.training, block * block_rows..(block + 1) * block_rows)).collect();
    let to_blocks: Vec<Vec<(f32, u32)>> = training.iter().map(|block| nearest_rows(&synthetic, block)).collect();
    let to_holdout = nearest_rows(&synthetic, &holdout);
    let distances = |of: &[(f32, u32)]| of.iter().map(|(distance, _)| *distance).collect::<Vec<f32>>();
    Ok(Nearest {
        hubs: to_blocks.iter().map(|of| hubs(of, &to_holdout, block_rows)).collect(),
        to_blocks: to_blocks.iter().map(|of| distances(of)).collect(),
        to_holdout: distances(&to_holdout),
        block_rows,
    })
}

/// The columns that distances are measured by, and how each becomes a coordinate.
pub(crate) struct Space {
    columns: Vec<usize>,
    scales: Vec<Scale>,
}

impl Space {
    /// The space of these columns, in units of the training table.
    pub(crate) fn of(case: &Case, columns: Vec<usize>) -> Space {
        // Numbers first: the order in which distances are summed is the same for all pairs of rows.
        let (mut ordered, codes): (Vec<usize>, Vec<usize>) =
            columns.into_iter().partition(|&index| matches!(case.training.sample[index], Cells::Numbers(_)));
        ordered.extend(codes);
        let scales = ordered.iter().map(|&index| Scale::middle(&case.training.sample[index])).collect();
        Space { columns: ordered, scales }
    }

    /// The coordinates of these rows of a table.
    pub(crate) fn place(&self, side: &Side, rows: &[u32]) -> Placed {
        let of_column = |(&index, scale): (&usize, &Scale)| -> Vec<f32> {
            match (&side.cells[index], scale) {
                (Cells::Numbers(values), Scale::Number { low, width }) => {
                    let at = |value: f64| {
                        if value.is_nan() { MISSING } else { (((value - low) / width) as f32).clamp(-1e7, 1e7) }
                    };
                    rows.iter().map(|&row| at(values[row as usize])).collect()
                }
                // Codes differ by 1 or more, and the difference is cut at 1.
                (Cells::Codes(codes), _) => rows.iter().map(|&row| codes[row as usize] as f32).collect(),
                (Cells::Numbers(_), Scale::Code) => vec![MISSING; rows.len()],
            }
        };
        Placed { columns: self.columns.iter().zip(&self.scales).map(of_column).collect(), rows: rows.len() }
    }
}

/// How a column becomes a coordinate.
pub(crate) enum Scale {
    /// A number's place above `low`, as a part of `width`, which is above 0.
    Number { low: f64, width: f64 },
    /// Codes are equal or not.
    Code,
}

impl Scale {
    /// From the lowest training value on, by half the range of all.
    pub(crate) fn whole(training: &Cells) -> Scale {
        let Cells::Numbers(values) = training else { return Scale::Code };
        let present = values.iter().copied().filter(|value| !value.is_nan());
        let (low, high) =
            present.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        // Halved first: the width of all doubles is no double.
        let width = high / 2.0 - low / 2.0;
        Scale::Number { low, width: if width > 0.0 && width.is_finite() { width } else { 1.0 } }
    }

    /// The middle 98 % of the training values.
    fn middle(training: &Cells) -> Scale {
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
pub(crate) struct Placed {
    pub(crate) columns: Vec<Vec<f32>>,
    pub(crate) rows: usize,
}

/// The sum of squares of the shares of probes that each row of a block or of the holdout is nearest to; ties go halves.
fn hubs(to_block: &[(f32, u32)], to_holdout: &[(f32, u32)], rows: usize) -> f64 {
    let mut shares = vec![0.0; 2 * rows];
    let one = 1.0 / to_block.len().max(1) as f64;
    for (block, holdout) in to_block.iter().zip(to_holdout) {
        let tied = (block.0 - holdout.0).abs() <= EQUAL;
        let of_block = if tied { 0.5 } else { f64::from(block.0 < holdout.0) };
        shares[block.1 as usize] += one * of_block;
        shares[rows + holdout.1 as usize] += one * (1.0 - of_block);
    }
    shares.iter().map(|share: &f64| share * share).sum()
}

/// The distance of each probe to its nearest row, and which row that is; the first of equally near ones.
fn nearest_rows(probes: &Placed, rows: &Placed) -> Vec<(f32, u32)> {
    let of_probe = |sums: &mut Vec<f32>, probe: usize| {
        distances_from(probes, probe, rows, sums);
        let least = sums.iter().copied().fold(f32::INFINITY, f32::min);
        (least, sums.iter().position(|&sum| sum == least).unwrap_or(0) as u32)
    };
    (0..probes.rows).into_par_iter().map_init(|| vec![0f32; rows.rows], of_probe).collect()
}

/// The distances of each probe to its nearest and its second nearest row; infinite where there is none.
pub(crate) fn two_nearest(probes: &Placed, rows: &Placed) -> Vec<[f32; 2]> {
    let of_probe = |sums: &mut Vec<f32>, probe: usize| {
        distances_from(probes, probe, rows, sums);
        let (mut least, mut next) = (f32::INFINITY, f32::INFINITY);
        for &sum in sums.iter() {
            if sum < next {
                next = if sum > least { sum } else { least };
                least = if sum < least { sum } else { least };
            }
        }
        [least, next]
    };
    (0..probes.rows).into_par_iter().map_init(|| vec![0f32; rows.rows], of_probe).collect()
}

/// The distances of one probe to all rows.
pub(crate) fn distances_from(probes: &Placed, probe: usize, rows: &Placed, sums: &mut [f32]) {
    sums.fill(0.0);
    for (mine, theirs) in probes.columns.iter().zip(&rows.columns) {
        let mine = mine[probe];
        sums.iter_mut().zip(theirs).for_each(|(sum, theirs)| *sum += apart(mine, *theirs));
    }
}

/// The distance of two coordinates of one column.
pub(crate) fn apart(a: f32, b: f32) -> f32 {
    // A comparison, since `min` with its care for NaN is slower; nothing here is NaN.
    let apart = (a - b).abs();
    if apart < 1.0 { apart } else { 1.0 }
}
