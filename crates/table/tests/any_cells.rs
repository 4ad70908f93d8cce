//! The law of spellings over columns of made-up cells: numbers, times and words in one style with some that break it.
//! Bytes come back, or in a column of measurements at least the numbers.

use std::fs::File;
use std::io::Write;

use table::{Kind, ReadOptions, read};

/// A small generator, so that a failure can be repeated from its seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len() as u64) as usize]
    }

    fn digits(&mut self, count: u64) -> String {
        (0..count).map(|_| char::from(b'0' + self.below(if count.is_multiple_of(3) { 2 } else { 10 }) as u8)).collect()
    }
}

/// What the cells of one column have in common.
struct Style {
    times: bool,
    sign: &'static str,
    prefix: &'static str,
    suffix: &'static str,
    mark: &'static str,
    point: &'static str,
    whole: u64,
    places: u64,
    parts: &'static str,
    null: &'static str,
}

impl Style {
    fn new(dice: &mut Dice) -> Style {
        Style {
            times: dice.below(4) == 0,
            sign: dice.one(&["", "", "-", "+"]),
            prefix: dice.one(&["", "", "", "$", "€ ", " "]),
            suffix: dice.one(&["", "", "", "%", " kg", "e-07", "e+16"]),
            mark: dice.one(&["", "", ",", ".", "'"]),
            point: dice.one(&[".", ".", ","]),
            whole: dice.below(20),
            places: dice.below(20),
            parts: dice.one(&[
                "Y-m-d",
                "d/m/Y",
                "m/d/y",
                "d.m.Y",
                "Ymd",
                "Y-m-d H:M:S",
                "d-b-Y",
                "H:M",
                "b d, Y",
                "Y-m-dTH:M:S.f",
            ]),
            null: dice.one(&["", "NA", "-", "?", "\"\""]),
        }
    }

    fn cell(&self, dice: &mut Dice) -> String {
        match dice.below(16) {
            0 => self.null.into(),
            1 => dice
                .one(&["0", "-0", "0.0", "-0.0", "1", "true", "false", "5\"", "\"a;b\"", " ", "x", "00", ".5"])
                .into(),
            _ if self.times => self.time(dice),
            _ => self.number(dice),
        }
    }

    fn number(&self, dice: &mut Dice) -> String {
        let fixed = dice.below(2) == 0;
        let some = |dice: &mut Dice, count: u64| if fixed || count == 0 { count } else { 1 + dice.below(count) };
        let count = some(dice, self.whole);
        let mut whole = dice.digits(count);
        if dice.below(8) > 0 && whole.len() > 1 {
            whole = whole.trim_start_matches('0').to_string();
        }
        let mut grouped = String::new();
        for (index, digit) in whole.chars().enumerate() {
            if index > 0 && (whole.len() - index).is_multiple_of(3) {
                grouped.push_str(self.mark);
            }
            grouped.push(digit);
        }
        let count = if dice.below(8) == 0 { 0 } else { some(dice, self.places) };
        let fraction = if count == 0 { String::new() } else { format!("{}{}", self.point, dice.digits(count)) };
        let sign = if dice.below(2) == 0 { self.sign } else { "" };
        format!("{sign}{}{grouped}{fraction}{}", self.prefix, self.suffix)
    }

    fn time(&self, dice: &mut Dice) -> String {
        let padded = dice.below(8) > 0;
        let two = |value: u64| if padded { format!("{value:02}") } else { value.to_string() };
        let part = |letter: char, dice: &mut Dice| match letter {
            'Y' => (1890 + dice.below(220)).to_string(),
            'y' => format!("{:02}", dice.below(100)),
            'm' => two(1 + dice.below(12)),
            'd' => two(1 + dice.below(31)),
            'H' => two(dice.below(25)),
            'M' | 'S' => format!("{:02}", dice.below(60)),
            'b' => dice.one(&["Jan", "Feb", "May", "June", "MAY", "Dec"]).into(),
            'f' => dice.digits(3),
            other => other.to_string(),
        };
        self.parts.chars().map(|letter| part(letter, dice)).collect()
    }
}

#[test]
fn columns_of_any_cells_are_written_back() {
    const COLUMNS: u64 = 20_000;
    let all = ReadOptions { rows_max: usize::MAX, bytes_max: usize::MAX, seed: 1 };
    let mut file: File = tempfile::tempfile().expect("a temporary file");
    let mut others = 0;
    for seed in 0..COLUMNS {
        let mut dice = Dice(seed);
        let style = Style::new(&mut dice);
        let rows = 1 + dice.below(6);
        let mut input = String::from("x;y\n");
        for _ in 0..rows {
            input.push_str(&style.cell(&mut dice));
            input.push_str(";a\n");
        }
        file.set_len(0).expect("a temporary file can be emptied");
        std::io::Seek::rewind(&mut file).expect("and rewound");
        file.write_all(input.as_bytes()).expect("room for it");
        let reading = read("some.csv", &file, &all).unwrap_or_else(|error| panic!("seed {seed}: {error}\n{input}"));
        assert_eq!(reading.set_aside.rows, 0, "seed {seed}: {input}");
        let mut writer = reading.layout.writer(Vec::new()).expect("memory takes the header");
        writer.write(&reading.table).expect("memory takes the rows");
        let written = String::from_utf8(writer.finish().expect("memory takes the end")).expect("text");
        let (kind, spelling) = (reading.table.kind(0), reading.table.spelling(0));
        let (ours, theirs): (Vec<_>, Vec<_>) =
            (written.lines().map(number).collect(), input.lines().map(number).collect());
        let kept = written == input || kind == Kind::Real && ours == theirs;
        assert!(kept, "seed {seed}: {kind:?} {spelling:?}: {written} for {input}");
        others += u64::from(written != input);
    }
    assert!((1..COLUMNS / 8).contains(&others), "{others} of {COLUMNS} columns came back by their numbers alone");
}

/// The number of a line's first cell without what is written beside it; the line where there is none.
fn number(line: &str) -> Result<f64, &str> {
    let cell = line.trim_end_matches(";a").trim_matches('"').replace(',', ".");
    let plain = |letter: &char| letter.is_ascii_digit() || matches!(letter, '.' | '-' | '+' | 'e');
    cell.chars().filter(plain).collect::<String>().parse().map_err(|_| line)
}

#[test]
fn files_of_any_letters_are_read_back_as_they_were_or_refused() {
    const FILES: u64 = 15_000;
    const LETTERS: [&str; 16] =
        [",", ",", ";", "\"", "\"", "'", "\n", "\n", "\n", "\r\n", " ", "1", "a", "\\", "é", "\t"];
    let all = ReadOptions { rows_max: usize::MAX, bytes_max: usize::MAX, seed: 1 };
    let mut file: File = tempfile::tempfile().expect("a temporary file");
    let mut fill = |bytes: &[u8]| {
        file.set_len(0).expect("a temporary file can be emptied");
        std::io::Seek::rewind(&mut file).expect("and rewound");
        file.write_all(bytes).expect("room for it");
        file.try_clone().expect("a second name for it")
    };
    let mut whole = 0;
    for seed in 0..FILES {
        let mut dice = Dice(seed);
        let mut input = String::from(dice.one(&["a,b\n", "a,b\r\n", "a\n", "'a',b\n", ""]));
        for _ in 0..dice.below(30) {
            input.push_str(dice.one(&LETTERS));
        }
        let Ok(reading) = read("some.csv", &fill(input.as_bytes()), &all) else { continue };
        let mut writer = reading.layout.writer(Vec::new()).expect("memory takes the header");
        writer.write(&reading.table).expect("memory takes the rows");
        let written = writer.finish().expect("memory takes the end");
        let shown = String::from_utf8_lossy(&written);
        let back = match reading.layout.read_back(&fill(&written), &all) {
            Ok(back) => back,
            Err(error) => panic!("seed {seed}: {error}: {input:?} written as {shown:?}"),
        };
        for column in 0..back.columns() {
            let (ours, theirs) = (back.column(column), reading.table.column(column));
            assert_eq!(&ours.values, &theirs.values, "seed {seed}: {input:?} written as {shown:?}");
        }
        whole += u64::from(written == input.as_bytes());
    }
    // Others mix their habits or have malformed rows.
    assert!(whole > FILES / 12, "only {whole} files came back byte for byte");
}

/// A made-up JSON value of at most so many levels.
fn json(dice: &mut Dice, levels: u64, space: &str) -> String {
    let many = if levels == 0 { 12 } else { 16 };
    match dice.below(many) {
        0 => "null".into(),
        1 => dice.one(&["true", "false"]).into(),
        2..5 => dice.one(&["0", "-0", "1", "12", "1.50", "-3.0", "1e5", "0.1", "20240131", "NaN"]).into(),
        5..12 => dice
            .one(&[
                "\"\"",
                "\"x\"",
                "\" y\"",
                "\"12\"",
                "\"2024-01-31\"",
                "\"NA\"",
                "\"\\u00e9\"",
                "\"é\\n\"",
                "\"{\\\"\"",
            ])
            .into(),
        12 | 13 => {
            let values: Vec<String> = (0..dice.below(3)).map(|_| json(dice, levels - 1, space)).collect();
            format!("[{}]", values.join(&format!(",{space}")))
        }
        _ => object(dice, levels - 1, space),
    }
}

fn object(dice: &mut Dice, levels: u64, space: &str) -> String {
    let mut members = Vec::new();
    for key in ["a", "b.c", "d"] {
        if dice.below(4) > 0 {
            members.push(format!("\"{key}\":{space}{}", json(dice, levels, space)));
        }
    }
    format!("{{{}}}", members.join(&format!(",{space}")))
}

#[test]
fn json_of_any_values_is_read_back_as_it_was_or_refused() {
    const FILES: u64 = 15_000;
    let all = ReadOptions { rows_max: usize::MAX, bytes_max: usize::MAX, seed: 1 };
    let mut file: File = tempfile::tempfile().expect("a temporary file");
    let mut fill = |bytes: &[u8]| {
        file.set_len(0).expect("a temporary file can be emptied");
        std::io::Seek::rewind(&mut file).expect("and rewound");
        file.write_all(bytes).expect("room for it");
        file.try_clone().expect("a second name for it")
    };
    let (mut read_files, mut whole) = (0, 0);
    for seed in 0..FILES {
        let mut dice = Dice(seed);
        let space = dice.one(&["", " "]);
        let records: Vec<String> = (0..1 + dice.below(5)).map(|_| object(&mut dice, 2, space)).collect();
        let array = dice.below(3) == 0;
        let mut input = if array { format!("[{}]\n", records.join(&format!(",{space}"))) } else { records.join("\n") };
        if dice.below(3) == 0 {
            // A letter that does not belong there.
            let letters: Vec<usize> = input.char_indices().map(|(at, _)| at).collect();
            let at = letters[dice.below(letters.len() as u64) as usize];
            input.insert_str(at, dice.one(&["{", "}", "[", "]", "\"", ",", ":", "\\", "\n", "1", " "]));
        }
        let name = dice.one(&["some.jsonl", "some.json", "some"]);
        let Ok(reading) = read(name, &fill(input.as_bytes()), &all) else { continue };
        let mut writer = reading.layout.writer(Vec::new()).expect("memory takes the beginning");
        writer.write(&reading.table).expect("memory takes the rows");
        let written = writer.finish().expect("memory takes the end");
        let shown = String::from_utf8_lossy(&written);
        let back = match reading.layout.read_back(&fill(&written), &all) {
            Ok(back) => back,
            Err(error) => panic!("seed {seed}: {error}: {input:?} written as {shown:?}"),
        };
        for column in 0..back.columns() {
            let (ours, theirs) = (back.column(column), reading.table.column(column));
            assert_eq!(&ours.values, &theirs.values, "seed {seed}: {input:?} written as {shown:?}");
        }
        read_files += 1;
        whole += u64::from(written == input.as_bytes());
    }
    // Others mix missing keys with nulls, escapes with letters, or have malformed records.
    assert!(read_files > FILES / 2 && whole > read_files / 3, "{whole} of {read_files} files came back byte for byte");
}
