//! Numbers that stayed text: what is made for them is a number too, and none of the training table's.

use std::collections::BTreeSet;

use arrow_array::cast::AsArray;
use synth::{Ask, MODELS, Params};
use table::{Column, Spelling, Table};

/// Numbers for tests: a linear congruential generator, so that tests need no dependency.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    /// So many digits, none of them leading zeros.
    fn digits(&mut self, count: u64) -> String {
        (0..count).map(|at| char::from(b'0' + (u64::from(at == 0) + self.roll(9)) as u8)).collect()
    }
}

fn texts(name: &str, cells: &[String]) -> Column {
    let words: Vec<String> = cells.iter().collect::<BTreeSet<_>>().into_iter().cloned().collect();
    let code = |cell: &String| Some(words.binary_search(cell).expect("collected above") as i32);
    Column::texts(name, cells.iter().map(code).collect(), words.clone(), Spelling::plain())
}

/// What a text is as a number whose point is `point`.
fn number(text: &str, point: char) -> Option<f64> {
    let plain = text.trim_start_matches(['<', ' ']);
    let plain: String = match point {
        ',' => plain.replace('.', "").replace(',', "."),
        _ => plain.replace(',', ""),
    };
    plain.parse().ok()
}

#[test]
fn numbers_among_texts_stay_numbers() {
    const ROWS: u64 = 600;
    type Cell = fn(&mut Dice) -> String;
    let long: Cell = |dice| {
        let (whole, places) = (1 + dice.roll(28), 1 + dice.roll(12));
        format!("{}.{}", dice.digits(whole), dice.digits(places))
    };
    let grouped: Cell = |dice| {
        let (whole, places) = (1 + dice.roll(3), dice.roll(7));
        let groups: String = (0..dice.roll(4)).map(|_| format!(".{}", dice.digits(3))).collect();
        let places = if places > 0 { format!(",{}", dice.digits(places)) } else { String::new() };
        format!("{}{groups}{places}", dice.digits(whole))
    };
    let limits: Cell = |dice| {
        let places = 2 + dice.roll(14);
        format!("{}0.{}", if dice.roll(3) == 0 { "<" } else { "" }, dice.digits(places))
    };
    let powers: Cell = |dice| {
        let (places, power) = (1 + dice.roll(17), 10 + dice.roll(12));
        format!("{}{}.{}e-{power}", if dice.roll(2) == 0 { "-" } else { "" }, dice.digits(1), dice.digits(places))
    };
    for (name, point, cell) in
        [("long", '.', long), ("grouped", ',', grouped), ("limits", '.', limits), ("powers", '.', powers)]
    {
        let mut dice = Dice(7);
        let cells: Vec<String> = (0..ROWS).map(|_| cell(&mut dice)).collect();
        let group: Vec<String> = (0..ROWS).map(|row| ["a", "b", "c"][row as usize % 3].to_string()).collect();
        let table = Table::new(vec![texts("value", &cells), texts("group", &group)]).expect("columns of one length");
        let recipe = (MODELS[0].recipe)(&Params::default()).unwrap_or_else(|bad| panic!("{bad:?}"));
        let generator = recipe.fit(&table, None, 1, &|_| true).unwrap_or_else(|unfit| panic!("{name}: {unfit}"));
        let drawn = generator.sample(&Ask::all(1000, 2));
        let table::Values::Text(values) = drawn.values(0) else { panic!("{name}: the kind changed") };
        let words = values.values().as_string::<i32>();
        let made: Vec<&str> = (0..values.len()).filter_map(|row| values.key(row)).map(|key| words.value(key)).collect();
        assert_eq!(made.len(), 1000, "{name}: nothing was missing");
        for text in &made {
            assert!(number(text, point).is_some(), "{name}: `{text}` is no number");
        }
        let known: BTreeSet<&str> = cells.iter().map(String::as_str).collect();
        // A number of one or two digits is no one's.
        let copied = made.iter().filter(|text| text.len() > 4 && known.contains(*text)).count();
        assert_eq!(copied, 0, "{name}: numbers of the training table");
        // Short and long ones, as there were.
        let length = |texts: &mut dyn Iterator<Item = &str>| texts.map(str::len).sum::<usize>() as f64;
        let (ours, theirs) = (
            length(&mut made.iter().copied()) / made.len() as f64,
            length(&mut cells.iter().map(String::as_str)) / ROWS as f64,
        );
        assert!((ours / theirs - 1.0).abs() < 0.15, "{name}: {ours} letters instead of {theirs}");
    }
}
