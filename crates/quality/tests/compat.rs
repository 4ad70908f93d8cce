//! The documented scores: what they are for a table against itself, for impostors, and in JSON.

mod tables;

use quality::{Compat, Evidence, judge};
use serde_json::Value;
use table::Table;
use tables::{bank, noise, people, shuffled_columns};

fn compat(training: &Table, synthetic: &Table, holdout: Option<&Table>) -> (Compat, Value) {
    let report = judge(&Evidence { training, synthetic, holdout, target: None, constraints: &[], made: &[], seed: 5 });
    let legacy = report.to_legacy_json();
    (report.compat.expect("the tables have the same columns"), legacy)
}

fn summed(compat: &Compat, name: &str) -> u64 {
    compat.summary().iter().find(|(field, _)| *field == name).unwrap_or_else(|| panic!("no {name}")).1
}

#[test]
fn a_table_against_itself_is_excellent_and_unprotected() {
    let (training, holdout, fresh) = (bank(2_000, 1), bank(200, 2), bank(2_000, 3));
    let (copy, legacy) = compat(&training, &training, Some(&holdout));
    assert_eq!(summed(&copy, "synthetic_data_quality_score"), 100);
    assert_eq!(legacy["synthetic_data_quality_score"]["grade"], "Excellent");
    assert_eq!(legacy["memorized_lines"], 2_000);
    let (fresh, _) = compat(&training, &fresh, Some(&holdout));
    assert!(summed(&fresh, "synthetic_data_quality_score") >= 90);
    // The documented attack is blunt: even a full copy passes for "Good".
    let membership = "membership_inference_attack_score";
    assert!(summed(&copy, membership) < 90 && summed(&fresh, membership) > 90, "{}", summed(&copy, membership));
    let attributes = "attribute_inference_attack_score";
    assert!(summed(&copy, attributes) < summed(&fresh, attributes));
}

#[test]
fn each_score_sees_what_it_is_for() {
    let (training, fresh) = (bank(2_000, 1), bank(2_000, 3));
    let of = |synthetic: &Table| compat(&training, synthetic, None).0;
    let (apart, fresh, bad) = (of(&shuffled_columns(&fresh)), of(&fresh), of(&noise(2_000, 4)));
    let raw = |score: Option<quality::Documented>| score.expect("it is measured").raw;
    assert!(raw(fresh.distribution) < 0.1 && raw(bad.distribution) > 0.3);
    assert!((raw(apart.distribution) - raw(fresh.distribution)).abs() < 1e-12, "columns by themselves are untouched");
    assert!(raw(apart.correlation) > raw(fresh.correlation) + 0.05);
    assert!(raw(apart.deep) > raw(fresh.deep) + 0.05);
    assert!(apart.membership.is_none(), "there is no holdout");
    assert_eq!(apart.privacy.map(|score| score.score), apart.attributes.map(|score| score.score));
}

#[test]
fn replayed_personal_data_is_counted() {
    let (training, fresh) = (people(400, 1), people(400, 3));
    let replay = |synthetic: &Table| compat(&training, synthetic, None).0.current_json()["pii_replay"].clone();
    assert_eq!(replay(&fresh), serde_json::json!([]), "card numbers of these people have no check digit");
    let mails = |seed: u64| {
        let words: Vec<String> = (0..300).map(|at| format!("a{}@example.org", at * 7 + seed)).collect();
        let codes = (0..300).map(Some).collect();
        Table::new(vec![table::Column::texts("to", codes, words, table::Spelling::plain())]).expect("one column")
    };
    let found = compat(&mails(0), &mails(7), None).0.current_json()["pii_replay"][0].clone();
    assert_eq!((&found["entity"], &found["replayed"], &found["percent"]), (&"email".into(), &299.into(), &100.into()));
    let none = compat(&mails(0), &mails(1), None).0.current_json()["pii_replay"][0].clone();
    assert_eq!((&none["unique"], &none["replayed"], &none["percent"]), (&300.into(), &0.into(), &0.into()));
}

#[test]
fn the_legacy_json_has_the_documented_keys() {
    let (training, fresh) = (bank(600, 1), bank(500, 3));
    let (_, legacy) = compat(&training, &fresh, None);
    for key in [
        "left_rows",
        "left_cols",
        "right_rows",
        "right_cols",
        "fields",
        "left_correlation",
        "right_correlation",
        "correlation_difference",
        "memorized_lines",
        "mean_absolute_error",
        "average_divergence",
        "left_pca",
        "right_pca",
        "synthetic_data_quality_score",
        "field_correlation_stability",
        "principal_component_stability",
        "field_distribution_stability",
        "fatal_error",
        "summary",
    ] {
        assert!(legacy.get(key).is_some(), "{key} is missing");
    }
    let field = &legacy["fields"][0];
    assert_eq!((field["name"].as_str(), field["left_field_features"]["type"].as_str()), (Some("age"), Some("numeric")));
    let shares: f64 =
        field["left_distribution"].as_object().into_iter().flatten().filter_map(|(_, v)| v.as_f64()).sum();
    assert!((shares - 1.0).abs() < 1e-4, "{shares}");
    let churn = &legacy["fields"][4];
    let percents: f64 =
        churn["left_distribution"].as_object().into_iter().flatten().filter_map(|(_, v)| v.as_f64()).sum();
    assert!((percents - 100.0).abs() < 1e-3, "{percents}");
    assert_eq!(churn["left_field_features"]["type"], "binary");
}
