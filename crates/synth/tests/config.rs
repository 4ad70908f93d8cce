//! Parameters and templates by name.

use serde_json::{Value, json};
use synth::{BadParam, MODELS, Params, TemplateProblem, template, template_names};

fn check(model: &str, body: Value) -> Result<(Option<u64>, usize), Vec<BadParam>> {
    let model = MODELS.iter().find(|m| m.name == model).expect("a model of the list");
    let params = Params { body: body.as_object().expect("a mapping").clone() };
    let recipe = (model.recipe)(&params)?;
    let rows = (0..60).map(|row| Some(row % 6)).collect();
    let table = table::Table::new(vec![table::Column::ints("a", rows, table::Spelling::plain())]).expect("one column");
    let notes = recipe.fit(&table, None, 1, &|_| true).expect("the table fits").notes();
    Ok((recipe.num_records(), notes.iter().filter(|note| note.kind == "parameter").count()))
}

fn refused(model: &str, body: Value) -> BadParam {
    let mut bad = check(model, body).expect_err("the body is refused");
    assert_eq!(bad.len(), 1, "{bad:?}");
    bad.remove(0)
}

#[test]
fn documented_parameters_are_taken_and_answered() {
    let lstm = json!({"data_source": "__tmp__", "params": {"epochs": "auto", "vocab_size": 20000, "dp": false},
        "generate": {"num_records": 5000, "max_invalid": null}, "privacy_filters": {"outliers": "auto", "similarity": "auto"}});
    assert_eq!(check("synthetics", lstm), Ok((Some(5000), 2)));
    let gan =
        json!({"params": {"epochs": 600, "pac": 10, "force_conditioning": "auto"}, "generate": {"num_records": 7}});
    assert_eq!(check("actgan", gan), Ok((Some(7), 3)));
    assert_eq!(check("amplify", json!({"params": {"num_records": 99}})), Ok((Some(99), 0)));
    let fine = json!({"train": {"group_training_examples_by": "a", "params": {"lora_r": 32}}, "generate": {"temperature": 0.7}});
    assert_eq!(check("tabular_ft", fine), Ok((None, 2)));
    assert_eq!(check("synthetics", json!({"params": {"rows_per_value_min": 10}})), Ok((None, 0)));
}

#[test]
fn what_is_not_offered_is_refused_by_name() {
    let dp = refused("synthetics", json!({"params": {"dp": true}}));
    assert_eq!(dp.path, "params.dp");
    assert!(dp.message.contains("differential privacy"), "{}", dp.message);
    assert_eq!(refused("navigator_ft", json!({"privacy_params": {"epsilon": 8}})).path, "privacy_params.epsilon");
    let near = refused("actgan", json!({"params": {"epoch": 5}}));
    assert_eq!((near.path.as_str(), near.hint.as_deref()), ("params.epoch", Some("Did you mean `epochs`?")));
    assert_eq!(refused("actgan", json!({"privacy_filters": {"outliers": "strong"}})).path, "privacy_filters.outliers");
    assert_eq!(refused("ctgan", json!({"generate": {"num_records": -3}})).path, "generate.num_records");
    assert_eq!(
        refused("amplify", json!({"params": {"num_records": 5, "target_size_mb": 2}})).path,
        "params.target_size_mb"
    );
}

#[test]
fn templates_lead_to_models_of_the_list() {
    for name in template_names() {
        let found = template(name).unwrap_or_else(|problem| panic!("{name}: {problem}"));
        assert!(check(found.model, Value::Object(found.params.body)).is_ok(), "{name}");
        assert!(found.about.contains("tabular engine"), "{name}");
    }
    assert_eq!(template("default").map(|t| (t.name, t.model)).ok(), Some(("synthetics/default", "synthetics")));
    assert_eq!(template("tabular-actgan").map(|t| t.model).ok(), Some("actgan"));
    for name in [
        "natural-language",
        "synthetics/time-series",
        "transform/default",
        "synthetics/tabular-differential-privacy",
        "classify/default",
    ] {
        assert!(matches!(template(name), Err(TemplateProblem::NotOffered { .. })), "{name}");
    }
    let unknown = template("synthetics/defualt").expect_err("no such template");
    assert_eq!(
        unknown,
        TemplateProblem::Unknown { name: "synthetics/defualt".into(), nearest: Some("synthetics/default") }
    );
}
