//! The fitted engine: nodes in the order they are drawn come in, a table of synthetic rows goes out, block by block.

use rayon::prelude::*;
use table::{Column, Spelling, Table};

use crate::encode::Scale;
use crate::filters::{Copies, Filters};
use crate::given::Beside;
use crate::laws::absent::Absence;
use crate::laws::guard::Guard;
use crate::laws::law::Law;
use crate::laws::rule::Rule;
use crate::makers::maker::{Maker, make_columns};
use crate::makers::pattern::Pattern;
use crate::model::{Ask, Completion, Generator, Note};
use crate::random::{Random, mix};
use crate::save::save;
use crate::trees::drawn::{Drawing, Drawn};
use crate::trees::shape::{Binning, Shape};

/// The fitted tabular engine.
pub(crate) struct Trees {
    /// In any order; `order` says when each is drawn.
    pub(crate) nodes: Vec<Node>,
    /// Positions of nodes, first drawn first.
    pub(crate) order: Vec<u16>,
    /// One per column of the table.
    pub(crate) outputs: Vec<Output>,
    /// Training rows that fewer than the floor of rows are equal to.
    pub(crate) copies: Copies,
    /// What else drawn rows are held against.
    pub(crate) filters: Filters,
    /// What every row keeps.
    pub(crate) rules: Vec<Rule>,
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
    /// What its texts have to match.
    pub(crate) pattern: Option<Pattern>,
    /// Whether it is no column of the table.
    pub(crate) hidden: bool,
}

impl Output {
    /// Whether it says something of a row: it is a column whose values are not made up beside the row.
    pub(crate) fn counts(&self) -> bool {
        !self.hidden && !self.maker.as_ref().is_some_and(Maker::beside)
    }
}

/// How often a row that must not leave is drawn anew.
const ATTEMPTS: u64 = 12;

/// A fingerprint of one row over all columns but identifiers, from the tick of each output; none where a column shows a
/// text that was written anew.
pub(crate) fn row_print<'a>(outputs: impl Iterator<Item = &'a Output>, tick: impl Fn(usize) -> f64) -> Option<u64> {
    let mut print = 0x6a09_e667_f3bc_c908u64;
    for (at, output) in outputs.enumerate() {
        let value = tick(at);
        match (&output.maker, &output.scale) {
            _ if output.hidden => continue,
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
        self.table(self.draw_ticks(ask, None), ask, &[])
    }

    fn header(&self) -> Table {
        self.table(vec![Vec::new(); self.outputs.len()], &Ask::all(0, 0), &[])
    }

    fn made(&self) -> Vec<usize> {
        let made = |output: &Output| output.maker.as_ref().is_some_and(Maker::hides);
        (0..self.outputs.len()).filter(|&at| made(&self.outputs[at])).collect()
    }

    fn beside(&self, columns: &[usize], seed: u64) -> Option<Box<dyn Completion>> {
        Some(Box::new(Beside::learn(self, columns, seed)))
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
        in_order
            && known.iter().all(|&k| k)
            && self.rules.iter().all(|rule| rule.sound(self.outputs.len()))
            && self.outputs.iter().all(|output| (output.node as usize) < count)
    }

    /// The ticks of every output for the rows asked for. `given` has ticks per node, for nodes that are given.
    pub(crate) fn draw_ticks(&self, ask: &Ask, given: Option<&[Vec<f64>]>) -> Vec<Vec<f64>> {
        let first = ask.first_row / Ask::BLOCK;
        let blocks = (ask.rows as u64).div_ceil(Ask::BLOCK);
        let drawn: Vec<Vec<Vec<f64>>> = (0..blocks)
            .into_par_iter()
            .map(|at| {
                let from = (at * Ask::BLOCK) as usize;
                let rows = (ask.rows - from).min(Ask::BLOCK as usize);
                let part = |ticks: &Vec<f64>| ticks.get(from..from + rows).map_or(Vec::new(), <[f64]>::to_vec);
                let given: Vec<Vec<f64>> = given.unwrap_or(&[]).iter().map(part).collect();
                self.draw_fit(ask.seed, first + at, rows, &given)
            })
            .collect();
        (0..self.outputs.len()).map(|at| drawn.iter().flat_map(|block| block[at].iter().copied()).collect()).collect()
    }

    /// Ticks as a table; columns that are given stand in it as they are.
    pub(crate) fn table(&self, ticks: Vec<Vec<f64>>, ask: &Ask, given: &[(usize, Column)]) -> Table {
        let mut columns = make_columns(&self.outputs, &ticks, ask);
        for (at, column) in given {
            columns[*at].values = column.values.clone();
        }
        Table::new(columns).expect("every column has the rows asked for")
    }

    /// One block, per output. Rows that must not leave or break a rule are drawn anew; what then still breaks one is
    /// mended.
    pub(crate) fn draw_fit(&self, seed: u64, number: u64, rows: usize, given: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let mut drawn = self.draw_block([seed, number, 0], rows, given);
        let scales: Vec<&Scale> = self.outputs.iter().map(|output| &output.scale).collect();
        let mut suspects: Vec<usize> = (0..rows).collect();
        for attempt in 1..=ATTEMPTS {
            suspects.retain(|&row| {
                self.is_copy(&drawn, row, [seed, number, attempt])
                    || !self.lawful(&scales, &drawn, row)
                    || self.is_filtered(&drawn, row)
            });
            if suspects.is_empty() {
                break;
            }
            let part = |ticks: &Vec<f64>| suspects.iter().filter_map(|&row| ticks.get(row).copied()).collect();
            let given: Vec<Vec<f64>> = given.iter().map(part).collect();
            let again = self.draw_block([seed, number, attempt], suspects.len(), &given);
            for (column, again) in drawn.iter_mut().zip(again) {
                suspects.iter().zip(again).for_each(|(&row, value)| column[row] = value);
            }
        }
        suspects.retain(|&row| !self.lawful(&scales, &drawn, row));
        if !suspects.is_empty() {
            self.mend(&scales, &mut drawn, &suspects, &mut Random::at(&[seed, number, ATTEMPTS + 1]));
        }
        drawn
    }

    /// Makes rows keep the rules: column by column, or as another row of the block where that does not help.
    fn mend(&self, scales: &[&Scale], drawn: &mut [Vec<f64>], suspects: &[usize], random: &mut Random) {
        const ROUNDS: usize = 4;
        let is_given = |output: &Output| self.nodes[output.node as usize].law == Some(Law::Given);
        let given: Vec<bool> = self.outputs.iter().map(is_given).collect();
        for &row in suspects {
            for rule in self.rules.iter().cycle().take(ROUNDS * self.rules.len()) {
                if !rule.kept(scales, drawn, row) {
                    rule.mend(scales, drawn, row, &given, random);
                }
            }
            if self.lawful(scales, drawn, row) || given.contains(&true) {
                continue;
            }
            let rows = drawn[0].len();
            if let Some(other) = (1..rows).map(|step| (row + step) % rows).find(|&o| self.lawful(scales, drawn, o)) {
                drawn.iter_mut().for_each(|column| column[row] = column[other]);
            }
        }
    }

    fn lawful(&self, scales: &[&Scale], drawn: &[Vec<f64>], row: usize) -> bool {
        self.rules.iter().all(|rule| rule.kept(scales, drawn, row))
    }

    /// Whether a privacy filter stops a row.
    fn is_filtered(&self, drawn: &[Vec<f64>], row: usize) -> bool {
        let code = |at: usize| self.nodes[self.outputs[at].node as usize].binning.code(drawn[at][row]);
        !self.filters.idle() && self.filters.stops(code, self.outputs.len(), |at| self.outputs[at].counts())
    }

    /// Whether a row is equal to a training row that few share, and not one of those that may leave all the same.
    fn is_copy(&self, drawn: &[Vec<f64>], row: usize, path: [u64; 3]) -> bool {
        let print = row_print(self.outputs.iter(), |output| drawn[output][row]);
        let [seed, number, attempt] = path;
        print.is_some_and(|print| self.copies.sieve.holds_print(print))
            && Random::at(&[seed, number, attempt, row as u64, 0x636f_7079]).unit() >= self.copies.kept
    }

    /// The rows of one block, per output.
    pub(crate) fn draw_block(&self, path: [u64; 3], rows: usize, given: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let empty = self.nodes.len();
        let mut block = Block { values: vec![Vec::new(); empty], codes: vec![Vec::new(); empty] };
        let [seed, number, attempt] = path;
        for &at in &self.order {
            let node = &self.nodes[at as usize];
            let mut random = Random::at(&[seed, number, attempt, at as u64]);
            let mut values = match (&node.law, given.get(at as usize)) {
                (Some(Law::Given), Some(given)) if given.len() == rows => given.clone(),
                _ => self.draw_node(node, &block, rows, &mut random),
            };
            if node.grid && node.law != Some(Law::Given) {
                values.iter_mut().for_each(|value| *value = value.round());
            }
            block.codes[at as usize] = values.iter().map(|&value| node.binning.code(value)).collect();
            block.values[at as usize] = values;
        }
        self.outputs.iter().map(|output| std::mem::take(&mut block.values[output.node as usize])).collect()
    }

    fn draw_node(&self, node: &Node, block: &Block, rows: usize, random: &mut Random) -> Vec<f64> {
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
            Some(drawn) => drawn.draw(&about, rows, random),
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
        values
    }
}
