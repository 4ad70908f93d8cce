//! The page. In: a report and where its data came from. Out: one HTML file that needs nothing else and runs nothing.

use askama::Template;

use crate::metric::{Outcome, Score};
use crate::page_attacks::{Attack, attacks, nearest};
use crate::page_columns::{Columns, columns};
use crate::page_pairs::{Pairs, pairs};
use crate::page_sections::{Changes, DocumentedScores, Gate, changes, documented, gate_rows};
use crate::report::{Provenance, Report};
use crate::scale::count;
use crate::svg;

/// What the model did: label of the provenance, heading.
const DEEDS: [(&str, &str); 4] = [
    ("law", "Rules found in the data and kept"),
    ("protection", "Protection of single rows"),
    ("column", "Columns treated apart"),
    ("parameter", "Settings"),
];

#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    title: String,
    sizes: Vec<(&'static str, String)>,
    overall: Vec<Overall>,
    warnings: Vec<String>,
    metrics: Vec<Row>,
    columns: Columns,
    pairs: Pairs,
    nearest: Attack,
    privacy_rows: Vec<[String; 4]>,
    changes: Option<Changes>,
    gate: Option<Gate>,
    attacks: Vec<Attack>,
    documented: DocumentedScores,
    deeds: Vec<(&'static str, Vec<String>)>,
    provenance: Provenance,
}

struct Overall {
    title: &'static str,
    value: String,
    class: &'static str,
    meter: String,
    sentence: String,
}

struct Row {
    title: &'static str,
    aspect: &'static str,
    value: String,
    meter: String,
    /// The 95 % interval, and what fresh real rows would score.
    interval: String,
    ceiling: String,
    found: String,
    about: &'static str,
    source: &'static str,
}

/// Renders the page.
pub(crate) fn page(report: &Report, provenance: &Provenance) -> String {
    let found = |label: &str| provenance.iter().find(|(name, _)| name == label).map(|(_, value)| value.clone());
    let rows = |at: usize| report.rows[at].map_or("none".into(), count);
    let page = Page {
        title: found("source").unwrap_or_else(|| "Synthetic data report".into()),
        sizes: vec![
            ("training rows", rows(0)),
            ("synthetic rows", rows(1)),
            ("holdout rows", rows(2)),
            ("columns", report.case.as_ref().map_or("none".into(), |case| count(case.columns.len()))),
        ],
        overall: vec![
            overall("Fidelity", report.fidelity, [0.9, 0.8], report.fidelity_sentence()),
            overall("Privacy", report.privacy, [0.95, 0.85], report.privacy_sentence()),
        ],
        warnings: report.warnings.iter().map(|warning| joined(warning)).collect(),
        metrics: metrics(report),
        columns: columns(report),
        pairs: pairs(report),
        nearest: nearest(report),
        privacy_rows: privacy_rows(report),
        changes: changes(report),
        gate: gate_rows(report),
        attacks: attacks(report),
        documented: documented(report),
        deeds: deeds(provenance),
        provenance: provenance
            .iter()
            .filter(|(label, _)| DEEDS.iter().all(|(kind, _)| label != kind))
            .cloned()
            .collect(),
    };
    // Writing into a string fails only where memory does.
    page.render().unwrap_or_default()
}

/// Text whose per cent signs stay with their numbers.
pub(crate) fn joined(text: &str) -> String {
    text.replace(" %", "\u{a0}%")
}

/// How good a score is, as a class of the style sheet.
pub(crate) fn grade(score: f64, [good, fair]: [f64; 2]) -> &'static str {
    match score {
        _ if score >= good => "good",
        _ if score >= fair => "fair",
        _ => "poor",
    }
}

fn overall(title: &'static str, value: Option<f64>, bands: [f64; 2], sentence: String) -> Overall {
    match value {
        Some(value) => Overall {
            title,
            // Never rounded up to a perfect score.
            value: format!("{:.1}", if value < 1.0 { (value * 1000.0).floor() / 10.0 } else { 100.0 }),
            class: grade(value, bands),
            meter: svg::meter(value, grade(value, bands)),
            sentence,
        },
        None => Overall { title, value: "\u{2013}".into(), class: "unknown", meter: String::new(), sentence },
    }
}

fn metrics(report: &Report) -> Vec<Row> {
    let row = |(metric, outcome): &(&'static crate::Metric, Outcome)| {
        let (value, meter, found) = match outcome.score {
            Score::Of(value) => {
                // What chance takes from fresh real rows is no fault of the copy.
                let fair = value + 1.0 - outcome.ceiling.unwrap_or(1.0);
                (format!("{value:.3}"), svg::meter(value, grade(fair, metric.bands)), joined(&outcome.sentence))
            }
            Score::Undefined(reason) => ("\u{2013}".into(), String::new(), format!("Not measured: {reason}.")),
        };
        Row {
            title: metric.title,
            aspect: metric.aspect.word(),
            value,
            meter,
            interval: outcome.interval.map_or_else(String::new, |[low, high]| format!("{low:.3} \u{2013} {high:.3}")),
            ceiling: outcome.ceiling.map_or("\u{2013}".into(), |ceiling| format!("{ceiling:.3}")),
            found,
            about: metric.about,
            source: metric.source,
        }
    };
    report.outcomes.iter().map(row).collect()
}

/// What one metric found.
pub(crate) fn outcome<'a>(report: &'a Report, name: &str) -> Option<&'a Outcome> {
    report.outcomes.iter().find(|(metric, _)| metric.name == name).map(|(_, outcome)| outcome)
}

/// Each row: what, share of synthetic rows, share of unseen real rows, score.
fn privacy_rows(report: &Report) -> Vec<[String; 4]> {
    let named = [
        ("exact_copies", "Equal to a training row", "exact_copy_rate_any", "exact_copy_rate_holdout_reference"),
        ("near_copies", "Very close to a training row", "share_synthetic", "share_holdout"),
        ("rare_values", "Hold a text of fewer than five training rows", "share", "share_holdout_reference"),
    ];
    let rows = named.into_iter().filter_map(|(metric, words, synthetic, real)| {
        let outcome = outcome(report, metric)?;
        let figure =
            |name: &str| outcome.figure(name).map_or("\u{2013}".into(), |share| format!("{:.2} %", share * 100.0));
        let score = outcome.score.value().map_or("\u{2013}".into(), |score| format!("{score:.3}"));
        Some([words.to_string(), figure(synthetic), figure(real), score])
    });
    rows.collect()
}

fn deeds(provenance: &Provenance) -> Vec<(&'static str, Vec<String>)> {
    let of = |kind: &str| {
        provenance.iter().filter(|(label, _)| label == kind).map(|(_, text)| text.clone()).collect::<Vec<_>>()
    };
    DEEDS.iter().map(|(kind, heading)| (*heading, of(kind))).filter(|(_, deeds)| !deeds.is_empty()).collect()
}
