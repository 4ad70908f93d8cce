//! Connections as the planner and the actions see them: what they are, never what is in their secret.

use std::collections::BTreeMap;

/// Bytes that must not be shown: no `Debug`, no `Display`, no serialisation; wiped when dropped.
#[derive(Clone)]
pub struct Secret(zeroize::Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes bytes into keeping.
    pub fn new(bytes: Vec<u8>) -> Secret {
        Secret(zeroize::Zeroizing::new(bytes))
    }

    /// The bytes. Only a credentials file of an action and the sealing store have a reason to call this.
    pub fn open(&self) -> &[u8] {
        &self.0
    }
}

/// Which end of a workflow a connection may serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Sources and destinations.
    Any,
    /// Sources only.
    Source,
    /// Destinations only.
    Destination,
}

/// Stored access to an outside service.
#[derive(Clone)]
pub struct Connection {
    /// `c_...`, or the id that a run binds it to.
    pub id: String,
    /// The user's name for it.
    pub name: String,
    /// The type, such as `s3`.
    pub kind: String,
    /// The readable part.
    pub config: serde_json::Map<String, serde_json::Value>,
    /// The credentials, a JSON object when opened; none for roles.
    pub credentials: Option<Secret>,
    /// Which end it may serve.
    pub target: Target,
    /// The guid of the owning project: the external id of every role it assumes.
    pub external_id: String,
}

/// The connections a plan may use.
#[derive(Clone)]
pub enum Connections {
    /// Exactly these, by id.
    Known(BTreeMap<String, Connection>),
    /// None is known yet: configs are checked, connections are taken on trust and the plan cannot run.
    Unbound,
}
