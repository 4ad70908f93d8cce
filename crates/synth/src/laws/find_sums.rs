//! Finding laws of arithmetic: drafts come in; columns that are a multiple, a sum, a difference or a product of others
//! follow from them. A law must hold in every training row.

use crate::draft::{Draft, Measure, distinct, regrid};
use crate::laws::find_time::{set_line, set_sum};
use crate::laws::law::Law;
use crate::model::Note;

/// Minutes of a day.
const CLOCK: f64 = 1440.0;

/// A column takes part in sums only with at least this many different values: with fewer, accidents are likely.
const DISTINCT_MIN: usize = 8;

/// Columns of numbers considered at most.
const COLUMNS_MAX: usize = 250;

/// Finds them all.
pub(crate) fn find_arithmetic(drafts: &mut Vec<Draft>, notes: &mut Vec<Note>) {
    find_offsets(drafts, notes);
    let able = |draft: &Draft| draft.numeric() && draft.measure != Measure::Duration && draft.grid;
    let mut numbers: Vec<(usize, usize)> = (0..drafts.len())
        .filter(|&at| able(&drafts[at]))
        .map(|at| (at, distinct(drafts[at].values.iter().copied(), 100_000)))
        .filter(|n| n.1 >= DISTINCT_MIN)
        .collect();
    numbers.truncate(COLUMNS_MAX);
    find_multiples(drafts, &numbers, notes);
    find_pairs(drafts, &numbers, notes);
}

/// A length of time that is hours (or minutes) of another column but for a few different amounts.
fn find_offsets(drafts: &mut Vec<Draft>, notes: &mut Vec<Note>) {
    let rows = drafts[0].values.len();
    for at in 0..drafts.len() {
        if drafts[at].measure != Measure::Duration || drafts[at].law.is_some() {
            continue;
        }
        let own = distinct(drafts[at].values.iter().copied(), 2000);
        for other in 0..drafts.len() {
            let per = match drafts[other].measure {
                Measure::Clock => 60e6,
                Measure::Number
                    if drafts[other].unit == 1.0
                        && (0..rows).all(|row| !(drafts[other].real(row) < 0.0 || drafts[other].real(row) > 24.0)) =>
                {
                    3600e6
                }
                _ => continue,
            };
            let left = |row: usize| drafts[at].real(row) - per * drafts[other].real(row);
            let defined = (0..rows).all(|row| drafts[at].values[row].is_nan() || !drafts[other].values[row].is_nan());
            let few = distinct((0..rows).map(left), 9);
            if defined && few <= 8 && few * 3 <= own && !follows(drafts, other, at) {
                let reals: Vec<f64> = (0..rows).map(left).collect();
                let (values, base, unit) = regrid(&reals);
                let label = format!("what is left of {} after {}", drafts[at].label, drafts[other].label);
                notes.push(Note {
                    kind: "law",
                    text: format!("{} is {} plus one of {few} amounts.", drafts[at].label, drafts[other].label),
                });
                let node = drafts.len() as u16;
                drafts.push(Draft::hidden(label, values, base, unit, Measure::Duration));
                set_sum(drafts, at, &[(other as u16, per), (node, 1.0)]);
                break;
            }
        }
    }
}

/// A column that is another times a constant plus a constant.
fn find_multiples(drafts: &mut [Draft], numbers: &[(usize, usize)], notes: &mut Vec<Note>) {
    let rows = drafts[0].values.len();
    let sample: Vec<usize> = (0..rows).step_by(rows.div_ceil(400)).collect();
    for &(at, own) in numbers {
        for &(other, others) in numbers {
            let free = drafts[at].law.is_none() && at != other;
            let finer = others > own || others == own && other < at;
            if !free
                || !finer
                || drafts[other].measure != drafts[at].measure
                || drafts[at].measure == Measure::Clock
                || follows(drafts, other, at)
            {
                continue;
            }
            let (y, x) = (&drafts[at], &drafts[other]);
            let low_high = |best: [(f64, f64); 2], row: &usize| {
                let (a, b) = (x.real(*row), y.real(*row));
                [if a < best[0].0 { (a, b) } else { best[0] }, if a > best[1].0 { (a, b) } else { best[1] }]
            };
            let [low, high] = sample.iter().fold([(f64::INFINITY, 0.0), (f64::NEG_INFINITY, 0.0)], low_high);
            let slope = short((high.1 - low.1) / (high.0 - low.0), 2.0 * y.unit / (high.0 - low.0));
            // A constant that rounding may have made is none.
            let constant = Some(low.1 - slope * low.0).filter(|c| c.abs() > 0.51 * y.unit).unwrap_or(0.0);
            let near = |row: usize| {
                let (a, b) = (x.real(row), y.real(row));
                if a.is_nan() || b.is_nan() {
                    a.is_nan() == b.is_nan()
                } else {
                    (slope * a + constant - b).abs() <= 0.501 * y.unit
                }
            };
            if slope.is_finite() && slope != 0.0 && sample.iter().all(|&row| near(row)) && (0..rows).all(near) {
                notes.push(Note { kind: "law", text: format!("{} is a fixed multiple of {}.", y.label, x.label) });
                set_line(drafts, at, &[(other as u16, slope)], constant, None);
            }
        }
    }
}

/// The number of fewest decimals within `slack` of a slope.
fn short(slope: f64, slack: f64) -> f64 {
    let rounded = |places: i32| (slope * 10f64.powi(places)).round() / 10f64.powi(places);
    (0..8).map(rounded).find(|short| (short - slope).abs() <= slack && *short != 0.0).unwrap_or(slope)
}

/// Three columns of which one is the sum or the product of the two others.
fn find_pairs(drafts: &mut [Draft], numbers: &[(usize, usize)], notes: &mut Vec<Note>) {
    let rows = drafts[0].values.len();
    let sample: Vec<usize> = (0..rows).step_by(rows.div_ceil(400)).collect();
    let seen: Vec<Vec<f64>> =
        numbers.iter().map(|&(at, _)| sample.iter().map(|&row| drafts[at].real(row)).collect()).collect();
    for i in 0..numbers.len() {
        for j in 0..i {
            for k in 0..j {
                for [x, y, z] in [[i, j, k], [i, k, j], [j, k, i]] {
                    let clocks = [x, y, z].iter().filter(|&&c| drafts[numbers[c].0].measure == Measure::Clock).count();
                    let moments = [x, y, z].iter().any(|&c| drafts[numbers[c].0].measure == Measure::Moment);
                    if moments || clocks == 1 || clocks == 3 {
                        continue;
                    }
                    let unit = drafts[numbers[z].0].unit;
                    if clocks == 2 {
                        let same = |s: usize| (seen[x][s] + seen[y][s] - seen[z][s]).rem_euclid(CLOCK);
                        if constantly(sample.len(), &same, 1e-6) {
                            set_clock(drafts, [x, y, z].map(|c| numbers[c]), notes);
                        }
                        continue;
                    }
                    let sum = |s: usize| seen[x][s] + seen[y][s] - seen[z][s];
                    if constantly(sample.len(), &sum, 0.51 * unit) {
                        set_plus(drafts, [x, y, z].map(|c| numbers[c]), notes);
                        continue;
                    }
                    let product = |s: usize| seen[x][s] * seen[y][s] - seen[z][s];
                    if constantly(sample.len(), &product, 0.51 * unit) {
                        set_times(drafts, [x, y, z].map(|c| numbers[c]), notes);
                    }
                }
            }
        }
    }
}

/// Whether a value is the same, within `slack` of its first, wherever it is defined, and defined often enough.
fn constantly(rows: usize, value: &dyn Fn(usize) -> f64, slack: f64) -> bool {
    let (mut first, mut count) = (f64::NAN, 0);
    for row in 0..rows {
        let now = value(row);
        if now.is_nan() {
            continue;
        }
        if first.is_nan() {
            first = now;
        } else if (now - first).abs() > 2.0 * slack {
            return false;
        }
        count += 1;
    }
    count >= 15
}

/// x + y - z is a constant: whichever of the three can always be computed follows, the one with most values first.
fn set_plus(drafts: &mut [Draft], triple: [(usize, usize); 3], notes: &mut Vec<Note>) {
    let [x, y, z] = triple.map(|t| t.0);
    let rows = drafts[0].values.len();
    let left = |row: usize| drafts[x].real(row) + drafts[y].real(row) - drafts[z].real(row);
    let finest = [x, y, z].iter().map(|&c| drafts[c].unit).fold(f64::INFINITY, f64::min);
    let middle = {
        let present = || (0..rows).map(left).filter(|v| !v.is_nan());
        let (low, high) = (present().fold(f64::INFINITY, f64::min), present().fold(f64::NEG_INFINITY, f64::max));
        if high - low <= 0.01 * finest { low } else { 0.0 }
    };
    for (target, signs) in ordered(triple) {
        let slack =
            0.01 * finest.max(0.0) + if drafts[target].unit > 1.5 * finest { 0.5 * drafts[target].unit } else { 0.0 };
        if (0..rows).any(|row| (left(row) - middle).abs() > slack) || !computable(drafts, [x, y, z], target) {
            continue;
        }
        let others: Vec<usize> = [x, y, z].into_iter().filter(|&c| c != target).collect();
        let weights: Vec<(u16, f64)> = others
            .iter()
            .map(|&c| (c as u16, signs[[x, y, z].iter().position(|&o| o == c).expect("one of the three")]))
            .collect();
        let constant = if target == z { -middle } else { middle };
        set_line(drafts, target, &weights, constant, None);
        say(drafts, target, &weights, "", notes);
        return;
    }
}

/// The three with, for each as the target, the weights of all three, most different values first.
fn ordered(triple: [(usize, usize); 3]) -> Vec<(usize, [f64; 3])> {
    let [x, y, z] = triple;
    let mut all = vec![(z, [1.0, 1.0, 0.0]), (x, [0.0, -1.0, 1.0]), (y, [-1.0, 0.0, 1.0])];
    all.sort_by_key(|(t, _)| (std::cmp::Reverse(t.1), t.0));
    all.into_iter().map(|(t, weights)| (t.0, weights)).collect()
}

/// x + y - z is a constant on the clock, across midnight.
fn set_clock(drafts: &mut [Draft], triple: [(usize, usize); 3], notes: &mut Vec<Note>) {
    let [x, y, z] = triple.map(|t| t.0);
    let rows = drafts[0].values.len();
    let left = |row: usize| (drafts[x].real(row) + drafts[y].real(row) - drafts[z].real(row)).rem_euclid(CLOCK);
    let first = (0..rows).map(left).find(|v| !v.is_nan()).unwrap_or(0.0);
    if (0..rows).any(|row| (left(row) - first).abs() > 1e-6) {
        return;
    }
    for (target, signs) in ordered(triple) {
        if !computable(drafts, [x, y, z], target) {
            continue;
        }
        let reals = || (0..rows).map(|row| drafts[target].real(row)).filter(|v| !v.is_nan());
        let (low, high) = (reals().fold(f64::INFINITY, f64::min), reals().fold(f64::NEG_INFINITY, f64::max));
        if high - low >= CLOCK {
            continue;
        }
        let low = if drafts[target].measure == Measure::Clock { (high >= CLOCK) as u8 as f64 } else { low };
        let others: Vec<usize> = [x, y, z].into_iter().filter(|&c| c != target).collect();
        let weights: Vec<(u16, f64)> = others
            .iter()
            .map(|&c| (c as u16, signs[[x, y, z].iter().position(|&o| o == c).expect("one of the three")]))
            .collect();
        let constant = if target == z { -first } else { first };
        set_line(drafts, target, &weights, constant, Some((low, CLOCK)));
        say(drafts, target, &weights, " on the clock", notes);
        return;
    }
}

/// z is x times y.
fn set_times(drafts: &mut [Draft], triple: [(usize, usize); 3], notes: &mut Vec<Note>) {
    let [x, y, z] = triple.map(|t| t.0);
    let rows = drafts[0].values.len();
    let miss = |row: usize| drafts[x].real(row) * drafts[y].real(row) - drafts[z].real(row);
    if (0..rows).any(|row| miss(row).abs() > 0.5001 * drafts[z].unit) || !computable(drafts, [x, y, z], z) {
        return;
    }
    let factor = |c: usize| (c as u16, drafts[c].base, drafts[c].unit);
    let law = Law::Product {
        factors: [factor(x), factor(y)],
        weight: 1.0 / drafts[z].unit,
        constant: -drafts[z].base / drafts[z].unit,
    };
    notes.push(Note {
        kind: "law",
        text: format!("{} is {} times {}.", drafts[z].label, drafts[x].label, drafts[y].label),
    });
    drafts[z].law = Some(law);
}

fn say(drafts: &[Draft], target: usize, weights: &[(u16, f64)], how: &str, notes: &mut Vec<Note>) {
    let (mut terms, mut minus) = (Vec::new(), Vec::new());
    for &(node, weight) in weights {
        if weight > 0.0 {
            terms.push(drafts[node as usize].label.clone())
        } else {
            minus.push(drafts[node as usize].label.clone())
        }
    }
    let right = if minus.is_empty() {
        terms.join(" plus ")
    } else {
        format!("{} less {}", terms.join(" plus "), minus.join(" and "))
    };
    notes.push(Note { kind: "law", text: format!("{} is {right}{how}.", drafts[target].label) });
}

/// Whether the target is free, present wherever the others are, and none of the others follows from it.
fn computable(drafts: &[Draft], all: [usize; 3], target: usize) -> bool {
    let others = || all.into_iter().filter(|&c| c != target);
    let there = |row: usize| others().any(|c| drafts[c].values[row].is_nan()) || !drafts[target].values[row].is_nan();
    drafts[target].law.is_none()
        && others().all(|c| !follows(drafts, c, target))
        && (0..drafts[target].values.len()).all(there)
}

/// Whether node `from` follows, by laws, from node `root` (or is it).
pub(crate) fn follows(drafts: &[Draft], from: usize, root: usize) -> bool {
    from == root
        || drafts[from].law.as_ref().is_some_and(|law| law.parents().iter().any(|&p| follows(drafts, p as usize, root)))
}
