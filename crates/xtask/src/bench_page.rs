//! The page of benchmarks. In: what was measured, and on what machine. Out: Markdown. Measures nothing itself.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use crate::watch::Cost;

/// What was measured on one table.
pub(crate) struct Line {
    /// Rows of the table.
    pub(crate) rows: u64,
    /// Its columns.
    pub(crate) columns: usize,
    /// Bytes of its file, and of the model.
    pub(crate) bytes: u64,
    pub(crate) model_bytes: u64,
    /// Processor seconds of only reading the file.
    pub(crate) read_s: f64,
    /// `hansel synthesize -o`, `hansel synthesize --save`, and `hansel sample` from that.
    pub(crate) whole: Cost,
    pub(crate) train: Cost,
    pub(crate) sample: Cost,
}

/// What came of measuring the peer.
pub(crate) enum Peer {
    /// It is not installed.
    Absent,
    /// It was measured.
    Measured {
        /// Rows of the table.
        rows: u64,
        /// What it cost.
        cost: Cost,
    },
    /// It did not come to an end.
    Stopped {
        /// Rows of the table.
        rows: u64,
        /// What it said.
        why: String,
    },
}

/// Where it was measured.
pub(crate) struct Machine {
    cpu: String,
    cores: usize,
    memory_gb: f64,
    load: String,
    date: String,
    commit: String,
}

impl Machine {
    /// This machine, now, with the repository as it stands.
    pub(crate) fn here(root: &Path) -> Machine {
        let file = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let field = |text: &str, key: &str| {
            let line = text.lines().find(|line| line.starts_with(key)).and_then(|line| line.split_once(':'));
            line.map_or(String::new(), |(_, value)| value.trim().to_string())
        };
        let git = |arguments: &[&str]| {
            let output = Command::new("git").args(arguments).current_dir(root).output();
            output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_string()).unwrap_or_default()
        };
        let changed = if git(&["status", "--porcelain", "--", "crates"]).is_empty() { "" } else { ", with changes" };
        let kib: f64 = field(&file("/proc/meminfo"), "MemTotal").trim_end_matches(" kB").parse().unwrap_or_default();
        Machine {
            cpu: field(&file("/proc/cpuinfo"), "model name"),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            memory_gb: kib * 1024.0 / 1e9,
            load: file("/proc/loadavg").split(' ').next().unwrap_or_default().to_string(),
            date: jiff::Timestamp::now().strftime("%Y-%m-%d").to_string(),
            commit: format!("{}{changed}", git(&["rev-parse", "--short=12", "HEAD"])),
        }
    }
}

/// All that was measured.
pub(crate) struct Page {
    pub(crate) machine: Machine,
    pub(crate) rows: Vec<Line>,
    pub(crate) columns: Vec<Line>,
    pub(crate) peers: Vec<Peer>,
}

const ABOUT: &str = "\
The tables are made by `cargo xtask bench` itself: an identifier, codes, towns, prices, counts, dates, times, truth values, gaps, repeated as often as columns are asked for, with dependencies inside a group and between neighbouring groups. The same size gives the same bytes.

- **whole** is the process `hansel synthesize IN -o OUT`: read, train, generate as many rows, write. **train** is `--save` without `-o`; **sample** is `hansel sample` of as many rows from that model, and **rows/s** what it makes of one second of processor time.
- **CPU s** counts all threads, **s** is the wall clock, **MB** is the most memory that the process held at any time. Where the load average says that other work shared the cores, the wall clock tells more of that work than of Hansel.
- **read** is the bound: the processor time that the library takes for nothing but reading the same file, with every column's spelling found, on one thread in the same run. **whole / read** is the ratio of processor times: how many readings a synthetic copy costs.
- **slope** is the growth of CPU s from the line above, on logarithmic scales: 1 is linear.
- Runs that are short are repeated for some seconds; the least time and the highest memory count.
";

impl Page {
    /// The page as Markdown.
    pub(crate) fn text(&self) -> String {
        let mut page = "# Benchmarks\n\n<!-- Made by `cargo xtask bench`. -->\n\n".to_string();
        let Machine { cpu, cores, memory_gb, load, date, commit } = &self.machine;
        let _ = writeln!(
            page,
            "{date}, commit {commit}; {cpu}, {cores} cores, {memory_gb:.0} GB; load average {load} when it began.\n"
        );
        page.push_str(ABOUT);
        if !self.rows.is_empty() {
            let columns = self.rows[0].columns;
            let _ = writeln!(page, "\n## Rows, at {columns} columns\n");
            lines(&mut page, "rows", &self.rows, |line| line.rows);
            page.push_str("\nA model is fitted on a sample of at most 1,000,000 rows, and the questions of its trees are chosen by 300,000 of them, so beyond that little but reading and writing grows.\n");
        }
        if !self.columns.is_empty() {
            let _ = writeln!(page, "\n## Columns, at {} rows\n", thousands(self.columns[0].rows));
            lines(&mut page, "columns", &self.columns, |line| line.columns as u64);
        }
        self.put_peers(&mut page);
        page
    }

    fn put_peers(&self, page: &mut String) {
        if self.peers.is_empty() {
            return;
        }
        page.push_str("\n## synthpop on the same tables\n\n");
        if self.peers.iter().all(|peer| matches!(peer, Peer::Absent)) {
            page.push_str("Not measured: `Rscript` with the package synthpop was not installed on this machine.\n");
            return;
        }
        page.push_str("| rows | s | CPU s | MB | CPU s over Hansel's |\n|--:|--:|--:|--:|--:|\n");
        for peer in &self.peers {
            match peer {
                Peer::Absent => {}
                Peer::Measured { rows, cost } => {
                    let ours = self.rows.iter().find(|line| line.rows == *rows).map_or(0.0, |line| line.whole.cpu_s);
                    let ratio = cost.cpu_s / ours.max(0.01);
                    let Cost { wall_s, cpu_s, peak_mb } = cost;
                    let rows = thousands(*rows);
                    let _ = writeln!(page, "| {rows} | {wall_s:.1} | {cpu_s:.1} | {peak_mb:.0} | {ratio:.0} |");
                }
                Peer::Stopped { rows, why } => {
                    let _ = writeln!(page, "| {} | {} | | | |", thousands(*rows), why.replace('|', "\\|"));
                }
            }
        }
    }
}

/// The table of one series.
fn lines(page: &mut String, what: &str, lines: &[Line], size: impl Fn(&Line) -> u64) {
    let _ = writeln!(
        page,
        "| {what} | file MB | whole s | CPU s | slope | MB | train CPU s | train MB | sample CPU s | sample MB | rows/s | model KB | read CPU s | whole / read |"
    );
    page.push_str(&format!("|{}\n", "--:|".repeat(14)));
    let mut above: Option<(f64, f64)> = None;
    for line in lines {
        let here = (size(line) as f64, line.whole.cpu_s);
        let slope = above.and_then(|above| slope(&[above, here])).map_or(String::new(), |slope| format!("{slope:.2}"));
        above = Some(here);
        let _ = writeln!(
            page,
            "| {} | {:.1} | {:.2} | {:.2} | {slope} | {:.0} | {:.2} | {:.0} | {:.2} | {:.0} | {} | {:.0} | {:.3} | {:.1} |",
            thousands(size(line)),
            line.bytes as f64 / 1e6,
            line.whole.wall_s,
            line.whole.cpu_s,
            line.whole.peak_mb,
            line.train.cpu_s,
            line.train.peak_mb,
            line.sample.cpu_s,
            line.sample.peak_mb,
            thousands((line.rows as f64 / line.sample.cpu_s.max(0.01)) as u64),
            line.model_bytes as f64 / 1e3,
            line.read_s,
            line.whole.cpu_s / line.read_s.max(1e-3),
        );
    }
    let series = |of: fn(&Line) -> f64| lines.iter().map(|line| (size(line) as f64, of(line))).collect::<Vec<_>>();
    let shown = |slope: Option<f64>| slope.map_or("-".to_string(), |slope| format!("{slope:.2}"));
    let _ = writeln!(
        page,
        "\nSlope over all lines: {} for CPU s, {} for memory, {} for reading alone.",
        shown(slope(&series(|line| line.whole.cpu_s))),
        shown(slope(&series(|line| line.whole.peak_mb))),
        shown(slope(&series(|line| line.read_s)))
    );
}

/// The slope of the line of least squares through the logarithms; `None` for less than two sizes.
fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let logs: Vec<(f64, f64)> = points.iter().map(|&(x, y)| (x.max(1e-9).ln(), y.max(1e-9).ln())).collect();
    let count = logs.len() as f64;
    let (mean_x, mean_y) =
        (logs.iter().map(|p| p.0).sum::<f64>() / count, logs.iter().map(|p| p.1).sum::<f64>() / count);
    let spread: f64 = logs.iter().map(|p| (p.0 - mean_x).powi(2)).sum();
    let together: f64 = logs.iter().map(|p| (p.0 - mean_x) * (p.1 - mean_y)).sum();
    (spread > 0.0).then(|| together / spread)
}

fn thousands(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_power_has_its_exponent_for_a_slope() {
        let points: Vec<(f64, f64)> = [10.0, 50.0, 400.0].map(|x: f64| (x, 3.0 * x.powf(1.5))).to_vec();
        assert!(slope(&points).is_some_and(|slope| (slope - 1.5).abs() < 1e-9));
        assert_eq!(slope(&points[..1]), None);
        assert_eq!((thousands(7), thousands(1_234_567)), ("7".into(), "1,234,567".into()));
    }
}
