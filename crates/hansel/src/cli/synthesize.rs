//! `hansel synthesize`: a synthetic copy of one local file.

use std::path::{Path, PathBuf};

use actions::synthesis::{Options, Synthesis, synthesize};
use actions::{Model, Origin};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use workflow::{Attempt, Code, Failure, Place, Problem, Progress};

use super::conditions::Conditions;
use super::say::{self, Stop};
use super::{Setting, read_text, signals};

/// Make a synthetic copy of one local file
#[derive(clap::Args)]
pub(crate) struct Synthesize {
    /// The table to learn from
    #[arg(value_name = "INPUT")]
    input: PathBuf,
    /// Where the copy goes; may be left out with --save
    #[arg(short = 'o', long = "out", value_name = "OUTPUT", required_unless_present = "save")]
    out: Option<PathBuf>,
    /// Keep the trained model in a file, from which `hansel sample` draws
    #[arg(long, value_name = "MODEL")]
    save: Option<PathBuf>,
    /// Rows to generate [default: as many as the input has]
    #[arg(long, value_name = "N", requires = "out")]
    rows: Option<u64>,
    #[command(flatten)]
    conditions: Conditions,
    /// Seed: the same input and seed give the same bytes
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,
    /// A model template, or a file with a model config
    #[arg(long, default_value = "synthetics/default", value_name = "NAME|FILE")]
    model: String,
    /// Most rows of the uniform sample that the model is fitted on
    #[arg(long, default_value_t = Options::SAMPLE_ROWS_MAX, value_name = "N")]
    sample_rows_max: usize,
    /// Column that train-on-synthetic utility predicts in the report
    #[arg(long, value_name = "COLUMN")]
    target: Option<String>,
    /// Write the report as a page
    #[arg(long, value_name = "F.html", requires = "out")]
    report: Option<PathBuf>,
    /// Write the report as JSON
    #[arg(long, value_name = "F.json", requires = "out")]
    report_json: Option<PathBuf>,
}

impl Synthesize {
    pub(crate) fn go(self, setting: &Setting) -> Result<(), Stop> {
        let model = model(&self.model)?;
        std::fs::File::open(&self.input).map_err(|error| {
            Failure::new(Code::Usage, format!("the file `{}` cannot be read", self.input.display())).cause(error)
        })?;
        for line in &model.said {
            say::note(line);
        }
        signals::listen();
        let bar = bar();
        let progress = |progress: Progress| show(&bar, progress);
        let attempt =
            Attempt { seed: self.seed, progress: &progress, ..Attempt::silent("synthesize", &signals::cancelled) };
        let options = Options {
            wanted: self.conditions.wanted(self.rows.or(model.num_records), Some(model.recipe.as_ref()))?,
            sample_rows_max: self.sample_rows_max.max(1),
            sample_bytes_max: Options::SAMPLE_BYTES_MAX,
            generate: self.out.is_some(),
            packed_for: self.out.as_ref().map(|out| out.to_string_lossy().into_owned()),
            judged: self.report.is_some() || self.report_json.is_some(),
            target: self.target.clone(),
            holdout: None,
        };
        let name = self.input.to_string_lossy();
        let draft = self.out.as_deref().map(draft).unwrap_or_default();
        let made = synthesize(&self.input, &name, &draft, model.recipe.as_ref(), &options, &attempt);
        bar.finish_and_clear();
        let synthesis = match &self.out {
            Some(out) => placed(made, &draft, out)?,
            None => made?,
        };
        let report = self.reports(&model, &synthesis)?;
        self.keep(&model, &synthesis)?;
        if synthesis.set_aside.rows > 0 {
            say::note(&format!("warning: set aside {}", synthesis.set_aside));
        }
        self.tell(&synthesis, report.as_ref(), setting);
        Ok(())
    }

    /// Saves the model if that was asked for.
    fn keep(&self, model: &Model, synthesis: &Synthesis) -> Result<(), Stop> {
        let Some(path) = &self.save else { return Ok(()) };
        let origin = Origin {
            source: self.input.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            rows: model.num_records.unwrap_or(synthesis.rows_read),
            seed: self.seed,
            model: model.name.clone(),
        };
        let bytes = origin.save(&synthesis.layout, synthesis.generator.as_ref());
        let draft = draft(path);
        let written = std::fs::write(&draft, bytes).map_err(|error| unwritable(path, error));
        Ok(placed(written, &draft, path)?)
    }

    /// Prints what was made.
    fn tell(&self, synthesis: &Synthesis, report: Option<&serde_json::Value>, setting: &Setting) {
        let scores = report.map(actions::scores).unwrap_or_default();
        if setting.json() {
            let mut value = json!({
                "output": self.out, "model": self.save, "rows_read": synthesis.rows_read,
                "rows_written": synthesis.rows_written, "rows_set_aside": synthesis.set_aside.rows, "seed": self.seed,
            });
            for (name, score) in scores {
                value[name] = json!(score.parse::<f64>().ok());
            }
            say::json(&value);
            return;
        }
        let (written, read) = (synthesis.rows_written, synthesis.rows_read);
        if let Some(out) = &self.out {
            let scores: String = scores.iter().map(|(name, score)| format!(", {name} {score}")).collect();
            say::result(&format!("{}: {written} rows from {read}{scores}", out.display()));
        }
        if let Some(path) = &self.save {
            say::result(&format!("{}: the model of {read} rows", path.display()));
        }
    }

    fn reports(&self, model: &Model, synthesis: &Synthesis) -> Result<Option<serde_json::Value>, Stop> {
        let Some(report) = &synthesis.report else { return Ok(None) };
        let about = [
            ("source", self.input.display().to_string()),
            ("model", model.name.clone()),
            ("seed", self.seed.to_string()),
        ];
        let about = synthesis.provenance(about.map(|(name, value)| (name.to_string(), value)).to_vec());
        write_reports(report, &about, self.report.as_deref(), self.report_json.as_deref()).map(Some)
    }
}

/// Writes a report where it was asked for; gives it as JSON.
pub(crate) fn write_reports(
    report: &quality::Report,
    about: &quality::Provenance,
    html: Option<&Path>,
    json: Option<&Path>,
) -> Result<serde_json::Value, Stop> {
    let value = report.to_json(about);
    if let Some(path) = json {
        std::fs::write(path, format!("{value:#}\n")).map_err(|error| unwritable(path, error))?;
    }
    if let Some(path) = html {
        std::fs::write(path, report.to_html(about)).map_err(|error| unwritable(path, error))?;
    }
    Ok(value)
}

/// The model of a template name, or of a config file if there is one of that name.
fn model(named: &str) -> Result<Model, Stop> {
    let path = Path::new(named);
    let (place, model) = if path.is_file() {
        let text = read_text(path)?;
        let tree = workflow::parse(&text).map_err(|problems| Stop::Problems(named.into(), problems))?;
        (named.to_string(), Model::configured(&tree.to_json()))
    } else {
        ("--model".to_string(), Model::named(named))
    };
    model.map_err(|problems| Stop::Problems(place, placed_nowhere(problems)))
}

/// Problems of a model config, of which only the path is known.
pub(crate) fn placed_nowhere(problems: Vec<actions::ModelProblem>) -> Vec<Problem> {
    let problem = |(path, message, hint): actions::ModelProblem| Problem {
        code: Code::ConfigInvalid,
        at: Place { path, line: 0, column: 0 },
        message,
        hint,
    };
    problems.into_iter().map(problem).collect()
}

/// A bar for work that [`show`] follows.
pub(crate) fn bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    bar.set_style(
        ProgressStyle::with_template("{msg} {bar:30} {pos}/{len}, {per_sec}, {eta} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    bar
}

/// Moves the bar to where the work is.
pub(crate) fn show(bar: &ProgressBar, progress: Progress) {
    if bar.message() != progress.doing {
        // Each stage has a rate of its own.
        bar.reset();
        bar.set_message(progress.doing);
    }
    bar.set_length(progress.total);
    bar.set_position(progress.done);
}

/// Where a file is written before it has its name, so that a failure leaves no half file under the name.
pub(crate) fn draft(out: &Path) -> PathBuf {
    let mut name = out.file_name().unwrap_or_default().to_os_string();
    name.push(".part");
    out.with_file_name(name)
}

/// Gives a draft its name if it was made; else removes it.
pub(crate) fn placed<T>(made: Result<T, Failure>, draft: &Path, out: &Path) -> Result<T, Failure> {
    let made = made.inspect_err(|_| {
        let _ = std::fs::remove_file(draft);
    })?;
    std::fs::rename(draft, out).map_err(|error| unwritable(out, error))?;
    Ok(made)
}

/// The failure of a file that cannot be written.
pub(crate) fn unwritable(path: &Path, error: std::io::Error) -> Failure {
    Failure::new(Code::Usage, format!("the file `{}` cannot be written", path.display())).cause(error)
}
