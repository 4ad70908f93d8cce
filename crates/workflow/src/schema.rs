//! The fields of a config, once: checking, the JSON Schema for editors and the reference pages are loops over them.

use serde_json::{Map, Value, json};

use crate::ActionType;

/// One key of an action's `config`.
pub struct Field {
    /// The key.
    pub name: &'static str,
    /// What it holds.
    pub shape: Shape,
    /// Whether it must be there.
    pub required: bool,
    /// What it means, its unit and its default; this text is the reference.
    pub about: &'static str,
    /// An example value, as YAML.
    pub example: &'static str,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Text, never a template.
    Text,
    /// `true` or `false`.
    Flag,
    /// A whole number, 0 or more.
    Count,
    /// A list of texts, one at least.
    Texts,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A template.
    Template(Accepts),
    /// A mapping that the action checks itself.
    Tree,
}

/// What a template field accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepts {
    /// Exactly one reference to the data of files or tables.
    Data,
    /// Text with references to names.
    Text,
}

impl Shape {
    /// What is expected, in words.
    pub fn noun(self) -> String {
        match self {
            Shape::Text => "text".into(),
            Shape::Flag => "`true` or `false`".into(),
            Shape::Count => "a whole number of 0 or more".into(),
            Shape::Texts => "a list of texts".into(),
            Shape::Choice(words) => {
                format!("one of {}", words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "))
            }
            Shape::Template(Accepts::Data) => "a reference such as `{outputs.<action>.dataset.files.data}`".into(),
            Shape::Template(Accepts::Text) => "text, with references if you like".into(),
            Shape::Tree => "a mapping".into(),
        }
    }

    fn json_schema(self) -> Value {
        match self {
            Shape::Text | Shape::Template(_) => json!({ "type": "string" }),
            Shape::Flag => json!({ "type": "boolean" }),
            Shape::Count => json!({ "type": "integer", "minimum": 0 }),
            Shape::Texts => json!({ "type": "array", "items": { "type": "string", "minLength": 1 }, "minItems": 1 }),
            Shape::Choice(words) => json!({ "enum": words }),
            Shape::Tree => json!({ "type": "object" }),
        }
    }
}

/// The JSON Schema (draft 2020-12) of a workflow made of these actions, for editors.
pub fn json_schema(actions: &[&ActionType]) -> Value {
    let variants: Vec<Value> = actions.iter().map(|action| action_schema(action)).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Hansel workflow",
        "type": "object",
        "additionalProperties": false,
        "required": ["name", "actions"],
        "properties": {
            "name": { "type": "string", "minLength": 1, "description": "What the workflow is called." },
            "trigger": {
                "type": "object",
                "additionalProperties": false,
                "required": ["cron"],
                "properties": { "cron": {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["pattern"],
                    "properties": {
                        "pattern": { "type": "string", "description": "Five cron fields or a shortcut such as @daily." },
                        "timezone": { "type": "string", "description": "IANA name; UTC by default." },
                    },
                } },
            },
            "actions": { "type": "array", "minItems": 1, "items": { "oneOf": variants } },
        },
    })
}

fn action_schema(action: &ActionType) -> Value {
    let mut properties = Map::new();
    for field in action.fields {
        let mut schema = field.shape.json_schema();
        schema["description"] = json!(field.about);
        properties.insert(field.name.into(), schema);
    }
    let required: Vec<&str> = action.fields.iter().filter(|field| field.required).map(|field| field.name).collect();
    let mut envelope = Map::new();
    envelope.insert("name".into(), json!({ "type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]*$" }));
    envelope.insert("type".into(), json!({ "const": action.name, "description": action.about }));
    let mut needed = vec!["name", "type", "config"];
    if let Some(kind) = action.connection {
        envelope.insert(
            "connection".into(),
            json!({ "type": "string", "description": format!("A connection of type {kind}.") }),
        );
        needed.push("connection");
    }
    if action.role != crate::Role::Source {
        envelope.insert("input".into(), json!({ "type": "string", "description": "Name of an earlier action." }));
        needed.push("input");
    }
    envelope.insert(
        "config".into(),
        json!({ "type": "object", "additionalProperties": false, "required": required, "properties": properties }),
    );
    json!({ "type": "object", "additionalProperties": false, "required": needed, "properties": envelope })
}
