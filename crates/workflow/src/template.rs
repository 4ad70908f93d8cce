//! Template strings: `{outputs.<action>.dataset.<list>.<attribute>}`, alone or within text. They are recognised in
//! string values of the parsed tree only.

use crate::nearest;

/// A parsed template string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// Its parts, in order.
    pub parts: Vec<Part>,
}

/// One part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Literal text.
    Text(String),
    /// A reference.
    Reference(Reference),
}

/// A reference to what an earlier action gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The action.
    pub action: String,
    /// What of its dataset.
    pub item: Item,
}

/// What a reference denotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    /// The whole dataset.
    Dataset,
    /// Bytes of each file.
    Data,
    /// `files.filename`.
    Filename,
    /// `files.source_filename`.
    SourceFilename,
    /// `tables.name`.
    TableName,
}

/// Why a template string is none: the message and a hint.
pub(crate) type Misread = (bool, String, Option<String>);

impl Template {
    /// The one reference that the whole string is, if it is just that.
    pub fn single(&self) -> Option<&Reference> {
        match self.parts.as_slice() {
            [Part::Reference(reference)] => Some(reference),
            _ => None,
        }
    }

    /// Every reference, in order.
    pub fn references(&self) -> impl Iterator<Item = &Reference> {
        self.parts.iter().filter_map(|part| match part {
            Part::Reference(reference) => Some(reference),
            Part::Text(_) => None,
        })
    }

    /// The text before the first reference.
    pub fn literal_prefix(&self) -> &str {
        match self.parts.first() {
            Some(Part::Text(text)) => text,
            _ => "",
        }
    }

    /// The text with each reference replaced by what `resolve` says.
    pub fn render(&self, mut resolve: impl FnMut(&Reference) -> Option<String>) -> Option<String> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(literal) => text.push_str(literal),
                Part::Reference(reference) => text.push_str(&resolve(reference)?),
            }
        }
        Some(text)
    }

    /// Parses a string. `{{` and `}}` are literal braces. The flag of a misread says whether it is about a reference
    /// (true) or about the braces (false).
    pub(crate) fn parse(text: &str) -> Result<Template, Misread> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            literal.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                literal.push_str(brace);
                rest = after;
                continue;
            }
            if brace == "}" {
                return Err((
                    false,
                    format!("`}}` without `{{` in `{text}`"),
                    Some("Write `}}` for a literal brace.".into()),
                ));
            }
            let Some(end) = rest.find('}') else {
                return Err((
                    false,
                    format!("`{{` is not closed in `{text}`"),
                    Some("Write `{{` for a literal brace.".into()),
                ));
            };
            if !literal.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut literal)));
            }
            parts.push(Part::Reference(reference(rest[..end].trim())?));
            rest = &rest[end + 1..];
        }
        literal.push_str(rest);
        if !literal.is_empty() || parts.is_empty() {
            parts.push(Part::Text(literal));
        }
        Ok(Template { parts })
    }
}

fn reference(body: &str) -> Result<Reference, Misread> {
    let words: Vec<&str> = body.split('.').collect();
    let (action, path) = match words.as_slice() {
        ["outputs", action, path @ ..] if !action.is_empty() => (*action, path),
        // The spelling of 2023.
        [action, "outputs", path @ ..] if !action.is_empty() => (*action, path),
        _ => {
            let message = format!("`{{{body}}}` is not a reference");
            return Err((true, message, Some("Write `{outputs.<action>.dataset.files.data}` or the like.".into())));
        }
    };
    let wrong = |word: &str, allowed: &[&'static str]| {
        let list: Vec<String> = allowed.iter().map(|name| format!("`{name}`")).collect();
        let message = format!("`{{{body}}}` has no `{word}`; allowed here: {}", list.join(", "));
        (true, message, nearest(word, allowed.iter().copied()).map(|near| format!("Did you mean `{near}`?")))
    };
    let item = match path {
        ["dataset"] => Item::Dataset,
        ["dataset", "files", "data"] | ["dataset", "tables", "data"] => Item::Data,
        ["dataset", "files", "filename"] => Item::Filename,
        ["dataset", "files", "source_filename"] => Item::SourceFilename,
        ["dataset", "tables", "name"] => Item::TableName,
        // What the documented actions for trying out call it.
        ["name"] => Item::Filename,
        [] => return Err(wrong("", &["dataset"])),
        ["dataset", "files"] => return Err(wrong("", &["data", "filename", "source_filename"])),
        ["dataset", "tables"] => return Err(wrong("", &["data", "name"])),
        ["dataset", "files", word, ..] => return Err(wrong(word, &["data", "filename", "source_filename"])),
        ["dataset", "tables", word, ..] => return Err(wrong(word, &["data", "name"])),
        ["dataset", word, ..] => return Err(wrong(word, &["files", "tables"])),
        [word, ..] => return Err(wrong(word, &["dataset"])),
    };
    Ok(Reference { action: action.to_string(), item })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_and_braces_are_told_apart() {
        let check = |text: &str, expected: Result<usize, &str>| match (Template::parse(text), expected) {
            (Ok(template), Ok(references)) => assert_eq!(template.references().count(), references, "{text}"),
            (Err((_, message, _)), Err(part)) => assert!(message.contains(part), "{text}: {message}"),
            (found, _) => panic!("{text}: {found:?}"),
        };
        check("plain", Ok(0));
        check("{{literal}}", Ok(0));
        check("{outputs.a.dataset}", Ok(1));
        check("x-{a.outputs.dataset.files.filename}-{outputs.b.dataset.tables.name}", Ok(2));
        check("{outputs.a.dataset.file.data}", Err("no `file`"));
        check("{csv,json}", Err("is not a reference"));
        check("{outputs.a", Err("not closed"));
        check("a}", Err("without"));
    }
}
