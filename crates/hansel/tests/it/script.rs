//! Case files: lines that begin with `$ ` are commands, lines that begin with `| ` belong to the command above, lines
//! that begin with `#` are for people, and every other line is what the command printed.

use std::fmt::Write;

use crate::world::World;

/// A parsed case file.
pub(crate) struct Script {
    parts: Vec<Part>,
}

enum Part {
    /// Comments and blank lines, kept as they are.
    Prose(String),
    /// A command with the lines that belong to it.
    Command { words: Vec<String>, line: String, block: Vec<String> },
}

impl Script {
    /// Reads a case file.
    pub(crate) fn parse(text: &str) -> Result<Script, String> {
        let mut parts = Vec::new();
        for line in text.lines() {
            if let Some(command) = line.strip_prefix("$ ") {
                parts.push(Part::Command { words: words(command)?, line: command.into(), block: Vec::new() });
            } else if let Some(content) = line.strip_prefix('|') {
                match parts.last_mut() {
                    Some(Part::Command { block, .. }) => {
                        block.push(content.strip_prefix(' ').unwrap_or(content).into())
                    }
                    _ => return Err(format!("`{line}` belongs to no command")),
                }
            } else if line.is_empty() || line.starts_with('#') {
                parts.push(Part::Prose(line.into()));
            }
        }
        Ok(Script { parts })
    }

    /// Runs the commands; gives the file as it should be.
    pub(crate) fn run(&self) -> Result<String, String> {
        let mut world = World::new();
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Prose(line) => text.push_str(&format!("{line}\n")),
                Part::Command { words, line, block } => {
                    let _ = writeln!(text, "$ {line}");
                    for line in block {
                        let _ = writeln!(text, "{}", format!("| {line}").trim_end());
                    }
                    let said = world.obey(words, block).map_err(|error| format!("`{line}`: {error}"))?;
                    for line in said.lines() {
                        // A line that would be read as something else is set in.
                        let odd = line.is_empty() || line.starts_with(['$', '|', '#']);
                        let _ = writeln!(text, "{}{line}", if odd { "." } else { "" });
                    }
                }
            }
        }
        Ok(text)
    }
}

/// Splits a command: blanks part words; a word in double quotes is a JSON string.
fn words(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() {
        if rest.starts_with('"') {
            let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<String>();
            let word = stream.next().and_then(Result::ok).ok_or_else(|| format!("`{rest}` is not a JSON string"))?;
            let end = stream.byte_offset();
            words.push(word);
            rest = rest[end..].trim_start();
        } else {
            let (word, after) = rest.split_once(' ').unwrap_or((rest, ""));
            words.push(word.into());
            rest = after.trim_start();
        }
    }
    Ok(words)
}
