//! Membership Inference Protection. In: a case with a holdout. Out: the mean points of 36 threshold attacks in each of ten
//! rounds, and the score. Precision and accuracy are rounded to one decimal as documented, which is blunt.

use rayon::prelude::*;

use super::Documented;
use super::joint::{Points, apart, attacked, shuffled};
use crate::case::Case;
use crate::random::Random;

/// Rounds, each with training rows of its own.
const ROUNDS: usize = 10;
/// Holdout rows at most, and where columns are many: points do not grow sharper with more, and time does.
const HOLDOUT_MAX: usize = 1_000;
const HOLDOUT_WIDE: usize = 200;
/// Columns from which on fewer rows are attacked.
const WIDE: usize = 60;
/// Synthetic rows at most.
const SYNTHETIC_MAX: usize = 5_000;
const THRESHOLDS: [f32; 4] = [0.4, 0.3, 0.2, 0.1];
const PARTS: [f64; 9] = [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];

/// The protection; none without a holdout or columns.
pub(crate) fn protection(case: &Case) -> Option<Documented> {
    let holdout = case.holdout.as_ref().filter(|holdout| holdout.sampled > 0)?;
    let columns = attacked(case);
    let most = (HOLDOUT_MAX * WIDE / columns.len().max(WIDE)).max(HOLDOUT_WIDE);
    let count = holdout.sampled.min(most);
    let training = case.training.sampled.min(ROUNDS * count);
    let synthetic = case.synthetic.sampled.min(SYNTHETIC_MAX);
    if columns.is_empty() || training == 0 || synthetic == 0 {
        return None;
    }
    let sides = [(&case.training, training), (holdout, count), (&case.synthetic, synthetic)];
    let points = Points::of(case, &columns, &sides);
    let nearest = |table: usize, rows: usize| -> Vec<f32> {
        (0..rows)
            .into_par_iter()
            .map(|row| {
                let own = points.row(table, row);
                let least = |least: f32, other: usize| least.min(apart(own, points.row(2, other), least));
                (0..synthetic).fold(f32::INFINITY, least).sqrt()
            })
            .collect()
    };
    let (members, others) = (nearest(0, training), nearest(1, count));
    let mut random = Random::new(case.seed ^ 0x6d69_6100);
    let of_round = |round: usize, random: &mut Random| {
        let own = (0..count).map(|at| (members[(round * count + at) % training], true));
        let all: Vec<(f32, bool)> = own.chain(others.iter().map(|&distance| (distance, false))).collect();
        let order = shuffled(all.len(), random);
        points_of(&order.into_iter().map(|at| all[at]).collect::<Vec<_>>())
    };
    let mean = (0..ROUNDS).map(|round| of_round(round, &mut random)).sum::<f64>() / ROUNDS as f64;
    Some(Documented { raw: mean, score: (mean - 1.0) / 2.0 * 10.0 })
}

/// The mean points of 36 attacks on distances with their truth.
fn points_of(rows: &[(f32, bool)]) -> f64 {
    let largest = rows.iter().map(|row| row.0).fold(0f32, f32::max);
    let scale = if largest > 0.0 { largest } else { 1.0 };
    let mut sum = 0.0;
    for part in PARTS {
        let seen = &rows[..((rows.len() as f64 * part) as usize).max(1)];
        for threshold in THRESHOLDS {
            let said = |row: &&(f32, bool)| row.0 / scale < threshold;
            let positives = seen.iter().filter(said).count() as f64;
            let right = seen.iter().filter(|row| said(row) && row.1).count() as f64;
            let accurate = seen.iter().filter(|row| said(row) == row.1).count() as f64 / seen.len() as f64;
            sum += grade(if positives > 0.0 { right / positives } else { 0.0 }, accurate);
        }
    }
    sum / (PARTS.len() * THRESHOLDS.len()) as f64
}

fn grade(precision: f64, accuracy: f64) -> f64 {
    let [precision, accuracy] = [precision, accuracy].map(|share| (share * 10.0).round() as u32);
    match (precision, accuracy) {
        (0..=5, 0..=5) => 3.0,
        (0..=8, 0..=5) | (0..=5, 0..=8) => 2.5,
        (0..=8, 0..=8) => 2.0,
        (0..=8, _) | (_, 0..=8) => 1.5,
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attack_that_always_hits_gives_one_point_and_one_that_never_does_three() {
        assert_eq!(grade(1.0, 1.0), 1.0);
        assert_eq!(grade(0.5, 0.54), 3.0);
        assert_eq!(grade(0.6, 0.5), 2.5);
        assert_eq!(grade(0.6, 0.6), 2.0);
        assert_eq!(grade(0.9, 0.6), 1.5);
        let copies: Vec<(f32, bool)> =
            (0..100).map(|at| if at % 2 == 0 { (0.0, true) } else { (1.0, false) }).collect();
        assert_eq!(points_of(&copies), 1.0);
        let alike: Vec<(f32, bool)> = (0..100).map(|at| (1.0, at % 2 == 0)).collect();
        assert_eq!(points_of(&alike), 3.0);
    }
}
