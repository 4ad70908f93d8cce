//! Reads tables and writes them back: shows what was found in each, and whether the unpacked bytes are the same.
//!
//! `cargo run --release -p table --example roundtrip -- FILE... [--rows MAX] [--out DIRECTORY]`

use std::fs::File;
use std::io::{Read, Write};
use std::time::Instant;

use table::{ReadOptions, read};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut options = ReadOptions { rows_max: usize::MAX, bytes_max: usize::MAX, seed: 0 };
    let mut names = Vec::new();
    let mut directory = None;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--rows" => options.rows_max = arguments.next().ok_or("--rows takes a number")?.parse()?,
            "--out" => directory = Some(std::path::PathBuf::from(arguments.next().ok_or("--out takes a directory")?)),
            _ => names.push(argument),
        }
    }
    let mut out = std::io::stdout().lock();
    for name in names {
        let file = File::open(&name)?;
        let start = Instant::now();
        let reading = match read(&name, &file, &options) {
            Ok(reading) => reading,
            Err(error) => {
                writeln!(out, "{name}: {error}")?;
                continue;
            }
        };
        let read_seconds = start.elapsed().as_secs_f64();
        let (table, start) = (&reading.table, Instant::now());
        let mut writer = reading.layout.writer(Vec::new())?;
        writer.write(table)?;
        let bytes = writer.finish()?;
        let write_seconds = start.elapsed().as_secs_f64();
        writeln!(
            out,
            "{name}: {} of {} rows x {} columns, {}; read {read_seconds:.3} s, written {write_seconds:.3} s",
            table.rows(),
            reading.rows,
            table.columns(),
            reading.set_aside,
        )?;
        for column in 0..table.columns() {
            let spelling = table.spelling(column);
            let (kind, null) = (table.kind(column), &spelling.null);
            writeln!(out, "  {:?}: {kind:?} {} missing as {null:?}", table.name(column), spelling.form)?;
        }
        if let (Some(directory), Some(name)) = (&directory, std::path::Path::new(&name).file_name()) {
            std::fs::write(directory.join(name), &bytes)?;
        }
        // A Parquet file says the same in many ways.
        if (table.rows() as u64) == reading.rows && !bytes.starts_with(b"PAR1") {
            let same = unpacked(&std::fs::read(&name)?)? == unpacked(&bytes)?;
            writeln!(out, "  {}", if same { "the same bytes" } else { "OTHER BYTES" })?;
        }
    }
    Ok(())
}

fn unpacked(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    match bytes {
        [0x1f, 0x8b, ..] => flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut plain)?,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => zstd::Decoder::new(bytes)?.read_to_end(&mut plain)?,
        _ => (&mut &*bytes).read_to_end(&mut plain)?,
    };
    Ok(plain)
}
