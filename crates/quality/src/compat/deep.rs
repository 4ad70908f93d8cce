//! Deep Structure Stability. In: prepared fields. Out: both tables projected on the two principal components of the
//! training table (Pearson 1901), and how far the projections lie apart.

use rayon::prelude::*;

use super::distribution::numeric_distance;
use super::fields::{FieldType, Prepared};
use crate::statistic::{mean, quantile, sorted};

/// Turns of the iteration; what two components need to settle, far beyond what the figure shows.
const TURNS: usize = 400;

/// For the training and the synthetic table, the projection of each row on the first and the second component. None
/// under two rows or two columns.
pub(crate) fn components(prepared: &Prepared) -> Option<[[Vec<f64>; 2]; 2]> {
    let columns: Vec<[Vec<f64>; 2]> = prepared
        .tabular()
        .into_par_iter()
        .map(|field| if field.kind == FieldType::Numeric { filled(&field.numbers) } else { counted(field) })
        .map(scaled)
        .collect();
    if columns.len() < 2 || prepared.rows < 2 {
        return None;
    }
    let width = columns.len();
    let covariance: Vec<Vec<f64>> = (0..width)
        .into_par_iter()
        .map(|a| {
            let dot = |b: usize| columns[a][0].iter().zip(&columns[b][0]).map(|(x, y)| x * y).sum::<f64>();
            (0..width).map(|b| dot(b) / prepared.rows as f64).collect()
        })
        .collect();
    let axes = principal(&covariance);
    let project = |side: usize| {
        axes.each_ref().map(|axis| {
            let mut along = vec![0.0; prepared.rows];
            for (column, weight) in columns.iter().zip(axis) {
                along.iter_mut().zip(&column[side]).for_each(|(sum, value)| *sum += weight * value);
            }
            along
        })
    };
    Some([project(0), project(1)])
}

/// The mean distance along both components.
pub(crate) fn distance(components: &[[Vec<f64>; 2]; 2]) -> Option<f64> {
    mean(&[0, 1].map(|axis| numeric_distance(&components[0][axis], &components[1][axis])))
}

/// Missing numbers become the median of the training table.
fn filled(numbers: &[Vec<f64>; 2]) -> [Vec<f64>; 2] {
    let median = quantile(&sorted(&numbers[0]), 0.5).unwrap_or(0.0);
    numbers.each_ref().map(|side| side.iter().map(|&value| if value.is_nan() { median } else { value }).collect())
}

/// A category becomes how many training rows hold it; missing is a category.
fn counted(field: &super::fields::Field) -> [Vec<f64>; 2] {
    let mut counts = vec![0.0; field.levels + 1];
    field.codes[0].iter().for_each(|&code| counts[code as usize] += 1.0);
    field.codes.each_ref().map(|codes| codes.iter().map(|&code| counts[code as usize]).collect())
}

/// To mean 0 and deviation 1 of the training table.
fn scaled(mut column: [Vec<f64>; 2]) -> [Vec<f64>; 2] {
    let n = column[0].len().max(1) as f64;
    let mean = column[0].iter().sum::<f64>() / n;
    let deviation = (column[0].iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt();
    let width = if deviation > 0.0 && deviation.is_finite() { deviation } else { 1.0 };
    column.iter_mut().flatten().for_each(|value| *value = (*value - mean) / width);
    column
}

/// The two directions of the largest variance, by orthogonal iteration.
fn principal(covariance: &[Vec<f64>]) -> [Vec<f64>; 2] {
    let width = covariance.len();
    let start = |shift: f64| (0..width).map(|at| 1.0 + (at as f64 * shift).sin()).collect::<Vec<f64>>();
    let mut axes = [start(1.7), start(3.1)];
    for _ in 0..TURNS {
        axes = axes.map(|axis| {
            let dot = |row: &Vec<f64>| row.iter().zip(&axis).map(|(a, b)| a * b).sum::<f64>();
            // A share of the axis itself keeps a vanishing matrix from wiping it out.
            covariance.iter().zip(&axis).map(|(row, own)| dot(row) + 1e-9 * own).collect()
        });
        let [first, second] = &mut axes;
        normalise(first);
        let shared: f64 = first.iter().zip(second.iter()).map(|(a, b)| a * b).sum();
        second.iter_mut().zip(first.iter()).for_each(|(b, a)| *b -= shared * a);
        normalise(second);
    }
    axes
}

fn normalise(axis: &mut [f64]) {
    let size = axis.iter().map(|v| v * v).sum::<f64>().sqrt();
    if size > 0.0 {
        axis.iter_mut().for_each(|v| *v /= size);
    }
}
