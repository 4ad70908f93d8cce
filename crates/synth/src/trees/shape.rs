//! The shape of a column's values: numbers come in; classes for a tree to predict and codes for a tree to ask about go
//! out. Values held by too few rows are no class of their own.

/// Number of a class: a category may have far more than 65,536 levels. Inside a branch of a tree, where classes are merged
/// into at most 256 groups, 16 bits are enough and faster.
pub(crate) type Class = u32;

/// The class of a row that no tree may learn from: its value is held by too few rows.
pub(crate) const LEFT_OUT: Class = Class::MAX;

/// Most quantile groups of a continuous column.
const GROUPS_MAX: usize = 48;

/// What a column can show, and how its values fall into classes; class 0 is missing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    /// Only these values, ascending; class `i + 1` is `values[i]`.
    Discrete { values: Vec<f64> },
    /// Any value between `low` and `high`; class `i + 1` ends at `tops[i]`. `atoms` are values that stand out.
    Continuous { tops: Vec<f64>, atoms: Vec<f64>, low: f64, high: f64 },
}

/// How the values of a column stand to each other and to other columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// They have no order.
    None,
    /// They are numbers that no other column tells by a line.
    Alone,
    /// They are numbers, and another column nearly tells them by a line.
    Shared,
}

/// Distinct values and how often each occurs.
pub(crate) struct Tally {
    /// Ascending.
    pub(crate) values: Vec<f64>,
    /// Rows of each.
    pub(crate) counts: Vec<usize>,
    /// Rows of each, with those that are not learned.
    held: Vec<usize>,
    /// Present rows.
    pub(crate) rows: usize,
}

impl Tally {
    /// Counts present values.
    pub(crate) fn of(values: &[f64]) -> Tally {
        let mut sorted: Vec<f64> = values.iter().copied().filter(|v| !v.is_nan()).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let rows = sorted.len();
        let mut tally = Tally { values: Vec::new(), counts: Vec::new(), held: Vec::new(), rows };
        for value in sorted {
            if tally.values.last() == Some(&value) {
                *tally.counts.last_mut().expect("as long as the values") += 1;
            } else {
                tally.values.push(value);
                tally.counts.push(1);
            }
        }
        tally.held = tally.counts.clone();
        tally
    }

    /// Counts rows that are not learned among those that hold a value.
    fn beside(mut self, values: &[f64]) -> Tally {
        for value in values.iter().filter(|v| !v.is_nan()) {
            if let Ok(at) = self.values.binary_search_by(|v| v.total_cmp(value)) {
                self.held[at] += 1;
            }
        }
        self
    }

    /// The value below which `rank` present rows lie.
    fn at_rank(&self, rank: usize) -> f64 {
        let mut seen = 0;
        for (value, count) in self.values.iter().zip(&self.counts) {
            seen += count;
            if seen > rank {
                return *value;
            }
        }
        *self.values.last().expect("asked of a column with values")
    }

    /// The mean of the `rows` lowest and of the `rows` highest values: as far as drawn values may go.
    fn bounds(&self, rows: usize) -> (f64, f64) {
        let mean = |order: &mut dyn Iterator<Item = (&f64, &usize)>| {
            let (mut left, mut sum) = (rows, 0.0);
            let mut first = f64::NAN;
            for (value, count) in order {
                if first.is_nan() {
                    first = *value;
                }
                let used = left.min(*count);
                sum += (value - first) * used as f64;
                left -= used;
                if left == 0 {
                    break;
                }
            }
            first + sum / (rows - left).max(1) as f64
        };
        let low = mean(&mut self.values.iter().zip(&self.counts));
        let high = mean(&mut self.values.iter().rev().zip(self.counts.iter().rev()));
        (low, high.max(low))
    }
}

impl Shape {
    /// The shape of these values. `floor` is the fewest rows that must hold a value, the values `beside` counted as well,
    /// for it to be shown as it is.
    pub(crate) fn of(values: &[f64], beside: &[f64], order: Order, grid: bool, floor: usize) -> Shape {
        let tally = Tally::of(values).beside(beside);
        if order == Order::None {
            let held = |least: usize| {
                (0..tally.values.len()).filter(|&i| tally.held[i] >= least).map(|i| tally.values[i]).collect()
            };
            let values: Vec<f64> = held(floor);
            return Shape::Discrete { values: if values.is_empty() { held(0) } else { values } };
        }
        if tally.values.is_empty() {
            return Shape::Discrete { values: Vec::new() };
        }
        let kept: Vec<usize> = (0..tally.values.len()).filter(|&i| tally.held[i] >= floor).collect();
        let rows_kept: usize = kept.iter().map(|&i| tally.counts[i]).sum();
        let few = tally.values.len() <= 20 && rows_kept as f64 >= 0.8 * tally.rows as f64;
        if few && !kept.is_empty() {
            return Shape::Discrete { values: kept.iter().map(|&i| tally.values[i]).collect() };
        }
        if !kept.is_empty() && rows_kept as f64 >= 0.98 * tally.rows as f64 && discrete(&tally, &kept, grid, order) {
            let list = kept.iter().map(|&i| tally.values[i]).collect();
            // Values of too few rows are often a long tail, which must not be lost: they are blurred, the others listed.
            let whole = kept.len() <= 100 || rows_kept as f64 >= 0.9995 * tally.rows as f64;
            return if whole { Shape::Discrete { values: list } } else { continuous(&tally, floor, list) };
        }
        let atoms =
            (0..tally.values.len()).filter(|&i| stands_out(&tally, i, floor, grid)).map(|i| tally.values[i]).collect();
        continuous(&tally, floor, atoms)
    }

    /// The shape of values that are never to be listed.
    pub(crate) fn continuum(values: &[f64], floor: usize) -> Shape {
        let tally = Tally::of(values);
        if tally.values.is_empty() {
            Shape::Discrete { values: Vec::new() }
        } else {
            continuous(&tally, floor, Vec::new())
        }
    }

    /// Number of classes, missing included.
    pub(crate) fn classes(&self) -> usize {
        1 + match self {
            Shape::Discrete { values } => values.len(),
            Shape::Continuous { tops, .. } => tops.len(),
        }
    }

    /// The class of a value.
    pub(crate) fn class(&self, value: f64) -> Class {
        if value.is_nan() {
            return 0;
        }
        match self {
            Shape::Discrete { values } => match values.binary_search_by(|v| v.total_cmp(&value)) {
                Ok(at) => at as Class + 1,
                Err(_) => LEFT_OUT,
            },
            Shape::Continuous { tops, .. } => tops.partition_point(|top| *top < value).min(tops.len() - 1) as Class + 1,
        }
    }

    /// Whether the value is one of the few that stand out and are shown as they are.
    pub(crate) fn atom(&self, value: f64) -> bool {
        matches!(self, Shape::Continuous { atoms, .. } if atoms.binary_search_by(|a| a.total_cmp(&value)).is_ok())
    }
}

/// Few values, or values that are sparse on their grid, are a list; many dense ones are a continuum, unless they are
/// well filled and nothing tells them by a line.
fn discrete(tally: &Tally, kept: &[usize], grid: bool, order: Order) -> bool {
    let distinct = kept.len();
    if distinct <= 100 {
        return true;
    }
    let span = tally.at_rank(tally.rows * 99 / 100) - tally.at_rank(tally.rows / 100);
    let sparse = !grid || span > 8.0 * distinct as f64;
    distinct <= 6000 && (sparse || order == Order::Alone) && tally.rows > 30 * distinct
}

fn continuous(tally: &Tally, floor: usize, atoms: Vec<f64>) -> Shape {
    let share = (tally.rows / 20).clamp(4, GROUPS_MAX);
    let size = tally.rows as f64 / share as f64;
    let mut tops = Vec::new();
    let (mut group, mut last) = (0.0, f64::NAN);
    for (value, &count) in tally.values.iter().zip(&tally.counts) {
        let own = count as f64 >= 0.6 * size;
        if group > 0.0 && (own || group + count as f64 / 2.0 > size) {
            tops.push(last);
            group = 0.0;
        }
        group += count as f64;
        last = *value;
        if own {
            tops.push(last);
            group = 0.0;
        }
    }
    if group > 0.0 || tops.is_empty() {
        tops.push(last);
    }
    let (low, high) = tally.bounds(floor);
    Shape::Continuous { tops, atoms, low, high }
}

/// Whether a value is held by many more rows than the values around it.
fn stands_out(tally: &Tally, at: usize, floor: usize, grid: bool) -> bool {
    const AROUND: usize = 12;
    let count = tally.counts[at];
    if count < floor.max(tally.rows / 1000) {
        return false;
    }
    let (from, to) = (at.saturating_sub(AROUND), (at + AROUND).min(tally.values.len() - 1));
    let others: usize = (from..=to).filter(|&i| i != at).map(|i| tally.counts[i]).sum();
    let span = tally.values[to] - tally.values[from];
    let places = if grid { span.max((to - from) as f64) } else { (to - from) as f64 };
    places < 1.0 || count as f64 > 6.0 * others as f64 / places
}

/// How values become codes that a tree can ask about; code 0 is missing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Binning {
    /// Code `i + 1` ends at `tops[i]`; the last has no end.
    Ordered { tops: Vec<f64> },
    /// The code of each category number; those past the table share code 255.
    Nominal { codes: Vec<u8> },
}

impl Binning {
    /// A binning of these values into at most 255 codes.
    pub(crate) fn of(values: &[f64], nominal: bool) -> Binning {
        let tally = Tally::of(values);
        if nominal {
            let count = tally.values.last().map_or(0, |v| *v as usize + 1);
            return Binning::Nominal { codes: (0..count).map(|i| (i + 1).min(255) as u8).collect() };
        }
        let distinct = tally.values.len();
        if distinct <= 255 {
            let middle = |pair: &[f64]| pair[0] + (pair[1] - pair[0]) / 2.0;
            return Binning::Ordered { tops: tally.values.windows(2).map(middle).collect() };
        }
        let mut tops: Vec<f64> = (1..254).map(|i| tally.at_rank(i * tally.rows / 254)).collect();
        tops.dedup();
        Binning::Ordered { tops }
    }

    /// The code of a value.
    pub(crate) fn code(&self, value: f64) -> u8 {
        if value.is_nan() {
            return 0;
        }
        match self {
            Binning::Ordered { tops } => tops.partition_point(|top| *top < value) as u8 + 1,
            Binning::Nominal { codes } => codes.get(value as usize).copied().unwrap_or(255),
        }
    }
}
