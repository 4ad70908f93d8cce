//! Models and record handlers as single jobs: a config as clients write it, local files and a folder come in; a trained
//! model, records and reports are left in the folder under their documented names. Which project, who asks, when: the
//! caller's. Never a network, a database or a clock.

mod config;
mod csv;
pub(crate) mod defaults;
pub(crate) mod evaluate;
mod handler;
mod leave;
pub(crate) mod told;
mod train;

use std::path::{Path, PathBuf};

use serde_json::Value as Json;
use workflow::Attempt;

pub use config::ModelJob;
pub use handler::HandlerJob;

/// What a finished model may have left: type of the artifact, name of its file. `model_logs` is the caller's to write.
pub static MODEL_ARTIFACTS: &[(&str, &str)] = &[
    ("model", "model.tar.gz"),
    ("data_preview", "data_preview.gz"),
    ("report", "report.html.gz"),
    ("report_json", "report_json.json.gz"),
    ("classification_report", "classification_report.html.gz"),
    ("classification_report_json", "classification_report_json.json.gz"),
    ("regression_report", "regression_report.html.gz"),
    ("regression_report_json", "regression_report_json.json.gz"),
    ("text_metrics_report", "text_metrics_report.html.gz"),
    ("text_metrics_report_json", "text_metrics_report_json.json.gz"),
    ("model_logs", "logs.json.gz"),
];

/// What a finished record handler may have left: type of the artifact, name of its file. `run_logs` is the caller's to
/// write, and nothing here makes `output_files`.
pub static HANDLER_ARTIFACTS: &[(&str, &str)] = &[
    ("data", "data.gz"),
    ("run_report_json", "run_report_json.json.gz"),
    ("run_logs", "logs.json.gz"),
    ("output_files", "output_files.tar.gz"),
];

/// A local file and the name that its owner knows it by, whose extension helps to tell the format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobFile {
    /// Where it lies.
    pub path: PathBuf,
    /// Its name in messages and reports.
    pub name: String,
}

/// The data of a job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobInputs {
    /// What `data_source` stands for: the table to train on, the synthetic table of an evaluation, or the seeds of a handler.
    pub data: Option<JobFile>,
    /// What `ref_data` stands for, under its keys.
    pub refs: Vec<(String, JobFile)>,
}

/// What a job may use of the world.
pub struct JobWork<'a> {
    /// Where the files are left. They appear together when the job succeeds; a failed or cancelled one leaves none.
    pub folder: &'a Path,
    /// Decides what is held out and every draw: with the same seed the same bytes.
    pub seed: u64,
    /// Whether the user asked to stop.
    pub cancelled: &'a (dyn Fn() -> bool + Sync),
    /// Told what is to stand in the job's log; may be called from several threads, one after the other.
    pub log: &'a (dyn Fn(JobLog) + Sync),
}

/// One line of a job's log.
#[derive(Clone, Debug, PartialEq)]
pub struct JobLog {
    /// Where in the job it was said: `pre`, `train`, `pre_run`, `run` or `post`.
    pub stage: &'static str,
    /// The text.
    pub msg: String,
    /// Figures that go with it, always an object. `num_epochs` at `pre` and `epoch` at `train`, `num_records` at `pre_run`
    /// and `current_valid_count` at `run` are what clients draw their bars by.
    pub ctx: Json,
}

impl JobWork<'_> {
    /// The work as actions see it, its own folder being `folder`.
    pub(crate) fn attempt<'b>(
        &'b self,
        folder: &'b Path,
        progress: &'b (dyn Fn(workflow::Progress) + Sync),
    ) -> Attempt<'b> {
        Attempt { seed: self.seed, folder, progress, ..Attempt::silent("", self.cancelled) }
    }
}
