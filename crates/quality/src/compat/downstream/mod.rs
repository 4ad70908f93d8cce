//! The documented downstream reports: what a class or a number can be predicted by, trained on synthetic and on real rows.
//! In: a case with a holdout, and what is to be predicted. Out: a document as JSON and as a page. The test rows are real
//! and the models have not seen them, unless the synthetic table holds copies of them.

mod document;
mod families;
mod linear;
mod measures;

use rayon::prelude::*;

pub use families::Family;
pub use measures::{MEASURES, Measure};

use self::families::Ready;
use self::linear::Matrix;
use self::measures::{Reached, of_classes, of_numbers, of_task};
use super::Documented;
use crate::bins::{bin, rows_within};
use crate::case::{Case, Side};
use crate::distance::{Placed, Space};
use crate::encode::{Cells, Role};
use crate::report::Report;
use crate::statistic::{Z95, excess, mean};

/// Fewest rows to train on or to test on.
const ROWS_MIN: usize = 50;
/// Most test rows.
const TESTED_MAX: usize = 10_000;
/// Most classes of a target.
const CLASSES_MAX: usize = 100;
/// The least excess share of test rows in the synthetic table that is told.
const LEAK_MIN: f64 = 0.01;
/// Models whose mean is the score.
const TOP: usize = 3;

/// What is predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// A class.
    Classification,
    /// A number.
    Regression,
}

impl Task {
    /// The word for it in configs, documents and file names.
    pub fn word(self) -> &'static str {
        match self {
            Task::Classification => "classification",
            Task::Regression => "regression",
        }
    }
}

/// What a downstream report is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// What is predicted.
    pub task: Task,
    /// The column that is predicted.
    pub target: String,
    /// The measure by which models are ranked and scored (`metric`).
    pub measure: &'static Measure,
    /// The families that are trained (`models`); all of the task where the list is empty.
    pub families: Vec<Family>,
    /// Most rows to train on (`sqs_report_rows`; 0 is all that were sampled).
    pub rows_max: usize,
}

/// A downstream report.
pub struct Downstream {
    ask: Ask,
    /// Rows trained on, of the training table and of the synthetic table, and rows tested.
    rows: [usize; 3],
    /// Columns of the tables.
    columns: usize,
    trained: Vec<Trained>,
    /// Test rows that the training table and the synthetic table hold too, identifiers apart.
    found: [usize; 2],
    /// The ML Quality Score, out of ten for every 100 %: how much of what the best models reach on real rows the best
    /// models trained on synthetic rows reach. Its raw figure is how much more the former reach on average. `None` with
    /// the reason in `undefined`.
    pub score: Option<Documented>,
    /// Why there is no score.
    pub undefined: Option<&'static str>,
}

/// A family and what it reaches in the test rows.
struct Trained {
    family: Family,
    /// Trained on training rows, trained on synthetic rows.
    reached: [Reached; 2],
}

impl Report {
    /// Trains models on training and on synthetic rows, as many of either, and tests all of them on the holdout.
    pub fn downstream(&self, ask: &Ask) -> Downstream {
        let mut downstream = Downstream {
            ask: ask.clone(),
            rows: [0; 3],
            columns: self.case.as_ref().map_or(0, |case| case.columns.len()),
            trained: Vec::new(),
            found: [0; 2],
            score: None,
            undefined: None,
        };
        let trained = match &self.case {
            Some(case) => train(case, ask),
            None => Err("the tables do not have the same columns"),
        };
        match trained {
            Ok((trained, rows)) => {
                (downstream.trained, downstream.rows) = (trained, rows);
                downstream.found = self.case.as_ref().map_or([0; 2], found);
                match downstream.scored() {
                    Ok(score) => downstream.score = Some(score),
                    Err(reason) => downstream.undefined = Some(reason),
                }
            }
            Err(reason) => downstream.undefined = Some(reason),
        }
        downstream
    }
}

impl Downstream {
    /// The best models trained on training rows (0) or on synthetic rows (1), the best first, with what they reach.
    fn top(&self, side: usize) -> Vec<(Family, f64)> {
        let Some(at) = of_task(self.ask.task).position(|measure| measure == self.ask.measure) else {
            return Vec::new();
        };
        let reached = |trained: &Trained| Some((trained.family, trained.reached[side].get(at).copied().flatten()?));
        let mut all: Vec<(Family, f64)> = self.trained.iter().filter_map(reached).collect();
        // Of equal ones the order of the families stays.
        let error = self.ask.measure.error;
        all.sort_by(|a, b| if error { a.1.total_cmp(&b.1) } else { b.1.total_cmp(&a.1) });
        all.truncate(TOP);
        all
    }

    /// Whether the synthetic table holds more of the test rows than chance explains: then it was made of them, and its
    /// models have seen what they are tested on.
    pub fn leaks(&self) -> bool {
        let tested = self.rows[2] as f64;
        let [real, synthetic] = self.found.map(|found| found as f64);
        excess((synthetic, tested), (real, tested), Z95).1[0] > LEAK_MIN
    }

    fn scored(&self) -> Result<Documented, &'static str> {
        let of_side = |side: usize| mean(&self.top(side).iter().map(|(_, value)| *value).collect::<Vec<_>>());
        let (Some(real), Some(synthetic)) = (of_side(0), of_side(1)) else {
            return Err("no model could be measured");
        };
        let (better, worse) = if self.ask.measure.error { (synthetic, real) } else { (real, synthetic) };
        let ratio = match (worse, better) {
            (worse, better) if worse == better => 1.0,
            (_, better) if better <= 0.0 && self.ask.measure.error => {
                return Err("models trained on synthetic rows make no error");
            }
            (_, better) if better <= 0.0 => {
                return Err("models trained on real rows predict no better than a constant");
            }
            (worse, better) => (worse / better).max(0.0),
        };
        Ok(Documented { raw: better - worse, score: 10.0 * ratio })
    }
}

/// How many of the test rows each of both other tables holds.
fn found(case: &Case) -> [usize; 2] {
    let Some(holdout) = &case.holdout else { return [0; 2] };
    let tested = &holdout.order[..holdout.sampled.min(TESTED_MAX)];
    [&case.training, &case.synthetic].map(|side| {
        let rows = side.distinct_fingerprints();
        tested.iter().filter(|&&row| rows.binary_search(&holdout.fingerprints[row as usize]).is_ok()).count()
    })
}

type Results = (Vec<Trained>, [usize; 3]);

fn train(case: &Case, ask: &Ask) -> Result<Results, &'static str> {
    let target = case.columns.iter().position(|column| column.name == ask.target);
    let target = target.ok_or("no column has the name of the target")?;
    let Some(holdout) = &case.holdout else { return Err("there is no holdout") };
    let columns: Vec<usize> = case.compared().into_iter().filter(|&index| index != target).collect();
    if columns.is_empty() {
        return Err("there are no columns to predict from");
    }
    let truths = match ask.task {
        Task::Classification => Truths::classes(case, holdout, target)?,
        Task::Regression => Truths::numbers(case, holdout, target)?,
    };
    let sides = [&case.training, &case.synthetic, holdout];
    let most = if ask.rows_max == 0 { usize::MAX } else { ask.rows_max };
    let trained = rows_within(case.training.sampled.min(case.synthetic.sampled).min(most), columns.len());
    let rows = [trained.min(sides[0].sampled), trained.min(sides[1].sampled), holdout.sampled.min(TESTED_MAX)];
    let chosen: [Vec<u32>; 3] = std::array::from_fn(|side| {
        let offset: usize = rows[..side].iter().sum();
        (0..rows[side]).filter(|&row| truths.known(side, row)).map(|row| (offset + row) as u32).collect()
    });
    if chosen.iter().any(|rows| rows.len() < ROWS_MIN) {
        return Err("a table has fewer than 50 rows with a target");
    }
    let ready = Ready {
        binned: bin(case, &sides.map(|side| side.sample.as_slice()), &rows, Some(target)),
        matrix: Matrix::of(case, &sides, &rows, &columns),
        placed: placed(case, &sides, &rows, columns),
        seed: case.seed,
    };
    let mut families = Family::of_task(ask.task);
    families.retain(|family| ask.families.is_empty() || ask.families.contains(family));
    let jobs: Vec<(Family, usize)> = families.iter().flat_map(|&family| [(family, 0), (family, 1)]).collect();
    let reached = |&(family, side): &(Family, usize)| truths.reached(&ready, family, &chosen[side], &chosen[2], &rows);
    let mut reached: Vec<Reached> = jobs.par_iter().map(reached).collect();
    let trained = families.into_iter().zip(reached.chunks_exact_mut(2)).map(|(family, both)| Trained {
        family,
        reached: [std::mem::take(&mut both[0]), std::mem::take(&mut both[1])],
    });
    Ok((trained.collect(), chosen.map(|rows| rows.len())))
}

fn placed(case: &Case, sides: &[&Side; 3], rows: &[usize; 3], columns: Vec<usize>) -> Placed {
    let space = Space::of(case, columns);
    let mut all = Placed { columns: Vec::new(), rows: rows.iter().sum() };
    for (side, &rows) in sides.iter().zip(rows) {
        let part = space.place(side, &side.order[..rows]);
        all.columns.resize_with(part.columns.len(), Vec::new);
        all.columns.iter_mut().zip(part.columns).for_each(|(all, part)| all.extend(part));
    }
    all
}

/// The target of the sampled rows of training, synthetic and holdout table.
enum Truths {
    /// Labels below the number of classes, those that training rows have; `None` for others.
    Classes([Vec<Option<u32>>; 3], usize),
    /// Parts of the training rows' range above its low end, and both ends.
    Numbers([Vec<f64>; 3], [f64; 2]),
}

impl Truths {
    fn classes(case: &Case, holdout: &Side, target: usize) -> Result<Truths, &'static str> {
        if case.columns[target].role == Role::Id {
            return Err("the target is an identifier");
        }
        let sides = [&case.training, &case.synthetic, holdout];
        let numbers = |side: &Side| match &side.sample[target] {
            Cells::Numbers(values) => values.clone(),
            // Level 1 is the commonest.
            Cells::Codes(codes) => {
                codes.iter().map(|&code| if code == 0 { f64::NAN } else { f64::from(code) }).collect()
            }
        };
        let mut counts: Vec<(f64, usize)> = Vec::new();
        let mut sorted: Vec<f64> = numbers(&case.training).into_iter().filter(|value| !value.is_nan()).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        sorted.chunk_by(|a, b| a == b).for_each(|equal| counts.push((equal[0], equal.len())));
        if counts.len() < 2 {
            return Err("the target has one value");
        }
        if counts.len() > CLASSES_MAX {
            return Err("the target has more than 100 classes");
        }
        // Falling counts: of two classes the rarer one is the one that is looked for.
        counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.total_cmp(&b.0)));
        let label = |value: &f64| counts.iter().position(|(of, _)| of == value).map(|at| at as u32);
        Ok(Truths::Classes(sides.map(|side| numbers(side).iter().map(label).collect()), counts.len()))
    }

    fn numbers(case: &Case, holdout: &Side, target: usize) -> Result<Truths, &'static str> {
        let Cells::Numbers(of_training) = &case.training.sample[target] else {
            return Err("the target is no number of more than two values");
        };
        let present = of_training.iter().copied().filter(|value| !value.is_nan());
        let (low, high) =
            present.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        if high / 2.0 - low / 2.0 <= 0.0 || low > high {
            return Err("the target has one value");
        }
        // Halved first: the width of all doubles is no double.
        let part = |value: &f64| (value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0);
        let of_side = |side: &Side| match &side.sample[target] {
            Cells::Numbers(values) => values.iter().map(part).collect(),
            Cells::Codes(codes) => vec![f64::NAN; codes.len()],
        };
        Ok(Truths::Numbers([&case.training, &case.synthetic, holdout].map(of_side), [low, high]))
    }

    fn known(&self, side: usize, row: usize) -> bool {
        match self {
            Truths::Classes(labels, _) => labels[side][row].is_some(),
            Truths::Numbers(values, _) => !values[side][row].is_nan(),
        }
    }

    /// What a family reaches that learns from `rows`; rows are those of the tables one below the other.
    fn reached(&self, ready: &Ready, family: Family, rows: &[u32], tested: &[u32], taken: &[usize; 3]) -> Reached {
        match self {
            Truths::Classes(labels, classes) => {
                let parts = labels.iter().zip(taken).flat_map(|(labels, &taken)| &labels[..taken]);
                // A row without a label is in no list of rows; its label only has to be in range.
                let labels: Vec<u32> = parts.map(|label| label.unwrap_or(0)).collect();
                let truths: Vec<u32> = tested.iter().map(|&row| labels[row as usize]).collect();
                of_classes(&truths, &ready.classes(family, rows, &labels, *classes, tested), *classes)
            }
            Truths::Numbers(values, [low, high]) => {
                let values: Vec<f64> =
                    values.iter().zip(taken).flat_map(|(values, &taken)| &values[..taken]).copied().collect();
                let predicted = ready.regression(family, rows, &values, tested);
                let whole = |part: &f64| low + part * high - part * low;
                let truths: Vec<f64> = tested.iter().map(|&row| whole(&values[row as usize])).collect();
                of_numbers(&truths, &predicted.iter().map(whole).collect::<Vec<_>>())
            }
        }
    }
}
