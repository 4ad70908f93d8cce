//! Templates: the name of a model config comes in, a model key with its parameters goes out, or why there is none. The
//! names are those that users know; all tabular ones lead to the tabular engine.

use serde_json::{Map, Value, json};

use crate::config::nearest::nearest;
use crate::model::Params;

/// A model config by name.
#[derive(Clone, Debug)]
pub struct Template {
    /// The full name, such as `synthetics/default`.
    pub name: &'static str,
    /// The key in [`crate::MODELS`].
    pub model: &'static str,
    /// The body under the key.
    pub params: Params,
    /// One sentence for the log.
    pub about: String,
}

/// Why a name is no template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateProblem {
    /// A known name of a kind that is not offered.
    NotOffered {
        /// The name as written.
        name: String,
        /// What it is, and that it is not offered.
        reason: &'static str,
    },
    /// No such name.
    Unknown {
        /// The name as written.
        name: String,
        /// The nearest name that there is.
        nearest: Option<&'static str>,
    },
}

impl std::fmt::Display for TemplateProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            TemplateProblem::NotOffered { name, reason } => write!(f, "template `{name}` {reason}"),
            TemplateProblem::Unknown { name, .. } => write!(f, "template `{name}` is not known"),
        }
    }
}

impl std::error::Error for TemplateProblem {}

/// Name, model key, records of the config itself (0 for as many as the training table has).
const TABULAR: &[(&str, &str, u64)] = &[
    ("synthetics/default", "synthetics", 5000),
    ("synthetics/tabular-lstm", "synthetics", 5000),
    ("synthetics/tabular-lstm-evaluate", "synthetics", 5000),
    ("synthetics/complex-or-free-text", "synthetics", 5000),
    ("synthetics/high-accuracy", "synthetics", 5000),
    ("synthetics/high-field-count", "synthetics", 5000),
    ("synthetics/high-record-count", "synthetics", 5000),
    ("synthetics/mostly-numeric-data", "synthetics", 5000),
    ("synthetics/numeric-data", "synthetics", 5000),
    ("synthetics/tabular-actgan", "actgan", 5000),
    ("synthetics/high-dimensionality", "actgan", 5000),
    ("synthetics/low-record-count", "actgan", 5000),
    ("synthetics/ctgan", "ctgan", 5000),
    ("synthetics/amplify", "amplify", 0),
    ("synthetics/navigator-ft", "navigator_ft", 1000),
    ("tabular_ft/default", "tabular_ft", 1000),
    ("tabular_gan/default", "tabular_gan", 5000),
];

const DIFFERENTIAL: &str = "asks for differential privacy, which no model here gives";
const TEXT: &str = "is a model of free text, which is not offered; tables with text columns go to `synthetics/default`";
const SERIES: &str = "is a model of time series, which is not offered; single rows go to `synthetics/default`";
const TRANSFORM: &str = "transforms a table by rules, which is not offered";
const CLASSIFY: &str = "finds personal data, which is not offered";
const EVALUATE: &str = "compares two tables, which the report of every run does";
const TUNER: &str = "searches for parameters, which the tabular engine has no need of";

const OTHERS: &[(&str, &str)] = &[
    ("synthetics/differential-privacy", DIFFERENTIAL),
    ("synthetics/tabular-differential-privacy", DIFFERENTIAL),
    ("synthetics/navigator-ft-differential-privacy", DIFFERENTIAL),
    ("synthetics/natural-language-differential-privacy", DIFFERENTIAL),
    ("tabular_ft/differential_privacy", DIFFERENTIAL),
    ("text_ft/differential_privacy", DIFFERENTIAL),
    ("synthetics/natural-language", TEXT),
    ("text_ft/default", TEXT),
    ("synthetics/time-series", SERIES),
    ("synthetics/dgan", SERIES),
    ("transform/default", TRANSFORM),
    ("transform/transform_v2", TRANSFORM),
    ("transform/v2", TRANSFORM),
    ("transform/gdpr", TRANSFORM),
    ("transform/hipaa", TRANSFORM),
    ("transform/ner_only", TRANSFORM),
    ("transform/transform_example", TRANSFORM),
    ("transform/transform_v2_hybrid_example", TRANSFORM),
    ("transform/transform-v1-default", TRANSFORM),
    ("transform/redact-pii-nlp-off", TRANSFORM),
    ("transform/redact-pii-regex", TRANSFORM),
    ("classify/default", CLASSIFY),
    ("classify/classify-all-entities", CLASSIFY),
    ("classify/classify-pii-nlp-on", CLASSIFY),
    ("classify/classify-pii-nlp-off", CLASSIFY),
    ("classify/classify-pii-regex", CLASSIFY),
    ("evaluate/default", EVALUATE),
    ("tuner/tabular-actgan", TUNER),
    ("tuner/tabular-lstm", TUNER),
];

/// The template of this name; `synthetics/` may be left out.
pub fn template(name: &str) -> Result<Template, TemplateProblem> {
    let written = name.trim();
    let full = if written.contains('/') { written.to_string() } else { format!("synthetics/{written}") };
    if let Some(&(name, model, records)) = TABULAR.iter().find(|known| known.0 == full) {
        let about = format!("Template `{name}` resolves to the tabular engine.");
        return Ok(Template { name, model, params: Params { body: body(model, records) }, about });
    }
    let bare_or_full = |known: &&(&str, &str)| {
        known.0 == full || known.0.split_once('/').is_some_and(|parts| parts.1 == written && parts.1 != "default")
    };
    if let Some((_, reason)) = OTHERS.iter().find(bare_or_full) {
        return Err(TemplateProblem::NotOffered { name: written.to_string(), reason });
    }
    let nearest = nearest(&full, TABULAR.iter().map(|known| known.0));
    Err(TemplateProblem::Unknown { name: written.to_string(), nearest })
}

/// The names of all templates that are offered, in full.
pub fn template_names() -> impl Iterator<Item = &'static str> {
    TABULAR.iter().map(|known| known.0)
}

fn body(model: &str, records: u64) -> Map<String, Value> {
    let mut body = Map::new();
    if records > 0 {
        body.insert("generate".into(), json!({ "num_records": records }));
    }
    if matches!(model, "synthetics" | "actgan" | "tabular_gan" | "ctgan") {
        body.insert("privacy_filters".into(), json!({ "outliers": "auto", "similarity": "auto" }));
    }
    body
}
