//! Charts as SVG. In: shares, associations, labels. Out: markup without scripts, links or fonts of its own; every
//! text is escaped. Colours come from the page's style sheet by class, so that light, dark and print each have their
//! own.

/// Width of most characters, in heights of the font. On the wide side: what fits here fits in any usual font.
const CHARACTER: f64 = 0.62;
/// Width of Chinese, Japanese and Korean characters and of pictures.
const CHARACTER_WIDE: f64 = 1.05;
/// Characters that take two places.
const WIDE: [std::ops::RangeInclusive<u32>; 8] = [
    0x1100..=0x115f,
    0x2e80..=0xa4cf,
    0xac00..=0xd7a3,
    0xf900..=0xfaff,
    0xfe30..=0xfe6f,
    0xff00..=0xffe6,
    0x1f300..=0x1faff,
    0x20000..=0x3fffd,
];
/// Characters that stand on others, or cannot be seen.
const NARROW: [std::ops::RangeInclusive<u32>; 5] =
    [0x300..=0x36f, 0x591..=0x5bd, 0x64b..=0x65f, 0x200b..=0x200f, 0xfe00..=0xfe0f];

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

/// How wide a text is, in heights of its font.
pub(crate) fn width(text: &str) -> f64 {
    text.chars().map(character_width).sum()
}

fn character_width(character: char) -> f64 {
    let within =
        |ranges: &[std::ops::RangeInclusive<u32>]| ranges.iter().any(|range| range.contains(&(character as u32)));
    match character {
        _ if character.is_ascii() => CHARACTER,
        _ if within(&NARROW) => 0.0,
        _ if within(&WIDE) => CHARACTER_WIDE,
        _ => CHARACTER,
    }
}

/// The text cut to so many heights of its font, the cut marked.
pub(crate) fn cut_to_width(text: &str, most: f64) -> String {
    if width(text) <= most {
        return text.to_string();
    }
    let mut left = most - CHARACTER;
    let kept = text.chars().take_while(|&character| {
        left -= character_width(character);
        left >= 0.0
    });
    kept.chain(std::iter::once('\u{2026}')).collect()
}

/// A text of the data amid others: one that runs from right to left turns nothing around it.
pub(crate) fn isolated(text: &str) -> String {
    if text.is_ascii() { text.to_string() } else { format!("\u{2068}{text}\u{2069}") }
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

/// A bar that is filled to a score between 0 and 1.
pub(crate) fn meter(score: f64, class: &str) -> String {
    let width = 100.0 * score.clamp(0.0, 1.0);
    format!(
        "<svg class=\"meter\" viewBox=\"0 0 100 4\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><path \
         class=\"track\" d=\"M0 0H100V4H0z\"/><path class=\"{class}\" d=\"M0 0H{width:.1}V4H0z\"/></svg>"
    )
}
