//! Missing values: is as much missing as in the training table? In: a case. Out: a score.

use crate::case::{Case, Side};
use crate::metric::{Aspect, Metric, Outcome, Score, number};
use crate::statistic::mean;

/// The metric.
pub(crate) static METRIC: Metric = Metric {
    name: "missing_values",
    title: "Missing values",
    bands: [0.98, 0.9],
    aspect: Aspect::Fidelity,
    about: "1 - the mean over all columns of the difference between the shares of missing cells, on all rows.",
    source: "SDMetrics: MissingValueSimilarity, averaged.",
    score,
};

fn score(case: &Case) -> Outcome {
    if case.synthetic.rows == 0 || case.training.rows == 0 {
        return Outcome::undefined("a table has no rows");
    }
    let rates =
        |side: &Side| -> Vec<f64> { side.missing.iter().map(|&missing| missing as f64 / side.rows as f64).collect() };
    let (real, synthetic) = (rates(&case.training), rates(&case.synthetic));
    let apart: Vec<f64> = real.iter().zip(&synthetic).map(|(a, b)| (a - b).abs()).collect();
    let Some(error) = mean(&apart) else { return Outcome::undefined("the tables have no columns") };
    let (training, made) = (mean(&real).unwrap_or(0.0), mean(&synthetic).unwrap_or(0.0));
    let sentence = match (training, made) {
        (0.0, 0.0) => "No cell is missing in either table.".to_string(),
        _ => format!(
            "{:.1} % of the training cells and {:.1} % of the synthetic cells are missing.",
            training * 100.0,
            made * 100.0
        ),
    };
    Outcome {
        score: Score::bounded(1.0 - error),
        figures: vec![
            ("missing_rate_error", number(error)),
            ("missing_rate_training", number(training)),
            ("missing_rate_synthetic", number(made)),
        ],
        sentence,
    }
}
