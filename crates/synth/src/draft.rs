//! Drafts: encoded columns come in, the nodes that a fit will learn go out. A node is a column, a part that a column
//! falls into, or something that several columns have in common. The laws between nodes are found elsewhere.

use crate::encode::{Encoded, Scale};
use crate::laws::law::Law;

/// A node before it is learned.
pub(crate) struct Draft {
    /// What it is, for the log.
    pub(crate) label: String,
    /// Ticks per training row, NaN where missing.
    pub(crate) values: Vec<f64>,
    /// Ticks of rows that are not learned and count where it is asked how many rows hold a value.
    pub(crate) beside: Vec<f64>,
    /// Whether ticks have no order.
    pub(crate) nominal: bool,
    /// Whether ticks are whole.
    pub(crate) grid: bool,
    /// The real value of tick 0; microseconds for times.
    pub(crate) base: f64,
    /// The real value of one tick.
    pub(crate) unit: f64,
    /// What kind of number it is.
    pub(crate) measure: Measure,
    /// How it follows from others, if it does.
    pub(crate) law: Option<Law>,
    /// For text: categories kept; those past them are never drawn.
    pub(crate) kept: Option<usize>,
    /// The node in whose place it comes in the order.
    pub(crate) like: Option<u16>,
}

/// What kind of number a node holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measure {
    /// A category.
    Category,
    /// A plain number.
    Number,
    /// A moment, in microseconds since 1970-01-01.
    Moment,
    /// Minutes since midnight, written as hours and minutes in one whole number.
    Clock,
    /// A length of time in microseconds.
    Duration,
    /// Where a category's level lies among its like.
    Direction,
}

impl Draft {
    /// The draft of a column.
    pub(crate) fn of(name: &str, encoded: Encoded, novel: bool) -> (Draft, Scale) {
        let (base, unit) = encoded.scale.line();
        let measure = match &encoded.scale {
            Scale::Time { .. } => Measure::Moment,
            Scale::Int { .. } | Scale::Real { .. } => Measure::Number,
            Scale::Clock => Measure::Clock,
            Scale::Bool | Scale::Text { .. } => Measure::Category,
        };
        let kept = match &encoded.scale {
            Scale::Text { words } if !novel => Some(words.len()),
            _ => None,
        };
        let grid = encoded.scale.grid();
        let draft = Draft {
            label: format!("`{name}`"),
            values: encoded.values,
            beside: encoded.beside,
            nominal: encoded.nominal,
            grid,
            base,
            unit,
            measure,
            law: None,
            kept,
            like: None,
        };
        let mut draft = draft;
        let scale = if draft.measure == Measure::Number
            && matches!(encoded.scale, Scale::Int { .. })
            && draft.becomes_clock()
        {
            Scale::Clock
        } else {
            encoded.scale
        };
        (draft, scale)
    }

    /// The draft of a column of which only presence is learned.
    pub(crate) fn presence(name: &str, encoded: Encoded) -> (Draft, Scale) {
        let mut draft = Draft::hidden(format!("`{name}`"), encoded.values, 0.0, 1.0, Measure::Category);
        draft.values.iter_mut().filter(|v| !v.is_nan()).for_each(|v| *v = 0.0);
        draft.nominal = true;
        let scale = match encoded.scale {
            Scale::Text { .. } => Scale::Text { words: Vec::new() },
            other => other,
        };
        (draft, scale)
    }

    /// A node that no column shows.
    pub(crate) fn hidden(label: String, values: Vec<f64>, base: f64, unit: f64, measure: Measure) -> Draft {
        Draft {
            label,
            values,
            beside: Vec::new(),
            nominal: false,
            grid: true,
            base,
            unit,
            measure,
            law: None,
            kept: None,
            like: None,
        }
    }

    /// The real value in a row.
    pub(crate) fn real(&self, row: usize) -> f64 {
        self.real_of(self.values[row])
    }

    /// The real value of a tick.
    pub(crate) fn real_of(&self, tick: f64) -> f64 {
        self.base + tick * self.unit
    }

    /// Whether it comes with every row that is asked for.
    pub(crate) fn given(&self) -> bool {
        self.law == Some(Law::Given)
    }

    /// Whether it is a number that others may be computed from.
    pub(crate) fn numeric(&self) -> bool {
        self.measure != Measure::Category
    }

    /// Turns whole numbers such as 517 and 2359 into minutes since midnight, if all of them can be clock times and
    /// enough of them are different for that to be no accident.
    fn becomes_clock(&mut self) -> bool {
        let mut minutes_seen = [false; 60];
        let mut hours_seen = [false; 25];
        let (mut midnight, mut day_end) = (false, false);
        for row in 0..self.values.len() {
            let value = self.real(row);
            if value.is_nan() {
                continue;
            }
            if !(0.0..=2400.0).contains(&value) || value % 100.0 >= 60.0 {
                return false;
            }
            midnight |= value == 0.0;
            day_end |= value == 2400.0;
            minutes_seen[(value % 100.0) as usize] = true;
            hours_seen[(value / 100.0) as usize] = true;
        }
        let count = |seen: &[bool]| seen.iter().filter(|&&s| s).count();
        if count(&minutes_seen) < 12
            || count(&hours_seen) < 6
            || count(&minutes_seen) * count(&hours_seen) < 150
            || (midnight && day_end)
        {
            return false;
        }
        let (base, unit) = (self.base, self.unit);
        for tick in self.values.iter_mut().chain(&mut self.beside) {
            let value = base + *tick * unit;
            *tick = (value / 100.0).floor() * 60.0 + value % 100.0;
        }
        (self.base, self.unit, self.measure) = (0.0, 1.0, Measure::Clock);
        true
    }
}

/// Ticks on the coarsest grid that holds all of these whole values: (ticks, base, unit).
pub(crate) fn regrid(reals: &[f64]) -> (Vec<f64>, f64, f64) {
    let base = reals.iter().copied().filter(|v| !v.is_nan()).fold(f64::INFINITY, f64::min);
    if !base.is_finite() {
        return (reals.to_vec(), 0.0, 1.0);
    }
    let mut unit = 0u64;
    for value in reals.iter().filter(|v| !v.is_nan()) {
        let mut rest = (value - base).round() as u64;
        while rest != 0 {
            (unit, rest) = (rest, unit % rest);
        }
        if unit == 1 {
            break;
        }
    }
    let unit = unit.max(1) as f64;
    (reals.iter().map(|v| ((v - base) / unit).round()).collect(), base, unit)
}

/// How many different values there are, counting up to `most`.
pub(crate) fn distinct(values: impl Iterator<Item = f64>, most: usize) -> usize {
    let mut seen = std::collections::BTreeSet::new();
    for value in values.filter(|v| !v.is_nan()) {
        seen.insert((value + 0.0).to_bits());
        if seen.len() >= most {
            break;
        }
    }
    seen.len()
}
