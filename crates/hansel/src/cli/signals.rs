//! Ctrl-C and its kin: the first asks the work to stop, the second ends the process at once.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

static ASKED: AtomicUsize = AtomicUsize::new(0);
/// One permit is kept for whoever comes to wait after the ring.
static BELL: tokio::sync::Notify = tokio::sync::Notify::const_new();

/// Begins to listen; from then on [`cancelled`] tells.
pub(crate) fn listen() {
    static RUNTIME: OnceLock<Option<tokio::runtime::Runtime>> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("signals")
            .enable_all()
            .build()
            .ok()?;
        runtime.spawn(wait());
        Some(runtime)
    });
}

/// Whether the user asked to stop.
pub(crate) fn cancelled() -> bool {
    ASKED.load(Ordering::SeqCst) > 0
}

/// Waits until the user asks to stop.
pub(crate) async fn asked_to_stop() {
    while !cancelled() {
        BELL.notified().await;
    }
}

#[expect(clippy::disallowed_methods, reason = "the user asked twice: nothing may hold the process up any more")]
async fn wait() {
    loop {
        next().await;
        if ASKED.fetch_add(1, Ordering::SeqCst) > 0 {
            std::process::exit(130);
        }
        BELL.notify_one();
        super::say::note("stopping; once more to end at once");
    }
}

#[cfg(unix)]
async fn next() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(not(unix))]
async fn next() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
