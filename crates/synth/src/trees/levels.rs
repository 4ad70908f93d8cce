//! Likeness of levels: where a category has more levels than a tree can tell apart, those that stand beside the same
//! values of other columns belong together. In: drafts. Out: an order of the levels in which neighbours are alike, and
//! the code of each. Cost is linear in rows. Divided by principal directions (Boley 1998, "Principal direction divisive
//! partitioning"), on means drawn in by how much chance moves them (Efron and Morris 1975).

use rayon::prelude::*;

use crate::draft::{Draft, Measure};
use crate::laws::law::{Law, lookup_key};
use crate::random::mix;

/// Levels that codes can tell apart without any of this.
const PLAIN_MAX: usize = 254;

/// Levels with a code of their own at most, where not all can have one.
const SINGLE_MAX: usize = 160;

/// Directions kept of a category's levels at most.
const DIRECTIONS_MAX: usize = 4;

/// Share of all the difference between levels that a direction must hold.
const DIRECTION_MIN: f64 = 0.04;

/// Traits of a level at most.
const TRAITS_MAX: usize = 40;

/// Cells looked at for the traits of one column at most, unless that left fewer than [`OTHERS_MIN`] other columns.
const CELLS_MAX: usize = 24_000_000;

/// Other columns that a category's levels are held against, if there are as many: of a long table no fewer than of a
/// short one.
const OTHERS_MIN: usize = 20;

/// The levels of one category, by likeness.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Likeness {
    /// Code of each level, from 1; codes are in the order of likeness.
    pub(crate) codes: Vec<u8>,
    /// Place of each level in the order of likeness.
    pub(crate) places: Vec<u32>,
    /// Where each level lies along the directions in which levels differ most.
    pub(crate) directions: Vec<Vec<f64>>,
}

/// Puts a node for every direction behind the drafts; each follows from its category.
pub(crate) fn add_directions(drafts: &mut Vec<Draft>, likenesses: &mut Vec<Option<Likeness>>) {
    for at in 0..likenesses.len() {
        let Some(likeness) = &mut likenesses[at] else { continue };
        for (number, direction) in std::mem::take(&mut likeness.directions).into_iter().enumerate() {
            let mut rows: Vec<(u64, f64)> = direction
                .iter()
                .enumerate()
                .map(|(level, &value)| (lookup_key(std::iter::once(level as f64)), value))
                .collect();
            rows.sort_unstable_by_key(|row| row.0);
            let values =
                drafts[at].values.iter().map(|&v| if v.is_nan() { v } else { direction[v as usize] }).collect();
            let label = format!("direction {} of {}", number + 1, drafts[at].label);
            let mut draft = Draft::hidden(label, values, 0.0, 1.0, Measure::Direction);
            draft.grid = false;
            draft.law = Some(Law::Lookup { keys: vec![at as u16], rows });
            drafts.push(draft);
        }
    }
    likenesses.resize(drafts.len(), None);
}

/// The likeness of the levels of every draft that has too many; none for the others.
pub(crate) fn liken(drafts: &[Draft]) -> Vec<Option<Likeness>> {
    let levels = |draft: &Draft| draft.values.iter().copied().filter(|v| !v.is_nan()).fold(-1.0, f64::max) as i64 + 1;
    let counts: Vec<usize> =
        drafts.iter().map(|draft| if draft.nominal { levels(draft) as usize } else { 0 }).collect();
    (0..drafts.len())
        .into_par_iter()
        .map(|at| (counts[at] > PLAIN_MAX).then(|| Likeness::of(drafts, &counts, at)))
        .collect()
}

impl Likeness {
    fn of(drafts: &[Draft], counts: &[usize], at: usize) -> Likeness {
        let (own, levels) = (&drafts[at].values, counts[at]);
        let mut sizes = vec![0usize; levels];
        own.iter().filter(|v| !v.is_nan()).for_each(|&v| sizes[v as usize] += 1);
        let others: Vec<usize> = (0..drafts.len()).filter(|&other| other != at).collect();
        let cells_max = CELLS_MAX.max(OTHERS_MIN * 4 * own.len());
        let step = (others.len() * 4 * own.len()).div_ceil(cells_max).max(1);
        let mut traits: Vec<(f64, Vec<f32>)> = others
            .par_iter()
            .step_by(step)
            .flat_map_iter(|&other| traits_of(&drafts[other], counts[other], other as u64))
            .filter_map(|cells| told(own, &cells, &sizes))
            .collect();
        traits.sort_by(|a, b| b.0.total_cmp(&a.0));
        traits.truncate(TRAITS_MAX);
        let singles = own.len() / PLAIN_MAX;
        let single = sizes.iter().filter(|&&size| size > singles.max(1)).count().min(SINGLE_MAX);
        let division = Division::of(traits.into_iter().map(|t| t.1).collect(), sizes);
        let directions = division.directions();
        Likeness { directions, ..division.likeness(single) }
    }
}

/// What a column says of each row, as a few numbers of a like size: its rank, which of its commonest levels it holds,
/// or where levels are many a few signs that rows of one level share. NaN where missing.
fn traits_of(draft: &Draft, levels: usize, salt: u64) -> Vec<Vec<f32>> {
    const SHOWN: usize = 12;
    const SIGNS: usize = 6;
    let rows = &draft.values;
    if !draft.nominal {
        let mut sorted: Vec<f64> =
            rows.iter().step_by(rows.len().div_ceil(2000)).copied().filter(|v| !v.is_nan()).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let middle = |v: f64| sorted.partition_point(|s| *s < v) + sorted.partition_point(|s| *s <= v);
        let rank = |&v: &f64| if v.is_nan() { f32::NAN } else { middle(v) as f32 / sorted.len().max(1) as f32 - 1.0 };
        return vec![rows.iter().map(rank).collect()];
    }
    let sign = |level: f64, bit: usize| if mix(level as u64 ^ salt << 32) >> bit & 1 == 1 { 0.5 } else { -0.5 };
    let cells = |say: &dyn Fn(f64) -> f32| rows.iter().map(|&v| if v.is_nan() { f32::NAN } else { say(v) }).collect();
    if levels <= 2 * SHOWN {
        (0..levels.min(SHOWN)).map(|level| cells(&|v| (v as usize == level) as u8 as f32)).collect()
    } else {
        (0..SIGNS).map(|bit| cells(&|v| sign(v, bit))).collect()
    }
}

/// The mean of a trait for each level, less the mean of all and drawn in by chance, with how much of it is no chance.
fn told(own: &[f64], cells: &[f32], sizes: &[usize]) -> Option<(f64, Vec<f32>)> {
    let (mut sums, mut counts) = (vec![0f64; sizes.len()], vec![0f64; sizes.len()]);
    let (mut sum, mut squares, mut count) = (0.0, 0.0, 0.0);
    for (level, &cell) in own.iter().zip(cells) {
        if level.is_nan() || cell.is_nan() {
            continue;
        }
        let cell = cell as f64;
        sums[*level as usize] += cell;
        counts[*level as usize] += 1.0;
        (sum, squares, count) = (sum + cell, squares + cell * cell, count + 1.0);
    }
    let live = counts.iter().filter(|&&c| c > 0.0).count() as f64;
    let mean = sum / count;
    let total = squares - sum * mean;
    if count <= live + 1.0 || total <= 1e-9 * count {
        return None;
    }
    let apart: f64 = sums.iter().zip(&counts).filter(|c| *c.1 > 0.0).map(|(sum, n)| n * (sum / n - mean).powi(2)).sum();
    let within = (total - apart).max(1e-9 * total) / (count - live);
    let between = (apart - live * within) / count;
    // A trait that chance explains is none.
    if between <= within * 3.0 * (2.0 * live).sqrt() / count {
        return None;
    }
    let drawn = |(sum, n): (&f64, &f64)| {
        if *n > 0.0 { ((sum / n - mean) * n / (n + within / between)) as f32 } else { 0.0 }
    };
    Some((between, sums.iter().zip(&counts).map(drawn).collect()))
}

/// Levels in the course of being divided.
struct Division {
    /// Per trait, one number per level.
    traits: Vec<Vec<f32>>,
    sizes: Vec<usize>,
    /// Levels, so that every part owns a range.
    order: Vec<u32>,
}

/// A range of levels, with how much its levels differ.
struct Part {
    from: usize,
    to: usize,
    spread: f64,
}

impl Division {
    fn of(traits: Vec<Vec<f32>>, sizes: Vec<usize>) -> Division {
        let order = (0..sizes.len() as u32).collect();
        Division { traits, sizes, order }
    }

    /// Divides until codes are used up; the `single` commonest levels have codes of their own.
    fn likeness(mut self, single: usize) -> Likeness {
        let levels = self.sizes.len();
        let mut parts = vec![self.part(0, levels)];
        while parts.len() < PLAIN_MAX - single {
            let widest = |a: &usize, b: &usize| parts[*a].spread.total_cmp(&parts[*b].spread).then(b.cmp(a));
            let Some(at) = (0..parts.len()).max_by(widest).filter(|&at| parts[at].spread > 0.0) else { break };
            let (from, to) = (parts[at].from, parts[at].to);
            let middle = self.divide(from, to);
            parts[at] = self.part(from, middle);
            parts.push(self.part(middle, to));
        }
        parts.sort_by_key(|part| part.from);
        let mut likeness = Likeness { codes: vec![0; levels], places: vec![0; levels], directions: Vec::new() };
        let mut last = 0u8;
        for part in parts {
            let mut shared = None;
            for place in part.from..part.to {
                let level = self.order[place] as usize;
                let mut next = || {
                    last = last.saturating_add(1);
                    last
                };
                likeness.codes[level] = if level < single { next() } else { *shared.get_or_insert_with(next) };
                likeness.places[level] = place as u32;
            }
        }
        likeness
    }

    fn means(&self, from: usize, to: usize) -> (Vec<f64>, f64) {
        let weight: f64 = self.order[from..to].iter().map(|&level| self.sizes[level as usize] as f64).sum();
        let mean = |cells: &Vec<f32>| {
            let sum = |&level: &u32| cells[level as usize] as f64 * self.sizes[level as usize] as f64;
            self.order[from..to].iter().map(sum).sum::<f64>() / weight.max(1.0)
        };
        (self.traits.iter().map(mean).collect(), weight)
    }

    fn part(&self, from: usize, to: usize) -> Part {
        let (means, _) = self.means(from, to);
        let away = |&level: &u32| {
            let apart = |(cells, mean): (&Vec<f32>, &f64)| (cells[level as usize] as f64 - mean).powi(2);
            self.sizes[level as usize] as f64 * self.traits.iter().zip(&means).map(apart).sum::<f64>()
        };
        let spread = if to - from < 2 { 0.0 } else { self.order[from..to].iter().map(away).sum() };
        Part { from, to, spread: if spread > 1e-9 { spread } else { 0.0 } }
    }

    /// Where every level lies along the directions in which levels differ most, each at a right angle to those before.
    fn directions(&self) -> Vec<Vec<f64>> {
        let all = self.part(0, self.sizes.len()).spread;
        let mut found: Vec<(Vec<f64>, Vec<f64>)> = Vec::new();
        while found.len() < DIRECTIONS_MAX.min(self.traits.len()) {
            let before: Vec<&[f64]> = found.iter().map(|f| f.0.as_slice()).collect();
            let direction = self.principal(0, self.sizes.len(), &before);
            let (means, _) = self.means(0, self.sizes.len());
            let place = |level: usize| -> f64 {
                direction.iter().enumerate().map(|(at, d)| d * (self.traits[at][level] as f64 - means[at])).sum()
            };
            let places: Vec<f64> = (0..self.sizes.len()).map(place).collect();
            let spread: f64 = places.iter().zip(&self.sizes).map(|(p, &size)| p * p * size as f64).sum();
            if spread.is_nan() || spread <= DIRECTION_MIN * all {
                break;
            }
            found.push((direction, places));
        }
        found.into_iter().map(|f| f.1).collect()
    }

    /// The direction in which the levels of a range differ most, by the power method; at a right angle to those given.
    fn principal(&self, from: usize, to: usize, before: &[&[f64]]) -> Vec<f64> {
        let (means, _) = self.means(from, to);
        let centred = |level: u32, at: usize| self.traits[at][level as usize] as f64 - means[at];
        let along = |direction: &[f64], level: u32| -> f64 {
            direction.iter().enumerate().map(|(at, d)| d * centred(level, at)).sum()
        };
        let turn = |direction: &mut Vec<f64>| {
            for other in before {
                let shared: f64 = direction.iter().zip(*other).map(|(d, o)| d * o).sum();
                direction.iter_mut().zip(*other).for_each(|(d, o)| *d -= shared * o);
            }
        };
        // The way begins at the trait that differs most, which is rarely at a right angle to what is sought.
        let differs = |at: &usize| -> f64 {
            let square = |&level: &u32| self.sizes[level as usize] as f64 * centred(level, *at).powi(2);
            self.order[from..to].iter().map(square).sum()
        };
        let mut direction: Vec<f64> = (0..means.len()).map(|at| differs(&at).sqrt()).collect();
        for step in 0..8 {
            turn(&mut direction);
            let size = direction.iter().map(|n| n * n).sum::<f64>().sqrt();
            if size <= 1e-12 || !size.is_finite() {
                return vec![0.0; means.len()];
            }
            direction.iter_mut().for_each(|d| *d /= size);
            if step == 7 {
                break;
            }
            let mut next = vec![0.0; means.len()];
            for &level in &self.order[from..to] {
                let weight = along(&direction, level) * self.sizes[level as usize] as f64;
                next.iter_mut().enumerate().for_each(|(at, n)| *n += weight * centred(level, at));
            }
            direction = next;
        }
        direction
    }

    /// Sorts a range along the direction in which its levels differ most, and gives where to cut it.
    fn divide(&mut self, from: usize, to: usize) -> usize {
        let (means, _) = self.means(from, to);
        let direction = self.principal(from, to, &[]);
        let along = |level: u32| -> f64 {
            direction.iter().enumerate().map(|(at, d)| d * (self.traits[at][level as usize] as f64 - means[at])).sum()
        };
        let mut ranked: Vec<(f64, u32)> = self.order[from..to].iter().map(|&level| (along(level), level)).collect();
        ranked.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let cut = best_cut(&ranked, &self.sizes);
        ranked.iter().enumerate().for_each(|(at, r)| self.order[from + at] = r.1);
        from + cut
    }
}

/// Where to cut ascending numbers so that both sides differ least within themselves; both sides hold something.
fn best_cut(ranked: &[(f64, u32)], sizes: &[usize]) -> usize {
    let weight = |r: &(f64, u32)| sizes[r.1 as usize].max(1) as f64;
    let total: f64 = ranked.iter().map(weight).sum();
    let all: f64 = ranked.iter().map(|r| weight(r) * r.0).sum();
    let (mut sum, mut count) = (0.0, 0.0);
    let (mut best, mut cut) = (f64::NEG_INFINITY, 1);
    for (at, r) in ranked[..ranked.len() - 1].iter().enumerate() {
        sum += weight(r) * r.0;
        count += weight(r);
        let apart = sum * sum / count + (all - sum).powi(2) / (total - count);
        if apart > best {
            (best, cut) = (apart, at + 1);
        }
    }
    cut
}
