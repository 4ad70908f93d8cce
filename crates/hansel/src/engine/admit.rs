//! Who may run: one run of a workflow at a time in a home, the others wait. What a crash cut off is taken up first.

use std::fs::{File, TryLockError};
use std::time::Duration;

use store::{NewRun, Run};
use workflow::{Code, Event, Failure, RunStatus};

use super::{RunRequest, Watcher};
use crate::memory::Memory;

/// The right to run, for as long as this lives.
pub(crate) struct Admitted {
    pub(crate) run: Run,
    /// Whether the run was begun by a process that is gone.
    pub(crate) resumed: bool,
    _locks: Vec<File>,
}

/// Waits until no other process runs this workflow, then takes up the run that a crash cut off or makes a new one.
pub(crate) fn admit(memory: &Memory, request: &RunRequest<'_>, watcher: &dyn Watcher) -> Result<Admitted, Failure> {
    let store = &memory.store;
    let workflow = &request.workflow.id;
    let lock = lock_file(memory, workflow)?;
    let mut locks = Vec::new();
    let options = format!("seed={:?} again={:?}", request.seed, request.again_text);
    let mut waiting: Option<Run> = None;
    while !taken(&lock)? {
        if waiting.is_none() {
            let run = memory.ask(store.create_run(&NewRun::pending(workflow, request.text, &options)))?;
            // Held while this process lives, so that others can tell a run that waits from one that died waiting.
            let own = lock_file(memory, &run.id)?;
            taken(&own)?;
            locks.push(own);
            let text = format!("run {} waits: another run of this workflow is active", run.id);
            watcher.event(&Event::Log { level: "info".into(), action: String::new(), key: String::new(), text });
            waiting = Some(run);
        }
        if (request.cancelled)() {
            if let Some(run) = &waiting {
                close(memory, run, RunStatus::Cancelled, "cancelled while it waited")?;
            }
            return Err(Failure::new(Code::RunCancelled, "the run was cancelled while it waited"));
        }
        std::thread::park_timeout(Duration::from_millis(100));
    }
    let mut taken_up = None;
    for other in memory.ask(store.unfinished_runs(workflow))? {
        if waiting.as_ref().is_some_and(|own| own.id == other.id) {
            continue;
        }
        if other.status == RunStatus::Pending.name() {
            if taken(&lock_file(memory, &other.id)?)? {
                close(memory, &other, RunStatus::Cancelled, "cut off while it waited")?;
            }
            continue;
        }
        match other.status.as_str() {
            // In the queue of a server, which begins it when its turn comes.
            "RUN_STATUS_CREATED" => continue,
            "RUN_STATUS_CANCELLING" => {
                close(memory, &other, RunStatus::Cancelled, "cut off while it was cancelled")?;
                let _ = std::fs::remove_dir_all(store.scratch_dir(&other.id));
                continue;
            }
            _ => {}
        }
        // Under the lock, a run that is still active has lost its process.
        if other.config == request.text && other.options == options && taken_up.is_none() && waiting.is_none() {
            taken_up = Some(other);
            continue;
        }
        close(memory, &other, RunStatus::Error, "cut off; the next run takes its open objects")?;
        let _ = std::fs::remove_dir_all(store.scratch_dir(&other.id));
    }
    locks.push(lock);
    let resumed = taken_up.is_some();
    let run = match taken_up.or(waiting) {
        Some(run) => run,
        None => memory.ask(store.create_run(&NewRun::pending(workflow, request.text, &options)))?,
    };
    Ok(Admitted { run, resumed, _locks: locks })
}

/// The file whose lock the holder of an id has.
pub(crate) fn lock_file(memory: &Memory, id: &str) -> Result<File, Failure> {
    let path = memory.store.lock_file(id);
    std::fs::create_dir_all(path.parent().expect("a lock file lies in a folder")).map_err(unusable)?;
    File::options().create(true).append(true).open(&path).map_err(unusable)
}

/// Whether the lock is ours now; the operating system frees it when a process ends, however it ends.
pub(crate) fn taken(lock: &File) -> Result<bool, Failure> {
    match lock.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(unusable(error)),
    }
}

fn unusable(error: std::io::Error) -> Failure {
    Failure::new(Code::HomeUnusable, "the lock of the workflow cannot be taken").cause(error)
}

fn close(memory: &Memory, run: &Run, status: RunStatus, message: &str) -> Result<(), Failure> {
    let event = Event::Finished { status, message: message.into() };
    memory.ask(memory.store.append(&run.id, event.kind(), &event.to_json(), Some((status.name(), message))))
}
