//! The fitted engine: nodes in the order they are drawn come in, a table of synthetic rows goes out, block by block.

use rayon::prelude::*;
use table::{Spelling, Table};

use crate::absent::Absence;
use crate::drawn::{Drawing, Drawn};
use crate::encode::Scale;
use crate::guard::Guard;
use crate::law::Law;
use crate::maker::{Maker, make_columns};
use crate::model::{Ask, Generator, Note};
use crate::random::{Random, mix};
use crate::save::save;
use crate::shape::{Binning, Shape};
use crate::sieve::Sieve;

/// The fitted tabular engine.
pub(crate) struct Trees {
    /// In any order; `order` says when each is drawn.
    pub(crate) nodes: Vec<Node>,
    /// Positions of nodes, first drawn first.
    pub(crate) order: Vec<u16>,
    /// One per column of the table.
    pub(crate) outputs: Vec<Output>,
    /// Training rows that fewer than the floor of rows are equal to.
    pub(crate) copies: Sieve,
    /// What was done.
    pub(crate) notes: Vec<Note>,
}

/// Something that is drawn once per row, or follows from what was drawn.
pub(crate) struct Node {
    /// What values it shows.
    pub(crate) shape: Shape,
    /// The codes that trees see.
    pub(crate) binning: Binning,
    /// Whether values lie on whole ticks.
    pub(crate) grid: bool,
    /// How it follows from others.
    pub(crate) law: Option<Law>,
    /// What it is drawn from where no law says.
    pub(crate) drawn: Option<Drawn>,
    /// What it may stand beside.
    pub(crate) guards: Vec<Guard>,
    /// What decides that it is missing.
    pub(crate) absences: Vec<Absence>,
}

impl Node {
    /// The nodes that must be known before this one.
    fn needs(&self) -> Vec<u16> {
        let mut needed: Vec<u16> = self.guards.iter().map(|guard| guard.node).collect();
        needed.extend(self.absences.iter().map(|rule| rule.node));
        needed.extend(self.law.iter().flat_map(Law::parents));
        needed.extend(self.drawn.iter().flat_map(Drawn::needs));
        needed
    }

    /// Whether its parts fit each other.
    fn sound(&self) -> bool {
        let absences = self.absences.iter().all(|rule| rule.verdicts.len() == 256);
        let guards = self.guards.iter().all(|guard| guard.pairs.len() == guard.rows.len());
        absences && guards && self.drawn.iter().all(|drawn| drawn.sound(&self.shape))
    }
}

/// One column of the output.
pub(crate) struct Output {
    /// Its name.
    pub(crate) name: String,
    /// How the source wrote it.
    pub(crate) spelling: Spelling,
    /// What a tick means.
    pub(crate) scale: Scale,
    /// The node that gives the ticks.
    pub(crate) node: u16,
    /// What makes the values that no list holds.
    pub(crate) maker: Option<Maker>,
}

/// Rows drawn beyond those needed, to stand in for copies.
fn spare(rows: usize) -> usize {
    4 + rows / 64
}

/// A fingerprint of one row over all columns but identifiers; none where a column shows a text that was written anew.
pub(crate) fn row_print<'a>(outputs: impl Iterator<Item = &'a Output>, tick: impl Fn(u16) -> f64) -> Option<u64> {
    let mut print = 0x6a09_e667_f3bc_c908u64;
    for output in outputs {
        let value = tick(output.node);
        match (&output.maker, &output.scale) {
            (Some(maker), _) if maker.beside() => continue,
            (Some(_), Scale::Text { words }) if value as usize >= words.len() => return None,
            _ => {}
        }
        let bits = if value.is_nan() { 1 } else { (value + 0.0).to_bits() };
        print = mix(print ^ bits).wrapping_add(0x9e37_79b9_7f4a_7c15);
    }
    Some(print)
}

/// The rows of one block, per node.
struct Block {
    values: Vec<Vec<f64>>,
    codes: Vec<Vec<u8>>,
}

impl Generator for Trees {
    fn sample(&self, ask: &Ask) -> Table {
        let first = ask.first_row / Ask::BLOCK;
        let blocks = (ask.rows as u64).div_ceil(Ask::BLOCK);
        let drawn: Vec<Vec<Vec<f64>>> = (0..blocks)
            .into_par_iter()
            .map(|at| {
                let rows = (ask.rows as u64 - at * Ask::BLOCK).min(Ask::BLOCK) as usize;
                let mut block = self.draw_block(ask.seed, first + at, rows + spare(rows));
                self.replace_copies(&mut block, rows);
                self.outputs.iter().map(|output| std::mem::take(&mut block.values[output.node as usize])).collect()
            })
            .collect();
        Table::new(make_columns(&self.outputs, &drawn, ask)).expect("every column has the rows asked for")
    }

    fn notes(&self) -> Vec<Note> {
        self.notes.clone()
    }

    fn save(&self) -> Vec<u8> {
        save(self)
    }
}

impl Trees {
    /// Whether every node named exists and is known before it is asked, so that sampling cannot go astray.
    pub(crate) fn coherent(&self) -> bool {
        let count = self.nodes.len();
        let mut known = vec![false; count];
        let in_order = self.order.iter().all(|&at| {
            let Some(node) = self.nodes.get(at as usize) else { return false };
            let needed = node.needs();
            let fits = needed.iter().all(|&other| known.get(other as usize).copied().unwrap_or(false)) && node.sound();
            known[at as usize] = true;
            fits
        });
        in_order && known.iter().all(|&k| k) && self.outputs.iter().all(|output| (output.node as usize) < count)
    }

    /// Puts rows drawn to spare in the places of rows that are equal to a training row, then drops the rest of them.
    fn replace_copies(&self, block: &mut Block, rows: usize) {
        let drawn = rows + spare(rows);
        let copied = |row: &usize| {
            let print = row_print(self.outputs.iter(), |node| block.values[node as usize][*row]);
            print.is_some_and(|print| self.copies.holds_print(print))
        };
        let bad: Vec<usize> = (0..rows).filter(copied).collect();
        let good: Vec<usize> = (rows..drawn).filter(|row| !copied(row)).take(bad.len()).collect();
        for output in &self.outputs {
            let values = &mut block.values[output.node as usize];
            for (&to, &from) in bad.iter().zip(&good) {
                values[to] = values[from];
            }
            values.truncate(rows);
        }
    }

    fn draw_block(&self, seed: u64, number: u64, rows: usize) -> Block {
        let empty = self.nodes.len();
        let mut block = Block { values: vec![Vec::new(); empty], codes: vec![Vec::new(); empty] };
        for &at in &self.order {
            let node = &self.nodes[at as usize];
            let mut random = Random::at(&[seed, number, at as u64]);
            let guards: Vec<(&Guard, &Shape)> =
                node.guards.iter().map(|guard| (guard, &self.nodes[guard.node as usize].shape)).collect();
            let about = Drawing {
                shape: &node.shape,
                codes: &block.codes,
                known: &block.values,
                guards: &guards,
                absences: &node.absences,
            };
            let mut values = match &node.drawn {
                Some(drawn) => drawn.draw(&about, rows, &mut random),
                None => vec![f64::NAN; rows],
            };
            if let Some(law) = &node.law {
                for (row, value) in values.iter_mut().enumerate() {
                    let mut said = law.value(&block.values, row);
                    if let (Law::Near { .. }, Shape::Continuous { low, high, .. }) = (law, &node.shape) {
                        said = said.clamp(*low, *high);
                    }
                    *value = if said.is_nan() { *value } else { said };
                }
            }
            if node.grid {
                values.iter_mut().for_each(|value| *value = value.round());
            }
            block.codes[at as usize] = values.iter().map(|&value| node.binning.code(value)).collect();
            block.values[at as usize] = values;
        }
        block
    }
}
