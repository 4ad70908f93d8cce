//! Exact copies: are training rows published as they are? In: a case. Out: a score and the shares.

use serde_json::Value;

use crate::case::Case;
use crate::metric::{Aspect, Metric, Outcome, Score, number};
use crate::scale::count;

/// The metric.
pub(crate) static METRIC: Metric = Metric {
    name: "exact_copies",
    title: "Exact copies",
    bands: [0.99, 0.95],
    aspect: Aspect::Privacy,
    about: "1 - how much larger the share of synthetic rows that equal a training row is than that of holdout \
            rows that do. Without a holdout, the share of training rows that equal another training row takes its \
            place. All columns but identifiers, numbers to nine decimals, all rows.",
    source: "Own: the copies are set against what real rows show, since a table of few values repeats itself \
             without harm.",
    score,
};

fn score(case: &Case) -> Outcome {
    if case.synthetic.rows == 0 || case.training.rows == 0 {
        return Outcome::undefined("a table has no rows");
    }
    if case.compared().is_empty() {
        return Outcome::undefined("there are no columns to compare rows by");
    }
    let training = case.training.distinct_fingerprints();
    let holdout = case.holdout.as_ref().filter(|holdout| holdout.rows > 0);
    let unseen = holdout.map(|holdout| holdout.distinct_fingerprints()).unwrap_or_default();
    let holds = |sorted: &[u64], row: &u64| sorted.binary_search(row).is_ok();
    let rows = case.synthetic.rows as f64;
    let any = case.synthetic.fingerprints.iter().filter(|row| holds(&training, row)).count();
    let only = case.synthetic.fingerprints.iter().filter(|row| holds(&training, row) && !holds(&unseen, row)).count();
    let reference = match holdout {
        Some(holdout) => {
            holdout.fingerprints.iter().filter(|row| holds(&training, row)).count() as f64 / holdout.rows as f64
        }
        None => repeated(&case.training.fingerprints),
    };
    let excess = (any as f64 / rows - reference).max(0.0);
    let of_what = if holdout.is_some() { "Of unseen real rows" } else { "Within the training table itself" };
    let mut figures: Vec<(&'static str, Value)> = vec![
        ("exact_copies", only.into()),
        ("exact_copy_rate", number(only as f64 / rows)),
        ("exact_copy_rate_any", number(any as f64 / rows)),
    ];
    let name =
        if holdout.is_some() { "exact_copy_rate_holdout_reference" } else { "exact_copy_rate_training_reference" };
    figures.push((name, number(reference)));
    Outcome {
        score: Score::bounded(1.0 - excess),
        figures,
        sentence: format!(
            "{} of {} synthetic rows equal a training row ({:.2} %). {of_what}, {:.2} % do.",
            count(any),
            count(case.synthetic.rows),
            any as f64 / rows * 100.0,
            reference * 100.0
        ),
    }
}

/// The share of rows that equal another row of the same table.
fn repeated(fingerprints: &[u64]) -> f64 {
    let mut sorted = fingerprints.to_vec();
    sorted.sort_unstable();
    let repeated: usize = sorted.chunk_by(|a, b| a == b).map(|run| if run.len() > 1 { run.len() } else { 0 }).sum();
    repeated as f64 / fingerprints.len().max(1) as f64
}
