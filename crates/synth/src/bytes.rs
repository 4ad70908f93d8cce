//! Values as bytes and back, for saved models. Whole numbers take as many bytes as they need; a reader never trusts a
//! length, and answers nothing rather than half of something.

/// Something that can be saved.
pub(crate) trait Kept: Sized {
    /// Appends itself.
    fn put(&self, out: &mut Vec<u8>);
    /// Reads itself back.
    fn take(from: &mut Bytes) -> Option<Self>;
}

/// Bytes still to be read.
pub(crate) struct Bytes<'a> {
    /// The rest.
    pub(crate) rest: &'a [u8],
}

impl Bytes<'_> {
    fn next(&mut self, count: usize) -> Option<&[u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }
}

impl Kept for u64 {
    fn put(&self, out: &mut Vec<u8>) {
        let mut left = *self;
        while left >= 0x80 {
            out.push(left as u8 | 0x80);
            left >>= 7;
        }
        out.push(left as u8);
    }

    fn take(from: &mut Bytes) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = from.next(1)?[0];
            value |= ((byte & 0x7f) as u64) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }
}

impl Kept for u32 {
    fn put(&self, out: &mut Vec<u8>) {
        (*self as u64).put(out);
    }
    fn take(from: &mut Bytes) -> Option<u32> {
        u64::take(from)?.try_into().ok()
    }
}

impl Kept for u16 {
    fn put(&self, out: &mut Vec<u8>) {
        (*self as u64).put(out);
    }
    fn take(from: &mut Bytes) -> Option<u16> {
        u64::take(from)?.try_into().ok()
    }
}

impl Kept for u8 {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(*self);
    }
    fn take(from: &mut Bytes) -> Option<u8> {
        Some(from.next(1)?[0])
    }
}

impl Kept for usize {
    fn put(&self, out: &mut Vec<u8>) {
        (*self as u64).put(out);
    }
    fn take(from: &mut Bytes) -> Option<usize> {
        u64::take(from)?.try_into().ok()
    }
}

impl Kept for i64 {
    fn put(&self, out: &mut Vec<u8>) {
        (((self << 1) ^ (self >> 63)) as u64).put(out);
    }
    fn take(from: &mut Bytes) -> Option<i64> {
        let bits = u64::take(from)?;
        Some((bits >> 1) as i64 ^ -((bits & 1) as i64))
    }
}

impl Kept for bool {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(*self as u8);
    }
    fn take(from: &mut Bytes) -> Option<bool> {
        match u8::take(from)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl Kept for f64 {
    fn put(&self, out: &mut Vec<u8>) {
        // Most are small whole numbers: two bytes or three in the place of nine.
        let whole = *self as i64;
        if whole as f64 == *self && whole.unsigned_abs() < 1 << 40 && (whole != 0 || self.is_sign_positive()) {
            out.push(1);
            whole.put(out);
        } else {
            out.push(0);
            out.extend_from_slice(&self.to_bits().to_le_bytes());
        }
    }
    fn take(from: &mut Bytes) -> Option<f64> {
        match u8::take(from)? {
            0 => Some(f64::from_bits(u64::from_le_bytes(from.next(8)?.try_into().ok()?))),
            1 => Some(i64::take(from)? as f64),
            _ => None,
        }
    }
}

impl Kept for char {
    fn put(&self, out: &mut Vec<u8>) {
        (*self as u32).put(out);
    }
    fn take(from: &mut Bytes) -> Option<char> {
        char::from_u32(u32::take(from)?)
    }
}

impl Kept for String {
    fn put(&self, out: &mut Vec<u8>) {
        self.len().put(out);
        out.extend_from_slice(self.as_bytes());
    }
    fn take(from: &mut Bytes) -> Option<String> {
        let count = usize::take(from)?;
        String::from_utf8(from.next(count)?.to_vec()).ok()
    }
}

impl<T: Kept> Kept for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.len().put(out);
        self.iter().for_each(|item| item.put(out));
    }
    fn take(from: &mut Bytes) -> Option<Vec<T>> {
        let count = usize::take(from)?;
        // Every item takes a byte at least, so that a false length cannot ask for more memory than there are bytes.
        let mut items = Vec::with_capacity(count.min(from.rest.len()));
        for _ in 0..count {
            items.push(T::take(from)?);
        }
        Some(items)
    }
}

impl<T: Kept> Kept for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(self.is_some() as u8);
        if let Some(item) = self {
            item.put(out);
        }
    }
    fn take(from: &mut Bytes) -> Option<Option<T>> {
        if bool::take(from)? { Some(Some(T::take(from)?)) } else { Some(None) }
    }
}

impl<A: Kept, B: Kept> Kept for (A, B) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
    }
    fn take(from: &mut Bytes) -> Option<(A, B)> {
        Some((A::take(from)?, B::take(from)?))
    }
}

impl<A: Kept, B: Kept, C: Kept> Kept for (A, B, C) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
        self.2.put(out);
    }
    fn take(from: &mut Bytes) -> Option<(A, B, C)> {
        Some((A::take(from)?, B::take(from)?, C::take(from)?))
    }
}

impl<A: Kept, B: Kept, C: Kept, D: Kept> Kept for (A, B, C, D) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
        self.2.put(out);
        self.3.put(out);
    }
    fn take(from: &mut Bytes) -> Option<(A, B, C, D)> {
        Some((A::take(from)?, B::take(from)?, C::take(from)?, D::take(from)?))
    }
}

impl<T: Kept, const N: usize> Kept for [T; N] {
    fn put(&self, out: &mut Vec<u8>) {
        self.iter().for_each(|item| item.put(out));
    }
    fn take(from: &mut Bytes) -> Option<[T; N]> {
        let mut items = Vec::with_capacity(N);
        for _ in 0..N {
            items.push(T::take(from)?);
        }
        items.try_into().ok()
    }
}
