//! Masking of what differs from run to run, so that cases can be compared.

/// Replaces ids of this prefix by the prefix and `#`.
pub(crate) fn mask_ids(text: &str, prefix: &str, letters: usize) -> String {
    let mut masked = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(prefix) {
        let after = &rest[at + prefix.len()..];
        let id: usize = after.bytes().take_while(u8::is_ascii_alphanumeric).count();
        masked.push_str(&rest[..at + prefix.len()]);
        if id == letters {
            masked.push('#');
            rest = &after[id..];
        } else {
            rest = after;
        }
    }
    masked + rest
}

/// Replaces every word (letters, digits, `-`, `:` and `.`) that fits by `#`.
pub(crate) fn mask_words(text: &str, fits: impl Fn(&str) -> bool) -> String {
    let inside = |c: char| c.is_ascii_alphanumeric() || "-:.".contains(c);
    let mut masked = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(inside) {
        masked.push_str(&rest[..at]);
        let end = rest[at..].find(|c| !inside(c)).map_or(rest.len(), |end| at + end);
        let word = &rest[at..end];
        masked.push_str(if fits(word) { "#" } else { word });
        rest = &rest[end..];
    }
    masked + rest
}

/// Replaces the number, or quoted text, behind every `label` by `#`.
pub(crate) fn mask_after(text: &str, label: &str) -> String {
    let mut masked = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(label) {
        let end = at + label.len();
        masked.push_str(&rest[..end]);
        rest = &rest[end..];
        let number = rest.bytes().take_while(|byte| byte.is_ascii_digit() || b".-:TZ".contains(byte)).count();
        if number > 0 {
            masked.push('#');
            rest = &rest[number..];
        }
    }
    masked + rest
}
