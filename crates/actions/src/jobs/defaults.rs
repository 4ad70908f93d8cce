//! What a config leaves out and what is not offered. In: the key and body of a model, or the name of a template. Out: the
//! body with its defaults, a config, or why there is none. Filling in never changes what a config means.

use serde_json::{Map, Value as Json, json};
use synth::TemplateProblem;

use crate::gretel_model::ModelProblem;

const DIFFERENTIAL: &str = "promises differential privacy, which no model here gives";
const TEXT: &str = "is a language model, which is not offered; tables with text columns go to `actgan` or `synthetics`";
const SERIES: &str = "is a model of time series, which is not offered; rows that belong together go to `navigator_ft` with \
                      `group_training_examples_by`";
const TRANSFORM: &str = "transforms a table by rules, which is not offered";
const CLASSIFY: &str = "finds personal data, which is not offered";
const INFERENCE: &str = "answers prompts, which is not offered";

/// Documented model types that are not offered, each with what it is.
pub(crate) const REFUSED: &[(&str, &str)] = &[
    ("tabular_dp", DIFFERENTIAL),
    ("gpt_x", TEXT),
    ("text_ft", TEXT),
    ("timeseries_dgan", SERIES),
    ("dgan", SERIES),
    ("transform_v2", TRANSFORM),
    ("transforms", TRANSFORM),
    ("transform", TRANSFORM),
    ("classify", CLASSIFY),
    ("navigator", INFERENCE),
    ("llama2", INFERENCE),
    ("stable_diffusion", INFERENCE),
];

/// Records of a preview where a config does not say; `None` is as many as the training data has.
fn records(key: &str) -> Option<u64> {
    match key {
        "amplify" => None,
        "navigator_ft" | "tabular_ft" => Some(1_000),
        _ => Some(5_000),
    }
}

/// The body with every default that a client looks up or that decides anything.
pub(crate) fn filled(key: &str, body: &Map<String, Json>) -> Map<String, Json> {
    let mut body = body.clone();
    let top = |body: &mut Map<String, Json>, name: &str, value: Json| {
        if !body.contains_key(name) {
            body.insert(name.into(), value);
        }
    };
    top(&mut body, "data_source", Json::Null);
    top(&mut body, "ref_data", json!({}));
    if key == "evaluate" {
        if body.get("params").is_none_or(|params| params.get("task").is_none()) {
            section(&mut body, "task", json!({ "type": "sqs" }));
        }
        section(&mut body, "params", json!({ "sqs_report_rows": 5_000, "sqs_report_columns": 250 }));
        section(&mut body, "privacy_metrics", json!({ "quasi_identifier_count": 3, "skip": false }));
        section(&mut body, "pii_replay", json!({ "skip": false }));
        return body;
    }
    match key {
        "amplify" => section(&mut body, "params", json!({ "num_records": null, "target_size_mb": null })),
        "navigator_ft" | "tabular_ft" => {
            section(&mut body, "params", json!({ "num_input_records_to_sample": "auto" }));
        }
        _ => {
            section(&mut body, "params", json!({ "epochs": "auto", "batch_size": "auto" }));
            section(&mut body, "privacy_filters", json!({ "outliers": "auto", "similarity": "auto" }));
        }
    }
    if let Some(records) = records(key) {
        section(&mut body, "generate", json!({ "num_records": records, "max_invalid": null }));
        // An explicit null is the default too.
        if let Some(Json::Object(generate)) = body.get_mut("generate")
            && generate.get("num_records").is_some_and(Json::is_null)
        {
            generate.insert("num_records".into(), json!(records));
        }
    }
    section(&mut body, "evaluate", json!({ "skip": false }));
    body
}

/// Adds to a section what it does not have. A section under `train` stays there.
fn section(body: &mut Map<String, Json>, name: &str, defaults: Json) {
    let trained = body.get("train").and_then(|train| train.get(name)).is_some_and(Json::is_object);
    let home = match body.get_mut("train") {
        Some(Json::Object(train)) if trained => train,
        _ => body,
    };
    let place = home.entry(name.to_string()).or_insert(Json::Null);
    if place.is_null() {
        *place = json!({});
    }
    if let (Json::Object(place), Json::Object(defaults)) = (place, defaults) {
        for (key, value) in defaults {
            place.entry(key).or_insert(value);
        }
    }
}

/// The body as a recipe reads it: without what asks for nothing.
pub(crate) fn asked(body: &Map<String, Json>) -> Map<String, Json> {
    let mut body = body.clone();
    let train = body.get_mut("train").and_then(Json::as_object_mut).map(std::mem::take);
    if let Some(train) = train {
        body.insert("train".into(), Json::Object(asked(&train)));
    }
    if let Some(Json::Object(params)) = body.get_mut("params") {
        params.retain(|_, value| value != "auto");
    }
    // Where privacy is switched off, its budget is only written down.
    if let Some(Json::Object(privacy)) = body.get_mut("privacy_params")
        && privacy.get("dp") == Some(&Json::Bool(false))
    {
        privacy.remove("epsilon");
        privacy.remove("delta");
    }
    body
}

/// The whole config that a template name stands for, and what is to be said of it.
pub(crate) fn template(name: &str) -> Result<(Json, String), ModelProblem> {
    let written = name.trim();
    let config = |name: &str, key: &str, mut body: Map<String, Json>| {
        body.insert("data_source".into(), json!("__tmp__"));
        let mut entry = Map::new();
        entry.insert(key.into(), Json::Object(body));
        json!({ "schema_version": "1.0", "name": name, "models": [entry] })
    };
    if matches!(written, "evaluate" | "evaluate/default") {
        return Ok((config("evaluate", "evaluate", Map::new()), "template `evaluate/default`".into()));
    }
    match synth::template(written) {
        Ok(template) => {
            let short = template.name.strip_prefix("synthetics/").unwrap_or(template.name).replace('/', "-");
            Ok((config(&short, template.model, template.params.body), template.about))
        }
        Err(problem) => {
            let hint = match &problem {
                TemplateProblem::Unknown { nearest: Some(near), .. } => Some(format!("Did you mean `{near}`?")),
                TemplateProblem::Unknown { .. } => Some("The tabular default is `synthetics/default`.".into()),
                TemplateProblem::NotOffered { .. } => None,
            };
            Err((String::new(), problem.to_string(), hint))
        }
    }
}
