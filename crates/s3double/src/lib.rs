//! An S3 in memory: buckets, signatures, policies, roles and faults behind loopback HTTP.
//!
//! In: HTTP requests on `127.0.0.1`, signed as S3 and STS ask for it. Out: the answers the real service would give,
//! a log of what was asked, and, on request, the faults a real network produces. It never touches a disk and never
//! leaves the loopback interface.
//!
//! Only path-style addresses are served (`http://127.0.0.1:PORT/bucket/key`), every bucket lives in `us-east-1`, and
//! versioning, copying and tagging are answered with 501 `NotImplemented`.

mod access;
mod answer;
mod buckets;
mod checksums;
mod chunked;
mod faults;
mod identities;
mod listing;
mod multipart;
mod objects;
mod payload;
mod policy;
mod request;
mod server;
mod sign;
mod sts;
mod wire;
mod xml;

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use jiff::Timestamp;

use server::{Server, World, locked};

pub use buckets::Stored;
pub use faults::{Fault, FaultAction};
pub use hyper::body::Bytes;
pub use request::RequestLine;

/// An S3 service in memory, listening on a free loopback port for as long as the value that started it lives.
///
/// All methods block and may be called from any thread. A clone looks at the same buckets, identities and faults;
/// dropping a clone stops nothing.
pub struct S3Double {
    world: Arc<World>,
    /// Only the value returned by `start` owns the server.
    server: Option<Server>,
}

impl S3Double {
    /// Starts an empty service on a free port of `127.0.0.1`.
    ///
    /// There are no buckets and no identities yet, so every request is refused until one is added.
    /// Errors when no port can be bound or no thread be started.
    pub fn start() -> io::Result<S3Double> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let world = Arc::new(World::new(endpoint));
        let server = Server::start(listener, world.clone())?;
        Ok(S3Double { world, server: Some(server) })
    }

    /// The address to give to an S3 or STS client, such as `http://127.0.0.1:41234`.
    pub fn endpoint(&self) -> String {
        self.world.endpoint.clone()
    }

    /// Adds a user that may do what its IAM policy documents (JSON) allow, and nothing else.
    ///
    /// Statements know `Sid`, `Effect`, `Action` and `Resource` with `*` and `?`. Any other member, such as
    /// `Condition`, is an error: a policy must not mean more here than it says.
    pub fn add_user(&self, access_key: &str, secret: &str, policies: &[&str]) -> Result<(), String> {
        let rights = identities::Rights::parse(policies)?;
        locked(&self.world.identities).add_user(access_key, secret, rights);
        Ok(())
    }

    /// Adds a user that may do everything.
    pub fn add_admin(&self, access_key: &str, secret: &str) {
        locked(&self.world.identities).add_user(access_key, secret, identities::Rights::Everything);
    }

    /// Adds a role for `sts:AssumeRole`.
    ///
    /// `trusted_access_key` names the one user who may assume it (`None`: every user), `external_id` what the caller
    /// must send (`None`: anything or nothing). `session_seconds` fixes how long sessions live whatever the caller
    /// asks for; with `None` the caller's `DurationSeconds` counts, 900 to 3600, 3600 when it is left out.
    pub fn add_role(
        &self,
        arn: &str,
        trusted_access_key: Option<&str>,
        external_id: Option<&str>,
        policies: &[&str],
        session_seconds: Option<u64>,
    ) -> Result<(), String> {
        let rights = identities::Rights::parse(policies)?;
        locked(&self.world.identities).add_role(arn, trusted_access_key, external_id, rights, session_seconds);
        Ok(())
    }

    /// Makes every open session an expired one, so that its next request is answered 400 `ExpiredToken`.
    pub fn expire_sessions(&self) {
        locked(&self.world.identities).expire_sessions();
    }

    /// Creates a bucket if it does not exist.
    pub fn create_bucket(&self, bucket: &str) {
        buckets::made(&mut locked(&self.world.buckets), bucket, server::now());
    }

    /// Stores an object now, creating the bucket if need be. See [`S3Double::put_at`].
    pub fn put(&self, bucket: &str, key: &str, body: &[u8]) {
        self.put_at(bucket, key, body, server::now());
    }

    /// Stores an object with a given time of change, cut to whole seconds, creating the bucket if need be.
    ///
    /// The object carries no checksum, like one written to S3 before checksums came by default: a reader has only
    /// its ETag and its length to check the bytes with.
    pub fn put_at(&self, bucket: &str, key: &str, body: &[u8], last_modified: Timestamp) {
        let stored = Stored::plain(Bytes::copy_from_slice(body), last_modified);
        let mut all = locked(&self.world.buckets);
        buckets::made(&mut all, bucket, last_modified).objects.insert(key.to_string(), Arc::new(stored));
    }

    /// Removes an object; removing what is not there is no error.
    pub fn delete(&self, bucket: &str, key: &str) {
        if let Some(bucket) = locked(&self.world.buckets).get_mut(bucket) {
            bucket.objects.remove(key);
        }
    }

    /// Gives an object as it is stored, or `None`.
    pub fn get(&self, bucket: &str, key: &str) -> Option<Stored> {
        let all = locked(&self.world.buckets);
        all.get(bucket)?.objects.get(key).map(|stored| Stored::clone(stored))
    }

    /// All keys of a bucket in S3's order, which is by bytes; none when there is no such bucket.
    pub fn keys(&self, bucket: &str) -> Vec<String> {
        let all = locked(&self.world.buckets);
        all.get(bucket).map(|bucket| bucket.objects.keys().cloned().collect()).unwrap_or_default()
    }

    /// How many multipart uploads of a bucket were begun and neither completed nor aborted.
    pub fn open_uploads(&self, bucket: &str) -> usize {
        locked(&self.world.buckets).get(bucket).map_or(0, |bucket| bucket.uploads.len())
    }

    /// Every request seen so far, in the order in which they were answered.
    pub fn requests(&self) -> Vec<RequestLine> {
        locked(&self.world.log).clone()
    }

    /// Forgets the requests seen so far.
    pub fn clear_requests(&self) {
        locked(&self.world.log).clear();
    }

    /// Adds a fault. Of several that fit a request the one added first acts.
    pub fn fault(&self, fault: Fault) {
        locked(&self.world.faults).push(fault);
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        locked(&self.world.faults).clear();
    }

    /// Calls `hook` before each request is served, for instance to replace an object between its listing and its
    /// reading. The line it gets has no status yet. A new hook takes the place of the former one.
    pub fn on_request(&self, hook: impl Fn(&S3Double, &RequestLine) + Send + Sync + 'static) {
        *locked(&self.world.hook) = Some(Arc::new(hook));
    }

    /// Removes the hook.
    pub fn clear_hook(&self) {
        *locked(&self.world.hook) = None;
    }

    /// A second view of a running service, for the hook.
    pub(crate) fn view(world: &Arc<World>) -> S3Double {
        S3Double { world: world.clone(), server: None }
    }
}

impl Clone for S3Double {
    fn clone(&self) -> S3Double {
        S3Double::view(&self.world)
    }
}

impl Drop for S3Double {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop();
        }
    }
}
