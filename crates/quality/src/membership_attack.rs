//! The membership attack: can somebody who holds a row and the synthetic table tell whether the row was trained on? In: a
//! case. Out: a score, the attack's AUC and how many members it finds for sure.

use crate::bins::{bin, rows_within};
use crate::boost::{Model, ROUNDS, Target};
use crate::case::{Case, Side};
use crate::distance::{Space, two_nearest};
use crate::metric::{Aspect, Metric, Outcome, Score, number};
use crate::statistic::{Z95, auc, auc_with_error, wilson};

/// With fewer real rows the attack says nothing.
pub(crate) const REAL_ROWS_MIN: usize = 500;
/// Fewest rows that were not trained on.
const STRANGERS_MIN: usize = 20;
/// Most rows of either kind.
const ROWS_MAX: usize = 1_000;
/// Most rows that the density ratio is learned from.
const LEARNED_MAX: usize = 5_000;
/// Comparisons of cells that the distances may take.
const CELLS_MAX: usize = 2_500_000_000;
/// The false alarms that are allowed where members are to be found for sure.
const ALARMS: f64 = 0.01;
const ATTACKS: [&str; 3] = ["nearest distance", "nearest distance ratio", "density ratio"];

/// The metric.
pub(crate) static METRIC: Metric = Metric {
    name: "membership_attack",
    title: "Membership attack",
    bands: [0.95, 0.85],
    aspect: Aspect::Privacy,
    about: "1 - 2 x (AUC - 0.5 - 1.96 standard errors), at most 1, where AUC is how often an attack ranks a training row \
            above a holdout row: by the distance to the nearest synthetic row, by its ratio to the distance to the \
            second nearest, or by boosted trees that tell synthetic rows from holdout rows. The best attack is chosen on \
            one half of the rows and measured on the other, both ways round. Up to 1,000 rows of either kind, from 500 \
            real rows on. Interval: DeLong's, of each half, put together by squares.",
    source: "Membership inference: Shokri et al., 2017, on synthetic data as in van Breugel et al., \"Membership inference \
             attacks against synthetic data through overfitting detection\", 2023 (density ratio); true positives at 1 % \
             false ones as Carlini et al., \"Membership inference attacks from first principles\", 2022, ask for.",
    score,
};

fn score(case: &Case) -> Outcome {
    let real = case.training.rows + case.holdout.as_ref().map_or(0, |holdout| holdout.rows);
    if real < REAL_ROWS_MIN {
        return Outcome::undefined("not applicable: there are fewer than 500 real rows");
    }
    let Some(holdout) = &case.holdout else { return Outcome::undefined("there is no holdout") };
    let columns = case.telling();
    let most = rows_within(ROWS_MAX, columns.len()).max(300);
    let rows = holdout.sampled.min(case.training.sampled).min(most);
    if rows < STRANGERS_MIN {
        return Outcome::undefined("the holdout or the training table has fewer than 20 rows");
    }
    if case.synthetic.sampled == 0 || columns.is_empty() {
        return Outcome::undefined("there are no synthetic rows or no columns");
    }
    // Rows alternate between the halves; members and strangers are side by side.
    let [nearest, ratio] = by_distance(case, holdout, columns, rows);
    let scores = [nearest, ratio, by_density(case, holdout, rows)];
    let halves = [0, 1].map(|half| half_of(&scores, rows, half));
    let best = |half: &[Vec<f64>; 3], members: &[bool]| {
        let of = |attack: usize| auc(&half[attack], members).unwrap_or(0.5);
        (0..ATTACKS.len()).max_by(|&a, &b| of(a).total_cmp(&of(b)).then(b.cmp(&a))).unwrap_or(0)
    };
    let (mut area, mut variance, mut found, mut members, mut chosen) = (0.0, 0.0, 0.0, 0.0, Vec::new());
    for (tuned, tested) in [(&halves[0], &halves[1]), (&halves[1], &halves[0])] {
        let attack = best(&tuned.0, &tuned.1);
        let Some((auc, error)) = auc_with_error(&tested.0[attack], &tested.1) else {
            return Outcome::undefined("a half has no rows");
        };
        area += auc / 2.0;
        variance += error * error / 4.0;
        found += surely(&tested.0[attack], &tested.1);
        members += tested.1.iter().filter(|member| **member).count() as f64;
        chosen.push(ATTACKS[attack]);
    }
    outcome(area, variance.sqrt(), [found, members], rows, chosen)
}

fn outcome(area: f64, error: f64, [found, members]: [f64; 2], rows: usize, mut chosen: Vec<&'static str>) -> Outcome {
    chosen.dedup();
    let ends = [area - Z95 * error, area + Z95 * error].map(|end: f64| end.clamp(0.0, 1.0));
    let score = |auc: f64| 1.0 - 2.0 * (auc - 0.5).max(0.0);
    let sure = wilson(found, members, Z95);
    let figures = vec![
        ("auc", number(area)),
        ("auc_se", number(error)),
        ("auc_low", number(ends[0])),
        ("auc_high", number(ends[1])),
        ("tpr_at_1_percent_fpr", number(found / members)),
        ("tpr_low", number(sure[0])),
        ("tpr_high", number(sure[1])),
        ("attack", chosen.join(", ").into()),
        ("rows_each", rows.into()),
    ];
    let sentence = format!(
        "The best attack ranks a training row above an unseen one {:.1} times in 100, give or take {:.1}; a coin would 50 \
         times. It finds {:.1} % of training rows at 1 % false alarms.",
        area * 100.0,
        Z95 * error * 100.0,
        found / members * 100.0
    );
    Outcome::new(Score::bounded(score(ends[0])), figures, sentence)
        .below(Some(1.0))
        .within(Some([score(ends[1]), score(ends[0])]))
        .gauged(area, ends)
}

/// Two attacks: how near the nearest synthetic row is, by itself and beside the second nearest. Members first.
fn by_distance(case: &Case, holdout: &Side, columns: Vec<usize>, rows: usize) -> [Vec<f64>; 2] {
    let synthetic = case.synthetic.rows.min((CELLS_MAX / (2 * rows * columns.len())).max(2_000));
    let space = Space::of(case, columns);
    let made = space.place(&case.synthetic, &case.synthetic.order[..synthetic]);
    let mut scores = [Vec::with_capacity(2 * rows), Vec::with_capacity(2 * rows)];
    for side in [&case.training, holdout] {
        for [nearest, next] in two_nearest(&space.place(side, &side.order[..rows]), &made) {
            let ratio = if nearest > 0.0 && next.is_finite() { nearest / next } else { nearest.min(1.0) };
            scores[0].push(-nearest as f64);
            scores[1].push(-ratio as f64);
        }
    }
    scores
}

/// The density attack: how much likelier a row is among synthetic rows than among unseen ones. Each half of the rows is
/// scored by trees that were fitted with the other half's strangers. Members first.
fn by_density(case: &Case, holdout: &Side, rows: usize) -> Vec<f64> {
    let compared = case.compared();
    if compared.is_empty() {
        return vec![0.0; 2 * rows];
    }
    let strangers = holdout.sampled.min(rows_within(2 * LEARNED_MAX, compared.len())).max(rows);
    let made = case.synthetic.sampled.min(strangers / 2);
    let sides = [&case.training, holdout, &case.synthetic];
    let samples = sides.map(|side| side.sample.as_slice());
    let binned = bin(case, &samples, &[rows, strangers, made], None);
    let labels = (0..rows + strangers + made).map(|row| u32::from(row >= rows + strangers)).collect();
    let target = Target::Class(labels, 2);
    let score = |half: usize| {
        let fitted: Vec<u32> = (rows..rows + strangers + made)
            .filter(|&row| row >= rows + strangers || (row - rows) % 2 != half)
            .map(|row| row as u32)
            .collect();
        let tested: Vec<u32> = (half..rows).step_by(2).flat_map(|at| [at as u32, (rows + at) as u32]).collect();
        let scores = Model::fit(&binned, &fitted, &target, ROUNDS).predict(&binned, &tested);
        tested.into_iter().zip(scores).collect::<Vec<_>>()
    };
    let (first, second) = rayon::join(|| score(0), || score(1));
    let mut scores = vec![0.0; 2 * rows];
    first.into_iter().chain(second).for_each(|(row, score)| scores[row as usize] = score);
    scores
}

/// The scores of one half of the rows, and which of them are members.
fn half_of(scores: &[Vec<f64>; 3], rows: usize, half: usize) -> ([Vec<f64>; 3], Vec<bool>) {
    let places: Vec<usize> = (half..rows).step_by(2).chain((rows + half..2 * rows).step_by(2)).collect();
    let of = scores.each_ref().map(|scores| places.iter().map(|&place| scores[place]).collect());
    (of, places.into_iter().map(|place| place < rows).collect())
}

/// How many members score higher than all but 1 % of the strangers.
fn surely(scores: &[f64], members: &[bool]) -> f64 {
    let of =
        |kind: bool| scores.iter().zip(members).filter(move |(_, member)| **member == kind).map(|(score, _)| *score);
    let mut strangers: Vec<f64> = of(false).collect();
    strangers.sort_unstable_by(|a, b| b.total_cmp(a));
    let alarm = strangers.get((ALARMS * strangers.len() as f64) as usize).copied().unwrap_or(f64::INFINITY);
    of(true).filter(|&score| score > alarm).count() as f64
}
