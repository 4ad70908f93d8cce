//! `hansel evaluate`: judges a synthetic file against the real one.

use std::path::{Path, PathBuf};

use quality::{Evidence, judge};
use table::{ReadOptions, Table, alike, read};
use workflow::{Code, Failure};

use super::Setting;
use super::say::{self, Stop};
use super::synthesize::write_reports;

/// Judge a synthetic table against the real one it stands for
#[derive(clap::Args)]
pub(crate) struct Evaluate {
    /// The real table that the synthetic one was made from
    #[arg(long, value_name = "A")]
    training: PathBuf,
    /// The synthetic table
    #[arg(long, value_name = "B")]
    synthetic: PathBuf,
    /// Real rows that the model never saw
    #[arg(long, value_name = "C")]
    holdout: Option<PathBuf>,
    /// Column that train-on-synthetic utility predicts
    #[arg(long, value_name = "COLUMN")]
    target: Option<String>,
    /// Seed of every sample that the judge draws
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,
    /// Write the report as a page
    #[arg(long, value_name = "F.html")]
    report: Option<PathBuf>,
    /// Write the report as JSON
    #[arg(long, value_name = "F.json")]
    report_json: Option<PathBuf>,
}

impl Evaluate {
    pub(crate) fn go(self, setting: &Setting) -> Result<(), Stop> {
        let files: Vec<&Path> = [Some(&self.training), Some(&self.synthetic), self.holdout.as_ref()]
            .into_iter()
            .flatten()
            .map(PathBuf::as_path)
            .collect();
        let tables = files.iter().map(|path| open(path, self.seed)).collect::<Result<Vec<Table>, _>>()?;
        let tables = alike(&tables.iter().collect::<Vec<_>>()).map_err(|mismatch| {
            let message =
                format!("`{}` is not like `{}`: {mismatch}", files[mismatch.table].display(), files[0].display());
            Failure::new(Code::Usage, message)
        })?;
        if let Some(target) = &self.target
            && tables[0].position(target).is_none()
        {
            let message = format!("no column `{target}` in `{}`", self.training.display());
            return Err(Failure::new(Code::Usage, message).into());
        }
        let evidence = Evidence {
            training: &tables[0],
            synthetic: &tables[1],
            holdout: tables.get(2),
            target: self.target.as_deref(),
            constraints: &[],
            seed: self.seed,
        };
        let report = judge(&evidence);
        let names = ["training", "synthetic", "holdout"];
        let about =
            names.iter().zip(&files).map(|(name, path)| (name.to_string(), path.display().to_string())).collect();
        let value = write_reports(&report, &about, self.report.as_deref(), self.report_json.as_deref())?;
        if setting.json() {
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
        Ok(())
    }
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
