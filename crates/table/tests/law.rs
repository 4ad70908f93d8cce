//! The law of spellings: whatever is read is written back byte for byte, and the kinds are the ones a reader expects.

use std::fs::File;
use std::io::Write;

use table::{Kind, Layout, ReadOptions, Reading, Table, Unreadable, read};

const ALL: ReadOptions = ReadOptions { rows_max: usize::MAX, bytes_max: usize::MAX, seed: 1 };

fn file(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(bytes).expect("room for it");
    file
}

fn kinds(table: &Table) -> String {
    let short = |kind| match kind {
        Kind::Int => 'i',
        Kind::Real => 'r',
        Kind::Bool => 'b',
        Kind::Time => 't',
        Kind::Text => 's',
    };
    (0..table.columns()).map(|column| short(table.kind(column))).collect()
}

fn written(reading: &Reading) -> Vec<u8> {
    assert_eq!(Layout::from_bytes(&reading.layout.to_bytes()).as_ref(), Ok(&reading.layout), "saved and loaded");
    let mut writer = reading.layout.writer(Vec::new()).expect("memory takes the header");
    writer.write(&reading.table).expect("memory takes the rows");
    writer.finish().expect("memory takes the end")
}

fn show(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).escape_debug().to_string()
}

/// Reads `input`, expects these kinds, and the same bytes written back; then reads those back.
fn check(input: &str, expected: &str) {
    let reading = match read("some.csv", &file(input.as_bytes()), &ALL) {
        Ok(reading) => reading,
        Err(error) => panic!("{}: {error}", show(input.as_bytes())),
    };
    let bytes = written(&reading);
    assert_eq!(show(&bytes), show(input.as_bytes()));
    assert_eq!(kinds(&reading.table), expected, "kinds of {}", show(input.as_bytes()));
    let back = match reading.layout.read_back(&file(&bytes), &ALL) {
        Ok(back) => back,
        Err(error) => panic!("{} read back: {error}", show(&bytes)),
    };
    assert_eq!(kinds(&back), expected);
    for column in 0..back.columns() {
        let (ours, theirs) = (back.column(column), reading.table.column(column));
        assert_eq!((&ours.values, &ours.spelling), (&theirs.values, &theirs.spelling), "{}", show(&bytes));
    }
}

/// A file of one column `x` with these cells.
fn column(cells: &[&str], expected: &str) {
    check(
        &format!("x;y\n{}\n", cells.iter().map(|cell| format!("{cell};a")).collect::<Vec<_>>().join("\n")),
        &format!("{expected}s"),
    );
}

#[test]
fn numbers() {
    for (cells, expected) in [
        (&["1", "-2", "30", "0"][..], "i"),
        (&["7"], "i"),
        (&["01234", "99999", "00000"], "i"),
        (&["01234", "9999"], "s"),
        (&["-01", "001"], "s"),
        (&["123456789012345678", "-999999999999999999"], "i"),
        (&["1234567890123456789", "1"], "s"),
        (&["-0", "1"], "s"),
        (&["+1", "-1", "0"], "i"),
        (&["+1", "-1", "+0"], "i"),
        (&["+1", "-1", "+0", "0"], "s"),
        (&["+1", "-1", "2"], "s"),
        (&["+41791234567", "+41797654321"], "s"),
        (&["1,234", "12", "1,234,567", "-999"], "i"),
        (&["1,234", "1234"], "s"),
        (&["1,23", "12,345"], "r"),
        (&["0,123", "0,5"], "r"),
        (&["1.234,50", "12,00", "-1.234.567,25"], "r"),
        (&["1'234", "999", "12'345'678"], "i"),
        (&["1 234", "999", "12 345 678"], "i"),
        (&["$5", "$1,000", "-$12"], "i"),
        (&["$5", "$-12"], "i"),
        (&["-$5", "$-12"], "s"),
        (&["$5", "12"], "s"),
        (&["$5.25", "$1,000.00"], "r"),
        (&["€ 5", "€ 12"], "i"),
        (&["5 €", "12 €"], "i"),
        (&["12.5%", "3.0%", "-1.2%"], "r"),
        (&["12%", "100%"], "i"),
        (&["36 months", "60 months"], "i"),
        (&["70 kg", "82.5 kg"], "r"),
        (&["5kg", "6kg"], "i"),
        (&["5kg", "6 kg"], "s"),
        (&["A14", "A15"], "s"),
        (&["1st", "2nd"], "s"),
        (&["1.0", "2.0", "-3.0"], "i"),
        (&["1.00", "2.00"], "i"),
        (&["1.0", "-0.0"], "r"),
        (&["1.50", "-0.00", "0.00"], "r"),
        (&["1.25", "0.50", "-17.00"], "r"),
        (&["1.5", "2", "0.125", "-0.5"], "r"),
        (&["1.5", "2.0", "0.125", "-0.5"], "r"),
        (&["1.5", "2.0", "3"], "s"),
        (&["1.50", "2.0"], "s"),
        (&["1.9", "1.10", "2.0", "2"], "s"),
        (&["10.1038", "10.12688", "10.1090"], "s"),
        (&["1.10 LTS", "1.9 LTS", "2 LTS"], "s"),
        (&["0.1", "12345678901234567890"], "s"),
        // Singles written as doubles, some of them between two shortest decimals: as most writers settle it.
        (&["2.1016921997070312", "135.10000610351562", "0.5", "2.9802322387695312e-08", "5.960464477539063e-08"], "r"),
        (&["01.5", "12.5"], "s"),
        (&[".5", "1.25", "-.75"], "r"),
        (&[".5", "0.25"], "s"),
        (&[".50", ".00", "1.00"], "r"),
        (&["5.", "6."], "s"),
        (&["0.1", "0.30000000000000004", "1234.5678901234567"], "r"),
        (&["1e-05", "0.5", "1.5e+16", "2.0"], "r"),
        (&["1E5", "2E5"], "s"),
        (&["1e5", "2e5"], "s"),
        (&["0.00001", "0.5"], "r"),
        (&["9007199254740993.5", "1.5"], "s"),
        (&["inf", "1.5"], "s"),
        (&["0x1F", "12"], "s"),
        (&["1.2.3", "4.5.6"], "s"),
        (&["12,5", "7,25"], "r"),
        (&["1", "2", "x"], "s"),
    ] {
        column(cells, expected);
    }
}

/// A number matters more than how it is written: a column of measurements is never text. What could as well be a code, a
/// version or a chapter is no measurement (see the list above).
#[test]
fn measurements_written_in_more_than_one_way_are_kept_by_value() {
    let cases: &[(&[&str], &[&str])] = &[
        (&["0.10000000000000001", "2.5"], &["0.1", "2.5"]),
        (&["0.1", "0.300000000000000040"], &["0.1", "0.30000000000000004"]),
        (&["0.1234567890123456789", "0.5"], &["0.12345678901234568", "0.5"]),
        (&["0.123450", "1.5", "2.0", "3"], &["0.12345", "1.5", "2.0", "3.0"]),
        (&["1e-05", "0.00002"], &["1e-05", "2e-05"]),
        (&["1.000000000000000056e-01", "0.000000000000000000e+00"], &["0.1", "0"]),
        (&["1.50E+03", "-2.5E-07", "1E+02"], &["1500", "-2.5e-07", "100"]),
        (&["1,50E+03", "2,5E-07"], &["1500", "2,5e-07"]),
        (&["-1.50", "2.5", "3"], &["-1.5", "2.5", "3"]),
        (&["$1.50", "$2.00", "$3"], &["$1.50", "$2.00", "$3.00"]),
        (&["1.5 kg", "2.00 kg", "3 kg"], &["1.5 kg", "2 kg", "3 kg"]),
        (&[".5", "-0.25"], &["0.5", "-0.25"]),
    ];
    for (cells, expected) in cases {
        let lines = |cells: &[&str]| cells.iter().map(|cell| format!("{cell};a\n")).collect::<String>();
        let input = format!("x;y\n{}", lines(cells));
        let reading = read("some.csv", &file(input.as_bytes()), &ALL).expect("a table");
        assert_eq!(kinds(&reading.table), "rs", "kinds of {input}");
        let bytes = written(&reading);
        assert_eq!(show(&bytes), show(format!("x;y\n{}", lines(expected)).as_bytes()));
        let back = reading.layout.read_back(&file(&bytes), &ALL).expect("its own copy");
        assert_eq!(&back.column(0).values, &reading.table.column(0).values, "{input}");
    }
}

#[test]
fn times() {
    for (cells, expected) in [
        (&["2024-01-31", "1969-12-31", "2000-02-29"][..], "t"),
        (&["2023-02-29", "2024-01-01"], "s"),
        (&["2024/01/31", "2024/12/01"], "t"),
        (&["31/01/2024", "01/02/2024"], "t"),
        (&["01/31/2024", "01/02/2024"], "t"),
        (&["1/2/2024", "10/12/2024"], "t"),
        (&["1/2/2024", "01/12/2024"], "s"),
        (&["31.12.2024", "1.1.2024"], "t"),
        (&["31-12-24", "01-01-69"], "t"),
        (&["20240131", "19991231"], "t"),
        (&["20240131", "20241350"], "i"),
        (&["20240131", "20240131"], "i"),
        (&["30000101", "20240131"], "i"),
        (&["20240131235959", "20240201000000"], "t"),
        (&["2024-01-31 23:59:59", "2024-02-01 00:00:00"], "t"),
        (&["2024-01-31 23:59", "2024-02-01 00:00"], "t"),
        (&["2024-01-31 24:00", "2024-02-01 00:00"], "s"),
        (&["2024-01-31T23:59:59Z", "2024-02-01T00:00:00Z"], "t"),
        (&["2024-01-31T23:59:59Z", "2024-02-01T00:00:00"], "s"),
        (&["2024-01-31T23:59:59.123Z", "2024-02-01T00:00:00.000Z"], "t"),
        (&["2024-01-31T23:59:59.123456", "2024-02-01T00:00:00.000001"], "t"),
        (&["2024-01-31T23:59:59.123456000", "2024-02-01T00:00:00.000001000"], "t"),
        (&["2024-01-31T23:59:59.123456789", "2024-02-01T00:00:00.000001000"], "s"),
        (&["2024-01-31 23:59:59", "2024-02-01 00:00:00.120000"], "t"),
        (&["2024-01-31 23:59:59.5", "2024-02-01 00:00:00", "2024-02-01 00:00:00.125"], "t"),
        (&["2024-01-31 23:59:59.500", "2024-02-01 00:00:00"], "s"),
        (&["2024-01-31 23:59:59.000000", "2024-02-01 00:00:00"], "s"),
        (&["2024-01-31T23:59:59+01:00", "2024-02-01T00:00:00+01:00"], "t"),
        (&["2024-01-31T23:59:59+01:00", "2024-07-01T00:00:00+02:00"], "s"),
        (&["2024-01-31 23:59:59 UTC", "2024-02-01 00:00:00 UTC"], "t"),
        (&["2024-01-31 23:59:59+00", "2024-02-01 00:00:00+00"], "t"),
        (&["31-Jan-2024", "01-Feb-2024"], "t"),
        (&["31-JAN-24", "01-MAY-24"], "t"),
        (&["May 1, 2024", "March 12, 2024"], "t"),
        (&["01 May 2024", "12 Mar 2024"], "t"),
        (&["Wed, 31 Jan 2024 23:59:59 +0000", "Thu, 01 Feb 2024 00:00:00 +0000"], "t"),
        (&["Mon, 31 Jan 2024 23:59:59 +0000", "Thu, 01 Feb 2024 00:00:00 +0000"], "s"),
        (&["1/31/2024 11:59:59 PM", "2/1/2024 12:00:00 AM", "2/1/2024 1:05:00 PM"], "t"),
        (&["01/31/2024 11:59 pm", "02/01/2024 12:00 am"], "t"),
        (&["23:59:59", "00:00:00"], "t"),
        (&["23:59", "00:00"], "t"),
        (&["9:05", "23:59"], "t"),
        (&["25:00", "23:59"], "s"),
        (&["2024-01", "2023-12"], "t"),
        (&["01/2024", "12/2023"], "t"),
        (&["2024", "2023"], "i"),
        (&["0000-00-00", "2024-01-01"], "s"),
        (&["2024-01-31", "n.d."], "s"),
    ] {
        column(cells, expected);
    }
}

#[test]
fn words_and_missing_values() {
    for (cells, expected) in [
        (&["true", "false"][..], "b"),
        (&["True", "False", ""], "b"),
        (&["yes", "no", "NA"], "b"),
        (&["T", "F"], "b"),
        (&["true", "true"], "s"),
        (&["true", "no"], "s"),
        (&["Y", "N", "U"], "s"),
        (&["0", "1"], "i"),
        (&["1", "", "3"], "i"),
        (&["1", "NA", "3"], "i"),
        (&["1", "-", "-3"], "i"),
        (&["1.5", "\\N", "3.5"], "r"),
        (&["1.5", "nan", "3.5"], "r"),
        (&["1", "NA", ""], "s"),
        (&["1", "NA", "NULL"], "s"),
        (&["2024-01-01", "NULL"], "t"),
        (&["", ""], "s"),
        (&["NA", "NA"], "s"),
        (&["a", "", "NA"], "s"),
        (&["\"\"", "", "a"], "s"),
        (&["\"\"", "1", "2"], "i"),
        (&["\"\"", "", "2"], "s"),
    ] {
        column(cells, expected);
    }
}

#[test]
fn dialects() {
    for (input, expected) in [
        ("a,b\n1,x\n", "is"),
        ("a,b\n1,x", "is"),
        ("a,b\r\n1,x\r\n2,y\r\n", "is"),
        ("a,b\r\n1,x\r\n2,y", "is"),
        ("a,b\r1,x\r2,y\r", "is"),
        ("a,b\n1,x\r\n2,y\r\n", "is"),
        ("a,b\r\n1,x\n2,y\n", "is"),
        ("\u{feff}a,b\n1,x\n", "is"),
        ("a;b\n1,5;x\n", "rs"),
        ("a\tb\n1\tx, y\n", "is"),
        ("a|b\n1|x\n", "is"),
        ("a,b\n1,x\n\n\n", "is"),
        ("x\n1\n2\n", "i"),
        ("x\none, two\nthree\n", "s"),
        ("x\n\n1\n", "i"),
        ("x\n\"one, two\"\nthree\n", "s"),
        (",b\n0,x\n1,y\n", "is"),
        ("a,b\n\"1\",\"x\"\n\"2\",\"y\"\n", "is"),
        ("\"a\",\"b\"\n\"1\",\"x\"\n\"2\",\"\"\n", "is"),
        ("\"a\",\"b\"\n1,\"x\"\n2,NA\n", "is"),
        ("\"a\",\"b\"\n1,\"x\"\nNA,\"NA\"\n", "is"),
        ("a,b\n1,\"x, y\"\n2,z\n", "is"),
        ("a,b\n1,\"x\ny\"\n2,z\n", "is"),
        ("a,b\r\n1,\"x\r\ny\"\r\n2,z\r\n", "is"),
        ("a,b\n1,\"say \"\"so\"\"\"\n2,z\n", "is"),
        ("a,b\n1,\"say \\\"so\\\" \\\\ \"\n2,\"z\"\n", "is"),
        ("a,b\n1,5\" pipe\n2,z\n", "is"),
        ("a,b\n1,'x, y'\n2,z\n", "is"),
        ("'a','b'\n1,'x'\n2,'y''s'\n", "is"),
        ("a,b\n1,'tis\n2,y's\n", "is"),
        ("a,b\n\"1,234\",x\n12,y\n", "is"),
        ("a,\"b, c\"\n1,x\n", "is"),
        ("größe,naïve\n1,é\n", "is"),
        ("a,b\n 1,x\n 2,y\n", "is"),
        ("a, b\n1, x\n2, y\n", "is"),
        ("a, b\n1, 5\n2, \n", "ii"),
        ("a,b,c\n,,\n1,,x\n", "iss"),
    ] {
        check(input, expected);
    }
}

#[test]
fn malformed_rows_are_set_aside() {
    for (input, rows, lines) in [
        ("a,b\n1,x\n2\n3,y\n4,z,!\n", 2, &[3, 5][..]),
        ("a,b\n1,x\n\n2,y\n", 2, &[3]),
        ("a,b\n1,\"x\ny\"\n2\n3,z\n", 2, &[4]),
        ("a,b\n1,\"x\"y\n2,y\n3,z\n", 2, &[2]),
        ("x\n1\n\n2\n", 3, &[]),
        ("x\n1\n2\n\n", 2, &[]),
        ("a,b\n1,x\n2,\"y\n3,z\n", 2, &[3]),
        ("a,b\n1,x\n2,y\n3,z\n4,z\n5\n6\n7\n8\n", 4, &[6, 7, 8]),
    ] {
        let reading = read("some.csv", &file(input.as_bytes()), &ALL).expect(input);
        assert_eq!(reading.rows, rows, "{input}");
        let found: Vec<u64> = reading.set_aside.first.iter().map(|aside| aside.line).collect();
        assert_eq!(found, lines, "{input}");
        assert_eq!(reading.table.rows() as u64, rows);
    }
}

#[test]
fn unreadable_files_say_why() {
    for (name, bytes, expected) in [
        ("a.csv", &b""[..], "the file has no data rows"),
        ("a.csv", b"a,b\n", "the file has no data rows"),
        ("a.csv", b"a,b\n\n", "the file has no data rows"),
        ("a.csv", b"\n\n", "the file has no data rows"),
        ("a.csv", b"\na,b\n1,2\n", "the header is a blank line"),
        ("a.csv", b"a,\"b\n1,2\n", "the header has a quote that is never closed"),
        ("a.csv", b"a,b,a,b,a\n1,2,3,4,5\n", "the header names `a`, `b` more than once"),
        ("a.csv", b"a,b\n1,\xe9\n", "line 2 is not UTF-8 text"),
        ("a.csv", b"a,b\n1,\"\n\xe9\"\n", "line 3 is not UTF-8 text"),
        (
            "a.csv",
            b"a,b\n1\n2\n3,x\n4\n5\n",
            "4 malformed rows; line 2: 1 field where the header has 2, line 3: 1 field where the header has 2, \
             line 5: 1 field where the header has 2; only 1 of 5 rows are sound",
        ),
        ("a.csv", b"\x89PNG\r\n\x1a\n\0\0", "the file is a PNG image"),
        ("a", b"PAR1\x15\x04", "the Parquet file is damaged: "),
        ("a", b"PK\x03\x04\x14", "the file is a zip archive"),
        ("a.csv", b"a,b\n1,\0\n", "the file is binary data"),
        ("a.csv", b"{\"a\": 1}\n", "the file is a single JSON object"),
        (
            "b/a.jsonl.gz",
            b"\"a\"\n",
            "1 malformed row; line 1: a value that is not an object; only 0 of 1 rows are sound",
        ),
        ("a", b"<?xml version=\"1.0\"?>\n", "the file is an XML file"),
        ("a.csv", b"\x1f\x8b\x08\0\0", "the gzip packing is damaged"),
        ("a.csv", b"\x28\xb5\x2f\xfd\0", "the zstd packing is damaged"),
    ] {
        let error = match read(name, &file(bytes), &ALL) {
            Ok(reading) => panic!("{} was read: {} rows", show(bytes), reading.rows),
            Err(error) => error,
        };
        assert!(error.to_string().starts_with(expected), "{}: {error}", show(bytes));
    }
    let cut: Result<Reading, Unreadable> = read("a.csv", &file(b"a,b\n1,x"), &ALL);
    assert!(cut.is_ok(), "a file without a last line end is whole");
}
