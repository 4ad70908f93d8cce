//! Column shapes: is each column, by itself, spread as in the training table? In: a case. Out: a score per column and
//! their mean.

use rayon::prelude::*;

use crate::case::{Case, Side};
use crate::encode::{Cells, Role};
use crate::metric::{Aspect, Metric, Outcome, Score, number};
use crate::statistic::{GROUPS, group, jackknife, kolmogorov_smirnov, mean, sorted};

/// The metric.
pub(crate) static METRIC: Metric = Metric {
    name: "column_shapes",
    title: "Column shapes",
    bands: [0.95, 0.85],
    aspect: Aspect::Fidelity,
    about: "How alike each column's values are spread: for numbers and times 1 - the largest gap between the two \
            cumulative distributions, for other columns 1 - half the summed differences of the values' shares; \
            missing cells left out; mean over columns but identifiers, on at most 20,000 rows a side. Interval: jackknife \
            over twenty groups of rows.",
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
    let figures = vec![
        ("columns", values.len().into()),
        ("lowest", number(lowest)),
        ("lowest_column", least.as_str().into()),
        ("rows_training", case.training.sampled.into()),
        ("rows_synthetic", case.synthetic.sampled.into()),
    ];
    let counted: Vec<usize> = scores.iter().map(|(index, _)| *index).collect();
    Outcome::new(Score::bounded(mean), figures, sentence)
        .below(case.ceiling(|holdout| mean_shape(case, holdout)))
        .give_or_take(jackknife(&without_groups(case, &counted)))
}

fn mean_shape(case: &Case, side: &Side) -> Option<f64> {
    let shapes: Vec<Option<f64>> =
        (0..case.columns.len()).into_par_iter().map(|index| shape(case, side, index).value()).collect();
    mean(&shapes.into_iter().flatten().collect::<Vec<_>>())
}

/// The mean over these columns without each group of rows in turn.
fn without_groups(case: &Case, columns: &[usize]) -> Vec<Option<f64>> {
    let of_columns: Vec<Vec<Option<f64>>> = columns
        .par_iter()
        .map(|&index| match (&case.training.sample[index], &case.synthetic.sample[index]) {
            (Cells::Numbers(real), Cells::Numbers(synthetic)) => {
                let (real, synthetic) = (by_value(real), by_value(synthetic));
                (0..GROUPS)
                    .map(|left_out| {
                        let kept = |values: &[(f64, usize)]| -> Vec<f64> {
                            values.iter().filter(|(_, group)| *group != left_out).map(|(value, _)| *value).collect()
                        };
                        kolmogorov_smirnov(&kept(&real), &kept(&synthetic)).map(|distance| 1.0 - distance)
                    })
                    .collect()
            }
            (Cells::Codes(real), Cells::Codes(synthetic)) => (0..GROUPS)
                .map(|left_out| {
                    let kept = |codes: &[u32]| -> Vec<u32> {
                        let rows = codes.iter().enumerate().filter(|(row, _)| group(*row) != left_out);
                        rows.map(|(_, &code)| code).collect()
                    };
                    Some(overlap(&kept(real), &kept(synthetic), case.columns[index].levels.len()))
                })
                .collect(),
            _ => vec![None; GROUPS],
        })
        .collect();
    let of_group = |at: usize| mean(&of_columns.iter().map(|of_column| of_column[at]).collect::<Option<Vec<f64>>>()?);
    (0..GROUPS).map(of_group).collect()
}

/// Numbers that are not missing, ascending, with their groups.
fn by_value(values: &[f64]) -> Vec<(f64, usize)> {
    let mut sorted: Vec<(f64, usize)> = values
        .iter()
        .enumerate()
        .filter(|(_, value)| !value.is_nan())
        .map(|(row, &value)| (value, group(row)))
        .collect();
    sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    sorted
}

/// 1 - half the summed differences of the levels' shares.
fn overlap(real: &[u32], synthetic: &[u32], levels: usize) -> f64 {
    let (real, synthetic) = (shares(real, levels), shares(synthetic, levels));
    1.0 - real.iter().zip(&synthetic).map(|(a, b)| (a - b).abs()).sum::<f64>() / 2.0
}

/// The score of every column.
pub(crate) fn shapes(case: &Case) -> Vec<Score> {
    (0..case.columns.len()).into_par_iter().map(|index| shape(case, &case.synthetic, index)).collect()
}

fn shape(case: &Case, side: &Side, index: usize) -> Score {
    if case.columns[index].role == Role::Id {
        return Score::Undefined("identifiers have no distribution");
    }
    let (real, synthetic) = (&case.training.sample[index], &side.sample[index]);
    if side.rows == 0 {
        return Score::Undefined("the synthetic table has no rows");
    }
    match (real.missing() == case.training.sampled, synthetic.missing() == side.sampled) {
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
            Score::bounded(overlap(real, synthetic, case.columns[index].levels.len()))
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
