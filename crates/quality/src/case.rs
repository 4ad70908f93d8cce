//! The evidence made ready. In: three tables and a seed. Out: encoded columns, row fingerprints and the samples that
//! all metrics share. Nothing here depends on the order of the rows.

use std::collections::HashMap;
use std::sync::OnceLock;

use rayon::prelude::*;
use table::{Table, alike};

use crate::column_shapes;
use crate::distance::{self, Nearest};
use crate::encode::{Cells, Column, Role, encode};
use crate::metric::Score;
use crate::pair_trends::{self, Pairs};
use crate::random::mix;
use crate::report::{Declared, Evidence};
use crate::statistic::rescaled;

/// Most rows a side that distributions, pairs and models are measured on.
pub(crate) const SAMPLE_ROWS_MAX: usize = 20_000;

/// The evidence as the metrics read it.
pub struct Case {
    pub(crate) seed: u64,
    /// The name that was asked for as target, and its position if there is such a column.
    pub(crate) target: Option<(String, Option<usize>)>,
    pub(crate) constraints: Vec<Declared>,
    pub(crate) columns: Vec<Column>,
    pub(crate) training: Side,
    pub(crate) synthetic: Side,
    pub(crate) holdout: Option<Side>,
    // What several metrics and the page share is measured once. Never ask for these inside of a parallel loop.
    shapes: OnceLock<Vec<Score>>,
    pairs: OnceLock<Pairs>,
    nearest: OnceLock<Result<Nearest, &'static str>>,
}

/// One of the tables.
pub(crate) struct Side {
    /// Rows of the table.
    pub(crate) rows: usize,
    /// Missing cells of each column.
    pub(crate) missing: Vec<usize>,
    /// All cells, column by column.
    pub(crate) cells: Vec<Cells>,
    /// All rows in random order, the sample being the first of them.
    pub(crate) order: Vec<u32>,
    /// A fingerprint of each row's content, identifiers left out unless there is nothing else.
    pub(crate) fingerprints: Vec<u64>,
    /// A uniform sample of at most [`SAMPLE_ROWS_MAX`] rows in random order, column by column.
    pub(crate) sample: Vec<Cells>,
    /// Rows of the sample.
    pub(crate) sampled: usize,
}

impl Case {
    /// Makes the evidence ready. Fails, with the reason, when the tables do not have the same columns.
    pub(crate) fn of(evidence: &Evidence<'_>) -> Result<Case, String> {
        let given: Vec<&Table> =
            [Some(evidence.training), Some(evidence.synthetic), evidence.holdout].into_iter().flatten().collect();
        let tables = alike(&given).map_err(|mismatch| {
            format!("the {} {mismatch}", ["training", "synthetic", "holdout"].get(mismatch.table).unwrap_or(&"other"))
        })?;
        let encoded: Vec<(Column, Vec<Cells>)> = (0..evidence.training.columns())
            .into_par_iter()
            .map(|index| encode(&tables, index, evidence.made.contains(&index)))
            .collect();
        let mut cells: Vec<Vec<Cells>> = tables.iter().map(|_| Vec::new()).collect();
        let mut columns = Vec::with_capacity(encoded.len());
        for (column, of_tables) in encoded {
            columns.push(column);
            for (side, of_table) in cells.iter_mut().zip(of_tables) {
                side.push(of_table);
            }
        }
        let mut sides = tables
            .iter()
            .zip(cells)
            .map(|(table, cells)| Side::of(table.rows(), cells, &columns, evidence.seed))
            .collect::<Vec<_>>()
            .into_iter();
        let target = evidence.target.map(|name| (name.to_string(), evidence.training.position(name)));
        let (Some(training), Some(synthetic)) = (sides.next(), sides.next()) else {
            return Err("a table is missing".into());
        };
        Ok(Case {
            seed: evidence.seed,
            target,
            constraints: evidence.constraints.to_vec(),
            columns,
            training,
            synthetic,
            holdout: sides.next(),
            shapes: OnceLock::new(),
            pairs: OnceLock::new(),
            nearest: OnceLock::new(),
        })
    }

    /// How alike each column is spread.
    pub(crate) fn shapes(&self) -> &[Score] {
        self.shapes.get_or_init(|| column_shapes::shapes(self))
    }

    /// How alike columns hang together in pairs.
    pub(crate) fn pairs(&self) -> &Pairs {
        self.pairs.get_or_init(|| pair_trends::pairs(self))
    }

    /// How far synthetic rows are from real ones, or why that cannot be said.
    pub(crate) fn nearest(&self) -> Result<&Nearest, &'static str> {
        self.nearest.get_or_init(|| distance::nearest(self)).as_ref().map_err(|reason| *reason)
    }

    /// The positions of the columns that have a distribution: all but identifiers.
    pub(crate) fn compared(&self) -> Vec<usize> {
        (0..self.columns.len()).filter(|&index| self.columns[index].role != Role::Id).collect()
    }

    /// The positions of the columns that rows are compared by: all but identifiers, or all where there is nothing else.
    pub(crate) fn telling(&self) -> Vec<usize> {
        let compared = self.compared();
        if compared.is_empty() { (0..self.columns.len()).collect() } else { compared }
    }

    /// The ceiling of a score whose distance from 1 is a distance to the training table, from what the holdout scores:
    /// see [`rescaled`]. Undefined without a holdout.
    pub(crate) fn ceiling(&self, of_holdout: impl Fn(&Side) -> Option<f64>) -> Option<f64> {
        let holdout = self.holdout.as_ref().filter(|holdout| holdout.sampled > 0)?;
        let distance = 1.0 - of_holdout(holdout)?;
        Some(1.0 - rescaled(distance, self.training.sampled, holdout.sampled, self.synthetic.sampled))
    }
}

impl Side {
    fn of(rows: usize, cells: Vec<Cells>, columns: &[Column], seed: u64) -> Side {
        let mut fingerprints = vec![0; rows];
        let nothing_else = columns.iter().all(|column| column.role == Role::Id);
        for (index, (cells, _)) in
            cells.iter().zip(columns).enumerate().filter(|(_, (_, column))| nothing_else || column.role != Role::Id)
        {
            cells.fold_into(&mut fingerprints, mix(index as u64));
        }
        let order = draw(&fingerprints, seed);
        let sampled = rows.min(SAMPLE_ROWS_MAX);
        let sample = cells.iter().map(|cells| cells.take(&order[..sampled])).collect();
        let missing = cells.iter().map(Cells::missing).collect();
        Side { rows, missing, cells, order, fingerprints, sample, sampled }
    }

    /// The codes of all cells of a column; none for numbers and times.
    pub(crate) fn codes(&self, index: usize) -> &[u32] {
        match &self.cells[index] {
            Cells::Codes(codes) => codes,
            Cells::Numbers(_) => &[],
        }
    }

    /// The fingerprints in ascending order, each once.
    pub(crate) fn distinct_fingerprints(&self) -> Vec<u64> {
        let mut sorted = self.fingerprints.clone();
        sorted.sort_unstable();
        sorted.dedup();
        sorted
    }
}

/// All rows by ascending priority. A priority is drawn from the seed, the row's content and how
/// many rows of the same content came before, so that the first rows are a uniform sample, and the same for any order of the rows.
/// Equal rows of two tables have equal priorities: a copied row is sampled with its original.
fn draw(fingerprints: &[u64], seed: u64) -> Vec<u32> {
    let mut seen: HashMap<u64, u64> = HashMap::with_capacity(fingerprints.len());
    let mut priorities: Vec<(u64, u32)> = Vec::with_capacity(fingerprints.len());
    for (row, &fingerprint) in fingerprints.iter().enumerate() {
        let before = seen.entry(fingerprint).or_insert(0);
        priorities.push((mix(seed ^ mix(fingerprint ^ mix(*before))), row as u32));
        *before += 1;
    }
    priorities.sort_unstable();
    priorities.into_iter().map(|(_, row)| row).collect()
}
