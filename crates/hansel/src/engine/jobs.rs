//! The work of one model or record handler: inputs from the store, files into the job's folder, lines into its log.

use std::cell::RefCell;
use std::io::Write;
use std::path::Path;

use actions::jobs::{HandlerJob, JobFile, JobInputs, JobLog, JobWork, ModelJob};
use serde_json::json;
use store::{Job, JobEdit};
use workflow::{Code, Failure};

use super::journal::sentence;
use super::seed;
use crate::depot::InUse;
use crate::memory::Memory;
use crate::outside::Outside;

/// Works a job through. Called again after a crash it begins anew and leaves the same bytes.
pub(crate) fn work(
    memory: &Memory,
    outside: &Outside,
    job: &Job,
    cancelled: &(dyn Fn() -> bool + Sync),
) -> Result<(), Failure> {
    let scratch = memory.store.scratch_dir(&job.uid);
    let _ = std::fs::remove_dir_all(&scratch);
    let sources = Sources { memory, outside, cancelled, scratch: &scratch, held: RefCell::default() };
    let worked = work_with(memory, &sources, job, cancelled);
    let _ = std::fs::remove_dir_all(&scratch);
    worked
}

fn work_with(
    memory: &Memory,
    sources: &Sources<'_>,
    job: &Job,
    cancelled: &(dyn Fn() -> bool + Sync),
) -> Result<(), Failure> {
    let store = &memory.store;
    let folder = store.job_dir(&job.uid);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).map_err(unusable)?;
    let edit = JobEdit { status: Some("active".into()), ..JobEdit::default() };
    memory.ask(store.set_job(&job.uid, &edit))?;
    let log = |line: JobLog| {
        // A line that cannot be kept is no reason to lose the work.
        let _ = memory.ask(store.append_job_log(&job.uid, line.stage, &line.msg, &line.ctx));
    };
    let work = JobWork { folder: &folder, seed: seed::of_text(&job.uid), cancelled, log: &log };
    let config: serde_json::Value = serde_json::from_str(&job.config).unwrap_or_default();
    let problems = |problems: Vec<actions::ModelProblem>| {
        let said: Vec<String> = problems.iter().map(|(path, message, _)| format!("{path}: {message}")).collect();
        Failure::new(Code::ConfigInvalid, said.join("; "))
    };
    if job.kind == "model" {
        let model = ModelJob::check(&config).map_err(problems)?;
        let inputs = JobInputs {
            data: model.data_source().map(|source| sources.file(source, "data")).transpose()?,
            refs: model
                .ref_data()
                .into_iter()
                .map(|(name, source)| {
                    let file = sources.file(&source, &format!("ref-{}", seed::of_text(&name)))?;
                    Ok((name, file))
                })
                .collect::<Result<_, Failure>>()?,
        };
        return model.train(&inputs, &work);
    }
    let model = memory.ask(store.job(&job.model))?;
    let trained = ModelJob::check(&serde_json::from_str(&model.config).unwrap_or_default()).map_err(problems)?;
    let seeds = handler_source(&config);
    let handler = HandlerJob::check(&trained, &config["params"], seeds.is_some()).map_err(problems)?;
    let inputs = JobInputs { data: seeds.map(|source| sources.file(source, "data")).transpose()?, refs: Vec::new() };
    let folder = store.job_dir(&job.model);
    let _in_use = memory.folder_at_hand(&folder)?;
    handler.run(&folder, &inputs, &work)
}

/// Where the bytes of a data source lie, and what its file was called. They lie there for as long as `held` lives.
pub(crate) fn source_path(memory: &Memory, key: &str, held: &RefCell<Vec<InUse>>) -> Result<JobFile, Failure> {
    let upload = memory.ask(memory.store.upload(key))?;
    let path = memory.store.upload_path(key);
    held.borrow_mut().push(memory.at_hand(&path)?);
    Ok(JobFile { path, name: upload.name })
}

/// Where the data of a job come from.
struct Sources<'a> {
    memory: &'a Memory,
    outside: &'a Outside,
    cancelled: &'a (dyn Fn() -> bool + Sync),
    /// Where what is fetched lies while the job is worked on.
    scratch: &'a Path,
    /// What has to stay in the home meanwhile.
    held: RefCell<Vec<InUse>>,
}

impl Sources<'_> {
    /// Where the bytes of a data source lie, and what its file was called. An address is fetched, under this name.
    fn file(&self, source: &str, fetched: &str) -> Result<JobFile, Failure> {
        if source.contains("://") {
            std::fs::create_dir_all(self.scratch).map_err(unusable)?;
            let path = self.scratch.join(fetched);
            let name = self.outside.fetch(source, &path, &|| (self.cancelled)())?;
            return Ok(JobFile { path, name });
        }
        source_path(self.memory, source, &self.held)
    }
}

/// The data source of a record handler's config: a key, or a list of one.
pub(crate) fn handler_source(config: &serde_json::Value) -> Option<&str> {
    let source = &config["data_source"];
    source.as_str().or_else(|| source.get(0)?.as_str()).filter(|source| !source.is_empty())
}

/// Records how a job ended, and leaves its log as a file beside its results.
pub(crate) fn end(memory: &Memory, job: &Job, worked: Result<(), Failure>) -> Result<(), Failure> {
    let store = &memory.store;
    let (status, error) = match worked {
        Ok(()) => ("completed", None),
        Err(failure) if failure.code == Code::RunCancelled => ("cancelled", None),
        Err(failure) => ("error", Some(format!("{}: {}", failure.code.name(), sentence(&failure)))),
    };
    if let Some(error) = &error {
        memory.ask(store.append_job_log(&job.uid, "error", error, &json!({})))?;
    }
    keep_log(memory, job)?;
    let edit = JobEdit { status: Some(status.into()), error_msg: error, ..JobEdit::default() };
    memory.ask(store.set_job(&job.uid, &edit))?;
    Ok(())
}

fn keep_log(memory: &Memory, job: &Job) -> Result<(), Failure> {
    let lines = memory.ask(memory.store.job_log(&job.uid, 0))?;
    let folder = memory.store.job_dir(&job.uid);
    std::fs::create_dir_all(&folder).map_err(unusable)?;
    let file = std::fs::File::create(folder.join("logs.json.gz")).map_err(unusable)?;
    let mut gzip = flate2::write::GzEncoder::new(file, flate2::Compression::default());
    for line in lines {
        let ts = jiff::Timestamp::from_microsecond(line.at).map(|time| time.to_string()).unwrap_or_default();
        let line = json!({ "ts": ts, "msg": line.msg, "ctx": line.ctx, "stage": line.stage, "seq": line.seq });
        writeln!(gzip, "{line}").map_err(unusable)?;
    }
    gzip.finish().map_err(unusable)?;
    Ok(())
}

fn unusable(error: std::io::Error) -> Failure {
    Failure::new(Code::HomeUnusable, "what a job leaves could not be kept").cause(error)
}
