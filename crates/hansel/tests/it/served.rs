//! Commands of case files that talk to a server: it is the real binary on loopback, asked over plain HTTP.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::world::World;

/// A server at work, and what it last answered.
pub(crate) struct Served {
    child: Child,
    address: String,
    last: Value,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl World {
    /// Where the server listens.
    pub(crate) fn address(&self) -> String {
        self.served.as_ref().expect("a server was started").address.clone()
    }

    /// Obeys a command about a server.
    pub(crate) fn obey_served(&mut self, words: &[&str], block: &[String]) -> Result<String, String> {
        match words {
            ["serve", rest @ ..] => self.serve(rest),
            ["key", name, email] => {
                let output = self.command(&["keys", "create", "--user", email]).output().map_err(|e| e.to_string())?;
                let key = String::from_utf8_lossy(&output.stdout).trim().to_string();
                self.set(name, &key);
                Ok(String::new())
            }
            ["client"] => self.client("KEY"),
            ["client", "by-another-name"] => {
                let address = self.served.as_ref().ok_or("no server")?.address.replace("127.0.0.1", "localhost");
                self.set("HANSEL_ENDPOINT", &format!("http://{address}"));
                Ok(String::new())
            }
            ["client", "as", key] => self.client(key),
            ["hansel-let", name, field, rest @ ..] => self.hansel_let(name, field, rest),
            ["kill"] => {
                let served = self.served.as_mut().ok_or("no server")?;
                served.child.kill().map_err(|error| error.to_string())?;
                served.child.wait().map_err(|error| error.to_string())?;
                self.served = None;
                Ok(String::new())
            }
            ["api", method, path] => self.api(method, path, "KEY", block, &[]),
            ["api", method, path, "as", key] => self.api(method, path, key, block, &[]),
            ["api", method, path, "show", fields @ ..] => self.api(method, path, "KEY", block, fields),
            ["api", method, path, "as", key, "show", fields @ ..] => self.api(method, path, key, block, fields),
            ["let", name, field] => {
                let value = at(&self.served.as_ref().ok_or("no server")?.last, field);
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_string);
                self.set(name, &text);
                Ok(String::new())
            }
            ["encrypt", name] => {
                let sealed = encrypted(&self.served.as_ref().ok_or("no server")?.last, &block.join("\n"))?;
                self.set(name, &sealed);
                Ok(String::new())
            }
            ["listen", name] => {
                let listener = std::net::TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
                let port = listener.local_addr().map_err(|error| error.to_string())?.port();
                self.set(name, &port.to_string());
                self.listener = Some(listener);
                Ok(String::new())
            }
            ["hears", status, "long"] => self.hears(status, &[], &["a,b,c,d".repeat(1000)]),
            ["until", path, field, ends @ ..] => self.until(path, field, ends),
            ["hears", status, rest @ ..] => self.hears(status, rest, block),
            ["rights", names @ ..] => {
                use std::os::unix::fs::PermissionsExt;
                let shown = |name: &&str| {
                    let mode =
                        std::fs::metadata(self.path(name)).map_err(|error| error.to_string())?.permissions().mode();
                    Ok(format!("{name}: {}\n", if mode & 0o77 == 0 { "owner only" } else { "others too" }))
                };
                names.iter().map(shown).collect()
            }
            ["folder", name] => {
                std::fs::create_dir(self.path(name)).map(|()| String::new()).map_err(|error| error.to_string())
            }
            ["time-of", name] => {
                let value = self.filled(&format!("${name}"));
                Ok(value.split_once('T').map(|(_, time)| time.to_string()).unwrap_or(value))
            }
            ["some", path, field, value] => self.comes(path, field, |found| found == *value),
            ["ahead", path, field, seconds] => {
                let seconds = seconds.parse().map_err(|_| "seconds are expected")?;
                let least = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(seconds);
                self.comes(path, field, |found| found.parse::<jiff::Timestamp>().is_ok_and(|time| time > least))
            }
            ["upload", name, file] => self.upload(name, file),
            ["stream", path] => self.stream(path, block),
            ["ends", run] => self.ends(run),
            ["begins-event", run, kind] => self.begins(run, kind),
            _ => Err("no such command".into()),
        }
    }

    /// From here on commands are for the server.
    fn client(&mut self, key: &str) -> Result<String, String> {
        let endpoint = format!("http://{}", self.served.as_ref().ok_or("no server")?.address);
        let key = self.filled(&format!("${key}"));
        self.set("HANSEL_ENDPOINT", &endpoint);
        self.set("HANSEL_API_KEY", &key);
        Ok(String::new())
    }

    /// Runs the binary, whose stdout has to be one JSON value, and keeps a field of it; prints all but stdout.
    fn hansel_let(&mut self, name: &str, field: &str, arguments: &[&str]) -> Result<String, String> {
        let mut arguments: Vec<&str> = arguments.to_vec();
        let known: Vec<Option<String>> = arguments.iter().map(|word| self.known(word)).collect();
        for (word, known) in arguments.iter_mut().zip(&known) {
            *word = known.as_deref().unwrap_or(word);
        }
        let output = self.command(&arguments).output().map_err(|error| error.to_string())?;
        let value: Value = serde_json::from_slice(&output.stdout)
            .map_err(|error| format!("{error}: {}", String::from_utf8_lossy(&output.stdout)))?;
        let found = at(&value, field);
        let text = found.as_str().map_or_else(|| found.to_string(), str::to_string);
        self.set(name, &text);
        Ok(self.said(&output, false))
    }

    fn serve(&mut self, rest: &[&str]) -> Result<String, String> {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.path("server.log"))
            .map_err(|error| error.to_string())?;
        let mut arguments = vec!["serve", "--listen", "127.0.0.1:0"];
        arguments.extend(rest);
        let mut command = self.command(&arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().map_err(|error| error.to_string())?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("it is piped")).read_line(&mut line).map_err(|e| e.to_string())?;
        let Some(address) = line.trim().strip_prefix("listening on http://").map(str::to_string) else {
            let _ = child.kill();
            return Err(format!("the server said `{line}`: {}", self.read("server.log")?));
        };
        let log = self.read("server.log")?;
        if let Some(key) = log.split("shown this once: ").nth(1).and_then(|rest| rest.split_whitespace().next()) {
            self.set("KEY", key);
        }
        self.served = Some(Served { child, address, last: Value::Null });
        Ok(String::new())
    }

    /// Asks; prints the status and the body, or only some of its fields.
    fn api(
        &mut self,
        method: &str,
        path: &str,
        key: &str,
        block: &[String],
        fields: &[&str],
    ) -> Result<String, String> {
        let body = self.filled(&block.join("\n")).replace("ENDPOINT", &self.s3.endpoint());
        let kind = if path.ends_with("/config") { "text/yaml" } else { "application/json" };
        let (status, text) = self.ask(method, &self.filled(path), key, (kind, &body))?;
        let value: Value = serde_json::from_str(&text).unwrap_or(Value::String(text));
        let mut said = format!("{status}\n");
        if fields.is_empty() {
            said.push_str(&serde_json::to_string_pretty(&value).map_err(|error| error.to_string())?);
        }
        for field in fields {
            let found = at(&value, field);
            let found = found.as_str().map_or_else(|| found.to_string(), str::to_string);
            said.push_str(&format!("{field}: {found}\n"));
        }
        self.served.as_mut().ok_or("no server")?.last = value;
        let port = self.filled("127.0.0.1:$PORT");
        Ok(self.tidy(&said.replace(&port, "127.0.0.1:PORT")))
    }

    /// Asks again and again, up to a minute, until a field is one of these words; prints it.
    fn until(&mut self, path: &str, field: &str, ends: &[&str]) -> Result<String, String> {
        let began = std::time::Instant::now();
        loop {
            let (_, text) = self.ask("GET", &self.filled(path), "KEY", ("text/plain", ""))?;
            let value: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
            match at(&value, field).as_str() {
                Some(word) if ends.contains(&word) => return Ok(word.to_string()),
                other if began.elapsed().as_secs() > 60 => return Err(format!("`{field}` is still {other:?}")),
                _ => std::thread::yield_now(),
            }
        }
    }

    /// Waits for one request to the listener and answers it with this status and the block. Prints what came: the first
    /// line, and of a message what it says and whether it is signed with the secret `rest` names.
    fn hears(&mut self, status: &str, rest: &[&str], block: &[String]) -> Result<String, String> {
        let listener = self.listener.as_ref().ok_or("nothing listens")?;
        let said = |error: std::io::Error| error.to_string();
        listener.set_nonblocking(true).map_err(said)?;
        let began = std::time::Instant::now();
        let mut stream = loop {
            match listener.accept() {
                Ok((stream, _)) => break stream,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock && began.elapsed().as_secs() < 60 => {
                    std::thread::yield_now();
                }
                Err(error) => return Err(format!("nothing was heard: {error}")),
            }
        };
        stream.set_nonblocking(false).map_err(said)?;
        let mut reader = BufReader::new(stream.try_clone().map_err(said)?);
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).map_err(said)?;
            if line.trim().is_empty() {
                break;
            }
            head.push(line.trim().to_string());
        }
        let header = |name: &str| {
            let found =
                head.iter().filter_map(|line| line.split_once(": ")).find(|(own, _)| own.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.to_string()).unwrap_or_default()
        };
        let mut body = vec![0; header("content-length").parse().unwrap_or(0)];
        reader.read_exact(&mut body).map_err(said)?;
        let answer = block.join("\n");
        let length = answer.len();
        let location = if status.starts_with('3') { "location: http://127.0.0.1:1/\r\n" } else { "" };
        write!(
            stream,
            "HTTP/1.1 {status} x\r\n{location}content-length: {length}\r\nconnection: close\r\n\r\n{answer}"
        )
        .map_err(said)?;
        let mut told = format!("{}\n", head.first().map_or("", String::as_str));
        if let [secret] = rest {
            let text = String::from_utf8_lossy(&body).into_owned();
            let message: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
            told.push_str(&format!("{} {}\n", message["event"].as_str().unwrap_or(""), message["run"]["status"]));
            let same = |name: &str| if message["id"] == header(name) { "its own" } else { "another" };
            told.push_str(&format!("delivery: {}\n", same("hansel-delivery")));
            told.push_str(&format!("signature: {}\n", signed(&header("hansel-signature"), &text, secret)));
            self.set("MESSAGE", &text);
            if let Some(run) = message["run"]["id"].as_str() {
                self.set("TOLD_RUN", run);
            }
        }
        Ok(self.tidy(&told))
    }

    /// Asks again and again until a field of the answer is so, for half a minute.
    fn comes(&mut self, path: &str, field: &str, so: impl Fn(&str) -> bool) -> Result<String, String> {
        let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
        loop {
            let (_, text) = self.ask("GET", &self.filled(path), "KEY", ("text/plain", ""))?;
            let value: Value = serde_json::from_str(&text).map_err(|error| format!("{text}: {error}"))?;
            let found = at(&value, field);
            if so(&found.as_str().map_or_else(|| found.to_string(), str::to_string)) {
                return Ok(String::new());
            }
            if std::time::Instant::now() > until {
                return Err(format!("`{field}` is {found} still"));
            }
            std::thread::yield_now();
        }
    }

    /// Sends a file to the server; its id is known by `name` from then on.
    pub(crate) fn upload(&mut self, name: &str, file: &str) -> Result<String, String> {
        let part =
            |head: &str, body: &str| format!("--part\r\ncontent-disposition: form-data; {head}\r\n\r\n{body}\r\n");
        let head = format!("name=\"file\"; filename=\"{file}\"");
        let body = part("name=\"purpose\"", "dataset") + &part(&head, &self.read(file)?) + "--part--\r\n";
        let (status, text) = self.ask("POST", "/v1/files", "KEY", ("multipart/form-data; boundary=part", &body))?;
        let value: Value = serde_json::from_str(&text).map_err(|error| format!("{status} {text}: {error}"))?;
        self.set(name, value["file_id"].as_str().ok_or(text)?);
        Ok(String::new())
    }

    /// Asks for lines of JSON; prints of each what it is, of logs only that there are some.
    fn stream(&mut self, path: &str, block: &[String]) -> Result<String, String> {
        let (status, text) = self.ask("POST", path, "KEY", ("application/json", &self.filled(&block.join("\n"))))?;
        let mut said = vec![status];
        for line in text.lines() {
            let line: Value = serde_json::from_str(line).map_err(|error| format!("{line}: {error}"))?;
            let word = |key: &str| line[key].as_str().unwrap_or_default().to_string();
            let mut shown = format!("{} {} {}", word("step"), word("stream"), word("type"));
            if let Some(records) = line["payload"]["dataset"].as_array() {
                shown.push_str(&format!(" {} records", records.len()));
            }
            for field in ["state", "msg"].iter().filter(|_| line["stream"] == "step_states") {
                shown.push_str(&format!(" {}", line["payload"][field].as_str().unwrap_or_default()));
            }
            if said.last() != Some(&shown) {
                said.push(shown);
            }
        }
        Ok(self.tidy(&said.join("\n")))
    }

    /// Follows the events of a run to their end; prints how it ended.
    fn ends(&mut self, run: &str) -> Result<String, String> {
        let run = self.filled(run);
        let (_, events) = self.ask("GET", &format!("/v1/workflows/runs/{run}/events"), "KEY", ("text/plain", ""))?;
        let count = events.lines().filter(|line| line.trim() == "event: finished").count();
        let (_, text) = self.ask("GET", &format!("/v1/workflows/runs/{run}"), "KEY", ("text/plain", ""))?;
        let record: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        let status = record["status"].as_str().unwrap_or_default();
        let message = record["status_details"]["message"].as_str().unwrap_or_default();
        Ok(self.tidy(format!("{status} {message}, told {count} times").replace(" , ", ", ").trim()))
    }

    /// Follows the events of a run until one of this kind.
    fn begins(&self, run: &str, kind: &str) -> Result<String, String> {
        let served = self.served.as_ref().ok_or("no server")?;
        let said = |error: std::io::Error| error.to_string();
        let mut stream = TcpStream::connect(&served.address).map_err(said)?;
        let (run, key) = (self.filled(run), self.filled("$KEY"));
        let head = format!(
            "GET /v1/workflows/runs/{run}/events HTTP/1.1\r\nhost: {}\r\nauthorization: {key}\r\n\r\n",
            served.address
        );
        stream.write_all(head.as_bytes()).map_err(said)?;
        for line in BufReader::new(stream).lines() {
            if line.map_err(said)?.trim() == format!("event: {kind}") {
                return Ok(String::new());
            }
        }
        Err(format!("the run ended without an event `{kind}`"))
    }

    /// One request on a connection of its own; gives the status and the body.
    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        key: &str,
        (kind, body): (&str, &str),
    ) -> Result<(String, String), String> {
        let served = self.served.as_ref().ok_or("no server")?;
        let key = self.filled(&format!("${key}"));
        let said = |error: std::io::Error| error.to_string();
        let mut stream = TcpStream::connect(&served.address).map_err(said)?;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\nauthorization: {key}\r\n\
             content-type: {kind}\r\ncontent-length: {}\r\n\r\n",
            served.address,
            body.len()
        );
        stream.write_all(head.as_bytes()).map_err(said)?;
        stream.write_all(body.as_bytes()).map_err(said)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).map_err(said)?;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").ok_or("no answer")?;
        let status = head.split_whitespace().nth(1).unwrap_or_default().to_string();
        let chunked = head.to_lowercase().contains("transfer-encoding: chunked");
        Ok((status, if chunked { unchunked(body) } else { body.to_string() }))
    }
}

/// Whether a message is signed as documented.
fn signed(header: &str, body: &str, secret: &str) -> &'static str {
    use aws_lc_rs::hmac;
    let part = |name: &str| header.split(',').find_map(|part| part.strip_prefix(name)).unwrap_or_default();
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, format!("{}.{body}", part("t=")).as_bytes());
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    if !hex.is_empty() && hex == part("v1=") { "true" } else { "false" }
}

/// Credentials in YAML as a client encrypts them with the key that the server gave.
fn encrypted(key: &Value, yaml: &str) -> Result<String, String> {
    use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
    use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey};
    use base64::{Engine, engine::general_purpose::STANDARD};
    let pem = key["public_key"].as_str().ok_or("no public key was given")?;
    let der: String = pem.lines().filter(|line| !line.starts_with("--")).collect();
    let der = STANDARD.decode(der).map_err(|error| error.to_string())?;
    let odd = |_| "the key cannot be used".to_string();
    let public = PublicEncryptingKey::from_der(&der).map_err(|error| error.to_string())?;
    let public = OaepPublicEncryptingKey::new(public).map_err(odd)?;
    let (client_key, nonce) = ([7; 32], [9; 12]);
    let mut wrapped = vec![0; public.ciphertext_size()];
    public.encrypt(&OAEP_SHA256_MGF1SHA256, &client_key, &mut wrapped, None).map_err(odd)?;
    let mut data = yaml.as_bytes().to_vec();
    let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &client_key).map_err(odd)?);
    let tag = Nonce::assume_unique_for_key(nonce);
    cipher.seal_in_place_append_tag(tag, Aad::empty(), &mut data).map_err(odd)?;
    let inner = serde_json::json!({
        "key_id": key["key_id"],
        "algorithm": key["algorithm"],
        "encrypted_client_key": STANDARD.encode(&wrapped),
        "data": STANDARD.encode([&nonce[..], &data].concat()),
    });
    Ok(serde_json::json!({ "asymmetric": inner }).to_string())
}

/// The text of a chunked body.
fn unchunked(mut rest: &str) -> String {
    let mut text = String::new();
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
        if size == 0 || size > after.len() {
            break;
        }
        text.push_str(&after[..size]);
        rest = after[size..].trim_start_matches("\r\n");
    }
    text
}

/// What lies at a path such as `runs.0.status`.
fn at<'v>(value: &'v Value, path: &str) -> &'v Value {
    path.split('.').fold(value, |value, part| match part.parse::<usize>() {
        Ok(index) if value.is_array() => &value[index],
        _ => &value[part],
    })
}
