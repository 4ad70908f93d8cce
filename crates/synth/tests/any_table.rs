//! Any table: odd kinds, unicode, huge and tiny numbers, one row, one column, nothing at all. None makes a model panic or
//! hang, and what is true of every table is true of each. `ANY_TABLES=10000`, when the test is compiled, tries so many.

mod tables;

use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use synth::{Ask, Generator, MODELS, Params, Unfit, impute, load};
use table::{Column, Kind, Spelling, Table};
use tables::{Dice, cells, texts};

/// So many, where nothing else is said.
const TABLES: u64 = 400;

/// No table may take longer to be learned and drawn from; they have a few hundred rows at most.
const LONGEST: Duration = Duration::from_secs(10);

fn pick<'a>(dice: &mut Dice, of: &[&'a str]) -> &'a str {
    of[dice.roll(of.len() as u64) as usize]
}

fn int(dice: &mut Dice, style: u64, row: i64) -> i64 {
    match style {
        0 => dice.roll(3) as i64,
        1 => dice.roll(1000) as i64 - 500,
        2 => [i64::MIN, i64::MAX, 0, -1, 1, i64::MAX - 1][dice.roll(6) as usize],
        3 => row,
        4 => dice.roll(24) as i64 * 100 + dice.roll(60) as i64,
        5 => 1900 + dice.roll(150) as i64,
        6 => (dice.roll(1 << 31) as i64) << dice.roll(32),
        7 => 7,
        8 => -1_000_000 * row,
        _ => 20_000_000 + 10_000 * (1 + dice.roll(12) as i64) + dice.roll(31) as i64,
    }
}

fn real(dice: &mut Dice, style: u64) -> f64 {
    match style {
        0 => dice.roll(100) as f64 / 4.0,
        1 => f64::from_bits(dice.roll(1 << 31) << 33 | dice.roll(1 << 31)),
        2 => [0.0, -0.0, f64::MIN_POSITIVE, f64::MAX, f64::MIN, f64::NAN, f64::INFINITY, 5e-324][dice.roll(8) as usize],
        3 => (dice.roll(1_000_000) as f64 / 1e6).ln(),
        4 => 10f64.powi(dice.roll(600) as i32 - 300),
        5 => 0.1 + 0.2,
        _ => dice.roll(1_000_000) as f64 / 100.0,
    }
}

fn text(dice: &mut Dice, style: u64, row: i64) -> String {
    let letters = ["a", "B", "ü", "大", " ", "\u{0}", "👩‍👩‍👧", "e\u{301}", "\"", ",", "\n", "-", "7", "@", "."];
    let word = |dice: &mut Dice, most: u64| (0..dice.roll(most)).map(|_| pick(dice, &letters)).collect::<String>();
    match style {
        0 => ["x", "y", "z"][dice.roll(3) as usize].into(),
        1 => word(dice, 12),
        2 => format!("ID-{row:05}"),
        3 => format!("{}.{}@{}.com", word(dice, 4), dice.roll(90), dice.roll(9)),
        4 => format!(
            "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
            dice.roll(1 << 31),
            dice.roll(65536),
            dice.roll(4096),
            dice.roll(4096),
            dice.roll(1 << 31)
        ),
        5 => (0..dice.roll(40)).map(|_| pick(dice, &["the ", "car ", "is ", "not ", "red, "])).collect(),
        6 => String::new(),
        7 => format!("+1 ({:03}) {:03}-{:04}", dice.roll(1000), dice.roll(1000), dice.roll(10_000)),
        8 => {
            pick(dice, &["Anna Berg", "Tom O'Neil", "Li, Wei", "van der Berg", "n/a"]).to_string()
                + &" ".repeat(dice.roll(2) as usize)
        }
        9 => format!("{}.{}.{}.{}", dice.roll(256), dice.roll(256), dice.roll(256), dice.roll(256)),
        10 => "z".repeat(dice.roll(3000) as usize),
        _ => format!("{:03}-{:02}-{:04}", dice.roll(1000), dice.roll(100), dice.roll(10_000)),
    }
}

fn column(dice: &mut Dice, name: &str, rows: usize) -> Column {
    let gaps = [0, 0, 0, 2, 10, 1][dice.roll(6) as usize];
    let style = dice.roll(12);
    let (kind, plain) = (dice.roll(5), Spelling::plain());
    let cell = |dice: &mut Dice, row: usize| (row, gaps == 0 || dice.roll(gaps) != 0);
    let some: Vec<(usize, bool)> = (0..rows).map(|row| cell(dice, row)).collect();
    match kind {
        0 => Column::ints(name, some.iter().map(|c| c.1.then(|| int(dice, style, c.0 as i64))).collect(), plain),
        1 => Column::reals(name, some.iter().map(|c| c.1.then(|| real(dice, style % 7))).collect(), plain),
        2 => Column::bools(name, some.iter().map(|c| c.1.then(|| dice.roll(9) < style)).collect(), plain),
        3 => {
            let day = 86_400_000_000;
            let time = |dice: &mut Dice, row: usize| match style % 5 {
                0 => dice.roll(20_000) as i64 * day,
                1 => dice.roll(1 << 31) as i64 * 1_000_000,
                2 => row as i64 * 60_000_000,
                3 => (dice.roll(1 << 31) as i64 - (1 << 30)) * 50_000_000_000,
                _ => dice.roll(1 << 31) as i64 * 1_001,
            };
            Column::times(name, some.iter().map(|c| c.1.then(|| time(dice, c.0))).collect(), plain)
        }
        _ => texts(name, &some.iter().map(|c| c.1.then(|| text(dice, style, c.0 as i64))).collect::<Vec<_>>()),
    }
}

fn any_table(dice: &mut Dice) -> Table {
    let rows = [0, 1, 2, 4, 5, 6, 9, 20, 30, 60, 150, 300][dice.roll(12) as usize];
    let count = [1, 1, 2, 3, 5, 8, 12][dice.roll(7) as usize];
    let mut columns: Vec<Column> = (0..count).map(|at| column(dice, &format!("c{at}"), rows)).collect();
    // Some columns follow from others.
    let ints = |columns: &[Column], at: usize| -> Option<Vec<Option<i64>>> {
        let table = Table::new(vec![columns[at].clone()]).ok()?;
        let table::Values::Int(values) = table.values(0) else { return None };
        Some(values.iter().collect())
    };
    for law in 0..dice.roll(3) {
        let (a, b) = (dice.roll(count) as usize, dice.roll(count) as usize);
        if let (Some(a), Some(b)) = (ints(&columns, a), ints(&columns, b)) {
            let of = |(a, b): (&Option<i64>, &Option<i64>)| match law {
                0 => Some((*a)?.wrapping_add((*b)?)),
                _ => Some((*a)?.wrapping_mul((*b)?)),
            };
            columns.push(Column::ints(&format!("law{law}"), a.iter().zip(&b).map(of).collect(), Spelling::plain()));
        }
    }
    Table::new(columns).expect("columns of one length")
}

fn any_config(dice: &mut Dice, table: &Table) -> (usize, Map<String, Value>) {
    let mut body = Map::new();
    let name = |dice: &mut Dice| table.name(dice.roll(table.columns() as u64) as usize).to_string();
    if dice.roll(3) == 0 {
        let (a, b) = (name(dice), name(dice));
        let forms = [
            json!(format!("{a} <= {b}")),
            json!(format!("{a} >= 0")),
            json!(format!("{a} = {b} + 1")),
            json!({ "fixed_combinations": [a, b] }),
            json!({ "unique": a }),
            json!({ "regex": { "column": a, "pattern": "[a-z]{2,4}-?\\d*" } }),
        ];
        body.insert("constraints".into(), json!([forms[dice.roll(6) as usize]]));
    }
    if dice.roll(4) == 0 {
        let level = ["auto", "medium", "high"][dice.roll(3) as usize];
        body.insert("privacy_filters".into(), json!({ "outliers": level, "similarity": level }));
    }
    let grouped = dice.roll(4) == 0;
    if grouped {
        body.insert("group_training_examples_by".into(), json!(name(dice)));
        body.insert("order_training_examples_by".into(), json!(name(dice)));
    }
    let key = if grouped { "navigator_ft" } else { "synthetics" };
    (MODELS.iter().position(|model| model.name == key).expect("a model of the list"), body)
}

fn kinds(table: &Table) -> Vec<(String, Kind)> {
    (0..table.columns()).map(|at| (table.name(at).to_string(), table.kind(at))).collect()
}

fn check(number: u64) {
    let mut dice = Dice(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    (0..3).for_each(|_| {
        dice.roll(2);
    });
    let table = any_table(&mut dice);
    let (model, body) = any_config(&mut dice, &table);
    let about = format!("table {number}: {:?}, {} rows, {body:?}", kinds(&table), table.rows());
    let recipe = (MODELS[model].recipe)(&Params { body }).unwrap_or_else(|bad| panic!("{about}: {bad:?}"));
    let rows = [1, 7, 40, 400][dice.roll(4) as usize];
    match recipe.fit(&table, None, number, &|_| true) {
        Ok(generator) => sampled(&table, generator.as_ref(), rows, &about),
        Err(Unfit::TooFewRows { rows, .. }) => assert!(rows < 5, "{about}"),
        Err(Unfit::Misfit(faults)) => assert!(faults.iter().all(|fault| fault.len() > 10), "{about}"),
        Err(unfit) => panic!("{about}: {unfit}"),
    }
    if let Ok((filled, _)) = impute(&table, number, &|_| true) {
        assert_eq!(kinds(&filled), kinds(&table), "{about}");
        let (own, filled) = (cells(&table), cells(&filled));
        let kept = own.iter().zip(&filled).all(|(own, new)| own.iter().zip(new).all(|(a, b)| a == "-" || a == b));
        assert!(kept, "{about}: a cell that was there was changed");
    }
}

fn sampled(table: &Table, generator: &dyn Generator, rows: usize, about: &str) {
    let drawn = generator.sample(&Ask::all(rows, 3));
    assert_eq!((drawn.rows(), kinds(&drawn)), (rows, kinds(table)), "{about}");
    let loaded = load(&generator.save()).unwrap_or_else(|problem| panic!("{about}: {problem}"));
    assert_eq!(cells(&loaded.sample(&Ask::all(rows, 3))), cells(&drawn), "{about}");
    let columns = [0, table.columns() / 2];
    let columns = if columns[1] == 0 { &columns[..1] } else { &columns[..] };
    // Drawing beside columns learns anew, which takes longer than all the rest.
    if table.rows().is_multiple_of(4)
        && let Some(completion) = generator.beside(columns, 5)
    {
        let given = Table::new(columns.iter().map(|&at| table.column(at)).collect()).expect("columns of one table");
        let whole = cells(&completion.complete(&given, &Ask::all(given.rows(), 3)));
        for (row, own) in whole.iter().zip(cells(&given)) {
            assert!(columns.iter().zip(own).all(|(&at, own)| row[at] == own), "{about}: a given cell was changed");
        }
    }
}

#[test]
fn any_table_is_taken_or_refused() {
    let tables = option_env!("ANY_TABLES").and_then(|count| count.parse().ok()).unwrap_or(TABLES);
    let from = option_env!("ANY_TABLES_FROM").and_then(|count| count.parse().ok()).unwrap_or(0);
    for number in from..from + tables {
        let start = Instant::now();
        check(number);
        assert!(start.elapsed() < LONGEST, "table {number} takes {:?}", start.elapsed());
    }
}
