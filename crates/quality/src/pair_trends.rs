//! Pair trends: do two columns hang together as in the training table? In: a case. Out: a score per pair of columns and
//! their mean.

use std::collections::BTreeSet;

use rayon::prelude::*;

use crate::case::{Case, Side};
use crate::contingency::{Coded, compare};
use crate::encode::Cells;
use crate::metric::{Aspect, Metric, Outcome, Score, number};
use crate::random::Random;
use crate::statistic::{GROUPS, group, jackknife, mean};

/// Most pairs of columns that are measured; of more, so many are drawn.
pub(crate) const PAIRS_MAX: usize = 5_000;
/// Most columns of the heat maps; all their pairs are measured besides.
pub(crate) const SHOWN_COLUMNS_MAX: usize = 40;
/// Numbers count from this correlation on.
const CORRELATION_MIN: f64 = 0.5;
/// Other pairs count from this Cramer's V on.
const ASSOCIATION_MIN: f64 = 0.3;
/// From this difference on, the reader is told that outliers have moved the bins.
const OUTLIERS_SHOW: f64 = 0.01;
/// Most pairs that the interval is reckoned from; of more, every so many-th.
const PAIRS_INTERVAL_MAX: usize = 200;
/// Bins of a number that meets a category.
const BINS: usize = 10;

/// The metric.
pub(crate) static METRIC: Metric = Metric {
    name: "pair_trends",
    title: "Pair trends",
    bands: [0.95, 0.85],
    aspect: Aspect::Fidelity,
    about: "How alike columns hang together in pairs: for numbers and times 1 - half the difference of the two \
            correlations (Pearson), for other pairs 1 - half the summed differences of the joint shares, numbers \
            in ten bins of equal width; mean over the pairs that are associated in the training table (correlation \
            above 0.5, Cramer's V above 0.3), on at most 20,000 rows a side. Interval: jackknife over twenty groups \
            of rows.",
    source: "SDMetrics: CorrelationSimilarity and ContingencySimilarity as its QualityReport takes them, which bins \
             each table over its own range, so that a single outlier moves the score; the figure training_bins has \
             both tables in the training table's bins. A column that is constant in the synthetic table alone \
             counts as uncorrelated here, where SDMetrics leaves its pairs out; of more than 5,000 pairs, 5,000 are \
             drawn.",
    score,
};

/// What two columns have in common.
pub(crate) struct Pair {
    /// Positions of the columns, the first being the smaller.
    pub(crate) columns: [usize; 2],
    /// Whether the association is a correlation; else it is Cramer's V.
    pub(crate) correlation: bool,
    /// The association in the training table.
    pub(crate) training: Option<f64>,
    /// The association in the synthetic table.
    pub(crate) synthetic: Option<f64>,
    /// 1 where both tables agree.
    pub(crate) similarity: Option<f64>,
    /// The same with numbers in the training table's bins in both tables.
    pub(crate) steady: Option<f64>,
    /// Whether the pair is associated strongly enough to count.
    pub(crate) counted: bool,
    /// Whether it was measured for the mean, not only for the heat maps.
    pub(crate) drawn: bool,
}

/// All pairs that were measured.
pub(crate) struct Pairs {
    /// In ascending order of their columns.
    pub(crate) list: Vec<Pair>,
    /// How many pairs there are.
    pub(crate) total: usize,
    /// The columns of the heat maps.
    pub(crate) shown: Vec<usize>,
}

fn score(case: &Case) -> Outcome {
    if case.synthetic.rows == 0 {
        return Outcome::undefined("the synthetic table has no rows");
    }
    let pairs = case.pairs();
    let drawn = || pairs.list.iter().filter(|pair| pair.drawn);
    let all: Vec<f64> = drawn().filter_map(|pair| pair.similarity).collect();
    let counted: Vec<f64> = drawn().filter(|pair| pair.counted).filter_map(|pair| pair.similarity).collect();
    let steady: Vec<f64> = drawn().filter(|pair| pair.counted).filter_map(|pair| pair.steady).collect();
    let steady = mean(&steady);
    let figure = |score: Option<f64>| score.map_or(serde_json::Value::Null, number);
    let figures = vec![
        ("pairs", pairs.total.into()),
        ("pairs_measured", all.len().into()),
        ("pairs_associated", counted.len().into()),
        ("all_pairs", figure(mean(&all))),
        ("training_bins", figure(steady)),
    ];
    let Some(mean) = mean(&counted) else {
        return Outcome { figures, ..Outcome::undefined("no pair of columns is associated in the training table") };
    };
    let mut worst: Vec<&Pair> = drawn().filter(|pair| pair.counted && pair.similarity.is_some()).collect();
    worst.sort_by(|a, b| a.similarity.unwrap_or(1.0).total_cmp(&b.similarity.unwrap_or(1.0)));
    let mut sentence = worst.first().map_or(String::new(), |pair| {
        let [a, b] = pair.columns.map(|index| case.columns[index].name.as_str());
        let lowest = pair.similarity.unwrap_or(1.0);
        format!("Of {} associated pairs, {a} with {b} agree least, with {lowest:.3}.", counted.len())
    });
    if let Some(steady) = steady.filter(|steady| (steady - mean).abs() > OUTLIERS_SHOW) {
        sentence +=
            &format!(" Outliers move the bins: with the training table's bins in both, the mean is {steady:.3}.");
    }
    let counted: Vec<[usize; 2]> = drawn().filter(|pair| pair.counted).map(|pair| pair.columns).collect();
    let some: Vec<[usize; 2]> =
        counted.iter().copied().step_by(counted.len().div_ceil(PAIRS_INTERVAL_MAX).max(1)).collect();
    let without: Vec<Option<f64>> =
        (0..GROUPS).map(|left_out| mean_of(case, &case.synthetic, &some, Some(left_out))).collect();
    Outcome::new(Score::bounded(mean), figures, sentence)
        .below(case.ceiling(|holdout| mean_of(case, holdout, &counted, None)))
        .give_or_take(jackknife(&without))
}

/// The mean similarity of these pairs in another table, without the rows of one group.
fn mean_of(case: &Case, side: &Side, pairs: &[[usize; 2]], left_out: Option<usize>) -> Option<f64> {
    let used: BTreeSet<usize> = pairs.iter().flatten().copied().collect();
    let rows = |side: &Side| -> Vec<u32> {
        (0..side.sampled).filter(|&row| Some(group(row)) != left_out).map(|row| row as u32).collect()
    };
    let (of_training, of_side) = (rows(&case.training), rows(side));
    let cells: Vec<Option<[Cells; 2]>> = (0..case.columns.len())
        .into_par_iter()
        .map(|index| {
            let both = || [case.training.sample[index].take(&of_training), side.sample[index].take(&of_side)];
            used.contains(&index).then(both)
        })
        .collect();
    let prepared: Vec<Option<[Prepared<'_>; 2]>> = cells
        .par_iter()
        .enumerate()
        .map(|(index, cells)| {
            let levels = case.columns[index].levels.len();
            cells.as_ref().map(|cells| cells.each_ref().map(|of| Prepared::of(of, levels, &cells[0])))
        })
        .collect();
    let similarities: Vec<Option<f64>> =
        pairs.par_iter().map(|&[a, b]| measure(prepared[a].as_ref()?, prepared[b].as_ref()?).similarity).collect();
    mean(&similarities.into_iter().flatten().collect::<Vec<_>>())
}

/// Measures all pairs of columns, or as many as are drawn.
pub(crate) fn pairs(case: &Case) -> Pairs {
    let compared = case.compared();
    let shown = shown(case, &compared);
    let total = compared.len() * compared.len().saturating_sub(1) / 2;
    let drawn = draw(&compared, total, case.seed);
    let mut wanted: BTreeSet<[usize; 2]> = drawn.iter().copied().collect();
    for (at, &a) in shown.iter().enumerate() {
        wanted.extend(shown[at + 1..].iter().map(|&b| [a, b]));
    }
    let prepared: Vec<[Prepared<'_>; 2]> = (0..case.columns.len())
        .into_par_iter()
        .map(|index| {
            let levels = case.columns[index].levels.len();
            let training = &case.training.sample[index];
            [training, &case.synthetic.sample[index]].map(|cells| Prepared::of(cells, levels, training))
        })
        .collect();
    let wanted: Vec<[usize; 2]> = wanted.into_iter().collect();
    let list = wanted.into_par_iter().map(|columns| {
        let [a, b] = columns.map(|index| &prepared[index]);
        Pair { columns, drawn: drawn.contains(&columns), ..measure(a, b) }
    });
    Pairs { list: list.collect(), total, shown }
}

/// The columns of the heat maps: all, or those whose shapes agree least, in table order.
fn shown(case: &Case, compared: &[usize]) -> Vec<usize> {
    let mut shown = compared.to_vec();
    shown.sort_by(|&a, &b| {
        let of = |index: usize| case.shapes()[index].value().unwrap_or(1.0);
        of(a).total_cmp(&of(b)).then(a.cmp(&b))
    });
    shown.truncate(SHOWN_COLUMNS_MAX);
    shown.sort_unstable();
    shown
}

fn draw(compared: &[usize], total: usize, seed: u64) -> BTreeSet<[usize; 2]> {
    let mut drawn = BTreeSet::new();
    if total <= PAIRS_MAX {
        for (at, &a) in compared.iter().enumerate() {
            drawn.extend(compared[at + 1..].iter().map(|&b| [a, b]));
        }
        return drawn;
    }
    let mut random = Random::new(seed ^ 0x7061_6972_7300);
    while drawn.len() < PAIRS_MAX {
        let (a, b) = (compared[random.below(compared.len())], compared[random.below(compared.len())]);
        if a != b {
            drawn.insert([a.min(b), a.max(b)]);
        }
    }
    drawn
}

/// A column of one table, ready for pairs.
enum Prepared<'a> {
    Numbers {
        /// Centred and scaled; NaN where missing.
        scaled: Vec<f64>,
        /// Bins over the table's own range.
        bins: Vec<u32>,
        /// Bins over the training table's range.
        steady: Vec<u32>,
        /// Whether there is but one value.
        constant: bool,
    },
    Codes {
        codes: &'a [u32],
        levels: usize,
    },
}

impl<'a> Prepared<'a> {
    fn of(cells: &'a Cells, levels: usize, training: &Cells) -> Prepared<'a> {
        match cells {
            Cells::Codes(codes) => Prepared::Codes { codes, levels: levels + 1 },
            Cells::Numbers(values) => {
                let (low, high) = range(cells);
                // Halved first: the width of all doubles is no double.
                let width = if high > low { high / 2.0 - low / 2.0 } else { 1.0 };
                let unit = |value: f64| (value / 2.0 - low / 2.0) / width;
                let scaled: Vec<f64> = values.iter().map(|&value| unit(value) - 0.5).collect();
                let centre =
                    mean(&scaled.iter().copied().filter(|value| !value.is_nan()).collect::<Vec<_>>()).unwrap_or(0.0);
                Prepared::Numbers {
                    scaled: scaled.into_iter().map(|value| value - centre).collect(),
                    bins: bins(values, (low, high)),
                    steady: bins(values, range(training)),
                    constant: high <= low,
                }
            }
        }
    }

    fn coded(&self, by_training: bool) -> Coded<'_> {
        match self {
            Prepared::Numbers { steady, .. } if by_training => Coded { codes: steady, levels: BINS + 2 },
            Prepared::Numbers { bins, .. } => Coded { codes: bins, levels: BINS + 2 },
            Prepared::Codes { codes, levels } => Coded { codes, levels: *levels },
        }
    }
}

/// The least and the greatest number; the wrong way round where there is none.
fn range(cells: &Cells) -> (f64, f64) {
    let Cells::Numbers(values) = cells else { return (0.0, 0.0) };
    let present = values.iter().copied().filter(|value| !value.is_nan());
    present.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
}

/// Ten bins of equal width over a range, 1 to 10, and 0 below it; its greatest value, what lies above and missing
/// values are in an eleventh, as `numpy.digitize` and thus SDMetrics have it.
fn bins(values: &[f64], (low, high): (f64, f64)) -> Vec<u32> {
    let (low, high) = if high > low { (low, high) } else { (low - 0.5, low + 0.5) };
    let step = high / BINS as f64 - low / BINS as f64;
    let edges: [f64; BINS + 1] = std::array::from_fn(|at| if at == BINS { high } else { at as f64 * step + low });
    let bin = |value: f64| if value.is_nan() { BINS + 1 } else { edges.partition_point(|&edge| edge <= value) };
    values.iter().map(|&value| bin(value) as u32).collect()
}

fn measure(a: &[Prepared<'_>; 2], b: &[Prepared<'_>; 2]) -> Pair {
    let mut pair = Pair {
        columns: [0, 0],
        correlation: false,
        training: None,
        synthetic: None,
        similarity: None,
        steady: None,
        counted: false,
        drawn: false,
    };
    if let (Some(training), Some(synthetic)) = (correlation(&a[0], &b[0]), correlation(&a[1], &b[1])) {
        pair.correlation = true;
        pair.training = training;
        pair.synthetic = synthetic;
        pair.similarity = training.map(|training| 1.0 - (training - synthetic.unwrap_or(0.0)).abs() / 2.0);
        pair.steady = pair.similarity;
        pair.counted = training.is_some_and(|training| training.abs() > CORRELATION_MIN);
        return pair;
    }
    let by = |bins: bool| compare([a[0].coded(bins), b[0].coded(bins)], [a[1].coded(bins), b[1].coded(bins)]);
    if let Some(compared) = by(false) {
        pair.training = compared.first;
        pair.synthetic = compared.second;
        pair.similarity = Some(compared.similarity);
        pair.counted = compared.first.is_some_and(|association| association > ASSOCIATION_MIN);
        if pair.counted {
            pair.steady = by(true).map(|compared| compared.similarity);
        }
    }
    pair
}

/// Pearson's correlation over the rows that have both; the inner `None` where either does not vary, the outer where
/// either is no number.
fn correlation(a: &Prepared<'_>, b: &Prepared<'_>) -> Option<Option<f64>> {
    let (
        Prepared::Numbers { scaled: a, constant: a_constant, .. },
        Prepared::Numbers { scaled: b, constant: b_constant, .. },
    ) = (a, b)
    else {
        return None;
    };
    if *a_constant || *b_constant {
        return Some(None);
    }
    let (mut rows, mut sums) = (0.0, [0.0; 5]);
    for (&x, &y) in a.iter().zip(b) {
        // NaN in either makes the product NaN.
        if !(x * y).is_nan() {
            rows += 1.0;
            sums[0] += x;
            sums[1] += y;
            sums[2] += x * x;
            sums[3] += y * y;
            sums[4] += x * y;
        }
    }
    let [x, y, xx, yy, xy] = sums;
    let (across, along) = (xy - x * y / rows, (xx - x * x / rows) * (yy - y * y / rows));
    let r = across / along.sqrt();
    Some(r.is_finite().then(|| r.clamp(-1.0, 1.0)))
}
