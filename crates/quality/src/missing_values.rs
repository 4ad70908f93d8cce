//! Missing values: is as much missing as in the training table? In: a case. Out: a score.

use crate::case::{Case, Side};
use crate::encode::Cells;
use crate::metric::{Aspect, Metric, Outcome, Score, number};
use crate::statistic::{GROUPS, group, jackknife, mean, rescaled};

/// The metric.
pub(crate) static METRIC: Metric = Metric {
    name: "missing_values",
    title: "Missing values",
    bands: [0.98, 0.9],
    aspect: Aspect::Fidelity,
    about: "1 - the mean over all columns of the difference between the shares of missing cells, on all rows. \
            Interval: jackknife over twenty groups of at most 20,000 rows.",
    source: "SDMetrics: MissingValueSimilarity, averaged.",
    score,
};

fn score(case: &Case) -> Outcome {
    if case.synthetic.rows == 0 || case.training.rows == 0 {
        return Outcome::undefined("a table has no rows");
    }
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
    let figures = vec![
        ("missing_rate_error", number(error)),
        ("missing_rate_training", number(training)),
        ("missing_rate_synthetic", number(made)),
    ];
    Outcome::new(Score::bounded(1.0 - error), figures, sentence)
        .below(ceiling(case, &real))
        .give_or_take(jackknife(&without_groups(case)))
}

fn rates(side: &Side) -> Vec<f64> {
    side.missing.iter().map(|&missing| missing as f64 / side.rows as f64).collect()
}

/// On all rows, as the score is.
fn ceiling(case: &Case, real: &[f64]) -> Option<f64> {
    let holdout = case.holdout.as_ref().filter(|holdout| holdout.rows > 0)?;
    let apart = mean(&real.iter().zip(rates(holdout)).map(|(a, b)| (a - b).abs()).collect::<Vec<_>>())?;
    Some(1.0 - rescaled(apart, case.training.rows, holdout.rows, case.synthetic.rows))
}

fn without_groups(case: &Case) -> Vec<Option<f64>> {
    let sides = [&case.training, &case.synthetic].map(|side| side.sample.iter().map(by_group).collect::<Vec<_>>());
    let rate = |of_column: &[[f64; 2]; GROUPS], left_out: usize| {
        let kept = of_column.iter().enumerate().filter(|(at, _)| *at != left_out);
        let [missing, rows] = kept.fold([0.0, 0.0], |sum, (_, of)| [sum[0] + of[0], sum[1] + of[1]]);
        if rows > 0.0 { missing / rows } else { 0.0 }
    };
    let of_group = |left_out: usize| {
        let apart = sides[0].iter().zip(&sides[1]).map(|(a, b)| (rate(a, left_out) - rate(b, left_out)).abs());
        mean(&apart.collect::<Vec<_>>())
    };
    (0..GROUPS).map(of_group).collect()
}

/// Missing cells and all cells of each group.
fn by_group(cells: &Cells) -> [[f64; 2]; GROUPS] {
    let mut counts = [[0.0; 2]; GROUPS];
    let mut add = |row: usize, missing: bool| {
        counts[group(row)][0] += f64::from(missing);
        counts[group(row)][1] += 1.0;
    };
    match cells {
        Cells::Numbers(values) => values.iter().enumerate().for_each(|(row, value)| add(row, value.is_nan())),
        Cells::Codes(codes) => codes.iter().enumerate().for_each(|(row, &code)| add(row, code == 0)),
    }
    counts
}
