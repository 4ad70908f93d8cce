//! A run that dies behind any event and is started again leaves the same world as one that was never cut.

use std::collections::BTreeMap;

use crate::fixtures::table;
use crate::world::World;

const WORKFLOW: &str = r#"name: crash
actions:
  - name: crawl
    type: s3_source
    connection: c_1
    config: {bucket: source, glob_filter: "*.csv", path: in/}
  - name: model
    type: gretel_model
    input: crawl
    config:
      model: synthetics/default
      run_params: {params: {}}
      training_data: "{outputs.crawl.dataset.files.data}"
  - name: sync
    type: s3_destination
    connection: c_1
    input: model
    config:
      bucket: destination
      input: "{outputs.model.dataset.files.data}"
      filename: "{outputs.crawl.dataset.files.filename}"
      path: out/
"#;

fn world() -> World {
    let mut world = World::new();
    world.s3.create_bucket("destination");
    for (index, key) in ["in/a.csv", "in/b.csv", "in/broken.csv", "in/c.csv"].iter().enumerate() {
        let text = if key.contains("broken") { String::new() } else { table(30, index as u64 + 1) };
        world.s3.put("source", key, text.as_bytes());
    }
    std::fs::write(world.path("w.yaml"), WORKFLOW).expect("the folder is writable");
    world.obey(&["connect".into(), "c_1".into(), "as".into(), "admin".into()], &[]).expect("connects");
    world
}

fn run(world: &World, abort_after: Option<usize>) -> std::process::Output {
    let binding = format!("c_1={}", world.path("c_1.json").display());
    // The seed is given, since each world draws its own.
    let mut command = world.command(&["run", "w.yaml", "--seed", "5", "--connection", &binding]);
    if let Some(events) = abort_after {
        command.env("HANSEL_ABORT_AFTER_EVENTS", events.to_string());
    }
    command.output().expect("the binary runs")
}

#[test]
fn a_judge_that_dies_publishes_nothing() {
    let world = world();
    let binding = format!("c_1={}", world.path("c_1.json").display());
    let mut command = world.command(&["run", "w.yaml", "--seed", "5", "--connection", &binding]);
    let output = command.env("HANSEL_PANIC_AT", "judging").output().expect("the binary runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(world.s3.keys("destination"), Vec::<String>::new(), "{said}");
    assert!(said.contains("in/a.csv: internal: ") && said.contains("0 done, 4 failed"), "{said}");
    // Nothing is lost: the next run takes them again.
    run(&world, None);
    assert_eq!(world.s3.keys("destination"), ["out/a.csv", "out/b.csv", "out/c.csv"]);
}

/// Everything a reader of the world can see: objects with their bytes, kept files, what is done.
fn state(world: &World) -> BTreeMap<String, String> {
    let mut state = BTreeMap::new();
    for key in world.s3.keys("destination") {
        let stored = world.s3.get("destination", &key).expect("it was listed");
        state.insert(format!("object {key}"), String::from_utf8_lossy(&stored.body).into_owned());
    }
    assert_eq!(world.s3.open_uploads("destination"), 0);
    let runs = world.command(&["--output", "json", "runs", "list"]).output().expect("the binary runs");
    let runs: serde_json::Value = serde_json::from_slice(&runs.stdout).expect("JSON");
    let run = &runs[0];
    state.insert("run".into(), format!("{} {}", run["status"], run["message"]));
    let id = run["id"].as_str().expect("a run has an id");
    let outputs = world.command(&["--output", "json", "runs", "outputs", id]).output().expect("the binary runs");
    let outputs: serde_json::Value = serde_json::from_slice(&outputs.stdout).expect("JSON");
    for file in outputs["files"].as_array().expect("a list") {
        let path = file["path"].as_str().expect("a path");
        assert!(std::path::Path::new(path).is_file(), "{path} is recorded and not there");
        state.insert(format!("file {} {}", file["key"], file["kind"]), String::new());
    }
    let show = world.command(&["--output", "json", "runs", "show", id]).output().expect("the binary runs");
    let show: serde_json::Value = serde_json::from_slice(&show.stdout).expect("JSON");
    for object in show["objects"].as_array().expect("a list") {
        state.insert(format!("unit {}", object["key"]), format!("{} {}", object["state"], object["code"]));
    }
    let scratch = std::fs::read_dir(world.path("home/scratch")).map(|entries| entries.count()).unwrap_or(0);
    state.insert("scratch".into(), scratch.to_string());
    state
}

#[test]
fn a_run_killed_behind_any_event_ends_as_one_that_was_not() {
    let uncut = world();
    let output = run(&uncut, None);
    assert_eq!(output.status.code(), Some(1), "one object is broken: {}", String::from_utf8_lossy(&output.stderr));
    let expected = state(&uncut);
    assert_eq!(uncut.s3.keys("destination"), ["out/a.csv", "out/b.csv", "out/c.csv"]);
    let mut events = 0;
    loop {
        events += 1;
        let cut = world();
        if run(&cut, Some(events)).status.code().is_some() {
            break;
        }
        let again = run(&cut, None);
        let said = String::from_utf8_lossy(&again.stderr).into_owned();
        assert_eq!(again.status.code(), Some(1), "killed behind event {events}: {said}");
        let found = state(&cut);
        if runs(&cut) == 1 {
            assert_eq!(expected, found, "killed behind event {events}: {said}");
        } else {
            // Killed behind its last event, the run had ended; the next one has only the broken object to do.
            assert!(!said.contains("taking up"), "killed behind event {events}: {said}");
            assert_eq!(objects(&expected), objects(&found), "killed behind event {events}");
        }
    }
    assert!(events > 20, "only {events} events were cut at");
}

fn runs(world: &World) -> usize {
    let runs = world.command(&["--output", "json", "runs", "list"]).output().expect("the binary runs");
    let runs: serde_json::Value = serde_json::from_slice(&runs.stdout).expect("JSON");
    runs.as_array().map_or(0, Vec::len)
}

fn objects(state: &BTreeMap<String, String>) -> BTreeMap<&String, &String> {
    state.iter().filter(|(key, _)| key.starts_with("object")).collect()
}
