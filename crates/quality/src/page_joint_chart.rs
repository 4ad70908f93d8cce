//! Charts of one pair of columns. In: shares by cell, or quantiles by category. Out: markup, its texts escaped.

use std::fmt::Write;

use crate::encode::Column;
use crate::page_axes::{Axis, Plot, Run, TICK_SIZE, Tick, axis_of, write_text};
use crate::page_joint::{Bins, Grid, Quantiles, ROOM, ROOM_BESIDE, numbered};
use crate::page_pairs::{TINTS, opacity};
use crate::svg::{cut, cut_to_width, escape, isolated, percent, width};

/// Width of a category's name beside its boxes, in heights of the font; where one is longer, all stand above.
const NAME_BESIDE: f64 = 11.0;
const NAME_ABOVE: f64 = 36.0;

/// Both tables' shares side by side, in the same shades, with their scale below.
pub(crate) fn grids(grid: &Grid<'_>) -> String {
    let peak = grid.cells.iter().flatten().copied().flatten().fold(0.0, f64::max).max(1e-9);
    let mut markup = String::from("<div class=\"duo\">");
    for (cells, (word, class)) in grid.cells.iter().zip([("Training", "train"), ("Synthetic", "syn")]) {
        let _ =
            write!(markup, "<figure><figcaption>{word}</figcaption>{}</figure>", one(grid, cells, word, class, peak));
    }
    markup + "</div>" + &scale(peak)
}

fn one(grid: &Grid<'_>, cells: &[Option<f64>], word: &str, class: &str, peak: f64) -> String {
    let plot = Plot { across: [80.0, 316.0], down: [22.0, 222.0], chart: 320.0 };
    let [across, up] = &grid.axes;
    let axes = [axis(across, Run::Across), axis(up, Run::Up)];
    let mut tints = vec![String::new(); TINTS + 1];
    for (at, share) in cells.iter().enumerate() {
        let Some(share) = share else { continue };
        let (column, row) = (at / up.count(), at % up.count());
        let edge = |bins: &Bins<'_>, at: usize| match bins {
            Bins::Edges(_, edges) => edges[at],
            Bins::Names(..) => at as f64,
        };
        let (left, right) = (plot.x(&axes[0], edge(across, column)), plot.x(&axes[0], edge(across, column + 1)));
        let (bottom, top) = (plot.y(&axes[1], edge(up, row)), plot.y(&axes[1], edge(up, row + 1)));
        let tint = ((share / peak).sqrt() * TINTS as f64).round() as usize;
        let (wide, high) = (right - left - 0.6, bottom - top - 0.6);
        let _ = write!(tints[tint.min(TINTS)], "M{left:.1} {top:.1}h{wide:.1}v{high:.1}h-{wide:.1}z");
    }
    let described = format!(
        "{word}: share of rows by {} across and {} upwards; the densest cell holds {}",
        cut(&across.column().name, 80),
        cut(&up.column().name, 80),
        percent(cells.iter().flatten().copied().fold(0.0, f64::max))
    );
    let mut svg = format!("<svg viewBox=\"0 0 320 258\" role=\"img\" aria-label=\"{}\">", escape(&described));
    let _ = write!(svg, "<path class=\"ground\" d=\"M80 22H316V222H80z\"/>");
    for (tint, path) in tints.iter().enumerate().filter(|(_, path)| !path.is_empty()) {
        let _ = write!(svg, "<path class=\"{class}\" fill-opacity=\"{:.2}\" d=\"{path}\"/>", opacity(tint));
    }
    plot.draw_beside(&mut svg, &axes[1], false);
    plot.draw_below(&mut svg, &axes[0]);
    svg + "</svg>"
}

/// The axis of a pair's chart: numbers as they are, categories by name or number in the middle of their cells.
fn axis(bins: &Bins<'_>, run: Run) -> Axis {
    let room = ROOM[usize::from(run == Run::Up)];
    match bins {
        Bins::Edges(column, edges) => {
            let axis = axis_of(column, edges, run, room);
            // Beside the plot there is room for so much.
            let ticks = axis.ticks.into_iter().map(|tick| match run {
                Run::Across => tick,
                Run::Up => Tick { text: cut_to_width(&tick.text, ROOM_BESIDE / TICK_SIZE), ..tick },
            });
            Axis { ticks: ticks.collect(), ..axis }
        }
        Bins::Names(column, names) => {
            let by_number = numbered(names, run);
            let text = |at: usize, name: &str| if by_number { (at + 1).to_string() } else { isolated(name) };
            let ticks = names.iter().enumerate().map(|(at, name)| Tick { at: at as f64 + 0.5, text: text(at, name) });
            let title = isolated(&cut_to_width(&column.name, 20.0));
            Axis { ends: [0.0, names.len() as f64], ticks: ticks.collect(), title }
        }
    }
}

/// The shades of both grids and what they stand for: the root of the share, so that thin parts can be seen.
fn scale(peak: f64) -> String {
    let mut svg = format!(
        "<svg class=\"scale\" viewBox=\"0 0 320 34\" role=\"img\" aria-label=\"Shades: from 0 to {} of rows\">",
        escape(&percent(peak))
    );
    for (class, top) in [("train", 2.0), ("syn", 9.0)] {
        for tint in 0..=TINTS {
            let _ = write!(
                svg,
                "<path class=\"{class}\" fill-opacity=\"{:.2}\" d=\"M{} {top}h17.5v6h-17.5z\"/>",
                opacity(tint),
                108 + 18 * tint
            );
        }
    }
    write_text(&mut svg, "tick", [100.0, 12.0], "end", "% of rows");
    for (tint, share) in [(0.0, 0.0), (5.0, peak / 4.0), (10.0, peak)] {
        write_text(&mut svg, "tick", [108.0 + 18.0 * tint + 9.0, 29.0], "middle", &percent(share));
    }
    svg + "</svg>"
}

/// A number's quartiles in each category, training above synthetic.
pub(crate) fn boxes(
    number: &Column,
    edges: &[f64],
    category: &Column,
    rows: &[(String, [Option<Quantiles>; 2])],
) -> String {
    let above = rows.iter().any(|(name, _)| width(name) > NAME_BESIDE);
    let (left, row) = if above { (10.0, 46.0) } else { (150.0, 32.0) };
    let bottom = 22.0 + row * rows.len() as f64;
    let plot = Plot { across: [left, 468.0], down: [22.0, bottom], chart: 480.0 };
    let axis = axis_of(number, edges, Run::Across, plot.across[1] - plot.across[0]);
    let described = format!(
        "{} by {}: median, middle half and middle 80 % of rows, training above synthetic",
        cut(&number.name, 80),
        cut(&category.name, 80)
    );
    let mut svg = format!(
        "<svg class=\"boxes\" viewBox=\"0 0 480 {}\" role=\"img\" aria-label=\"{}\">",
        bottom + 38.0,
        escape(&described)
    );
    let rules: String = axis.ticks.iter().map(|tick| format!("M{:.1} 22V{bottom}", plot.x(&axis, tick.at))).collect();
    let _ = write!(svg, "<path class=\"rule\" d=\"{rules}\"/>");
    write_text(&mut svg, "tick title", [0.0, 13.0], "start", &isolated(&cut_to_width(&category.name, 40.0)));
    for (at, (name, sides)) in rows.iter().enumerate() {
        let top = 22.0 + row * at as f64 + if above { 18.0 } else { 4.0 };
        if above {
            write_text(&mut svg, "name", [2.0, top - 4.0], "start", &isolated(&cut_to_width(name, NAME_ABOVE)));
        } else {
            write_text(&mut svg, "name", [left - 8.0, top + 15.5], "end", &isolated(name));
        }
        for (side, class) in [(0, "train"), (1, "syn")] {
            let Some(of) = sides[side] else { continue };
            let y = top + 12.0 * side as f64;
            let [low, middle, high] = of.middle.map(|value| plot.x(&axis, value));
            if let Some(outer) = of.outer {
                let [from, to] = outer.map(|value| plot.x(&axis, value));
                let _ = write!(svg, "<path class=\"whisker {class}\" d=\"M{from:.1} {:.1}H{to:.1}\"/>", y + 5.0);
            }
            // A box of one bin is still a box.
            let (low, high) = (low.min(high - 2.0), high.max(low + 2.0));
            let _ = write!(svg, "<path class=\"{class}\" d=\"M{low:.1} {y:.1}H{high:.1}v10H{low:.1}z\"/>");
            let _ = write!(svg, "<path class=\"median\" d=\"M{middle:.1} {y:.1}v10\"/>");
        }
    }
    plot.draw_below(&mut svg, &axis);
    svg + "</svg>"
}
