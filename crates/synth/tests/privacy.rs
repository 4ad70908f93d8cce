//! Laws of protection: what few training rows hold does not leave, and each switch does what it says.

mod tables;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use synth::{Ask, MODELS, Params};
use table::{Column, Spelling, Table, Values};
use tables::{Dice, cells};

fn drawn(table: &Table, body: Value, rows: usize) -> Table {
    let Value::Object(body) = body else { unreachable!("written so") };
    let recipe = (MODELS[0].recipe)(&Params { body }).unwrap_or_else(|bad| panic!("the config is taken: {bad:?}"));
    let generator = recipe.fit(table, None, 7, &|_| true).unwrap_or_else(|unfit| panic!("the table fits: {unfit}"));
    generator.sample(&Ask::all(rows, 8))
}

/// Twelve columns of three values each, of which every combination is new.
fn many_combinations(rows: usize) -> Table {
    let mut dice = Dice(23);
    let column = |at: usize, dice: &mut Dice| {
        let values = (0..rows).map(|_| Some(dice.roll(3) as i64)).collect();
        Column::ints(&format!("c{at}"), values, Spelling::plain())
    };
    Table::new((0..12).map(|at| column(at, &mut dice)).collect()).expect("columns of one length")
}

/// Rows of `drawn` that differ from some row of `real` in at most so many columns.
fn alike(real: &Table, drawn: &Table, most: usize) -> usize {
    let (real, drawn) = (cells(real), cells(drawn));
    let near = |row: &&Vec<String>| real.iter().any(|r| r.iter().zip(*row).filter(|(a, b)| a != b).count() <= most);
    drawn.iter().filter(near).count()
}

#[test]
fn held_out_rows_count_where_a_value_is_shown_and_nowhere_else() {
    let texts = |values: &[(&str, usize)]| {
        let words: Vec<String> = values.iter().map(|v| v.0.to_string()).collect();
        let codes: Vec<Option<i32>> = values.iter().zip(0..).flat_map(|(v, code)| vec![Some(code); v.1]).collect();
        let numbers = codes.iter().map(|code| code.map(|code| i64::from(code) + 1)).collect();
        let columns =
            vec![Column::texts("word", codes, words, Spelling::plain()), Column::ints("n", numbers, Spelling::plain())];
        Table::new(columns).expect("columns of one length")
    };
    let (learned, held_out) = (texts(&[("a", 300), ("b", 200), ("c", 4)]), texts(&[("a", 30), ("d", 9), ("c", 1)]));
    let recipe = (MODELS[0].recipe)(&Params::default()).unwrap_or_else(|bad| panic!("the config is taken: {bad:?}"));
    let rows = |held_out: Option<&Table>| {
        let fitted = recipe.fit(&learned, held_out, 7, &|_| true).unwrap_or_else(|unfit| panic!("it fits: {unfit}"));
        cells(&fitted.sample(&Ask::all(4000, 8))).into_iter().collect::<BTreeSet<Vec<String>>>()
    };
    let row = |word: &str, number: &str| vec![word.to_string(), number.to_string()];
    let (alone, both) = (rows(None), rows(Some(&held_out)));
    assert!(alone.iter().all(|row| row[0] != "c" && row[1] != "3"), "four rows are too few: {alone:?}");
    assert!(both.contains(&row("c", "3")), "five rows of the source are enough: {both:?}");
    assert!(both.iter().all(|row| row[0] != "d"), "no learned row holds it: {both:?}");
}

#[test]
fn identifiers_of_held_out_rows_are_not_made_either() {
    let codes = |numbers: std::ops::Range<usize>| {
        let words: Vec<String> = numbers.map(|number| format!("K{:03}", number * 387 % 1000)).collect();
        let keys = (0..words.len() as i32).map(Some).collect();
        Table::new(vec![Column::texts("code", keys, words, Spelling::plain())]).expect("one column")
    };
    let (learned, held_out) = (codes(0..500), codes(500..800));
    let recipe = (MODELS[0].recipe)(&Params::default()).unwrap_or_else(|bad| panic!("the config is taken: {bad:?}"));
    let fitted = recipe.fit(&learned, Some(&held_out), 7, &|_| true).unwrap_or_else(|unfit| panic!("it fits: {unfit}"));
    let drawn: BTreeSet<Vec<String>> = cells(&fitted.sample(&Ask::all(100, 8))).into_iter().collect();
    assert_eq!(drawn.len(), 100, "they are unique");
    for real in cells(&learned).iter().chain(&cells(&held_out)) {
        assert!(!drawn.contains(real), "{real:?} is of the source");
    }
}

#[test]
fn the_similarity_filter_does_what_it_says() {
    let table = many_combinations(1500);
    let filtered = |similarity: Value| drawn(&table, json!({ "privacy_filters": { "similarity": similarity } }), 3000);
    let (off, medium, high) = (filtered(json!(null)), filtered(json!("medium")), filtered(json!("high")));
    assert!(alike(&table, &off, 0) > 3, "without a filter some rows are copies by chance");
    assert_eq!(alike(&table, &medium, 0), 0);
    assert!(alike(&table, &medium, 1) > 100);
    assert_eq!(alike(&table, &high, 1), 0);
}

#[test]
fn copies_are_as_many_as_fresh_rows_would_show() {
    let table = |seed: u64| {
        let mut dice = Dice(seed);
        let column = |at: usize, dice: &mut Dice| {
            let values = (0..3000).map(|_| Some(dice.roll(6) as i64)).collect();
            Column::ints(&format!("c{at}"), values, Spelling::plain())
        };
        Table::new((0..5).map(|at| column(at, &mut dice)).collect()).expect("columns of one length")
    };
    let (real, fresh) = (table(4), table(5));
    let share = |drawn: &Table| alike(&real, drawn, 0) as f64 / drawn.rows() as f64;
    let (expected, auto) = (share(&fresh), share(&drawn(&real, json!({}), 3000)));
    assert!((expected - auto).abs() < 0.05, "{auto} of the drawn rows are copies, {expected} of fresh ones");
    let none = share(&drawn(&real, json!({ "privacy_filters": { "similarity": "medium" } }), 3000));
    assert!(none < 0.05, "{none} of the drawn rows are copies");
}

#[test]
fn the_outlier_filter_does_what_it_says() {
    let mut dice = Dice(3);
    // In each of ten columns one row in fifty is odd; few are in two or more.
    let column = |at: usize, dice: &mut Dice| {
        let values = (0..4000).map(|_| Some((dice.roll(50) == 0) as i64)).collect();
        Column::ints(&format!("c{at}"), values, Spelling::plain())
    };
    let table = Table::new((0..10).map(|at| column(at, &mut dice)).collect()).expect("columns of one length");
    let odd = |outliers: Value| {
        let drawn = drawn(&table, json!({ "privacy_filters": { "outliers": outliers, "similarity": null } }), 8000);
        let count = |row: &Vec<String>| row.iter().filter(|cell| *cell == "1").count();
        cells(&drawn).iter().filter(|row| count(row) >= 2).count()
    };
    let (off, high) = (odd(json!(null)), odd(json!("high")));
    assert!(off > 80, "{off} rows with two oddities where about one in sixty is expected");
    assert!(high * 2 < off, "{high} rows pass the high filter, {off} are drawn without");
}

#[test]
fn larger_leaves_tell_less() {
    let mut dice = Dice(6);
    let one: Vec<i64> = (0..3000).map(|_| dice.roll(6) as i64).collect();
    let two: Vec<i64> = one.iter().map(|&v| if dice.roll(10) == 0 { dice.roll(6) as i64 } else { v }).collect();
    let column =
        |name: &str, values: &[i64]| Column::ints(name, values.iter().map(|&v| Some(v)).collect(), Spelling::plain());
    let table = Table::new(vec![column("one", &one), column("two", &two)]).expect("columns of one length");
    let agree = |params: Value| {
        let drawn = cells(&drawn(&table, json!({ "params": params }), 3000));
        drawn.iter().filter(|row| row[0] == row[1]).count()
    };
    let (usual, blurred) = (agree(json!({})), agree(json!({ "rows_per_leaf_min": 1600 })));
    assert!(usual > 2600, "{usual} of 3000 rows agree where about 2750 are expected");
    assert!(blurred < 1200, "{blurred} rows agree, though a leaf holds more than half of all");
}

#[test]
fn planted_outliers_cannot_be_recognised() {
    let mut dice = Dice(9);
    let rows = 3000;
    let planted: BTreeSet<usize> = (0..10).map(|at| 37 + at * 290).collect();
    let column = |at: usize, dice: &mut Dice| {
        let value = |row: usize, dice: &mut Dice| {
            let usual = (dice.roll(1000) + dice.roll(1000)) as f64 / 10.0;
            // Each planted row is extreme in four columns of its own.
            let odd = planted.iter().position(|&p| p == row).is_some_and(|place| (place + at).is_multiple_of(3));
            Some(if odd { 5000.0 + 700.0 * dice.roll(100) as f64 } else { usual })
        };
        Column::reals(&format!("c{at}"), (0..rows).map(|row| value(row, dice)).collect(), Spelling::plain())
    };
    let table = Table::new((0..8).map(|at| column(at, &mut dice)).collect()).expect("columns of one length");
    let drawn = drawn(&table, json!({}), 3000);
    let value = |table: &Table, column: usize, row: usize| match table.values(column) {
        Values::Real(values) => values.value(row),
        _ => panic!("a column of reals stays one"),
    };
    for &odd in &planted {
        for row in 0..drawn.rows() {
            let own = (0..8).filter(|&at| value(&table, at, odd) > 1000.0);
            let found = own.clone().filter(|&at| (value(&drawn, at, row) / value(&table, at, odd) - 1.0).abs() < 0.02);
            let (found, all) = (found.count(), own.count());
            assert!(found < 2, "row {row} shows {found} of the {all} extremes of a training row");
        }
    }
}
