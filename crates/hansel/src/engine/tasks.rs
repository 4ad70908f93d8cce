//! How each action of a run stands, folded from what happens to its objects: one task an action, whatever the number of
//! objects, and every task ends when the run does.

use std::collections::{BTreeMap, BTreeSet};

use workflow::{Plan, RunStatus};

/// An action, how it ended, and the code and words of its failure.
pub(crate) type End = (String, RunStatus, Option<(String, String)>);

/// What is known of the actions of a run.
#[derive(Default)]
pub(crate) struct Tasks {
    /// Each branch: its source, and the steps behind it.
    branches: Vec<(String, Vec<String>)>,
    begun: BTreeSet<String>,
    /// The first failure of an action, and how many it had.
    errors: BTreeMap<String, (String, String, usize)>,
}

impl Tasks {
    /// Learns the actions of a plan.
    pub(crate) fn know(&mut self, plan: &Plan) {
        let branch = |branch: &workflow::Branch| {
            (branch.name.clone(), branch.steps.iter().map(|step| step.name.clone()).collect())
        };
        self.branches = plan.branches().iter().map(branch).collect();
    }

    /// Learns the steps of a workflow that has no crawl: one branch.
    pub(crate) fn know_steps(&mut self, mut names: Vec<String>) {
        let first = names.remove(0);
        self.branches = vec![(first, names)];
    }

    /// Notes that an action is at work; gives whether that is news.
    pub(crate) fn begin(&mut self, action: &str) -> bool {
        self.begun.insert(action.to_string())
    }

    /// Notes a failure. One that no action had is the source's.
    pub(crate) fn err(&mut self, action: &str, code: &str, message: &str) {
        let action = match (action, self.branches.first()) {
            ("", Some((source, _))) => source.clone(),
            _ => action.to_string(),
        };
        let entry = self.errors.entry(action).or_insert_with(|| (code.to_string(), message.to_string(), 0));
        entry.2 += 1;
    }

    /// How every action ended, given how the run did.
    pub(crate) fn ends(&self, status: RunStatus) -> Vec<End> {
        let mut ends = Vec::new();
        for (source, steps) in &self.branches {
            let any_failed = std::iter::once(source).chain(steps).any(|action| self.errors.contains_key(action));
            for action in std::iter::once(source).chain(steps) {
                let end = match self.errors.get(action) {
                    Some((code, message, 1)) => (RunStatus::Error, Some((code.clone(), format!("{code}: {message}")))),
                    Some((code, message, count)) => {
                        let message = format!("{code}: {message}; and {} more", count - 1);
                        (RunStatus::Error, Some((code.clone(), message)))
                    }
                    None if status == RunStatus::Cancelled => (RunStatus::Cancelled, None),
                    // Nothing reached it, for what came before it failed.
                    None if any_failed && !self.begun.contains(action) => (RunStatus::Cancelled, None),
                    None => (RunStatus::Completed, None),
                };
                ends.push((action.clone(), end.0, end.1));
            }
        }
        ends
    }
}
