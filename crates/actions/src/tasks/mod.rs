//! Tasks: the steps of version-2 workflows. A config and the tables of earlier steps come in; tables as Parquet, reports and
//! models are left in a folder. Which project, who asks, when: the caller's. Never a network, a database or a clock.

mod data;
mod evaluate;
mod model;
mod plan;

use serde_json::{Map, Value as Json};
use workflow::Failure;

use crate::gretel_model::ModelProblem;
use crate::jobs::{JobFile, JobWork};

pub use data::records;
pub use plan::{StepInput, StepPlan, StepWorkflow, check_task, plan_steps};

/// What a finished step may have left: type of the artifact, name of its file in the step's folder.
pub static STEP_ARTIFACTS: &[(&str, &str)] = &[
    ("dataset", "dataset.parquet"),
    ("holdout", "holdout.parquet"),
    ("model", "model.hansel"),
    ("report", "report.html"),
    ("report_json", "report.json"),
];

/// A kind of step.
pub struct TaskType {
    /// As configs name it.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
    /// What it gives: `dataset`, or the task's own name for a report.
    pub output: &'static str,
    /// Fewest and most inputs.
    pub inputs: (usize, usize),
    /// Checks a config; `globals` are those of the whole workflow. Every problem is given, by its path in the config.
    pub(crate) check: CheckTask,
}

/// Checks a config beside the globals of its workflow.
type CheckTask = fn(&Map<String, Json>, globals: &Json) -> Result<Box<dyn Task>, Vec<ModelProblem>>;

/// A checked step, ready to run.
pub trait Task: Send + Sync {
    /// Does the work and leaves its files in the folder of `work`. Inputs come in the order of the step's config.
    ///
    /// Fails with `data.*` where an input is no table, `model.failed` where no model can be trained, `usage` where inputs do
    /// not go together, `run.cancelled` when asked to stop.
    fn run(&self, inputs: &[StepTable], work: &JobWork<'_>) -> Result<(), Failure>;

    /// The file that it reads by itself, as the config names it.
    fn reads(&self) -> Option<&str> {
        None
    }

    /// The same step made small, for a preview: at most this many records.
    fn small(&mut self, _records: u64) {}
}

/// A table that a step is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepTable {
    /// The table itself.
    pub data: JobFile,
    /// What an earlier step held out of it, in the same layout.
    pub holdout: Option<JobFile>,
}

/// Every task that is offered.
pub static TASKS: &[&TaskType] =
    &[&data::DATA_SOURCE, &data::HOLDOUT, &model::TABULAR_FT, &model::TABULAR_GAN, &evaluate::EVALUATE];

const LANGUAGE: &str = "needs a language model, which this server has none of";
const CONNECTOR: &str = "is offered in workflows of `actions`, which crawl whole buckets, and not as a step";

/// Documented tasks that are not offered, each with why.
pub static TASKS_REFUSED: &[(&str, &str)] = &[
    ("text_ft", LANGUAGE),
    ("generate_column_from_template", LANGUAGE),
    ("generate_dataset_from_sample_records", LANGUAGE),
    ("evaluate_dataset", LANGUAGE),
    ("judge_with_llm", LANGUAGE),
    ("prompt_pretrained_model", LANGUAGE),
    ("extract_data_seeds_from_sample_records", LANGUAGE),
    ("transform", "transforms a table by rules, which is not offered"),
    ("s3_source", CONNECTOR),
    ("s3_destination", CONNECTOR),
];
