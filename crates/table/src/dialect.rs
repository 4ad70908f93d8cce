//! How a CSV file separates and quotes its fields. In: the first bytes of a file. Out: a [`Dialect`] that fits them.
//! Never looks at what a field means.

use crate::csv::{Field, Split, split};

/// The delimiters that are tried, the commonest first.
const DELIMITERS: [u8; 4] = [b',', b'\t', b';', b'|'];

/// How records end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineEnd {
    Lf,
    CrLf,
    Cr,
}

impl LineEnd {
    pub(crate) fn bytes(self) -> &'static [u8] {
        match self {
            LineEnd::Lf => b"\n",
            LineEnd::CrLf => b"\r\n",
            LineEnd::Cr => b"\r",
        }
    }

    /// The byte that ends a record for the splitter; a carriage return before a line feed is cut off there.
    pub(crate) fn byte(self) -> u8 {
        if self == LineEnd::Cr { b'\r' } else { b'\n' }
    }
}

/// How the fields of a file are separated and quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dialect {
    /// `None` in a file of one column whose values hold every delimiter we know.
    pub delimiter: Option<u8>,
    /// `None` in a file that uses the quotation mark as an ordinary letter.
    pub quote: Option<u8>,
    /// Whether a quote inside a quoted field is written `\"` instead of doubled.
    pub backslash: bool,
    pub line_end: LineEnd,
}

impl Dialect {
    /// Whether a cell must be quoted to be read back as one cell.
    pub(crate) fn needs_quotes(&self, cell: &[u8]) -> bool {
        let Some(quote) = self.quote else { return false };
        let delimiter = self.delimiter.unwrap_or(b'\n');
        cell.iter().any(|&byte| byte == delimiter || byte == quote || byte == b'\n' || byte == b'\r')
    }

    /// Appends a cell in quotes.
    pub(crate) fn write_quoted(&self, cell: &[u8], out: &mut Vec<u8>) {
        let Some(quote) = self.quote else {
            out.extend_from_slice(cell);
            return;
        };
        out.push(quote);
        for &byte in cell {
            if self.backslash && (byte == quote || byte == b'\\') {
                out.push(b'\\');
            } else if byte == quote {
                out.push(quote);
            }
            out.push(byte);
        }
        out.push(quote);
    }

    /// Appends what a quoted field says, without its escapes.
    pub(crate) fn unescape(&self, field: &[u8], out: &mut Vec<u8>) {
        let mut bytes = field.iter().copied().peekable();
        while let Some(byte) = bytes.next() {
            let escape = if self.backslash { byte == b'\\' } else { Some(byte) == self.quote };
            match bytes.peek() {
                Some(&next) if escape && (Some(next) == self.quote || self.backslash && next == b'\\') => {
                    out.push(next);
                    bytes.next();
                }
                _ => out.push(byte),
            }
        }
    }
}

/// The dialect of a file that begins with `head` (without byte order mark); `whole` if that is all of it.
/// `name_hint` is the delimiter that the file's name speaks for, which decides between equals.
pub(crate) fn sniff(head: &[u8], whole: bool, name_hint: Option<u8>) -> Dialect {
    let line_end = sniff_line_end(head);
    let mut best: Option<(Fit, Dialect)> = None;
    for delimiter in name_hint.into_iter().chain(DELIMITERS) {
        let quoted = sniff_quote(head, delimiter, line_end);
        let fit = Fit::of(head, whole, &quoted);
        if fit.fields >= 2 && best.as_ref().is_none_or(|(other, _)| fit.better_than(other)) {
            best = Some((fit, quoted));
        }
    }
    if let Some((_, dialect)) = best {
        return dialect;
    }
    // One column: any delimiter will do that never cuts a record; the comma also tells which cells need quotes.
    for delimiter in DELIMITERS {
        let dialect = sniff_quote(head, delimiter, line_end);
        let fit = Fit::of(head, whole, &dialect);
        if fit.agreeing == fit.records {
            return dialect;
        }
    }
    Dialect { delimiter: None, ..sniff_quote(head, line_end.byte(), line_end) }
}

/// How well a dialect fits: records of the head that have as many fields as the header.
struct Fit {
    fields: usize,
    agreeing: usize,
    records: usize,
}

impl Fit {
    fn of(head: &[u8], whole: bool, dialect: &Dialect) -> Fit {
        let mut fit = Fit { fields: 0, agreeing: 0, records: 0 };
        let mut fields = Vec::new();
        let mut at = 0;
        while at < head.len() {
            match split(&head[at..], dialect, whole, &mut fields) {
                Split::Whole { next, .. } => {
                    at += next;
                    if blank(&fields) {
                        continue;
                    }
                    if fit.records == 0 {
                        fit.fields = fields.len();
                    }
                    fit.agreeing += usize::from(fields.len() == fit.fields);
                }
                Split::More => break,
                Split::Flawed { .. } => {
                    let line = memchr::memchr(dialect.line_end.byte(), &head[at..]);
                    at = line.map_or(head.len(), |line| at + line + 1);
                }
            }
            fit.records += 1;
        }
        fit
    }

    /// More records agree with the header, or as many and the header has more fields.
    fn better_than(&self, other: &Fit) -> bool {
        let (ours, theirs) = (self.agreeing * other.records.max(1), other.agreeing * self.records.max(1));
        ours > theirs || ours == theirs && self.fields > other.fields
    }
}

fn blank(fields: &[Field]) -> bool {
    fields.len() == 1 && fields[0].start == fields[0].end && !fields[0].quoted
}

fn sniff_line_end(head: &[u8]) -> LineEnd {
    match memchr::memchr2(b'\r', b'\n', head) {
        Some(at) if head[at] == b'\r' && head.get(at + 1) == Some(&b'\n') => LineEnd::CrLf,
        Some(at) if head[at] == b'\r' && memchr::memchr(b'\n', head).is_none() => LineEnd::Cr,
        _ => LineEnd::Lf,
    }
}

/// Whether quotes are quotes in this file, or ordinary letters: they are unless no field is both opened and closed by
/// them. A backslash before a quote, with no doubled quotes anywhere, means that backslashes escape.
fn sniff_quote(head: &[u8], delimiter: u8, line_end: LineEnd) -> Dialect {
    let dialect = Dialect { delimiter: Some(delimiter), quote: Some(b'"'), backslash: false, line_end };
    let edge = |byte: Option<&u8>| byte.is_none_or(|&byte| byte == delimiter || byte == b'\n' || byte == b'\r');
    let (mut opened, mut closed, mut backslashed, mut doubled) = (0, 0, 0, 0);
    for at in memchr::memchr_iter(b'"', head) {
        let before = at.checked_sub(1).and_then(|before| head.get(before));
        let (opens, closes) = (edge(before), edge(head.get(at + 1)));
        opened += usize::from(opens);
        closed += usize::from(closes);
        backslashed += usize::from(before == Some(&b'\\') && !closes);
        doubled += usize::from(before == Some(&b'"') && !opens && !closes);
    }
    let literal = opened + closed > 0 && (opened == 0 || closed == 0) || opened + closed == 0 && doubled == 0;
    let seen = memchr::memchr(b'"', head).is_some();
    if seen && literal && opened + closed < 2 {
        return Dialect { quote: None, ..dialect };
    }
    Dialect { backslash: backslashed > 0 && doubled == 0 && opened > 0, ..dialect }
}
