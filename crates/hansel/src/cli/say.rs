//! What commands say: results on stdout, everything else on stderr, failures in one form.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use serde_json::{Value, json};
use workflow::{Code, Failure, Problem};

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs: one JSON value.
    Json,
}

/// What `--output` names: a format everywhere and, as the documented client has it, a folder where files are left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// Where to leave files.
    Folder(PathBuf),
}

impl std::str::FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Output, String> {
        match text {
            // The documented client's word for its one form.
            "text" | "auto" => Ok(Output::Text),
            "json" => Ok(Output::Json),
            "" => Err("`text`, `json` or a directory is expected".into()),
            folder => Ok(Output::Folder(folder.into())),
        }
    }
}

/// Why a command ended without its result.
pub(crate) enum Stop {
    /// What was written is wrong: the file, and every problem in it.
    Problems(String, Vec<Problem>),
    /// Something did not work.
    Failure(Failure),
    /// All is said; only the exit code is left.
    Exit(u8),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Stop {
        Stop::Failure(failure)
    }
}

/// A line of result. A reader that went away is no reason to fail.
pub(crate) fn result(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// A line beside the result.
pub(crate) fn note(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// What the user answers to a question on the terminal; an empty line means the value in brackets. None where nobody
/// is there to be asked. What is secret is not echoed.
pub(crate) fn ask(what: &str, usual: Option<&str>, secret: bool) -> Result<Option<String>, Failure> {
    let terminal = console::Term::stderr();
    if !std::io::stdin().is_terminal() || !terminal.is_term() {
        return Ok(None);
    }
    let bracket = usual.map(|usual| format!(" [{usual}]")).unwrap_or_default();
    let _ = terminal.write_str(&format!("{what}{bracket}: "));
    let line = if secret { terminal.read_secure_line() } else { terminal.read_line() };
    let line = line.map_err(|error| Failure::new(Code::Usage, "the terminal cannot be read").cause(error))?;
    Ok(match line.trim() {
        "" => usual.map(str::to_string),
        line => Some(line.to_string()),
    })
}

/// A JSON value as the documented client prints it: indented by four.
pub(crate) fn json(value: &Value) {
    let mut text = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, formatter);
    if serde::Serialize::serialize(value, &mut serializer).is_ok() {
        result(&String::from_utf8_lossy(&text));
    }
}

/// The records of a list: one array for programs, and one behind the other as the documented client prints them else.
pub(crate) fn each(records: Value, setting: &super::Setting) {
    match records {
        Value::Array(records) if !setting.json() => records.iter().for_each(json),
        records => json(&records),
    }
}

/// Says why a command stopped; gives its exit code.
pub(crate) fn stop(stop: &Stop, output: Format) -> u8 {
    match stop {
        Stop::Exit(code) => *code,
        Stop::Failure(failure) => {
            note(&shown(failure));
            if output == Format::Json {
                json(&json!({ "error": failure_json(failure) }));
            }
            failure.code.exit()
        }
        Stop::Problems(file, problems) => {
            for problem in problems {
                note(&problem_line(file, problem));
            }
            if output == Format::Json {
                json(&json!({ "problems": problems.iter().map(problem_json).collect::<Vec<_>>() }));
            }
            let exits = problems.iter().map(|problem| problem.code.exit());
            exits.min().unwrap_or(2)
        }
    }
}

/// A failure in lines: what is so, what lay below, what to do.
pub(crate) fn shown(failure: &Failure) -> String {
    let mut text = failure.to_string();
    if let Some(cause) = &failure.cause {
        text.push_str(&format!("\n  cause: {cause}"));
    }
    if let Some(hint) = &failure.hint {
        text.push_str(&format!("\n  hint: {hint}"));
    }
    text
}

/// A problem in lines: `file:line:column: path: code: message`, and the hint.
pub(crate) fn problem_line(file: &str, problem: &Problem) -> String {
    let mut text = format!("{file}:{problem}");
    if problem.at.line == 0 {
        text = format!("{file}: {problem}");
    }
    if let Some(hint) = &problem.hint {
        text.push_str(&format!("\n  hint: {hint}"));
    }
    text
}

/// A failure as JSON.
pub(crate) fn failure_json(failure: &Failure) -> Value {
    json!({ "code": failure.code.name(), "message": failure.message, "hint": failure.hint, "cause": failure.cause })
}

/// A problem as JSON.
pub(crate) fn problem_json(problem: &Problem) -> Value {
    json!({
        "code": problem.code.name(), "path": problem.at.path, "line": problem.at.line, "column": problem.at.column,
        "message": problem.message, "hint": problem.hint,
    })
}
