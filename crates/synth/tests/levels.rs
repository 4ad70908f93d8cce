//! Categories of more levels than 16 bits can number, in more rows than a tree is grown on, through the public door.

mod tables;

use std::collections::HashMap;

use synth::Ask;
use table::{Column, Spelling, Table};
use tables::{Dice, cells, fitted, texts};

/// Levels that at least five rows hold, commonest first.
const COMMON: usize = 66_000;
/// Levels that one to four rows hold.
const RARE: usize = 2_000;

/// A level, the group that it determines, and a number that leans on the level.
fn large() -> (Vec<usize>, Table) {
    let mut dice = Dice(17);
    let common = (0..COMMON).map(|level| 5 + (900.0 / (level as f64 + 1.0).powf(0.6)) as usize);
    let sizes: Vec<usize> = common.chain((0..RARE).map(|level| 1 + level % 4)).collect();
    let mut held: Vec<usize> =
        sizes.iter().enumerate().flat_map(|(level, &rows)| std::iter::repeat_n(level, rows)).collect();
    for end in (1..held.len()).rev() {
        held.swap(end, dice.roll(end as u64 + 1) as usize);
    }
    let worth: Vec<u64> = sizes.iter().map(|_| dice.roll(1000)).collect();
    let amount = held.iter().map(|&level| Some((worth[level] + dice.roll(1000)) as i64)).collect();
    let table = Table::new(vec![
        texts("level", &held.iter().map(|&level| Some(name(level))).collect::<Vec<_>>()),
        texts("group", &held.iter().map(|&level| Some(group(level))).collect::<Vec<_>>()),
        Column::ints("amount", amount, Spelling::plain()),
    ]);
    (sizes, table.expect("columns of one length"))
}

fn name(level: usize) -> String {
    format!("n{:05}", level * 7919 % 99_991)
}

fn group(level: usize) -> String {
    format!("g{}", level * 31 % 97)
}

#[test]
fn more_levels_than_sixteen_bits_keep_their_rows_and_their_law() {
    let (sizes, table) = large();
    let rows = table.rows();
    let draw = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a small pool can be made");
        pool.install(|| cells(&fitted(0, &table).sample(&Ask::all(rows, 1))))
    };
    let drawn = draw(7);
    assert!(drawn == draw(1), "the number of threads says nothing");
    let known: HashMap<String, usize> = (0..sizes.len()).map(|level| (name(level), level)).collect();
    let mut counts = vec![0usize; sizes.len()];
    for row in &drawn {
        let level = *known.get(&row[0]).unwrap_or_else(|| panic!("{} is no level of the table", row[0]));
        assert!(sizes[level] >= 5, "{} is held by {} rows and leaves", row[0], sizes[level]);
        assert_eq!(row[1], group(level), "a level has one group");
        counts[level] += 1;
    }
    let shown = counts.iter().filter(|&&count| count > 0).count();
    // A level of five rows is missing from as many fresh rows with a chance of e^-5.
    assert!(shown as f64 > 0.985 * COMMON as f64, "{shown} of {COMMON} levels are drawn");
    let away: usize = sizes.iter().zip(&counts).map(|(&size, &count)| size.abs_diff(count)).sum();
    // Fresh rows would be away from a count of n by the root of 2 n / pi each. Rare levels are gone altogether, and their
    // rows go to the others.
    let (common, rare) = sizes.split_at(COMMON);
    let fresh: f64 = common.iter().map(|&size| (size as f64 * 2.0 / std::f64::consts::PI).sqrt()).sum();
    let rare: usize = rare.iter().sum();
    assert!((away as f64) < fresh + rare as f64, "counts are {away} away where fresh rows are {fresh}");
}
