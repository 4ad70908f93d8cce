//! The columns of the page: a card with the two distributions for each. In: a report. Out: cards and rows of text.

use std::fmt::Write;

use crate::case::Case;
use crate::detail::{Detail, Spread};
use crate::encode::Column;
use crate::page::grade;
use crate::page_axes::{Plot, Run, axis_of, shares as share_axis, write_text};
use crate::report::Report;
use crate::scale::count;
use crate::svg::{cut, cut_to_width, escape, isolated, percent, width};

/// Most columns with a chart.
const CARDS_MAX: usize = 48;
/// Most columns of the plain list, where there are more than charts.
const LISTED_MAX: usize = 1_000;
/// Width of a name beside its bars, in heights of the font; where one is longer, all stand above their bars.
const NAME_BESIDE: f64 = 9.4;
/// Width of a name above its bars.
const NAME_ABOVE: f64 = 26.0;

/// All that the page says of columns.
#[derive(Default)]
pub(crate) struct Columns {
    /// The columns with charts, in table order.
    pub(crate) cards: Vec<Card>,
    /// Every column in words, where not every one has a card.
    pub(crate) listed: Vec<Listed>,
    /// What was left out.
    pub(crate) note: String,
}

/// One column with its chart.
pub(crate) struct Card {
    /// Its name, cut where it is very long.
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    pub(crate) score: String,
    pub(crate) class: &'static str,
    /// Markup; empty where there is nothing to draw.
    pub(crate) chart: String,
    /// Why there is nothing to draw.
    pub(crate) nothing: &'static str,
    /// A sentence on missing cells.
    pub(crate) missing: String,
}

/// One column in words.
pub(crate) struct Listed {
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    pub(crate) score: String,
    /// Missing cells: training, synthetic.
    pub(crate) missing: [String; 2],
}

/// The columns, those that agree least first to be drawn.
pub(crate) fn columns(report: &Report) -> Columns {
    let Some(case) = &report.case else { return Columns::default() };
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
    Columns { cards: chosen.into_iter().map(|detail| card(case, detail)).collect(), listed, note }
}

fn list(case: &Case, detail: &Detail) -> Listed {
    let column = &case.columns[detail.index];
    Listed {
        name: cut(&column.name, 80),
        kind: column.role.word(),
        score: detail.shape.value().map_or("\u{2013}".into(), |score| format!("{score:.3}")),
        missing: detail.missing.map(percent),
    }
}

fn card(case: &Case, detail: &Detail) -> Card {
    let column = &case.columns[detail.index];
    let (chart, nothing) = match &detail.spread {
        Spread::Bins { edges, shares, .. } => (histogram(column, edges, [&shares[0], &shares[1]]), ""),
        Spread::Values { values, shares, others, others_count } => {
            let (mut values, mut shares) = (values.clone(), shares.clone());
            if *others_count > 0 {
                let word = if *others_count == 1 { "other" } else { "others" };
                values.push(format!("{} {word}", count(*others_count)));
                shares[0].push(others[0]);
                shares[1].push(others[1]);
            }
            (bars(&column.name, &values, [&shares[0], &shares[1]], *others_count > 0), "")
        }
        Spread::Nothing(reason) => (String::new(), *reason),
    };
    let (score, class) = detail.shape.value().map_or(("\u{2013}".into(), "unknown"), |score| {
        (format!("{score:.3}"), grade(score, crate::column_shapes::METRIC.bands))
    });
    let missing = match detail.missing {
        [0.0, 0.0] => "No missing values.".to_string(),
        [training, synthetic] => {
            format!("Missing: {} in training, {} in synthetic.", percent(training), percent(synthetic))
        }
    };
    Card { name: cut(&column.name, 120), kind: column.role.word(), score, class, chart, nothing, missing }
}

/// Two distributions over the same bins: the training table as bars, the synthetic one as a line.
fn histogram(column: &Column, edges: &[f64], shares: [&[f64]; 2]) -> String {
    let plot = Plot { across: [32.0, 312.0], down: [24.0, 128.0], chart: 320.0 };
    let values = axis_of(column, edges, Run::Across, plot.across[1] - plot.across[0]);
    let peak = shares.iter().flat_map(|shares| shares.iter()).copied().fold(0.0, f64::max);
    let mut height = share_axis(peak, 4.0);
    height.title = "% of values".into();
    let (x, y) = (|at: usize| plot.x(&values, edges[at]), |share: f64| plot.y(&height, share));
    let base = plot.down[1];
    let mut svg = String::new();
    let described = format!("{}: {}", column.name, peaks(&values.title, edges.len() - 1, shares));
    let _ = write!(svg, "<svg viewBox=\"0 0 320 166\" role=\"img\" aria-label=\"{}\">", escape(&described));
    plot.draw_beside(&mut svg, &height, true);
    let mut bars = String::new();
    for (at, &share) in shares[0].iter().enumerate().filter(|(_, share)| **share > 0.0) {
        let (from, to) = (x(at) + 0.5, x(at + 1) - 0.5);
        let _ = write!(bars, "M{from:.1} {base}V{:.1}H{to:.1}V{base}z", y(share));
    }
    let _ = write!(svg, "<path class=\"bar\" d=\"{bars}\"/>");
    let mut line = format!("M{} {base}", plot.across[0]);
    for (at, &share) in shares[1].iter().enumerate() {
        let _ = write!(line, "V{:.1}H{:.1}", y(share), x(at + 1));
    }
    let _ = write!(svg, "<path class=\"line\" d=\"{line}V{base}\"/>");
    plot.draw_below(&mut svg, &values);
    svg + "</svg>"
}

/// Where each distribution is highest, in words.
fn peaks(title: &str, bins: usize, shares: [&[f64]; 2]) -> String {
    let highest = |shares: &[f64]| {
        let place = (0..shares.len()).max_by(|&a, &b| shares[a].total_cmp(&shares[b]).then(b.cmp(&a))).unwrap_or(0);
        (place + 1, shares.get(place).copied().unwrap_or(0.0))
    };
    let [(real, of_real), (made, of_made)] = shares.map(highest);
    format!(
        "distribution over {bins} bins of {title}; training is highest in bin {real} with {}, synthetic in bin {made} \
         with {}",
        percent(of_real),
        percent(of_made)
    )
}

/// Two distributions over the same values, value by value; `muted_last` marks a last row that gathers the others.
fn bars(name: &str, labels: &[String], shares: [&[f64]; 2], muted_last: bool) -> String {
    let above = labels.iter().any(|label| width(label) > NAME_BESIDE);
    let (left, row) = if above { (2.0, 42.0) } else { (122.0, 25.0) };
    // The others together would dwarf each single value: they have figures and no bar.
    let barred = labels.len() - usize::from(muted_last);
    let peak = shares.iter().flat_map(|shares| shares[..barred].iter()).copied().fold(0.0, f64::max);
    let axis = share_axis(peak, if above { 5.0 } else { 3.0 });
    let bottom = 20.0 + row * labels.len() as f64;
    let plot = Plot { across: [left, 244.0], down: [20.0, bottom], chart: 320.0 };
    let mut svg = String::new();
    let described = format!("{name}: share of each value, training against synthetic");
    let _ =
        write!(svg, "<svg viewBox=\"0 0 320 {}\" role=\"img\" aria-label=\"{}\">", bottom + 36.0, escape(&described));
    write_text(&mut svg, "tick", [281.0, 12.0], "end", "train");
    write_text(&mut svg, "tick", [320.0, 12.0], "end", "synth");
    let rules: String =
        axis.ticks[1..].iter().map(|tick| format!("M{:.1} 20V{bottom}", plot.x(&axis, tick.at))).collect();
    let _ = write!(svg, "<path class=\"rule\" d=\"{rules}\"/>");
    for (at, label) in labels.iter().enumerate() {
        let top = 20.0 + row * at as f64 + if above { 17.0 } else { 2.0 };
        let class = if at >= barred { "tick" } else { "name" };
        let most = if above { NAME_ABOVE } else { NAME_BESIDE };
        let label = escape(&isolated(&cut_to_width(&cut(label, 200), most)));
        let (x, y, anchor) = if above { (2.0, top - 4.0, "start") } else { (left - 6.0, top + 12.5, "end") };
        let _ = write!(svg, "<text class=\"{class}\" x=\"{x}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{label}</text>");
        for (side, class) in [(0, "bar"), (1, "fill")].into_iter().filter(|_| at < barred) {
            let width = plot.x(&axis, shares[side][at]) - left;
            if width >= 0.05 {
                let from = top + 9.0 * side as f64;
                let _ = write!(svg, "<path class=\"{class}\" d=\"M{left} {from:.1}h{width:.1}v8h-{width:.1}z\"/>");
            }
        }
        for (side, x) in [(0, 281.0), (1, 320.0)] {
            let share = shares[side][at] * 100.0;
            let share = if share > 0.0 && share < 0.05 { "<0.1".to_string() } else { format!("{share:.1}") };
            write_text(&mut svg, "tick", [x, top + 12.5], "end", &share);
        }
    }
    let _ = write!(svg, "<path class=\"axis\" d=\"M{left} 20V{bottom}\"/>");
    let titled = crate::page_axes::Axis { title: "% of values".into(), ..axis };
    plot.draw_below(&mut svg, &titled);
    svg + "</svg>"
}
