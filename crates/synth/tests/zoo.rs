//! Odd tables: none may make a model panic, and every one that is taken gives as many columns as it had.

use synth::{Ask, MODELS, Params, Unfit};
use table::{Column, Spelling, Table};

fn check(what: &str, columns: Vec<Column>, refused: bool) {
    let table = Table::new(columns).expect("columns of one length");
    let recipe =
        (MODELS[0].recipe)(&Params::default()).map_err(|bad| format!("{bad:?}")).expect("the empty config is taken");
    match recipe.fit(&table, None, 1, &|_| true) {
        Ok(generator) => {
            assert!(!refused, "{what} was taken");
            let drawn = generator.sample(&Ask::all(300, 1));
            assert_eq!((drawn.rows(), drawn.columns()), (300, table.columns()), "{what}");
            let again = synth::load(&generator.save()).unwrap_or_else(|problem| panic!("{what}: {problem}"));
            assert_eq!(again.sample(&Ask::all(300, 1)).rows(), 300, "{what}");
        }
        Err(unfit) => assert!(refused, "{what}: {unfit}"),
    }
}

fn ints(name: &str, values: Vec<Option<i64>>) -> Column {
    Column::ints(name, values, Spelling::plain())
}

fn words(name: &str, cells: &[&str]) -> Column {
    let codes = (0..cells.len()).map(|at| Some(at as i32)).collect();
    Column::texts(name, codes, cells.iter().map(|c| c.to_string()).collect(), Spelling::plain())
}

#[test]
fn odd_tables_are_taken_or_refused_but_never_a_panic() {
    check("no columns", vec![], true);
    check("no rows", vec![ints("a", vec![])], true);
    check("one row", vec![ints("a", vec![Some(1)])], true);
    check("five rows", vec![ints("a", (0..5).map(Some).collect()), words("b", &["a", "b", "c", "d", "e"])], false);
    check("a constant", vec![ints("a", vec![Some(4); 50])], false);
    check(
        "all null",
        vec![ints("a", vec![None; 50]), Column::texts("b", vec![None; 50], vec![], Spelling::plain())],
        false,
    );
    let extremes = [i64::MIN, i64::MAX, 0, -1, 1];
    check("huge integers", vec![ints("a", (0..60).map(|row| Some(extremes[row % 5])).collect())], false);
    check(
        "huge and different",
        vec![ints("a", (0..60).map(|row| Some(i64::MIN + row * (i64::MAX / 40))).collect())],
        false,
    );
    check("unicode", vec![words("ü", &["é", "e\u{301}", "", "👩‍👩‍👧", "नमस्ते", "a,b\n\"c\"", "\u{0}", "zz"])], false);
    let reals = [0.0, -0.0, f64::MIN_POSITIVE, 1e300, -1e300, 1e-300, 0.1, f64::MAX];
    check(
        "odd reals",
        vec![Column::reals("x", (0..64).map(|row| Some(reals[row % 8])).collect(), Spelling::plain())],
        false,
    );
    check(
        "not a number",
        vec![Column::reals(
            "x",
            vec![Some(f64::NAN), Some(f64::INFINITY), None, Some(1.0), Some(2.0)],
            Spelling::plain(),
        )],
        false,
    );
    check(
        "times",
        vec![Column::times(
            "t",
            (0..90).map(|row| Some(i64::MIN / 2 + row * 997_000_000)).collect(),
            Spelling::plain(),
        )],
        false,
    );
    check("truth", vec![Column::bools("b", (0..9).map(|row| Some(row % 2 == 0)).collect(), Spelling::plain())], false);
}

#[test]
fn three_hundred_columns_are_taken() {
    let value =
        |column: usize, row: usize| ((row * (column + 3) * 2_654_435_761) >> 7) as i64 % (3 + column as i64 * 5);
    let columns = (0..300).map(|c| ints(&format!("c{c}"), (0..400).map(|row| Some(value(c, row))).collect())).collect();
    check("300 columns", columns, false);
}

#[test]
fn sentences_are_written_anew() {
    let (a, b, c) = (
        ["the red", "a small", "my old"],
        ["car", "house", "boat", "tree"],
        ["was sold in spring", "is near the lake", "has no roof at all"],
    );
    let sentence = |row: usize| {
        format!(
            "{} {} {} and then number {} {} again",
            a[row % 3],
            b[row / 3 % 4],
            c[row / 12 % 3],
            row % 50,
            a[row / 7 % 3]
        )
    };
    let cells: Vec<String> = (0..600).map(sentence).collect();
    let refs: Vec<&str> = cells.iter().map(String::as_str).collect();
    let table = Table::new(vec![words("note", &refs)]).expect("one column");
    let recipe =
        (MODELS[0].recipe)(&Params::default()).map_err(|bad| format!("{bad:?}")).expect("the empty config is taken");
    let drawn = recipe.fit(&table, None, 1, &|_| true).expect("the table fits").sample(&Ask::all(500, 3));
    let known: std::collections::BTreeSet<&str> = refs.iter().copied().collect();
    let table::Values::Text(values) = drawn.values(0) else { panic!("text stays text") };
    let written = arrow_array::cast::AsArray::as_string::<i32>(values.values().as_ref());
    for key in values.keys().iter().flatten() {
        let text = written.value(key as usize);
        assert!(!text.is_empty() && !known.contains(text), "`{text}` is a training cell");
    }
}

#[test]
fn a_fit_can_be_stopped() {
    let table =
        Table::new((0..20).map(|c| ints(&format!("c{c}"), (0..200).map(|row| Some(row * c % 11)).collect())).collect())
            .expect("columns of one length");
    let recipe =
        (MODELS[0].recipe)(&Params::default()).map_err(|bad| format!("{bad:?}")).expect("the empty config is taken");
    assert!(matches!(recipe.fit(&table, None, 1, &|_| false), Err(Unfit::Cancelled)));
}
