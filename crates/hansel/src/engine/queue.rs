//! The queue of a server: runs and jobs that wait in the store go to threads of this machine, a bounded number at a
//! time; schedules make runs when they are due. What a crash or a shutdown cut off is taken up at the next start.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use store::{Job, JobEdit, NewRun, Run, StoreError, Workflow};
use workflow::{Connections, Event, Failure, RunStatus};

use super::jobs;
use super::journal::{panicked, sentence};
use super::local;
use super::outbox;
use super::sinking::Sinking;
use crate::memory::{Alone, Memory};
use crate::outside::Outside;

/// How long the queue sleeps where nothing rings: the grain of schedules and of locks that others hold.
const NAP: Duration = Duration::from_secs(1);

/// The time of schedules. HANSEL_CLOCK_AHEAD puts it so many seconds ahead, as after a long stop; tests live by it.
pub(crate) fn schedule_now() -> jiff::Timestamp {
    let ahead = std::env::var("HANSEL_CLOCK_AHEAD").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    jiff::Timestamp::now().checked_add(jiff::SignedDuration::from_secs(ahead)).unwrap_or(jiff::Timestamp::MAX)
}

/// How many runs and jobs are worked on at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slots {
    pub(crate) runs: usize,
    pub(crate) jobs: usize,
}

/// How long what is due for webhooks may lie.
const POST: Duration = Duration::from_secs(1);
/// How often the home is looked through for files that are to be copied, beside every time that work ends.
const LOOK: Duration = Duration::from_secs(10);
/// How often a server asks whether it is still the only one.
const ALONE: Duration = Duration::from_secs(10);

/// The queue of a server.
#[derive(Clone)]
pub(crate) struct Queue(Arc<Shared>);

struct Shared {
    memory: Memory,
    slots: Slots,
    outside: Arc<Outside>,
    state: Mutex<State>,
    bell: Condvar,
    leaving: AtomicBool,
}

#[derive(Default)]
struct State {
    rung: bool,
    /// What threads work on, by id of the run or job.
    working: BTreeMap<String, Working>,
}

struct Working {
    cancelled: Arc<AtomicBool>,
    project: String,
    /// The workflow, for a run.
    workflow: Option<String>,
}

impl Queue {
    /// Begins to work on what waits.
    pub(crate) fn start(memory: Memory, slots: Slots, outside: Arc<Outside>, alone: Alone) -> Queue {
        let (state, bell, leaving) = (Mutex::new(State::default()), Condvar::new(), AtomicBool::new(false));
        let queue = Queue(Arc::new(Shared { memory, slots, outside, state, bell, leaving }));
        let own = queue.clone();
        std::thread::Builder::new().name("queue".into()).spawn(move || own.keep()).expect("a thread can be started");
        let own = queue.clone();
        std::thread::Builder::new()
            .name("outbox".into())
            .spawn(move || own.post(alone))
            .expect("a thread can be started");
        let own = queue.clone();
        std::thread::Builder::new().name("sink".into()).spawn(move || own.sink()).expect("a thread can be started");
        queue
    }

    /// Says that something waits.
    pub(crate) fn ring(&self) {
        self.state().rung = true;
        self.0.bell.notify_all();
    }

    /// How many runs and jobs are worked on.
    pub(crate) fn working(&self) -> (usize, usize) {
        let state = self.state();
        let runs = state.working.values().filter(|working| working.workflow.is_some()).count();
        (runs, state.working.len() - runs)
    }

    /// Asks a run to stop, in the name of a user. One that has not begun is cancelled at once.
    pub(crate) async fn cancel_run(&self, id: &str, by: &str) -> Result<Run, StoreError> {
        let event = Event::Finished { status: RunStatus::Cancelled, message: "cancelled before it began".into() };
        let run = self.0.memory.store.request_cancel(id, by, (event.kind(), &event.to_json())).await?;
        if run.ended_at.is_some() {
            self.0.memory.store.end_tasks(id, RunStatus::Cancelled.name()).await?;
        }
        self.stop(|of, _| of == id);
        Ok(run)
    }

    /// Asks a job to stop. One that has not begun is cancelled at once.
    pub(crate) async fn cancel_job(&self, uid: &str) -> Result<Job, StoreError> {
        let job = self.0.memory.store.cancel_job(uid).await?;
        self.stop(|of, _| of == uid);
        Ok(job)
    }

    /// Stops everything of a project that goes away.
    pub(crate) fn cancel_project(&self, project: &str) {
        self.stop(|_, working| working.project == project);
    }

    /// Stops the run of a workflow that goes away.
    pub(crate) fn cancel_workflow(&self, workflow: &str) {
        self.stop(|_, working| working.workflow.as_deref() == Some(workflow));
    }

    fn stop(&self, which: impl Fn(&str, &Working) -> bool) {
        for (id, working) in &self.state().working {
            if which(id, working) {
                working.cancelled.store(true, Ordering::SeqCst);
            }
        }
    }

    /// Begins nothing any more and asks what is under way to stop where it can be taken up again; gives whether all of
    /// it stopped within the time.
    pub(crate) fn leave(&self, within: Duration) -> bool {
        self.0.leaving.store(true, Ordering::SeqCst);
        self.0.bell.notify_all();
        let until = Instant::now() + within;
        let mut state = self.state();
        while !state.working.is_empty() {
            let Some(left) = until.checked_duration_since(Instant::now()) else { return false };
            state = self.0.bell.wait_timeout(state, left).expect("no thread panics while it holds this").0;
        }
        true
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().expect("no thread panics while it holds this")
    }

    fn leaving(&self) -> bool {
        self.0.leaving.load(Ordering::SeqCst)
    }

    fn keep(&self) {
        while !self.leaving() {
            if let Err(failure) = self.sweep() {
                tracing::error!(code = failure.code.name(), "{}", sentence(&failure));
            }
            let mut state = self.state();
            if !state.rung && !self.leaving() {
                state = self.0.bell.wait_timeout(state, NAP).expect("no thread panics while it holds this").0;
            }
            state.rung = false;
        }
    }

    /// Tells webhooks what is due, on a thread of its own: a receiver that does not answer holds nothing else up.
    /// The same thread keeps the right to be the one server.
    fn post(&self, mut alone: Alone) {
        let mut asked = Instant::now();
        while !self.leaving() {
            if asked.elapsed() > ALONE {
                asked = Instant::now();
                self.stay(&mut alone);
            }
            if let Err(failure) = outbox::deliver(&self.0.memory, &self.0.outside, &|| self.leaving()) {
                tracing::error!(code = failure.code.name(), "{}", sentence(&failure));
            }
            let state = self.state();
            if !self.leaving() {
                drop(self.0.bell.wait_timeout(state, POST).expect("no thread panics while it holds this"));
            }
        }
    }

    /// Copies to the sink what is left, on a thread of its own: a sink that does not answer holds nothing else up.
    fn sink(&self) {
        let Some(depot) = &self.0.memory.depot else { return };
        let leaving = || self.leaving();
        let mut sinking = Sinking::new(&self.0.memory, depot, &leaving);
        while !self.leaving() {
            if let Err(failure) = sinking.look() {
                tracing::error!(code = failure.code.name(), "{}", sentence(&failure));
            }
            depot.wait(sinking.rest(LOOK));
        }
    }

    /// Begins nothing more where another server has the database by now. One that does not answer is asked again.
    fn stay(&self, alone: &mut Alone) {
        match self.0.memory.still_alone(alone) {
            Ok(true) => {}
            Ok(false) => {
                tracing::error!(
                    "another server works on this database; this one begins nothing more, stop one of the two"
                );
                self.0.leaving.store(true, Ordering::SeqCst);
                self.0.bell.notify_all();
            }
            Err(failure) => tracing::error!(code = failure.code.name(), "{}", sentence(&failure)),
        }
    }

    /// Makes due runs and begins what can begin.
    fn sweep(&self) -> Result<(), Failure> {
        let (memory, store) = (&self.0.memory, &self.0.memory.store);
        let open = memory.ask(store.open_runs())?;
        let now = schedule_now();
        for workflow in memory.ask(store.due_workflows(now.as_microsecond()))? {
            self.schedule(&workflow, &open, now)?;
        }
        for run in memory.ask(store.open_runs())? {
            // A run that nobody of this server's users asked for is the command line's.
            if run.created_by.is_empty() || self.leaving() {
                continue;
            }
            if !self.begin_run(&run) && run.status == "RUN_STATUS_CREATED" {
                let wait = Event::Log {
                    level: "info".into(),
                    action: String::new(),
                    key: String::new(),
                    text: "waits for its turn".into(),
                };
                let status = Some((RunStatus::Pending.name(), ""));
                memory.ask(store.append(&run.id, wait.kind(), &wait.to_json(), status))?;
            }
        }
        for job in memory.ask(store.open_jobs())? {
            if !self.leaving() {
                self.begin_job(&job);
            }
        }
        Ok(())
    }

    /// One run for however many moments went by; none where one waits already.
    fn schedule(&self, workflow: &Workflow, open: &[Run], now: jiff::Timestamp) -> Result<(), Failure> {
        let (memory, store) = (&self.0.memory, &self.0.memory.store);
        let plan = workflow::plan_to_keep(&workflow.config_text, actions::ACTIONS, &Connections::Unbound);
        let (next, tasks) = match &plan {
            Ok(plan) => (plan.trigger().and_then(|trigger| trigger.next(now)), super::journal::actions_of(plan)),
            Err(_) => (None, Vec::new()),
        };
        let waits = open.iter().any(|run| {
            run.workflow == workflow.id
                && run.scheduled
                && ["RUN_STATUS_CREATED", "RUN_STATUS_PENDING"].contains(&run.status.as_str())
        });
        if !waits && plan.is_ok() {
            let new = NewRun {
                workflow: &workflow.id,
                config: &workflow.config_text,
                options: "",
                name: "",
                created_by: &workflow.created_by,
                retry_of: "",
                status: "RUN_STATUS_CREATED",
                scheduled: true,
            };
            let run = memory.ask(store.create_run(&new))?;
            memory.ask(store.create_tasks(&run.id, &tasks))?;
        }
        memory.ask(store.set_next_run(&workflow.id, next.map(|next| next.as_microsecond())))
    }

    /// Gives a run to a thread, if there is room and its workflow is idle; gives whether it is worked on.
    fn begin_run(&self, run: &Run) -> bool {
        let mut state = self.state();
        if state.working.contains_key(&run.id) {
            return true;
        }
        let runs: Vec<&Working> = state.working.values().filter(|working| working.workflow.is_some()).collect();
        let busy = runs.iter().any(|working| working.workflow.as_deref() == Some(&run.workflow));
        if busy || runs.len() >= self.0.slots.runs {
            return false;
        }
        let Ok(Some(lock)) = local::lock_of(&self.0.memory, &run.workflow) else {
            // A run from the command line holds it.
            return false;
        };
        let cancelled = Arc::new(AtomicBool::new(run.cancel_at.is_some()));
        let working = Working {
            cancelled: cancelled.clone(),
            project: run.project.clone(),
            workflow: Some(run.workflow.clone()),
        };
        state.working.insert(run.id.clone(), working);
        drop(state);
        let (queue, run) = (self.clone(), run.clone());
        self.thread(&run.id.clone(), move || {
            let leaving = || queue.leaving();
            let stop = || cancelled.load(Ordering::SeqCst) || queue.leaving();
            let outcome = local::run_waiting(&queue.0.memory, &run, &stop, &leaving);
            drop(lock);
            let store = &queue.0.memory.store;
            let over = || queue.0.memory.ask(store.run(&run.id)).is_ok_and(|run| run.ended_at.is_some());
            // One that was cancelled while it was about to begin refuses to, and that is as it should be.
            if let Err(failure) = outcome
                && !over()
            {
                tracing::error!(run = run.id, code = failure.code.name(), "{}", sentence(&failure));
            }
        });
        true
    }

    fn begin_job(&self, job: &Job) {
        let mut state = self.state();
        let jobs = state.working.values().filter(|working| working.workflow.is_none()).count();
        if state.working.contains_key(&job.uid) || jobs >= self.0.slots.jobs {
            return;
        }
        let cancelled = Arc::new(AtomicBool::new(job.cancel_asked));
        let working = Working { cancelled: cancelled.clone(), project: job.project.clone(), workflow: None };
        state.working.insert(job.uid.clone(), working);
        drop(state);
        let (queue, job) = (self.clone(), job.clone());
        self.thread(&job.uid.clone(), move || {
            let memory = &queue.0.memory;
            let stop = || cancelled.load(Ordering::SeqCst) || queue.leaving();
            let worked = catch_unwind(AssertUnwindSafe(|| jobs::work(memory, &queue.0.outside, &job, &stop)))
                .unwrap_or_else(|panic| Err(panicked(panic.as_ref())));
            // A job that the end of the server cut off begins anew at the next start.
            if queue.leaving() && worked.is_err() && !cancelled.load(Ordering::SeqCst) {
                return;
            }
            if let Err(failure) = jobs::end(memory, &job, worked) {
                tracing::error!(job = job.uid, code = failure.code.name(), "{}", sentence(&failure));
                let edit = JobEdit { status: Some("error".into()), ..JobEdit::default() };
                let _ = memory.ask(memory.store.set_job(&job.uid, &edit));
            }
        });
    }

    /// Works on something in a thread of its own and takes it off the list, however it ends.
    fn thread(&self, id: &str, work: impl FnOnce() + Send + 'static) {
        let (queue, own) = (self.clone(), id.to_string());
        let spawned = std::thread::Builder::new().name(format!("work {id}")).spawn(move || {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(work)) {
                tracing::error!("{}", sentence(&panicked(panic.as_ref())));
            }
            queue.state().working.remove(&own);
            queue.ring();
            if let Some(depot) = &queue.0.memory.depot {
                depot.ring();
            }
        });
        if let Err(error) = spawned {
            tracing::error!(%error, "no thread can be started");
            self.state().working.remove(id);
        }
    }
}
