//! When a workflow runs by itself: five-field cron or a shortcut, in UTC unless a time zone is named.

use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::TimeZone;

use crate::{Code, Node, Place, Problem, Value, nearest};

/// A checked schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// The five fields, shortcut resolved.
    pub pattern: String,
    /// IANA name of the time zone; `UTC` by default.
    pub timezone: String,
}

static SHORTCUTS: &[(&str, &str)] = &[
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

impl Trigger {
    /// The first moment after `after`, if there is one.
    pub fn next(&self, after: jiff::Timestamp) -> Option<jiff::Timestamp> {
        let zone = TimeZone::get(&self.timezone).ok()?;
        let cron = cron(&self.pattern).ok()?;
        cron.find_next_occurrence(&after.to_zoned(zone), false).ok().map(|zoned| zoned.timestamp())
    }
}

/// Checks the `trigger` of a workflow; every problem is added.
pub(crate) fn trigger(node: &Node, problems: &mut Vec<Problem>) -> Option<Trigger> {
    let before = problems.len();
    let mut unknown = |node: &Node, path: &str, allowed: &[&str]| match &node.value {
        Value::Map(entries) => {
            for (key, _) in entries {
                let name = key.text().unwrap_or_default();
                if !allowed.contains(&name) {
                    problems.push(Problem {
                        code: Code::ConfigInvalid,
                        at: key.at(&format!("{path}.{name}")),
                        message: format!("unknown key `{name}`; allowed: {}", quoted(allowed)),
                        hint: nearest(name, allowed.iter().copied()).map(|near| format!("Did you mean `{near}`?")),
                    });
                }
            }
        }
        _ => problems.push(problem(node.at(path), format!("a mapping is expected, not {}", node.noun()))),
    };
    unknown(node, "trigger", &["cron"]);
    let Some(cron_node) = node.get("cron") else {
        if problems.len() == before {
            problems.push(problem(node.at("trigger"), "key `cron` is missing".into()));
        }
        return None;
    };
    unknown(cron_node, "trigger.cron", &["pattern", "timezone"]);
    let Some(pattern) = cron_node.get("pattern") else {
        problems.push(problem(cron_node.at("trigger.cron"), "key `pattern` is missing".into()));
        return None;
    };
    let at = pattern.at("trigger.cron.pattern");
    let Some(text) = pattern.text() else {
        problems.push(problem(at, format!("a cron pattern is expected, not {}", pattern.noun())));
        return None;
    };
    let mut zone = "UTC".to_string();
    let mut zone_at = at.clone();
    let mut fields = text.trim();
    if let Some(rest) = fields.strip_prefix("CRON_TZ=") {
        let (name, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        zone = name.to_string();
        fields = rest.trim();
    }
    if let Some(node) = cron_node.get("timezone") {
        zone_at = node.at("trigger.cron.timezone");
        zone = node.text().unwrap_or_default().to_string();
    }
    if TimeZone::get(&zone).is_err() {
        problems
            .push(problem(zone_at, format!("no time zone `{zone}`; an IANA name such as `Europe/Vienna` is expected")));
    }
    let pattern = match SHORTCUTS.iter().find(|(name, _)| fields.eq_ignore_ascii_case(name)) {
        Some((_, fields)) => (*fields).to_string(),
        None => fields.to_string(),
    };
    if let Err(message) = cron(&pattern) {
        problems.push(Problem {
            code: Code::ConfigInvalid,
            at,
            message: format!("`{fields}` is not a cron pattern: {message}"),
            hint: Some("Write five fields (minute hour day-of-month month day-of-week) or one of @yearly, @monthly, @weekly, @daily, @hourly.".into()),
        });
    }
    (problems.len() == before).then_some(Trigger { pattern, timezone: zone })
}

fn cron(pattern: &str) -> Result<croner::Cron, String> {
    if pattern.starts_with('@') {
        return Err("no such shortcut".into());
    }
    let fields: Vec<&str> = pattern.split_whitespace().collect();
    if fields.len() != 5 {
        return Err(format!("it has {} fields where five are expected", fields.len()));
    }
    if fields[4].split(['-', ',', '/']).any(|day| day == "7") {
        return Err("day of week goes from 0 (Sunday) to 6".into());
    }
    if fields.iter().any(|field| field.contains(['L', 'W', '#']) && !field.chars().all(|c| c.is_ascii_alphabetic())) {
        return Err("only `*`, `?`, `,`, `-`, `/` and names are allowed".into());
    }
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).dom_and_dow(false).build();
    // The library's words, without its prefix and full stop.
    parser.parse(pattern).map_err(|error| {
        let said = error.to_string();
        let said = said.strip_prefix("Component error: ").unwrap_or(&said).trim_end_matches('.');
        said.chars().take(1).flat_map(char::to_lowercase).chain(said.chars().skip(1)).collect()
    })
}

fn problem(at: Place, message: String) -> Problem {
    Problem { code: Code::ConfigInvalid, at, message, hint: None }
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
