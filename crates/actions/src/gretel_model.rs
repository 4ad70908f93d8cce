//! `gretel_model`: trains a model on one file and, where `run_params` says so, generates a synthetic copy of it.

use quality::Thresholds;
use serde_json::{Map, Value as Json};
use synth::{MODELS, ModelType, Params, Recipe};
use workflow::{
    Accepts, ActionType, Artifact, Attempt, Built, Code, Config, Data, Dataset, Failure, Field, File, Inputs, Node,
    Outcome, Place, Problem, Role, Shape, Step, Value, nearest,
};

use crate::Origin;
use crate::drawing::Wanted;
use crate::publish_gate::{pass, thresholds};
use crate::synthesis::{Options, Synthesis, synthesize};

/// The action type `gretel_model`.
pub(crate) static GRETEL_MODEL: ActionType = ActionType {
    name: "gretel_model",
    about: "Trains a model on each file and generates a synthetic copy of it.",
    role: Role::Middle,
    connection: None,
    fields: &[
        Field {
            name: "project_id",
            shape: Shape::Text,
            required: false,
            about: "Project that the model belongs to: guid, id or name; the run's own project by default.",
            example: "proj_1",
        },
        Field {
            name: "model",
            shape: Shape::Text,
            required: false,
            about: "Name of a model template. Either this or `model_config`.",
            example: "synthetics/default",
        },
        Field {
            name: "model_config",
            shape: Shape::Tree,
            required: false,
            about: "A whole model config, inline. Either this or `model`.",
            example: "{models: [{synthetics: {}}]}",
        },
        Field {
            name: "training_data",
            shape: Shape::Template(Accepts::Data),
            required: true,
            about: "The data to train on.",
            example: "\"{outputs.<source>.dataset.files.data}\"",
        },
        Field {
            name: "run_params",
            shape: Shape::Tree,
            required: false,
            about: "What to generate: `params.num_records` rows, by default as many as the source has. Without `run_params` the model is trained and nothing is generated.",
            example: "{params: {}}",
        },
        Field {
            name: "publish_gate",
            shape: Shape::Tree,
            required: false,
            about: "What a copy must keep to before it leaves, beyond what its documented config can say: `attack_auc_max`, `exact_copies_max`, `near_copies_max`, `protected_values_max`, `constraint_violations_max`, `fidelity_min`, each between 0 and 1, or `enabled: false`. On by default; an extension.",
            example: "{attack_auc_max: 0.6, fidelity_min: 0.8}",
        },
    ],
    check,
    reach: |_| None,
    build: |config, _| Ok(Built::Step(Box::new(GretelModel::new(config)?))),
};

/// A model config that was understood: ready to fit, with what is to be said about it.
pub struct Model {
    /// The name that the user gave: a template, or the key of the config.
    pub name: String,
    /// Ready to fit.
    pub recipe: Box<dyn Recipe>,
    /// How many records a config asks for itself; a template's number is that of its preview and is not taken.
    pub num_records: Option<u64>,
    /// Sentences for the log.
    pub said: Vec<String>,
}

/// What is wrong with a model config: dotted path below it, message, hint.
pub type ModelProblem = (String, String, Option<String>);

impl Model {
    /// The model behind a template name.
    pub fn named(name: &str) -> Result<Model, Vec<ModelProblem>> {
        let template = synth::template(name).map_err(|problem| {
            let hint = match &problem {
                synth::TemplateProblem::Unknown { nearest: Some(near), .. } => Some(format!("Did you mean `{near}`?")),
                synth::TemplateProblem::Unknown { .. } => Some("The tabular default is `synthetics/default`.".into()),
                synth::TemplateProblem::NotOffered { .. } => None,
            };
            vec![(String::new(), problem.to_string(), hint)]
        })?;
        let model = model_type(template.model).expect("every template names a model that there is");
        let recipe = recipe(model, &template.params, "")?;
        Ok(Model { name: name.into(), recipe, num_records: None, said: vec![template.about] })
    }

    /// The model that a whole config describes.
    pub fn configured(config: &Json) -> Result<Model, Vec<ModelProblem>> {
        let (key, mut body) = the_one_model(config)?;
        // The data of a workflow's model is `training_data`; every documented config has a placeholder here.
        body.remove("data_source");
        if body.get("ref_data").is_some_and(|value| value.is_null() || value.as_object().is_some_and(Map::is_empty)) {
            body.remove("ref_data");
        }
        let path = format!("models[0].{key}");
        let Some(model) = model_type(&key) else {
            let known: Vec<String> = MODELS.iter().map(|model| format!("`{}`", model.name)).collect();
            let message = format!("model type `{key}` is not offered; these are: {}", known.join(", "));
            let hint =
                nearest(&key, MODELS.iter().map(|model| model.name)).map(|near| format!("Did you mean `{near}`?"));
            return Err(vec![(path, message, hint)]);
        };
        let params = Params { body };
        let recipe = recipe(model, &params, &path)?;
        let num_records = recipe.num_records();
        Ok(Model { name: key, recipe, num_records, said: Vec::new() })
    }
}

/// The model type of this key.
pub(crate) fn model_type(key: &str) -> Option<&'static ModelType> {
    MODELS.iter().find(|model| model.name == key).copied()
}

/// The recipe of a body, or every parameter of it that is not allowed; `path` is where the body stands.
pub(crate) fn recipe(model: &ModelType, params: &Params, path: &str) -> Result<Box<dyn Recipe>, Vec<ModelProblem>> {
    (model.recipe)(params).map_err(|bad| {
        let below = |inner: &str| if path.is_empty() { inner.to_string() } else { format!("{path}.{inner}") };
        bad.into_iter().map(|bad| (below(&bad.path), bad.message, bad.hint)).collect()
    })
}

static CONFIG_KEYS: &[&str] = &["schema_version", "name", "models", "notifications", "label_predictors"];

/// The key and body of a model.
pub(crate) type Entry = (String, Map<String, Json>);

/// The one entry under `models`.
pub(crate) fn the_one_model(config: &Json) -> Result<Entry, Vec<ModelProblem>> {
    match envelope(config) {
        (problems, Some(model)) if problems.is_empty() => Ok(model),
        (problems, _) => Err(problems),
    }
}

/// What is wrong around the one entry under `models`, and its key and body where they can be told all the same.
pub(crate) fn envelope(config: &Json) -> (Vec<ModelProblem>, Option<Entry>) {
    let mut problems = Vec::new();
    let one = |path: &str, message: &str| (path.to_string(), message.to_string(), None);
    let Some(map) = config.as_object() else { return (vec![one("", "a model config is a mapping")], None) };
    for key in map.keys().filter(|key| !CONFIG_KEYS.contains(&key.as_str())) {
        let hint = nearest(key, CONFIG_KEYS.iter().copied()).map(|near| format!("Did you mean `{near}`?"));
        problems.push((key.clone(), format!("unknown key `{key}` of a model config"), hint));
    }
    for key in ["notifications", "label_predictors"] {
        if map.get(key).is_some_and(|value| !value.is_null()) {
            problems.push((key.into(), format!("`{key}` is not supported"), None));
        }
    }
    let entry = match map.get("models").and_then(Json::as_array).map(Vec::as_slice) {
        Some([Json::Object(entry)]) if entry.len() == 1 => entry.iter().next(),
        _ => None,
    };
    let Some((key, body)) = entry else {
        problems.push(one("models", "a list of one model with one key is expected, such as `- synthetics: {}`"));
        return (problems, None);
    };
    let body = match body {
        Json::Object(body) => body.clone(),
        Json::Null => Map::new(),
        _ => {
            problems.push(one(&format!("models[0].{key}"), "a mapping is expected"));
            Map::new()
        }
    };
    (problems, Some((key.clone(), body)))
}

fn check(config: &Config, problems: &mut Vec<Problem>, warnings: &mut Vec<Problem>) {
    match (config.text("model"), config.tree("model_config")) {
        (Some(_), Some(_)) => {
            problems.push(config.problem(
                "model_config",
                "both `model` and `model_config` are given; one of them is expected",
                None,
            ));
        }
        (None, None) => {
            let hint = "Add for instance `model: synthetics/default`.";
            problems.push(config.problem("model", "neither `model` nor `model_config` is given", Some(hint)));
        }
        (Some(_), None) => {
            for (_, message, hint) in Model::of(config).err().unwrap_or_default() {
                problems.push(config.problem("model", message, hint.as_deref()));
            }
        }
        (None, Some(tree)) => {
            for (path, message, hint) in Model::of(config).err().unwrap_or_default() {
                let at = place(tree, &config.at("model_config"), &path);
                problems.push(Problem { code: Code::ConfigInvalid, at, message, hint });
            }
        }
    }
    if let Some(tree) = config.tree("run_params") {
        run_params(tree, &config.at("run_params"), problems);
    }
    let gate = config.tree("publish_gate");
    if thresholds(gate, &config.at("publish_gate"), problems).is_none() {
        let message = "the gate is off: copies are published however much of single rows they show";
        warnings.push(config.problem("publish_gate", message, None));
    }
}

impl Model {
    fn of(config: &Config) -> Result<Model, Vec<ModelProblem>> {
        match (config.text("model"), config.tree("model_config")) {
            (Some(name), _) => Model::named(name),
            (None, Some(tree)) => Model::configured(&tree.to_json()),
            (None, None) => Err(Vec::new()),
        }
    }
}

/// Where a dotted path below `tree` stands in the text: the deepest node that is there.
fn place(tree: &Node, at: &Place, path: &str) -> Place {
    let mut node = tree;
    for word in path.split('.').filter(|word| !word.is_empty()) {
        let (key, index) = match word.split_once('[') {
            Some((key, rest)) => (key, rest.trim_end_matches(']').parse::<usize>().ok()),
            None => (word, None),
        };
        let Some(next) = node.get(key) else { break };
        node = match (&next.value, index) {
            (Value::List(items), Some(index)) => items.get(index).unwrap_or(next),
            _ => next,
        };
    }
    let dotted = if path.is_empty() { at.path.clone() } else { format!("{}.{path}", at.path) };
    node.at(&dotted)
}

/// What `run_params` ask for: `None` is as many rows as the source has.
fn run_params(tree: &Node, at: &Place, problems: &mut Vec<Problem>) -> Option<u64> {
    let invalid = |node: &Node, path: &str, message: String, hint: Option<String>| Problem {
        code: Code::ConfigInvalid,
        at: node.at(&format!("{}.{path}", at.path)),
        message,
        hint,
    };
    let entries = |node: &Node| match &node.value {
        Value::Map(entries) => entries.clone(),
        _ => Vec::new(),
    };
    let mut rows = None;
    for (key, value) in entries(tree) {
        let name = key.text().unwrap_or_default();
        if name != "params" {
            let hint = nearest(name, ["params"]).map(|near| format!("Did you mean `{near}`?"));
            problems.push(invalid(&key, name, format!("unknown key `{name}`; allowed: `params`"), hint));
        } else if !matches!(value.value, Value::Map(_) | Value::Null) {
            problems.push(invalid(&value, name, format!("a mapping is expected, not {}", value.shown()), None));
        }
        for (key, value) in entries(&value).iter().filter(|_| name == "params") {
            let name = key.text().unwrap_or_default();
            let path = format!("params.{name}");
            match (name, &value.value) {
                ("num_records", Value::Int(count)) if *count > 0 => rows = Some(*count as u64),
                ("num_records", Value::Null) => {}
                ("num_records", _) => {
                    problems.push(invalid(
                        value,
                        &path,
                        format!("a number of rows above 0 is expected, not {}", value.shown()),
                        None,
                    ));
                }
                _ => {
                    let hint = nearest(name, ["num_records"]).map(|near| format!("Did you mean `{near}`?"));
                    problems.push(invalid(key, &path, format!("unknown key `{name}`; allowed: `num_records`"), hint));
                }
            }
        }
    }
    rows
}

struct GretelModel {
    model: Model,
    project: Option<String>,
    generate: bool,
    rows: Option<u64>,
    gate: Option<Thresholds>,
}

impl GretelModel {
    fn new(config: &Config) -> Result<GretelModel, Failure> {
        let model = Model::of(config)
            .map_err(|_| Failure::new(Code::Internal, "a model was built from an unchecked config"))?;
        let run_params_at = config.at("run_params");
        let rows = config.tree("run_params").and_then(|tree| run_params(tree, &run_params_at, &mut Vec::new()));
        let project = config.text("project_id").map(str::to_string);
        let gate = thresholds(config.tree("publish_gate"), &config.at("publish_gate"), &mut Vec::new());
        Ok(GretelModel { model, project, generate: config.tree("run_params").is_some(), rows, gate })
    }
}

impl Step for GretelModel {
    fn run(&self, inputs: &Inputs, attempt: &Attempt<'_>) -> Result<Outcome, Failure> {
        let file =
            inputs.file("training_data").ok_or_else(|| Failure::new(Code::Internal, "a training without data"))?;
        let options = Options {
            wanted: Wanted::of(self.model.recipe.as_ref(), self.rows),
            sample_rows_max: Options::SAMPLE_ROWS_MAX,
            sample_bytes_max: Options::SAMPLE_BYTES_MAX,
            generate: self.generate,
            packed_for: None,
            judged: self.generate,
            target: None,
            holdout: None,
        };
        let data_path = attempt.folder.join("data");
        let recipe = self.model.recipe.as_ref();
        let mut synthesis = synthesize(&file.data.path, &file.source_filename, &data_path, recipe, &options, attempt)?;
        let mut outcome = Outcome::default();
        compare(&mut synthesis, attempt, &mut outcome);
        self.judge(&mut synthesis, file, attempt, &mut outcome);
        outcome.log.extend(self.model.said.iter().map(|text| ("info", text.clone())));
        outcome.log.extend(synthesis.notes.iter().map(|note| ("info", note.text.clone())));
        if synthesis.set_aside.rows > 0 {
            outcome
                .log
                .push(("warning", format!("object `{}`: set aside {}", file.source_filename, synthesis.set_aside)));
        }
        let fact = |name: &str, value: String| (name.to_string(), value);
        outcome.facts.push(fact("rows_read", synthesis.rows_read.to_string()));
        if synthesis.set_aside.rows > 0 {
            outcome.facts.push(fact("rows_set_aside", synthesis.set_aside.rows.to_string()));
        }
        self.keep(&synthesis, file, &data_path, attempt, &mut outcome)?;
        Ok(outcome)
    }

    fn target(&self, _texts: &[(&'static str, String)]) -> Option<String> {
        None
    }
}

impl GretelModel {
    /// Holds the copy against the gate. A copy that nobody judged does not pass.
    fn judge(&self, synthesis: &mut Synthesis, file: &File, attempt: &Attempt<'_>, outcome: &mut Outcome) {
        let Some(limits) = self.gate.as_ref().filter(|_| self.generate) else { return };
        let Some(report) = &mut synthesis.report else {
            outcome.refusal = Some(Failure::new(Code::GateRefused, "the copy was not judged"));
            return;
        };
        let passage = pass(report, limits, &file.source_filename, attempt.run, &attempt.history);
        report.verdict = Some(passage.verdict);
        if passage.said.0 != "info" {
            outcome.log.push(passage.said);
        }
        outcome.refusal = passage.refusal;
    }

    /// Leaves model, data and reports, and hands the data on.
    fn keep(
        &self,
        synthesis: &Synthesis,
        file: &File,
        data_path: &std::path::Path,
        attempt: &Attempt<'_>,
        outcome: &mut Outcome,
    ) -> Result<(), Failure> {
        let base = file.filename.rsplit('/').next().unwrap_or_default();
        let mut artifact = |kind: &'static str, name: String, bytes: &[u8]| {
            let path = attempt.folder.join(kind);
            std::fs::write(&path, bytes).map_err(|error| {
                Failure::new(Code::HomeUnusable, format!("the file `{}` cannot be written", path.display()))
                    .cause(error)
            })?;
            outcome.artifacts.push(Artifact { kind, name, path });
            Ok::<(), Failure>(())
        };
        let origin = Origin {
            source: file.source_filename.clone(),
            rows: synthesis.rows_read,
            seed: attempt.seed,
            model: self.model.name.clone(),
        };
        artifact("model", "model.hansel".into(), &origin.save(&synthesis.layout, synthesis.generator.as_ref()))?;
        let mut provenance = file.data.provenance.clone();
        provenance.push(("model".into(), self.model.name.clone()));
        provenance.push(("seed".into(), attempt.seed.to_string()));
        if let Some(report) = &synthesis.report {
            let mut about = vec![("run".to_string(), attempt.run.to_string())];
            about.push(("source".into(), file.source_filename.clone()));
            about.extend(provenance.iter().filter(|(name, _)| name != "source-key").cloned());
            if let Some(project) = &self.project {
                about.push(("project".into(), project.clone()));
            }
            let about = synthesis.provenance(about);
            let json = report.to_json(&about);
            let scores = scores(&json);
            artifact("report_json", "report.json".into(), format!("{json:#}\n").as_bytes())?;
            artifact("report", "report.html".into(), report.to_html(&about).as_bytes())?;
            let listed: Vec<String> = scores.iter().map(|(name, score)| format!("{name}={score}")).collect();
            if !listed.is_empty() {
                provenance.push(("scores".into(), listed.join(",")));
            }
            outcome.facts.extend(scores);
        }
        if self.generate {
            outcome.facts.push(("rows_written".into(), synthesis.rows_written.to_string()));
            let bytes = std::fs::metadata(data_path).map(|data| data.len()).unwrap_or_default();
            let data = Data { path: data_path.to_path_buf(), bytes, provenance };
            outcome.dataset = Dataset { files: vec![File { data, ..file.clone() }] };
            // Copied to where it is kept only if no destination takes it; until then it is the dataset's own file.
            outcome.artifacts.push(Artifact { kind: "data", name: safe_name(base), path: data_path.to_path_buf() });
        }
        Ok(())
    }
}

/// Sets the report beside the last one of the same object, and says what became of both.
fn compare(synthesis: &mut Synthesis, attempt: &Attempt<'_>, outcome: &mut Outcome) {
    let (Some(report), Some((run, path))) = (&mut synthesis.report, attempt.history.report) else { return };
    // A report that is gone or no longer one is no reason to fail: there is only less to say.
    let earlier = std::fs::read(path).ok().and_then(|bytes| serde_json::from_slice::<Json>(&bytes).ok());
    let Some(earlier) = earlier else { return };
    report.compare(run, &earlier);
    let Some(since) = &report.since else { return };
    let changed = |pair: [Option<f64>; 2]| match pair {
        [Some(before), Some(now)] => format!("{before:.3} then and {now:.3} now"),
        _ => "not measured both times".into(),
    };
    let drifted: Vec<String> =
        since.drifted().iter().take(5).map(|drift| format!("`{}` by {:.3}", drift.column, drift.distance)).collect();
    let moved = if drifted.is_empty() { "no column moved".into() } else { format!("moved: {}", drifted.join(", ")) };
    let (fidelity, privacy) = (changed(since.fidelity), changed(since.privacy));
    let text = format!("since run {run}: fidelity {fidelity}, privacy {privacy}; {moved}");
    outcome.log.push(("info", text));
}

/// The two overall figures of a report, as they are shown.
pub fn scores(report: &Json) -> Vec<(String, String)> {
    ["fidelity", "privacy"]
        .iter()
        .filter_map(|name| Some((name.to_string(), format!("{:.3}", report.get("overall")?.get(name)?.as_f64()?))))
        .collect()
}

/// A key's last part as a file name of any system; never empty, never a path.
fn safe_name(base: &str) -> String {
    let name: String =
        base.chars().map(|c| if c.is_control() || "/\\:*?\"<>|".contains(c) { '_' } else { c }).collect();
    let name: String = name.chars().take(80).collect();
    if name.trim_matches('.').is_empty() { "data".into() } else { name }
}
