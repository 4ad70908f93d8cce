//! Record handlers: a trained model's folder, a number of records or a table of seeds come in; records are left.

use serde_json::{Value as Json, json};
use workflow::{Failure, nearest};

use std::path::Path;

use super::config::{Asked, ModelJob, Training};
use super::csv::write_csv;
use super::leave::{Leaving, unpacked};
use super::told::Teller;
use super::train::MODEL_FILE;
use super::{JobInputs, JobWork, MODEL_ARTIFACTS};
use crate::ModelFile;
use crate::drawing::{Drawing, Wanted};
use crate::gretel_model::ModelProblem;

/// Most records of one handler.
const RECORDS_MAX: u64 = 1_000_000_000_000;
/// Params of every model, and what they are about.
const COMMON: &[&str] = &["num_records", "num_records_multiplier", "max_invalid", "max_tries"];
/// Params that steer how a language model writes.
const WRITING: &[&str] = &["temperature", "top_p", "repetition_penalty", "use_structured_generation", "stop_params"];

/// A checked record handler.
pub struct HandlerJob {
    wanted: Wanted,
    /// Records per record of the training data, where that is what was asked for.
    times: Option<f64>,
    /// Sentences for the log.
    said: Vec<String>,
}

impl HandlerJob {
    /// Checks the `params` of a handler, which may be null and whose values may be texts; `seeded` is whether it has a data
    /// source. Every problem is given, with its path.
    pub fn check(model: &ModelJob, params: &Json, seeded: bool) -> Result<HandlerJob, Vec<ModelProblem>> {
        let training = match &model.asked {
            Asked::Training(training) => training,
            Asked::Evaluation(..) => {
                return Err(vec![(String::new(), "an `evaluate` model has no records to give".into(), None)]);
            }
        };
        let mut read = Read { problems: Vec::new(), said: Vec::new(), rows: None, times: None };
        match params {
            Json::Object(map) => map.iter().for_each(|(name, value)| read.take(model.kind(), name, value)),
            Json::Null => {}
            other => read.problems.push(("params".into(), format!("a mapping is expected, not {other}"), None)),
        }
        if read.rows.is_some() && read.times.is_some() {
            let message = "`num_records` and `num_records_multiplier` are both given; one of them is expected";
            read.problems.push(("params.num_records_multiplier".into(), message.into(), None));
        }
        if seeded && !training.recipe.group_by().is_empty() {
            let message = "rows that belong together are drawn by groups, and no columns can be given with them";
            let hint = "Leave out the seeds, or train without `group_training_examples_by`.";
            read.problems.push(("data_source".into(), message.into(), Some(hint.into())));
        }
        if read.problems.is_empty() { Ok(read.job(training, seeded)) } else { Err(read.problems) }
    }

    /// Draws from the model that a training left in `model_folder`, and leaves the records in the folder of `work`. With
    /// data: one record for each row, whose columns are kept.
    ///
    /// Fails with `model.unreadable` where the folder has no model of ours, with `usage` or `data.*` where seeds do not go
    /// with it, `run.cancelled` when asked to stop.
    pub fn run(&self, model_folder: &Path, inputs: &JobInputs, work: &JobWork<'_>) -> Result<(), Failure> {
        let teller = Teller::new(work, None);
        self.said.iter().for_each(|text| teller.say("pre", text));
        let (_, archive) = MODEL_ARTIFACTS.iter().find(|known| known.0 == "model").expect("a model is an artifact");
        let model = ModelFile::from_bytes(MODEL_FILE, &unpacked(&model_folder.join(archive), MODEL_FILE)?)?;
        let mut leaving = Leaving::in_folder(work.folder)?;
        let progress = |at: workflow::Progress| teller.progress(at);
        let aside = leaving.aside.clone();
        let attempt = work.attempt(&aside, &progress);
        attempt.go_on()?;
        let generator = model.generator.as_ref();
        let rows = self.times.map_or(model.origin.rows, |times| (model.origin.rows as f64 * times).round() as u64);
        let drawing = match &inputs.data {
            Some(seeds) => Drawing::seeded(generator, &seeds.path, &seeds.name, work.seed)?,
            None => Drawing::of(generator, &self.wanted, rows.max(1), work.seed)?,
        };
        write_csv(&drawing, &generator.header(), &leaving.place("data"), &attempt)?;
        let columns = generator.header().columns();
        let report = json!({
            "summary": [
                { "field": "record_count", "value": drawing.total },
                { "field": "field_count", "value": columns },
            ],
            "record_count": drawing.total, "field_count": columns,
        });
        leaving.pack("run_report_json", format!("{report}\n").as_bytes())?;
        leaving.finish()?;
        teller.figures(
            "post",
            "records are ready",
            json!({ "num_records_success": drawing.total, "num_records_invalid": 0 }),
        );
        Ok(())
    }
}

/// What was read of the params.
struct Read {
    problems: Vec<ModelProblem>,
    said: Vec<String>,
    rows: Option<u64>,
    times: Option<f64>,
}

impl Read {
    fn take(&mut self, kind: &str, name: &str, value: &Json) {
        let writes = matches!(kind, "navigator_ft" | "tabular_ft");
        let known: Vec<&str> = COMMON.iter().chain(WRITING.iter().filter(|_| writes)).copied().collect();
        let path = format!("params.{name}");
        if !known.contains(&name) {
            let allowed: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
            let hint = nearest(name, known.iter().copied()).map(|near| format!("Did you mean `{near}`?"));
            let message =
                format!("`{name}` is not a parameter of a `{kind}` model's records; allowed: {}", allowed.join(", "));
            return self.problems.push((path, message, hint));
        }
        let number = match value {
            Json::Null => return,
            Json::String(text) if matches!(text.trim(), "" | "null" | "None") => return,
            Json::String(text) => text.trim().parse().ok(),
            other => other.as_f64(),
        };
        let whole = number.filter(|number: &f64| number.fract() == 0.0 && *number <= RECORDS_MAX as f64);
        let mut expect =
            |what: &str| self.problems.push((path.clone(), format!("{what} is expected, not {value}"), None));
        match name {
            "num_records" => match whole.filter(|&rows| rows >= 1.0) {
                Some(rows) => self.rows = Some(rows as u64),
                None => expect(&format!("a number of records from 1 to {RECORDS_MAX}")),
            },
            "num_records_multiplier" => match number.filter(|times| *times > 0.0 && *times <= 1e6) {
                Some(times) => self.times = Some(times),
                None => expect("a number above 0 and up to 1000000"),
            },
            "max_invalid" | "max_tries" => {
                if whole.is_none_or(|count| count < 0.0) {
                    expect("a whole number from 0");
                } else {
                    self.said.push(format!("`{path}` needs no setting: every record that is drawn is valid."));
                }
            }
            _ => self.said.push(format!("`{path}` has no meaning for the tabular engine, which writes no text.")),
        }
    }

    fn job(mut self, training: &Training, seeded: bool) -> HandlerJob {
        if seeded && (self.rows.is_some() || self.times.is_some()) {
            self.said.push("`num_records` is passed over: each seed gives one record.".into());
        }
        // Without a number the records are as many as those of the preview.
        let rows = self.rows.or(training.recipe.num_records().filter(|_| self.times.is_none()));
        HandlerJob { wanted: Wanted::of(training.recipe.as_ref(), rows), times: self.times, said: self.said }
    }
}
