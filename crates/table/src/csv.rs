//! Splits CSV into records and fields. In: bytes and a [`Dialect`]. Out: where each field lies, or what is wrong with the
//! record. Never interprets a value and never holds more than one record beyond its buffer.

use std::io::{self, Read};

use crate::dialect::Dialect;
use crate::flaw::Flaw;

/// Longer records are set aside; this is what bounds the buffer when a quote is never closed.
const RECORD_BYTES_MAX: usize = 16 << 20;
/// The first size of the buffer.
const BUFFER_BYTES: usize = 256 << 10;

/// Where a field lies in its record, without its quotes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    pub start: u32,
    pub end: u32,
    pub quoted: bool,
    /// Whether a quote inside is written as an escape.
    pub escaped: bool,
}

/// What `split` found at the beginning of some bytes.
pub(crate) enum Split {
    /// A record that ends before `end`, without its line end; the next begins at `next`; it spans `lines` lines.
    Whole { end: usize, next: usize, lines: u64 },
    /// The bytes stop inside the record and there are more.
    More,
    /// The record is no record.
    Flawed(Flaw),
}

/// Splits the first record of `bytes` into `fields`; `last` if no bytes follow these.
pub(crate) fn split(bytes: &[u8], dialect: &Dialect, last: bool, fields: &mut Vec<Field>) -> Split {
    let line_end = dialect.line_end.byte();
    let delimiter = dialect.delimiter.unwrap_or(line_end);
    let mut lines = 1;
    let mut at = 0;
    fields.clear();
    loop {
        let stop = if bytes.get(at) == Some(&dialect.quote) {
            match quoted(bytes, at + 1, dialect, last) {
                Quoted::Closed { end, escaped } => {
                    fields.push(Field { start: at as u32 + 1, end: end as u32, quoted: true, escaped });
                    lines += memchr::memchr_iter(line_end, &bytes[at..end]).count() as u64;
                    end + 1
                }
                Quoted::More => return Split::More,
                Quoted::Open => return Split::Flawed(Flaw::QuoteOpen),
            }
        } else {
            let stop = at + find(&bytes[at..], delimiter, line_end);
            let cut = stop < bytes.len() && bytes[stop] == b'\n' && stop > at && bytes[stop - 1] == b'\r';
            fields.push(Field {
                start: at as u32,
                end: (stop - usize::from(cut)) as u32,
                quoted: false,
                escaped: false,
            });
            stop
        };
        match bytes.get(stop) {
            None if last => return Split::Whole { end: stop, next: stop, lines },
            None => return Split::More,
            Some(&byte) if byte == line_end => {
                let cut = byte == b'\n' && stop > 0 && bytes[stop - 1] == b'\r';
                return Split::Whole { end: stop - usize::from(cut), next: stop + 1, lines };
            }
            Some(&byte) if byte == delimiter => at = stop + 1,
            Some(b'\r') if bytes.get(stop + 1) == Some(&b'\n') => {
                return Split::Whole { end: stop, next: stop + 2, lines };
            }
            Some(b'\r') if stop + 1 == bytes.len() && !last => return Split::More,
            Some(_) => return Split::Flawed(Flaw::TextAfterQuote),
        }
    }
}

/// The position of the first delimiter or line end. Most fields are short, where a plain loop beats a vector search.
fn find(bytes: &[u8], delimiter: u8, line_end: u8) -> usize {
    const SHORT: usize = 16;
    let short = bytes.len().min(SHORT);
    match bytes[..short].iter().position(|&byte| byte == delimiter || byte == line_end) {
        Some(at) => at,
        None => short + memchr::memchr2(delimiter, line_end, &bytes[short..]).unwrap_or(bytes.len() - short),
    }
}

enum Quoted {
    Closed { end: usize, escaped: bool },
    More,
    Open,
}

fn quoted(bytes: &[u8], start: usize, dialect: &Dialect, last: bool) -> Quoted {
    let quote = dialect.quote;
    let escape = if dialect.backslash { b'\\' } else { quote };
    let mut escaped = false;
    let mut at = start;
    loop {
        let Some(found) = memchr::memchr2(quote, escape, &bytes[at..]) else {
            return if last { Quoted::Open } else { Quoted::More };
        };
        let mark = at + found;
        let next = bytes.get(mark + 1).copied();
        let escapes = bytes[mark] == escape && (dialect.backslash || next == Some(quote));
        match next {
            None if !last => return Quoted::More,
            Some(_) if escapes => {
                escaped = true;
                at = mark + 2;
            }
            None if escapes && dialect.backslash => return Quoted::Open,
            _ => return Quoted::Closed { end: mark, escaped },
        }
    }
}

/// What the next record of a file is.
pub(crate) enum Next {
    /// A record; see [`Records::bytes`] and [`Records::fields`].
    Record(End),
    /// A record that cannot be split.
    Flawed(Flaw),
    /// No more records.
    End,
}

/// How a record ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Line,
    LineAfterReturn,
    File,
}

/// The records of a file, one after another.
pub(crate) struct Records<R> {
    source: R,
    pub(crate) dialect: Dialect,
    buffer: Vec<u8>,
    filled: usize,
    /// Where the next record begins.
    next: usize,
    ended: bool,
    record: std::ops::Range<usize>,
    fields: Vec<Field>,
    line: u64,
    line_next: u64,
}

impl<R: Read> Records<R> {
    /// Records of `head[start..]` and then of what `source` still gives.
    pub(crate) fn new(source: R, head: Vec<u8>, start: usize, dialect: Dialect) -> Records<R> {
        let filled = head.len();
        let mut buffer = head;
        buffer.resize(filled.max(BUFFER_BYTES), 0);
        Records {
            source,
            dialect,
            buffer,
            filled,
            next: start,
            ended: false,
            record: start..start,
            fields: Vec::new(),
            line: 1,
            line_next: 1,
        }
    }

    /// Goes to the next record.
    pub(crate) fn advance(&mut self) -> io::Result<Next> {
        loop {
            if self.next == self.filled {
                if self.ended {
                    return Ok(Next::End);
                }
                self.fill()?;
                continue;
            }
            self.line = self.line_next;
            let bytes = &self.buffer[self.next..self.filled];
            match split(bytes, &self.dialect, self.ended, &mut self.fields) {
                Split::Whole { end, next, lines } => {
                    let ending = match next - end {
                        0 => End::File,
                        1 => End::Line,
                        _ => End::LineAfterReturn,
                    };
                    self.record = self.next..self.next + end;
                    self.next += next;
                    self.line_next += lines;
                    return Ok(Next::Record(ending));
                }
                Split::More if bytes.len() < RECORD_BYTES_MAX => self.fill()?,
                Split::More => return self.skip(Flaw::TooLong),
                Split::Flawed(flaw) => return self.skip(flaw),
            }
        }
    }

    /// The record's bytes without its line end.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buffer[self.record.clone()]
    }

    /// Where the record's fields lie in its bytes.
    pub(crate) fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The line the record begins on; the first line is 1.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// Reads until the buffer is full or the file has ended; afterwards there are more bytes or it has. A record that does
    /// not fit doubles the buffer, so that looking at it again each time stays linear.
    fn fill(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.next..self.filled, 0);
        self.filled -= self.next;
        self.next = 0;
        if self.filled == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        while !self.ended && self.filled < self.buffer.len() {
            match self.source.read(&mut self.buffer[self.filled..]) {
                Ok(0) => self.ended = true,
                Ok(count) => self.filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Leaves a flawed record behind: its first line, since the next line most often is sound again. The work stays linear:
    /// a quote that opens a field would have closed the one before, so what is read again holds no other open quote.
    fn skip(&mut self, flaw: Flaw) -> io::Result<Next> {
        let line_end = self.dialect.line_end.byte();
        loop {
            if let Some(at) = memchr::memchr(line_end, &self.buffer[self.next..self.filled]) {
                self.next += at + 1;
                self.line_next += 1;
                return Ok(Next::Flawed(flaw));
            }
            self.next = self.filled;
            if self.ended {
                return Ok(Next::Flawed(flaw));
            }
            self.fill()?;
        }
    }
}
