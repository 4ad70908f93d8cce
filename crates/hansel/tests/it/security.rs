//! What is thrown at a server: bodies without end, bombs, slow clients, links that were changed, names that lead elsewhere.

use std::io::{Read, Write};
use std::net::TcpStream;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::world::World;

const JSON: &str = "application/json";

fn served(arguments: &[&str]) -> World {
    let mut world = World::new();
    world.obey_served(&[&["serve"], arguments].concat(), &[]).expect("it serves");
    world
}

fn asked(world: &World, method: &str, path: &str, body: &Value) -> (String, Value) {
    let (status, text) = world.ask(method, path, "KEY", (JSON, &body.to_string())).expect("an answer");
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

fn project(world: &World) -> String {
    asked(world, "POST", "/projects", &json!({ "name": "thrown-at" }));
    let (_, project) = asked(world, "GET", "/projects/thrown-at", &Value::Null);
    project["data"]["project"]["guid"].as_str().expect("a guid").into()
}

/// The rest of what a connection gives, without an end to wait for.
fn rest(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    // A connection that is cut is as much of an answer as one that is closed.
    let _ = stream.read_to_end(&mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// Lives as before: it answers who it is asked by.
fn lives(world: &World) {
    assert_eq!(asked(world, "GET", "/users/me", &Value::Null).0, "200");
}

#[test]
fn long_bodies_are_refused_before_they_are_read() {
    let world = served(&[]);
    let address = world.address();
    let key = world.filled("$KEY");
    let head = format!(
        "POST /projects HTTP/1.1\r\nhost: x\r\nauthorization: {key}\r\ncontent-type: {JSON}\r\nconnection: close\r\n"
    );
    let mut stream = TcpStream::connect(&address).expect("it listens");
    write!(stream, "{head}content-length: 104857600\r\n\r\n").expect("room");
    assert!(rest(stream).starts_with("HTTP/1.1 413"), "a length of 100 MB");
    // One that does not say how long it is: cut off long before its end.
    let mut stream = TcpStream::connect(&address).expect("it listens");
    write!(stream, "{head}transfer-encoding: chunked\r\n\r\n").expect("room");
    let chunk = [b"10000\r\n".as_slice(), &[b' '; 0x10000], b"\r\n"].concat();
    let sent = (0..1600).take_while(|_| stream.write_all(&chunk).is_ok()).count();
    assert!(sent < 1600, "100 MB were taken");
    lives(&world);
}

#[test]
fn bombs_are_refused() {
    let world = served(&[]);
    let project = project(&world);
    let mut aliases = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let below = vec![format!("*a{}", level - 1); 9].join(", ");
        aliases.push_str(&format!("a{level}: &a{level} [{below}]\n"));
    }
    let deep = format!("name: deep\nactions: {}{}\n", "[".repeat(5000), "]".repeat(5000));
    for text in [aliases, deep, "a: ".repeat(100_000)] {
        let body = json!({ "project_id": project, "config_text": text });
        let (status, answer) = asked(&world, "POST", "/v1/workflows", &body);
        assert_eq!(status, "400", "{answer}");
        assert!(answer.to_string().len() < 20_000, "the answer repeats the bomb");
    }
    let nested = format!("{{\"name\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let (status, _) = world.ask("POST", "/projects", "KEY", (JSON, &nested)).expect("an answer");
    assert_eq!(status, "400");
    lives(&world);
}

/// A megabyte that unpacks to a gigabyte of one cell, and one of a million columns: models say that they are no tables.
#[test]
fn packed_bombs_end_as_failed_models() {
    let world = served(&[]);
    let project = project(&world);
    let mut zeros = GzEncoder::new(Vec::new(), Compression::fast());
    let block = vec![b'0'; 1 << 20];
    (0..256).for_each(|_| zeros.write_all(&block).expect("memory"));
    let zeros = zeros.finish().expect("memory");
    let mut wide = GzEncoder::new(Vec::new(), Compression::fast());
    wide.write_all(&b"a,".repeat(2_000_000)).expect("memory");
    wide.write_all(b"a\n1\n").expect("memory");
    let wide = wide.finish().expect("memory");
    for (name, bytes) in [("zeros.csv.gz", zeros), ("wide.csv.gz", wide)] {
        let (_, made) = asked(&world, "POST", &format!("/projects/{project}/artifacts"), &json!({ "filename": name }));
        let link = made["data"]["url"].as_str().expect("a link");
        let path = &link[link.find("/links").expect("of this server")..];
        let mut stream = TcpStream::connect(world.address()).expect("it listens");
        write!(
            stream,
            "PUT {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            bytes.len()
        )
        .and_then(|()| stream.write_all(&bytes))
        .expect("it is taken");
        assert!(rest(stream).starts_with("HTTP/1.1 200"));
        let model = json!({ "models": [{ "actgan": { "data_source": made["data"]["key"] } }] });
        let (_, model) = asked(&world, "POST", &format!("/projects/{project}/models"), &model);
        let path = format!("/projects/{project}/models/{}", model["data"]["model"]["uid"].as_str().expect("a uid"));
        let ended = loop {
            let (_, model) = asked(&world, "GET", &path, &Value::Null);
            match model["data"]["model"]["status"].as_str() {
                Some("created" | "pending" | "active") => std::thread::yield_now(),
                _ => break model["data"]["model"].clone(),
            }
        };
        assert_eq!(ended["status"], "error", "{name}: {ended}");
        assert!(ended["error_msg"].as_str().is_some_and(|said| said.starts_with("data.")), "{name}: {ended}");
    }
    lives(&world);
}

#[test]
fn slow_clients_keep_nobody_waiting() {
    let world = served(&[]);
    let slow: Vec<TcpStream> = (0..300)
        .map(|_| {
            let mut stream = TcpStream::connect(world.address()).expect("it listens");
            stream.write_all(b"GET /users/me HTTP/1.1\r\nhost").expect("room");
            stream
        })
        .collect();
    (0..20).for_each(|_| lives(&world));
    drop(slow);
}

#[test]
fn changed_links_do_not_open() {
    let world = served(&["--link-seconds", "60"]);
    let project = project(&world);
    let (_, made) =
        asked(&world, "POST", &format!("/projects/{project}/artifacts"), &json!({ "filename": "../../a b.csv" }));
    let link = made["data"]["url"].as_str().expect("a link").to_string();
    let path = link[link.find("/links").expect("of this server")..].to_string();
    assert!(!path.contains(".."), "{path}");
    let open = |method: &str, path: &str| world.ask(method, path, "NOBODY", ("", "a\n1\n")).expect("an answer").0;
    let (bare, query) = path.split_once('?').expect("it is signed");
    let field = |name: &str| {
        let value = query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}="))).unwrap_or_default();
        value.to_string()
    };
    let (expires, signature) = (field("expires"), field("signature"));
    assert!(!expires.is_empty() && !signature.is_empty(), "{query}");
    let later: i64 = expires.parse::<i64>().expect("seconds") + 1000;
    let flipped = signature.replace(['0', '1', '2', '3'], "4");
    let mut changed = vec![
        format!("{bare}?expires={later}&signature={signature}"),
        format!("{bare}?expires=1&signature={signature}"),
        format!("{bare}?expires={expires}&signature={flipped}"),
        format!("{bare}?expires={expires}&signature="),
        format!("{bare}?expires={expires}"),
    ];
    for (from, to) in [("a%20b.csv", "b.csv"), ("/put/", "/get/"), ("/put/", "/job/"), ("gretel_", "gretel_0")] {
        changed.push(path.replacen(from, to, 1));
    }
    for link in changed.iter().filter(|link| **link != path) {
        let status = open("PUT", link);
        assert!(["400", "403", "404", "405"].contains(&status.as_str()), "{link}: {status}");
    }
    // The right to write is none to read.
    assert_ne!(open("GET", &path), "200");
    assert_eq!(open("PUT", &path), "200");
    assert_ne!(open("GET", &path), "200");
    let up = |name: &str| world.path("home").join(name).exists() || world.path(name).exists();
    assert!(!up("a b.csv") && !up("../a b.csv"));
    lives(&world);
}
