//! Fitting the tabular engine: a table comes in, a fitted [`Trees`] goes out.

use rayon::prelude::*;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use table::{Spelling, Table};

use crate::config::constraint::Constraint;
use crate::draft::{Draft, Measure};
use crate::encode::{Encoded, encode};
use crate::filters::{Copies, Filters, Strictness, protections};
use crate::generator::{Node, Output, Trees, row_print};
use crate::laws::absent::{Absence, Verdict, find_absences};
use crate::laws::declare::declare;
use crate::laws::find_forms::find_forms;
use crate::laws::find_lines::find_lines;
use crate::laws::find_lookups::{Tied, find_lookups};
use crate::laws::find_sums::find_arithmetic;
use crate::laws::find_time::find_calendar;
use crate::laws::find_totals::find_totals;
use crate::laws::guard::Guard;
use crate::laws::law::Law;
use crate::laws::rule::{Rule, Sight, resolve};
use crate::makers::maker::{Maker, find_makers};
use crate::makers::pattern::Pattern;
use crate::model::{Note, Progress, Unfit};
use crate::random::mix;
use crate::sieve::Sieve;
use crate::trees::drawn::{Drawn, Lesson, Seen, correlation, learn};
use crate::trees::levels::{Likeness, add_directions, liken};
use crate::trees::shape::{Binning, Order, Shape, Tally};

/// Fewest rows that a model is made of.
pub(crate) const ROWS_MIN: usize = 5;

/// Settings of a fit.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Fewest rows that must hold a value for it to be shown as it is.
    pub(crate) floor: usize,
    /// Fewest rows that a leaf describes; follows from the table if `None`.
    pub(crate) leaf: Option<usize>,
    /// What every row has to keep.
    pub(crate) constraints: Vec<Constraint>,
    /// Whether rows that look like outliers are drawn anew.
    pub(crate) outliers: Strictness,
    /// Whether rows that are like a training row are drawn anew.
    pub(crate) similarity: Strictness,
    /// Columns that name the group of a row, if rows belong together.
    pub(crate) group_by: Vec<String>,
    /// The column that orders the rows of a group.
    pub(crate) order_by: Option<String>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            floor: 5,
            leaf: None,
            constraints: Vec::new(),
            outliers: Strictness::Auto,
            similarity: Strictness::Auto,
            group_by: Vec::new(),
            order_by: None,
        }
    }
}

/// Says how far the fit is; answers whether to go on.
pub(crate) type Told<'a> = &'a (dyn Fn(Progress) -> bool + Sync);

/// Learns a generator. The rows of `beside` are not learned, but count where it is asked how many rows hold a value.
pub(crate) fn fit(
    real: &Table,
    beside: Option<&Table>,
    settings: &Settings,
    notes: Vec<Note>,
    seed: u64,
    progress: Told,
) -> Result<Trees, Unfit> {
    if real.columns() == 0 {
        return Err(Unfit::NoColumns);
    }
    if real.rows() < ROWS_MIN {
        return Err(Unfit::TooFewRows { rows: real.rows(), rows_min: ROWS_MIN });
    }
    let floor = settings.floor;
    let mut notes = notes;
    let encoded: Vec<Encoded> =
        (0..real.columns()).into_par_iter().map(|index| encode(real, index, floor, None, beside)).collect();
    let sights: Vec<Sight> = (0..real.columns())
        .map(|at| Sight { name: real.name(at), spelling: real.spelling(at), scale: &encoded[at].scale })
        .collect();
    let demands = resolve(&settings.constraints, &sights).map_err(Unfit::Misfit)?;
    let (encoded, makers) = find_makers(real, beside, encoded, &demands.wants, floor, seed, &mut notes);
    let columns = encoded.into_iter().zip(makers).zip(demands.wants).enumerate();
    let columns = columns.map(|(at, ((encoded, maker), want))| Material {
        pattern: want.pattern,
        ..Material::of(real, at, encoded, maker)
    });
    let (outliers, similarity) = (settings.outliers, settings.similarity);
    notes.extend(protections(settings));
    let terms = Terms { leaf: settings.leaf, rules: demands.rules, outliers, similarity, ..Terms::plain(floor, seed) };
    learn_trees(columns.collect(), &terms, notes, progress)
}

/// One column to be learned.
pub(crate) struct Material {
    /// Its name.
    pub(crate) name: String,
    /// How the source wrote it.
    pub(crate) spelling: Spelling,
    /// Its values.
    pub(crate) encoded: Encoded,
    /// What makes its values where no list holds them.
    pub(crate) maker: Option<Maker>,
    /// What its texts have to match.
    pub(crate) pattern: Option<Pattern>,
    /// Whether it is no column of the table.
    pub(crate) hidden: bool,
}

impl Material {
    /// Column `at` of a table.
    pub(crate) fn of(table: &Table, at: usize, encoded: Encoded, maker: Option<Maker>) -> Material {
        let (name, spelling) = (table.name(at).to_string(), table.spelling(at).clone());
        Material { name, spelling, encoded, maker, pattern: None, hidden: false }
    }
}

/// On what terms columns are learned.
pub(crate) struct Terms<'a> {
    /// Fewest rows of a value shown as it is.
    pub(crate) floor: usize,
    /// Fewest rows that a leaf describes; follows from the table if `None`.
    pub(crate) leaf: Option<usize>,
    /// Seed of the fit.
    pub(crate) seed: u64,
    /// Positions of the columns that will come with every row asked for.
    pub(crate) given: &'a [usize],
    /// What every row has to keep.
    pub(crate) rules: Vec<Rule>,
    /// Whether rows that look like outliers are drawn anew.
    pub(crate) outliers: Strictness,
    /// Whether rows that are like a training row are drawn anew.
    pub(crate) similarity: Strictness,
    /// The rows that must not be drawn, where they are known already.
    pub(crate) copies: Option<Copies>,
    /// Whom each row belongs to, where several may belong to one: values count once for each.
    pub(crate) units: Option<&'a [u32]>,
}

impl Terms<'_> {
    /// Nothing given, nothing demanded.
    pub(crate) fn plain(floor: usize, seed: u64) -> Terms<'static> {
        Terms {
            floor,
            leaf: None,
            seed,
            given: &[],
            rules: Vec::new(),
            outliers: Strictness::Off,
            similarity: Strictness::Auto,
            copies: None,
            units: None,
        }
    }
}

/// Learns trees over columns that are numbers already.
pub(crate) fn learn_trees(
    columns: Vec<Material>,
    terms: &Terms,
    mut notes: Vec<Note>,
    progress: Told,
) -> Result<Trees, Unfit> {
    let &Terms { floor, seed, given, units, .. } = terms;
    let (mut drafts, outputs) = drafts_of(columns, given);
    let mut rules = terms.rules.clone();
    let mut kept = declare(&mut drafts, &mut rules, floor).map_err(Unfit::Misfit)?;
    find_calendar(&mut drafts, floor, &mut notes);
    find_arithmetic(&mut drafts, &mut notes);
    find_totals(&mut drafts, &mut notes);
    find_forms(&mut drafts, &mut notes);
    find_lines(&mut drafts);
    let mut likenesses = liken(&drafts);
    add_directions(&mut drafts, &mut likenesses);
    let apart: Vec<bool> = (0..drafts.len()).into_par_iter().map(|at| stands_alone(&drafts, at)).collect();
    let (seen, binnings): (Vec<Seen>, Vec<Binning>) = drafts
        .par_iter_mut()
        .zip(apart)
        .zip(likenesses)
        .map(|((draft, apart), likeness)| see(draft, apart, likeness, floor, units))
        .unzip();
    kept.extend(find_lookups(&mut drafts, &seen, floor, &mut notes));
    let laws: Vec<Option<Law>> = drafts.iter_mut().map(|draft| draft.law.take()).collect();
    let alike: Vec<Option<u16>> = drafts.iter().map(|draft| draft.like).collect();
    let plan = Plan {
        order: order_of(&seen, &laws, &alike),
        seen,
        laws,
        kept,
        floor,
        leaf: terms.leaf,
        seed,
        open: !given.is_empty(),
    };
    let nodes = plan.learn_all(progress)?;
    let codes: Vec<&[u8]> = outputs
        .iter()
        .map(|output| if output.counts() { plan.seen[output.node as usize].codes.as_slice() } else { &[] })
        .collect();
    let filters = Filters::learn(&codes, terms.outliers, terms.similarity, floor, mix(seed));
    let prints = if terms.copies.is_none() { prints_of(&outputs, &plan.seen) } else { Vec::new() };
    let grids: Vec<bool> = drafts.iter().map(|draft| draft.grid).collect();
    let nodes = plan.seen.into_iter().zip(plan.laws).zip(nodes).zip(binnings).zip(grids).map(
        |((((seen, law), learned), binning), grid)| Node {
            shape: seen.shape,
            binning,
            grid,
            law,
            drawn: learned.drawn,
            guards: learned.guards,
            absences: learned.absences,
        },
    );
    let nodes = nodes.collect();
    let mut trees = Trees { nodes, order: plan.order, outputs, copies: Copies::none(), filters, rules, notes };
    trees.copies = match (&terms.copies, prints) {
        (Some(copies), _) => copies.clone(),
        (None, prints) => copies_of(&trees, prints, terms),
    };
    Ok(trees)
}

/// The drafts that the trees learn, and the columns they stand for.
fn drafts_of(columns: Vec<Material>, given: &[usize]) -> (Vec<Draft>, Vec<Output>) {
    let mut drafts: Vec<Draft> = Vec::with_capacity(columns.len());
    let mut outputs: Vec<Output> = Vec::with_capacity(columns.len());
    for (at, Material { name, spelling, encoded, maker, pattern, hidden }) in columns.into_iter().enumerate() {
        let (mut draft, scale) = match &maker {
            Some(maker) if maker.makes_all() => Draft::presence(&name, encoded),
            maker => Draft::of(&name, encoded, maker.is_some()),
        };
        draft.law = given.contains(&at).then_some(Law::Given);
        drafts.push(draft);
        outputs.push(Output { name, spelling, scale, node: at as u16, maker, pattern, hidden });
    }
    (drafts, outputs)
}

/// Fingerprints of the training rows, ascending.
fn prints_of(outputs: &[Output], seen: &[Seen]) -> Vec<u64> {
    let rows = seen[0].values.len();
    let print = |row: usize| row_print(outputs.iter(), |at| seen[outputs[at].node as usize].values[row]);
    let mut prints: Vec<u64> = (0..rows).into_par_iter().filter_map(print).collect();
    prints.par_sort_unstable();
    prints
}

/// The training rows that must not be drawn: those that fewer than the floor of rows are equal to. A row of the training
/// table that is equal to another of it shows how often a fresh row would be.
fn copies_of(trees: &Trees, prints: Vec<u64>, terms: &Terms) -> Copies {
    const PROBED: usize = 4096;
    if terms.similarity == Strictness::Off {
        return Copies::none();
    }
    let mut copies = Copies { sieve: Sieve::new(prints.len(), mix(terms.seed)), kept: 0.0 };
    let mut shared = 0;
    for run in prints.chunk_by(|a, b| a == b).filter(|run| run.len() < terms.floor) {
        copies.sieve.add_print(run[0]);
        shared += if run.len() > 1 { run.len() } else { 0 };
    }
    if shared > 0 && terms.similarity == Strictness::Auto && terms.given.is_empty() {
        let drawn = trees.draw_block([mix(terms.seed), 0, 0], PROBED, &[]);
        let copied = |row: &usize| {
            row_print(trees.outputs.iter(), |at| drawn[at][*row]).is_some_and(|print| copies.sieve.holds_print(print))
        };
        let found = (0..PROBED).filter(copied).count() as f64 / PROBED as f64;
        copies.kept = (shared as f64 / prints.len() as f64 / found.max(1e-9)).min(1.0);
    }
    copies
}

/// Whether no other number comes close to telling this one by a straight line: then a list of values serves it better
/// than a continuum.
fn stands_alone(drafts: &[Draft], at: usize) -> bool {
    const TELLING: f64 = 0.9;
    let own = &drafts[at];
    let sample: Vec<u32> = (0..own.values.len() as u32).step_by(own.values.len().div_ceil(2000)).collect();
    let tells = |other: usize| {
        let from = &drafts[other];
        other != at
            && from.numeric()
            && (from.law.is_none() || from.given())
            && correlation(&from.values, &own.values, &sample).abs() > TELLING
    };
    !own.numeric() || own.law.is_some() || !(0..drafts.len()).any(tells)
}

/// Classes and codes of a draft, whose values move over.
fn see(
    draft: &mut Draft,
    apart: bool,
    likeness: Option<Likeness>,
    floor: usize,
    units: Option<&[u32]>,
) -> (Seen, Binning) {
    let values = std::mem::take(&mut draft.values);
    let counted = match units {
        Some(units) => std::borrow::Cow::Owned(once_each(&values, units)),
        None => std::borrow::Cow::Borrowed(&values),
    };
    let mut shape = Shape::of(
        &counted,
        &draft.beside,
        if draft.nominal {
            Order::None
        } else if apart {
            Order::Alone
        } else {
            Order::Shared
        },
        draft.grid,
        floor,
    );
    if draft.measure == Measure::Direction {
        shape = Shape::continuum(&values, floor);
    }
    if let (Some(kept), Shape::Discrete { values }) = (draft.kept, &mut shape) {
        values.retain(|v| (*v as usize) < kept);
    }
    let binning = match &likeness {
        Some(likeness) => Binning::Nominal { codes: likeness.codes.clone() },
        None => Binning::of(&values, draft.nominal),
    };
    let codes = values.iter().map(|&v| binning.code(v)).collect();
    let classes = values.iter().map(|&v| shape.class(v)).collect();
    let places = likeness.map_or_else(Vec::new, |likeness| places_of(&likeness, &shape));
    (Seen { values, codes, classes, shape, nominal: draft.nominal, places }, binning)
}

/// The place of each class in the order of likeness; missing comes first.
fn places_of(likeness: &Likeness, shape: &Shape) -> Vec<u32> {
    let Shape::Discrete { values } = shape else { return Vec::new() };
    let place = |v: &f64| likeness.places.get(*v as usize).copied().unwrap_or(0);
    std::iter::once(0).chain(values.iter().map(place)).collect()
}

/// The values of each unit, each of them once.
fn once_each(values: &[f64], units: &[u32]) -> Vec<f64> {
    let mut pairs: Vec<(u32, u64)> =
        units.iter().zip(values).filter(|(_, v)| !v.is_nan()).map(|(&unit, v)| (unit, (v + 0.0).to_bits())).collect();
    pairs.sort_unstable();
    pairs.dedup();
    pairs.into_iter().map(|(_, bits)| f64::from_bits(bits)).collect()
}

/// What is given first, then columns of few values: later columns then have the more telling ones to depend on. What
/// follows from others comes right behind them. A category whose levels are known by their directions comes before the
/// numbers: they can depend on its directions, while its levels could hardly depend on them.
fn order_of(seen: &[Seen], laws: &[Option<Law>], alike: &[Option<u16>]) -> Vec<u16> {
    /// The place of a category with directions, as if it had this many values.
    const DIRECTED: usize = 60;
    let size = |at: usize| {
        let at = alike[at].map_or(at, usize::from);
        match &seen[at].shape {
            Shape::Discrete { .. } if !seen[at].places.is_empty() => DIRECTED,
            Shape::Discrete { values } => values.len(),
            Shape::Continuous { .. } => Tally::of(&seen[at].values).values.len().max(101),
        }
    };
    let mut free: Vec<(usize, u16)> =
        (0..seen.len()).filter(|&at| laws[at].is_none()).map(|at| (size(at), at as u16)).collect();
    free.sort_unstable();
    let mut placed = vec![false; seen.len()];
    let mut order = Vec::with_capacity(seen.len());
    for node in [None].into_iter().chain(free.into_iter().map(|f| Some(f.1))) {
        if let Some(node) = node {
            placed[node as usize] = true;
            order.push(node);
        }
        loop {
            let ready = |at: &usize| {
                !placed[*at] && laws[*at].as_ref().is_some_and(|law| law.parents().iter().all(|&p| placed[p as usize]))
            };
            let Some(next) = (0..seen.len()).find(ready) else { break };
            placed[next] = true;
            order.push(next as u16);
        }
    }
    order
}

/// Everything that learning one node takes.
struct Plan {
    seen: Vec<Seen>,
    laws: Vec<Option<Law>>,
    kept: Vec<Tied>,
    order: Vec<u16>,
    floor: usize,
    leaf: Option<usize>,
    seed: u64,
    /// Whether rows may come with values that the training table does not show, so that laws may have nothing to say.
    open: bool,
}

/// What was learned of one node.
#[derive(Default)]
struct Learned {
    drawn: Option<Drawn>,
    guards: Vec<Guard>,
    absences: Vec<Absence>,
}

impl Plan {
    /// One entry per node.
    fn learn_all(&self, progress: Told) -> Result<Vec<Learned>, Unfit> {
        let (done, stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
        let total = self.order.len();
        // The last of the order have most to look at, so they begin.
        let learned: Vec<(usize, Learned)> = (0..total)
            .into_par_iter()
            .rev()
            .with_max_len(1)
            .map(|at| {
                if stopped.load(Ordering::Relaxed) {
                    return (at, Learned::default());
                }
                let learned = self.learn_one(at);
                if !progress(Progress { done: done.fetch_add(1, Ordering::Relaxed) + 1, total }) {
                    stopped.store(true, Ordering::Relaxed);
                }
                (at, learned)
            })
            .collect();
        if stopped.load(Ordering::Relaxed) {
            return Err(Unfit::Cancelled);
        }
        let mut by_node: Vec<Learned> = (0..total).map(|_| Learned::default()).collect();
        for (at, one) in learned {
            by_node[self.order[at] as usize] = one;
        }
        Ok(by_node)
    }

    fn learn_one(&self, at: usize) -> Learned {
        let target = self.order[at] as usize;
        let subject = &self.seen[target];
        let before: Vec<u16> =
            self.order[..at].iter().copied().filter(|&node| self.seen[node as usize].shape.classes() > 1).collect();
        let mut rows: Vec<u32> = (0..subject.values.len() as u32).collect();
        if self.laws[target] == Some(Law::Given) {
            return Learned::default();
        }
        if let (Some(law), false) = (&self.laws[target], self.open) {
            let values: Vec<&[f64]> = self.seen.iter().map(|seen| seen.values.as_slice()).collect();
            let lookup_of_two = matches!(law, Law::Lookup { keys, .. } if keys.len() > 1);
            rows.retain(|&row| lookup_of_two || law.value(&values, row as usize).is_nan());
            if rows.iter().all(|&row| subject.values[row as usize].is_nan()) {
                return Learned::default();
            }
        }
        let absences =
            if self.laws[target].is_none() { find_absences(&self.seen, target, &before) } else { Vec::new() };
        let said = |row: u32| {
            let verdict = |rule: &Absence| rule.verdicts[self.seen[rule.node as usize].codes[row as usize] as usize];
            absences.iter().map(verdict).find(|&v| v != Verdict::Open)
        };
        rows.retain(|&row| said(row) != Some(Verdict::Missing));
        let (floor, leaf, seed) = (self.floor, self.leaf, self.seed);
        let lesson = Lesson { nodes: &self.seen, target, before: &before, floor, leaf, seed };
        let guards = if self.laws[target].is_none() { self.guards_of(at, target) } else { Vec::new() };
        Learned { drawn: Some(learn(&lesson, rows)), guards, absences }
    }

    /// What is to stand together with `target` and is drawn before it.
    fn guards_of(&self, at: usize, target: usize) -> Vec<Guard> {
        let earlier = |other: usize| self.order[..at].contains(&(other as u16));
        let others = self.kept.iter().filter_map(|&(a, b)| {
            if a == target {
                Some(b)
            } else if b == target {
                Some(a)
            } else {
                None
            }
        });
        let guard =
            |other: usize| Guard::of(other as u16, &self.seen[other].classes, &self.seen[target].classes, self.floor);
        others.filter(|&other| earlier(other)).map(guard).collect()
    }
}
