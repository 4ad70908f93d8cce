//! Between runs: what became of the source and of the scores since an earlier report of the same object. In: a case, its
//! figures and the earlier report as JSON. Out: a comparison, for JSON and page.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::case::Case;
use crate::encode::Cells;
use crate::metric::number;

/// What changed since an earlier report.
pub struct Since {
    /// The run that made the earlier report.
    pub run: String,
    /// Fidelity then and now.
    pub fidelity: [Option<f64>; 2],
    /// Privacy then and now.
    pub privacy: [Option<f64>; 2],
    /// Training rows then and now.
    pub rows: [Option<u64>; 2],
    /// Columns that are new.
    pub added: Vec<String>,
    /// Columns that are gone.
    pub removed: Vec<String>,
    /// How far the training values of each column moved, columns that have a distribution in both, in the table's order.
    pub drift: Vec<Drift>,
}

/// How far the training values of one column moved.
pub struct Drift {
    /// The column.
    pub column: String,
    /// Total variation distance between the two training distributions over the bins of the earlier report, missing cells
    /// as a bin of their own: between 0 and 1.
    pub distance: f64,
    /// The distance that samples of these sizes of one distribution have in the mean.
    pub expected: f64,
}

impl Drift {
    /// Whether the column moved by more than chance explains: by more than three times what is expected, and by a hundredth.
    pub fn real(&self) -> bool {
        self.distance > 3.0 * self.expected + 0.01
    }
}

impl Since {
    /// Compares with the JSON of an earlier report by `run`; `None` where that is no report.
    pub(crate) fn of(case: &Case, scores: [Option<f64>; 2], run: &str, earlier: &Value) -> Option<Since> {
        let overall = |name: &str| earlier.get("overall")?.get(name)?.as_f64();
        let columns = earlier.get("columns")?.as_array()?;
        let rows = earlier.get("rows")?.get("training")?.as_u64();
        let name = |column: &Value| column.get("name").and_then(Value::as_str).map(str::to_string);
        let before: BTreeSet<String> = columns.iter().filter_map(name).collect();
        let now: BTreeSet<&str> = case.columns.iter().map(|column| column.name.as_str()).collect();
        let drift = (0..case.columns.len()).filter_map(|index| {
            let column = &case.columns[index].name;
            let earlier = columns.iter().find(|other| name(other).as_ref() == Some(column))?;
            moved(case, index, earlier, rows.unwrap_or(0) as f64)
        });
        Some(Since {
            run: run.into(),
            fidelity: [overall("fidelity"), scores[0]],
            privacy: [overall("privacy"), scores[1]],
            rows: [rows, Some(case.training.rows as u64)],
            added: case.columns.iter().map(|c| c.name.clone()).filter(|name| !before.contains(name)).collect(),
            removed: columns.iter().filter_map(name).filter(|name| !now.contains(name.as_str())).collect(),
            drift: drift.collect(),
        })
    }

    /// The columns whose training values moved by more than chance explains, farthest first.
    pub fn drifted(&self) -> Vec<&Drift> {
        let mut drifted: Vec<&Drift> = self.drift.iter().filter(|drift| drift.real()).collect();
        drifted.sort_by(|a, b| b.distance.total_cmp(&a.distance));
        drifted
    }

    /// The comparison as JSON.
    pub(crate) fn to_json(&self) -> Value {
        let figure = |value: Option<f64>| value.map_or(Value::Null, number);
        let pair = |pair: [Option<f64>; 2]| json!({ "before": figure(pair[0]), "now": figure(pair[1]) });
        let drift = |drift: &Drift| {
            json!({
                "column": drift.column, "distance": number(drift.distance), "expected": number(drift.expected),
                "drifted": drift.real(),
            })
        };
        json!({
            "run": self.run, "fidelity": pair(self.fidelity), "privacy": pair(self.privacy),
            "rows": { "before": self.rows[0], "now": self.rows[1] },
            "columns_added": self.added, "columns_removed": self.removed,
            "drift": self.drift.iter().map(drift).collect::<Vec<Value>>(),
        })
    }
}

/// The distance between the training values of a column now and those that an earlier report shows.
fn moved(case: &Case, index: usize, earlier: &Value, rows: f64) -> Option<Drift> {
    let list = |value: &Value| value.as_array()?.iter().map(Value::as_f64).collect::<Option<Vec<f64>>>();
    let histogram = earlier.get("histogram")?;
    let missing = earlier.get("missing")?.get("training")?.as_f64()?;
    let mut before = list(histogram.get("training")?)?;
    let mut counts = match &case.training.sample[index] {
        Cells::Numbers(values) => {
            let edges = list(histogram.get("edges_us").or_else(|| histogram.get("edges"))?)?;
            if edges.len() != before.len() + 1 || edges.len() < 2 {
                return None;
            }
            let mut counts = vec![0usize; before.len()];
            for &value in values.iter().filter(|value| !value.is_nan()) {
                counts[edges.partition_point(|&edge| edge <= value).clamp(1, before.len()) - 1] += 1;
            }
            counts
        }
        Cells::Codes(codes) => {
            before.push(histogram.get("others")?.get("training")?.as_f64()?);
            let shown: Vec<&str> = histogram.get("values")?.as_array()?.iter().filter_map(Value::as_str).collect();
            let place = |level: &String| shown.iter().position(|shown| shown == level).unwrap_or(shown.len());
            let places: Vec<usize> = case.columns[index].levels.iter().map(place).collect();
            let mut counts = vec![0usize; shown.len() + 1];
            codes.iter().filter(|&&code| code > 0).for_each(|&code| counts[places[code as usize - 1]] += 1);
            counts
        }
    };
    if counts.len() != before.len() {
        return None;
    }
    before.iter_mut().for_each(|share| *share *= 1.0 - missing);
    before.push(missing);
    let all = case.training.sampled.max(1) as f64;
    counts.push(case.training.sampled - counts.iter().sum::<usize>());
    let distance =
        counts.iter().zip(&before).map(|(&count, share)| (count as f64 / all - share).abs()).sum::<f64>() / 2.0;
    // A share p of samples of sizes n and m differs by sqrt(2 p (1 - p) (1/n + 1/m) / pi) in the mean (half normal).
    let noise =
        |share: &f64| (share * (1.0 - share) * (1.0 / all + 1.0 / rows.max(1.0)) * 2.0 / std::f64::consts::PI).sqrt();
    let expected = before.iter().map(noise).sum::<f64>() / 2.0;
    Some(Drift { column: case.columns[index].name.clone(), distance, expected })
}
