//! Screening: where many columns are known before a node, the few that tell most of it. In: training columns. Out: the
//! kept ones, in their old order. This keeps the cost of wide tables near-linear in columns.

use crate::trees::drawn::Seen;
use crate::trees::shape::LEFT_OUT;

/// Columns that a tree looks at, at most.
const KEPT_MAX: usize = 36;

/// Rows looked at.
const ROWS_MAX: usize = 1500;

/// Coarse classes of a target and of a feature.
const CLASSES: usize = 8;
const CODES: usize = 12;

/// The nodes of `before` with the highest mutual information with `target` over some of the rows, or all if few.
pub(crate) fn screen(nodes: &[Seen], target: usize, before: &[u16], rows: &[u32]) -> Vec<u16> {
    if before.len() <= KEPT_MAX {
        return before.to_vec();
    }
    let subject = &nodes[target];
    let able = |row: &u32| subject.classes[*row as usize] != LEFT_OUT;
    let sample: Vec<u32> = rows.iter().step_by(rows.len().div_ceil(ROWS_MAX).max(1)).copied().filter(able).collect();
    let classes: Vec<usize> = sample.iter().map(|&row| subject.classes[row as usize] as usize).collect();
    let classes = coarse(&classes, CLASSES, subject.nominal && subject.places.is_empty());
    let told = |node: u16| {
        let seen = &nodes[node as usize];
        let codes: Vec<usize> = sample.iter().map(|&row| seen.codes[row as usize] as usize).collect();
        information(&coarse(&codes, CODES, seen.nominal && seen.places.is_empty()), &classes)
    };
    let mut ranked: Vec<(f64, usize)> = before.iter().enumerate().map(|(place, &node)| (told(node), place)).collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut places: Vec<usize> = ranked[..KEPT_MAX].iter().map(|r| r.1).collect();
    places.sort_unstable();
    places.into_iter().map(|place| before[place]).collect()
}

/// Numbers merged into at most `most` groups: neighbours by rank where they are ordered, the highest together where
/// not (categories are numbered by how common they are).
fn coarse(numbers: &[usize], most: usize, nominal: bool) -> Vec<usize> {
    if nominal {
        return numbers.iter().map(|&n| n.min(most - 1)).collect();
    }
    let mut below = vec![0usize; numbers.iter().max().map_or(0, |m| m + 2)];
    numbers.iter().for_each(|&n| below[n + 1] += 1);
    for at in 1..below.len() {
        below[at] += below[at - 1];
    }
    numbers.iter().map(|&n| (below[n] + below[n + 1]) * most / (2 * numbers.len() + 1)).collect()
}

/// Mutual information in nats, less what chance gives.
fn information(a: &[usize], b: &[usize]) -> f64 {
    let mut both = [[0usize; CLASSES]; CODES];
    a.iter().zip(b).for_each(|(&a, &b)| both[a.min(CODES - 1)][b.min(CLASSES - 1)] += 1);
    let total = a.len().max(1) as f64;
    let row = |at: usize| both[at].iter().sum::<usize>() as f64;
    let column = |at: usize| both.iter().map(|r| r[at]).sum::<usize>() as f64;
    let columns: Vec<f64> = (0..CLASSES).map(column).collect();
    let mut sum = 0.0;
    let mut cells = 0.0;
    for (at, counts) in both.iter().enumerate() {
        let own = row(at);
        for (class, &count) in counts.iter().enumerate().filter(|cell| *cell.1 > 0) {
            sum += count as f64 / total * (count as f64 * total / (own * columns[class])).ln();
            cells += 1.0;
        }
    }
    let live = |n: usize| n.max(1) as f64;
    let (rows, classes) =
        (live((0..CODES).filter(|&r| row(r) > 0.0).count()), live(columns.iter().filter(|&&c| c > 0.0).count()));
    sum - (cells - rows - classes + 1.0).max(0.0) / (2.0 * total)
}
