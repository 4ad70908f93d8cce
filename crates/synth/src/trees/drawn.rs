//! A column drawn from a tree: training values of all columns come in, questions and leaves go out; at sampling, the
//! codes of the columns before it lead to the leaf that a value is drawn from.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::laws::absent::{Absence, Verdict};
use crate::laws::guard::{Guard, lawful};
use crate::random::{Random, some_rows};
use crate::trees::leaf::{Leaf, Spread, Subject};
use crate::trees::line::Parent;
use crate::trees::screen::screen;
use crate::trees::shape::{Class, LEFT_OUT, Shape};
use crate::trees::tree::{Feature, Grown, Limits, Target, grow, holds};

/// Rows that the questions of a tree are chosen by at most. More of them gain little, but cost in proportion.
const ROWS_MAX: usize = 300_000;

/// Set in a [`Question`]'s way where it leads to a leaf.
const TO_LEAF: u32 = 1 << 31;

/// A tree over nodes, with something to draw from at every leaf.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Drawn {
    /// Inner places; the first is asked first. Without any, leaf 0 answers.
    pub(crate) questions: Vec<Question>,
    /// What is drawn from: the leaves, then what some inner places hold.
    pub(crate) leaves: Vec<Leaf>,
    /// One per leaf: how often a draw goes to the place above instead, and which leaf describes that.
    pub(crate) lifts: Vec<Lift>,
}

/// A way up from a leaf: the share of draws that take it, and where it leads.
pub(crate) type Lift = (f64, u32);

/// Rows that describe numbers at a place above the leaves, about.
const ABOVE_MAX: usize = 400;

/// Ways up taken more seldom than this are closed.
const LIFT_MIN: f64 = 0.03;

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
    pub(crate) classes: Vec<Class>,
    /// What the values can be.
    pub(crate) shape: Shape,
    /// Whether values have no order.
    pub(crate) nominal: bool,
    /// Place of each class in an order in which neighbours are alike, where values have no order and are many.
    pub(crate) places: Vec<u32>,
}

/// What is learned from what.
pub(crate) struct Lesson<'a> {
    /// Every node's training columns.
    pub(crate) nodes: &'a [Seen],
    /// The node to learn.
    pub(crate) target: usize,
    /// Nodes known before it.
    pub(crate) before: &'a [u16],
    /// Fewest rows of a value shown as it is.
    pub(crate) floor: usize,
    /// Fewest rows of a leaf; follows from the table if `None`.
    pub(crate) leaf: Option<usize>,
    /// For the choice of rows where there are too many.
    pub(crate) seed: u64,
}

/// Learns a node over the given rows (ascending).
pub(crate) fn learn(lesson: &Lesson, rows: Vec<u32>) -> Drawn {
    let Lesson { nodes, target, before, floor, .. } = *lesson;
    let subject = &nodes[target];
    let seed = crate::random::mix(lesson.seed ^ target as u64);
    let mut rows = rows;
    rows.retain(|&row| subject.classes[row as usize] != LEFT_OUT);
    let mut all = Vec::new();
    if rows.len() > ROWS_MAX {
        let some = some_rows(rows.len(), ROWS_MAX, seed).iter().map(|&at| rows[at as usize]).collect();
        all = std::mem::replace(&mut rows, some);
    }
    let before = &screen(nodes, target, before, &rows)[..];
    let features: Vec<Feature> = before
        .iter()
        .map(|&node| Feature { codes: &nodes[node as usize].codes, nominal: nodes[node as usize].nominal })
        .collect();
    let (count, ordered) = (subject.shape.classes(), !subject.nominal);
    let goal = Target { classes: &subject.classes, count, ordered, places: &subject.places };
    let mut limits = limits_for(subject, &rows);
    limits.leaf_min = lesson.leaf.unwrap_or(limits.leaf_min);
    let mut grown = grow(&features, goal, rows, limits);
    let continuous = matches!(subject.shape, Shape::Continuous { .. });
    if !continuous && !all.is_empty() {
        // A list shows all that its rows hold: a part of them would lose most levels of a large category.
        grown = grown.holding(&features, all);
    }
    let parents = if continuous { line_parents(nodes, target, before, &grown.rows) } else { Vec::new() };
    let parents: Vec<Parent> =
        parents.iter().map(|&node| Parent { node, values: &nodes[node as usize].values }).collect();
    let about =
        Subject { values: &subject.values, classes: &subject.classes, shape: &subject.shape, parents: &parents, floor };
    Drawn::of(&grown, before, &about)
}

/// How far a tree grows. Choosing the limits per column by the likelihood of rows held back was tried and left: it
/// prefers leaves several times as large, which a discriminator then tells from real rows, while leaves of this size
/// keep the distances of fresh rows. Small tables need weaker splits to show their dependences at all.
fn limits_for(subject: &Seen, rows: &[u32]) -> Limits {
    let blurred = |row: &&u32| {
        let value = subject.values[**row as usize];
        !value.is_nan() && !subject.shape.atom(value)
    };
    let mostly_blurred =
        matches!(subject.shape, Shape::Continuous { .. }) && rows.iter().filter(blurred).count() * 5 > rows.len();
    let small = rows.len() < 2000;
    let leaf_min = match (mostly_blurred, small) {
        (true, true) => 30,
        (true, false) => 85,
        (false, true) => 15,
        // The more classes, the more a leaf's few rows show of themselves.
        (false, false) => 22 + subject.shape.classes().min(100) * 2 / 5,
    };
    Limits { leaf_min, score_min: (rows.len() as f64 / 1000.0).log10().clamp(0.0, 1.0) }
}

/// How much of what chance accounts for is taken back. Taking all of it back weakens every dependence a little, which
/// shows where rows are many; where they are few, the noise of a split weighs more.
fn lift_scale(rows: usize) -> f64 {
    if rows < 2000 { 1.0 } else { 0.5 }
}

/// For every branch, how often a draw is to come from its parent instead, and the parent. A split that gains little
/// more than chance would is believed only so far: its sides are drawn towards each other by the share of the gain that
/// chance accounts for (James and Stein 1961, "Estimation with quadratic loss").
fn lifts_of(grown: &Grown, scale: f64) -> Vec<(f64, usize)> {
    let mut lifts = vec![(0.0, 0); grown.branches.len()];
    for (at, branch) in grown.branches.iter().enumerate() {
        let Some(split) = &branch.split else { continue };
        let chance = (split.chance * scale).min(1.0);
        if chance >= LIFT_MIN {
            lifts[split.yes] = (chance, at);
            lifts[split.no] = (chance, at);
        }
    }
    lifts
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

/// The linear correlation over these rows, 0 where too few have both values.
pub(crate) fn correlation(a: &[f64], b: &[f64], rows: &[u32]) -> f64 {
    let both =
        || rows.iter().map(|&row| (a[row as usize], b[row as usize])).filter(|(x, y)| !x.is_nan() && !y.is_nan());
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
        let lifts = lifts_of(grown, lift_scale(grown.rows.len()));
        let mut place = vec![0u32; grown.branches.len()];
        let mut held: Vec<usize> = Vec::new();
        let mut inner = 0;
        for (at, branch) in grown.branches.iter().enumerate() {
            if branch.split.is_some() {
                place[at] = inner;
                inner += 1;
            } else {
                place[at] = held.len() as u32 | TO_LEAF;
                held.push(at);
            }
        }
        let questions = grown.branches.iter().filter_map(|branch| branch.split.as_ref()).map(|split| Question {
            node: before[split.feature],
            mask: split.mask,
            ways: [place[split.yes], place[split.no]],
        });
        let questions = questions.collect();
        // Children come behind their parents among the branches, so that every way up leads to a later leaf.
        let mut above: Vec<usize> = lifts.iter().filter(|lift| lift.0 > 0.0).map(|lift| lift.1).collect();
        above.sort_unstable_by_key(|&at| std::cmp::Reverse(at));
        above.dedup();
        held.extend(above);
        let mut position = vec![0u32; grown.branches.len()];
        held.iter().enumerate().for_each(|(at, &branch)| position[branch] = at as u32);
        let rows = |&at: &usize| &grown.rows[grown.branches[at].from..grown.branches[at].to];
        let describe = |at: &usize| {
            let rows = rows(at);
            // Numbers above the leaves are drawn from now and then only: some of their rows describe them well enough.
            if grown.branches[*at].split.is_some() && rows.len() >= 2 * ABOVE_MAX && about.continuous() {
                let some: Vec<u32> = rows.iter().step_by(rows.len() / ABOVE_MAX).copied().collect();
                return Leaf::of(about, &some);
            }
            Leaf::of(about, rows)
        };
        let leaves = held.par_iter().map(describe).collect();
        let lift = |&at: &usize| if lifts[at].0 > 0.0 { (lifts[at].0, position[lifts[at].1]) } else { (0.0, 0) };
        Drawn { questions, leaves, lifts: held.iter().map(lift).collect() }
    }

    /// The nodes that it asks.
    pub(crate) fn needs(&self) -> Vec<u16> {
        let mut needed: Vec<u16> = self.questions.iter().map(|question| question.node).collect();
        for leaf in &self.leaves {
            if let Leaf::Numbers { spread: Spread { line: Some(line), .. }, .. } = leaf {
                needed.extend(line.terms.iter().map(|term| term.node));
            }
        }
        needed.sort_unstable();
        needed.dedup();
        needed
    }

    /// Whether every way leads on to a leaf, and every leaf fits the shape.
    pub(crate) fn sound(&self, shape: &Shape) -> bool {
        let leads = |at: usize, way: u32| {
            if way & TO_LEAF != 0 {
                ((way & !TO_LEAF) as usize) < self.leaves.len()
            } else {
                way as usize > at && (way as usize) < self.questions.len()
            }
        };
        let fits = |leaf: &Leaf| match (leaf, shape) {
            (Leaf::Classes { classes, totals }, Shape::Discrete { values }) => {
                classes.len() == totals.len()
                    && classes.iter().all(|&class| class as usize <= values.len())
                    && totals.is_sorted()
            }
            (Leaf::Numbers { .. }, Shape::Continuous { .. }) => true,
            _ => false,
        };
        let ways =
            self.questions.iter().enumerate().all(|(at, question)| question.ways.iter().all(|&way| leads(at, way)));
        let up = |(at, lift): (usize, &Lift)| {
            lift.0 == 0.0
                || (lift.0 > 0.0 && lift.0 <= 1.0 && lift.1 as usize > at && (lift.1 as usize) < self.leaves.len())
        };
        let ways = ways && self.lifts.len() == self.leaves.len() && self.lifts.iter().enumerate().all(up);
        ways && !self.leaves.is_empty() && self.leaves.iter().all(fits)
    }

    /// A value for each of the `rows` rows of a block, NaN for missing. `codes` and `known` are the block's nodes
    /// drawn so far. Rows that share a leaf draw from equal shares of it, and a fixed share of them goes up instead,
    /// so that a block shows a leaf's distribution with less noise than independent draws would.
    pub(crate) fn draw(&self, about: &Drawing, rows: usize, random: &mut Random) -> Vec<f64> {
        let Drawing { shape, codes, known, .. } = *about;
        let mut open: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        (0..rows).for_each(|row| open.entry(self.leaf(codes, row)).or_default().push(row as u32));
        let mut drawn = vec![f64::NAN; rows];
        while let Some((place, mut group)) = open.pop_first() {
            random.shuffle(&mut group);
            let (lift, above) = self.lifts[place as usize];
            if lift > 0.0 {
                let count = (group.len() as f64 * lift + random.unit()) as usize;
                let lifted = group.split_off(group.len() - count.min(group.len()));
                open.entry(above).or_default().extend(lifted);
            }
            let leaf = &self.leaves[place as usize];
            for (share, &row) in group.iter().enumerate() {
                let at = (share as f64 + random.unit()) / group.len() as f64;
                let row = row as usize;
                let mut value = leaf.draw(shape, at, known, row, random);
                if !about.guards.is_empty() {
                    value = about.lawful(leaf, value, row, random);
                }
                let verdict = about.verdict(row);
                for _ in 0..8 {
                    if verdict == Verdict::Present && value.is_nan() {
                        value = leaf.draw(shape, random.unit(), known, row, random);
                    }
                }
                drawn[row] = if verdict == Verdict::Missing { f64::NAN } else { value };
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

/// What a block knows when a node is drawn.
#[derive(Clone, Copy)]
pub(crate) struct Drawing<'a> {
    /// The node's shape.
    pub(crate) shape: &'a Shape,
    /// Codes per node drawn so far.
    pub(crate) codes: &'a [Vec<u8>],
    /// Values per node drawn so far.
    pub(crate) known: &'a [Vec<f64>],
    /// What may stand beside what, with the shape of the earlier node.
    pub(crate) guards: &'a [(&'a Guard, &'a Shape)],
    /// What decides absence.
    pub(crate) absences: &'a [Absence],
}

impl Drawing<'_> {
    fn verdict(&self, row: usize) -> Verdict {
        let said = |rule: &Absence| rule.verdicts[self.codes[rule.node as usize][row] as usize];
        self.absences.iter().map(said).find(|&v| v != Verdict::Open).unwrap_or(Verdict::Open)
    }

    fn lawful(&self, leaf: &Leaf, value: f64, row: usize, random: &mut Random) -> f64 {
        let guards: Vec<(&Guard, Class)> = self
            .guards
            .iter()
            .map(|(guard, shape)| (*guard, shape.class(self.known[guard.node as usize][row])))
            .collect();
        let class = self.shape.class(value);
        if guards.iter().all(|(guard, earlier)| guard.allows(*earlier, class)) {
            return value;
        }
        match (lawful(leaf, &guards, random), self.shape) {
            (Some(0), _) => f64::NAN,
            (Some(class), Shape::Discrete { values }) => values[class as usize - 1],
            _ => value,
        }
    }
}
