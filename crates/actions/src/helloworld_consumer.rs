//! `helloworld_consumer`: says a text for each name, and takes its time. For trying out workflows without a store.

use std::time::{Duration, Instant};

use workflow::{Accepts, ActionType, Attempt, Built, Failure, Field, Inputs, Outcome, Role, Shape, Step};

/// How often a consumer looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(50);
/// Seconds that one takes where it is not said: long enough to see a run at work, and to stop it.
const SECONDS: u64 = 10;

/// The action type `helloworld_consumer`.
pub(crate) static HELLOWORLD_CONSUMER: ActionType = ActionType {
    name: "helloworld_consumer",
    about: "Writes a text to the run's log for each name; for trying out workflows without a store.",
    role: Role::Middle,
    connection: None,
    fields: &[
        Field {
            name: "echo",
            shape: Shape::Template(Accepts::Text),
            required: true,
            about: "The text.",
            example: "\"hello {outputs.<source>.name}\"",
        },
        Field {
            name: "seconds",
            shape: Shape::Count,
            required: false,
            about: "How long each text takes; 10 by default.",
            example: "1",
        },
    ],
    check: |_, _, _| {},
    reach: |_| None,
    build: |config, _| {
        let seconds = config.count("seconds").unwrap_or(SECONDS);
        Ok(Built::Step(Box::new(Consumer { takes: Duration::from_secs(seconds) })))
    },
};

struct Consumer {
    takes: Duration,
}

impl Step for Consumer {
    fn run(&self, inputs: &Inputs, attempt: &Attempt<'_>) -> Result<Outcome, Failure> {
        let began = Instant::now();
        while let Some(left) = self.takes.checked_sub(began.elapsed()).filter(|left| !left.is_zero()) {
            attempt.go_on()?;
            std::thread::park_timeout(left.min(LOOK));
        }
        let echo = inputs.text("echo").unwrap_or_default().to_string();
        Ok(Outcome { log: vec![("info", echo)], ..Outcome::default() })
    }

    fn target(&self, _: &[(&'static str, String)]) -> Option<String> {
        None
    }
}
