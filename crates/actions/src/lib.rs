//! Outside: one file per action type, each a line in [`ACTIONS`]. Object stores are reached only from here; an action
//! gets everything else it needs as arguments and never reads the store or calls another action.

mod drawing;
pub mod evaluation;
mod gretel_model;
mod helloworld_consumer;
mod helloworld_producer;
pub mod jobs;
mod kms;
mod model_file;
mod publish_gate;
mod s3;
mod s3_destination;
mod s3_source;
pub mod sink;
pub mod synthesis;
pub mod tasks;
mod test_connection;

pub use drawing::Wanted;
pub use gretel_model::{Model, ModelProblem, scores};
pub use kms::Kms;
pub use model_file::{ModelFile, Origin};
use serde_json::{Map, Value};
pub use synth::Shares;
use workflow::{ActionType, Code, Connection, Failure};

/// Every action type.
pub static ACTIONS: &[&ActionType] = &[
    &s3_source::S3_SOURCE,
    &gretel_model::GRETEL_MODEL,
    &s3_destination::S3_DESTINATION,
    &helloworld_producer::HELLOWORLD_PRODUCER,
    &helloworld_consumer::HELLOWORLD_CONSUMER,
];

/// Every connection type.
pub static CONNECTION_TYPES: &[&ConnectionType] = &[&s3::S3_CONNECTION, &test_connection::TEST_CONNECTION];

/// One connection type; its `name` is the `type` of a connection file.
pub struct ConnectionType {
    /// The type string.
    pub name: &'static str,
    /// A few words for listings.
    pub about: &'static str,
    /// Keys of the readable part, each with its meaning.
    pub config: &'static [(&'static str, &'static str)],
    /// Keys of the credentials, each with its meaning.
    pub credentials: &'static [(&'static str, &'static str)],
    /// Every problem of a connection of this type, as sentences; never with a secret in them.
    pub check: CheckConnection,
    /// Asks the service who the credentials are; gives what it said in one line.
    pub identity: fn(&Connection) -> Result<String, Failure>,
    /// Tries what the credentials may do; writes nothing.
    pub diagnose: fn(&Connection, &[Use]) -> Vec<Finding>,
}

/// What a connection is to do in a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The bucket.
    pub bucket: String,
    /// The path below which objects are read or written.
    pub path: String,
    /// Whether objects are read there; else they are written.
    pub source: bool,
}

/// How one thing that a connection needs stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The thing: `identity`, a region, a permission with its bucket or object.
    pub what: String,
    /// Whether it is there.
    pub standing: Standing,
    /// What the service said, in one line.
    pub said: String,
}

/// Whether something that is needed is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is.
    Held,
    /// It is not.
    Missing,
    /// It could not be found out.
    Unknown,
}

impl Standing {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Standing::Held => "held",
            Standing::Missing => "missing",
            Standing::Unknown => "unknown",
        }
    }
}

/// Tries what a connection is to do, thing by thing. Nothing is written.
pub fn diagnose(connection: &Connection, uses: &[Use]) -> Result<Vec<Finding>, Failure> {
    match CONNECTION_TYPES.iter().find(|known| known.name == connection.kind) {
        Some(known) => Ok((known.diagnose)(connection, uses)),
        None => Err(not_here(connection)),
    }
}

/// Why a text is not the bare name of a bucket.
pub fn bucket_problem(bucket: &str) -> Option<String> {
    // What a caller sent comes back: bounded.
    s3::check_bucket(bucket).map(|_| {
        let shown: String = bucket.chars().take(80).collect();
        format!("`{shown}` is not a bucket name; the name only is expected, without scheme, slash or path")
    })
}

fn not_here(connection: &Connection) -> Failure {
    let message = format!("connections of type `{}` cannot be checked here", connection.kind);
    Failure::new(Code::ConnectionTypeMismatch, message)
}

/// Asks the service behind a connection who its credentials are. Fails where it does not know them.
pub fn identity(connection: &Connection) -> Result<String, Failure> {
    match CONNECTION_TYPES.iter().find(|known| known.name == connection.kind) {
        Some(known) => (known.identity)(connection),
        None => Err(not_here(connection)),
    }
}

/// Checks the readable part and, where they are given, the credentials of a connection.
pub type CheckConnection = fn(&Map<String, Value>, Option<&Map<String, Value>>) -> Vec<String>;
