//! Axes of the page's charts. In: the ends of a scale and the room there is. Out: ticks at round numbers and at the
//! starts of years, months and days, none on top of another, and the unit that they are in. Never a value of the data:
//! a tick is where it is because it is round.

use std::fmt::Write;

use table::Kind;
use table::calendar::{date_of, days_of};

use crate::encode::{Column, Role};
use crate::report::clock;
use crate::scale::{DAY, count};
use crate::svg::{cut_to_width, escape, isolated, width};

/// Most ticks of an axis.
const TICKS_MAX: f64 = 8.0;
/// Room between two labels, in heights of the font.
const GAP: f64 = 1.0;
/// Height of the font of ticks, in units of the chart.
pub(crate) const TICK_SIZE: f64 = 11.0;
const SECOND: f64 = 1e6;
const MINUTE: f64 = 60.0 * SECOND;
const HOUR: f64 = 60.0 * MINUTE;
/// Days from 1970-01-01 to a Monday.
const MONDAY: f64 = 4.0;

/// A mark of an axis.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tick {
    /// Where it is, on the scale.
    pub(crate) at: f64,
    /// What is written there.
    pub(crate) text: String,
}

/// A scale that a reader can name.
#[derive(Clone)]
pub(crate) struct Axis {
    /// Its lower and upper end.
    pub(crate) ends: [f64; 2],
    /// Its ticks, ascending.
    pub(crate) ticks: Vec<Tick>,
    /// What it measures, with the unit.
    pub(crate) title: String,
}

/// What is still free beside a label: an axis runs across or up.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Run {
    /// Labels stand side by side.
    Across,
    /// Labels stand one above the other.
    Up,
}

/// Steps of time between ticks.
#[derive(Clone, Copy)]
enum Step {
    Micros(f64),
    Days(f64),
    Months(i64),
}

const STEPS: [Step; 29] = [
    Step::Micros(SECOND),
    Step::Micros(5.0 * SECOND),
    Step::Micros(15.0 * SECOND),
    Step::Micros(MINUTE),
    Step::Micros(5.0 * MINUTE),
    Step::Micros(15.0 * MINUTE),
    Step::Micros(HOUR),
    Step::Micros(2.0 * HOUR),
    Step::Micros(3.0 * HOUR),
    Step::Micros(6.0 * HOUR),
    Step::Micros(12.0 * HOUR),
    Step::Days(1.0),
    Step::Days(2.0),
    Step::Days(7.0),
    Step::Days(14.0),
    Step::Months(1),
    Step::Months(2),
    Step::Months(3),
    Step::Months(6),
    Step::Months(12),
    Step::Months(24),
    Step::Months(60),
    Step::Months(120),
    Step::Months(240),
    Step::Months(600),
    Step::Months(1_200),
    Step::Months(2_400),
    Step::Months(6_000),
    Step::Months(12_000),
];

/// The axis of a column of numbers or times between two ends, on `room` units of the chart.
pub(crate) fn axis_of(column: &Column, edges: &[f64], run: Run, room: f64) -> Axis {
    let ends = [edges[0], edges[edges.len() - 1]];
    let (ticks, unit) = match column.role {
        Role::Time => times(ends, clock(edges, column.kind), run, room),
        _ => numbers(ends, column.kind == Kind::Int, run, room),
    };
    let unit = if unit.is_empty() { unit } else { format!(" ({unit})") };
    let name = cut_to_width(&column.name, (room.max(180.0) - width(&unit) * TICK_SIZE) / TICK_SIZE);
    Axis { ends, ticks, title: isolated(&name) + &unit }
}

/// An axis of shares from 0 to a round share not below `peak`, in per cent; so many steps at most.
pub(crate) fn shares(peak: f64, steps: f64) -> Axis {
    let peak = if peak > 0.0 { peak * 100.0 } else { 1.0 };
    let step = rounds(peak / steps).find(|step| step * steps >= peak * (1.0 - 1e-9)).unwrap_or(peak);
    let above = (peak / step * (1.0 - 1e-9)).ceil();
    let ticks =
        (0..=above as usize).map(|at| Tick { at: at as f64 * step / 100.0, text: plain(at as f64 * step, step) });
    Axis { ends: [0.0, above * step / 100.0], ticks: ticks.collect(), title: String::new() }
}

/// Ticks at round numbers and the unit they are counted in.
fn numbers(ends: [f64; 2], whole: bool, run: Run, room: f64) -> (Vec<Tick>, String) {
    let largest = ends[0].abs().max(ends[1].abs());
    let power = match largest {
        _ if largest >= 1e5 => ((largest.log10() / 3.0).floor() * 3.0) as i32,
        _ if largest < 1e-3 && largest > 0.0 => ((largest.log10() / 3.0).floor() * 3.0) as i32,
        _ => 0,
    };
    let unit = match power {
        0 => String::new(),
        3 => "thousands".into(),
        6 => "millions".into(),
        9 => "billions".into(),
        _ => format!("\u{d7} 10{}", raised(power)),
    };
    let size = 10f64.powi(power);
    let of = |value: f64| value / size;
    let (low, high) = (of(ends[0]), of(ends[1]));
    let least = if whole { (high - low).max(1.0 / size) / TICKS_MAX } else { (high - low) / TICKS_MAX };
    for step in rounds(least).filter(|step| !whole || step * size >= 1.0 - 1e-9) {
        let (first, last) = ((low / step - 1e-9).ceil(), (high / step + 1e-9).floor());
        // Of endless ends nothing can be counted.
        if last - first > TICKS_MAX || (last - first).is_nan() {
            continue;
        }
        let ticks = (0..=(last - first).max(0.0) as usize).map(|at| {
            let value = (first + at as f64) * step;
            Tick { at: value * size, text: plain(value, step) }
        });
        let ticks: Vec<Tick> = ticks.filter(|tick| tick.at >= ends[0] && tick.at <= ends[1]).collect();
        if ticks.len() < 2 {
            break;
        }
        if fits(&ticks, ends, run, room) {
            return (ticks, unit);
        }
    }
    let step = (high - low).abs().max(f64::MIN_POSITIVE) / 10.0;
    (ends.iter().map(|&at| Tick { at, text: plain(of(at), step) }).collect(), unit)
}

/// Ticks where years, months, days or hours begin, and what is written there.
fn times(ends: [f64; 2], clock: bool, run: Run, room: f64) -> (Vec<Tick>, String) {
    let day = |micros: f64| date(micros, 3);
    let one_day = clock || ends[1] - ends[0] < 1.5 * DAY;
    for step in STEPS {
        let micros = match step {
            Step::Micros(micros) => micros,
            Step::Days(days) => days * DAY,
            Step::Months(months) => months as f64 * 30.4 * DAY,
        };
        if (ends[1] - ends[0]) / micros > TICKS_MAX || matches!(step, Step::Micros(_)) != one_day {
            continue;
        }
        let ticks: Vec<Tick> = places(step, ends).into_iter().map(|at| Tick { at, text: written(at, step) }).collect();
        if ticks.len() >= 2 && fits(&ticks, ends, run, room) {
            let unit = match step {
                Step::Micros(_) if clock => "time of day".into(),
                Step::Micros(_) if day(ends[0]) == day(ends[1]) => format!("time on {}", day(ends[0])),
                Step::Micros(_) => format!("time, from {} on", day(ends[0])),
                Step::Days(_) => "date".into(),
                Step::Months(months) if months % 12 == 0 => "year".into(),
                Step::Months(_) => "year and month".into(),
            };
            return (ticks, unit);
        }
    }
    (ends.iter().map(|&at| Tick { at, text: day(at) }).collect(), "date".into())
}

fn places(step: Step, ends: [f64; 2]) -> Vec<f64> {
    let even = |step: f64, from: f64| -> Vec<f64> {
        let (first, last) = (((ends[0] - from) / step).ceil(), ((ends[1] - from) / step).floor());
        let counted = (last - first + 1.0).clamp(0.0, TICKS_MAX + 1.0) as usize;
        (0..counted).map(|at| from + (first + at as f64) * step).collect()
    };
    match step {
        Step::Micros(micros) => even(micros, 0.0),
        Step::Days(days) if days >= 7.0 => even(days * DAY, MONDAY * DAY),
        Step::Days(days) => even(days * DAY, 0.0),
        Step::Months(months) => {
            let (year, month, _) = date_of((ends[0] / DAY).floor() as i64);
            let first = (year * 12 + month - 1).div_euclid(months);
            let micros = (first..first + TICKS_MAX as i64 + 3).map(|at| {
                let month = at * months;
                days_of(month.div_euclid(12), month.rem_euclid(12) + 1, 1) as f64 * DAY
            });
            micros.filter(|at| (ends[0]..=ends[1]).contains(at)).collect()
        }
    }
}

fn written(micros: f64, step: Step) -> String {
    let seconds = ((micros - (micros / DAY).floor() * DAY) / SECOND) as i64;
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match step {
        Step::Micros(step) if step < MINUTE => format!("{hour:02}:{minute:02}:{second:02}"),
        Step::Micros(_) => format!("{hour:02}:{minute:02}"),
        Step::Days(_) => date(micros, 3),
        Step::Months(months) => date(micros, if months % 12 == 0 { 1 } else { 2 }),
    }
}

/// The first so many of year, month and day.
fn date(micros: f64, parts: usize) -> String {
    let (year, month, day) = date_of((micros / DAY).floor() as i64);
    match parts {
        1 => format!("{year}"),
        2 => format!("{year:04}-{month:02}"),
        _ => format!("{year:04}-{month:02}-{day:02}"),
    }
}

/// Whether no label touches the next.
fn fits(ticks: &[Tick], ends: [f64; 2], run: Run, room: f64) -> bool {
    let place = |tick: &Tick| (tick.at / 2.0 - ends[0] / 2.0) / (ends[1] / 2.0 - ends[0] / 2.0) * room;
    let long = |tick: &Tick| if run == Run::Across { width(&tick.text) * TICK_SIZE } else { TICK_SIZE };
    ticks
        .windows(2)
        .all(|two| place(&two[1]) - place(&two[0]) >= (long(&two[0]) + long(&two[1])) / 2.0 + GAP * TICK_SIZE)
}

/// 1, 2 and 5 times powers of ten, ascending, from about `least` on.
fn rounds(least: f64) -> impl Iterator<Item = f64> {
    let power = least.max(f64::MIN_POSITIVE).log10().floor() as i32;
    (power..power + 4)
        .flat_map(|power| [1.0, 2.0, 5.0].map(|of| of * 10f64.powi(power)))
        .filter(move |&step| step >= least * (1.0 - 1e-9))
}

/// A number as exact as the step asks for.
fn plain(value: f64, step: f64) -> String {
    let decimals = (-(step * (1.0 + 1e-9)).log10()).ceil().clamp(0.0, 12.0) as usize;
    let text = format!("{value:.decimals$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("\u{2212}", digits));
    match digits.parse::<usize>() {
        Ok(0) => "0".into(),
        // Four digits are read without a comma, and are often a year.
        Ok(whole) if whole >= 10_000 => format!("{sign}{}", count(whole)),
        _ => format!("{sign}{digits}"),
    }
}

fn raised(power: i32) -> String {
    let digit = |character: char| match character {
        '-' => '\u{207b}',
        '1' => '\u{b9}',
        '2' => '\u{b2}',
        '3' => '\u{b3}',
        digit => char::from_u32(0x2070 + digit.to_digit(10).unwrap_or(0)).unwrap_or(digit),
    };
    power.to_string().chars().map(digit).collect()
}

/// A chart's plot: where its scales lie, in units of the chart.
pub(crate) struct Plot {
    /// Its left and right end.
    pub(crate) across: [f64; 2],
    /// Its upper and lower end.
    pub(crate) down: [f64; 2],
    /// How wide the whole chart is.
    pub(crate) chart: f64,
}

impl Plot {
    /// Where a value of a scale across lies.
    pub(crate) fn x(&self, axis: &Axis, value: f64) -> f64 {
        self.across[0] + (self.across[1] - self.across[0]) * part(axis, value)
    }

    /// Where a value of a scale upwards lies.
    pub(crate) fn y(&self, axis: &Axis, value: f64) -> f64 {
        self.down[1] - (self.down[1] - self.down[0]) * part(axis, value)
    }

    /// Draws the axis below the plot: line, ticks, labels and title.
    pub(crate) fn draw_below(&self, svg: &mut String, axis: &Axis) {
        let base = self.down[1];
        let mut marks = format!("M{:.1} {base:.1}H{:.1}", self.across[0], self.across[1]);
        for tick in &axis.ticks {
            let x = self.x(axis, tick.at);
            let half = width(&tick.text) * TICK_SIZE / 2.0;
            let text = x.clamp(half, (self.chart - half).max(half));
            let _ = write!(marks, "M{x:.1} {base:.1}v4");
            write_text(svg, "tick", [text, base + 17.0], "middle", &tick.text);
        }
        let _ = write!(svg, "<path class=\"axis\" d=\"{marks}\"/>");
        let half = width(&axis.title) * TICK_SIZE / 2.0;
        let middle = ((self.across[0] + self.across[1]) / 2.0)
            .clamp(half.min(self.chart / 2.0), (self.chart - half).max(self.chart / 2.0));
        write_text(svg, "tick title", [middle, base + 32.0], "middle", &axis.title);
    }

    /// Draws the axis left of the plot: labels, rules across the plot where `ruled`, and the title above it.
    pub(crate) fn draw_beside(&self, svg: &mut String, axis: &Axis, ruled: bool) {
        let left = self.across[0];
        let mut rules = String::new();
        for tick in &axis.ticks {
            let y = self.y(axis, tick.at);
            let _ = if ruled {
                write!(rules, "M{left:.1} {y:.1}H{:.1}", self.across[1])
            } else {
                write!(rules, "M{left:.1} {y:.1}h-4")
            };
            write_text(svg, "tick", [left - 6.0, y + 3.5], "end", &tick.text);
        }
        let class = if ruled { "rule" } else { "axis" };
        if !ruled {
            let _ = write!(rules, "M{left:.1} {:.1}V{:.1}", self.down[0], self.down[1]);
        }
        let _ = write!(svg, "<path class=\"{class}\" d=\"{rules}\"/>");
        write_text(svg, "tick title", [0.0, 12.0], "start", &axis.title);
    }
}

fn part(axis: &Axis, value: f64) -> f64 {
    // Halved first: the width of all doubles is no double.
    let part = (value / 2.0 - axis.ends[0] / 2.0) / (axis.ends[1] / 2.0 - axis.ends[0] / 2.0);
    if part.is_finite() { part.clamp(0.0, 1.0) } else { 0.5 }
}

/// A line of text.
pub(crate) fn write_text(svg: &mut String, class: &str, [x, y]: [f64; 2], anchor: &str, text: &str) {
    let anchor = if anchor == "start" { String::new() } else { format!(" text-anchor=\"{anchor}\"") };
    let _ = write!(svg, "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\"{anchor}>{}</text>", escape(text));
}
