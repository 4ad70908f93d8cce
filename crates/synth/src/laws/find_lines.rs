//! Finding near-lines: a number that a few others nearly tell is split into what they tell and a remainder, so that its
//! tree spends its splits on the remainder. In: drafts. Out: drafts with a law and a node for the remainder.

use crate::draft::{Draft, Measure, distinct};
use crate::laws::find_sums::follows;
use crate::laws::law::Law;
use crate::trees::drawn::correlation;
use crate::trees::line::{Parent, fit_line};

/// Share of the variance that a line must explain.
const EXPLAINED_MIN: f64 = 0.8;

/// Rows that a line is fitted on at most.
const ROWS_MAX: usize = 6000;

/// A number is split only if it shows at least this many values.
const DISTINCT_MIN: usize = 150;

/// Finds them all. Parents are always columns of fewer values, so that nothing goes round in a circle.
pub(crate) fn find_lines(drafts: &mut Vec<Draft>) {
    let able = |draft: &Draft| matches!(draft.measure, Measure::Number | Measure::Duration) && !draft.nominal;
    let sizes: Vec<(usize, usize)> = (0..drafts.len())
        .map(|at| (if able(&drafts[at]) { distinct(drafts[at].values.iter().copied(), 1_000_000) } else { 0 }, at))
        .collect();
    let rows = drafts[0].values.len();
    let sample: Vec<u32> = (0..rows as u32).step_by(rows.div_ceil(ROWS_MAX)).collect();
    if sample.len() < 200 {
        return;
    }
    let logs: Vec<Vec<f64>> = drafts.iter().map(|draft| logarithms(draft, &sample)).collect();
    let plain: Vec<Vec<f64>> =
        drafts.iter().map(|draft| sample.iter().map(|&row| draft.real(row as usize)).collect()).collect();
    for at in 0..sizes.len() {
        let (size, _) = sizes[at];
        if drafts[at].law.is_some() || size < DISTINCT_MIN || size * 4 > 3 * rows && !drafts[at].grid {
            continue;
        }
        let earlier = |other: usize| sizes[other] < sizes[at] || drafts[other].given();
        let parent = |other: &usize| sizes[*other].0 >= 30 && earlier(*other) && !follows(drafts, *other, at);
        let parents: Vec<usize> = (0..sizes.len()).filter(parent).collect();
        let straight = told(&plain, &strongest(&plain, &parents, at), at);
        let powers = told(&logs, &strongest(&logs, &parents, at), at);
        let log = powers.as_ref().map_or(0.0, |p| p.1) > straight.as_ref().map_or(0.0, |s| s.1);
        let Some((terms, explained)) = (if log { powers } else { straight }) else { continue };
        if explained >= EXPLAINED_MIN {
            split(drafts, at, terms, log);
        }
    }
}

/// Logarithms over the sample; none at all where the column is not positive in nearly every row.
fn logarithms(draft: &Draft, sample: &[u32]) -> Vec<f64> {
    let logs: Vec<f64> =
        sample.iter().map(|&row| draft.real(row as usize)).map(|v| if v > 0.0 { v.ln() } else { f64::NAN }).collect();
    let lost = sample.iter().filter(|&&row| draft.real(row as usize) <= 0.0).count();
    if lost * 200 > sample.len() { vec![f64::NAN; sample.len()] } else { logs }
}

/// The parents most correlated with `at`.
fn strongest(columns: &[Vec<f64>], parents: &[usize], at: usize) -> Vec<usize> {
    const KEPT: usize = 10;
    let all: Vec<u32> = (0..columns[at].len() as u32).step_by(3).collect();
    let mut ranked: Vec<(f64, usize)> =
        parents.iter().map(|&p| (correlation(&columns[p], &columns[at], &all).abs(), p)).collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut kept: Vec<usize> = ranked.into_iter().take(KEPT).map(|r| r.1).collect();
    kept.sort_unstable();
    kept
}

/// A constant, and nodes with their weights.
type Told = (f64, Vec<(u16, f64)>);

/// A line for `at`, as constant and weights, and the share of variance that it explains.
fn told(columns: &[Vec<f64>], parents: &[usize], at: usize) -> Option<(Told, f64)> {
    let complete = |row: &u32| !columns[at][*row as usize].is_nan();
    let rows: Vec<u32> = (0..columns[at].len() as u32).filter(complete).collect();
    let nearly_whole =
        |p: &&usize| rows.iter().filter(|&&row| columns[**p][row as usize].is_nan()).count() * 100 < rows.len();
    let able: Vec<Parent> =
        parents.iter().filter(nearly_whole).map(|&p| Parent { node: p as u16, values: &columns[p] }).collect();
    let (line, residuals) = fit_line(&columns[at], &able, &rows)?;
    let own = || rows.iter().map(|&row| columns[at][row as usize]);
    let mean = own().sum::<f64>() / rows.len() as f64;
    let all: f64 = own().map(|v| (v - mean).powi(2)).sum();
    let left: f64 = residuals.iter().map(|r| r * r).sum();
    let terms = line.terms.iter().map(|term| (term.node, term.weight)).collect();
    (all > 0.0).then(|| ((line.level, terms), 1.0 - left / all))
}

fn split(drafts: &mut Vec<Draft>, at: usize, (level, terms): Told, log: bool) {
    let node = drafts.len() as u16;
    let parents =
        terms.iter().map(|&(p, weight)| (p, drafts[p as usize].base, drafts[p as usize].unit, weight)).collect();
    let law = Law::Near { terms: parents, level, rest: node, base: drafts[at].base, unit: drafts[at].unit, log };
    let rest: Vec<f64> = {
        let columns: Vec<&[f64]> = drafts.iter().map(|draft| draft.values.as_slice()).collect();
        (0..drafts[at].values.len()).map(|row| law.rest(&columns, row, drafts[at].real(row))).collect()
    };
    let mut remainder =
        Draft::hidden(format!("the remainder of {}", drafts[at].label), rest, 0.0, 1.0, Measure::Number);
    remainder.grid = false;
    remainder.like = Some(at as u16);
    drafts.push(remainder);
    drafts[at].law = Some(law);
}
