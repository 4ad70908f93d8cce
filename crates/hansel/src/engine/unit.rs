//! One unit: an object through every step of its branch, to publication or to a failure that is its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use store::{ArtifactRow, DoneMark, UnitKey};
use workflow::{
    Artifact, Attempt, Branch, Code, Dataset, Event, Failure, File, History, Inputs, Item, Planned, Progress,
    Reference, Role, Template, table_name,
};

use super::journal::Journal;
use super::seed;
use super::survey::Surveyed;

/// What a unit works with.
pub(crate) struct Work<'a> {
    pub(crate) branch: &'a Branch,
    pub(crate) surveyed: &'a Surveyed,
    pub(crate) journal: &'a Journal<'a>,
    pub(crate) workflow_seed: u64,
    /// Folder of the unit's own.
    pub(crate) folder: PathBuf,
    /// Folder of the run's kept files.
    pub(crate) artifacts_dir: PathBuf,
    /// Home directory, to which kept paths are relative.
    pub(crate) home: &'a Path,
    pub(crate) cancelled: &'a (dyn Fn() -> bool + Sync),
    pub(crate) progress: &'a (dyn Fn(Progress) + Sync),
}

/// A failure and the action that had it.
pub(crate) struct Failed {
    pub(crate) action: String,
    pub(crate) failure: Failure,
    /// Files that are kept all the same.
    pub(crate) artifacts: Box<[ArtifactRow]>,
}

impl Failed {
    /// One that left nothing.
    pub(crate) fn of(action: &str, failure: Failure) -> Failed {
        Failed { action: action.into(), failure, artifacts: Box::default() }
    }
}

/// Works a unit through. On success its mark says what was published and kept; nothing is marked here.
pub(crate) fn process(work: &Work<'_>) -> Result<DoneMark, Failed> {
    let outcome = fresh(&work.folder).map_err(|failure| Failed::of("", failure)).and_then(|()| steps(work));
    // What stays behind after a crash is swept when the run is taken up.
    let _ = std::fs::remove_dir_all(&work.folder);
    outcome
}

fn steps(work: &Work<'_>) -> Result<DoneMark, Failed> {
    let object = &work.surveyed.object;
    let key = object.origin.key.as_str();
    let publishing = |target: &str| {
        // A journal that cannot be written fails at the next event; the write itself can be repeated.
        let _ = work.journal.append(&Event::Publishing { key: key.into(), target: target.into() });
    };
    let report = work.surveyed.report.as_ref().map(|(run, path)| (run.clone(), work.home.join(path)));
    // Without the earlier report the new one says nothing of what changed; that is no reason to fail.
    let _in_use = report.as_ref().and_then(|(_, path)| work.journal.memory.at_hand(path).ok());
    let attempt = Attempt {
        seed: seed::of_unit(work.workflow_seed, object),
        run: work.journal.run,
        folder: &work.folder,
        history: History {
            report: report.as_ref().map(|(run, path)| (run.as_str(), path.as_path())),
            let_through: work.surveyed.let_through.as_deref(),
        },
        cancelled: work.cancelled,
        progress: work.progress,
        publishing: &publishing,
    };
    work.journal.append(&Event::UnitStarted { key: key.into() }).map_err(|failure| Failed::of("", failure))?;
    let source = work.branch.source.as_ref().expect("a survey was made with it");
    let data = source.fetch(object, &attempt).map_err(|failure| Failed::of(&work.branch.name, failure))?;
    let file = File {
        origin: object.origin.clone(),
        filename: object.filename.clone(),
        source_filename: object.origin.key.clone(),
        data,
    };
    let mut datasets = BTreeMap::from([(work.branch.name.as_str(), Dataset { files: vec![file] })]);
    let mut kept: Vec<(&str, Artifact)> = Vec::new();
    let mut first_failure = None;
    for planned in &work.branch.steps {
        // Behind a failed step nothing runs; beside it everything does.
        let ready = planned
            .templates
            .iter()
            .flat_map(|(_, t)| t.references())
            .all(|r| datasets.contains_key(r.action.as_str()));
        if !ready {
            continue;
        }
        match apply(work, planned, &datasets, &attempt, &mut kept) {
            Ok(dataset) => {
                datasets.insert(&planned.name, dataset);
            }
            Err(failure) => {
                first_failure.get_or_insert(Failed::of(&planned.name, failure));
            }
        }
    }
    if let Some(mut failed) = first_failure {
        // Only what a refusal rests on is kept of an object that failed.
        let (action, kept) = (failed.action.clone(), kept.into_iter());
        let reports = kept.filter(|(of, artifact)| *of == action && artifact.kind.starts_with("report")).collect();
        failed.artifacts = keep(work, reports).map_err(|failure| Failed::of("", failure))?.into();
        return Err(failed);
    }
    let artifacts = keep(work, kept).map_err(|failure| Failed::of("", failure))?;
    let targets = work.surveyed.targets.iter().map(|(_, target)| target.clone()).collect();
    Ok(DoneMark { targets, artifacts })
}

/// Applies a step to every element that its templates denote; here that is one or, behind a step that gave nothing,
/// none.
fn apply<'w>(
    work: &Work<'w>,
    planned: &'w Planned,
    datasets: &BTreeMap<&str, Dataset>,
    attempt: &Attempt<'_>,
    kept: &mut Vec<(&'w str, Artifact)>,
) -> Result<Dataset, Failure> {
    let key = work.surveyed.object.origin.key.as_str();
    let Some(inputs) = inputs(planned, datasets) else { return Ok(Dataset::default()) };
    attempt.go_on()?;
    let folder = work.folder.join(&planned.name);
    fresh(&folder)?;
    let attempt = Attempt { folder: &folder, ..*attempt };
    let step =
        planned.step.as_ref().ok_or_else(|| Failure::new(Code::Internal, "a plan without connections was run"))?;
    work.journal.begun(&planned.name)?;
    let outcome = crate::spans::step(&planned.name).in_scope(|| step.run(&inputs, &attempt))?;
    for (level, text) in outcome.log {
        let (level, action, key) = (level.to_string(), planned.name.clone(), key.to_string());
        work.journal.append(&Event::Log { level, action, key, text })?;
    }
    let event = Event::StepDone { key: key.into(), action: planned.name.clone(), facts: outcome.facts };
    work.journal.append(&event)?;
    kept.extend(outcome.artifacts.into_iter().map(|artifact| (planned.name.as_str(), artifact)));
    outcome.refusal.map_or(Ok(outcome.dataset), Err)
}

/// The resolved templates of a step, or `None` where one of them denotes an empty list.
fn inputs(planned: &Planned, datasets: &BTreeMap<&str, Dataset>) -> Option<Inputs> {
    let file = |reference: &Reference| datasets.get(reference.action.as_str())?.files.first();
    let mut inputs = Inputs::default();
    for (field, template) in &planned.templates {
        match data_reference(template) {
            Some(reference) => inputs.files.push((field, file(reference)?.clone())),
            None => {
                let text = template.render(|reference| {
                    let file = file(reference)?;
                    match reference.item {
                        Item::Filename => Some(file.filename.clone()),
                        Item::SourceFilename => Some(file.source_filename.clone()),
                        Item::TableName => Some(table_name(&file.source_filename)),
                        Item::Data | Item::Dataset => None,
                    }
                })?;
                inputs.texts.push((field, text));
            }
        }
    }
    Some(inputs)
}

fn data_reference(template: &Template) -> Option<&Reference> {
    template.single().filter(|reference| reference.item == Item::Data)
}

/// Moves what the steps left to where it is kept. Generated data is kept only where no destination has it.
fn keep(work: &Work<'_>, kept: Vec<(&str, Artifact)>) -> Result<Vec<ArtifactRow>, Failure> {
    let has_destination = work.branch.steps.iter().any(|planned| planned.role == Role::Destination);
    let unit = unit_key(work.branch, &work.surveyed.object.origin.key);
    let mut rows = Vec::new();
    for (action, artifact) in kept {
        if artifact.kind == "data" && has_destination {
            continue;
        }
        let unusable =
            |error: std::io::Error| Failure::new(Code::HomeUnusable, "an artifact could not be kept").cause(error);
        let folder = work.artifacts_dir.join(unit_folder(&unit)).join(action);
        std::fs::create_dir_all(&folder).map_err(unusable)?;
        let path = folder.join(&artifact.name);
        std::fs::rename(&artifact.path, &path).map_err(unusable)?;
        let bytes = std::fs::metadata(&path).map_err(unusable)?.len() as i64;
        let relative = path.strip_prefix(work.home).unwrap_or(&path).to_string_lossy().into_owned();
        rows.push(ArtifactRow {
            unit: unit.clone(),
            action: action.into(),
            kind: artifact.kind.into(),
            name: artifact.name,
            path: relative,
            bytes,
        });
    }
    Ok(rows)
}

/// The ledger's key of an object of a branch.
pub(crate) fn unit_key(branch: &Branch, key: &str) -> UnitKey {
    UnitKey { branch: branch.name.clone(), bucket: branch.bucket.clone(), key: key.into() }
}

/// A folder name for an object: keys themselves are never made into paths.
pub(crate) fn unit_folder(unit: &UnitKey) -> String {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(format!("{}\0{}\0{}", unit.branch, unit.bucket, unit.key));
    digest[..12].iter().map(|byte| format!("{byte:02x}")).collect()
}

fn fresh(folder: &Path) -> Result<(), Failure> {
    let _ = std::fs::remove_dir_all(folder);
    std::fs::create_dir_all(folder).map_err(|error| {
        let failure = Failure::new(Code::HomeUnusable, format!("the folder `{}` cannot be made", folder.display()));
        failure.cause(error)
    })
}
