//! Declared laws: rules come in and shape the drafts, so that rows keep them as they are drawn and need no mending. What
//! cannot be said as a law is left to the check of drawn rows.

use crate::draft::{Draft, Measure, regrid};
use crate::laws::find_lookups::Tied;
use crate::laws::find_sums::follows;
use crate::laws::find_time::set_line;
use crate::laws::law::{Law, lookup_key};
use crate::laws::rule::{Rule, Side, compare};

/// Shapes the drafts, lists the combinations that rules allow, and gives what is to be kept together. Fails where a rule
/// leaves nothing to draw.
pub(crate) fn declare(drafts: &mut Vec<Draft>, rules: &mut [Rule], floor: usize) -> Result<Vec<Tied>, Vec<String>> {
    let mut kept = Vec::new();
    let mut faults = Vec::new();
    for rule in rules {
        match rule {
            Rule::Compare { left: Side::Column(low), right: Side::Column(high), strict } => {
                set_gap(drafts, *low as usize, *high as usize, *strict);
            }
            Rule::Compare { left: Side::Value(low), right: Side::Column(at), strict } => {
                hold_within(&mut drafts[*at as usize], *low, f64::INFINITY, *strict);
            }
            Rule::Compare { left: Side::Column(at), right: Side::Value(high), strict } => {
                hold_within(&mut drafts[*at as usize], f64::NEG_INFINITY, *high, *strict);
            }
            Rule::Compare { .. } => {}
            Rule::Sum { target, terms, constant } => set_total(drafts, *target as usize, terms, *constant),
            Rule::Together { columns, rows } => {
                if let Err(fault) = set_combination(drafts, columns, rows, floor, &mut kept) {
                    faults.push(fault);
                }
            }
        }
    }
    if faults.is_empty() { Ok(kept) } else { Err(faults) }
}

/// The higher column is the lower one plus a gap that is never negative.
fn set_gap(drafts: &mut Vec<Draft>, low: usize, high: usize, strict: bool) {
    let (a, b) = (&drafts[low], &drafts[high]);
    let alike = a.measure == b.measure && a.numeric() && low != high;
    let from_low = b.law.is_none() && !follows(drafts, low, high);
    if !alike || !from_low && (a.law.is_some() || follows(drafts, high, low)) {
        return;
    }
    let unit = if a.grid && b.grid { a.unit.min(b.unit) } else { 0.0 };
    let least = if !strict { 0.0 } else { unit };
    let gaps: Vec<f64> = (0..a.values.len()).map(|row| (b.real(row) - a.real(row)).max(least)).collect();
    let gaps: Vec<f64> = (0..gaps.len())
        .map(|row| if a.values[row].is_nan() || b.values[row].is_nan() { f64::NAN } else { gaps[row] })
        .collect();
    let whole = |gap: &f64| gap.is_nan() || ((gap / unit).round() - gap / unit).abs() < 1e-6;
    let label = format!("how far {} is above {}", b.label, a.label);
    let measure = if a.measure == Measure::Moment { Measure::Duration } else { Measure::Number };
    let gap = if unit > 0.0 && gaps.iter().all(whole) {
        let (values, base, step) = regrid(&gaps.iter().map(|gap| (gap / unit).round()).collect::<Vec<f64>>());
        Draft::hidden(label, values, base * unit, step * unit, measure)
    } else {
        let mut gap = Draft::hidden(label, gaps, 0.0, 1.0, measure);
        gap.grid = false;
        gap
    };
    let node = drafts.len() as u16;
    drafts.push(gap);
    if from_low {
        set_line(drafts, high, &[(low as u16, 1.0), (node, 1.0)], 0.0, None);
    } else {
        set_line(drafts, low, &[(high as u16, 1.0), (node, -1.0)], 0.0, None);
    }
}

/// Training values beyond a bound count as the nearest one within.
fn hold_within(draft: &mut Draft, low: f64, high: f64, strict: bool) {
    if draft.measure == Measure::Clock {
        return;
    }
    let inside = if strict { 1e-7 } else { -1e-7 };
    let first = ((low - draft.base) / draft.unit + inside).ceil();
    let last = ((high - draft.base) / draft.unit - inside).floor();
    let (low, high) = ((low - draft.base) / draft.unit, (high - draft.base) / draft.unit);
    for value in draft.values.iter_mut().filter(|value| !value.is_nan()) {
        *value = if draft.grid { value.max(first).min(last) } else { value.max(low).min(high) };
    }
}

/// One of the columns of a sum follows from the others: the total if it is free.
fn set_total(drafts: &mut [Draft], target: usize, terms: &[(u16, f64)], constant: f64) {
    let clock = |at: usize| drafts[at].measure == Measure::Clock;
    if clock(target) || terms.iter().any(|term| clock(term.0 as usize)) {
        return;
    }
    let able = |own: usize, others: &[(u16, f64)]| {
        drafts[own].law.is_none() && others.iter().all(|other| !follows(drafts, other.0 as usize, own))
    };
    if able(target, terms) {
        return set_line(drafts, target, terms, constant, None);
    }
    for &(own, weight) in terms.iter().filter(|term| term.1 != 0.0) {
        let mut others = vec![(target as u16, 1.0 / weight)];
        others.extend(terms.iter().filter(|term| term.0 != own).map(|&(at, other)| (at, -other / weight)));
        if able(own as usize, &others) {
            return set_line(drafts, own as usize, &others, -constant / weight, None);
        }
    }
}

/// The columns follow from a number that stands for their combination.
fn set_combination(
    drafts: &mut Vec<Draft>,
    columns: &[u16],
    allowed: &mut Vec<Vec<f64>>,
    floor: usize,
    kept: &mut Vec<Tied>,
) -> Result<(), String> {
    let rows = drafts[0].values.len();
    let own = |row: usize| columns.iter().map(|&at| drafts[at as usize].values[row]).collect::<Vec<f64>>();
    let shown = |row: &usize| {
        columns.iter().all(|&at| {
            let draft = &drafts[at as usize];
            let rare = draft.nominal && draft.kept.is_some_and(|kept| draft.values[*row] >= kept as f64);
            !draft.values[*row].is_nan() && !rare
        })
    };
    let mut all: Vec<(Vec<f64>, usize)> = (0..rows).filter(shown).map(|row| (own(row), row)).collect();
    all.sort_by(|a, b| compare(&a.0, &b.0).then(a.1.cmp(&b.1)));
    let mut runs: Vec<&[(Vec<f64>, usize)]> =
        all.chunk_by(|a, b| compare(&a.0, &b.0).is_eq()).filter(|run| run.len() >= floor).collect();
    if allowed.is_empty() {
        allowed.extend(runs.iter().map(|run| run[0].0.clone()));
    } else {
        runs.retain(|run| allowed.binary_search_by(|known| compare(known, &run[0].0)).is_ok());
    }
    let names: Vec<&str> = columns.iter().map(|&at| drafts[at as usize].label.as_str()).collect();
    let names = names.join(" and ");
    if runs.is_empty() || runs.len() > 60_000 {
        return Err(format!(
            "{} combinations of {names} are held by at least {floor} rows where 1 to 60000 can be kept together",
            runs.len()
        ));
    }
    runs.sort_by(|a, b| b.len().cmp(&a.len()).then(compare(&a[0].0, &b[0].0)));
    let mut values = vec![f64::NAN; rows];
    for row in (0..rows).filter(shown) {
        values[row] = runs.len() as f64;
    }
    for (at, run) in runs.iter().enumerate() {
        run.iter().for_each(|&(_, row)| values[row] = at as f64);
    }
    let of_number: Vec<Vec<f64>> = runs.iter().map(|run| run[0].0.clone()).collect();
    let mut node = Draft::hidden(format!("the combination of {names}"), values, 0.0, 1.0, Measure::Category);
    (node.nominal, node.kept) = (true, Some(of_number.len()));
    let combination = drafts.len();
    drafts.push(node);
    for (place, &at) in columns.iter().enumerate() {
        let draft = &mut drafts[at as usize];
        if draft.given() {
            kept.push((combination, at as usize));
        } else if draft.law.is_none() {
            let mut told: Vec<(u64, f64)> = of_number
                .iter()
                .enumerate()
                .map(|(number, own)| (lookup_key([number as f64].into_iter()), own[place]))
                .collect();
            told.sort_by_key(|row| row.0);
            draft.law = Some(Law::Lookup { keys: vec![combination as u16], rows: told });
        }
    }
    Ok(())
}
