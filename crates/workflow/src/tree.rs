//! Text to a tree in which every node knows its line and column. YAML 1.2 with the YAML 1.1 words `yes`, `no`, `on`
//! and `off` for truth values; JSON is YAML. Aliases are followed within a budget, duplicate keys are refused.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, Span};

use crate::{Code, Place, Problem};

/// The longest text that is read, in bytes.
const BYTES_MAX: usize = 1 << 20;
/// The most nodes a document may unfold to; an alias bomb needs more.
const NODES_MAX: usize = 20_000;
/// The deepest nesting; more than any config needs, less than a stack can bear.
const DEPTH_MAX: usize = 64;

/// A value with its place in the text.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
}

/// A parsed value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`, `~` or nothing.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction or an exponent.
    Real(f64),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// Keys, each with its own node for the place, and values, in the order written.
    Map(Vec<(Node, Node)>),
}

impl Node {
    /// The text, if it is text.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value under `key`, if this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|(k, _)| k.text() == Some(key)).map(|(_, v)| v),
            _ => None,
        }
    }

    /// This node's place under `path`.
    pub fn at(&self, path: &str) -> Place {
        Place { path: path.to_string(), line: self.line, column: self.column }
    }

    /// What the value is, in a word, for messages.
    pub fn noun(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "a truth value",
            Value::Int(_) | Value::Real(_) => "a number",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }

    /// The value as written, short enough for a message.
    pub fn shown(&self) -> String {
        match &self.value {
            Value::Null => "nothing".into(),
            Value::Bool(flag) => format!("`{flag}`"),
            Value::Int(number) => format!("`{number}`"),
            Value::Real(number) => format!("`{number}`"),
            Value::Text(text) => {
                let short: String = text.chars().take(60).collect();
                if short.len() < text.len() { format!("`{short}...`") } else { format!("`{short}`") }
            }
            Value::List(_) | Value::Map(_) => self.noun().into(),
        }
    }

    /// The tree as JSON, places dropped. Numbers that JSON cannot hold become null.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match &self.value {
            Value::Null => Json::Null,
            Value::Bool(flag) => Json::Bool(*flag),
            Value::Int(number) => Json::from(*number),
            Value::Real(number) => serde_json::Number::from_f64(*number).map_or(Json::Null, Json::Number),
            Value::Text(text) => Json::String(text.clone()),
            Value::List(items) => Json::Array(items.iter().map(Node::to_json).collect()),
            Value::Map(entries) => {
                Json::Object(entries.iter().filter_map(|(k, v)| Some((k.text()?.to_string(), v.to_json()))).collect())
            }
        }
    }
}

/// Parses one document of YAML or JSON. A text of comments only is `Null`. All problems that can be told apart are
/// returned: the first syntax error, or every duplicate and non-text key.
pub fn parse(text: &str) -> Result<Node, Vec<Problem>> {
    if text.len() > BYTES_MAX {
        let message = format!("the text has {} bytes where at most {BYTES_MAX} are read", text.len());
        return Err(vec![problem(1, 1, message)]);
    }
    let mut builder = Builder { anchors: HashMap::new(), nodes: 0, problems: Vec::new() };
    let mut parser = Parser::new_from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
    let mut root = None;
    loop {
        let (event, span) = match next(&mut parser) {
            Ok(Some(next)) => next,
            Ok(None) => break,
            Err(problem) => return Err(vec![problem]),
        };
        match event {
            Event::StreamEnd => break,
            Event::DocumentStart(..) if root.is_some() => {
                let at = (span.start.line(), span.start.col() + 1);
                return Err(vec![problem(at.0, at.1, "a second document begins here; one is expected".into())]);
            }
            Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd | Event::Comment(..) => {}
            other => match builder.node(other, span, &mut parser, 0) {
                Ok(node) => root = Some(node),
                Err(problem) => return Err(vec![problem]),
            },
        }
    }
    if !builder.problems.is_empty() {
        return Err(builder.problems);
    }
    Ok(root.unwrap_or(Node { value: Value::Null, line: 1, column: 1 }))
}

fn problem(line: usize, column: usize, message: String) -> Problem {
    Problem { code: Code::ConfigParse, at: Place { path: String::new(), line, column }, message, hint: None }
}

type Events<'a> = Parser<'a, granit_parser::StrInput<'a>>;

fn next<'a>(parser: &mut Events<'a>) -> Result<Option<(Event<'a>, Span)>, Problem> {
    match parser.next() {
        None => Ok(None),
        Some(Ok(found)) => Ok(Some(found)),
        Some(Err(error)) => {
            let mark = error.marker();
            let mut found =
                problem(mark.line(), mark.col() + 1, format!("not YAML: {}", error.info().replace('\n', "; ")));
            if found.message.contains("tab") {
                found.hint = Some("YAML indents with spaces only; replace the tab.".into());
            }
            Err(found)
        }
    }
}

struct Builder {
    anchors: HashMap<usize, Node>,
    nodes: usize,
    problems: Vec<Problem>,
}

impl Builder {
    fn node<'a>(
        &mut self,
        event: Event<'a>,
        span: Span,
        parser: &mut Events<'a>,
        depth: usize,
    ) -> Result<Node, Problem> {
        let (line, column) = (span.start.line(), span.start.col() + 1);
        if depth > DEPTH_MAX {
            return Err(problem(line, column, format!("nested deeper than {DEPTH_MAX} levels")));
        }
        self.count(1, line, column)?;
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let forced = tag.is_some_and(|tag| tag.to_string().ends_with("str"));
                let plain = style == ScalarStyle::Plain && !forced;
                (if plain { scalar(&text) } else { Value::Text(text.into_owned()) }, anchor)
            }
            Event::SequenceStart(_, anchor, _) => (self.list(parser, depth)?, anchor),
            Event::MappingStart(_, anchor, _) => (self.map(parser, depth)?, anchor),
            Event::Alias(anchor) => {
                let Some(target) = self.anchors.get(&anchor).cloned() else {
                    return Err(problem(line, column, "an alias refers to itself".into()));
                };
                self.count(size(&target), line, column)?;
                (target.value, 0)
            }
            _ => return Err(problem(line, column, "a value is expected here".into())),
        };
        let node = Node { value, line, column };
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn list<'a>(&mut self, parser: &mut Events<'a>, depth: usize) -> Result<Value, Problem> {
        let mut items = Vec::new();
        while let Some((event, span)) = next(parser)? {
            match event {
                Event::SequenceEnd => break,
                Event::Comment(..) => {}
                event => items.push(self.node(event, span, parser, depth + 1)?),
            }
        }
        Ok(Value::List(items))
    }

    fn map<'a>(&mut self, parser: &mut Events<'a>, depth: usize) -> Result<Value, Problem> {
        let mut entries: Vec<(Node, Node)> = Vec::new();
        let mut key: Option<Node> = None;
        while let Some((event, span)) = next(parser)? {
            match event {
                Event::MappingEnd => break,
                Event::Comment(..) => {}
                event => {
                    let node = self.node(event, span, parser, depth + 1)?;
                    match key.take() {
                        None => key = Some(self.key(node, &entries)),
                        Some(key) => entries.push((key, node)),
                    }
                }
            }
        }
        Ok(Value::Map(entries))
    }

    /// A key is text; numbers and words such as `on` are taken as the text they were written as.
    fn key(&mut self, node: Node, entries: &[(Node, Node)]) -> Node {
        let text = match &node.value {
            Value::Text(text) => text.clone(),
            Value::Int(number) => number.to_string(),
            Value::Real(number) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            _ => {
                self.problems.push(problem(node.line, node.column, format!("a key is text, not {}", node.noun())));
                String::new()
            }
        };
        if let Some((earlier, _)) = entries.iter().find(|(k, _)| k.text() == Some(&text)) {
            let message = format!("key `{text}` occurs twice; it is already on line {}", earlier.line);
            self.problems.push(problem(node.line, node.column, message));
        }
        Node { value: Value::Text(text), ..node }
    }

    fn count(&mut self, nodes: usize, line: usize, column: usize) -> Result<(), Problem> {
        self.nodes += nodes;
        if self.nodes > NODES_MAX {
            return Err(problem(line, column, format!("the document unfolds to more than {NODES_MAX} values")));
        }
        Ok(())
    }
}

fn size(node: &Node) -> usize {
    match &node.value {
        Value::List(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Map(entries) => 1 + entries.iter().map(|(_, value)| 1 + size(value)).sum::<usize>(),
        _ => 1,
    }
}

fn scalar(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => return Value::Bool(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => return Value::Bool(false),
        _ => {}
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.starts_with(|c: char| c.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0') || digits.contains(['.', 'e', 'E']))
    {
        if let Ok(number) = text.parse::<i64>() {
            return Value::Int(number);
        }
        if let Ok(number) = text.parse::<f64>()
            && number.is_finite()
            && digits.chars().all(|c| c.is_ascii_digit() || ".eE+-".contains(c))
        {
            return Value::Real(number);
        }
    }
    if digits.starts_with('.')
        && digits.len() > 1
        && let Ok(number) = text.parse::<f64>()
    {
        return Value::Real(number);
    }
    Value::Text(text.to_string())
}
