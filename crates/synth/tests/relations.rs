//! What stands between columns stays: laws of arithmetic and of the calendar in every row, and what the many levels of
//! a category say about other columns. Seen through the public door.

use std::collections::BTreeMap;

use synth::{Ask, Generator, MODELS, Params};
use table::{Column, Spelling, Table, Values};

/// Numbers for tests: a linear congruential generator, so that tests need no dependency.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, limit: u64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % limit) as i64
    }
}

fn fitted(table: &Table) -> Box<dyn Generator> {
    let recipe = match (MODELS[0].recipe)(&Params::default()) {
        Ok(recipe) => recipe,
        Err(bad) => panic!("the empty config is taken: {bad:?}"),
    };
    recipe.fit(table, None, 3, &|_| true).unwrap_or_else(|unfit| panic!("the table fits: {unfit}"))
}

fn ints(name: &str, cells: impl Iterator<Item = i64>) -> Column {
    Column::ints(name, cells.map(Some).collect(), Spelling::plain())
}

fn words(name: &str, cells: &[String]) -> Column {
    let mut words = cells.to_vec();
    words.sort();
    words.dedup();
    let code = |cell: &String| Some(words.binary_search(cell).expect("collected above") as i32);
    Column::texts(name, cells.iter().map(code).collect(), words.clone(), Spelling::plain())
}

fn int(table: &Table, column: usize, row: usize) -> Option<i64> {
    let Values::Int(values) = table.values(column) else { panic!("column {column} holds whole numbers") };
    (!table.missing(column, row)).then(|| values.value(row))
}

fn word(table: &Table, column: usize, row: usize) -> String {
    let Values::Text(values) = table.values(column) else { panic!("column {column} holds text") };
    let words = arrow_array::cast::AsArray::as_string::<i32>(values.values().as_ref());
    values.key(row).map_or_else(String::new, |key| words.value(key).to_string())
}

#[test]
fn sums_products_and_squares_hold_in_every_row() {
    let mut dice = Dice(5);
    let rows = 1500;
    let roll = |dice: &mut Dice, limit: u64| -> Vec<i64> { (0..rows).map(|_| dice.roll(limit)).collect() };
    let (a, b, c, d) = (roll(&mut dice, 300), roll(&mut dice, 90), roll(&mut dice, 50), roll(&mut dice, 400));
    let gap: Vec<bool> = (0..rows).map(|_| dice.roll(3) == 0).collect();
    let (price, count, off) = (roll(&mut dice, 900), roll(&mut dice, 12), roll(&mut dice, 40));
    let table = Table::new(vec![
        ints("a", a.iter().copied()),
        ints("b", b.iter().copied()),
        ints("c", c.iter().copied()),
        Column::ints("d", (0..rows).map(|row| (!gap[row]).then(|| d[row])).collect(), Spelling::plain()),
        ints("all", (0..rows).map(|row| a[row] + b[row] + c[row] + if gap[row] { 0 } else { d[row] })),
        ints("price", price.iter().copied()),
        ints("count", count.iter().copied()),
        ints("off", off.iter().copied()),
        ints("paid", (0..rows).map(|row| price[row] * count[row] - off[row])),
        ints("square", b.iter().map(|b| b * b)),
    ])
    .expect("columns of one length");
    let drawn = fitted(&table).sample(&Ask::all(3000, 1));
    for row in 0..drawn.rows() {
        let part = |column: usize| int(&drawn, column, row);
        let sure = |column: usize| part(column).expect("never missing");
        assert_eq!(sure(4), sure(0) + sure(1) + sure(2) + part(3).unwrap_or(0), "a missing part counts as nothing");
        assert_eq!(sure(8), sure(5) * sure(6) - sure(7), "paid is price times count less what is off");
        assert_eq!(sure(9), sure(1) * sure(1), "a square stays one");
    }
}

#[test]
fn weekdays_keep_their_names_and_their_pattern() {
    const DAY: i64 = 86_400_000_000;
    const NAMES: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    let mut dice = Dice(9);
    let mut days = Vec::new();
    while days.len() < 3000 {
        let day = 17_000 + dice.roll(1400);
        if !matches!(day % 7, 2 | 3) {
            days.push(day);
        }
    }
    let named: Vec<String> = days.iter().map(|day| NAMES[(day % 7) as usize].to_string()).collect();
    let when = days.iter().map(|day| Some(day * DAY)).collect();
    let table = Table::new(vec![Column::times("when", when, Spelling::plain()), words("name", &named)])
        .expect("columns of one length");
    let drawn = fitted(&table).sample(&Ask::all(3000, 1));
    let Values::Time(when) = drawn.values(0) else { panic!("moments stay moments") };
    for row in 0..drawn.rows() {
        let day = when.value(row).div_euclid(DAY);
        assert_eq!(word(&drawn, 1, row), NAMES[(day % 7) as usize]);
        assert!(!matches!(day % 7, 2 | 3), "nothing happens at the weekend");
        assert!((17_000..18_400).contains(&day), "{day} lies outside the days seen");
    }
}

#[test]
fn a_thousand_levels_keep_what_they_say() {
    let mut dice = Dice(21);
    let (rows, levels) = (16_000, 1000);
    let worth: Vec<i64> = (0..levels).map(|_| dice.roll(1000)).collect();
    let group: Vec<i64> = (0..levels).map(|_| dice.roll(9)).collect();
    let held: Vec<usize> = (0..rows).map(|_| dice.roll(levels) as usize).collect();
    let names: Vec<String> = held.iter().map(|level| format!("n{level}")).collect();
    let groups: Vec<String> = held.iter().map(|&level| format!("g{}", group[level])).collect();
    let table = Table::new(vec![
        words("level", &names),
        words("group", &groups),
        ints("worth", held.iter().map(|&level| 5 * worth[level] + dice.roll(1500))),
    ])
    .expect("columns of one length");
    let drawn = fitted(&table).sample(&Ask::all(rows, 1));
    let group_of: BTreeMap<&String, &String> = names.iter().zip(&groups).collect();
    let pairs: Vec<(f64, f64)> = (0..rows)
        .map(|row| {
            let name = word(&drawn, 0, row);
            assert_eq!(Some(&&word(&drawn, 1, row)), group_of.get(&name), "a level has one group");
            let level: usize = name[1..].parse().expect("a name is n and a number");
            (5.0 * worth[level] as f64, int(&drawn, 2, row).expect("never missing") as f64)
        })
        .collect();
    let n = rows as f64;
    let (mx, my) = (pairs.iter().map(|p| p.0).sum::<f64>() / n, pairs.iter().map(|p| p.1).sum::<f64>() / n);
    let sum = |f: &dyn Fn(&(f64, f64)) -> f64| pairs.iter().map(f).sum::<f64>();
    let shared = sum(&|p| (p.0 - mx) * (p.1 - my));
    let told = shared / (sum(&|p| (p.0 - mx).powi(2)) * sum(&|p| (p.1 - my).powi(2))).sqrt();
    // In the table itself it is .96.
    assert!(told > 0.9, "a level tells its worth with a correlation of {told} only");
}
