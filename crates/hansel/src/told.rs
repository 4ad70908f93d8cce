//! What an event of a run says to people: one line, as the log of its task has it.

use serde_json::Value;

/// Level and text of an event's line; an event that says nothing has none.
pub(crate) fn line(kind: &str, body: &Value) -> Option<(String, String)> {
    let word = |key: &str| body[key].as_str().unwrap_or_default();
    let (level, text) = match kind {
        "crawled" => ("info", format!("{} objects listed, {} to work on", body["listed"], body["taken"])),
        "log" => match word("key") {
            "" => (word("level"), word("text").to_string()),
            key => (word("level"), format!("{key}: {}", word("text"))),
        },
        "step_started" => ("info", format!("{}: begun", word("key"))),
        "step_done" => {
            let facts = body["facts"].as_array().into_iter().flatten();
            let fact = |fact: &Value| {
                format!("{} {}", fact[0].as_str().unwrap_or_default(), fact[1].as_str().unwrap_or_default())
            };
            let facts: Vec<String> = facts.map(fact).collect();
            ("info", format!("{}: done; {}", word("key"), facts.join(", ")).trim_end_matches("; ").to_string())
        }
        "unit_failed" => ("error", format!("{}: {}: {}", word("key"), word("code"), word("message"))),
        "action_ended" => ("info", word("text").to_string()),
        _ => return None,
    };
    Some((level.into(), text))
}
