//! One pair of columns, training next to synthetic. In: a case and two columns. Out: a chart, and what is not on it.
//! Nothing that fewer than five training rows share is ever shown: a cell of fewer rows stays blank, and quartiles are
//! of so many rows that five lie beyond each.

use crate::case::{Case, Side};
use crate::detail::{Detail, Spread};
use crate::encode::{Cells, Column};
use crate::page_axes::{Run, TICK_SIZE};
use crate::page_joint_chart::{boxes, grids};
use crate::rare_values::RARE_ROWS;
use crate::svg::{cut, isolated, percent, width};
use table::Kind;

/// Most bins of an axis.
const BINS: [usize; 2] = [4, 12];
/// Sampled training rows that there should be for each cell.
const ROWS_PER_CELL: usize = 10;
/// Most categories of an axis.
const CATEGORIES_MAX: usize = 8;
/// Room of the axes, across and up, and of a name beside the latter, in units of the chart.
pub(crate) const ROOM: [f64; 2] = [236.0, 200.0];
pub(crate) const ROOM_BESIDE: f64 = 73.0;

/// One side of a pair: what its bins are.
pub(crate) enum Bins<'a> {
    /// Ascending edges.
    Edges(&'a Column, Vec<f64>),
    /// The commonest values, and the others together.
    Names(&'a Column, Vec<String>),
}

impl Bins<'_> {
    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        match self {
            Bins::Edges(_, edges) => edges.len() - 1,
            Bins::Names(_, names) => names.len(),
        }
    }

    /// The column.
    pub(crate) fn column(&self) -> &Column {
        match self {
            Bins::Edges(column, _) | Bins::Names(column, _) => column,
        }
    }
}

/// Shares of rows over the cells of two axes.
pub(crate) struct Grid<'a> {
    /// Across and up.
    pub(crate) axes: [Bins<'a>; 2],
    /// Per table, share of the rows by column of cells, then row; `None` where too few.
    pub(crate) cells: [Vec<Option<f64>>; 2],
}

/// A number's spread in one category: the rows, and the bins of its quantiles 10, 25, 50, 75 and 90 %.
#[derive(Clone, Copy)]
pub(crate) struct Quantiles {
    /// Quartiles.
    pub(crate) middle: [f64; 3],
    /// Only of enough rows.
    pub(crate) outer: Option<[f64; 2]>,
}

/// Fewest rows for quartiles: five are beyond each.
const QUARTILE_ROWS: usize = 4 * RARE_ROWS;
/// Fewest rows for tenths.
const TENTH_ROWS: usize = 10 * RARE_ROWS;

/// The chart of two columns and the sentences below it; no chart where there is nothing to show.
pub(crate) fn chart(case: &Case, details: &[Detail], columns: [usize; 2]) -> (String, Vec<String>) {
    let rows = case.training.sampled;
    let bins_max = (((rows / ROWS_PER_CELL) as f64).sqrt() as usize).clamp(BINS[0], BINS[1]);
    let of = |column: usize, bins_max: usize| bins(case, &details[column], column, bins_max);
    let few = || (String::new(), vec!["There are too few rows or values for a chart of this pair.".to_string()]);
    let numeric = columns.map(|column| case.columns[column].role.numeric());
    // A category stands upwards where a number runs across.
    let columns = if numeric == [false, true] { [columns[1], columns[0]] } else { columns };
    if numeric[0] != numeric[1] {
        let (Some(edges), Some(names)) = (of(columns[0], usize::MAX), of(columns[1], bins_max)) else { return few() };
        // Boxes that are all but lines say less than the shares of cells.
        if let Some(found) = by_category(case, columns, edges, names) {
            return found;
        }
    }
    let (Some(across), Some(up)) = (of(columns[0], bins_max), of(columns[1], bins_max)) else { return few() };
    by_cell(case, columns, [across, up])
}

/// Shares of rows in each cell of two columns.
fn by_cell(case: &Case, columns: [usize; 2], axes: [Bins<'_>; 2]) -> (String, Vec<String>) {
    let [(training, few), (synthetic, few_made)] =
        [&case.training, &case.synthetic].map(|side| joint(side, columns, &axes));
    if training.iter().all(Option::is_none) {
        return (String::new(), vec!["No part of this pair is held by five training rows.".into()]);
    }
    let mut notes = legend_of(&axes);
    if few > 0.0 || few_made > 0.0 {
        notes.push(format!(
            "Blank: cells of fewer than five rows, {} of training and {} of synthetic rows.",
            percent(few),
            percent(few_made)
        ));
    }
    (grids(&Grid { axes, cells: [training, synthetic] }), notes)
}

/// The bins of a column, at most so many; those of the column's own chart, put together.
fn bins<'a>(case: &'a Case, detail: &Detail, column: usize, bins_max: usize) -> Option<Bins<'a>> {
    let of = &case.columns[column];
    match &detail.spread {
        Spread::Bins { edges, .. } => {
            let each = (edges.len() - 1).div_ceil(bins_max).max(1);
            let mut kept: Vec<f64> = edges.iter().step_by(each).copied().collect();
            if (edges.len() - 1) % each > 0 {
                kept.push(edges[edges.len() - 1]);
            }
            Some(Bins::Edges(of, kept))
        }
        Spread::Values { .. } => {
            let common = |index: usize| of.counts[index] >= RARE_ROWS || of.kind == Kind::Bool;
            let shown = (0..of.levels.len()).take_while(|&index| common(index)).count();
            let shown = if of.levels.len() > CATEGORIES_MAX { shown.min(CATEGORIES_MAX - 1) } else { shown };
            let mut names: Vec<String> = of.levels[..shown].to_vec();
            if shown < of.levels.len() {
                names.push("others".into());
            }
            Some(Bins::Names(of, names))
        }
        Spread::Nothing(_) => None,
    }
}

/// The bin of each sampled row of a table; `None` where its cell is missing.
fn places(side: &Side, column: usize, bins: &Bins<'_>) -> Vec<Option<usize>> {
    let last = bins.count() - 1;
    match (&side.sample[column], bins) {
        (Cells::Numbers(values), Bins::Edges(_, edges)) => {
            let bin = |value: f64| edges.partition_point(|&edge| edge <= value).clamp(1, last + 1) - 1;
            values.iter().map(|&value| (!value.is_nan()).then(|| bin(value))).collect()
        }
        (Cells::Codes(codes), Bins::Names(..)) => {
            codes.iter().map(|&code| (code > 0).then(|| (code as usize - 1).min(last))).collect()
        }
        _ => vec![None; side.sampled],
    }
}

/// Shares of the rows that have both values, and the share that is in cells of too few.
fn joint(side: &Side, columns: [usize; 2], axes: &[Bins<'_>; 2]) -> (Vec<Option<f64>>, f64) {
    let [across, up] = [places(side, columns[0], &axes[0]), places(side, columns[1], &axes[1])];
    let mut counts = vec![0usize; axes[0].count() * axes[1].count()];
    across.iter().zip(&up).for_each(|both| {
        if let (Some(across), Some(up)) = both {
            counts[across * axes[1].count() + up] += 1;
        }
    });
    let rows = counts.iter().sum::<usize>().max(1) as f64;
    let few = counts.iter().filter(|&&count| count < RARE_ROWS).sum::<usize>() as f64 / rows;
    (counts.into_iter().map(|count| (count >= RARE_ROWS).then(|| count as f64 / rows)).collect(), few)
}

/// A number's quartiles in each category; `None` where no category has enough rows, or all quartiles fall together.
fn by_category(case: &Case, columns: [usize; 2], edges: Bins<'_>, names: Bins<'_>) -> Option<(String, Vec<String>)> {
    let of_names = names.count();
    let found = [&case.training, &case.synthetic].map(|side| {
        let mut bins_of: Vec<Vec<usize>> = vec![Vec::new(); of_names];
        for both in places(side, columns[0], &edges).into_iter().zip(places(side, columns[1], &names)) {
            if let (Some(bin), Some(name)) = both {
                bins_of[name].push(bin);
            }
        }
        bins_of.into_iter().map(|bins| quantiles(bins, &edges)).collect::<Vec<_>>()
    });
    let kept: Vec<usize> = (0..of_names).filter(|&name| found[0][name].is_some()).collect();
    let wide = |of: &Quantiles| of.middle[2] > of.middle[0];
    if found.iter().flatten().flatten().filter(|of| wide(of)).count() < kept.len().max(1) {
        return None;
    }
    let mut notes = Vec::new();
    if kept.len() < of_names {
        notes.push("Categories of fewer than twenty rows are left out.".to_string());
    }
    let (Bins::Edges(of_number, edges), Bins::Names(of_category, names)) = (edges, names) else { return None };
    let rows: Vec<(String, [Option<Quantiles>; 2])> =
        kept.into_iter().map(|name| (names[name].clone(), [found[0][name], found[1][name]])).collect();
    Some((boxes(of_number, &edges, of_category, &rows), notes))
}

/// The quantiles of rows by their bins, each the middle of its bin, so that no single row's value is told.
fn quantiles(mut bins: Vec<usize>, edges: &Bins<'_>) -> Option<Quantiles> {
    let Bins::Edges(_, edges) = edges else { return None };
    if bins.len() < QUARTILE_ROWS {
        return None;
    }
    bins.sort_unstable();
    let at = |share: f64| {
        let bin = bins[((bins.len() - 1) as f64 * share).round() as usize];
        edges[bin] / 2.0 + edges[bin + 1] / 2.0
    };
    let outer = (bins.len() >= TENTH_ROWS).then(|| [at(0.1), at(0.9)]);
    Some(Quantiles { middle: [at(0.25), at(0.5), at(0.75)], outer })
}

/// The names that have numbers on the chart, axis by axis.
fn legend_of(axes: &[Bins<'_>; 2]) -> Vec<String> {
    let of = |(bins, (run, word)): (&Bins<'_>, (Run, &str))| match bins {
        Bins::Names(column, names) if numbered(names, run) => {
            let all = names.iter().enumerate().map(|(at, name)| format!("{} {}", at + 1, isolated(&cut(name, 80))));
            Some(format!("{word}, {}: {}.", isolated(&cut(&column.name, 60)), all.collect::<Vec<_>>().join(", ")))
        }
        _ => None,
    };
    axes.iter().zip([(Run::Across, "Across"), (Run::Up, "Upwards")]).filter_map(of).collect()
}

/// Whether names are too long to stand at an axis, and have numbers there.
pub(crate) fn numbered(names: &[String], run: Run) -> bool {
    let room = if run == Run::Across { ROOM[0] / names.len() as f64 - 5.0 } else { ROOM_BESIDE };
    names.iter().any(|name| width(name) * TICK_SIZE > room)
}
