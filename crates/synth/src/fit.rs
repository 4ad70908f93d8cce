//! Fitting the tabular engine: a table comes in, a fitted [`Trees`] goes out.

use arrow_array::{Array, StringArray};
use rayon::prelude::*;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use table::{Table, Values};

use crate::absent::{Absence, Verdict, find_absences};
use crate::draft::{Draft, Measure};
use crate::drawn::{Drawn, Lesson, Seen, correlation, learn};
use crate::encode::{Encoded, Scale, encode};
use crate::find_forms::find_forms;
use crate::find_lines::find_lines;
use crate::find_lookups::{Kept, find_lookups};
use crate::find_sums::find_arithmetic;
use crate::find_time::find_calendar;
use crate::find_totals::find_totals;
use crate::generator::{Maker, Node, Output, Trees, row_print};
use crate::guard::Guard;
use crate::ids::{plan_numbers, plan_texts};
use crate::law::Law;
use crate::levels::{Likeness, add_directions, liken};
use crate::model::{Note, Progress, Unfit};
use crate::random::mix;
use crate::shape::{Binning, Order, Shape, Tally};
use crate::sieve::Sieve;
use crate::text::Writer;

/// Fewest rows that a model is made of.
pub(crate) const ROWS_MIN: usize = 5;

/// Settings of a fit.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Fewest rows that must hold a value for it to be shown as it is.
    pub(crate) floor: usize,
}

/// Says how far the fit is; answers whether to go on.
pub(crate) type Told<'a> = &'a (dyn Fn(Progress) -> bool + Sync);

/// Learns a generator.
pub(crate) fn fit(
    real: &Table,
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
    let encoded: Vec<Encoded> = (0..real.columns()).into_par_iter().map(|index| encode(real, index, floor)).collect();
    let makers: Vec<Option<Maker>> =
        (0..real.columns()).into_par_iter().map(|at| find_maker(real, at, &encoded[at], floor, seed)).collect();
    note_columns(real, &encoded, &makers, floor, &mut notes);
    let (mut drafts, scales): (Vec<Draft>, Vec<Scale>) = encoded
        .into_par_iter()
        .enumerate()
        .map(|(at, column)| match &makers[at] {
            Some(Maker::Ids(_)) => Draft::presence(real.name(at), column),
            maker => Draft::of(real.name(at), column, maker.is_some()),
        })
        .unzip();
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
        .map(|((draft, apart), likeness)| see(draft, apart, likeness, floor))
        .unzip();
    let kept = find_lookups(&mut drafts, &seen, floor, &mut notes);
    let laws: Vec<Option<Law>> = drafts.iter_mut().map(|draft| draft.law.take()).collect();
    let alike: Vec<Option<u16>> = drafts.iter().map(|draft| draft.like).collect();
    let plan = Plan { order: order_of(&seen, &laws, &alike), seen, laws, kept, floor, seed };
    let nodes = plan.learn_all(progress)?;
    let outputs = scales.into_iter().zip(makers).enumerate().map(|(index, (scale, maker))| Output {
        name: real.name(index).to_string(),
        spelling: real.spelling(index).clone(),
        scale,
        node: index as u16,
        maker,
    });
    let outputs: Vec<Output> = outputs.collect();
    let copies = sieve_rows(&outputs, &plan.seen, floor, seed);
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
    Ok(Trees { nodes, order: plan.order, outputs, copies, notes })
}

/// The training rows that must not be drawn: those that fewer than `floor` rows are equal to.
fn sieve_rows(outputs: &[Output], seen: &[Seen], floor: usize, seed: u64) -> Sieve {
    let rows = seen[0].values.len();
    let print = |row: usize| row_print(outputs.iter(), |node| seen[node as usize].values[row]);
    let mut prints: Vec<u64> = (0..rows).into_par_iter().filter_map(print).collect();
    prints.par_sort_unstable();
    let mut sieve = Sieve::new(prints.len(), mix(seed));
    prints.chunk_by(|a, b| a == b).filter(|run| run.len() < floor).for_each(|run| sieve.add_print(run[0]));
    sieve
}

/// Says what became of columns whose values are not shown as they are.
fn note_columns(real: &Table, encoded: &[Encoded], makers: &[Option<Maker>], floor: usize, notes: &mut Vec<Note>) {
    for (at, maker) in makers.iter().enumerate() {
        let name = real.name(at);
        let (kind, how) = match maker {
            Some(Maker::Ids(_)) => ("column", "holds identifiers: new ones of the same form are made".to_string()),
            Some(Maker::Writer(_)) => ("column", "holds texts that few rows share: new ones are written".to_string()),
            None if encoded[at].rare_rows > 0 => {
                let rows = encoded[at].rare_rows;
                (
                    "protection",
                    format!("has {rows} rows with values held by fewer than {floor} rows: those values are not shown"),
                )
            }
            None => continue,
        };
        notes.push(Note { kind, text: format!("`{name}` {how}.") });
    }
    let text = "Extreme values are drawn in, and rows equal to a training row that few rows share are drawn again.";
    notes.push(Note { kind: "protection", text: text.to_string() });
}

/// What makes the values of a column that cannot be listed: identifiers, and texts that few rows share.
fn find_maker(real: &Table, at: usize, encoded: &Encoded, floor: usize, seed: u64) -> Option<Maker> {
    /// Share of present rows whose words are held by too few rows, from which on new words are written.
    const RARE_MIN: f64 = 0.3;
    let key = mix(seed ^ mix(at as u64 + 1));
    match real.values(at) {
        Values::Int(values) => plan_numbers(&values.iter().collect::<Vec<_>>(), key).map(Maker::Ids),
        Values::Text(values) => {
            let words = values.values().as_any().downcast_ref::<StringArray>()?;
            let texts: Vec<&str> =
                (0..values.len()).filter_map(|row| values.key(row)).map(|key| words.value(key)).collect();
            if texts.is_empty() || (encoded.rare_rows as f64) < RARE_MIN * texts.len() as f64 {
                return None;
            }
            let different = texts.iter().collect::<std::collections::BTreeSet<_>>().len();
            let unique = different == texts.len() && texts.len() >= 10;
            if unique && let Some(plan) = plan_texts(&texts, key) {
                return Some(Maker::Ids(plan));
            }
            Some(Maker::Writer(Writer::learn(&texts, floor, unique, key)))
        }
        _ => None,
    }
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
            && from.law.is_none()
            && correlation(&from.values, &own.values, &sample).abs() > TELLING
    };
    !own.numeric() || own.law.is_some() || !(0..drafts.len()).any(tells)
}

/// Classes and codes of a draft, whose values move over.
fn see(draft: &mut Draft, apart: bool, likeness: Option<Likeness>, floor: usize) -> (Seen, Binning) {
    let values = std::mem::take(&mut draft.values);
    let mut shape = Shape::of(
        &values,
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
fn places_of(likeness: &Likeness, shape: &Shape) -> Vec<u16> {
    let Shape::Discrete { values } = shape else { return Vec::new() };
    let place = |v: &f64| likeness.places.get(*v as usize).copied().unwrap_or(0);
    std::iter::once(0).chain(values.iter().map(place)).collect()
}

/// Columns of few values first: later columns then have the more telling ones to depend on. What follows from others
/// comes right behind them. A category whose levels are known by their directions comes before the numbers: they can
/// depend on its directions, while its levels could hardly depend on them.
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
    for (_, node) in free {
        placed[node as usize] = true;
        order.push(node);
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
    kept: Vec<Kept>,
    order: Vec<u16>,
    floor: usize,
    seed: u64,
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
        if let Some(law) = &self.laws[target] {
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
        let lesson = Lesson { nodes: &self.seen, target, before: &before, floor: self.floor, seed: self.seed };
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
