//! Scales a reader can name, and counts and times as words. In: values. Out: edges at round numbers, and text.

use table::calendar::date_of;

/// Bins that a scale aims at.
const BINS: f64 = 30.0;
/// Most bins of a scale.
const BINS_MAX: usize = 64;

const SECOND: f64 = 1e6;
const MINUTE: f64 = 60.0 * SECOND;
const HOUR: f64 = 60.0 * MINUTE;
pub(crate) const DAY: f64 = 24.0 * HOUR;
const YEAR: f64 = 365.25 * DAY;
const TIME_STEPS: [f64; 20] = [
    SECOND,
    5.0 * SECOND,
    15.0 * SECOND,
    MINUTE,
    5.0 * MINUTE,
    15.0 * MINUTE,
    30.0 * MINUTE,
    HOUR,
    2.0 * HOUR,
    6.0 * HOUR,
    12.0 * HOUR,
    DAY,
    2.0 * DAY,
    7.0 * DAY,
    14.0 * DAY,
    30.0 * DAY,
    91.0 * DAY,
    YEAR,
    2.0 * YEAR,
    5.0 * YEAR,
];

/// Ascending edges that hold `low` and `high`, a round step apart; `None` where doubles cannot tell them apart.
pub(crate) fn number_edges(low: f64, high: f64, whole: bool) -> Option<Vec<f64>> {
    let width = high - low;
    if !width.is_finite() {
        return None;
    }
    let step = round_step(if width > 0.0 { width / BINS } else { low.abs().max(1.0) / 10.0 });
    edges(low, high, if whole { step.max(1.0) } else { step })
}

/// The same for microseconds.
pub(crate) fn time_edges(low: f64, high: f64) -> Option<Vec<f64>> {
    let wanted = (high - low) / BINS;
    let step = TIME_STEPS.into_iter().find(|&step| step >= wanted).unwrap_or_else(|| round_step(wanted / YEAR) * YEAR);
    edges(low, high, step)
}

fn edges(low: f64, high: f64, step: f64) -> Option<Vec<f64>> {
    let first = (low / step).floor();
    let mut edges = vec![first * step];
    while edges.len() <= BINS_MAX {
        let edge = (first + edges.len() as f64) * step;
        if edge <= edges[edges.len() - 1] {
            return None;
        }
        edges.push(edge);
        if edge > high {
            return Some(edges);
        }
    }
    None
}

/// The smallest of 1, 2, 5 times a power of ten that is not below `wanted`.
fn round_step(wanted: f64) -> f64 {
    let power = 10f64.powf(wanted.max(f64::MIN_POSITIVE).log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|step| step * power)
        .find(|&step| step >= wanted * (1.0 - 1e-9))
        .unwrap_or(wanted)
}

/// A whole number with commas between thousands.
pub(crate) fn count(value: usize) -> String {
    let digits = value.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A time in full, for the JSON.
pub(crate) fn long_time(micros: f64) -> String {
    let (date, [hour, minute, second]) = civil(micros);
    format!("{date}T{hour:02}:{minute:02}:{second:02}")
}

/// Date and clock time of microseconds since 1970-01-01.
fn civil(micros: f64) -> (String, [i64; 3]) {
    let days = (micros / DAY).floor();
    let seconds = ((micros - days * DAY) / SECOND) as i64;
    let (year, month, day) = date_of(days as i64);
    (format!("{year:04}-{month:02}-{day:02}"), [seconds / 3600, seconds / 60 % 60, seconds % 60])
}
