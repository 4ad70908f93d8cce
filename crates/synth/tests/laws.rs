//! Laws that hold for every model of the list, seen through the public door: a table in, a table out.

use synth::{Ask, Generator, MODELS, Params, Recipe, load};
use table::{Column, Kind, Spelling, Table, Values};

/// Numbers for tests: a linear congruential generator, so that tests need no dependency.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

fn texts(name: &str, cells: &[Option<String>]) -> Column {
    let mut words: Vec<String> = cells.iter().flatten().cloned().collect();
    words.sort();
    words.dedup();
    let code = |cell: &Option<String>| cell.as_ref().map(|c| words.binary_search(c).expect("collected above") as i32);
    Column::texts(name, cells.iter().map(code).collect(), words.clone(), Spelling::plain())
}

fn text_at(table: &Table, column: usize, row: usize) -> Option<String> {
    let Values::Text(values) = table.values(column) else { return None };
    let words = arrow_array::cast::AsArray::as_string::<i32>(values.values().as_ref());
    values.key(row).map(|key| words.value(key).to_string())
}

fn int_at(table: &Table, column: usize, row: usize) -> Option<i64> {
    let Values::Int(values) = table.values(column) else { return None };
    (!table.missing(column, row)).then(|| values.value(row))
}

/// A table with every kind, with laws, gaps, rare words and identifiers.
fn mixed(rows: usize) -> Table {
    let mut dice = Dice(7);
    let town = |at: u64| Some(["Kiel", "Ulm", "Köln", "大阪"][at as usize].to_string());
    let towns: Vec<u64> = (0..rows).map(|_| dice.roll(4)).collect();
    let mut named: Vec<Option<String>> = towns.iter().map(|&at| town(at)).collect();
    for name in named.iter_mut().take(3) {
        *name = Some("Atlantis".into());
    }
    let price: Vec<i64> = (0..rows).map(|_| 100 + dice.roll(900) as i64).collect();
    let tax: Vec<i64> = (0..rows).map(|_| dice.roll(90) as i64).collect();
    let gap: Vec<bool> = (0..rows).map(|_| dice.roll(5) == 0).collect();
    let zip = |at: u64| Some(20_000 + 7 * at as i64);
    Table::new(vec![
        texts("id", &(0..rows).map(|row| Some(format!("A-{:05}", row * 37 % 100_000))).collect::<Vec<_>>()),
        texts("town", &named),
        Column::ints("zip", towns.iter().map(|&at| zip(at)).collect(), Spelling::plain()),
        Column::ints("price", price.iter().map(|&p| Some(p)).collect(), Spelling::plain()),
        Column::ints("tax", tax.iter().map(|&t| Some(t)).collect(), Spelling::plain()),
        Column::ints("total", price.iter().zip(&tax).map(|(p, t)| Some(p + t)).collect(), Spelling::plain()),
        Column::reals(
            "weight",
            (0..rows).map(|row| (!gap[row]).then(|| price[row] as f64 / 8.0 + dice.roll(9) as f64 / 4.0)).collect(),
            Spelling::plain(),
        ),
        Column::bools("open", (0..rows).map(|row| (!gap[row]).then(|| price[row] > 500)).collect(), Spelling::plain()),
        Column::times(
            "when",
            (0..rows).map(|_| Some(1_600_000_000_000_000 + dice.roll(40_000_000) as i64 * 1_000_000)).collect(),
            Spelling::plain(),
        ),
        Column::ints("row", (0..rows).map(|row| Some(row as i64 + 1)).collect(), Spelling::plain()),
    ])
    .expect("columns of one length")
}

fn recipe(model: usize) -> Box<dyn Recipe> {
    match (MODELS[model].recipe)(&Params::default()) {
        Ok(recipe) => recipe,
        Err(bad) => panic!("the empty config is taken: {bad:?}"),
    }
}

fn fitted(model: usize, table: &Table) -> Box<dyn Generator> {
    recipe(model).fit(table, 11, &|_| true).unwrap_or_else(|unfit| panic!("the table fits: {unfit}"))
}

/// The cells of a table, as text.
fn cells(table: &Table) -> Vec<Vec<String>> {
    let cell = |column: usize, row: usize| {
        if table.missing(column, row) {
            return "-".to_string();
        }
        match table.values(column) {
            Values::Int(values) => values.value(row).to_string(),
            Values::Real(values) => format!("{:?}", values.value(row)),
            Values::Bool(values) => values.value(row).to_string(),
            Values::Time(values) => values.value(row).to_string(),
            Values::Text(_) => text_at(table, column, row).unwrap_or_default(),
        }
    };
    (0..table.rows()).map(|row| (0..table.columns()).map(|column| cell(column, row)).collect()).collect()
}

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
