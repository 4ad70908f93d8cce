//! Column shapes: is each column, by itself, spread as in the training table? In: a case. Out: a score per column and
//! their mean.

use rayon::prelude::*;

use crate::case::Case;
use crate::encode::Cells;
use crate::metric::{Aspect, Metric, Outcome, Score, number};
use crate::statistic::{kolmogorov_smirnov, mean, sorted};

/// The metric.
pub(crate) static METRIC: Metric = Metric {
    name: "column_shapes",
    title: "Column shapes",
    bands: [0.95, 0.85],
    aspect: Aspect::Fidelity,
    about: "How alike each column's values are spread: for numbers and times 1 - the largest gap between the two \
            cumulative distributions, for other columns 1 - half the summed differences of the values' shares; \
            missing cells left out; mean over columns but identifiers, on at most 20,000 rows a side.",
    source: "SDMetrics: KSComplement and TVComplement as its QualityReport takes them. A column that has values \
             in the training table and none in the synthetic one scores 0 here, where SDMetrics leaves it out.",
    score,
};

fn score(case: &Case) -> Outcome {
    if case.synthetic.rows == 0 {
        return Outcome::undefined("the synthetic table has no rows");
    }
    let scores: Vec<(usize, f64)> =
        case.shapes().iter().enumerate().filter_map(|(index, score)| Some((index, score.value()?))).collect();
    let values: Vec<f64> = scores.iter().map(|(_, score)| *score).collect();
    let Some(mean) = mean(&values) else { return Outcome::undefined("no column has values to compare") };
    let mut worst = scores.clone();
    worst.sort_by(|a, b| a.1.total_cmp(&b.1));
    let (least, lowest) = worst[0];
    let least = &case.columns[least].name;
    let sentence = match worst.len() {
        1 => format!("The one column compared, {least}, scores {lowest:.3}."),
        columns => format!(
            "Over {columns} columns the shapes agree to {:.1} %; {least} agrees least, with {lowest:.3}.",
            mean * 100.0
        ),
    };
    Outcome {
        score: Score::bounded(mean),
        figures: vec![
            ("columns", values.len().into()),
            ("lowest", number(lowest)),
            ("lowest_column", least.as_str().into()),
            ("rows_training", case.training.sampled.into()),
            ("rows_synthetic", case.synthetic.sampled.into()),
        ],
        sentence,
    }
}

/// The score of every column.
pub(crate) fn shapes(case: &Case) -> Vec<Score> {
    (0..case.columns.len()).into_par_iter().map(|index| shape(case, index)).collect()
}

fn shape(case: &Case, index: usize) -> Score {
    if !case.compared().contains(&index) {
        return Score::Undefined("identifiers have no distribution");
    }
    let (real, synthetic) = (&case.training.sample[index], &case.synthetic.sample[index]);
    if case.synthetic.rows == 0 {
        return Score::Undefined("the synthetic table has no rows");
    }
    match (real.missing() == case.training.sampled, synthetic.missing() == case.synthetic.sampled) {
        (true, true) => return Score::Undefined("the column has no values"),
        (true, false) => return Score::Undefined("the column has no values in the training table"),
        (false, true) => return Score::Of(0.0),
        (false, false) => {}
    }
    match (real, synthetic) {
        (Cells::Numbers(real), Cells::Numbers(synthetic)) => {
            match kolmogorov_smirnov(&sorted(real), &sorted(synthetic)) {
                Some(distance) => Score::bounded(1.0 - distance),
                None => Score::Undefined("the column has no values"),
            }
        }
        (Cells::Codes(real), Cells::Codes(synthetic)) => {
            let levels = case.columns[index].levels.len();
            let (real, synthetic) = (shares(real, levels), shares(synthetic, levels));
            let apart: f64 = real.iter().zip(&synthetic).map(|(a, b)| (a - b).abs()).sum();
            Score::bounded(1.0 - apart / 2.0)
        }
        _ => Score::Undefined("the column is of two kinds"),
    }
}

/// The share of each level among the cells that are not missing; zeros if there are none.
pub(crate) fn shares(codes: &[u32], levels: usize) -> Vec<f64> {
    let mut counts = vec![0usize; levels];
    codes.iter().filter(|&&code| code > 0).for_each(|&code| counts[code as usize - 1] += 1);
    let total = counts.iter().sum::<usize>().max(1) as f64;
    counts.into_iter().map(|count| count as f64 / total).collect()
}
