//! Attribute Inference Protection. In: a case and how many columns the attacker knows. Out: the mean weighted accuracy of
//! guessing the other columns of training rows from their nearest synthetic rows, and the score.

use rayon::prelude::*;

use super::Documented;
use super::joint::{Points, apart, attacked, shuffled};
use crate::case::Case;
use crate::encode::{Cells, Role};
use crate::random::Random;
use crate::statistic::mean;

/// Training rows that are attacked at least, and at most.
const ROWS_MIN: usize = 200;
/// Synthetic rows at most.
const SYNTHETIC_MAX: usize = 5_000;
/// Synthetic rows that a guess rests on.
const NEAREST: usize = 5;
/// Accuracy at which a column has no protection.
const ACCURACY_MAX: f64 = 0.7;
/// Words in a header by which numbers count as names of things.
const NAMING: [&str; 10] = ["class", "code", "id", "date", "zip", "year", "key", "number", "phone", "postal"];

/// The protection; none where there is nothing to know or nothing to guess.
pub(crate) fn protection(case: &Case, known: usize) -> Option<Documented> {
    let columns = attacked(case);
    let synthetic = case.synthetic.sampled.min(SYNTHETIC_MAX);
    if known == 0 || columns.len() <= known || synthetic < NEAREST || case.training.sampled == 0 {
        return None;
    }
    let mut random = Random::new(case.seed ^ 0x6169_6100);
    let count = (case.training.rows / 100).clamp(ROWS_MIN, case.training.sampled.max(ROWS_MIN));
    let rows: Vec<usize> = (0..count).map(|_| random.below(case.training.sampled)).collect();
    let chosen: Vec<Vec<usize>> =
        (0..count).map(|_| shuffled(columns.len(), &mut random).into_iter().take(known).collect()).collect();
    let points = Points::of(case, &columns, &[(&case.training, case.training.sampled), (&case.synthetic, synthetic)]);
    let hits: Vec<Vec<Option<bool>>> = rows
        .par_iter()
        .zip(&chosen)
        .map(|(&row, known)| {
            let near = nearest(&points, known, row, synthetic);
            let guess = |at: usize| {
                if known.contains(&at) { None } else { Some(guessed(case, columns[at], row, &near)) }
            };
            (0..columns.len()).map(guess).collect()
        })
        .collect();
    let accuracies: Vec<f64> = (0..columns.len())
        .map(|at| {
            let tried = hits.iter().filter_map(|hits| hits[at]);
            let (right, all) = tried.fold((0.0, 0.0), |(right, all), hit| (right + hit as u8 as f64, all + 1.0));
            if all > 0.0 { (right / all * 100.0f64).round() / 100.0 } else { 0.0 }
        })
        .collect();
    let weights = weights(&columns.iter().map(|&column| entropy(case, column)).collect::<Vec<_>>());
    let weighted: Vec<f64> =
        accuracies.iter().zip(&weights).map(|(a, w)| (a * w * columns.len() as f64).min(ACCURACY_MAX)).collect();
    let protected = |a: &f64| (ACCURACY_MAX - a) / ACCURACY_MAX * 10.0;
    let score = mean(&weighted.iter().map(protected).collect::<Vec<_>>())?;
    Some(Documented { raw: mean(&weighted)?, score })
}

/// The synthetic rows nearest to a training row in the known columns.
fn nearest(points: &Points, known: &[usize], row: usize, synthetic: usize) -> Vec<usize> {
    let gather = |table: usize, row: usize| -> Vec<f32> {
        let all = points.row(table, row);
        known.iter().flat_map(|&at| all[points.spans[at].0..points.spans[at].0 + points.spans[at].1].to_vec()).collect()
    };
    let own = gather(0, row);
    let mut near: Vec<(f32, usize)> = Vec::with_capacity(NEAREST + 1);
    for other in 0..synthetic {
        let least = if near.len() < NEAREST { f32::INFINITY } else { near[NEAREST - 1].0 };
        let distance = apart(&own, &gather(1, other), least);
        if distance < least {
            let at = near.partition_point(|n| n.0 <= distance);
            near.insert(at, (distance, other));
            near.truncate(NEAREST);
        }
    }
    near.into_iter().map(|near| near.1).collect()
}

/// Whether the value of a training row is guessed from synthetic rows: categories by the commonest, numbers by the mean,
/// within a hundredth of the value and less for each decimal. Negative numbers are never guessed, as documented.
fn guessed(case: &Case, column: usize, row: usize, near: &[usize]) -> bool {
    let naming = case.columns[column].role == Role::Time || {
        let name = case.columns[column].name.to_lowercase();
        NAMING.iter().any(|word| name.split(|c: char| !c.is_alphanumeric()).any(|part| part == *word))
    };
    match (&case.training.sample[column], &case.synthetic.sample[column]) {
        (Cells::Numbers(truths), Cells::Numbers(values)) if !naming => {
            let (truth, present) = (truths[row], near.iter().map(|&at| values[at]).filter(|v| !v.is_nan()));
            let Some(guess) = mean(&present.collect::<Vec<_>>()) else { return truth.is_nan() };
            let places = truth.to_string().split_once('.').map_or(0, |parts| parts.1.len() as i32);
            (guess - truth).abs() < 0.01 * truth * 0.1f64.powi(places)
        }
        (Cells::Numbers(truths), Cells::Numbers(values)) => {
            let bits: Vec<u64> = near.iter().map(|&at| values[at].to_bits()).collect();
            commonest(&bits) == Some(truths[row].to_bits())
        }
        (Cells::Codes(truths), Cells::Codes(values)) => {
            let codes: Vec<u64> = near.iter().map(|&at| values[at] as u64).collect();
            commonest(&codes) == Some(truths[row] as u64)
        }
        _ => false,
    }
}

/// The value that occurs most often; of several the smallest.
fn commonest(values: &[u64]) -> Option<u64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let runs = sorted.chunk_by(|a, b| a == b);
    runs.fold(None, |best: Option<(usize, u64)>, run| match best {
        Some((rows, _)) if rows >= run.len() => best,
        _ => Some((run.len(), run[0])),
    })
    .map(|best| best.1)
}

/// Shannon's entropy of the training values in nats.
fn entropy(case: &Case, column: usize) -> f64 {
    let mut values: Vec<u64> = match &case.training.sample[column] {
        Cells::Numbers(values) => values.iter().map(|value| value.to_bits()).collect(),
        Cells::Codes(codes) => codes.iter().map(|&code| code as u64).collect(),
    };
    values.sort_unstable();
    let all = values.len().max(1) as f64;
    -values.chunk_by(|a, b| a == b).map(|run| run.len() as f64 / all).map(|share| share * share.ln()).sum::<f64>()
}

/// Entropies from the lowest to the highest, so that they sum to one.
fn weights(entropies: &[f64]) -> Vec<f64> {
    let low = entropies.iter().copied().fold(f64::INFINITY, f64::min);
    let high = entropies.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let placed: Vec<f64> =
        entropies.iter().map(|entropy| if high > low { (entropy - low) / (high - low) } else { 1.0 }).collect();
    let sum: f64 = placed.iter().sum();
    placed.iter().map(|placed| placed / sum).collect()
}
