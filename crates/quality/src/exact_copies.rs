//! Exact copies: are training rows published as they are? In: a case. Out: a score and the shares.

use serde_json::Value;

use crate::case::Case;
use crate::metric::{Aspect, Metric, Outcome, Score, number};
use crate::scale::count;
use crate::statistic::{Z95, excess};

/// The metric.
pub(crate) static METRIC: Metric = Metric {
    name: "exact_copies",
    title: "Exact copies",
    bands: [0.99, 0.95],
    aspect: Aspect::Privacy,
    about: "1 - how much larger, where chance cannot explain it, the share of synthetic rows that equal a training row is than that of \
            real rows that do: of holdout rows that equal a training row and of training rows that equal another, counted \
            together. All columns but identifiers (all, where there is nothing else), numbers to nine decimals, all \
            rows. Interval: Newcombe's for the difference of two shares.",
    source: "Own: the copies are set against what real rows show, since a table of few values repeats itself \
             without harm.",
    score,
};

fn score(case: &Case) -> Outcome {
    if case.synthetic.rows == 0 || case.training.rows == 0 {
        return Outcome::undefined("a table has no rows");
    }
    if case.columns.is_empty() {
        return Outcome::undefined("there are no columns to compare rows by");
    }
    let training = case.training.distinct_fingerprints();
    let holdout = case.holdout.as_ref().filter(|holdout| holdout.rows > 0);
    let unseen = holdout.map(|holdout| holdout.distinct_fingerprints()).unwrap_or_default();
    let holds = |sorted: &[u64], row: &u64| sorted.binary_search(row).is_ok();
    let rows = case.synthetic.rows as f64;
    let any = case.synthetic.fingerprints.iter().filter(|row| holds(&training, row)).count();
    let only = case.synthetic.fingerprints.iter().filter(|row| holds(&training, row) && !holds(&unseen, row)).count();
    let twice = repeated(&case.training.fingerprints);
    let known = holdout.map_or(0, |holdout| holdout.fingerprints.iter().filter(|row| holds(&training, row)).count());
    let real_rows = case.training.rows + holdout.map_or(0, |holdout| holdout.rows);
    let real = (twice + known) as f64 / real_rows as f64;
    let (beyond, ends) = excess((any as f64, rows), ((twice + known) as f64, real_rows as f64), Z95);
    let mut figures: Vec<(&'static str, Value)> = vec![
        ("exact_copies", only.into()),
        ("exact_copy_rate", number(only as f64 / rows)),
        ("exact_copy_rate_any", number(any as f64 / rows)),
    ];
    if let Some(holdout) = holdout {
        figures.push(("exact_copy_rate_holdout_reference", number(known as f64 / holdout.rows as f64)));
    }
    figures.push(("exact_copy_rate_training_reference", number(twice as f64 / case.training.rows as f64)));
    figures.push(("exact_copy_rate_real_reference", number(real)));
    figures.push(("excess", number(beyond)));
    let sentence = format!(
        "{} of {} synthetic rows equal a training row ({:.2} %). Of real rows, {:.2} % equal another.",
        count(any),
        count(case.synthetic.rows),
        any as f64 / rows * 100.0,
        real * 100.0
    );
    Outcome::new(Score::bounded(if ends[0] > 0.0 { 1.0 - beyond } else { 1.0 }), figures, sentence)
        .below(Some(1.0))
        .within(Some(ends.map(|end| 1.0 - end.max(0.0))))
        .gauged(beyond, ends)
}

/// How many rows equal another row of the same table.
fn repeated(fingerprints: &[u64]) -> usize {
    let mut sorted = fingerprints.to_vec();
    sorted.sort_unstable();
    sorted.chunk_by(|a, b| a == b).map(|run| if run.len() > 1 { run.len() } else { 0 }).sum()
}
