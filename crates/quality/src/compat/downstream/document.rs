//! The downstream report as JSON and as one HTML page without script. In: a report. Out: text; no value of a cell is in it.

use askama::Template;
use serde_json::{Map, Value, json};

use super::measures::{Reached, of_task};
use super::{Downstream, Family, Measure, Task};
use crate::metric::number;
use crate::report::Provenance;
use crate::scale::count;
use crate::svg;

#[derive(Template)]
#[template(path = "downstream.html")]
struct Page {
    title: String,
    kicker: &'static str,
    sizes: Vec<(&'static str, String)>,
    value: String,
    class: &'static str,
    grade: &'static str,
    meter: String,
    sentence: String,
    warning: String,
    measure: &'static str,
    direction: &'static str,
    top: Vec<[String; 5]>,
    measures: Vec<&'static str>,
    rows: Vec<Row>,
    provenance: Provenance,
}

/// What one family reaches, trained on one of the tables.
struct Row {
    title: &'static str,
    on: &'static str,
    cells: Vec<(&'static str, String)>,
}

impl Downstream {
    /// The task, in the word that file names have.
    pub fn task(&self) -> Task {
        self.ask.task
    }

    /// The summary that clients print: empty where there is no score.
    pub fn summary(&self) -> Vec<(&'static str, u64)> {
        self.score.iter().map(|score| ("average_metric_difference", score.legacy())).collect()
    }

    /// The report as JSON (`classification_report_json`, `regression_report_json`).
    pub fn to_json(&self) -> Value {
        let measures: Vec<&'static Measure> = of_task(self.ask.task).collect();
        let reached = |reached: &Reached| {
            let named = measures.iter().zip(reached);
            named
                .map(|(measure, value)| (measure.name.to_string(), value.map_or(Value::Null, number)))
                .collect::<Map<_, _>>()
        };
        let models = self.trained.iter().map(|trained| {
            let apart: Reached = trained.reached[0]
                .iter()
                .zip(&trained.reached[1])
                .map(|(real, synthetic)| Some((*real)? - (*synthetic)?))
                .collect();
            json!({
                "model": trained.family.id(), "name": trained.family.title(self.ask.task),
                "reference": reached(&trained.reached[0]), "synthetic": reached(&trained.reached[1]),
                "difference": reached(&apart),
            })
        });
        let top = |side: usize| {
            let of_model = |(family, value): (Family, f64)| json!({ "model": family.id(), "value": number(value) });
            self.top(side).into_iter().map(of_model).collect::<Vec<Value>>()
        };
        let score = self.score.map_or(
            Value::Null,
            |score| json!({ "raw_score": number(score.raw), "grade": score.grade(), "score": score.legacy() }),
        );
        let summed = self.summary().into_iter().map(|(field, value)| json!({ "field": field, "value": value }));
        json!({
            "summary": summed.collect::<Vec<Value>>(),
            "average_metric_difference": score,
            "task": self.ask.task.word(), "target": self.ask.target, "metric": self.ask.measure.name,
            "left_rows": self.rows[0], "left_cols": self.columns,
            "right_rows": self.rows[1], "right_cols": self.columns,
            "test_rows": self.rows[2],
            "test_rows_found": { "reference": self.found[0], "synthetic": self.found[1] },
            "top_models": { "reference": top(0), "synthetic": top(1) },
            "models": models.collect::<Vec<Value>>(),
            "fatal_error": self.undefined,
        })
    }

    /// The report as one self-contained page (`classification_report`, `regression_report`).
    pub fn to_html(&self, provenance: &Provenance) -> String {
        let (class, grade) = match self.score {
            Some(score) if score.score >= 9.0 => ("good", score.grade()),
            Some(score) if score.score >= 7.5 => ("fair", score.grade()),
            Some(score) => ("poor", score.grade()),
            None => ("unknown", "Not measured"),
        };
        let tops = [self.top(0), self.top(1)];
        let named = |side: usize, at: usize| {
            tops[side].get(at).map_or_else(
                || [String::new(), String::new()],
                |(family, value)| [family.title(self.ask.task).into(), figure(Some(*value))],
            )
        };
        let top = (0..tops[0].len().max(tops[1].len())).map(|at| {
            let ([real, reached], [synthetic, other]) = (named(0, at), named(1, at));
            [(at + 1).to_string(), real, reached, synthetic, other]
        });
        let measures: Vec<&'static str> = of_task(self.ask.task).map(|measure| measure.title).collect();
        let row = |title: &'static str, on: &'static str, reached: &Reached| Row {
            title,
            on,
            cells: measures.iter().copied().zip(reached.iter().map(|value| figure(*value))).collect(),
        };
        let rows = self.trained.iter().flat_map(|trained| {
            let title = trained.family.title(self.ask.task);
            [row(title, "real rows", &trained.reached[0]), row(title, "synthetic rows", &trained.reached[1])]
        });
        let page = Page {
            title: self.ask.target.clone(),
            kicker: match self.ask.task {
                Task::Classification => "Predicting a class",
                Task::Regression => "Predicting a number",
            },
            sizes: vec![
                ("real rows to train on", count(self.rows[0])),
                ("synthetic rows to train on", count(self.rows[1])),
                ("real rows to test on", count(self.rows[2])),
                ("columns", count(self.columns)),
            ],
            value: self.score.map_or("\u{2013}".into(), |score| score.legacy().to_string()),
            class,
            grade,
            meter: self.score.map_or(String::new(), |score| svg::meter((score.score / 10.0).min(1.0), class)),
            sentence: self.sentence(),
            warning: self.warning().unwrap_or_default(),
            measure: self.ask.measure.title,
            direction: if self.ask.measure.error { "less is better" } else { "more is better" },
            top: top.collect(),
            measures: measures.clone(),
            rows: rows.collect(),
            provenance: provenance.clone(),
        };
        // Writing into a string fails only where memory does.
        page.render().unwrap_or_default()
    }

    fn sentence(&self) -> String {
        let (Some(score), None) = (self.score, self.undefined) else {
            return format!("Nothing was measured: {}.", self.undefined.unwrap_or("there is no figure"));
        };
        let way = if self.ask.measure.error { "more" } else { "less" };
        let (apart, way) = match score.raw {
            raw if raw < 0.0 => (-raw, if way == "more" { "less" } else { "more" }),
            raw => (raw, way),
        };
        format!(
            "The best models trained on synthetic rows reach {} on average ({}, in held-out real rows), {} {way} than the \
             best trained on real rows.",
            figure(self.reached_by_best(1)),
            self.ask.measure.title,
            figure(Some(apart)),
        )
    }

    /// What makes the score worthless, if anything.
    pub fn warning(&self) -> Option<String> {
        self.leaks().then(|| {
            let [real, synthetic] = self.found.map(count);
            let tested = count(self.rows[2]);
            format!(
                "The synthetic table holds {synthetic} of the {tested} test rows, the training table {real}: its models \
                 have seen what they are tested on, and the score says nothing."
            )
        })
    }

    fn reached_by_best(&self, side: usize) -> Option<f64> {
        crate::statistic::mean(&self.top(side).iter().map(|(_, value)| *value).collect::<Vec<_>>())
    }
}

/// A figure as the page shows it.
fn figure(value: Option<f64>) -> String {
    match value {
        None => "\u{2013}".into(),
        Some(value) if value.abs() >= 1e6 || (value != 0.0 && value.abs() < 1e-4) => format!("{value:.3e}"),
        Some(value) if value.abs() >= 100.0 => format!("{value:.1}"),
        Some(value) => format!("{value:.3}"),
    }
}
