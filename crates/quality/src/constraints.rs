//! Declared rules: do the synthetic rows keep what was declared? In: counts of the caller, in a case. Out: a score; a
//! sentence that names the rule broken most.

use serde_json::{Value, json};

use crate::case::Case;
use crate::metric::{Aspect, Metric, Outcome, Score, number};
use crate::scale::count;

/// The metric.
pub(crate) static METRIC: Metric = Metric {
    name: "constraints",
    title: "Declared rules",
    bands: [1.0, 0.999],
    aspect: Aspect::Fidelity,
    about: "1 - the largest share of rows, over the declared rules, that violate a rule, of the rows that the rule speaks \
            of. Counted on all rows, so that its interval is a point; the ceiling of 1 is what the rules ask for.",
    source: "Own: counted.",
    score,
};

fn score(case: &Case) -> Outcome {
    let share = |violations: usize, rows: usize| violations as f64 / rows.max(violations).max(1) as f64;
    let worst = case.constraints.iter().reduce(|worst, rule| {
        if share(rule.violations, rule.rows) > share(worst.violations, worst.rows) { rule } else { worst }
    });
    let Some(worst) = worst else {
        // No rule can be broken, which is not the same as not knowing.
        return Outcome::undefined("no rules are declared").gauged(0.0, [0.0, 0.0]);
    };
    let largest = share(worst.violations, worst.rows);
    let violations: usize = case.constraints.iter().map(|rule| rule.violations).sum();
    let each = |rule: &crate::Declared| json!({ "rule": rule.text, "violations": rule.violations, "rows": rule.rows });
    let figures = vec![
        ("rules", case.constraints.len().into()),
        ("violations", violations.into()),
        ("largest_share", number(largest)),
        ("each", case.constraints.iter().map(each).collect::<Vec<Value>>().into()),
    ];
    let sentence = match violations {
        0 => format!("All {} declared rules hold in every row.", case.constraints.len()),
        _ => format!("{} of {} rows violate \"{}\".", count(worst.violations), count(worst.rows), worst.text),
    };
    Outcome::new(Score::bounded(1.0 - largest), figures, sentence)
        .below(Some(1.0))
        .give_or_take(Some(0.0))
        .gauged(largest, [largest, largest])
}
