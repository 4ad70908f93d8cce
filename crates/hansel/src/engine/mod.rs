//! The conductor of runs: crawl, process every unit, finish. Here on threads of one machine, with the store's journal
//! as memory.

mod admit;
mod journal;
mod local;
mod seed;
mod survey;
mod unit;

pub(crate) use local::{RunRequest, RunSummary, UnitSummary, run};
pub(crate) use survey::{Known, Verdict, again_glob, survey};

use workflow::{Event, Progress};

/// Whoever watches a run: told every event once it is in the journal, and how far each unit is.
pub(crate) trait Watcher: Sync {
    /// An event happened.
    fn event(&self, event: &Event);
    /// Work on an object went on.
    fn progress(&self, key: &str, progress: &Progress);
}
