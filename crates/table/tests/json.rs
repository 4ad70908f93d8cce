//! JSON in, the same JSON out: records one a line and in arrays, nested, spaced and escaped as they came.

use std::fs::File;
use std::io::Write;

use table::{Cell, Flaw, Kind, Layout, ReadOptions, Reading, Table, Unreadable, Values, read};

const ALL: ReadOptions = ReadOptions { rows_max: usize::MAX, bytes_max: usize::MAX, seed: 1 };

fn file(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(bytes).expect("room for it");
    file
}

fn reading(name: &str, text: &str) -> Reading {
    read(name, &file(text.as_bytes()), &ALL).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn written(reading: &Reading, tables: &[Table]) -> String {
    assert_eq!(Layout::from_bytes(&reading.layout.to_bytes()).as_ref(), Ok(&reading.layout), "saved and loaded");
    let mut writer = reading.layout.writer(Vec::new()).expect("memory takes the beginning");
    for table in tables {
        writer.write(table).expect("memory takes the rows");
    }
    String::from_utf8(writer.finish().expect("memory takes the end")).expect("text")
}

fn kinds(table: &Table) -> Vec<(String, Kind)> {
    (0..table.columns()).map(|column| (table.name(column).to_string(), table.kind(column))).collect()
}

fn refused(name: &str, text: &str) -> String {
    match read(name, &file(text.as_bytes()), &ALL) {
        Ok(reading) => panic!("{text} was read: {:?}", reading.table),
        Err(error) => error.to_string(),
    }
}

/// Comes back byte for byte, and reads back to the same values.
fn same(name: &str, text: &str) -> Table {
    let found = reading(name, text);
    let again = written(&found, std::slice::from_ref(&found.table));
    assert_eq!(again, text, "{:?}", kinds(&found.table));
    let back = found.layout.read_back(&file(again.as_bytes()), &ALL).unwrap_or_else(|error| panic!("{error}: {text}"));
    for column in 0..back.columns() {
        assert_eq!(&back.column(column).values, &found.table.column(column).values, "{text}");
    }
    found.table
}

#[test]
fn records_come_back_byte_for_byte() {
    for text in [
        "{\"a\":1,\"b\":\"x\"}\n{\"a\":2,\"b\":\"y\"}\n",
        "{\"a\": 1, \"b\": \"x\"}\n{\"a\": 2, \"b\": \"y\"}",
        "{\"a\":1.50,\"b\":\"2024-01-31\"}\r\n{\"a\":2.25,\"b\":\"2024-02-01\"}\r\n\r\n",
        "{ \"a\": true }\n{ \"a\": false }\n",
        // Missing values: without the key, as null, as the empty string.
        "{\"a\":1}\n{\"a\":2,\"b\":3}\n{\"a\":3}\n",
        "{\"a\":1,\"b\":null}\n{\"a\":2,\"b\":3}\n",
        "{\"a\":\"\",\"b\":null}\n{\"a\":\"x\",\"b\":null}\n",
        "{\"a\":\"2024-01-31\"}\n{\"a\":\"\"}\n",
        "{\"a\":\"12\"}\n{\"a\":\"NA\"}\n{\"a\":\"7\"}\n",
        "{\"a\":12}\n{\"a\":\"\"}\n",
        "{\"a\": NaN}\n{\"a\": 1.5}\n",
        "{\"a\": NaN}\n{\"a\": \"x\"}\n",
        // Numbers and their spellings.
        "{\"a\":1e-07}\n{\"a\":0.1}\n{\"a\":-3.0}\n",
        "{\"a\":1E5}\n{\"a\":12345678901234567890123}\n{\"a\":0.50}\n",
        "{\"a\":\"007\",\"b\":\"$1.50\"}\n{\"a\":\"010\",\"b\":\"$12.00\"}\n",
        "{\"a\":20240131}\n{\"a\":20240201}\n",
        "{\"a\":\" 5\"}\n{\"a\":\" 6\"}\n",
        // Nested objects, and objects that are missing.
        "{\"a\":{\"b\":1,\"c\":{\"d\":\"x\"}},\"e\":2}\n{\"a\":{\"b\":3,\"c\":{\"d\":\"y\"}},\"e\":4}\n",
        "{\"a\":{\"b\":1}}\n{\"a\":null}\n",
        "{\"a\":{\"b\":1},\"c\":1}\n{\"c\":2}\n",
        "{\"a\":{\"b\":1},\"c\":1}\n{\"a\":{},\"c\":2}\n",
        "{\"a\":{\"b\":null}}\n{\"a\":{\"b\":1}}\n",
        "{\"a.b\":1,\"a\":{\"b\":2,\"c\\\\\":3}}\n",
        // Values that stay JSON.
        "{\"a\": [1, 2, {\"b\": []}], \"c\": {}}\n{\"a\": [], \"c\": {}}\n",
        "{\"a\":[\"x, y: z\",\"\\\"\"]}\n{\"a\":null}\n",
        "{\"a\":1}\n{\"a\":\"1\"}\n{\"a\":true}\n{\"a\":{\"b\":1}}\n{\"a\":[1]}\n",
        "{\"a\":true}\n{\"a\":null}\n",
        // Escapes.
        "{\"a\":\"\\u00e9\\ud83d\\ude00 \\\"q\\\" \\\\ \\n\\t\\u0001\"}\n{\"a\":\"b\"}\n",
        "{\"a\":\"é😀\\\\\"}\n",
        "{\"a\":\"x\\/y\"}\n",
        "\u{feff}{\"a\":1}\n",
    ] {
        same("some.jsonl", text);
    }
}

#[test]
fn arrays_come_back_byte_for_byte() {
    for text in [
        "[{\"a\":1},{\"a\":2}]",
        "[{\"a\": 1}, {\"a\": 2}]\n",
        "[\n{\"a\":1},\n{\"a\":2}\n]\n",
        "[\n  {\n    \"a\": 1,\n    \"b\": {\n      \"c\": [\n        1,\n        2\n      ],\n      \"d\": []\n    }\n  },\n  {\n    \
         \"a\": 2,\n    \"b\": {\n      \"c\": [],\n      \"d\": []\n    }\n  }\n]\n",
        "[ {\"a\":1} ]",
    ] {
        same("some.json", text);
    }
    let found = reading("some.json", "[{\"a\":1},{\"a\":2}]");
    assert_eq!(written(&found, &[]), "[]");
    assert_eq!(found.layout.read_back(&file(b"[]"), &ALL).map(|table| table.rows()).ok(), Some(0));
}

#[test]
fn kinds_are_those_of_the_values() {
    let table = same(
        "some.ndjson",
        "{\"id\":7,\"price\":1.50,\"ok\":true,\"at\":\"2024-01-31T10:00:00Z\",\"tag\":[1],\"who\":{\"na.me\":\"x\"}}\n\
         {\"id\":8,\"price\":2.25,\"ok\":false,\"at\":\"2024-02-01T11:30:00Z\",\"tag\":[],\"who\":{\"na.me\":\"\"}}\n",
    );
    let expected = [
        ("id", Kind::Int),
        ("price", Kind::Real),
        ("ok", Kind::Bool),
        ("at", Kind::Time),
        ("tag", Kind::Text),
        ("who.na\\.me", Kind::Text),
    ];
    assert_eq!(kinds(&table), expected.map(|(name, kind)| (name.to_string(), kind)));
    assert!(!table.missing(5, 1), "the empty string is a text");
    // A column of one truth value alone is still one of truth values.
    assert_eq!(same("a.jsonl", "{\"a\":true}\n").kind(0), Kind::Bool);
}

#[test]
fn other_orders_and_spaces_keep_the_values() {
    let found = reading("some.jsonl", "{\"a\":1,\"b\":2}\n{\"b\": 3, \"a\" : 4}\n{\"c\":5}\n{\"c\":null}\n");
    let expected = "{\"a\":1,\"b\":2,\"c\":null}\n{\"a\":4,\"b\":3,\"c\":null}\n{\"c\":5}\n{\"c\":null}\n";
    assert_eq!(written(&found, std::slice::from_ref(&found.table)), expected);
    let exponents = reading("some.jsonl", "{\"a\":1.0E-5}\n{\"a\":1e-7}\n{\"a\":2500.5}\n");
    assert_eq!(exponents.table.kind(0), Kind::Real);
    let expected = "{\"a\":1e-05}\n{\"a\":1e-07}\n{\"a\":2500.5}\n";
    assert_eq!(written(&exponents, std::slice::from_ref(&exponents.table)), expected);
    let texts = reading("some.jsonl", "{\"a\":[1]}\n{\"a\":[2]}\n");
    assert_eq!(texts.table.spelling(0).read(Kind::Text, "[1]"), Some(Cell::Text("[1]")));
}

#[test]
fn malformed_records_are_set_aside() {
    let found = reading(
        "some.jsonl",
        "{\"a\":1}\n{\"a\":\n\n[1]\n{\"a\":2}\n{\"a\":3,\"a\":4}\n{\"a\":01}\n{\"a\":5} x\n{\"a\":6}\n{\"a\":7}\n{\"a\":8}\n{\"a\":9}\n",
    );
    let lines: Vec<u64> = found.set_aside.first.iter().map(|aside| aside.line).collect();
    assert_eq!((found.rows, found.set_aside.rows, lines), (6, 6, vec![2, 3, 4]));
    assert_eq!(found.set_aside.first[2].flaw, Flaw::NotObject);

    let found = reading("some.json", "[\n{\"a\":1},\n7,\n{\"a\":2},\n{\"a\":x},\n{\"a\":3}\n]");
    let lines: Vec<u64> = found.set_aside.first.iter().map(|aside| aside.line).collect();
    assert_eq!((found.rows, lines), (3, vec![3, 5]));
    let Values::Int(values) = found.table.values(0) else { panic!("whole numbers") };
    assert_eq!(values.values().to_vec(), [1, 2, 3]);

    let found = reading("some.json", "[\n {\n  \"a\": 1\n },\n {\n  \"a\": 2\n },\n {\n  \"a\": x\n }\n]");
    assert_eq!((found.rows, found.set_aside.first[0].line), (2, 8));

    let cut = reading("some.json", "[{\"a\":1},{\"a\":2},{\"a");
    assert_eq!((cut.rows, cut.set_aside.rows), (2, 1));

    let message = refused("some.jsonl", "{\"a\":1}\nx\ny\nz\n");
    assert!(message.starts_with("3 malformed rows; line 2: text that is not JSON"), "{message}");
    let misspelt = reading("a.jsonl", "{\"a\":1}\n{\"a\":2}\n").layout.read_back(&file(b"{\"a\":\"x\"}\n"), &ALL);
    assert!(matches!(misspelt, Err(Unreadable::Malformed { .. })));
}

#[test]
fn types_are_told_by_name_and_content() {
    let lines = "{\"a\":1}\n{\"a\":2}\n";
    for name in ["a.json", "a.jsonl", "a.ndjson", "a", "a.txt", "a.log"] {
        same(name, lines);
    }
    same("a", "[{\"a\":1}]\n");
    let packed = zstd::encode_all(lines.as_bytes(), 1).expect("memory");
    let found = read("b/a.jsonl.zst", &file(&packed), &ALL).unwrap_or_else(|error| panic!("{error}"));
    let mut writer = found.layout.writer(Vec::new()).expect("memory takes the beginning");
    writer.write(&found.table).expect("memory takes the rows");
    let again = writer.finish().expect("memory takes the end");
    assert_eq!(zstd::decode_all(&again[..]).ok().as_deref(), Some(lines.as_bytes()));
    same("a.jsonl", "{\"a\":1}\n");
    for (name, text) in [("a.json", "{\"a\":1}\n"), ("a.json", "{\n \"a\": 1\n}\n"), ("a", "{\"a\": {\n}}")] {
        let message = refused(name, text);
        assert!(
            message.starts_with("the file is a single JSON object, which is not read; these are: csv"),
            "{message}"
        );
    }
    for (name, text) in [("a.json", ""), ("a.json", "[]"), ("a.jsonl", "\n"), ("a.jsonl", "{}\n{}\n")] {
        assert_eq!(refused(name, text), "the file has no data rows", "{text}");
    }
}

#[test]
fn samples_keep_every_key() {
    let mut text = String::new();
    for row in 0..5_000 {
        text.push_str(&format!("{{\"row\":{row},\"in\":{{\"part\":{}}}}}\n", row % 7));
    }
    text.push_str("{\"row\":5000,\"in\":{\"part\":1},\"last\":\"x\"}\n");
    let options = ReadOptions { rows_max: 100, ..ALL };
    let found = read("a.jsonl", &file(text.as_bytes()), &options).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((found.table.rows(), found.rows, found.table.columns()), (100, 5_001, 3));
}
