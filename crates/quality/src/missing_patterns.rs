//! Missingness patterns: are the same cells missing together? In: a case. Out: a score.

use std::collections::BTreeMap;

use crate::case::{Case, Side};
use crate::encode::Cells;
use crate::metric::{Aspect, Metric, Outcome, Score};
use crate::random::mix;
use crate::statistic::{GROUPS, group, jackknife};

/// The metric.
pub(crate) static METRIC: Metric = Metric {
    name: "missing_patterns",
    title: "Missing together",
    bands: [0.95, 0.85],
    aspect: Aspect::Fidelity,
    about: "1 - half the summed differences of the shares of patterns, a pattern being which cells of a row are missing; \
            on at most 20,000 rows a side. Interval: jackknife over twenty groups of rows.",
    source: "Own: total variation distance of the joint missingness indicators (Rubin, \"Inference and missing data\", \
             1976).",
    score,
};

fn score(case: &Case) -> Outcome {
    if case.synthetic.sampled == 0 || case.training.sampled == 0 {
        return Outcome::undefined("a table has no rows");
    }
    let [training, synthetic] = [&case.training, &case.synthetic].map(patterns);
    if training.iter().chain(&synthetic).all(|&pattern| pattern == 0) {
        let sentence = "No cell is missing in either table.".to_string();
        return Outcome::new(Score::Of(1.0), vec![("patterns", 1.into())], sentence)
            .below(Some(1.0))
            .give_or_take(Some(0.0));
    }
    let similarity = overlap(&training, &synthetic, None);
    let mut kinds = training.clone();
    kinds.sort_unstable();
    kinds.dedup();
    let unknown = synthetic.iter().filter(|pattern| kinds.binary_search(pattern).is_err()).count();
    let figures = vec![("patterns", kinds.len().into()), ("rows_of_unknown_patterns", unknown.into())];
    let sentence = format!(
        "The training table has {} patterns of missing cells; the shares of rows that have each agree to {:.1} %.",
        kinds.len(),
        similarity * 100.0
    );
    let without: Vec<Option<f64>> =
        (0..GROUPS).map(|left_out| Some(overlap(&training, &synthetic, Some(left_out)))).collect();
    Outcome::new(Score::bounded(similarity), figures, sentence)
        .below(case.ceiling(|holdout| Some(overlap(&training, &patterns(holdout), None))))
        .give_or_take(jackknife(&without))
}

/// A fingerprint of which cells are missing, per sampled row; 0 where none is.
fn patterns(side: &Side) -> Vec<u64> {
    let mut patterns = vec![0u64; side.sampled];
    for (index, cells) in side.sample.iter().enumerate() {
        let mut add = |row: usize| patterns[row] = mix(patterns[row] ^ mix(index as u64 + 1));
        match cells {
            Cells::Numbers(values) => {
                values.iter().enumerate().filter(|(_, value)| value.is_nan()).for_each(|(row, _)| add(row))
            }
            Cells::Codes(codes) => {
                codes.iter().enumerate().filter(|(_, code)| **code == 0).for_each(|(row, _)| add(row))
            }
        }
    }
    patterns
}

fn overlap(training: &[u64], other: &[u64], left_out: Option<usize>) -> f64 {
    let mut counts: BTreeMap<u64, [f64; 2]> = BTreeMap::new();
    let mut rows = [0.0, 0.0];
    for (side, patterns) in [training, other].into_iter().enumerate() {
        for (_, &pattern) in patterns.iter().enumerate().filter(|(row, _)| Some(group(*row)) != left_out) {
            counts.entry(pattern).or_insert([0.0; 2])[side] += 1.0;
            rows[side] += 1.0;
        }
    }
    let apart = counts.values().map(|of| (of[0] / f64::max(rows[0], 1.0) - of[1] / f64::max(rows[1], 1.0)).abs());
    1.0 - apart.sum::<f64>() / 2.0
}
