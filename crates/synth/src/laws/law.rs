//! Laws: how one node's ticks follow exactly from others'. In: the ticks of the nodes before it. Out: its ticks, NaN
//! where the law says nothing.

use crate::laws::calendar::{Part, day_in_month, day_in_week};
use crate::laws::forms::Form;

/// An exact dependence.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Law {
    /// It is given with every row, and nothing is said here.
    Given,
    /// `constant + sum of weight * tick`, brought into `low .. low + period` where the law is one of the clock.
    Sum { terms: Vec<(u16, f64)>, constant: f64, wrap: Option<(f64, f64)> },
    /// `constant + weight * a * b`, where a and b are the real values `base + tick * unit` of two nodes.
    Product { factors: [(u16, f64, f64); 2], weight: f64, constant: f64 },
    /// `constant + sum of weight * real value / unit`, each term with its node, weight, base and unit; a missing one counts
    /// as nothing.
    Total { terms: Vec<(u16, f64, f64, f64)>, constant: f64, unit: f64 },
    /// `constant + weight * form(base + tick * unit)`.
    Curve { of: (u16, f64, f64), form: Form, weight: f64, constant: f64 },
    /// `constant + weight * top / bottom`, on real values `base + tick * unit`.
    Share { top: (u16, f64, f64), bottom: (u16, f64, f64), weight: f64, constant: f64 },
    /// The date of a year, a month and a day, or of a year, a month, a weekday and a week of the month, moved by whole
    /// weeks into the days `within`; ticks are `(day - base) / unit`.
    Date { parts: Vec<u16>, within: (f64, f64), base: f64, unit: f64 },
    /// `level + sum of weight * value + the remainder's tick`, on real values `base + tick * unit` or, where `log`, on
    /// their logarithms.
    Near { terms: Vec<(u16, f64, f64, f64)>, level: f64, rest: u16, base: f64, unit: f64, log: bool },
    /// A part of the moment `base + tick * unit` microseconds, less `shift`.
    Part { of: u16, base: f64, unit: f64, part: Part, shift: f64 },
    /// The value held by every row with these keys; ascending by key.
    Lookup { keys: Vec<u16>, rows: Vec<(u64, f64)> },
}

impl Law {
    /// The nodes that must be known.
    pub(crate) fn parents(&self) -> Vec<u16> {
        match self {
            Law::Given => Vec::new(),
            Law::Sum { terms, .. } => terms.iter().map(|term| term.0).collect(),
            Law::Product { factors, .. } => factors.iter().map(|factor| factor.0).collect(),
            Law::Total { terms, .. } => terms.iter().map(|term| term.0).collect(),
            Law::Curve { of, .. } => vec![of.0],
            Law::Share { top, bottom, .. } => vec![top.0, bottom.0],
            Law::Date { parts, .. } => parts.clone(),
            Law::Near { terms, rest, .. } => terms.iter().map(|term| term.0).chain([*rest]).collect(),
            Law::Part { of, .. } => vec![*of],
            Law::Lookup { keys, .. } => keys.clone(),
        }
    }

    /// What is left of a real value after what the others tell, for [`Law::Near`].
    pub(crate) fn rest<V: AsRef<[f64]>>(&self, known: &[V], row: usize, real: f64) -> f64 {
        let log = matches!(self, Law::Near { log: true, .. });
        let rest = (if log { real.ln() } else { real }) - self.told(known, row);
        if rest.is_finite() { rest } else { f64::NAN }
    }

    fn told<V: AsRef<[f64]>>(&self, known: &[V], row: usize) -> f64 {
        let Law::Near { terms, level, log, .. } = self else { return f64::NAN };
        let real = |term: &(u16, f64, f64, f64)| term.1 + known[term.0 as usize].as_ref()[row] * term.2;
        level + terms.iter().map(|term| term.3 * if *log { real(term).ln() } else { real(term) }).sum::<f64>()
    }

    /// What the law says for row `row` of these values per node.
    pub(crate) fn value<V: AsRef<[f64]>>(&self, known: &[V], row: usize) -> f64 {
        let tick = |node: &u16| known[*node as usize].as_ref()[row];
        match self {
            Law::Given => f64::NAN,
            Law::Sum { terms, constant, wrap } => {
                let sum = constant + terms.iter().map(|(node, weight)| weight * tick(node)).sum::<f64>();
                match wrap {
                    Some((low, period)) => low + (sum - low).rem_euclid(*period),
                    None => sum,
                }
            }
            Law::Product { factors: [a, b], weight, constant } => {
                constant + weight * (a.1 + tick(&a.0) * a.2) * (b.1 + tick(&b.0) * b.2)
            }
            Law::Total { terms, constant, unit } => {
                let worth = |term: &(u16, f64, f64, f64)| {
                    let tick = tick(&term.0);
                    if tick.is_nan() { 0.0 } else { term.1 * (term.2 + tick * term.3) }
                };
                constant + terms.iter().map(worth).sum::<f64>() / unit
            }
            Law::Curve { of, form, weight, constant } => constant + weight * form.of(of.1 + tick(&of.0) * of.2),
            Law::Share { top, bottom, weight, constant } => {
                let real = |factor: &(u16, f64, f64)| factor.1 + tick(&factor.0) * factor.2;
                let share = constant + weight * real(top) / real(bottom);
                if share.is_finite() { share } else { f64::NAN }
            }
            Law::Date { parts, within, base, unit } => {
                let day = match parts.as_slice() {
                    [y, m, d] => day_in_month(tick(y), tick(m), tick(d)),
                    [y, m, w, k] => day_in_week(tick(y), tick(m), tick(w), tick(k)),
                    _ => None,
                };
                day.map_or(f64::NAN, |day| {
                    let day = day as f64;
                    let weeks = |days: f64| (days / 7.0).ceil().max(0.0) * 7.0;
                    let day = day + weeks(within.0 - day);
                    ((day - weeks(day - within.1)).max(within.0) - base) / unit
                })
            }
            Law::Near { rest, base, unit, log, .. } => {
                let told = self.told(known, row) + tick(rest);
                ((if *log { told.exp() } else { told }) - base) / unit
            }
            Law::Part { of, base, unit, part, shift } => {
                let at = tick(of);
                if at.is_nan() { f64::NAN } else { part.of(base + at * unit) - shift }
            }
            Law::Lookup { keys, rows } => {
                let key = lookup_key(keys.iter().map(tick));
                rows.binary_search_by_key(&key, |row| row.0).map_or(f64::NAN, |at| rows[at].1)
            }
        }
    }
}

/// A key of one or two ticks; missing has a key of its own. Ticks of listed values are small whole numbers or, on no
/// grid, their bits.
pub(crate) fn lookup_key(ticks: impl Iterator<Item = f64>) -> u64 {
    let mut key = 0x5851_f42d_4c95_7f2d;
    for tick in ticks {
        let bits = if tick.is_nan() { u64::MAX } else { (tick + 0.0).to_bits() };
        key = crate::random::mix(key ^ bits).wrapping_add(0x9e37_79b9);
    }
    key
}
