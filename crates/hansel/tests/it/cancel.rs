//! Stopping: Ctrl-C leaves nothing half done, and what is open comes with the next run.

use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use s3double::S3Double;

use crate::world::World;

const WORKFLOW: &str = r#"name: copy
actions:
  - name: crawl
    type: s3_source
    connection: c_1
    config: {bucket: source}
  - name: sync
    type: s3_destination
    connection: c_1
    input: crawl
    config:
      bucket: destination
      input: "{outputs.crawl.dataset.files.data}"
      filename: "{outputs.crawl.dataset.files.filename}"
"#;

fn world() -> World {
    let mut world = World::new();
    for words in [
        ["bucket", "destination"].as_slice(),
        &["big", "source", "big.bin", "40000000"],
        &["connect", "c_1", "as", "admin"],
    ] {
        let words: Vec<String> = words.iter().map(|word| word.to_string()).collect();
        world.obey(&words, &[]).expect("the world can be set up");
    }
    std::fs::write(world.path("w.yaml"), WORKFLOW).expect("the folder is writable");
    world
}

fn run(world: &World) -> Command {
    let binding = format!("c_1={}", world.path("c_1.json").display());
    let mut command = world.command(&["run", "w.yaml", "--connection", &binding]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Calls `act` once, when the store is first asked for `operation`.
fn when(s3: &S3Double, operation: &'static str, act: impl FnOnce() + Send + 'static) {
    let act = Mutex::new(Some(act));
    s3.on_request(move |_, request| {
        if request.operation == operation
            && let Some(act) = act.lock().expect("not poisoned").take()
        {
            act();
        }
    });
}

#[test]
fn ctrl_c_aborts_uploads_and_the_next_run_goes_on() {
    let world = world();
    let pid = Arc::new(Mutex::new(None::<u32>));
    let seen = pid.clone();
    // The lock is held until the child's number is known, so the signal cannot come too early.
    let mut held = pid.lock().expect("not poisoned");
    when(&world.s3, "UploadPart", move || {
        let pid = seen.lock().expect("not poisoned").expect("the child was started");
        let status = Command::new("kill").args(["-INT", &pid.to_string()]).status().expect("kill runs");
        assert!(status.success());
    });
    let child = run(&world).spawn().expect("the binary runs");
    *held = Some(child.id());
    drop(held);
    let output = child.wait_with_output().expect("the binary ends");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("cancelled: 1 listed, 0 done, 0 failed, 1 open"), "{said}");
    assert_eq!(world.s3.open_uploads("destination"), 0);
    assert_eq!(world.s3.keys("destination"), Vec::<String>::new());
    world.s3.clear_hook();
    let output = run(&world).output().expect("the binary runs");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(world.s3.keys("destination"), ["big.bin"]);
}

#[test]
fn a_second_run_waits_for_the_first_and_finds_its_work_done() {
    let world = world();
    let second: Arc<Mutex<Option<std::process::Child>>> = Arc::default();
    let started = second.clone();
    let mut command = run(&world);
    when(&world.s3, "UploadPart", move || {
        let mut child = command.spawn().expect("the binary runs");
        // Its first line says that it waits; only then the first run goes on.
        let mut line = String::new();
        let errors = child.stderr.as_mut().expect("piped");
        std::io::BufRead::read_line(&mut std::io::BufReader::new(errors), &mut line).expect("a line");
        assert!(line.contains("waits: another run of this workflow is active"), "{line}");
        *started.lock().expect("not poisoned") = Some(child);
    });
    let first = run(&world).output().expect("the binary runs");
    assert_eq!(first.status.code(), Some(0), "{}", String::from_utf8_lossy(&first.stderr));
    let second = second.lock().expect("not poisoned").take().expect("it was started");
    let output = second.wait_with_output().expect("the binary ends");
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stdout).contains("nothing new"));
    let completions =
        world.s3.requests().iter().filter(|request| request.operation == "CompleteMultipartUpload").count();
    assert_eq!(completions, 1, "the object was published once");
}

#[test]
fn ctrl_c_at_a_client_cancels_the_run_of_the_server() {
    let mut world = World::new();
    let block: Vec<String> = WORKFLOW.lines().map(str::to_string).collect();
    let keys = r#"{"type": "s3", "name": "store", "config": {"endpoint_url": "ENDPOINT"},
        "credentials": {"access_key_id": "admin", "secret_access_key": "admin-secret"}}"#;
    for (line, block) in [
        ("bucket destination", &[][..]),
        ("big source big.bin 40000000", &[]),
        ("file w.yaml", &block),
        ("file keys.json", &[keys.to_string()]),
        ("serve", &[]),
        ("client", &[]),
        ("hansel-let project project.guid projects create --name served", &[]),
        ("hansel-let connection id connections create --project served --from-file keys.json", &[]),
        ("use w.yaml c_1 connection", &[]),
        ("hansel-let flow id workflows create --project served --config w.yaml", &[]),
    ] {
        let words: Vec<String> = line.split(' ').map(str::to_string).collect();
        world.obey(&words, block).unwrap_or_else(|error| panic!("{line}: {error}"));
    }
    let flow = world.known("flow").expect("the workflow was made");
    let mut command = world.command(&["workflows", "run", "--workflow-id", &flow]);
    let mut look = world.command(&["--output", "json", "runs", "list", "--limit", "1"]);
    let pid = Arc::new(Mutex::new(None::<u32>));
    let seen = pid.clone();
    let mut held = pid.lock().expect("not poisoned");
    when(&world.s3, "UploadPart", move || {
        let pid = seen.lock().expect("not poisoned").expect("the child was started");
        assert!(Command::new("kill").args(["-INT", &pid.to_string()]).status().expect("kill runs").success());
        // The upload goes on when the server knows that the run is to stop; some seconds are enough for that.
        for _ in 0..200 {
            let said = look.output().expect("the binary runs").stdout;
            if String::from_utf8_lossy(&said).contains("cancellation_request") {
                return;
            }
        }
    });
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
    *held = Some(child.id());
    drop(held);
    let output = child.wait_with_output().expect("the binary ends");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("is over: RUN_STATUS_CANCELLED"), "{said}");
    assert_eq!(world.s3.open_uploads("destination"), 0);
    assert_eq!(world.s3.keys("destination"), Vec::<String>::new());
}
