//! Scans JSON text. In: bytes, which must be UTF-8 as a whole. Out: where each value lies and of what sort it is, or what
//! is wrong. Never builds a value.

use std::ops::Range;

use crate::flaw::Flaw;

/// Deeper values are no data of a table.
const DEPTH_MAX: usize = 128;

/// Of what sort a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    Null,
    Bool,
    Number,
    /// `NaN` and the infinities, which are no JSON but often written.
    Word,
    /// A string; `escaped` if it holds a backslash. Its span is without the quotes.
    Text {
        escaped: bool,
    },
    Array,
    Object,
}

/// A position in JSON text.
pub(crate) struct Scan<'a> {
    pub bytes: &'a [u8],
    pub at: usize,
    depth: usize,
    /// Whether a letter beyond ASCII was written as an escape so far; and whether a slash was.
    pub letter_escaped: bool,
    pub slash_escaped: bool,
}

fn flaw<T>(what: &'static str) -> Result<T, Flaw> {
    Err(Flaw::NotJson { what })
}

impl<'a> Scan<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Scan<'a> {
        Scan { bytes, at: 0, depth: 0, letter_escaped: false, slash_escaped: false }
    }

    /// Skips white space; the byte behind it.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        while let Some(&byte) = self.bytes.get(self.at) {
            if !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
                return Some(byte);
            }
            self.at += 1;
        }
        None
    }

    /// Skips white space and then this byte, if it is the next.
    pub(crate) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Scans a whole value.
    pub(crate) fn value(&mut self) -> Result<(Token, Range<usize>), Flaw> {
        let first = self.peek();
        let start = self.at;
        let token = match first {
            Some(b'"') => {
                let (span, escaped) = self.string()?;
                return Ok((Token::Text { escaped }, span));
            }
            Some(b'{') => {
                self.members()?;
                Token::Object
            }
            Some(b'[') => {
                self.elements()?;
                Token::Array
            }
            Some(b't') => self.word("true", Token::Bool)?,
            Some(b'f') => self.word("false", Token::Bool)?,
            Some(b'n') => self.word("null", Token::Null)?,
            Some(b'N') => self.word("NaN", Token::Word)?,
            Some(b'I') => self.word("Infinity", Token::Word)?,
            Some(b'-') if self.bytes.get(self.at + 1) == Some(&b'I') => self.word("-Infinity", Token::Word)?,
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(_) => return flaw("something else where a value is due"),
            None => return flaw("it ends where a value is due"),
        };
        Ok((token, start..self.at))
    }

    /// Scans a string in quotes: its span without them, and whether it holds a backslash.
    pub(crate) fn string(&mut self) -> Result<(Range<usize>, bool), Flaw> {
        if !self.eat(b'"') {
            return flaw("something else where a key is due");
        }
        let start = self.at;
        let mut escaped = false;
        loop {
            match self.bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok((start..self.at - 1, escaped));
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(0..=0x1f) => return flaw("a control character in a string"),
                Some(_) => self.at += 1,
                None => return flaw("a string that is never closed"),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Flaw> {
        match self.bytes.get(self.at + 1) {
            Some(b'u') => {
                let Some(unit) = hex(self.bytes, self.at + 2) else { return flaw("an escape that is none") };
                self.at += 6;
                self.letter_escaped |= unit >= 0x80;
                match unit {
                    0xd800..=0xdbff => {
                        let low = self.bytes[self.at..].starts_with(b"\\u").then(|| hex(self.bytes, self.at + 2));
                        if !low.flatten().is_some_and(|low| (0xdc00..=0xdfff).contains(&low)) {
                            return flaw("half of an escaped letter");
                        }
                        self.at += 6;
                    }
                    0xdc00..=0xdfff => return flaw("half of an escaped letter"),
                    _ => {}
                }
            }
            Some(b'/') => {
                self.slash_escaped = true;
                self.at += 2;
            }
            Some(b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            _ => return flaw("an escape that is none"),
        }
        Ok(())
    }

    fn word(&mut self, word: &str, token: Token) -> Result<Token, Flaw> {
        if !self.bytes[self.at..].starts_with(word.as_bytes()) {
            return flaw("something else where a value is due");
        }
        self.at += word.len();
        Ok(token)
    }

    fn number(&mut self) -> Result<Token, Flaw> {
        let digits = |scan: &mut Scan<'_>| {
            let start = scan.at;
            while scan.bytes.get(scan.at).is_some_and(u8::is_ascii_digit) {
                scan.at += 1;
            }
            scan.at > start
        };
        self.at += usize::from(self.bytes[self.at] == b'-');
        let zero = self.bytes.get(self.at) == Some(&b'0');
        let start = self.at;
        let mut sound = digits(self) && !(zero && self.at > start + 1);
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            sound &= digits(self);
        }
        if let Some(b'e' | b'E') = self.bytes.get(self.at) {
            self.at += 1;
            self.at += usize::from(matches!(self.bytes.get(self.at), Some(b'+' | b'-')));
            sound &= digits(self);
        }
        if sound { Ok(Token::Number) } else { flaw("a number that is none") }
    }

    fn members(&mut self) -> Result<(), Flaw> {
        self.open()?;
        if self.eat(b'}') {
            self.depth -= 1;
            return Ok(());
        }
        loop {
            self.string()?;
            if !self.eat(b':') {
                return flaw("a key without a value");
            }
            self.value()?;
            if !self.eat(b',') {
                break;
            }
        }
        self.close(b'}')
    }

    fn elements(&mut self) -> Result<(), Flaw> {
        self.open()?;
        if self.eat(b']') {
            self.depth -= 1;
            return Ok(());
        }
        loop {
            self.value()?;
            if !self.eat(b',') {
                break;
            }
        }
        self.close(b']')
    }

    fn open(&mut self) -> Result<(), Flaw> {
        self.at += 1;
        self.depth += 1;
        if self.depth > DEPTH_MAX { flaw("values nested deeper than 128") } else { Ok(()) }
    }

    pub(crate) fn close(&mut self, byte: u8) -> Result<(), Flaw> {
        self.depth = self.depth.saturating_sub(1);
        match self.eat(byte) {
            true => Ok(()),
            false if self.at == self.bytes.len() => flaw("it ends before it is closed"),
            false => flaw("neither a comma nor an end behind a value"),
        }
    }
}

/// The four hexadecimal digits at a position.
fn hex(bytes: &[u8], at: usize) -> Option<u32> {
    let digits = std::str::from_utf8(bytes.get(at..at + 4)?).ok()?;
    if digits.starts_with('+') { None } else { u32::from_str_radix(digits, 16).ok() }
}

/// Appends what a sound string says.
pub(crate) fn unescape(string: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while let Some(&byte) = string.get(at) {
        if byte != b'\\' {
            out.push(byte);
            at += 1;
            continue;
        }
        let plain = match string.get(at + 1) {
            Some(b'u') => {
                let unit = hex(string, at + 2).unwrap_or_default();
                at += 4;
                let mut letter = unit;
                if (0xd800..0xdc00).contains(&unit) {
                    let low = hex(string, at + 4).unwrap_or_default();
                    at += 6;
                    letter = 0x10000 + ((unit - 0xd800) << 10) + low.saturating_sub(0xdc00);
                }
                char::from_u32(letter).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(&other) => char::from(other),
            None => '\\',
        };
        at += 2;
        out.extend_from_slice(plain.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

/// Appends a sound value without the white space between its parts.
pub(crate) fn compact(value: &[u8], out: &mut Vec<u8>) {
    let (mut inside, mut escape) = (false, false);
    for &byte in value {
        if inside {
            inside = escape || byte != b'"';
            escape = !escape && byte == b'\\';
        } else if matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
            continue;
        } else {
            inside = byte == b'"';
        }
        out.push(byte);
    }
}
