//! Measures how time and memory grow with a table. In: how far to go. Out: `docs/benchmarks.md`, or the same page on stdout
//! for a shorter run. The tables are made here, so that anybody can repeat it.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use table::{ReadOptions, read};

use crate::bench_page::{Line, Machine, Page, Peer};
use crate::bench_table;
use crate::watch::{Cost, processor_s, watch};

/// How it is called.
pub(crate) const USAGE: &str = "usage: cargo xtask bench [--rows-max N] [--columns-max N] [--out FILE]";

const ROWS: [u64; 4] = [10_000, 100_000, 1_000_000, 10_000_000];
const COLUMNS: [usize; 5] = [10, 50, 100, 250, 500];
/// Columns of the tables whose rows grow, and rows of those whose columns grow.
const COLUMNS_FIXED: usize = 20;
const ROWS_FIXED: u64 = 20_000;
/// The largest table that the peer is given.
const PEER_ROWS_MAX: u64 = 100_000;
const SECONDS_MAX: f64 = 7_200.0;
/// Short runs are repeated up to this long in all, and the cheapest counts.
const REPEAT_SECONDS: f64 = 4.0;
const REPEATS_MAX: usize = 5;

/// Runs the benchmarks that the flags ask for; `root` is the repository.
pub(crate) fn bench(flags: &[&str], root: &Path) -> Result<(), String> {
    let asked = Asked::of(flags)?;
    let built = Command::new("cargo").args(["build", "--release", "--package", "hansel"]).current_dir(root).status();
    if !built.is_ok_and(|status| status.success()) {
        return Err("`cargo build --release --package hansel` did not work".into());
    }
    let xtask = std::env::current_exe().map_err(|error| error.to_string())?;
    let hansel = xtask.with_file_name("hansel");
    let folder = tempfile::Builder::new()
        .prefix("bench-")
        .tempdir_in(xtask.parent().unwrap_or(root))
        .map_err(|error| format!("no folder for the tables: {error}"))?;
    let bench = Bench { hansel, folder: folder.path().to_path_buf() };
    let machine = Machine::here(root);
    let mut page = Page { machine, rows: Vec::new(), columns: Vec::new(), peers: Vec::new() };
    for rows in ROWS.into_iter().filter(|&rows| rows <= asked.rows_max) {
        let input = bench.make(rows, COLUMNS_FIXED)?;
        page.rows.push(bench.line(&input, rows, COLUMNS_FIXED)?);
        if rows <= PEER_ROWS_MAX {
            page.peers.push(bench.peer(&input, rows)?);
        }
        drop(std::fs::remove_file(input));
    }
    for columns in COLUMNS.into_iter().filter(|&columns| columns <= asked.columns_max) {
        let input = bench.make(ROWS_FIXED, columns)?;
        page.columns.push(bench.line(&input, ROWS_FIXED, columns)?);
        drop(std::fs::remove_file(input));
    }
    let text = page.text();
    match asked.out.or_else(|| asked.whole.then(|| root.join("docs/benchmarks.md"))) {
        Some(path) => std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display())),
        None => std::io::stdout().write_all(text.as_bytes()).map_err(|error| error.to_string()),
    }
}

/// What the flags ask for.
struct Asked {
    rows_max: u64,
    columns_max: usize,
    out: Option<PathBuf>,
    /// Whether nothing is left out.
    whole: bool,
}

impl Asked {
    fn of(flags: &[&str]) -> Result<Asked, String> {
        let mut asked = Asked { rows_max: u64::MAX, columns_max: usize::MAX, out: None, whole: true };
        for pair in flags.chunks(2) {
            let number = |text: &str| text.parse::<u64>().map_err(|_| format!("`{text}` is no number\n{USAGE}"));
            match pair {
                ["--rows-max", rows] => asked.rows_max = number(rows)?,
                ["--columns-max", columns] => asked.columns_max = number(columns)? as usize,
                ["--out", path] => asked.out = Some(path.into()),
                _ => return Err(USAGE.into()),
            }
            asked.whole &= pair[0] == "--out";
        }
        Ok(asked)
    }
}

/// The program that is measured, and where its files lie.
struct Bench {
    hansel: PathBuf,
    folder: PathBuf,
}

impl Bench {
    /// Makes a table.
    fn make(&self, rows: u64, columns: usize) -> Result<PathBuf, String> {
        note(&format!("{rows} rows x {columns} columns"));
        let path = self.folder.join(format!("{rows}x{columns}.csv"));
        let failed = |error: std::io::Error| format!("{}: {error}", path.display());
        let mut out = BufWriter::with_capacity(1 << 20, File::create(&path).map_err(failed)?);
        bench_table::write(&mut out, rows, columns).and_then(|()| out.flush()).map_err(failed)?;
        Ok(path)
    }

    /// Measures all there is to measure on one table.
    fn line(&self, input: &Path, rows: u64, columns: usize) -> Result<Line, String> {
        let (copy, model) = (self.folder.join("copy.csv"), self.folder.join("model.hansel"));
        let read_s = reading(input)?;
        note(&format!("  read: {read_s:.3} CPU s"));
        let whole = cheapest(|| {
            watch(Command::new(&self.hansel).arg("synthesize").arg(input).arg("-o").arg(&copy), SECONDS_MAX)
        })?;
        note(&format!("  synthesize: {whole:.2?}"));
        let train = cheapest(|| {
            watch(Command::new(&self.hansel).arg("synthesize").arg(input).arg("--save").arg(&model), SECONDS_MAX)
        })?;
        note(&format!("  train: {train:.2?}"));
        let sample =
            cheapest(|| watch(Command::new(&self.hansel).arg("sample").arg(&model).arg("-o").arg(&copy), SECONDS_MAX))?;
        note(&format!("  sample: {sample:.2?}"));
        let size = |path: &Path| std::fs::metadata(path).map(|file| file.len()).unwrap_or_default();
        let line = Line { rows, columns, bytes: size(input), model_bytes: size(&model), read_s, whole, train, sample };
        for path in [copy, model] {
            drop(std::fs::remove_file(path));
        }
        Ok(line)
    }

    /// The same table through synthpop, where that is installed.
    fn peer(&self, input: &Path, rows: u64) -> Result<Peer, String> {
        let there = Command::new("Rscript").args(["-e", "suppressMessages(library(synthpop))"]).output();
        if !there.is_ok_and(|there| there.status.success()) {
            return Ok(Peer::Absent);
        }
        const PEER_SECONDS_MAX: f64 = 1_800.0;
        let copy = self.folder.join("peer.csv");
        let script = "files <- commandArgs(TRUE); suppressMessages(library(synthpop)); \
                      real <- read.csv(files[1], stringsAsFactors = TRUE); \
                      made <- syn(real, seed = 1, print.flag = FALSE, maxfaclevels = 100000); \
                      write.csv(made$syn, files[2], row.names = FALSE)";
        let cost = watch(Command::new("Rscript").args(["-e", script]).arg(input).arg(&copy), PEER_SECONDS_MAX);
        drop(std::fs::remove_file(copy));
        Ok(match cost {
            Ok(cost) => Peer::Measured { rows, cost },
            Err(why) => Peer::Stopped { rows, why: why.lines().next().unwrap_or_default().to_string() },
        })
    }
}

/// Processor seconds that reading the file takes, as `synthesize` reads it.
fn reading(input: &Path) -> Result<f64, String> {
    let options = ReadOptions {
        rows_max: actions::synthesis::Options::SAMPLE_ROWS_MAX,
        bytes_max: actions::synthesis::Options::SAMPLE_BYTES_MAX,
        seed: 0,
    };
    let (began, before) = (Instant::now(), processor_s()?.0);
    let mut times = 0;
    // The clock of processor time is coarse: short readings are repeated.
    while times == 0 || began.elapsed().as_secs_f64() < 1.0 {
        let file = File::open(input).map_err(|error| format!("{}: {error}", input.display()))?;
        read("a.csv", &file, &options).map_err(|error| format!("{}: {error}", input.display()))?;
        times += 1;
    }
    Ok((processor_s()?.0 - before) / f64::from(times))
}

/// The cheapest of some runs: whatever else the machine does only makes them dearer.
fn cheapest(run: impl Fn() -> Result<Cost, String>) -> Result<Cost, String> {
    let began = Instant::now();
    let mut best = run()?;
    for _ in 1..REPEATS_MAX {
        if began.elapsed().as_secs_f64() > REPEAT_SECONDS {
            break;
        }
        let next = run()?;
        best = Cost {
            wall_s: best.wall_s.min(next.wall_s),
            cpu_s: best.cpu_s.min(next.cpu_s),
            peak_mb: best.peak_mb.max(next.peak_mb),
        };
    }
    Ok(best)
}

fn note(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
