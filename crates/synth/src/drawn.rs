//! A column drawn from a tree: training values of all columns come in, questions and leaves go out; at sampling, the
//! codes of the columns before it lead to the leaf that a value is drawn from.

use rayon::prelude::*;

use crate::choose::choose;
use crate::leaf::{Leaf, Subject};
use crate::line::Parent;
use crate::random::{Random, some_rows};
use crate::shape::{LEFT_OUT, Shape};
use crate::tree::{Feature, Grown, Target, grow, holds};

/// Rows that a tree is grown on at most.
const ROWS_MAX: usize = 300_000;

/// Set in a [`Question`]'s way where it leads to a leaf.
const TO_LEAF: u32 = 1 << 31;

/// A tree over nodes, with something to draw from at every leaf.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Drawn {
    /// Inner places; the first is asked first. Without any, leaf 0 answers.
    pub(crate) questions: Vec<Question>,
    /// What is drawn from.
    pub(crate) leaves: Vec<Leaf>,
}

/// One inner place: does the code of `node` lie in `mask`?
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Question {
    /// The node asked.
    pub(crate) node: u16,
    /// One bit per code.
    pub(crate) mask: [u64; 4],
    /// Where yes and no lead.
    pub(crate) ways: [u32; 2],
}

/// Training columns as trees see them.
pub(crate) struct Seen {
    /// Ticks per row.
    pub(crate) values: Vec<f64>,
    /// Codes per row.
    pub(crate) codes: Vec<u8>,
    /// Classes per row.
    pub(crate) classes: Vec<u16>,
    /// What the values can be.
    pub(crate) shape: Shape,
    /// Whether values have no order.
    pub(crate) nominal: bool,
}

/// Learns node `target` from the nodes `before` it, over the given rows (ascending).
pub(crate) fn learn(nodes: &[Seen], target: usize, before: &[u16], rows: &[u32], floor: usize, seed: u64) -> Drawn {
    let subject = &nodes[target];
    let seed = crate::random::mix(seed ^ target as u64);
    let mut rows: Vec<u32> = rows.iter().copied().filter(|&row| subject.classes[row as usize] != LEFT_OUT).collect();
    if rows.len() > ROWS_MAX {
        rows = some_rows(rows.len(), ROWS_MAX, seed).iter().map(|&at| rows[at as usize]).collect();
    }
    let features: Vec<Feature> =
        before.iter().map(|&node| Feature { codes: &nodes[node as usize].codes, nominal: nodes[node as usize].nominal }).collect();
    let ordered = !subject.nominal;
    let goal = Target { classes: &subject.classes, count: subject.shape.classes(), ordered };
    let continuous = matches!(subject.shape, Shape::Continuous { .. });
    let leaves: &[usize] = if continuous { &[40, 80, 200] } else { &[15, 25, 50, 100] };
    let limits = choose(&features, goal, &rows, leaves, seed);
    let mut limits = limits; if let Ok(v) = std::env::var("LIM") { let v: Vec<f64> = v.split(",").map(|x| x.parse().unwrap()).collect(); limits.leaf_min = if continuous { v[2] as usize } else { v[0] as usize }; limits.score_min = v[1]; }
    let grown = grow(&features, goal, rows, limits);
    if std::env::var("DBG").is_ok() { eprintln!("node {target} classes {} cont {continuous} limits {limits:?} leaves {}", subject.shape.classes(), grown.branches.len() / 2 + 1); }
    let parents = if continuous { line_parents(nodes, target, before, &grown.rows) } else { Vec::new() };
    let parents: Vec<Parent> = parents.iter().map(|&node| Parent { node, values: &nodes[node as usize].values }).collect();
    let about = Subject { values: &subject.values, classes: &subject.classes, shape: &subject.shape, parents: &parents, floor };
    Drawn::of(&grown, before, &about)
}

/// The numeric columns most correlated with the target, on a sample of rows.
fn line_parents(nodes: &[Seen], target: usize, before: &[u16], rows: &[u32]) -> Vec<u16> {
    const KEPT: usize = 12;
    let able = |node: &&u16| {
        let node = &nodes[**node as usize];
        !node.nominal && node.shape.classes() > 4
    };
    let mut candidates: Vec<u16> = before.iter().filter(able).copied().collect();
    if candidates.len() > KEPT {
        let sample: Vec<u32> = rows.iter().step_by(rows.len().div_ceil(4000)).copied().collect();
        let strength = |node: u16| correlation(&nodes[node as usize].values, &nodes[target].values, &sample).abs();
        let mut ranked: Vec<(f64, u16)> = candidates.iter().map(|&node| (strength(node), node)).collect();
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        candidates = ranked[..KEPT].iter().map(|r| r.1).collect();
    }
    candidates
}

fn correlation(a: &[f64], b: &[f64], rows: &[u32]) -> f64 {
    let both = || rows.iter().map(|&row| (a[row as usize], b[row as usize])).filter(|(x, y)| !x.is_nan() && !y.is_nan());
    let n = both().count() as f64;
    if n < 10.0 {
        return 0.0;
    }
    let (mut sa, mut sb) = (0.0, 0.0);
    both().for_each(|(x, y)| (sa, sb) = (sa + x, sb + y));
    let (ma, mb) = (sa / n, sb / n);
    let (mut aa, mut bb, mut ab) = (0.0, 0.0, 0.0);
    both().for_each(|(x, y)| {
        let (x, y) = (x - ma, y - mb);
        (aa, bb, ab) = (aa + x * x, bb + y * y, ab + x * y);
    });
    if aa > 0.0 && bb > 0.0 { ab / (aa * bb).sqrt() } else { 0.0 }
}

impl Drawn {
    fn of(grown: &Grown, before: &[u16], about: &Subject) -> Drawn {
        let mut place = vec![0u32; grown.branches.len()];
        let mut leaf_rows: Vec<&[u32]> = Vec::new();
        let mut inner = 0;
        for (at, branch) in grown.branches.iter().enumerate() {
            if branch.split.is_some() {
                place[at] = inner;
                inner += 1;
            } else {
                place[at] = leaf_rows.len() as u32 | TO_LEAF;
                leaf_rows.push(&grown.rows[branch.from..branch.to]);
            }
        }
        let questions = grown.branches.iter().filter_map(|branch| branch.split.as_ref()).map(|split| Question {
            node: before[split.feature],
            mask: split.mask,
            ways: [place[split.yes], place[split.no]],
        });
        let leaves = leaf_rows.par_iter().map(|rows| Leaf::of(about, rows)).collect();
        Drawn { questions: questions.collect(), leaves }
    }

    /// A value for each of the `rows` rows of a block, NaN for missing. `codes` and `known` are the block's nodes
    /// drawn so far. Rows that share a leaf draw from equal shares of it, so that a block shows a leaf's distribution
    /// with less noise than independent draws would.
    pub(crate) fn draw(&self, shape: &Shape, codes: &[Vec<u8>], known: &[Vec<f64>], rows: usize, random: &mut Random) -> Vec<f64> {
        let mut by_leaf: Vec<(u32, u32)> = (0..rows).map(|row| (self.leaf(codes, row), row as u32)).collect();
        by_leaf.sort_unstable();
        let mut drawn = vec![f64::NAN; rows];
        let mut shares: Vec<u32> = Vec::new();
        for group in by_leaf.chunk_by(|a, b| a.0 == b.0) {
            let leaf = &self.leaves[group[0].0 as usize];
            shares.clear();
            shares.extend(0..group.len() as u32);
            random.shuffle(&mut shares);
            for (&share, &(_, row)) in shares.iter().zip(group) {
                let at = (share as f64 + random.unit()) / group.len() as f64;
                drawn[row as usize] = leaf.draw(shape, at, known, row as usize, random);
            }
        }
        drawn
    }

    fn leaf(&self, codes: &[Vec<u8>], row: usize) -> u32 {
        let mut at = 0;
        while let Some(question) = self.questions.get(at) {
            let no = !holds(&question.mask, codes[question.node as usize][row]);
            let way = question.ways[no as usize];
            if way & TO_LEAF != 0 {
                return way & !TO_LEAF;
            }
            at = way as usize;
        }
        0
    }
}
