//! Constraints as users write them: items of the list `constraints` of a model config come in, what they demand of named
//! columns goes out. Whether such columns exist is asked elsewhere, when there is a table.

use serde_json::Value;

use crate::model::BadParam;

/// What a user demands of every row. A row in which one of the columns is missing meets it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Constraint {
    /// `left <= right`, or `left < right` where strict.
    Compare { left: Operand, right: Operand, strict: bool },
    /// `target = constant + sum of weight * column`.
    Sum { target: String, terms: Vec<(f64, String)>, constant: f64 },
    /// Only combinations of values that the training table shows.
    Together { columns: Vec<String> },
    /// No value twice in an output.
    Unique { column: String },
    /// The whole text matches the pattern.
    Regex { column: String, pattern: String },
}

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Operand {
    /// A column.
    Column(String),
    /// A number, date or time, as it was written; read as the other side's column is written.
    Literal(String),
}

impl std::fmt::Display for Constraint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Constraint::Compare { left, right, strict } => {
                write!(f, "{left} {} {right}", if *strict { "<" } else { "<=" })
            }
            Constraint::Sum { target, terms, constant } => {
                write!(f, "{target} =")?;
                for (at, (weight, name)) in terms.iter().enumerate() {
                    let sign = match (at, *weight < 0.0) {
                        (0, false) => " ",
                        (0, true) => " -",
                        (_, false) => " + ",
                        (_, true) => " - ",
                    };
                    let size = weight.abs();
                    if size == 1.0 { write!(f, "{sign}{name}")? } else { write!(f, "{sign}{size} * {name}")? }
                }
                if *constant == 0.0 && !terms.is_empty() { Ok(()) } else { write!(f, " + {constant}") }
            }
            Constraint::Together { columns } => write!(f, "fixed combinations of {}", columns.join(", ")),
            Constraint::Unique { column } => write!(f, "{column} is unique"),
            Constraint::Regex { column, pattern } => write!(f, "{column} matches {pattern}"),
        }
    }
}

impl std::fmt::Display for Operand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (Operand::Column(text) | Operand::Literal(text)) = self;
        f.write_str(text)
    }
}

/// The forms that an item may have, for messages.
const FORMS: &str = "`a <= b`, `a < 10`, `total = price + tax`, `{unique: id}`, `{fixed_combinations: [a, b]}`, \
                     `{range: {column: a, min: 0, max: 9}}` and `{regex: {column: a, pattern: \"[A-Z]+\"}}`";

/// Reads the list `constraints`; every item that cannot be read is a fault.
pub(crate) fn constraints_of(value: &Value, path: &str, bad: &mut Vec<BadParam>) -> Vec<Constraint> {
    let Value::Array(items) = value else {
        if !value.is_null() {
            let message = format!("`constraints` is {value} where a list is allowed; its items are {FORMS}");
            bad.push(BadParam { path: path.into(), message, hint: None });
        }
        return Vec::new();
    };
    let mut read = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let found = match item {
            Value::String(text) => expression(text),
            Value::Object(entry) if entry.len() == 1 => {
                entry.iter().next().map_or(Err(String::new()), |(name, body)| named(name, body))
            }
            other => Err(format!("{other} is neither an expression nor a mapping of one key")),
        };
        match found {
            Ok(mut constraints) => read.append(&mut constraints),
            Err(message) => {
                let hint = Some(format!("The forms are {FORMS}."));
                bad.push(BadParam { path: format!("{path}[{at}]"), message, hint });
            }
        }
    }
    read
}

fn named(name: &str, body: &Value) -> Result<Vec<Constraint>, String> {
    match name {
        "unique" => {
            let column = body.as_str().or_else(|| match body.as_array()?.as_slice() {
                [Value::String(one)] => Some(one),
                _ => None,
            });
            let column = column.ok_or(format!("`unique` is {body} where the name of one column is allowed"))?;
            Ok(vec![Constraint::Unique { column: column.into() }])
        }
        "fixed_combinations" => {
            let columns: Option<Vec<String>> =
                body.as_array().and_then(|list| list.iter().map(|name| name.as_str().map(String::from)).collect());
            match columns {
                Some(columns) if columns.len() >= 2 => Ok(vec![Constraint::Together { columns }]),
                _ => Err(format!("`fixed_combinations` is {body} where a list of two or more columns is allowed")),
            }
        }
        "range" => range(body),
        "regex" => {
            let (Some(column), Some(pattern)) = (text_of(body, "column"), text_of(body, "pattern")) else {
                return Err(format!("`regex` is {body} where `column` and `pattern` are needed"));
            };
            crate::makers::pattern::Pattern::parse(&pattern)?;
            Ok(vec![Constraint::Regex { column, pattern }])
        }
        _ => {
            let known = ["unique", "fixed_combinations", "range", "regex"];
            let near = crate::config::nearest::nearest(name, known.into_iter());
            let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            Err(format!("`{name}` is no constraint{near}"))
        }
    }
}

fn text_of(body: &Value, key: &str) -> Option<String> {
    body.get(key)?.as_str().map(String::from)
}

fn range(body: &Value) -> Result<Vec<Constraint>, String> {
    let unknown = body.as_object().and_then(|b| b.keys().find(|k| !matches!(k.as_str(), "column" | "min" | "max")));
    if let Some(key) = unknown {
        return Err(format!("`{key}` is no part of `range`, which has `column`, `min` and `max`"));
    }
    let literal = |key: &str| match body.get(key) {
        Some(Value::String(text)) => Some(Operand::Literal(text.clone())),
        Some(Value::Number(number)) => Some(Operand::Literal(number.to_string())),
        _ => None,
    };
    let Some(column) = text_of(body, "column") else {
        return Err(format!("`range` is {body} where `column` is needed"));
    };
    let own = Operand::Column(column);
    let low = literal("min").map(|low| Constraint::Compare { left: low, right: own.clone(), strict: false });
    let high = literal("max").map(|high| Constraint::Compare { left: own.clone(), right: high, strict: false });
    let both: Vec<Constraint> = low.into_iter().chain(high).collect();
    if both.is_empty() { Err(format!("`range` is {body} where `min` or `max` is needed")) } else { Ok(both) }
}

/// A piece of an expression.
#[derive(Clone, Debug, PartialEq)]
enum Token {
    Name(String),
    /// In single quotes, or it begins with a digit.
    Literal(String),
    Sign(&'static str),
}

const SIGNS: [&str; 9] = ["<=", ">=", "==", "<", ">", "=", "+", "-", "*"];

fn tokens_of(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        if let Some(quote) = ['"', '`', '\''].into_iter().find(|&q| q == first) {
            let body = &rest[1..];
            let end = body.find(quote).ok_or(format!("`{text}` has a {quote} that is not closed"))?;
            let inside = body[..end].to_string();
            tokens.push(if quote == '\'' { Token::Literal(inside) } else { Token::Name(inside) });
            rest = &body[end + 1..];
        } else if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
            tokens.push(Token::Sign(if sign == "==" { "=" } else { sign }));
            rest = &rest[sign.len()..];
        } else if first.is_ascii_digit() || first == '.' {
            // A date such as 2024-01-31 holds signs; a number does not.
            let end = rest.find(|c: char| c.is_whitespace() || "<>=+*".contains(c)).unwrap_or(rest.len());
            tokens.push(Token::Literal(rest[..end].to_string()));
            rest = &rest[end..];
        } else {
            let end = rest.find(|c: char| c.is_whitespace() || "<>=+-*\"`'".contains(c)).unwrap_or(rest.len());
            tokens.push(Token::Name(rest[..end].to_string()));
            rest = &rest[end..];
        }
        rest = rest.trim_start();
    }
    Ok(tokens)
}

fn expression(text: &str) -> Result<Vec<Constraint>, String> {
    let tokens = tokens_of(text)?;
    let sign = tokens.iter().position(|t| matches!(t, Token::Sign(s) if "<=>=".contains(s)));
    let Some((at, Token::Sign(sign))) = sign.map(|at| (at, &tokens[at])) else {
        return Err(format!("`{text}` has no sign of comparison; `<=`, `<`, `>=`, `>` and `=` are known"));
    };
    let (left, right) = (&tokens[..at], &tokens[at + 1..]);
    if *sign == "=" {
        return sum(text, left, right).map(|sum| vec![sum]);
    }
    let (left, right) = (operand(text, left)?, operand(text, right)?);
    if let (Operand::Literal(_), Operand::Literal(_)) = (&left, &right) {
        return Err(format!("`{text}` names no column"));
    }
    let strict = sign.len() == 1;
    let (left, right) = if sign.starts_with('<') { (left, right) } else { (right, left) };
    Ok(vec![Constraint::Compare { left, right, strict }])
}

fn operand(text: &str, tokens: &[Token]) -> Result<Operand, String> {
    match tokens {
        [Token::Name(name)] => Ok(Operand::Column(name.clone())),
        [Token::Literal(literal)] => Ok(Operand::Literal(literal.clone())),
        [Token::Sign("-"), Token::Literal(literal)] => Ok(Operand::Literal(format!("-{literal}"))),
        _ => Err(format!("`{text}` does not have one column or one value on each side of its sign")),
    }
}

fn sum(text: &str, left: &[Token], right: &[Token]) -> Result<Constraint, String> {
    let [Token::Name(target)] = left else {
        return Err(format!("`{text}` does not have one column to the left of its `=`"));
    };
    let unread = || format!("`{text}` is no sum such as `total = price + 2 * tax - 5`");
    let (mut terms, mut constant) = (Vec::new(), 0.0);
    let mut at = 0;
    while at < right.len() {
        let mut weight = 1.0;
        match right[at] {
            Token::Sign("+") if at > 0 => at += 1,
            Token::Sign("-") => {
                weight = -1.0;
                at += 1;
            }
            _ if at > 0 => return Err(unread()),
            _ => {}
        }
        let number = |token: Option<&Token>| match token {
            Some(Token::Literal(text)) => text.parse::<f64>().ok().filter(|v| v.is_finite()),
            _ => None,
        };
        let (factor, starred) = match number(right.get(at)) {
            Some(factor) => (factor, right.get(at + 1) == Some(&Token::Sign("*"))),
            None => (1.0, true),
        };
        if number(right.get(at)).is_some() {
            at += if starred { 2 } else { 1 };
        }
        if !starred {
            constant += weight * factor;
            continue;
        }
        let Some(Token::Name(name)) = right.get(at) else { return Err(unread()) };
        terms.push((weight * factor, name.clone()));
        at += 1;
    }
    if terms.is_empty() { Err(unread()) } else { Ok(Constraint::Sum { target: target.clone(), terms, constant }) }
}
