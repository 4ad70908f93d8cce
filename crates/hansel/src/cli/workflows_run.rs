//! `hansel workflows run`, and what else waits for a run of a server: its log goes to stderr, its end to the exit code.

use std::time::Duration;

use serde_json::{Value, json};
use workflow::{Code, Failure};

use super::say::{self, Stop};
use super::signals;
use crate::client::{Ended, Line, Patience, Sent, Server, follow, path};

/// A run that is asked for.
#[derive(clap::Args)]
pub(crate) struct Run {
    /// The workflow
    #[arg(long, value_name = "ID")]
    workflow_id: String,
    /// Name of the run
    #[arg(long, value_name = "NAME")]
    workflow_run_name: Option<String>,
    /// Seconds to wait for it: -1 until it is over, 0 not at all
    #[arg(long, default_value_t = -1, allow_negative_numbers = true, value_name = "SECONDS")]
    wait: i64,
}

impl Run {
    pub(crate) fn go(self, server: &Server) -> Result<(), Stop> {
        let mut wanted = json!({ "workflow_id": self.workflow_id });
        if let Some(name) = &self.workflow_run_name {
            wanted["name"] = json!(name);
        }
        let record = server.post("/v1/workflows/runs", &wanted)?;
        say::json(&record);
        let id = record["id"].as_str().unwrap_or_default();
        if self.wait == 0 {
            say::note(&format!("run `{id}` goes on at the server; `hansel runs wait {id}` waits for it"));
            return Ok(());
        }
        signals::listen();
        let on_stop = || {
            cancel(server, id)?;
            say::note(&format!("run `{id}` was asked to stop; waiting for that"));
            Ok(true)
        };
        wait(server, id, self.wait, &on_stop)
    }
}

/// Asks a run to stop; gives its record.
pub(crate) fn cancel(server: &Server, id: &str) -> Result<Value, Failure> {
    Ok(server.call("PATCH", &path(&["v1", "workflows", "runs", id, "cancel"]), Sent::Nothing)?)
}

/// Waits for a run, with its log on stderr, and ends as the run ended.
pub(crate) fn wait(
    server: &Server,
    id: &str,
    seconds: i64,
    on_stop: &dyn Fn() -> Result<bool, Failure>,
) -> Result<(), Stop> {
    let limit = u64::try_from(seconds).ok().map(Duration::from_secs);
    let patience = Patience { limit, stopped: &signals::cancelled, on_stop };
    match follow(server, id, &patience, &mut |line| say::note(&shown(&line)))? {
        Ended::Over(record) => over(&record),
        Ended::Late => {
            say::note(&format!("run `{id}` is not over after {seconds} s; it goes on at the server"));
            Ok(())
        }
        Ended::Left => Err(Stop::Exit(Code::RunCancelled.exit())),
    }
}

/// Says how a run ended; the exit code says it too.
pub(crate) fn over(record: &Value) -> Result<(), Stop> {
    let status = record["status"].as_str().unwrap_or_default();
    let why = record["status_details"]["message"].as_str().filter(|why| !why.is_empty());
    let why = why.map(|why| format!(", {why}")).unwrap_or_default();
    say::note(&format!("run `{}` is over: {status}{why}", record["id"].as_str().unwrap_or_default()));
    match status {
        "RUN_STATUS_COMPLETED" => Ok(()),
        "RUN_STATUS_CANCELLED" => Err(Stop::Exit(Code::RunCancelled.exit())),
        _ => Err(Stop::Exit(1)),
    }
}

/// A line of a log for people.
pub(crate) fn shown(line: &Line) -> String {
    let action = if line.action.is_empty() { String::new() } else { format!("{}: ", line.action) };
    format!("{}  {:<7}  {action}{}", line.at, line.level, line.text)
}
