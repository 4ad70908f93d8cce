//! Dependencies: do rules that the training table keeps by itself hold in the synthetic one? In: a case. Out: a score and
//! the rules that are broken most.

use rayon::prelude::*;
use serde_json::{Value, json};

use crate::case::{Case, Side};
use crate::laws::{Rule, keys_of, rules};
use crate::metric::{Aspect, Metric, Outcome, Score, number};
use crate::statistic::{Z95, mean, wilson};

/// Most rules that the report lists.
const LISTED: usize = 20;

/// The metric.
pub(crate) static METRIC: Metric = Metric {
    name: "dependencies",
    title: "Rules in the data",
    bands: [0.98, 0.9],
    aspect: Aspect::Fidelity,
    about: "1 - how much larger the share of synthetic rows that violate a rule of the training table is than that of \
            holdout or training rows, mean over the rules: a column that one or two others decide in at least 99.5 % of \
            the rows that repeat their values, and pairs of columns of which one is never greater. Only rules that \
            columns without connection would break 50 times and ten times as often; on at most 20,000 rows a side. \
            Interval: Wilson's of each share, put together as if all rules were broken by the same rows.",
    source: "Approximate functional dependencies: Kivinen and Mannila, \"Approximate inference of functional \
             dependencies from relations\", 1995; the error g3 among repeated keys, against the holdout's.",
    score,
};

fn score(case: &Case) -> Outcome {
    if case.synthetic.sampled == 0 || case.training.sampled == 0 {
        return Outcome::undefined("a table has no rows");
    }
    let rules = rules(case);
    if rules.is_empty() {
        return Outcome::undefined("no rule was found in the training table");
    }
    let violated = |side: &Side| -> Vec<[usize; 2]> {
        let keys = keys_of(case, side, &rules);
        rules.par_iter().map(|rule: &Rule| rule.violations(side, &keys)).collect()
    };
    let (training, synthetic) = (violated(&case.training), violated(&case.synthetic));
    let holdout = case.holdout.as_ref().filter(|holdout| holdout.sampled > 0);
    let of_holdout = holdout.map(violated);
    let share = |[violated, rows]: [usize; 2]| violated as f64 / rows.max(1) as f64;
    let real = |at: usize| share(training[at]).max(of_holdout.as_ref().map_or(0.0, |of| share(of[at])));
    let apart = |of: &dyn Fn(usize) -> f64| {
        mean(&(0..rules.len()).map(|at| (of(at) - real(at)).max(0.0)).collect::<Vec<_>>()).unwrap_or(0.0)
    };
    let end = |at: usize, end: usize| wilson(synthetic[at][0] as f64, synthetic[at][1] as f64, Z95)[end];
    let score = 1.0 - apart(&|at| share(synthetic[at]));
    let mut order: Vec<usize> = (0..rules.len()).collect();
    order.sort_by(|&a, &b| (share(synthetic[b]) - real(b)).total_cmp(&(share(synthetic[a]) - real(a))).then(a.cmp(&b)));
    let listed = order.iter().take(LISTED).map(|&at| {
        let known = of_holdout.as_ref().map_or(Value::Null, |of| number(share(of[at])));
        json!({
            "rule": rules[at].text(case), "violated_synthetic": number(share(synthetic[at])),
            "violated_training": number(share(training[at])), "violated_holdout": known,
        })
    });
    let worst = order[0];
    let figures = vec![
        ("rules", rules.len().into()),
        ("violated_synthetic", number(mean(&synthetic.iter().map(|of| share(*of)).collect::<Vec<_>>()).unwrap_or(0.0))),
        ("violated_real", number(mean(&(0..rules.len()).map(real).collect::<Vec<_>>()).unwrap_or(0.0))),
        ("broken_most", listed.collect::<Vec<Value>>().into()),
    ];
    let sentence = match share(synthetic[worst]) {
        0.0 => format!("All {} rules found in the training table hold in every synthetic row.", rules.len()),
        most => format!(
            "Of {} rules found in the training table, \"{}\" is broken most: in {:.2} % of synthetic rows and {:.2} % of \
             real ones.",
            rules.len(),
            rules[worst].text(case),
            most * 100.0,
            real(worst) * 100.0
        ),
    };
    // What a fresh sample breaks is what the holdout breaks, which is no loss by definition.
    Outcome::new(Score::bounded(score), figures, sentence)
        .below(holdout.map(|_| 1.0))
        .within(Some([1.0 - apart(&|at| end(at, 1)), 1.0 - apart(&|at| end(at, 0))]))
}
