//! Rules that the training table keeps by itself. In: a case. Out: dependencies of one column on one or two others, and
//! orders of two columns, each with how many rows of a table violate it. Never a rule that could hold by accident.

use std::collections::{BTreeSet, HashMap};

use rayon::prelude::*;

use crate::case::{Case, Side};
use crate::encode::{Cells, Role};

/// Most columns that are searched; of more, the first.
const COLUMNS_MAX: usize = 60;
/// Most columns that are searched for dependencies on pairs.
const PAIR_COLUMNS_MAX: usize = 30;
/// Most rules that are kept.
const RULES_MAX: usize = 200;
/// A dependency holds in all but this share of the rows that could violate it.
const VIOLATED_MAX: f64 = 0.005;
/// It violates at most this part of what columns without connection would.
const CHANCE_PART: f64 = 0.1;
/// Fewest violations that columns without connection would show.
const EVIDENCE_MIN: f64 = 50.0;
/// Rows that a dependency on a pair is first tried on.
const TRIAL_ROWS: usize = 3_000;
/// Share of the trial's repetitions that may disagree.
const TRIAL_MAX: f64 = 0.05;

/// One rule.
pub(crate) enum Rule {
    /// The columns decide another: their keys with the value that nearly all rows have beside them.
    Decides { by: Vec<usize>, column: usize, table: HashMap<[u32; 2], u32> },
    /// The first column is never greater than the second.
    Ordered { low: usize, high: usize },
}

/// The cells of the sampled rows of one column as keys: values of the training table are numbered, 0 is missing,
/// `u32::MAX` is unknown to the training table.
struct Keyed {
    column: usize,
    training: Vec<u32>,
    distinct: usize,
    /// The share of rows that two rows drawn at random agree in.
    agreement: f64,
}

/// The numbers of the values of a column; empty for codes, which are numbers already.
fn numbered(case: &Case, column: usize) -> Vec<u64> {
    let Cells::Numbers(values) = &case.training.sample[column] else { return Vec::new() };
    let mut bits: Vec<u64> =
        values.iter().filter(|value| !value.is_nan()).map(|value| (value + 0.0).to_bits()).collect();
    bits.sort_unstable();
    bits.dedup();
    bits
}

fn keys(case: &Case, side: &Side, column: usize) -> Vec<u32> {
    match &side.sample[column] {
        Cells::Codes(codes) => codes.clone(),
        Cells::Numbers(values) => {
            let known = numbered(case, column);
            let key = |value: f64| match known.binary_search(&(value + 0.0).to_bits()) {
                _ if value.is_nan() => 0,
                Ok(at) => at as u32 + 1,
                Err(_) => u32::MAX,
            };
            values.iter().map(|&value| key(value)).collect()
        }
    }
}

/// The keys of a table for all columns that these rules ask for.
pub(crate) fn keys_of(case: &Case, side: &Side, rules: &[Rule]) -> HashMap<usize, Vec<u32>> {
    let asked = rules.iter().flat_map(|rule| match rule {
        Rule::Decides { by, column, .. } => by.iter().chain([column]).copied().collect(),
        Rule::Ordered { .. } => Vec::new(),
    });
    let asked: BTreeSet<usize> = asked.collect();
    asked.into_par_iter().map(|column| (column, keys(case, side, column))).collect()
}

/// Finds the rules of the training table.
pub(crate) fn rules(case: &Case) -> Vec<Rule> {
    let mut columns = case.compared();
    columns.truncate(COLUMNS_MAX);
    let keyed: Vec<Keyed> =
        columns.par_iter().map(|&column| keyed(case, column)).filter(|of| of.distinct > 1).collect();
    let mut rules: Vec<Rule> = keyed
        .par_iter()
        .flat_map_iter(|by| keyed.iter().filter_map(|of| decides(&[by], of).filter(|_| of.column != by.column)))
        .collect();
    let single: Vec<[usize; 2]> = rules
        .iter()
        .filter_map(|rule| match rule {
            Rule::Decides { by, column, .. } => Some([by[0], *column]),
            Rule::Ordered { .. } => None,
        })
        .collect();
    rules.extend(of_pairs(&keyed[..keyed.len().min(PAIR_COLUMNS_MAX)], &single));
    rules.extend(orders(case, &columns));
    rules.truncate(RULES_MAX);
    rules
}

fn keyed(case: &Case, column: usize) -> Keyed {
    let training = keys(case, &case.training, column);
    let mut sorted = training.clone();
    sorted.sort_unstable();
    let rows = training.len().max(1) as f64;
    let runs = || sorted.chunk_by(|a, b| a == b);
    let agreement = runs().map(|run| (run.len() as f64 / rows).powi(2)).sum();
    Keyed { column, distinct: runs().count(), agreement, training }
}

/// The rule that `by` decide `of`, if they do, and not by accident: of the rows whose key occurs before, nearly all have
/// the value that the key mostly has, and columns without connection would disagree often.
fn decides(by: &[&Keyed], of: &Keyed) -> Option<Rule> {
    let key = |row: usize| [by[0].training[row], by.get(1).map_or(0, |second| second.training[row])];
    let mut counts: HashMap<[u32; 3], u32> = HashMap::new();
    for (row, &value) in of.training.iter().enumerate() {
        let [first, second] = key(row);
        *counts.entry([first, second, value]).or_insert(0) += 1;
    }
    // The commonest value of each key; of equally common ones the smallest, whatever the order of the map.
    let mut best: HashMap<[u32; 2], (u32, u32, u32)> = HashMap::new();
    for (&[first, second, value], &count) in &counts {
        let entry = best.entry([first, second]).or_insert((0, u32::MAX, 0));
        entry.2 += count;
        if count > entry.0 || (count == entry.0 && value < entry.1) {
            (entry.0, entry.1) = (count, value);
        }
    }
    let repeated: u64 = best.values().map(|&(_, _, rows)| rows as u64 - 1).sum();
    let violated: u64 = best.values().map(|&(most, _, rows)| (rows - most) as u64).sum();
    let by_chance = repeated as f64 * (1.0 - of.agreement);
    let holds = violated as f64 <= VIOLATED_MAX * repeated as f64
        && violated as f64 <= CHANCE_PART * by_chance
        && by_chance >= EVIDENCE_MIN;
    holds.then(|| Rule::Decides {
        by: by.iter().map(|by| by.column).collect(),
        column: of.column,
        table: best.into_iter().filter(|(_, of)| of.2 > 1).map(|(key, of)| (key, of.1)).collect(),
    })
}

/// Dependencies on two columns, where neither decides the third alone.
fn of_pairs(keyed: &[Keyed], single: &[[usize; 2]]) -> Vec<Rule> {
    let pairs: Vec<[usize; 2]> = (0..keyed.len()).flat_map(|a| (a + 1..keyed.len()).map(move |b| [a, b])).collect();
    let of_pair = |&[a, b]: &[usize; 2]| -> Vec<Rule> {
        let (first, second) = (&keyed[a], &keyed[b]);
        let known = |by: &Keyed, of: &Keyed| single.contains(&[by.column, of.column]);
        if known(first, second) || known(second, first) {
            return Vec::new();
        }
        let rows = first.training.len().min(TRIAL_ROWS);
        let mut joint: HashMap<[u32; 2], u32> = HashMap::new();
        let keys: Vec<u32> = (0..rows)
            .map(|row| {
                let next = joint.len() as u32;
                *joint.entry([first.training[row], second.training[row]]).or_insert(next)
            })
            .collect();
        // Without repetition nothing can be told; with few keys there is little to decide.
        if joint.len() * 4 > rows * 3 {
            return Vec::new();
        }
        let mut seen = vec![u32::MAX; joint.len()];
        let tried = keyed.iter().filter(|of| ![first.column, second.column].contains(&of.column));
        let found = tried.filter(|of| !known(first, of) && !known(second, of)).filter_map(|of| {
            seen.fill(u32::MAX);
            let mut apart = 0;
            for (&key, &value) in keys.iter().zip(&of.training) {
                let before = &mut seen[key as usize];
                apart += usize::from(*before != u32::MAX && *before != value);
                *before = value;
            }
            let likely = apart as f64 <= TRIAL_MAX * (rows - joint.len()) as f64;
            if likely { decides(&[first, second], of) } else { None }
        });
        found.collect()
    };
    pairs.par_iter().flat_map_iter(of_pair).collect()
}

/// Orders that hold in all training rows of the sample and that columns without connection would violate often.
fn orders(case: &Case, columns: &[usize]) -> Vec<Rule> {
    let numeric: Vec<(usize, Role, &[f64])> = columns
        .iter()
        .filter_map(|&column| match &case.training.sample[column] {
            Cells::Numbers(values) => Some((column, case.columns[column].role, values.as_slice())),
            Cells::Codes(_) => None,
        })
        .collect();
    let pairs: Vec<[usize; 2]> = (0..numeric.len())
        .flat_map(|a| (0..numeric.len()).filter(move |&b| a != b).map(move |b| [a, b]))
        .filter(|&[a, b]| numeric[a].1 == numeric[b].1)
        .collect();
    let ordered = |&[a, b]: &[usize; 2]| {
        let ((low, _, lows), (high, _, highs)) = (numeric[a], numeric[b]);
        if lows.iter().zip(highs).any(|(low, high)| low > high) {
            return None;
        }
        let equal = lows.iter().zip(highs).filter(|(low, high)| low == high).count();
        let both = lows.iter().zip(highs).filter(|(low, high)| low <= high).count();
        // The sample is in random order: the next row is a row without connection.
        let by_chance = lows.iter().zip(highs.iter().cycle().skip(1)).filter(|(low, high)| low > high).count();
        (by_chance as f64 >= EVIDENCE_MIN && equal < both).then_some(Rule::Ordered { low, high })
    };
    pairs.par_iter().filter_map(ordered).collect()
}

impl Rule {
    /// The rule in the names of its columns.
    pub(crate) fn text(&self, case: &Case) -> String {
        let name = |&column: &usize| case.columns[column].name.as_str();
        match self {
            Rule::Decides { by, column, .. } => {
                format!("{} -> {}", by.iter().map(name).collect::<Vec<_>>().join(", "), name(column))
            }
            Rule::Ordered { low, high } => format!("{} <= {}", name(low), name(high)),
        }
    }

    /// How many of the sampled rows that the rule speaks of violate it, and how many it speaks of: with a key that the
    /// training table repeats, or with both values.
    pub(crate) fn violations(&self, side: &Side, keys: &HashMap<usize, Vec<u32>>) -> [usize; 2] {
        match self {
            Rule::Decides { by, column, table } => {
                let keyed: Vec<&[u32]> = by.iter().chain([column]).map(|of| keys[of].as_slice()).collect();
                let (values, first, second) = (keyed[by.len()], keyed[0], if by.len() > 1 { keyed[1] } else { &[] });
                let mut counts = [0, 0];
                for (row, (&first, &found)) in first.iter().zip(values).enumerate() {
                    if let Some(&value) = table.get(&[first, second.get(row).copied().unwrap_or(0)]) {
                        counts[0] += usize::from(found != value);
                        counts[1] += 1;
                    }
                }
                counts
            }
            Rule::Ordered { low, high } => match (&side.sample[*low], &side.sample[*high]) {
                (Cells::Numbers(lows), Cells::Numbers(highs)) => {
                    let both = lows.iter().zip(highs).filter(|(low, high)| !low.is_nan() && !high.is_nan());
                    both.fold([0, 0], |[violated, all], (low, high)| [violated + usize::from(low > high), all + 1])
                }
                _ => [0, 0],
            },
        }
    }
}
