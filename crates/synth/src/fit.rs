//! Fitting the tabular engine: a table comes in, a fitted [`Trees`] goes out.

use rayon::prelude::*;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use table::Table;

use crate::drawn::{Seen, learn};
use crate::encode::{Encoded, Scale, encode};
use crate::generator::{Node, Output, Trees};
use crate::model::{Note, Progress, Unfit};
use crate::shape::{Binning, Shape};

/// Fewest rows that a model is made of.
pub(crate) const ROWS_MIN: usize = 5;

/// Settings of a fit.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Fewest rows that must hold a value for it to be shown as it is.
    pub(crate) floor: usize,
}

/// Learns a generator.
pub(crate) fn fit(real: &Table, settings: &Settings, notes: Vec<Note>, seed: u64, progress: &(dyn Fn(Progress) -> bool + Sync)) -> Result<Trees, Unfit> {
    if real.columns() == 0 {
        return Err(Unfit::NoColumns);
    }
    if real.rows() < ROWS_MIN {
        return Err(Unfit::TooFewRows { rows: real.rows(), rows_min: ROWS_MIN });
    }
    let floor = settings.floor;
    let encoded: Vec<Encoded> = (0..real.columns()).into_par_iter().map(|index| encode(real, index, floor)).collect();
    let scales: Vec<Scale> = encoded.iter().map(|e| e.scale.clone()).collect();
    let mut seen = Vec::new();
    let mut binnings = Vec::new();
    let prepared: Vec<(Seen, Binning)> = encoded.into_par_iter().map(|column| prepare(column, floor)).collect();
    for (node, binning) in prepared {
        seen.push(node);
        binnings.push(binning);
    }
    let order = order_of(&seen);
    let rows: Vec<u32> = (0..real.rows() as u32).collect();
    let (done, stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
    let total = order.len();
    let mut work: Vec<usize> = (0..order.len()).rev().collect();
    work.sort_by_key(|&at| std::cmp::Reverse(at));
    let learned: Vec<(usize, Option<crate::drawn::Drawn>)> = work
        .into_par_iter()
        .with_max_len(1)
        .map(|at| {
            if stopped.load(Ordering::Relaxed) {
                return (at, None);
            }
            let before: Vec<u16> = order[..at].iter().copied().filter(|&n| seen[n as usize].shape.classes() > 1).collect();
            let drawn = learn(&seen, order[at] as usize, &before, &rows, floor, seed);
            if !progress(Progress { done: done.fetch_add(1, Ordering::Relaxed) + 1, total }) {
                stopped.store(true, Ordering::Relaxed);
            }
            (at, Some(drawn))
        })
        .collect();
    if stopped.load(Ordering::Relaxed) {
        return Err(Unfit::Cancelled);
    }
    let mut by_node: Vec<Option<crate::drawn::Drawn>> = vec![None; seen.len()];
    for (at, drawn) in learned {
        by_node[order[at] as usize] = drawn;
    }
    let nodes = seen.into_iter().zip(binnings).zip(by_node).zip(&scales).map(|(((seen, binning), drawn), scale)| Node {
        shape: seen.shape,
        binning,
        grid: scale.grid(),
        drawn: drawn.expect("every node was learned"),
    });
    let nodes = nodes.collect();
    let outputs = scales.into_iter().enumerate().map(|(index, scale)| Output {
        name: real.name(index).to_string(),
        spelling: real.spelling(index).clone(),
        scale,
        node: index as u16,
    });
    Ok(Trees { nodes, order, outputs: outputs.collect(), notes })
}

fn prepare(column: Encoded, floor: usize) -> (Seen, Binning) {
    let Encoded { values, nominal, scale, .. } = column;
    let mut shape = Shape::of(&values, nominal, scale.grid(), floor);
    if let (Scale::Text { words }, Shape::Discrete { values }) = (&scale, &mut shape) {
        values.retain(|v| (*v as usize) < words.len());
    }
    let binning = Binning::of(&values, nominal);
    let codes = values.iter().map(|&v| binning.code(v)).collect();
    let classes = values.iter().map(|&v| shape.class(v)).collect();
    (Seen { values, codes, classes, shape, nominal }, binning)
}

/// Columns of few values first: later columns then have the more telling ones to depend on.
fn order_of(seen: &[Seen]) -> Vec<u16> {
    let mut order: Vec<(usize, u16)> = seen
        .iter()
        .enumerate()
        .map(|(at, node)| {
            let size = match &node.shape {
                Shape::Discrete { values } => values.len(),
                Shape::Continuous { .. } => crate::shape::Tally::of(&node.values).values.len().max(101),
            };
            (size, at as u16)
        })
        .collect();
    order.sort_unstable();
    order.into_iter().map(|(_, at)| at).collect()
}
