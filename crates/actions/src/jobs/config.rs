//! Model configs: what a client posted comes in, a checked job or everything that is wrong with it goes out. Nothing is
//! read or written.

use serde_json::{Map, Value as Json, json};
use synth::{MODELS, Params, Recipe};
use workflow::{Failure, nearest};

use super::defaults::{self, REFUSED};
use super::evaluate::evaluate;
use super::train::train;
use super::{JobInputs, JobWork};
use crate::evaluation::{Evaluation, source};
use crate::gretel_model::{ModelProblem, envelope, model_type, recipe};

/// A checked model config.
pub struct ModelJob {
    kind: String,
    config: Json,
    pub(crate) asked: Asked,
    /// Sentences for the log.
    pub(crate) said: Vec<String>,
}

/// What a config asks for.
pub(crate) enum Asked {
    /// To train a model.
    Training(Box<Training>),
    /// To judge one table by another; and whether by their texts.
    Evaluation(Box<Evaluation>, bool),
}

/// What is asked of a training.
pub(crate) struct Training {
    /// Ready to fit.
    pub(crate) recipe: Box<dyn Recipe>,
    /// How the records are judged; not at all if `None`.
    pub(crate) evaluation: Option<Evaluation>,
    /// `params.epochs`, where it is a number.
    pub(crate) epochs: Option<u64>,
}

impl ModelJob {
    /// Checks a config, or the name of a template as text. Every problem is given, with its path in the config.
    pub fn check(config: &Json) -> Result<ModelJob, Vec<ModelProblem>> {
        let (mut config, said) = match config {
            Json::String(name) => match defaults::template(name) {
                Ok((config, said)) => (config, vec![said]),
                Err(problem) => return Err(vec![problem]),
            },
            other => (other.clone(), Vec::new()),
        };
        let (mut problems, model) = envelope(&config);
        head(&config, &mut problems);
        let Some((kind, body)) = model else { return Err(problems) };
        let path = format!("models[0].{kind}");
        sources(&body, &path, &mut problems);
        let filled = defaults::filled(&kind, &body);
        // Problems are told of what was written, the job is made of what it stands for.
        let asked = asked(&kind, &body, &path).and_then(|_| asked(&kind, &filled, &path));
        match asked {
            Ok(asked) if problems.is_empty() => {
                if let Json::Object(map) = &mut config {
                    map.entry("schema_version").or_insert(json!("1.0"));
                    map.insert("models".into(), json!([{ kind.as_str(): filled }]));
                }
                Ok(ModelJob { kind, config, asked, said })
            }
            Ok(_) => Err(problems),
            Err(bad) => {
                problems.extend(bad);
                Err(problems)
            }
        }
    }

    /// The type as it is written: `actgan`, `synthetics`, `evaluate`.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The name that the config gives the model.
    pub fn name(&self) -> Option<&str> {
        self.config.get("name").and_then(Json::as_str)
    }

    /// The config with its defaults filled in, data as it was given. Checking it again gives the same job.
    pub fn filled(&self) -> Json {
        self.config.clone()
    }

    /// What the data are called; `None` for null and for placeholders such as `__tmp__`.
    pub fn data_source(&self) -> Option<&str> {
        named(self.body().get("data_source")?)
    }

    /// What the reference data are called, under their keys: `0`, `1` where the config gives a list.
    pub fn ref_data(&self) -> Vec<(String, String)> {
        let entry = |key: String, value: &Json| Some((key, source(value)?));
        match self.body().get("ref_data") {
            Some(Json::Object(map)) => map.iter().filter_map(|(key, value)| entry(key.clone(), value)).collect(),
            Some(Json::Array(list)) => {
                list.iter().enumerate().filter_map(|(at, value)| entry(at.to_string(), value)).collect()
            }
            Some(value) => entry("0".into(), value).into_iter().collect(),
            None => Vec::new(),
        }
    }

    /// Trains the model, or makes the evaluation, and leaves model, records and reports in the folder of `work`. The same
    /// synthesis as a workflow's: the same rows held out, the same protections. What the gate would say is told and
    /// reported and stops nothing.
    ///
    /// Fails with `data.*` where data are no table, `model.failed` where no model can be trained on them, `usage` where data
    /// are missing, `run.cancelled` when asked to stop.
    pub fn train(&self, inputs: &JobInputs, work: &JobWork<'_>) -> Result<(), Failure> {
        match &self.asked {
            Asked::Training(training) => train(self, training, inputs, work),
            Asked::Evaluation(evaluation, text) => evaluate(self, evaluation, *text, inputs, work),
        }
    }

    /// The body under the type.
    fn body(&self) -> &Json {
        &self.config["models"][0][&self.kind]
    }
}

/// The name of data, unless it is a placeholder; of a list the first.
fn named(value: &Json) -> Option<&str> {
    source(value)?;
    value.as_str().or_else(|| value.as_array()?.first()?.as_str())
}

/// Checks what stands beside `models`.
fn head(config: &Json, problems: &mut Vec<ModelProblem>) {
    let version = config.get("schema_version");
    let first = |version: &Json| match version {
        Json::String(text) => matches!(text.as_str(), "1.0" | "1"),
        Json::Number(number) => number.as_f64() == Some(1.0),
        other => other.is_null(),
    };
    if let Some(other) = version.filter(|version| !first(version)) {
        let message = format!("`schema_version` is {other} where \"1.0\" is allowed");
        problems.push(("schema_version".into(), message, None));
    }
    if let Some(other) = config.get("name").filter(|name| !name.is_string() && !name.is_null()) {
        problems.push(("name".into(), format!("`name` is {other} where a text is allowed"), None));
    }
}

/// Checks the form of `data_source` and `ref_data`.
fn sources(body: &Map<String, Json>, path: &str, problems: &mut Vec<ModelProblem>) {
    let text = |value: &Json| value.is_null() || value.is_string();
    let one = |value: &Json| text(value) || value.as_array().is_some_and(|list| list.len() == 1 && text(&list[0]));
    if let Some(other) = body.get("data_source").filter(|value| !one(value)) {
        let message = format!("`data_source` is {other} where a text, a list of one, or null is allowed");
        problems.push((format!("{path}.data_source"), message, None));
    }
    let many = |value: &Json| match value {
        Json::Object(map) => map.values().all(one),
        Json::Array(list) => list.iter().all(text),
        other => text(other),
    };
    if let Some(other) = body.get("ref_data").filter(|value| !many(value)) {
        let message = format!("`ref_data` is {other} where a mapping of names to texts, a list or a text is allowed");
        problems.push((format!("{path}.ref_data"), message, None));
    }
}

/// What the body of a model asks for.
fn asked(kind: &str, body: &Map<String, Json>, path: &str) -> Result<Asked, Vec<ModelProblem>> {
    let below = |problems: Vec<ModelProblem>| -> Vec<ModelProblem> {
        let at = |inner: String| if inner.is_empty() { path.to_string() } else { format!("{path}.{inner}") };
        problems.into_iter().map(|(inner, message, hint)| (at(inner), message, hint)).collect()
    };
    if kind == "evaluate" {
        let task = |value: Option<&Json>| value.and_then(Json::as_str) == Some("text");
        let text = task(body.get("task").and_then(|task| task.get("type")))
            || task(body.get("params").and_then(|params| params.get("task")));
        return Evaluation::configured(body).map(|found| Asked::Evaluation(Box::new(found), text)).map_err(below);
    }
    if let Some((_, reason)) = REFUSED.iter().find(|refused| refused.0 == kind) {
        return Err(vec![(path.into(), format!("model type `{kind}` {reason}"), None)]);
    }
    let Some(model) = model_type(kind) else {
        let names = || MODELS.iter().map(|model| model.name).chain(["evaluate"]);
        let known: Vec<String> = names().map(|name| format!("`{name}`")).collect();
        let message = format!("model type `{kind}` is not known; these are: {}", known.join(", "));
        let hint = nearest(kind, names()).map(|near| format!("Did you mean `{near}`?"));
        return Err(vec![(path.into(), message, hint)]);
    };
    let mut problems = Vec::new();
    let evaluation = judgement(body).unwrap_or_else(|bad| {
        problems.extend(below(bad));
        None
    });
    let mut params = defaults::asked(body);
    ["data_source", "ref_data", "evaluate"].iter().for_each(|name| drop(params.remove(*name)));
    let recipe = recipe(model, &Params { body: params }, path);
    let section = |body: &Map<String, Json>| body.get("params").and_then(|params| params.get("epochs")?.as_u64());
    match recipe {
        Ok(recipe) if problems.is_empty() => {
            Ok(Asked::Training(Box::new(Training { recipe, evaluation, epochs: section(body) })))
        }
        Ok(_) => Err(problems),
        Err(bad) => {
            problems.extend(bad);
            Err(problems)
        }
    }
}

/// How the `evaluate` block of a training asks to be judged: as an evaluation whose parameters stand in the block itself.
/// `None` where it is to be skipped.
fn judgement(body: &Map<String, Json>) -> Result<Option<Evaluation>, Vec<ModelProblem>> {
    let block = match body.get("evaluate") {
        None | Some(Json::Null) => return Ok(Some(Evaluation::default())),
        Some(Json::Object(block)) => block,
        Some(other) => return Err(vec![("evaluate".into(), format!("a mapping is expected, not {other}"), None)]),
    };
    let (mut whole, mut params) = (Map::new(), Map::new());
    let mut problems = Vec::new();
    let mut skip = false;
    for (key, value) in block {
        match (key.as_str(), value) {
            ("skip", Json::Bool(given)) => skip = *given,
            ("skip", Json::Null) => {}
            ("skip", other) => {
                problems.push(("evaluate.skip".into(), format!("true or false is expected, not {other}"), None));
            }
            ("privacy_metrics" | "pii_replay", _) | ("task", Json::Object(_)) => {
                whole.insert(key.clone(), value.clone());
            }
            _ => drop(params.insert(key.clone(), value.clone())),
        }
    }
    whole.insert("params".into(), Json::Object(params));
    let evaluation = Evaluation::configured(&whole).map_err(|bad| {
        let place = |inner: String| format!("evaluate.{}", inner.strip_prefix("params.").unwrap_or(&inner));
        problems.extend(bad.into_iter().map(|(inner, message, hint)| (place(inner), message, hint)));
    });
    match evaluation {
        Ok(evaluation) if problems.is_empty() => Ok((!skip).then_some(evaluation)),
        _ => Err(problems),
    }
}
