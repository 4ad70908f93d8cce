//! The model type `evaluate`: a synthetic table judged against the real one. In: the body under the key and the tables.
//! Out: a report, and all documents that an evaluation has.

use quality::{Ask, CompatSettings, Downstream, Evidence, Family, MEASURES, Measure, Provenance, Report, judge_with};
use serde_json::{Map, Value as Json};
use table::Table;
use workflow::nearest;

use crate::gretel_model::{ModelProblem, the_one_model};
use crate::synthesis::split_off;

/// What an evaluation is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Quality and privacy.
    Quality,
    /// As `Quality`, and what a class can be predicted by.
    Classification,
    /// As `Quality`, and what a number can be predicted by.
    Regression,
}

/// A checked `evaluate` config.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// What it is for.
    pub task: Task,
    /// The column that is predicted.
    pub target: Option<String>,
    /// The share of the real table that is held out where no holdout is given and something is predicted.
    pub holdout: f64,
    /// The measure by which models that predict are ranked and scored; accuracy or R squared where there is none.
    pub metric: Option<String>,
    /// The models that predict; all where the list is empty.
    pub models: Vec<String>,
    /// Parameters of the documented scores.
    pub compat: CompatSettings,
    /// The synthetic table, as the config names it.
    pub data_source: Option<String>,
    /// The real table and the holdout, as the config names them.
    pub ref_data: [Option<String>; 2],
}

impl Default for Evaluation {
    fn default() -> Evaluation {
        Evaluation {
            task: Task::Quality,
            target: None,
            holdout: 0.2,
            metric: None,
            models: Vec::new(),
            compat: CompatSettings::default(),
            data_source: None,
            ref_data: [None, None],
        }
    }
}

/// Names of a placeholder where a config has no data yet.
const PLACEHOLDERS: [&str; 4] = ["__tmp__", "__temp__", "_", ""];

impl Evaluation {
    /// Reads the body under `evaluate`; every key or value that is not allowed is a problem, by its path below the body.
    pub fn configured(body: &Map<String, Json>) -> Result<Evaluation, Vec<ModelProblem>> {
        let mut reader = Reader { problems: Vec::new() };
        let mut read = Evaluation::default();
        let keys = ["data_source", "ref_data", "params", "privacy_metrics", "pii_replay", "task", "skip"];
        for (key, value) in reader.known(body, "", &keys) {
            match key {
                "data_source" => read.data_source = source(value),
                "ref_data" => read.ref_data = references(value),
                "params" => reader.params(value, &mut read),
                "privacy_metrics" => {
                    let keys = ["quasi_identifier_count", "skip", "skip_mia", "skip_aia"];
                    for (key, value) in reader.mapping(value, "privacy_metrics", &keys) {
                        let path = format!("privacy_metrics.{key}");
                        match key {
                            "quasi_identifier_count" => {
                                if let Some(count) = reader.whole(value, &path, 1) {
                                    read.compat.quasi_identifier_count = count;
                                }
                            }
                            "skip" if reader.truth(value, &path) => {
                                (read.compat.skip_membership, read.compat.skip_attributes) = (true, true);
                            }
                            "skip_mia" => read.compat.skip_membership |= reader.truth(value, &path),
                            "skip_aia" => read.compat.skip_attributes |= reader.truth(value, &path),
                            _ => {}
                        }
                    }
                }
                "pii_replay" => {
                    for (key, value) in reader.mapping(value, "pii_replay", &["skip", "entities"]) {
                        match key {
                            "skip" => read.compat.skip_replay = reader.truth(value, "pii_replay.skip"),
                            _ => read.compat.replay_entities = reader.words(value, "pii_replay.entities"),
                        }
                    }
                }
                "task" => {
                    for (_, value) in reader.mapping(value, "task", &["type"]) {
                        reader.task(value, &mut read);
                    }
                }
                _ => reader.refuse_truth(value, "skip", "an evaluation that is skipped has nothing to do"),
            }
        }
        reader.predicted(&read);
        if reader.problems.is_empty() { Ok(read) } else { Err(reader.problems) }
    }

    /// Reads a whole model config whose one model is `evaluate`.
    pub fn of_config(config: &Json) -> Result<Evaluation, Vec<ModelProblem>> {
        let (key, body) = the_one_model(config)?;
        if key != "evaluate" {
            return Err(vec![(format!("models[0].{key}"), format!("`{key}` is no evaluation; `evaluate` is"), None)]);
        }
        let below = |path: String| {
            if path.is_empty() { "models[0].evaluate".into() } else { format!("models[0].evaluate.{path}") }
        };
        Evaluation::configured(&body).map_err(|problems| {
            problems.into_iter().map(|(path, message, hint)| (below(path), message, hint)).collect()
        })
    }

    /// Judges. Where something is to be predicted and no holdout is given, a share of the real rows is held out by `seed`.
    pub fn judge(&self, real: &Table, synthetic: &Table, holdout: Option<&Table>, seed: u64) -> Report {
        let parted = match holdout {
            None if self.task != Task::Quality => {
                let wanted = (real.rows() as f64 * self.holdout) as usize;
                let (kept, held) = split_off(real, &[], wanted, seed);
                held.map(|held| (kept, held))
            }
            _ => None,
        };
        let (training, holdout) = match &parted {
            Some((training, held)) => (training, Some(held)),
            None => (real, holdout),
        };
        let evidence = Evidence {
            training,
            synthetic,
            holdout,
            target: self.target.as_deref(),
            constraints: &[],
            made: &[],
            seed,
        };
        judge_with(&evidence, &self.compat)
    }

    /// What the target can be predicted by, where the task asks for it. Trains models: call it once.
    pub fn downstream(&self, report: &Report) -> Option<Downstream> {
        let task = self.task.downstream()?;
        let families = self.models.iter().filter_map(|name| Family::named(name, task));
        let ask = Ask {
            task,
            target: self.target.clone()?,
            measure: self.measure(task)?,
            families: families.collect(),
            rows_max: self.compat.rows_max,
        };
        Some(report.downstream(&ask))
    }

    /// The measure that is named, else the first of the task.
    fn measure(&self, task: quality::Task) -> Option<&'static Measure> {
        let name = self.metric.as_ref().map(|name| name.to_lowercase());
        let wanted = |measure: &&Measure| name.as_ref().is_none_or(|name| measure.name == name);
        MEASURES.iter().filter(|measure| measure.task == task).find(wanted)
    }
}

/// A document of an evaluation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The documented type of artifact, such as `classification_report_json`.
    pub kind: &'static str,
    /// The documented file name, not packed: with `.gz` behind it where it is.
    pub file: &'static str,
    /// What is in it.
    pub bytes: Vec<u8>,
    /// Whether the documented service has it for this task. Clients take the first report that they find for the report
    /// of the job, and look for `report_json` first: a server should not offer the others.
    pub of_task: bool,
}

/// All documents of an evaluation: the report with its documented JSON, and, where something was predicted, the report on
/// that.
pub fn documents(report: &Report, downstream: Option<&Downstream>, about: &Provenance) -> Vec<Document> {
    let lines = |value: Json| format!("{value:#}\n").into_bytes();
    let (page, json) = (report.to_html(about).into_bytes(), lines(report.to_legacy_json()));
    let alone = downstream.is_none();
    let mut documents = vec![
        Document { kind: "report", file: "report.html", bytes: page, of_task: alone },
        Document { kind: "report_json", file: "report_json.json", bytes: json, of_task: alone },
    ];
    if let Some(downstream) = downstream {
        let [(page, page_file), (json, json_file)] = match downstream.task() {
            quality::Task::Classification => [
                ("classification_report", "classification_report.html"),
                ("classification_report_json", "classification_report_json.json"),
            ],
            quality::Task::Regression => [
                ("regression_report", "regression_report.html"),
                ("regression_report_json", "regression_report_json.json"),
            ],
        };
        let bytes = downstream.to_html(about).into_bytes();
        documents.push(Document { kind: page, file: page_file, bytes, of_task: true });
        documents.push(Document { kind: json, file: json_file, bytes: lines(downstream.to_json()), of_task: true });
    }
    documents
}

impl Task {
    /// What is predicted, if anything.
    fn downstream(self) -> Option<quality::Task> {
        match self {
            Task::Quality => None,
            Task::Classification => Some(quality::Task::Classification),
            Task::Regression => Some(quality::Task::Regression),
        }
    }
}

/// A name of data, unless it is a placeholder; of a list the first.
pub(crate) fn source(value: &Json) -> Option<String> {
    let text = value.as_str().or_else(|| value.as_array()?.first()?.as_str())?;
    (!PLACEHOLDERS.contains(&text)).then(|| text.to_string())
}

/// The real table and the holdout: a name, a list of names, or a mapping with `0` and `1`.
fn references(value: &Json) -> [Option<String>; 2] {
    match value {
        Json::Array(list) => [0, 1].map(|at| source(list.get(at)?)),
        Json::Object(map) => {
            let find = |names: [&str; 2]| names.iter().find_map(|name| source(map.get(*name)?));
            [find(["0", "train"]), find(["1", "test"])]
        }
        other => [source(other), None],
    }
}

/// Collects what is wrong.
struct Reader {
    problems: Vec<ModelProblem>,
}

impl Reader {
    fn fault(&mut self, path: &str, message: String, hint: Option<String>) {
        self.problems.push((path.into(), message, hint));
    }

    /// The entries of a mapping whose keys are allowed and whose values are not null.
    fn known<'a>(
        &mut self,
        map: &'a Map<String, Json>,
        path: &str,
        keys: &[&'static str],
    ) -> Vec<(&'static str, &'a Json)> {
        let mut found = Vec::new();
        for (key, value) in map {
            match keys.iter().find(|known| *known == key) {
                Some(_) if value.is_null() => {}
                Some(known) => found.push((*known, value)),
                None => {
                    let at = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                    let allowed: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
                    let hint = nearest(key, keys.iter().copied()).map(|near| format!("Did you mean `{near}`?"));
                    self.fault(&at, format!("unknown key `{key}`; allowed: {}", allowed.join(", ")), hint);
                }
            }
        }
        found
    }

    fn mapping<'a>(&mut self, value: &'a Json, path: &str, keys: &[&'static str]) -> Vec<(&'static str, &'a Json)> {
        match value {
            Json::Object(map) => self.known(map, path, keys),
            other => {
                self.fault(path, format!("a mapping is expected, not {other}"), None);
                Vec::new()
            }
        }
    }

    fn params(&mut self, value: &Json, read: &mut Evaluation) {
        let keys = [
            "sqs_report_rows",
            "sqs_report_columns",
            "correlation_columns",
            "mandatory_columns",
            "target",
            "holdout",
            "metric",
            "models",
            "task",
        ];
        for (key, value) in self.mapping(value, "params", &keys) {
            let path = format!("params.{key}");
            match key {
                "sqs_report_rows" => read.compat.rows_max = self.whole(value, &path, 0).unwrap_or(5_000),
                "sqs_report_columns" => read.compat.columns_max = self.whole(value, &path, 0).unwrap_or(250),
                "correlation_columns" => {
                    read.compat.correlation_columns_max = self.whole(value, &path, 0).unwrap_or(75);
                }
                "mandatory_columns" => read.compat.mandatory_columns = self.words(value, &path),
                "target" => match value.as_str() {
                    Some(target) => read.target = Some(target.into()),
                    None => self.fault(&path, format!("the name of a column is expected, not {value}"), None),
                },
                "holdout" => match value.as_f64().filter(|share| *share > 0.0 && *share < 1.0) {
                    Some(share) => read.holdout = share,
                    None => self.fault(&path, format!("a share between 0 and 1 is expected, not {value}"), None),
                },
                "task" => self.task(value, read),
                "metric" => match value.as_str() {
                    Some(metric) => read.metric = Some(metric.into()),
                    None => self.fault(&path, format!("the name of a measure is expected, not {value}"), None),
                },
                // An empty list is the documented way to say all.
                _ => read.models = self.words(value, &path),
            }
        }
    }

    /// What only a task can tell: whether there is a target, a measure and models of these names.
    fn predicted(&mut self, read: &Evaluation) {
        if read.task != Task::Quality && read.target.is_none() {
            self.fault("params.target", "a column to predict is needed".into(), None);
        }
        // Where nothing is predicted a name of either task is as good as none.
        let tasks = match read.task.downstream() {
            Some(task) => vec![task],
            None => vec![quality::Task::Classification, quality::Task::Regression],
        };
        if let Some(metric) = &read.metric
            && tasks.iter().all(|task| read.measure(*task).is_none())
        {
            let known = MEASURES.iter().filter(|measure| tasks.contains(&measure.task)).map(|measure| measure.name);
            self.unknown("params.metric", metric, "measure", &known.collect::<Vec<_>>());
        }
        for model in &read.models {
            if tasks.iter().all(|task| Family::named(model, *task).is_none()) {
                let mut known: Vec<&str> = Vec::new();
                let names = tasks.iter().flat_map(|task| Family::names(*task));
                names.for_each(|name| {
                    if !known.contains(&name) {
                        known.push(name)
                    }
                });
                self.unknown("params.models", model, "model", &known);
            }
        }
    }

    fn unknown(&mut self, path: &str, name: &str, what: &str, known: &[&str]) {
        let allowed: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
        let hint = nearest(name, known.iter().copied()).map(|near| format!("Did you mean `{near}`?"));
        self.fault(path, format!("`{name}` is no {what}; these are: {}", allowed.join(", ")), hint);
    }

    fn task(&mut self, value: &Json, read: &mut Evaluation) {
        read.task = match value.as_str() {
            Some("sqs" | "text") => Task::Quality,
            Some("classification") => Task::Classification,
            Some("regression") => Task::Regression,
            _ => {
                let message = format!("{value} is no task; these are: `sqs`, `classification`, `regression`, `text`");
                return self.fault("task.type", message, None);
            }
        };
    }

    fn whole(&mut self, value: &Json, path: &str, least: u64) -> Option<usize> {
        let found = value.as_u64().filter(|count| *count >= least);
        if found.is_none() {
            self.fault(path, format!("a whole number from {least} is expected, not {value}"), None);
        }
        found.map(|count| count as usize)
    }

    fn truth(&mut self, value: &Json, path: &str) -> bool {
        if !value.is_boolean() {
            self.fault(path, format!("true or false is expected, not {value}"), None);
        }
        value.as_bool().unwrap_or(false)
    }

    fn refuse_truth(&mut self, value: &Json, path: &str, message: &str) {
        if self.truth(value, path) {
            self.fault(path, message.into(), None);
        }
    }

    fn words(&mut self, value: &Json, path: &str) -> Vec<String> {
        let words: Option<Vec<String>> =
            value.as_array().and_then(|list| list.iter().map(|word| word.as_str().map(String::from)).collect());
        if words.is_none() {
            self.fault(path, format!("a list of texts is expected, not {value}"), None);
        }
        words.unwrap_or_default()
    }
}
