//! Filling gaps: a table with missing cells comes in, the same table with values in their place goes out. Columns are taken
//! from the fewest gaps to the most; the gaps of one are drawn from a tree over all other columns, filled ones included
//! (chained equations, van Buuren and Groothuis-Oudshoorn 2011, "mice", in one pass). Nothing is protected here: the
//! output is the source's own table.

use table::Table;

use crate::encode::{Encoded, encode};
use crate::filters::Copies;
use crate::fit::{Material, ROWS_MIN, Terms, learn_trees};
use crate::makers::maker::{Maker, find_makers, make_columns};
use crate::model::{Ask, Note, Progress, Unfit};
use crate::random::{mix, some_rows};

/// Rows that one column's tree is learned from, at most.
const ROWS_MAX: usize = 100_000;

/// Values held by fewer rows are not drawn: they would be guesses.
const FLOOR: usize = 2;

/// The table with its gaps filled, and what was done. Cells that are present stay as they are; a column that is all gaps
/// stays so. The same table and seed give the same cells.
pub fn impute(
    real: &Table,
    seed: u64,
    progress: &(dyn Fn(Progress) -> bool + Sync),
) -> Result<(Table, Vec<Note>), Unfit> {
    if real.columns() == 0 {
        return Err(Unfit::NoColumns);
    }
    let mut notes = Vec::new();
    let encoded: Vec<Encoded> = (0..real.columns()).map(|at| encode(real, at, FLOOR, None, None)).collect();
    let listed: Vec<Encoded> = encoded.clone();
    let (mut encoded, mut makers) = find_makers(real, None, encoded, &[], FLOOR, seed, &mut notes);
    // The table stays its owner's: a gap of a column whose words mostly repeat is filled by one of them, by no stand-in.
    for (at, own) in listed.into_iter().enumerate() {
        if 2 * own.rare_rows < own.values.len() && makers[at].as_ref().is_some_and(Maker::hides) {
            (encoded[at], makers[at]) = (own, None);
        }
    }
    notes.clear();
    let gaps = |at: usize| (0..real.rows()).filter(|&row| real.missing(at, row)).count();
    let mut open: Vec<(usize, usize)> = (0..real.columns()).map(|at| (gaps(at), at)).filter(|gap| gap.0 > 0).collect();
    open.sort_unstable();
    let mut columns: Vec<table::Column> = (0..real.columns()).map(|at| real.column(at)).collect();
    let total = open.len();
    for (done, (count, at)) in open.into_iter().enumerate() {
        if !progress(Progress { done, total }) {
            return Err(Unfit::Cancelled);
        }
        let name = real.name(at);
        if real.rows() - count < ROWS_MIN {
            let text = format!("`{name}` has {} values, too few to learn from: its gaps stay.", real.rows() - count);
            notes.push(Note { kind: "column", text });
            continue;
        }
        let own = mix(seed ^ at as u64);
        let missing: Vec<u32> = (0..real.rows() as u32).filter(|&row| real.missing(at, row as usize)).collect();
        let present: Vec<u32> = (0..real.rows() as u32).filter(|&row| !real.missing(at, row as usize)).collect();
        let present: Vec<u32> =
            some_rows(present.len(), ROWS_MAX, own).into_iter().map(|place| present[place as usize]).collect();
        let material = (0..real.columns()).map(|column| {
            let values = present.iter().map(|&row| encoded[column].values[row as usize]).collect();
            let (nominal, scale) = (encoded[column].nominal, encoded[column].scale.clone());
            let maker = if column == at { makers[at].clone() } else { None };
            Material::of(real, column, Encoded::plain(values, nominal, scale), maker)
        });
        let given: Vec<usize> = (0..real.columns()).filter(|&column| column != at).collect();
        let terms = Terms { given: &given, copies: Some(Copies::none()), ..Terms::plain(FLOOR, own) };
        let trees = learn_trees(material.collect(), &terms, Vec::new(), &|_| true)?;
        let mut known = vec![Vec::new(); trees.nodes.len()];
        for &column in &given {
            // The scale of a column may have become one of clock times.
            let scale = &trees.outputs[column].scale;
            let tick = |row: &u32| scale.tick(encoded[column].scale.real(encoded[column].values[*row as usize]));
            known[column] = missing.iter().map(tick).collect();
        }
        let ask = Ask::all(missing.len(), own);
        let drawn = trees.draw_ticks(&ask, Some(&known));
        for (&row, &tick) in missing.iter().zip(&drawn[at]) {
            encoded[at].values[row as usize] = encoded[at].scale.tick(trees.outputs[at].scale.real(tick));
        }
        let filled = make_columns(&trees.outputs[at..=at], &drawn[at..=at], &ask);
        columns[at] = columns[at].filled(&missing, &filled[0]);
        let gaps = if count == 1 { "1 gap, which is".to_string() } else { format!("{count} gaps, which are") };
        notes.push(Note { kind: "column", text: format!("`{name}` had {gaps} filled.") });
    }
    Ok((Table::new(columns).expect("every column keeps its rows"), notes))
}
