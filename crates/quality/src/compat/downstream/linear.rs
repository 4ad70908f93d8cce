//! Linear models. In: columns as numbers and indicators, and rows to learn from. Out: probabilities or numbers for other
//! rows. All sums run in a fixed order, so the same input gives the same answer on any number of threads.

use crate::case::{Case, Side};
use crate::encode::Cells;
use crate::statistic::mean;

/// Levels of a category that have an indicator, at most.
const LEVELS_MAX: usize = 50;
/// Standard deviations from the mean beyond which a number counts for no more.
const BEYOND: f64 = 10.0;
/// Strength of the squared penalty, against one row.
const PENALTY: f64 = 1.0;
/// Steps of each solver, at most.
const STEPS_MAX: usize = 300;
/// Steps that estimate the steepest direction.
const POWER_STEPS: usize = 30;

/// Rows of a table as the cells that are not 0.
pub(super) struct Matrix {
    /// Row after row; a row's part is `starts[row]..starts[row + 1]`.
    cells: Vec<(u32, f64)>,
    starts: Vec<usize>,
    width: usize,
}

/// How a column becomes cells.
enum Coding {
    /// Less the mean, by the deviation; and an indicator of missing.
    Number { mean: f64, deviation: f64 },
    /// An indicator for each of the commonest levels of the training table.
    Levels(usize),
}

impl Matrix {
    /// The first `rows[i]` sampled rows of each side, one below the other, the columns coded as the training table has them.
    pub(super) fn of(case: &Case, sides: &[&Side], rows: &[usize], columns: &[usize]) -> Matrix {
        let codings: Vec<Coding> = columns.iter().map(|&index| coding(case, index)).collect();
        let mut matrix = Matrix { cells: Vec::new(), starts: vec![0], width: 1 };
        let mut offsets = Vec::with_capacity(codings.len());
        for coding in &codings {
            offsets.push(matrix.width as u32);
            matrix.width += match coding {
                Coding::Number { .. } => 2,
                Coding::Levels(levels) => *levels,
            };
        }
        for (side, &rows) in sides.iter().zip(rows) {
            for row in 0..rows {
                // The first cell stands for what all rows share.
                matrix.cells.push((0, 1.0));
                for ((&index, coding), &offset) in columns.iter().zip(&codings).zip(&offsets) {
                    match (&side.sample[index], coding) {
                        (Cells::Numbers(values), Coding::Number { .. }) if values[row].is_nan() => {
                            matrix.cells.push((offset + 1, 1.0));
                        }
                        (Cells::Numbers(values), Coding::Number { mean, deviation }) => {
                            // Halved: the distance of two doubles may be no double.
                            let at = (values[row] / 2.0 - mean / 2.0) / (deviation / 2.0);
                            matrix.cells.push((offset, at.clamp(-BEYOND, BEYOND)));
                        }
                        (Cells::Codes(codes), Coding::Levels(levels)) => {
                            let code = codes[row];
                            if code > 0 && code as usize <= *levels {
                                matrix.cells.push((offset + code - 1, 1.0));
                            }
                        }
                        _ => {}
                    }
                }
                matrix.starts.push(matrix.cells.len());
            }
        }
        matrix
    }

    fn row(&self, row: u32) -> &[(u32, f64)] {
        &self.cells[self.starts[row as usize]..self.starts[row as usize + 1]]
    }

    fn answer(&self, row: u32, weights: &[f64]) -> f64 {
        self.row(row).iter().map(|&(at, value)| value * weights[at as usize]).sum()
    }

    /// The penalised squares of the rows, applied to a direction: (X'X / n + penalty) d.
    fn curve(&self, rows: &[u32], direction: &[f64]) -> Vec<f64> {
        let part = 1.0 / rows.len().max(1) as f64;
        let mut sums: Vec<f64> = direction.iter().map(|value| value * PENALTY * part).collect();
        // What all rows share is not held back.
        sums[0] = 0.0;
        for &row in rows {
            let along = self.answer(row, direction) * part;
            self.row(row).iter().for_each(|&(at, value)| sums[at as usize] += along * value);
        }
        sums
    }

    /// The largest curvature, a little too large rather than too small.
    fn steepest(&self, rows: &[u32]) -> f64 {
        let mut direction = vec![1.0; self.width];
        let mut largest = 1.0;
        for _ in 0..POWER_STEPS {
            let next = self.curve(rows, &direction);
            largest = product(&next, &next).sqrt();
            if largest <= 0.0 {
                return 1.0;
            }
            direction = next.into_iter().map(|value| value / largest).collect();
        }
        largest * 1.1
    }
}

fn coding(case: &Case, index: usize) -> Coding {
    match &case.training.sample[index] {
        Cells::Numbers(values) => {
            let present: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
            let centre = mean(&present).unwrap_or(0.0);
            let squares: Vec<f64> = present.iter().map(|value| (value - centre).powi(2)).collect();
            let deviation = mean(&squares).map_or(0.0, f64::sqrt);
            let usable = deviation > 0.0 && deviation.is_finite();
            Coding::Number { mean: centre, deviation: if usable { deviation } else { 1.0 } }
        }
        Cells::Codes(_) => {
            let known = case.columns[index].counts.iter().filter(|&&count| count > 0).count();
            Coding::Levels(known.min(LEVELS_MAX))
        }
    }
}

/// Ridge regression by conjugate gradients (Hestenes and Stiefel, "Methods of conjugate gradients for solving linear
/// systems", 1952).
pub(super) fn numbers(matrix: &Matrix, rows: &[u32], truths: &[f64], tested: &[u32]) -> Vec<f64> {
    let part = 1.0 / rows.len().max(1) as f64;
    let mut weights = vec![0.0; matrix.width];
    let mut rest = vec![0.0; matrix.width];
    for &row in rows {
        let value = truths[row as usize] * part;
        matrix.row(row).iter().for_each(|&(at, cell)| rest[at as usize] += value * cell);
    }
    let mut direction = rest.clone();
    let (mut left, first) = (product(&rest, &rest), product(&rest, &rest));
    for _ in 0..STEPS_MAX {
        if left <= first * 1e-20 {
            break;
        }
        let curved = matrix.curve(rows, &direction);
        let along = product(&direction, &curved);
        if along <= 0.0 {
            break;
        }
        let step = left / along;
        add(&mut weights, step, &direction);
        add(&mut rest, -step, &curved);
        let now = product(&rest, &rest);
        let kept = now / left;
        left = now;
        direction.iter_mut().zip(&rest).for_each(|(direction, rest)| *direction = rest + kept * *direction);
    }
    tested.iter().map(|&row| matrix.answer(row, &weights)).collect()
}

/// Logistic regression, of several classes by the softmax, with a squared penalty; the minimum is neared by accelerated
/// gradients (Nesterov, "A method for solving the convex programming problem with convergence rate O(1/k^2)", 1983), begun
/// anew where they overshoot. Gives the probabilities of each tested row, one a class.
pub(super) fn classes(matrix: &Matrix, rows: &[u32], labels: &[u32], classes: usize, tested: &[u32]) -> Vec<f64> {
    let size = matrix.width * classes;
    let part = 1.0 / rows.len().max(1) as f64;
    // The curvature of the softmax is at most half that of squares.
    let step = 1.0 / (0.5 * matrix.steepest(rows) + PENALTY * part);
    let (mut weights, mut ahead) = (vec![0.0; size], vec![0.0; size]);
    let mut pace = 1.0f64;
    let mut shares = vec![0.0; classes];
    for _ in 0..STEPS_MAX {
        let mut slopes: Vec<f64> = ahead.iter().map(|weight| weight * PENALTY * part).collect();
        slopes[..classes].fill(0.0);
        for &row in rows {
            softmax(matrix.row(row), &ahead, &mut shares);
            shares[labels[row as usize] as usize] -= 1.0;
            for &(at, value) in matrix.row(row) {
                let of_cell = &mut slopes[at as usize * classes..(at as usize + 1) * classes];
                of_cell.iter_mut().zip(&shares).for_each(|(slope, share)| *slope += share * value * part);
            }
        }
        let next: Vec<f64> = ahead.iter().zip(&slopes).map(|(weight, slope)| weight - step * slope).collect();
        let moved: Vec<f64> = next.iter().zip(&weights).map(|(next, weight)| next - weight).collect();
        let faster = (1.0 + (1.0 + 4.0 * pace * pace).sqrt()) / 2.0;
        let (kept, on) = if product(&slopes, &moved) > 0.0 { (0.0, 1.0) } else { ((pace - 1.0) / faster, faster) };
        ahead = next.iter().zip(&moved).map(|(next, moved)| next + kept * moved).collect();
        (weights, pace) = (next, on);
    }
    tested
        .iter()
        .flat_map(|&row| {
            softmax(matrix.row(row), &weights, &mut shares);
            shares.clone()
        })
        .collect()
}

/// The probabilities of a row.
fn softmax(row: &[(u32, f64)], weights: &[f64], shares: &mut [f64]) {
    let classes = shares.len();
    shares.fill(0.0);
    for &(at, value) in row {
        let of_cell = &weights[at as usize * classes..(at as usize + 1) * classes];
        shares.iter_mut().zip(of_cell).for_each(|(share, weight)| *share += weight * value);
    }
    let top = shares.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    shares.iter_mut().for_each(|share| *share = (*share - top).exp());
    let total: f64 = shares.iter().sum();
    shares.iter_mut().for_each(|share| *share /= total);
}

fn product(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(to: &mut [f64], part: f64, of: &[f64]) {
    to.iter_mut().zip(of).for_each(|(to, of)| *to += part * of);
}
