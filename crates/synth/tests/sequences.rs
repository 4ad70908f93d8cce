//! Laws of rows that belong together: constant columns stay constant, rows keep their order, gaps, lengths and habits.

mod tables;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use synth::{Ask, Generator, MODELS, Params, load};
use table::{Column, Spelling, Table};
use tables::{Dice, cells, int_at, text_at, texts};

const ACCOUNT: usize = 0;
const COUNTRY: usize = 1;
const WHEN: usize = 2;
const KIND: usize = 3;
const AMOUNT: usize = 4;
const BALANCE: usize = 5;

/// Account, country, when, kind, amount, balance.
type Movement = (usize, usize, i64, &'static str, i64, i64);

/// Accounts with a country each and 1 to 12 movements: opened first, then mostly alternating, closed last.
fn movements(accounts: usize) -> Table {
    let mut dice = Dice(17);
    let mut rows: Vec<Movement> = Vec::new();
    for account in 0..accounts {
        let country = dice.roll(2) as usize;
        let count = if country == 0 { 2 + dice.roll(3) } else { 6 + dice.roll(7) };
        let (mut when, mut balance) = (1_600_000_000 + dice.roll(10_000_000) as i64, 0);
        for step in 0..count {
            let kind = match step {
                0 => "opened",
                s if s + 1 == count => "closed",
                s if s % 2 == 1 => "in",
                _ => "out",
            };
            let amount = match kind {
                "in" => 50 + dice.roll(100) as i64,
                "out" => -(20 + dice.roll(30) as i64),
                _ => 0,
            };
            balance += amount;
            rows.push((account, country, when, kind, amount, balance));
            when += 3600 * (1 + dice.roll(48) as i64);
        }
    }
    // The source is in order of time, not of accounts.
    rows.sort_by_key(|row| row.2);
    let column = |name: &str, cell: &dyn Fn(&Movement) -> i64| {
        Column::ints(name, rows.iter().map(|row| Some(cell(row))).collect(), Spelling::plain())
    };
    Table::new(vec![
        texts("account", &rows.iter().map(|row| Some(format!("AC-{:04}", row.0 * 7))).collect::<Vec<_>>()),
        texts("country", &rows.iter().map(|row| Some(["DE", "FR"][row.1].to_string())).collect::<Vec<_>>()),
        Column::times("when", rows.iter().map(|row| Some(row.2 * 1_000_000)).collect(), Spelling::plain()),
        texts("kind", &rows.iter().map(|row| Some(row.3.to_string())).collect::<Vec<_>>()),
        column("amount", &|row| row.4),
        column("balance", &|row| row.5),
    ])
    .expect("columns of one length")
}

fn fitted(table: &Table, more: Value) -> Box<dyn Generator> {
    let mut body =
        json!({ "train": { "group_training_examples_by": "account", "order_training_examples_by": "when" } });
    if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
        body.extend(more);
    }
    let Value::Object(body) = body else { unreachable!("written so") };
    let model = MODELS.iter().find(|model| model.name == "navigator_ft").expect("a model of the list");
    let recipe = (model.recipe)(&Params { body }).unwrap_or_else(|bad| panic!("the config is taken: {bad:?}"));
    recipe.fit(table, None, 3, &|_| true).unwrap_or_else(|unfit| panic!("the table fits: {unfit}"))
}

type Row = (String, i64, String, i64, i64);

fn groups(table: &Table) -> BTreeMap<String, Vec<Row>> {
    let mut groups: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for row in 0..table.rows() {
        let table::Values::Time(when) = table.values(WHEN) else { panic!("a column of times stays one") };
        let text = |at: usize| text_at(table, at, row).expect("present");
        let int = |at: usize| int_at(table, at, row).expect("present");
        groups.entry(text(ACCOUNT)).or_default().push((
            text(COUNTRY),
            when.value(row),
            text(KIND),
            int(AMOUNT),
            int(BALANCE),
        ));
    }
    groups
}

#[test]
fn groups_are_drawn_whole() {
    let table = movements(400);
    let generator = fitted(&table, json!({}));
    let drawn = generator.sample(&Ask::all(6000, 4));
    assert_eq!(drawn.rows(), 6000);
    let (real, made) = (groups(&table), groups(&drawn));
    let mut last = made.len();
    let (mut starts, mut ends, mut turns, mut pairs) = (0, 0, 0, 0);
    for (account, rows) in &made {
        assert!(!real.contains_key(account), "{account} is an account of the training table");
        assert!(rows.iter().all(|row| row.0 == rows[0].0), "a country per account");
        assert!(rows.windows(2).all(|pair| pair[0].1 <= pair[1].1), "times ascend");
        assert!(
            rows.windows(2).all(|pair| pair[0].4 + pair[1].3 == pair[1].4),
            "a balance is the last plus the amount"
        );
        starts += (rows[0].2 == "opened") as usize;
        ends += (rows[rows.len() - 1].2 == "closed") as usize;
        pairs += rows.len() - 1;
        turns += rows.windows(2).filter(|pair| pair[0].2 != pair[1].2).count();
        last -= 1;
    }
    assert_eq!(last, 0);
    assert!(starts as f64 > 0.99 * made.len() as f64, "{starts} of {} begin as accounts do", made.len());
    // The last account may be cut off by the number of rows.
    assert!(ends as f64 > 0.98 * made.len() as f64 - 1.0, "{ends} of {} end as accounts do", made.len());
    assert!(turns as f64 > 0.97 * pairs as f64, "in and out alternate: {turns} of {pairs}");
    let mean = |groups: &BTreeMap<String, Vec<Row>>, country: &str| {
        let sizes: Vec<usize> = groups.values().filter(|rows| rows[0].0 == country).map(Vec::len).collect();
        sizes.iter().sum::<usize>() as f64 / sizes.len() as f64
    };
    for country in ["DE", "FR"] {
        let (real, made) = (mean(&real, country), mean(&made, country));
        assert!((real - made).abs() < 0.1 * real, "rows per account in {country}: {made} where {real} are real");
    }
    let gap = |groups: &BTreeMap<String, Vec<Row>>| {
        let gaps: Vec<i64> = groups.values().flat_map(|rows| rows.windows(2).map(|p| p[1].1 - p[0].1)).collect();
        gaps.iter().sum::<i64>() as f64 / gaps.len() as f64 / 3.6e9
    };
    assert!((gap(&real) - gap(&made)).abs() < 1.5, "hours between rows: {} where {} are real", gap(&made), gap(&real));
}

#[test]
fn a_cut_output_equals_the_whole_and_a_loaded_model_draws_the_same() {
    let generator = fitted(&movements(300), json!({ "constraints": ["balance >= 0", "amount <= 140"] }));
    let rows_total = 5 * Ask::BLOCK + 100;
    let whole = generator.sample(&Ask { first_row: 0, rows: rows_total as usize, rows_total, seed: 9 });
    let loaded = load(&generator.save()).unwrap_or_else(|problem| panic!("a saved model loads: {problem}"));
    let part =
        |first_row: u64, rows: u64| cells(&loaded.sample(&Ask { first_row, rows: rows as usize, rows_total, seed: 9 }));
    let mut cut = part(0, 3 * Ask::BLOCK);
    cut.extend(part(3 * Ask::BLOCK, 2 * Ask::BLOCK + 100));
    assert_eq!(cells(&whole), cut);
    for row in 0..whole.rows() {
        assert!(int_at(&whole, BALANCE, row).expect("present") >= 0);
        assert!(int_at(&whole, AMOUNT, row).expect("present") <= 140);
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a small pool can be made");
    let alone = pool.install(|| generator.sample(&Ask { first_row: 0, rows: 5000, rows_total: 5000, seed: 2 }));
    assert_eq!(cells(&alone), cells(&generator.sample(&Ask::all(5000, 2))));
}

#[test]
fn what_few_groups_hold_is_not_shown() {
    let table = movements(300);
    let mut kinds: Vec<Option<String>> = (0..table.rows()).map(|row| text_at(&table, KIND, row)).collect();
    let one = text_at(&table, ACCOUNT, 5).expect("present");
    let rows: Vec<usize> =
        (0..table.rows()).filter(|&row| text_at(&table, ACCOUNT, row).as_ref() == Some(&one)).collect();
    // One account holds the word in many rows, were it repeated often enough.
    rows.iter().for_each(|&row| kinds[row] = Some("secret".into()));
    let columns = (0..table.columns()).map(|at| if at == KIND { texts("kind", &kinds) } else { table.column(at) });
    let table = Table::new(columns.collect()).expect("columns of one length");
    assert!(rows.len() >= 2);
    let doubled: Vec<u32> =
        (0..table.rows() as u32).chain(rows.iter().cycle().take(40).map(|&row| row as u32)).collect();
    let drawn = fitted(&table.take(&doubled), json!({})).sample(&Ask::all(4000, 1));
    assert!((0..drawn.rows()).all(|row| text_at(&drawn, KIND, row).as_deref() != Some("secret")));
}
