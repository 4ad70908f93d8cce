//! The best split of a leaf. In: derivatives summed by feature and bin. Out: a feature and the set of bins that go
//! left.

use crate::bins::{Binned, Feature};

/// Fewest rows of a leaf.
const LEAF_ROWS_MIN: f64 = 20.0;
/// Smallest sum of second derivatives of a leaf.
const LEAF_CURVE_MIN: f64 = 1e-3;
/// Up to this many categories are split one against the rest.
const ONE_AGAINST_REST_MAX: usize = 4;
/// Most categories that go to one side.
const CATEGORIES_MAX: usize = 32;
/// Fewest rows per step when categories are added to a side.
const CATEGORY_ROWS_MIN: f64 = 100.0;
/// Damps the order of categories, and the values of leaves that come of them.
const CATEGORY_DAMPING: f64 = 10.0;

/// First and second derivatives, summed.
#[derive(Clone, Copy, Default)]
pub(crate) struct Sums {
    slope: f64,
    curve: f64,
}

impl Sums {
    /// With one row more.
    pub(crate) fn with(self, [slope, curve]: [f64; 2]) -> Sums {
        Sums { slope: self.slope + slope, curve: self.curve + curve }
    }

    fn less(self, other: Sums) -> Sums {
        Sums { slope: self.slope - other.slope, curve: self.curve - other.curve }
    }

    /// The step that lowers the loss most.
    pub(crate) fn output(self, damping: f64) -> f64 {
        let curve = self.curve + damping;
        if curve > 0.0 { -self.slope / curve } else { 0.0 }
    }

    fn gain(self, damping: f64) -> f64 {
        let curve = self.curve + damping;
        if curve > 0.0 { self.slope * self.slope / curve } else { 0.0 }
    }
}

/// Derivatives by feature and bin.
pub(crate) struct Histogram {
    cells: Vec<[f64; 2]>,
}

impl Histogram {
    pub(crate) fn new(cells: usize) -> Histogram {
        Histogram { cells: vec![[0.0; 2]; cells] }
    }

    pub(crate) fn clear(&mut self) {
        self.cells.fill([0.0; 2]);
    }

    /// Adds the rows' derivatives to the cells of a feature, which begin at `offset`.
    pub(crate) fn add(&mut self, offset: usize, feature: &Feature, rows: &[(u32, [f64; 2])]) {
        let cells = &mut self.cells[offset..offset + feature.count];
        for &(row, [slope, curve]) in rows {
            let cell = &mut cells[feature.bins[row as usize] as usize];
            cell[0] += slope;
            cell[1] += curve;
        }
    }

    pub(crate) fn subtract(&mut self, other: &Histogram) {
        for (cell, other) in self.cells.iter_mut().zip(&other.cells) {
            cell[0] -= other[0];
            cell[1] -= other[1];
        }
    }
}

/// A split.
#[derive(Clone, Copy)]
pub(crate) struct Split {
    /// How much it lowers the loss.
    pub(crate) gain: f64,
    /// The feature that is asked.
    pub(crate) feature: usize,
    /// The bins that go left.
    pub(crate) set: [u64; 4],
    /// What the leaves' values are damped by.
    pub(crate) damping: f64,
    /// Sums of the left leaf.
    pub(crate) left: Sums,
    /// Sums of the right leaf.
    pub(crate) right: Sums,
}

/// The best split of a leaf of `rows` rows with these sums, if any is allowed and gains.
pub(crate) fn best(
    binned: &Binned,
    offsets: &[usize],
    histogram: &Histogram,
    sums: Sums,
    rows: usize,
) -> Option<Split> {
    if (rows as f64) < 2.0 * LEAF_ROWS_MIN {
        return None;
    }
    let mut search = Search {
        sums,
        rows_per_curve: rows as f64 / sums.curve.max(f64::MIN_POSITIVE),
        floor: sums.gain(0.0),
        best: None,
    };
    for (index, feature) in binned.features.iter().enumerate() {
        let cells = &histogram.cells[offsets[index]..offsets[index + 1]];
        if !feature.categorical {
            search.numbers(index, cells);
        } else if feature.count <= ONE_AGAINST_REST_MAX + 1 {
            search.one_against_rest(index, cells);
        } else {
            search.many_against_many(index, cells);
        }
    }
    search.best
}

struct Search {
    sums: Sums,
    /// Turns a sum of second derivatives into a number of rows, near enough.
    rows_per_curve: f64,
    /// The gain of no split.
    floor: f64,
    best: Option<Split>,
}

impl Search {
    fn rows(&self, sums: Sums) -> f64 {
        (sums.curve * self.rows_per_curve).round()
    }

    fn too_small(&self, sums: Sums) -> bool {
        sums.curve < LEAF_CURVE_MIN || self.rows(sums) < LEAF_ROWS_MIN
    }

    fn offer(&mut self, feature: usize, left: Sums, damping: f64, set: impl FnOnce() -> [u64; 4]) {
        let right = self.sums.less(left);
        let gain = left.gain(damping) + right.gain(damping) - self.floor;
        if gain > 1e-10 && self.best.as_ref().is_none_or(|best| gain > best.gain) {
            self.best = Some(Split { gain, feature, set: set(), damping, left, right });
        }
    }

    /// Thresholds, with missing values on either side.
    fn numbers(&mut self, feature: usize, cells: &[[f64; 2]]) {
        let missing = Sums::default().with(cells[0]);
        let some_missing = self.rows(missing) > 0.0;
        for missing_left in [false, true] {
            if missing_left && !some_missing {
                break;
            }
            let mut left = if missing_left { missing } else { Sums::default() };
            let last = if some_missing && !missing_left { cells.len() } else { cells.len() - 1 };
            for (bin, &cell) in cells.iter().enumerate().take(last).skip(1) {
                left = left.with(cell);
                if self.too_small(left) {
                    continue;
                }
                if self.too_small(self.sums.less(left)) {
                    break;
                }
                self.offer(feature, left, 0.0, || up_to(bin, missing_left));
            }
        }
    }

    fn one_against_rest(&mut self, feature: usize, cells: &[[f64; 2]]) {
        for (bin, &cell) in cells.iter().enumerate().skip(1) {
            let left = Sums::default().with(cell);
            if !self.too_small(left) && !self.too_small(self.sums.less(left)) {
                self.offer(feature, left, 0.0, || set_of(&[bin as u8]));
            }
        }
    }

    /// Categories in the order of their damped outputs, taken from either end (Fisher, "On grouping for maximum
    /// homogeneity", 1958).
    fn many_against_many(&mut self, feature: usize, cells: &[[f64; 2]]) {
        let mut order: Vec<(f64, u8)> = Vec::with_capacity(cells.len());
        for (bin, &[slope, curve]) in cells.iter().enumerate().skip(1) {
            if self.rows(Sums { slope, curve }) >= CATEGORY_DAMPING {
                order.push((slope / (curve + CATEGORY_DAMPING), bin as u8));
            }
        }
        order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let order: Vec<u8> = order.into_iter().map(|(_, bin)| bin).collect();
        let most = CATEGORIES_MAX.min(order.len().div_ceil(2));
        for backward in [false, true] {
            let (mut left, mut group) = (Sums::default(), 0.0);
            for step in 0..most {
                let at = if backward { order.len() - 1 - step } else { step };
                let cell = cells[order[at] as usize];
                left = left.with(cell);
                group += self.rows(Sums::default().with(cell));
                if self.too_small(left) {
                    continue;
                }
                let right = self.sums.less(left);
                if self.too_small(right) || self.rows(right) < CATEGORY_ROWS_MIN {
                    break;
                }
                if group < CATEGORY_ROWS_MIN {
                    continue;
                }
                group = 0.0;
                let taken = if backward { &order[at..] } else { &order[..=at] };
                self.offer(feature, left, CATEGORY_DAMPING, || set_of(taken));
            }
        }
    }
}

fn set_of(bins: &[u8]) -> [u64; 4] {
    let mut set = [0; 4];
    for &bin in bins {
        set[bin as usize >> 6] |= 1 << (bin & 63);
    }
    set
}

fn up_to(bin: usize, missing_left: bool) -> [u64; 4] {
    let mut set = [0; 4];
    for bin in usize::from(!missing_left)..=bin {
        set[bin >> 6] |= 1 << (bin & 63);
    }
    set
}
