//! What a metric is and what it gives. In: a case. Out: a score between 0 and 1, figures and one sentence.

use serde_json::Value;

use crate::case::Case;

/// What a metric speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aspect {
    /// How like the real table the synthetic one is: 1 for identical tables.
    Fidelity,
    /// What the synthetic table can be used for: 1 for identical tables.
    Utility,
    /// How little of the single training row shows: 1 for fresh rows of the same source.
    Privacy,
}

impl Aspect {
    /// The word for it in the report.
    pub fn word(self) -> &'static str {
        match self {
            Aspect::Fidelity => "fidelity",
            Aspect::Utility => "utility",
            Aspect::Privacy => "privacy",
        }
    }
}

/// A score, 1 being best, or why there is none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Score {
    /// Between 0 and 1, both included; never NaN.
    Of(f64),
    /// The reason, as a clause: "there is no holdout".
    Undefined(&'static str),
}

impl Score {
    /// A score that is kept within 0 and 1; undefined where it is not a number.
    pub(crate) fn bounded(value: f64) -> Score {
        if value.is_nan() { Score::Undefined("it comes out as no number") } else { Score::Of(value.clamp(0.0, 1.0)) }
    }

    /// The number, if there is one.
    pub fn value(self) -> Option<f64> {
        match self {
            Score::Of(value) => Some(value),
            Score::Undefined(_) => None,
        }
    }
}

/// What one metric found.
pub struct Outcome {
    /// The score.
    pub score: Score,
    /// The figures behind it, by name, in the order they are printed.
    pub figures: Vec<(&'static str, Value)>,
    /// One sentence for the reader; empty where the score is undefined.
    pub sentence: String,
    /// What a fresh real sample of the synthetic table's size would score on the same scale, as far as that is known.
    pub ceiling: Option<f64>,
    /// The 95 % interval of the score; how it comes about is in the metric's `about`.
    pub interval: Option<[f64; 2]>,
    /// The figure that a gate may hold against a limit.
    pub gauge: Option<Gauge>,
}

/// A figure of risk, 0 being none, and what chance allows around it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gauge {
    /// The figure.
    pub figure: f64,
    /// Its 95 % interval.
    pub interval: [f64; 2],
}

impl Outcome {
    /// No score, for this reason.
    pub(crate) fn undefined(reason: &'static str) -> Outcome {
        Outcome::new(Score::Undefined(reason), Vec::new(), String::new())
    }

    /// A score with its figures and its sentence, as yet without ceiling, interval and gauge.
    pub(crate) fn new(score: Score, figures: Vec<(&'static str, Value)>, sentence: String) -> Outcome {
        Outcome { score, figures, sentence, ceiling: None, interval: None, gauge: None }
    }

    /// With what a fresh real sample would score.
    pub(crate) fn below(mut self, ceiling: Option<f64>) -> Outcome {
        self.ceiling = ceiling.filter(|ceiling| !ceiling.is_nan()).map(|ceiling| ceiling.clamp(0.0, 1.0));
        self
    }

    /// With an interval, its ends in either order, kept within 0 and 1.
    pub(crate) fn within(mut self, interval: Option<[f64; 2]>) -> Outcome {
        self.interval = interval
            .filter(|ends| !ends[0].is_nan() && !ends[1].is_nan())
            .map(|[a, b]| [a.min(b).clamp(0.0, 1.0), a.max(b).clamp(0.0, 1.0)]);
        self
    }

    /// With an interval around the score: so many standard errors' worth to either side.
    pub(crate) fn give_or_take(self, half: Option<f64>) -> Outcome {
        let interval = self.score.value().zip(half).map(|(score, half)| [score - half, score + half]);
        self.within(interval)
    }

    /// With the figure that a gate reads.
    pub(crate) fn gauged(mut self, figure: f64, interval: [f64; 2]) -> Outcome {
        self.gauge = Some(Gauge { figure, interval });
        self
    }

    /// A figure by its name, where it is a number.
    pub fn figure(&self, name: &str) -> Option<f64> {
        self.figures.iter().find(|(figure, _)| *figure == name).and_then(|(_, value)| value.as_f64())
    }
}

/// One measure of the synthetic table.
pub struct Metric {
    /// Its name in the JSON: the name of its file.
    pub name: &'static str,
    /// Its name on the page.
    pub title: &'static str,
    /// From which score on the page calls it good, and from which fair.
    pub bands: [f64; 2],
    /// What it speaks of.
    pub aspect: Aspect,
    /// What it measures, in one or two sentences for the reader, with its formula.
    pub about: &'static str,
    /// Where the definition comes from.
    pub source: &'static str,
    /// Measures.
    pub score: fn(&Case) -> Outcome,
}

/// A number in the JSON, to six significant decimals, so that no digits are printed that mean nothing.
pub(crate) fn number(value: f64) -> Value {
    if !value.is_finite() {
        return Value::Null;
    }
    let rounded = (value * 1e6).round() / 1e6;
    // Zero has two signs; only one is wanted.
    if rounded.is_finite() { Value::from(rounded + 0.0) } else { Value::from(value) }
}
