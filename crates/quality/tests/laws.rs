//! Laws that every metric keeps, over the list of metrics, and that the whole report keeps, over odd tables.

mod tables;

use quality::{Aspect, Evidence, METRICS, Report, judge};
use table::Table;
use tables::{bank, noise, people, reversed, shuffled_columns, tables_of_all_kinds};

fn evidence<'a>(training: &'a Table, synthetic: &'a Table, holdout: Option<&'a Table>) -> Evidence<'a> {
    Evidence { training, synthetic, holdout, target: Some("churn"), constraints: &[], made: &[], seed: 5 }
}

fn value(report: &Report, metric: &str) -> Option<f64> {
    report.outcomes.iter().find(|(of, _)| of.name == metric).and_then(|(_, outcome)| outcome.score.value())
}

fn figure(report: &Report, metric: &str, name: &str) -> f64 {
    let outcome = report.outcomes.iter().find(|(of, _)| of.name == metric).map(|(_, outcome)| outcome);
    outcome.and_then(|outcome| outcome.figure(name)).unwrap_or_else(|| panic!("no figure {name} in {metric}"))
}

#[test]
fn metrics_have_names_of_their_own_and_say_what_they_are() {
    for (at, metric) in METRICS.iter().enumerate() {
        assert!(METRICS[..at].iter().all(|other| other.name != metric.name), "{} is there twice", metric.name);
        assert!(
            metric.about.ends_with('.') && !metric.source.is_empty() && !metric.title.is_empty(),
            "{}",
            metric.name
        );
    }
}

#[test]
fn identical_tables_score_one_in_fidelity_and_utility() {
    let (training, holdout) = (bank(1_500, 1), bank(1_500, 2));
    let report = judge(&evidence(&training, &training, Some(&holdout)));
    // Nothing is declared, so that there is nothing to violate.
    let measured = |metric: &&&quality::Metric| metric.aspect != Aspect::Privacy && metric.name != "constraints";
    for metric in METRICS.iter().filter(measured) {
        // The discriminator sees the holdout, which differs from the training table by chance: 1,500 rows a side give
        // an AUC of standard error 0.011, twice which is doubled by the score and doubled for safety.
        let least = if metric.name == "discriminator" { 0.92 } else { 1.0 };
        let score = value(&report, metric.name).unwrap_or_else(|| panic!("{} is undefined", metric.name));
        assert!(score >= least, "{}: {score}", metric.name);
    }
    let without = judge(&evidence(&training, &training, None));
    assert_eq!(value(&without, "discriminator"), Some(1.0), "against itself");
}

#[test]
fn shapes_and_trends_are_what_pencil_and_paper_give() {
    let (real, synthetic) = tables::by_hand();
    let report = judge(&evidence(&real, &synthetic, None));
    let shape = |name: &str| {
        let json = report.to_json(&Vec::new());
        let columns = json["columns"].as_array().cloned().unwrap_or_default();
        columns.iter().find(|column| column["name"] == name).and_then(|column| column["shape"].as_f64())
    };
    // One number of five lies beyond all real ones; a and b are 3/5 and 2/5 in the one table and halves in the other.
    assert_eq!((shape("number"), shape("letter")), (Some(0.8), Some(0.9)));
    let json = report.to_json(&Vec::new());
    let pairs = json["pairs"].as_array().cloned().unwrap_or_default();
    let similarity = |a: &str, b: &str| {
        pairs
            .iter()
            .find(|pair| pair["columns"][0] == a && pair["columns"][1] == b)
            .and_then(|pair| pair["similarity"].as_f64())
    };
    // The twin of number rises with it in the real table and falls in the synthetic one: correlations 1 and -1.
    assert_eq!(similarity("number", "twin"), Some(0.0));
    // Joint shares of letter and flag: (a, yes) 2/5 against 1/5, and three more of 1/5, 4/5 in all.
    assert_eq!(similarity("letter", "flag"), Some(0.6));
    assert_eq!(figure(&report, "missing_values", "missing_rate_error"), 0.05);
}

#[test]
fn fresh_rows_of_the_same_source_score_one_in_privacy() {
    let (training, holdout, fresh) = (bank(2_000, 1), bank(1_000, 2), bank(2_000, 3));
    let report = judge(&evidence(&training, &fresh, Some(&holdout)));
    for metric in METRICS.iter().filter(|metric| metric.aspect == Aspect::Privacy) {
        let least = 0.98;
        let score = value(&report, metric.name).unwrap_or_else(|| panic!("{} is undefined", metric.name));
        assert!(score >= least, "{}: {score} is less than {least}", metric.name);
    }
}

#[test]
fn copies_noise_and_independent_columns_are_ranked() {
    let (training, holdout, fresh) = (bank(2_000, 1), bank(1_000, 2), bank(2_000, 3));
    let of = |synthetic: &Table| judge(&evidence(&training, synthetic, Some(&holdout)));
    let (good, copy, apart, bad) = (of(&fresh), of(&training), of(&shuffled_columns(&fresh)), of(&noise(2_000, 4)));
    let fidelity = |report: &Report| report.fidelity.expect("all are measured");
    assert!(fidelity(&good) > fidelity(&apart) + 0.1, "{} {}", fidelity(&good), fidelity(&apart));
    assert!(fidelity(&apart) > fidelity(&bad) + 0.1, "{} {}", fidelity(&apart), fidelity(&bad));
    // Columns by themselves are untouched by shuffling, pairs are not.
    assert_eq!(value(&apart, "column_shapes"), value(&good, "column_shapes"));
    assert!(value(&apart, "pair_trends") < value(&good, "pair_trends").map(|score| score - 0.1));
    assert!(figure(&apart, "discriminator", "auc") > 0.8 && figure(&good, "discriminator", "auc") < 0.56);
    assert!(value(&apart, "utility") < value(&good, "utility").map(|score| score - 0.1));
    assert!(copy.privacy.expect("measured") < 0.01 && good.privacy.expect("measured") > 0.9);
    assert!(value(&copy, "exact_copies") < Some(0.1) && value(&copy, "nearest_record") < Some(0.3));
    assert!(value(&copy, "near_copies") < Some(0.1));
    assert_eq!(figure(&copy, "exact_copies", "exact_copy_rate"), 1.0);
}

#[test]
fn a_tenth_of_copied_rows_shows() {
    let (training, holdout) = (bank(2_000, 1), bank(1_000, 2));
    let rows: Vec<u32> = (0..200).collect();
    let synthetic = tables::below(&training.take(&rows), &bank(1_800, 3));
    let report = judge(&evidence(&training, &synthetic, Some(&holdout)));
    assert!((figure(&report, "exact_copies", "exact_copy_rate_any") - 0.1).abs() < 0.01);
    assert!(report.privacy < Some(0.92));
    assert!(
        report.warnings.iter().any(|warning| warning.starts_with("Exact copies") || warning.starts_with("Near copies"))
    );
}

#[test]
fn a_published_identifier_shows() {
    let (training, holdout, fresh) = (people(400, 1), people(200, 2), people(400, 3));
    let clean = judge(&evidence(&training, &fresh, Some(&holdout)));
    assert_eq!(value(&clean, "rare_values"), Some(1.0));
    let leaking = tables::with_column_of(&fresh, &training, "card");
    let report = judge(&evidence(&training, &leaking, Some(&holdout)));
    assert_eq!(value(&report, "rare_values"), Some(0.0));
    assert!(!report.to_html(&Vec::new()).contains("4000-"), "the page shows no identifier");
}

#[test]
fn the_order_of_the_rows_makes_no_difference() {
    let (training, holdout, fresh) = (bank(900, 1), bank(300, 2), bank(700, 3));
    let report = judge(&evidence(&training, &fresh, Some(&holdout)));
    let [training, holdout, fresh] = [training, holdout, fresh].map(|table| reversed(&table));
    let again = judge(&evidence(&training, &fresh, Some(&holdout)));
    assert_eq!(report.to_json(&Vec::new()), again.to_json(&Vec::new()));
    assert_eq!(report.to_html(&Vec::new()), again.to_html(&Vec::new()));
}

#[test]
fn threads_make_no_difference() {
    let (training, holdout, fresh) = (bank(900, 1), bank(300, 2), bank(700, 3));
    let under = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be had");
        pool.install(|| judge(&evidence(&training, &fresh, Some(&holdout))).to_json(&Vec::new()).to_string())
    };
    assert_eq!(under(1), under(4));
}

#[test]
fn any_tables_give_scores_between_zero_and_one_and_a_page() {
    let zoo = tables_of_all_kinds();
    for (name, [training, synthetic, holdout]) in &zoo {
        for holdout in [Some(holdout), None] {
            let target = (training.columns() > 0).then(|| training.name(0).to_string());
            let report = judge(&Evidence {
                training,
                synthetic,
                holdout,
                target: target.as_deref(),
                constraints: &[],
                made: &[],
                seed: 5,
            });
            for (metric, outcome) in &report.outcomes {
                if let Some(score) = outcome.score.value() {
                    assert!((0.0..=1.0).contains(&score), "{name}: {} is {score}", metric.name);
                }
                assert_eq!(outcome.score.value().is_some(), !outcome.sentence.is_empty(), "{name}: {}", metric.name);
            }
            for overall in [report.fidelity, report.privacy].into_iter().flatten() {
                assert!((0.0..=1.0).contains(&overall), "{name}: {overall}");
            }
            let json = report.to_json(&Vec::new());
            assert_eq!(json["metrics"].as_object().map(|metrics| metrics.len()), Some(METRICS.len()), "{name}");
            assert!(!json.to_string().contains("NaN"), "{name}");
            let page = report.to_html(&Vec::new());
            assert!(page.ends_with("</html>\n") || page.ends_with("</html>"), "{name}");
            assert!(!page.contains("NaN") && !page.contains(">inf") && !page.contains("\"inf"), "{name}");
            assert!(page.len() < 700_000, "{name}: {} bytes", page.len());
        }
    }
}

#[test]
fn tables_of_other_columns_are_not_compared() {
    let report = judge(&evidence(&bank(100, 1), &people(100, 1), None));
    assert_eq!((report.fidelity, report.privacy), (None, None));
    assert!(report.warnings[0].starts_with("Nothing was compared"));
    assert!(report.to_html(&Vec::new()).contains("Nothing was compared"));
}

#[test]
fn a_report_tells_what_moved_since_the_last_one() {
    let (before, holdout) = (bank(3_000, 1), bank(300, 2));
    let earlier = judge(&evidence(&before, &before, Some(&holdout))).to_json(&Vec::new());
    let compared = |now: &Table| {
        let mut report = judge(&evidence(now, &bank(500, 9), Some(&holdout)));
        report.compare("run_1", &earlier);
        report
    };
    // Fresh rows of the same source: nothing moved.
    let still = compared(&bank(2_000, 3));
    let since = still.since.as_ref().expect("the earlier report is one");
    assert_eq!((since.drift.len(), since.rows), (8, [Some(3_000), Some(2_000)]));
    let moved = |report: &Report| -> Vec<String> {
        let since = report.since.as_ref().expect("the earlier report is one");
        since.drifted().iter().map(|drift| drift.column.clone()).collect()
    };
    assert_eq!(moved(&still), Vec::<String>::new());
    assert_eq!(still.to_json(&Vec::new())["since"]["fidelity"]["before"], earlier["overall"]["fidelity"]);
    // Noise of the same columns moved.
    let moved = moved(&compared(&noise(2_000, 4)));
    for column in ["age", "income", "region", "since"] {
        assert!(moved.iter().any(|name| name == column), "{column} moved, found are {moved:?}");
    }
    let mut elsewhere = judge(&evidence(&people(300, 1), &people(300, 2), None));
    elsewhere.compare("run_1", &earlier);
    let since = elsewhere.since.as_ref().expect("the earlier report is one");
    assert_eq!((since.added.len(), since.removed.len()), (2, 7));
    elsewhere.compare("run_1", &serde_json::json!({ "overall": 3 }));
    assert!(elsewhere.since.is_none());
}
