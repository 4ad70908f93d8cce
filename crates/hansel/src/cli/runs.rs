//! `hansel runs`: what ran, what came of it, and where the outputs are; in the home here, at a server in `runs_served`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use store::Run;
use workflow::{Code, Failure};

use super::Setting;
use super::connections::timestamp;
use super::place::Place;
use super::runs_served;
use super::say::{self, Stop};
use crate::client::Line;
use crate::memory::Memory;

/// List and show runs, and take out what they left
#[derive(clap::Subcommand)]
pub(crate) enum Runs {
    /// Print the newest runs
    List {
        /// At most this many
        #[arg(long, default_value_t = 25, value_name = "N")]
        limit: u32,
    },
    /// Print one run: its objects and its journal
    Show {
        /// Id of the run
        run: String,
    },
    /// Print the files that a run left; with `--out`, copy them
    Outputs {
        /// Id of the run
        run: String,
        /// Directory to copy to
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Print the log of a run
    Logs {
        /// Id of the run
        run: String,
        /// At a server: go on until the run is over
        #[arg(long)]
        follow: bool,
    },
    /// At a server: wait for a run, with its log on stderr, and end as it ends
    Wait {
        /// Id of the run
        run: String,
        /// Seconds to wait at most; -1 until it is over
        #[arg(long, default_value_t = -1, allow_negative_numbers = true, value_name = "SECONDS")]
        wait: i64,
    },
    /// At a server: ask a run to stop; what it published stays
    Cancel {
        /// Id of the run
        run: String,
    },
    /// At a server: run anew what failed or was left open in a run
    Retry {
        /// Id of the run
        run: String,
        /// Name of the new run
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
    },
}

impl Runs {
    pub(crate) fn go(self, setting: &Setting) -> Result<(), Stop> {
        match setting.place()? {
            Place::Home(memory) => self.at_home(&memory, setting),
            Place::Server(server) => runs_served::go(self, &server, setting),
        }
    }

    fn at_home(self, memory: &Memory, setting: &Setting) -> Result<(), Stop> {
        let needs = |what: &str, instead: &str| setting.server(what, instead).map(drop);
        match self {
            Runs::List { limit } => list(memory, limit, setting),
            Runs::Show { run } => show(memory, &run, setting),
            Runs::Outputs { run, out } => outputs(memory, &run, out.as_deref(), setting),
            Runs::Logs { run, .. } => logs(memory, &run, setting),
            Runs::Wait { .. } => Ok(needs("`hansel runs wait`", "`hansel run` itself waits for its run.")?),
            Runs::Cancel { .. } => Ok(needs("`hansel runs cancel`", "Ctrl-C stops a `hansel run`.")?),
            Runs::Retry { .. } => Ok(needs("`hansel runs retry`", "`hansel run FILE` takes up what failed before.")?),
        }
    }
}

fn logs(memory: &Memory, id: &str, setting: &Setting) -> Result<(), Stop> {
    memory.ask(memory.store.run(id))?;
    let mut lines = Vec::new();
    for event in memory.ask(memory.store.events(id, 0))? {
        if let Some((level, text)) = crate::told::line(&event.kind, &event.body) {
            let action = event.body["action"].as_str().unwrap_or_default().to_string();
            lines.push(Line { at: timestamp(event.at), level, action, text });
        }
    }
    runs_served::print(&lines, setting);
    Ok(())
}

fn list(memory: &Memory, limit: u32, setting: &Setting) -> Result<(), Stop> {
    let mut records = Vec::new();
    for run in memory.ask(memory.store.runs(None, limit))? {
        records.push(record(memory, &run)?);
    }
    if setting.json() {
        say::json(&Value::Array(records));
        return Ok(());
    }
    for record in records {
        let word = |key: &str| record[key].as_str().unwrap_or_default().to_string();
        say::result(&format!(
            "{}  {}  {}  {}  {}",
            word("id"),
            word("created_at"),
            word("status"),
            word("workflow"),
            word("message")
        ));
    }
    Ok(())
}

fn record(memory: &Memory, run: &Run) -> Result<Value, Failure> {
    let workflow = memory.ask(memory.store.workflow_of(&run.workflow))?;
    let time = |us: Option<i64>| us.map(timestamp);
    Ok(json!({
        "id": run.id, "workflow": workflow.name, "workflow_id": run.workflow, "status": run.status, "message": run.message,
        "created_at": timestamp(run.created_at), "started_at": time(run.started_at), "ended_at": time(run.ended_at),
    }))
}

fn show(memory: &Memory, id: &str, setting: &Setting) -> Result<(), Stop> {
    let store = &memory.store;
    let run = memory.ask(store.run(id))?;
    let units = memory.ask(store.units(id))?;
    let events = memory.ask(store.events(id, 0))?;
    if setting.json() {
        let mut value = record(memory, &run)?;
        let objects: Vec<Value> = units
            .iter()
            .map(|row| json!({ "source": row.unit.branch, "key": row.unit.key, "state": row.state, "code": row.code, "message": row.message }))
            .collect();
        let journal: Vec<Value> = events
            .iter()
            .map(|event| json!({ "at": timestamp(event.at), "kind": event.kind, "event": event.body }))
            .collect();
        value["objects"] = json!(objects);
        value["events"] = json!(journal);
        say::json(&value);
        return Ok(());
    }
    say::result(format!("run {} {} {}", run.id, run.status, run.message).trim_end());
    for row in units {
        let why = if row.code.is_empty() { String::new() } else { format!(": {}: {}", row.code, row.message) };
        say::result(&format!("  {:<8} {}{why}", row.state, row.unit.key));
    }
    for event in events {
        say::result(&format!("  {}  {:<12} {}", timestamp(event.at), event.kind, event.body));
    }
    Ok(())
}

fn outputs(memory: &Memory, id: &str, out: Option<&Path>, setting: &Setting) -> Result<(), Stop> {
    let store = &memory.store;
    memory.ask(store.run(id))?;
    let mut written: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for event in memory.ask(store.events(id, 0))?.iter().filter(|event| event.kind == "step_done") {
        let key = event.body["key"].as_str().unwrap_or_default();
        for fact in event.body["facts"].as_array().into_iter().flatten() {
            if fact[0] == "written" {
                let targets = written.entry(key.into()).or_default();
                if !targets.contains(&fact[1]) {
                    targets.push(fact[1].clone());
                }
            }
        }
    }
    let mut records = Vec::new();
    for artifact in memory.ask(store.artifacts(id))? {
        let path = store.home().join(&artifact.path);
        let copied = out.map(|out| copy(&path, out, &artifact)).transpose()?;
        records.push(json!({
            "key": artifact.unit.key, "action": artifact.action, "kind": artifact.kind, "bytes": artifact.bytes,
            "path": copied.unwrap_or(path),
        }));
    }
    if setting.json() {
        say::json(&json!({ "written": written, "files": records }));
        return Ok(());
    }
    for (key, targets) in &written {
        for target in targets {
            say::result(&format!("written      {key} -> {}", target.as_str().unwrap_or_default()));
        }
    }
    for record in &records {
        let word = |key: &str| record[key].as_str().unwrap_or_default().to_string();
        say::result(&format!("{:<12} {} -> {}", word("kind"), word("key"), word("path")));
    }
    Ok(())
}

/// Where a kept file of an object goes: `out/<key>`, data under the object's own name and everything else with its kind
/// behind it. Parts of a key that could lead out of the directory are replaced.
pub(crate) fn place_of(out: &Path, key: &str, kind: &str) -> PathBuf {
    let mut to = out.to_path_buf();
    for part in key.split('/').filter(|part| !part.is_empty()) {
        let safe: String = part.chars().map(|c| if c.is_control() || c == '\\' { '_' } else { c }).take(200).collect();
        to.push(if safe == "." || safe == ".." { "_" } else { &safe });
    }
    let end = match kind {
        "data" => "",
        "model" => ".model.hansel",
        "report" => ".report.html",
        "report_json" => ".report.json",
        _ => ".artifact",
    };
    to.as_mut_os_string().push(end);
    to
}

fn copy(path: &Path, out: &Path, artifact: &store::ArtifactRow) -> Result<PathBuf, Failure> {
    let to = place_of(out, &artifact.unit.key, &artifact.kind);
    let failed = |error: std::io::Error| {
        Failure::new(Code::Usage, format!("the file `{}` cannot be written", to.display())).cause(error)
    };
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    std::fs::copy(path, &to).map_err(failed)?;
    Ok(to)
}
