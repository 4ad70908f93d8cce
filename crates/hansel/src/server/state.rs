//! What every route works with.

use std::path::Path;
use std::sync::Arc;

use store::{AuditEntry, Store};
use tokio::sync::Semaphore;
use workflow::Code;

use super::answer::Refusal;
use super::caller::Caller;
use super::links::Signer;
use super::login::SignInDoor;
use crate::depot::InUse;
use crate::engine::Queue;
use crate::memory::Memory;
use crate::outside::Outside;

/// Previews that are worked on at once.
const PREVIEWS: usize = 2;

/// The server as its routes see it.
#[derive(Clone)]
pub(crate) struct App(Arc<Inner>);

struct Inner {
    memory: Memory,
    queue: Queue,
    signer: Signer,
    settings: Settings,
    previews: Arc<Semaphore>,
    outside: Arc<Outside>,
    sign_in: Option<SignInDoor>,
}

/// How a server was asked to be.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Longest body of an ordinary request, in bytes.
    pub(crate) body_bytes_max: usize,
    /// Longest uploaded file, in bytes.
    pub(crate) upload_bytes_max: u64,
    /// Requests a second that one key may make; bursts of ten times as many are let through.
    pub(crate) requests_per_second: u32,
    /// How long a signed link holds, in seconds.
    pub(crate) link_seconds: u64,
}

impl App {
    pub(crate) fn new(
        memory: Memory,
        queue: Queue,
        signer: Signer,
        settings: Settings,
        outside: Arc<Outside>,
        sign_in: Option<SignInDoor>,
    ) -> App {
        let previews = Arc::new(Semaphore::new(PREVIEWS));
        App(Arc::new(Inner { memory, queue, signer, settings, previews, outside, sign_in }))
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.memory.store
    }

    pub(crate) fn memory(&self) -> &Memory {
        &self.0.memory
    }

    /// Room for previews.
    pub(crate) fn previews(&self) -> Arc<Semaphore> {
        self.0.previews.clone()
    }

    pub(crate) fn queue(&self) -> &Queue {
        &self.0.queue
    }

    pub(crate) fn signer(&self) -> &Signer {
        &self.0.signer
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// What may be reached for users.
    pub(crate) fn outside(&self) -> &Outside {
        &self.0.outside
    }

    /// The way in for people with a browser, where there is one.
    pub(crate) fn sign_in(&self) -> Option<&SignInDoor> {
        self.0.sign_in.as_ref()
    }

    /// Has the file at a path of the home there until what is given is dropped, brought back from the sink if need be.
    pub(crate) async fn at_hand(&self, path: &Path) -> Result<Option<InUse>, Refusal> {
        if self.0.memory.depot.is_none() {
            return Ok(None);
        }
        let (memory, path) = (self.0.memory.clone(), path.to_path_buf());
        let brought = tokio::task::spawn_blocking(move || memory.at_hand(&path)).await;
        match brought {
            Ok(Ok(in_use)) => Ok(Some(in_use)),
            Ok(Err(failure)) => {
                let (cause, hint) = (failure.cause.unwrap_or_default(), failure.hint.unwrap_or_default());
                tracing::error!(code = failure.code.name(), cause, hint, "{}", failure.message);
                Err(Refusal::new(Code::ServerUnready, "the file could not be brought back from the artifact sink")
                    .hint("Try again later; the server's log says more."))
            }
            Err(_) => Err(Refusal::new(Code::Internal, "bringing the file back was cut off")),
        }
    }

    /// Says that there may be something to copy to the sink or to delete there.
    pub(crate) fn sink_soon(&self) {
        if let Some(depot) = &self.0.memory.depot {
            depot.ring();
        }
    }

    /// Records who changed what.
    pub(crate) async fn audit(
        &self,
        caller: &Caller,
        verb: &str,
        kind: &str,
        id: &str,
        project: &str,
    ) -> Result<(), store::StoreError> {
        let entry = AuditEntry {
            at: 0,
            user: caller.0.guid.clone(),
            verb: verb.into(),
            kind: kind.into(),
            id: id.into(),
            project: project.into(),
            note: String::new(),
        };
        self.store().audit(&entry).await
    }
}
