//! The report: what is judged, what comes out.

use table::Table;

/// What a judgement rests on. All three tables have the same columns in the same order.
#[derive(Clone, Copy)]
pub struct Evidence<'a> {
    /// The rows that the model was fitted on.
    pub training: &'a Table,
    /// The rows to be judged, as read back from the bytes that are to be published.
    pub synthetic: &'a Table,
    /// Real rows that the model never saw.
    pub holdout: Option<&'a Table>,
    /// The column that train-on-synthetic utility predicts.
    pub target: Option<&'a str>,
    /// Seed of every sample the judge draws.
    pub seed: u64,
}

/// Where the data came from, printed on the page and in the JSON: label and value, in order.
pub type Provenance = Vec<(String, String)>;

/// A judgement.
pub struct Report {}

/// Judges the evidence.
pub fn judge(_evidence: &Evidence<'_>) -> Report {
    Report {}
}

impl Report {
    /// The report as JSON, `provenance` included.
    pub fn to_json(&self, _provenance: &Provenance) -> serde_json::Value {
        serde_json::Value::Null
    }

    /// The report as one self-contained HTML page.
    pub fn to_html(&self, _provenance: &Provenance) -> String {
        String::new()
    }
}
