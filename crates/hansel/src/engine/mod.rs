//! The conductor of runs: crawl, process every unit, finish. Here on threads of one machine, with the store's journal
//! as memory. The queue of a server gives it runs, and jobs beside them.

mod admit;
mod jobs;
mod journal;
mod local;
mod outbox;
mod preview;
mod queue;
mod seed;
mod sinking;
mod steps;
mod survey;
mod tasks;
mod unit;

pub(crate) use jobs::handler_source;
pub(crate) use journal::actions_of;
pub(crate) use local::{RunSummary, UnitSummary, run};
pub(crate) use preview::{Said, preview};
pub(crate) use queue::{Queue, Slots, schedule_now};
pub(crate) use steps::{read_steps, tasks_of};
pub(crate) use survey::{Known, Verdict, again_glob, survey};

use std::collections::BTreeSet;

use globset::GlobMatcher;
use store::Workflow;
use workflow::{Event, Plan, Progress};

/// What is to be run.
pub(crate) struct RunRequest<'a> {
    pub(crate) plan: &'a Plan,
    /// The text that the plan was made from; kept with the run.
    pub(crate) text: &'a str,
    pub(crate) workflow: &'a Workflow,
    /// A seed for this run instead of the workflow's own.
    pub(crate) seed: Option<u64>,
    /// Keys to take again although they are done, and how that was written.
    pub(crate) again: &'a [GlobMatcher],
    pub(crate) again_text: &'a [String],
    /// Lines for the head of the run's log.
    pub(crate) notes: &'a [String],
    /// Only these keys, by source action: the objects that another run left, for a retry of it.
    pub(crate) only: Option<&'a BTreeSet<(String, String)>>,
    /// Whether work is to stop, for whatever reason.
    pub(crate) cancelled: &'a (dyn Fn() -> bool + Sync),
    /// Whether the reason is the end of the process: the run is then left as it is, to be taken up at the next start.
    pub(crate) leaving: &'a (dyn Fn() -> bool + Sync),
}

/// Whoever watches a run: told every event once it is in the journal, and how far each unit is.
pub(crate) trait Watcher: Sync {
    /// An event happened.
    fn event(&self, event: &Event);
    /// Work on an object went on.
    fn progress(&self, key: &str, progress: &Progress);
}
