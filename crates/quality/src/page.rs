//! The page. In: a report and where its data came from. Out: one HTML file that needs nothing else and runs nothing.

use askama::Template;

use crate::case::Case;
use crate::detail::{Detail, Spread};
use crate::encode::Role;
use crate::metric::{Outcome, Score};
use crate::page_sections::{Changes, DocumentedScores, Gate, attacks, changes, documented, gate_rows};
use crate::pair_trends::{Pair, SHOWN_COLUMNS_MAX};
use crate::report::{Provenance, Report, clock};
use crate::scale::{count, short_number, short_time};
use crate::svg;

/// Most columns with a chart.
const CARDS_MAX: usize = 60;
/// Most columns of the plain list, where there are more than charts.
const LISTED_MAX: usize = 1_000;
/// Pairs listed by how much they differ.
const PAIRS_LISTED: usize = 8;
/// Pairs that differ less are not listed.
const PAIRS_APART_MIN: f64 = 0.02;
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
    columns_note: String,
    cards: Vec<Card>,
    listed: Vec<Listed>,
    pairs_note: String,
    maps: Vec<(&'static str, String)>,
    map_names: Vec<String>,
    pairs: Vec<[String; 5]>,
    privacy_scale: String,
    privacy_text: String,
    privacy_rows: Vec<[String; 4]>,
    changes: Option<Changes>,
    gate: Option<Gate>,
    attacks: Vec<[String; 4]>,
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

struct Card {
    name: String,
    kind: &'static str,
    score: String,
    class: &'static str,
    chart: String,
    nothing: &'static str,
    missing: String,
}

struct Listed {
    name: String,
    kind: &'static str,
    score: String,
    missing: [String; 2],
}

/// Renders the page.
pub(crate) fn page(report: &Report, provenance: &Provenance) -> String {
    let found = |label: &str| provenance.iter().find(|(name, _)| name == label).map(|(_, value)| value.clone());
    let rows = |at: usize| report.rows[at].map_or("none".into(), count);
    let (cards, listed, columns_note) = columns(report);
    let (maps, map_names, pairs, pairs_note) = pairs(report);
    let (privacy_scale, privacy_text) = nearest(report);
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
        columns_note,
        cards,
        listed,
        pairs_note,
        maps,
        map_names,
        pairs,
        privacy_scale,
        privacy_text,
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
fn joined(text: &str) -> String {
    text.replace(" %", "\u{a0}%")
}

/// How good a score is, as a class of the style sheet.
fn grade(score: f64, [good, fair]: [f64; 2]) -> &'static str {
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

fn columns(report: &Report) -> (Vec<Card>, Vec<Listed>, String) {
    let Some(case) = &report.case else { return (Vec::new(), Vec::new(), String::new()) };
    let total = report.details.len();
    let mut chosen: Vec<&Detail> = report.details.iter().collect();
    let mut note = String::new();
    let mut listed = Vec::new();
    if total > CARDS_MAX {
        chosen.sort_by(|a, b| {
            a.shape.value().unwrap_or(1.0).total_cmp(&b.shape.value().unwrap_or(1.0)).then(a.index.cmp(&b.index))
        });
        chosen.truncate(CARDS_MAX);
        chosen.sort_by_key(|detail| detail.index);
        note = format!(
            "The table has {} columns. Charts are drawn for the {CARDS_MAX} whose shapes agree least",
            count(total)
        );
        note += if total > LISTED_MAX { "; the JSON report has them all." } else { "; all are listed below them." };
        listed = report.details.iter().take(LISTED_MAX).map(|detail| list(case, detail)).collect();
    }
    (chosen.into_iter().map(|detail| card(case, detail)).collect(), listed, note)
}

fn list(case: &Case, detail: &Detail) -> Listed {
    let column = &case.columns[detail.index];
    Listed {
        name: svg::cut(&column.name, 80),
        kind: column.role.word(),
        score: detail.shape.value().map_or("\u{2013}".into(), |score| format!("{score:.3}")),
        missing: detail.missing.map(svg::percent),
    }
}

fn card(case: &Case, detail: &Detail) -> Card {
    let column = &case.columns[detail.index];
    let (chart, nothing) = match &detail.spread {
        Spread::Bins { edges, step, shares } => {
            let clock = clock(edges, column.kind);
            let label = |edge: f64| match column.role {
                Role::Time => short_time(edge, *step, clock),
                _ => short_number(edge, *step),
            };
            let middle = (edges.len() - 1) / 2;
            let labels = [label(edges[0]), label(edges[middle]), label(edges[edges.len() - 1])];
            let [first, between, last] = labels.each_ref().map(String::as_str);
            (
                svg::histogram(
                    &column.name,
                    [&shares[0], &shares[1]],
                    middle,
                    [first, if middle > 0 { between } else { "" }, last],
                ),
                "",
            )
        }
        Spread::Values { values, shares, others, others_count } => {
            let (mut values, mut shares) = (values.clone(), shares.clone());
            if *others_count > 0 {
                let word = if *others_count == 1 { "other" } else { "others" };
                values.push(format!("{} {word}", count(*others_count)));
                shares[0].push(others[0]);
                shares[1].push(others[1]);
            }
            (svg::bars(&column.name, &values, [&shares[0], &shares[1]], *others_count > 0), "")
        }
        Spread::Nothing(reason) => (String::new(), *reason),
    };
    let (score, class) = detail.shape.value().map_or(("\u{2013}".into(), "unknown"), |score| {
        (format!("{score:.3}"), grade(score, crate::column_shapes::METRIC.bands))
    });
    let missing = match detail.missing {
        [0.0, 0.0] => "No missing values.".to_string(),
        [training, synthetic] => {
            format!("Missing: {} in training, {} in synthetic.", svg::percent(training), svg::percent(synthetic))
        }
    };
    Card { name: svg::cut(&column.name, 120), kind: column.role.word(), score, class, chart, nothing, missing }
}

type Maps = (Vec<(&'static str, String)>, Vec<String>, Vec<[String; 5]>, String);

fn pairs(report: &Report) -> Maps {
    let nothing = |note: &str| (Vec::new(), Vec::new(), Vec::new(), note.to_string());
    let Some(case) = &report.case else { return nothing("The tables could not be compared.") };
    let pairs = case.pairs();
    if pairs.shown.len() < 2 || case.synthetic.rows == 0 {
        return nothing("There are fewer than two columns with values to compare.");
    }
    let of = |a: usize, b: usize| -> Option<&Pair> {
        let wanted = [pairs.shown[a].min(pairs.shown[b]), pairs.shown[a].max(pairs.shown[b])];
        pairs.list.binary_search_by(|pair| pair.columns.cmp(&wanted)).ok().map(|at| &pairs.list[at])
    };
    let names: Vec<&str> = pairs.shown.iter().map(|&index| case.columns[index].name.as_str()).collect();
    let map = |title: &'static str, class: &str, strength: f64, value: &dyn Fn(&Pair) -> Option<f64>| {
        let diagonal = if class == "diff" { 0.0 } else { 1.0 };
        let described = format!("{title}: associations of {} columns", names.len());
        (
            title,
            svg::heat_map(&described, &names, class, strength, |row, column| {
                if row == column { Some(diagonal) } else { value(of(row, column)?) }
            }),
        )
    };
    let apart = |pair: &Pair| Some((pair.training? - pair.synthetic.unwrap_or(0.0)).abs());
    let maps = vec![
        map("Training", "pos", 1.0, &|pair| pair.training),
        map("Synthetic", "pos", 1.0, &|pair| pair.synthetic),
        map("Difference", "diff", 2.0, &apart),
    ];
    let mut worst: Vec<&Pair> =
        pairs.list.iter().filter(|pair| apart(pair).is_some_and(|apart| apart >= PAIRS_APART_MIN)).collect();
    worst.sort_by(|a, b| apart(b).unwrap_or(0.0).total_cmp(&apart(a).unwrap_or(0.0)));
    let figure = |value: Option<f64>| value.map_or("\u{2013}".into(), |value| format!("{value:.2}"));
    let row = |pair: &&Pair| {
        let [a, b] = pair.columns.map(|index| svg::cut(&case.columns[index].name, 60));
        let measure = if pair.correlation { "correlation" } else { "Cramer's V" };
        [
            format!("{a} \u{00d7} {b}"),
            measure.into(),
            figure(pair.training),
            figure(pair.synthetic),
            figure(pair.similarity),
        ]
    };
    let mut note = String::new();
    if case.compared().len() > pairs.shown.len() {
        note = format!("The maps show the {SHOWN_COLUMNS_MAX} columns whose shapes agree least, in table order. ");
    }
    if pairs.list.len() < pairs.total {
        note += &format!(
            "Of {} pairs, {} were drawn and measured.",
            count(pairs.total),
            count(pairs.list.iter().filter(|pair| pair.drawn).count())
        );
    }
    if worst.is_empty() {
        note += &format!(" No association differs by {PAIRS_APART_MIN} or more.");
    }
    let numbered = if names.len() > 20 { names.iter().map(|name| svg::cut(name, 40)).collect() } else { Vec::new() };
    (maps, numbered, worst.iter().take(PAIRS_LISTED).map(row).collect(), note)
}

fn outcome<'a>(report: &'a Report, name: &str) -> Option<&'a Outcome> {
    report.outcomes.iter().find(|(metric, _)| metric.name == name).map(|(_, outcome)| outcome)
}

fn nearest(report: &Report) -> (String, String) {
    let Some(outcome) = outcome(report, "nearest_record") else { return Default::default() };
    match (
        outcome.figure("dcr_share_train"),
        outcome.figure("dcr_share_se"),
        outcome.figure("dcr_share_full_copy"),
        outcome.score,
    ) {
        (Some(share), Some(error), Some(full), _) => {
            (svg::nearest_scale(share, error, full), joined(&outcome.sentence))
        }
        (.., Score::Undefined(reason)) => (String::new(), format!("Nearness was not measured: {reason}.")),
        _ => Default::default(),
    }
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
