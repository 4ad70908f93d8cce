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
    pub quote: u8,
    /// Whether a quote inside a quoted field is written `\"` instead of doubled.
    pub backslash: bool,
    pub line_end: LineEnd,
}

impl Dialect {
    /// Whether a cell must be quoted to be read back as one cell.
    pub(crate) fn need(&self, cell: &[u8]) -> Need {
        let delimiter = self.delimiter.unwrap_or(b'\n');
        let mut need = Need::None;
        for &byte in cell {
            if byte == delimiter || byte == b'\n' || byte == b'\r' {
                return Need::Must;
            }
            if byte == self.quote {
                need = Need::May;
            }
        }
        if need == Need::May && cell[0] == self.quote { Need::Must } else { need }
    }

    /// Appends a cell in quotes.
    pub(crate) fn write_quoted(&self, cell: &[u8], out: &mut Vec<u8>) {
        let quote = self.quote;
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
            let escape = if self.backslash { byte == b'\\' } else { byte == self.quote };
            match bytes.peek() {
                Some(&next) if escape && (next == self.quote || self.backslash && next == b'\\') => {
                    out.push(next);
                    bytes.next();
                }
                _ => out.push(byte),
            }
        }
    }
}

/// Whether a cell must be in quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    None,
    /// There is a quote inside, which some writers take for a reason and every reader takes for a letter.
    May,
    Must,
}

/// The dialect of a file that begins with `head` (without byte order mark); `whole` if that is all of it.
/// `name_hint` is the delimiter that the file's name speaks for, which decides between equals.
pub(crate) fn sniff(head: &[u8], whole: bool, name_hint: Option<u8>) -> Dialect {
    let line_end = sniff_line_end(head);
    // Apostrophes are letters far more often than quotes: they must make more rows agree, or begin the header.
    let quotes = if head.first() == Some(&b'\'') { [b'\'', b'"'] } else { [b'"', b'\''] };
    let mut best: Option<(Fit, Dialect)> = None;
    for delimiter in name_hint.into_iter().chain(DELIMITERS) {
        for quote in quotes {
            let dialect = sniff_escape(head, delimiter, quote, line_end);
            let fit = Fit::of(head, whole, &dialect);
            let used = quote == quotes[0] || fit.quoted;
            if fit.fields >= 2 && used && best.as_ref().is_none_or(|(other, _)| fit.better_than(other)) {
                best = Some((fit, dialect));
            }
        }
    }
    if let Some((_, dialect)) = best {
        return dialect;
    }
    // One column: any delimiter will do that never cuts a record; the comma also tells which cells need quotes.
    for delimiter in DELIMITERS {
        let dialect = sniff_escape(head, delimiter, quotes[0], line_end);
        let fit = Fit::of(head, whole, &dialect);
        // A header that cannot be split at all is told as such, and not taken for the name of one column.
        if fit.agreeing == fit.records || fit.fields == 0 {
            return dialect;
        }
    }
    Dialect { delimiter: None, ..sniff_escape(head, line_end.byte(), quotes[0], line_end) }
}

/// How well a dialect fits: records of the head that have as many fields as the header.
struct Fit {
    fields: usize,
    agreeing: usize,
    records: usize,
    /// Whether any field is in quotes.
    quoted: bool,
}

impl Fit {
    fn of(head: &[u8], whole: bool, dialect: &Dialect) -> Fit {
        let mut fit = Fit { fields: 0, agreeing: 0, records: 0, quoted: false };
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
                    fit.quoted |= fields.iter().any(|field| field.quoted);
                    fit.agreeing += usize::from(fields.len() == fit.fields);
                }
                Split::More => {
                    // A header longer than the head tells by the fields it has so far.
                    if fit.records == 0 {
                        split(&head[at..], dialect, true, &mut fields);
                        fit = Fit { fields: fields.len(), agreeing: 1, records: 1, quoted: false };
                    }
                    break;
                }
                Split::Flawed(_) => {
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

/// A backslash before a quote inside of a quoted field, with no doubled quotes anywhere, means that backslashes escape.
fn sniff_escape(head: &[u8], delimiter: u8, quote: u8, line_end: LineEnd) -> Dialect {
    let edge = |byte: Option<&u8>| byte.is_none_or(|&byte| byte == delimiter || byte == b'\n' || byte == b'\r');
    let (mut opened, mut backslashed, mut doubled) = (false, false, false);
    for at in memchr::memchr_iter(quote, head) {
        let before = at.checked_sub(1).and_then(|before| head.get(before));
        let (opens, closes) = (edge(before), edge(head.get(at + 1)));
        opened |= opens;
        backslashed |= before == Some(&b'\\') && !closes;
        doubled |= before == Some(&quote) && !opens && !closes;
    }
    let backslash = opened && backslashed && !doubled;
    Dialect { delimiter: Some(delimiter), quote, backslash, line_end }
}
