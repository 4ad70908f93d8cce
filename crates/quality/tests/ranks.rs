//! Laws of ranks: what each metric speaks of, a fresh real sample has to do better than every impostor; and the gate stops
//! impostors and nobody else.

mod tables;

use quality::{CheckState, Declared, Evidence, METRICS, Report, Thresholds, gate, judge};
use table::Table;
use tables::{bank, below, independent, left_too_early, noise, people, shaken, shuffled_columns};

/// Which impostors a metric has to rank below a fresh sample, and by how much at least.
const RANKS: &[(&str, &[&str], f64)] = &[
    ("column_shapes", &["noise"], 0.2),
    ("pair_trends", &["shuffled", "independent", "noise"], 0.1),
    ("three_way_trends", &["shuffled", "independent", "noise"], 0.1),
    ("discriminator", &["shuffled", "independent", "noise"], 0.3),
    ("missing_values", &["noise"], 0.005),
    ("missing_patterns", &["shuffled", "independent", "noise"], 0.005),
    ("dependencies", &["jitter", "shuffled", "independent", "noise"], 0.01),
    ("constraints", &["shuffled", "independent", "noise"], 0.1),
    ("utility", &["shuffled", "independent", "noise"], 0.1),
    ("nearest_record", &["copy", "half", "jitter"], 0.1),
    ("near_copies", &["copy", "half", "jitter"], 0.3),
    ("exact_copies", &["copy", "half"], 0.4),
    ("rare_values", &["copy", "half"], 0.4),
    ("membership_attack", &["copy", "half", "jitter"], 0.3),
    ("attribute_inference", &["copy", "half", "jitter"], 0.1),
];

struct Real {
    training: Table,
    holdout: Table,
}

impl Real {
    fn judge(&self, synthetic: &Table, target: Option<&str>) -> Report {
        let rule =
            Declared { text: "since <= left".into(), violations: left_too_early(synthetic), rows: synthetic.rows() };
        judge(&Evidence {
            training: &self.training,
            synthetic,
            holdout: Some(&self.holdout),
            target,
            constraints: &[rule],
            made: &[],
            seed: 5,
        })
    }
}

fn half(training: &Table, fresh: &Table) -> Table {
    let rows: Vec<u32> = (0..training.rows() as u32 / 2).collect();
    below(&training.take(&rows), &fresh.take(&rows))
}

fn value(report: &Report, metric: &str) -> f64 {
    let outcome = report.outcomes.iter().find(|(of, _)| of.name == metric).map(|(_, outcome)| outcome);
    outcome.and_then(|outcome| outcome.score.value()).unwrap_or_else(|| panic!("{metric} is undefined"))
}

#[test]
fn a_fresh_sample_beats_every_impostor_in_what_a_metric_speaks_of() {
    let real = Real { training: bank(2_000, 1), holdout: bank(1_000, 2) };
    let fresh = bank(2_000, 3);
    let impostors = [
        ("copy", real.training.clone()),
        ("half", half(&real.training, &fresh)),
        ("jitter", shaken(&real.training, 4)),
        ("shuffled", shuffled_columns(&fresh)),
        ("independent", independent(2_000, 50)),
        ("noise", noise(2_000, 6)),
    ];
    // Only people have values that point to somebody.
    let towns = Real { training: people(800, 1), holdout: people(300, 2) };
    let clean = towns.judge(&people(800, 3), None);
    let of_towns = |name: &str| match name {
        "copy" => towns.judge(&towns.training, None),
        _ => towns.judge(&half(&towns.training, &people(800, 3)), None),
    };
    let best = real.judge(&fresh, Some("churn"));
    let reports: Vec<(&str, Report)> =
        impostors.iter().map(|(name, table)| (*name, real.judge(table, Some("churn")))).collect();
    assert!(METRICS.iter().all(|metric| RANKS.iter().any(|(name, ..)| metric.name == *name)), "all are ranked");
    for (metric, beaten, margin) in RANKS {
        for impostor in *beaten {
            let (good, bad) = if *metric == "rare_values" {
                (value(&clean, metric), value(&of_towns(impostor), metric))
            } else {
                let report = reports.iter().find(|(name, _)| name == impostor).map(|(_, report)| report);
                (value(&best, metric), value(report.expect("it is one of them"), metric))
            };
            assert!(good > bad + margin, "{metric}: fresh rows have {good}, {impostor} has {bad}");
        }
    }
}

#[test]
fn a_fresh_sample_comes_as_near_as_its_ceiling_says() {
    let real = Real { training: bank(2_000, 1), holdout: bank(500, 2) };
    for seed in 3..6 {
        let report = real.judge(&bank(2_000, seed), Some("churn"));
        for (metric, outcome) in &report.outcomes {
            let (Some(score), Some(ceiling)) = (outcome.score.value(), outcome.ceiling) else { continue };
            let [low, high] = outcome.interval.unwrap_or([score, score]);
            assert!(low <= score + 1e-9 && score <= high + 1e-9, "{}: {score} outside {low}..{high}", metric.name);
            // The ceiling comes of one holdout, the score of one sample: both err by what the interval tells of one.
            let room = 3.0 * (high - low).max(0.01);
            assert!((score - ceiling).abs() <= room, "{}: {score}, ceiling {ceiling}, {low}..{high}", metric.name);
        }
    }
}

/// A tenth of the rows, or 0, held out, as in a run.
fn cut(rows: usize, seed: u64) -> Real {
    Real { training: bank(rows - rows / 10, seed), holdout: bank(rows / 10, seed + 1_000) }
}

#[test]
fn the_gate_stops_copies_of_any_size_and_lets_fresh_rows_through() {
    for rows in [50, 80, 120, 400, 1_000] {
        for seed in 1..4 {
            let real = cut(rows, seed);
            let fresh = bank(real.training.rows(), seed + 2_000);
            let stopped = |synthetic: &Table| {
                let verdict = gate(&real.judge(synthetic, None), &Thresholds::default());
                (!verdict.passed, verdict.reason())
            };
            assert!(!stopped(&fresh).0, "{rows} rows, seed {seed}: fresh rows are stopped: {}", stopped(&fresh).1);
            assert!(stopped(&real.training).0, "{rows} rows, seed {seed}: a copy passes");
            assert!(stopped(&half(&real.training, &fresh)).0, "{rows} rows, seed {seed}: half a copy passes");
            assert!(stopped(&shaken(&real.training, seed)).0, "{rows} rows, seed {seed}: a shaken copy passes");
        }
    }
}

#[test]
fn the_gate_lets_nothing_through_that_was_not_measured() {
    let state = |report: &Report, name: &str| {
        let verdict = gate(report, &Thresholds::default());
        let check = verdict.checks.iter().find(|check| check.name == name).expect("it is checked").clone();
        (verdict.passed, check.state)
    };
    let training = bank(900, 1);
    let fresh = bank(900, 2);
    let of = |training: &Table, holdout: Option<&Table>| {
        judge(&Evidence { training, synthetic: &fresh, holdout, target: None, constraints: &[], made: &[], seed: 5 })
    };
    assert_eq!(state(&of(&training, None), "membership_attack"), (false, CheckState::Missing));
    let few = bank(300, 1);
    assert_eq!(state(&of(&few, None), "membership_attack"), (true, CheckState::NotApplicable));
    let least = bank(19, 1);
    assert_eq!(state(&of(&least, None), "rows"), (false, CheckState::Refused));
    let strangers = people(900, 1);
    assert_eq!(state(&of(&strangers, None), "exact_copies"), (false, CheckState::Missing));
    let broken = Declared { text: "a rule".into(), violations: 1, rows: 900 };
    let report = judge(&Evidence {
        training: &few,
        synthetic: &fresh,
        holdout: None,
        target: None,
        constraints: &[broken],
        made: &[],
        seed: 5,
    });
    assert_eq!(state(&report, "constraints"), (false, CheckState::Refused));
    let strict = Thresholds { fidelity_min: Some(1.01), ..Thresholds::default() };
    assert!(!gate(&of(&few, None), &strict).passed);
}
