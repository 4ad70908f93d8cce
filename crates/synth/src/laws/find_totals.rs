//! Finding totals: drafts come in; a number that is the sum or difference of several others, or of their products,
//! follows from them. Terms are found one by one, each the one that tells most of what is left (orthogonal least
//! squares: Chen, Billings and Luo 1989). A law must hold in every training row.

use crate::draft::{Draft, Measure, distinct};
use crate::laws::find_sums::follows;
use crate::laws::law::Law;
use crate::model::Note;
use crate::trees::line::{Parent, fit_exactly};

/// Columns considered at most.
const COLUMNS_MAX: usize = 120;

/// Columns whose products are considered at most.
const FACTORS_MAX: usize = 16;

/// Rows looked at first.
const SAMPLE: usize = 400;

/// A column that a total may hold: a node, or two that are multiplied.
#[derive(Clone, Copy, PartialEq)]
struct Addend(usize, Option<usize>);

impl Addend {
    /// Its real value; a missing one counts as nothing.
    fn real(self, drafts: &[Draft], row: usize) -> f64 {
        let one = |at: usize| {
            let value = drafts[at].real(row);
            if value.is_nan() { 0.0 } else { value }
        };
        one(self.0) * self.1.map_or(1.0, one)
    }

    fn has(self, at: usize) -> bool {
        self.0 == at || self.1 == Some(at)
    }
}

/// Finds them all.
pub(crate) fn find_totals(drafts: &mut Vec<Draft>, notes: &mut Vec<Note>) {
    let able = |draft: &Draft| draft.measure == Measure::Number && draft.grid;
    let mut numbers: Vec<usize> = (0..drafts.len())
        .filter(|&at| able(&drafts[at]) && distinct(drafts[at].values.iter().copied(), 3) >= 3)
        .collect();
    numbers.truncate(COLUMNS_MAX);
    let rows = drafts[0].values.len();
    let sample: Vec<usize> = (0..rows).step_by(rows.div_ceil(SAMPLE)).collect();
    if numbers.len() < 3 || sample.len() < 60 {
        return;
    }
    let mut addends: Vec<Addend> = numbers.iter().map(|&at| Addend(at, None)).collect();
    if numbers.len() <= FACTORS_MAX {
        for (place, &a) in numbers.iter().enumerate() {
            addends.extend(numbers[..place].iter().map(|&b| Addend(a, Some(b))));
        }
    }
    let columns: Vec<Vec<f64>> =
        addends.iter().map(|addend| sample.iter().map(|&row| addend.real(drafts, row)).collect()).collect();
    let mut order: Vec<(usize, usize)> =
        numbers.iter().map(|&at| (distinct(drafts[at].values.iter().copied(), 100_000), at)).collect();
    // The number with most values is the total; what could be said the other way round is its consequence.
    order.sort_by(|a, b| b.0.cmp(&a.0).then(b.1.cmp(&a.1)));
    for (size, target) in order {
        let whole = drafts[target].values.iter().all(|v| !v.is_nan());
        if size < 15 || !whole || drafts[target].law.is_some() {
            continue;
        }
        let own: Vec<f64> = sample.iter().map(|&row| drafts[target].real(row)).collect();
        let usable: Vec<usize> = (0..addends.len())
            .filter(|&at| {
                let Addend(a, b) = addends[at];
                !follows(drafts, a, target) && b.is_none_or(|b| !follows(drafts, b, target))
            })
            .collect();
        let parents: Vec<Parent> = usable.iter().map(|&at| Parent { node: at as u16, values: &columns[at] }).collect();
        let Some(found) = fit_exactly(&own, &parents, 0.501 * drafts[target].unit) else { continue };
        let terms: Vec<(Addend, f64)> = found.iter().map(|&(at, weight)| (addends[at as usize], weight)).collect();
        let sums_two = terms.len() < 2 && terms.iter().all(|term| term.0.1.is_none());
        if !sums_two && !terms.iter().any(|term| term.0.has(target)) {
            set_total(drafts, target, &terms, notes);
        }
    }
}

/// Makes the target the total of its terms where that holds in every row.
fn set_total(drafts: &mut Vec<Draft>, target: usize, terms: &[(Addend, f64)], notes: &mut Vec<Note>) {
    let rows = drafts[0].values.len();
    let told = |row: usize| terms.iter().map(|(addend, weight)| weight * addend.real(drafts, row)).sum::<f64>();
    let constant = drafts[target].real(0) - told(0);
    let unit = drafts[target].unit;
    let constant = (constant / unit).round() * unit;
    if (0..rows).any(|row| (told(row) + constant - drafts[target].real(row)).abs() > 0.501 * unit) {
        return;
    }
    let mut nodes = Vec::new();
    let mut labels = Vec::new();
    for &(Addend(a, b), weight) in terms {
        let node = match b {
            None => a,
            Some(b) => add_product(drafts, a, b),
        };
        labels.push(drafts[node].label.clone());
        nodes.push((node as u16, weight, drafts[node].base, drafts[node].unit));
    }
    let own = &mut drafts[target];
    notes.push(Note { kind: "law", text: format!("{} is a sum or difference of {}.", own.label, labels.join(", ")) });
    let constant = (constant - own.base) / own.unit;
    own.law = Some(Law::Total { terms: nodes, constant, unit: own.unit });
}

/// A node for the product of two others.
fn add_product(drafts: &mut Vec<Draft>, a: usize, b: usize) -> usize {
    let unit = drafts[a].unit * drafts[b].unit;
    let law = Law::Product {
        factors: [a, b].map(|c| (c as u16, drafts[c].base, drafts[c].unit)),
        weight: 1.0 / unit,
        constant: 0.0,
    };
    let values = (0..drafts[a].values.len()).map(|row| drafts[a].real(row) * drafts[b].real(row) / unit).collect();
    let label = format!("{} times {}", drafts[a].label, drafts[b].label);
    let mut draft = Draft::hidden(label, values, 0.0, unit, Measure::Number);
    draft.grid = false;
    draft.law = Some(law);
    drafts.push(draft);
    drafts.len() - 1
}
