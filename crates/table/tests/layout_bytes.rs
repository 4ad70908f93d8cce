//! Layouts that are saved: damaged bytes never make a panic, endless output or a layout out of nothing.

use std::fs::File;
use std::io::Write;

use table::{Layout, NoLayout, ReadOptions, Reading, read};

const ALL: ReadOptions = ReadOptions { rows_max: usize::MAX, bytes_max: usize::MAX, seed: 1 };

fn reading(name: &str, bytes: &[u8]) -> Reading {
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(bytes).expect("room for it");
    read(name, &file, &ALL).unwrap_or_else(|error| panic!("{error}"))
}

fn readings() -> Vec<Reading> {
    let csv = "\u{feff}day;\"when\";money;paid;who\r\n1;31/01/2024;\"$1.200,50\";yes;NA\r\n2;01/02/2024;\"$7,00\";no;x\r\n\r\n";
    let lines = "{\"a\": 1, \"who\": {\"b\": \"x\", \"c\": null}, \"d\": [1]}\n{\"a\": 2, \"who\": null, \"d\": [2]}\n";
    let array = "[\n  {\"a\": 1.5,\n   \"e\": true},\n  {\"a\": 2.5,\n   \"e\": false}\n]\n";
    let parquet = File::open(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/pyarrow.parquet")).expect("it is there");
    let parquet = read("a.parquet", &parquet, &ALL).unwrap_or_else(|error| panic!("{error}"));
    vec![
        reading("a.csv", csv.as_bytes()),
        reading("a.jsonl", lines.as_bytes()),
        reading("a.json", array.as_bytes()),
        parquet,
    ]
}

fn written(layout: &Layout, reading: &Reading) -> std::io::Result<Vec<u8>> {
    let mut writer = layout.writer(Vec::new())?;
    writer.write(&reading.table)?;
    writer.finish()
}

#[test]
fn a_saved_layout_writes_the_same_bytes() {
    for reading in readings() {
        let bytes = reading.layout.to_bytes();
        let back = Layout::from_bytes(&bytes).unwrap_or_else(|error| panic!("{error}: {:?}", reading.layout));
        assert_eq!(back, reading.layout);
        assert_eq!(written(&back, &reading).ok(), written(&reading.layout, &reading).ok());
    }
}

#[test]
fn a_cut_layout_is_refused_and_a_changed_one_does_no_harm() {
    const BYTES_MAX: usize = 8 << 20;
    for reading in readings() {
        let bytes = reading.layout.to_bytes();
        for end in 0..bytes.len() {
            assert_eq!(Layout::from_bytes(&bytes[..end]), Err(NoLayout::Damaged), "{end} of {} bytes", bytes.len());
        }
        let longer = [&bytes[..], b"x"].concat();
        assert_eq!(Layout::from_bytes(&longer), Err(NoLayout::Damaged));
        // The first byte is the version.
        for at in 1..bytes.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut changed = bytes.clone();
                changed[at] ^= flip;
                // What still is a layout may write nonsense, as long as it ends.
                if let Ok(layout) = Layout::from_bytes(&changed)
                    && let Ok(bytes) = written(&layout, &reading)
                {
                    assert!(bytes.len() < BYTES_MAX, "{} bytes", bytes.len());
                }
            }
        }
    }
}

#[test]
fn a_layout_of_a_later_version_says_so() {
    for reading in readings() {
        let mut bytes = reading.layout.to_bytes();
        bytes[0] = 2;
        assert_eq!(Layout::from_bytes(&bytes), Err(NoLayout::Newer { found: 2 }));
        bytes[0] = 0;
        assert_eq!(Layout::from_bytes(&bytes), Err(NoLayout::Damaged));
    }
}
