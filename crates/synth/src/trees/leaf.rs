//! What is kept at a leaf: the training rows of a leaf come in, a small description to draw from goes out. Values held
//! by few rows are blurred here: a leaf of numbers is drawn between neighbouring order statistics, never from them.

use crate::random::Random;
use crate::trees::line::{Line, Parent, fit_line};
use crate::trees::shape::{Class, Shape};

/// Order statistics kept of a leaf at most.
const KNOTS_MAX: usize = 400;

/// One leaf.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Leaf {
    /// Classes with running totals of their rows.
    Classes { classes: Vec<Class>, totals: Vec<u32> },
    /// Numbers: rows missing, values that stand out, and the rest.
    Numbers { missing: u32, atoms: Vec<(f64, u32)>, rest: u32, spread: Spread },
}

/// The continuous part of a leaf.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Spread {
    /// Ascending; any two neighbours are equally likely to enclose a draw. Values, or residuals of `line`.
    pub(crate) knots: Vec<f64>,
    /// A linear model of the value on other columns.
    pub(crate) line: Option<Line>,
    /// Draws stay within.
    pub(crate) low: f64,
    /// Draws stay within.
    pub(crate) high: f64,
}

/// A column to be described: its values, their shape, and how few rows may share a shown value.
pub(crate) struct Subject<'a> {
    /// One per training row.
    pub(crate) values: &'a [f64],
    /// Class of each training row.
    pub(crate) classes: &'a [Class],
    /// Shape of the values.
    pub(crate) shape: &'a Shape,
    /// Numeric columns already drawn, for linear models.
    pub(crate) parents: &'a [Parent<'a>],
    /// Fewest rows of a value shown as it is.
    pub(crate) floor: usize,
}

impl Subject<'_> {
    /// Whether values are numbers that are not listed.
    pub(crate) fn continuous(&self) -> bool {
        matches!(self.shape, Shape::Continuous { .. })
    }
}

impl Leaf {
    /// Describes these rows; at least one.
    pub(crate) fn of(subject: &Subject, rows: &[u32]) -> Leaf {
        match subject.shape {
            Shape::Discrete { .. } => Leaf::of_classes(subject, rows),
            Shape::Continuous { low, high, .. } => Leaf::of_numbers(subject, rows, *low, *high),
        }
    }

    fn of_classes(subject: &Subject, rows: &[u32]) -> Leaf {
        let mut seen: Vec<Class> = rows.iter().map(|&row| subject.classes[row as usize]).collect();
        seen.sort_unstable();
        let (mut classes, mut totals) = (Vec::new(), Vec::new());
        for (at, &class) in seen.iter().enumerate() {
            if classes.last() == Some(&class) {
                *totals.last_mut().expect("as long as the classes") = at as u32 + 1;
            } else {
                classes.push(class);
                totals.push(at as u32 + 1);
            }
        }
        Leaf::Classes { classes, totals }
    }

    fn of_numbers(subject: &Subject, rows: &[u32], low: f64, high: f64) -> Leaf {
        let mut missing = 0;
        let mut atoms: Vec<(f64, u32)> = Vec::new();
        let mut rest: Vec<u32> = Vec::new();
        for &row in rows {
            let value = subject.values[row as usize];
            if value.is_nan() {
                missing += 1;
            } else if subject.shape.atom(value) {
                match atoms.binary_search_by(|a| a.0.total_cmp(&value)) {
                    Ok(at) => atoms[at].1 += 1,
                    Err(at) => atoms.insert(at, (value, 1)),
                }
            } else {
                rest.push(row);
            }
        }
        let spread = Spread::of(subject, &rest, low, high);
        Leaf::Numbers { missing, atoms, rest: rest.len() as u32, spread }
    }
}

impl Leaf {
    /// The value at share `at` (0 up to 1) of this leaf, NaN for missing; `known` are the block's values per node.
    pub(crate) fn draw(&self, shape: &Shape, at: f64, known: &[Vec<f64>], row: usize, random: &mut Random) -> f64 {
        match (self, shape) {
            (Leaf::Classes { classes, totals }, Shape::Discrete { values }) => {
                let Some(&total) = totals.last() else { return f64::NAN };
                let at = ((at * total as f64) as u32).min(total - 1);
                match classes[totals.partition_point(|t| *t <= at)] {
                    0 => f64::NAN,
                    class => values[class as usize - 1],
                }
            }
            (Leaf::Numbers { missing, atoms, rest, spread }, _) => {
                let total = *missing + *rest + atoms.iter().map(|a| a.1).sum::<u32>();
                let mut at = at * total as f64;
                if at < *missing as f64 || total == 0 {
                    return f64::NAN;
                }
                at -= *missing as f64;
                for (value, count) in atoms {
                    if at < *count as f64 {
                        return *value;
                    }
                    at -= *count as f64;
                }
                let expected = spread.line.as_ref().map_or(0.0, |line| line.expected(known, row));
                spread.at((at / (*rest).max(1) as f64).clamp(0.0, 1.0), expected, random)
            }
            _ => f64::NAN,
        }
    }
}

impl Spread {
    fn of(subject: &Subject, rows: &[u32], low: f64, high: f64) -> Spread {
        let none = Spread { knots: Vec::new(), line: None, low, high };
        if rows.is_empty() {
            return none;
        }
        let value = |row: &u32| subject.values[*row as usize].clamp(low, high);
        let mut sorted: Vec<f64> = rows.iter().map(value).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let (first, last) = (sorted[0], sorted[sorted.len() - 1]);
        if let Some((line, mut residuals)) = fit_line(subject.values, subject.parents, rows) {
            residuals.sort_unstable_by(f64::total_cmp);
            let knots = blurred(residuals, subject.floor, 0.0);
            return Spread { knots, line: Some(line), low: first, high: last };
        }
        let knots = blurred(sorted, subject.floor, (high - low) / 50.0);
        let knots = knots.into_iter().map(|knot| knot.clamp(low, high)).collect();
        Spread { knots, ..none }
    }

    /// The value at share `at` (0 up to 1) of the spread; `expected` is what the line says, 0 where there is none.
    fn at(&self, at: f64, expected: f64, random: &mut Random) -> f64 {
        let mut value = expected + self.between(at);
        for _ in 0..4 {
            if value >= self.low && value <= self.high {
                return value;
            }
            value = expected + self.between(random.unit());
        }
        value.clamp(self.low, self.high)
    }

    fn between(&self, at: f64) -> f64 {
        match self.knots.len() {
            0 => 0.0,
            1 => self.knots[0],
            count => {
                let at = at * (count - 1) as f64;
                let below = (at as usize).min(count - 2);
                self.knots[below] + (self.knots[below + 1] - self.knots[below]) * (at - below as f64)
            }
        }
    }
}

/// Ascending values with every run of equal ones shorter than `floor` pulled apart, so that no draw between
/// neighbours lands on it except by chance; at most [`KNOTS_MAX`] of them.
fn blurred(sorted: Vec<f64>, floor: usize, reach: f64) -> Vec<f64> {
    if sorted.len() == 1 {
        return vec![sorted[0] - reach, sorted[0] + reach];
    }
    let mut knots = Vec::with_capacity(sorted.len());
    let mut from = 0;
    while from < sorted.len() {
        let value = sorted[from];
        let to = from + sorted[from..].partition_point(|v| *v <= value);
        let run = to - from;
        if run == 1 || run >= floor {
            knots.extend_from_slice(&sorted[from..to]);
        } else {
            let before = if from > 0 { (sorted[from - 1] + value) / 2.0 } else { value - reach };
            let after = if to < sorted.len() { (sorted[to] + value) / 2.0 } else { value + reach };
            for at in 0..run {
                knots.push(before + (after - before) * (at as f64 + 0.5) / run as f64);
            }
        }
        from = to;
    }
    if knots.len() > KNOTS_MAX {
        let last = knots.len() - 1;
        knots = (0..KNOTS_MAX).map(|i| knots[i * last / (KNOTS_MAX - 1)]).collect();
    }
    knots
}
