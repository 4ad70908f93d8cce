//! Constraints counted on a finished table: what a user demanded and the table come in, how many rows break each demand
//! goes out. The values are read as they are, whatever the model meant by them.

use std::collections::BTreeSet;

use table::Table;

use crate::config::constraint::Constraint;
use crate::encode::{Encoded, Scale, encode};
use crate::laws::rule::{Rule, Sight, compare, resolve};

/// A constraint and how a table keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// The constraint, as it may be written.
    pub text: String,
    /// Rows that break it.
    pub broken: usize,
    /// Rows in all.
    pub rows: usize,
}

/// How `drawn` keeps each constraint; combinations are those that a table of `real` shows. Columns are known by name. A
/// constraint that does not fit the table is broken by every row.
pub(crate) fn demands(constraints: &[Constraint], real: &[&Table], drawn: &Table) -> Vec<Demand> {
    if constraints.is_empty() {
        return Vec::new();
    }
    let encoded: Vec<Encoded> = (0..drawn.columns()).map(|at| encode(drawn, at, 1, None, None)).collect();
    let sights: Vec<Sight> = (0..drawn.columns())
        .map(|at| Sight { name: drawn.name(at), spelling: drawn.spelling(at), scale: &encoded[at].scale })
        .collect();
    let ticks: Vec<Vec<f64>> = encoded.iter().map(|column| column.values.clone()).collect();
    let scales: Vec<&Scale> = encoded.iter().map(|column| &column.scale).collect();
    let one = |constraint: &Constraint| {
        let rows = drawn.rows();
        let Ok(demand) = resolve(std::slice::from_ref(constraint), &sights) else { return rows };
        let of_rules: usize = demand
            .rules
            .into_iter()
            .map(|rule| {
                let rule = shown(rule, real, drawn, &scales);
                (0..rows).filter(|&row| !rule.kept(&scales, &ticks, row)).count()
            })
            .sum();
        let of_values = demand.wants.iter().enumerate().map(|(at, want)| {
            let repeated = if want.unique { repeats(&ticks[at]) } else { 0 };
            let unlike = match (&want.pattern, scales[at]) {
                (Some(pattern), Scale::Text { words }) => {
                    let matches: Vec<bool> = words.iter().map(|word| pattern.matches(word)).collect();
                    let wrong = |v: &&f64| !v.is_nan() && !matches.get(**v as usize).is_some_and(|&m| m);
                    ticks[at].iter().filter(wrong).count()
                }
                _ => 0,
            };
            repeated + unlike
        });
        of_rules + of_values.sum::<usize>()
    };
    let text = |constraint: &Constraint| constraint.to_string();
    constraints.iter().map(|c| Demand { text: text(c), broken: one(c), rows: drawn.rows() }).collect()
}

/// A rule of combinations with those that the real tables show; other rules as they are.
fn shown(rule: Rule, real: &[&Table], drawn: &Table, scales: &[&Scale]) -> Rule {
    let Rule::Together { columns, .. } = rule else { return rule };
    let mut rows: Vec<Vec<f64>> = Vec::new();
    for table in real {
        let of = |at: &u16| {
            let scale = scales[*at as usize];
            let values = table.values(table.position(drawn.name(*at as usize))?);
            let round = |tick: f64| if scale.grid() { tick.round() } else { tick };
            Some(scale.ticks(&values).into_iter().map(round).collect::<Vec<f64>>())
        };
        let Some(cells) = columns.iter().map(of).collect::<Option<Vec<_>>>() else { continue };
        rows.extend((0..table.rows()).map(|row| cells.iter().map(|column| column[row]).collect::<Vec<f64>>()));
    }
    rows.sort_unstable_by(|a, b| compare(a, b));
    rows.dedup();
    Rule::Together { columns, rows }
}

/// Rows whose value an earlier row holds.
fn repeats(ticks: &[f64]) -> usize {
    let mut seen: BTreeSet<u64> = BTreeSet::new();
    ticks.iter().filter(|v| !v.is_nan()).filter(|v| !seen.insert((**v + 0.0).to_bits())).count()
}
