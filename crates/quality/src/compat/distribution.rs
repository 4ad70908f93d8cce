//! Column Distribution Stability. In: prepared fields. Out: the Jensen-Shannon distance of each tabular field.

use rayon::prelude::*;

use super::fields::{Field, FieldType, Prepared};
use crate::statistic::sorted;

/// The distance where one of the tables has no values.
const EMPTY: f64 = 0.5887;
/// Bins where the rule gives none, or more.
const BINS_MAX: usize = 500;

/// One distance per tabular field.
pub(crate) fn distances(prepared: &Prepared) -> Vec<f64> {
    prepared.tabular().into_par_iter().map(distance).collect()
}

/// The distance between the distributions of a field.
pub(crate) fn distance(field: &Field) -> f64 {
    if field.kind == FieldType::Numeric {
        return numeric_distance(&field.numbers[0], &field.numbers[1]);
    }
    let shares = field.codes.each_ref().map(|codes| {
        let mut counts = vec![0.0; field.levels];
        codes.iter().filter(|&&code| code > 0).for_each(|&code| counts[code as usize - 1] += 1.0);
        counts
    });
    jensen_shannon(&shares[0], &shares[1])
}

/// The distance between samples of numbers over shared bins of Doane's rule; NaN is left out.
pub(crate) fn numeric_distance(a: &[f64], b: &[f64]) -> f64 {
    let pooled: Vec<f64> = sorted(a).into_iter().chain(sorted(b)).collect();
    let edges = edges(&pooled);
    jensen_shannon(&histogram(a, &edges), &histogram(b, &edges))
}

/// Shared edges by Doane's rule (Doane 1976, "Aesthetic frequency classifications"), from the lowest to the highest value.
pub(crate) fn edges(values: &[f64]) -> Vec<f64> {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if values.is_empty() {
        return vec![0.0, 1.0];
    }
    if low == high {
        return vec![low - 0.5, high + 0.5];
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let deviation = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
    let skew = values.iter().map(|v| ((v - mean) / deviation).powi(3)).sum::<f64>() / n;
    let chance = (6.0 * (n - 2.0) / ((n + 1.0) * (n + 3.0))).sqrt();
    let bins = if n > 2.0 && deviation > 0.0 && skew.is_finite() {
        (1.0 + n.log2() + (1.0 + skew.abs() / chance).log2()).ceil()
    } else {
        0.0
    };
    let bins = if bins >= 1.0 && bins <= BINS_MAX as f64 { bins as usize } else { BINS_MAX };
    (0..=bins).map(|at| low + (high - low) * (at as f64 / bins as f64)).collect()
}

/// How many values lie between each two edges; the last bin holds its upper edge.
pub(crate) fn histogram(values: &[f64], edges: &[f64]) -> Vec<f64> {
    let mut counts = vec![0.0; edges.len() - 1];
    let last = counts.len();
    for &value in values.iter().filter(|value| !value.is_nan()) {
        counts[edges.partition_point(|&edge| edge <= value).clamp(1, last) - 1] += 1.0;
    }
    counts
}

/// The root of the Jensen-Shannon divergence of two lists of counts, to base 2 (Endres and Schindelin 2003).
pub(crate) fn jensen_shannon(a: &[f64], b: &[f64]) -> f64 {
    let sums = [a.iter().sum::<f64>(), b.iter().sum::<f64>()];
    if sums.contains(&0.0) {
        return EMPTY;
    }
    let term = |p: f64, m: f64| if p > 0.0 { p * (p / m).log2() } else { 0.0 };
    let divergence: f64 = a
        .iter()
        .zip(b)
        .map(|(a, b)| {
            let (p, q) = (a / sums[0], b / sums[1]);
            let m = (p + q) / 2.0;
            (term(p, m) + term(q, m)) / 2.0
        })
        .sum();
    divergence.max(0.0).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_what_pencil_and_paper_give() {
        assert_eq!(jensen_shannon(&[1.0, 1.0], &[4.0, 4.0]), 0.0);
        assert_eq!(jensen_shannon(&[1.0, 0.0], &[0.0, 1.0]), 1.0);
        assert_eq!(jensen_shannon(&[1.0, 0.0], &[0.0, 0.0]), EMPTY);
        // Halves against all of one: 1 - (3/4) log2(3) / 2 ... = 0.311278 as divergence.
        let distance = jensen_shannon(&[1.0, 1.0], &[1.0, 0.0]);
        assert!((distance * distance - 0.311278).abs() < 1e-6, "{distance}");
    }

    #[test]
    fn bins_follow_doane() {
        // 1 + log2(8) + log2(1 + 0): symmetric values, eight of them.
        assert_eq!(edges(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]).len(), 5);
        assert_eq!(histogram(&[1.0, 8.0, f64::NAN], &[1.0, 4.5, 8.0]), [1.0, 1.0]);
        assert_eq!(edges(&[3.0, 3.0]), [2.5, 3.5]);
    }
}
