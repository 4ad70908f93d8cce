//! Near copies: do more synthetic rows lie very close to a training row than unseen rows do? In: a case. Out: a score
//! and both shares.

use crate::case::Case;
use crate::distance::EQUAL;
use crate::metric::{Aspect, Metric, Outcome, Score, number};
use crate::statistic::quantile;

/// The share of unseen rows that are very close to a training row, by definition.
const CLOSE_SHARE: f64 = 0.01;

/// The metric.
pub(crate) static METRIC: Metric = Metric {
    name: "near_copies",
    title: "Near copies",
    bands: [0.95, 0.85],
    aspect: Aspect::Privacy,
    about: "1 - how much larger, beyond two standard errors, the share of synthetic rows that lie very close to a \
            training row is than that of holdout rows. Very close is within the distance that the closest 1 % of \
            holdout rows keep; at most 2,000 rows of either against at most 20,000 training rows.",
    source: "Distance to the closest record with a holdout as the measure, as in nearest_record.",
    score,
};

fn score(case: &Case) -> Outcome {
    let nearest = match case.nearest() {
        Ok(nearest) => nearest,
        Err(reason) => return Outcome::undefined(reason),
    };
    let mut sorted: Vec<f64> = nearest.holdout_to_training.iter().map(|&distance| distance as f64).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let Some(close) = quantile(&sorted, CLOSE_SHARE) else { return Outcome::undefined("the holdout has no rows") };
    let share = |distances: &[f32]| {
        distances.iter().filter(|&&distance| distance <= close as f32 + EQUAL).count() as f64
            / distances.len().max(1) as f64
    };
    let synthetic = share(&nearest.to_training());
    let holdout = share(&nearest.holdout_to_training);
    let spread = |share: f64, rows: usize| share * (1.0 - share) / rows.max(1) as f64;
    let error = (spread(synthetic, nearest.to_holdout.len()) + spread(holdout, sorted.len())).sqrt();
    let excess = (synthetic - holdout - 2.0 * error).max(0.0);
    Outcome {
        score: Score::bounded(1.0 - excess),
        figures: vec![
            ("share_synthetic", number(synthetic)),
            ("share_holdout", number(holdout)),
            ("share_se", number(error)),
            ("distance", number(close)),
        ],
        sentence: format!(
            "{:.1} % of synthetic rows lie very close to a training row; of unseen real rows, {:.1} % do.",
            synthetic * 100.0,
            holdout * 100.0
        ),
    }
}
