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
            ["time-of", name] => {
                let value = self.filled(&format!("${name}"));
                Ok(value.split_once('T').map(|(_, time)| time.to_string()).unwrap_or(value))
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
        Ok(self.tidy(&said))
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
