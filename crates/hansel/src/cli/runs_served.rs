//! `hansel runs` at a server: the same nouns and forms as in the home, and what only a server does.

use serde_json::{Value, json};
use workflow::{Code, Failure};

use super::Setting;
use super::runs::{Runs, place_of};
use super::say::{self, Stop};
use super::signals;
use super::workflows_run::{cancel, over, shown, wait};
use crate::client::{Ended, Line, Patience, Server, fetch, follow, path};

/// Obeys a command about runs of a server.
pub(crate) fn go(runs: Runs, server: &Server, setting: &Setting) -> Result<(), Stop> {
    match runs {
        Runs::List { limit } => list(server, limit, setting),
        Runs::Show { run } => show(server, &run, setting),
        Runs::Outputs { run, out } => outputs(server, &run, out.as_deref(), setting),
        Runs::Logs { run, follow: false } => logs(server, &run, setting),
        Runs::Logs { run, follow: true } => go_on(server, &run, setting),
        Runs::Wait { run, wait: seconds } => {
            signals::listen();
            // Who waits did not begin the run: leaving is no reason to stop it.
            wait(server, &run, seconds, &|| Ok(false))
        }
        Runs::Cancel { run } => {
            say::json(&cancel(server, &run)?);
            Ok(())
        }
        Runs::Retry { run, name } => {
            say::json(&server.post(&(at(&run) + "/retry_failures"), &json!({ "name": name }))?);
            Ok(())
        }
    }
}

fn at(run: &str) -> String {
    path(&["v1", "workflows", "runs", run])
}

fn word(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_string()
}

fn array(mut value: Value, key: &str) -> Vec<Value> {
    match value[key].take() {
        Value::Array(list) => list,
        _ => Vec::new(),
    }
}

fn list(server: &Server, limit: u32, setting: &Setting) -> Result<(), Stop> {
    let runs = array(server.get("/v1/workflows/runs/search", &[("limit", &limit.to_string())])?, "runs");
    if setting.json() {
        say::json(&Value::Array(runs));
        return Ok(());
    }
    for run in runs {
        let line = format!(
            "{}  {}  {}  {}  {}",
            word(&run, "id"),
            word(&run, "created_at"),
            word(&run, "status"),
            word(&run["config"], "name"),
            word(&run["status_details"], "message")
        );
        say::result(line.trim_end());
    }
    Ok(())
}

fn show(server: &Server, id: &str, setting: &Setting) -> Result<(), Stop> {
    let mut run = server.get(&at(id), &[("expand", "actions")])?;
    let objects = all(server, &(at(id) + "/objects"), "objects")?;
    if setting.json() {
        run["objects"] = Value::Array(objects);
        say::json(&run);
        return Ok(());
    }
    let line = format!("run {id} {} {}", word(&run, "status"), word(&run["status_details"], "message"));
    say::result(line.trim_end());
    for action in run["actions"].as_array().into_iter().flatten() {
        say::result(&format!(
            "  {:<22} {} ({})",
            word(action, "status"),
            word(action, "name"),
            word(action, "action_type")
        ));
    }
    for object in objects {
        let code = word(&object, "code");
        let why = if code.is_empty() { String::new() } else { format!(": {code}: {}", word(&object, "message")) };
        say::result(&format!("  {:<8} {}{why}", word(&object, "state"), word(&object, "key")));
    }
    Ok(())
}

/// All records of a list that comes in pages.
fn all(server: &Server, path: &str, field: &str) -> Result<Vec<Value>, Stop> {
    let mut records: Vec<Value> = Vec::new();
    loop {
        let skip = records.len().to_string();
        let page = array(server.get(path, &[("skip", &skip)])?, field);
        if page.is_empty() {
            return Ok(records);
        }
        records.extend(page);
    }
}

fn outputs(server: &Server, id: &str, out: Option<&std::path::Path>, setting: &Setting) -> Result<(), Stop> {
    let mut records = Vec::new();
    for artifact in all(server, &(at(id) + "/artifacts"), "artifacts")? {
        let (key, kind) = (word(&artifact, "key"), word(&artifact, "kind"));
        let mut record = json!({
            "key": key, "action": artifact["action"], "kind": kind, "bytes": artifact["bytes"],
            "path": artifact["href"],
        });
        if let Some(out) = out {
            let to = place_of(out, &key, &kind);
            fetch(server, &word(&artifact, "href"), &to)?;
            record["path"] = json!(to);
        }
        records.push(record);
    }
    if setting.json() {
        say::json(&json!({ "files": records }));
        return Ok(());
    }
    for record in &records {
        say::result(&format!("{:<12} {} -> {}", word(record, "kind"), word(record, "key"), word(record, "path")));
    }
    Ok(())
}

/// The logs of all tasks, in the order in which things were said.
fn logs(server: &Server, id: &str, setting: &Setting) -> Result<(), Stop> {
    let query = format!("workflow_run_id:{id}");
    let tasks = array(server.get("/v1/workflows/runs/tasks/search", &[("query", &query)])?, "tasks");
    let mut lines = Vec::new();
    for task in tasks {
        let query = format!("workflowTask:{}", word(&task, "id"));
        let mut token = String::new();
        loop {
            let mut asked = vec![("query", query.as_str())];
            if !token.is_empty() {
                asked.push(("page_token", &token));
            }
            let page = server.get("/v1/logs", &asked)?;
            let next = word(&page, "next_page_token");
            let found = array(page, "lines");
            if found.is_empty() {
                break;
            }
            lines.extend(found.iter().map(|line| Line {
                at: word(line, "ts"),
                level: word(line, "level"),
                action: word(&task, "action_name"),
                text: word(line, "msg"),
            }));
            token = next;
        }
    }
    lines.sort_by_key(time);
    print(&lines, setting);
    Ok(())
}

/// Decimals are left out where they are zero, so times are not compared as text.
fn time(line: &Line) -> Option<jiff::Timestamp> {
    line.at.parse().ok()
}

/// Prints lines of a log.
pub(crate) fn print(lines: &[Line], setting: &Setting) {
    if setting.json() {
        say::json(&Value::Array(lines.iter().map(record).collect()));
        return;
    }
    for line in lines {
        say::result(&shown(line));
    }
}

fn record(line: &Line) -> Value {
    json!({ "ts": line.at, "level": line.level, "action": line.action, "msg": line.text })
}

/// Follows a run, its lines on stdout: for programs one JSON object a line, since the end is not known.
fn go_on(server: &Server, id: &str, setting: &Setting) -> Result<(), Stop> {
    signals::listen();
    let patience = Patience { limit: None, stopped: &signals::cancelled, on_stop: &|| Ok::<bool, Failure>(false) };
    let json = setting.json();
    let ended = follow(server, id, &patience, &mut |line| match json {
        true => say::result(&record(&line).to_string()),
        false => say::result(&shown(&line)),
    })?;
    match ended {
        Ended::Over(record) => over(&record),
        Ended::Late | Ended::Left => Err(Stop::Exit(Code::RunCancelled.exit())),
    }
}
