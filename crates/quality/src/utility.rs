//! Utility: does a model trained on synthetic rows predict real ones as well as one trained on real rows? In: a case
//! with a target. Out: a score and both models' quality.

use serde_json::Value;

use crate::bins::{Binned, bin, rows_within};
use crate::boost::{Model, ROUNDS, Target};
use crate::case::{Case, SAMPLE_ROWS_MAX, Side};
use crate::encode::{Cells, Role};
use crate::metric::{Aspect, Metric, Outcome, Score, number};
use crate::statistic::{GROUPS, auc, group, jackknife, mean, r_squared};

/// Fewest rows with a target to train or test on.
const ROWS_MIN: usize = 50;
/// Most classes of a target.
const CLASSES_MAX: usize = 100;
/// Rounds times classes are at most this.
const TREES_MAX: usize = 1_000;

/// The metric.
pub(crate) static METRIC: Metric = Metric {
    name: "utility",
    title: "Train on synthetic",
    bands: [0.97, 0.9],
    aspect: Aspect::Utility,
    about: "1 - the loss, where the loss is how much better gradient-boosted trees predict the target column of \
            the holdout when trained on training rows than when trained on synthetic rows: by AUC (mean over \
            classes, one against the rest) for categories, by R squared for numbers; on at most 20,000 rows \
            each. The ceiling is the model trained on training rows. Interval: jackknife over twenty groups of the \
            tested rows.",
    source: "Train on synthetic, test on real: Esteban, Hyland and Raetsch, \"Real-valued (medical) time series \
             generation with recurrent conditional GANs\", 2017.",
    score,
};

fn score(case: &Case) -> Outcome {
    let Some((_, target)) = &case.target else { return Outcome::undefined("no target column is named") };
    let Some(target) = *target else { return Outcome::undefined("no column has the name of the target") };
    let Some(holdout) = &case.holdout else { return Outcome::undefined("there is no holdout") };
    if case.columns[target].role == Role::Id {
        return Outcome::undefined("the target is an identifier");
    }
    let features = case.compared().len().saturating_sub(1);
    if features == 0 {
        return Outcome::undefined("there are no columns to predict from");
    }
    let sides = [&case.training, &case.synthetic, holdout];
    let most = rows_within(SAMPLE_ROWS_MAX, features);
    let rows = sides.map(|side| side.sampled.min(most));
    let chosen: [Vec<u32>; 3] = std::array::from_fn(|side| with_target(sides, rows, side, target));
    if chosen.iter().any(|rows| rows.len() < ROWS_MIN) {
        return Outcome::undefined("a table has fewer than 50 rows with a target");
    }
    let binned = bin(case, &sides.map(|side| side.sample.as_slice()), &rows, Some(target));
    if case.columns[target].role.numeric() {
        regress(case, &binned, sides, rows, &chosen, target)
    } else {
        classify(case, &binned, sides, rows, &chosen, target)
    }
}

/// The rows of one side that have a target, as rows of the binned table.
fn with_target(sides: [&Side; 3], rows: [usize; 3], side: usize, target: usize) -> Vec<u32> {
    let offset: usize = rows[..side].iter().sum();
    let present = |row: usize| match &sides[side].sample[target] {
        Cells::Numbers(values) => !values[row].is_nan(),
        Cells::Codes(codes) => codes[row] > 0,
    };
    (0..rows[side]).filter(|&row| present(row)).map(|row| (offset + row) as u32).collect()
}

fn regress(
    case: &Case,
    binned: &Binned,
    sides: [&Side; 3],
    rows: [usize; 3],
    chosen: &[Vec<u32>; 3],
    target: usize,
) -> Outcome {
    let mut truths = Vec::with_capacity(binned.rows);
    for (side, rows) in sides.iter().zip(rows) {
        if let Cells::Numbers(values) = &side.sample[target] {
            truths.extend_from_slice(&values[..rows]);
        }
    }
    // Into the unit interval of the training rows: no square overflows, and R squared stays as it is.
    let real = chosen[0].iter().map(|&row| truths[row as usize]);
    let (low, high) =
        real.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    let width = high / 2.0 - low / 2.0;
    if width <= 0.0 {
        return Outcome::undefined("the target has one value");
    }
    let truths: Vec<f64> = truths.into_iter().map(|value| (value / 2.0 - low / 2.0) / width).collect();
    let tested: Vec<f64> = chosen[2].iter().map(|&row| truths[row as usize]).collect();
    let of_target = Target::Number(truths);
    let predicted = |rows: &[u32]| Model::fit(binned, rows, &of_target, ROUNDS).predict(binned, &chosen[2]);
    let (real, synthetic) = rayon::join(|| predicted(&chosen[0]), || predicted(&chosen[1]));
    let qualities = |left_out: Option<usize>| {
        let kept = kept(tested.len(), left_out);
        let of = |values: &[f64]| kept.iter().map(|&at| values[at]).collect::<Vec<_>>();
        Some([r_squared(&of(&tested), &of(&real))?, r_squared(&of(&tested), &of(&synthetic))?])
    };
    outcome(case, target, "r2", qualities, chosen)
}

fn classify(
    case: &Case,
    binned: &Binned,
    sides: [&Side; 3],
    rows: [usize; 3],
    chosen: &[Vec<u32>; 3],
    target: usize,
) -> Outcome {
    let classes = case.columns[target].counts.iter().filter(|&&count| count > 0).count();
    if classes < 2 {
        return Outcome::undefined("the target has one value");
    }
    if classes > CLASSES_MAX {
        return Outcome::undefined("the target has more than 100 classes");
    }
    let mut labels = Vec::with_capacity(binned.rows);
    for (side, rows) in sides.iter().zip(rows) {
        if let Cells::Codes(codes) = &side.sample[target] {
            labels.extend(codes[..rows].iter().map(|&code| code.saturating_sub(1)));
        }
    }
    // Levels are in falling order of their training count: those beyond the classes are unknown to the training table.
    let known = |rows: &[u32]| -> Vec<u32> {
        rows.iter().copied().filter(|&row| (labels[row as usize] as usize) < classes).collect()
    };
    let chosen = chosen.each_ref().map(|rows| known(rows));
    if chosen.iter().any(|rows| rows.len() < ROWS_MIN) {
        return Outcome::undefined("a table has fewer than 50 rows with a target");
    }
    let tested: Vec<u32> = chosen[2].iter().map(|&row| labels[row as usize]).collect();
    // An unknown label is in no chosen row; it only has to be in range.
    let of_target = Target::Class(labels.iter().map(|&label| label.min(classes as u32 - 1)).collect(), classes);
    let rounds = if classes > 2 { ROUNDS.min(TREES_MAX / classes) } else { ROUNDS };
    let predicted = |rows: &[u32]| Model::fit(binned, rows, &of_target, rounds).predict(binned, &chosen[2]);
    let (real, synthetic) = rayon::join(|| predicted(&chosen[0]), || predicted(&chosen[1]));
    let outputs = if classes == 2 { 1 } else { classes };
    let qualities = |left_out: Option<usize>| {
        let kept = kept(tested.len(), left_out);
        let truths: Vec<u32> = kept.iter().map(|&at| tested[at]).collect();
        let of = |raw: &[f64]| {
            let kept: Vec<f64> = kept.iter().flat_map(|&at| &raw[at * outputs..(at + 1) * outputs]).copied().collect();
            macro_auc(&truths, &kept, classes)
        };
        Some([of(&real)?, of(&synthetic)?])
    };
    outcome(case, target, "auc", qualities, &chosen)
}

/// The tested rows but one group.
fn kept(rows: usize, left_out: Option<usize>) -> Vec<usize> {
    (0..rows).filter(|&row| Some(group(row)) != left_out).collect()
}

/// The mean over the classes of how well each is told from the others.
fn macro_auc(tested: &[u32], raw: &[f64], classes: usize) -> Option<f64> {
    if classes == 2 {
        return auc(raw, &tested.iter().map(|&label| label == 1).collect::<Vec<_>>());
    }
    let normalised: Vec<f64> = raw
        .chunks_exact(classes)
        .flat_map(|raw| {
            let top = raw.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let total: f64 = raw.iter().map(|score| (score - top).exp()).sum();
            raw.iter().map(move |score| (score - top).exp() / total)
        })
        .collect();
    let aucs = (0..classes).filter_map(|class| {
        let scores: Vec<f64> = normalised.iter().skip(class).step_by(classes).copied().collect();
        auc(&scores, &tested.iter().map(|&label| label as usize == class).collect::<Vec<_>>())
    });
    mean(&aucs.collect::<Vec<_>>())
}

fn outcome(
    case: &Case,
    target: usize,
    measure: &'static str,
    qualities: impl Fn(Option<usize>) -> Option<[f64; 2]>,
    chosen: &[Vec<u32>; 3],
) -> Outcome {
    let Some([real, synthetic]) = qualities(None) else {
        return Outcome::undefined("the target has one value in the holdout");
    };
    let gap = |of: Option<[f64; 2]>| of.map(|[real, synthetic]| real - synthetic);
    let half = jackknife(&(0..GROUPS).map(|left_out| gap(qualities(Some(left_out)))).collect::<Vec<_>>());
    let name = &case.columns[target].name;
    let word = if measure == "auc" { "an AUC" } else { "an R squared" };
    let figures: Vec<(&'static str, Value)> = vec![
        ("target", name.as_str().into()),
        ("measure", measure.into()),
        ("trained_on_training", number(real)),
        ("trained_on_synthetic", number(synthetic)),
        ("gap", number(real - synthetic)),
        ("rows_training", chosen[0].len().into()),
        ("rows_synthetic", chosen[1].len().into()),
        ("rows_tested", chosen[2].len().into()),
    ];
    let sentence = format!(
        "Predicting {name}, a model trained on synthetic rows reaches {word} of {synthetic:.3}, one trained on real \
         rows {real:.3}."
    );
    Outcome::new(Score::bounded(1.0 - (real - synthetic).max(0.0)), figures, sentence)
        .below(Some(1.0))
        .within(half.map(|half| [-half, half].map(|by| 1.0 - (real - synthetic + by).max(0.0))))
}
