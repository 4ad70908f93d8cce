//! The pairs of the page: maps of all associations, the same as a table, and charts of the pairs worth a look. In: a
//! report. Out: markup and rows of text.

use std::fmt::Write;

use crate::case::Case;
use crate::page_axes::write_text;
use crate::page_joint::chart;
use crate::pair_trends::{Pair, SHOWN_COLUMNS_MAX};
use crate::report::Report;
use crate::scale::count;
use crate::svg::{cut, cut_to_width, escape, isolated, width};

/// Pairs with charts.
const DRAWN: usize = 16;
/// Pairs of those that are chosen for how much they differ, if so many do; the others are the strongest.
const APART_DRAWN: usize = 10;
/// Pairs that differ less are not chosen for it.
const APART_MIN: f64 = 0.02;
/// Pairs whose charts are open from the start.
const OPEN: usize = 2;
/// Pairs in the table that says what the maps show.
const LISTED: usize = 190;
/// Heat maps of more columns number them instead of naming them.
const NAMED_MAX: usize = 20;
/// Width of a name beside a map, in heights of the font; where one is longer, all are listed below.
const NAME_WIDTH: f64 = 7.3;
/// Steps of colour in a heat map.
pub(crate) const TINTS: usize = 10;
/// From this difference on a cell has its full colour.
const FULL_DIFFERENCE: f64 = 0.5;

/// All that the page says of pairs.
#[derive(Default)]
pub(crate) struct Pairs {
    /// What was left out, or why there is nothing.
    pub(crate) note: String,
    /// Title and markup of each map.
    pub(crate) maps: Vec<(&'static str, String)>,
    /// Names of the maps' columns, where those have numbers.
    pub(crate) names: Vec<String>,
    /// Pair, measure, training, synthetic, difference: what the maps show.
    pub(crate) listed: Vec<[String; 5]>,
    /// What of that was left out.
    pub(crate) listed_note: String,
    /// Pairs with charts.
    pub(crate) drawn: Vec<Drawn>,
}

/// One pair with its chart.
pub(crate) struct Drawn {
    /// Its anchor.
    pub(crate) id: String,
    /// Both names.
    pub(crate) title: String,
    /// Its associations in words.
    pub(crate) summary: String,
    /// Why it was chosen.
    pub(crate) reason: &'static str,
    /// Whether it is open from the start.
    pub(crate) open: bool,
    /// Markup; empty where there is nothing to draw.
    pub(crate) chart: String,
    /// What the axes' numbers stand for, and what is not shown.
    pub(crate) notes: Vec<String>,
}

/// What one map shows.
struct Map {
    title: &'static str,
    class: &'static str,
    /// From which value on a cell has its full colour.
    full: f64,
    /// What the scale measures.
    measure: &'static str,
    value: fn(&Pair) -> Option<f64>,
}

const MAPS: [Map; 3] = [
    Map { title: "Training", class: "pos", full: 1.0, measure: "association", value: |pair| pair.training },
    Map { title: "Synthetic", class: "pos", full: 1.0, measure: "association", value: |pair| pair.synthetic },
    Map { title: "Difference", class: "diff", full: FULL_DIFFERENCE, measure: "difference of the two", value: apart },
];

/// How far the associations are apart.
fn apart(pair: &Pair) -> Option<f64> {
    Some((pair.training? - pair.synthetic.unwrap_or(0.0)).abs())
}

/// The pairs of a report.
pub(crate) fn pairs(report: &Report) -> Pairs {
    let nothing = |note: &str| Pairs { note: note.to_string(), ..Pairs::default() };
    let Some(case) = &report.case else { return nothing("The tables could not be compared.") };
    let pairs = case.pairs();
    if pairs.shown.len() < 2 || case.synthetic.rows == 0 {
        return nothing("There are fewer than two columns with values to compare.");
    }
    let chosen = choose(&pairs.list);
    let names: Vec<&str> = pairs.shown.iter().map(|&index| case.columns[index].name.as_str()).collect();
    let cell = |a: usize, b: usize| -> Option<&Pair> {
        let wanted = [pairs.shown[a].min(pairs.shown[b]), pairs.shown[a].max(pairs.shown[b])];
        pairs.list.binary_search_by(|pair| pair.columns.cmp(&wanted)).ok().map(|at| &pairs.list[at])
    };
    let linked = |pair: &Pair| chosen.iter().any(|(of, _)| of.columns == pair.columns).then(|| anchor(pair));
    let maps = MAPS.iter().map(|map| (map.title, heat_map(map, &names, cell, linked))).collect();
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
    if !chosen.iter().any(|(_, reason)| *reason == DIFFERS) {
        note += &format!(" No association differs by {APART_MIN} or more.");
    }
    let (listed, listed_note) = listed(case, &pairs.list, &pairs.shown);
    Pairs {
        note,
        maps,
        names: if names.len() > NAMED_MAX || names.iter().any(|name| width(name) > NAME_WIDTH) {
            names.iter().map(|name| cut(name, 80)).collect()
        } else {
            Vec::new()
        },
        listed,
        listed_note,
        drawn: chosen
            .into_iter()
            .enumerate()
            .map(|(at, (pair, reason))| drawn(report, case, pair, reason, at))
            .collect(),
    }
}

const DIFFERS: &str = "differs most";
const STRONG: &str = "among the strongest in training";

/// The pairs that get a chart: those that differ most, then those that are strongest in the training table.
fn choose(list: &[Pair]) -> Vec<(&Pair, &'static str)> {
    let by = |value: fn(&Pair) -> Option<f64>, least: f64| {
        let mut sorted: Vec<&Pair> =
            list.iter().filter(|pair| value(pair).is_some_and(|value| value >= least)).collect();
        sorted.sort_by(|a, b| value(b).unwrap_or(0.0).total_cmp(&value(a).unwrap_or(0.0)));
        sorted
    };
    let mut chosen: Vec<(&Pair, &'static str)> =
        by(apart, APART_MIN).into_iter().take(APART_DRAWN).map(|pair| (pair, DIFFERS)).collect();
    for pair in by(|pair| pair.training.map(f64::abs), 0.0) {
        if chosen.len() < DRAWN && chosen.iter().all(|(of, _)| of.columns != pair.columns) {
            chosen.push((pair, STRONG));
        }
    }
    chosen
}

fn anchor(pair: &Pair) -> String {
    format!("pair-{}-{}", pair.columns[0] + 1, pair.columns[1] + 1)
}

fn title(case: &Case, pair: &Pair, chars: usize) -> String {
    let [a, b] = pair.columns.map(|index| isolated(&cut(&case.columns[index].name, chars)));
    format!("{a} \u{00d7} {b}")
}

fn figure(value: Option<f64>) -> String {
    // Zero has two signs; only one is wanted.
    let rounded = |value: f64| (value * 100.0).round() / 100.0 + 0.0;
    value.map_or("\u{2013}".into(), |value| format!("{:.2}", rounded(value)).replace('-', "\u{2212}"))
}

fn measure(pair: &Pair) -> &'static str {
    if pair.correlation { "correlation" } else { "Cramer's V" }
}

fn drawn(report: &Report, case: &Case, pair: &Pair, reason: &'static str, at: usize) -> Drawn {
    let measured = measure(pair);
    let (chart, notes) = chart(case, &report.details, pair.columns);
    Drawn {
        id: anchor(pair),
        title: title(case, pair, 60),
        summary: format!("{measured} {} in training, {} in synthetic", figure(pair.training), figure(pair.synthetic)),
        reason,
        open: at < OPEN,
        chart,
        notes,
    }
}

/// What the maps show, as rows; of many pairs those that differ most.
fn listed(case: &Case, list: &[Pair], shown: &[usize]) -> (Vec<[String; 5]>, String) {
    let mut pairs: Vec<&Pair> =
        list.iter().filter(|pair| pair.columns.iter().all(|column| shown.binary_search(column).is_ok())).collect();
    let all = pairs.len();
    pairs.sort_by(|a, b| apart(b).unwrap_or(-1.0).total_cmp(&apart(a).unwrap_or(-1.0)));
    pairs.truncate(LISTED);
    let row = |pair: &Pair| {
        let figures = [pair.training, pair.synthetic, apart(pair)].map(figure);
        let [training, synthetic, apart] = figures;
        [title(case, pair, 40), measure(pair).to_string(), training, synthetic, apart]
    };
    let note = if all > LISTED {
        format!("The {LISTED} pairs of the maps that differ most, of {}; the JSON report has them all.", count(all))
    } else {
        "Every pair of the maps, those that differ most first.".to_string()
    };
    (pairs.into_iter().map(row).collect(), note)
}

/// The lower half of a matrix of associations, with its scale below. Cells whose pair has a chart lead to it.
fn heat_map<'a>(
    map: &Map,
    names: &[&str],
    pair: impl Fn(usize, usize) -> Option<&'a Pair>,
    linked: impl Fn(&Pair) -> Option<String>,
) -> String {
    let columns = names.len().max(1);
    let named = columns <= NAMED_MAX;
    let (left, size) = if named { (140.0, 330.0) } else { (30.0, 440.0) };
    let cell = size / columns as f64;
    let gap = if named { 1.0 } else { 0.4 };
    // One path per tint keeps the markup small.
    let mut tints = vec![[String::new(), String::new()]; TINTS + 1];
    let (mut empty, mut links) = (String::new(), String::new());
    for row in 0..columns {
        for column in 0..=row {
            let (x, y, side) = (left + column as f64 * cell, row as f64 * cell, cell - gap);
            let square = format!("M{x:.1} {y:.1}h{side:.1}v{side:.1}h-{side:.1}z");
            if row == column {
                empty.push_str(&square);
                continue;
            }
            let of = pair(row, column);
            let value = of.and_then(map.value);
            match value {
                Some(value) => {
                    let tint = ((value.abs() / map.full).min(1.0) * TINTS as f64).round() as usize;
                    tints[tint][usize::from(value < 0.0)].push_str(&square);
                }
                None => empty.push_str(&square),
            }
            if let Some(anchor) = of.and_then(&linked) {
                let (a, b) = (names[column].to_string(), names[row]);
                let said = format!("{} \u{00d7} {}: {}", isolated(&cut(&a, 40)), isolated(&cut(b, 40)), figure(value));
                // One map is enough to walk through by keyboard.
                let apart = if map.class == "diff" { "" } else { " tabindex=\"-1\"" };
                let _ = write!(
                    links,
                    "<a href=\"#{anchor}\"{apart}><path class=\"hit\" d=\"{square}\"><title>{}</title></path></a>",
                    escape(&said)
                );
            }
        }
    }
    let described = format!(
        "{}: {} of {} columns, pair by pair; a table with the figures follows",
        map.title,
        map.measure,
        names.len()
    );
    let mut svg = format!(
        "<svg viewBox=\"0 -5 {} {}\" role=\"group\" aria-label=\"{}\">",
        left + size + 10.0,
        size + 68.0,
        escape(&described)
    );
    svg.push_str("<g aria-hidden=\"true\">");
    if !empty.is_empty() {
        let _ = write!(svg, "<path class=\"none\" d=\"{empty}\"/>");
    }
    for (tint, paths) in tints.iter().enumerate() {
        for (path, class) in paths.iter().zip([map.class, "neg"]).filter(|(path, _)| !path.is_empty()) {
            let _ = write!(svg, "<path class=\"{class}\" fill-opacity=\"{:.2}\" d=\"{path}\"/>", opacity(tint));
        }
    }
    write_labels(&mut svg, names, left, size);
    write_scale(&mut svg, map, size + 30.0, left + size);
    svg + "</g>" + &links + "</svg>"
}

/// How dense the colour of a tint is.
pub(crate) fn opacity(tint: usize) -> f64 {
    (0.03 + 0.97 * tint as f64 / TINTS as f64).min(1.0)
}

/// The scale of a map: its colours and what they stand for.
fn write_scale(svg: &mut String, map: &Map, top: f64, right: f64) {
    let both = map.class == "pos";
    let (step, from) = (14.0, right - 14.0 * if both { 21.0 } else { 11.0 });
    let first = if both { -(TINTS as i64) } else { 0 };
    for (at, tint) in (first..=TINTS as i64).enumerate() {
        let class = if tint < 0 { "neg" } else { map.class };
        let _ = write!(
            svg,
            "<path class=\"{class}\" fill-opacity=\"{:.2}\" d=\"M{:.0} {top}h13.5v10h-13.5z\"/>",
            opacity(tint.unsigned_abs() as usize),
            from + step * at as f64
        );
    }
    let ends: &[(f64, &str)] =
        if both { &[(0.5, "\u{2212}1"), (10.5, "0"), (20.5, "1")] } else { &[(0.5, "0"), (10.5, "0.5+")] };
    for (at, text) in ends {
        write_text(svg, "tick", [(from + step * at).min(right - 8.0), top + 25.0], "middle", text);
    }
    write_text(svg, "tick", [from - 8.0, top + 10.0], "end", map.measure);
}

/// Names or numbers left of a heat map's rows and below its columns.
fn write_labels(svg: &mut String, names: &[&str], left: f64, size: f64) {
    let named = names.len() <= NAMED_MAX;
    let cell = size / names.len().max(1) as f64;
    for (at, name) in names.iter().enumerate() {
        let middle = (at as f64 + 0.5) * cell;
        if named {
            let label = format!("{} {}", isolated(&cut_to_width(name, NAME_WIDTH)), at + 1);
            write_text(svg, "label", [left - 5.0, middle + 4.5], "end", &label);
        }
        if named || at % 5 == 4 || at == 0 {
            let number = (at + 1).to_string();
            if !named {
                write_text(svg, "tick", [left - 4.0, middle + 4.0], "end", &number);
            }
            write_text(svg, "tick", [left + middle, size + 14.0], "middle", &number);
        }
    }
}
