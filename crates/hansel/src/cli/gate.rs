//! `hansel gate`: lets through what a gate refused. A decision holds for one version of one object, is kept with its
//! reason, and shows in the log of every run that uses it.

use serde_json::{Value, json};
use workflow::{Code, Failure};

use super::Setting;
use super::connections::timestamp;
use super::say::{self, Stop};

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
        let memory = setting.memory()?;
        let store = &memory.store;
        match self {
            Gate::Allow { run, key, reason } => {
                if reason.trim().is_empty() {
                    return Err(Failure::new(Code::Usage, "`--reason` is empty").into());
                }
                let refused = Code::GateRefused.name();
                let decision = memory.ask(store.let_through(&run, &key, refused, reason.trim()))?;
                show(setting, &[decision]);
            }
            Gate::List { run } => {
                let workflow = memory.ask(store.run(&run))?.workflow;
                let decisions: Vec<_> = memory.ask(store.overrides(&workflow))?.into_values().collect();
                show(setting, &decisions);
            }
            Gate::Withdraw { run, key } => {
                let workflow = memory.ask(store.run(&run))?.workflow;
                memory.ask(store.withdraw_override(&workflow, &key))?;
                say::note(&format!("`{key}` is no longer let through"));
            }
        }
        Ok(())
    }
}

fn show(setting: &Setting, decisions: &[store::LetThrough]) {
    if setting.json() {
        let record = |one: &store::LetThrough| {
            json!({
                "source": one.unit.branch, "bucket": one.unit.bucket, "key": one.unit.key, "version": one.identity,
                "reason": one.reason, "refused_in": one.run, "at": timestamp(one.at),
            })
        };
        say::json(&Value::Array(decisions.iter().map(record).collect()));
        return;
    }
    for one in decisions {
        say::result(&format!("{}  {}  refused in {}  {}", timestamp(one.at), one.unit.key, one.run, one.reason));
    }
}
