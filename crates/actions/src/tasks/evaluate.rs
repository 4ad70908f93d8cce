//! The task `evaluate_safe_synthetics_dataset`: what a step made is judged against what it was made from. In: the synthetic
//! table; the real one, and what was held out of it. Out: the page and the documented JSON.

use serde_json::{Map, Value as Json, json};
use table::Table;
use workflow::{Code, Failure};

use super::data::known;
use super::{StepTable, Task, TaskType};
use crate::evaluation::Evaluation;
use crate::gretel_model::ModelProblem;
use crate::jobs::JobWork;
use crate::jobs::evaluate::{open, shared};
use crate::jobs::told::Teller;
use crate::synthesis::unwritable;

/// The task `evaluate_safe_synthetics_dataset`.
pub(crate) static EVALUATE: TaskType = TaskType {
    name: "evaluate_safe_synthetics_dataset",
    about: "Judges synthetic records against the real ones: quality and privacy.",
    output: "evaluate_safe_synthetics_dataset",
    inputs: (2, 2),
    check: |config, _| check(config),
};

/// Keys of a documented config, and where an `evaluate` model has the same.
const KEYS: &[(&str, &str)] = &[
    ("skip_attribute_inference_protection", "privacy_metrics.skip_aia"),
    ("attribute_inference_protection_quasi_identifier_count", "privacy_metrics.quasi_identifier_count"),
    ("skip_membership_inference_protection", "privacy_metrics.skip_mia"),
    ("skip_pii_replay", "pii_replay.skip"),
    ("pii_replay_entities", "pii_replay.entities"),
];

/// Keys for language models, whose defaults every config has.
const IDLE: &[&str] = &["model_suite", "error_rate"];

fn check(config: &Map<String, Json>) -> Result<Box<dyn Task>, Vec<ModelProblem>> {
    let mut problems = Vec::new();
    let allowed: Vec<&str> = KEYS.iter().map(|key| key.0).chain(IDLE.iter().copied()).collect();
    let asked: Map<String, Json> =
        config.iter().filter(|(_, value)| !value.is_null()).map(|(key, value)| (key.clone(), value.clone())).collect();
    known(&asked, &allowed, &mut problems);
    let mut body = Map::new();
    for (key, place) in KEYS {
        if let (Some(value), Some((section, name))) = (asked.get(*key), place.split_once('.')) {
            body.entry(section.to_string()).or_insert_with(|| json!({}))[name] = value.clone();
        }
    }
    let evaluation = Evaluation::configured(&body).map_err(|bad| {
        let written = |path: String| KEYS.iter().find(|key| key.1 == path).map_or(path, |key| key.0.to_string());
        problems.extend(bad.into_iter().map(|(path, message, hint)| (written(path), message, hint)));
    });
    match evaluation {
        Ok(evaluation) if problems.is_empty() => Ok(Box::new(Evaluate(evaluation))),
        _ => Err(problems),
    }
}

struct Evaluate(Evaluation);

impl Task for Evaluate {
    fn run(&self, inputs: &[StepTable], work: &JobWork<'_>) -> Result<(), Failure> {
        let [made, real] = inputs else {
            return Err(Failure::new(Code::Internal, "an evaluation was not given two tables"));
        };
        let teller = Teller::new(work, None);
        let attempt = work.attempt(work.folder, &|_| {});
        let files: Vec<_> =
            [Some(&real.data), Some(&made.data), real.holdout.as_ref()].into_iter().flatten().cloned().collect();
        let mut tables = Vec::new();
        for file in &files {
            tables.push(open(file, work.seed, &teller)?);
            attempt.go_on()?;
        }
        let tables = shared(&tables, &files, &teller)?;
        let rows: Vec<usize> = tables.iter().map(Table::rows).collect();
        teller.say("run", format!("comparing {} records with {} rows", rows[1], rows[0]));
        let report = self.0.judge(&tables[0], &tables[1], tables.get(2), work.seed);
        attempt.go_on()?;
        report.warnings.iter().for_each(|text| teller.say("post", format!("warning: {text}")));
        let about = vec![("synthetic".into(), made.data.name.clone()), ("training".into(), real.data.name.clone())];
        let leave = |name: &str, bytes: &[u8]| {
            let path = work.folder.join(name);
            std::fs::write(&path, bytes).map_err(|error| unwritable(&path, error))
        };
        leave("report.html", report.to_html(&about).as_bytes())?;
        leave("report.json", format!("{}\n", report.to_step_json(&about)).as_bytes())?;
        teller.say("post", "the report is ready");
        Ok(())
    }
}
