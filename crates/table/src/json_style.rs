//! How JSON text is spaced and escaped. In: the first record of a file, and values to write. Out: the habits, and text that
//! keeps them. Never looks at what a value means.

use crate::json_scan::Scan;

/// The habits of one file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Style {
    /// A space behind each colon, behind each comma, and inside of braces.
    pub colon: bool,
    pub comma: bool,
    pub brace: bool,
    /// A line for each value: what every line of a record begins with, and what each level adds.
    pub lines: Option<(Vec<u8>, Vec<u8>)>,
    /// Letters beyond ASCII and slashes are escaped.
    pub ascii: bool,
    pub slash: bool,
}

impl Style {
    /// The spaces of a sound record; `before` is the white space that stands before it.
    pub(crate) fn of(record: &[u8], before: &[u8]) -> Style {
        let mut style = Style::default();
        let mut scan = Scan::new(record);
        scan.eat(b'{');
        let open = gap(&mut scan);
        if let Some(last) = open.iter().rposition(|&byte| byte == b'\n') {
            let base = before.iter().rposition(|&byte| byte == b'\n').map_or(&b""[..], |last| &before[last + 1..]);
            let step = open[last + 1..].strip_prefix(base).unwrap_or(&open[last + 1..]);
            style.lines = Some((base.to_vec(), step.to_vec()));
        } else {
            style.brace = !open.is_empty();
        }
        if scan.string().is_ok() && scan.eat(b':') {
            style.colon = !gap(&mut scan).is_empty();
            style.comma = style.colon;
            if scan.value().is_ok() && scan.eat(b',') {
                style.comma = !gap(&mut scan).is_empty();
            }
        }
        style
    }

    /// Begins an object or array whose values are `level` deep.
    pub(crate) fn open(&self, byte: u8, level: usize, out: &mut Vec<u8>) {
        out.push(byte);
        self.line(level, out);
        if self.brace && byte == b'{' {
            out.push(b' ');
        }
    }

    pub(crate) fn comma(&self, level: usize, out: &mut Vec<u8>) {
        out.push(b',');
        self.line(level, out);
        if self.comma && self.lines.is_none() {
            out.push(b' ');
        }
    }

    pub(crate) fn colon(&self, out: &mut Vec<u8>) {
        out.push(b':');
        if self.colon {
            out.push(b' ');
        }
    }

    /// Ends what [`Style::open`] began.
    pub(crate) fn close(&self, byte: u8, level: usize, out: &mut Vec<u8>) {
        self.line(level - 1, out);
        if self.brace && byte == b'}' {
            out.push(b' ');
        }
        out.push(byte);
    }

    fn line(&self, level: usize, out: &mut Vec<u8>) {
        if let Some((base, step)) = &self.lines {
            out.push(b'\n');
            out.extend_from_slice(base);
            for _ in 0..level {
                out.extend_from_slice(step);
            }
        }
    }

    /// Appends a string in quotes.
    pub(crate) fn string(&self, text: &str, out: &mut Vec<u8>) {
        out.push(b'"');
        for letter in text.chars() {
            match letter {
                '"' => out.extend_from_slice(b"\\\""),
                '\\' => out.extend_from_slice(b"\\\\"),
                '\n' => out.extend_from_slice(b"\\n"),
                '\r' => out.extend_from_slice(b"\\r"),
                '\t' => out.extend_from_slice(b"\\t"),
                '\u{8}' => out.extend_from_slice(b"\\b"),
                '\u{c}' => out.extend_from_slice(b"\\f"),
                '/' if self.slash => out.extend_from_slice(b"\\/"),
                ' '..='~' => out.push(letter as u8),
                '\0'..'\u{20}' => escape(letter, out),
                _ if self.ascii => escape(letter, out),
                _ => out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        out.push(b'"');
    }

    /// Appends compact JSON with the file's spaces; its first values are `level` deep. What is no JSON becomes a string.
    pub(crate) fn value(&self, json: &str, level: usize, out: &mut Vec<u8>) {
        let mut scan = Scan::new(json.as_bytes());
        if scan.value().is_err() || scan.peek().is_some() {
            self.string(json, out);
            return;
        }
        let (mut inside, mut escape, mut level) = (false, false, level);
        let bytes = json.as_bytes();
        for (at, &byte) in bytes.iter().enumerate() {
            if inside {
                inside = escape || byte != b'"';
                escape = !escape && byte == b'\\';
                out.push(byte);
                continue;
            }
            let empty = |other: usize, closing: bool| {
                bytes.get(other).is_some_and(|byte| if closing { b"]}" } else { b"[{" }.contains(byte))
            };
            match byte {
                b'{' | b'[' if empty(at + 1, true) => out.push(byte),
                b'}' | b']' if at > 0 && empty(at - 1, false) => out.push(byte),
                b'{' | b'[' => {
                    self.open(byte, level, out);
                    level += 1;
                }
                b'}' | b']' => {
                    level -= 1;
                    self.close(byte, level, out);
                }
                b',' => self.comma(level - 1, out),
                b':' => self.colon(out),
                b' ' | b'\t' | b'\r' | b'\n' => {}
                byte => {
                    inside = byte == b'"';
                    out.push(byte);
                }
            }
        }
    }
}

fn escape(letter: char, out: &mut Vec<u8>) {
    for unit in letter.encode_utf16(&mut [0; 2]) {
        out.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
    }
}

fn gap<'a>(scan: &mut Scan<'a>) -> &'a [u8] {
    let (bytes, start) = (scan.bytes, scan.at);
    scan.peek();
    &bytes[start..scan.at]
}
