//! The table of ranks in the guide. In: nothing; all tables are drawn by seed. Out: one line a metric, with what fresh real
//! rows and each impostor score.

#[path = "../tests/tables/mod.rs"]
mod tables;

use quality::{Declared, Evidence, METRICS, Report, judge};
use table::Table;
use tables::{bank, below, independent, left_too_early, noise, people, shaken, shuffled_columns};

const NAMES: [&str; 7] = ["fresh rows", "copy", "half copy", "shaken copy", "shuffled", "independent", "noise"];

fn main() {
    let (training, holdout, fresh) = (bank(2_000, 1), bank(1_000, 2), bank(2_000, 3));
    let others = [
        training.clone(),
        half(&training, &fresh),
        shaken(&training, 4),
        shuffled_columns(&fresh),
        independent(2_000, 50),
        noise(2_000, 6),
    ];
    let reports: Vec<Report> = std::iter::once(&fresh)
        .chain(&others)
        .map(|synthetic| {
            let violations = left_too_early(synthetic);
            let rule = Declared { text: "since <= left".into(), violations, rows: synthetic.rows() };
            judged(&training, synthetic, &holdout, Some("churn"), &[rule])
        })
        .collect();
    // Values that point to somebody are only in the table of people.
    let (towns, unseen, strangers) = (people(800, 1), people(300, 2), people(800, 3));
    let of_towns = |synthetic: &Table| judged(&towns, synthetic, &unseen, None, &[]);
    let people = [of_towns(&strangers), of_towns(&towns), of_towns(&half(&towns, &strangers))];
    say(&format!("| metric | {} |", NAMES.join(" | ")));
    say(&format!("|---|{}", "--:|".repeat(NAMES.len())));
    for metric in METRICS {
        let scores = (0..NAMES.len()).map(|at| match metric.name {
            "rare_values" => people.get(at).map_or_else(|| "\u{2013}".into(), |report| score(report, metric.name)),
            name => score(&reports[at], name),
        });
        say(&format!("| {} | {} |", metric.title, scores.collect::<Vec<_>>().join(" | ")));
    }
}

fn judged(
    training: &Table,
    synthetic: &Table,
    holdout: &Table,
    target: Option<&str>,
    constraints: &[Declared],
) -> Report {
    judge(&Evidence { training, synthetic, holdout: Some(holdout), target, constraints, made: &[], seed: 5 })
}

fn half(training: &Table, fresh: &Table) -> Table {
    let rows: Vec<u32> = (0..training.rows() as u32 / 2).collect();
    below(&training.take(&rows), &fresh.take(&rows))
}

fn score(report: &Report, metric: &str) -> String {
    let found = report.outcomes.iter().find(|(of, _)| of.name == metric);
    found.and_then(|(_, outcome)| outcome.score.value()).map_or("\u{2013}".into(), |score| format!("{score:.3}"))
}

#[expect(clippy::print_stdout, reason = "the table is what this is for")]
fn say(line: &str) {
    println!("{line}");
}
