//! Parquet in, the same Parquet out: schema, packing, nulls and values of every type.

use std::fs::File;
use std::io::Write;

use parquet::basic::{BrotliLevel, Compression, GzipLevel, ZstdLevel};
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FixedLenByteArray, FixedLenByteArrayType, FloatType,
    Int32Type, Int64Type, Int96, Int96Type,
};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::parser::parse_message_type;
use table::{Column, Kind, Layout, ReadOptions, Reading, Spelling, Table, Unreadable, Values, read};

const ALL: ReadOptions = ReadOptions { rows_max: usize::MAX, bytes_max: usize::MAX, seed: 1 };

fn file(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(bytes).expect("room for it");
    file
}

type Fill<'a> = Box<dyn Fn(&mut SerializedColumnWriter<'_>) + 'a>;

/// Writes the values of one column, some of which may be missing.
fn fill<T: DataType>(values: &[Option<T::T>]) -> Fill<'static> {
    let values = values.to_vec();
    Box::new(move |writer| {
        let present: Vec<T::T> = values.iter().flatten().cloned().collect();
        let levels: Vec<i16> = values.iter().map(|value| i16::from(value.is_some())).collect();
        writer.typed::<T>().write_batch(&present, Some(&levels), None).expect("memory takes the values");
    })
}

fn properties(compression: Compression) -> WriterProperties {
    let note = KeyValue::new("note".into(), "kept".to_string());
    WriterProperties::builder().set_compression(compression).set_key_value_metadata(Some(vec![note])).build()
}

/// A file of one row group for each time its columns are filled.
fn parquet(fields: &str, properties: WriterProperties, groups: &[Vec<Fill<'_>>]) -> Vec<u8> {
    let schema = parse_message_type(&format!("message m {{ {fields} }}")).expect("a schema");
    let mut file = SerializedFileWriter::new(Vec::new(), schema.into(), properties.into()).expect("a writer");
    for fills in groups {
        let mut group = file.next_row_group().expect("a group");
        for fill in fills {
            let mut column = group.next_column().expect("a column").expect("one for each");
            fill(&mut column);
            column.close().expect("a column's end");
        }
        group.close().expect("a group's end");
    }
    file.into_inner().expect("a file")
}

fn reading(bytes: &[u8], options: &ReadOptions) -> Reading {
    read("a.parquet", &file(bytes), options).unwrap_or_else(|error| panic!("{error}"))
}

fn written(reading: &Reading, tables: &[Table]) -> Vec<u8> {
    assert_eq!(Layout::from_bytes(&reading.layout.to_bytes()).as_ref(), Ok(&reading.layout), "saved and loaded");
    let mut writer = reading.layout.writer(Vec::new()).expect("memory takes the beginning");
    for table in tables {
        writer.write(table).expect("memory takes the rows");
    }
    writer.finish().expect("memory takes the end")
}

/// The values of a column as text, `-` where one is missing.
fn shown(table: &Table, column: usize) -> String {
    let cells: Vec<String> = (0..table.rows())
        .map(|row| match table.values(column) {
            _ if table.missing(column, row) => "-".into(),
            Values::Int(values) => values.value(row).to_string(),
            Values::Real(values) => values.value(row).to_string(),
            Values::Bool(values) => values.value(row).to_string(),
            Values::Time(values) => values.value(row).to_string(),
            Values::Text(values) => {
                let words = arrow_array::cast::AsArray::as_string::<i32>(values.values());
                words.value(values.key(row).expect("present")).to_string()
            }
        })
        .collect();
    cells.join(" ")
}

/// Reads, writes, reads back and reads anew: always the same values, and the same schema.
fn same(bytes: &[u8]) -> Reading {
    let found = reading(bytes, &ALL);
    let again = written(&found, std::slice::from_ref(&found.table));
    assert_eq!(again, written(&found, std::slice::from_ref(&found.table)), "the same bytes each time");
    let back = found.layout.read_back(&file(&again), &ALL).unwrap_or_else(|error| panic!("{error}"));
    let anew = reading(&again, &ALL);
    for column in 0..found.table.columns() {
        assert_eq!(&back.column(column).values, &found.table.column(column).values);
        assert_eq!(&anew.table.column(column).values, &found.table.column(column).values);
        assert_eq!(anew.table.spelling(column), found.table.spelling(column));
    }
    let open = |bytes: &[u8]| SerializedFileReader::new(file(bytes)).expect("a Parquet file");
    let (ours, theirs) = (open(&again), open(bytes));
    let (ours, theirs) = (ours.metadata(), theirs.metadata());
    assert_eq!(ours.file_metadata().schema_descr().root_schema(), theirs.file_metadata().schema_descr().root_schema());
    assert_eq!(ours.file_metadata().key_value_metadata(), theirs.file_metadata().key_value_metadata());
    let compression = |at: usize| [ours, theirs].map(|metadata| metadata.row_group(0).column(at).compression());
    for column in 0..found.table.columns() {
        let [ours, theirs] = compression(column);
        assert_eq!(ours, theirs);
    }
    found
}

type Case<'a> = (&'a str, Fill<'a>, Kind, &'a str);

/// Columns of one type each, which come back with the same values.
fn check(cases: Vec<Case<'_>>) {
    for (field, fill, kind, expected) in cases {
        let bytes = parquet(&format!("optional {field};"), properties(Compression::SNAPPY), &[vec![fill]]);
        let found = same(&bytes);
        assert_eq!((found.table.kind(0), shown(&found.table, 0)), (kind, expected.to_string()), "{field}");
    }
}

#[test]
fn numbers_and_times_of_every_type_are_read_and_written() {
    let mut old = Int96::new();
    // 3 seconds after the midnight of 1970-01-02.
    old.set_data(3_000_000_000u64 as u32, 0, 2_440_589);
    let sum = format!("{} - {}", 0.1f64 + 0.2, 1e300f64);
    check(vec![
        ("boolean x", fill::<BoolType>(&[Some(true), None, Some(true)]), Kind::Bool, "true - true"),
        ("int32 x", fill::<Int32Type>(&[Some(i32::MIN), None, Some(7)]), Kind::Int, "-2147483648 - 7"),
        ("int32 x (INTEGER(32,false))", fill::<Int32Type>(&[Some(-1), None, Some(7)]), Kind::Int, "4294967295 - 7"),
        ("int32 x (INTEGER(8,true))", fill::<Int32Type>(&[Some(-128), None, Some(7)]), Kind::Int, "-128 - 7"),
        ("int64 x", fill::<Int64Type>(&[Some(i64::MAX), None, Some(7)]), Kind::Int, "9223372036854775807 - 7"),
        (
            "int64 x (INTEGER(64,false))",
            fill::<Int64Type>(&[Some(-1), None, Some(7)]),
            Kind::Text,
            "18446744073709551615 - 7",
        ),
        ("int64 x (INTEGER(64,false))", fill::<Int64Type>(&[Some(12), None, Some(7)]), Kind::Int, "12 - 7"),
        ("int32 x (DATE)", fill::<Int32Type>(&[Some(-1), None, Some(1)]), Kind::Time, "-86400000000 - 86400000000"),
        ("int32 x (TIME(MILLIS,true))", fill::<Int32Type>(&[Some(1_500), None, Some(0)]), Kind::Time, "1500000 - 0"),
        ("int64 x (TIME(MICROS,false))", fill::<Int64Type>(&[Some(1_500), None, Some(0)]), Kind::Time, "1500 - 0"),
        ("int64 x (TIME(NANOS,false))", fill::<Int64Type>(&[Some(1_000), None, Some(0)]), Kind::Time, "1 - 0"),
        ("int64 x (TIMESTAMP(MILLIS,true))", fill::<Int64Type>(&[Some(-1), None, Some(2)]), Kind::Time, "-1000 - 2000"),
        ("int64 x (TIMESTAMP(MICROS,true))", fill::<Int64Type>(&[Some(-1), None, Some(2)]), Kind::Time, "-1 - 2"),
        ("int64 x (TIMESTAMP(NANOS,false))", fill::<Int64Type>(&[Some(-5000), None, Some(0)]), Kind::Time, "-5 - 0"),
        ("int64 x (TIMESTAMP_MILLIS)", fill::<Int64Type>(&[Some(-1), None, Some(2)]), Kind::Time, "-1000 - 2000"),
        (
            "int96 x",
            Box::new(|writer| {
                writer.typed::<Int96Type>().write_batch(&[old, old], Some(&[1, 0, 1]), None).expect("memory");
            }),
            Kind::Time,
            "86403000000 - 86403000000",
        ),
        ("float x", fill::<FloatType>(&[Some(0.1), None, Some(2.5)]), Kind::Real, "0.1 - 2.5"),
        ("double x", fill::<DoubleType>(&[Some(0.1 + 0.2), None, Some(1e300)]), Kind::Real, &sum),
        ("double x", fill::<DoubleType>(&[Some(3.0), None, Some(-4.0)]), Kind::Int, "3 - -4"),
    ]);
}

#[test]
fn decimals_and_texts_of_every_type_are_read_and_written() {
    let text = |text: &str| Some(ByteArray::from(text.as_bytes().to_vec()));
    let fixed = |bytes: &[u8]| Some(FixedLenByteArray::from(ByteArray::from(bytes.to_vec())));
    let uuid: Vec<u8> = (0..16).collect();
    check(vec![
        ("int32 x (DECIMAL(7,2))", fill::<Int32Type>(&[Some(-12345), None, Some(5)]), Kind::Real, "-123.45 - 0.05"),
        ("int64 x (DECIMAL(15,0))", fill::<Int64Type>(&[Some(-12345), None, Some(5)]), Kind::Int, "-12345 - 5"),
        (
            "binary x (DECIMAL(9,1))",
            fill::<ByteArrayType>(&[Some(vec![0xff, 0x7f].into()), None, Some(vec![1].into())]),
            Kind::Real,
            "-12.9 - 0.1",
        ),
        (
            "fixed_len_byte_array(16) x (DECIMAL(38,3))",
            fill::<FixedLenByteArrayType>(&[fixed(&[0xff; 16]), None, fixed(&uuid)]),
            Kind::Text,
            "-0.001 - 5233100606242806050955395731361.295",
        ),
        (
            "fixed_len_byte_array(9) x (DECIMAL(20,1))",
            fill::<FixedLenByteArrayType>(&[fixed(&[0xff; 9]), None, fixed(&[0, 0, 0, 0, 0, 0, 0, 0, 25])]),
            Kind::Real,
            "-0.1 - 2.5",
        ),
        ("binary x (UTF8)", fill::<ByteArrayType>(&[text("é"), None, text("")]), Kind::Text, "é - "),
        (
            "binary x (UTF8)",
            fill::<ByteArrayType>(&[text("2024-01-31"), None, text("1970-01-02")]),
            Kind::Time,
            "1706659200000000 - 86400000000",
        ),
        ("binary x (ENUM)", fill::<ByteArrayType>(&[text("a"), None, text("b")]), Kind::Text, "a - b"),
        ("binary x", fill::<ByteArrayType>(&[text("a"), None, text(" b")]), Kind::Text, "a -  b"),
        (
            "fixed_len_byte_array(16) x (UUID)",
            fill::<FixedLenByteArrayType>(&[fixed(&uuid), None, fixed(&[0xff; 16])]),
            Kind::Text,
            "00010203-0405-0607-0809-0a0b0c0d0e0f - ffffffff-ffff-ffff-ffff-ffffffffffff",
        ),
    ]);
}

/// Written by pyarrow 26 with `compression="zstd", data_page_version="2.0"`: a table of an int32, a timestamp in
/// microseconds of Europe/Berlin, a decimal128(9, 2), a struct and a dictionary of strings.
const FOREIGN: &[u8] = include_bytes!("data/pyarrow.parquet");

#[test]
fn files_of_other_writers_are_read_and_written() {
    let found = same(FOREIGN);
    let columns: Vec<(&str, Kind, String)> = (0..found.table.columns())
        .map(|column| (found.table.name(column), found.table.kind(column), shown(&found.table, column)))
        .collect();
    let second = |second: i64| 1_706_695_200_000_000 + second * 1_000_000;
    let expected = [
        ("id", Kind::Int, "1 2 3 4".to_string()),
        // The wall clock of UTC; the zone is in the schema's metadata, which is kept.
        ("at", Kind::Time, format!("{} {} {} -", second(0), second(1), second(2))),
        ("cost", Kind::Real, "1.5 -20.25 - 0".to_string()),
        ("who.name", Kind::Text, "ann - - bob".to_string()),
        ("who.age", Kind::Int, "30 31 - -".to_string()),
        ("color", Kind::Text, "red blue - red".to_string()),
    ];
    assert_eq!(columns, expected);
}

#[test]
fn packings_pages_and_row_groups_are_kept() {
    let level = "every level is one";
    for compression in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::try_new(6).expect(level)),
        Compression::BROTLI(BrotliLevel::try_new(1).expect(level)),
        Compression::ZSTD(ZstdLevel::try_new(1).expect(level)),
    ] {
        let numbers: Vec<Option<i64>> = (0..3_000).map(|row| (row % 5 > 0).then_some(row)).collect();
        let words: Vec<Option<ByteArray>> =
            (0..3_000).map(|row| Some(format!("word {}", row % 7).as_str().into())).collect();
        let group = || vec![fill::<Int64Type>(&numbers), fill::<ByteArrayType>(&words)];
        let fields = "optional int64 n; optional binary w (UTF8);";
        let found = same(&parquet(fields, properties(compression), &[group(), group()]));
        assert_eq!((found.rows, found.table.rows()), (6_000, 6_000));
        let written = written(&found, &[found.table.head(1_000), found.table.clone(), found.table.clone()]);
        let groups = SerializedFileReader::new(file(&written)).map(|file| file.num_row_groups()).ok();
        assert_eq!(groups, Some(5), "13,000 rows in groups of 3,000");
        // Pages of the second version have levels that are not packed.
        let second =
            WriterProperties::builder().set_writer_version(WriterVersion::PARQUET_2_0).set_compression(compression);
        same(&parquet(fields, second.build(), &[group()]));
    }
}

#[test]
fn samples_are_uniform_and_bounded() {
    const ROWS: i64 = 20_000;
    let numbers: Vec<Option<i64>> = (0..ROWS / 2).map(Some).collect();
    let more: Vec<Option<i64>> = (ROWS / 2..ROWS).map(Some).collect();
    let plain = properties(Compression::UNCOMPRESSED);
    let groups = [vec![fill::<Int64Type>(&numbers)], vec![fill::<Int64Type>(&more)]];
    let bytes = parquet("optional int64 n;", plain, &groups);
    let options = ReadOptions { rows_max: 2_000, ..ALL };
    let found = reading(&bytes, &options);
    assert_eq!((found.rows, found.table.rows()), (20_000, 2_000));
    let Values::Int(values) = found.table.values(0) else { panic!("whole numbers") };
    assert!(values.values().is_sorted(), "source order");
    // The mean of 2,000 of 20,000 rows has a standard deviation of 20000 / sqrt(12 * 2000) = 129; four of them.
    let mean = values.values().iter().sum::<i64>() as f64 / 2_000.0;
    assert!((mean - 10_000.0).abs() < 516.0, "mean {mean}");
    let back = found.layout.read_back(&file(&bytes), &options).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(&back.column(0).values, &found.table.column(0).values);
    let small = reading(&bytes, &ReadOptions { bytes_max: 16_000, ..ALL });
    assert!((500..2_000).contains(&small.table.rows()), "{} rows", small.table.rows());
}

#[test]
fn structs_are_columns_by_their_paths() {
    let fields =
        "optional group who { optional int32 age; required group at { required int32 x; } } required int32 id;";
    let column = |values: &'static [i32], levels: &'static [i16]| -> Fill<'static> {
        Box::new(move |writer| {
            let levels = (!levels.is_empty()).then_some(levels);
            writer.typed::<Int32Type>().write_batch(values, levels, None).expect("memory takes the values");
        })
    };
    let group = vec![column(&[30], &[2, 1, 0]), column(&[5, 6], &[1, 1, 0]), column(&[1, 2, 3], &[])];
    let bytes = parquet(fields, properties(Compression::SNAPPY), &[group]);
    let found = same(&bytes);
    let names: Vec<&str> = (0..3).map(|column| found.table.name(column)).collect();
    assert_eq!(names, ["who.age", "who.at.x", "id"]);
    assert_eq!((shown(&found.table, 0), shown(&found.table, 1)), ("30 - -".into(), "5 6 -".into()));
}

#[test]
fn values_that_a_type_cannot_hold_become_the_nearest() {
    let group =
        vec![fill::<Int32Type>(&[Some(1)]), fill::<Int32Type>(&[Some(1)]), fill::<DoubleType>(&[Some(f64::NAN)])];
    let fields = "optional int32 n (INTEGER(16,true)); optional int32 d (DECIMAL(4,2)); optional double x;";
    let found = same(&parquet(fields, properties(Compression::SNAPPY), &[group]));
    assert!(found.table.missing(2, 0), "not a number is a missing one");
    let columns = vec![
        Column::ints("n", vec![Some(1 << 40), None], Spelling::plain()),
        Column::reals("d", vec![Some(-1e6), Some(0.129)], Spelling::plain()),
        found.table.take(&[0, 0]).column(2),
    ];
    let bytes = written(&found, &[Table::new(columns).expect("two rows each")]);
    let back = found.layout.read_back(&file(&bytes), &ALL).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((shown(&back, 0), shown(&back, 1)), ("32767 -".into(), "-99.99 0.13".into()));
}

#[test]
fn what_is_not_read_says_why() {
    let bytes: &[Option<ByteArray>] = &[Some(vec![0xff, 0].into())];
    let one = || fill::<Int32Type>(&[Some(1)]);
    let plain = || properties(Compression::SNAPPY);
    let list: Fill<'_> = Box::new(|writer| {
        writer.typed::<Int32Type>().write_batch(&[1], Some(&[1]), Some(&[0])).expect("memory takes the values");
    });
    let sound = parquet("optional int32 a;", plain(), &[vec![one()]]);
    let mut broken = sound.clone();
    let length = broken.len();
    broken[length - 12..length - 8].fill(0xff);
    for (bytes, expected) in [
        (
            parquet("optional int32 a; optional binary blob;", plain(), &[vec![one(), fill::<ByteArrayType>(bytes)]]),
            "the file is a Parquet file whose column `blob` holds bytes that are no text, which is not read; these are: csv",
        ),
        (
            parquet("repeated int32 tags;", plain(), &[vec![list]]),
            "the file is a Parquet file whose column `tags` is a list or map",
        ),
        (parquet("optional int32 a;", plain(), &[]), "the file has no data rows"),
        (sound[..sound.len() - 3].to_vec(), "the Parquet file is damaged: "),
        (broken, "the Parquet file is damaged: "),
        (b"a,b\n1,2\n".to_vec(), "the file is no Parquet file, in spite of its name"),
    ] {
        let error = match read("a.parquet", &file(&bytes), &ALL) {
            Ok(reading) => panic!("{} rows were read: {expected}", reading.rows),
            Err(error) => error.to_string(),
        };
        assert!(error.starts_with(expected), "{error}");
    }
    let other = parquet("optional int32 b;", plain(), &[vec![one()]]);
    let back = reading(&sound, &ALL).layout.read_back(&file(&other), &ALL);
    assert!(matches!(back, Err(Unreadable::OtherHeader)));
}

#[test]
fn damaged_files_are_refused_or_read_and_never_end_the_program() {
    const FILES: u64 = 3_000;
    let numbers: Vec<Option<i64>> = (0..50).map(|row| (row % 5 > 0).then_some(row)).collect();
    let words: Vec<Option<ByteArray>> = (0..50).map(|row| Some(format!("word {}", row % 7).as_str().into())).collect();
    let group = vec![fill::<Int64Type>(&numbers), fill::<ByteArrayType>(&words)];
    let fields = "optional int64 n; optional binary w (UTF8);";
    let sound = parquet(fields, properties(Compression::SNAPPY), &[group]);
    let mut refused = 0;
    let mut state = 1u64;
    let mut dice = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for _ in 0..FILES {
        let mut bytes = sound.clone();
        for _ in 0..1 + dice(3) {
            bytes[4 + dice(sound.len() - 12)] = dice(256) as u8;
        }
        refused += u64::from(read("a.parquet", &file(&bytes), &ALL).is_err());
    }
    assert!(refused > FILES / 4, "only {refused} were refused");
}

/// Cells as their file has them, missing ones as `None`.
fn texts(table: &Table, column: usize) -> Vec<Option<String>> {
    let (values, spelling) = (table.values(column), table.spelling(column));
    let text = |row: usize| {
        let cell = match values {
            Values::Int(values) => table::Cell::Int(values.value(row)),
            Values::Real(values) => table::Cell::Real(values.value(row)),
            Values::Bool(values) => table::Cell::Bool(values.value(row)),
            Values::Time(values) => table::Cell::Time(values.value(row)),
            Values::Text(values) => {
                let words = values.values().as_any().downcast_ref::<arrow_array::StringArray>().expect("strings");
                table::Cell::Text(words.value(values.key(row).expect("it is there")))
            }
        };
        let mut out = Vec::new();
        spelling.write(cell, &mut out);
        String::from_utf8(out).expect("text")
    };
    (0..table.rows()).map(|row| (!table.missing(column, row)).then(|| text(row))).collect()
}

/// Any table becomes Parquet: numbers that are written plainly stay numbers, everything else keeps its letters.
#[test]
fn any_table_as_parquet_keeps_its_cells() {
    let csv = "id,code,price,paid,on,share,note,flag\n\
               1,007,\"$1,200.50\",True,2024-01-31,0.25,a,yes\n\
               -2,010,$3.00,False,2024-02-01,0.5,NA,no\n\
               ,999,$17.25,True,2024-12-31,,b,yes\n\
               40,001,$0.99,False,2023-05-05,-1.75,\"c, d\",no\n";
    let source = read("a.csv", &file(csv.as_bytes()), &ALL).expect("a table").table;
    let (table, layout) = table::to_parquet(&source);
    assert!(layout.is_parquet());
    let mut writer = layout.writer(Vec::new()).expect("a writer");
    writer.write(&table).expect("memory takes it");
    let back = reading(&writer.finish().expect("a file"), &ALL).table;
    for column in 0..source.columns() {
        let name = source.name(column);
        assert_eq!(back.name(column), name);
        match (source.values(column), back.values(column)) {
            (Values::Real(ours), Values::Real(theirs)) => assert_eq!(ours, theirs, "{name}"),
            (Values::Bool(ours), Values::Bool(theirs)) => assert_eq!(ours, theirs, "{name}"),
            _ => assert_eq!(texts(&source, column), texts(&back, column), "{name}"),
        }
    }
    let kinds: Vec<Kind> = (0..table.columns()).map(|column| table.kind(column)).collect();
    let [int, real, truth, text] = [Kind::Int, Kind::Real, Kind::Bool, Kind::Text];
    assert_eq!(kinds, [int, text, text, truth, text, real, text, text]);
}
