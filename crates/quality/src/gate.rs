//! The gate: may this table be published? In: a report and thresholds. Out: a verdict with every figure that decided it.
//! Never lets through what was not measured.

use serde_json::{Value, json};

use crate::membership_attack::REAL_ROWS_MIN;
use crate::metric::{Gauge, number};
use crate::report::Report;

/// With fewer real rows nothing can be told about the privacy of a table.
pub const ROWS_MIN: usize = 20;

/// The limits. A figure is refused only where the lower end of its 95 % interval is beyond its limit: what chance can
/// explain does not stop a table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// Largest AUC of the membership attack, by default 0.6: an attack that sorts one pair in ten better than a coin. A
    /// fresh sample has 0.5, a copy of the table 1.
    pub attack_auc_max: f64,
    /// Largest excess of synthetic rows that equal a training row over real rows that do, by default 0.01. Real tables
    /// repeat themselves, which is no leak; one row in a hundred beyond that is.
    pub exact_copies_max: f64,
    /// Largest share of synthetic rows that are copies of a training row or nearly, beyond what real rows show, by default
    /// 0.1. Half a copy is at 0.5, shaken or not; where rows are crowded the share is known to a few hundredths only, and
    /// exact copies have a limit of their own.
    pub near_copies_max: f64,
    /// Largest excess of synthetic rows that hold a rare or identifying value of the training table over real rows that
    /// do, by default 0: such values are protected.
    pub protected_values_max: f64,
    /// Largest share of rows that violate a declared rule, by default 0: a rule is a rule.
    pub constraint_violations_max: f64,
    /// Least fidelity, by default none: a table that is private and poor harms nobody but its reader.
    pub fidelity_min: Option<f64>,
}

impl Default for Thresholds {
    fn default() -> Thresholds {
        Thresholds {
            attack_auc_max: 0.6,
            exact_copies_max: 0.01,
            near_copies_max: 0.1,
            protected_values_max: 0.0,
            constraint_violations_max: 0.0,
            fidelity_min: None,
        }
    }
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckState {
    /// Within its limit, or beyond it by no more than chance can explain.
    Passed,
    /// Beyond its limit.
    Refused,
    /// It says nothing about a table of so few rows, and others decide.
    NotApplicable,
    /// It was not measured. That refuses.
    Missing,
}

impl CheckState {
    /// The word for it in the JSON.
    pub fn word(self) -> &'static str {
        match self {
            CheckState::Passed => "passed",
            CheckState::Refused => "refused",
            CheckState::NotApplicable => "not applicable",
            CheckState::Missing => "missing",
        }
    }
}

/// One figure against its limit.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// What is checked: the name of a metric, `rows` or `fidelity`.
    pub name: &'static str,
    /// The figure, if it was measured.
    pub figure: Option<f64>,
    /// The end of its 95 % interval that is nearer to passing: the lower end, for `fidelity` the upper one.
    pub lower: Option<f64>,
    /// The limit: the least for `rows` and `fidelity`, the most for others.
    pub limit: f64,
    /// How it ended.
    pub state: CheckState,
}

/// Whether a table may be published.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// Whether no check refuses and none is missing.
    pub passed: bool,
    /// All checks, in a fixed order.
    pub checks: Vec<Check>,
}

/// Holds a report against thresholds.
pub fn gate(report: &Report, thresholds: &Thresholds) -> Verdict {
    let [training, synthetic, holdout] = report.rows.map(|rows| rows.unwrap_or(0));
    let real = training + holdout;
    let mut checks = vec![rows(if synthetic == 0 { 0 } else { real })];
    let limits = [
        ("membership_attack", thresholds.attack_auc_max),
        ("exact_copies", thresholds.exact_copies_max),
        ("near_copies", thresholds.near_copies_max),
        ("rare_values", thresholds.protected_values_max),
        ("constraints", thresholds.constraint_violations_max),
    ];
    for (name, limit) in limits {
        let gauge =
            report.outcomes.iter().find(|(metric, _)| metric.name == name).and_then(|(_, outcome)| outcome.gauge);
        let few = name == "membership_attack" && real < REAL_ROWS_MIN;
        checks.push(check(name, gauge, limit, few));
    }
    if let Some(least) = thresholds.fidelity_min {
        checks.push(fidelity(report, least));
    }
    let passed = checks.iter().all(|check| matches!(check.state, CheckState::Passed | CheckState::NotApplicable));
    Verdict { passed, checks }
}

fn rows(real: usize) -> Check {
    let state = if real < ROWS_MIN { CheckState::Refused } else { CheckState::Passed };
    Check { name: "rows", figure: Some(real as f64), lower: Some(real as f64), limit: ROWS_MIN as f64, state }
}

fn check(name: &'static str, gauge: Option<Gauge>, limit: f64, few: bool) -> Check {
    // A figure or a limit that is no number must not pass: every comparison with it is false.
    let state = match gauge {
        Some(Gauge { figure, interval: [lower, _] }) if !figure.is_nan() && lower <= limit => CheckState::Passed,
        Some(Gauge { figure, interval: [lower, _] }) if !figure.is_nan() && lower > limit => CheckState::Refused,
        None if few => CheckState::NotApplicable,
        _ => CheckState::Missing,
    };
    Check { name, figure: gauge.map(|of| of.figure), lower: gauge.map(|of| of.interval[0]), limit, state }
}

fn fidelity(report: &Report, least: f64) -> Check {
    let upper = report.fidelity_interval.map(|[_, upper]| upper);
    let state = match upper {
        Some(upper) if upper >= least => CheckState::Passed,
        Some(upper) if upper < least => CheckState::Refused,
        _ => CheckState::Missing,
    };
    Check { name: "fidelity", figure: report.fidelity, lower: upper, limit: least, state }
}

impl Verdict {
    /// The verdict as JSON.
    pub fn to_json(&self) -> Value {
        let figure = |value: Option<f64>| value.map_or(Value::Null, number);
        let check = |check: &Check| {
            json!({
                "name": check.name, "figure": figure(check.figure), "lower": figure(check.lower),
                "limit": number(check.limit), "state": check.state.word(),
            })
        };
        json!({ "passed": self.passed, "checks": self.checks.iter().map(check).collect::<Vec<Value>>() })
    }

    /// What refused the table, in one line; empty where it passed.
    pub fn reason(&self) -> String {
        let stopped =
            self.checks.iter().filter(|check| matches!(check.state, CheckState::Refused | CheckState::Missing));
        let words = stopped.map(|check| match (check.name, check.figure) {
            ("rows", Some(rows)) => format!("only {rows} real rows, at least {} are needed", check.limit),
            (name, Some(figure)) if check.state == CheckState::Refused => {
                format!("{name} {figure:.3} (at best {:.3}), limit {}", check.lower.unwrap_or(figure), check.limit)
            }
            (name, _) => format!("{name} was not measured"),
        });
        words.collect::<Vec<_>>().join("; ")
    }
}
