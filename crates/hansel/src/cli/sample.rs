//! `hansel sample`: rows from a model that was saved before.

use std::path::PathBuf;

use actions::{ModelFile, synthesis};
use serde_json::json;
use workflow::{Attempt, Code, Failure, Progress};

use super::conditions::Conditions;
use super::say::{self, Stop};
use super::synthesize::{bar, draft, placed, show};
use super::{Setting, signals};

/// Draw rows from a saved model
#[derive(clap::Args)]
pub(crate) struct Sample {
    /// The model: a file of `hansel synthesize --save`, or the model that a run kept
    #[arg(value_name = "MODEL")]
    model: PathBuf,
    /// Where the rows go
    #[arg(short = 'o', long = "out", value_name = "OUTPUT")]
    out: PathBuf,
    /// Rows to generate [default: as many as its source had]
    #[arg(long, value_name = "N")]
    rows: Option<u64>,
    #[command(flatten)]
    conditions: Conditions,
    /// Seed: the same model and seed give the same bytes [default: that of its training]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

impl Sample {
    pub(crate) fn go(self, setting: &Setting) -> Result<(), Stop> {
        let name = self.model.display().to_string();
        let bytes = std::fs::read(&self.model)
            .map_err(|error| Failure::new(Code::Usage, format!("the file `{name}` cannot be read")).cause(error))?;
        let model = ModelFile::from_bytes(&name, &bytes)?;
        drop(bytes);
        signals::listen();
        let bar = bar();
        let progress = |progress: Progress| show(&bar, progress);
        let attempt = Attempt {
            seed: self.seed.unwrap_or(model.origin.seed),
            progress: &progress,
            ..Attempt::silent("sample", &signals::cancelled)
        };
        let wanted = self.conditions.wanted(self.rows, None)?;
        // Written beside its place first, so that a failure leaves no half file under the name.
        let draft = draft(&self.out);
        let made = synthesis::sample(&model, &draft, &self.out.to_string_lossy(), &wanted, &attempt);
        bar.finish_and_clear();
        let rows = placed(made, &draft, &self.out)?;
        if setting.json() {
            say::json(&json!({
                "output": self.out, "rows_written": rows, "seed": attempt.seed, "model": self.model,
                "source": model.origin.source,
            }));
        } else {
            say::result(&format!("{}: {rows} rows from the model of `{}`", self.out.display(), model.origin.source));
        }
        Ok(())
    }
}
