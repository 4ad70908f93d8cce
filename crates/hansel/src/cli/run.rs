//! `hansel run`: runs a workflow file to its end.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};
use workflow::{Code, Node, Plan, RunStatus};

use super::binding::{self, Bound, ConnectionFile};
use super::say::{self, Stop};
use super::watch::{Display, Facts};
use super::{Setting, read_text, signals};
use crate::engine::{self, RunRequest, RunSummary};
use crate::memory::Memory;

/// Run a workflow: crawl, train, write what is new
#[derive(clap::Args)]
pub(crate) struct Run {
    /// The workflow
    #[arg(value_name = "WORKFLOW.yaml")]
    file: PathBuf,
    #[command(flatten)]
    place: Place,
    /// Seed of this run instead of the workflow's own
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Take objects again that are done, by a glob over their keys
    #[arg(long, value_name = "GLOB")]
    again: Vec<String>,
}

/// Where a workflow runs, and with which connections.
#[derive(clap::Args)]
pub(crate) struct Place {
    /// Bind a connection of the workflow to a file, for this run only
    #[arg(long = "connection", value_name = "ID=FILE")]
    connections: Vec<Bound>,
    /// Project to run in: guid, id or name [default: the home's own]
    #[arg(long, value_name = "P")]
    project: Option<String>,
}

/// A workflow file that was checked against its connections.
pub(crate) struct Checked {
    pub(crate) text: String,
    pub(crate) plan: Plan,
    pub(crate) project: store::Project,
    /// What is to be said about its projects.
    pub(crate) notes: Vec<String>,
}

impl Place {
    /// Whether a bound connection assumes a role.
    pub(crate) fn roles(&self) -> Result<bool, Stop> {
        for binding in &self.connections {
            if ConnectionFile::read(&binding.file)?.config.contains_key("role_arn") {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Reads and checks a workflow file.
    pub(crate) fn check(&self, memory: &Memory, file: &std::path::Path) -> Result<Checked, Stop> {
        let text = read_text(file)?;
        let project = memory.project(self.project.as_deref())?;
        let connections = binding::connections(memory, &project, &text, &self.connections)?;
        let plan = workflow::plan(&text, actions::ACTIONS, &connections)
            .map_err(|problems| Stop::Problems(file.display().to_string(), problems))?;
        let notes = project_notes(memory, &text, &project)?;
        Ok(Checked { text, plan, project, notes })
    }
}

/// A `project_id` that the home does not know stands for the run's own project; that is said.
fn project_notes(memory: &Memory, text: &str, project: &store::Project) -> Result<Vec<String>, Stop> {
    let mut notes = Vec::new();
    let Ok(root) = workflow::parse(text) else { return Ok(notes) };
    let actions = match root.get("actions").map(|node| &node.value) {
        Some(workflow::Value::List(items)) => items.as_slice(),
        _ => &[],
    };
    for id in actions.iter().filter_map(|action| action.get("config")?.get("project_id").and_then(Node::text)) {
        match memory.ask(memory.store.project(id)) {
            Ok(_) => {}
            Err(failure) if failure.code == Code::NotFound => {
                notes.push(format!(
                    "project `{id}` is not in this home; the run's own project `{}` stands for it",
                    project.name
                ));
            }
            Err(failure) => return Err(failure.into()),
        }
    }
    notes.dedup();
    Ok(notes)
}

impl Run {
    pub(crate) fn go(self, setting: &Setting) -> Result<(), Stop> {
        let again = self.again.iter().map(|glob| engine::again_glob(glob)).collect::<Result<Vec<_>, _>>()?;
        let memory = setting.memory()?;
        let checked = self.place.check(&memory, &self.file)?;
        let workflow = memory.ask(memory.store.workflow(&checked.project.id, checked.plan.name()))?;
        signals::listen();
        let display = Display::new();
        let request = RunRequest {
            plan: &checked.plan,
            text: &checked.text,
            workflow: &workflow,
            seed: self.seed,
            again: &again,
            again_text: &self.again,
            notes: &checked.notes,
            only: None,
            cancelled: &signals::cancelled,
            leaving: &|| false,
        };
        let summary = engine::run(&memory, &request, &display)?;
        let facts = display.facts();
        if setting.json() {
            let mut value = summary_json(&summary, &facts);
            value["workflow"] = json!(checked.plan.name());
            value["project_guid"] = json!(checked.project.guid);
            value["seed"] = json!(self.seed.unwrap_or(workflow.seed));
            say::json(&value);
        } else {
            summary_text(&summary, &facts);
        }
        match exit(&summary) {
            0 => Ok(()),
            code => Err(Stop::Exit(code)),
        }
    }
}

/// The exit code of a run: cancelled, the code of a failure of the whole, or that of its objects.
pub(crate) fn exit(summary: &RunSummary) -> u8 {
    if summary.status == RunStatus::Cancelled {
        return Code::RunCancelled.exit();
    }
    if let Some(failure) = summary.failures.first() {
        return failure.code.exit();
    }
    let mut exits = summary.units.iter().filter_map(|unit| Some(unit.failure.as_ref()?.1.code.exit()));
    match exits.next() {
        None => 0,
        // Where every object met the same wall, the wall is the news; else it is the objects.
        Some(first) => {
            if exits.all(|exit| exit == first) {
                first
            } else {
                1
            }
        }
    }
}

/// A run as JSON.
pub(crate) fn summary_json(summary: &RunSummary, facts: &BTreeMap<String, Facts>) -> Value {
    let objects: Vec<Value> = summary
        .units
        .iter()
        .map(|unit| {
            let facts: serde_json::Map<String, Value> =
                facts.get(&unit.key).into_iter().flatten().map(|(name, value)| (name.clone(), json!(value))).collect();
            let state = match (&unit.failure, unit.open) {
                (Some(_), _) => "failed",
                (None, true) => "open",
                (None, false) => "done",
            };
            let mut value = json!({ "key": unit.key, "state": state, "facts": facts });
            if let Some((action, failure)) = &unit.failure {
                value["action"] = json!(action);
                value["error"] = say::failure_json(failure);
            }
            value
        })
        .collect();
    let errors: Vec<Value> = summary.failures.iter().map(say::failure_json).collect();
    json!({
        "run": summary.run, "status": summary.status.name(), "listed": summary.listed, "objects": objects, "errors": errors,
    })
}

/// Prints a run for people: a line an object, then the count.
pub(crate) fn summary_text(summary: &RunSummary, facts: &BTreeMap<String, Facts>) {
    for failure in &summary.failures {
        say::note(&say::shown(failure));
    }
    for unit in &summary.units {
        let facts = facts.get(&unit.key).map(Vec::as_slice).unwrap_or_default();
        match &unit.failure {
            Some((_, failure)) => {
                say::result(&format!("failed   {}: {failure}", unit.key));
                if let Some(hint) = &failure.hint {
                    say::result(&format!("         hint: {hint}"));
                }
            }
            None if unit.open => say::result(&format!("open     {}", unit.key)),
            None => say::result(&format!("done     {}{}", unit.key, shown_facts(facts))),
        }
    }
    let count = |state: fn(&engine::UnitSummary) -> bool| summary.units.iter().filter(|unit| state(unit)).count();
    let done = count(|unit| unit.failure.is_none() && !unit.open);
    let failed = count(|unit| unit.failure.is_some());
    let open = count(|unit| unit.open);
    let word = match summary.status {
        RunStatus::Completed => "completed",
        RunStatus::Cancelled => "cancelled",
        _ => "ended in error",
    };
    let mut line = format!("run {} {word}: {} listed, {done} done, {failed} failed", summary.run, summary.listed);
    if open > 0 {
        line.push_str(&format!(", {open} open"));
    }
    if summary.units.is_empty() && summary.failures.is_empty() {
        line.push_str("; nothing new");
    }
    say::result(&line);
}

fn shown_facts(facts: &[(String, String)]) -> String {
    let fact =
        |name: &'static str| facts.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str());
    let mut parts = Vec::new();
    parts.extend(fact("rows_written").map(|rows| format!("{rows} rows")));
    parts.extend(fact("rows_set_aside").map(|rows| format!("{rows} set aside")));
    parts.extend(fact("fidelity").map(|score| format!("fidelity {score}")));
    parts.extend(fact("privacy").map(|score| format!("privacy {score}")));
    let mut text = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
    for target in fact("written") {
        text.push_str(&format!(" -> {target}"));
    }
    text
}
