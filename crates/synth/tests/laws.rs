//! Laws that hold for every model of the list, seen through the public door: a table in, a table out.

mod tables;

use synth::{Ask, MODELS, load};
use table::{Column, Kind, Spelling, Table, Values};
use tables::{cells, fitted, int_at, mixed, text_at};

fn with_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a small pool can be made");
    pool.install(work)
}

#[test]
fn names_kinds_and_rows_are_kept() {
    let table = mixed(900);
    for (at, model) in MODELS.iter().enumerate() {
        let drawn = fitted(at, &table).sample(&Ask::all(1234, 5));
        assert_eq!(drawn.rows(), 1234, "{}", model.name);
        let about =
            |t: &Table| (0..t.columns()).map(|c| (t.name(c).to_string(), t.kind(c))).collect::<Vec<(String, Kind)>>();
        assert_eq!(about(&drawn), about(&table), "{}", model.name);
    }
}

#[test]
fn the_same_seed_gives_the_same_rows_at_any_thread_count() {
    let table = mixed(700);
    let draw = |threads: usize| with_threads(threads, || cells(&fitted(0, &table).sample(&Ask::all(9000, 3))));
    let one = draw(1);
    assert_eq!(one, draw(2));
    assert_eq!(one, draw(7));
    assert_ne!(one, cells(&fitted(0, &table).sample(&Ask::all(9000, 4))), "another seed gives other rows");
}

#[test]
fn a_cut_output_equals_the_whole() {
    let generator = fitted(0, &mixed(700));
    let rows_total = 3 * Ask::BLOCK + 100;
    let whole = cells(&generator.sample(&Ask { first_row: 0, rows: rows_total as usize, rows_total, seed: 9 }));
    let part = |first_row: u64, rows: u64| {
        cells(&generator.sample(&Ask { first_row, rows: rows as usize, rows_total, seed: 9 }))
    };
    let mut cut = part(0, 2 * Ask::BLOCK);
    cut.extend(part(2 * Ask::BLOCK, Ask::BLOCK + 100));
    assert_eq!(whole, cut);
    let block = Ask::BLOCK as usize;
    let prices = |rows: &[Vec<String>]| rows.iter().map(|row| row[3].clone()).collect::<Vec<_>>();
    assert_ne!(prices(&whole[..block]), prices(&whole[block..2 * block]), "every block is drawn anew");
}

#[test]
fn a_loaded_model_samples_the_same_rows() {
    let generator = fitted(0, &mixed(800));
    let bytes = generator.save();
    let loaded = load(&bytes).unwrap_or_else(|problem| panic!("a saved model loads: {problem}"));
    assert_eq!(cells(&generator.sample(&Ask::all(500, 1))), cells(&loaded.sample(&Ask::all(500, 1))));
    assert_eq!(generator.notes(), loaded.notes());
    let mut changed = bytes.clone();
    changed[bytes.len() / 2] ^= 1;
    assert!(load(&changed).is_err(), "a changed byte is noticed");
    assert!(load(&bytes[..bytes.len() - 1]).is_err(), "a lost byte is noticed");
    assert!(load(b"PK").is_err(), "other bytes are refused");
}

#[test]
fn rare_words_never_leave_and_identifiers_are_new_and_unique() {
    let table = mixed(2000);
    let drawn = fitted(0, &table).sample(&Ask::all(10_000, 2));
    let known: std::collections::BTreeSet<String> =
        (0..table.rows()).filter_map(|row| text_at(&table, 0, row)).collect();
    let mut seen = std::collections::BTreeSet::new();
    for row in 0..drawn.rows() {
        assert_ne!(text_at(&drawn, 1, row).as_deref(), Some("Atlantis"), "a town of three rows");
        let id = text_at(&drawn, 0, row).expect("no identifier is missing");
        assert!(!known.contains(&id), "{id} is a training row's");
        assert!(seen.insert(id), "identifiers are unique");
    }
    let numbers: std::collections::BTreeSet<Option<i64>> =
        (0..drawn.rows()).map(|row| int_at(&drawn, 9, row)).collect();
    assert_eq!(numbers.len(), drawn.rows(), "numbers that were all different stay so");
}

#[test]
fn laws_between_columns_hold_in_every_row() {
    let table = mixed(2000);
    let generator = fitted(0, &table);
    let drawn = generator.sample(&Ask::all(5000, 8));
    let zip_of: std::collections::BTreeMap<String, i64> = (3..table.rows())
        .map(|row| (text_at(&table, 1, row).expect("present"), int_at(&table, 2, row).expect("present")))
        .collect();
    for row in 0..drawn.rows() {
        let part = |column: usize| int_at(&drawn, column, row).expect("present");
        assert_eq!(part(3) + part(4), part(5), "price plus tax is the total");
        assert_eq!(zip_of[&text_at(&drawn, 1, row).expect("present")], part(2), "a town has one zip");
        assert_eq!(drawn.missing(6, row), drawn.missing(7, row), "weight and open are missing together");
        if let Values::Bool(open) = drawn.values(7) {
            assert!(drawn.missing(7, row) || open.value(row) == (part(3) > 500) || part(3).abs_diff(500) < 40);
        }
    }
    assert!(generator.notes().iter().any(|note| note.kind == "law" && note.text.contains("`total`")));
}

#[test]
fn extremes_are_not_shown() {
    let values: Vec<Option<f64>> =
        (0..1000).map(|row| Some(if row == 500 { 1e6 } else { (row * 7919 % 1000) as f64 / 3.0 })).collect();
    let table = Table::new(vec![Column::reals("x", values, Spelling::plain())]).expect("one column");
    let drawn = fitted(0, &table).sample(&Ask::all(20_000, 1));
    let Values::Real(drawn) = drawn.values(0) else { panic!("a column of reals stays one") };
    let top = drawn.iter().flatten().fold(f64::MIN, f64::max);
    assert!(top < 0.3 * 1e6, "{top} comes too near the one extreme");
}
