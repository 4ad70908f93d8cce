//! The parts of a cell that is written like a number. In: a cell and what its decimal point is. Out: its sign, ornaments,
//! digits and exponent, or none if it is no number. Nothing here knows of other cells.

const PREFIXES: [&str; 16] =
    ["$", "€", "£", "¥", "₹", "₽", "US$", "C$", "A$", "R$", "kr", "CHF", "USD", "EUR", "GBP", "JPY"];
const UNITS: [&str; 32] = [
    "%", "€", "$", "£", "¥", "kr", "zł", "‰", "°", "°C", "°F", "kg", "g", "mg", "km", "m", "cm", "mm", "ms", "s", "h",
    "min", "MB", "GB", "kB", "KB", "kW", "kWh", "W", "V", "Hz", "mph",
];

/// The parts of a cell that is written like a number.
pub(crate) struct Shape<'a> {
    pub(crate) prefix: &'a [u8],
    pub(crate) suffix: &'a [u8],
    pub(crate) sign: Option<u8>,
    /// Whether the sign stands behind the prefix.
    pub(crate) sign_inside: bool,
    /// The digits, point, marks and exponent.
    pub(crate) digits: &'a [u8],
    pub(crate) whole_digits: usize,
    pub(crate) zero_led: bool,
    /// The thousands mark.
    pub(crate) mark: Option<u8>,
    /// The digits behind the point; empty if there is no point.
    pub(crate) fraction: &'a [u8],
    pub(crate) exponent: bool,
}

impl<'a> Shape<'a> {
    /// The parts of a cell.
    pub(crate) fn of(cell: &'a [u8], point: u8) -> Option<Shape<'a>> {
        let digit = |at: usize| cell.get(at).is_some_and(u8::is_ascii_digit);
        let signed = |at: usize| cell.get(at).copied().filter(|byte| matches!(byte, b'-' | b'+'));
        let begins = |at: usize| digit(at) || cell.get(at) == Some(&point) && digit(at + 1);
        let mut sign = signed(0);
        let prefix_start = usize::from(sign.is_some());
        let mut at = prefix_start;
        while at < cell.len() && !begins(at) && signed(at).is_none() {
            at += 1;
        }
        let prefix = &cell[prefix_start..at];
        if at == cell.len() || !prefix.is_empty() && !known(prefix.trim_ascii_end(), &PREFIXES) {
            return None;
        }
        let mut sign_inside = false;
        if let Some(inner) = signed(at) {
            if sign.is_some() || !begins(at + 1) {
                return None;
            }
            (sign, sign_inside) = (Some(inner), true);
            at += 1;
        }
        let start = at;
        let (mut whole_digits, mut mark) = (0, None);
        loop {
            if digit(at) {
                whole_digits += 1;
                at += 1;
                continue;
            }
            let Some(&byte) = cell.get(at) else { break };
            let groups = byte != point && matches!(byte, b',' | b'.' | b' ' | b'\'') && mark.is_none_or(|m| m == byte);
            let three = digit(at + 1) && digit(at + 2) && digit(at + 3) && !digit(at + 4);
            let sound = if mark.is_none() { (1..=3).contains(&whole_digits) } else { true };
            if !(groups && three && sound) {
                break;
            }
            mark = Some(byte);
            whole_digits += 3;
            at += 4;
        }
        let zero_led = whole_digits > 1 && cell[start] == b'0';
        let mut fraction: &[u8] = &[];
        if cell.get(at) == Some(&point) && digit(at + 1) {
            let from = at + 1;
            at = from + cell[from..].iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(cell.len() - from);
            fraction = &cell[from..at];
        }
        let mut exponent = false;
        if matches!(cell.get(at), Some(b'e' | b'E')) && (digit(at + 1) || signed(at + 1).is_some() && digit(at + 2)) {
            exponent = true;
            at += 2;
            while digit(at) {
                at += 1;
            }
        }
        let suffix = &cell[at..];
        if !suffix.is_empty() && !unit(suffix) {
            return None;
        }
        let digits = &cell[start..at];
        Some(Shape { prefix, suffix, sign, sign_inside, digits, whole_digits, zero_led, mark, fraction, exponent })
    }

    /// Digits without the zeros that lead.
    pub(crate) fn significant(&self) -> usize {
        if self.digits[0] != b'0' && self.whole_digits > 0 {
            return self.whole_digits + self.fraction.len();
        }
        let zeros = self.fraction.iter().take_while(|&&byte| byte == b'0').count();
        self.fraction.len() - zeros + self.whole_digits.saturating_sub(1)
    }

    /// Whether no digit but zeros stands before the exponent.
    pub(crate) fn zero(&self) -> bool {
        self.digits.iter().take_while(|&&byte| !matches!(byte, b'e' | b'E')).all(|byte| !matches!(byte, b'1'..=b'9'))
    }
}

/// Whether a suffix is a unit that quantities are given in, not just some word.
pub(crate) fn known_unit(suffix: &[u8]) -> bool {
    let word = suffix.trim_ascii_start();
    known(word, &UNITS) || known(word, &PREFIXES)
}

fn known(word: &[u8], words: &[&str]) -> bool {
    words.iter().any(|known| known.as_bytes() == word)
}

/// Whether a suffix is a unit: a known one, or a word behind a space.
fn unit(suffix: &[u8]) -> bool {
    match suffix {
        [b' ', word @ ..] => known(word, &UNITS) || known(word, &PREFIXES) || is_word(word),
        word => known(word, &UNITS),
    }
}

fn is_word(word: &[u8]) -> bool {
    const UNIT_BYTES_MAX: usize = 10;
    (1..=UNIT_BYTES_MAX).contains(&word.len())
        && word.iter().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'/' | b'.'))
}
