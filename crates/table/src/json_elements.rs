//! Splits a JSON array into its elements. In: the bytes of a file. Out: where each element lies, and the white space between
//! them. Never holds more than one element beyond its buffer.

use std::io::{self, Read};
use std::ops::Range;

use crate::flaw::Flaw;

/// Longer elements are set aside; this is what bounds the buffer when a quote is never closed.
const ELEMENT_BYTES_MAX: usize = 16 << 20;
const BUFFER_BYTES: usize = 256 << 10;
/// More white space is not kept.
const GAP_BYTES_MAX: usize = 256;

/// The white space of an array, where it was met last but for the separators, where it was met first.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Gaps {
    /// Behind the opening bracket.
    pub open: Vec<u8>,
    /// Before and behind the first comma.
    pub comma: Option<(Vec<u8>, Vec<u8>)>,
    /// Before the closing bracket, and behind it.
    pub close: Vec<u8>,
    pub tail: Vec<u8>,
}

/// What comes next in an array.
pub(crate) enum Next {
    /// An element; see [`Elements::bytes`].
    Element,
    Flawed(Flaw),
    End,
}

/// The elements of an array, one after another.
pub(crate) struct Elements<R> {
    source: R,
    buffer: Vec<u8>,
    filled: usize,
    at: usize,
    source_ended: bool,
    pub gaps: Gaps,
    element: Range<usize>,
    elements: u64,
    line: u64,
    line_next: u64,
    done: bool,
}

impl<R: Read> Elements<R> {
    /// The elements of `head[start..]` and of what `source` still gives.
    pub(crate) fn new(source: R, head: Vec<u8>, start: usize) -> Elements<R> {
        let filled = head.len();
        let mut buffer = head;
        buffer.resize(filled.max(BUFFER_BYTES), 0);
        Elements {
            source,
            buffer,
            filled,
            at: start,
            source_ended: false,
            gaps: Gaps::default(),
            element: 0..0,
            elements: 0,
            line: 1,
            line_next: 1,
            done: false,
        }
    }

    /// The element's bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buffer[self.element.clone()]
    }

    /// The line the element begins on; the first line is 1.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// Goes to the next element.
    pub(crate) fn advance(&mut self) -> io::Result<Next> {
        if self.done {
            return Ok(Next::End);
        }
        if self.elements == 0 {
            self.gap()?;
            if self.byte() != Some(b'[') {
                self.done = true;
                return Ok(Next::Flawed(Flaw::NotJson { what: "something else where an array is due" }));
            }
            self.at += 1;
            self.gaps.open = self.gap()?;
            if self.byte() == Some(b']') {
                return self.end(Vec::new());
            }
        } else {
            let before = self.gap()?;
            self.line = self.line_next;
            match self.byte() {
                Some(b',') => {
                    self.at += 1;
                    let behind = self.gap()?;
                    self.gaps.comma.get_or_insert((before, behind));
                }
                Some(b']') => return self.end(before),
                Some(_) => return self.surplus(),
                None => {
                    self.done = true;
                    return Ok(Next::Flawed(Flaw::NotJson { what: "the array is never closed" }));
                }
            }
        }
        self.elements += 1;
        self.line = self.line_next;
        self.element()
    }

    /// What stands where a comma is due.
    fn surplus(&mut self) -> io::Result<Next> {
        Ok(match self.element()? {
            Next::Element => Next::Flawed(Flaw::NotJson { what: "no comma between two elements" }),
            other => other,
        })
    }

    /// Finds the end of the element that begins here.
    fn element(&mut self) -> io::Result<Next> {
        let (mut depth, mut inside, mut escape, mut long) = (0u64, false, false, false);
        let mut offset = 0;
        loop {
            if self.at + offset == self.filled {
                if self.source_ended {
                    self.done = depth > 0 || inside || offset == 0;
                    self.take(offset);
                    let open = Flaw::NotJson { what: "it ends before it is closed" };
                    return Ok(if self.done { Next::Flawed(open) } else { Next::Element });
                }
                if offset > ELEMENT_BYTES_MAX {
                    long = true;
                    self.take(offset);
                    offset = 0;
                }
                self.fill()?;
                continue;
            }
            let byte = self.buffer[self.at + offset];
            if inside {
                inside = escape || byte != b'"';
                escape = !escape && byte == b'\\';
            } else {
                match byte {
                    b'"' => inside = true,
                    b'{' | b'[' => depth += 1,
                    b']' | b'}' | b',' | b' ' | b'\t' | b'\r' | b'\n' if depth == 0 => {
                        // A comma or brace without a value before it is one byte of none.
                        let nothing = offset == 0 && byte != b']' && byte != b',';
                        self.take(offset + usize::from(nothing));
                        return Ok(if long { Next::Flawed(Flaw::TooLong) } else { Next::Element });
                    }
                    b'}' | b']' => depth -= 1,
                    _ => {}
                }
            }
            offset += 1;
        }
    }

    fn take(&mut self, bytes: usize) {
        self.element = self.at..self.at + bytes;
        self.line_next += memchr::memchr_iter(b'\n', self.bytes()).count() as u64;
        self.at += bytes;
    }

    fn end(&mut self, close: Vec<u8>) -> io::Result<Next> {
        self.done = true;
        self.at += 1;
        self.gaps.close = close;
        self.gaps.tail = self.gap()?;
        self.line = self.line_next;
        match self.byte() {
            Some(_) => Ok(Next::Flawed(Flaw::NotJson { what: "text behind the array" })),
            None => Ok(Next::End),
        }
    }

    fn byte(&self) -> Option<u8> {
        (self.at < self.filled).then(|| self.buffer[self.at])
    }

    /// Skips white space and gives it back; behind it there is a byte or the file has ended.
    fn gap(&mut self) -> io::Result<Vec<u8>> {
        let mut gap = Vec::new();
        loop {
            match self.byte() {
                Some(byte @ (b' ' | b'\t' | b'\r' | b'\n')) => {
                    self.line_next += u64::from(byte == b'\n');
                    if gap.len() < GAP_BYTES_MAX {
                        gap.push(byte);
                    }
                    self.at += 1;
                }
                None if !self.source_ended => self.fill()?,
                _ => return Ok(gap),
            }
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.at..self.filled, 0);
        self.filled -= self.at;
        self.at = 0;
        if self.filled == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        while !self.source_ended && self.filled < self.buffer.len() {
            match self.source.read(&mut self.buffer[self.filled..]) {
                Ok(0) => self.source_ended = true,
                Ok(count) => self.filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
