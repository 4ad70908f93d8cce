//! The parts of a saved layout as bytes and back. In: numbers, texts and lists. Out: bytes one behind another. A reader
//! never trusts a length, and answers nothing rather than half of something.

/// A part of a layout.
pub(crate) trait Part: Sized {
    /// Appends itself.
    fn put(&self, out: &mut Vec<u8>);
    /// Reads itself from the front of what is left; `None` if that is something else.
    fn take(rest: &mut &[u8]) -> Option<Self>;
}

impl Part for u8 {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(*self);
    }
    fn take(rest: &mut &[u8]) -> Option<u8> {
        let (&first, behind) = rest.split_first()?;
        *rest = behind;
        Some(first)
    }
}

impl Part for bool {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }
    fn take(rest: &mut &[u8]) -> Option<bool> {
        match u8::take(rest)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl Part for u64 {
    fn put(&self, out: &mut Vec<u8>) {
        let mut left = *self;
        while left >= 0x80 {
            out.push(left as u8 | 0x80);
            left >>= 7;
        }
        out.push(left as u8);
    }
    fn take(rest: &mut &[u8]) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = u8::take(rest)?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }
}

impl Part for usize {
    fn put(&self, out: &mut Vec<u8>) {
        (*self as u64).put(out);
    }
    fn take(rest: &mut &[u8]) -> Option<usize> {
        u64::take(rest)?.try_into().ok()
    }
}

impl Part for Vec<u8> {
    fn put(&self, out: &mut Vec<u8>) {
        self.len().put(out);
        out.extend_from_slice(self);
    }
    fn take(rest: &mut &[u8]) -> Option<Vec<u8>> {
        let count = usize::take(rest)?;
        let (taken, behind) = rest.split_at_checked(count)?;
        *rest = behind;
        Some(taken.to_vec())
    }
}

impl Part for String {
    fn put(&self, out: &mut Vec<u8>) {
        self.len().put(out);
        out.extend_from_slice(self.as_bytes());
    }
    fn take(rest: &mut &[u8]) -> Option<String> {
        String::from_utf8(Vec::take(rest)?).ok()
    }
}

impl<T: Part> Part for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.is_some().put(out);
        if let Some(part) = self {
            part.put(out);
        }
    }
    fn take(rest: &mut &[u8]) -> Option<Option<T>> {
        if bool::take(rest)? { Some(Some(T::take(rest)?)) } else { Some(None) }
    }
}

impl<A: Part, B: Part> Part for (A, B) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
    }
    fn take(rest: &mut &[u8]) -> Option<(A, B)> {
        Some((A::take(rest)?, B::take(rest)?))
    }
}

/// Appends a list of parts.
pub(crate) fn put_all<T: Part>(parts: &[T], out: &mut Vec<u8>) {
    parts.len().put(out);
    parts.iter().for_each(|part| part.put(out));
}

/// Reads what [`put_all`] appended.
pub(crate) fn take_all<T: Part>(rest: &mut &[u8]) -> Option<Vec<T>> {
    let count = usize::take(rest)?;
    // Every part takes a byte at least, so that a false length cannot ask for more memory than there are bytes.
    let mut parts = Vec::with_capacity(count.min(rest.len()));
    for _ in 0..count {
        parts.push(T::take(rest)?);
    }
    Some(parts)
}

/// Appends what is one of a few, as its place in a list to which later versions only append.
pub(crate) fn put_one<T: PartialEq>(of: &[T], part: &T, out: &mut Vec<u8>) {
    of.iter().position(|other| other == part).unwrap_or_default().put(out);
}

/// Reads what [`put_one`] appended.
pub(crate) fn take_one<T: Copy>(of: &[T], rest: &mut &[u8]) -> Option<T> {
    of.get(usize::take(rest)?).copied()
}
