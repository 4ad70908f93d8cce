//! Tells what a file is. In: its name and first bytes. Out: of which kind that is read it is, or what it is instead.

use crate::flaw::Unreadable;
use crate::json_scan::{Scan, Token};

/// The kinds of file that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Csv,
    Tsv,
    /// JSON records, one a line; `alone` if there may be only one.
    JsonLines {
        alone: bool,
    },
    /// A JSON array.
    JsonArray,
    Parquet,
}

/// First bytes that no table begins with.
const MAGICS: [(&[u8], &str); 21] = [
    (b"PARE", "an encrypted Parquet file"),
    (b"PK\x03\x04", "a zip archive or an office document"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"%PDF-", "a PDF document"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"ORC", "an ORC file"),
    (b"Obj\x01", "an Avro file"),
    (b"ARROW1", "an Arrow file"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"\x1f\x8b", "packed twice"),
    (b"\x28\xb5\x2f\xfd", "packed twice"),
    (b"BZh", "packed with bzip2"),
    (b"\xfd7zXZ", "packed with xz"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"\x04\x22\x4d\x18", "packed with lz4"),
    (b"\xd0\xcf\x11\xe0", "an office document"),
    (b"\x7fELF", "a program"),
    (b"\xff\xfe", "text in UTF-16"),
    (b"\xfe\xff", "text in UTF-16"),
];

/// Extensions of files that are something else, whatever they begin with.
const OTHERS: [(&str, &str); 11] = [
    ("parquet", "no Parquet file, in spite of its name"),
    ("pq", "no Parquet file, in spite of its name"),
    ("avro", "an Avro file"),
    ("orc", "an ORC file"),
    ("arrow", "an Arrow file"),
    ("feather", "an Arrow file"),
    ("xml", "an XML file"),
    ("html", "an HTML page"),
    ("yaml", "a YAML file"),
    ("yml", "a YAML file"),
    ("md", "a Markdown file"),
];

/// What an unpacked file is.
pub(crate) fn told(name: &str, head: &[u8], packed: bool) -> Result<Content, Unreadable> {
    let refuse = |found: &str| Err(Unreadable::UnsupportedType { found: found.into() });
    // Its footer stands at the end, which an unpacked stream does not tell beforehand.
    if head.starts_with(b"PAR1") {
        return if packed { refuse("a Parquet file packed as a whole") } else { Ok(Content::Parquet) };
    }
    if let Some((_, found)) = MAGICS.iter().find(|(magic, _)| head.starts_with(magic)) {
        return refuse(found);
    }
    const TAR_AT: usize = 257;
    if head.get(TAR_AT..).is_some_and(|behind| behind.starts_with(b"ustar")) {
        return refuse("a tar archive");
    }
    if memchr::memchr(0, head).is_some() {
        return refuse("binary data");
    }
    let extension = extension(name);
    if let Some((_, found)) = OTHERS.iter().find(|(other, _)| *other == extension) {
        return refuse(found);
    }
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let lines = matches!(extension.as_str(), "jsonl" | "ndjson");
    if let Some(json) = json(text, lines, extension == "json") {
        return json.map_err(|found| Unreadable::UnsupportedType { found: found.into() });
    }
    let text = text.trim_ascii_start();
    let behind = text.get(1..).unwrap_or_default().trim_ascii_start();
    match text.first() {
        _ if matches!(extension.as_str(), "tsv" | "tab") => Ok(Content::Tsv),
        _ if extension == "csv" => Ok(Content::Csv),
        Some(b'<') if behind.first().is_some_and(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'?' | b'!')) => {
            refuse("an XML file or HTML page")
        }
        _ => Ok(Content::Csv),
    }
}

/// What a file is whose text or name speaks for JSON. `lines` if its name says that there is one record a line.
fn json(text: &[u8], lines: bool, named: bool) -> Option<Result<Content, &'static str>> {
    let mut scan = Scan::new(text);
    let first = scan.peek();
    let start = scan.at;
    scan.at += 1;
    let second = scan.peek();
    if first == Some(b'[') && (lines || named || matches!(second, Some(b'{' | b'[' | b']' | b'"'))) {
        return Some(Ok(Content::JsonArray));
    }
    if lines {
        return Some(Ok(Content::JsonLines { alone: true }));
    }
    if first == Some(b'{') && (named || matches!(second, Some(b'"' | b'}'))) {
        let line = text[start..].split(|&byte| byte == b'\n').next().unwrap_or_default();
        let mut scan = Scan::new(line);
        // A first line that is longer than what is known of the text is taken for a record.
        let record = line.len() + start == text.len() || matches!(scan.value(), Ok((Token::Object, _)));
        return Some(if record { Ok(Content::JsonLines { alone: false }) } else { Err("a single JSON object") });
    }
    // Behind a malformed first line there may still be records.
    named.then_some(Ok(Content::JsonLines { alone: false }))
}

/// The last extension that is not a packing's, in lower case.
fn extension(name: &str) -> String {
    let name = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
    let mut parts: Vec<&str> = name.split('.').skip(1).collect();
    while parts.last().is_some_and(|part| matches!(*part, "gz" | "zst" | "gzip" | "zstd")) {
        parts.pop();
    }
    parts.last().copied().unwrap_or_default().to_string()
}
