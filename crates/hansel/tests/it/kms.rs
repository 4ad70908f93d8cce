//! The key of a home under a key of KMS, against a KMS on loopback that knows the two calls which are made.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::world::World;

/// Starts one; gives its address and what it was asked for.
fn double() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback can be bound");
    let address = format!("http://{}", listener.local_addr().expect("it is bound"));
    let asked = Arc::new(Mutex::new(Vec::new()));
    let own = asked.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let said = answer(&stream);
            own.lock().expect("nobody panics with it").extend(said);
        }
    });
    (address, asked)
}

/// Obeys one request: what is encrypted is turned bit by bit and bears the name of the key.
fn answer(mut stream: &TcpStream) -> Option<String> {
    let mut reader = BufReader::new(stream);
    let (mut operation, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let (name, value) = line.trim().split_once(": ").unwrap_or((line.trim(), ""));
        match name.to_lowercase().as_str() {
            "" => break,
            "x-amz-target" => operation = value.trim_start_matches("TrentService.").into(),
            "content-length" => length = value.parse().ok()?,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let asked: Value = serde_json::from_slice(&body).ok()?;
    let key = asked["KeyId"].as_str()?;
    let bytes = |name: &str| STANDARD.decode(asked[name].as_str()?).ok();
    let turned = |bytes: &[u8]| bytes.iter().map(|byte| !byte).collect::<Vec<u8>>();
    let answer = match operation.as_str() {
        "Encrypt" => {
            let wrapped = [key.as_bytes(), b"|", &turned(&bytes("Plaintext")?)].concat();
            Ok(json!({ "KeyId": key, "CiphertextBlob": STANDARD.encode(wrapped) }))
        }
        "Decrypt" => match bytes("CiphertextBlob")?.strip_prefix(format!("{key}|").as_bytes()) {
            Some(rest) => Ok(json!({ "KeyId": key, "Plaintext": STANDARD.encode(turned(rest)) })),
            None => Err(json!({ "__type": "IncorrectKeyException", "message": "not this key" })),
        },
        other => Err(json!({ "__type": "UnsupportedOperationException", "message": other })),
    };
    let (status, text) = match answer {
        Ok(value) => (200, value.to_string()),
        Err(value) => (400, value.to_string()),
    };
    let length = text.len();
    write!(stream, "HTTP/1.1 {status} x\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{text}").ok()?;
    Some(format!("{operation} {key} {}", asked["EncryptionContext"]))
}

#[test]
fn the_key_of_a_home_lies_wrapped_and_is_unwrapped_at_each_start() {
    let (address, asked) = double();
    let mut world = World::new();
    let connection =
        r#"{"type": "s3", "name": "abc", "credentials": {"access_key_id": "a", "secret_access_key": "b-secret"}}"#;
    std::fs::write(world.path("c.json"), connection).expect("it can be written");
    let environment = [
        ("AWS_ENDPOINT_URL_KMS", address.as_str()),
        ("AWS_ACCESS_KEY_ID", "a"),
        ("AWS_SECRET_ACCESS_KEY", "b"),
        ("HANSEL_KEY_KMS", "arn:aws:kms:eu-central-1:1:key/one"),
    ];
    for (name, value) in environment {
        world.set(name, value);
    }
    let said = world.hansel(&["connections", "create", "--from-file", "c.json"]).expect("the binary runs");
    assert!(said.contains("\"has_credentials\": true"), "{said}");
    let wrapped = world.read("home/key.kms").expect("the wrapped key lies there");
    assert!(!world.path("home/key").exists());
    let said = world.hansel(&["secrets", "rotate", "--data-keys"]).expect("the binary runs");
    assert_eq!(said, "1 data keys wrapped anew, 1 secrets sealed anew\n");
    assert_ne!(world.read("home/key.kms").expect("it lies there"), wrapped);
    let heard = asked.lock().expect("nobody panics with it").clone();
    let call =
        |verb| format!("{verb} arn:aws:kms:eu-central-1:1:key/one {{\"hansel:purpose\":\"key-encryption-key\"}}");
    assert_eq!(heard[0], call("Encrypt"));
    assert!(heard.contains(&call("Decrypt")));

    // Another key does not open it, and without one no second key is made beside it.
    world.set("HANSEL_KEY_KMS", "arn:aws:kms:eu-central-1:1:alias/two");
    let said = world.hansel(&["connections", "list"]).expect("the binary runs");
    assert!(said.contains("home.unusable") && said.contains("IncorrectKeyException: not this key"), "{said}");
    world.set("HANSEL_KEY", &"11".repeat(32));
    let said = world.hansel(&["connections", "list"]).expect("the binary runs");
    assert!(said.contains("usage: both HANSEL_KEY and HANSEL_KEY_KMS are set"), "{said}");
    world.set("HANSEL_KEY", "");
    world.set("HANSEL_KEY_KMS", "");
    let said = world.hansel(&["connections", "list"]).expect("the binary runs");
    assert!(said.contains("HANSEL_KEY_KMS has to name its key"), "{said}");
}
