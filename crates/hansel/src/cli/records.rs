//! `hansel records`: records from a model of a server. Without a server `hansel sample` draws from a saved model.

use std::path::PathBuf;

use serde_json::{Value, json};
use workflow::{Code, Failure};

use super::Setting;
use super::job::{self, Job};
use super::say::{self, Stop};
use crate::client::{Sent, Server, path};

/// Generate records with a model of a server, and fetch them
#[derive(clap::Subcommand)]
pub(crate) enum Records {
    /// Generate records and wait for them
    Generate {
        #[command(flatten)]
        with: With,
        /// Records to generate
        #[arg(long, default_value_t = 500, value_name = "N")]
        num_records: u64,
        /// Records that may break the rules before it fails
        #[arg(long, value_name = "N")]
        max_invalid: Option<u64>,
    },
    /// Transform records with a model that transforms
    Transform {
        #[command(flatten)]
        with: With,
    },
    /// Print the record handlers of a model, newest first
    List {
        /// The model, or a file with its record
        #[arg(long, value_name = "UID")]
        model_id: String,
        /// At most this many
        #[arg(long, default_value_t = 100, value_name = "N")]
        limit: u32,
        #[command(flatten)]
        project: job::Of,
    },
    /// Download the records that a handler made
    Get {
        #[command(flatten)]
        which: Which,
        /// Where to leave them; `--output DIR` means the same [default: .]
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Ask a record handler to stop
    Cancel {
        #[command(flatten)]
        which: Which,
    },
    /// Delete a record handler with everything it left
    Delete {
        #[command(flatten)]
        which: Which,
    },
}

/// What records are made with.
#[derive(clap::Args)]
pub(crate) struct With {
    /// The model, or a file with its record
    #[arg(long, value_name = "UID")]
    model_id: String,
    /// Rows to draw beside or to transform: a file, which is uploaded, or the key of an artifact
    #[arg(long, value_name = "PATH")]
    in_data: Option<String>,
    /// Where to leave the records; `--output DIR` means the same
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    runner: job::Runner,
    #[command(flatten)]
    project: job::Of,
}

/// Which record handler.
#[derive(clap::Args)]
pub(crate) struct Which {
    /// The record handler, or a file with its record
    #[arg(long, value_name = "UID")]
    record_handler_id: String,
    /// Its model; a file with the record names it
    #[arg(long, value_name = "UID")]
    model_id: Option<String>,
    #[command(flatten)]
    project: job::Of,
}

impl Records {
    /// Whether the command leaves files.
    pub(crate) fn leave_files(&self) -> bool {
        matches!(self, Records::Generate { .. } | Records::Transform { .. } | Records::Get { .. })
    }

    pub(crate) fn go(self, setting: &Setting) -> Result<(), Stop> {
        let server =
            setting.server("`hansel records`", "Without one, `hansel sample MODEL` draws from a saved model.")?;
        match self {
            Records::Generate { with, num_records, max_invalid } => {
                let params = json!({ "num_records": num_records, "max_invalid": max_invalid });
                with.go(&server, Some(params), setting)
            }
            Records::Transform { with } => with.go(&server, None, setting),
            Records::List { model_id, limit, project } => {
                let (uid, project) = job::reference(&server, &model_id, project.name(), "uid")?;
                let at = path(&["projects", &project, "models", &uid, "record_handlers"]);
                let mut found = server.get(&at, &[("limit", &limit.to_string())])?;
                say::json(&found["data"]["handlers"].take());
                Ok(())
            }
            Records::Get { which, out } => {
                let handler = which.job(&server)?;
                let record = handler.record("")?["handler"].take();
                let status = record["status"].as_str().unwrap_or_default();
                if status != "completed" {
                    let message = format!("the record handler is {status}; only a completed one has files to download");
                    return Err(Failure::new(Code::RunConflict, message).into());
                }
                Ok(handler.fetch(&job::folder(out, setting).unwrap_or_else(|| ".".into()))?)
            }
            Records::Cancel { which } => {
                which.job(&server)?.cancel()?;
                say::note(&format!("record handler `{}` was asked to stop", which.record_handler_id));
                Ok(())
            }
            Records::Delete { which } => {
                server.delete(&which.job(&server)?.at, &[])?;
                say::note(&format!("deleted record handler `{}`", which.record_handler_id));
                Ok(())
            }
        }
    }
}

impl Which {
    fn job<'a>(&self, server: &'a Server) -> Result<Job<'a>, Failure> {
        let (uid, project) = job::reference(server, &self.record_handler_id, self.project.name(), "uid")?;
        let model = match &self.model_id {
            Some(model) => job::reference(server, model, Some(&project), "uid")?.0,
            None if uid != self.record_handler_id => {
                job::reference(server, &self.record_handler_id, Some(&project), "model_id")?.0
            }
            None => return Err(Failure::new(Code::Usage, "no model is named").hint("Name it with `--model-id UID`.")),
        };
        let at = path(&["projects", &project, "models", &model, "record_handlers", &uid]);
        Ok(Job { server, at, kind: "handler" })
    }
}

impl With {
    fn go(self, server: &Server, params: Option<Value>, setting: &Setting) -> Result<(), Stop> {
        let wanted = Drawn {
            model_id: &self.model_id,
            project: self.project.name(),
            runner: &self.runner,
            in_data: self.in_data.as_deref(),
            ref_data: &[],
            params,
            folder: job::folder(self.out.clone(), setting),
        };
        draw(server, &wanted)
    }
}

/// Records that are to be made.
pub(crate) struct Drawn<'a> {
    pub(crate) model_id: &'a str,
    pub(crate) project: Option<&'a str>,
    pub(crate) runner: &'a job::Runner,
    pub(crate) in_data: Option<&'a str>,
    pub(crate) ref_data: &'a [String],
    pub(crate) params: Option<Value>,
    pub(crate) folder: Option<PathBuf>,
}

/// Makes a record handler, prints its record, waits for it and fetches what it made.
pub(crate) fn draw(server: &Server, wanted: &Drawn<'_>) -> Result<(), Stop> {
    let (model, project) = job::reference(server, wanted.model_id, wanted.project, "uid")?;
    let mut body = serde_json::Map::new();
    body.extend(wanted.params.clone().map(|params| ("params".to_string(), params)));
    if let Some(named) = wanted.in_data {
        body.insert("data_source".into(), json!(job::source(server, &project, named)?));
    }
    if !wanted.ref_data.is_empty() {
        body.insert("ref_data".into(), job::references(server, &project, wanted.ref_data)?);
    }
    let all = path(&["projects", &project, "models", &model, "record_handlers"]);
    let at = format!("{all}?{}", wanted.runner.query());
    let mut made = server.call("POST", &at, Sent::Json(&Value::Object(body))).map_err(|refused| {
        match refused.problems.is_empty() {
            true => Stop::Failure(refused.failure),
            false => Stop::Problems("record handler".into(), refused.problems),
        }
    })?;
    let record = made["data"]["handler"].take();
    let uid = record["uid"].as_str().unwrap_or_default().to_string();
    say::json(&job::printed(record));
    let handler = Job { server, at: format!("{all}{}", path(&[&uid])), kind: "handler" };
    let record = handler.wait(-1)?;
    if let (Some(folder), "completed") = (&wanted.folder, record["status"].as_str().unwrap_or_default()) {
        handler.fetch(folder)?;
    }
    job::ended(&record)
}
