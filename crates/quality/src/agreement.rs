//! In how many columns rows agree. In: a case. Out: for sampled rows, in how many columns more they agree with one
//! training row than with any other. All training rows are searched, none is sampled away.
//!
//! A copy that was shaken a little is no longer nearest to its original by any distance that was chosen beforehand: a
//! hundredth of the range of one column can be more than two rows are usually apart. But it still agrees with its
//! original, to a hundredth of each range, in all columns that were left, and with no other row in as many.

use rayon::prelude::*;

use crate::case::{Case, Side};
use crate::distance::Scale;
use crate::encode::Cells;

/// Numbers agree that are this part of the training table's range apart, or less.
pub(crate) const NEAR_PART: f64 = 0.01;
/// Steps of a range.
const STEPS: f64 = 10_000.0;
const NEAR_STEPS: i16 = (STEPS * NEAR_PART) as i16;
/// Where numbers beyond the range end.
const BEYOND: f64 = 2_000.0;
/// Where missing numbers lie: farther from all others than agreement reaches.
const MISSING: i16 = 20_000;
/// Comparisons of cells that a search may take.
const CELLS_MAX: usize = 4_000_000_000;
/// Rows that are searched for, at most and at least.
const PROBES: [usize; 2] = [300, 2_000];
/// Most columns: their number has to be a number of sixteen bits.
const COLUMNS_MAX: usize = 30_000;
/// Rows that are gone through at a time.
const TILE: usize = 1_024;

/// By how many columns the best agreement of each row leads the second best.
pub(crate) struct Leads {
    /// Of synthetic rows.
    pub(crate) synthetic: Vec<u16>,
    /// Of real rows: training rows, each with itself left out, and holdout rows.
    pub(crate) real: Vec<u16>,
    /// Of copies: the same training rows with themselves among the rows that are searched.
    pub(crate) copies: Vec<u16>,
}

/// Measures the leads, or says why it cannot.
pub(crate) fn leads(case: &Case) -> Result<Leads, &'static str> {
    let mut columns = case.telling();
    columns.truncate(COLUMNS_MAX);
    if columns.is_empty() {
        return Err("there are no columns to compare rows by");
    }
    if case.synthetic.rows == 0 || case.training.rows < 3 {
        return Err("a table has too few rows to compare");
    }
    let rows = case.training.rows;
    let probes = (CELLS_MAX / (rows * columns.len())).clamp(PROBES[0], PROBES[1]);
    let scales: Vec<Scale> = columns.iter().map(|&index| Scale::whole(&case.training.cells[index])).collect();
    let all: Vec<u32> = (0..rows as u32).collect();
    let training = steps(&case.training, &columns, &scales, &all);
    let first = |side: &Side, most: usize| side.order[..side.order.len().min(most)].to_vec();
    let apart = |side: &Side, chosen: &[u32], itself: bool| -> Vec<[u16; 2]> {
        let placed = steps(side, &columns, &scales, chosen);
        let leave_out = |probe: usize| itself.then(|| chosen[probe] as usize);
        (0..chosen.len())
            .into_par_iter()
            .map_init(|| [0i16; TILE], |apart, probe| search(&placed, probe, &training, leave_out(probe), apart))
            .collect()
    };
    // The holdout is what the judge trusts most, and there is little of it; training rows fill up.
    let held = case.holdout.as_ref().map_or(Vec::new(), |holdout| apart(holdout, &first(holdout, probes / 2), false));
    let known = apart(&case.training, &first(&case.training, probes - held.len()), true);
    let synthetic = apart(&case.synthetic, &first(&case.synthetic, probes), false);
    let lead = |[least, next]: &[u16; 2]| next - least;
    Ok(Leads {
        synthetic: synthetic.iter().map(lead).collect(),
        real: known.iter().chain(&held).map(lead).collect(),
        // A copy is apart from its original in no column, and the next row is the nearest other one.
        copies: known.iter().map(|[least, _]| *least).collect(),
    })
}

/// One column of rows in steps, and how many steps apart two cells may be to agree.
struct Steps {
    cells: Vec<i16>,
    near: i16,
}

fn steps(side: &Side, columns: &[usize], scales: &[Scale], rows: &[u32]) -> Vec<Steps> {
    let of_column = |(&index, scale): (&usize, &Scale)| match (&side.cells[index], scale) {
        (Cells::Numbers(values), Scale::Number { low, width }) => {
            let step = |value: f64| {
                let steps = (value / 2.0 - low / 2.0) / width * STEPS;
                if value.is_nan() { MISSING } else { steps.clamp(-BEYOND, STEPS + BEYOND).round() as i16 }
            };
            Steps { cells: rows.iter().map(|&row| step(values[row as usize])).collect(), near: NEAR_STEPS }
        }
        // Of more than 65,536 levels some fall together, in all tables alike.
        (Cells::Codes(codes), _) => {
            Steps { cells: rows.iter().map(|&row| codes[row as usize] as u16 as i16).collect(), near: 0 }
        }
        (Cells::Numbers(_), Scale::Code) => Steps { cells: vec![MISSING; rows.len()], near: 0 },
    };
    columns.par_iter().zip(scales).map(of_column).collect()
}

/// In how many columns a probe is apart from the training row that it agrees with most, and from the next one.
fn search(
    probes: &[Steps],
    probe: usize,
    training: &[Steps],
    leave_out: Option<usize>,
    apart: &mut [i16; TILE],
) -> [u16; 2] {
    let rows = training.first().map_or(0, |column| column.cells.len());
    let (mut least, mut next) = (i16::MAX, i16::MAX);
    for start in (0..rows).step_by(TILE) {
        let end = rows.min(start + TILE);
        let apart = &mut apart[..end - start];
        apart.fill(0);
        for (mine, theirs) in probes.iter().zip(training) {
            let (cell, near) = (mine.cells[probe], theirs.near);
            let cells = &theirs.cells[start..end];
            if near == 0 {
                apart.iter_mut().zip(cells).for_each(|(apart, &other)| *apart += i16::from(other != cell));
            } else {
                let (low, high) = (cell - near, cell + near);
                apart
                    .iter_mut()
                    .zip(cells)
                    .for_each(|(apart, &other)| *apart += i16::from((other < low) | (other > high)));
            }
        }
        for (row, &apart) in apart.iter().enumerate() {
            if apart < next && leave_out != Some(start + row) {
                next = apart.max(least);
                least = apart.min(least);
            }
        }
    }
    [least as u16, next as u16]
}
