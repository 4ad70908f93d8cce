//! Whether whole numbers that are all different are identifiers or measurements: a column with the others of its table
//! comes in, yes or no goes out. An identifier tells nothing: it is dense, or ascends, or lies anywhere; a number that
//! has a shape of its own, or goes with another column, is a measurement that is different by accident.

use crate::encode::Encoded;
use crate::random::some_rows;

/// Rows that correlations are measured on.
const ROWS_MAX: usize = 2000;

/// Rank correlation (or its like for categories) from which on a column tells of another. By chance, twenty columns of
/// 200 rows reach 0.25 in one table of a hundred.
const TELLING: f64 = 0.3;

/// Whether the numbers of column `at` are meant as identifiers. `present` holds them in row order, `sorted` ascending; all
/// are different.
pub(crate) fn meant_as_ids(name: &str, present: &[i64], sorted: &[i64], at: usize, encoded: &[Encoded]) -> bool {
    let count = sorted.len() as u128;
    let size = sorted[0].abs_diff(sorted[sorted.len() - 1]) as u128 + 1;
    // So many different draws from so small a range would be a wonder.
    let wonder = count * count >= 8 * size;
    let named = named_as_id(name);
    if wonder && (named || dense(sorted)) {
        return true;
    }
    let digits = |value: i64| value.unsigned_abs().checked_ilog10().unwrap_or(0);
    let fixed = sorted[0] > 0 && digits(sorted[0]) >= 5 && digits(sorted[0]) == digits(sorted[sorted.len() - 1]);
    if !(wonder || fixed && (named || sorted.len() >= 100)) || goes_with_another(at, encoded) {
        return false;
    }
    let ascending = present.windows(2).all(|pair| pair[0] < pair[1]);
    wonder && ascending || even(sorted)
}

/// Whether a name says so: `id`, `customer_no`, `orderKey`.
fn named_as_id(name: &str) -> bool {
    let mut words: Vec<String> = vec![String::new()];
    let mut before = ' ';
    for letter in name.chars() {
        let starts = letter.is_uppercase() && before.is_lowercase();
        if (starts || !letter.is_alphanumeric()) && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut()
            && letter.is_alphanumeric()
        {
            word.extend(letter.to_lowercase());
        }
        before = letter;
    }
    words.iter().any(|word| {
        matches!(
            word.as_str(),
            "id" | "ids" | "uid" | "key" | "pk" | "no" | "nr" | "num" | "number" | "code" | "account"
        )
    })
}

/// Whether most neighbours are next to each other.
fn dense(sorted: &[i64]) -> bool {
    let close = sorted.windows(2).filter(|pair| pair[0].abs_diff(pair[1]) <= 3).count();
    2 * close >= sorted.len() - 1
}

/// Whether they lie evenly between their bounds: no further from a straight line than chance would have it once in a
/// thousand tables (Kolmogorov, 1933).
fn even(sorted: &[i64]) -> bool {
    let (low, high) = (sorted[0] as f64, sorted[sorted.len() - 1] as f64);
    let count = sorted.len() as f64;
    let off =
        |(at, value): (usize, &i64)| ((*value as f64 - low) / (high - low).max(1.0) - (at as f64 + 0.5) / count).abs();
    let most = sorted.iter().enumerate().map(off).fold(0.0, f64::max);
    most < 1.95 / count.sqrt()
}

/// Whether another column tells something of this one.
fn goes_with_another(at: usize, encoded: &[Encoded]) -> bool {
    let own = &encoded[at].values;
    let rows: Vec<usize> = some_rows(own.len(), ROWS_MAX, 5).into_iter().map(|row| row as usize).collect();
    let tells = |other: usize| {
        let column = &encoded[other];
        let both: Vec<usize> =
            rows.iter().copied().filter(|&row| !own[row].is_nan() && !column.values[row].is_nan()).collect();
        if other == at || both.len() < 50 {
            return false;
        }
        let mine = ranks(&both, own);
        match column.nominal {
            true => between(&mine, &both, &column.values) > TELLING * TELLING,
            false => correlation(&mine, &ranks(&both, &column.values)).abs() > TELLING,
        }
    };
    (0..encoded.len()).any(tells)
}

/// Ranks from 0 to 1, equal values sharing one.
fn ranks(rows: &[usize], values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by(|&a, &b| values[rows[a]].total_cmp(&values[rows[b]]));
    let mut ranks = vec![0.0; rows.len()];
    let mut start = 0;
    for run in order.chunk_by(|&a, &b| values[rows[a]] == values[rows[b]]) {
        let rank = (start as f64 + (run.len() as f64 - 1.0) / 2.0) / rows.len() as f64;
        run.iter().for_each(|&at| ranks[at] = rank);
        start += run.len();
    }
    ranks
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let count = a.len() as f64;
    let (mean_a, mean_b) = (a.iter().sum::<f64>() / count, b.iter().sum::<f64>() / count);
    let product: f64 = a.iter().zip(b).map(|(x, y)| (x - mean_a) * (y - mean_b)).sum();
    let square = |v: &[f64], mean: f64| v.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>();
    let norm = (square(a, mean_a) * square(b, mean_b)).sqrt();
    if norm > 0.0 { product / norm } else { 0.0 }
}

/// The share of the variance of ranks that lies between the categories (the adjusted correlation ratio).
fn between(ranks: &[f64], rows: &[usize], categories: &[f64]) -> f64 {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by(|&a, &b| categories[rows[a]].total_cmp(&categories[rows[b]]).then(a.cmp(&b)));
    let count = rows.len() as f64;
    let mean = ranks.iter().sum::<f64>() / count;
    let total: f64 = ranks.iter().map(|rank| (rank - mean) * (rank - mean)).sum();
    let mut within = 0.0;
    let mut groups = 0.0;
    for run in order.chunk_by(|&a, &b| categories[rows[a]] == categories[rows[b]]) {
        let own = run.iter().map(|&at| ranks[at]).sum::<f64>() / run.len() as f64;
        within += run.iter().map(|&at| (ranks[at] - own) * (ranks[at] - own)).sum::<f64>();
        groups += 1.0;
    }
    if total <= 0.0 || count - groups < 10.0 {
        0.0
    } else {
        1.0 - (within / (count - groups)) / (total / (count - 1.0))
    }
}
