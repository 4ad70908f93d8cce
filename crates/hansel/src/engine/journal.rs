//! The journal of one run: every event goes to the store first and to the watcher after.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};

use store::{DoneMark, UnitKey};
use workflow::{Code, Event, Failure, Plan, Progress, RunStatus};

use super::Watcher;
use super::tasks::Tasks;
use super::unit::Failed;
use crate::memory::Memory;

/// The journal of one run.
pub(crate) struct Journal<'a> {
    pub(crate) memory: &'a Memory,
    pub(crate) workflow: &'a str,
    pub(crate) run: &'a str,
    watcher: &'a dyn Watcher,
    events: AtomicUsize,
    tasks: Mutex<Tasks>,
    abort_after: Option<usize>,
    panic_at: Option<String>,
}

impl<'a> Journal<'a> {
    /// The journal of `run`. When HANSEL_ABORT_AFTER_EVENTS is set, the process kills itself right behind that many
    /// events, as a power cut would; when HANSEL_PANIC_AT names what a step is doing, such as `judging`, that step panics as
    /// it begins. The crash tests live by both.
    pub(crate) fn new(memory: &'a Memory, workflow: &'a str, run: &'a str, watcher: &'a dyn Watcher) -> Journal<'a> {
        let abort_after = std::env::var("HANSEL_ABORT_AFTER_EVENTS").ok().and_then(|text| text.parse().ok());
        let panic_at = std::env::var("HANSEL_PANIC_AT").ok();
        let (events, tasks) = (AtomicUsize::new(0), Mutex::new(Tasks::default()));
        Journal { memory, workflow, run, watcher, events, tasks, abort_after, panic_at }
    }

    /// Appends an event.
    pub(crate) fn append(&self, event: &Event) -> Result<(), Failure> {
        self.append_with(event, None)
    }

    /// Appends an event that changes how the run stands.
    pub(crate) fn status(&self, event: &Event, status: RunStatus, message: &str) -> Result<(), Failure> {
        self.append_with(event, Some((status.name(), message)))
    }

    /// Makes a task for each action of the run.
    pub(crate) fn tasks(&self, plan: &Plan) -> Result<(), Failure> {
        self.state().know(plan);
        self.memory.ask(self.memory.store.create_tasks(self.run, &actions_of(plan)))
    }

    /// Makes a task for each step, given as name and type.
    pub(crate) fn step_tasks(&self, names: Vec<String>, steps: &[(&str, &str)]) -> Result<(), Failure> {
        self.state().know_steps(names);
        self.memory.ask(self.memory.store.create_tasks(self.run, steps))
    }

    /// Says that an action is at work; the first time it is recorded.
    pub(crate) fn begun(&self, action: &str) -> Result<(), Failure> {
        if !self.state().begin(action) {
            return Ok(());
        }
        self.memory.ask(self.memory.store.set_task(self.run, action, RunStatus::Active.name(), None))
    }

    /// Says that an action failed for one object, or as a whole.
    pub(crate) fn erred(&self, action: &str, code: &str, message: &str) {
        self.state().err(action, code, message);
    }

    /// Ends the run's tasks and the run.
    pub(crate) fn ended(&self, status: RunStatus, message: &str) -> Result<(), Failure> {
        let ends = self.state().ends(status);
        for (action, status, error) in ends {
            let error = error.as_ref().map(|(code, message)| (code.as_str(), message.as_str()));
            self.memory.ask(self.memory.store.set_task(self.run, &action, status.name(), error))?;
        }
        self.memory.ask(self.memory.store.end_tasks(self.run, RunStatus::Cancelled.name()))?;
        self.status(&Event::Finished { status, message: message.into() }, status, message)
    }

    fn state(&self) -> MutexGuard<'_, Tasks> {
        self.tasks.lock().expect("no thread panics while it holds this")
    }

    fn append_with(&self, event: &Event, status: Option<(&str, &str)>) -> Result<(), Failure> {
        self.memory.ask(self.memory.store.append(self.run, event.kind(), &event.to_json(), status))?;
        self.tell(event);
        Ok(())
    }

    /// Records what a listing gave.
    pub(crate) fn crawled(&self, event: &Event, units: &[(UnitKey, String)]) -> Result<(), Failure> {
        self.memory.ask(self.memory.store.plan_units(self.run, units, (event.kind(), &event.to_json())))?;
        self.tell(event);
        Ok(())
    }

    /// Marks an object done.
    pub(crate) fn done(&self, unit: &UnitKey, identity: &str, mark: &DoneMark) -> Result<(), Failure> {
        let event = Event::UnitDone { key: unit.key.clone() };
        let body = event.to_json();
        let store = &self.memory.store;
        self.memory.ask(store.unit_done(self.workflow, self.run, unit, identity, mark, (event.kind(), &body)))?;
        self.tell(&event);
        Ok(())
    }

    /// Marks an object failed.
    pub(crate) fn failed(&self, unit: &UnitKey, failed: &Failed) -> Result<(), Failure> {
        let failure = &failed.failure;
        let message = sentence(failure);
        self.erred(&failed.action, failure.code.name(), &format!("{}: {message}", unit.key));
        let event = Event::UnitFailed {
            key: unit.key.clone(),
            action: failed.action.clone(),
            code: failure.code.name().into(),
            message: message.clone(),
        };
        let body = event.to_json();
        let store = &self.memory.store;
        self.memory.ask(store.unit_failed(
            self.run,
            unit,
            (failure.code.name(), &message),
            &failed.artifacts,
            (event.kind(), &body),
        ))?;
        self.tell(&event);
        Ok(())
    }

    /// Tells the watcher how far an object is; nothing is recorded.
    pub(crate) fn progress(&self, key: &str, progress: &Progress) {
        assert!(self.panic_at.as_deref() != Some(progress.doing), "asked to panic at {}", progress.doing);
        self.watcher.progress(key, progress);
    }

    fn tell(&self, event: &Event) {
        self.watcher.event(event);
        let told = self.events.fetch_add(1, Ordering::SeqCst) + 1;
        if self.abort_after.is_some_and(|after| told >= after) {
            // SIGABRT runs no destructor and flushes nothing: what is not in the journal by now is lost.
            std::process::abort();
        }
    }
}

/// Name and type of every action of a plan.
pub(crate) fn actions_of(plan: &Plan) -> Vec<(&str, &str)> {
    plan.actions().iter().map(|(name, kind)| (name.as_str(), *kind)).collect()
}

/// A failure in one line: what is so and, behind it, what lay below.
pub(crate) fn sentence(failure: &Failure) -> String {
    match &failure.cause {
        Some(cause) => format!("{} ({})", failure.message, cause.replace('\n', " ")),
        None => failure.message.clone(),
    }
}

/// The failure of a thread that panicked: our own mistake, whatever the input was.
pub(crate) fn panicked(panic: &(dyn std::any::Any + Send)) -> Failure {
    let said =
        panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string()));
    let failure = Failure::new(Code::Internal, "a mistake of ours ended the work on this object");
    failure.cause(said.unwrap_or_else(|| "a panic without words".into()))
}
