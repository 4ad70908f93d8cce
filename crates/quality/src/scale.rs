//! Scales a reader can name, and numbers and times as words. In: values. Out: edges at round numbers, and text.

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

/// Ascending edges that hold `low` and `high`, a round step apart, and the step; `None` where doubles cannot tell them
/// apart.
pub(crate) fn number_edges(low: f64, high: f64, whole: bool) -> Option<(Vec<f64>, f64)> {
    let width = high - low;
    if !width.is_finite() {
        return None;
    }
    let step = round_step(if width > 0.0 { width / BINS } else { low.abs().max(1.0) / 10.0 });
    edges(low, high, if whole { step.max(1.0) } else { step })
}

/// The same for microseconds.
pub(crate) fn time_edges(low: f64, high: f64) -> Option<(Vec<f64>, f64)> {
    let wanted = (high - low) / BINS;
    let step = TIME_STEPS.into_iter().find(|&step| step >= wanted).unwrap_or_else(|| round_step(wanted / YEAR) * YEAR);
    edges(low, high, step)
}

fn edges(low: f64, high: f64, step: f64) -> Option<(Vec<f64>, f64)> {
    let first = (low / step).floor();
    let mut edges = vec![first * step];
    while edges.len() <= BINS_MAX {
        let edge = (first + edges.len() as f64) * step;
        if edge <= edges[edges.len() - 1] {
            return None;
        }
        edges.push(edge);
        if edge > high {
            return Some((edges, step));
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

/// A number of few characters: `1,250`, `0.05`, `1.2M`, `3e12`. `step` tells how exact it need be.
pub(crate) fn short_number(value: f64, step: f64) -> String {
    let size = value.abs();
    if value == 0.0 || (size < step.abs() * 1e-6) {
        return "0".into();
    }
    if size >= 1e12 || (size < 1e-4 && step < 1e-4) {
        return format!("{value:.1e}").replace(".0e", "e");
    }
    let (scaled, step, unit) = match size {
        _ if size >= 1e9 => (value / 1e9, step / 1e9, "G"),
        _ if size >= 1e6 => (value / 1e6, step / 1e6, "M"),
        _ if size >= 1e5 => (value / 1e3, step / 1e3, "k"),
        _ => (value, step, ""),
    };
    let decimals = (-step.abs().max(1e-9).log10()).ceil().clamp(0.0, if unit.is_empty() { 6.0 } else { 2.0 }) as usize;
    let text = format!("{scaled:.decimals$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_string() } else { text };
    format!("{}{unit}", grouped(&text))
}

/// A whole number with commas between thousands.
pub(crate) fn count(value: usize) -> String {
    grouped(&value.to_string())
}

fn grouped(digits: &str) -> String {
    let (sign, rest) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let (whole, fraction) = rest.split_at(rest.find('.').unwrap_or(rest.len()));
    let mut grouped = String::from(sign);
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + fraction
}

/// A time as text, as exact as the step asks for; a clock time where `clock`.
pub(crate) fn short_time(micros: f64, step: f64, clock: bool) -> String {
    let (date, [hour, minute, second]) = civil(micros);
    let of_day =
        if step < MINUTE { format!("{hour:02}:{minute:02}:{second:02}") } else { format!("{hour:02}:{minute:02}") };
    match () {
        () if clock => of_day,
        () if step < DAY => format!("{} {of_day}", &date),
        () if step < YEAR => date,
        () => date.rsplitn(3, '-').last().unwrap_or_default().to_string(),
    }
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
