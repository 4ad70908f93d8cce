//! From text to a [`Plan`]: everything is checked, nothing is done. A plan cannot be made anywhere else.

use crate::check::{entries, invalid};
use crate::connection::{Connection, Connections, Target};
use crate::{
    ActionType, Built, Code, Config, Node, Place, Problem, Reference, Role, Source, Step, Template, Trigger, Value,
    nearest, parse,
};

/// A checked workflow, ready to run.
pub struct Plan {
    name: String,
    trigger: Option<Trigger>,
    branches: Vec<Branch>,
    warnings: Vec<Problem>,
    actions: Vec<(String, &'static str)>,
}

/// One source and everything behind it, in the order written.
pub struct Branch {
    /// Name of the source action.
    pub name: String,
    /// The source; `None` in a plan made without connections.
    pub source: Option<Box<dyn Source>>,
    /// Bucket of the source, for listings.
    pub bucket: String,
    /// The steps behind it.
    pub steps: Vec<Planned>,
}

/// One step of a branch.
pub struct Planned {
    /// Name of the action.
    pub name: String,
    /// Its type.
    pub kind: &'static str,
    /// What it is to its lineage.
    pub role: Role,
    /// The step; `None` in a plan made without connections.
    pub step: Option<Box<dyn Step>>,
    /// Its templates, by field.
    pub templates: Vec<(&'static str, Template)>,
}

impl Plan {
    /// What the workflow is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// When it runs by itself.
    pub fn trigger(&self) -> Option<&Trigger> {
        self.trigger.as_ref()
    }

    /// The sources, each with what is behind it.
    pub fn branches(&self) -> &[Branch] {
        &self.branches
    }

    /// Things that are allowed and probably not meant.
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// Name and type of every action, in the order written.
    pub fn actions(&self) -> &[(String, &'static str)] {
        &self.actions
    }
}

static TOP: &[&str] = &["name", "trigger", "actions"];
static ENVELOPE: &[&str] = &["name", "type", "connection", "input", "config"];

/// The `name` of a workflow text that parses, whatever else is wrong with it.
pub fn workflow_name(text: &str) -> Option<String> {
    parse(text).ok()?.get("name")?.text().map(str::to_string)
}

/// The ids of the connections that the actions of a workflow text name; none where the text is no workflow, which the
/// planner says better.
pub fn connections_named(text: &str) -> std::collections::BTreeSet<String> {
    let Ok(root) = parse(text) else { return std::collections::BTreeSet::new() };
    let actions = match root.get("actions").map(|node| &node.value) {
        Some(Value::List(items)) => items.as_slice(),
        _ => &[],
    };
    actions.iter().filter_map(|action| action.get("connection")?.text().map(str::to_string)).collect()
}

/// Checks a workflow text against the action types and connections. All problems come back at once, in the order of
/// the text.
pub fn plan(text: &str, types: &[&'static ActionType], connections: &Connections) -> Result<Plan, Vec<Problem>> {
    planned(text, types, connections, true)
}

/// As [`plan`], for a text that is kept and not run now: that a destination would feed the source is a warning. A run
/// plans anew and refuses it.
pub fn plan_to_keep(
    text: &str,
    types: &[&'static ActionType],
    connections: &Connections,
) -> Result<Plan, Vec<Problem>> {
    planned(text, types, connections, false)
}

fn planned(
    text: &str,
    types: &[&'static ActionType],
    connections: &Connections,
    to_run: bool,
) -> Result<Plan, Vec<Problem>> {
    let root = parse(text)?;
    let mut problems = Vec::new();
    if let Some(second) = second_generation(&root) {
        return Err(vec![second]);
    }
    let mut found = Vec::new();
    let mut name = String::new();
    let mut schedule = None;
    for (key, value) in entries(&root, "", TOP, &mut problems) {
        match key.text().unwrap_or_default() {
            "name" => match value.text().map(str::trim) {
                Some(text) if !text.is_empty() => name = text.to_string(),
                _ => problems.push(invalid(value.at("name"), format!("a name is expected, not {}", value.shown()))),
            },
            "trigger" if value.value != Value::Null => schedule = crate::trigger::trigger(value, &mut problems),
            "actions" => found = actions(value, types, connections, &mut problems),
            _ => {}
        }
    }
    for key in ["name", "actions"] {
        if matches!(root.value, Value::Map(_)) && root.get(key).is_none() {
            problems.push(invalid(root.at(key), format!("key `{key}` is missing")));
        }
    }
    let mut warnings = Vec::new();
    graph(&mut found, &mut problems);
    references(&found, &mut problems);
    for action in &found {
        let (Some(kind), Some(config)) = (action.kind, &action.config) else { continue };
        (kind.check)(config, &mut problems, &mut warnings);
    }
    crate::feedback::feedback(&found, if to_run { &mut problems } else { &mut warnings });
    if problems.is_empty() {
        match branches(&found, matches!(connections, Connections::Known(_))) {
            Ok(branches) => {
                let actions = found.iter().filter_map(|a| Some((a.name.clone(), a.kind?.name))).collect();
                return Ok(Plan { name, trigger: schedule, branches, warnings, actions });
            }
            Err(found) => problems.extend(found),
        }
    }
    problems.sort_by_key(|problem| (problem.at.line, problem.at.column));
    Err(problems)
}

fn second_generation(root: &Node) -> Option<Problem> {
    let version = root.get("version");
    let steps = root.get("steps");
    let at = version.map(|node| node.at("version")).or_else(|| steps.map(|node| node.at("steps")))?;
    let two = version.is_some_and(|node| matches!(&node.value, Value::Int(2)) || node.text() == Some("2"));
    (two || steps.is_some()).then(|| Problem {
        code: Code::ConfigInvalid,
        at,
        message: "v2 config not supported; a workflow with `name`, `trigger` and `actions` is".into(),
        hint: Some("Write each step as an action with `name`, `type`, `connection`, `input` and `config`.".into()),
    })
}

/// One action as written, as far as it could be understood.
pub(crate) struct Written {
    pub(crate) path: String,
    pub(crate) place: Place,
    pub(crate) name: String,
    pub(crate) kind: Option<&'static ActionType>,
    pub(crate) input: Option<(String, Place)>,
    pub(crate) parent: Option<usize>,
    pub(crate) connection: Option<Connection>,
    pub(crate) config: Option<Config>,
}

fn actions(
    node: &Node,
    types: &[&'static ActionType],
    connections: &Connections,
    problems: &mut Vec<Problem>,
) -> Vec<Written> {
    let Value::List(items) = &node.value else {
        problems.push(invalid(node.at("actions"), format!("a list of actions is expected, not {}", node.shown())));
        return Vec::new();
    };
    if items.is_empty() {
        problems.push(invalid(node.at("actions"), "at least one action is expected".into()));
    }
    let mut found: Vec<Written> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let written = action(item, format!("actions[{index}]"), types, connections, problems);
        if !written.name.is_empty()
            && let Some(earlier) = found.iter().find(|other| other.name == written.name)
        {
            let message =
                format!("action `{}` is already on line {}; names are unique", written.name, earlier.place.line);
            problems.push(invalid(named(item, &written.path), message));
        }
        found.push(written);
    }
    found
}

fn named(item: &Node, path: &str) -> Place {
    item.get("name").unwrap_or(item).at(&format!("{path}.name"))
}

fn action(
    item: &Node,
    path: String,
    types: &[&'static ActionType],
    connections: &Connections,
    problems: &mut Vec<Problem>,
) -> Written {
    for _ in entries(item, &path, ENVELOPE, problems) {}
    let mut written = Written {
        place: item.at(&path),
        name: String::new(),
        kind: None,
        input: None,
        parent: None,
        connection: None,
        config: None,
        path,
    };
    if !matches!(item.value, Value::Map(_)) {
        return written;
    }
    written.name = action_name(item, &written.path, problems);
    written.kind = action_type(item, &written.path, types, problems);
    let Some(kind) = written.kind else { return written };
    written.connection = connection(item, &written.path, kind, connections, problems);
    written.input = input(item, &written.path, kind, problems);
    match item.get("config") {
        Some(node) if node.value != Value::Null => {
            written.config = Some(Config::check(node, &format!("{}.config", written.path), kind.fields, problems));
        }
        _ => {
            let empty = Node { value: Value::Map(Vec::new()), line: item.line, column: item.column };
            written.config = Some(Config::check(&empty, &format!("{}.config", written.path), kind.fields, problems));
        }
    }
    written
}

fn action_name(item: &Node, path: &str, problems: &mut Vec<Problem>) -> String {
    let Some(node) = item.get("name") else {
        problems.push(invalid(item.at(&format!("{path}.name")), "key `name` is missing".into()));
        return String::new();
    };
    let text = node.text().unwrap_or_default();
    let fits = text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if !fits {
        let message = format!("{} is not an action name; letters, digits, `_` and `-` are allowed", node.shown());
        problems.push(invalid(node.at(&format!("{path}.name")), message));
        return String::new();
    }
    text.to_string()
}

fn action_type(
    item: &Node,
    path: &str,
    types: &[&'static ActionType],
    problems: &mut Vec<Problem>,
) -> Option<&'static ActionType> {
    let Some(node) = item.get("type") else {
        problems.push(invalid(item.at(&format!("{path}.type")), "key `type` is missing".into()));
        return None;
    };
    let text = node.text().unwrap_or_default();
    let kind = types.iter().find(|kind| kind.name == text).copied();
    if kind.is_none() {
        let list: Vec<String> = types.iter().map(|kind| format!("`{}`", kind.name)).collect();
        let mut problem = invalid(
            node.at(&format!("{path}.type")),
            format!("no action type {}; known: {}", node.shown(), list.join(", ")),
        );
        problem.hint = nearest(text, types.iter().map(|kind| kind.name)).map(|near| format!("Did you mean `{near}`?"));
        problems.push(problem);
    }
    kind
}

fn connection(
    item: &Node,
    path: &str,
    kind: &ActionType,
    connections: &Connections,
    problems: &mut Vec<Problem>,
) -> Option<Connection> {
    let path = format!("{path}.connection");
    let (node, needed) = match (item.get("connection"), kind.connection) {
        (None, None) => return None,
        (None, Some(needed)) => {
            let message = format!("key `connection` is missing; `{}` needs one of type `{needed}`", kind.name);
            problems.push(invalid(item.at(&path), message));
            return None;
        }
        (Some(node), None) => {
            problems.push(invalid(node.at(&path), format!("`{}` takes no connection", kind.name)));
            return None;
        }
        (Some(node), Some(needed)) => (node, needed),
    };
    let at = node.at(&path);
    let Some(id) = node.text().filter(|id| !id.is_empty()) else {
        problems.push(invalid(at, format!("the id of a connection is expected, not {}", node.shown())));
        return None;
    };
    let Connections::Known(known) = connections else { return None };
    let Some(found) = known.get(id) else {
        let hint = match nearest(id, known.keys().map(String::as_str)) {
            Some(near) => format!("Did you mean `{near}`?"),
            None => format!("Bind it with `--connection {id}=FILE` or create it with `connections create`."),
        };
        let message = format!("no connection `{id}`");
        problems.push(Problem { code: Code::ConnectionNotFound, at, message, hint: Some(hint) });
        return None;
    };
    if found.kind != needed {
        let message = format!("connection `{id}` is of type `{}`; `{}` needs `{needed}`", found.kind, kind.name);
        problems.push(Problem { code: Code::ConnectionTypeMismatch, at, message, hint: None });
        return None;
    }
    let refused = match (kind.role, found.target) {
        (Role::Source, Target::Destination) => Some("destination"),
        (Role::Destination, Target::Source) => Some("source"),
        _ => None,
    };
    if let Some(only) = refused {
        let message = format!("connection `{id}` is a {only} connection; `{}` cannot use it", kind.name);
        problems.push(Problem { code: Code::ConnectionTargetMismatch, at, message, hint: None });
        return None;
    }
    Some(found.clone())
}

fn input(item: &Node, path: &str, kind: &ActionType, problems: &mut Vec<Problem>) -> Option<(String, Place)> {
    let path = format!("{path}.input");
    match (item.get("input"), kind.role) {
        (None, Role::Source) => None,
        (Some(node), Role::Source) => {
            problems.push(invalid(node.at(&path), format!("`{}` begins a workflow and takes no input", kind.name)));
            None
        }
        (None, _) => {
            problems.push(invalid(item.at(&path), "key `input` is missing; it names an earlier action".into()));
            None
        }
        (Some(node), _) => match node.text() {
            Some(text) => Some((text.to_string(), node.at(&path))),
            None => {
                problems
                    .push(invalid(node.at(&path), format!("the name of an action is expected, not {}", node.shown())));
                None
            }
        },
    }
}

/// Resolves every `input` to an earlier action.
fn graph(found: &mut [Written], problems: &mut Vec<Problem>) {
    for index in 0..found.len() {
        let Some((input, at)) = found[index].input.clone() else { continue };
        let position = found.iter().position(|other| other.name == input);
        let message = match position {
            Some(earlier) if earlier < index => {
                let ends = found[earlier].kind.is_some_and(|kind| kind.role == Role::Destination);
                if !ends {
                    found[index].parent = Some(earlier);
                    continue;
                }
                format!("action `{input}` is a destination and gives nothing on")
            }
            Some(same) if same == index => format!("action `{input}` cannot be its own input"),
            Some(_) => format!("action `{input}` comes later; an input comes before"),
            None => format!("no action `{input}`"),
        };
        let names = found[..index].iter().map(|other| other.name.as_str());
        let hint = nearest(&input, names).filter(|near| *near != input).map(|near| format!("Did you mean `{near}`?"));
        problems.push(Problem { code: Code::ConfigReference, at, message, hint });
    }
}

/// Every reference leads to an ancestor.
fn references(found: &[Written], problems: &mut Vec<Problem>) {
    for (index, action) in found.iter().enumerate() {
        let Some(config) = &action.config else { continue };
        for (_, template, at) in config.templates() {
            for reference in template.references() {
                if let Some(problem) = unreachable_reference(found, index, reference, at) {
                    problems.push(problem);
                }
            }
        }
    }
}

fn unreachable_reference(found: &[Written], index: usize, reference: &Reference, at: &Place) -> Option<Problem> {
    let name = &reference.action;
    let ancestors: Vec<usize> = std::iter::successors(found[index].parent, |&parent| found[parent].parent).collect();
    // Where the input itself is wrong, that was said already.
    if found[index].parent.is_none() && found[index].input.is_some() {
        return None;
    }
    if ancestors.iter().any(|&ancestor| found[ancestor].name == *name) {
        return None;
    }
    let message = match found.iter().position(|other| other.name == *name) {
        None => format!("no action `{name}`"),
        Some(other) if other == index => format!("action `{name}` refers to itself"),
        Some(other) if other > index => format!("action `{name}` comes later"),
        Some(_) => format!("action `{name}` is not among the inputs of `{}`", found[index].name),
    };
    let names = ancestors.iter().map(|&ancestor| found[ancestor].name.as_str());
    let hint = nearest(name, names).map(|near| format!("Did you mean `{near}`?"));
    Some(Problem { code: Code::ConfigReference, at: at.clone(), message, hint })
}

/// Builds sources and steps, source by source.
fn branches(found: &[Written], bound: bool) -> Result<Vec<Branch>, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut branches: Vec<(usize, Branch)> = Vec::new();
    for (index, action) in found.iter().enumerate() {
        let (Some(kind), Some(config)) = (action.kind, &action.config) else { continue };
        let built = match bound.then(|| (kind.build)(config, action.connection.as_ref())).transpose() {
            Ok(built) => built,
            Err(failure) => {
                let at = Place { path: format!("{}.connection", action.path), ..action.place.clone() };
                problems.push(Problem { code: failure.code, at, message: failure.message, hint: failure.hint });
                continue;
            }
        };
        let Some(root) = std::iter::successors(Some(index), |&at| found[at].parent).last() else { continue };
        match (kind.role, built) {
            (Role::Source, built) => {
                let source = match built {
                    Some(Built::Source(source)) => Some(source),
                    _ => None,
                };
                let bucket = (kind.reach)(config).map(|reach| reach.bucket).unwrap_or_default();
                branches.push((index, Branch { name: action.name.clone(), source, bucket, steps: Vec::new() }));
            }
            (role, built) => {
                let step = match built {
                    Some(Built::Step(step)) => Some(step),
                    _ => None,
                };
                let templates = config.templates().map(|(field, template, _)| (field, template.clone())).collect();
                let planned = Planned { name: action.name.clone(), kind: kind.name, role, step, templates };
                if let Some((_, branch)) = branches.iter_mut().find(|(at, _)| *at == root) {
                    branch.steps.push(planned);
                }
            }
        }
    }
    if problems.is_empty() { Ok(branches.into_iter().map(|(_, branch)| branch).collect()) } else { Err(problems) }
}
