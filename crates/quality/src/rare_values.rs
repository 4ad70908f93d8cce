//! Rare values: do values that point to a few training rows appear in the synthetic table? In: a case. Out: a score and
//! the shares per column; never the values.

use serde_json::{Map, Value};
use table::Kind;

use crate::case::{Case, Side};
use crate::encode::{Column, Role};
use crate::metric::{Aspect, Metric, Outcome, Score, number};
use crate::statistic::{Z95, excess};

/// A value that fewer training rows hold is rare.
pub(crate) const RARE_ROWS: usize = 5;

/// The metric.
pub(crate) static METRIC: Metric = Metric {
    name: "rare_values",
    title: "Rare values",
    bands: [0.99, 0.95],
    aspect: Aspect::Privacy,
    about: "1 - how much larger, where chance cannot explain it, the share of synthetic rows that hold a rare value of the training table \
            is than that of real rows that do. Rare is, in text columns, a value that fewer than five training rows hold, in \
            identifiers and other near-unique text any training value. Real rows are those of the holdout, and \
            training rows that share such a value with other training rows; all rows. Interval: Newcombe's for the \
            difference of two shares, or the one by values where that is wider: all rows of a value are counted or \
            none.",
    source: "Own: such values can name a person or a thing by themselves.",
    score,
};

fn score(case: &Case) -> Outcome {
    let texts: Vec<usize> = (0..case.columns.len()).filter(|&index| case.columns[index].kind == Kind::Text).collect();
    if case.synthetic.rows == 0 {
        return Outcome::undefined("the synthetic table has no rows");
    }
    if texts.is_empty() {
        // Nothing can leak, which is not the same as not knowing.
        return Outcome::undefined("there are no text columns").gauged(0.0, [0.0, 0.0]);
    }
    let rare: Vec<Vec<bool>> = texts.iter().map(|&index| rare(&case.columns[index])).collect();
    let (leaked, of_columns) = leaks(&case.synthetic, &texts, &rare);
    let rows = case.synthetic.rows as f64;
    let share = leaked as f64 / rows;
    let mut columns = Map::new();
    for (&index, &count) in texts.iter().zip(&of_columns).filter(|(_, count)| **count > 0) {
        columns.insert(case.columns[index].name.clone(), number(count as f64 / rows));
    }
    let mut figures: Vec<(&'static str, Value)> = vec![("rows", leaked.into()), ("share", number(share))];
    let holdout = case.holdout.as_ref().filter(|holdout| holdout.rows > 0);
    let known = holdout.map_or(0, |holdout| leaks(holdout, &texts, &rare).0);
    if let Some(holdout) = holdout {
        figures.push(("share_holdout_reference", number(known as f64 / holdout.rows as f64)));
    }
    // A training row counts where the value would still be rare and known without it: its value has other holders.
    let shared: Vec<Vec<bool>> = texts.iter().map(|&index| shared(&case.columns[index])).collect();
    let twice = leaks(&case.training, &texts, &shared).0;
    let real_rows = case.training.rows + holdout.map_or(0, |holdout| holdout.rows);
    let (beyond, [low, high]) = excess((leaked as f64, rows), ((known + twice) as f64, real_rows as f64), Z95);
    let half = Z95 * by_level(case, &texts, &rare, &shared).sqrt();
    let ends = [low.min(beyond - half), high.max(beyond + half)];
    figures.push(("share_real_reference", number((known + twice) as f64 / real_rows.max(1) as f64)));
    figures.push(("excess", number(beyond)));
    figures.push(("columns", Value::Object(columns)));
    let sentence = match leaked {
        0 => format!("No synthetic row holds a text that fewer than {RARE_ROWS} training rows hold."),
        _ => format!(
            "{} synthetic rows ({:.2} %) hold a text that fewer than {RARE_ROWS} training rows hold.",
            crate::scale::count(leaked),
            share * 100.0
        ),
    };
    Outcome::new(Score::bounded(if ends[0] > 0.0 { 1.0 - beyond } else { 1.0 }), figures, sentence)
        .below(Some(1.0))
        .within(Some(ends.map(|end| 1.0 - end.max(0.0))))
        .gauged(beyond, ends)
}

/// The variance of the excess where values, not rows, are what was drawn: the sum over the rare values of the squares of
/// how much larger the share of synthetic rows that hold one is than that of real rows.
fn by_level(case: &Case, texts: &[usize], rare: &[Vec<bool>], shared: &[Vec<bool>]) -> f64 {
    let holdout_rows = case.holdout.as_ref().map_or(0, |holdout| holdout.rows);
    let real_rows = (case.training.rows + holdout_rows).max(1) as f64;
    let mut variance = 0.0;
    for ((&index, rare), shared) in texts.iter().zip(rare).zip(shared) {
        let mut apart = vec![0.0; rare.len()];
        let counts = case.columns[index].counts.iter().zip(shared);
        apart.iter_mut().zip(counts).for_each(|(apart, (&count, &shared))| {
            *apart -= if shared { count as f64 / real_rows } else { 0.0 };
        });
        let held = |side: &Side| -> Vec<usize> {
            let codes = side.codes(index).iter().filter(|&&code| code > 0 && rare[code as usize - 1]);
            codes.map(|&code| code as usize - 1).collect()
        };
        held(&case.synthetic).into_iter().for_each(|level| apart[level] += 1.0 / case.synthetic.rows.max(1) as f64);
        if let Some(holdout) = &case.holdout {
            held(holdout).into_iter().for_each(|level| apart[level] -= 1.0 / real_rows);
        }
        variance += apart.iter().map(|apart| apart * apart).sum::<f64>();
    }
    variance
}

/// Which levels would be rare, and known, to each of their holders if that row were not there.
fn shared(column: &Column) -> Vec<bool> {
    let limit = if column.role == Role::Id { usize::MAX } else { RARE_ROWS };
    column.counts.iter().map(|&count| count > 1 && count <= limit).collect()
}

/// Which levels are rare.
fn rare(column: &Column) -> Vec<bool> {
    let limit = if column.role == Role::Id { usize::MAX } else { RARE_ROWS };
    column.counts.iter().map(|&count| count > 0 && count < limit).collect()
}

/// How many rows hold a rare value, and how many per column.
fn leaks(side: &Side, texts: &[usize], rare: &[Vec<bool>]) -> (usize, Vec<usize>) {
    let mut rows = vec![false; side.rows];
    let mut of_columns = Vec::with_capacity(texts.len());
    for (&index, rare) in texts.iter().zip(rare) {
        let mut count = 0;
        for (row, _) in side.codes(index).iter().enumerate().filter(|&(_, &code)| code > 0 && rare[code as usize - 1]) {
            rows[row] = true;
            count += 1;
        }
        of_columns.push(count);
    }
    (rows.into_iter().filter(|&leaked| leaked).count(), of_columns)
}
