//! The front: connections, the order in which a request is served, and the log.
//!
//! In: connections on a loopback listener. Out: answers, or the faults asked for. What an operation does is decided
//! in the modules named after the things it works on.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};

use crate::answer::{Answer, Refusal};
use crate::buckets::Buckets;
use crate::faults::{self, Fault, FaultAction};
use crate::identities::Identities;
use crate::payload::Payload;
use crate::request::{Ask, Operation, RequestLine};
use crate::wire::Wire;
use crate::{S3Double, access, listing, multipart, objects, sign, sts};

/// What is called before a request is served.
type Hook = dyn Fn(&S3Double, &RequestLine) + Send + Sync;

/// All that the service knows, shared between its owner and the connections.
pub(crate) struct World {
    pub(crate) endpoint: String,
    pub(crate) identities: Mutex<Identities>,
    pub(crate) buckets: Mutex<Buckets>,
    pub(crate) faults: Mutex<Vec<Fault>>,
    pub(crate) log: Mutex<Vec<RequestLine>>,
    pub(crate) hook: Mutex<Option<Arc<Hook>>>,
    count: AtomicU64,
}

impl World {
    pub(crate) fn new(endpoint: String) -> World {
        World {
            endpoint,
            identities: Mutex::new(Identities::default()),
            buckets: Mutex::new(Buckets::new()),
            faults: Mutex::new(Vec::new()),
            log: Mutex::new(Vec::new()),
            hook: Mutex::new(None),
            count: AtomicU64::new(1),
        }
    }

    /// A number no other call gets.
    pub(crate) fn next_number(&self) -> u64 {
        self.count.fetch_add(1, Ordering::Relaxed)
    }
}

/// The guarded value. A thread that panicked while it held the lock, such as a test's, leaves the value as it is.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The clock of the service.
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// The threads that serve.
pub(crate) struct Server {
    runtime: Runtime,
}

impl Server {
    /// Serves a non-blocking listener on threads of its own.
    pub(crate) fn start(listener: std::net::TcpListener, world: Arc<World>) -> io::Result<Server> {
        let runtime = Builder::new_multi_thread().worker_threads(2).thread_name("s3double").enable_all().build()?;
        let listener = {
            let _inside = runtime.enter();
            TcpListener::from_std(listener)?
        };
        runtime.spawn(accept(listener, world));
        Ok(Server { runtime })
    }

    /// Stops without waiting for requests under way. May be called from asynchronous code.
    pub(crate) fn stop(self) {
        self.runtime.shutdown_background();
    }
}

async fn accept(listener: TcpListener, world: Arc<World>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(converse(stream, world.clone()));
            }
            // Most likely there are too many open files: wait until some are closed.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

/// Serves one connection to its end.
async fn converse(stream: TcpStream, world: Arc<World>) {
    // Answers are written whole; waiting to fill packets would only delay them. Without it things work too.
    let _ = stream.set_nodelay(true);
    let reset = Arc::new(AtomicBool::new(false));
    let wire = TokioIo::new(Wire::new(stream, reset.clone()));
    let service = service_fn(move |request: Request<Incoming>| serve(world.clone(), reset.clone(), request));
    // An error here is the client's going away or a fault's doing.
    let _ = http1::Builder::new().serve_connection(wire, service).await;
}

/// What came of a request.
struct Outcome {
    answer: Answer,
    action: Option<FaultAction>,
    request_id: String,
}

async fn serve(world: Arc<World>, reset: Arc<AtomicBool>, request: Request<Incoming>) -> io::Result<Response<Payload>> {
    let (head, incoming) = request.into_parts();
    let body = incoming.collect().await.map_err(io::Error::other)?.to_bytes();
    let ask = Ask::read(head.method, &head.uri, head.headers, body);
    // Hooks may block and digests take their time: neither may hold up other connections.
    let outcome = tokio::task::spawn_blocking(move || attend(&world, ask)).await.map_err(io::Error::other)?;
    match outcome.action {
        Some(FaultAction::Reset) => {
            reset.store(true, Ordering::Relaxed);
            return Err(io::Error::other("reset by a fault"));
        }
        Some(FaultAction::DropResponse) => return Err(io::Error::other("closed by a fault")),
        Some(FaultAction::ResetMidBody(_)) => reset.store(true, Ordering::Relaxed),
        _ => {}
    }
    let (status, headers) = outcome.answer.head(&outcome.request_id);
    let mut response = Response::new(Payload::new(outcome.answer.body, outcome.action.as_ref()));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

/// Hook, fault, operation, log: in this order.
fn attend(world: &Arc<World>, mut ask: Ask) -> Outcome {
    let mut line = ask.line();
    let hook = locked(&world.hook).clone();
    if let Some(hook) = hook {
        hook(&S3Double::view(world), &line);
    }
    let action = faults::met(&mut locked(&world.faults), &line);
    let request_id = format!("{:016X}", world.next_number());
    let resource = ask.path.clone();
    let is_head = ask.method == Method::HEAD;
    let is_sts = ask.is_sts();
    let refused = |refusal: Refusal| match is_sts {
        true => sts::refused(&refusal, &request_id),
        false => refusal.answer(&resource, &request_id),
    };
    let mut answer = match &action {
        Some(FaultAction::Status(status, code)) => refused(Refusal::new(*status, code, "refused by a fault")),
        Some(FaultAction::ErrorIn200) => refused(Refusal::new(200, "InternalError", "failed by a fault")),
        Some(FaultAction::Reset) => Answer::empty(500),
        _ => perform(world, &mut ask, &request_id).unwrap_or_else(refused),
    };
    if is_head {
        answer.body = Bytes::new();
    }
    let silent = matches!(action, Some(FaultAction::Reset | FaultAction::DropResponse));
    line.status = if silent { 0 } else { answer.status };
    locked(&world.log).push(line);
    Outcome { answer, action, request_id }
}

/// Proves who asks, checks what they may do, and does it.
fn perform(world: &World, ask: &mut Ask, request_id: &str) -> Result<Answer, Refusal> {
    if let Some(flaw) = ask.flaw.take() {
        return Err(flaw);
    }
    if ask.is_sts() {
        return Ok(sts::answer(world, ask, request_id));
    }
    let now = now();
    let caller = sign::authenticate(ask, &world.identities, now, "s3")?;
    access::check(&caller, ask)?;
    let may_list = access::may_list(&caller, ask);
    match ask.operation {
        Operation::ListBuckets => objects::list_buckets(world, &caller),
        Operation::CreateBucket => objects::create_bucket(world, ask, now),
        Operation::HeadBucket => objects::head_bucket(world, ask),
        Operation::GetBucketLocation => objects::location(world, ask),
        Operation::ListObjectsV2 => listing::objects(world, ask),
        Operation::ListMultipartUploads => listing::uploads(world, ask),
        Operation::GetObject | Operation::HeadObject => objects::get(world, ask, may_list),
        Operation::PutObject => objects::put(world, ask, now),
        Operation::DeleteObject => objects::delete(world, ask),
        Operation::CreateMultipartUpload => multipart::create(world, ask, now),
        Operation::UploadPart => multipart::upload_part(world, ask, now),
        Operation::CompleteMultipartUpload => multipart::complete(world, ask, now),
        Operation::AbortMultipartUpload => multipart::abort(world, ask),
        Operation::ListParts => multipart::list_parts(world, ask),
        Operation::AssumeRole | Operation::GetCallerIdentity | Operation::Unsupported => {
            Err(Refusal::new(501, "NotImplemented", "the service in memory does not know this operation"))
        }
    }
}
