//! Rules: what constraints demand, over positions of columns. Ticks of a drawn row come in; whether the row keeps every
//! rule, or the row mended, goes out.

use table::{Cell, Kept, Kind, Spelling, kept};

use crate::config::constraint::{Constraint, Operand};
use crate::encode::Scale;
use crate::laws::calendar::checked_days;
use crate::makers::pattern::Pattern;
use crate::random::Random;

/// What every row of an output keeps. A row in which one of the columns is missing keeps it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Rule {
    /// `left <= right`, or `left < right` where strict.
    Compare { left: Side, right: Side, strict: bool },
    /// `target = constant + sum of weight * column`, to within half a step of the target's.
    Sum { target: u16, terms: Vec<(u16, f64)>, constant: f64 },
    /// The ticks of the columns are one of these rows (combinations x columns), ascending.
    Together { columns: Vec<u16>, rows: Vec<Vec<f64>> },
}

/// One side of a comparison.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Side {
    /// The value of a column.
    Column(u16),
    /// A fixed value, in the unit of the other side's column.
    Value(f64),
}

/// A column as rules see it.
pub(crate) struct Sight<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// How it is written.
    pub(crate) spelling: &'a Spelling,
    /// What its ticks mean.
    pub(crate) scale: &'a Scale,
}

/// Constraints with their columns found.
#[derive(Debug, Default)]
pub(crate) struct Demands {
    /// Kept by rows.
    pub(crate) rules: Vec<Rule>,
    /// Kept by the values of a column, one entry per column.
    pub(crate) wants: Vec<Want>,
}

/// What is demanded of the values of one column.
#[derive(Clone, Debug, Default)]
pub(crate) struct Want {
    /// No value comes twice.
    pub(crate) unique: bool,
    /// Every text matches.
    pub(crate) pattern: Option<Pattern>,
}

/// Finds the columns that constraints speak of; every constraint that does not fit them is named.
pub(crate) fn resolve(constraints: &[Constraint], sights: &[Sight]) -> Result<Demands, Vec<String>> {
    let mut demands = Demands { rules: Vec::new(), wants: vec![Want::default(); sights.len()] };
    let mut faults = Vec::new();
    for constraint in constraints {
        if let Err(fault) = demands.add(constraint, sights) {
            faults.push(fault);
        }
    }
    if faults.is_empty() { Ok(demands) } else { Err(faults) }
}

impl Demands {
    fn add(&mut self, constraint: &Constraint, sights: &[Sight]) -> Result<(), String> {
        let find = |name: &String| {
            sights.iter().position(|sight| sight.name == name).ok_or_else(|| {
                let near = crate::config::nearest::nearest(name, sights.iter().map(|sight| sight.name));
                let near = near.map_or(String::new(), |near| format!(" (is `{near}` meant?)"));
                format!("a constraint names the column `{name}`, which the table does not have{near}")
            })
        };
        let number = |name: &String| {
            let at = find(name)?;
            match sights[at].scale {
                Scale::Text { .. } | Scale::Bool => {
                    Err(format!("a constraint compares or adds up `{name}`, whose values are no numbers or times"))
                }
                _ => Ok(at as u16),
            }
        };
        match constraint {
            Constraint::Compare { left, right, strict } => {
                let side = |own: &Operand, other: &Operand| match (own, other) {
                    (Operand::Column(name), _) => number(name).map(Side::Column),
                    (Operand::Literal(text), Operand::Column(name)) => {
                        literal(text, &sights[number(name)? as usize]).map(Side::Value)
                    }
                    (Operand::Literal(text), _) => Err(format!("`{text}` is compared with no column")),
                };
                let (left, right) = (side(left, right)?, side(right, left)?);
                if let (Side::Column(a), Side::Column(b)) = (left, right) {
                    let time = |at: u16| matches!(sights[at as usize].scale, Scale::Time { .. });
                    if time(a) != time(b) {
                        let [a, b] = [a, b].map(|at| sights[at as usize].name);
                        return Err(format!("a constraint compares `{a}` and `{b}`, of which one only holds times"));
                    }
                }
                self.rules.push(Rule::Compare { left, right, strict: *strict });
            }
            Constraint::Sum { target, terms, constant } => {
                let terms: Result<Vec<(u16, f64)>, String> =
                    terms.iter().map(|(weight, name)| Ok((number(name)?, *weight))).collect();
                self.rules.push(Rule::Sum { target: number(target)?, terms: terms?, constant: *constant });
            }
            Constraint::Together { columns } => {
                let columns: Result<Vec<u16>, String> = columns.iter().map(|name| Ok(find(name)? as u16)).collect();
                self.rules.push(Rule::Together { columns: columns?, rows: Vec::new() });
            }
            Constraint::Unique { column } => {
                let at = find(column)?;
                if matches!(sights[at].scale, Scale::Bool | Scale::Real { per: 0.0, .. }) {
                    return Err(format!("`{column}` is to be unique and holds neither text nor numbers on a grid"));
                }
                self.wants[at].unique = true;
            }
            Constraint::Regex { column, pattern } => {
                let at = find(column)?;
                if !matches!(sights[at].scale, Scale::Text { .. }) {
                    return Err(format!("a `regex` is demanded of `{column}`, which holds no text"));
                }
                self.wants[at].pattern = Some(Pattern::parse(pattern)?);
            }
        }
        Ok(())
    }
}

/// A literal in the unit of a column's values.
fn literal(text: &str, sight: &Sight) -> Result<f64, String> {
    let kind = match sight.scale {
        Scale::Time { .. } => Kind::Time,
        Scale::Real { .. } => Kind::Real,
        _ => Kind::Int,
    };
    let read = match sight.spelling.read(kind, text) {
        Some(Cell::Int(value) | Cell::Time(value)) => Some(value as f64),
        Some(Cell::Real(value)) => Some(value),
        _ if kind == Kind::Time => moment(text),
        _ => text.parse::<f64>().ok().filter(|value| value.is_finite()),
    };
    let what = if kind == Kind::Time { "a time" } else { "a number" };
    read.ok_or_else(|| format!("`{text}` is compared with `{}` and is not {what}", sight.name))
}

/// Microseconds of `2024-01-31`, `2024-01-31 23:59` or `2024-01-31T23:59:59`.
fn moment(text: &str) -> Option<f64> {
    let mut parts = text.split(['-', ' ', 'T', ':']).map(|part| part.parse::<f64>().ok());
    let days = checked_days(parts.next()??, parts.next()??, parts.next()??)?;
    let mut clock = 0.0;
    for size in [3600e6, 60e6, 1e6] {
        clock += size * parts.next().unwrap_or(Some(0.0))?;
    }
    Some(days as f64 * crate::laws::calendar::DAY + clock)
}

impl Rule {
    /// Whether the row of `ticks` (outputs x rows) keeps it.
    pub(crate) fn kept(&self, scales: &[&Scale], ticks: &[Vec<f64>], row: usize) -> bool {
        let real = |at: u16| scales[at as usize].real(ticks[at as usize][row]);
        match self {
            Rule::Compare { left, right, strict } => {
                let value = |side: &Side| match side {
                    Side::Column(at) => real(*at),
                    Side::Value(value) => *value,
                };
                let (left, right) = (value(left), value(right));
                left.is_nan() || right.is_nan() || left < right || !strict && left == right
            }
            Rule::Sum { target, terms, constant } => {
                let sum = constant + terms.iter().map(|&(at, weight)| weight * real(at)).sum::<f64>();
                let miss = (real(*target) - sum).abs();
                let scale = scales[*target as usize];
                let step = if scale.grid() { scale.line().1 } else { 0.0 };
                miss.is_nan() || miss <= 0.5 * step + 1e-9 * sum.abs()
            }
            Rule::Together { columns, rows } => {
                let own: Vec<f64> = columns.iter().map(|&at| ticks[at as usize][row]).collect();
                own.iter().any(|tick| tick.is_nan()) || rows.binary_search_by(|known| compare(known, &own)).is_ok()
            }
        }
    }

    /// Changes the row so that it keeps the rule, given columns left as they are; does nothing where those forbid it.
    pub(crate) fn mend(
        &self,
        scales: &[&Scale],
        ticks: &mut [Vec<f64>],
        row: usize,
        given: &[bool],
        random: &mut Random,
    ) {
        let real = |at: u16, ticks: &[Vec<f64>]| scales[at as usize].real(ticks[at as usize][row]);
        let free = |at: u16| !given[at as usize];
        match self {
            Rule::Compare { left, right, strict } => {
                let value = |side: &Side, ticks: &[Vec<f64>]| match side {
                    Side::Column(at) => real(*at, ticks),
                    Side::Value(value) => *value,
                };
                if let Side::Column(at) = right
                    && free(*at)
                {
                    ticks[*at as usize][row] = scales[*at as usize].at_least(value(left, ticks), *strict);
                } else if let Side::Column(at) = left
                    && free(*at)
                {
                    ticks[*at as usize][row] = scales[*at as usize].at_most(value(right, ticks), *strict);
                }
            }
            Rule::Sum { target, terms, constant } => {
                let rest = |without: u16, ticks: &[Vec<f64>]| {
                    let others = terms.iter().filter(|term| term.0 != without);
                    constant + others.map(|&(at, weight)| weight * real(at, ticks)).sum::<f64>()
                };
                if free(*target) {
                    ticks[*target as usize][row] = scales[*target as usize].nearest(rest(u16::MAX, ticks));
                } else if let Some(&(at, weight)) = terms.iter().find(|term| free(term.0) && term.1 != 0.0) {
                    let value = (real(*target, ticks) - rest(at, ticks)) / weight;
                    ticks[at as usize][row] = scales[at as usize].nearest(value);
                }
            }
            Rule::Together { columns, rows } => {
                let fits = |known: &&Vec<f64>| {
                    columns.iter().zip(known.iter()).all(|(&at, tick)| free(at) || ticks[at as usize][row] == *tick)
                };
                let able: Vec<&Vec<f64>> = rows.iter().filter(fits).collect();
                if let Some(known) = able.get(random.below(able.len())) {
                    columns.iter().zip(known.iter()).for_each(|(&at, tick)| ticks[at as usize][row] = *tick);
                }
            }
        }
    }
}

/// The order of rows of ticks.
pub(crate) fn compare(a: &[f64], b: &[f64]) -> std::cmp::Ordering {
    a.iter().zip(b).map(|(x, y)| x.total_cmp(y)).find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
}

impl Scale {
    /// The value of a tick, in the column's own unit; NaN where missing.
    pub(crate) fn real(&self, tick: f64) -> f64 {
        match self {
            Scale::Clock => (tick / 60.0).floor() * 100.0 + tick.rem_euclid(60.0),
            Scale::Real { unit, per } if *per > 0.0 => tick.round() * unit / per,
            _ => {
                let (base, unit) = self.line();
                base + tick * unit
            }
        }
    }

    /// The lowest tick whose value is at least this one, or above it where strict.
    fn at_least(&self, value: f64, strict: bool) -> f64 {
        if !self.grid() {
            return if strict { value.next_up() } else { value };
        }
        let exact = self.tick(value);
        let tick = (exact - 1e-7).ceil();
        if strict && tick <= exact + 1e-7 { tick + 1.0 } else { tick }
    }

    /// The highest tick whose value is at most this one, or below it where strict.
    fn at_most(&self, value: f64, strict: bool) -> f64 {
        if !self.grid() {
            return if strict { value.next_down() } else { value };
        }
        let exact = self.tick(value);
        let tick = (exact + 1e-7).floor();
        if strict && tick >= exact - 1e-7 { tick - 1.0 } else { tick }
    }

    fn nearest(&self, value: f64) -> f64 {
        if self.grid() { self.tick(value).round() } else { value }
    }

    /// The tick of a value, which may lie between two.
    pub(crate) fn tick(&self, value: f64) -> f64 {
        match self {
            Scale::Clock => (value / 100.0).floor() * 60.0 + (value - (value / 100.0).floor() * 100.0).min(60.0),
            Scale::Real { unit, per } if *per > 0.0 => value * per / unit,
            _ => {
                let (base, unit) = self.line();
                (value - base) / unit
            }
        }
    }
}

impl Kept for Side {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Side::Column(at) => (Some(*at), 0.0).put(out),
            Side::Value(value) => (None::<u16>, *value).put(out),
        }
    }
    fn take(from: &mut &[u8]) -> Option<Side> {
        let (at, value) = <(Option<u16>, f64)>::take(from)?;
        Some(at.map_or(Side::Value(value), Side::Column))
    }
}

kept!(enum Rule {
    0 => Compare { left, right, strict },
    1 => Sum { target, terms, constant },
    2 => Together { columns, rows },
});

impl Rule {
    /// The columns that it speaks of.
    pub(crate) fn columns(&self) -> Vec<u16> {
        match self {
            Rule::Compare { left, right, .. } => [left, right]
                .iter()
                .filter_map(|side| if let Side::Column(at) = side { Some(*at) } else { None })
                .collect(),
            Rule::Sum { target, terms, .. } => terms.iter().map(|term| term.0).chain([*target]).collect(),
            Rule::Together { columns, .. } => columns.clone(),
        }
    }

    /// The rule over columns of other positions.
    pub(crate) fn renumbered(self, place: &dyn Fn(u16) -> u16) -> Rule {
        let side = |side: Side| if let Side::Column(at) = side { Side::Column(place(at)) } else { side };
        match self {
            Rule::Compare { left, right, strict } => Rule::Compare { left: side(left), right: side(right), strict },
            Rule::Sum { target, terms, constant } => Rule::Sum {
                target: place(target),
                terms: terms.into_iter().map(|(at, weight)| (place(at), weight)).collect(),
                constant,
            },
            Rule::Together { columns, rows } => {
                Rule::Together { columns: columns.into_iter().map(place).collect(), rows }
            }
        }
    }

    /// Whether it speaks of columns that there are.
    pub(crate) fn sound(&self, columns: usize) -> bool {
        let there = self.columns().iter().all(|&at| (at as usize) < columns);
        there
            && if let Rule::Together { columns, rows } = self {
                rows.iter().all(|r| r.len() == columns.len())
            } else {
                true
            }
    }
}
