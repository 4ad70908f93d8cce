//! Sections of the page that stand by themselves: gate, documented scores, changes since the last run. In: a report.
//! Out: rows of text for the template.

use crate::compat::{Compat, Documented};
use crate::gate::{Check, CheckState};
use crate::report::Report;
use crate::scale::count;
use crate::svg;

/// Columns listed that moved.
const MOVED_LISTED: usize = 12;

/// The scores that documented reports have.
#[derive(Default)]
pub(crate) struct DocumentedScores {
    /// Name, score out of ten, class, meter, grade and what it is made of; the two sums first.
    pub(crate) rows: Vec<DocumentedRow>,
    /// Column, kind, values in training, values found again.
    pub(crate) replay: Vec<[String; 4]>,
}

/// One documented score.
pub(crate) struct DocumentedRow {
    pub(crate) title: &'static str,
    pub(crate) value: String,
    pub(crate) meter: String,
    pub(crate) grade: &'static str,
    pub(crate) about: String,
}

/// What changed since the last run.
pub(crate) struct Changes {
    /// The earlier run.
    pub(crate) run: String,
    /// What, then, now.
    pub(crate) rows: Vec<[String; 3]>,
    /// Column, how far it moved, how far chance moves it.
    pub(crate) moved: Vec<[String; 3]>,
    /// One or more sentences.
    pub(crate) said: String,
}

/// What a gate said.
pub(crate) struct Gate {
    /// One sentence.
    pub(crate) said: String,
    /// Check, figure, its end nearer to passing, limit, outcome; and a class of the style sheet.
    pub(crate) rows: Vec<([String; 5], &'static str)>,
}

/// The verdict as rows; none where no gate was asked.
pub(crate) fn gate_rows(report: &Report) -> Option<Gate> {
    let verdict = report.verdict.as_ref()?;
    let said = if verdict.passed {
        "The copy may leave: no figure stands in its way.".to_string()
    } else {
        format!("The gate does not let the copy through: {}.", verdict.reason())
    };
    let title = |name: &str| match name {
        "rows" => "Real rows".to_string(),
        "fidelity" => "Fidelity".to_string(),
        name => {
            crate::METRICS.iter().find(|metric| metric.name == name).map_or(name, |metric| metric.title).to_string()
        }
    };
    let figure = |name: &str, value: Option<f64>| match value {
        None => "\u{2013}".to_string(),
        Some(value) if name == "rows" => count(value as usize),
        Some(value) => format!("{value:.3}"),
    };
    let row = |check: &Check| {
        let class = match check.state {
            CheckState::Passed => "good",
            CheckState::NotApplicable => "unknown",
            CheckState::Refused | CheckState::Missing => "poor",
        };
        let sign = if matches!(check.name, "rows" | "fidelity") { "at least" } else { "at most" };
        let cells = [
            title(check.name),
            figure(check.name, check.figure),
            figure(check.name, check.lower),
            format!("{sign} {}", check.limit),
            check.state.word().to_string(),
        ];
        (cells, class)
    };
    Some(Gate { said, rows: verdict.checks.iter().map(row).collect() })
}

/// The documented scores as rows.
pub(crate) fn documented(report: &Report) -> DocumentedScores {
    let Some(compat) = &report.compat else { return DocumentedScores::default() };
    let rows = [
        quality(compat.quality, "Synthetic Quality Score", |_| {
            "of the three below, and of texts where there are some".into()
        }),
        quality(compat.distribution, "Column Distribution Stability", |raw| {
            format!("mean Jensen-Shannon distance {raw:.4}")
        }),
        quality(compat.correlation, "Column Correlation Stability", |raw| {
            format!("mean difference of correlations {raw:.4}")
        }),
        quality(compat.deep, "Deep Structure Stability", |raw| {
            format!("distance along two principal components {raw:.4}")
        }),
        quality(compat.text_structure, "Text Structure Similarity", |raw| format!("mean distance of lengths {raw:.4}")),
        quality(compat.text_semantic, "Text Semantic Similarity", |raw| {
            format!("largest one-sided distance {raw:.4}, by shared words and not by a language model")
        }),
        privacy(compat.privacy, "Data Privacy Score", |_| "mean of the two below".into()),
        privacy(compat.membership, "Membership Inference Protection", |raw| {
            format!("{raw:.2} of 3 points over 360 attacks")
        }),
        privacy(compat.attributes, "Attribute Inference Protection", |raw| {
            format!("weighted accuracy {raw:.3} of guesses")
        }),
    ];
    DocumentedScores { rows: rows.into_iter().flatten().collect(), replay: replay(compat) }
}

type About = fn(f64) -> String;

fn quality(score: Option<Documented>, title: &'static str, about: About) -> Option<DocumentedRow> {
    score.map(|score| row(score, title, score.grade(), about))
}

fn privacy(score: Option<Documented>, title: &'static str, about: About) -> Option<DocumentedRow> {
    score.map(|score| row(score, title, score.privacy_grade(), about))
}

fn row(score: Documented, title: &'static str, grade: &'static str, about: About) -> DocumentedRow {
    let class = match score.score {
        score if score >= 8.0 => "good",
        score if score >= 6.0 => "fair",
        _ => "poor",
    };
    DocumentedRow {
        title,
        value: format!("{:.1}", score.current()),
        meter: svg::meter(score.score / 10.0, class),
        grade,
        about: about(score.raw),
    }
}

fn replay(compat: &Compat) -> Vec<[String; 4]> {
    let row = |replayed: &crate::compat::Replayed| {
        let found = format!("{} ({}\u{a0}%)", count(replayed.distinct_replayed), replayed.percent());
        [svg::cut(&replayed.column, 60), replayed.entity.replace('_', " "), count(replayed.distinct), found]
    };
    compat.replay.iter().map(row).collect()
}

/// The changes as rows; none where no earlier report is known.
pub(crate) fn changes(report: &Report) -> Option<Changes> {
    let since = report.since.as_ref()?;
    let score = |score: Option<f64>| score.map_or("\u{2013}".into(), |score| format!("{score:.3}"));
    let rows = |rows: Option<u64>| rows.map_or("\u{2013}".into(), |rows| count(rows as usize));
    let drifted = since.drifted();
    let moved = drifted.iter().take(MOVED_LISTED);
    let names = |names: &[String]| names.iter().map(|name| svg::cut(name, 40)).collect::<Vec<_>>().join(", ");
    let mut said = vec![match drifted.len() {
        0 => "No column of the source moved by more than chance explains.".to_string(),
        1 => "One column of the source moved by more than chance explains.".to_string(),
        many => format!("{many} columns of the source moved by more than chance explains."),
    }];
    if !since.added.is_empty() {
        said.push(format!("New columns: {}.", names(&since.added)));
    }
    if !since.removed.is_empty() {
        said.push(format!("Columns that are gone: {}.", names(&since.removed)));
    }
    Some(Changes {
        run: since.run.clone(),
        rows: vec![
            ["Fidelity".into(), score(since.fidelity[0]), score(since.fidelity[1])],
            ["Privacy".into(), score(since.privacy[0]), score(since.privacy[1])],
            ["Training rows".into(), rows(since.rows[0]), rows(since.rows[1])],
        ],
        moved: moved
            .map(|drift| {
                [svg::cut(&drift.column, 60), format!("{:.3}", drift.distance), format!("{:.3}", drift.expected)]
            })
            .collect(),
        said: said.join(" "),
    })
}
