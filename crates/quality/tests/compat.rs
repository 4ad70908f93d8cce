//! The documented scores: what they are for a table against itself, for impostors, and in JSON.

mod tables;

use quality::{Ask, Compat, Downstream, Evidence, Family, MEASURES, Task, judge};
use serde_json::Value;
use table::Table;
use tables::{bank, below, noise, people, reversed, shuffled_columns, tables_of_all_kinds};

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

fn downstream(synthetic: &Table, holdout: Option<&Table>, ask: &Ask) -> Downstream {
    let training = bank(2_000, 1);
    let evidence =
        Evidence { training: &training, synthetic, holdout, target: None, constraints: &[], made: &[], seed: 5 };
    judge(&evidence).downstream(ask)
}

fn asked(task: Task, target: &str, measure: &str) -> Ask {
    let measure = MEASURES.iter().find(|of| of.name == measure).expect("it is a measure");
    Ask { task, target: target.into(), measure, families: Vec::new(), rows_max: 5_000 }
}

#[test]
fn models_trained_on_fresh_rows_predict_as_well_and_on_torn_rows_they_do_not() {
    let (holdout, fresh) = (bank(500, 2), bank(2_000, 3));
    let torn = shuffled_columns(&fresh);
    for (task, target, measure, least, most) in [
        (Task::Classification, "churn", "auc", 96, 80),
        (Task::Classification, "region", "f1", 90, 70),
        (Task::Regression, "income", "r2", 96, 10),
        (Task::Regression, "income", "mae", 90, 60),
    ] {
        let ask = asked(task, target, measure);
        let (good, bad) = (downstream(&fresh, Some(&holdout), &ask), downstream(&torn, Some(&holdout), &ask));
        let (of_good, of_bad) = (good.summary(), bad.summary());
        assert!(of_good[0].1 >= least && of_good[0].1 <= 106, "{target} by {measure}: {of_good:?}");
        assert!(of_bad[0].1 <= most, "{target} by {measure}, torn: {of_bad:?}");
        let json = good.to_json();
        assert_eq!(json["summary"][0]["field"], "average_metric_difference");
        assert_eq!(json["summary"][0]["value"], json["average_metric_difference"]["score"]);
        assert_eq!(json["models"].as_array().map(Vec::len), Some(Family::of_task(task).len()));
        for model in json["models"].as_array().into_iter().flatten() {
            for measure in MEASURES.iter().filter(|measure| measure.task == task && measure.name != "rmsle") {
                assert!(model["synthetic"][measure.name].is_f64(), "{model} has no {}", measure.name);
            }
        }
        assert!(good.to_html(&Vec::new()).contains(target));
    }
}

#[test]
fn the_order_of_the_rows_makes_no_difference_downstream() {
    let (holdout, fresh) = (bank(500, 2), bank(2_000, 3));
    let ask = asked(Task::Classification, "region", "acc");
    let json = |synthetic: &Table| downstream(synthetic, Some(&holdout), &ask).to_json();
    assert_eq!(json(&fresh), json(&reversed(&fresh)));
}

#[test]
fn what_cannot_be_predicted_is_said_and_not_scored() {
    let (holdout, fresh) = (bank(500, 2), bank(2_000, 3));
    let reason = |holdout: Option<&Table>, ask: &Ask| {
        let downstream = downstream(&fresh, holdout, ask);
        let json = downstream.to_json();
        assert_eq!((&json["summary"], &json["average_metric_difference"]), (&serde_json::json!([]), &Value::Null));
        assert!(downstream.to_html(&Vec::new()).contains("Nothing was measured"));
        json["fatal_error"].as_str().map(String::from).expect("there is a reason")
    };
    let classes = |target: &str| asked(Task::Classification, target, "acc");
    assert_eq!(reason(None, &classes("churn")), "there is no holdout");
    assert_eq!(reason(Some(&holdout), &classes("nobody")), "no column has the name of the target");
    assert_eq!(reason(Some(&holdout), &classes("income")), "the target has more than 100 classes");
    assert_eq!(reason(Some(&bank(40, 2)), &classes("churn")), "a table has fewer than 50 rows with a target");
    let number = asked(Task::Regression, "region", "r2");
    assert_eq!(reason(Some(&holdout), &number), "the target is no number of more than two values");
}

#[test]
fn a_synthetic_table_that_holds_the_test_rows_is_told() {
    let (holdout, fresh) = (bank(500, 2), bank(2_000, 3));
    let ask = Ask { families: vec![Family::Tree], ..asked(Task::Classification, "churn", "acc") };
    assert_eq!(downstream(&fresh, Some(&holdout), &ask).warning(), None);
    let mixed = below(&fresh, &holdout.take(&(0..50).collect::<Vec<u32>>()));
    let warning = downstream(&mixed, Some(&holdout), &ask).warning().expect("a tenth of the test rows is there");
    assert!(warning.contains("50 of the 500 test rows, the training table 0"), "{warning}");
}

#[test]
fn any_tables_give_a_downstream_report() {
    for (kind, [training, synthetic, holdout]) in tables_of_all_kinds() {
        let evidence = Evidence {
            training: &training,
            synthetic: &synthetic,
            holdout: Some(&holdout),
            target: None,
            constraints: &[],
            made: &[],
            seed: 5,
        };
        let report = judge(&evidence);
        for index in [0, training.columns() / 2, training.columns().saturating_sub(1)] {
            let target = if training.columns() == 0 { "none" } else { training.name(index) };
            for (task, measure) in [(Task::Classification, "f1"), (Task::Regression, "rmse")] {
                let downstream = report.downstream(&asked(task, target, measure));
                let json = downstream.to_json();
                assert!(
                    json["fatal_error"].is_string() != json["average_metric_difference"].is_object(),
                    "{kind}: {json}"
                );
                assert!(downstream.to_html(&Vec::new()).ends_with("</html>"), "{kind}");
            }
        }
    }
}
