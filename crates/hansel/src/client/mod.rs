//! The client of a server: requests of the REST API and what came of them. An answer is JSON; a refusal becomes a
//! failure with the server's own code, message and hint. A key goes to its endpoint and nowhere else, and into no text.

mod files;
mod settings;
mod watch;

use std::time::Duration;

use serde_json::Value;
use ureq::Agent;
use ureq::http::{Request, Response};
use workflow::{Code, Failure, Place, Problem};

use crate::outgoing::{AddressRule, Outgoing};
pub(crate) use files::{download, fetch, text_at, upload};
pub(crate) use settings::{ConfigFile, Key, Named, checked, named};
pub(crate) use watch::{Ended, Line, Patience, follow, pause};

/// Longest answer that is read, in bytes; files are not read this way.
const ANSWER_BYTES_MAX: u64 = 256 << 20;
/// How often a question is asked that the server had no time for.
const TRIES: u32 = 5;
/// The longest pause between two tries, whatever the server asks for.
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// A server, and who asks it.
#[derive(Clone)]
pub(crate) struct Server {
    named: Named,
    agent: Agent,
}

/// A request that was not done.
pub(crate) struct Refused {
    /// Why, in one.
    pub(crate) failure: Failure,
    /// Every problem of what was sent, where the server told them.
    pub(crate) problems: Vec<Problem>,
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Refused {
        Refused { failure, problems: Vec::new() }
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Failure {
        refused.failure
    }
}

/// What goes with a request.
#[derive(Clone, Copy)]
pub(crate) enum Sent<'a> {
    /// No body.
    Nothing,
    /// A JSON value.
    Json(&'a Value),
    /// The text of a workflow.
    Yaml(&'a str),
}

/// A path of the API from its parts, each escaped.
pub(crate) fn path(parts: &[&str]) -> String {
    parts.iter().map(|part| format!("/{}", escape(part))).collect()
}

fn escape(part: &str) -> String {
    let mut text = String::with_capacity(part.len());
    for byte in part.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => text.push(char::from(byte)),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

impl Server {
    /// The server that was named. Nothing is asked yet.
    pub(crate) fn new(named: Named) -> Result<Server, Failure> {
        let agent = agent(&named)?;
        Ok(Server { named, agent })
    }

    /// Its address.
    pub(crate) fn endpoint(&self) -> &str {
        &self.named.endpoint
    }

    /// The settings that name it.
    pub(crate) fn named(&self) -> &Named {
        &self.named
    }

    /// The name of the project that was asked for, else that of the settings.
    pub(crate) fn project_name(&self, asked: Option<&str>) -> Result<String, Failure> {
        asked.map(str::to_string).or_else(|| self.named.project.clone()).ok_or_else(|| {
            Failure::new(Code::Usage, "no project is named").hint(
                "Name one with `--project P`, or a default one with `hansel projects set-default` or HANSEL_PROJECT.",
            )
        })
    }

    /// The record of the project that was asked for, or of the default one.
    pub(crate) fn project(&self, asked: Option<&str>) -> Result<Value, Failure> {
        let name = self.project_name(asked)?;
        Ok(self.get(&path(&["projects", &name]), &[])?["data"]["project"].take())
    }

    /// Asks for a record. A server that has no time is asked again, a few times.
    pub(crate) fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, Failure> {
        let mut tries = 1;
        loop {
            let response = self.send("GET", &with(path, query), Sent::Nothing)?;
            let busy = matches!(response.status().as_u16(), 429 | 502 | 503 | 504);
            if !busy || tries == TRIES {
                return Ok(read(response)?);
            }
            let asked = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
            let after = asked.map_or(Duration::from_secs(1 << (tries - 1)), Duration::from_secs);
            pause(after.min(PAUSE_MAX), &crate::cli::stopped);
            tries += 1;
        }
    }

    /// Asks for something to be done, once.
    pub(crate) fn call(&self, method: &str, path: &str, sent: Sent<'_>) -> Result<Value, Refused> {
        read(self.send(method, path, sent)?)
    }

    /// [`Server::call`] for a JSON body, where one failure is enough.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        Ok(self.call("POST", path, Sent::Json(body))?)
    }

    /// Deletes what is at a path.
    pub(crate) fn delete(&self, path: &str, query: &[(&str, &str)]) -> Result<(), Failure> {
        self.call("DELETE", &with(path, query), Sent::Nothing)?;
        Ok(())
    }

    /// One request and the answer as it comes.
    fn send(&self, method: &str, path: &str, sent: Sent<'_>) -> Result<Response<ureq::Body>, Failure> {
        self.send_from(method, path, sent, None)
    }

    /// As [`Server::send`], for a stream that goes on behind an event.
    fn send_from(
        &self,
        method: &str,
        path: &str,
        sent: Sent<'_>,
        behind: Option<&str>,
    ) -> Result<Response<ureq::Body>, Failure> {
        let (kind, body) = match sent {
            Sent::Nothing => ("application/json", Vec::new()),
            Sent::Json(value) => ("application/json", value.to_string().into_bytes()),
            Sent::Yaml(text) => ("text/yaml", text.as_bytes().to_vec()),
        };
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.endpoint()))
            .header("accept", "application/json")
            .header("content-type", kind);
        if let Some(key) = &self.named.key {
            request = request.header("authorization", key.as_str());
        }
        if let Some(behind) = behind {
            request = request.header("last-event-id", behind);
        }
        // A body behind GET would be refused by the agent, an empty one too.
        let answer = match method {
            "GET" | "DELETE" => self.agent.run(request.body(()).map_err(|error| self.odd(error))?),
            _ => self.agent.run(request.body(body).map_err(|error| self.odd(error))?),
        };
        let response = answer.map_err(|error| self.unreachable(&error))?;
        if response.status().is_redirection() {
            let to = response.headers().get("location").and_then(|to| to.to_str().ok()).unwrap_or_default();
            let message = format!("`{}` is not the server: it sends on to `{to}`", self.endpoint());
            return Err(Failure::new(Code::Usage, message).hint("Name the address behind it as the endpoint."));
        }
        Ok(response)
    }

    fn odd(&self, error: ureq::http::Error) -> Failure {
        Failure::new(Code::Usage, format!("`{}` with this key cannot be asked", self.endpoint())).cause(error)
    }

    fn unreachable(&self, error: &ureq::Error) -> Failure {
        let certificate = match error {
            ureq::Error::Io(error) => error.get_ref().is_some_and(|below| below.is::<rustls::Error>()),
            other => matches!(other, ureq::Error::Rustls(_)),
        };
        let hint = match certificate {
            true => "If its certificate is your own, name the file of it in SSL_CERT_FILE.",
            false => "Check the address, and that the server is there; `hansel doctor` looks at both.",
        };
        Failure::new(Code::ServerUnready, format!("the server at `{}` could not be reached", self.endpoint()))
            .cause(error)
            .hint(hint)
    }
}

/// An agent for the API and for signed links; it follows no redirect, so that no key goes elsewhere.
fn agent(named: &Named) -> Result<Agent, Failure> {
    // With a rule there is no proxy: none has a business between two programs of one machine.
    let anywhere: AddressRule = std::sync::Arc::new(|_, _| true);
    let rule = named.loopback().then_some(anywhere);
    Outgoing { connect: Duration::from_secs(10), silence: Duration::from_secs(60), redirects: 0, rule }.agent()
}

fn with(path: &str, query: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = query.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect();
    if pairs.is_empty() { path.to_string() } else { format!("{path}?{}", pairs.join("&")) }
}

/// The JSON of an answer, or the refusal that it is.
fn read(response: Response<ureq::Body>) -> Result<Value, Refused> {
    let status = response.status().as_u16();
    let text = response
        .into_body()
        .into_with_config()
        .limit(ANSWER_BYTES_MAX)
        .read_to_string()
        .map_err(|error| Failure::new(Code::ServerUnready, "the server's answer broke off").cause(error))?;
    let value: Option<Value> = serde_json::from_str(&text).ok();
    match value {
        Some(value) if status < 300 => Ok(value),
        Some(value) => Err(refusal(status, &value)),
        None => Err(refusal(status, &Value::Null)),
    }
}

/// What a refusal's body says.
fn refusal(status: u16, body: &Value) -> Refused {
    let text = |value: &Value, key: &str| value[key].as_str().map(str::to_string);
    let code = match text(body, "code").and_then(|code| Code::named(&code)) {
        Some(code) => code,
        None => match status {
            401 => Code::AuthKeyUnknown,
            403 => Code::PermissionDenied,
            404 => Code::NotFound,
            409 => Code::RunConflict,
            413 => Code::RequestTooLarge,
            429 => Code::RequestTooMany,
            400..=499 => Code::RequestInvalid,
            _ => Code::ServerUnready,
        },
    };
    let message = text(body, "message")
        .unwrap_or_else(|| format!("the server answered with status {status} and nothing that is understood"));
    let mut failure = Failure::new(code, message);
    failure.hint = hint(code).or_else(|| text(body, "hint"));
    let details = body["details"].as_array().into_iter().flatten();
    let number = |value: &Value| value.as_u64().and_then(|number| usize::try_from(number).ok()).unwrap_or(0);
    let problem = |detail: &Value| {
        Some(Problem {
            code: text(detail, "code").and_then(|code| Code::named(&code))?,
            at: Place {
                path: text(detail, "path").unwrap_or_default(),
                line: number(&detail["line"]),
                column: number(&detail["column"]),
            },
            message: text(detail, "message")?,
            hint: text(detail, "hint"),
        })
    };
    Refused { failure, problems: details.filter_map(problem).collect() }
}

/// What a user of the command line can do about a refusal of the door; the server speaks to programs.
fn hint(code: Code) -> Option<String> {
    match code {
        Code::AuthKeyMissing => Some("Set HANSEL_API_KEY, or keep the key with `hansel configure`."),
        Code::AuthKeyUnknown => {
            Some("`hansel --home DIR keys create --user EMAIL`, where the server runs, makes a new one.")
        }
        _ => None,
    }
    .map(str::to_string)
}
