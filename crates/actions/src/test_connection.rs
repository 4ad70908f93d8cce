//! The connection type `test`: leads nowhere and takes whatever it is given. For trying out how connections are made,
//! changed and deleted; no action uses it.

use serde_json::{Map, Value};

use crate::{ConnectionType, Finding, Standing};

const NOBODY: &str = "a connection for trying out, which asks nobody";

/// The connection type `test`.
pub(crate) static TEST_CONNECTION: ConnectionType = ConnectionType {
    name: "test",
    about: "Leads nowhere; for trying out how connections are kept",
    config: &[],
    credentials: &[],
    check,
    identity: |_| Ok(NOBODY.into()),
    diagnose: |_, _| vec![Finding { what: "identity".into(), standing: Standing::Held, said: NOBODY.into() }],
};

fn check(config: &Map<String, Value>, credentials: Option<&Map<String, Value>>) -> Vec<String> {
    match credentials.is_none() && config.is_empty() {
        true => vec!["neither `credentials` nor `config` is given".into()],
        false => Vec::new(),
    }
}
