//! Charts as SVG. In: shares, associations, labels. Out: markup without scripts, links or fonts of its own; every
//! text is escaped. Colours come from the page's style sheet by class, so that light, dark and print each have their
//! own.

use std::fmt::Write;

/// Characters of a name beside a chart.
const NAME_CHARS: usize = 17;
/// Heat maps of more columns number them instead of naming them.
const NAMED_MAX: usize = 20;
/// Steps of colour in a heat map.
const TINTS: usize = 10;

/// Text for markup and attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // A line of a chart is one line.
            _ if character.is_control() => escaped.push(' '),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// Text cut to so many characters, the cut marked.
pub(crate) fn cut(text: &str, chars: usize) -> String {
    if text.chars().count() <= chars {
        return text.to_string();
    }
    text.chars().take(chars - 1).chain(std::iter::once('\u{2026}')).collect()
}

/// A share in per cent, as exact as its size asks for.
pub(crate) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        _ if percent == 0.0 || percent >= 9.95 => format!("{percent:.0} %"),
        _ if percent < 0.05 => "< 0.1 %".into(),
        _ => format!("{percent:.1} %"),
    }
}

/// Two distributions over the same bins: the training table as bars, the synthetic one as a line. `labels` are those of
/// the first, a middle and the last edge.
pub(crate) fn histogram(name: &str, shares: [&[f64]; 2], middle: usize, labels: [&str; 3]) -> String {
    let (left, right, top, base) = (6.0, 314.0, 20.0, 122.0);
    let peak = shares.iter().flat_map(|shares| shares.iter()).copied().fold(0.0, f64::max).max(1e-9);
    let bins = shares[0].len().max(1) as f64;
    let x = |edge: f64| left + (right - left) * edge / bins;
    let y = |share: f64| base - (base - top) * share / peak;
    let mut svg = String::new();
    let described = format!("{name}: distribution from {} to {}, training against synthetic", labels[0], labels[2]);
    let _ = write!(svg, "<svg viewBox=\"0 0 320 142\" role=\"img\" aria-label=\"{}\">", escape(&described));
    let _ = write!(svg, "<path class=\"rule\" d=\"M{left} {top}H{right}M{left} {:.1}H{right}\"/>", (top + base) / 2.0);
    let _ = write!(svg, "<text class=\"tick\" x=\"{left}\" y=\"13\">{} of values</text>", escape(&percent(peak)));
    let mut bars = String::new();
    for (at, &share) in shares[0].iter().enumerate().filter(|(_, share)| **share > 0.0) {
        let (from, to) = (x(at as f64) + 0.5, x(at as f64 + 1.0) - 0.5);
        let _ = write!(bars, "M{from:.1} {base}V{:.1}H{to:.1}V{base}z", y(share));
    }
    let _ = write!(svg, "<path class=\"bar\" d=\"{bars}\"/>");
    let mut line = format!("M{left} {base}");
    for (at, &share) in shares[1].iter().enumerate() {
        let _ = write!(line, "V{:.1}H{:.1}", y(share), x(at as f64 + 1.0));
    }
    let _ =
        write!(svg, "<path class=\"line\" d=\"{line}V{base}\"/><path class=\"axis\" d=\"M{left} {base}H{right}\"/>");
    for (label, (at, anchor)) in labels.iter().zip([(left, "start"), (x(middle as f64), "middle"), (right, "end")]) {
        let _ = write!(
            svg,
            "<text class=\"tick\" x=\"{at:.1}\" y=\"137\" text-anchor=\"{anchor}\">{}</text>",
            escape(label)
        );
    }
    svg + "</svg>"
}

/// Two distributions over the same values, value by value; `muted_last` marks a last row that gathers the others.
pub(crate) fn bars(name: &str, labels: &[String], shares: [&[f64]; 2], muted_last: bool) -> String {
    let (left, right, row) = (124.0, 252.0, 25.0);
    // The others together would dwarf each single value: they have figures and no bar.
    let barred = labels.len() - usize::from(muted_last);
    let peak = shares.iter().flat_map(|shares| shares[..barred].iter()).copied().fold(0.0, f64::max).max(1e-9);
    let height = row * labels.len() as f64 + 18.0;
    let mut svg = String::new();
    let described = format!("{name}: share of each value, training against synthetic");
    let _ = write!(svg, "<svg viewBox=\"0 0 320 {height}\" role=\"img\" aria-label=\"{}\">", escape(&described));
    let _ = write!(svg, "<text class=\"tick\" x=\"282\" y=\"11\" text-anchor=\"end\">train</text>");
    let _ = write!(svg, "<text class=\"tick\" x=\"320\" y=\"11\" text-anchor=\"end\">synth</text>");
    for (at, label) in labels.iter().enumerate() {
        let top = 18.0 + row * at as f64;
        let class = if at >= barred { "tick" } else { "name" };
        let _ = write!(svg, "<text class=\"{class}\" x=\"118\" y=\"{:.1}\" text-anchor=\"end\">", top + 14.5);
        let _ = write!(svg, "{}<title>{}</title></text>", escape(&cut(label, NAME_CHARS)), escape(&cut(label, 200)));
        for (side, class) in [(0, "bar"), (1, "fill")].into_iter().filter(|_| at < barred) {
            let width = (right - left) * shares[side][at] / peak;
            if width >= 0.05 {
                let from = top + 2.0 + 9.0 * side as f64;
                let _ = write!(svg, "<path class=\"{class}\" d=\"M{left} {from:.1}h{width:.1}v8h-{width:.1}z\"/>");
            }
        }
        for (side, x) in [(0, 282.0), (1, 320.0)] {
            let share = shares[side][at] * 100.0;
            let share = if share > 0.0 && share < 0.05 { "<0.1".to_string() } else { format!("{share:.1}") };
            let _ = write!(
                svg,
                "<text class=\"tick\" x=\"{x}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                top + 14.5,
                escape(&share)
            );
        }
    }
    let _ = write!(svg, "<path class=\"axis\" d=\"M{left} 18V{height}\"/>");
    svg + "</svg>"
}

/// The lower half of a matrix of associations. `value(row, column)` is between -1 and 1; `None` leaves the cell empty.
/// `strength` scales it to full colour; `class` is the colour of values above 0.
pub(crate) fn heat_map(
    title: &str,
    names: &[&str],
    class: &str,
    strength: f64,
    value: impl Fn(usize, usize) -> Option<f64>,
) -> String {
    let columns = names.len().max(1);
    let named = columns <= NAMED_MAX;
    let (left, size) = (if named { 152.0 } else { 28.0 }, 360.0);
    let cell = size / columns as f64;
    let gap = if named { 1.0 } else { 0.4 };
    // One path per tint keeps the markup small.
    let mut tints = vec![[String::new(), String::new()]; TINTS + 1];
    let mut empty = String::new();
    for row in 0..columns {
        for column in 0..=row {
            let (x, y, side) = (left + column as f64 * cell, row as f64 * cell, cell - gap);
            let path = match value(row, column) {
                Some(value) => {
                    let tint = ((value.abs() * strength).min(1.0) * TINTS as f64).round() as usize;
                    &mut tints[tint][usize::from(value < 0.0)]
                }
                None => &mut empty,
            };
            let _ = write!(path, "M{x:.1} {y:.1}h{side:.1}v{side:.1}h-{side:.1}z");
        }
    }
    let mut svg = String::new();
    let _ = write!(
        svg,
        "<svg viewBox=\"0 -5 {} {}\" role=\"img\" aria-label=\"{}\">",
        left + size + 10.0,
        size + 23.0,
        escape(title)
    );
    if !empty.is_empty() {
        let _ = write!(svg, "<path class=\"none\" d=\"{empty}\"/>");
    }
    for (tint, paths) in tints.iter().enumerate() {
        for (path, class) in paths.iter().zip([class, "neg"]).filter(|(path, _)| !path.is_empty()) {
            let opacity = (0.03 + 0.97 * tint as f64 / TINTS as f64).min(1.0);
            let _ = write!(svg, "<path class=\"{class}\" fill-opacity=\"{opacity:.2}\" d=\"{path}\"/>");
        }
    }
    write_labels(&mut svg, names, left, size);
    svg + "</svg>"
}

/// Names or numbers left of a heat map's rows and below its columns.
fn write_labels(svg: &mut String, names: &[&str], left: f64, size: f64) {
    let named = names.len() <= NAMED_MAX;
    let cell = size / names.len().max(1) as f64;
    for (at, name) in names.iter().enumerate() {
        let middle = (at as f64 + 0.5) * cell;
        let numbered = named || at % 5 == 4 || at == 0;
        if named {
            let label = format!("{} {}", cut(name, 14), at + 1);
            let _ = write!(
                svg,
                "<text class=\"label\" x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">",
                left - 5.0,
                middle + 4.5
            );
            let _ = write!(svg, "{}<title>{}</title></text>", escape(&label), escape(&cut(name, 200)));
        } else if numbered {
            let _ = write!(
                svg,
                "<text class=\"tick\" x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                left - 4.0,
                middle + 4.0,
                at + 1
            );
        }
        if numbered {
            let _ = write!(
                svg,
                "<text class=\"tick\" x=\"{:.1}\" y=\"{:.0}\" text-anchor=\"middle\">{}</text>",
                left + middle,
                size + 13.0,
                at + 1
            );
        }
    }
}

/// Where the share of nearest records lies between chance and a full copy.
pub(crate) fn nearest_scale(share: f64, error: f64, full_copy: f64) -> String {
    let (low, high) = ((0.44f64).min(share - 0.02), full_copy.max(share) + 0.015);
    let x = |share: f64| 12.0 + 336.0 * (share - low) / (high - low);
    let (from, to) = (x((0.5 - 2.0 * error).max(low)), x((0.5 + 2.0 * error).min(high)));
    let mark = x(share);
    let anchor = if mark < 90.0 {
        "start"
    } else if mark > 270.0 {
        "end"
    } else {
        "middle"
    };
    let mut svg = String::new();
    let described = format!(
        "{} of synthetic rows are nearer to training rows; chance is 50 %, a full copy {}",
        percent(share),
        percent(full_copy)
    );
    let _ = write!(svg, "<svg viewBox=\"0 0 360 78\" role=\"img\" aria-label=\"{}\">", escape(&described));
    let _ = write!(
        svg,
        "<path class=\"band\" d=\"M{from:.1} 24H{to:.1}V44H{from:.1}z\"/><path class=\"axis\" d=\"M12 44H348\"/>"
    );
    let _ = write!(svg, "<path class=\"axis\" d=\"M{:.1} 24V48M{:.1} 24V48\"/>", x(0.5), x(full_copy));
    let _ = write!(
        svg,
        "<text class=\"tick\" x=\"{:.1}\" y=\"16\" text-anchor=\"middle\">chance 50 %</text>",
        x(0.5).max(40.0)
    );
    let _ = write!(
        svg,
        "<text class=\"tick\" x=\"{:.1}\" y=\"16\" text-anchor=\"end\">full copy {:.1} %</text>",
        x(full_copy) + 10.0,
        full_copy * 100.0
    );
    let _ = write!(svg, "<path class=\"fill\" d=\"M{mark:.1} 44l-6 11h12z\"/>");
    let _ = write!(
        svg,
        "<text class=\"name\" x=\"{mark:.1}\" y=\"70\" text-anchor=\"{anchor}\">this table {:.1} %</text>",
        share * 100.0
    );
    svg + "</svg>"
}

/// A bar that is filled to a score between 0 and 1.
pub(crate) fn meter(score: f64, class: &str) -> String {
    let width = 100.0 * score.clamp(0.0, 1.0);
    format!(
        "<svg class=\"meter\" viewBox=\"0 0 100 4\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><path \
         class=\"track\" d=\"M0 0H100V4H0z\"/><path class=\"{class}\" d=\"M0 0H{width:.1}V4H0z\"/></svg>"
    )
}
