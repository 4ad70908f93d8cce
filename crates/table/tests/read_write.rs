//! What readers and writers owe beside the law: samples, packings, reading back, tables made alike.

use std::fs::File;
use std::io::{Read, Write};

use arrow_array::Array;
use table::{Cell, Column, Flaw, Kind, ReadOptions, Reading, Spelling, Table, Unreadable, Values, alike, read};

fn file(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(bytes).expect("room for it");
    file
}

fn options(rows_max: usize, bytes_max: usize, seed: u64) -> ReadOptions {
    ReadOptions { rows_max, bytes_max, seed }
}

const ALL: ReadOptions = ReadOptions { rows_max: usize::MAX, bytes_max: usize::MAX, seed: 1 };

fn reading(name: &str, bytes: &[u8], options: &ReadOptions) -> Reading {
    read(name, &file(bytes), options).unwrap_or_else(|error| panic!("{error}"))
}

fn written(reading: &Reading, tables: &[Table]) -> Vec<u8> {
    let mut writer = reading.layout.writer(Vec::new()).expect("memory takes the header");
    for table in tables {
        writer.write(table).expect("memory takes the rows");
    }
    writer.finish().expect("memory takes the end")
}

fn ints(table: &Table, column: usize) -> Vec<i64> {
    match table.values(column) {
        Values::Int(values) => values.values().to_vec(),
        other => panic!("not whole numbers: {other:?}"),
    }
}

/// `rows` rows of their number and a text.
fn counted(rows: usize) -> Vec<u8> {
    let mut bytes = b"row,word\n".to_vec();
    for row in 0..rows {
        bytes.extend_from_slice(format!("{row},word {}\n", row % 7).as_bytes());
    }
    bytes
}

#[test]
fn a_sample_is_uniform_bounded_and_repeatable() {
    const ROWS: usize = 20_000;
    const KEPT: usize = 2_000;
    let bytes = counted(ROWS);
    let sample = reading("a.csv", &bytes, &options(KEPT, usize::MAX, 7));
    assert_eq!((sample.table.rows(), sample.rows), (KEPT, ROWS as u64));
    let rows = ints(&sample.table, 0);
    assert!(rows.is_sorted(), "source order");
    // The mean of 2,000 of 20,000 rows has a standard deviation of 20000 / sqrt(12 * 2000) = 129; four of them.
    let mean = rows.iter().sum::<i64>() as f64 / KEPT as f64;
    assert!((mean - ROWS as f64 / 2.0).abs() < 516.0, "mean {mean}");
    let again = reading("a.csv", &bytes, &options(KEPT, usize::MAX, 7));
    assert_eq!(ints(&again.table, 0), rows);
    let other = reading("a.csv", &bytes, &options(KEPT, usize::MAX, 8));
    assert_ne!(ints(&other.table, 0), rows);
    let small = reading("a.csv", &bytes, &options(usize::MAX, 100_000, 7));
    assert!((500..5_000).contains(&small.table.rows()), "{} rows", small.table.rows());
    let whole = reading("a.csv", &bytes, &ALL);
    assert_eq!(ints(&whole.table, 0), (0..ROWS as i64).collect::<Vec<_>>());
}

#[test]
fn wide_headers_tell_their_delimiter() {
    let names: Vec<String> = (0..20_000).map(|column| format!("column {column}")).collect();
    let wide = format!("{}\n{}\n", names.join(";"), vec!["1,5"; names.len()].join(";"));
    let found = reading("a.csv", wide.as_bytes(), &ALL);
    assert_eq!((found.table.columns(), found.table.kind(7)), (names.len(), Kind::Real));
}

#[test]
fn spellings_hold_for_rows_that_are_not_sampled() {
    let mut bytes = counted(5_000);
    bytes.extend_from_slice(b"unknown,word\n");
    let sample = reading("a.csv", &bytes, &options(10, usize::MAX, 1));
    assert_eq!(sample.table.kind(0), Kind::Text);
}

#[test]
fn packings_are_kept() {
    let plain = counted(30_000);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    // A gzip file may have several members, one behind the other.
    gzip.write_all(&plain[..100]).expect("memory");
    let mut packed = gzip.finish().expect("memory");
    let mut gzip = flate2::write::GzEncoder::new(&mut packed, flate2::Compression::fast());
    gzip.write_all(&plain[100..]).expect("memory");
    gzip.finish().expect("memory");
    let found = reading("a.csv.gz", &packed, &ALL);
    let bytes = written(&found, std::slice::from_ref(&found.table));
    assert_eq!(bytes, written(&found, std::slice::from_ref(&found.table)), "the same bytes each time");
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut unpacked).expect("gzip again");
    assert!(unpacked == plain);
    assert!(found.layout.read_back(&file(&bytes), &ALL).is_ok());

    let packed = zstd::encode_all(&plain[..], 1).expect("memory");
    let found = reading("a.csv.zst", &packed, &ALL);
    let bytes = written(&found, std::slice::from_ref(&found.table));
    assert!(zstd::decode_all(&bytes[..]).expect("zstd again") == plain);

    let cut = &packed[..packed.len() / 2];
    assert!(matches!(read("a.csv.zst", &file(cut), &ALL), Err(Unreadable::Damaged { packing: "zstd", .. })));
}

#[test]
fn tables_are_written_in_parts_and_read_back() {
    let found = reading("a.csv", b"id,price\n001,$1.50\n002,\n010,$1250.25\n", &ALL);
    let parts = [found.table.head(1), found.table.take(&[1, 2, 0])];
    let bytes = written(&found, &parts);
    assert_eq!(String::from_utf8_lossy(&bytes), "id,price\n001,$1.50\n002,\n010,$1250.25\n001,$1.50\n");
    let back = found.layout.read_back(&file(&bytes), &ALL).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((ints(&back, 0), back.kind(1)), (vec![1, 2, 10, 1], Kind::Real));
    let empty = written(&found, &[]);
    assert_eq!(found.layout.read_back(&file(&empty), &ALL).map(|table| table.rows()).ok(), Some(0));

    let misspelt = found.layout.read_back(&file(b"id,price\n001,$1.50\n2x,\n"), &ALL);
    let Err(Unreadable::Malformed { set_aside, .. }) = misspelt else { panic!("2x is no number") };
    assert_eq!((set_aside.first[0].line, &set_aside.first[0].flaw), (3, &Flaw::Cell { column: "id".into() }));
    let other = found.layout.read_back(&file(b"id,cost\n001,$1.50\n"), &ALL);
    assert!(matches!(other, Err(Unreadable::OtherHeader)));

    let foreign = Table::new(vec![Column::ints("id", vec![Some(1)], Spelling::plain())]).expect("one column");
    assert!(found.layout.writer(Vec::new()).expect("memory").write(&foreign).is_err());
}

#[test]
fn missing_values_and_empty_texts_stay_apart() {
    let found = reading("a.csv", b"a,b\nx,1\n,2\n\"\",3\n", &ALL);
    assert!(!found.table.missing(0, 0) && found.table.missing(0, 1) && !found.table.missing(0, 2));
    let found = reading("a.csv", b"\"a\",\"b\"\n\"x\",1\nNA,2\n\"NA\",3\n", &ALL);
    assert!(!found.table.missing(0, 0) && found.table.missing(0, 1) && !found.table.missing(0, 2));
    let found = reading("a.csv", b"a,b\nx,1\nNA,2\ny,3\n", &ALL);
    assert!(!found.table.missing(0, 1), "in text without quotes, NA is a word");
}

#[test]
fn spellings_tell_their_bounds() {
    for (cells, step, decimals, range) in [
        ("00120\n12345", Some(1.0), Some(0), Some((0.0, 99_999.0))),
        ("1.25\n3.50", Some(0.01), Some(2), Some((-1e13, 1e13))),
        ("1.25\n3.5", Some(0.01), Some(2), Some((-1e13, 1e13))),
        ("0.30000000000000004\n1.5", None, None, None),
        ("12:30\n13:45", Some(60e6), None, Some((0.0, 86_340e6))),
        ("01/02/24\n31/12/23", Some(86_400e6), None, Some((-31_536_000e6, 3_124_137_600e6))),
        (
            "2024-01-01 10:00:00.125\n2024-01-01 10:00:00.250",
            Some(1e3),
            None,
            Some((-62_135_596_800e6, 253_402_300_799e6)),
        ),
        ("yes\nno", None, None, None),
    ] {
        let found = reading("a.csv", format!("x\n{cells}\n").as_bytes(), &ALL);
        let spelling = found.table.spelling(0);
        assert_eq!((spelling.step(), spelling.decimals(), spelling.range()), (step, decimals, range), "{cells}");
        // Both ends of the range can be written and read back.
        for end in range.into_iter().flat_map(|(low, high)| [low, high]) {
            let value = match found.table.kind(0) {
                Kind::Int => Cell::Int(end as i64),
                Kind::Real => Cell::Real(end),
                _ => Cell::Time(end as i64),
            };
            let mut cell = Vec::new();
            spelling.write(value, &mut cell);
            let cell = String::from_utf8(cell).expect("text");
            assert_eq!(spelling.read(found.table.kind(0), &cell), Some(value), "{cell}");
        }
    }
}

#[test]
fn tables_read_apart_are_made_alike() {
    let one = reading("a.csv", b"a,b,c,d\n1,x,2024-01-01,\n2,,2024-01-02,\n", &ALL).table;
    let two = reading("a.csv", b"a,b,c,d\n1.5,7,never,4\n2,8,,5\n", &ALL).table;
    let same = alike(&[&one, &two]).unwrap_or_else(|error| panic!("{error}"));
    for table in &same {
        let kinds: Vec<Kind> = (0..4).map(|column| table.kind(column)).collect();
        assert_eq!(kinds, [Kind::Real, Kind::Text, Kind::Text, Kind::Int]);
    }
    let Values::Real(values) = same[0].values(0) else { panic!("reals") };
    assert_eq!(values.values().to_vec(), [1.0, 2.0]);
    let Values::Text(values) = same[1].values(1) else { panic!("texts") };
    assert_eq!((values.len(), values.is_null(0)), (2, false));
    assert!(same[0].missing(1, 1) && same[0].missing(3, 0) && same[1].missing(2, 1));
    let other = reading("a.csv", b"a,b,e,d\n1,x,y,z\n", &ALL).table;
    let error = alike(&[&one, &two, &other]).expect_err("another header");
    assert_eq!(error.to_string(), "table 3 has other columns than table 1: `e` instead of `c`");
}

#[test]
fn open_quotes_cost_one_line_each() {
    const TIMES: u64 = 5_000;
    // The quote that a row opens is closed only by the next such row, and by text behind it.
    let mut bytes = b"a,b\n".to_vec();
    for _ in 0..TIMES {
        bytes.extend_from_slice(b"1,2\n1,\"x\n3,4\n");
    }
    let found = reading("a.csv", &bytes, &ALL);
    assert_eq!((found.rows, found.set_aside.rows), (2 * TIMES, TIMES));
}

#[test]
fn a_value_of_the_other_sign_of_zero_is_written_as_zero() {
    let found = reading("a.csv", b"x\n1.25\n0.00\n", &ALL);
    let mut cells = Vec::new();
    for value in [-0.0, -0.001, -0.01] {
        found.table.spelling(0).write(Cell::Real(value), &mut cells);
        cells.push(b' ');
    }
    assert_eq!(cells, b"0.00 0.00 -0.01 ");
}
