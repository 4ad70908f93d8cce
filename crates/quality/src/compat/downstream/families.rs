//! Families of models. In: tables made ready and rows to learn from. Out: what each family predicts for the tested rows.
//! Nothing here knows which rows are real.

use rayon::prelude::*;

use super::Task;
use super::linear::{self, Matrix};
use crate::bins::{Binned, Feature};
use crate::boost::{Growth, LEAVES_MAX, Model, ROUNDS, Target};
use crate::distance::{Placed, distances_from};
use crate::random::Random;

/// Boosted trees over all rounds and classes, at most.
const TREES_MAX: usize = 500;
/// Trees of a forest, over all classes, and the fewest of a class.
const FOREST: [usize; 3] = [100, 300, 5];
/// Leaves of a tree of a forest.
const FOREST_LEAVES: usize = 255;
/// The part of the features that a tree of a forest sees.
const FOREST_FEATURES: f64 = 0.6;
/// Neighbours that are asked.
const NEIGHBOURS: usize = 15;
/// Groups that naive Bayes sees of a feature with an order.
const BAYES_GROUPS: usize = 16;

/// A family of models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Gradient-boosted trees.
    Boosted,
    /// Trees over rows drawn with replacement and a part of the columns, averaged.
    Forest,
    /// One tree.
    Tree,
    /// Logistic regression for classes, ridge regression for numbers.
    Linear,
    /// The mean of the nearest rows.
    Neighbours,
    /// Naive Bayes.
    Bayes,
}

/// A name that configs have for a model, and who stands for it.
pub(super) struct Known {
    /// The name.
    pub(super) id: &'static str,
    /// Who is trained for it.
    pub(super) family: Family,
    /// The task that it is for; both where there is none.
    task: Option<Task>,
}

const fn known(id: &'static str, family: Family, task: Option<Task>) -> Known {
    Known { id, family, task }
}

/// The documented names that a family stands for; the first of a family is its own.
static KNOWN: &[Known] = &[
    known("lightgbm", Family::Boosted, None),
    known("xgboost", Family::Boosted, None),
    known("catboost", Family::Boosted, None),
    known("gbc", Family::Boosted, Some(Task::Classification)),
    known("gbr", Family::Boosted, Some(Task::Regression)),
    known("rf", Family::Forest, None),
    known("et", Family::Forest, None),
    known("dt", Family::Tree, None),
    known("lr", Family::Linear, None),
    known("ridge", Family::Linear, None),
    known("knn", Family::Neighbours, None),
    known("nb", Family::Bayes, Some(Task::Classification)),
];

impl Family {
    /// The families of a task, in the order of the report.
    pub fn of_task(task: Task) -> Vec<Family> {
        let mut families = Vec::new();
        for known in KNOWN.iter().filter(|known| known.task.is_none_or(|of| of == task)) {
            if !families.contains(&known.family) {
                families.push(known.family);
            }
        }
        families
    }

    /// The names that configs may have for models of a task.
    pub fn names(task: Task) -> Vec<&'static str> {
        KNOWN.iter().filter(|known| known.task.is_none_or(|of| of == task)).map(|known| known.id).collect()
    }

    /// Who stands for a documented name.
    pub fn named(name: &str, task: Task) -> Option<Family> {
        KNOWN.iter().find(|known| known.id == name && known.task.is_none_or(|of| of == task)).map(|known| known.family)
    }

    /// Its own name.
    pub fn id(self) -> &'static str {
        KNOWN.iter().find(|known| known.family == self).map_or("", |known| known.id)
    }

    /// Its name on the page.
    pub fn title(self, task: Task) -> &'static str {
        match self {
            Family::Boosted => "Boosted trees",
            Family::Forest => "Random forest",
            Family::Tree => "Decision tree",
            Family::Linear if task == Task::Regression => "Ridge regression",
            Family::Linear => "Logistic regression",
            Family::Neighbours => "Nearest neighbours",
            Family::Bayes => "Naive Bayes",
        }
    }
}

/// The tables as the families read them, one below the other.
pub(super) struct Ready {
    /// As bins, for trees and naive Bayes.
    pub(super) binned: Binned,
    /// As numbers and indicators, for linear models.
    pub(super) matrix: Matrix,
    /// As coordinates, for neighbours: all rows.
    pub(super) placed: Placed,
    /// Seed of what a forest draws.
    pub(super) seed: u64,
}

impl Ready {
    /// The probabilities of the tested rows, row by row one a class.
    pub(super) fn classes(&self, by: Family, rows: &[u32], labels: &[u32], classes: usize, tested: &[u32]) -> Vec<f64> {
        match by {
            Family::Boosted => {
                let target = Target::Class(labels.to_vec(), classes);
                let rounds = if classes > 2 { ROUNDS.min(TREES_MAX / classes).max(1) } else { ROUNDS };
                probabilities(&Model::fit(&self.binned, rows, &target, rounds).predict(&self.binned, tested), classes)
            }
            Family::Linear => linear::classes(&self.matrix, rows, labels, classes, tested),
            Family::Bayes => bayes(&self.binned, rows, labels, classes, tested),
            Family::Neighbours => {
                let mut shares = vec![0.0; tested.len() * classes];
                for (shares, near) in shares.chunks_exact_mut(classes).zip(nearest(&self.placed, rows, tested)) {
                    let one = 1.0 / near.len().max(1) as f64;
                    near.iter().for_each(|&row| shares[labels[row as usize] as usize] += one);
                }
                shares
            }
            Family::Forest | Family::Tree => {
                // A tree of shares: of two classes one is enough.
                let asked = if classes == 2 { 1..2 } else { 0..classes };
                let of_class = |class: usize| {
                    let truths: Vec<f64> = labels.iter().map(|&label| f64::from(label as usize == class)).collect();
                    self.numbers(by, rows, &truths, tested, FOREST[0].min(FOREST[1] / classes).max(FOREST[2]))
                };
                let shares: Vec<Vec<f64>> = asked.into_par_iter().map(of_class).collect();
                let of_row = |row: usize| match classes {
                    2 => vec![1.0 - shares[0][row], shares[0][row]],
                    _ => shares.iter().map(|of_class| of_class[row]).collect(),
                };
                (0..tested.len()).flat_map(of_row).collect()
            }
        }
    }

    /// The numbers predicted for the tested rows.
    pub(super) fn regression(&self, by: Family, rows: &[u32], truths: &[f64], tested: &[u32]) -> Vec<f64> {
        self.numbers(by, rows, truths, tested, FOREST[0])
    }

    fn numbers(&self, by: Family, rows: &[u32], truths: &[f64], tested: &[u32], trees: usize) -> Vec<f64> {
        let target = || Target::Number(truths.to_vec());
        match by {
            Family::Boosted => Model::fit(&self.binned, rows, &target(), ROUNDS).predict(&self.binned, tested),
            Family::Tree => {
                let growth = Growth { rounds: 1, leaves: LEAVES_MAX, rate: 1.0 };
                Model::grown(&self.binned, rows, &target(), growth).predict(&self.binned, tested)
            }
            Family::Forest => forest(&self.binned, rows, &target(), tested, trees, self.seed),
            Family::Linear => linear::numbers(&self.matrix, rows, truths, tested),
            Family::Neighbours => {
                let near = nearest(&self.placed, rows, tested);
                let of_row = |near: &Vec<u32>| near.iter().map(|&row| truths[row as usize]).sum::<f64>();
                near.iter().map(|near| of_row(near) / near.len().max(1) as f64).collect()
            }
            // It has no answer for numbers, and is never asked.
            Family::Bayes => vec![f64::NAN; tested.len()],
        }
    }
}

/// The probabilities that raw scores of boosted trees stand for.
fn probabilities(raw: &[f64], classes: usize) -> Vec<f64> {
    if classes == 2 {
        let second = |raw: &f64| 1.0 / (1.0 + (-raw).exp());
        return raw.iter().flat_map(|raw| [1.0 - second(raw), second(raw)]).collect();
    }
    let of_row = |raw: &[f64]| {
        let top = raw.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = raw.iter().map(|score| (score - top).exp()).sum();
        raw.iter().map(|score| (score - top).exp() / total).collect::<Vec<f64>>()
    };
    raw.chunks_exact(classes).flat_map(of_row).collect()
}

/// The mean of many trees: Breiman, "Random forests", 2001, but that the columns are drawn by the tree and not by the split.
fn forest(binned: &Binned, rows: &[u32], target: &Target, tested: &[u32], trees: usize, seed: u64) -> Vec<f64> {
    let seen = ((binned.features.len() as f64 * FOREST_FEATURES).ceil() as usize).max(1);
    let grown = |tree: usize| {
        let mut random = Random::new(seed ^ (tree as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let drawn: Vec<u32> = rows.iter().map(|_| rows[random.below(rows.len())]).collect();
        let mut order: Vec<usize> = (0..binned.features.len()).collect();
        for at in 0..seen.min(order.len()) {
            let other = at + random.below(order.len() - at);
            order.swap(at, other);
        }
        let features = order.iter().take(seen).map(|&at| {
            let Feature { bins, count, categorical } = &binned.features[at];
            Feature { bins: bins.clone(), count: *count, categorical: *categorical }
        });
        let part = Binned { features: features.collect(), rows: binned.rows };
        let growth = Growth { rounds: 1, leaves: FOREST_LEAVES, rate: 1.0 };
        Model::grown(&part, &drawn, target, growth).predict(&part, tested)
    };
    let of_trees: Vec<Vec<f64>> = (0..trees).into_par_iter().map(grown).collect();
    // Summed in the order of the trees, whoever grew them.
    let sum = |row: usize| of_trees.iter().map(|of_tree| of_tree[row]).sum::<f64>() / trees.max(1) as f64;
    (0..tested.len()).map(sum).collect()
}

/// The nearest of `rows` to each tested row by Gower's distance; of equally near ones the first.
fn nearest(placed: &Placed, rows: &[u32], tested: &[u32]) -> Vec<Vec<u32>> {
    let chosen = |column: &Vec<f32>| rows.iter().map(|&row| column[row as usize]).collect();
    let chosen = Placed { columns: placed.columns.iter().map(chosen).collect(), rows: rows.len() };
    let asked = NEIGHBOURS.min(rows.len());
    let of_row = |sums: &mut Vec<f32>, row: &u32| {
        distances_from(placed, *row as usize, &chosen, sums);
        let mut nearest: Vec<(f32, u32)> = Vec::with_capacity(asked + 1);
        for (&row, &sum) in rows.iter().zip(sums.iter()) {
            if nearest.len() < asked || nearest.last().is_some_and(|(last, _)| sum < *last) {
                let place = nearest.partition_point(|(other, _)| *other <= sum);
                nearest.insert(place, (sum, row));
                nearest.truncate(asked);
            }
        }
        nearest.into_iter().map(|(_, row)| row).collect()
    };
    tested.par_iter().map_init(|| vec![0f32; rows.len()], of_row).collect()
}

/// Naive Bayes over bins, each counted once more than it is there (Laplace).
fn bayes(binned: &Binned, rows: &[u32], labels: &[u32], classes: usize, tested: &[u32]) -> Vec<f64> {
    let mut scores = vec![0.0; tested.len() * classes];
    let mut of_class = vec![1.0; classes];
    rows.iter().for_each(|&row| of_class[labels[row as usize] as usize] += 1.0);
    scores.chunks_exact_mut(classes).for_each(|scores| {
        scores.iter_mut().zip(&of_class).for_each(|(score, rows)| *score = f64::ln(*rows));
    });
    for feature in &binned.features {
        let fewer = !feature.categorical && feature.count > BAYES_GROUPS + 1;
        // Bin 0, missing, stays by itself.
        let group = |bin: u8| match bin as usize {
            bin if fewer && bin > 0 => 1 + (bin - 1) * BAYES_GROUPS / (feature.count - 1),
            bin => bin,
        };
        let groups = if fewer { BAYES_GROUPS + 1 } else { feature.count };
        let mut counts = vec![1.0; groups * classes];
        for &row in rows {
            counts[group(feature.bins[row as usize]) * classes + labels[row as usize] as usize] += 1.0;
        }
        let totals: Vec<f64> = of_class.iter().map(|rows| rows - 1.0 + groups as f64).collect();
        for (scores, &row) in scores.chunks_exact_mut(classes).zip(tested) {
            let counts = &counts[group(feature.bins[row as usize]) * classes..][..classes];
            for ((score, count), total) in scores.iter_mut().zip(counts).zip(&totals) {
                *score += f64::ln(count / total);
            }
        }
    }
    let raw: Vec<f64> = scores;
    if classes == 2 {
        let odds: Vec<f64> = raw.chunks_exact(2).map(|scores| scores[1] - scores[0]).collect();
        return probabilities(&odds, 2);
    }
    probabilities(&raw, classes)
}
