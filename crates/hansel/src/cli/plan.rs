//! `hansel plan`: what a run would do, and why. It lists the bucket and changes nothing.

use std::path::PathBuf;

use serde_json::{Value, json};
use workflow::Attempt;

use super::run::Place;
use super::say::{self, Stop};
use super::{Setting, signals};
use crate::engine::{Known, Verdict, survey};
use crate::memory::{Memory, exists};

/// Show what a run would crawl, train and write, and why each object is in or out
#[derive(clap::Args)]
pub(crate) struct Plan {
    /// The workflow
    #[arg(value_name = "WORKFLOW.yaml")]
    file: PathBuf,
    #[command(flatten)]
    place: Place,
    /// Take objects again that are done, by a glob over their keys
    #[arg(long, value_name = "GLOB")]
    again: Vec<String>,
}

impl Plan {
    pub(crate) fn go(self, setting: &Setting) -> Result<(), Stop> {
        let again = self.again.iter().map(|glob| crate::engine::again_glob(glob)).collect::<Result<Vec<_>, _>>()?;
        let home = setting.home_dir()?;
        // A home that is not there yet is not made for a look, unless a role needs its guid as external id.
        let roles = self.place.roles()?;
        let passing = if roles || exists(&home) { None } else { tempfile::tempdir().ok() };
        let memory = match &passing {
            Some(folder) => Memory::open_passing(&folder.path().join("home"))?,
            None => Memory::open(&home)?,
        };
        let checked = self.place.check(&memory, &self.file)?;
        let workflow = memory.ask(memory.store.workflow_named(&checked.project.id, checked.plan.name()))?;
        signals::listen();
        let attempt = Attempt::silent("plan", &signals::cancelled);
        let mut branches = Vec::new();
        for branch in checked.plan.branches() {
            let known = Known::of(&memory, workflow.as_ref().map(|workflow| workflow.id.as_str()), branch, &again)?;
            let survey = survey(branch, &known, &attempt)?;
            let mut objects = Vec::new();
            for surveyed in &survey.objects {
                let (decision, reason) = match &surveyed.verdict {
                    Verdict::Take(reason) => ("take", (*reason).to_string()),
                    Verdict::Done(run) => ("skip", format!("done in run {run}")),
                    Verdict::Fail(failure) => ("fail", failure.to_string()),
                };
                let targets: Vec<&str> = surveyed.targets.iter().map(|(_, target)| target.as_str()).collect();
                objects.push(json!({
                    "key": surveyed.object.origin.key, "bytes": surveyed.object.bytes, "decision": decision,
                    "reason": reason, "writes": targets,
                }));
            }
            for (key, reason) in &survey.left_out {
                objects.push(json!({ "key": key, "decision": "out", "reason": reason, "writes": [] }));
            }
            branches.push(
                json!({ "source": branch.name, "bucket": branch.bucket, "listed": survey.listed, "objects": objects }),
            );
        }
        let warnings: Vec<Value> = checked.plan.warnings().iter().map(say::problem_json).collect();
        let value = json!({ "workflow": checked.plan.name(), "branches": branches, "warnings": warnings });
        if setting.json() {
            say::json(&value)
        } else {
            text(&value)
        }
        Ok(())
    }
}

fn text(value: &Value) {
    let list = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
    let word = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_string();
    for warning in list(value, "warnings") {
        say::note(&format!("warning: {}: {}", word(&warning, "path"), word(&warning, "message")));
    }
    for branch in list(value, "branches") {
        let objects = list(&branch, "objects");
        let taken = objects.iter().filter(|object| object["decision"] == "take").count();
        say::result(&format!(
            "{} from bucket `{}`: {} listed, {taken} to do",
            word(&branch, "source"),
            word(&branch, "bucket"),
            branch["listed"]
        ));
        for object in objects {
            let mut line =
                format!("  {:<4} {} ({})", word(&object, "decision"), word(&object, "key"), word(&object, "reason"));
            if object["decision"] == "take" {
                for target in list(&object, "writes") {
                    line.push_str(&format!(" -> {}", target.as_str().unwrap_or_default()));
                }
            }
            say::result(&line);
        }
    }
}
