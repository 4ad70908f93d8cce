//! Finding what determines what: classes of listed values come in; columns that one or two others determine follow from
//! a table of training values, or else the one that determines is only drawn to fit what it determines.

use std::collections::HashMap;

use rayon::prelude::*;

use crate::draft::Draft;
use crate::laws::find_sums::follows;
use crate::laws::law::{Law, lookup_key};
use crate::model::Note;
use crate::trees::drawn::Seen;
use crate::trees::shape::{Class, LEFT_OUT, Shape};

/// A table of one key is believed where independence would have broken it this many times.
const SURPRISE_MIN: f64 = 20.0;

/// Columns of listed values considered for tables of two keys at most.
const PAIRED_MAX: usize = 30;

/// (node, earlier node): the first is drawn only so that both stand together in training rows.
pub(crate) type Tied = (usize, usize);

/// Finds them all: sets laws, and gives what is to be kept together.
pub(crate) fn find_lookups(drafts: &mut [Draft], seen: &[Seen], floor: usize, notes: &mut Vec<Note>) -> Vec<Tied> {
    let listed: Vec<usize> = (0..seen.len())
        .filter(|&at| matches!(&seen[at].shape, Shape::Discrete { values } if values.len() >= 2 || values.len() == 1 && seen[at].classes.contains(&0)))
        .collect();
    let mut kept = find_single(drafts, seen, &listed, notes);
    find_double(drafts, seen, &listed, floor, &mut kept, notes);
    kept
}

fn find_single(drafts: &mut [Draft], seen: &[Seen], listed: &[usize], notes: &mut Vec<Note>) -> Vec<Tied> {
    let size = |at: usize| (seen[at].shape.classes(), std::cmp::Reverse(at));
    let open = |draft: &Draft| draft.law.is_none() || draft.given();
    let of_key = |&key: &usize| {
        let able = |&value: &usize| size(key) > size(value) && open(&drafts[value]) && !follows(drafts, key, value);
        let values: Vec<usize> =
            listed.iter().copied().filter(able).filter(|&value| determines(seen, key, value)).collect();
        (key, values)
    };
    let determined: HashMap<usize, Vec<usize>> =
        listed.par_iter().map(of_key).filter(|entry| !entry.1.is_empty()).collect();
    let mut keys: Vec<usize> = determined.keys().copied().collect();
    keys.sort_by_key(|&key| size(key));
    let mut kept = Vec::new();
    for key in keys {
        let mut values: Vec<usize> = determined[&key].iter().copied().filter(|&v| open(&drafts[v])).collect();
        values.sort_by_key(|&v| size(v));
        // What is given cannot follow: the key is drawn to stand beside it.
        if drafts[key].law.is_none() {
            kept.extend(values.iter().filter(|&&v| drafts[v].given()).map(|&v| (key, v)));
        }
        values.retain(|&v| !drafts[v].given());
        let Some(&largest) = values.last() else { continue };
        let implied = |pair: &[usize]| {
            determined.get(&pair[1]).is_some_and(|d| d.contains(&pair[0])) || kept.contains(&(pair[1], pair[0]))
        };
        let chain = values.windows(2).all(implied);
        let as_many = seen[largest].shape.classes() * 2 > seen[key].shape.classes();
        if chain && !as_many && drafts[key].law.is_none() {
            kept.push((key, largest));
            notes.push(Note {
                kind: "law",
                text: format!("{} determines {}.", drafts[key].label, drafts[largest].label),
            });
            continue;
        }
        for value in values {
            if follows(drafts, key, value) || kept.iter().any(|k| k.1 == value) {
                continue;
            }
            notes.push(Note {
                kind: "law",
                text: format!("{} follows from {}.", drafts[value].label, drafts[key].label),
            });
            set_lookup(drafts, seen, &[key], value, 1);
        }
    }
    kept
}

/// Whether every class of `key` goes with one class of `value`, but for a few rows, and that is no accident.
fn determines(seen: &[Seen], key: usize, value: usize) -> bool {
    let rows = seen[key].classes.len();
    let Some(_) = agreement(seen, &[key], value, rows.div_ceil(3000)) else { return false };
    let Some((used, exceptions)) = agreement(seen, &[key], value, 1) else { return false };
    let mut counts = vec![0usize; seen[value].shape.classes()];
    seen[value].classes.iter().filter(|&&v| v != LEFT_OUT).for_each(|&v| counts[v as usize] += 1);
    let alike: f64 = counts.iter().map(|&c| (c as f64 / rows as f64).powi(2)).sum();
    let broken = (rows as f64 - used as f64) * (1.0 - alike);
    used >= 2 && rows >= 3 * used && broken >= SURPRISE_MIN && exceptions as f64 <= 0.02 * broken
}

/// How many different keys there are, and how many rows do not show their key's commonest class; nothing where those
/// are more than one in a thousand (and two). Looks at every `step`-th row.
fn agreement(seen: &[Seen], keys: &[usize], value: usize, step: usize) -> Option<(usize, usize)> {
    let rows = seen[value].classes.len();
    let known = |row: &usize| keys.iter().chain([&value]).all(|&node| seen[node].classes[*row] != LEFT_OUT);
    let key = |row: usize| keys.iter().fold(0u64, |key, &node| key << 32 | seen[node].classes[row] as u64);
    let allowed = rows / step / 1000 + 2 * (step > 1) as usize;
    // Most pairs are no law at all, which a few hundred rows show at the least cost.
    let mut first: HashMap<u64, Class> = HashMap::new();
    let broken = (0..rows)
        .step_by(rows.div_ceil(400))
        .filter(known)
        .filter(|&row| *first.entry(key(row)).or_insert(seen[value].classes[row]) != seen[value].classes[row]);
    if step > 1 && broken.take(8).count() == 8 {
        return None;
    }
    let mut all: Vec<(u64, Class)> =
        (0..rows).step_by(step).filter(known).map(|row| (key(row), seen[value].classes[row])).collect();
    all.sort_unstable();
    let (mut used, mut exceptions) = (0, 0);
    for run in all.chunk_by(|a, b| a.0 == b.0) {
        used += 1;
        let commonest = run.chunk_by(|a, b| a == b).map(|same| same.len()).max().unwrap_or(0);
        exceptions += run.len() - commonest;
    }
    (exceptions <= allowed).then_some((used, exceptions))
}

/// A column determined by two others, though by neither alone.
fn find_double(
    drafts: &mut [Draft],
    seen: &[Seen],
    listed: &[usize],
    floor: usize,
    kept: &mut Vec<Tied>,
    notes: &mut Vec<Note>,
) {
    let rows = seen[0].classes.len();
    let able: Vec<usize> = listed.iter().copied().filter(|&at| seen[at].shape.classes() > 2).take(PAIRED_MAX).collect();
    let mut triples: Vec<[usize; 3]> = Vec::new();
    for &value in &able {
        if drafts[value].law.is_some() || kept.iter().any(|k| k.1 == value) {
            continue;
        }
        for (place, &a) in able.iter().enumerate() {
            for &b in &able[..place] {
                let loose = |c: usize| c == value || kept.contains(&(value, c));
                let tied =
                    kept.contains(&(a, b)) || kept.contains(&(b, a)) || follows(drafts, a, b) || follows(drafts, b, a);
                if !loose(a) && !loose(b) && !tied {
                    triples.push([a, b, value]);
                }
            }
        }
    }
    let believed = |&[a, b, value]: &[usize; 3]| {
        agreement(seen, &[a, b], value, rows.div_ceil(3000).max(2))?;
        let (pairs, exceptions) = agreement(seen, &[a, b], value, 1)?;
        let broken = surprise(seen, [a, b], value).min(surprise(seen, [b, a], value));
        (pairs * 20 <= rows && broken >= SURPRISE_MIN && exceptions as f64 <= 0.02 * broken)
            .then_some((pairs, [a, b, value]))
    };
    let mut found: Vec<(usize, [usize; 3])> = triples.par_iter().filter_map(believed).collect();
    // The shortest table is the law; what could be said the other way round is its consequence.
    found.sort_unstable();
    for (_, [a, b, value]) in found {
        if drafts[value].law.is_some() || follows(drafts, a, value) || follows(drafts, b, value) {
            continue;
        }
        let covered = set_lookup(drafts, seen, &[a, b], value, floor);
        if covered < rows - rows / 100 {
            drafts[value].law = None;
            continue;
        }
        let text = format!("{} follows from {} and {}.", drafts[value].label, drafts[a].label, drafts[b].label);
        notes.push(Note { kind: "law", text });
        kept.push((a, b));
    }
}

/// How often the table of both keys would be broken if, given the first, the second told nothing.
fn surprise(seen: &[Seen], keys: [usize; 2], value: usize) -> f64 {
    let mut groups: HashMap<Class, HashMap<Class, usize>> = HashMap::new();
    let mut pairs: HashMap<(Class, Class), usize> = HashMap::new();
    for row in 0..seen[value].classes.len() {
        let (a, b, v) = (seen[keys[0]].classes[row], seen[keys[1]].classes[row], seen[value].classes[row]);
        if a == LEFT_OUT || b == LEFT_OUT || v == LEFT_OUT {
            continue;
        }
        *groups.entry(a).or_default().entry(v).or_default() += 1;
        *pairs.entry((a, b)).or_default() += 1;
    }
    let differ: HashMap<Class, f64> = groups
        .into_iter()
        .map(|(a, counts)| {
            let rows: usize = counts.values().sum();
            let mut squares: Vec<usize> = counts.into_values().collect();
            squares.sort_unstable();
            (a, 1.0 - squares.iter().map(|&c| (c as f64 / rows as f64).powi(2)).sum::<f64>())
        })
        .collect();
    let mut pairs: Vec<((Class, Class), usize)> = pairs.into_iter().collect();
    pairs.sort_unstable();
    pairs.iter().map(|(pair, rows)| (*rows as f64 - 1.0) * differ[&pair.0]).sum()
}

/// Makes `value` the table of its keys, over keys of at least `floor` rows; gives how many rows those have.
fn set_lookup(drafts: &mut [Draft], seen: &[Seen], keys: &[usize], value: usize, floor: usize) -> usize {
    let known =
        |row: usize| keys.iter().all(|&key| seen[key].classes[row] != LEFT_OUT) && seen[value].classes[row] != LEFT_OUT;
    let mut all: Vec<(u64, f64)> = (0..seen[value].values.len())
        .filter(|&row| known(row))
        .map(|row| (lookup_key(keys.iter().map(|&key| seen[key].values[row])), seen[value].values[row]))
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let commonest = |run: &[(u64, f64)]| {
        run.chunk_by(|a, b| a.1.total_cmp(&b.1).is_eq()).rev().max_by_key(|same| same.len()).map(|same| same[0])
    };
    let runs = || all.chunk_by(|a, b| a.0 == b.0).filter(|run| run.len() >= floor);
    let covered = runs().map(|run| run.len()).sum();
    let rows = runs().filter_map(commonest).collect();
    drafts[value].law = Some(Law::Lookup { keys: keys.iter().map(|&key| key as u16).collect(), rows });
    covered
}
