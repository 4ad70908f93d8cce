//! Tables as small whole numbers, as boosted trees read them. In: columns and samples of one or more tables, one below
//! the other. Out: one byte a cell. Bin 0 stands for missing and for categories too rare to tell apart.

use rayon::prelude::*;

use crate::case::Case;
use crate::encode::{Cells, Role};

/// Most bins of a feature beside bin 0.
const BINS_MAX: usize = 254;
/// Most bins of a feature in tables of more than [`WIDE`] features.
const BINS_WIDE_MAX: usize = 62;
/// From this many features on, rows and bins are traded for time.
const WIDE: usize = 40;
/// Fewest values in a bin.
const BIN_VALUES_MIN: usize = 3;
/// Categories beyond this share of the cells are told apart no more.
const CATEGORY_SHARE: f64 = 0.99;

const SECOND: f64 = 1e6;
const DAY_SECONDS: f64 = 86_400.0;

/// Features by rows of bins.
pub(crate) struct Binned {
    /// The features.
    pub(crate) features: Vec<Feature>,
    /// Rows of each.
    pub(crate) rows: usize,
}

/// One feature.
pub(crate) struct Feature {
    /// One bin a row.
    pub(crate) bins: Vec<u8>,
    /// How many bins there are, bin 0 included.
    pub(crate) count: usize,
    /// Whether the bins have no order.
    pub(crate) categorical: bool,
}

/// The most rows a side for a table of this many features: 10,000 up to 40 features, fewer beyond.
pub(crate) fn rows_within(rows_max: usize, features: usize) -> usize {
    if features <= WIDE { rows_max } else { (rows_max * WIDE / features).max(1_000) }
}

/// Bins the compared columns but `left_out` over the first `rows[i]` rows of `sides[i]`, one side below the other. A
/// time column gives four features: the time, its weekday, hour and minute.
pub(crate) fn bin(case: &Case, sides: &[&[Cells]], rows: &[usize], left_out: Option<usize>) -> Binned {
    let compared: Vec<usize> = case.compared().into_iter().filter(|&index| Some(index) != left_out).collect();
    let bins_max = if compared.len() > WIDE { BINS_WIDE_MAX } else { BINS_MAX };
    let features = compared.into_par_iter().flat_map_iter(|index| {
        let parts: Vec<(&Cells, usize)> = sides.iter().zip(rows).map(|(side, &rows)| (&side[index], rows)).collect();
        match case.columns[index].role {
            Role::Category | Role::Id => vec![categories(&parts, bins_max)],
            Role::Number => vec![numbers(&join(&parts), bins_max)],
            Role::Time => times(&join(&parts), bins_max),
        }
    });
    Binned { features: features.collect(), rows: rows.iter().sum() }
}

fn join(parts: &[(&Cells, usize)]) -> Vec<f64> {
    let mut joined = Vec::new();
    for (cells, rows) in parts {
        match cells {
            Cells::Numbers(values) => joined.extend_from_slice(&values[..*rows]),
            Cells::Codes(codes) => joined.extend(codes[..*rows].iter().map(|&code| code as f64)),
        }
    }
    joined
}

fn times(values: &[f64], bins_max: usize) -> Vec<Feature> {
    let seconds = |value: f64| (value / SECOND).floor();
    let parts: [fn(f64) -> f64; 3] = [
        |seconds| (seconds / DAY_SECONDS).floor().rem_euclid(7.0),
        |seconds| (seconds.rem_euclid(DAY_SECONDS) / 3600.0).floor(),
        |seconds| (seconds.rem_euclid(3600.0) / 60.0).floor(),
    ];
    let mut features = vec![numbers(values, bins_max)];
    for part in parts {
        let of_part: Vec<f64> = values.iter().map(|&value| part(seconds(value))).collect();
        let feature = numbers(&of_part, bins_max);
        if feature.count > 2 {
            features.push(feature);
        }
    }
    features
}

/// Bins of about equal counts; a value that fills a bin of its own has one.
fn numbers(values: &[f64], bins_max: usize) -> Feature {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let tops = tops(&sorted, bins_max);
    let bin = |value: f64| if value.is_nan() { 0 } else { 1 + tops.partition_point(|&top| top < value) as u8 };
    Feature { bins: values.iter().map(|&value| bin(value)).collect(), count: tops.len() + 2, categorical: false }
}

/// The largest value of each bin but the last.
fn tops(sorted: &[f64], bins_max: usize) -> Vec<f64> {
    let mut runs: Vec<(f64, usize)> = Vec::new();
    for &value in sorted {
        match runs.last_mut() {
            Some((last, count)) if *last == value => *count += 1,
            _ => runs.push((value, 1)),
        }
    }
    let mut tops = Vec::new();
    let (mut left, mut filled) = (sorted.len(), 0);
    let few = runs.len() <= bins_max;
    for (at, &(value, count)) in runs.iter().enumerate() {
        filled += count;
        let bins_left = bins_max.saturating_sub(tops.len()).max(1);
        let wanted = if few { BIN_VALUES_MIN } else { (left / bins_left).max(BIN_VALUES_MIN) };
        let next_heavy =
            runs.get(at + 1).is_some_and(|&(_, next)| next >= wanted && filled >= BIN_VALUES_MIN.max(wanted / 2));
        if filled >= wanted || next_heavy {
            left -= filled;
            filled = 0;
            if at + 1 < runs.len() && tops.len() + 1 < bins_max {
                tops.push(value);
            }
        }
    }
    tops
}

/// A bin for each of the commonest categories.
fn categories(parts: &[(&Cells, usize)], bins_max: usize) -> Feature {
    let mut codes: Vec<u32> = Vec::new();
    for (cells, rows) in parts {
        match cells {
            Cells::Codes(of_part) => codes.extend_from_slice(&of_part[..*rows]),
            Cells::Numbers(_) => codes.extend(std::iter::repeat_n(0, *rows)),
        }
    }
    let mut counts = vec![0usize; codes.iter().max().map_or(0, |&code| code as usize) + 1];
    for &code in &codes {
        counts[code as usize] += 1;
    }
    let mut order: Vec<u32> = (1..counts.len() as u32).filter(|&code| counts[code as usize] > 0).collect();
    order.sort_by_key(|&code| (std::cmp::Reverse(counts[code as usize]), code));
    let cells: usize = order.iter().map(|&code| counts[code as usize]).sum();
    let mut bin_of = vec![0u8; counts.len()];
    let (mut used, mut covered) = (0, 0);
    for &code in &order {
        if used == bins_max || (used > 1 && covered as f64 > CATEGORY_SHARE * cells as f64) {
            break;
        }
        used += 1;
        covered += counts[code as usize];
        bin_of[code as usize] = used as u8;
    }
    Feature { bins: codes.iter().map(|&code| bin_of[code as usize]).collect(), count: used + 1, categorical: true }
}
