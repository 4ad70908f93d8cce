//! Tables for the tests, drawn by seed.

#![allow(dead_code)]

use table::{Column, Spelling, Table};

struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.unit() * limit as f64) as usize
    }

    /// About normal: twelve units less six.
    fn bell(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }
}

fn dice(seed: u64) -> Dice {
    Dice(seed.wrapping_mul(0x1234_5678_9abc_def1))
}

fn text(name: &str, cells: Vec<Option<String>>) -> Column {
    let mut words: Vec<String> = cells.iter().flatten().cloned().collect();
    words.sort();
    words.dedup();
    let codes = cells
        .iter()
        .map(|cell| cell.as_ref().map(|cell| words.binary_search(cell).expect("it is one") as i32))
        .collect();
    Column::texts(name, codes, words, Spelling::plain())
}

fn table(columns: Vec<Column>) -> Table {
    Table::new(columns).expect("equal lengths")
}

/// Customers whose columns hang together: `age x income x region x since x churn x active x zone x left`. The region
/// decides the zone, and nobody has left before coming.
pub fn bank(rows: usize, seed: u64) -> Table {
    let mut dice = dice(seed);
    let (mut age, mut income, mut region, mut since, mut churn, mut active) =
        (vec![], vec![], vec![], vec![], vec![], vec![]);
    let (mut zone, mut left) = (vec![], vec![]);
    for _ in 0..rows {
        let years = 45.0 + 12.0 * dice.bell();
        let pay = (years * 800.0 + 6_000.0 * dice.bell() * 100.0 / 100.0).round() / 100.0 * 100.0;
        let north = dice.unit() < (years - 20.0) / 60.0;
        let town = ["north", "east", "south", "west"][if north { dice.below(2) } else { 2 + dice.below(2) }];
        age.push(Some(years as i64));
        income.push((dice.unit() > 0.05).then_some(pay + 0.01 * dice.below(100) as f64));
        let known = dice.unit() > 0.02;
        region.push(known.then(|| town.to_string()));
        zone.push(known.then(|| if ["north", "west"].contains(&town) { "A" } else { "B" }.to_string()));
        since.push(Some(1_600_000_000_000_000 + (years * 3.0e13) as i64 + (dice.unit() * 1e14) as i64));
        left.push(since[since.len() - 1].map(|since: i64| since + (dice.unit() * 1e15) as i64));
        churn.push(Some(
            if dice.unit() < 1.0 / (1.0 + ((years - 45.0) / 5.0).exp()) { "yes" } else { "no" }.to_string(),
        ));
        active.push(Some(north ^ (dice.unit() < 0.1)));
    }
    table(vec![
        Column::ints("age", age, Spelling::plain()),
        Column::reals("income", income, Spelling::plain()),
        text("region", region),
        Column::times("since", since, Spelling::plain()),
        text("churn", churn),
        Column::bools("active", active, Spelling::plain()),
        text("zone", zone),
        Column::times("left", left, Spelling::plain()),
    ])
}

/// The columns of [`bank`], drawn without regard to anything.
pub fn noise(rows: usize, seed: u64) -> Table {
    let mut dice = dice(seed);
    let mut draw = |limit: usize| (0..rows).map(|_| dice.below(limit)).collect::<Vec<_>>();
    let words =
        |codes: Vec<usize>, words: &[&str]| codes.into_iter().map(|code| Some(words[code].to_string())).collect();
    table(vec![
        Column::ints("age", draw(200).into_iter().map(|value| Some(value as i64)).collect(), Spelling::plain()),
        Column::reals("income", draw(900_000).into_iter().map(|value| Some(value as f64)).collect(), Spelling::plain()),
        text("region", words(draw(4), &["west", "west", "west", "up"])),
        Column::times("since", draw(1 << 50).into_iter().map(|value| Some(value as i64)).collect(), Spelling::plain()),
        text("churn", words(draw(2), &["yes", "no"])),
        Column::bools("active", draw(9).into_iter().map(|value| Some(value == 0)).collect(), Spelling::plain()),
        text("zone", words(draw(2), &["A", "B"])),
        Column::times("left", draw(1 << 50).into_iter().map(|value| Some(value as i64)).collect(), Spelling::plain()),
    ])
}

/// People with a card number each, a town that is common or held by one, and an age.
pub fn people(rows: usize, seed: u64) -> Table {
    let mut dice = dice(seed);
    let card = (0..rows).map(|_| Some(format!("4000-{:012}", dice.next() % 1_000_000_000_000))).collect();
    let town = (0..rows)
        .map(|row| Some(if row == 7 { format!("Lone Hollow {seed}") } else { "Springfield".to_string() }))
        .collect();
    let age = (0..rows).map(|_| Some(dice.below(70) as i64)).collect();
    table(vec![text("card", card), text("town", town), Column::ints("age", age, Spelling::plain())])
}

/// Names and values that a page must not take for markup.
pub fn hostile(rows: usize) -> Table {
    let value = |row: usize| {
        Some(if row.is_multiple_of(2) { "<img src=x onerror=\"alert(1)\">" } else { "a & 'b' </svg><b>" }.to_string())
    };
    let cells = (0..rows).map(value).collect();
    let numbers = (0..rows).map(|row| Some(row as i64 % 17)).collect();
    table(vec![text("<b>\"col'umn\"</b>", cells), Column::ints("</title><i>", numbers, Spelling::plain())])
}

/// So many columns of numbers and texts by turns.
pub fn wide(rows: usize, columns: usize, seed: u64) -> Table {
    let mut dice = dice(seed);
    let column = |index: usize| {
        let name = format!("column {index}");
        match index % 3 {
            0 => Column::ints(&name, (0..rows).map(|_| Some(dice.below(90) as i64)).collect(), Spelling::plain()),
            1 => Column::reals(&name, (0..rows).map(|_| Some(dice.bell())).collect(), Spelling::plain()),
            _ => text(&name, (0..rows).map(|_| Some(format!("v{}", dice.below(7)))).collect()),
        }
    };
    table((0..columns).map(column).collect())
}

/// The rows from last to first.
pub fn reversed(of: &Table) -> Table {
    of.take(&(0..of.rows() as u32).rev().collect::<Vec<_>>())
}

/// Each column by itself in another order.
pub fn shuffled_columns(of: &Table) -> Table {
    let rows = of.rows();
    let column = |index: usize| {
        let mut order: Vec<u32> = (0..rows as u32).collect();
        let mut dice = dice(77 + index as u64);
        for end in (1..rows).rev() {
            order.swap(end, dice.below(end + 1));
        }
        of.take(&order).column(index)
    };
    table((0..of.columns()).map(column).collect())
}

/// The rows of `first`, then those of `second`; both of the columns of [`bank`].
pub fn below(first: &Table, second: &Table) -> Table {
    use table::{Kind, Values};
    let column = |index: usize| {
        let name = first.name(index);
        let both = [first, second];
        let rows = || both.iter().flat_map(|table| (0..table.rows()).map(move |row| (*table, row)));
        match first.kind(index) {
            Kind::Int => Column::ints(
                name,
                rows()
                    .map(|(of, row)| match of.values(index) {
                        Values::Int(v) if !of.missing(index, row) => Some(v.value(row)),
                        _ => None,
                    })
                    .collect(),
                Spelling::plain(),
            ),
            Kind::Real => Column::reals(
                name,
                rows()
                    .map(|(of, row)| match of.values(index) {
                        Values::Real(v) if !of.missing(index, row) => Some(v.value(row)),
                        _ => None,
                    })
                    .collect(),
                Spelling::plain(),
            ),
            Kind::Time => Column::times(
                name,
                rows()
                    .map(|(of, row)| match of.values(index) {
                        Values::Time(v) if !of.missing(index, row) => Some(v.value(row)),
                        _ => None,
                    })
                    .collect(),
                Spelling::plain(),
            ),
            Kind::Bool => Column::bools(
                name,
                rows()
                    .map(|(of, row)| match of.values(index) {
                        Values::Bool(v) if !of.missing(index, row) => Some(v.value(row)),
                        _ => None,
                    })
                    .collect(),
                Spelling::plain(),
            ),
            Kind::Text => text(name, rows().map(|(of, row)| word(of, index, row)).collect()),
        }
    };
    table((0..first.columns()).map(column).collect())
}

fn word(of: &Table, index: usize, row: usize) -> Option<String> {
    use arrow_array::cast::AsArray;
    match of.values(index) {
        table::Values::Text(values) => {
            values.key(row).map(|key| values.values().as_string::<i32>().value(key).to_string())
        }
        _ => None,
    }
}

/// `of` with the named column taken from `from`.
pub fn with_column_of(of: &Table, from: &Table, name: &str) -> Table {
    let column = |index: usize| if of.name(index) == name { from.column(index) } else { of.column(index) };
    table((0..of.columns()).map(column).collect())
}

/// Odd tables: training, synthetic, holdout.
pub fn tables_of_all_kinds() -> Vec<(&'static str, [Table; 3])> {
    let ints = |name: &str, values: Vec<Option<i64>>| Column::ints(name, values, Spelling::plain());
    let words = |name: &str, values: &[&str]| text(name, values.iter().map(|value| Some(value.to_string())).collect());
    let of_one = |columns: fn() -> Vec<Column>| [0; 3].map(|_| table(columns()));
    let apart = |value: &str| table(vec![words("c", &[value; 80]), ints("n", (0..80).map(Some).collect())]);
    vec![
        ("no rows", of_one(|| vec![Column::ints("a", vec![], Spelling::plain())])),
        ("no columns", of_one(Vec::new)),
        (
            "one row",
            of_one(|| {
                vec![
                    Column::ints("a", vec![Some(1)], Spelling::plain()),
                    Column::bools("b", vec![None], Spelling::plain()),
                ]
            }),
        ),
        ("nothing synthetic", [bank(200, 1), bank(0, 1), bank(100, 2)]),
        ("nothing real", [bank(0, 1), bank(200, 1), bank(0, 2)]),
        ("a row of each", [bank(1, 1), bank(1, 2), bank(1, 3)]),
        ("few rows", [bank(60, 1), bank(49, 2), bank(3, 3)]),
        ("all missing", [nulls(90), nulls(90), nulls(90)]),
        ("missing only in synthetic", [bank(300, 1), nulls_like_bank(300), bank(100, 2)]),
        ("missing only in training", [nulls_like_bank(300), bank(300, 1), bank(100, 2)]),
        (
            "constant",
            of_one(|| {
                vec![Column::reals("c", vec![Some(2.5); 90], Spelling::plain()), text("w", vec![Some("x".into()); 90])]
            }),
        ),
        ("constants that differ", [apart("x"), apart("y"), apart("x")]),
        (
            "constant in synthetic",
            [
                wide(200, 6, 1),
                table((0..6).map(|index| wide(200, 6, 1).take(&[0; 200]).column(index)).collect()),
                wide(90, 6, 2),
            ],
        ),
        ("huge numbers", [spread(1), spread(2), spread(3)]),
        ("unicode", [unicode(1), unicode(2), unicode(3)]),
        ("300 columns", [wide(150, 300, 1), wide(150, 300, 2), wide(80, 300, 3)]),
        ("identifiers only", [1, 2, 3].map(|seed| table(vec![people(200, seed).column(0)]))),
        ("one column", [1, 2, 3].map(|seed| table(vec![bank(200, seed).column(1)]))),
        ("markup", [hostile(80), hostile(90), hostile(60)]),
    ]
}

fn nulls_like_bank(rows: usize) -> Table {
    table(vec![
        Column::ints("age", vec![None; rows], Spelling::plain()),
        Column::reals("income", vec![None; rows], Spelling::plain()),
        text("region", vec![None; rows]),
        Column::times("since", vec![None; rows], Spelling::plain()),
        text("churn", vec![None; rows]),
        Column::bools("active", vec![None; rows], Spelling::plain()),
        text("zone", vec![None; rows]),
        Column::times("left", vec![None; rows], Spelling::plain()),
    ])
}

/// Two tables of five rows whose figures can be reckoned by hand.
pub fn by_hand() -> (Table, Table) {
    let of = |numbers: [Option<i64>; 5], twins: [i64; 5], letters: [Option<&str>; 5], flags: [bool; 5]| {
        table(vec![
            Column::ints("number", numbers.to_vec(), Spelling::plain()),
            Column::ints("twin", twins.map(Some).to_vec(), Spelling::plain()),
            text("letter", letters.map(|letter| letter.map(String::from)).to_vec()),
            Column::bools("flag", flags.map(Some).to_vec(), Spelling::plain()),
        ])
    };
    let some = |numbers: [i64; 5]| numbers.map(Some);
    let real = of(
        some([1, 2, 3, 4, 5]),
        [2, 4, 6, 8, 10],
        [Some("a"), Some("a"), Some("b"), Some("b"), Some("a")],
        [true, true, false, false, false],
    );
    let synthetic = of(
        some([1, 2, 3, 4, 9]),
        [10, 8, 6, 4, -6],
        [Some("a"), Some("a"), Some("b"), Some("b"), None],
        [true, false, true, false, false],
    );
    (real, synthetic)
}

fn nulls(rows: usize) -> Table {
    table(vec![
        Column::ints("i", vec![None; rows], Spelling::plain()),
        Column::reals("r", vec![None; rows], Spelling::plain()),
        text("t", vec![None; rows]),
        Column::bools("b", vec![None; rows], Spelling::plain()),
        Column::times("d", vec![None; rows], Spelling::plain()),
    ])
}

fn spread(seed: u64) -> Table {
    let mut dice = dice(seed);
    let ends = [i64::MIN, i64::MAX, 0, -1, 1];
    let far = [f64::MAX, f64::MIN, f64::MIN_POSITIVE, -0.0, 0.0];
    table(vec![
        Column::ints("huge", (0..120).map(|row| Some(ends[row % 5])).collect(), Spelling::plain()),
        Column::ints("ids", (0..120).map(|_| Some(dice.next() as i64)).collect(), Spelling::plain()),
        Column::reals("far", (0..120).map(|row| Some(far[row % 5])).collect(), Spelling::plain()),
        Column::times("when", (0..120).map(|row| Some(ends[(row + 1) % 5])).collect(), Spelling::plain()),
    ])
}

fn unicode(seed: u64) -> Table {
    let mut dice = dice(seed);
    let words = ["Zürich", "東京", "🦀🦀", "e\u{301}", "\u{202e}right", "", " ", "a\nb", "\u{0}"];
    let cells: Vec<Option<String>> = (0..150).map(|_| Some(words[dice.below(words.len())].to_string())).collect();
    table(vec![text("Größe in 中文 \u{202e}", cells.clone()), text("", cells)])
}

/// Each column of [`bank`] from rows of its own: the columns by themselves are right, and know nothing of each other.
pub fn independent(rows: usize, seed: u64) -> Table {
    let columns = bank(0, 0).columns();
    table((0..columns).map(|index| bank(rows, seed + index as u64).column(index)).collect())
}

/// `of` shaken: numbers moved by up to a hundredth of their range, one text cell in twenty taken from another row.
pub fn shaken(of: &Table, seed: u64) -> Table {
    let mut dice = dice(seed);
    let rows = of.rows();
    let mut column = |index: usize| {
        let name = of.name(index);
        match of.values(index) {
            table::Values::Int(values) => {
                let width = width(values.iter().flatten().map(|value| value as f64));
                let cell = |value: Option<i64>| value.map(|value| moved(&mut dice, value as f64, width).round() as i64);
                Column::ints(name, values.iter().map(cell).collect(), Spelling::plain())
            }
            table::Values::Time(values) => {
                let width = width(values.iter().flatten().map(|value| value as f64));
                let cell = |value: Option<i64>| value.map(|value| moved(&mut dice, value as f64, width).round() as i64);
                Column::times(name, values.iter().map(cell).collect(), Spelling::plain())
            }
            table::Values::Real(values) => {
                let width = width(values.iter().flatten());
                let cell = |value: Option<f64>| value.map(|value| moved(&mut dice, value, width));
                Column::reals(name, values.iter().map(cell).collect(), Spelling::plain())
            }
            table::Values::Text(_) => {
                let other = |row| if dice.unit() < 0.05 { dice.below(rows) } else { row };
                text(name, (0..rows).map(other).map(|row| word(of, index, row)).collect())
            }
            table::Values::Bool(_) => of.column(index),
        }
    };
    table((0..of.columns()).map(&mut column).collect())
}

fn moved(dice: &mut Dice, value: f64, width: f64) -> f64 {
    value + (2.0 * dice.unit() - 1.0) * width / 100.0
}

fn width(values: impl Iterator<Item = f64>) -> f64 {
    let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
    high - low
}

/// How many rows of [`bank`] left before they came.
pub fn left_too_early(of: &Table) -> usize {
    let of_column = |name: &str| match of.position(name).map(|index| of.values(index)) {
        Some(table::Values::Time(values)) => values.iter().collect::<Vec<_>>(),
        _ => Vec::new(),
    };
    of_column("since").into_iter().zip(of_column("left")).filter(|(since, left)| since > left).count()
}
