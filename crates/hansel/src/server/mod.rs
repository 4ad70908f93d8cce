//! The server: the documented REST API and our own additions to it, over one home. Routes translate, call and
//! translate back; the rules are elsewhere.

mod answer;
mod apipage;
mod artifacts;
mod body;
mod caller;
mod connections;
mod door;
mod elsewhere;
mod files;
mod guard;
mod handlers;
mod issuer;
mod jobs;
mod links;
mod listen;
mod login;
mod logs;
mod models;
mod openapi;
mod people;
mod projects;
mod records;
mod runs;
mod search;
mod state;
mod steps;
mod token;
mod users;
mod webhook;
mod workflows;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use workflow::{Code, Failure};

use crate::engine::{Queue, Slots};
use crate::memory::{Alone, Memory};
use crate::outside::Outside;
pub(crate) use issuer::{Issuer, SignIn};
use links::Signer;
use login::SignInDoor;
use state::{App, Settings};

/// How long work under way may take to stop at the end of the server.
const LEAVE: Duration = Duration::from_secs(20);

/// How a server is asked to be.
pub(crate) struct Serve {
    pub(crate) listen: SocketAddr,
    pub(crate) tls: Option<Tls>,
    pub(crate) public_url: Option<String>,
    pub(crate) runs: usize,
    pub(crate) jobs: usize,
    pub(crate) body_bytes_max: usize,
    pub(crate) upload_bytes_max: u64,
    pub(crate) requests_per_second: u32,
    pub(crate) link_seconds: u64,
    pub(crate) outside: Arc<Outside>,
    pub(crate) issuer: Option<Arc<Issuer>>,
}

/// Where the certificate comes from.
pub(crate) enum Tls {
    /// Files in PEM.
    Files {
        /// The chain, own certificate first.
        certificate: PathBuf,
        /// The private key.
        key: PathBuf,
    },
    /// One that signs itself, made in the home on first use, for trying out.
    OwnName(PathBuf),
}

/// Serves until it is told to stop. `ready` is called with the address once connections are taken.
pub(crate) fn serve(
    memory: &Memory,
    asked: &Serve,
    alone: Alone,
    ready: impl FnOnce(SocketAddr),
) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("server")
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Code::Internal, "no thread can be started").cause(error))?;
    let acceptor = asked.tls.as_ref().map(listen::acceptor).transpose()?;
    let metrics = guard::metrics()?;
    let queue =
        Queue::start(memory.clone(), Slots { runs: asked.runs, jobs: asked.jobs }, asked.outside.clone(), alone);
    let signer = Signer::new(memory.store.purpose_key("links"), asked.public_url.clone(), acceptor.is_some());
    let settings = Settings {
        body_bytes_max: asked.body_bytes_max,
        upload_bytes_max: asked.upload_bytes_max,
        requests_per_second: asked.requests_per_second,
        link_seconds: asked.link_seconds,
    };
    let sign_in = asked.issuer.clone().map(|issuer| SignInDoor::new(issuer, memory.store.purpose_key("logins")));
    let app = App::new(memory.clone(), queue.clone(), signer, settings, asked.outside.clone(), sign_in);
    let served = runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(asked.listen).await.map_err(|error| {
            let message = format!("the address {} cannot be listened on", asked.listen);
            Failure::new(Code::Usage, message).cause(error)
        })?;
        let address = listener.local_addr().unwrap_or(asked.listen);
        let router = door::router(app, metrics);
        ready(address);
        listen::keep(listener, acceptor, router).await;
        Ok(())
    });
    tracing::info!("stopping; work under way is taken up at the next start");
    if !queue.leave(LEAVE) {
        tracing::warn!("work under way did not stop in time; it is taken up at the next start all the same");
    }
    served
}
