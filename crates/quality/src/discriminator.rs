//! The discriminator: can a model tell synthetic rows from real ones? In: a case. Out: a score and the AUC.

use rayon::prelude::*;

use crate::bins::{bin, rows_within};
use crate::boost::{Model, ROUNDS, Target};
use crate::case::Case;
use crate::metric::{Aspect, Metric, Outcome, Score, number};
use crate::statistic::{Z95, auc_with_error};

/// Most rows of either side.
const ROWS_MAX: usize = 10_000;
/// Fewest rows of either side.
const ROWS_MIN: usize = 50;
const FOLDS: usize = 5;

/// The metric.
pub(crate) static METRIC: Metric = Metric {
    name: "discriminator",
    title: "Discriminator",
    bands: [0.9, 0.7],
    aspect: Aspect::Fidelity,
    about: "1 - 2 x (AUC - 0.5), at most 1, where AUC is how often gradient-boosted trees, tested in five folds, \
            rank a synthetic row above a real row they have not seen: 0.5 is no better than a coin, 1 is always. \
            Real rows are those of the holdout (of the training table where the holdout has fewer than 50), at \
            most 10,000 a side. Interval: DeLong's.",
    source: "Classifier two-sample test: Lopez-Paz and Oquab, \"Revisiting classifier two-sample tests\", 2017. \
             An AUC below 0.5 is no merit and no fault.",
    score,
};

fn score(case: &Case) -> Outcome {
    let holdout = case.holdout.as_ref().filter(|holdout| holdout.sampled >= ROWS_MIN);
    let against = if holdout.is_some() { "holdout" } else { "training" };
    let real = holdout.unwrap_or(&case.training);
    let synthetic = &case.synthetic;
    let compared = case.compared();
    if compared.is_empty() {
        return Outcome::undefined("there are no columns to tell the rows apart by");
    }
    let rows = real.sampled.min(synthetic.sampled).min(rows_within(ROWS_MAX, compared.len()));
    if rows < ROWS_MIN {
        return Outcome::undefined("either side has fewer than 50 rows");
    }
    let binned = bin(case, &[&real.sample, &synthetic.sample], &[rows, rows], None);
    let labels: Vec<u32> = (0..2 * rows).map(|row| u32::from(row >= rows)).collect();
    let target = Target::Class(labels.clone(), 2);
    // The samples are in random order, so that every fifth row is a random fifth of each side.
    let fold_of = |row: u32| (row as usize % rows) % FOLDS;
    let folds: Vec<Vec<(u32, f64)>> = (0..FOLDS)
        .into_par_iter()
        .map(|fold| {
            let (tested, fitted): (Vec<u32>, Vec<u32>) = (0..2 * rows as u32).partition(|&row| fold_of(row) == fold);
            let model = Model::fit(&binned, &fitted, &target, ROUNDS);
            let scores = model.predict(&binned, &tested);
            tested.into_iter().zip(scores).collect()
        })
        .collect();
    let tested: Vec<(u32, f64)> = folds.into_iter().flatten().collect();
    let scores: Vec<f64> = tested.iter().map(|(_, score)| 1.0 / (1.0 + (-score).exp())).collect();
    let of_class: Vec<bool> = tested.iter().map(|(row, _)| labels[*row as usize] == 1).collect();
    let Some((auc, error)) = auc_with_error(&scores, &of_class) else {
        return Outcome::undefined("either side has fewer than 50 rows");
    };
    let sentence = if auc <= 0.55 {
        format!(
            "A model can hardly tell synthetic rows from real ones: it ranks a pair rightly {:.0} times in 100, a \
             coin 50 times.",
            auc * 100.0
        )
    } else {
        format!(
            "A model ranks a synthetic and a real row rightly {:.0} times in 100, where a coin would 50 times.",
            auc * 100.0
        )
    };
    let score = |auc: f64| 1.0 - 2.0 * (auc - 0.5).max(0.0);
    let figures =
        vec![("auc", number(auc)), ("auc_se", number(error)), ("against", against.into()), ("rows_each", rows.into())];
    Outcome::new(Score::bounded(score(auc)), figures, sentence)
        .below(Some(score(0.5 + chance(rows))))
        .within(Some([score(auc + Z95 * error), score(auc - Z95 * error)]))
}

/// How far an AUC of so many rows a side lies above 0.5 on average by chance alone: the mean of the positive part of a
/// normal spread, s / sqrt(2 pi), with s^2 = (2 n + 1) / (12 n^2) (Mann and Whitney, 1947).
fn chance(rows: usize) -> f64 {
    let rows = rows as f64;
    ((2.0 * rows + 1.0) / (12.0 * rows * rows)).sqrt() / (2.0 * std::f64::consts::PI).sqrt()
}
