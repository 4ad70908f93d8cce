//! What commands say: results on stdout, everything else on stderr, failures in one form.

use std::io::Write;

use serde_json::{Value, json};
use workflow::{Failure, Problem};

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Output {
    /// For people.
    Text,
    /// For programs: one JSON value.
    Json,
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

/// A JSON value as the documented client prints it: indented by four.
pub(crate) fn json(value: &Value) {
    let mut text = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, formatter);
    if serde::Serialize::serialize(value, &mut serializer).is_ok() {
        result(&String::from_utf8_lossy(&text));
    }
}

/// Says why a command stopped; gives its exit code.
pub(crate) fn stop(stop: &Stop, output: Output) -> u8 {
    match stop {
        Stop::Exit(code) => *code,
        Stop::Failure(failure) => {
            note(&shown(failure));
            if output == Output::Json {
                json(&json!({ "error": failure_json(failure) }));
            }
            failure.code.exit()
        }
        Stop::Problems(file, problems) => {
            for problem in problems {
                note(&problem_line(file, problem));
            }
            if output == Output::Json {
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
