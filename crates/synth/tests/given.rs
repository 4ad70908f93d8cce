//! Laws of drawing beside given columns: the given cells stay, the others go with them, whatever was given.

mod tables;

use synth::{Ask, load};
use table::{Column, Spelling, Table};
use tables::{Dice, cells, fitted, int_at, mixed, text_at, texts};

fn some(words: &[&str], rows: usize) -> Vec<Option<String>> {
    (0..rows).map(|row| Some(words[row % words.len()].to_string())).collect()
}

#[test]
fn given_cells_stay_and_laws_hold_from_them_on() {
    let table = mixed(2000);
    let generator = fitted(0, &table);
    let zip_of = |town: &str| {
        (3..2000).find(|&row| text_at(&table, 1, row).as_deref() == Some(town)).map(|row| int_at(&table, 2, row))
    };
    // The town determines its zip, and the total is price plus tax: each is given from its other end.
    for columns in [vec![1, 5], vec![2, 5], vec![5], vec![8, 3], vec![1, 3, 4]] {
        let rows = 3000;
        let mut dice = Dice(3);
        let towns = some(&["Kiel", "Ulm"], rows);
        let columns_given = columns.iter().map(|&column| match column {
            1 => texts("town", &towns),
            2 => Column::ints(
                "zip",
                (0..rows).map(|row| zip_of(["Kiel", "Ulm"][row % 2]).flatten()).collect(),
                Spelling::plain(),
            ),
            8 => Column::times(
                "when",
                (0..rows).map(|row| Some(1_600_000_000_000_000 + row as i64 * 1_000_000)).collect(),
                Spelling::plain(),
            ),
            at => Column::ints(
                ["", "", "", "price", "tax", "total"][at],
                (0..rows).map(|_| Some(300 + dice.roll(500) as i64)).collect(),
                Spelling::plain(),
            ),
        });
        let given = Table::new(columns_given.collect()).expect("columns of one length");
        let drawn = generator.beside(&columns, 5).expect("rows stand alone").complete(&given, &Ask::all(rows, 6));
        assert_eq!(drawn.rows(), rows);
        let (whole, own) = (cells(&drawn), cells(&given));
        for row in 0..rows {
            for (place, &column) in columns.iter().enumerate() {
                assert_eq!(whole[row][column], own[row][place], "column {column} of {columns:?} is given");
            }
            let part = |column: usize| int_at(&drawn, column, row).expect("present");
            assert!(
                columns == [1, 3, 4] || part(3) + part(4) == part(5),
                "price plus tax is the total, given {columns:?}"
            );
            let town = text_at(&drawn, 1, row).expect("present");
            assert_eq!(zip_of(&town).flatten(), int_at(&drawn, 2, row), "a town has one zip, given {columns:?}");
        }
    }
}

#[test]
fn what_was_never_seen_is_taken() {
    let generator = fitted(0, &mixed(900));
    let given = Table::new(vec![
        texts("town", &[Some("Nowhere".into()), None, Some("Ulm".into())]),
        Column::ints("price", vec![Some(i64::MAX), Some(i64::MIN), None], Spelling::plain()),
    ])
    .expect("columns of one length");
    let drawn = generator.beside(&[1, 3], 5).expect("rows stand alone").complete(&given, &Ask::all(3, 6));
    assert_eq!(text_at(&drawn, 1, 0).as_deref(), Some("Nowhere"));
    assert_eq!((int_at(&drawn, 3, 0), int_at(&drawn, 3, 2)), (Some(i64::MAX), None));
    assert!(int_at(&drawn, 2, 0).is_some(), "a zip is drawn where no law tells it");
}

#[test]
fn a_condition_is_met_as_the_training_rows_show() {
    let table = mixed(3000);
    let generator = load(&fitted(0, &table).save()).unwrap_or_else(|problem| panic!("a saved model loads: {problem}"));
    let rows = 4000;
    let prices = (0..rows).map(|row| Some(if row % 2 == 0 { 150 } else { 900 })).collect();
    let given = Table::new(vec![Column::ints("price", prices, Spelling::plain())]).expect("one column");
    let drawn = generator.beside(&[3], 1).expect("rows stand alone").complete(&given, &Ask::all(rows, 2));
    let open = |row: usize| cells(&drawn.take(&[row as u32]))[0][7].clone();
    let (low, high) = (
        (0..200).step_by(2).filter(|&r| open(r) == "true").count(),
        (1..200).step_by(2).filter(|&r| open(r) == "false").count(),
    );
    assert!(low + high <= 2, "`open` tells whether the price is above 500: {low} and {high} exceptions");
}
