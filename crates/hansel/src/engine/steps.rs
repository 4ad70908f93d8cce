//! Version-2 workflows: steps one after the other, each on tables of those before it. In: a run that waits. Out: events,
//! tasks, and the files of every step that was finished. Nothing is published, so a run that a crash cut off begins anew.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use actions::jobs::{JobFile, JobLog, JobWork};
use actions::tasks::{STEP_ARTIFACTS, StepInput, StepPlan, StepTable, StepWorkflow, plan_steps};
use store::{ArtifactRow, DoneMark, Run, UnitKey};
use workflow::{Code, Event, Failure, RunStatus};

use super::jobs::source_path;
use super::journal::{Journal, panicked};
use super::seed;
use super::unit::{Failed, unit_folder};
use crate::memory::Memory;

/// The version-2 workflow that a text describes; `None` where it describes another.
pub(crate) fn read_steps(text: &str) -> Option<Result<StepWorkflow, Vec<actions::ModelProblem>>> {
    let root = workflow::parse(text).ok()?;
    if root.get("steps").is_none() || root.get("actions").is_some() {
        return None;
    }
    Some(plan_steps(&root.to_json()))
}

/// Name and task of every step.
pub(crate) fn tasks_of(plan: &StepWorkflow) -> Vec<(&str, &str)> {
    plan.steps.iter().map(|step| (step.name.as_str(), step.kind.name)).collect()
}

/// Where a run has to be told of a stop, and of the end of the process.
pub(crate) struct Stops<'a> {
    pub(crate) cancelled: &'a (dyn Fn() -> bool + Sync),
    pub(crate) leaving: &'a (dyn Fn() -> bool + Sync),
}

/// Runs the steps to their end.
pub(crate) fn run_steps(
    memory: &Memory,
    run: &Run,
    plan: &StepWorkflow,
    workflow_seed: u64,
    journal: &Journal<'_>,
    stops: &Stops<'_>,
) -> Result<(), Failure> {
    let names = plan.steps.iter().map(|step| step.name.clone()).collect();
    journal.step_tasks(names, &tasks_of(plan))?;
    journal.status(&Event::Started { resumed: run.started_at.is_some() }, RunStatus::Active, "")?;
    let unit = UnitKey { branch: plan.steps[0].name.clone(), bucket: String::new(), key: plan.name.clone() };
    let event = Event::Crawled { action: unit.branch.clone(), listed: 1, taken: 1 };
    journal.crawled(&event, &[(unit.clone(), run.id.clone())])?;
    journal.append(&Event::UnitStarted { key: unit.key.clone() })?;
    let scratch = memory.store.scratch_dir(&run.id);
    let _ = std::fs::remove_dir_all(&scratch);
    let mut rows = Vec::new();
    let mut left = Vec::new();
    let mut failed = None;
    for (index, step) in plan.steps.iter().enumerate() {
        let work = StepAtWork { memory, journal, step, unit: &unit, folder: scratch.join(format!("step-{index}")) };
        let worked = catch_unwind(AssertUnwindSafe(|| {
            work.run(&left, seed::of_text(&format!("{workflow_seed} {}", step.name)), stops.cancelled)
        }))
        .unwrap_or_else(|panic| Err(panicked(panic.as_ref())))
        .and_then(|()| work.keep(&memory.store.artifacts_dir(&run.id), index));
        match worked {
            Ok((kept, tables)) => {
                left.push(tables);
                rows.extend(kept);
            }
            Err(failure) => {
                failed = Some(Failed::of(&step.name, failure));
                break;
            }
        }
    }
    let _ = std::fs::remove_dir_all(&scratch);
    finish(journal, run, &unit, (rows, failed), stops)
}

fn finish(
    journal: &Journal<'_>,
    run: &Run,
    unit: &UnitKey,
    (rows, failed): (Vec<ArtifactRow>, Option<Failed>),
    stops: &Stops<'_>,
) -> Result<(), Failure> {
    match failed {
        None => {
            journal.done(unit, &run.id, &DoneMark { targets: Vec::new(), artifacts: rows })?;
            journal.ended(RunStatus::Completed, "")
        }
        // The journal stays as it is: the next start takes the run up.
        Some(failed) if failed.failure.code == Code::RunCancelled && (stops.leaving)() => Ok(()),
        Some(failed) if failed.failure.code == Code::RunCancelled => journal.ended(RunStatus::Cancelled, "cancelled"),
        Some(mut failed) => {
            failed.artifacts = rows.into();
            journal.failed(unit, &failed)?;
            journal.ended(RunStatus::Error, &format!("step `{}` failed: {}", failed.action, failed.failure))
        }
    }
}

/// One step of a run.
struct StepAtWork<'a> {
    memory: &'a Memory,
    journal: &'a Journal<'a>,
    step: &'a StepPlan,
    unit: &'a UnitKey,
    folder: PathBuf,
}

impl StepAtWork<'_> {
    fn run(&self, left: &[Option<StepTable>], seed: u64, cancelled: &(dyn Fn() -> bool + Sync)) -> Result<(), Failure> {
        if cancelled() {
            return Err(Failure::new(Code::RunCancelled, "the run was cancelled"));
        }
        self.journal.begun(&self.step.name)?;
        let _ = std::fs::remove_dir_all(&self.folder);
        std::fs::create_dir_all(&self.folder).map_err(unusable)?;
        let held = RefCell::default();
        let input = |input: &StepInput| match input {
            StepInput::Step(place) => left
                .get(*place)
                .cloned()
                .flatten()
                .ok_or_else(|| Failure::new(Code::Internal, format!("step {} left no table", place + 1))),
            StepInput::File(id) => Ok(StepTable { data: source_path(self.memory, id, &held)?, holdout: None }),
        };
        let inputs = self.step.inputs.iter().map(input).collect::<Result<Vec<_>, Failure>>()?;
        let log = |line: JobLog| {
            let (level, text) = match line.msg.strip_prefix("warning: ") {
                Some(text) => ("warning", text.to_string()),
                None => ("info", line.msg),
            };
            let (action, key) = (self.step.name.clone(), String::new());
            // A line that cannot be kept is no reason to lose the work.
            let _ = self.journal.append(&Event::Log { level: level.into(), action, key, text });
        };
        self.step.task.run(&inputs, &JobWork { folder: &self.folder, seed, cancelled, log: &log })
    }

    /// Moves what the step left to where it is kept; gives the records of it and the tables for the steps behind.
    fn keep(&self, artifacts: &Path, index: usize) -> Result<(Vec<ArtifactRow>, Option<StepTable>), Failure> {
        // A step's name never becomes a path.
        let folder = artifacts.join(unit_folder(self.unit)).join(format!("step-{index}"));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).map_err(unusable)?;
        let mut rows = Vec::new();
        for (kind, name) in STEP_ARTIFACTS {
            let (from, to) = (self.folder.join(name), folder.join(name));
            if !from.is_file() {
                continue;
            }
            std::fs::rename(&from, &to).map_err(unusable)?;
            let bytes = std::fs::metadata(&to).map_err(unusable)?.len() as i64;
            let path = to.strip_prefix(self.memory.store.home()).unwrap_or(&to).to_string_lossy().into_owned();
            let (unit, action) = (self.unit.clone(), self.step.name.clone());
            rows.push(ArtifactRow { unit, action, kind: (*kind).into(), name: (*name).into(), path, bytes });
        }
        let (key, action) = (self.unit.key.clone(), self.step.name.clone());
        self.journal.append(&Event::StepDone { key, action, facts: Vec::new() })?;
        Ok((rows, table_in(&folder, &self.step.name)))
    }
}

/// The tables that a step left in a folder, by the step's name.
pub(crate) fn table_in(folder: &Path, step: &str) -> Option<StepTable> {
    let file = |name: &str, shown: String| {
        let path = folder.join(name);
        path.is_file().then_some(JobFile { path, name: shown })
    };
    let data = file("dataset.parquet", format!("{step}.parquet"))?;
    Some(StepTable { data, holdout: file("holdout.parquet", format!("{step}.holdout.parquet")) })
}

fn unusable(error: std::io::Error) -> Failure {
    Failure::new(Code::HomeUnusable, "what a step leaves could not be kept").cause(error)
}
