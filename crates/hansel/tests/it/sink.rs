//! Artifacts in a sink: the home is a cache of what lies there, under the rights of `docs/iam/sink.json`.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use s3double::{Fault, FaultAction};
use serde_json::{Value, json};

use crate::fixtures::table;
use crate::world::{World, repository};

const SINK: [&str; 4] = ["--artifact-sink", "s3://shelf/hansel", "--artifact-cache-hours", "0"];

fn world() -> World {
    let mut world = World::new();
    world.s3.create_bucket("shelf");
    let policy = std::fs::read_to_string(repository().join("docs/iam/sink.json")).expect("the policy is there");
    let policy = policy.replace("your-sink-bucket-here", "shelf");
    world.s3.add_user("keeper", "keeper-secret", &[&policy]).expect("a policy");
    let endpoint = world.s3.endpoint();
    for (name, value) in [
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
        ("AWS_ACCESS_KEY_ID", "keeper"),
        ("AWS_SECRET_ACCESS_KEY", "keeper-secret"),
    ] {
        world.set(name, value);
    }
    world.obey_served(&[&["serve"], &SINK[..]].concat(), &[]).expect("it serves");
    world
}

fn asked(world: &World, method: &str, path: &str, body: &Value) -> Value {
    let (status, text) = world.ask(method, path, "KEY", ("application/json", &body.to_string())).expect("an answer");
    assert_eq!(status, "200", "{method} {path}: {text}");
    serde_json::from_str(&text).unwrap_or(Value::String(text))
}

/// Head and bytes of what a link gives.
fn taken(world: &World, url: &str, range: &str) -> (String, Vec<u8>) {
    let path = &url[url.find("/links/").expect("a link")..];
    let mut stream = TcpStream::connect(world.address()).expect("it listens");
    write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{range}\r\n").expect("room");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    (String::from_utf8_lossy(&answer[..end]).into_owned(), answer[end + 4..].to_vec())
}

/// Waits until something is so.
fn comes(what: &str, so: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_secs(60);
    while !so() {
        assert!(Instant::now() < until, "it never came that {what}");
        std::thread::yield_now();
    }
}

/// Files below a folder of the home.
fn local(world: &World, folder: &str) -> usize {
    let mut open = vec![world.path("home").join(folder)];
    let mut count = 0;
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.path().is_dir() {
                open.push(entry.path());
            } else {
                count += 1;
            }
        }
    }
    count
}

/// Keys of the bucket below a folder of the home.
fn far(world: &World, folder: &str) -> Vec<String> {
    let start = format!("hansel/{folder}/");
    world.s3.keys("shelf").into_iter().filter(|key| key.starts_with(&start)).collect()
}

/// An uploaded table in a project of its own; gives the project and the key.
fn uploaded(world: &World) -> (String, String) {
    asked(world, "POST", "/projects", &json!({ "name": "sunk" }));
    let project = asked(world, "GET", "/projects/sunk", &Value::Null);
    let project = project["data"]["project"]["guid"].as_str().expect("a guid").to_string();
    let made = asked(world, "POST", &format!("/projects/{project}/artifacts"), &json!({ "filename": "table.csv" }));
    let url = made["data"]["url"].as_str().expect("a link");
    let path = &url[url.find("/links/").expect("a link")..];
    let (status, said) = world.ask("PUT", path, "KEY", ("text/csv", &table(60, 1))).expect("an answer");
    assert_eq!(status, "200", "{said}");
    (project, made["data"]["key"].as_str().expect("a key").to_string())
}

/// Waits for a job to complete.
fn completes(world: &World, path: &str, kind: &str) {
    comes("a job ends", || {
        let job = asked(world, "GET", path, &Value::Null);
        let status = job["data"][kind]["status"].as_str().unwrap_or_default().to_string();
        assert!(!["error", "lost", "cancelled"].contains(&status.as_str()), "{job}");
        status == "completed"
    });
}

fn trained(world: &World, project: &str, key: &str) -> String {
    let config = json!({ "models": [{ "actgan": { "data_source": key, "params": { "epochs": 10 } } }] });
    let model = asked(world, "POST", &format!("/projects/{project}/models"), &config);
    let path = format!("/projects/{project}/models/{}", model["data"]["model"]["uid"].as_str().expect("a uid"));
    completes(world, &path, "model");
    path
}

fn link(world: &World, path: &str, kind: &str) -> String {
    let made = asked(world, "GET", &format!("{path}/artifact?type={kind}"), &Value::Null);
    made["data"]["url"].as_str().expect("a link").to_string()
}

#[test]
fn what_only_the_sink_has_is_served_used_and_deleted_as_if_it_were_here() {
    let world = world();
    let (project, key) = uploaded(&world);
    comes("the upload is in the sink alone", || far(&world, "uploads").len() == 1 && local(&world, "uploads") == 0);
    let model = trained(&world, &project, &key);
    comes("the model is in the sink alone", || !far(&world, "jobs").is_empty() && local(&world, "jobs") == 0);
    let report = far(&world, "jobs").into_iter().find(|key| key.ends_with("report.html.gz")).expect("a report");
    let stored = world.s3.get("shelf", &report).expect("it is there").body;
    let (head, bytes) = taken(&world, &link(&world, &model, "report"), "range: bytes=10-29\r\n");
    assert!(head.starts_with("HTTP/1.1 206") && head.contains("filename=report.html.gz"), "{head}");
    assert_eq!(bytes, &stored[10..30]);
    let (_, whole) = taken(&world, &link(&world, &model, "report"), "");
    assert_eq!(whole, &stored[..]);
    let found = asked(&world, "GET", &model, &Value::Null);
    assert!(found["data"]["artifacts"].to_string().contains("data_preview"), "{found}");
    let handler =
        asked(&world, "POST", &format!("{model}/record_handlers"), &json!({ "params": { "num_records": 5 } }));
    let uid = handler["data"]["handler"]["uid"].as_str().expect("a uid");
    let handler = format!("{model}/record_handlers/{uid}");
    completes(&world, &handler, "handler");
    let (_, data) = taken(&world, &link(&world, &handler, "data"), "");
    let mut rows = String::new();
    flate2::read::GzDecoder::new(&data[..]).read_to_string(&mut rows).expect("gzip");
    assert_eq!(rows.lines().count(), 6, "{rows}");
    asked(&world, "DELETE", &handler, &Value::Null);
    comes("the handler is gone", || !far(&world, "jobs").iter().any(|key| key.contains(uid)));
    asked(&world, "DELETE", &format!("/projects/{project}"), &Value::Null);
    comes("the sink is empty", || world.s3.keys("shelf").is_empty());
    assert_eq!(local(&world, "jobs") + local(&world, "uploads"), 0);
    let listed = world.s3.requests().into_iter().filter(|line| line.operation.contains("List")).count();
    assert_eq!(listed, 0, "nothing is ever listed");
}

#[test]
fn a_sink_that_fails_costs_nothing_but_room() {
    let mut world = world();
    let status = FaultAction::Status(403, "AccessDenied".into());
    let fault = |operation: &str| Fault {
        operation: operation.into(),
        key_contains: String::new(),
        action: status.clone(),
        skip: 0,
        times: usize::MAX,
    };
    world.s3.fault(fault("PutObject"));
    let (project, key) = uploaded(&world);
    let model = trained(&world, &project, &key);
    comes("it is counted", || {
        let (_, figures) = world.ask("GET", "/metrics", "KEY", ("text/plain", "")).expect("an answer");
        figures.lines().any(|line| line.starts_with("hansel_sink_failures_total ") && !line.ends_with(" 0"))
    });
    assert!(world.s3.keys("shelf").is_empty());
    assert_eq!(local(&world, "uploads"), 1);
    let (head, bytes) = taken(&world, &link(&world, &model, "report"), "");
    assert!(head.starts_with("HTTP/1.1 200") && !bytes.is_empty(), "{head}");
    // What was announced and never came is taken up by the next server.
    world.obey_served(&["kill"], &[]).expect("it lived");
    world.s3.clear_faults();
    world.obey_served(&[&["serve"], &SINK[..]].concat(), &[]).expect("it serves");
    comes("all of it is in the sink", || local(&world, "jobs") + local(&world, "uploads") == 0);
    // Nor does a sink that gives nothing lose a file: it is asked for again.
    world.s3.fault(fault("GetObject"));
    assert!(taken(&world, &link(&world, &model, "report"), "").0.starts_with("HTTP/1.1 503"));
    world.s3.clear_faults();
    assert_eq!(taken(&world, &link(&world, &model, "report"), "").1, bytes);
    // A deletion that did not get through is kept in mind over a restart.
    world.s3.fault(fault("DeleteObject"));
    asked(&world, "DELETE", &format!("/projects/{project}"), &Value::Null);
    world.obey_served(&["kill"], &[]).expect("it lived");
    assert!(!world.s3.keys("shelf").is_empty());
    world.s3.clear_faults();
    world.obey_served(&[&["serve"], &SINK[..]].concat(), &[]).expect("it serves");
    comes("the sink is empty", || world.s3.keys("shelf").is_empty());
}
