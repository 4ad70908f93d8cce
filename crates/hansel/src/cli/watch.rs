//! Watching a run: bars where there is a terminal, plain lines where not, and the facts for the final word.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use workflow::{Event, Progress};

use super::say;
use crate::engine::Watcher;

/// Facts of an object: label and value, in the order they came.
pub(crate) type Facts = Vec<(String, String)>;

/// Shows a run while it goes and remembers what its steps said.
pub(crate) struct Display {
    bars: Option<MultiProgress>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    overall: Option<ProgressBar>,
    units: BTreeMap<String, ProgressBar>,
    facts: BTreeMap<String, Facts>,
}

impl Display {
    /// A display on stderr.
    pub(crate) fn new() -> Display {
        let bars = std::io::stderr().is_terminal().then(MultiProgress::new);
        Display { bars, state: Mutex::default() }
    }

    /// What the steps said of each object, by key.
    pub(crate) fn facts(&self) -> BTreeMap<String, Facts> {
        self.state().facts.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn line(&self, text: &str) {
        match &self.bars {
            Some(bars) => bars.suspend(|| say::note(text)),
            None => say::note(text),
        }
    }

    fn begin_unit(&self, key: &str) {
        if let Some(bars) = &self.bars {
            let bar = bars.add(ProgressBar::new_spinner());
            bar.set_style(style("  {spinner} {prefix}: {msg}"));
            bar.set_prefix(key.to_string());
            self.state().units.insert(key.to_string(), bar);
        }
    }

    fn end_unit(&self, key: &str) {
        let mut state = self.state();
        if let Some(bar) = state.units.remove(key) {
            bar.finish_and_clear();
        }
        if let Some(overall) = &state.overall {
            overall.inc(1);
        }
    }
}

impl Watcher for Display {
    fn event(&self, event: &Event) {
        match event {
            Event::Started { resumed: true } => self.line("taking up the run that was cut off"),
            Event::Crawled { action, listed, taken } => {
                self.line(&format!("{action}: {listed} listed, {taken} to do"));
                if let Some(bars) = &self.bars {
                    let bar = bars.add(ProgressBar::new(*taken));
                    bar.set_style(style("{bar:30} {pos}/{len} objects, {per_sec}, {eta} left"));
                    self.state().overall = Some(bar);
                }
            }
            // Said in full at the end.
            Event::Log { level, .. } if level == "error" => {}
            Event::Log { level, action, key, text } => {
                let place: Vec<&str> =
                    [action.as_str(), key.as_str()].into_iter().filter(|part| !part.is_empty()).collect();
                let place = if place.is_empty() { String::new() } else { format!("{}: ", place.join(": ")) };
                self.line(&format!("{level}: {place}{text}"));
            }
            Event::UnitStarted { key } => self.begin_unit(key),
            Event::StepDone { key, facts, .. } => {
                self.state().facts.entry(key.clone()).or_default().extend(facts.iter().cloned());
            }
            Event::UnitDone { key } => {
                self.end_unit(key);
                self.line(&format!("{key}: done"));
            }
            Event::UnitFailed { key, code, message, .. } => {
                self.end_unit(key);
                self.line(&format!("{key}: {code}: {message}"));
            }
            Event::Finished { .. } => {
                let mut state = self.state();
                if let Some(bar) = state.overall.take() {
                    bar.finish_and_clear();
                }
            }
            Event::Started { .. } | Event::Publishing { .. } => {}
        }
    }

    fn progress(&self, key: &str, progress: &Progress) {
        if self.bars.is_none() {
            return;
        }
        if let Some(bar) = self.state().units.get(key) {
            let text = match progress.total {
                0 => progress.doing.to_string(),
                total => format!("{} {}%", progress.doing, progress.done * 100 / total),
            };
            bar.set_message(text);
            bar.tick();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
