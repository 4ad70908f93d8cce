//! `hansel models`: models of a server, trained one by one. Without a server `hansel synthesize` trains on a file.

use std::path::PathBuf;

use serde_json::{Value, json};
use workflow::{Code, Failure};

use super::Setting;
use super::job::{self, Job};
use super::records::{Drawn, draw};
use super::say::{self, Stop};
use crate::client::{Sent, Server, path, text_at};

/// Train, find, use and delete models at a server
#[derive(clap::Subcommand)]
pub(crate) enum Models {
    /// Train a model and wait for it; its record is printed, its log goes to stderr
    Create(Box<Create>),
    /// Print the models of a project
    Search(Search),
    /// Print a model and download what it left
    Get {
        /// The model, or a file with its record
        #[arg(long, value_name = "UID")]
        model_id: String,
        /// Where to leave its files; `--output DIR` means the same [default: .]
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        #[command(flatten)]
        project: job::Of,
    },
    /// Run a model: generate or transform records
    Run(Box<Run>),
    /// Ask a model to stop training
    Cancel {
        /// The model, or a file with its record
        #[arg(long, value_name = "UID")]
        model_id: String,
        #[command(flatten)]
        project: job::Of,
    },
    /// Delete a model with everything it left
    Delete {
        /// The model, or a file with its record
        #[arg(long, value_name = "UID")]
        model_id: String,
        #[command(flatten)]
        project: job::Of,
    },
}

/// How a model is made.
#[derive(clap::Args)]
pub(crate) struct Create {
    /// The config: a file, an address, or the name of a template such as `synthetics/default`
    #[arg(long, value_name = "PATH")]
    config: String,
    /// Name of the model
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Seconds to wait for it: -1 until it is done, 0 not at all
    #[arg(long, default_value_t = -1, allow_negative_numbers = true, value_name = "SECONDS")]
    wait: i64,
    /// Table to train on: a file, which is uploaded, or the key of an artifact
    #[arg(long, value_name = "PATH")]
    in_data: Option<String>,
    /// More tables, as `PATH` or `NAME=PATH`
    #[arg(long, value_name = "PATH")]
    ref_data: Vec<String>,
    /// Check the config and train nothing
    #[arg(long)]
    dry_run: bool,
    /// Where to leave its files; `--output DIR` means the same
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Accepted for scripts of the documented client; a server keeps its models
    #[arg(long, hide = true)]
    upload_model: bool,
    #[command(flatten)]
    runner: job::Runner,
    #[command(flatten)]
    project: job::Of,
}

/// Which models are looked for.
#[derive(clap::Args)]
pub(crate) struct Search {
    /// Part of the name
    #[arg(long, value_name = "TEXT")]
    model_name: Option<String>,
    /// At most this many
    #[arg(long, default_value_t = 100, value_name = "N")]
    limit: u32,
    /// Leave out so many
    #[arg(long, default_value_t = 0, value_name = "N")]
    skip: u32,
    /// Rising or falling
    #[arg(long, value_parser = ["asc", "desc"])]
    sort_by: Option<String>,
    /// By `last_modified`, `status_history.created` or `model_name`
    #[arg(long, value_name = "FIELD")]
    sort_field: Option<String>,
    /// Only of this status
    #[arg(long, value_name = "STATUS")]
    status: Option<String>,
    #[command(flatten)]
    project: job::Of,
}

/// How a model is run.
#[derive(clap::Args)]
pub(crate) struct Run {
    /// The model, or a file with its record
    #[arg(long, value_name = "UID")]
    model_id: String,
    /// Rows to draw beside or to transform: a file, which is uploaded, or the key of an artifact
    #[arg(long, value_name = "PATH")]
    in_data: Option<String>,
    /// More tables, as `PATH` or `NAME=PATH`
    #[arg(long, value_name = "PATH")]
    ref_data: Vec<String>,
    /// A parameter and its value, such as `num_records 500`
    #[arg(long, num_args = 2, value_names = ["NAME", "VALUE"], conflicts_with = "params_file")]
    param: Vec<String>,
    /// All parameters, from a file in YAML or JSON
    #[arg(long, value_name = "FILE")]
    params_file: Option<PathBuf>,
    /// Where to leave the records; `--output DIR` means the same
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    runner: job::Runner,
    #[command(flatten)]
    project: job::Of,
}

impl Models {
    /// Whether the command leaves files.
    pub(crate) fn leave_files(&self) -> bool {
        matches!(self, Models::Create(_) | Models::Get { .. } | Models::Run(_))
    }

    pub(crate) fn go(self, setting: &Setting) -> Result<(), Stop> {
        let server =
            setting.server("`hansel models`", "Without one, `hansel synthesize FILE` trains on a local file.")?;
        match self {
            Models::Create(create) => create.go(&server, setting),
            Models::Search(search) => search.go(&server),
            Models::Get { model_id, out, project } => {
                let (uid, project) = job::reference(&server, &model_id, project.name(), "uid")?;
                let model = Job { server: &server, at: job::model(&project, &uid), kind: "model" };
                let record = model.record("")?["model"].take();
                let status = record["status"].as_str().unwrap_or_default().to_string();
                say::json(&job::printed(record));
                if status != "completed" {
                    let message = format!("model `{uid}` is {status}; only a completed one has files to download");
                    return Err(Failure::new(Code::RunConflict, message).into());
                }
                let folder = job::folder(out, setting).unwrap_or_else(|| ".".into());
                Ok(model.fetch(&folder)?)
            }
            Models::Run(run) => run.go(&server, setting),
            Models::Cancel { model_id, project } => {
                let (uid, project) = job::reference(&server, &model_id, project.name(), "uid")?;
                Job { server: &server, at: job::model(&project, &uid), kind: "model" }.cancel()?;
                say::note(&format!("model `{uid}` was asked to stop"));
                Ok(())
            }
            Models::Delete { model_id, project } => {
                let (uid, project) = job::reference(&server, &model_id, project.name(), "uid")?;
                server.delete(&job::model(&project, &uid), &[])?;
                say::note(&format!("deleted model `{uid}`"));
                Ok(())
            }
        }
    }
}

impl Create {
    fn go(self, server: &Server, setting: &Setting) -> Result<(), Stop> {
        let folder = job::folder(self.out.clone(), setting);
        if folder.is_some() && self.wait >= 0 {
            let message = format!("files are to be left, and `--wait` is {}; -1 is expected", self.wait);
            return Err(Failure::new(Code::Usage, message).hint("Leave `--wait` out.").into());
        }
        let project = server.project_name(self.project.name())?;
        let mut config = config(&self.config)?;
        if let Some(name) = &self.name {
            config["name"] = json!(name);
        }
        let references = job::references(server, &project, &self.ref_data)?;
        for body in bodies(&mut config) {
            if let Some(named) = self.in_data.as_deref().or(data_source(body)) {
                let key = job::source(server, &project, named)?;
                body.insert("data_source".into(), json!(key));
            }
            if references.as_object().is_some_and(|map| !map.is_empty()) {
                body.insert("ref_data".into(), references.clone());
            }
        }
        let dry = if self.dry_run { "yes" } else { "no" };
        let at = format!("{}?dry_run={dry}&{}", path(&["projects", &project, "models"]), self.runner.query());
        let mut made = server.call("POST", &at, Sent::Json(&config)).map_err(|refused| match refused.problems {
            problems if problems.is_empty() => Stop::Failure(refused.failure),
            problems => Stop::Problems(self.config.clone(), problems),
        })?;
        let record = made["data"]["model"].take();
        if self.dry_run {
            say::json(&job::printed(record));
            return Ok(());
        }
        let uid = record["uid"].as_str().unwrap_or_default().to_string();
        say::note(&format!("model `{uid}` was made"));
        let model = Job { server, at: job::model(&project, &uid), kind: "model" };
        let record = if self.wait == 0 { record } else { model.wait(self.wait)? };
        if let (Some(folder), "completed") = (&folder, record["status"].as_str().unwrap_or_default()) {
            model.fetch(folder)?;
        }
        say::json(&job::printed(record.clone()));
        job::ended(&record)
    }
}

/// The bodies under the model keys of a config.
fn bodies(config: &mut Value) -> Vec<&mut serde_json::Map<String, Value>> {
    let models = config["models"].as_array_mut().map(Vec::as_mut_slice).unwrap_or_default();
    let models = models.iter_mut().filter_map(Value::as_object_mut);
    models.flat_map(|model| model.values_mut().filter_map(Value::as_object_mut)).collect()
}

/// The data source of a model's body, as text or as a list of one; placeholders of templates are none.
fn data_source(body: &serde_json::Map<String, Value>) -> Option<&str> {
    let named = body.get("data_source")?;
    let named = named.as_str().or_else(|| named.as_array()?.first()?.as_str())?;
    Some(named).filter(|named| !named.is_empty() && !named.starts_with("__"))
}

/// The config that a word names.
fn config(named: &str) -> Result<Value, Stop> {
    let place = std::path::Path::new(named);
    let text = if named.starts_with("http://") || named.starts_with("https://") {
        text_at(named)?
    } else if place.exists() {
        super::read_text(place)?
    } else {
        return template(named).map_err(Stop::Failure);
    };
    let node = workflow::parse(&text).map_err(|problems| Stop::Problems(named.to_string(), problems))?;
    let value = node.to_json();
    match value.is_object() {
        true => Ok(value),
        false => {
            Err(Failure::new(Code::ConfigInvalid, format!("`{named}` is no config of a model; a mapping is expected"))
                .into())
        }
    }
}

/// The config that a template's name stands for.
fn template(named: &str) -> Result<Value, Failure> {
    match synth::template(named) {
        Ok(template) => Ok(json!({
            "schema_version": "1.0",
            "models": [{ template.model: template.params.body }],
        })),
        Err(problem) => {
            let failure = Failure::new(Code::ConfigInvalid, format!("`{named}` is no file, and {problem}"));
            Err(match problem {
                synth::TemplateProblem::Unknown { nearest: Some(nearest), .. } => {
                    failure.hint(format!("Did you mean `{nearest}`?"))
                }
                _ => failure,
            })
        }
    }
}

impl Search {
    fn go(self, server: &Server) -> Result<(), Stop> {
        let project = server.project_name(self.project.name())?;
        let (limit, skip) = (self.limit.to_string(), self.skip.to_string());
        let mut query = vec![("limit", limit.as_str()), ("skip", skip.as_str())];
        for (name, value) in [
            ("model_name", &self.model_name),
            ("sort_by", &self.sort_by),
            ("sort_field", &self.sort_field),
            ("status", &self.status),
        ] {
            query.extend(value.as_deref().map(|value| (name, value)));
        }
        let mut found = server.get(&path(&["projects", &project, "models"]), &query)?;
        say::json(&found["data"]["models"].take());
        Ok(())
    }
}

impl Run {
    fn go(self, server: &Server, setting: &Setting) -> Result<(), Stop> {
        let params = match &self.params_file {
            Some(file) => {
                let text = super::read_text(file)?;
                let shown = file.display().to_string();
                workflow::parse(&text).map_err(|problems| Stop::Problems(shown, problems))?.to_json()
            }
            None => {
                let pairs = self.param.chunks_exact(2).map(|pair| (pair[0].clone(), json!(pair[1])));
                Value::Object(pairs.collect())
            }
        };
        let params = Some(params).filter(|params| params.as_object().is_none_or(|map| !map.is_empty()));
        let wanted = Drawn {
            model_id: &self.model_id,
            project: self.project.name(),
            runner: &self.runner,
            in_data: self.in_data.as_deref(),
            ref_data: &self.ref_data,
            params,
            folder: job::folder(self.out.clone(), setting),
        };
        draw(server, &wanted)
    }
}
