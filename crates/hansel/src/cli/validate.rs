//! `hansel validate`: checks a workflow file, touching nothing.

use std::path::PathBuf;

use serde_json::json;
use workflow::Connections;

use super::say::{self, Stop};
use super::{Setting, read_text};

/// Check a workflow file: every problem at once, no connection needed
#[derive(clap::Args)]
pub(crate) struct Validate {
    /// The workflow
    #[arg(value_name = "WORKFLOW.yaml")]
    file: PathBuf,
}

impl Validate {
    pub(crate) fn go(self, setting: &Setting) -> Result<(), Stop> {
        let shown = self.file.display().to_string();
        let text = read_text(&self.file)?;
        let plan = workflow::plan(&text, actions::ACTIONS, &Connections::Unbound)
            .map_err(|problems| Stop::Problems(shown.clone(), problems))?;
        if setting.json() {
            let warnings: Vec<_> = plan.warnings().iter().map(say::problem_json).collect();
            let actions: Vec<_> =
                plan.actions().iter().map(|(name, kind)| json!({ "name": name, "type": kind })).collect();
            say::json(&json!({ "name": plan.name(), "actions": actions, "problems": [], "warnings": warnings }));
            return Ok(());
        }
        for warning in plan.warnings() {
            say::note(&format!("warning: {}", say::problem_line(&shown, warning)));
        }
        let names: Vec<String> = plan.actions().iter().map(|(name, kind)| format!("{name} ({kind})")).collect();
        say::result(&format!("workflow `{}` is valid: {}", plan.name(), names.join(", ")));
        Ok(())
    }
}
