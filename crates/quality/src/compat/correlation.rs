//! Column Correlation Stability. In: prepared fields. Out: one matrix of associations for each table, and how far they lie
//! apart.

use rayon::prelude::*;

use super::fields::{Field, FieldType, Prepared};

/// Up to this share of different values a category is compared with numbers by the correlation ratio.
const FEW: f64 = 0.1;
/// Cells of a table of joint counts that are counted without sorting.
const DENSE_MAX: usize = 1 << 16;

/// The matrices (fields x fields) of the training and the synthetic table, of at most so many tabular fields unless that is
/// 0; none under two.
pub(crate) fn matrices(prepared: &Prepared, columns_max: usize) -> Option<[Vec<Vec<f64>>; 2]> {
    let mut fields = prepared.tabular();
    fields.truncate(if columns_max == 0 { usize::MAX } else { columns_max });
    (fields.len() > 1 && prepared.rows > 1).then(|| [0, 1].map(|side| matrix(&fields, side)))
}

/// The mean absolute difference over the whole matrices.
pub(crate) fn difference(a: &[Vec<f64>], b: &[Vec<f64>]) -> f64 {
    let cells = a.iter().flatten().zip(b.iter().flatten());
    cells.map(|(a, b)| (a - b).abs()).sum::<f64>() / (a.len() * a.len()).max(1) as f64
}

/// One column of one table, as associations read it.
struct View<'a> {
    numbers: Option<&'a [f64]>,
    codes: &'a [u32],
    levels: usize,
    /// Different values, missing counting as one of a category.
    distinct: usize,
}

impl View<'_> {
    fn of(field: &Field, side: usize) -> View<'_> {
        let numbers = (field.kind == FieldType::Numeric).then_some(field.numbers[side].as_slice());
        let features = &field.features[side];
        let distinct = features.unique + (numbers.is_none() && features.missing > 0) as usize;
        View { numbers, codes: &field.codes[side], levels: field.levels + 1, distinct }
    }

    fn unique_share(&self) -> f64 {
        self.distinct as f64 / self.codes.len().max(1) as f64
    }

    fn all_unique(&self) -> bool {
        self.numbers.is_none() && self.distinct == self.codes.len()
    }
}

fn matrix(fields: &[&Field], side: usize) -> Vec<Vec<f64>> {
    let views: Vec<View> = fields.iter().map(|field| View::of(field, side)).collect();
    let entropies: Vec<f64> = views.par_iter().map(|view| entropy(view.codes, view.levels)).collect();
    // What is the same both ways, joint entropies above all, is counted once.
    let upper: Vec<Vec<[f64; 2]>> = (0..views.len())
        .into_par_iter()
        .map(|row| (row + 1..views.len()).map(|column| entries(&views, &entropies, row, column)).collect())
        .collect();
    let entry = |row: usize, column: usize| match row.cmp(&column) {
        std::cmp::Ordering::Less => upper[row][column - row - 1][0],
        std::cmp::Ordering::Equal => 1.0,
        std::cmp::Ordering::Greater => upper[column][row - column - 1][1],
    };
    (0..views.len()).map(|row| (0..views.len()).map(|column| entry(row, column)).collect()).collect()
}

/// The entries of two different columns: the first's row and the second's.
fn entries(views: &[View], entropies: &[f64], first: usize, second: usize) -> [f64; 2] {
    let (a, b) = (&views[first], &views[second]);
    if a.distinct < 2 || b.distinct < 2 {
        return [0.0, 0.0];
    }
    if a.all_unique() || b.all_unique() {
        let told =
            |a: &View, b: &View| if a.all_unique() { 1.0 } else { (a.distinct as f64).ln() / (b.distinct as f64).ln() };
        return [told(a, b), told(b, a)];
    }
    match (a.numbers, b.numbers) {
        (Some(x), Some(y)) => [pearson(x, y); 2],
        (Some(numbers), None) if b.unique_share() <= FEW => [ratio(b, numbers); 2],
        (None, Some(numbers)) if a.unique_share() <= FEW => [ratio(a, numbers); 2],
        _ => {
            let mutual = entropies[first] + entropies[second] - joint_entropy(a, b);
            [first, second].map(
                |own| {
                    if entropies[own] > 0.0 { (mutual / entropies[own]).clamp(0.0, 1.0) } else { 0.0 }
                },
            )
        }
    }
}

/// Pearson's correlation of the rows in which both are present; 0 where one does not vary.
fn pearson(x: &[f64], y: &[f64]) -> f64 {
    let both = || x.iter().zip(y).filter(|(x, y)| !x.is_nan() && !y.is_nan());
    let (mut n, mut sums) = (0.0, [0.0; 2]);
    both().for_each(|(x, y)| {
        n += 1.0;
        sums = [sums[0] + x, sums[1] + y];
    });
    let means = sums.map(|sum| sum / n);
    let mut squares = [0.0; 3];
    for (x, y) in both() {
        let (x, y) = (x - means[0], y - means[1]);
        squares = [squares[0] + x * x, squares[1] + y * y, squares[2] + x * y];
    }
    let correlation = squares[2] / (squares[0] * squares[1]).sqrt();
    if correlation.is_finite() { correlation } else { 0.0 }
}

/// The correlation ratio: the root of the share of variance between categories.
fn ratio(category: &View, numbers: &[f64]) -> f64 {
    let (mut sums, mut counts) = (vec![0.0; category.levels], vec![0.0; category.levels]);
    let (mut sum, mut count) = (0.0, 0.0);
    for (&code, &number) in category.codes.iter().zip(numbers).filter(|(_, number)| !number.is_nan()) {
        sums[code as usize] += number;
        counts[code as usize] += 1.0;
        (sum, count) = (sum + number, count + 1.0);
    }
    let mean = sum / count;
    let total: f64 = numbers.iter().filter(|number| !number.is_nan()).map(|number| (number - mean).powi(2)).sum();
    let between: f64 =
        sums.iter().zip(&counts).filter(|c| *c.1 > 0.0).map(|(sum, n)| n * (sum / n - mean).powi(2)).sum();
    let ratio = (between / total).sqrt();
    if ratio.is_finite() { ratio.min(1.0) } else { 0.0 }
}

/// Shannon's entropy of a column in nats.
fn entropy(codes: &[u32], levels: usize) -> f64 {
    let mut counts = vec![0u32; levels];
    codes.iter().for_each(|&code| counts[code as usize] += 1);
    of_counts(&counts, codes.len())
}

fn of_counts(counts: &[u32], rows: usize) -> f64 {
    let share = |&count: &u32| count as f64 / rows as f64;
    -counts.iter().filter(|&&count| count > 0).map(|count| share(count) * share(count).ln()).sum::<f64>()
}

fn joint_entropy(a: &View, b: &View) -> f64 {
    let rows = a.codes.len();
    if a.levels * b.levels <= DENSE_MAX {
        let mut counts = vec![0u32; a.levels * b.levels];
        a.codes.iter().zip(b.codes).for_each(|(&a, &other)| counts[a as usize * b.levels + other as usize] += 1);
        return of_counts(&counts, rows);
    }
    let mut pairs: Vec<u64> = a.codes.iter().zip(b.codes).map(|(&a, &b)| (a as u64) << 32 | b as u64).collect();
    pairs.sort_unstable();
    let counts: Vec<u32> = pairs.chunk_by(|a, b| a == b).map(|run| run.len() as u32).collect();
    of_counts(&counts, rows)
}
