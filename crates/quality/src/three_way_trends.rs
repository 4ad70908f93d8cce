//! Three-way trends: do three columns at a time hang together as in the training table? In: a case. Out: a score and the
//! triple that agrees least.

use std::collections::BTreeSet;

use rayon::prelude::*;

use crate::case::{Case, Side};
use crate::grid::{WIDTH, axes};
use crate::metric::{Aspect, Metric, Outcome, Score, number};
use crate::random::Random;
use crate::statistic::{GROUPS, group, jackknife, mean};

/// Most triples that are measured; of more, so many are drawn.
const TRIPLES_MAX: usize = 500;
const CELLS: usize = WIDTH * WIDTH * WIDTH;

/// The metric.
pub(crate) static METRIC: Metric = Metric {
    name: "three_way_trends",
    title: "Three-way trends",
    bands: [0.88, 0.75],
    aspect: Aspect::Fidelity,
    about: "1 - half the summed differences of the joint shares of three columns, numbers and times in tenths of the \
            training table, other columns in their ten commonest values, missing and other values apart; mean over \
            all triples of columns but identifiers (of more than 500, 500 are drawn), on at most 20,000 rows a side. \
            Two real samples differ too, by chance: compare with the ceiling. Interval: jackknife over twenty groups \
            of rows.",
    source: "Three-way accuracy: Platzer and Reutterer, \"Holdout-based empirical assessment of mixed-type synthetic \
             data\", 2021, with a seeded choice of triples.",
    score,
};

fn score(case: &Case) -> Outcome {
    if case.synthetic.sampled == 0 || case.training.sampled == 0 {
        return Outcome::undefined("a table has no rows");
    }
    let triples = draw(&case.compared(), case.seed);
    if triples.is_empty() {
        return Outcome::undefined("there are fewer than three columns to compare");
    }
    let used: BTreeSet<usize> = triples.iter().flatten().copied().collect();
    let used: Vec<usize> = used.into_iter().collect();
    let axes = axes(case, &used);
    let grid = |side: &Side| -> Vec<Vec<u8>> { axes.par_iter().map(|axis| axis.bins(side)).collect() };
    let places: Vec<[usize; 3]> =
        triples.iter().map(|triple| triple.map(|column| used.partition_point(|&of| of < column))).collect();
    let training = grid(&case.training);
    let measure = |other: &[Vec<u8>], groups: bool| -> Vec<Vec<f64>> {
        places.par_iter().map(|&triple| similarities(&training, other, triple, groups)).collect()
    };
    let measured = measure(&grid(&case.synthetic), true);
    let at = |place: usize| mean(&measured.iter().map(|of| of[place]).collect::<Vec<_>>());
    let whole: Vec<f64> = measured.iter().map(|of| of[0]).collect();
    let Some(score) = at(0) else { return Outcome::undefined("a table has no rows") };
    let least = (0..whole.len()).min_by(|&a, &b| whole[a].total_cmp(&whole[b])).unwrap_or(0);
    let names = triples[least].map(|index| case.columns[index].name.as_str()).join(", ");
    let figures = vec![
        ("triples", triples.len().into()),
        ("lowest", number(whole[least])),
        ("lowest_columns", names.as_str().into()),
    ];
    let sentence = format!("Of {} triples of columns, {names} agree least, with {:.3}.", triples.len(), whole[least]);
    Outcome::new(Score::bounded(score), figures, sentence)
        .below(case.ceiling(|holdout| mean(&measure(&grid(holdout), false).iter().map(|of| of[0]).collect::<Vec<_>>())))
        .give_or_take(jackknife(&(1..=GROUPS).map(at).collect::<Vec<_>>()))
}

fn draw(compared: &[usize], seed: u64) -> Vec<[usize; 3]> {
    let count = compared.len();
    let total = if count < 3 { 0 } else { count * (count - 1) * (count - 2) / 6 };
    let mut drawn = BTreeSet::new();
    if total <= TRIPLES_MAX {
        for (at, &a) in compared.iter().enumerate() {
            for (next, &b) in compared.iter().enumerate().skip(at + 1) {
                drawn.extend(compared[next + 1..].iter().map(|&c| [a, b, c]));
            }
        }
    } else {
        let mut random = Random::new(seed ^ 0x7472_6970_6c65_7300);
        while drawn.len() < TRIPLES_MAX {
            let mut triple = [0; 3].map(|_| compared[random.below(count)]);
            triple.sort_unstable();
            if triple[0] < triple[1] && triple[1] < triple[2] {
                drawn.insert(triple);
            }
        }
    }
    drawn.into_iter().collect()
}

/// How alike two tables are in three columns; where `groups`, followed by the same without each group of rows.
fn similarities(training: &[Vec<u8>], other: &[Vec<u8>], triple: [usize; 3], groups: bool) -> Vec<f64> {
    let parts = if groups { GROUPS } else { 1 };
    let counts = [training, other].map(|table| {
        let [a, b, c] = triple.map(|at| table[at].as_slice());
        let mut counts = vec![0u32; CELLS * parts];
        for (row, ((&a, &b), &c)) in a.iter().zip(b).zip(c).enumerate() {
            let cell = (a as usize * WIDTH + b as usize) * WIDTH + c as usize;
            counts[cell * parts + if groups { group(row) } else { 0 }] += 1;
        }
        counts
    });
    let totals = counts.each_ref().map(|counts| {
        let mut totals = vec![0u32; parts];
        counts.chunks_exact(parts).for_each(|cell| totals.iter_mut().zip(cell).for_each(|(sum, count)| *sum += count));
        totals
    });
    let rows = totals.each_ref().map(|of| of.iter().sum::<u32>());
    let mut apart = vec![0.0; if groups { parts + 1 } else { 1 }];
    for (a, b) in counts[0].chunks_exact(parts).zip(counts[1].chunks_exact(parts)) {
        let (in_a, in_b) = (a.iter().sum::<u32>(), b.iter().sum::<u32>());
        if in_a == 0 && in_b == 0 {
            continue;
        }
        apart[0] += (in_a as f64 / rows[0] as f64 - in_b as f64 / rows[1] as f64).abs();
        for (left_out, apart) in apart.iter_mut().skip(1).enumerate() {
            let share = |count: u32, all: u32| if all == 0 { 0.0 } else { count as f64 / all as f64 };
            let first = share(in_a - a[left_out], rows[0] - totals[0][left_out]);
            *apart += (first - share(in_b - b[left_out], rows[1] - totals[1][left_out])).abs();
        }
    }
    apart.into_iter().map(|apart: f64| 1.0 - apart / 2.0).collect()
}
