//! Finding the pattern of days: drafts come in; dates too many to be listed are split into year, month and weekday or
//! day of the month, so that seasons and weeks show; categories that name a part of a date follow from it.

use std::collections::BTreeMap;

use crate::draft::{Draft, Measure, distinct};
use crate::laws::calendar::{DAY, Part};
use crate::laws::find_time::add_part;
use crate::laws::law::{Law, lookup_key};
use crate::model::Note;

/// Fewer different days than this are left as they are.
const DAYS_MIN: usize = 60;

/// Dates with this many rows each, on average, are listed day by day.
const ROWS_PER_DAY: usize = 30;

/// Whether a draft is a free date that is better drawn by its parts.
pub(crate) fn is_long(draft: &Draft) -> bool {
    let rows = draft.values.iter().filter(|v| !v.is_nan()).count();
    let days = distinct(draft.values.iter().copied(), rows / ROWS_PER_DAY + DAYS_MIN + 1);
    draft.law.is_none() && days > DAYS_MIN && days * ROWS_PER_DAY > rows && rows >= 200
}

/// Makes a date follow from year, month, and weekday and week or day of the month, whichever shows a pattern.
pub(crate) fn split_date(drafts: &mut Vec<Draft>, at: usize, floor: usize) {
    let days: Vec<f64> = (0..drafts[at].values.len()).map(|row| drafts[at].real(row) / DAY).collect();
    let part = |part: Part| -> Vec<f64> {
        days.iter().map(|&day| if day.is_nan() { day } else { part.of(day * DAY) }).collect()
    };
    let mut sorted: Vec<f64> = days.iter().copied().filter(|d| !d.is_nan()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let inner = floor.clamp(1, sorted.len()) - 1;
    let within = (sorted[inner], sorted[sorted.len() - 1 - inner]);
    let (weekdays, of_month) = (part(Part::Weekday), part(Part::Day));
    // The 29th to the 31st are seldom for another reason.
    let by_month = unevenness(&of_month, 1.0, 28) > unevenness(&weekdays, 0.0, 7);
    let weeks = of_month.iter().map(|day| ((day - 1.0) / 7.0).floor()).collect();
    let (days_part, label) = if by_month { (of_month, "day of the month") } else { (weekdays, "weekday") };
    let mut parts: Vec<(Vec<f64>, &str)> =
        vec![(part(Part::Year), "year"), (part(Part::Month), "month"), (days_part, label)];
    if !by_month {
        parts.push((weeks, "week of the month"));
    }
    let first = drafts.len() as u16;
    let nodes: Vec<u16> = (first..first + parts.len() as u16).collect();
    for (values, word) in parts {
        let label = format!("the {word} of {}", drafts[at].label);
        drafts.push(Draft::hidden(label, values, 0.0, 1.0, Measure::Category));
    }
    let (base, unit) = (drafts[at].base / DAY, drafts[at].unit / DAY);
    drafts[at].law = Some(Law::Date { parts: nodes, within, base, unit });
}

/// How much more uneven the counts of `cells` kinds are than chance makes them, in standard deviations; kinds are
/// numbered from `first`.
fn unevenness(values: &[f64], first: f64, cells: usize) -> f64 {
    let mut counts = vec![0.0f64; cells];
    for value in values.iter().map(|v| v - first).filter(|v| (0.0..cells as f64).contains(v)) {
        counts[value as usize] += 1.0;
    }
    let mean = counts.iter().sum::<f64>() / cells as f64;
    let apart: f64 = counts.iter().map(|c| (c - mean).powi(2) / mean.max(1e-9)).sum();
    (apart - (cells as f64 - 1.0)) / (2.0 * cells as f64).sqrt()
}

/// Categories that a part of a moment decides, such as the names of weekdays.
pub(crate) fn find_names(drafts: &mut Vec<Draft>, notes: &mut Vec<Note>) {
    const PARTS: [(Part, &str); 5] = [
        (Part::Weekday, "weekday"),
        (Part::Month, "month"),
        (Part::Quarter, "quarter"),
        (Part::Hour, "hour"),
        (Part::Year, "year"),
    ];
    let columns = drafts.len();
    let moments: Vec<usize> = (0..columns).filter(|&at| drafts[at].measure == Measure::Moment).collect();
    for at in 0..columns {
        if !drafts[at].nominal || drafts[at].law.is_some() || distinct(drafts[at].values.iter().copied(), 60) >= 60 {
            continue;
        }
        let found = moments
            .iter()
            .flat_map(|&m| PARTS.map(|(part, word)| (m, part, word)))
            .find_map(|(m, part, word)| Some((m, part, word, names(drafts, at, m, part)?)));
        let Some((moment, part, word, rows)) = found else { continue };
        let text = format!("{} follows from the {word} of {}.", drafts[at].label, drafts[moment].label);
        notes.push(Note { kind: "law", text });
        let node = drafts.len() as u16;
        add_part(drafts, moment, part, word);
        drafts[at].law = Some(Law::Lookup { keys: vec![node], rows });
    }
}

/// The category of each value of a part, if every row agrees and that is no accident.
fn names(drafts: &[Draft], at: usize, moment: usize, part: Part) -> Option<Vec<(u64, f64)>> {
    let mut found: BTreeMap<i64, (f64, usize)> = BTreeMap::new();
    for row in 0..drafts[at].values.len() {
        let (own, from) = (drafts[at].values[row], drafts[moment].real(row));
        if own.is_nan() != from.is_nan() {
            return None;
        }
        if !own.is_nan() {
            let entry = found.entry(part.of(from) as i64).or_insert((own, 0));
            entry.1 += 1;
            if entry.0 != own {
                return None;
            }
        }
    }
    let held = |least: usize| found.values().filter(|entry| entry.1 >= least).count();
    let names = distinct(found.values().map(|entry| entry.0), 60);
    if found.len() < 3 || names < 2 || held(5) < found.len() {
        return None;
    }
    let mut rows: Vec<(u64, f64)> =
        found.into_iter().map(|(part, entry)| (lookup_key(std::iter::once(part as f64)), entry.0)).collect();
    rows.sort_unstable_by_key(|row| row.0);
    Some(rows)
}
