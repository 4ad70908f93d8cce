//! Finding laws of the calendar: drafts come in; moments are split into day and time of day, dates in three columns
//! become one node, columns that are parts of a moment follow from it.

use crate::draft::{Draft, Measure, distinct, regrid};
use crate::laws::calendar::{DAY, Part, checked_days};
use crate::laws::find_days::{find_names, is_long, split_date};
use crate::laws::find_sums::follows;
use crate::laws::law::Law;
use crate::model::Note;

/// Finds them all; new nodes are put behind the old ones. Gives the nodes that stand for a day or moment.
pub(crate) fn find_calendar(drafts: &mut Vec<Draft>, floor: usize, notes: &mut Vec<Note>) {
    let columns = drafts.len();
    find_dates(drafts, notes);
    // Later columns are told by earlier ones rather than the other way round: starts stand before ends.
    for at in (0..columns).rev() {
        if drafts[at].measure == Measure::Moment && drafts[at].law.is_none() {
            explain_moment(drafts, at, notes);
        }
    }
    find_parts(drafts, notes);
    find_names(drafts, notes);
    for at in 0..drafts.len() {
        let whole_days = drafts[at].unit % DAY == 0.0 && drafts[at].base % DAY == 0.0;
        let moment = drafts[at].measure == Measure::Moment;
        let told = |draft: &Draft| draft.law.is_none() && whole_days || draft.given();
        if !moment || !told(&drafts[at]) {
            continue;
        }
        if is_long(&drafts[at]) && !drafts[at].given() {
            split_date(drafts, at, floor);
        } else if distinct(drafts[at].values.iter().copied(), 20) >= 20 {
            add_part(drafts, at, Part::Weekday, "weekday");
            if !whole_days {
                add_part(drafts, at, Part::Hour, "hour");
            }
        }
    }
}

/// Year, month and day in three columns of whole numbers.
fn find_dates(drafts: &mut Vec<Draft>, notes: &mut Vec<Note>) {
    let rows = drafts[0].values.len();
    let within = |draft: &Draft, low: f64, high: f64| {
        draft.measure == Measure::Number
            && draft.grid
            && draft.law.is_none()
            && (0..rows).all(|row| draft.values[row].is_nan() || (low..=high).contains(&draft.real(row)))
    };
    let top = |draft: &Draft| (0..rows).map(|row| draft.real(row)).fold(f64::NAN, f64::max);
    let pick = |low: f64, high: f64, least: f64| -> Vec<usize> {
        let fits = |at: &usize| within(&drafts[*at], low, high) && top(&drafts[*at]) >= least;
        (0..drafts.len()).filter(fits).collect()
    };
    let (years, months, days) = (pick(1800.0, 2200.0, 1800.0), pick(1.0, 12.0, 2.0), pick(1.0, 31.0, 28.0));
    let mut found = None;
    'search: for &y in &years {
        for &m in &months {
            for &d in &days {
                let day_of = |row: usize| checked_days(drafts[y].real(row), drafts[m].real(row), drafts[d].real(row));
                let missing = |row: usize| [y, m, d].map(|at| drafts[at].values[row].is_nan());
                let lawful = |row: usize| day_of(row).is_some() || missing(row) == [true; 3];
                if (0..rows).all(lawful) && distinct((0..rows).filter_map(day_of).map(|d| d as f64), 40) >= 40 {
                    found = Some((
                        y,
                        m,
                        d,
                        (0..rows).map(|row| day_of(row).map_or(f64::NAN, |d| d as f64)).collect::<Vec<f64>>(),
                    ));
                    break 'search;
                }
            }
        }
    }
    let Some((y, m, d, days)) = found else { return };
    let (values, base, unit) = regrid(&days);
    let text = format!("{}, {} and {} are parts of one date.", drafts[y].label, drafts[m].label, drafts[d].label);
    notes.push(Note { kind: "law", text });
    let node = drafts.len() as u16;
    drafts.push(Draft::hidden("the date".into(), values, base * DAY, unit * DAY, Measure::Moment));
    for (at, part) in [(y, Part::Year), (m, Part::Month), (d, Part::Day)] {
        set_part(drafts, at, node as usize, part);
    }
}

/// A moment is an earlier date plus a length of time, or else a day and a time of day of its own.
fn explain_moment(drafts: &mut Vec<Draft>, at: usize, notes: &mut Vec<Note>) {
    let rows = drafts[at].values.len();
    let different = distinct(drafts[at].values.iter().copied(), usize::MAX);
    if different < 30 {
        return;
    }
    let span = |values: &dyn Fn(usize) -> f64| {
        let present = || (0..rows).map(values).filter(|v| !v.is_nan());
        present().fold(f64::NEG_INFINITY, f64::max) - present().fold(f64::INFINITY, f64::min)
    };
    let own_span = span(&|row| drafts[at].real(row));
    for other in 0..drafts.len() {
        let from = &drafts[other];
        if from.measure != Measure::Moment || follows(drafts, other, at) {
            continue;
        }
        let apart = |row: usize| drafts[at].real(row) - from.real(row);
        let defined = (0..rows).all(|row| drafts[at].values[row].is_nan() || !from.values[row].is_nan());
        let near = span(&apart) < 0.2 * own_span;
        if defined && near && distinct((0..rows).map(apart), different) * 2 < different {
            let reals: Vec<f64> = (0..rows).map(apart).collect();
            let text = format!("{} is {} plus a length of time that varies less.", drafts[at].label, from.label);
            notes.push(Note { kind: "law", text });
            let (values, base, unit) = regrid(&reals);
            let node = drafts.len() as u16;
            let label = format!("the time from {} to {}", drafts[other].label, drafts[at].label);
            drafts.push(Draft::hidden(label, values, base, unit, Measure::Duration));
            set_sum(drafts, at, &[(other as u16, 1.0), (node, 1.0)]);
            return;
        }
    }
    split_moment(drafts, at);
}

/// A moment that is not a whole day is a day and a time of day.
fn split_moment(drafts: &mut Vec<Draft>, at: usize) {
    let rows = drafts[at].values.len();
    let micros: Vec<f64> = (0..rows).map(|row| drafts[at].real(row)).collect();
    let days: Vec<f64> = micros.iter().map(|m| (m / DAY).floor()).collect();
    let times: Vec<f64> = micros.iter().zip(&days).map(|(m, d)| m - d * DAY).collect();
    if distinct(days.iter().copied(), 2) < 2 || distinct(times.iter().copied(), 2) < 2 {
        return;
    }
    let label = drafts[at].label.clone();
    let (day, time) = (drafts.len() as u16, drafts.len() as u16 + 1);
    let (values, base, unit) = regrid(&days);
    drafts.push(Draft::hidden(format!("the day of {label}"), values, base * DAY, unit * DAY, Measure::Moment));
    let (values, base, unit) = regrid(&times);
    drafts.push(Draft::hidden(format!("the time of day of {label}"), values, base, unit, Measure::Duration));
    set_sum(drafts, at, &[(day, 1.0), (time, 1.0)]);
}

/// Whole numbers that are a part of a moment.
fn find_parts(drafts: &mut [Draft], notes: &mut Vec<Note>) {
    let rows = drafts[0].values.len();
    let moments: Vec<usize> =
        (0..drafts.len()).filter(|&at| matches!(drafts[at].measure, Measure::Moment | Measure::Clock)).collect();
    for at in 0..drafts.len() {
        if drafts[at].measure != Measure::Number
            || drafts[at].law.is_some()
            || !drafts[at].grid
            || distinct(drafts[at].values.iter().copied(), 400) >= 400
        {
            continue;
        }
        let same = |moment: usize, part: Part| {
            let agrees = |row: usize| {
                let (own, from) = (drafts[at].values[row], drafts[moment].values[row]);
                if own.is_nan() || from.is_nan() {
                    own.is_nan() == from.is_nan()
                } else {
                    part.of(micros(&drafts[moment], row)) == drafts[at].real(row)
                }
            };
            (0..rows).all(agrees)
        };
        let varied = distinct(drafts[at].values.iter().copied(), 2) >= 2;
        let found = moments
            .iter()
            .flat_map(|&m| Part::ALL.map(|(part, word)| (m, part, word)))
            .find(|&(m, part, _)| varied && m != at && same(m, part));
        if let Some((moment, part, word)) = found {
            let text = format!("{} is the {word} of {}.", drafts[at].label, drafts[moment].label);
            notes.push(Note { kind: "law", text });
            set_part(drafts, at, moment, part);
        }
    }
}

/// Microseconds since 1970-01-01 of a moment, since midnight of a clock time.
fn micros(draft: &Draft, row: usize) -> f64 {
    if draft.measure == Measure::Clock { draft.real(row) * 60e6 } else { draft.real(row) }
}

fn set_part(drafts: &mut [Draft], at: usize, moment: usize, part: Part) {
    let scale = if drafts[moment].measure == Measure::Clock { 60e6 } else { 1.0 };
    let (base, unit) = (drafts[moment].base * scale, drafts[moment].unit * scale);
    let of = moment as u16;
    // Ticks of the part's own column may be coarser than one; a sum brings the part onto them.
    let own = &drafts[at];
    if own.unit == 1.0 {
        drafts[at].law = Some(Law::Part { of, base, unit, part, shift: own.base });
    } else {
        let (base_own, unit_own) = (own.base, own.unit);
        let shifted = |row: usize| (part.of(base + drafts[moment].values[row] * unit) - base_own) / unit_own;
        let rows = drafts[moment].values.len();
        let mut pairs: Vec<(u64, f64)> = (0..rows)
            .filter(|&row| !drafts[moment].values[row].is_nan())
            .map(|row| (crate::laws::law::lookup_key(std::iter::once(drafts[moment].values[row])), shifted(row)))
            .collect();
        pairs.sort_by_key(|pair| pair.0);
        pairs.dedup_by_key(|pair| pair.0);
        drafts[at].law = Some(Law::Lookup { keys: vec![of], rows: pairs });
    }
}

/// Puts a node for a part of a moment behind the others.
pub(crate) fn add_part(drafts: &mut Vec<Draft>, moment: usize, part: Part, word: &str) {
    let values: Vec<f64> = (0..drafts[moment].values.len())
        .map(|row| if drafts[moment].values[row].is_nan() { f64::NAN } else { part.of(drafts[moment].real(row)) })
        .collect();
    let label = format!("the {word} of {}", drafts[moment].label);
    drafts.push(Draft::hidden(label, values, 0.0, 1.0, Measure::Number));
    let at = drafts.len() - 1;
    set_part(drafts, at, moment, part);
}

/// Makes node `at` the sum of other nodes' real values, each times a weight.
pub(crate) fn set_sum(drafts: &mut [Draft], at: usize, terms: &[(u16, f64)]) {
    set_line(drafts, at, terms, 0.0, None);
}

/// The same with a constant added, and brought into a range of real values where `wrap` (lowest, period) is given.
pub(crate) fn set_line(drafts: &mut [Draft], at: usize, terms: &[(u16, f64)], constant: f64, wrap: Option<(f64, f64)>) {
    let own = &drafts[at];
    let from_bases: f64 = terms.iter().map(|&(node, weight)| weight * drafts[node as usize].base).sum();
    let weights = terms.iter().map(|&(node, weight)| (node, weight * drafts[node as usize].unit / own.unit)).collect();
    let wrap = wrap.map(|(low, period)| ((low - own.base) / own.unit, period / own.unit));
    drafts[at].law = Some(Law::Sum { terms: weights, constant: (constant + from_bases - own.base) / own.unit, wrap });
}
