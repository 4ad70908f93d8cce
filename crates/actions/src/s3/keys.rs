//! Keys: opaque UTF-8. Joined, never normalised; decoded exactly as `encoding-type=url` encodes them.

/// A `path` as the prefix of keys: no slash in front, one behind, nothing for the root.
pub(crate) fn directory(path: &str) -> String {
    let path = path.strip_prefix('/').unwrap_or(path);
    if path.is_empty() || path.ends_with('/') { path.to_string() } else { format!("{path}/") }
}

/// The key of `filename` below `path`.
pub(crate) fn join(path: &str, filename: &str) -> String {
    let prefix = directory(path);
    // Only where a path goes before it is a slash in front of a name doubled; alone it is part of the key.
    if prefix.is_empty() {
        filename.to_string()
    } else {
        format!("{prefix}{}", filename.strip_prefix('/').unwrap_or(filename))
    }
}

/// Undoes the form encoding of listings: `%XX` and `+` for a blank. `None` if what is left is not UTF-8.
pub(crate) fn decode(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = |byte: u8| (byte as char).to_digit(16).map(|digit| digit as u8);
        match bytes[at] {
            b'+' => decoded.push(b' '),
            b'%' => match (bytes.get(at + 1).copied().and_then(hex), bytes.get(at + 2).copied().and_then(hex)) {
                (Some(high), Some(low)) => {
                    decoded.push(high * 16 + low);
                    at += 2;
                }
                _ => decoded.push(b'%'),
            },
            byte => decoded.push(byte),
        }
        at += 1;
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_names_join_with_one_slash() {
        for (path, filename, key) in [
            ("out", "a.csv", "out/a.csv"),
            ("out/", "a.csv", "out/a.csv"),
            ("/out/", "a.csv", "out/a.csv"),
            ("", "a.csv", "a.csv"),
            ("/", "a.csv", "a.csv"),
            ("", "/leading", "/leading"),
            ("a", "b//c", "a/b//c"),
        ] {
            assert_eq!(join(path, filename), key, "{path} + {filename}");
        }
    }

    #[test]
    fn listings_decode_to_the_keys_they_stand_for() {
        for (listed, key) in
            [("a+b%2Bc%2520%C3%A9", "a b+c%20é"), ("nl%0Ax", "nl\nx"), ("100%", "100%"), ("%zz", "%zz")]
        {
            assert_eq!(decode(listed).as_deref(), Some(key), "{listed}");
        }
        assert_eq!(decode("%FF"), None);
    }
}
