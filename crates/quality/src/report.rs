//! The report: what is judged, what comes out.

use serde_json::{Map, Value, json};
use table::{Kind, Table};

use crate::METRICS;
use crate::case::Case;
use crate::compat::{Compat, Settings as CompatSettings, compat};
use crate::detail::{Detail, Spread, details};
use crate::encode::{Cells, Role};
use crate::gate::Verdict;
use crate::metric::{Aspect, Metric, Outcome, Score, number};
use crate::pair_trends::Pair;
use crate::scale::{count, long_time};
use crate::since::Since;
use crate::statistic::mean;

/// The metrics whose mean is fidelity.
const FIDELITY: [&str; 3] = ["column_shapes", "pair_trends", "discriminator"];
/// Tables with fewer rows are warned of.
const ROWS_FEW: usize = 500;

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
    /// Rules that the rows were declared to keep, counted by the caller.
    pub constraints: &'a [Declared],
    /// Positions of columns whose synthetic values were made up: they are searched for copies, not compared in spread.
    pub made: &'a [usize],
    /// Seed of every sample the judge draws.
    pub seed: u64,
}

/// A declared rule and how the synthetic rows keep it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// The rule, as it was declared.
    pub text: String,
    /// Synthetic rows that violate it.
    pub violations: usize,
    /// Synthetic rows that it speaks of.
    pub rows: usize,
}

/// Where the data came from, printed on the page and in the JSON: label and value, in order. The labels `law`,
/// `protection`, `parameter` and `column` group what the model did or left; any other label is printed as it is.
pub type Provenance = Vec<(String, String)>;

/// A judgement.
pub struct Report {
    pub(crate) rows: [Option<usize>; 3],
    /// Between 0 and 1, 1 being best; `None` where no metric of its kind is defined.
    pub fidelity: Option<f64>,
    /// The 95 % interval of fidelity: as wide as the intervals of what it is the mean of are on average, as if all erred
    /// to the same side.
    pub fidelity_interval: Option<[f64; 2]>,
    /// Between 0 and 1, 1 being best; `None` where no metric of its kind is defined.
    pub privacy: Option<f64>,
    /// What each metric of [`METRICS`] found, in that order.
    pub outcomes: Vec<(&'static Metric, Outcome)>,
    /// What the reader should know before trusting a figure: whole sentences.
    pub warnings: Vec<String>,
    /// What changed since an earlier report of the same object, where [`Report::compare`] was told of one.
    pub since: Option<Since>,
    /// The scores of the documented reports; `None` where the tables cannot be compared.
    pub compat: Option<Compat>,
    /// What a gate said of the table, where one was asked; set by the caller.
    pub verdict: Option<Verdict>,
    /// The tables made ready; `None` where they cannot be compared.
    pub(crate) case: Option<Case>,
    pub(crate) details: Vec<Detail>,
}

/// Judges the evidence. Tables that cannot be compared give a report without scores, which says so.
///
/// The order of the rows makes no difference, and neither does the number of threads: the same rows and the same seed
/// give the same report, byte for byte.
pub fn judge(evidence: &Evidence<'_>) -> Report {
    judge_with(evidence, &CompatSettings::default())
}

/// As [`judge`], the documented scores computed by these settings.
pub fn judge_with(evidence: &Evidence<'_>, settings: &CompatSettings) -> Report {
    let rows = [Some(evidence.training.rows()), Some(evidence.synthetic.rows()), evidence.holdout.map(Table::rows)];
    let case = match Case::of(evidence) {
        Ok(case) => case,
        Err(reason) => {
            let undefined =
                |metric: &&'static Metric| (*metric, Outcome::undefined("the tables do not have the same columns"));
            return Report {
                rows,
                fidelity: None,
                fidelity_interval: None,
                privacy: None,
                outcomes: METRICS.iter().map(undefined).collect(),
                warnings: vec![format!("Nothing was compared: {reason}.")],
                since: None,
                compat: None,
                verdict: None,
                case: None,
                details: Vec::new(),
            };
        }
    };
    let outcomes: Vec<(&'static Metric, Outcome)> =
        METRICS.iter().map(|metric| (*metric, (metric.score)(&case))).collect();
    let of_fidelity: Vec<f64> = outcomes
        .iter()
        .filter(|(metric, _)| FIDELITY.contains(&metric.name))
        .filter_map(|(_, outcome)| outcome.score.value())
        .collect();
    // A score without an interval is taken as it is.
    let ends = |end: usize| -> Vec<f64> {
        let counted = outcomes.iter().filter(|(metric, _)| FIDELITY.contains(&metric.name));
        counted.filter_map(|(_, of)| of.interval.map(|ends| ends[end]).or(of.score.value())).collect()
    };
    let of_privacy = outcomes
        .iter()
        .filter(|(metric, _)| metric.aspect == Aspect::Privacy)
        .filter_map(|(_, outcome)| outcome.score.value());
    Report {
        rows,
        fidelity: mean(&of_fidelity),
        fidelity_interval: mean(&ends(0)).zip(mean(&ends(1))).map(|(low, high)| [low, high]),
        privacy: of_privacy.reduce(f64::min),
        warnings: warnings(&case, &outcomes),
        outcomes,
        details: details(&case),
        since: None,
        compat: Some(compat(&case, settings)),
        verdict: None,
        case: Some(case),
    }
}

impl Report {
    /// The report as JSON, `provenance` included. Keys come in a fixed order; shares and scores have six decimals.
    pub fn to_json(&self, provenance: &Provenance) -> Value {
        let overall = |value: Option<f64>| value.map_or(Value::Null, number);
        let mut metrics = Map::new();
        for (metric, outcome) in &self.outcomes {
            metrics.insert(metric.name.into(), metric_json(metric, outcome));
        }
        let (columns, pairs) = match &self.case {
            Some(case) => (
                self.details.iter().map(|detail| column_json(case, detail)).collect(),
                case.pairs().list.iter().map(|pair| pair_json(case, pair)).collect(),
            ),
            None => (Vec::new(), Vec::new()),
        };
        let entry = |(label, value): &(String, String)| json!({ "label": label, "value": value });
        let interval = self.fidelity_interval.map_or(Value::Null, |ends| Value::from(ends.map(number).to_vec()));
        json!({
            "overall": { "fidelity": overall(self.fidelity), "privacy": overall(self.privacy), "fidelity_interval": interval },
            "sentences": { "fidelity": self.fidelity_sentence(), "privacy": self.privacy_sentence() },
            "rows": { "training": self.rows[0], "synthetic": self.rows[1], "holdout": self.rows[2] },
            "metrics": metrics,
            "columns": Value::Array(columns),
            "pairs": Value::Array(pairs),
            "gate": self.verdict.as_ref().map_or(Value::Null, Verdict::to_json),
            "compat": self.compat.as_ref().map_or(Value::Null, Compat::current_json),
            "since": self.since.as_ref().map_or(Value::Null, Since::to_json),
            "provenance": provenance.iter().map(entry).collect::<Vec<Value>>(),
            "warnings": self.warnings,
        })
    }

    /// Compares with an earlier report of the same object, made by `run`: scores, rows, columns, and how far the source
    /// moved. What is no report is passed over.
    pub fn compare(&mut self, run: &str, earlier: &Value) {
        self.since = self.case.as_ref().and_then(|case| Since::of(case, [self.fidelity, self.privacy], run, earlier));
    }

    /// The report as the JSON of the documented legacy reports, with their keys; null where nothing was compared.
    pub fn to_legacy_json(&self) -> Value {
        let both = self.compat.as_ref().zip(self.case.as_ref());
        both.map_or(Value::Null, |(compat, case)| compat.legacy_json(case))
    }

    /// The report as the JSON of a version-2 workflow: the documented scores by name, 0 to 100, and the whole of
    /// [`Report::to_json`] under `hansel`.
    pub fn to_step_json(&self, provenance: &Provenance) -> Value {
        let mut scores = self.compat.as_ref().map(|compat| compat.step_scores()).unwrap_or_default();
        scores.insert("hansel".into(), self.to_json(provenance));
        Value::Object(scores)
    }

    /// The report as one self-contained HTML page.
    pub fn to_html(&self, provenance: &Provenance) -> String {
        crate::page::page(self, provenance)
    }

    /// Fidelity in words.
    pub(crate) fn fidelity_sentence(&self) -> String {
        let Some(fidelity) = self.fidelity else { return "Fidelity could not be measured.".into() };
        let word = match fidelity {
            _ if fidelity >= 0.95 => "The synthetic table is very close to the real one",
            _ if fidelity >= 0.9 => "The synthetic table is close to the real one",
            _ if fidelity >= 0.8 => "The synthetic table follows the real one, with visible differences",
            _ => "The synthetic table differs clearly from the real one",
        };
        let mut parts = Vec::new();
        for (metric, outcome) in self.outcomes.iter().filter(|(metric, _)| FIDELITY.contains(&metric.name)) {
            if let Some(score) = outcome.score.value() {
                parts.push(format!("{} {score:.3}", metric.title.to_lowercase()));
            }
        }
        format!("{word}: {}.", parts.join(", "))
    }

    /// Privacy in words.
    pub(crate) fn privacy_sentence(&self) -> String {
        let Some(privacy) = self.privacy else { return "Privacy could not be measured.".into() };
        let weakest = self
            .outcomes
            .iter()
            .find(|(metric, outcome)| metric.aspect == Aspect::Privacy && outcome.score.value() == Some(privacy));
        let weakest = weakest.map_or("", |(metric, _)| metric.title);
        let partly =
            if self.rows[2].is_none() { " Without a holdout, nearness to training rows was not measured." } else { "" };
        match privacy {
            _ if privacy >= 0.995 => format!("No training row shows beyond what chance allows.{partly}"),
            _ if privacy >= 0.95 => {
                format!("Little of single training rows shows; most of it in \"{}\".{partly}", weakest.to_lowercase())
            }
            _ => format!("Single training rows show; see \"{}\" before sharing.{partly}", weakest.to_lowercase()),
        }
    }
}

fn metric_json(metric: &Metric, outcome: &Outcome) -> Value {
    let mut value = Map::new();
    value.insert("value".into(), outcome.score.value().map_or(Value::Null, number));
    value.insert(
        "figures".into(),
        Value::Object(outcome.figures.iter().map(|(name, figure)| (name.to_string(), figure.clone())).collect()),
    );
    let ends = outcome.interval.map(|ends| Value::from(ends.map(number).to_vec()));
    value.insert("interval".into(), ends.unwrap_or(Value::Null));
    value.insert("ceiling".into(), outcome.ceiling.map_or(Value::Null, number));
    match outcome.score {
        Score::Undefined(reason) => value.insert("undefined".into(), reason.into()),
        Score::Of(_) => value.insert("sentence".into(), outcome.sentence.as_str().into()),
    };
    value.insert("aspect".into(), metric.aspect.word().into());
    value.insert("about".into(), metric.about.into());
    value.insert("source".into(), metric.source.into());
    Value::Object(value)
}

fn column_json(case: &Case, detail: &Detail) -> Value {
    let column = &case.columns[detail.index];
    let list = |shares: &[f64]| shares.iter().map(|&share| number(share)).collect::<Vec<Value>>();
    let edge = |edge: f64| if column.role == Role::Time { long_time(edge).into() } else { digits(edge) };
    let histogram = match &detail.spread {
        Spread::Bins { edges, shares, .. } => {
            let mut bins = json!({
                "edges": edges.iter().map(|&at| edge(at)).collect::<Vec<Value>>(),
                "training": list(&shares[0]), "synthetic": list(&shares[1]),
            });
            if column.role == Role::Time {
                bins["edges_us"] = edges.iter().map(|&at| Value::from(at)).collect();
            }
            bins
        }
        Spread::Values { values, shares, others, others_count } => json!({
            "values": values, "training": list(&shares[0]), "synthetic": list(&shares[1]),
            "others": { "values": others_count, "training": number(others[0]), "synthetic": number(others[1]) },
        }),
        Spread::Nothing(_) => Value::Null,
    };
    json!({
        "name": column.name, "kind": column.role.word(),
        "shape": detail.shape.value().map_or(Value::Null, number),
        "missing": { "training": number(detail.missing[0]), "synthetic": number(detail.missing[1]) },
        "histogram": histogram,
    })
}

/// An edge without the dust of its arithmetic.
fn digits(edge: f64) -> Value {
    format!("{edge:.11e}").parse::<f64>().ok().filter(|edge| edge.is_finite()).map_or(Value::Null, Value::from)
}

fn pair_json(case: &Case, pair: &Pair) -> Value {
    let [a, b] = pair.columns.map(|index| case.columns[index].name.as_str());
    let figure = |value: Option<f64>| value.map_or(Value::Null, number);
    json!({
        "columns": [a, b], "association": if pair.correlation { "pearson" } else { "cramers_v" },
        "training": figure(pair.training), "synthetic": figure(pair.synthetic),
        "similarity": figure(pair.similarity), "counted": pair.counted,
    })
}

fn warnings(case: &Case, outcomes: &[(&'static Metric, Outcome)]) -> Vec<String> {
    let mut warnings = Vec::new();
    if case.synthetic.rows == 0 {
        warnings.push("The synthetic table has no rows.".to_string());
        return warnings;
    }
    if case.holdout.is_none() {
        warnings.push(
            "There is no holdout: real rows that the model has not seen. Nearness to training rows cannot be measured."
                .into(),
        );
    }
    let least = [Some(&case.training), Some(&case.synthetic), case.holdout.as_ref()]
        .into_iter()
        .flatten()
        .map(|side| side.rows)
        .min();
    if let Some(rows) = least.filter(|&rows| rows < ROWS_FEW) {
        warnings.push(format!("The smallest table has {} rows: scores of so few move by chance.", count(rows)));
    }
    for (metric, outcome) in outcomes.iter().filter(|(metric, _)| metric.aspect == Aspect::Privacy) {
        if outcome.score.value().is_some_and(|score| score < 0.95) {
            warnings.push(format!("{}: {}", metric.title, outcome.sentence));
        }
    }
    let named = |indices: Vec<usize>, what: &str| {
        let names: Vec<&str> = indices.iter().take(5).map(|&index| case.columns[index].name.as_str()).collect();
        let more = if indices.len() > 5 { format!(" and {} more", indices.len() - 5) } else { String::new() };
        (!indices.is_empty()).then(|| format!("{what}: {}{more}.", names.join(", ")))
    };
    let all = || 0..case.columns.len();
    let collapsed =
        all().filter(|&index| varies(&case.training.sample[index]) && !varies(&case.synthetic.sample[index])).collect();
    warnings
        .extend(named(collapsed, "Columns with several values in the training table and one in the synthetic table"));
    let ids = all().filter(|&index| {
        case.columns[index].role == Role::Id
            && repeats(case.synthetic.codes(index))
            && !repeats(case.training.codes(index))
    });
    warnings.extend(named(
        ids.collect(),
        "Identifiers that are unique in the training table and repeat in the synthetic table",
    ));
    warnings
}

fn varies(cells: &Cells) -> bool {
    match cells {
        Cells::Numbers(values) => {
            let mut present = values.iter().filter(|value| !value.is_nan());
            present.next().is_some_and(|first| present.any(|value| value != first))
        }
        Cells::Codes(codes) => {
            let mut present = codes.iter().filter(|&&code| code > 0);
            present.next().is_some_and(|first| present.any(|code| code != first))
        }
    }
}

fn repeats(codes: &[u32]) -> bool {
    let mut present: Vec<u32> = codes.iter().copied().filter(|&code| code > 0).collect();
    present.sort_unstable();
    present.windows(2).any(|pair| pair[0] == pair[1])
}

/// Whether a column is a clock time: all its values lie on the first day.
pub(crate) fn clock(edges: &[f64], kind: Kind) -> bool {
    kind == Kind::Time
        && edges.first().is_some_and(|&first| first >= 0.0)
        && edges.last().is_some_and(|&last| last <= crate::scale::DAY)
}
