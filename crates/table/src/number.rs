//! How numbers are written. In: a number or a cell. Out: the cell or the number. What a whole column's spelling is, is
//! found in `number_profile`.

use std::io::Write;

/// Decimal digits that a double carries exactly, there and back.
pub(crate) const DIGITS_EXACT: usize = 15;
const EXACT: f64 = 1e15;
const POWERS: [f64; 16] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// How the numbers of one column are written.
#[derive(Clone, Debug, PartialEq)]
pub struct Number {
    /// What stands before the digits, such as `$`.
    pub(crate) prefix: String,
    /// What stands behind them, such as `%` or ` kg`.
    pub(crate) suffix: String,
    /// Whether the sign stands between prefix and digits.
    pub(crate) sign_inside: bool,
    /// Whether positive numbers carry a `+`; and whether zero does.
    pub(crate) plus: bool,
    pub(crate) plus_zero: bool,
    /// The thousands mark.
    pub(crate) mark: Option<u8>,
    /// The decimal point.
    pub(crate) point: u8,
    /// Whether numbers below one lack the zero before the point.
    pub(crate) bare_point: bool,
    /// Whether the source tells -0 from 0.
    pub(crate) negative_zero: bool,
    /// Digits that whole numbers are padded to with zeros; 0 for no padding.
    pub(crate) width: usize,
    pub(crate) fraction: Fraction,
}

/// How the digits behind the decimal point are written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fraction {
    /// There are none: the column holds whole numbers, perhaps all with the same number of zeros behind the point.
    None { zeros: usize },
    /// Always as many.
    Fixed { places: usize },
    /// At most as many, without zeros at the end; whole numbers with `.0` or bare.
    Trimmed { places: usize, dot_zero: bool },
    /// As many as tell the double from its neighbours; `exponent` if very small and large numbers are written as
    /// Python does.
    Shortest { dot_zero: bool, exponent: bool },
}

impl std::fmt::Display for Number {
    /// A number as it is written.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const SHOWN: f64 = 1234.5;
        let mut out = Vec::new();
        match self.fraction {
            Fraction::None { .. } if self.width > 0 => self.write_int(1, &mut out),
            Fraction::None { .. } => self.write_int(SHOWN as i64, &mut out),
            _ => self.write_real(SHOWN, &mut out),
        }
        f.write_str(&String::from_utf8_lossy(&out))?;
        match self.fraction {
            Fraction::Trimmed { places, .. } => write!(f, " with up to {places} decimals"),
            Fraction::Shortest { .. } => f.write_str(" with any decimals"),
            Fraction::None { .. } | Fraction::Fixed { .. } => Ok(()),
        }
    }
}

impl Number {
    /// Numbers without any ornament.
    pub(crate) fn bare(fraction: Fraction) -> Number {
        Number {
            prefix: String::new(),
            suffix: String::new(),
            sign_inside: false,
            plus: false,
            plus_zero: false,
            mark: None,
            point: b'.',
            bare_point: false,
            negative_zero: false,
            width: 0,
            fraction,
        }
    }

    /// What is written beside digits and signs.
    pub(crate) fn ornaments(&self) -> [String; 3] {
        let marks = self.mark.into_iter().chain((self.places() != Some(0)).then_some(self.point));
        [self.prefix.clone(), self.suffix.clone(), marks.map(char::from).collect()]
    }

    pub(crate) fn whole(&self) -> bool {
        matches!(self.fraction, Fraction::None { .. })
    }

    /// Digits behind the point, where that is bounded.
    pub(crate) fn places(&self) -> Option<usize> {
        match self.fraction {
            Fraction::None { .. } => Some(0),
            Fraction::Fixed { places } | Fraction::Trimmed { places, .. } => Some(places),
            Fraction::Shortest { .. } => None,
        }
    }

    /// The numbers that can be written without breaking the form.
    pub(crate) fn range(&self) -> Option<(f64, f64)> {
        match self.fraction {
            Fraction::None { .. } if self.width > 0 => Some((0.0, 10f64.powi(self.width as i32) - 1.0)),
            Fraction::None { .. } => Some((-1e18 + 1024.0, 1e18 - 1024.0)),
            Fraction::Fixed { places } | Fraction::Trimmed { places, .. } => {
                let most = 10f64.powi(DIGITS_EXACT as i32 - places as i32);
                Some((-most, most))
            }
            Fraction::Shortest { .. } => None,
        }
    }

    pub(crate) fn write_int(&self, value: i64, out: &mut Vec<u8>) {
        self.write_head(value < 0, value == 0, out);
        self.write_whole(value.unsigned_abs(), self.width, out);
        if let Fraction::None { zeros } = self.fraction
            && zeros > 0
        {
            out.push(self.point);
            out.resize(out.len() + zeros, b'0');
        }
        out.extend_from_slice(self.suffix.as_bytes());
    }

    pub(crate) fn write_real(&self, value: f64, out: &mut Vec<u8>) {
        match self.fraction {
            Fraction::None { .. } => self.write_int(value.round() as i64, out),
            Fraction::Fixed { places } => self.write_rounded(value, places, None, out),
            Fraction::Trimmed { places, dot_zero } => self.write_rounded(value, places, Some(dot_zero), out),
            Fraction::Shortest { dot_zero, exponent } => {
                let negative = value.is_sign_negative() && (value != 0.0 || self.negative_zero);
                self.write_head(negative, value == 0.0, out);
                let start = out.len();
                write_shortest(value.abs(), dot_zero, exponent, out);
                self.restyle(start, out);
                out.extend_from_slice(self.suffix.as_bytes());
            }
        }
    }

    /// Writes a number of at most `places` digits behind the point; all of them, or trimmed.
    fn write_rounded(&self, value: f64, places: usize, trimmed: Option<bool>, out: &mut Vec<u8>) {
        let scaled = (value.abs() * POWERS[places.min(DIGITS_EXACT)]).round();
        let long = places > DIGITS_EXACT || scaled >= EXACT;
        let zero = if long { value == 0.0 } else { scaled == 0.0 };
        let negative = value.is_sign_negative() && (!zero || self.negative_zero && value == 0.0);
        self.write_head(negative, zero, out);
        if long {
            let start = out.len();
            write!(out, "{:.*}", places, value.abs()).expect("writing to memory does not fail");
            self.restyle(start, out);
        } else {
            self.write_scaled(scaled as u64, places, trimmed, out);
        }
        out.extend_from_slice(self.suffix.as_bytes());
    }

    /// Writes `scaled` over ten to the power of `places`.
    fn write_scaled(&self, scaled: u64, places: usize, trimmed: Option<bool>, out: &mut Vec<u8>) {
        let power = POWERS[places] as u64;
        let (whole, mut fraction) = (scaled / power, scaled % power);
        let mut digits = [b'0'; DIGITS_EXACT];
        for digit in digits[..places].iter_mut().rev() {
            *digit = b'0' + (fraction % 10) as u8;
            fraction /= 10;
        }
        let mut digits = &digits[..places];
        if let Some(dot_zero) = trimmed {
            while let [rest @ .., b'0'] = digits
                && !(dot_zero && rest.is_empty())
            {
                digits = rest;
            }
        }
        if whole > 0 || !self.bare_point || digits.is_empty() {
            self.write_whole(whole, 0, out);
        }
        if !digits.is_empty() {
            out.push(self.point);
            out.extend_from_slice(digits);
        }
    }

    fn write_head(&self, negative: bool, zero: bool, out: &mut Vec<u8>) {
        let plus = if zero { self.plus_zero } else { self.plus };
        let sign: &[u8] = if negative {
            b"-"
        } else if plus {
            b"+"
        } else {
            b""
        };
        if self.sign_inside {
            out.extend_from_slice(self.prefix.as_bytes());
            out.extend_from_slice(sign);
        } else {
            out.extend_from_slice(sign);
            out.extend_from_slice(self.prefix.as_bytes());
        }
    }

    fn write_whole(&self, value: u64, width: usize, out: &mut Vec<u8>) {
        let mut buffer = [b'0'; 40];
        let mut at = buffer.len();
        let mut rest = value;
        let mut count = 0;
        while rest > 0 || count < width.max(1) {
            if let Some(mark) = self.mark
                && count > 0
                && count % 3 == 0
                && rest > 0
            {
                at -= 1;
                buffer[at] = mark;
            }
            at -= 1;
            buffer[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            count += 1;
            if at < 2 {
                break;
            }
        }
        out.extend_from_slice(&buffer[at..]);
    }

    /// Gives plainly written digits the column's decimal point.
    fn restyle(&self, start: usize, out: &mut Vec<u8>) {
        if self.point != b'.'
            && let Some(at) = out[start..].iter().position(|&byte| byte == b'.')
        {
            out[start + at] = self.point;
        }
        if self.bare_point && out[start..].starts_with(&[b'0', self.point]) {
            out.remove(start);
        }
    }

    /// The digits of a cell: what is left without sign and ornaments.
    fn strip<'a>(&self, cell: &'a [u8]) -> Option<(bool, &'a [u8])> {
        if self.prefix.is_empty() && self.suffix.is_empty() {
            return Some(match cell {
                [b'-', digits @ ..] => (true, digits),
                [b'+', digits @ ..] => (false, digits),
                digits => (false, digits),
            });
        }
        let (mut negative, mut rest) = (false, cell);
        for step in 0..2 {
            if (step == 1) == self.sign_inside {
                if let [sign @ (b'-' | b'+'), behind @ ..] = rest {
                    negative = *sign == b'-';
                    rest = behind;
                }
            } else {
                rest = rest.strip_prefix(self.prefix.as_bytes())?;
            }
        }
        Some((negative, rest.strip_suffix(self.suffix.as_bytes())?))
    }

    pub(crate) fn read_int(&self, cell: &[u8]) -> Option<i64> {
        let (negative, mut digits) = self.strip(cell)?;
        if let Fraction::None { zeros } = self.fraction
            && zeros > 0
        {
            let whole = digits.len().checked_sub(zeros + 1)?;
            if digits[whole] != self.point || digits[whole + 1..].iter().any(|&byte| byte != b'0') {
                return None;
            }
            digits = &digits[..whole];
        }
        let mut value = 0i64;
        let mut count = 0;
        for &byte in digits {
            if byte.is_ascii_digit() {
                value = value.checked_mul(10)?.checked_add(i64::from(byte - b'0'))?;
                count += 1;
            } else if Some(byte) != self.mark {
                return None;
            }
        }
        (count > 0).then_some(if negative { -value } else { value })
    }

    pub(crate) fn read_real(&self, cell: &[u8]) -> Option<f64> {
        let (negative, digits) = self.strip(cell)?;
        let mut mantissa = 0u64;
        let (mut count, mut places, mut pointed) = (0, 0, false);
        for (at, &byte) in digits.iter().enumerate() {
            if byte.is_ascii_digit() {
                mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(byte - b'0'));
                count += usize::from(mantissa > 0);
                places += usize::from(pointed);
            } else if byte == self.point && !pointed {
                pointed = true;
            } else if matches!(byte, b'e' | b'E') && at > 0 {
                count = usize::MAX;
                break;
            } else if Some(byte) != self.mark || pointed {
                return None;
            }
        }
        let value = if count <= DIGITS_EXACT && places <= DIGITS_EXACT && !digits.is_empty() {
            // Both sides are exact doubles, so the quotient is the nearest double to the cell.
            mantissa as f64 / POWERS[places]
        } else {
            parse(digits, self.point, self.mark)?
        };
        Some(if negative { -value } else { value })
    }
}

/// The nearest double to any run of digits.
pub(crate) fn parse(digits: &[u8], point: u8, mark: Option<u8>) -> Option<f64> {
    if point == b'.' && mark.is_none() {
        return std::str::from_utf8(digits).ok()?.parse().ok().filter(|value: &f64| value.is_finite());
    }
    let plain = digits.iter().filter(|&&byte| Some(byte) != mark);
    let plain = plain.map(|&byte| if byte == point { '.' } else { char::from(byte) }).collect::<String>();
    plain.parse().ok().filter(|value: &f64| value.is_finite())
}

/// Writes the shortest digits that are read back as this number, which must not be negative. Where two are equally close
/// it takes the even one, as most writers do.
pub(crate) fn write_shortest(value: f64, dot_zero: bool, exponent: bool, out: &mut Vec<u8>) {
    let start = out.len();
    let extreme = exponent && value != 0.0 && !(1e-4..1e16).contains(&value);
    if extreme {
        write!(out, "{value:e}").expect("writing to memory does not fail");
        let Some(at) = out[start..].iter().position(|&byte| byte == b'e') else { return };
        let mut power = out.split_off(start + at + 1);
        out.pop();
        let lower = std::str::from_utf8(&power).ok().and_then(|power| power.parse::<i64>().ok()).unwrap_or(0);
        settle_tie(value, -lower, &mut out[start..]);
        out.push(b'e');
        let sign = if power.first() == Some(&b'-') { power.remove(0) } else { b'+' };
        out.push(sign);
        if power.len() < 2 {
            out.push(b'0');
        }
        out.extend_from_slice(&power);
        return;
    }
    write!(out, "{value}").expect("writing to memory does not fail");
    settle_tie(value, 0, &mut out[start..]);
    if dot_zero && !out[start..].contains(&b'.') {
        out.extend_from_slice(b".0");
    }
}

/// Makes the last digit even if the one below is as close to the number; the digits stand for themselves over ten to the
/// power of `shift`. A double that was one of single precision has so few digits that this is often so.
fn settle_tie(value: f64, shift: i64, digits: &mut [u8]) {
    const FRACTION_BITS: u32 = f64::MANTISSA_DIGITS - 1;
    const ONES: i64 = 1023;
    let Some(&last) = digits.last() else { return };
    let point = digits.iter().position(|&byte| byte == b'.');
    if last % 2 == 0 || point.is_none() && shift == 0 {
        return;
    }
    let exponent = (value.to_bits() >> FRACTION_BITS) as i64;
    let mantissa = (value.to_bits() & ((1 << FRACTION_BITS) - 1)) | 1 << FRACTION_BITS;
    if exponent == 0 {
        return;
    }
    // A fraction over two to the power of n has n digits behind the point, the last of them a five. So the number lies in
    // the middle between two decimals exactly if these have one digit less.
    let halvings = ONES + i64::from(FRACTION_BITS) - exponent - i64::from(mantissa.trailing_zeros());
    let places = point.map_or(0, |at| (digits.len() - at - 1) as i64) + shift;
    if halvings != places + 1 || halvings <= 0 {
        return;
    }
    let even = last - 1;
    let Some((last, before)) = digits.split_last_mut() else { return };
    // Below a power of two doubles lie closer, so that the lower digits may be those of another.
    let text = format!("{}{}e{}", String::from_utf8_lossy(before), char::from(even), -shift);
    if text.parse() == Ok(value) {
        *last = even;
    }
}
