//! `hansel demo`: the whole job in one process, on small real tables that ship with the program.

use std::path::{Path, PathBuf};

use s3double::S3Double;
use workflow::{Code, Connections, Failure};

use super::say::{self, Stop};
use super::watch::Display;
use super::{Setting, signals};
use crate::engine::{self, RunRequest};
use crate::memory::Memory;

/// Try it: run the documented sample workflow on tables that ship with the program, against an S3 in this process
#[derive(clap::Args)]
pub(crate) struct Demo {
    /// Where the demo keeps what it made
    #[arg(long, default_value = "hansel-demo", value_name = "DIR")]
    dir: PathBuf,
    /// Seed of the run
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
}

const WORKFLOW: &str = include_str!("../../../../docs/examples/sample-s3-workflow.yaml");
/// The buckets that the sample workflow names.
const SOURCE: &str = "my-analytics-bucket";
const DESTINATION: &str = "my-synthesized-analyics-bucket";

static TABLES: &[(&str, &[u8])] = &[
    ("metrics/charging.csv", include_bytes!("../../demo/charging.csv")),
    ("metrics/houses.csv", include_bytes!("../../demo/houses.csv")),
    ("metrics/penguins.csv", include_bytes!("../../demo/penguins.csv")),
    ("metrics/weather.csv", include_bytes!("../../demo/weather.csv")),
];

impl Demo {
    pub(crate) fn go(self, setting: &Setting) -> Result<(), Stop> {
        let unusable =
            |error: std::io::Error| Failure::new(Code::HomeUnusable, "the demo cannot be set up").cause(error);
        // Each demo begins with an empty bucket, so its memory does too.
        let home = self.dir.join("home");
        if home.exists() {
            std::fs::remove_dir_all(&home).map_err(unusable)?;
        }
        std::fs::create_dir_all(&self.dir).map_err(unusable)?;
        let s3 = S3Double::start().map_err(unusable)?;
        s3.add_admin("demo", "demo-secret-key");
        s3.create_bucket(DESTINATION);
        for (key, bytes) in TABLES {
            s3.put(SOURCE, key, bytes);
        }
        let workflow_file = self.dir.join("sample-s3-workflow.yaml");
        std::fs::write(&workflow_file, WORKFLOW).map_err(unusable)?;
        let text = !setting.json();
        if text {
            say::result(&format!("an S3 endpoint listens at {} while this demo runs", s3.endpoint()));
            say::result(&format!(
                "running {} on {} tables in bucket `{SOURCE}`",
                workflow_file.display(),
                TABLES.len()
            ));
        }
        let memory = Memory::open_passing(&home)?;
        let project = memory.project(None)?;
        let connections = Connections::Known([("c_1".to_string(), connection(&s3, &project.guid))].into());
        let plan = workflow::plan(WORKFLOW, actions::ACTIONS, &connections)
            .map_err(|problems| Stop::Problems(workflow_file.display().to_string(), problems))?;
        let workflow = memory.ask(memory.store.workflow(&project.id, plan.name()))?;
        signals::listen();
        let display = Display::new();
        let request = RunRequest {
            plan: &plan,
            text: WORKFLOW,
            workflow: &workflow,
            seed: Some(self.seed),
            again: &[],
            again_text: &[],
            notes: &[],
            only: None,
            cancelled: &signals::cancelled,
            leaving: &|| false,
        };
        let summary = engine::run(&memory, &request, &display)?;
        let facts = display.facts();
        if text {
            super::run::summary_text(&summary, &facts);
        } else {
            say::json(&super::run::summary_json(&summary, &facts));
        }
        let files = self.copy_out(&memory, &s3, &summary.run).map_err(unusable)?;
        if text {
            say::result("");
            say::result("look at:");
            for file in files {
                say::result(&format!("  {}", file.display()));
            }
        }
        match super::run::exit(&summary) {
            0 => Ok(()),
            code => Err(Stop::Exit(code)),
        }
    }

    /// Copies the synthetic objects and their reports to where a user finds them.
    fn copy_out(&self, memory: &Memory, s3: &S3Double, run: &str) -> std::io::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for key in s3.keys(DESTINATION) {
            let Some(stored) = s3.get(DESTINATION, &key) else { continue };
            let to = self.dir.join(DESTINATION).join(&key);
            write(&to, &stored.body)?;
            files.push(to);
        }
        for artifact in memory.ask(memory.store.artifacts(run)).map_err(std::io::Error::other)? {
            if artifact.kind == "report" {
                let name = artifact.unit.key.rsplit('/').next().unwrap_or_default();
                let to = self.dir.join("reports").join(format!("{name}.html"));
                write(&to, &std::fs::read(memory.store.home().join(&artifact.path))?)?;
                files.push(to);
            }
        }
        Ok(files)
    }
}

fn connection(s3: &S3Double, external_id: &str) -> workflow::Connection {
    let credentials = serde_json::json!({ "access_key_id": "demo", "secret_access_key": "demo-secret-key" });
    let config = serde_json::json!({ "endpoint_url": s3.endpoint() });
    workflow::Connection {
        id: "c_1".into(),
        name: "demo".into(),
        kind: "s3".into(),
        config: config.as_object().cloned().unwrap_or_default(),
        credentials: credentials.as_object().map(super::binding::sealed),
        target: workflow::Target::Any,
        external_id: external_id.into(),
    }
}

fn write(to: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(to, bytes)
}
