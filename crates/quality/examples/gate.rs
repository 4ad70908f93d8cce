//! Tries the gate. In: a list of cases, one a line: label, real table, file of held-out row numbers, synthetic table,
//! seed. Out: one line a case, with what refused it.

use std::fs::File;
use std::path::Path;

use quality::{Evidence, Thresholds, gate, judge};
use table::{ReadOptions, Table, alike, read};

fn open(path: &str) -> Table {
    let file = File::open(path).expect("the file opens");
    let options = ReadOptions { rows_max: 300_000, bytes_max: 192 << 20, seed: 0 };
    read(&Path::new(path).to_string_lossy(), &file, &options).expect("it is a table").table
}

fn main() {
    let list = std::env::args().nth(1).expect("a list of cases");
    for line in std::fs::read_to_string(list).expect("the list opens").lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [label, real, held, synthetic, seed] = fields[..] else { continue };
        let (real, synthetic) = (open(real), open(synthetic));
        let both = alike(&[&real, &synthetic]).expect("the same columns");
        let text = std::fs::read_to_string(held).expect("held-out rows");
        let held: Vec<u32> = text.lines().filter_map(|line| line.parse().ok()).collect();
        let kept: Vec<u32> = (0..real.rows() as u32).filter(|row| held.binary_search(row).is_err()).collect();
        let (training, holdout) = (both[0].take(&kept), both[0].take(&held));
        let synthetic = &both[1];
        let evidence = Evidence {
            training: &training,
            synthetic,
            holdout: (!held.is_empty()).then_some(&holdout),
            target: None,
            constraints: &[],
            made: &[],
            seed: seed.parse().expect("a seed"),
        };
        let report = judge(&evidence);
        let verdict = gate(&report, &Thresholds::default());
        let figures: Vec<String> = verdict
            .checks
            .iter()
            .map(|check| {
                let of = |value: Option<f64>| value.map_or("-".into(), |value| format!("{value:.4}"));
                format!("{}={}[{}]", check.name, of(check.figure), of(check.lower))
            })
            .collect();
        let overall =
            format!("fidelity={:.4} privacy={:.4}", report.fidelity.unwrap_or(-1.0), report.privacy.unwrap_or(-1.0));
        say(&format!(
            "{label} {} {overall} {} | {}",
            if verdict.passed { "PASS" } else { "STOP" },
            figures.join(" "),
            verdict.reason()
        ));
    }
}

#[expect(clippy::print_stdout, reason = "the table of rates is what this is for")]
fn say(line: &str) {
    println!("{line}");
}
