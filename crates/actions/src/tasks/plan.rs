//! Version-2 workflow configs: what a client posted comes in, steps in the order that they run or everything that is wrong
//! goes out. Nothing is read or written.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};
use workflow::nearest;

use super::data::known;
use super::{TASKS, TASKS_REFUSED, Task, TaskType};
use crate::gretel_model::ModelProblem;

/// Most steps of one workflow.
const STEPS_MAX: usize = 100;

/// A checked version-2 workflow.
pub struct StepWorkflow {
    /// What it is called.
    pub name: String,
    /// Its steps; each takes only from those before it.
    pub steps: Vec<StepPlan>,
}

/// A step that is ready to run.
pub struct StepPlan {
    /// Its name, unique in the workflow.
    pub name: String,
    /// Its kind.
    pub kind: &'static TaskType,
    /// Where its tables come from.
    pub inputs: Vec<StepInput>,
    /// What it does.
    pub task: Box<dyn Task>,
}

/// Where a table of a step comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepInput {
    /// The step with this position.
    Step(usize),
    /// The uploaded file with this id.
    File(String),
}

impl StepWorkflow {
    /// The ids of all files that steps read.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().flat_map(|step| &step.inputs).filter_map(|input| match input {
            StepInput::File(id) => Some(id.as_str()),
            StepInput::Step(_) => None,
        })
    }
}

/// Checks the config of one task, by the name of its kind.
pub fn check_task(name: &str, config: &Json, globals: &Json) -> Result<Box<dyn Task>, Vec<ModelProblem>> {
    let kind = kind(name).map_err(|(message, hint)| vec![("name".into(), message, hint)])?;
    checked(kind, config, globals)
}

fn checked(kind: &TaskType, config: &Json, globals: &Json) -> Result<Box<dyn Task>, Vec<ModelProblem>> {
    match config {
        Json::Object(config) => (kind.check)(config, globals),
        Json::Null => (kind.check)(&Map::new(), globals),
        other => Err(vec![("config".into(), format!("a mapping is expected, not {other}"), None)]),
    }
}

fn kind(name: &str) -> Result<&'static TaskType, (String, Option<String>)> {
    if let Some(kind) = TASKS.iter().find(|kind| kind.name == name) {
        return Ok(kind);
    }
    if let Some((_, reason)) = TASKS_REFUSED.iter().find(|refused| refused.0 == name) {
        return Err((format!("task `{name}` {reason}"), None));
    }
    let shown: String = name.chars().take(60).collect();
    let known: Vec<String> = TASKS.iter().map(|kind| format!("`{}`", kind.name)).collect();
    let hint = nearest(name, TASKS.iter().map(|kind| kind.name)).map(|near| format!("Did you mean `{near}`?"));
    Err((format!("task `{shown}` is not known; these are: {}", known.join(", ")), hint))
}

/// Checks a whole config. Every problem is given, with its path.
pub fn plan_steps(config: &Json) -> Result<StepWorkflow, Vec<ModelProblem>> {
    let mut problems: Vec<ModelProblem> = Vec::new();
    let Json::Object(map) = config else {
        return Err(vec![(String::new(), "a mapping with `name` and `steps` is expected".into(), None)]);
    };
    known(map, &["name", "version", "globals", "inputs", "steps"], &mut problems);
    let name = match map.get("name") {
        Some(Json::String(name)) if !name.trim().is_empty() => name.clone(),
        _ => {
            problems.push(("name".into(), "`name` is missing; a text is expected".into(), None));
            String::new()
        }
    };
    let version = map.get("version").filter(|version| !version.is_null());
    if let Some(other) = version.filter(|version| version.as_str() != Some("2") && version.as_u64() != Some(2)) {
        problems.push(("version".into(), format!("`version` is {other} where \"2\" is allowed"), None));
    }
    let none = Vec::new();
    let written = match map.get("steps") {
        Some(Json::Array(steps)) if (1..=STEPS_MAX).contains(&steps.len()) => steps,
        _ => {
            problems.push(("steps".into(), format!("a list of 1 to {STEPS_MAX} steps is expected"), None));
            &none
        }
    };
    let globals = map.get("globals").unwrap_or(&Json::Null);
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let mut steps: Vec<Option<StepPlan>> = Vec::new();
    let kinds: Vec<Option<&'static TaskType>> =
        written.iter().map(|step| kind(step.get("task")?.as_str()?).ok()).collect();
    for (index, step) in written.iter().enumerate() {
        let at = format!("steps[{index}]");
        let mut wrong: Vec<ModelProblem> = Vec::new();
        let planned = one_step(index, step, globals, &places, &kinds, &mut wrong);
        let below = |path: String| if path.is_empty() { at.clone() } else { format!("{at}.{path}") };
        problems.extend(wrong.into_iter().map(|(path, message, hint)| (below(path), message, hint)));
        if let Some(name) = step.get("name").and_then(Json::as_str)
            && places.insert(name, index).is_some()
        {
            problems.push((format!("{at}.name"), format!("another step is called `{name}` too"), None));
        }
        steps.push(planned);
    }
    let steps: Option<Vec<StepPlan>> = steps.into_iter().collect();
    match steps {
        Some(steps) if problems.is_empty() => Ok(StepWorkflow { name, steps }),
        _ => Err(problems),
    }
}

fn one_step(
    index: usize,
    step: &Json,
    globals: &Json,
    places: &BTreeMap<&str, usize>,
    kinds: &[Option<&'static TaskType>],
    wrong: &mut Vec<ModelProblem>,
) -> Option<StepPlan> {
    let Json::Object(map) = step else {
        wrong.push((String::new(), "a mapping with `name`, `task` and `config` is expected".into(), None));
        return None;
    };
    known(map, &["name", "task", "inputs", "config"], wrong);
    let name = map.get("name").and_then(Json::as_str).filter(|name| !name.is_empty() && name.len() <= 200);
    if name.is_none() {
        wrong.push(("name".into(), "`name` is missing; a text of 1 to 200 bytes is expected".into(), None));
    }
    let Some(kind) = map.get("task").and_then(Json::as_str).map(kind) else {
        wrong.push(("task".into(), "`task` is missing; the name of a task is expected".into(), None));
        return None;
    };
    let kind = kind.map_err(|(message, hint)| wrong.push(("task".into(), message, hint))).ok()?;
    let task = checked(kind, map.get("config").unwrap_or(&Json::Null), globals);
    let task = task.map_err(|bad| {
        let below = |path: String| if path == "config" { path } else { format!("config.{path}") };
        wrong.extend(bad.into_iter().map(|(path, message, hint)| (below(path), message, hint)));
    });
    let given = inputs(index, map.get("inputs"), places, wrong)?;
    let reads = task.as_ref().ok().and_then(|task| task.reads()).map(|id| StepInput::File(id.to_string()));
    let inputs = match reads {
        Some(file) if given.is_empty() => vec![file],
        Some(_) => {
            wrong.push(("inputs".into(), format!("a `{}` step takes no inputs", kind.name), None));
            return None;
        }
        None => filled(index, kind, given, kinds),
    };
    let (least, most) = kind.inputs;
    if task.as_ref().is_ok_and(|task| task.reads().is_none()) && !(least..=most).contains(&inputs.len()) {
        let allowed = if least == most { least.to_string() } else { format!("{least} to {most}") };
        let message = format!("a `{}` step has {} inputs where {allowed} are expected", kind.name, inputs.len());
        wrong.push(("inputs".into(), message, Some("Name earlier steps, or uploaded files by their ids.".into())));
        return None;
    }
    for input in &inputs {
        if let StepInput::Step(place) = input
            && kinds[*place].is_some_and(|kind| kind.output != "dataset")
        {
            wrong.push(("inputs".into(), format!("step {} gives a report and no table", place + 1), None));
        }
    }
    Some(StepPlan { name: name?.to_string(), kind, inputs, task: task.ok()? })
}

/// The inputs as they are written; without any, the list is empty.
fn inputs(
    index: usize,
    written: Option<&Json>,
    places: &BTreeMap<&str, usize>,
    wrong: &mut Vec<ModelProblem>,
) -> Option<Vec<StepInput>> {
    let list = match written {
        None | Some(Json::Null) => return Some(Vec::new()),
        Some(Json::Array(list)) => list,
        Some(other) => {
            wrong.push(("inputs".into(), format!("a list of texts is expected, not {other}"), None));
            return None;
        }
    };
    let mut inputs = Vec::new();
    for (place, input) in list.iter().enumerate() {
        let path = format!("inputs[{place}]");
        match input.as_str() {
            Some(name) if places.contains_key(name) => inputs.push(StepInput::Step(places[name])),
            Some(id) if id.starts_with("file_") || id.starts_with("gretel_") => {
                inputs.push(StepInput::File(id.to_string()));
            }
            Some(name) => {
                let shown: String = name.chars().take(60).collect();
                let hint = nearest(name, places.keys().copied()).map(|near| format!("Did you mean `{near}`?"));
                let before =
                    if index == 0 { "before the first one there is none" } else { "no step before it is called so" };
                wrong.push((path, format!("`{shown}` is no file and no step: {before}"), hint));
                return None;
            }
            None => {
                wrong.push((path, format!("the name of a step or the id of a file is expected, not {input}"), None));
                return None;
            }
        }
    }
    Some(inputs)
}

/// What a step takes where its config does not say: the step before; an evaluation also what that was made from.
fn filled(
    index: usize,
    kind: &TaskType,
    mut inputs: Vec<StepInput>,
    kinds: &[Option<&'static TaskType>],
) -> Vec<StepInput> {
    let tables: Vec<usize> =
        (0..index).filter(|&place| kinds[place].is_some_and(|kind| kind.output == "dataset")).collect();
    if inputs.is_empty()
        && kind.inputs.0 > 0
        && let Some(&last) = tables.last()
    {
        inputs.push(StepInput::Step(last));
    }
    if inputs.len() == 1 && kind.inputs.0 == 2 {
        let held = tables.iter().rev().find(|&&place| kinds[place].is_some_and(|kind| kind.name == "holdout"));
        let real = held.or(tables.first()).map(|&place| StepInput::Step(place));
        inputs.extend(real.filter(|real| !inputs.contains(real)));
    }
    inputs
}
