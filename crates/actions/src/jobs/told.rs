//! What a job says while it works. In: how far a fit or a draw is. Out: lines of the job's log, few enough to be read, with
//! the figures that clients draw their bars by.

use std::sync::{Mutex, PoisonError};

use serde_json::{Value as Json, json};
use workflow::Progress;

use super::{JobLog, JobWork};

/// Most lines that a fit or a draw is told in.
const LINES: u64 = 20;

/// Tells a job's log.
pub(crate) struct Teller<'a> {
    work: &'a JobWork<'a>,
    /// What the client takes for the length of a training: `params.epochs` where it is a number.
    pub(crate) epochs: u64,
    so_far: Mutex<SoFar>,
}

#[derive(Default)]
struct SoFar {
    doing: &'static str,
    /// Lines of what is being done.
    lines: u64,
    /// Rows that were told.
    rows: u64,
}

impl<'a> Teller<'a> {
    /// One whose training is `epochs` long.
    pub(crate) fn new(work: &'a JobWork<'a>, epochs: Option<u64>) -> Teller<'a> {
        let epochs = epochs.filter(|&epochs| epochs > 0).unwrap_or(LINES);
        Teller { work, epochs, so_far: Mutex::new(SoFar::default()) }
    }

    /// A line without figures.
    pub(crate) fn say(&self, stage: &'static str, msg: impl Into<String>) {
        self.figures(stage, msg, json!({}));
    }

    /// A line with figures.
    pub(crate) fn figures(&self, stage: &'static str, msg: impl Into<String>, ctx: Json) {
        (self.work.log)(JobLog { stage, msg: msg.into(), ctx });
    }

    /// How far the work is. Steps of a fit are told as epochs, since that is what clients count.
    pub(crate) fn progress(&self, at: Progress) {
        // The lock is held while the line is told: lines come in order.
        let mut so_far = self.so_far.lock().unwrap_or_else(PoisonError::into_inner);
        if so_far.doing != at.doing {
            *so_far = SoFar { doing: at.doing, lines: 0, rows: 0 };
            match at.doing {
                "generating" => {
                    let ctx = json!({ "num_records": at.total });
                    self.figures("pre_run", "generating records", ctx);
                }
                "judging" => self.say("post", "comparing the records with the training data"),
                _ => {}
            }
        }
        if at.total == 0 {
            return;
        }
        let part = |of: u64| (u128::from(at.done.min(at.total)) * u128::from(of) / u128::from(at.total)) as u64;
        // A line says something new: not more of them than there are epochs.
        let lines = part(if at.doing == "training" { LINES.min(self.epochs) } else { LINES });
        if lines <= so_far.lines {
            return;
        }
        so_far.lines = lines;
        let percent = part(100);
        match at.doing {
            "training" => {
                let ctx = json!({ "epoch": part(self.epochs), "completion_percent": percent });
                self.figures("train", format!("trained {percent} %"), ctx);
            }
            "generating" => {
                let ctx = json!({
                    "current_valid_count": at.done, "current_invalid_count": 0,
                    "new_valid_count": at.done.saturating_sub(so_far.rows), "new_invalid_count": 0,
                    "completion_percent": percent,
                });
                so_far.rows = at.done;
                self.figures("run", format!("generated {} of {} records", at.done, at.total), ctx);
            }
            _ => {}
        }
    }
}
