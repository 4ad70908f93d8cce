//! Privacy filters: training rows come in and are forgotten; whether a drawn row looks like an outlier, or is nearly a copy,
//! goes out. Rows are seen as codes of their columns, so numbers of one quantile group count as equal.

use table::{Kept, kept};

use crate::fit::Settings;
use crate::model::Note;
use crate::random::mix;
use crate::sieve::Sieve;

/// How strict a filter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strictness {
    /// Nothing is filtered.
    Off,
    /// Outliers: as medium. Similarity: copies beyond as many as fresh rows would show.
    Auto,
    /// Outliers: rarer than 999 in 1,000 training rows. Similarity: equal to a training row.
    Medium,
    /// Outliers: rarer than 99 in 100 training rows. Similarity: also equal but for one column.
    High,
}

/// What protects the training rows, a sentence each, with the parameter that switches it.
pub(crate) fn protections(settings: &Settings) -> Vec<Note> {
    let &Settings { floor, leaf, outliers, similarity, .. } = settings;
    let leaf = match leaf {
        Some(rows) => format!("Every leaf of a tree describes at least {rows} rows (`params.rows_per_leaf_min`)."),
        None => "Every leaf of a tree describes at least 15 to 85 rows, the more the more there are to learn from and the more \
                 values a column has (`params.rows_per_leaf_min`)."
            .to_string(),
    };
    let values = match floor {
        1 => "Values are shown however few rows hold them (`params.rows_per_value_min` is 1).".to_string(),
        _ => format!(
            "Categories and texts that fewer than {floor} rows hold are not shown, numbers that so few hold are drawn from a \
             smoothed density, and extremes are drawn in to the mean of {floor} (`params.rows_per_value_min`)."
        ),
    };
    let outliers = match outliers {
        Strictness::Off => "Rows that look like outliers may leave (`privacy_filters.outliers` is null).",
        Strictness::Auto => {
            "Rows rarer than 999 in 1,000 training rows are drawn anew (`privacy_filters.outliers` is auto)."
        }
        Strictness::Medium => {
            "Rows rarer than 999 in 1,000 training rows are drawn anew (`privacy_filters.outliers` is medium)."
        }
        Strictness::High => {
            "Rows rarer than 99 in 100 training rows are drawn anew (`privacy_filters.outliers` is high)."
        }
    };
    let similarity = match similarity {
        Strictness::Off => "Rows may be equal to a training row (`privacy_filters.similarity` is null).".to_string(),
        Strictness::Auto => format!(
            "Rows equal to a training row that fewer than {floor} rows share are drawn anew, but for as many as fresh rows \
             would show by chance (`privacy_filters.similarity` is auto)."
        ),
        Strictness::Medium => format!(
            "Rows equal to a training row that fewer than {floor} rows share are drawn anew (`privacy_filters.similarity` is \
             medium)."
        ),
        Strictness::High => format!(
            "Rows equal to a training row, or to all of one but one column, numbers seen as one of 255 groups, are drawn anew \
             unless {floor} training rows are so (`privacy_filters.similarity` is high)."
        ),
    };
    [values, leaf, outliers.to_string(), similarity].map(|text| Note { kind: "protection", text }).into()
}

/// Training rows that must not be drawn.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Copies {
    /// Those that fewer rows than the floor are equal to.
    pub(crate) sieve: Sieve,
    /// The share of drawn copies that may leave, because fresh rows would show as many.
    pub(crate) kept: f64,
}

impl Copies {
    /// None at all.
    pub(crate) fn none() -> Copies {
        Copies { sieve: Sieve::new(0, 0), kept: 0.0 }
    }
}

kept!(struct Copies { sieve, kept });

/// What drawn rows are held against.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Filters {
    /// How surprising each code of each output is, in nats, and the highest sum of a row that may leave.
    pub(crate) rarity: Option<(Vec<Vec<f64>>, f64)>,
    /// Training rows with one column left out.
    pub(crate) near: Option<Sieve>,
}

impl Filters {
    /// Learns from training rows: `codes` has one list per output, empty for outputs that do not count. A row that at
    /// least `floor` rows are equal to, but for one column, is no copy of any.
    pub(crate) fn learn(
        codes: &[&[u8]],
        outliers: Strictness,
        similarity: Strictness,
        floor: usize,
        key: u64,
    ) -> Filters {
        let rows = codes.iter().map(|codes| codes.len()).max().unwrap_or(0);
        let share = match outliers {
            Strictness::Off => None,
            Strictness::Auto | Strictness::Medium => Some(0.001),
            Strictness::High => Some(0.01),
        };
        let rarity = share.filter(|_| rows > 0).map(|share| {
            let surprises: Vec<Vec<f64>> = codes.iter().map(|codes| surprises_of(codes)).collect();
            let mut sums: Vec<f64> = (0..rows).map(|row| sum(&surprises, |at| codes[at][row])).collect();
            sums.sort_unstable_by(f64::total_cmp);
            let limit = sums[rows - 1 - (share * rows as f64) as usize];
            (surprises, limit)
        });
        let near = (similarity == Strictness::High && rows > 0).then(|| {
            let counted = codes.iter().filter(|codes| !codes.is_empty()).count();
            let mut prints: Vec<u64> = Vec::with_capacity(rows * counted);
            for row in 0..rows {
                prints.extend(without_one(codes.len(), |at| codes[at].get(row).copied()));
            }
            prints.sort_unstable();
            let mut sieve = Sieve::new(prints.len(), key);
            prints.chunk_by(|a, b| a == b).filter(|run| run.len() < floor).for_each(|run| sieve.add_print(run[0]));
            sieve
        });
        Filters { rarity, near }
    }

    /// Whether a row of these codes per output must not leave.
    pub(crate) fn stops(
        &self,
        code: impl Fn(usize) -> u8 + Copy,
        outputs: usize,
        counts: impl Fn(usize) -> bool,
    ) -> bool {
        let outlier = self.rarity.as_ref().is_some_and(|(surprises, limit)| sum(surprises, code) > *limit);
        let own = |at: usize| counts(at).then(|| code(at));
        let near = |sieve: &Sieve| without_one(outputs, own).any(|print| sieve.holds_print(print));
        outlier || self.near.as_ref().is_some_and(near)
    }

    /// Whether anything is filtered at all.
    pub(crate) fn idle(&self) -> bool {
        self.rarity.is_none() && self.near.is_none()
    }
}

fn surprises_of(codes: &[u8]) -> Vec<f64> {
    if codes.is_empty() {
        return Vec::new();
    }
    let mut counts = [0usize; 256];
    codes.iter().for_each(|&code| counts[code as usize] += 1);
    counts.iter().map(|&count| -((count as f64 + 1.0) / (codes.len() as f64 + 1.0)).ln()).collect()
}

fn sum(surprises: &[Vec<f64>], code: impl Fn(usize) -> u8) -> f64 {
    let own = |(at, of): (usize, &Vec<f64>)| if of.is_empty() { 0.0 } else { of[code(at) as usize] };
    surprises.iter().enumerate().map(own).sum()
}

/// A fingerprint of the row for each column left out; columns without a code do not count.
fn without_one(outputs: usize, code: impl Fn(usize) -> Option<u8> + Copy) -> impl Iterator<Item = u64> {
    let of = move |at: usize| code(at).map(|code| mix(((at as u64) << 8 | code as u64).wrapping_add(0x51_7cc1_b727)));
    let whole = (0..outputs).filter_map(of).fold(0u64, u64::wrapping_add);
    (0..outputs).filter_map(move |at| Some(mix(whole.wrapping_sub(of(at)?) ^ at as u64)))
}

impl Kept for Filters {
    fn put(&self, out: &mut Vec<u8>) {
        self.rarity.put(out);
        self.near.put(out);
    }
    fn take(from: &mut &[u8]) -> Option<Filters> {
        let filters = Filters { rarity: Kept::take(from)?, near: Kept::take(from)? };
        let sound = |of: &Vec<f64>| of.is_empty() || of.len() == 256;
        filters.rarity.iter().all(|(surprises, _)| surprises.iter().all(sound)).then_some(filters)
    }
}
