//! Choosing how far one column's tree may grow: the same features, target and rows as for growing come in, limits go
//! out. A tree is grown on part of the rows and pruned by every candidate; the likelihood of the rows it has not seen
//! decides. Never touches the rows of anyone's holdout: all rows are training rows.

use crate::random::some_rows;
use crate::tree::{Feature, Grown, Limits, Target, grow, holds};

/// Rows that a choice is made on at most.
const ROWS_MAX: usize = 24_000;

/// Candidate scores and leaf sizes; every pair is tried.
const SCORES: [f64; 6] = [-0.5, 0.0, 0.5, 1.0, 2.0, 4.0];

/// The limits under which unseen rows are likeliest. `leaves` are candidate leaf sizes, at most five.
pub(crate) fn choose(features: &[Feature], target: Target, rows: &[u32], leaves: &[usize], seed: u64) -> Limits {
    let cautious = Limits { leaf_min: leaves[leaves.len() / 2], score_min: 2.0 };
    if rows.len() < 60 || features.is_empty() {
        return cautious;
    }
    let mut sample: Vec<u32> = some_rows(rows.len(), ROWS_MAX, seed).iter().map(|&at| rows[at as usize]).collect();
    crate::random::Random::at(&[seed, 77]).shuffle(&mut sample);
    let folds = if sample.len() < 6000 { 3 } else { 1 };
    let size = sample.len() / 3;
    let mut trial = Trial { totals: vec![0.0; SCORES.len() * leaves.len()], counts: vec![0; target.count], target, features, leaves };
    for fold in 0..folds {
        let (from, to) = (fold * size, (fold + 1) * size);
        let mut learned: Vec<u32> = sample[..from].iter().chain(&sample[to..]).copied().collect();
        learned.sort_unstable();
        let grown = grow(features, target, learned, Limits { leaf_min: leaves[0], score_min: SCORES[0] });
        trial.judge(&grown, &sample[from..to]);
    }
    let best = (0..trial.totals.len()).rev().fold(None, |best: Option<usize>, at| match best {
        Some(b) if trial.totals[b] >= trial.totals[at] => Some(b),
        _ => Some(at),
    });
    best.map_or(cautious, |at| Limits { leaf_min: leaves[at % leaves.len()], score_min: SCORES[at / leaves.len()] })
}

struct Trial<'a> {
    totals: Vec<f64>,
    counts: Vec<u32>,
    target: Target<'a>,
    features: &'a [Feature<'a>],
    leaves: &'a [usize],
}

/// A branch to visit, the unseen rows that reach it, how likely its parent made each, and the candidates still alive.
struct Visit {
    branch: usize,
    rows: Vec<u32>,
    likely: Vec<f64>,
    alive: u64,
}

impl Trial<'_> {
    fn judge(&mut self, grown: &Grown, unseen: &[u32]) {
        let even = 1.0 / self.target.count as f64;
        let all = (1u64 << self.totals.len()) - 1;
        let mut open = vec![Visit { branch: 0, rows: unseen.to_vec(), likely: vec![even; unseen.len()], alive: all }];
        while let Some(mut visit) = open.pop() {
            let branch = &grown.branches[visit.branch];
            let own = &grown.rows[branch.from..branch.to];
            self.update(own, &mut visit);
            let stopped = match &branch.split {
                None => visit.alive,
                Some(split) => {
                    let smaller = [split.yes, split.no].map(|side| grown.branches[side].to - grown.branches[side].from);
                    visit.alive & !self.accepting(split.score, smaller[0].min(smaller[1]))
                }
            };
            if stopped != 0 {
                let sum: f64 = visit.likely.iter().map(|p| p.ln()).sum();
                for at in 0..self.totals.len() {
                    if stopped >> at & 1 == 1 {
                        self.totals[at] += sum;
                    }
                }
            }
            let alive = visit.alive & !stopped;
            if let (Some(split), true) = (&branch.split, alive != 0) {
                let codes = self.features[split.feature].codes;
                let mut yes = Visit { branch: split.yes, rows: Vec::new(), likely: Vec::new(), alive };
                let mut no = Visit { branch: split.no, rows: Vec::new(), likely: Vec::new(), alive };
                for (row, likely) in visit.rows.into_iter().zip(visit.likely) {
                    let side = if holds(&split.mask, codes[row as usize]) { &mut yes } else { &mut no };
                    side.rows.push(row);
                    side.likely.push(likely);
                }
                open.push(no);
                open.push(yes);
            }
        }
    }

    /// Moves each unseen row's likelihood from the parent's to this branch's: counts plus as many
    /// rows' worth of the parent as there are classes (Witten and Bell, 1991, "The zero-frequency problem").
    fn update(&mut self, own: &[u32], visit: &mut Visit) {
        let mut live = 0;
        for &row in own {
            let count = &mut self.counts[self.target.classes[row as usize] as usize];
            live += (*count == 0) as usize;
            *count += 1;
        }
        let from_parent = 1.0 + live as f64;
        let total = own.len() as f64 + from_parent;
        for (&row, likely) in visit.rows.iter().zip(&mut visit.likely) {
            let count = self.counts[self.target.classes[row as usize] as usize] as f64;
            *likely = (count + from_parent * *likely) / total;
        }
        for &row in own {
            self.counts[self.target.classes[row as usize] as usize] = 0;
        }
    }

    fn accepting(&self, score: f64, smaller: usize) -> u64 {
        let mut mask = 0;
        for at in 0..self.totals.len() {
            if score > SCORES[at / self.leaves.len()] && smaller >= self.leaves[at % self.leaves.len()] {
                mask |= 1 << at;
            }
        }
        mask
    }
}
