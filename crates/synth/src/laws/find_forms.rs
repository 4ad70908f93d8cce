//! Finding curves and shares: drafts come in; a number that is the logarithm, the square or another curve of a second
//! one, or the share of one number in another, follows from them. A law must hold in every training row.

use crate::draft::{Draft, Measure, distinct};
use crate::laws::find_sums::follows;
use crate::laws::forms::Form;
use crate::laws::law::Law;
use crate::model::Note;

/// A column takes part only with at least this many different values: with fewer, accidents are likely.
const DISTINCT_MIN: usize = 12;

/// Columns considered at most.
const COLUMNS_MAX: usize = 250;

/// Columns considered for shares at most, of which there are many pairs for each.
const SHARED_MAX: usize = 60;

/// Finds them all.
pub(crate) fn find_forms(drafts: &mut [Draft], notes: &mut Vec<Note>) {
    let mut numbers: Vec<(usize, usize)> = (0..drafts.len())
        .filter(|&at| drafts[at].measure == Measure::Number)
        .map(|at| (at, distinct(drafts[at].values.iter().copied(), 100_000)))
        .filter(|n| n.1 >= DISTINCT_MIN)
        .collect();
    numbers.truncate(COLUMNS_MAX);
    find_curves(drafts, &numbers, notes);
    numbers.truncate(SHARED_MAX);
    find_shares(drafts, &numbers, notes);
}

/// How far a value may lie from what a law says: half a tick, or the last digits of a short float.
fn slack(draft: &Draft) -> f64 {
    let largest = draft.values.iter().filter(|v| !v.is_nan()).fold(0.0, |m: f64, &v| m.max(draft.real_of(v).abs()));
    let tick = if draft.grid { 0.501 * draft.unit } else { 0.0 };
    tick.max(1e-6 * largest)
}

fn find_curves(drafts: &mut [Draft], numbers: &[(usize, usize)], notes: &mut Vec<Note>) {
    let rows = drafts[0].values.len();
    let step = rows.div_ceil(400);
    for &(at, own) in numbers {
        if drafts[at].law.is_some() {
            continue;
        }
        let slack = slack(&drafts[at]);
        for &(other, others) in numbers {
            let finer = others > own || others == own && other < at;
            // Rounding may have merged values of a curve's source, but never split them.
            if at == other || !finer || drafts[at].law.is_some() || follows(drafts, other, at) {
                continue;
            }
            for (form, words) in Form::ALL {
                let pair = |row: usize| (form.of(drafts[other].real(row)), drafts[at].real(row));
                let Some((weight, constant)) = straight((0..rows).step_by(step).map(pair), slack) else { continue };
                let lawful = |row: usize| {
                    let (x, y) = pair(row);
                    if x.is_nan() { true } else { (weight * x + constant - y).abs() <= slack }
                };
                let told = (0..rows).filter(|&row| !pair(row).0.is_nan()).count();
                if told * 2 < rows || !(0..rows).all(lawful) {
                    continue;
                }
                let (base, unit) = (drafts[other].base, drafts[other].unit);
                let (own_base, own_unit) = (drafts[at].base, drafts[at].unit);
                drafts[at].law = Some(Law::Curve {
                    of: (other as u16, base, unit),
                    form,
                    weight: weight / own_unit,
                    constant: (constant - own_base) / own_unit,
                });
                let text = format!("{} is told by {words} of {}.", drafts[at].label, drafts[other].label);
                notes.push(Note { kind: "law", text });
                break;
            }
        }
    }
}

/// The line through all of these points, if they lie on one within `slack` and are spread well beyond it.
fn straight(points: impl Iterator<Item = (f64, f64)> + Clone, slack: f64) -> Option<(f64, f64)> {
    let known = || points.clone().filter(|(x, y)| !x.is_nan() && !y.is_nan());
    let mut ends = [(f64::INFINITY, 0.0), (f64::NEG_INFINITY, 0.0)];
    for (x, y) in known() {
        ends = [if x < ends[0].0 { (x, y) } else { ends[0] }, if x > ends[1].0 { (x, y) } else { ends[1] }];
    }
    let across = ends[1].0 - ends[0].0;
    let rough = (ends[1].1 - ends[0].1) / across;
    if !rough.is_finite() || (ends[1].1 - ends[0].1).abs() < 30.0 * slack {
        return None;
    }
    let near = |(x, y): (f64, f64)| (ends[0].1 + rough * (x - ends[0].0) - y).abs() <= 4.0 * slack;
    if !known().all(near) {
        return None;
    }
    let n = known().count() as f64;
    let (mx, my) = (known().map(|p| p.0).sum::<f64>() / n, known().map(|p| p.1).sum::<f64>() / n);
    let xx: f64 = known().map(|p| (p.0 - mx).powi(2)).sum();
    let xy: f64 = known().map(|p| (p.0 - mx) * (p.1 - my)).sum();
    let mut weight = xy / xx;
    // A weight that may be whole is.
    if weight.round() != 0.0 && (weight - weight.round()).abs() * across <= 2.0 * slack {
        weight = weight.round();
    }
    let mut constant = my - weight * mx;
    if constant.abs() <= 0.5 * slack {
        constant = 0.0;
    }
    (n >= 15.0 && weight.is_finite()).then_some((weight, constant))
}

/// z is x divided by y, as it is or in hundredths.
fn find_shares(drafts: &mut [Draft], numbers: &[(usize, usize)], notes: &mut Vec<Note>) {
    let rows = drafts[0].values.len();
    let sample: Vec<usize> = (0..rows).step_by(rows.div_ceil(400)).collect();
    for &(z, _) in numbers {
        if drafts[z].law.is_some() {
            continue;
        }
        let slack = slack(&drafts[z]) * 1.01;
        'pairs: for &(x, _) in numbers {
            for &(y, _) in numbers {
                if x == y || x == z || y == z {
                    continue;
                }
                let ratio = |row: usize| drafts[x].real(row) / drafts[y].real(row);
                for weight in [1.0, 100.0] {
                    let lawful = |row: usize| {
                        let told = weight * ratio(row);
                        !told.is_finite() || (told - drafts[z].real(row)).abs() <= slack
                    };
                    let spread = |row: &usize| ratio(*row).is_finite() && drafts[z].real(*row).abs() > 10.0 * slack;
                    if !sample.iter().all(|&row| lawful(row))
                        || sample.iter().filter(|row| spread(row)).count() * 3 < sample.len()
                        || !(0..rows).all(lawful)
                        || follows(drafts, x, z)
                        || follows(drafts, y, z)
                    {
                        continue;
                    }
                    let factor = |c: usize| (c as u16, drafts[c].base, drafts[c].unit);
                    let (base, unit) = (drafts[z].base, drafts[z].unit);
                    let law =
                        Law::Share { top: factor(x), bottom: factor(y), weight: weight / unit, constant: -base / unit };
                    let text = format!("{} is {} divided by {}.", drafts[z].label, drafts[x].label, drafts[y].label);
                    notes.push(Note { kind: "law", text });
                    drafts[z].law = Some(law);
                    break 'pairs;
                }
            }
        }
    }
}
