//! Gradient-boosted trees over binned features: one byte a cell in, a [`Model`] out. The same input gives the same
//! model at any thread count.
//!
//! Friedman, "Greedy function approximation: a gradient boosting machine", 2001, with histograms, best-first growth and
//! many-against-many splits of categories as in Ke et al., "LightGBM: a highly efficient gradient boosting decision
//! tree", 2017, whose defaults are used so that the figures can be compared.

use crate::bins::Binned;
use crate::split::{Histogram, Split, Sums, best};

/// Rounds of boosting.
pub(crate) const ROUNDS: usize = 100;
/// Leaves of a tree, at most.
pub(crate) const LEAVES_MAX: usize = 31;
const LEARNING_RATE: f64 = 0.1;
/// No probability is nearer to 0 or 1 than this.
const PROBABILITY_MIN: f64 = 1e-15;

/// What is predicted; one entry per row of the features.
pub(crate) enum Target {
    /// A number.
    Number(Vec<f64>),
    /// One of so many classes.
    Class(Vec<u32>, usize),
}

impl Target {
    /// Raw scores a row: one for a number or two classes, one per class beyond.
    fn outputs(&self) -> usize {
        match self {
            Target::Class(_, classes) if *classes > 2 => *classes,
            _ => 1,
        }
    }
}

/// How a model grows.
#[derive(Clone, Copy)]
pub(crate) struct Growth {
    /// Rounds, each with a tree per output.
    pub(crate) rounds: usize,
    /// Most leaves of a tree.
    pub(crate) leaves: usize,
    /// The part of a tree's answer that counts; with 1 and one round the model is one tree.
    pub(crate) rate: f64,
}

/// A sum of trees per output.
pub(crate) struct Model {
    start: Vec<f64>,
    /// Round by round, one tree per output.
    trees: Vec<Tree>,
}

impl Model {
    /// Fits `rows` of the features in so many rounds.
    pub(crate) fn fit(binned: &Binned, rows: &[u32], target: &Target, rounds: usize) -> Model {
        Model::grown(binned, rows, target, Growth { rounds, leaves: LEAVES_MAX, rate: LEARNING_RATE })
    }

    /// Fits `rows` of the features, which may hold a row more than once.
    pub(crate) fn grown(binned: &Binned, rows: &[u32], target: &Target, growth: Growth) -> Model {
        let outputs = target.outputs();
        let mut model = Model { start: starts(rows, target), trees: Vec::with_capacity(growth.rounds * outputs) };
        let mut raw: Vec<f64> = rows.iter().flat_map(|_| model.start.iter().copied()).collect();
        let mut grower = Grower::new(binned, rows, growth);
        let mut slopes = vec![[0.0; 2]; rows.len()];
        for _ in 0..growth.rounds {
            // The probabilities of a round are those before its first tree.
            let before = if outputs > 1 { raw.clone() } else { Vec::new() };
            for output in 0..outputs {
                gradients(rows, target, if outputs > 1 { &before } else { &raw }, output, &mut slopes);
                let tree = grower.grow(&slopes);
                for (leaf, value) in &grower.leaves {
                    for &at in &grower.order[leaf.clone()] {
                        raw[at as usize * outputs + output] += value;
                    }
                }
                model.trees.push(tree);
            }
        }
        model
    }

    /// The raw scores of `rows`, row by row: a number, a log-odds, or one score per class.
    pub(crate) fn predict(&self, binned: &Binned, rows: &[u32]) -> Vec<f64> {
        let outputs = self.start.len();
        let mut raw: Vec<f64> = rows.iter().flat_map(|_| self.start.iter().copied()).collect();
        for (at, tree) in self.trees.iter().enumerate() {
            for (position, &row) in rows.iter().enumerate() {
                raw[position * outputs + at % outputs] += tree.value(binned, row as usize);
            }
        }
        raw
    }
}

fn starts(rows: &[u32], target: &Target) -> Vec<f64> {
    let total = rows.len().max(1) as f64;
    match target {
        Target::Number(values) => vec![rows.iter().map(|&row| values[row as usize]).sum::<f64>() / total],
        Target::Class(labels, classes) => {
            let mut shares = vec![0.0; (*classes).max(2)];
            rows.iter().for_each(|&row| shares[labels[row as usize] as usize] += 1.0 / total);
            let shares: Vec<f64> =
                shares.iter().map(|share: &f64| share.clamp(PROBABILITY_MIN, 1.0 - PROBABILITY_MIN)).collect();
            if *classes > 2 {
                shares.iter().map(|share| share.ln()).collect()
            } else {
                vec![(shares[1] / (1.0 - shares[1])).ln()]
            }
        }
    }
}

/// First and second derivative of the loss: squares for numbers, log-loss for classes.
fn gradients(rows: &[u32], target: &Target, raw: &[f64], output: usize, slopes: &mut [[f64; 2]]) {
    match target {
        Target::Number(values) => {
            for (slope, (&row, raw)) in slopes.iter_mut().zip(rows.iter().zip(raw)) {
                *slope = [raw - values[row as usize], 1.0];
            }
        }
        Target::Class(labels, classes) if *classes > 2 => {
            let factor = *classes as f64 / (*classes as f64 - 1.0);
            for (slope, (&row, raw)) in slopes.iter_mut().zip(rows.iter().zip(raw.chunks_exact(*classes))) {
                let top = raw.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let total: f64 = raw.iter().map(|score| (score - top).exp()).sum();
                let p = (raw[output] - top).exp() / total;
                *slope = [p - f64::from(labels[row as usize] as usize == output), factor * p * (1.0 - p)];
            }
        }
        Target::Class(labels, _) => {
            for (slope, (&row, raw)) in slopes.iter_mut().zip(rows.iter().zip(raw)) {
                let p = 1.0 / (1.0 + (-raw).exp());
                *slope = [p - f64::from(labels[row as usize]), p * (1.0 - p)];
            }
        }
    }
}

/// A binary tree; node 0 is the root.
struct Tree {
    nodes: Vec<Node>,
}

enum Node {
    Leaf(f64),
    /// Rows whose bin is in the set go to `left`, others to `right`.
    Fork {
        feature: usize,
        set: [u64; 4],
        left: usize,
        right: usize,
    },
}

impl Tree {
    fn value(&self, binned: &Binned, row: usize) -> f64 {
        let mut at = 0;
        loop {
            match &self.nodes[at] {
                Node::Leaf(value) => return *value,
                Node::Fork { feature, set, left, right } => {
                    at = if holds(set, binned.features[*feature].bins[row]) { *left } else { *right };
                }
            }
        }
    }
}

fn holds(set: &[u64; 4], bin: u8) -> bool {
    set[bin as usize >> 6] >> (bin & 63) & 1 == 1
}

/// Grows trees over one set of rows, reusing its memory.
struct Grower<'a> {
    binned: &'a Binned,
    rows: &'a [u32],
    growth: Growth,
    /// Positions in `rows`, leaf by leaf.
    order: Vec<u32>,
    /// The leaves of the last tree: their part of `order`, and their value.
    leaves: Vec<(std::ops::Range<usize>, f64)>,
    offsets: Vec<usize>,
    spare: Vec<Histogram>,
    gathered: Vec<(u32, [f64; 2])>,
}

/// A leaf that may yet be split.
struct Open {
    node: usize,
    range: std::ops::Range<usize>,
    histogram: Histogram,
    split: Option<Split>,
    value: f64,
}

impl<'a> Grower<'a> {
    fn new(binned: &'a Binned, rows: &'a [u32], growth: Growth) -> Grower<'a> {
        let mut offsets = vec![0];
        for feature in &binned.features {
            offsets.push(offsets[offsets.len() - 1] + feature.count);
        }
        let (order, leaves, spare, gathered) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Grower { binned, rows, growth, order, leaves, offsets, spare, gathered }
    }

    fn grow(&mut self, slopes: &[[f64; 2]]) -> Tree {
        self.order.clear();
        self.order.extend(0..self.rows.len() as u32);
        self.leaves.clear();
        let mut nodes = vec![Node::Leaf(0.0)];
        let all = 0..self.rows.len();
        let histogram = self.histogram(all.clone(), slopes);
        let sums = slopes.iter().fold(Sums::default(), |sums, slope| sums.with(*slope));
        let mut open = vec![self.open(0, all, histogram, sums, sums.output(0.0))];
        while open.len() < self.growth.leaves {
            let Some(at) = best_leaf(&open) else { break };
            let parent = open.swap_remove(at);
            let Some(split) = parent.split else { break };
            let middle = self.partition(parent.range.clone(), split.feature, &split.set);
            let (left, right) = (parent.range.start..middle, middle..parent.range.end);
            let smaller = if left.len() <= right.len() { left.clone() } else { right.clone() };
            let small = self.histogram(smaller.clone(), slopes);
            let mut large = parent.histogram;
            large.subtract(&small);
            let (of_left, of_right) = if smaller == left { (small, large) } else { (large, small) };
            let [left_node, right_node] = [nodes.len(), nodes.len() + 1];
            nodes.push(Node::Leaf(0.0));
            nodes.push(Node::Leaf(0.0));
            nodes[parent.node] =
                Node::Fork { feature: split.feature, set: split.set, left: left_node, right: right_node };
            let left = self.open(left_node, left, of_left, split.left, split.left.output(split.damping));
            let right = self.open(right_node, right, of_right, split.right, split.right.output(split.damping));
            open.push(left);
            open.push(right);
        }
        for leaf in open {
            let value = leaf.value * self.growth.rate;
            nodes[leaf.node] = Node::Leaf(value);
            self.leaves.push((leaf.range, value));
            self.spare.push(leaf.histogram);
        }
        Tree { nodes }
    }

    fn open(&self, node: usize, range: std::ops::Range<usize>, histogram: Histogram, sums: Sums, value: f64) -> Open {
        let split = best(self.binned, &self.offsets, &histogram, sums, range.len());
        Open { node, range, histogram, split, value }
    }

    /// The derivatives of the rows in `range`, summed by feature and bin.
    fn histogram(&mut self, range: std::ops::Range<usize>, slopes: &[[f64; 2]]) -> Histogram {
        let mut histogram = self.spare.pop().unwrap_or_else(|| Histogram::new(self.offsets[self.offsets.len() - 1]));
        histogram.clear();
        self.gathered.clear();
        let rows = self.rows;
        self.gathered.extend(self.order[range].iter().map(|&at| (rows[at as usize], slopes[at as usize])));
        for (feature, offset) in self.binned.features.iter().zip(&self.offsets) {
            histogram.add(*offset, feature, &self.gathered);
        }
        histogram
    }

    /// Puts the positions whose bin is in `set` first, keeping both parts in order; gives where the others begin.
    fn partition(&mut self, range: std::ops::Range<usize>, feature: usize, set: &[u64; 4]) -> usize {
        let bins = &self.binned.features[feature].bins;
        let (mut inside, mut outside) = (Vec::with_capacity(range.len()), Vec::new());
        for &at in &self.order[range.clone()] {
            let part = if holds(set, bins[self.rows[at as usize] as usize]) { &mut inside } else { &mut outside };
            part.push(at);
        }
        let middle = range.start + inside.len();
        self.order[range.start..middle].copy_from_slice(&inside);
        self.order[middle..range.end].copy_from_slice(&outside);
        middle
    }
}

fn best_leaf(open: &[Open]) -> Option<usize> {
    let mut best: Option<(usize, f64, usize)> = None;
    for (at, leaf) in open.iter().enumerate() {
        if let Some(split) = &leaf.split {
            // Of equal gains the older leaf goes first, whatever its place in the list.
            if best.is_none_or(|(_, gain, node)| split.gain > gain || (split.gain == gain && leaf.node < node)) {
                best = Some((at, split.gain, leaf.node));
            }
        }
    }
    best.map(|(at, ..)| at)
}
