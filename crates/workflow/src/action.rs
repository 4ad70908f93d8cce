//! What every action is: a name, a schema, and a source or a step that a checked config gives.

use std::path::Path;
use std::sync::Arc;

use crate::{Code, Config, Connection, Data, Dataset, Failure, Field, File, Origin, Problem};

/// One action type; its `name` is the YAML's `type:`.
pub struct ActionType {
    /// The type string.
    pub name: &'static str,
    /// One sentence for listings and the reference.
    pub about: &'static str,
    /// Whether it begins a lineage, works on it, or ends it.
    pub role: Role,
    /// The connection type it needs, if it talks to an outside service.
    pub connection: Option<&'static str>,
    /// The keys of its `config`.
    pub fields: &'static [Field],
    /// Rules that go beyond the fields' shapes. Adds problems and warnings, does nothing else.
    pub check: fn(&Config, &mut Vec<Problem>, &mut Vec<Problem>),
    /// Where it reads or writes, for the feedback rule.
    pub reach: fn(&Config) -> Option<Reach>,
    /// Makes the source or step. Called only with a config that `check` had nothing against; no I/O happens.
    pub build: fn(&Config, Option<&Connection>) -> Result<Built, Failure>,
}

/// Which part of a lineage an action is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Finds objects; has no `input`.
    Source,
    /// Turns a dataset into another.
    Middle,
    /// Publishes; gives an empty dataset.
    Destination,
}

/// The keys an action may read or write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// Bucket or container.
    pub bucket: String,
    /// Every key starts with this.
    pub prefix: String,
    /// Whether keys may hold a `/` behind the prefix.
    pub deep: bool,
    /// Whether the action says that feeding on its own output is meant (`allow_feedback`).
    pub feedback_allowed: bool,
}

/// What a checked config gives.
pub enum Built {
    /// A source.
    Source(Box<dyn Source>),
    /// A step.
    Step(Box<dyn Step>),
}

/// One object that a listing showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Bucket, key and identity.
    pub origin: Arc<Origin>,
    /// The key relative to the crawl's `path`.
    pub filename: String,
    /// Length in bytes.
    pub bytes: u64,
    /// The store's ETag, without quotes.
    pub etag: String,
}

/// What a crawl gives: the objects in scope, in key order, and how many the listing showed in all.
#[derive(Clone, Debug, Default)]
pub struct Crawl {
    /// Objects that match.
    pub objects: Vec<Object>,
    /// Objects listed.
    pub listed: u64,
    /// Keys that were listed and left out, with the reason; for `plan`.
    pub left_out: Vec<(String, String)>,
}

/// An action that begins lineages.
pub trait Source: Send + Sync {
    /// Lists everything in scope, paged to the end. The whole listing or a failure, never a part of it.
    fn crawl(&self, attempt: &Attempt<'_>) -> Result<Crawl, Failure>;

    /// Fetches one listed object into the attempt's folder, exactly the version that was listed.
    fn fetch(&self, object: &Object, attempt: &Attempt<'_>) -> Result<Data, Failure>;

    /// Whether the other objects go on when one fails.
    fn goes_on(&self) -> bool;
}

/// An action that works on what came before it.
pub trait Step: Send + Sync {
    /// Does the work for one application. May be called again after a crash: the same inputs leave the same world
    /// behind.
    fn run(&self, inputs: &Inputs, attempt: &Attempt<'_>) -> Result<Outcome, Failure>;

    /// Where a write with these texts would land, as `store://bucket/key`; `None` for steps that publish nothing.
    fn target(&self, texts: &[(&'static str, String)]) -> Option<String>;
}

/// The resolved templates of one application of a step.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// Data-valued fields, by field name.
    pub files: Vec<(&'static str, File)>,
    /// Text-valued fields, by field name.
    pub texts: Vec<(&'static str, String)>,
}

impl Inputs {
    /// The file under a data-valued field.
    pub fn file(&self, field: &str) -> Option<&File> {
        self.files.iter().find(|(name, _)| *name == field).map(|(_, file)| file)
    }

    /// The text under a text-valued field.
    pub fn text(&self, field: &str) -> Option<&str> {
        self.texts.iter().find(|(name, _)| *name == field).map(|(_, text)| text.as_str())
    }
}

/// Something a step leaves behind besides its dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// `model`, `data`, `report` or `report_json`.
    pub kind: &'static str,
    /// The file name under which it is kept.
    pub name: String,
    /// Where it lies now, within the attempt's folder.
    pub path: std::path::PathBuf,
}

/// What a step gives.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The dataset for the actions behind it.
    pub dataset: Dataset,
    /// Files to keep.
    pub artifacts: Vec<Artifact>,
    /// Label and value, for the journal and the terminal.
    pub facts: Vec<(String, String)>,
    /// Lines for the run's log: level and text.
    pub log: Vec<(&'static str, String)>,
    /// Why nothing behind this step may run, where the step did its work and found the result unfit: the object fails
    /// with it, and what the step left is kept all the same.
    pub refusal: Option<Failure>,
}

/// How far a step is: rows, bytes or steps of a fit.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// What is being done, a verb in its `-ing` form.
    pub doing: &'static str,
    /// Done so far.
    pub done: u64,
    /// In all; 0 where unknown.
    pub total: u64,
}

/// What a source or step may use of the world: everything else is its own config.
pub struct Attempt<'a> {
    /// Seed of the unit.
    pub seed: u64,
    /// The run's id.
    pub run: &'a str,
    /// A folder of the unit's own; empty at first, gone when the unit ends.
    pub folder: &'a Path,
    /// What is known of the object from before.
    pub history: History<'a>,
    /// Whether the user asked to stop.
    pub cancelled: &'a (dyn Fn() -> bool + Sync),
    /// Told how far the work is.
    pub progress: &'a (dyn Fn(Progress) + Sync),
    /// Told just before bytes leave for a destination.
    pub publishing: &'a (dyn Fn(&str) + Sync),
}

/// What is known of an object from before this run.
#[derive(Clone, Copy, Debug, Default)]
pub struct History<'a> {
    /// The JSON report of the last run that published the object, and the id of that run.
    pub report: Option<(&'a str, &'a Path)>,
    /// Why this version of the object is let through a gate that refuses it: the words of who decided so.
    pub let_through: Option<&'a str>,
}

/// The failure of work that was asked to stop.
pub struct Cancelled;

impl From<Cancelled> for Failure {
    fn from(_: Cancelled) -> Failure {
        Failure::new(Code::RunCancelled, "the run was cancelled")
    }
}

impl<'a> Attempt<'a> {
    /// One that tells nobody anything, of seed 0 and without a folder of its own.
    pub fn silent(run: &'a str, cancelled: &'a (dyn Fn() -> bool + Sync)) -> Attempt<'a> {
        let (folder, history) = (Path::new("."), History::default());
        Attempt { seed: 0, run, folder, history, cancelled, progress: &|_| {}, publishing: &|_| {} }
    }

    /// An error once the user has asked to stop.
    pub fn go_on(&self) -> Result<(), Cancelled> {
        if (self.cancelled)() { Err(Cancelled) } else { Ok(()) }
    }
}
