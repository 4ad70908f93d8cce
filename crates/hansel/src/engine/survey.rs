//! What a run would do: every listed object with the verdict on it. Runs act on it, `plan` prints it.

use std::collections::BTreeMap;

use globset::{GlobBuilder, GlobMatcher};
use store::{Done, LetThrough, UnitKey};
use workflow::{Attempt, Branch, Code, Failure, Item, Object, Reference, Role, table_name};

use super::unit::unit_key;
use crate::memory::Memory;

/// One object of a listing, and what is to become of it.
pub(crate) struct Surveyed {
    /// The object.
    pub(crate) object: Object,
    /// Where its outputs would go, by destination action.
    pub(crate) targets: Vec<(String, String)>,
    /// What is to become of it.
    pub(crate) verdict: Verdict,
    /// The JSON report of the run that last published it: run, path below the home.
    pub(crate) report: Option<(String, String)>,
    /// Why this version of it is let through a gate that refuses it.
    pub(crate) let_through: Option<String>,
}

/// What is to become of an object.
pub(crate) enum Verdict {
    /// It is worked on, because of this.
    Take(&'static str),
    /// It is done already, since this run.
    Done(String),
    /// It cannot be worked on.
    Fail(Failure),
}

/// A listing with its verdicts.
pub(crate) struct Survey {
    /// Objects in scope, in key order.
    pub(crate) objects: Vec<Surveyed>,
    /// Objects listed in all.
    pub(crate) listed: u64,
    /// Keys out of scope, with the reason.
    pub(crate) left_out: Vec<(String, String)>,
}

/// What the ledger knows of a workflow and one branch of it.
#[derive(Default)]
pub(crate) struct Known<'a> {
    /// What is done, by key.
    done: BTreeMap<String, Done>,
    /// Which object holds each published target.
    claims: BTreeMap<String, UnitKey>,
    /// Run and path of the report of each object that was published.
    reports: BTreeMap<String, (String, String)>,
    /// What somebody let through a gate.
    overrides: BTreeMap<UnitKey, LetThrough>,
    /// Keys to take again although they are done.
    again: &'a [GlobMatcher],
}

impl<'a> Known<'a> {
    /// What is known of a branch; of a workflow that never ran that is nothing.
    pub(crate) fn of(
        memory: &Memory,
        workflow: Option<&str>,
        branch: &Branch,
        again: &'a [GlobMatcher],
    ) -> Result<Known<'a>, Failure> {
        let Some(workflow) = workflow else { return Ok(Known { again, ..Known::default() }) };
        let (store, name, bucket) = (&memory.store, &branch.name, &branch.bucket);
        Ok(Known {
            done: memory.ask(store.done(workflow, name, bucket))?,
            claims: memory.ask(store.claims(workflow))?,
            reports: memory.ask(store.last_reports(workflow, name, bucket))?,
            overrides: memory.ask(store.overrides(workflow))?,
            again,
        })
    }
}

/// Crawls a branch and judges every object.
pub(crate) fn survey(branch: &Branch, known: &Known<'_>, attempt: &Attempt<'_>) -> Result<Survey, Failure> {
    let source =
        branch.source.as_ref().ok_or_else(|| Failure::new(Code::Internal, "a plan without connections was run"))?;
    let crawl = source.crawl(attempt)?;
    let mut objects: Vec<Surveyed> = Vec::with_capacity(crawl.objects.len());
    // Targets of this run so far, each with the key that goes there.
    let mut taken: BTreeMap<String, String> = BTreeMap::new();
    let keys: std::collections::BTreeSet<&str> =
        crawl.objects.iter().map(|object| object.origin.key.as_str()).collect();
    for object in &crawl.objects {
        let key = &object.origin.key;
        let targets = targets(branch, object);
        let done = known.done.get(key);
        let verdict = match done {
            Some(done)
                if done.identity == object.origin.identity && !known.again.iter().any(|glob| glob.is_match(key)) =>
            {
                Verdict::Done(done.run.clone())
            }
            Some(done) if done.identity == object.origin.identity => Verdict::Take("asked for again"),
            Some(_) => Verdict::Take("changed"),
            None => Verdict::Take("new"),
        };
        for (_, target) in &targets {
            taken.entry(target.clone()).or_insert_with(|| key.clone());
        }
        let overridden = known.overrides.get(&unit_key(branch, key));
        let let_through = overridden.filter(|one| one.identity == object.origin.identity).map(|one| one.reason.clone());
        let report = known.reports.get(key).cloned();
        objects.push(Surveyed { object: object.clone(), targets, verdict, report, let_through });
    }
    for surveyed in &mut objects {
        if let Verdict::Take(_) = surveyed.verdict
            && let Some(failure) = collision(branch, surveyed, known, &taken, &keys)
        {
            surveyed.verdict = Verdict::Fail(failure);
        }
    }
    Ok(Survey { objects, listed: crawl.listed, left_out: crawl.left_out })
}

/// Two objects that would be written under one key: an object that was published there keeps it as long as it is
/// there; else the first in key order gets it.
fn collision(
    branch: &Branch,
    surveyed: &Surveyed,
    known: &Known<'_>,
    taken: &BTreeMap<String, String>,
    keys: &std::collections::BTreeSet<&str>,
) -> Option<Failure> {
    let key = surveyed.object.origin.key.as_str();
    for (index, (action, target)) in surveyed.targets.iter().enumerate() {
        if surveyed.targets[..index].iter().any(|(_, earlier)| earlier == target) {
            let message = format!("action `{action}` would write `{target}` a second time for object `{key}`");
            return Some(Failure::new(Code::OutputCollision, message).hint("Give the destinations different paths."));
        }
        let holder = match known.claims.get(target) {
            Some(claim)
                if claim.branch == branch.name
                    && claim.bucket == branch.bucket
                    && keys.contains(claim.key.as_str()) =>
            {
                Some(claim.key.as_str())
            }
            Some(claim) if claim.branch != branch.name => Some(claim.key.as_str()),
            _ => taken.get(target).map(String::as_str),
        };
        if let Some(other) = holder.filter(|other| *other != key) {
            let message = format!("object `{key}` would be written to `{target}`, which object `{other}` has");
            let hint = "Let `filename` tell them apart, with `{outputs.<source>.dataset.files.filename}` for instance.";
            return Some(Failure::new(Code::OutputCollision, message).hint(hint));
        }
    }
    None
}

/// Where the outputs of an object would be written, by destination action.
fn targets(branch: &Branch, object: &Object) -> Vec<(String, String)> {
    let mut targets = Vec::new();
    for planned in branch.steps.iter().filter(|planned| planned.role == Role::Destination) {
        let Some(step) = &planned.step else { continue };
        let texts: Vec<(&'static str, String)> = planned
            .templates
            .iter()
            .filter_map(|(field, template)| Some((*field, template.render(|reference| text_of(reference, object))?)))
            .collect();
        targets.extend(step.target(&texts).map(|target| (planned.name.clone(), target)));
    }
    targets
}

/// The text that a reference has for an object; every action keeps the names of what it was given.
fn text_of(reference: &Reference, object: &Object) -> Option<String> {
    match reference.item {
        Item::Filename => Some(object.filename.clone()),
        Item::SourceFilename => Some(object.origin.key.clone()),
        Item::TableName => Some(table_name(&object.origin.key)),
        Item::Data | Item::Dataset => None,
    }
}

/// A glob over whole keys, for `--again`.
pub(crate) fn again_glob(pattern: &str) -> Result<GlobMatcher, Failure> {
    GlobBuilder::new(pattern)
        .literal_separator(true)
        .build()
        .map(|glob| glob.compile_matcher())
        .map_err(|error| Failure::new(Code::Usage, format!("`{pattern}` is not a glob: {}", error.kind())))
}
