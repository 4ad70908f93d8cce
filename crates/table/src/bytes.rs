//! Values as bytes and back, for saved layouts and models. In: numbers, texts, lists and what is made of them. Out: bytes one
//! behind another; whole numbers take as many as they need. A reader never trusts a length, and answers nothing rather than
//! half of something.

/// Something that can be saved.
pub trait Kept: Sized {
    /// Appends itself.
    fn put(&self, out: &mut Vec<u8>);
    /// Reads itself from the front of what is left; `None` if that is something else.
    fn take(from: &mut &[u8]) -> Option<Self>;
}

/// Says how a type is saved: a struct by its fields in the order named, an enum by a tag for each variant and then its
/// fields. The order and the tags are the form of saved files: to change them is to make a new version.
#[macro_export]
macro_rules! kept {
    (struct $name:ident { $($field:ident),* $(,)? }) => {
        impl $crate::Kept for $name {
            fn put(&self, out: &mut Vec<u8>) {
                $($crate::Kept::put(&self.$field, out);)*
            }
            fn take(from: &mut &[u8]) -> Option<$name> {
                $(let $field = $crate::Kept::take(from)?;)*
                Some($name { $($field),* })
            }
        }
    };
    (enum $name:ident { $($tag:literal => $variant:ident $({ $($field:ident),* })? $(($($item:ident),*))?),* $(,)? }) => {
        impl $crate::Kept for $name {
            fn put(&self, out: &mut Vec<u8>) {
                match self {
                    $($name::$variant $({ $($field),* })? $(($($item),*))? => {
                        out.push($tag);
                        $($($crate::Kept::put($field, out);)*)?
                        $($($crate::Kept::put($item, out);)*)?
                    })*
                }
            }
            fn take(from: &mut &[u8]) -> Option<$name> {
                Some(match <u8 as $crate::Kept>::take(from)? {
                    $($tag => {
                        $($(let $field = $crate::Kept::take(from)?;)*)?
                        $($(let $item = $crate::Kept::take(from)?;)*)?
                        $name::$variant $({ $($field),* })? $(($($item),*))?
                    })*
                    _ => return None,
                })
            }
        }
    };
    (one of $name:ty: $list:expr) => {
        impl $crate::Kept for $name {
            /// Its place in a list to which later versions only append.
            fn put(&self, out: &mut Vec<u8>) {
                $crate::Kept::put(&$list.iter().position(|other| other == self).unwrap_or_default(), out);
            }
            fn take(from: &mut &[u8]) -> Option<$name> {
                $list.get(<usize as $crate::Kept>::take(from)?).copied()
            }
        }
    };
}

fn next<'a>(from: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, rest) = from.split_at_checked(count)?;
    *from = rest;
    Some(taken)
}

impl Kept for u8 {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(*self);
    }
    fn take(from: &mut &[u8]) -> Option<u8> {
        Some(next(from, 1)?[0])
    }
}

impl Kept for bool {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }
    fn take(from: &mut &[u8]) -> Option<bool> {
        match u8::take(from)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
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
    fn take(from: &mut &[u8]) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = u8::take(from)?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }
}

macro_rules! as_u64 {
    ($($name:ty),*) => {$(
        impl Kept for $name {
            fn put(&self, out: &mut Vec<u8>) {
                (*self as u64).put(out);
            }
            fn take(from: &mut &[u8]) -> Option<$name> {
                u64::take(from)?.try_into().ok()
            }
        }
    )*};
}

as_u64!(u16, u32, usize);

impl Kept for i64 {
    fn put(&self, out: &mut Vec<u8>) {
        (((self << 1) ^ (self >> 63)) as u64).put(out);
    }
    fn take(from: &mut &[u8]) -> Option<i64> {
        let bits = u64::take(from)?;
        Some((bits >> 1) as i64 ^ -((bits & 1) as i64))
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
    fn take(from: &mut &[u8]) -> Option<f64> {
        match u8::take(from)? {
            0 => Some(f64::from_bits(u64::from_le_bytes(next(from, 8)?.try_into().ok()?))),
            1 => Some(i64::take(from)? as f64),
            _ => None,
        }
    }
}

impl Kept for char {
    fn put(&self, out: &mut Vec<u8>) {
        (*self as u32).put(out);
    }
    fn take(from: &mut &[u8]) -> Option<char> {
        char::from_u32(u32::take(from)?)
    }
}

impl Kept for String {
    fn put(&self, out: &mut Vec<u8>) {
        self.len().put(out);
        out.extend_from_slice(self.as_bytes());
    }
    fn take(from: &mut &[u8]) -> Option<String> {
        let count = usize::take(from)?;
        String::from_utf8(next(from, count)?.to_vec()).ok()
    }
}

impl<T: Kept> Kept for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.len().put(out);
        self.iter().for_each(|item| item.put(out));
    }
    fn take(from: &mut &[u8]) -> Option<Vec<T>> {
        let count = usize::take(from)?;
        // Every item takes a byte at least, so that a false length cannot ask for more memory than there are bytes.
        let mut items = Vec::with_capacity(count.min(from.len()));
        for _ in 0..count {
            items.push(T::take(from)?);
        }
        Some(items)
    }
}

impl<T: Kept> Kept for Box<T> {
    fn put(&self, out: &mut Vec<u8>) {
        (**self).put(out);
    }
    fn take(from: &mut &[u8]) -> Option<Box<T>> {
        Some(Box::new(T::take(from)?))
    }
}

impl<T: Kept> Kept for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.is_some().put(out);
        if let Some(item) = self {
            item.put(out);
        }
    }
    fn take(from: &mut &[u8]) -> Option<Option<T>> {
        if bool::take(from)? { Some(Some(T::take(from)?)) } else { Some(None) }
    }
}

macro_rules! tuples {
    ($(($($item:ident $at:tt),*)),*) => {$(
        impl<$($item: Kept),*> Kept for ($($item,)*) {
            fn put(&self, out: &mut Vec<u8>) {
                $(self.$at.put(out);)*
            }
            fn take(from: &mut &[u8]) -> Option<Self> {
                Some(($($item::take(from)?,)*))
            }
        }
    )*};
}

tuples!((A 0, B 1), (A 0, B 1, C 2), (A 0, B 1, C 2, D 3));

impl<T: Kept, const N: usize> Kept for [T; N] {
    fn put(&self, out: &mut Vec<u8>) {
        self.iter().for_each(|item| item.put(out));
    }
    fn take(from: &mut &[u8]) -> Option<[T; N]> {
        let mut items = Vec::with_capacity(N);
        for _ in 0..N {
            items.push(T::take(from)?);
        }
        items.try_into().ok()
    }
}
