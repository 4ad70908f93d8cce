//! Waiting for a run: its events as they happen, taken up again where the stream broke off, to the end of the run, of
//! the time that was given, or of the user's patience.

use std::io::{BufRead, BufReader};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use serde_json::Value;
use workflow::{Code, Failure};

use super::{Sent, Server, path};

/// How often a server that went away is looked for, and how long apart.
const LOOKS: u32 = 30;
const APART: Duration = Duration::from_secs(2);
/// How long it takes at most to see that the user asked to stop.
const TICK: Duration = Duration::from_millis(50);

/// A line of a run's log.
pub(crate) struct Line {
    /// When it was said, RFC 3339.
    pub(crate) at: String,
    /// `info`, `warning` or `error`.
    pub(crate) level: String,
    /// Name of the action, empty for the run itself.
    pub(crate) action: String,
    /// What was said.
    pub(crate) text: String,
}

/// How waiting ended.
pub(crate) enum Ended {
    /// The run is over: its record.
    Over(Value),
    /// The time is.
    Late,
    /// The user left.
    Left,
}

/// Whether and how the user stops the wait.
pub(crate) struct Patience<'a> {
    /// How long to wait; until the run is over where there is no limit.
    pub(crate) limit: Option<Duration>,
    /// Whether the user asked to stop.
    pub(crate) stopped: &'a dyn Fn() -> bool,
    /// What is done then, once; whether the wait goes on, now without a limit.
    pub(crate) on_stop: &'a dyn Fn() -> Result<bool, Failure>,
}

/// Passes time; ends early when told to stop.
pub(crate) fn pause(time: Duration, stopped: &dyn Fn() -> bool) {
    let (_held, nothing) = mpsc::channel::<()>();
    let until = Instant::now() + time;
    while !stopped() {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        // Nothing is ever sent: this is a timer that can be looked up from.
        let _ = nothing.recv_timeout(left.min(TICK));
    }
}

/// What the thread that reads the stream has to say.
enum News {
    Event {
        id: String,
        kind: String,
        body: Value,
    },
    /// The stream ended or broke off.
    Over,
    /// The server does not give the stream.
    Refused(Failure),
}

/// Follows a run to its end; `told` gets each line of its log from the beginning, also where the run is over already.
pub(crate) fn follow(
    server: &Server,
    run: &str,
    patience: &Patience<'_>,
    told: &mut dyn FnMut(Line),
) -> Result<Ended, Failure> {
    let mut until = patience.limit.map(|limit| Instant::now() + limit);
    let mut asked = false;
    let mut last = String::new();
    let mut looks = 0;
    let mut news = listen(server, run, "");
    loop {
        if !asked && (patience.stopped)() {
            asked = true;
            until = None;
            if !(patience.on_stop)()? {
                return Ok(Ended::Left);
            }
        }
        if until.is_some_and(|until| Instant::now() >= until) {
            return Ok(Ended::Late);
        }
        match news.recv_timeout(TICK) {
            Ok(News::Event { id, kind, body }) => {
                (last, looks) = (id, 0);
                let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
                if let Some((level, line)) = crate::told::line(&kind, &body["event"]) {
                    told(Line { at: text(&body["at"]), level, action: text(&body["event"]["action"]), text: line });
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Ok(News::Refused(failure)) if failure.code != Code::ServerUnready => return Err(failure),
            Ok(News::Over | News::Refused(_)) | Err(RecvTimeoutError::Disconnected) => {
                match server.get(&path(&["v1", "workflows", "runs", run]), &[]) {
                    Ok(record) if over(&record) => return Ok(Ended::Over(record)),
                    Err(failure) if failure.code != Code::ServerUnready || looks == LOOKS => return Err(failure),
                    _ => {}
                }
                looks += 1;
                pause(APART, &|| !asked && (patience.stopped)());
                news = listen(server, run, &last);
            }
        }
    }
}

fn over(record: &Value) -> bool {
    let status = record["status"].as_str().unwrap_or_default();
    ["RUN_STATUS_COMPLETED", "RUN_STATUS_ERROR", "RUN_STATUS_CANCELLED", "RUN_STATUS_LOST"].contains(&status)
}

/// Reads the events behind `last` on a thread of its own, which ends with the stream or when nobody listens.
fn listen(server: &Server, run: &str, last: &str) -> Receiver<News> {
    let (tell, news) = mpsc::channel();
    let (server, run, last) = (server.clone(), run.to_string(), last.to_string());
    let spawned = std::thread::Builder::new().name("events".into()).spawn(move || {
        if let Err(failure) = read(&server, &run, &last, &tell) {
            let _ = tell.send(News::Refused(failure));
        } else {
            let _ = tell.send(News::Over);
        }
    });
    // Without a thread the channel is closed, which reads as a stream that broke off.
    drop(spawned);
    news
}

fn read(server: &Server, run: &str, last: &str, tell: &Sender<News>) -> Result<(), Failure> {
    let behind = Some(last).filter(|last| !last.is_empty());
    let response =
        server.send_from("GET", &path(&["v1", "workflows", "runs", run, "events"]), Sent::Nothing, behind)?;
    if response.status().as_u16() >= 300 {
        super::read(response)?;
        return Ok(());
    }
    let (mut id, mut kind, mut data) = (String::new(), String::new(), String::new());
    // A stream that breaks off is taken up again: why it did is no news.
    for line in BufReader::new(response.into_body().into_reader()).lines().map_while(Result::ok) {
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => id = value.into(),
            "event" => kind = value.into(),
            "data" => data.push_str(value),
            "" if line.is_empty() && !data.is_empty() => {
                let body = serde_json::from_str(&data).unwrap_or_default();
                data.clear();
                if tell.send(News::Event { id: id.clone(), kind: std::mem::take(&mut kind), body }).is_err() {
                    return Ok(());
                }
            }
            _ => {}
        }
    }
    Ok(())
}
