//! Laws of declared constraints: every row keeps them, whatever the training rows do.

mod tables;

use serde_json::{Value, json};
use synth::{Ask, Generator, MODELS, Params, Unfit, load};
use table::{Column, Spelling, Table};
use tables::{Dice, cells, int_at, text_at, texts};

/// Rows of which about one in ten breaks every constraint of the tests.
fn loose(rows: usize) -> Table {
    let mut dice = Dice(5);
    let wrong: Vec<bool> = (0..rows).map(|_| dice.roll(10) == 0).collect();
    let start: Vec<i64> = (0..rows).map(|_| 100 + dice.roll(400) as i64).collect();
    let length: Vec<i64> = (0..rows).map(|row| if wrong[row] { -5 } else { dice.roll(90) as i64 }).collect();
    let price: Vec<i64> = (0..rows).map(|_| 10 + dice.roll(500) as i64).collect();
    let tax: Vec<i64> = (0..rows).map(|row| price[row] / 5 + dice.roll(3) as i64).collect();
    let town: Vec<usize> = (0..rows).map(|_| dice.roll(3) as usize).collect();
    let state = |row: usize| if wrong[row] && dice_free(row) { 2 } else { town[row] };
    Table::new(vec![
        Column::ints("start", start.iter().map(|&s| Some(s)).collect(), Spelling::plain()),
        Column::ints(
            "end",
            (0..rows).map(|row| (row % 7 > 0).then(|| start[row] + length[row])).collect(),
            Spelling::plain(),
        ),
        Column::ints("price", price.iter().map(|&p| Some(p)).collect(), Spelling::plain()),
        Column::ints("tax", tax.iter().map(|&t| Some(t)).collect(), Spelling::plain()),
        Column::ints(
            "total",
            (0..rows).map(|row| Some(price[row] + tax[row] + wrong[row] as i64 * 3)).collect(),
            Spelling::plain(),
        ),
        texts("town", &town.iter().map(|&at| Some(["Kiel", "Ulm", "Bonn"][at].to_string())).collect::<Vec<_>>()),
        texts("state", &(0..rows).map(|row| Some(["SH", "BW", "NW"][state(row)].to_string())).collect::<Vec<_>>()),
        Column::times(
            "day",
            (0..rows).map(|row| Some((16_000 + row as i64 % 900) * 86_400_000_000)).collect(),
            Spelling::plain(),
        ),
    ])
    .expect("columns of one length")
}

fn dice_free(row: usize) -> bool {
    row % 40 == 3
}

fn fitted(table: &Table, constraints: Value) -> Result<Box<dyn Generator>, String> {
    let Value::Object(body) = json!({ "constraints": constraints }) else { unreachable!("written so") };
    let recipe = (MODELS[0].recipe)(&Params { body }).map_err(|bad| format!("{bad:?}"))?;
    recipe.fit(table, None, 3, &|_| true).map_err(|unfit| unfit.to_string())
}

#[test]
fn every_row_keeps_what_is_declared() {
    let table = loose(1500);
    let declared = json!([
        "start <= end", "total = price + tax", { "fixed_combinations": ["town", "state"] },
        { "range": { "column": "price", "min": 50, "max": 300 } }, "day >= 2014-01-01", "tax < 60",
    ]);
    let generator = fitted(&table, declared).expect("the constraints go with the table");
    let loaded = load(&generator.save()).unwrap_or_else(|problem| panic!("a saved model loads: {problem}"));
    let drawn = loaded.sample(&Ask::all(9000, 4));
    assert_eq!(cells(&drawn), cells(&generator.sample(&Ask::all(9000, 4))));
    check(&drawn, true);
    // Beside given columns the same holds for what is not given.
    let rows = 2000;
    let given = Table::new(vec![
        Column::ints("end", (0..rows).map(|row| Some(120 + row)).collect(), Spelling::plain()),
        texts("state", &(0..rows).map(|row| Some(["SH", "BW"][row as usize % 2].to_string())).collect::<Vec<_>>()),
        Column::ints("total", (0..rows).map(|row| Some(70 + row % 200)).collect(), Spelling::plain()),
    ])
    .expect("columns of one length");
    let drawn = loaded.beside(&[1, 6, 4], 8).expect("rows stand alone").complete(&given, &Ask::all(rows as usize, 4));
    check(&drawn, false);
}

fn check(drawn: &Table, bounds: bool) {
    for row in 0..drawn.rows() {
        let part = |column: usize| int_at(drawn, column, row);
        let (start, price, tax, total) = (
            part(0).expect("present"),
            part(2).expect("present"),
            part(3).expect("present"),
            part(4).expect("present"),
        );
        assert!(part(1).is_none_or(|end| start <= end), "row {row}: {start} <= {:?}", part(1));
        assert_eq!(price + tax, total, "row {row}");
        let pair = (text_at(drawn, 5, row).expect("present"), text_at(drawn, 6, row).expect("present"));
        let pair = (pair.0.as_str(), pair.1.as_str());
        assert!(matches!(pair, ("Kiel", "SH") | ("Ulm", "BW") | ("Bonn", "NW") | ("Kiel" | "Ulm", "NW")), "{pair:?}");
        assert!(!bounds || (50..=300).contains(&price) && tax < 60, "row {row}: {price} and {tax}");
        let table::Values::Time(days) = drawn.values(7) else { panic!("a column of days stays one") };
        assert!(days.value(row) >= 16_071 * 86_400_000_000);
    }
}

#[test]
fn values_are_unique_and_match_as_declared() {
    let rows = 600;
    let mut dice = Dice(31);
    let loose = |dice: &mut Dice| {
        if dice.roll(4) == 0 {
            "none".to_string()
        } else {
            format!("{}-{:02}", ["AB", "CD"][dice.roll(2) as usize], dice.roll(100))
        }
    };
    let table = Table::new(vec![
        texts("code", &(0..rows).map(|_| Some(loose(&mut dice))).collect::<Vec<_>>()),
        texts("tag", &(0..rows).map(|_| Some(loose(&mut dice))).collect::<Vec<_>>()),
        Column::ints("number", (0..rows).map(|_| Some(dice.roll(300) as i64)).collect(), Spelling::plain()),
        Column::times(
            "day",
            (0..rows).map(|_| Some(dice.roll(200) as i64 * 86_400_000_000)).collect(),
            Spelling::plain(),
        ),
        texts("ticket", &(0..rows).map(|_| Some(format!("T{}", dice.roll(90)))).collect::<Vec<_>>()),
    ])
    .expect("columns of one length");
    let declared = json!([
        { "regex": { "column": "code", "pattern": "[A-Z]{2}-\\d{2}" } }, { "unique": "tag" },
        { "regex": { "column": "tag", "pattern": "[A-Z]{2}-\\d{2}" } }, { "unique": "number" }, { "unique": "day" },
        { "unique": "ticket" },
    ]);
    let drawn = fitted(&table, declared).expect("the constraints go with the table").sample(&Ask::all(5000, 4));
    let all = cells(&drawn);
    let fits = |text: &str| {
        let bytes = text.as_bytes();
        bytes.len() == 5 && bytes[..2].iter().all(u8::is_ascii_uppercase) && bytes[3..].iter().all(u8::is_ascii_digit)
    };
    assert!(all.iter().all(|row| fits(&row[0]) && fits(&row[1])), "codes and tags match");
    for column in 1..5 {
        let different: std::collections::BTreeSet<&String> = all.iter().map(|row| &row[column]).collect();
        assert_eq!(different.len(), 5000, "{} is unique", drawn.name(column));
    }
}

#[test]
fn broken_constraints_are_counted_on_finished_tables() {
    let table = loose(1500);
    let Value::Object(body) = json!({ "constraints": [
        "start <= end", "total = price + tax", "2 < tax", { "fixed_combinations": ["town", "state"] },
        { "unique": "price" }, { "regex": { "column": "town", "pattern": "[A-Z].*" } },
    ] }) else {
        unreachable!("written so")
    };
    let recipe = (MODELS[0].recipe)(&Params { body }).unwrap_or_else(|bad| panic!("the config is taken: {bad:?}"));
    let demands = recipe.demands(&[&table], &table);
    let texts: Vec<&str> = demands.iter().map(|demand| demand.text.as_str()).collect();
    let said =
        ["start <= end", "total = price + tax", "2 < tax", "fixed combinations of town, state", "price is unique"];
    assert_eq!(texts[..5], said);
    let (mut late, mut sum, mut low) = (0, 0, 0);
    let mut prices = std::collections::BTreeSet::new();
    for row in 0..table.rows() {
        let part = |column: usize| int_at(&table, column, row);
        late += part(1).is_some_and(|end| Some(end) < part(0)) as usize;
        sum += (part(2).zip(part(3)).map(|(price, tax)| price + tax) != part(4)) as usize;
        low += part(3).is_some_and(|tax| tax <= 2) as usize;
        prices.insert(part(2));
    }
    let broken: Vec<usize> = demands.iter().map(|demand| demand.broken).collect();
    assert_eq!(broken, [late, sum, low, 0, table.rows() - prices.len(), 0]);
    assert!(late > 50 && sum > 50, "{broken:?}");
    // Combinations that another table does not show are broken.
    let first: Vec<u32> = (0..1).collect();
    let elsewhere = recipe.demands(&[&table.take(&first)], &table)[3].broken;
    assert!(elsewhere > 500, "{elsewhere} rows show what one row does not");
}

#[test]
fn what_cannot_be_demanded_is_refused_by_name() {
    let table = loose(200);
    let refused = |constraint: Value| fitted(&table, json!([constraint])).err().expect("it is refused");
    assert!(refused(json!("start <= finish")).contains("`finish`"));
    assert!(refused(json!("town < state")).contains("`town`"));
    assert!(refused(json!("start <= day")).contains("of which one only holds times"));
    assert!(refused(json!("start <= abc def")).contains("abc def"));
    assert!(refused(json!({ "uniqe": "start" })).contains("did you mean `unique`"));
    assert!(refused(json!({ "regex": { "column": "town", "pattern": "(" } })).contains("no regular expression"));
    assert!(refused(json!({ "regex": { "column": "start", "pattern": "a" } })).contains("holds no text"));
    assert!(refused(json!("total = ")).contains("no sum"));
    assert!(matches!(Unfit::Misfit(vec!["a".into(), "b".into()]).to_string().as_str(), "a; b"));
}
