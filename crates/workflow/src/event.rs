//! What happens in a run. State is a fold over these; a crash is a shorter journal.

use serde_json::{Value, json};

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunStatus {
    /// Asked for, not begun.
    Pending,
    /// At work.
    Active,
    /// Ended, every object published.
    Completed,
    /// Ended, something failed.
    Error,
    /// Ended by the user.
    Cancelled,
}

impl RunStatus {
    /// The name on the wire and in the journal.
    pub fn name(self) -> &'static str {
        match self {
            RunStatus::Pending => "RUN_STATUS_PENDING",
            RunStatus::Active => "RUN_STATUS_ACTIVE",
            RunStatus::Completed => "RUN_STATUS_COMPLETED",
            RunStatus::Error => "RUN_STATUS_ERROR",
            RunStatus::Cancelled => "RUN_STATUS_CANCELLED",
        }
    }

    /// Whether the run is over.
    pub fn ended(self) -> bool {
        matches!(self, RunStatus::Completed | RunStatus::Error | RunStatus::Cancelled)
    }
}

/// How one object of a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitState {
    /// Crawled, not yet at work or cut off at work.
    Waiting,
    /// Everything downstream is done and published.
    Done,
    /// Failed; the next run takes it again.
    Failed,
}

/// One entry of a run's journal.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The run began, or was taken up again after a crash.
    Started {
        /// Whether an earlier process had begun it.
        resumed: bool,
    },
    /// A source action has listed its bucket.
    Crawled {
        /// Name of the action.
        action: String,
        /// Objects seen.
        listed: u64,
        /// Objects that are new, changed or failed before.
        taken: u64,
    },
    /// A line of the run's log.
    Log {
        /// `info` or `warning`.
        level: String,
        /// Name of the action, empty for the run itself.
        action: String,
        /// Key of the object, empty where there is none.
        key: String,
        /// The line.
        text: String,
    },
    /// Work on an object began.
    UnitStarted {
        /// Its key.
        key: String,
    },
    /// One action is done for an object.
    StepDone {
        /// Its key.
        key: String,
        /// Name of the action.
        action: String,
        /// What to show: scores, rows, the key written.
        facts: Vec<(String, String)>,
    },
    /// A destination is about to write.
    Publishing {
        /// Key of the source object.
        key: String,
        /// Where to.
        target: String,
    },
    /// Everything downstream of the object is done.
    UnitDone {
        /// Its key.
        key: String,
    },
    /// The object failed.
    UnitFailed {
        /// Its key.
        key: String,
        /// Name of the action that failed.
        action: String,
        /// Name of the code.
        code: String,
        /// What is so.
        message: String,
    },
    /// The run is over.
    Finished {
        /// How.
        status: RunStatus,
        /// Why, where it is not plain completion.
        message: String,
    },
}

impl Event {
    /// The kind of the event, a stable word.
    pub fn kind(&self) -> &'static str {
        match self {
            Event::Started { .. } => "started",
            Event::Crawled { .. } => "crawled",
            Event::Log { .. } => "log",
            Event::UnitStarted { .. } => "unit_started",
            Event::StepDone { .. } => "step_done",
            Event::Publishing { .. } => "publishing",
            Event::UnitDone { .. } => "unit_done",
            Event::UnitFailed { .. } => "unit_failed",
            Event::Finished { .. } => "finished",
        }
    }

    /// The event's fields as JSON, for the journal.
    pub fn to_json(&self) -> Value {
        match self {
            Event::Started { resumed } => json!({ "resumed": resumed }),
            Event::Crawled { action, listed, taken } => json!({ "action": action, "listed": listed, "taken": taken }),
            Event::Log { level, action, key, text } => {
                json!({ "level": level, "action": action, "key": key, "text": text })
            }
            Event::UnitStarted { key } | Event::UnitDone { key } => json!({ "key": key }),
            Event::StepDone { key, action, facts } => json!({ "key": key, "action": action, "facts": facts }),
            Event::Publishing { key, target } => json!({ "key": key, "target": target }),
            Event::UnitFailed { key, action, code, message } => {
                json!({ "key": key, "action": action, "code": code, "message": message })
            }
            Event::Finished { status, message } => json!({ "status": status.name(), "message": message }),
        }
    }
}
