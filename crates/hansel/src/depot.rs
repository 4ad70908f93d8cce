//! The files of a home, of which copies lie in a sink: the home is then a cache of them. In: paths of the home. Out:
//! the same paths with their files at hand, brought back where only the sink had them. Copying there and making room
//! here is the queue's; what one uses stays until it is let go.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use actions::sink::Sink;
use store::Sunk;
use workflow::{Code, Failure};

use crate::memory::Memory;

/// A sink, and what is going on between it and the home.
pub(crate) struct Depot {
    pub(crate) sink: Sink,
    /// How long a file lies in the home after it was made or brought back.
    cache: Duration,
    held: Mutex<Held>,
    bell: Condvar,
}

#[derive(Default)]
struct Held {
    rung: bool,
    /// How many use each folder.
    uses: BTreeMap<String, usize>,
    /// What is being brought back.
    coming: BTreeSet<String>,
    /// When what was brought back came.
    came: BTreeMap<String, Instant>,
}

/// Tells one content of a file from the next: its length and when it was written, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) bytes: i64,
    pub(crate) modified_at: i64,
}

impl Stamp {
    /// The stamp of a file; `None` where there is none.
    pub(crate) fn of(path: &Path) -> Option<Stamp> {
        let found = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
        let modified = found.modified().ok()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        Some(Stamp { bytes: found.len() as i64, modified_at: modified.as_micros() as i64 })
    }

    fn modified(self) -> SystemTime {
        UNIX_EPOCH + Duration::from_micros(self.modified_at.unsigned_abs())
    }
}

/// Files that stay where they are for as long as this lives.
pub(crate) struct InUse(Option<(Arc<Depot>, String)>);

impl Drop for InUse {
    fn drop(&mut self) {
        if let Some((depot, folder)) = &self.0 {
            let mut held = depot.held();
            if let Some(uses) = held.uses.get_mut(folder) {
                *uses -= 1;
                if *uses == 0 {
                    held.uses.remove(folder);
                }
            }
        }
    }
}

impl Depot {
    /// A depot whose home keeps files for so long.
    pub(crate) fn new(sink: Sink, cache: Duration) -> Depot {
        Depot { sink, cache, held: Mutex::default(), bell: Condvar::new() }
    }

    /// Says that there may be something to copy or to delete.
    pub(crate) fn ring(&self) {
        self.held().rung = true;
        self.bell.notify_all();
    }

    /// Waits for the bell, at most so long.
    pub(crate) fn wait(&self, most: Duration) {
        let until = Instant::now() + most;
        let mut held = self.held();
        while !held.rung {
            let Some(left) = until.checked_duration_since(Instant::now()) else { break };
            held = self.bell.wait_timeout(held, left).expect("no thread panics while it holds this").0;
        }
        held.rung = false;
    }

    /// Removes a local file that is known to be in the sink with this content, if it is old enough and nobody uses it.
    pub(crate) fn make_room(&self, home: &Path, path: &str, folder: &str, stamp: Stamp) {
        let mut held = self.held();
        let lain = stamp.modified().elapsed().unwrap_or_default();
        let lain = held.came.get(path).map_or(lain, |came| came.elapsed().min(lain));
        let file = home.join(path);
        if lain < self.cache || held.uses.contains_key(folder) || Stamp::of(&file) != Some(stamp) {
            return;
        }
        held.came.remove(path);
        // One that cannot be removed only takes room.
        let _ = std::fs::remove_file(&file);
        let end = home.join(folder);
        for above in file.ancestors().skip(1).take_while(|above| above.starts_with(&end)) {
            if std::fs::remove_dir(above).is_err() {
                break;
            }
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().expect("no thread panics while it holds this")
    }
}

impl Memory {
    /// Brings the file at a path of the home back if only the sink has it, and holds it there. A file that is nowhere
    /// stays away: whoever opens it finds that out.
    pub(crate) fn at_hand(&self, path: &Path) -> Result<InUse, Failure> {
        let in_use = self.hold(path);
        if let Some((depot, _)) = &in_use.0
            && !path.is_file()
        {
            let below = path.strip_prefix(self.store.home()).unwrap_or(path).to_string_lossy().into_owned();
            if let Some(sunk) = self.ask(self.store.sunk(&below))? {
                self.bring(depot, &sunk)?;
            }
        }
        Ok(in_use)
    }

    /// As [`Memory::at_hand`], for all that lies below a job's or run's folder.
    pub(crate) fn folder_at_hand(&self, folder: &Path) -> Result<InUse, Failure> {
        let in_use = self.hold(folder);
        if let Some((depot, folder)) = &in_use.0 {
            for sunk in self.ask(self.store.sunk_in(folder))? {
                self.bring(depot, &sunk)?;
            }
        }
        Ok(in_use)
    }

    fn hold(&self, path: &Path) -> InUse {
        InUse(self.depot.as_ref().map(|depot| {
            let folder = self.store.folder_of(path);
            *depot.held().uses.entry(folder.clone()).or_default() += 1;
            (depot.clone(), folder)
        }))
    }

    /// Brings one file back. Two that ask at once wait for the same one.
    fn bring(&self, depot: &Depot, sunk: &Sunk) -> Result<(), Failure> {
        let path = self.store.home().join(&sunk.path);
        let mut held = depot.held();
        while held.coming.contains(&sunk.path) {
            held = depot.bell.wait(held).expect("no thread panics while it holds this");
        }
        if path.is_file() || !sunk.kept || sunk.gone {
            return Ok(());
        }
        held.coming.insert(sunk.path.clone());
        drop(held);
        let brought = self.fetch(depot, sunk, &path);
        let mut held = depot.held();
        held.coming.remove(&sunk.path);
        if brought.is_ok() {
            held.came.insert(sunk.path.clone(), Instant::now());
        }
        drop(held);
        depot.bell.notify_all();
        brought
    }

    fn fetch(&self, depot: &Depot, sunk: &Sunk, path: &Path) -> Result<(), Failure> {
        let unusable = |error: std::io::Error| {
            Failure::new(Code::HomeUnusable, format!("there is no room for `{}`", sunk.path)).cause(error)
        };
        let scratch = self.store.scratch_dir("sink");
        std::fs::create_dir_all(&scratch).map_err(unusable)?;
        let folder = tempfile::tempdir_in(&scratch).map_err(unusable)?;
        // A sink that took the place of another is believed to have what was moved there.
        let draft = depot.sink.get(&sunk.path, sunk.bytes.unsigned_abs(), folder.path()).map_err(|failure| {
            if sunk.sink == depot.sink.text() {
                return failure;
            }
            failure.hint(format!("It was copied to `{}`; move it from there.", sunk.sink))
        })?;
        let stamp = Stamp { bytes: sunk.bytes, modified_at: sunk.modified_at };
        let file = std::fs::File::options().write(true).open(&draft).map_err(unusable)?;
        // So that it is known again as what the sink has.
        file.set_modified(stamp.modified()).map_err(unusable)?;
        std::fs::create_dir_all(path.parent().unwrap_or(path)).map_err(unusable)?;
        std::fs::rename(&draft, path).map_err(unusable)?;
        // What was deleted meanwhile does not come back.
        if self.ask(self.store.sunk(&sunk.path))?.is_none_or(|sunk| sunk.gone) {
            let _ = std::fs::remove_file(path);
        }
        metrics::counter!("hansel_sink_fetched_files_total").increment(1);
        Ok(())
    }
}
