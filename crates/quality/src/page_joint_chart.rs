//! Charts of one pair of columns. In: shares by cell, or quantiles by category. Out: markup, its texts escaped.

use std::fmt::Write;

use crate::encode::Column;
use crate::page_axes::{Axis, Plot, Run, TICK_SIZE, Tick, axis_of, write_text};
use crate::page_joint::{Bins, Grid, Quantiles, ROOM, ROOM_BESIDE, numbered};
use crate::page_pairs::{TINTS, opacity};
use crate::svg::{cut, cut_to_width, escape, isolated, percent, width};

/// Width of a category's name beside its boxes, in heights of the font; where one is longer, all stand above.
const NAME_BESIDE: f64 = 9.4;
/// Width of a name above its boxes.
const NAME_ABOVE: f64 = 30.0;

/// One grid of the three.
struct Sheet {
    title: &'static str,
    /// Classes of cells above and below 0.
    classes: [&'static str; 2],
    cells: Vec<Option<f64>>,
    /// The value of the fullest shade.
    full: f64,
    /// What the shades measure.
    measure: &'static str,
}

/// Both tables' shares side by side in the same shades, and what the one has more than the other.
pub(crate) fn grids(grid: &Grid<'_>) -> String {
    let [training, synthetic] = &grid.cells;
    let difference: Vec<Option<f64>> =
        training.iter().zip(synthetic).map(|(real, made)| Some((*made)? - (*real)?)).collect();
    let full = |cells: &[&Vec<Option<f64>>]| {
        cells
            .iter()
            .flat_map(|cells| cells.iter())
            .flatten()
            .fold(0.0, |most: f64, share| most.max(share.abs()))
            .max(1e-9)
    };
    let peak = full(&[training, synthetic]);
    // Where nothing differs, nothing is made to look as if it did.
    let furthest = full(&[&difference]).max(1e-3);
    let share = |title, class, cells: &Vec<Option<f64>>| Sheet {
        title,
        classes: [class, class],
        cells: cells.clone(),
        full: peak,
        measure: "% of rows",
    };
    let sheets = [
        share("Training", "train", training),
        share("Synthetic", "syn", synthetic),
        Sheet {
            title: "Synthetic less training",
            classes: ["pos", "neg"],
            cells: difference,
            full: furthest,
            measure: "% points",
        },
    ];
    let mut markup = String::from("<div class=\"duo\">");
    for sheet in &sheets {
        let _ = write!(markup, "<figure><figcaption>{}</figcaption>{}</figure>", sheet.title, one(grid, sheet));
    }
    markup + "</div>"
}

fn one(grid: &Grid<'_>, sheet: &Sheet) -> String {
    let plot = Plot { across: [80.0, 316.0], down: [22.0, 222.0], chart: 320.0 };
    let [across, up] = &grid.axes;
    let axes = [axis(across, Run::Across), axis(up, Run::Up)];
    let mut tints = vec![[String::new(), String::new()]; TINTS + 1];
    for (at, share) in sheet.cells.iter().enumerate() {
        let Some(share) = share else { continue };
        let (column, row) = (at / up.count(), at % up.count());
        let (left, right) = (plot.x(&axes[0], edge(across, column)), plot.x(&axes[0], edge(across, column + 1)));
        let (bottom, top) = (plot.y(&axes[1], edge(up, row)), plot.y(&axes[1], edge(up, row + 1)));
        let tint = ((share.abs() / sheet.full).sqrt() * TINTS as f64).round() as usize;
        let (wide, high) = (right - left - 0.6, bottom - top - 0.6);
        let path = &mut tints[tint.min(TINTS)][usize::from(*share < 0.0)];
        let _ = write!(path, "M{left:.1} {top:.1}h{wide:.1}v{high:.1}h-{wide:.1}z");
    }
    let mut svg =
        format!("<svg viewBox=\"0 0 320 296\" role=\"img\" aria-label=\"{}\">", escape(&described(grid, sheet)));
    let _ = write!(svg, "<path class=\"ground\" d=\"M80 22H316V222H80z\"/>");
    for (tint, paths) in tints.iter().enumerate() {
        for (path, class) in paths.iter().zip(sheet.classes).filter(|(path, _)| !path.is_empty()) {
            let _ = write!(svg, "<path class=\"{class}\" fill-opacity=\"{:.2}\" d=\"{path}\"/>", opacity(tint));
        }
    }
    plot.draw_beside(&mut svg, &axes[1], false);
    plot.draw_below(&mut svg, &axes[0]);
    write_shades(&mut svg, sheet);
    svg + "</svg>"
}

fn edge(bins: &Bins<'_>, at: usize) -> f64 {
    match bins {
        Bins::Edges(_, edges) => edges[at],
        Bins::Names(..) => at as f64,
    }
}

/// A grid in words: what it is of, and where its fullest cell lies.
fn described(grid: &Grid<'_>, sheet: &Sheet) -> String {
    let [across, up] = &grid.axes;
    let size = |at: &usize| sheet.cells[*at].map_or(-1.0, f64::abs);
    let fullest = (0..sheet.cells.len()).max_by(|a, b| size(a).total_cmp(&size(b)).then(b.cmp(a))).unwrap_or(0);
    let share = sheet.cells.get(fullest).copied().flatten().unwrap_or(0.0);
    let sign = if share < 0.0 { "minus " } else { "" };
    format!(
        "{}, {} by {} across in {} bins and {} upwards in {}; the fullest cell is the {}. across and {}. up with {sign}{}",
        sheet.title,
        sheet.measure,
        cut(&across.column().name, 80),
        across.count(),
        cut(&up.column().name, 80),
        up.count(),
        fullest / up.count() + 1,
        fullest % up.count() + 1,
        percent(share.abs())
    )
}

/// The shades of a grid and what they stand for: the root of the share, so that thin parts can be seen.
fn write_shades(svg: &mut String, sheet: &Sheet) {
    let both = sheet.classes[0] != sheet.classes[1];
    let (first, step) = if both { (-(TINTS as i64), 11.0) } else { (0, 20.0) };
    let place = |tint: i64| 84.0 + step * (tint - first) as f64;
    for tint in first..=TINTS as i64 {
        let (class, x) = (sheet.classes[usize::from(tint < 0)], place(tint));
        let shade = opacity(tint.unsigned_abs() as usize);
        let _ =
            write!(svg, "<path class=\"{class}\" fill-opacity=\"{shade:.2}\" d=\"M{x} 266h{}v9h-{0}z\"/>", step - 0.5);
    }
    write_text(svg, "tick", [76.0, 275.0], "end", sheet.measure);
    let end = percent(sheet.full);
    let ends = if both {
        vec![(first, format!("\u{2212}{end}")), (0, "0".to_string()), (TINTS as i64, format!("+{end}"))]
    } else {
        vec![(0, "0".to_string()), (TINTS as i64 / 2, percent(sheet.full / 4.0)), (TINTS as i64, end)]
    };
    for (tint, text) in ends {
        let half = width(&text) * TICK_SIZE / 2.0;
        let x = (place(tint) + step / 2.0).min(320.0 - half);
        write_text(svg, "tick", [x, 290.0], "middle", &text.replace(" %", ""));
    }
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

/// A number's quartiles in each category, training above synthetic.
pub(crate) fn boxes(
    number: &Column,
    edges: &[f64],
    category: &Column,
    rows: &[(String, [Option<Quantiles>; 2])],
) -> String {
    let above = rows.iter().any(|(name, _)| width(name) > NAME_BESIDE);
    let (left, row) = if above { (10.0, 46.0) } else { (122.0, 32.0) };
    let bottom = 22.0 + row * rows.len() as f64;
    let plot = Plot { across: [left, 366.0], down: [22.0, bottom], chart: 380.0 };
    let axis = axis_of(number, edges, Run::Across, plot.across[1] - plot.across[0]);
    let described = format!(
        "{} by {}: median, middle half and middle 80 % of rows, training above synthetic",
        cut(&number.name, 80),
        cut(&category.name, 80)
    );
    let mut svg = format!(
        "<svg class=\"boxes\" viewBox=\"0 0 380 {}\" role=\"img\" aria-label=\"{}\">",
        bottom + 38.0,
        escape(&described)
    );
    let rules: String = axis.ticks.iter().map(|tick| format!("M{:.1} 22V{bottom}", plot.x(&axis, tick.at))).collect();
    let _ = write!(svg, "<path class=\"rule\" d=\"{rules}\"/>");
    write_text(&mut svg, "tick title", [0.0, 13.0], "start", &isolated(&cut_to_width(&category.name, 32.0)));
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
