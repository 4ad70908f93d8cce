//! A version-2 workflow tried out on few rows: nothing is kept. In: a plan and somebody who listens. Out: what is said and
//! made, as it happens.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use actions::jobs::{JobFile, JobLog, JobWork};
use actions::tasks::{StepInput, StepPlan, StepTable, StepWorkflow, check_task, records};
use serde_json::{Value, json};
use workflow::{Code, Failure};

use super::jobs::source_path;
use super::journal::{panicked, sentence};
use super::seed;
use super::steps::table_in;
use crate::memory::Memory;

/// Rows of a source that a preview looks at, and records that a model makes in it.
const ROWS: u64 = 1_000;
/// Records that are shown of a table.
const SHOWN: usize = 100;

/// Something that a preview has to say.
pub(crate) struct Said {
    /// Name of the step.
    pub(crate) step: String,
    /// `logs`, `step_outputs` or `step_states`.
    pub(crate) stream: &'static str,
    /// What kind of payload it is.
    pub(crate) kind: String,
    /// An object.
    pub(crate) payload: Value,
}

/// Runs the steps on few rows. `tell` gives whether anybody still listens.
pub(crate) fn preview(
    memory: &Memory,
    plan: &mut StepWorkflow,
    tell: &(dyn Fn(Said) -> bool + Sync),
    cancelled: &(dyn Fn() -> bool + Sync),
) -> Result<(), Failure> {
    let scratch = memory.store.scratch_dir("previews");
    std::fs::create_dir_all(&scratch).map_err(unusable)?;
    let folder = tempfile::tempdir_in(&scratch).map_err(unusable)?;
    let mut left: Vec<Option<StepTable>> = Vec::new();
    for (index, step) in plan.steps.iter_mut().enumerate() {
        step.task.small(ROWS);
        let state = |state: &str| Said {
            step: step.name.clone(),
            stream: "step_states",
            kind: "step_state_change".into(),
            payload: json!({ "state": state }),
        };
        tell(state("running"));
        let place = folder.path().join(index.to_string());
        let trial = Trial { memory, step, tell, cancelled };
        let worked = catch_unwind(AssertUnwindSafe(|| trial.run(&place, &left)))
            .unwrap_or_else(|panic| Err(panicked(panic.as_ref())));
        match worked {
            Ok(tables) => left.push(tables),
            Err(failure) => {
                let mut said = state("error");
                said.payload["msg"] = format!("{}: {}", failure.code.name(), sentence(&failure)).into();
                tell(said);
                return Ok(());
            }
        }
        tell(state("completed"));
    }
    Ok(())
}

/// One step of a preview.
struct Trial<'a> {
    memory: &'a Memory,
    step: &'a StepPlan,
    tell: &'a (dyn Fn(Said) -> bool + Sync),
    cancelled: &'a (dyn Fn() -> bool + Sync),
}

impl Trial<'_> {
    fn run(&self, folder: &Path, left: &[Option<StepTable>]) -> Result<Option<StepTable>, Failure> {
        std::fs::create_dir_all(folder).map_err(unusable)?;
        let (mut inputs, held) = (Vec::new(), RefCell::default());
        for (index, input) in self.step.inputs.iter().enumerate() {
            inputs.push(match input {
                StepInput::Step(place) => left
                    .get(*place)
                    .cloned()
                    .flatten()
                    .ok_or_else(|| Failure::new(Code::Internal, format!("step {} left no table", place + 1)))?,
                StepInput::File(id) if self.step.task.reads().is_some() => {
                    StepTable { data: source_path(self.memory, id, &held)?, holdout: None }
                }
                StepInput::File(id) => self.cut(id, &folder.join(format!("input-{index}")))?,
            });
        }
        self.step.task.run(&inputs, &self.work(folder, &|line| self.log(line)))?;
        let tables = table_in(folder, &self.step.name);
        let (kind, payload) = match &tables {
            Some(tables) => ("dataset", json!({ "dataset": records(&tables.data, SHOWN)? })),
            None => (self.step.kind.output, report(&folder.join("report.json"))),
        };
        let step = self.step.name.clone();
        (self.tell)(Said { step, stream: "step_outputs", kind: kind.into(), payload });
        Ok(tables)
    }

    /// The first rows of a file that a step would read whole.
    fn cut(&self, id: &str, folder: &Path) -> Result<StepTable, Failure> {
        let held = RefCell::default();
        let source: JobFile = source_path(self.memory, id, &held)?;
        std::fs::create_dir_all(folder).map_err(unusable)?;
        let mut task = check_task("data_source", &json!({ "data_source": id }), &Value::Null)
            .map_err(|_| Failure::new(Code::Internal, "a data source is not read"))?;
        task.small(ROWS);
        let name = source.name.clone();
        task.run(&[StepTable { data: source, holdout: None }], &self.work(folder, &|_| {}))?;
        table_in(folder, &name).ok_or_else(|| Failure::new(Code::Internal, "a data source left no table"))
    }

    fn work<'b>(&'b self, folder: &'b Path, log: &'b (dyn Fn(JobLog) + Sync)) -> JobWork<'b> {
        JobWork { folder, seed: seed::of_text(&self.step.name), cancelled: self.cancelled, log }
    }

    fn log(&self, line: JobLog) {
        let (level, msg) = match line.msg.strip_prefix("warning: ") {
            Some(msg) => ("warn", msg.to_string()),
            None => ("info", line.msg),
        };
        let payload = json!({ "level": level, "msg": msg });
        (self.tell)(Said { step: self.step.name.clone(), stream: "logs", kind: "log_line".into(), payload });
    }
}

/// The scores of a report, without its details.
fn report(path: &Path) -> Value {
    let bytes = std::fs::read(path).unwrap_or_default();
    let mut report: Value = serde_json::from_slice(&bytes).unwrap_or_else(|_| json!({}));
    if let Value::Object(scores) = &mut report {
        scores.remove("hansel");
    }
    report
}

fn unusable(error: std::io::Error) -> Failure {
    Failure::new(Code::HomeUnusable, "a preview has no room to work in").cause(error)
}
