//! Attribute inference: does the synthetic table tell more of the people in the training table than of others? In: a
//! case. Out: a score and how well cells of known and of unseen rows are guessed.

use rayon::prelude::*;

use crate::case::{Case, Side};
use crate::distance::{Placed, Space, apart, distances_from};
use crate::metric::{Aspect, Metric, Outcome, Score, number};
use crate::random::Random;
use crate::statistic::{Z95, mean};

/// Fewest rows of either kind.
const ROWS_MIN: usize = 20;
/// Most rows of either kind.
const ROWS_MAX: usize = 500;
/// Most columns that are guessed.
const GUESSED_MAX: usize = 8;
/// Numbers are guessed rightly within this part of the middle 98 % of the training values.
const RIGHT_WITHIN: f32 = 0.05;
/// Comparisons of cells that the distances may take.
const CELLS_MAX: usize = 500_000_000;
/// Distances nearer than this are equal.
const EQUAL: f32 = 1e-5;

/// The metric.
pub(crate) static METRIC: Metric = Metric {
    name: "attribute_inference",
    title: "Attribute inference",
    bands: [0.95, 0.85],
    aspect: Aspect::Privacy,
    about: "1 - how much more often, beyond 1.96 standard errors, a cell of a training row is guessed rightly than one of a \
            holdout row, as a part of how often the latter is guessed wrongly. The guess is what the nearest synthetic \
            row by all other columns holds (ties count in parts); numbers are right within 5 % of the middle 98 % of the \
            values. Up to 8 columns, 500 rows of either kind. Interval: normal, of the difference of two means over rows.",
    source: "Attribute disclosure with a control group: Giomi et al., \"A unified framework for quantifying privacy risk in \
             synthetic data\", 2023; what anybody could guess is no disclosure.",
    score,
};

fn score(case: &Case) -> Outcome {
    let Some(holdout) = &case.holdout else { return Outcome::undefined("there is no holdout") };
    let compared = case.compared();
    if compared.len() < 2 {
        return Outcome::undefined("there are fewer than two columns to compare");
    }
    if case.training.sampled < ROWS_MIN || holdout.sampled < ROWS_MIN || case.synthetic.sampled == 0 {
        return Outcome::undefined("the training table or the holdout has fewer than 20 rows");
    }
    let columns = compared.len();
    let guessed = draw(columns, case.seed);
    let most = (CELLS_MAX / (2 * columns * 2_000)).clamp(200, ROWS_MAX);
    let made = (CELLS_MAX / (2 * most * columns)).clamp(1_000, 20_000).min(case.synthetic.sampled);
    let space = Space::of(case, compared);
    let synthetic = space.place(&case.synthetic, &case.synthetic.order[..made]);
    let rights = |side: &Side| -> Vec<f64> {
        let probes = space.place(side, &side.order[..side.sampled.min(most)]);
        right(&probes, &synthetic, &guessed)
    };
    let (known, unseen) = (rights(&case.training), rights(holdout));
    let (Some(of_known), Some(of_unseen)) = (mean(&known), mean(&unseen)) else {
        return Outcome::undefined("a table has no rows");
    };
    let variance = |values: &[f64], centre: f64| {
        let rows = values.len() as f64;
        values.iter().map(|value| (value - centre).powi(2)).sum::<f64>() / (rows - 1.0).max(1.0) / rows
    };
    let room = (1.0 - of_unseen).max(1e-9);
    let error = (variance(&known, of_known) + variance(&unseen, of_unseen)).sqrt() / room;
    let excess = if of_unseen >= 1.0 { 0.0 } else { (of_known - of_unseen) / room };
    let ends = if of_unseen >= 1.0 { [0.0, 0.0] } else { [excess - Z95 * error, excess + Z95 * error] };
    let figures = vec![
        ("guessed_training", number(of_known)),
        ("guessed_holdout", number(of_unseen)),
        ("excess", number(excess)),
        ("excess_se", number(if of_unseen >= 1.0 { 0.0 } else { error })),
        ("columns", guessed.len().into()),
        ("rows_training", known.len().into()),
        ("rows_holdout", unseen.len().into()),
    ];
    let sentence = format!(
        "From the nearest synthetic row, {:.1} % of cells of training rows are guessed rightly, and {:.1} % of cells of \
         unseen rows.",
        of_known * 100.0,
        of_unseen * 100.0
    );
    let score = |excess: f64| 1.0 - excess.max(0.0);
    Outcome::new(Score::bounded(score(ends[0])), figures, sentence)
        .below(Some(1.0))
        .within(Some([score(ends[1]), score(ends[0])]))
        .gauged(excess, ends)
}

/// Which columns are guessed: places among the compared.
fn draw(columns: usize, seed: u64) -> Vec<usize> {
    let mut places: Vec<usize> = (0..columns).collect();
    let mut random = Random::new(seed ^ 0x6174_7472_6962_7574);
    for at in 0..GUESSED_MAX.min(columns) {
        places.swap(at, at + random.below(columns - at));
    }
    places.truncate(GUESSED_MAX);
    places.sort_unstable();
    places
}

/// For each probe, the share of the guessed columns that the nearest synthetic row by all others has right.
fn right(probes: &Placed, synthetic: &Placed, guessed: &[usize]) -> Vec<f64> {
    let of_probe = |sums: &mut Vec<f32>, probe: usize| {
        distances_from(probes, probe, synthetic, sums);
        let of_column = |&column: &usize| {
            let (mine, theirs) = (probes.columns[column][probe], &synthetic.columns[column]);
            let (mut least, mut ties, mut rights) = (f32::INFINITY, 0.0, 0.0);
            for (sum, &other) in sums.iter().zip(theirs) {
                let own = apart(mine, other);
                let rest = sum - own;
                if rest > least + EQUAL {
                    continue;
                }
                if rest < least - EQUAL {
                    (least, ties, rights) = (rest, 0.0, 0.0);
                }
                ties += 1.0;
                rights += f64::from(own <= RIGHT_WITHIN);
            }
            if ties > 0.0 { rights / ties } else { 0.0 }
        };
        guessed.iter().map(of_column).sum::<f64>() / guessed.len().max(1) as f64
    };
    (0..probes.rows).into_par_iter().map_init(|| vec![0f32; synthetic.rows], of_probe).collect()
}
