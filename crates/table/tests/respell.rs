//! A column in the kind and spelling of another: values survive, what has none is named.

use std::io::Write;

use table::{BadCell, ReadOptions, Reading, Table, read, respell};

const ALL: ReadOptions = ReadOptions { rows_max: usize::MAX, bytes_max: usize::MAX, seed: 1 };

/// A file of one column of these cells.
fn reading(cells: &[&str]) -> Reading {
    let mut file = tempfile::tempfile().expect("a temporary file");
    let lines: String = cells.iter().map(|cell| format!("{cell};a\n")).collect();
    write!(file, "x;y\n{lines}").expect("room for it");
    read("a.csv", &file, &ALL).unwrap_or_else(|error| panic!("{error}"))
}

/// The seeds as the file of `like` writes them.
fn respelt(seeds: &[&str], like: &[&str]) -> Result<Vec<String>, BadCell> {
    let (seeds, like) = (reading(seeds), reading(like));
    let column = respell(&seeds.table, 0, like.table.kind(0), like.table.spelling(0))?;
    assert_eq!((column.name.as_str(), &column.spelling), ("x", like.table.spelling(0)));
    let table = Table::new(vec![column, seeds.table.column(1)]).expect("columns of one table");
    let mut writer = like.layout.writer(Vec::new()).expect("memory takes the header");
    writer.write(&table).expect("the kinds are those of the layout");
    let text = String::from_utf8(writer.finish().expect("memory takes the end")).expect("text");
    Ok(text.lines().skip(1).map(|line| line.trim_end_matches(";a").to_string()).collect())
}

#[test]
fn values_take_the_other_spelling() {
    let cases: &[(&[&str], &[&str], &[&str])] = &[
        (&["1", "", "20"], &["$1,200.50", "$3.00"], &["$1.00", "", "$20.00"]),
        (&["3.0", "4.0"], &["1", "2"], &["3", "4"]),
        (&["7", "NA", "12"], &["007", "120"], &["007", "", "012"]),
        (&["2024-01-31", ""], &["31/01/2024", "-"], &["31/01/2024", "-"]),
        (&["yes", "yes"], &["yes", "no"], &["yes", "yes"]),
        (&["true", "false"], &["Y", "N"], &["Y", "N"]),
        (&["10115", "20095"], &["10115", "x1"], &["10115", "20095"]),
        (&["1.50", "2.25"], &["a", "b"], &["1.50", "2.25"]),
        (&["23:59"], &["00:10", "12:00"], &["23:59"]),
    ];
    for (seeds, like, expected) in cases {
        let expected = expected.iter().map(|cell| cell.to_string()).collect();
        assert_eq!(respelt(seeds, like), Ok(expected), "{seeds:?} like {like:?}");
    }
}

#[test]
fn a_cell_without_a_value_of_the_kind_is_named() {
    let bad = |row, text: &str| Err(BadCell { row, text: text.into() });
    assert_eq!(respelt(&["1.00", "1.25"], &["1", "2"]), bad(1, "1.25"));
    assert_eq!(respelt(&["5", "north"], &["1", "2"]), bad(1, "north"));
    assert_eq!(respelt(&["maybe"], &["yes", "no"]), bad(0, "maybe"));
    assert_eq!(respelt(&["1", "", "2"], &["2024-01-31", "2024-02-01"]), bad(0, "1"));
    // A double would carry another number than this one.
    assert_eq!(respelt(&["9007199254740993"], &["1.5", "2.25"]), bad(0, "9007199254740993"));
}

#[test]
fn a_column_in_its_own_spelling_stays_as_it_is() {
    for cells in [&["1", "2", ""][..], &["1.50", "2.25"], &["a", "b", "a"], &["yes", "no"], &["2024-01-31", "NA"]] {
        let reading = reading(cells);
        let (kind, spelling) = (reading.table.kind(0), reading.table.spelling(0));
        let column = respell(&reading.table, 0, kind, spelling).unwrap_or_else(|error| panic!("{error}"));
        let own = reading.table.column(0);
        assert_eq!((&column.name, &column.spelling, &column.values), (&own.name, &own.spelling, &own.values));
    }
}
