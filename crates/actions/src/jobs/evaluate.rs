//! Evaluation as a job: a synthetic table, the real one and perhaps a holdout come in; reports are left.

use serde_json::json;
use table::{ReadOptions, Table, alike};
use workflow::{Code, Failure};

use super::config::ModelJob;
use super::leave::Leaving;
use super::told::Teller;
use super::train::{REPORT, leave_reports};
use super::{JobFile, JobInputs, JobWork};
use crate::evaluation::{Evaluation, Task};
use crate::synthesis::{Options, reading};

/// Judges, and leaves the reports.
pub(crate) fn evaluate(
    job: &ModelJob,
    evaluation: &Evaluation,
    text: bool,
    inputs: &JobInputs,
    work: &JobWork<'_>,
) -> Result<(), Failure> {
    let needed = |file: Option<&'_ JobFile>, what: &str, key: &str| {
        file.cloned().ok_or_else(|| {
            Failure::new(Code::Usage, format!("the evaluation has no {what} table"))
                .hint(format!("Name it in `{key}`."))
        })
    };
    let synthetic = needed(inputs.data.as_ref(), "synthetic", "data_source")?;
    let real = needed(reference(inputs, ["0", "train"]), "real", "ref_data.0")?;
    let holdout = reference(inputs, ["1", "test"]).cloned();
    let teller = Teller::new(work, None);
    teller.say("pre", format!("comparing `{}` with `{}`", synthetic.name, real.name));
    job.said.iter().for_each(|text| teller.say("pre", text));
    let mut leaving = Leaving::in_folder(work.folder)?;
    let files: Vec<JobFile> = [Some(real), Some(synthetic), holdout].into_iter().flatten().collect();
    let attempt = work.attempt(work.folder, &|_| {});
    let mut tables = Vec::new();
    for file in &files {
        tables.push(open(file, work.seed, &teller)?);
        attempt.go_on()?;
    }
    let tables = shared(&tables, &files, &teller)?;
    if let Some(target) = evaluation.target.as_ref().filter(|target| tables[0].position(target).is_none()) {
        return Err(Failure::new(Code::Usage, format!("there is no column `{target}` in `{}`", files[0].name)));
    }
    let rows: Vec<usize> = tables.iter().map(Table::rows).collect();
    let ctx = json!({ "rows_real": rows[0], "rows_synthetic": rows[1], "rows_holdout": rows.get(2) });
    teller.figures("run", "judging", ctx);
    let report = evaluation.judge(&tables[0], &tables[1], tables.get(2), work.seed);
    attempt.go_on()?;
    let names = ["training", "synthetic", "holdout"];
    let about = names.iter().zip(&files).map(|(name, file)| (name.to_string(), file.name.clone())).collect();
    report.warnings.iter().for_each(|text| teller.say("post", format!("warning: {text}")));
    // One pair only: clients take the first report that there is for that of the job.
    let general = match evaluation.task {
        Task::Quality if text => Some(("text_metrics_report", "text_metrics_report_json")),
        Task::Quality => Some(REPORT),
        Task::Classification | Task::Regression => None,
    };
    leave_reports(&report, evaluation, general, &about, &teller, &mut leaving)?;
    leaving.finish()?;
    teller.say("post", "Model creation complete");
    Ok(())
}

/// The reference under one of these keys.
fn reference<'a>(inputs: &'a JobInputs, keys: [&str; 2]) -> Option<&'a JobFile> {
    inputs.refs.iter().find(|(key, _)| keys.contains(&key.as_str())).map(|(_, file)| file)
}

/// Reads a table, a sample of it if it is large.
pub(crate) fn open(file: &JobFile, seed: u64, teller: &Teller<'_>) -> Result<Table, Failure> {
    let options = ReadOptions { rows_max: Options::SAMPLE_ROWS_MAX, bytes_max: Options::SAMPLE_BYTES_MAX, seed };
    let reading = reading(&file.path, &file.name, &options)?;
    if reading.set_aside.rows > 0 {
        teller.say("pre", format!("warning: object `{}`: set aside {}", file.name, reading.set_aside));
    }
    Ok(reading.table)
}

/// The columns that all tables have, in the order of the first, of the same kinds.
pub(crate) fn shared(tables: &[Table], files: &[JobFile], teller: &Teller<'_>) -> Result<Vec<Table>, Failure> {
    let names = |table: &Table| (0..table.columns()).map(|at| table.name(at).to_string()).collect::<Vec<String>>();
    let everywhere = |name: &String| tables.iter().all(|table| table.position(name).is_some());
    let mut common: Vec<String> = Vec::new();
    for name in names(&tables[0]).into_iter().filter(everywhere) {
        if !common.contains(&name) {
            common.push(name);
        }
    }
    if common.is_empty() {
        let message = format!("`{}` and `{}` have no column in common", files[0].name, files[1].name);
        return Err(Failure::new(Code::Usage, message));
    }
    let mut cut = Vec::new();
    for (table, file) in tables.iter().zip(files) {
        let left_out: Vec<String> =
            names(table).iter().filter(|name| !common.contains(name)).map(|name| format!("`{name}`")).collect();
        if !left_out.is_empty() {
            let list = left_out.join(", ");
            teller.say("pre", format!("warning: not every table has these columns of `{}`: {list}", file.name));
        }
        let columns = common.iter().filter_map(|name| Some(table.column(table.position(name)?))).collect();
        cut.push(Table::new(columns).expect("columns of one table"));
    }
    let mismatched = "every table was cut to the same columns";
    Ok(alike(&cut.iter().collect::<Vec<_>>()).expect(mismatched))
}
