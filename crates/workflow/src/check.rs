//! From a tree to a checked [`Config`]: strict keys, shapes, templates. Every problem is collected.

use std::collections::BTreeMap;

use crate::{Accepts, Code, Field, Item, Node, Place, Problem, Shape, Template, Value, nearest};

/// The checked `config` of one action. Can only be made by the planner.
#[derive(Clone, Debug)]
pub struct Config {
    path: String,
    place: Place,
    settings: BTreeMap<&'static str, Setting>,
}

#[derive(Clone, Debug)]
struct Setting {
    place: Place,
    value: Held,
}

#[derive(Clone, Debug)]
enum Held {
    Text(String),
    Flag(bool),
    Count(u64),
    Texts(Vec<String>),
    Template(Template),
    Tree(Node),
}

impl Config {
    /// The text of a field, if it was given.
    pub fn text(&self, field: &str) -> Option<&str> {
        match self.held(field)? {
            Held::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The flag of a field, if it was given.
    pub fn flag(&self, field: &str) -> Option<bool> {
        match self.held(field)? {
            Held::Flag(flag) => Some(*flag),
            _ => None,
        }
    }

    /// The number of a field, if it was given.
    pub fn count(&self, field: &str) -> Option<u64> {
        match self.held(field)? {
            Held::Count(count) => Some(*count),
            _ => None,
        }
    }

    /// The texts of a field, if it was given.
    pub fn texts(&self, field: &str) -> Option<&[String]> {
        match self.held(field)? {
            Held::Texts(texts) => Some(texts),
            _ => None,
        }
    }

    /// The template of a field, if it was given.
    pub fn template(&self, field: &str) -> Option<&Template> {
        match self.held(field)? {
            Held::Template(template) => Some(template),
            _ => None,
        }
    }

    /// The mapping of a field, if it was given.
    pub fn tree(&self, field: &str) -> Option<&Node> {
        match self.held(field)? {
            Held::Tree(node) => Some(node),
            _ => None,
        }
    }

    /// Every template, by field name.
    pub fn templates(&self) -> impl Iterator<Item = (&'static str, &Template, &Place)> {
        self.settings.iter().filter_map(|(name, setting)| match &setting.value {
            Held::Template(template) => Some((*name, template, &setting.place)),
            _ => None,
        })
    }

    /// Where a field stands, or where the config stands if the field was not given.
    pub fn at(&self, field: &str) -> Place {
        match self.settings.get(field) {
            Some(setting) => setting.place.clone(),
            None => Place { path: format!("{}.{field}", self.path), ..self.place.clone() },
        }
    }

    /// A problem of kind `config.invalid` at a field.
    pub fn problem(&self, field: &str, message: impl Into<String>, hint: Option<&str>) -> Problem {
        Problem { code: Code::ConfigInvalid, at: self.at(field), message: message.into(), hint: hint.map(Into::into) }
    }

    fn held(&self, field: &str) -> Option<&Held> {
        self.settings.get(field).map(|setting| &setting.value)
    }

    /// Checks the mapping `node` at `path` against `fields`.
    pub(crate) fn check(node: &Node, path: &str, fields: &'static [Field], problems: &mut Vec<Problem>) -> Config {
        let mut config = Config { path: path.to_string(), place: node.at(path), settings: BTreeMap::new() };
        let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
        let entries = entries(node, path, &names, problems);
        for (key, value) in entries {
            let name = key.text().unwrap_or_default();
            let Some(field) = fields.iter().find(|field| field.name == name) else { continue };
            let place = value.at(&format!("{path}.{name}"));
            if matches!(value.value, Value::Null) {
                if field.required {
                    problems
                        .push(invalid(place, format!("key `{name}` has no value; {} is expected", field.shape.noun())));
                }
                continue;
            }
            if let Some(held) = held(value, field, &place, problems) {
                config.settings.insert(field.name, Setting { place, value: held });
            }
        }
        for field in fields.iter().filter(|field| field.required && node.get(field.name).is_none()) {
            let mut problem =
                invalid(node.at(&format!("{path}.{}", field.name)), format!("key `{}` is missing", field.name));
            problem.hint = Some(format!("Add for instance `{}: {}`.", field.name, field.example));
            problems.push(problem);
        }
        config
    }
}

fn held(value: &Node, field: &Field, place: &Place, problems: &mut Vec<Problem>) -> Option<Held> {
    match (field.shape, &value.value) {
        // A bucket or path may look like a number or a truth word; only the quotes are missing.
        (Shape::Text, Value::Text(text)) => Some(Held::Text(text.clone())),
        (Shape::Text, Value::Int(number)) => Some(Held::Text(number.to_string())),
        (Shape::Flag, Value::Bool(flag)) => Some(Held::Flag(*flag)),
        (Shape::Count, Value::Int(count)) if *count >= 0 => Some(Held::Count(*count as u64)),
        (Shape::Choice(words), Value::Text(word)) if words.contains(&word.as_str()) => Some(Held::Text(word.clone())),
        (Shape::Texts, Value::List(items)) if !items.is_empty() && items.iter().all(is_text) => {
            Some(Held::Texts(items.iter().filter_map(Node::text).map(str::to_string).collect()))
        }
        (Shape::Tree, Value::Map(_)) => Some(Held::Tree(value.clone())),
        (Shape::Template(accepts), Value::Text(text)) => template(text, accepts, place, problems).map(Held::Template),
        (shape, _) => {
            problems.push(invalid(place.clone(), format!("{} is expected, not {}", shape.noun(), value.shown())));
            None
        }
    }
}

fn is_text(node: &Node) -> bool {
    node.text().is_some_and(|text| !text.is_empty())
}

fn template(text: &str, accepts: Accepts, place: &Place, problems: &mut Vec<Problem>) -> Option<Template> {
    let template = match Template::parse(text) {
        Ok(template) => template,
        Err((about_reference, message, hint)) => {
            let code = if about_reference { Code::ConfigReference } else { Code::ConfigInvalid };
            problems.push(Problem { code, at: place.clone(), message, hint });
            return None;
        }
    };
    match accepts {
        Accepts::Data => {
            let whole = template.single().map(|reference| reference.item);
            if whole == Some(Item::Data) {
                return Some(template);
            }
            let found = match whole {
                Some(Item::Dataset) => "a whole dataset".to_string(),
                _ => format!("`{text}`"),
            };
            let mut problem = invalid(place.clone(), format!("a data handle is expected, not {found}"));
            problem.hint = Some("Write `{outputs.<action>.dataset.files.data}`.".into());
            problems.push(problem);
            None
        }
        Accepts::Text => {
            let handle = template.references().any(|reference| matches!(reference.item, Item::Data | Item::Dataset));
            if handle {
                let mut problem = invalid(place.clone(), "text is expected; a dataset or its data has no text".into());
                problem.hint = Some("Refer to `files.filename`, `files.source_filename` or `tables.name`.".into());
                problems.push(problem);
                return None;
            }
            Some(template)
        }
    }
}

/// The entries of a mapping whose keys are known; unknown ones become problems.
pub(crate) fn entries<'n>(
    node: &'n Node,
    path: &str,
    names: &[&str],
    problems: &mut Vec<Problem>,
) -> impl Iterator<Item = &'n (Node, Node)> + use<'n> {
    let entries: &'n [(Node, Node)] = match &node.value {
        Value::Map(entries) => entries,
        _ => {
            problems.push(invalid(node.at(path), format!("a mapping is expected, not {}", node.shown())));
            &[]
        }
    };
    for (key, _) in entries {
        let name = key.text().unwrap_or_default();
        if !names.contains(&name) {
            let at = if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
            let list: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            let mut problem = invalid(key.at(&at), format!("unknown key `{name}`; allowed: {}", list.join(", ")));
            problem.hint = nearest(name, names.iter().copied()).map(|near| format!("Did you mean `{near}`?"));
            problems.push(problem);
        }
    }
    entries.iter()
}

pub(crate) fn invalid(at: Place, message: String) -> Problem {
    Problem { code: Code::ConfigInvalid, at, message, hint: None }
}
