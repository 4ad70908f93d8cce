//! Training as a job: a table comes in; model, records and reports are left. The synthesis is the workflow's.

use quality::{Provenance, Report, Thresholds, gate};
use serde_json::{Value as Json, json};
use synth::Generator;
use workflow::{Code, Failure};

use super::config::{ModelJob, Training};
use super::csv::write_csv;
use super::leave::{Leaving, archive};
use super::told::Teller;
use super::{JobFile, JobInputs, JobWork};
use crate::Origin;
use crate::drawing::{Drawing, Wanted};
use crate::evaluation::{Evaluation, documents};
use crate::synthesis::{Options, Synthesis, synthesize_with};

/// The general report: the page and its JSON.
pub(crate) const REPORT: (&str, &str) = ("report", "report_json");

/// The model within its archive.
pub(crate) const MODEL_FILE: &str = "model.hansel";

/// Trains, draws the preview, judges it, and leaves all of it.
pub(crate) fn train(
    job: &ModelJob,
    training: &Training,
    inputs: &JobInputs,
    work: &JobWork<'_>,
) -> Result<(), Failure> {
    let data = inputs.data.as_ref().ok_or_else(|| {
        Failure::new(Code::Usage, "the model has no training data").hint("Name a table in `data_source`.")
    })?;
    let teller = Teller::new(work, training.epochs);
    let begins = format!("training `{}` on `{}`", job.kind(), data.name);
    teller.figures("pre", begins, json!({ "num_epochs": teller.epochs }));
    job.said.iter().for_each(|text| teller.say("pre", text));
    if !inputs.refs.is_empty() {
        teller.say("pre", "warning: `ref_data` is not used: what is held out is drawn from the training data");
    }
    let mut leaving = Leaving::in_folder(work.folder)?;
    let recipe = training.recipe.as_ref();
    let evaluation = training.evaluation.clone().unwrap_or_default();
    let options = Options {
        wanted: Wanted::of(recipe, recipe.num_records()),
        sample_rows_max: Options::SAMPLE_ROWS_MAX,
        sample_bytes_max: Options::SAMPLE_BYTES_MAX,
        generate: true,
        packed_for: Some(String::new()),
        judged: training.evaluation.is_some(),
        target: evaluation.target.clone(),
        holdout: None,
    };
    let progress = |at: workflow::Progress| teller.progress(at);
    let aside = leaving.aside.clone();
    let attempt = work.attempt(&aside, &progress);
    let drawn = aside.join("records");
    let how = (&options, &evaluation.compat);
    let mut synthesis = synthesize_with(&data.path, &data.name, &drawn, recipe, how, &attempt)?;
    tell(&synthesis, &options, data, &teller);
    preview(&synthesis, &options.wanted, work, &mut leaving)?;
    keep_model(job, &synthesis, data, work.seed, &mut leaving)?;
    let about = vec![("source".into(), data.name.clone()), ("model".into(), job.kind().into())];
    let about = synthesis.provenance([about, vec![("seed".into(), work.seed.to_string())]].concat());
    match &mut synthesis.report {
        Some(report) => {
            let verdict = gate(report, &Thresholds::default());
            if !verdict.passed {
                let reason = verdict.reason();
                teller.say("post", format!("warning: the gate of a workflow would refuse these records: {reason}"));
            }
            report.verdict = Some(verdict);
            // What can be predicted stands beside the general report, which clients ask of every training.
            leave_reports(report, &evaluation, Some(REPORT), &about, &teller, &mut leaving)?;
        }
        None => teller.say("post", "warning: the records were not compared with anything, as `evaluate.skip` asks for"),
    }
    leaving.finish()?;
    teller.say("post", "Model creation complete");
    Ok(())
}

/// Says what the synthesis did and found.
fn tell(synthesis: &Synthesis, options: &Options, data: &JobFile, teller: &Teller<'_>) {
    let ctx = json!({
        "rows_read": synthesis.rows_read, "rows_fitted": synthesis.rows_fitted, "rows_held_out": synthesis.rows_held_out,
        "num_records": synthesis.rows_written,
    });
    teller.figures("post", "trained", ctx);
    synthesis.notes.iter().for_each(|note| teller.say("post", note.text.as_str()));
    if synthesis.set_aside.rows > 0 {
        teller.say("post", format!("warning: object `{}`: set aside {}", data.name, synthesis.set_aside));
    }
    let missing = options.target.as_ref().filter(|target| synthesis.generator.header().position(target).is_none());
    if let Some(target) = missing {
        teller.say("post", format!("warning: there is no column `{target}` to predict"));
    }
}

/// Leaves the records that were judged, in the form that clients read: the same seed draws the same rows.
fn preview(synthesis: &Synthesis, wanted: &Wanted, work: &JobWork<'_>, leaving: &mut Leaving) -> Result<(), Failure> {
    let generator: &dyn Generator = synthesis.generator.as_ref();
    let drawing = Drawing::of(generator, wanted, synthesis.rows_read, work.seed)?;
    let path = leaving.place("data_preview");
    write_csv(&drawing, &generator.header(), &path, &work.attempt(&leaving.aside, &|_| {}))
}

/// Leaves the model, with what was asked of it beside it.
fn keep_model(
    job: &ModelJob,
    synthesis: &Synthesis,
    data: &JobFile,
    seed: u64,
    leaving: &mut Leaving,
) -> Result<(), Failure> {
    let origin = Origin { source: data.name.clone(), rows: synthesis.rows_read, seed, model: job.kind().into() };
    let model = origin.save(&synthesis.layout, synthesis.generator.as_ref());
    let manifest = json!({
        "hansel": env!("CARGO_PKG_VERSION"), "model": MODEL_FILE, "rows": synthesis.rows_read, "seed": seed,
        "config": job.filled(),
    });
    let manifest = format!("{manifest:#}\n");
    leaving.pack("model", &archive(&[("manifest.json", manifest.as_bytes()), (MODEL_FILE, &model)]))
}

/// Leaves the reports of a judgement: the page and the documented JSON under a pair of types, and what the task of the
/// evaluation asks for.
pub(crate) fn leave_reports(
    report: &Report,
    evaluation: &Evaluation,
    general: Option<(&str, &str)>,
    about: &Provenance,
    teller: &Teller<'_>,
    leaving: &mut Leaving,
) -> Result<(), Failure> {
    if let Some((page, json)) = general {
        let mut map = report.to_legacy_json();
        let whole = report.to_json(about);
        // What the documented reports have no place for.
        if let Json::Object(map) = &mut map {
            ["overall", "gate", "warnings"].iter().for_each(|key| drop(map.insert((*key).into(), whole[*key].clone())));
        }
        leaving.pack(page, report.to_html(about).as_bytes())?;
        leaving.pack(json, format!("{map}\n").as_bytes())?;
    }
    let Some(downstream) = evaluation.downstream(report) else { return Ok(()) };
    if let Some(reason) = downstream.undefined {
        teller.say("post", format!("warning: nothing was predicted: {reason}"));
    }
    let documents = documents(report, Some(&downstream), about);
    for document in documents.iter().filter(|document| ![REPORT.0, REPORT.1].contains(&document.kind)) {
        leaving.pack(document.kind, &document.bytes)?;
    }
    Ok(())
}
