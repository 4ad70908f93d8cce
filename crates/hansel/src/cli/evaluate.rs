//! `hansel evaluate`: judges a synthetic file against the real one.

use std::path::{Path, PathBuf};

use actions::evaluation::{Document, Evaluation, documents};
use table::{ReadOptions, Table, alike, read};
use workflow::{Code, Failure};

use super::Setting;
use super::read_text;
use super::say::{self, Stop};
use super::synthesize::{unwritable, write_reports};

/// Judge a synthetic table against the real one it stands for
#[derive(clap::Args)]
pub(crate) struct Evaluate {
    /// The real table that the synthetic one was made from
    #[arg(long, value_name = "A")]
    training: Option<PathBuf>,
    /// The synthetic table
    #[arg(long, value_name = "B")]
    synthetic: Option<PathBuf>,
    /// Real rows that the model never saw
    #[arg(long, value_name = "C")]
    holdout: Option<PathBuf>,
    /// An `evaluate` model config; its `data_source` is the synthetic table, its `ref_data` the real one and the holdout,
    /// where the options above do not name them
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Column that train-on-synthetic utility predicts
    #[arg(long, value_name = "COLUMN")]
    target: Option<String>,
    /// Columns that the documented attribute inference attack takes as known [default: 3]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    quasi_identifier_count: Option<u32>,
    /// Leave a part of the documented scores out
    #[arg(long, value_enum, value_name = "PART")]
    skip: Vec<Part>,
    /// Seed of every sample that the judge draws
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,
    /// Write the report as a page
    #[arg(long, value_name = "F.html")]
    report: Option<PathBuf>,
    /// Write the report as JSON
    #[arg(long, value_name = "F.json")]
    report_json: Option<PathBuf>,
    /// Write all documents into this folder, under their documented names: `report.html`, `report_json.json` and, where the
    /// config has the task, `classification_report.html` and the like. Without it those of the task are written beside
    /// `--report` and `--report-json`
    #[arg(long, value_name = "DIR")]
    documents: Option<PathBuf>,
}

/// A part of the documented scores.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// The membership inference attack
    Mia,
    /// The attribute inference attack
    Aia,
    /// The search for replayed personal data
    PiiReplay,
}

impl Evaluate {
    pub(crate) fn go(self, setting: &Setting) -> Result<(), Stop> {
        let evaluation = self.evaluation()?;
        let named = |own: &Option<PathBuf>, other: &Option<String>| own.clone().or(other.as_ref().map(PathBuf::from));
        let needed = |found: Option<PathBuf>, option: &str, key: &str| {
            found.ok_or_else(|| {
                let message = format!("neither `{option}` nor `{key}` of a config names a table");
                Failure::new(Code::Usage, message)
            })
        };
        let [real, unseen] = &evaluation.ref_data;
        let training = needed(named(&self.training, real), "--training", "ref_data")?;
        let synthetic = needed(named(&self.synthetic, &evaluation.data_source), "--synthetic", "data_source")?;
        let files: Vec<PathBuf> =
            [Some(training), Some(synthetic), named(&self.holdout, unseen)].into_iter().flatten().collect();
        let tables = files.iter().map(|path| open(path, self.seed)).collect::<Result<Vec<Table>, _>>()?;
        let tables = alike(&tables.iter().collect::<Vec<_>>()).map_err(|mismatch| {
            let message =
                format!("`{}` is not like `{}`: {mismatch}", files[mismatch.table].display(), files[0].display());
            Failure::new(Code::Usage, message)
        })?;
        if let Some(target) = &evaluation.target
            && tables[0].position(target).is_none()
        {
            let message = format!("no column `{target}` in `{}`", files[0].display());
            return Err(Failure::new(Code::Usage, message).into());
        }
        let report = evaluation.judge(&tables[0], &tables[1], tables.get(2), self.seed);
        let downstream = evaluation.downstream(&report);
        let names = ["training", "synthetic", "holdout"];
        let about: quality::Provenance =
            names.iter().zip(&files).map(|(name, path)| (name.to_string(), path.display().to_string())).collect();
        let mut value = write_reports(&report, &about, self.report.as_deref(), self.report_json.as_deref())?;
        self.write_documents(&documents(&report, downstream.as_ref(), &about))?;
        if setting.json() {
            if let Some(downstream) = &downstream {
                value["downstream"] = downstream.to_json();
            }
            say::json(&value);
            return Ok(());
        }
        for (name, score) in actions::scores(&value) {
            say::result(&format!("{name} {score}"));
        }
        for (name, score) in value["metrics"].as_object().into_iter().flatten() {
            if let Some(score) = score["value"].as_f64() {
                say::result(&format!("  {name} {score:.4}"));
            }
        }
        // Some scores have a name of each generation; the newer one is enough here.
        let older = |name: &str| name.starts_with("field_") || name.starts_with("principal_");
        for (name, score) in report.compat.iter().flat_map(|compat| compat.summary()).filter(|score| !older(score.0)) {
            say::result(&format!("  {name} {score}"));
        }
        if let Some(downstream) = &downstream {
            for (name, score) in downstream.summary() {
                say::result(&format!("  {name} {score}"));
            }
            if let Some(warning) = downstream.warning() {
                say::note(&format!("warning: {warning}"));
            }
            if let Some(reason) = downstream.undefined {
                say::note(&format!("warning: nothing was predicted: {reason}"));
            }
        }
        Ok(())
    }
}

impl Evaluate {
    /// Writes all documents into the folder that was asked for; else those of a task beside the reports.
    fn write_documents(&self, documents: &[Document]) -> Result<(), Stop> {
        let write = |folder: &Path, document: &Document| {
            let path = folder.join(document.file);
            std::fs::write(&path, &document.bytes).map_err(|error| unwritable(&path, error))
        };
        if let Some(folder) = &self.documents {
            std::fs::create_dir_all(folder).map_err(|error| unwritable(folder, error))?;
            for document in documents {
                write(folder, document)?;
            }
            return Ok(());
        }
        for document in documents.iter().filter(|document| !document.kind.starts_with("report")) {
            let beside = if document.kind.ends_with("_json") { &self.report_json } else { &self.report };
            if let Some(folder) = beside.as_ref().map(|path| path.parent().unwrap_or(Path::new(""))) {
                write(folder, document)?;
            }
        }
        Ok(())
    }

    /// What the config says and the options say above it.
    fn evaluation(&self) -> Result<Evaluation, Stop> {
        let mut evaluation = match &self.config {
            Some(path) => configured(path)?,
            None => Evaluation::default(),
        };
        evaluation.target = self.target.clone().or(evaluation.target);
        if let Some(count) = self.quasi_identifier_count {
            evaluation.compat.quasi_identifier_count = count as usize;
        }
        evaluation.compat.skip_membership |= self.skip.contains(&Part::Mia);
        evaluation.compat.skip_attributes |= self.skip.contains(&Part::Aia);
        evaluation.compat.skip_replay |= self.skip.contains(&Part::PiiReplay);
        Ok(evaluation)
    }
}

/// The evaluation that a config file describes.
fn configured(path: &Path) -> Result<Evaluation, Stop> {
    let text = read_text(path)?;
    let name = path.to_string_lossy().into_owned();
    let tree = workflow::parse(&text).map_err(|problems| Stop::Problems(name.clone(), problems))?;
    Evaluation::of_config(&tree.to_json())
        .map_err(|problems| Stop::Problems(name, super::synthesize::placed_nowhere(problems)))
}

fn open(path: &Path, seed: u64) -> Result<Table, Failure> {
    let name = path.to_string_lossy();
    let file = std::fs::File::open(path)
        .map_err(|error| Failure::new(Code::Usage, format!("the file `{name}` cannot be read")).cause(error))?;
    let options = ReadOptions {
        rows_max: actions::synthesis::Options::SAMPLE_ROWS_MAX,
        bytes_max: actions::synthesis::Options::SAMPLE_BYTES_MAX,
        seed,
    };
    let reading = read(&name, &file, &options).map_err(|error| actions::synthesis::unreadable(&name, &error))?;
    if reading.set_aside.rows > 0 {
        say::note(&format!("warning: {name}: set aside {}", reading.set_aside));
    }
    Ok(reading.table)
}

#[cfg(test)]
mod tests {
    #[test]
    fn overall_scores_are_found_in_a_report() {
        let report = serde_json::json!({ "overall": { "fidelity": 0.98765, "privacy": 1.0 } });
        assert_eq!(
            actions::scores(&report),
            [("fidelity".into(), "0.988".into()), ("privacy".into(), "1.000".to_string())]
        );
    }
}
