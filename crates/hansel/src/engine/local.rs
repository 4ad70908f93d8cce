//! The local conductor: units on threads of this machine. A run that a crash cut off is taken up by the next start.

use std::collections::BTreeMap;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use store::{AuditEntry, Run, UnitKey};
use workflow::{Attempt, Branch, Code, Connections, Event, Failure, Problem, Progress, RunStatus};

use super::admit::{admit, lock_file, taken};
use super::journal::{Journal, panicked, sentence};
use super::steps::{Stops, read_steps, run_steps};
use super::survey::{Known, Survey, Surveyed, Verdict, survey};
use super::unit::{Failed, Work, process, unit_folder, unit_key};
use super::{RunRequest, Watcher};
use crate::memory::Memory;
use crate::spans;

/// What came of a run.
pub(crate) struct RunSummary {
    pub(crate) run: String,
    pub(crate) status: RunStatus,
    /// Why the run as a whole failed, where it did.
    pub(crate) failures: Vec<Failure>,
    /// Objects that were worked on, in key order.
    pub(crate) units: Vec<UnitSummary>,
    /// Objects listed.
    pub(crate) listed: u64,
}

/// What came of one object.
pub(crate) struct UnitSummary {
    pub(crate) key: String,
    /// The failure and the action that had it; `None` when everything was published.
    pub(crate) failure: Option<(String, Failure)>,
    /// Whether the work was not begun or cut off.
    pub(crate) open: bool,
}

/// Runs a plan to its end. Fails only where there is no run to speak of: the home cannot be used, or the user stopped
/// a run that waited.
pub(crate) fn run(memory: &Memory, request: &RunRequest<'_>, watcher: &dyn Watcher) -> Result<RunSummary, Failure> {
    let admitted = admit(memory, request, watcher)?;
    conduct(memory, request, watcher, &admitted.run, admitted.resumed)
}

/// The lock of a workflow's active run, or `None` where another process holds it.
pub(crate) fn lock_of(memory: &Memory, workflow: &str) -> Result<Option<File>, Failure> {
    let lock = lock_file(memory, workflow)?;
    Ok(taken(&lock)?.then_some(lock))
}

/// Runs what waits in the store under its own text, in the name of whoever made it. The caller holds the lock of its
/// workflow.
pub(crate) fn run_waiting(
    memory: &Memory,
    run: &Run,
    cancelled: &(dyn Fn() -> bool + Sync),
    leaving: &(dyn Fn() -> bool + Sync),
) -> Result<(), Failure> {
    let store = &memory.store;
    let workflow = memory.ask(store.workflow_of(&run.workflow))?;
    let project = memory.ask(store.project(&run.project))?;
    let journal = Journal::new(memory, &run.workflow, &run.id, &Nobody);
    let resumed = run.started_at.is_some();
    if run.cancel_at.is_some() && !resumed {
        let status = RunStatus::Cancelled;
        return journal.ended(status, "cancelled before it began");
    }
    match read_steps(&run.config) {
        None => {}
        Some(Ok(plan)) => return run_steps(memory, run, &plan, workflow.seed, &journal, &Stops { cancelled, leaving }),
        Some(Err(problems)) => {
            let said: Vec<String> = problems.iter().map(|(path, message, _)| format!("{path}: {message}")).collect();
            return journal.ended(RunStatus::Error, &said.join("; "));
        }
    }
    let wanted = workflow::connections_named(&run.config);
    let opened = memory.connections(&project, &wanted)?;
    for connection in &opened {
        let entry = AuditEntry {
            at: 0,
            user: run.created_by.clone(),
            verb: "use credentials".into(),
            kind: "connection".into(),
            id: connection.id.clone(),
            project: project.guid.clone(),
            note: run.id.clone(),
        };
        memory.ask(store.audit(&entry))?;
    }
    let connections = opened.into_iter().map(|connection| (connection.id.clone(), connection)).collect();
    let plan = match workflow::plan(&run.config, actions::ACTIONS, &Connections::Known(connections)) {
        Ok(plan) => plan,
        Err(problems) => {
            return unplanned(memory, &journal, &problems);
        }
    };
    let only = match run.retry_of.as_str() {
        "" => None,
        old => {
            let units = memory.ask(store.units(old))?.into_iter().filter(|row| row.state != "done");
            Some(units.map(|row| (row.unit.branch, row.unit.key)).collect())
        }
    };
    let request = RunRequest {
        plan: &plan,
        text: &run.config,
        workflow: &workflow,
        seed: None,
        again: &[],
        again_text: &[],
        notes: &[],
        only: only.as_ref(),
        cancelled,
        leaving,
    };
    conduct(memory, &request, &Nobody, run, resumed).map(|_| ())
}

/// Ends a run whose text does not make a plan any more: each problem at the task whose action has it.
fn unplanned(memory: &Memory, journal: &Journal<'_>, problems: &[Problem]) -> Result<(), Failure> {
    let tasks = memory.ask(memory.store.tasks(journal.run))?;
    for problem in problems {
        let index = problem.at.path.strip_prefix("actions[").and_then(|rest| rest.split(']').next()?.parse().ok());
        let task = index.and_then(|index: i64| tasks.iter().find(|task| task.position == index)).or(tasks.first());
        let Some(task) = task else { continue };
        let said = problem.to_string();
        let (level, action) = ("error".to_string(), task.action.clone());
        journal.append(&Event::Log { level, action, key: String::new(), text: said.clone() })?;
        let error = Some((problem.code.name(), said.as_str()));
        memory.ask(memory.store.set_task(journal.run, &task.action, RunStatus::Error.name(), error))?;
    }
    let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
    journal.ended(RunStatus::Error, &said.join("; "))
}

/// Nobody watches: who wants to know reads the journal.
struct Nobody;

impl Watcher for Nobody {
    fn event(&self, _: &Event) {}
    fn progress(&self, _: &str, _: &Progress) {}
}

fn conduct(
    memory: &Memory,
    request: &RunRequest<'_>,
    watcher: &dyn Watcher,
    run: &Run,
    resumed: bool,
) -> Result<RunSummary, Failure> {
    let span = spans::run(&run.id, &request.workflow.id);
    let _within = span.enter();
    let journal = Journal::new(memory, &request.workflow.id, &run.id, watcher);
    journal.tasks(request.plan)?;
    journal.status(&Event::Started { resumed }, RunStatus::Active, "")?;
    for warning in request.plan.warnings() {
        let text = format!("{}: {}", warning.at.path, warning.message);
        journal.append(&Event::Log { level: "warning".into(), action: String::new(), key: String::new(), text })?;
    }
    for text in request.notes {
        let text = text.clone();
        journal.append(&Event::Log { level: "info".into(), action: String::new(), key: String::new(), text })?;
    }
    let scratch = memory.store.scratch_dir(&run.id);
    let _ = std::fs::remove_dir_all(&scratch);
    let mut summary = RunSummary {
        run: run.id.clone(),
        status: RunStatus::Active,
        failures: Vec::new(),
        units: Vec::new(),
        listed: 0,
    };
    let mut surveys = Vec::new();
    for branch in request.plan.branches() {
        journal.begun(&branch.name)?;
        match crawl(memory, request, &journal, branch) {
            Ok(survey) => surveys.push((branch, survey)),
            Err(failure) if failure.code == Code::RunCancelled => break,
            Err(failure) => {
                journal.erred(&branch.name, failure.code.name(), &sentence(&failure));
                let (level, action) = ("error".to_string(), branch.name.clone());
                let text = format!("{}: {}", failure.code.name(), sentence(&failure));
                journal.append(&Event::Log { level, action, key: String::new(), text })?;
                summary.failures.push(failure);
            }
        }
    }
    for (branch, survey) in &surveys {
        summary.listed += survey.listed;
        units(memory, request, &journal, branch, survey, &mut summary)?;
    }
    let _ = std::fs::remove_dir_all(&scratch);
    finish(request, &journal, summary)
}

/// Lists a branch and records what is to be done.
fn crawl(memory: &Memory, request: &RunRequest<'_>, journal: &Journal<'_>, branch: &Branch) -> Result<Survey, Failure> {
    let attempt = Attempt::silent(journal.run, request.cancelled);
    let known = Known::of(memory, Some(&request.workflow.id), branch, request.again)?;
    let mut survey = survey(branch, &known, &attempt)?;
    forget_finished(memory, journal.run, branch, &mut survey)?;
    if let Some(only) = request.only {
        survey.objects.retain(|surveyed| only.contains(&(branch.name.clone(), surveyed.object.origin.key.clone())));
    }
    let units: Vec<(UnitKey, String)> = survey
        .objects
        .iter()
        .filter(|surveyed| !matches!(surveyed.verdict, Verdict::Done(_)))
        .map(|surveyed| (unit_key(branch, &surveyed.object.origin.key), surveyed.object.origin.identity.clone()))
        .collect();
    let event = Event::Crawled { action: branch.name.clone(), listed: survey.listed, taken: units.len() as u64 };
    journal.crawled(&event, &units)?;
    Ok(survey)
}

/// In a run that is taken up, what it has done stays done, also where it was asked for again.
fn forget_finished(memory: &Memory, run: &str, branch: &Branch, survey: &mut Survey) -> Result<(), Failure> {
    let finished: BTreeMap<UnitKey, String> = memory
        .ask(memory.store.units(run))?
        .into_iter()
        .filter(|row| row.state == "done")
        .map(|row| (row.unit, row.identity))
        .collect();
    for surveyed in &mut survey.objects {
        let unit = unit_key(branch, &surveyed.object.origin.key);
        if finished.get(&unit) == Some(&surveyed.object.origin.identity) {
            surveyed.verdict = Verdict::Done(run.into());
        }
    }
    Ok(())
}

/// Works on every object of a branch, as many at a time as there are cores.
fn units(
    memory: &Memory,
    request: &RunRequest<'_>,
    journal: &Journal<'_>,
    branch: &Branch,
    survey: &Survey,
    summary: &mut RunSummary,
) -> Result<(), Failure> {
    let open: Vec<&Surveyed> =
        survey.objects.iter().filter(|surveyed| !matches!(surveyed.verdict, Verdict::Done(_))).collect();
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let results: Mutex<Vec<(usize, Result<(), Failed>)>> = Mutex::new(Vec::new());
    let broken: Mutex<Option<Failure>> = Mutex::new(None);
    let goes_on = branch.source.as_ref().is_none_or(|source| source.goes_on());
    let threads = std::thread::available_parallelism().map_or(1, |count| count.get()).min(open.len().max(1));
    let span = tracing::Span::current();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let _within = span.enter();
                while !stop.load(Ordering::SeqCst) && !(request.cancelled)() {
                    let index = next.fetch_add(1, Ordering::SeqCst);
                    let Some(surveyed) = open.get(index) else { break };
                    match unit(memory, request, journal, branch, surveyed) {
                        Ok(result) => {
                            if result.is_err() && !goes_on {
                                stop.store(true, Ordering::SeqCst);
                            }
                            results.lock().expect("no thread panics while it holds this").push((index, result));
                        }
                        Err(failure) => {
                            // The journal cannot be written: going on would publish what is never marked.
                            stop.store(true, Ordering::SeqCst);
                            broken.lock().expect("no thread panics while it holds this").get_or_insert(failure);
                        }
                    }
                }
            });
        }
    });
    if let Some(failure) = broken.into_inner().expect("no thread panics while it holds this") {
        return Err(failure);
    }
    let mut results: BTreeMap<usize, Result<(), Failed>> =
        results.into_inner().expect("no thread panics while it holds this").into_iter().collect();
    for (index, surveyed) in open.iter().enumerate() {
        let (failure, open) = match results.remove(&index) {
            Some(Ok(())) => (None, false),
            Some(Err(failed)) if failed.failure.code == Code::RunCancelled => (None, true),
            Some(Err(failed)) => (Some((failed.action, failed.failure)), false),
            None => (None, true),
        };
        summary.units.push(UnitSummary { key: surveyed.object.origin.key.clone(), failure, open });
    }
    Ok(())
}

/// One object to its end, and the end into the ledger. The outer error is the home's, the inner one the object's.
fn unit(
    memory: &Memory,
    request: &RunRequest<'_>,
    journal: &Journal<'_>,
    branch: &Branch,
    surveyed: &Surveyed,
) -> Result<Result<(), Failed>, Failure> {
    let key = unit_key(branch, &surveyed.object.origin.key);
    if let Verdict::Fail(failure) = &surveyed.verdict {
        let action = surveyed.targets.first().map(|(action, _)| action.clone()).unwrap_or_default();
        let failed = Failed::of(&action, failure.clone());
        journal.failed(&key, &failed)?;
        return Ok(Err(failed));
    }
    let span = spans::object(&key.key);
    let _within = span.enter();
    let progress = |progress: Progress| journal.progress(&key.key, &progress);
    let work = Work {
        branch,
        surveyed,
        journal,
        workflow_seed: request.seed.unwrap_or(request.workflow.seed),
        folder: memory.store.scratch_dir(journal.run).join(unit_folder(&key)),
        artifacts_dir: memory.store.artifacts_dir(journal.run),
        home: memory.store.home(),
        cancelled: request.cancelled,
        progress: &progress,
    };
    let outcome = catch_unwind(AssertUnwindSafe(|| process(&work)))
        .unwrap_or_else(|panic| Err(Failed::of("", panicked(panic.as_ref()))));
    match outcome {
        Ok(mark) => {
            journal.done(&key, &surveyed.object.origin.identity, &mark)?;
            Ok(Ok(()))
        }
        Err(failed) if failed.failure.code == Code::RunCancelled => Ok(Err(failed)),
        Err(failed) => {
            journal.failed(&key, &failed)?;
            Ok(Err(failed))
        }
    }
}

fn finish(request: &RunRequest<'_>, journal: &Journal<'_>, mut summary: RunSummary) -> Result<RunSummary, Failure> {
    let failed = summary.units.iter().filter(|unit| unit.failure.is_some()).count();
    let open = summary.units.iter().filter(|unit| unit.open).count();
    if (request.leaving)() && open > 0 {
        // The journal stays as it is: the next start takes the run up.
        return Ok(summary);
    }
    let (status, message) = if (request.cancelled)() && !(request.leaving)() && (open > 0 || failed == 0) {
        (RunStatus::Cancelled, format!("cancelled with {open} objects open"))
    } else if failed > 0 || !summary.failures.is_empty() {
        let mut parts: Vec<String> = summary.failures.iter().map(|failure| failure.to_string()).collect();
        if failed > 0 {
            parts.push(format!("{failed} {} failed", if failed == 1 { "object" } else { "objects" }));
        }
        (RunStatus::Error, parts.join("; "))
    } else {
        (RunStatus::Completed, String::new())
    };
    journal.ended(status, &message)?;
    summary.status = status;
    Ok(summary)
}
