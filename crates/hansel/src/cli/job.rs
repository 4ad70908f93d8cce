//! What models and record handlers share on the command line: which one is meant, waiting for it with its log, and
//! fetching what it left.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use workflow::{Code, Failure};

use super::say::{self, Stop};
use super::signals;
use crate::client::{Server, download, path, pause, upload};

/// How often a job is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// The project of a command.
#[derive(clap::Args)]
pub(crate) struct Of {
    /// The project: guid, id or name [default: the configured one]
    #[arg(long, value_name = "P")]
    project: Option<String>,
}

impl Of {
    /// The name that was given.
    pub(crate) fn name(&self) -> Option<&str> {
        self.project.as_deref()
    }
}

/// Where a job's work is done, as the documented client asks for it.
#[derive(clap::Args)]
pub(crate) struct Runner {
    /// Where the work is done: `cloud` and `hybrid` both stand for the server
    #[arg(long, default_value = "cloud", value_name = "TYPE", value_parser = ["cloud", "hybrid"])]
    runner: String,
}

impl Runner {
    /// The query of a request that makes a job.
    pub(crate) fn query(&self) -> String {
        format!("runner_mode={}", self.runner)
    }
}

/// A job at a server.
pub(crate) struct Job<'a> {
    pub(crate) server: &'a Server,
    /// Path of the job.
    pub(crate) at: String,
    /// `model` or `handler`.
    pub(crate) kind: &'static str,
}

/// Id and project of a job: 24 hex digits, or a file with the record that an earlier command printed. `key` is the
/// member of the record that holds the id.
pub(crate) fn reference(
    server: &Server,
    text: &str,
    project: Option<&str>,
    key: &str,
) -> Result<(String, String), Failure> {
    if text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok((text.to_string(), server.project_name(project)?));
    }
    let read = std::fs::read_to_string(text).map_err(|error| {
        let message = format!("`{text}` is neither 24 hex digits nor a file with the record of a job");
        Failure::new(Code::Usage, message).cause(error)
    })?;
    let record: Value = serde_json::from_str(&read).unwrap_or_default();
    match record[key].as_str() {
        Some(uid) => Ok((uid.to_string(), server.project_name(project.or(record["project_id"].as_str()))?)),
        None => {
            Err(Failure::new(Code::Usage, format!("the file `{text}` has no `{key}`; a printed record is expected")))
        }
    }
}

/// The key of what a data source names: a local file is uploaded, everything else goes to the server as it is.
pub(crate) fn source(server: &Server, project: &str, named: &str) -> Result<String, Failure> {
    if named.starts_with("gretel_") || named.starts_with("file_") || !Path::new(named).is_file() {
        return Ok(named.to_string());
    }
    let key = upload(server, project, Path::new(named))?;
    say::note(&format!("uploaded `{named}` as `{key}`"));
    Ok(key)
}

/// Reference data as the API takes it: `NAME=FILE`, or files that get their numbers as names.
pub(crate) fn references(server: &Server, project: &str, given: &[String]) -> Result<Value, Failure> {
    let mut map = serde_json::Map::new();
    for (number, text) in given.iter().enumerate() {
        let (name, file) = match text.split_once('=') {
            Some((name, file)) if !name.is_empty() => (name.to_string(), file),
            _ => (number.to_string(), text.as_str()),
        };
        map.insert(name, json!(source(server, project, file)?));
    }
    Ok(Value::Object(map))
}

impl Job<'_> {
    /// The record, with its log where that is asked for.
    pub(crate) fn record(&self, expand: &str) -> Result<Value, Failure> {
        Ok(self.server.get(&self.at, &[("expand", expand)])?["data"].take())
    }

    /// Waits until the job is over, with its log on stderr, at most so many seconds; a negative number has no end.
    /// Ctrl-C asks the job to stop and waits for that. Gives its record as it is then.
    pub(crate) fn wait(&self, seconds: i64) -> Result<Value, Failure> {
        signals::listen();
        let mut until = u64::try_from(seconds).ok().map(|seconds| Instant::now() + Duration::from_secs(seconds));
        let (mut shown, mut asked) = (0, false);
        loop {
            let data = self.record("logs")?;
            let lines = data["logs"].as_array().map(Vec::as_slice).unwrap_or_default();
            for line in lines.iter().skip(shown) {
                let word = |key: &str| line[key].as_str().unwrap_or_default();
                say::note(&format!("{}  {}", word("ts"), word("msg")));
            }
            shown = shown.max(lines.len());
            let record = &data[self.kind];
            if over(record) || until.is_some_and(|until| Instant::now() >= until) {
                return Ok(record.clone());
            }
            if signals::cancelled() && !asked {
                (asked, until) = (true, None);
                self.cancel()?;
            }
            pause(LOOK, &|| !asked && signals::cancelled());
        }
    }

    /// Asks the job to stop.
    pub(crate) fn cancel(&self) -> Result<(), Failure> {
        let wanted = json!({ "status": "cancelled" });
        self.server.call("PATCH", &self.at, crate::client::Sent::Json(&wanted))?;
        Ok(())
    }

    /// Fetches what a completed job left, the model itself excepted, as the documented client does.
    pub(crate) fn fetch(&self, folder: &Path) -> Result<(), Failure> {
        let data = self.record("artifacts")?;
        let named = data["artifacts"].as_array().into_iter().flatten().filter_map(|one| one["name"].as_str());
        let names: BTreeSet<&str> = named.filter(|name| *name != "model").collect();
        for name in names {
            let link = self.server.get(&format!("{}/artifact", self.at), &[("type", name)])?;
            let url = link["data"]["url"].as_str().unwrap_or_default();
            if let Some(file) = download(self.server, url, folder)? {
                say::note(&format!("{name} -> {}", file.display()));
            }
        }
        Ok(())
    }
}

/// Whether a job is over.
pub(crate) fn over(record: &Value) -> bool {
    ["completed", "cancelled", "error", "lost"].contains(&record["status"].as_str().unwrap_or_default())
}

/// Ends a command as its job ended: nothing where it is done or still at work.
pub(crate) fn ended(record: &Value) -> Result<(), Stop> {
    match record["status"].as_str().unwrap_or_default() {
        "cancelled" => Err(Stop::Exit(Code::RunCancelled.exit())),
        "error" | "lost" => {
            say::note(record["error_msg"].as_str().unwrap_or("the job was lost"));
            Err(Stop::Exit(1))
        }
        "completed" => Ok(()),
        status => {
            say::note(&format!("still {status}; it goes on at the server"));
            Ok(())
        }
    }
}

/// A job's record as the documented client prints it.
pub(crate) fn printed(mut record: Value) -> Value {
    if let Value::Object(map) = &mut record {
        map.shift_remove("model_key");
        map.shift_remove("logs");
    }
    record
}

/// The folder for a job's files: that of `--out`, or of `--output`.
pub(crate) fn folder(out: Option<PathBuf>, setting: &super::Setting) -> Option<PathBuf> {
    out.or_else(|| setting.folder.clone())
}

/// The path of a model.
pub(crate) fn model(project: &str, uid: &str) -> String {
    path(&["projects", project, "models", uid])
}
