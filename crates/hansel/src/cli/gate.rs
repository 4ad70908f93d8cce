//! `hansel gate`: lets through what a gate refused. A decision holds for one version of one object, is kept with its
//! reason, and shows in the log of every run that uses it.

use serde_json::{Value, json};
use workflow::{Code, Failure};

use super::Setting;
use super::connections::timestamp;
use super::place::Place;
use super::say::{self, Stop};
use crate::client::{Server, path};
use crate::memory::Memory;

/// Let refused copies through, and see which were
#[derive(clap::Subcommand)]
pub(crate) enum Gate {
    /// Let the version of an object through that a run refused; the next run publishes it
    Allow {
        /// The run that refused it
        run: String,
        /// The object's key
        key: String,
        /// Why it may be published all the same; kept, and shown in the log
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Print what is let through in the workflow of a run
    List {
        /// A run of the workflow
        run: String,
    },
    /// Take a decision back
    Withdraw {
        /// A run of the workflow
        run: String,
        /// The object's key
        key: String,
    },
}

impl Gate {
    pub(crate) fn go(self, setting: &Setting) -> Result<(), Stop> {
        if let Gate::Allow { reason, .. } = &self
            && reason.trim().is_empty()
        {
            return Err(Failure::new(Code::Usage, "`--reason` is empty").into());
        }
        match setting.place()? {
            Place::Home(memory) => self.at_home(&memory, setting),
            Place::Server(server) => self.at_server(&server, setting),
        }
    }

    fn at_home(self, memory: &Memory, setting: &Setting) -> Result<(), Stop> {
        let store = &memory.store;
        match self {
            Gate::Allow { run, key, reason } => {
                let refused = Code::GateRefused.name();
                let decision = memory.ask(store.let_through(&run, &key, refused, reason.trim()))?;
                show(setting, vec![record(&decision)]);
            }
            Gate::List { run } => {
                let workflow = memory.ask(store.run(&run))?.workflow;
                let decisions = memory.ask(store.overrides(&workflow))?;
                show(setting, decisions.values().map(record).collect());
            }
            Gate::Withdraw { run, key } => {
                let workflow = memory.ask(store.run(&run))?.workflow;
                memory.ask(store.withdraw_override(&workflow, &key))?;
                say::note(&format!("`{key}` is no longer let through"));
            }
        }
        Ok(())
    }

    fn at_server(self, server: &Server, setting: &Setting) -> Result<(), Stop> {
        let at = |run: &str| path(&["v1", "workflows", "runs", run, "gate"]);
        match self {
            Gate::Allow { run, key, reason } => {
                let decision = server.post(&at(&run), &json!({ "key": key, "reason": reason.trim() }))?;
                show(setting, vec![of_server(&decision)]);
            }
            Gate::List { run } => {
                let found = server.get(&at(&run), &[])?;
                let decisions = found["overrides"].as_array().map(Vec::as_slice).unwrap_or_default();
                show(setting, decisions.iter().map(of_server).collect());
            }
            Gate::Withdraw { run, key } => {
                server.delete(&at(&run), &[("key", &key)])?;
                say::note(&format!("`{key}` is no longer let through"));
            }
        }
        Ok(())
    }
}

fn record(one: &store::LetThrough) -> Value {
    json!({
        "source": one.unit.branch, "bucket": one.unit.bucket, "key": one.unit.key, "version": one.identity,
        "reason": one.reason, "refused_in": one.run, "at": timestamp(one.at),
    })
}

fn of_server(one: &Value) -> Value {
    json!({
        "key": one["key"], "version": one["identity"], "reason": one["reason"], "refused_in": one["run"],
        "at": one["at"],
    })
}

fn show(setting: &Setting, decisions: Vec<Value>) {
    if setting.json() {
        say::json(&Value::Array(decisions));
        return;
    }
    for one in decisions {
        let word = |key: &str| one[key].as_str().unwrap_or_default();
        say::result(&format!("{}  {}  refused in {}  {}", word("at"), word("key"), word("refused_in"), word("reason")));
    }
}
