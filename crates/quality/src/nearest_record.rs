//! Nearest records: do synthetic rows lie nearer to training rows than to rows the model never saw? In: a case. Out: a
//! score, the share and its standard error.

use crate::case::Case;
use crate::distance::{EQUAL, Nearest};
use crate::metric::{Aspect, Metric, Outcome, Score, number};
use crate::statistic::{Z95, quantile};

/// The metric.
pub(crate) static METRIC: Metric = Metric {
    name: "nearest_record",
    title: "Nearest records",
    bands: [0.95, 0.85],
    aspect: Aspect::Privacy,
    about: "1 - excess, where excess is how far the share of synthetic rows that are nearer to training rows than \
            to as many holdout rows lies above 0.5 and two standard errors, as a part of how far a full copy lies \
            above 0.5. Ties count half; Gower distance; at most 2,000 synthetic rows against blocks of at most \
            5,000, mean over at most four blocks of training rows. Interval: normal, of the share, with the standard error that \
            dealing the real rows to the sides anew would give.",
    source: "Share of distances to the closest record: Platzer and Reutterer, \"Holdout-based empirical \
             assessment of mixed-type synthetic data\", 2021, with blocks of equal size.",
    score,
};

/// A full copy has to lie beyond chance by at least this part of its distance from one half.
const POWER_MIN: f64 = 0.25;

/// The standard error of the share under exchange: if synthetic rows know neither side, the sides of the 2 m real rows
/// could be dealt anew, which gives the share the variance V = 1/4 x (sum of w^2 - 1 / (2 m)) x 2 m / (2 m - 1), w being
/// the share of synthetic rows that a real row is nearest to. Half of V comes of the holdout, which all blocks share,
/// half of the blocks, whose mean is taken. Never less than that of independent synthetic rows, 1 / (4 n).
fn standard_error(nearest: &Nearest) -> f64 {
    let (rows, real) = (nearest.to_holdout.len().max(1) as f64, 2.0 * nearest.block_rows as f64);
    let blocks = nearest.hubs.len().max(1) as f64;
    let hubs = nearest.hubs.iter().sum::<f64>() / blocks;
    let dealt = 0.25 * (hubs - 1.0 / real).max(0.0) * real / (real - 1.0).max(1.0);
    (dealt * (0.5 + 0.5 / blocks)).max(0.25 / rows).sqrt()
}

fn score(case: &Case) -> Outcome {
    let nearest = match case.nearest() {
        Ok(nearest) => nearest,
        Err(reason) => return Outcome::undefined(reason),
    };
    let rows = nearest.to_holdout.len();
    let blocks = nearest.to_blocks.len() as f64;
    let of_block = |distances: &[f32], tie: f64| -> f64 {
        let each = distances.iter().zip(&nearest.to_holdout).map(|(training, holdout)| match training - holdout {
            apart if apart < -EQUAL => 1.0,
            apart if apart <= EQUAL => tie,
            _ => 0.0,
        });
        each.sum::<f64>() / rows as f64
    };
    let share = nearest.to_blocks.iter().map(|block| of_block(block, 0.5)).sum::<f64>() / blocks;
    let error = standard_error(nearest);
    let expected = blocks / (blocks + 1.0);
    let all = of_block(&nearest.to_training(), expected);
    // A copied row is nearest in its own block and by chance in each other one.
    let full_copy = 0.5 + 0.5 / blocks;
    let chance = 0.5 + 2.0 * error;
    if full_copy - chance < POWER_MIN * (full_copy - 0.5) {
        return Outcome::undefined("the holdout is too small to tell a copy from chance");
    }
    let excess_of = |share: f64| ((share - chance) / (full_copy - 0.5)).clamp(0.0, 1.0);
    let excess = excess_of(share);
    let median = |distances: &[f32]| {
        let mut sorted: Vec<f64> = distances.iter().map(|&distance| distance as f64).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        quantile(&sorted, 0.5).map_or(serde_json::Value::Null, number)
    };
    let sentence = if excess > 0.0 {
        format!(
            "{:.1} % of synthetic rows lie nearer to training rows than to unseen ones, more than the 50 % of \
             chance: single training rows shine through.",
            share * 100.0
        )
    } else {
        format!(
            "{:.1} % of synthetic rows lie nearer to training rows than to unseen ones; chance is 50 %, give or \
             take {:.1}.",
            share * 100.0,
            error * 200.0
        )
    };
    let figures = vec![
        ("dcr_share_train", number(share)),
        ("dcr_share_se", number(error)),
        ("dcr_share_full_copy", number(full_copy)),
        ("nearest_in_train_share", number(all)),
        ("nearest_in_train_expected", number(expected)),
        ("dcr_median_to_train_block", nearest.to_blocks.first().map_or(serde_json::Value::Null, |block| median(block))),
        ("dcr_median_to_holdout", median(&nearest.to_holdout)),
        ("rows_per_block", nearest.block_rows.into()),
        ("synthetic_rows_used", rows.into()),
    ];
    Outcome::new(Score::bounded(1.0 - excess), figures, sentence)
        .below(Some(1.0))
        .within(Some([1.0 - excess_of(share + Z95 * error), 1.0 - excess_of(share - Z95 * error)]))
}
