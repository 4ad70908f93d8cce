//! The thread of a server that copies to a sink what jobs, runs and uploads leave, makes room in the home for what is
//! there, and deletes there what is gone here. Nothing is removed from the home before all of it arrived; what a crash
//! or a failing sink cut off is found again by looking through the home.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use store::Sunk;
use workflow::{Code, Failure};

use super::journal::sentence;
use crate::depot::{Depot, Stamp};
use crate::memory::Memory;

/// Folders of the home whose files are copied.
const FOLDERS: [&str; 3] = ["jobs", "artifacts", "uploads"];
/// After so many failures the rest waits for the next look.
const FAILURES_MAX: usize = 3;
/// Longest wait before a file that could not be copied or deleted is tried again.
const WAIT_MAX: Duration = Duration::from_secs(600);

/// What is known between one look through the home and the next.
pub(crate) struct Sinking<'a> {
    memory: &'a Memory,
    depot: &'a Depot,
    leaving: &'a (dyn Fn() -> bool + Sync),
    /// Files of the home that are in the sink with this content.
    known: BTreeMap<String, Stamp>,
    /// What did not work, how often, and when it is tried again.
    late: BTreeMap<String, (u32, Instant)>,
    /// What this look wanted to do.
    wanted: BTreeSet<String>,
    failures: usize,
    /// How many looks in a row were given up for their failures.
    given_up: u32,
    begun: bool,
}

impl<'a> Sinking<'a> {
    /// Nothing is known at first.
    pub(crate) fn new(memory: &'a Memory, depot: &'a Depot, leaving: &'a (dyn Fn() -> bool + Sync)) -> Sinking<'a> {
        let (known, late) = (BTreeMap::new(), BTreeMap::new());
        let wanted = BTreeSet::new();
        Sinking { memory, depot, leaving, known, late, wanted, failures: 0, given_up: 0, begun: false }
    }

    /// Looks through the home once. An error is the home's own; a sink that fails is told in the log and by figures.
    pub(crate) fn look(&mut self) -> Result<(), Failure> {
        let (memory, store) = (self.memory, &self.memory.store);
        self.failures = 0;
        self.wanted.clear();
        if !self.begun {
            // A crash may have come between a copy and the news that its owner was gone.
            for sunk in memory.ask(store.sunk_open())? {
                if !self.owned(&sunk.folder)? {
                    memory.ask(store.let_go(&sunk.folder))?;
                }
            }
            self.begun = true;
        }
        self.delete()?;
        let mut waiting = 0;
        let mut settled = BTreeMap::new();
        let mut seen = BTreeMap::new();
        for path in self.files() {
            let Some(stamp) = Stamp::of(&store.home().join(&path)) else { continue };
            let folder = store.folder_of(Path::new(&path));
            if self.known.get(&path) != Some(&stamp) && !self.sunk(&path, stamp)? {
                if !self.settled(&mut settled, &folder)? {
                    continue;
                }
                if !self.copy(&path, &folder, stamp)? {
                    waiting += 1;
                    continue;
                }
            }
            self.depot.make_room(store.home(), &path, &folder, stamp);
            seen.insert(path, stamp);
        }
        self.known = seen;
        self.late.retain(|path, _| self.wanted.contains(path));
        self.given_up = if self.failures < FAILURES_MAX { 0 } else { self.given_up + 1 };
        metrics::gauge!("hansel_sink_waiting_files").set(f64::from(waiting));
        Ok(())
    }

    /// How long it is until the next look: `most`, less where something that did not work is tried again before, more
    /// where nothing works at all.
    pub(crate) fn rest(&self, most: Duration) -> Duration {
        if self.given_up > 0 {
            return wait(self.given_up);
        }
        let next = self.late.values().map(|(_, until)| until.saturating_duration_since(Instant::now())).min();
        next.map_or(most, |next| next.clamp(Duration::from_secs(1), most))
    }

    /// Every file that may have to be copied, by its path below the home.
    fn files(&self) -> Vec<String> {
        let home = self.memory.store.home();
        let mut folders: Vec<PathBuf> = FOLDERS.iter().map(|folder| home.join(folder)).collect();
        let mut files = Vec::new();
        while let Some(folder) = folders.pop() {
            // What goes away while it is looked at is none of our business any more.
            for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
                let path = entry.path();
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => folders.push(path),
                    Ok(kind) if kind.is_file() && path.extension().is_none_or(|end| end != "part") => {
                        let below = path.strip_prefix(home).unwrap_or(&path);
                        files.extend(below.to_str().map(str::to_string));
                    }
                    _ => {}
                }
            }
        }
        files.sort();
        files
    }

    /// Whether the store knows that the sink has this content of a file.
    fn sunk(&self, path: &str, stamp: Stamp) -> Result<bool, Failure> {
        let sunk = self.memory.ask(self.memory.store.sunk(path))?;
        Ok(sunk.is_some_and(|sunk| {
            let same = Stamp { bytes: sunk.bytes, modified_at: sunk.modified_at } == stamp;
            same && sunk.kept && !sunk.gone && sunk.sink == self.depot.sink.text()
        }))
    }

    /// Whether what a folder belongs to is there and writes into it no more.
    fn settled(&self, known: &mut BTreeMap<String, bool>, folder: &str) -> Result<bool, Failure> {
        if let Some(settled) = known.get(folder) {
            return Ok(*settled);
        }
        let (memory, store) = (self.memory, &self.memory.store);
        let settled = match folder.split_once('/') {
            Some(("jobs", uid)) => found(memory.ask(store.job(uid)))?.is_some_and(|job| job.ended_at.is_some()),
            Some(("artifacts", run)) => found(memory.ask(store.run(run)))?.is_some_and(|run| run.ended_at.is_some()),
            _ => {
                // One question for all uploads; what appears under its name is whole.
                known.extend(memory.ask(store.upload_folders())?.into_keys().map(|folder| (folder, true)));
                known.contains_key(folder)
            }
        };
        known.insert(folder.to_string(), settled);
        Ok(settled)
    }

    /// Whether what a folder belongs to is there.
    fn owned(&self, folder: &str) -> Result<bool, Failure> {
        let (memory, store) = (self.memory, &self.memory.store);
        Ok(match folder.split_once('/') {
            Some(("jobs", uid)) => found(memory.ask(store.job(uid)))?.is_some(),
            Some(("artifacts", run)) => found(memory.ask(store.run(run)))?.is_some(),
            _ => memory.ask(store.upload_folders())?.contains_key(folder),
        })
    }

    /// Copies a file; gives whether all of it is in the sink.
    fn copy(&mut self, path: &str, folder: &str, stamp: Stamp) -> Result<bool, Failure> {
        if !self.due(path) {
            return Ok(false);
        }
        let (memory, store, depot) = (self.memory, &self.memory.store, self.depot);
        let file = store.home().join(path);
        let sunk = Sunk {
            path: path.into(),
            folder: folder.into(),
            sink: depot.sink.text(),
            bytes: stamp.bytes,
            modified_at: stamp.modified_at,
            kept: false,
            gone: false,
        };
        // Known before it is there, so that a deletion from now on finds it.
        memory.ask(store.announce_sunk(&sunk))?;
        match depot.sink.put(&file, path, self.leaving) {
            Ok(bytes) => {
                self.late.remove(path);
                if !self.owned(folder)? {
                    memory.ask(store.let_go(folder))?;
                    return Ok(false);
                }
                if Stamp::of(&file) != Some(stamp) || bytes != stamp.bytes.unsigned_abs() {
                    // It was written anew meanwhile: next time.
                    return Ok(false);
                }
                memory.ask(store.keep_sunk(path))?;
                metrics::counter!("hansel_sink_copied_files_total").increment(1);
                metrics::counter!("hansel_sink_copied_bytes_total").increment(bytes);
                Ok(true)
            }
            Err(failure) => {
                if file.is_file() {
                    self.failed(path, "copied", &failure);
                } else if !self.owned(folder)? {
                    memory.ask(store.let_go(folder))?;
                }
                Ok(false)
            }
        }
    }

    /// Deletes in the sink what is gone from the home.
    fn delete(&mut self) -> Result<(), Failure> {
        let (memory, store) = (self.memory, &self.memory.store);
        for sunk in memory.ask(store.sunk_gone())? {
            if !self.due(&sunk.path) {
                continue;
            }
            if sunk.sink != self.depot.sink.text() {
                tracing::warn!(
                    path = sunk.path,
                    sink = sunk.sink,
                    "a copy may be left over in the sink before this one"
                );
            }
            match self.depot.sink.remove(&sunk.path, self.leaving) {
                Ok(()) => {
                    self.late.remove(&sunk.path);
                    memory.ask(store.forget_sunk(&sunk.path))?;
                }
                Err(failure) => self.failed(&sunk.path, "deleted", &failure),
            }
        }
        Ok(())
    }

    /// Whether something may be tried now.
    fn due(&mut self, path: &str) -> bool {
        self.wanted.insert(path.to_string());
        let rests = self.late.get(path).is_some_and(|(_, until)| *until > Instant::now());
        self.failures < FAILURES_MAX && !rests && !(self.leaving)()
    }

    fn failed(&mut self, path: &str, what: &str, failure: &Failure) {
        if failure.code == Code::RunCancelled {
            return;
        }
        self.failures += 1;
        metrics::counter!("hansel_sink_failures_total").increment(1);
        tracing::warn!(
            path,
            code = failure.code.name(),
            "a file could not be {what} in the sink: {}",
            sentence(failure)
        );
        let tries = self.late.get(path).map_or(0, |(tries, _)| *tries);
        self.late.insert(path.to_string(), (tries + 1, Instant::now() + wait(tries)));
    }
}

/// One second, then four times as long each time, up to ten minutes.
fn wait(tries: u32) -> Duration {
    Duration::from_secs(1 << (2 * tries.min(5))).min(WAIT_MAX)
}

fn found<T>(asked: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match asked {
        Ok(found) => Ok(Some(found)),
        Err(failure) if failure.code == Code::NotFound => Ok(None),
        Err(failure) => Err(failure),
    }
}
