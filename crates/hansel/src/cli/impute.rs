//! `hansel impute`: a table with its gaps filled.

use std::path::PathBuf;

use actions::synthesis;
use serde_json::json;
use workflow::{Attempt, Code, Failure, Progress};

use super::say::{self, Stop};
use super::synthesize::{bar, draft, placed, show};
use super::{Setting, signals};

/// Fill the gaps of a table; its own cells stay as they are
#[derive(clap::Args)]
pub(crate) struct Impute {
    /// The table with gaps
    #[arg(value_name = "INPUT")]
    input: PathBuf,
    /// Where the filled table goes
    #[arg(short = 'o', long = "out", value_name = "OUTPUT")]
    out: PathBuf,
    /// Seed: the same input and seed give the same bytes
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,
}

impl Impute {
    pub(crate) fn go(self, setting: &Setting) -> Result<(), Stop> {
        let name = self.input.display().to_string();
        std::fs::File::open(&self.input)
            .map_err(|error| Failure::new(Code::Usage, format!("the file `{name}` cannot be read")).cause(error))?;
        signals::listen();
        let bar = bar();
        let progress = |progress: Progress| show(&bar, progress);
        let attempt =
            Attempt { seed: self.seed, progress: &progress, ..Attempt::silent("impute", &signals::cancelled) };
        let draft = draft(&self.out);
        let made = synthesis::impute(&self.input, &name, &draft, &self.out.to_string_lossy(), &attempt);
        bar.finish_and_clear();
        let (rows, notes) = placed(made, &draft, &self.out)?;
        if setting.json() {
            let notes: Vec<&str> = notes.iter().map(|note| note.text.as_str()).collect();
            say::json(&json!({ "output": self.out, "rows_written": rows, "seed": self.seed, "notes": notes }));
        } else {
            for note in &notes {
                say::note(&note.text);
            }
            say::result(&format!("{}: {rows} rows, gaps filled; these are the source's own rows", self.out.display()));
        }
        Ok(())
    }
}
