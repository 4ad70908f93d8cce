//! Jobs through their door: configs that are accepted and refused, files that are left, lines that are told.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;
use std::sync::Mutex;

use actions::jobs::{HandlerJob, JobFile, JobInputs, JobLog, JobWork, MODEL_ARTIFACTS, ModelJob};
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use workflow::{Code, Failure};

/// A small table with a few habits: income follows age, two categories, one of them with a rare value.
fn people(rows: u64) -> String {
    let mut text = "age,city,income,member\n".to_string();
    let mut state = 7u64;
    let mut below = |bound: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    for _ in 0..rows {
        let age = 18 + below(60);
        let city = ["Lisbon", "Oslo", "Quito", "Hanoi"][below(4) as usize];
        let income = (age * 43_170 + below(500_000)) as f64 / 100.0;
        text.push_str(&format!("{age},{city},{income:.2},{}\n", ["yes", "no"][below(2) as usize]));
    }
    text
}

/// A folder of a job's own, with its inputs.
struct Room {
    folder: tempfile::TempDir,
    log: Mutex<Vec<JobLog>>,
}

impl Room {
    fn new() -> Room {
        Room { folder: tempfile::tempdir().expect("a folder"), log: Mutex::new(Vec::new()) }
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> JobFile {
        // Stored files have no extension: only the name they are given by tells the format.
        let path = self.folder.path().join(format!("stored-{}", name.replace('.', "-")));
        std::fs::write(&path, bytes).expect("a file");
        JobFile { path, name: name.into() }
    }

    fn out(&self) -> std::path::PathBuf {
        self.folder.path().join("out")
    }

    fn train(&self, config: &Value, data: JobFile, seed: u64) -> Result<ModelJob, Failure> {
        let job = accepted(config);
        let inputs = JobInputs { data: Some(data), refs: Vec::new() };
        let log = |line: JobLog| self.log.lock().expect("a log").push(line);
        let out = self.out();
        let work = JobWork { folder: &out, seed, cancelled: &|| false, log: &log };
        job.train(&inputs, &work).map(|()| job)
    }

    fn handle(&self, job: &ModelJob, params: &Value, data: Option<JobFile>, seed: u64) -> Result<String, Failure> {
        let handler = HandlerJob::check(job, params, data.is_some()).expect("params that are allowed");
        let inputs = JobInputs { data, refs: Vec::new() };
        let log = |line: JobLog| self.log.lock().expect("a log").push(line);
        let out = self.folder.path().join("run");
        let work = JobWork { folder: &out, seed, cancelled: &|| false, log: &log };
        handler.run(&self.out(), &inputs, &work).map(|()| unpacked(&out.join("data.gz")))
    }

    fn told(&self) -> Vec<JobLog> {
        self.log.lock().expect("a log").clone()
    }
}

fn accepted(config: &Value) -> ModelJob {
    ModelJob::check(config).unwrap_or_else(|problems| panic!("{config} is refused: {problems:?}"))
}

fn refused(config: &Value) -> Vec<String> {
    let Err(problems) = ModelJob::check(config) else { panic!("{config} is accepted") };
    problems
        .into_iter()
        .map(|(path, message, hint)| format!("{path}: {message} {}", hint.unwrap_or_default()))
        .collect()
}

fn model(kind: &str, body: Value) -> Value {
    json!({ "schema_version": "1.0", "name": "conf-model", "models": [{ kind: body }] })
}

fn unpacked(path: &Path) -> String {
    let file = std::fs::File::open(path).unwrap_or_else(|_| panic!("no file {}", path.display()));
    let mut text = String::new();
    GzDecoder::new(file).read_to_string(&mut text).expect("packed text");
    text
}

fn names(folder: &Path) -> BTreeSet<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return BTreeSet::new() };
    entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}

fn column(csv: &str, at: usize) -> Vec<&str> {
    csv.lines().skip(1).map(|line| line.split(',').nth(at).expect("a cell")).collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| name.to_string()).collect()
}

const LEFT: &[&str] = &["data_preview.gz", "model.tar.gz", "report.html.gz", "report_json.json.gz"];

#[test]
fn every_accepted_type_leaves_its_files() {
    for kind in ["synthetics", "lstm", "actgan", "tabular_gan", "ctgan", "amplify", "navigator_ft", "tabular_ft"] {
        let room = Room::new();
        let section = if kind == "amplify" { "params" } else { "generate" };
        let config = model(kind, json!({ "data_source": ["__tmp__"], section: { "num_records": 30 } }));
        room.train(&config, room.file("people.csv", people(200)), 1).expect("a training");
        assert_eq!(names(&room.out()), set(LEFT), "{kind}");
        let preview = unpacked(&room.out().join("data_preview.gz"));
        assert_eq!(preview.lines().next(), Some("age,city,income,member"), "{kind}");
        assert_eq!(preview.lines().count(), 31, "{kind}");
        assert!(unpacked(&room.out().join("report.html.gz")).contains("<html"), "{kind}");
        let report: Value = serde_json::from_str(&unpacked(&room.out().join("report_json.json.gz"))).expect("JSON");
        let score = &report["synthetic_data_quality_score"];
        assert!(score["score"].as_u64().is_some_and(|score| (1..=100).contains(&score)), "{kind}: {score}");
        assert!(score["raw_score"].is_number() && score["grade"].is_string(), "{kind}: {score}");
        assert_eq!(report["summary"][0], json!({ "field": "synthetic_data_quality_score", "value": score["score"] }));
        assert!(report["gate"]["passed"].is_boolean(), "{kind}");
    }
}

#[test]
fn every_file_that_is_left_is_a_listed_artifact() {
    let room = Room::new();
    let evaluate = json!({ "task": "classification", "target": "member" });
    let config = model("actgan", json!({ "generate": { "num_records": 50 }, "evaluate": evaluate }));
    room.train(&config, room.file("people.csv", people(200)), 1).expect("a training");
    let listed: BTreeSet<String> = MODEL_ARTIFACTS.iter().map(|artifact| artifact.1.to_string()).collect();
    let left = names(&room.out());
    assert!(left.is_subset(&listed), "{left:?}");
    assert!(left.contains("classification_report_json.json.gz") && left.contains("report_json.json.gz"), "{left:?}");
    let skipped = Room::new();
    let config = model("actgan", json!({ "generate": { "num_records": 50 }, "evaluate": { "skip": true } }));
    skipped.train(&config, skipped.file("people.csv", people(200)), 1).expect("a training");
    assert_eq!(names(&skipped.out()), set(&["data_preview.gz", "model.tar.gz"]));
}

#[test]
fn the_log_has_the_figures_that_bars_are_drawn_by() {
    let room = Room::new();
    let config = model("actgan", json!({ "params": { "epochs": 6 }, "generate": { "num_records": 40 } }));
    room.train(&config, room.file("people.csv", people(200)), 1).expect("a training");
    let told = room.told();
    assert!(told.iter().all(|line| line.ctx.is_object()));
    let figure = |stage: &str, name: &str| -> Vec<u64> {
        told.iter().filter(|line| line.stage == stage).filter_map(|line| line.ctx.get(name)?.as_u64()).collect()
    };
    assert_eq!(figure("pre", "num_epochs"), [6]);
    assert_eq!(figure("pre_run", "num_records"), [40]);
    let epochs = figure("train", "epoch");
    assert!(epochs.is_sorted_by(|a, b| a < b) && epochs.last() == Some(&6), "{epochs:?}");
    assert_eq!(figure("run", "current_valid_count").last(), Some(&40));
    assert!(told.last().is_some_and(|line| line.msg.contains("Model creation complete")), "{told:?}");
}

#[test]
fn defaults_are_filled_in_and_change_nothing() {
    let looked_up = [
        ("actgan", "/params/epochs", json!("auto")),
        ("actgan", "/generate/num_records", json!(5000)),
        ("synthetics", "/params/epochs", json!("auto")),
        ("synthetics", "/generate/num_records", json!(5000)),
        ("navigator_ft", "/generate/num_records", json!(1000)),
        ("amplify", "/params/num_records", json!(null)),
        ("evaluate", "/params/sqs_report_rows", json!(5000)),
        ("evaluate", "/task/type", json!("sqs")),
    ];
    for (kind, pointer, value) in looked_up {
        for body in [json!(null), json!({}), json!({ "data_source": ["gretel_1_a.csv"], "params": null })] {
            let job = accepted(&model(kind, body.clone()));
            let filled = job.filled();
            assert_eq!(filled["models"][0][kind].pointer(pointer), Some(&value), "{kind} {body}");
            assert_eq!(filled["models"][0][kind]["data_source"], body["data_source"], "{kind}");
            assert_eq!(accepted(&filled).filled(), filled, "{kind}");
        }
    }
    let body = json!({
        "data_source": "__tmp__", "ref_data": { "0": "a.csv", "1": ["b.csv"] }, "params": { "epochs": 6 },
        "generate": { "num_records": 40 }, "privacy_filters": { "outliers": null, "similarity": "high" },
    });
    let job = accepted(&model("actgan", body.clone()));
    let filled = &job.filled()["models"][0]["actgan"];
    for (key, given) in body.as_object().expect("a mapping") {
        match given {
            Value::Object(section) => section.iter().for_each(|(name, value)| assert_eq!(&filled[key][name], value)),
            other => assert_eq!(&filled[key], other),
        }
    }
    assert_eq!((job.kind(), job.name(), job.data_source()), ("actgan", Some("conf-model"), None));
    assert_eq!(job.ref_data(), [("0".into(), "a.csv".into()), ("1".into(), "b.csv".to_string())]);
    let named = accepted(&json!("tabular-actgan"));
    assert_eq!((named.kind(), named.name()), ("actgan", Some("tabular-actgan")));
    assert_eq!(accepted(&json!("evaluate/default")).kind(), "evaluate");
    assert_eq!(accepted(&model("amplify", json!({ "data_source": ["k"] }))).data_source(), Some("k"));
}

#[test]
fn public_configs_are_accepted() {
    let dims = json!([1024, 1024]);
    let params = json!({
        "epochs": "auto", "generator_dim": dims, "discriminator_dim": dims, "generator_lr": 0.0001,
        "discriminator_lr": 0.00033, "batch_size": "auto",
    });
    let filters = json!({ "outliers": null, "similarity": null });
    accepted(&model("actgan", json!({ "data_source": "__tmp__", "params": params, "privacy_filters": filters })));
    let private = json!({ "dp": false, "epsilon": 8, "delta": "auto" });
    accepted(&model("navigator_ft", json!({ "group_training_examples_by": null, "privacy_params": private })));
    let mut whole = model(
        "evaluate",
        json!({ "data_source": "__tmp__", "task": { "type": "text" }, "params": { "target": null } }),
    );
    whole["schema_version"] = json!(1.0);
    accepted(&whole);
}

#[test]
fn every_problem_is_told_with_its_place() {
    let mut config = model(
        "actgan",
        json!({
            "data_source": 7,
            "params": { "epoch": 3 },
            "generate": { "num_records": 0 },
            "privacy_filters": { "outliers": "low" },
            "evaluate": { "skip": "no", "sqs_rows": 1, "task": "classification" },
        }),
    );
    config["schema_version"] = json!("2.0");
    config["nmae"] = json!("x");
    let problems = refused(&config);
    let expected = [
        "nmae: ",
        "schema_version: ",
        "models[0].actgan.data_source: ",
        "models[0].actgan.params.epoch: ",
        "models[0].actgan.generate.num_records: ",
        "models[0].actgan.privacy_filters.outliers: ",
        "models[0].actgan.evaluate.skip: ",
        "models[0].actgan.evaluate.sqs_rows: ",
        "models[0].actgan.evaluate.target: ",
    ];
    for start in expected {
        assert!(problems.iter().any(|problem| problem.starts_with(start)), "no problem at {start} in {problems:#?}");
    }
    assert_eq!(problems.len(), expected.len(), "{problems:#?}");
    assert!(problems.iter().any(|problem| problem.contains("`epochs`")), "{problems:#?}");
}

#[test]
fn types_that_are_not_offered_are_refused_by_name() {
    for kind in
        ["tabular_dp", "gpt_x", "timeseries_dgan", "transform_v2", "transform", "transforms", "classify", "no_such"]
    {
        let problems = refused(&model(kind, json!({ "data_source": "_" })));
        assert!(problems[0].starts_with(&format!("models[0].{kind}: model type `{kind}` ")), "{problems:?}");
    }
    assert!(refused(&model("actgen", json!({})))[0].contains("Did you mean `actgan`?"));
    assert!(refused(&json!("tabular-actgna"))[0].contains("Did you mean `synthetics/tabular-actgan`?"));
    assert!(refused(&json!("transform/default"))[0].contains("not offered"));
    assert!(!refused(&model("navigator_ft", json!({ "privacy_params": { "dp": true } }))).is_empty());
    assert!(!refused(&json!(["actgan"])).is_empty());
}

#[test]
fn the_same_seed_gives_the_same_preview() {
    let config = model("synthetics", json!({ "generate": { "num_records": 60 }, "evaluate": { "skip": true } }));
    let preview = |seed| {
        let room = Room::new();
        room.train(&config, room.file("people.csv", people(200)), seed).expect("a training");
        std::fs::read(room.out().join("data_preview.gz")).expect("a preview")
    };
    assert_eq!(preview(5), preview(5));
    assert_ne!(preview(5), preview(6));
}

#[test]
fn any_format_gives_csv() {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut packed, people(200).as_bytes()).expect("packed");
    let lines: Vec<String> = (0..200)
        .map(|row| match row % 3 {
            0 => json!({ "name": format!("a, \"{}\"", row % 2), "value": row % 7, "on": null }).to_string(),
            _ => json!({ "name": "plain", "value": row % 7, "on": row % 2 == 0 }).to_string(),
        })
        .collect();
    let array = format!("[{}]", lines.join(","));
    let config = model("actgan", json!({ "generate": { "num_records": 25 }, "evaluate": { "skip": true } }));
    let parquet = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/shops.parquet");
    let sources: [(&str, Vec<u8>, &str); 5] = [
        ("a.csv.gz", packed.finish().expect("packed"), "age,city,income,member"),
        ("b.csv", people(200).replace(',', ";").into_bytes(), "age,city,income,member"),
        ("c.jsonl", lines.join("\n").into_bytes(), "name,value,on"),
        ("d.json", array.into_bytes(), "name,value,on"),
        ("e.parquet", std::fs::read(parquet).expect("a file"), "id,shop,amount,at,weight,open"),
    ];
    for (name, bytes, header) in sources {
        let room = Room::new();
        room.train(&config, room.file(name, bytes), 1).expect("a training");
        let preview = unpacked(&room.out().join("data_preview.gz"));
        assert_eq!((preview.lines().next(), preview.lines().count()), (Some(header), 26), "{name}");
        if header == "name,value,on" {
            assert!(preview.contains("\"a, \"\""), "{name}: {preview}");
            assert!(preview.lines().any(|line| line.ends_with(',')), "{name}: {preview}");
        }
    }
}

#[test]
fn a_table_that_cannot_be_used_fails_as_in_a_workflow() {
    let config = model("actgan", json!({}));
    let cases = [
        ("one.csv", "a,b\n1,2\n", Code::ModelFailed),
        ("none.csv", "a,b\n", Code::DataNoRecords),
        ("page.html", "<!DOCTYPE html><html><body>no</body></html>", Code::DataUnsupportedType),
    ];
    for (name, text, code) in cases {
        let room = Room::new();
        let failure = room.train(&config, room.file(name, text), 1).err().expect("a failure");
        assert_eq!(failure.code, code, "{name}: {failure:?}");
        assert!(failure.message.contains(&format!("`{name}`")), "{failure:?}");
        assert_eq!(names(&room.out()), BTreeSet::new(), "{name}");
    }
}

#[test]
fn a_cancelled_job_stops_and_leaves_nothing() {
    let room = Room::new();
    let job = accepted(&model("actgan", json!({})));
    let inputs = JobInputs { data: Some(room.file("people.csv", people(200))), refs: Vec::new() };
    let out = room.out();
    // Asked to stop once the fit has begun.
    let begun = std::sync::atomic::AtomicBool::new(false);
    let log = |line: JobLog| {
        if line.stage == "train" {
            begun.store(true, std::sync::atomic::Ordering::SeqCst);
        }
    };
    let cancelled = || begun.load(std::sync::atomic::Ordering::SeqCst);
    let work = JobWork { folder: &out, seed: 1, cancelled: &cancelled, log: &log };
    let failure = job.train(&inputs, &work).expect_err("it was cancelled");
    assert_eq!(failure.code, Code::RunCancelled);
    assert!(begun.load(std::sync::atomic::Ordering::SeqCst));
    assert_eq!(names(&out), BTreeSet::new());
}

#[test]
fn handlers_give_the_records_that_are_asked_for() {
    let room = Room::new();
    let config = model("actgan", json!({ "generate": { "num_records": 40 }, "evaluate": { "skip": true } }));
    let job = room.train(&config, room.file("people.csv", people(200)), 1).expect("a training");
    let rows = |params: Value| room.handle(&job, &params, None, 9).expect("records").lines().count() - 1;
    assert_eq!(rows(json!({ "num_records": "7" })), 7);
    assert_eq!(rows(json!({ "num_records": 500, "max_invalid": null })), 500);
    assert_eq!(rows(json!({ "num_records_multiplier": "0.5" })), 100);
    assert_eq!(rows(json!(null)), 40);
    // The model kept its seed: right behind the training the same records come again.
    let again = room.handle(&job, &json!({}), None, 1).expect("records");
    assert_eq!(again, unpacked(&room.out().join("data_preview.gz")));
    let report: Value =
        serde_json::from_str(&unpacked(&room.folder.path().join("run/run_report_json.json.gz"))).expect("JSON");
    assert_eq!(report["record_count"], 40);
    let Err(problems) =
        HandlerJob::check(&job, &json!({ "num_recrods": 1, "max_invalid": "x", "num_records": "0" }), false)
    else {
        panic!("bad params are accepted")
    };
    let mut places: Vec<&str> = problems.iter().map(|problem| problem.0.as_str()).collect();
    places.sort_unstable();
    assert_eq!(places, ["params.max_invalid", "params.num_records", "params.num_recrods"]);
    assert!(problems.iter().any(|problem| problem.2.as_deref() == Some("Did you mean `num_records`?")), "{problems:?}");
    let grouped = accepted(&model("navigator_ft", json!({ "group_training_examples_by": "city" })));
    assert!(HandlerJob::check(&grouped, &json!({ "temperature": 0.7 }), false).is_ok());
    assert!(HandlerJob::check(&grouped, &json!({}), true).is_err());
    let judge = accepted(&model("evaluate", json!({})));
    assert!(HandlerJob::check(&judge, &json!({}), false).is_err());
    let nothing = tempfile::tempdir().expect("a folder");
    let handler = HandlerJob::check(&job, &json!({}), false).expect("a handler");
    let work = JobWork { folder: nothing.path(), seed: 1, cancelled: &|| false, log: &|_| {} };
    let failure = handler.run(nothing.path(), &JobInputs::default(), &work).expect_err("there is no model");
    assert_eq!(failure.code, Code::ModelUnreadable);
}

#[test]
fn seeds_are_kept_one_record_each() {
    let room = Room::new();
    let config = model("actgan", json!({ "generate": { "num_records": 40 }, "evaluate": { "skip": true } }));
    let job = room.train(&config, room.file("people.csv", people(200)), 1).expect("a training");
    let seeds = room.file("seeds.csv", "city,age\n".to_string() + &"Oslo,30\nQuito,70\n".repeat(8) + "Oslo,41\n");
    let records = room.handle(&job, &json!({ "num_records": "500" }), Some(seeds), 3).expect("records");
    assert_eq!(records.lines().next(), Some("age,city,income,member"));
    let mut expected = ["Oslo", "Quito"].repeat(8);
    expected.push("Oslo");
    assert_eq!(column(&records, 1), expected);
    assert_eq!(column(&records, 0)[..2], ["30", "70"]);
    let income: Vec<f64> = column(&records, 2).iter().map(|cell| cell.parse().expect("a number")).collect();
    // What was drawn beside the seeds goes with them: income grows with age by 431 a year, and varies by 5,000.
    assert!(income[0] < income[1], "{income:?}");
    let strange = room.file("seeds.csv", "town\nOslo\n");
    let failure = room.handle(&job, &json!({}), Some(strange), 3).expect_err("no such column");
    assert!(failure.code == Code::Usage && failure.message.contains("`town`"), "{failure:?}");
    assert!(failure.message.contains("seeds `seeds.csv`"), "{failure:?}");
}

#[test]
fn an_evaluation_leaves_reports_only() {
    let room = Room::new();
    let judge = |body: Value, synthetic: &str, refs: &[(&str, &str)]| {
        let job = accepted(&model("evaluate", body));
        let refs = refs.iter().map(|(key, text)| (key.to_string(), room.file(&format!("{key}.csv"), text)));
        let inputs = JobInputs { data: Some(room.file("made.csv", synthetic)), refs: refs.collect() };
        let out = room.folder.path().join("judged");
        let _ = std::fs::remove_dir_all(&out);
        let work = JobWork { folder: &out, seed: 0, cancelled: &|| false, log: &|_| {} };
        job.train(&inputs, &work).map(|()| out)
    };
    let real = people(200);
    let out = judge(json!({}), &real, &[("0", &real)]).expect("an evaluation");
    assert_eq!(names(&out), set(&["report.html.gz", "report_json.json.gz"]));
    let report: Value = serde_json::from_str(&unpacked(&out.join("report_json.json.gz"))).expect("JSON");
    assert!(report["synthetic_data_quality_score"]["score"].as_u64().is_some_and(|score| score >= 90), "{report}");
    // A column more and another order: what both tables have is compared.
    let wider: String = real
        .lines()
        .enumerate()
        .map(|(row, line)| format!("{},{line}\n", if row == 0 { "row".into() } else { row.to_string() }))
        .collect();
    let task =
        json!({ "task": { "type": "regression" }, "params": { "target": "income", "holdout": 0.2, "models": [] } });
    let out = judge(task.clone(), &wider, &[("0", &real), ("1", &people(60))]).expect("an evaluation");
    assert_eq!(names(&out), set(&["regression_report.html.gz", "regression_report_json.json.gz"]));
    let report: Value = serde_json::from_str(&unpacked(&out.join("regression_report_json.json.gz"))).expect("JSON");
    assert_eq!(report["summary"][0]["field"], "average_metric_difference", "{report}");
    let out = judge(json!({ "task": { "type": "text" } }), &real, &[("0", &real)]).expect("an evaluation");
    assert_eq!(names(&out), set(&["text_metrics_report.html.gz", "text_metrics_report_json.json.gz"]));
    let missing = judge(json!({}), &real, &[]).expect_err("there is no real table");
    assert!(missing.code == Code::Usage && missing.hint.is_some(), "{missing:?}");
    let no_target = judge(task, "age,city\n1,a\n2,b\n", &[("0", &real)]).expect_err("there is no target");
    assert!(no_target.message.contains("`income`"), "{no_target:?}");
}
