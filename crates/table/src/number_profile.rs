//! Finds how a column writes its numbers. In: its cells, one by one. Out: the [`Number`] that writes each of them back
//! byte for byte; or the closest one, where they are measurements beyond doubt and written in more than one way; or none.

use crate::number::{DIGITS_EXACT, Fraction, Number, parse, write_shortest};
use crate::number_shape::{Shape, known_unit};

/// Longer runs of digits are identifiers, not quantities.
const WHOLE_DIGITS_MAX: usize = 18;
/// Longer fractions are text.
const PLACES_MAX: usize = 30;
/// Only measured or computed numbers have as many digits behind the point; versions and chapters have fewer.
const PLACES_MEASURED: usize = 6;

/// What all cells seen so far allow, under both meanings of comma and point.
pub(crate) struct Numbers {
    /// Cells that are digits alone, perhaps behind a minus: the commonest by far, counted once for both.
    bare: Bare,
    points: Tracker,
    commas: Tracker,
}

#[derive(Default)]
struct Bare {
    cells: u64,
    digits_max: usize,
    digits_min: usize,
    zero_led: bool,
    negative: bool,
    negative_zero: bool,
    positive: bool,
    zero: bool,
}

impl Numbers {
    pub(crate) fn new() -> Numbers {
        let bare = Bare { digits_min: usize::MAX, ..Bare::default() };
        Numbers { bare, points: Tracker::new(b'.'), commas: Tracker::new(b',') }
    }

    pub(crate) fn alive(&self) -> bool {
        self.points.alive || self.commas.alive
    }

    /// Takes a cell that `bare_digits` found to be digits alone.
    pub(crate) fn see_bare(&mut self, cell: &[u8]) {
        let negative = cell[0] == b'-';
        let digits = if negative { &cell[1..] } else { cell };
        let bare = &mut self.bare;
        bare.cells += 1;
        bare.digits_max = bare.digits_max.max(digits.len());
        bare.digits_min = bare.digits_min.min(digits.len());
        if digits[0] == b'0' {
            let zero = digits.len() == 1 || digits.iter().all(|&byte| byte == b'0');
            bare.zero_led |= digits.len() > 1;
            bare.negative_zero |= negative && zero;
            bare.zero |= zero && !negative;
            bare.positive |= !zero && !negative;
        } else {
            bare.positive |= !negative;
        }
        bare.negative |= negative;
    }

    /// Takes any other cell.
    pub(crate) fn see(&mut self, cell: &[u8]) {
        self.points.see(cell);
        self.commas.see(cell);
    }

    /// The spelling that writes back every cell seen.
    pub(crate) fn form(&self) -> Option<Number> {
        // While a comma may yet be a thousands mark it is not taken for a decimal comma.
        if self.points.alive { self.points.form(&self.bare) } else { self.commas.form(&self.bare) }
    }
}

/// Whether a cell is digits alone, perhaps behind a minus.
pub(crate) fn bare_digits(cell: &[u8]) -> bool {
    let digits = cell.strip_prefix(b"-").unwrap_or(cell);
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

struct Tracker {
    point: u8,
    alive: bool,
    cells: u64,
    prefix: Vec<u8>,
    suffix: Vec<u8>,
    sign_inside: Option<bool>,
    mark: Option<u8>,
    ungrouped_long: bool,
    whole_max: usize,
    whole_min: usize,
    zero_led: bool,
    places_min: usize,
    places_max: usize,
    /// Cells with the most digits behind the point.
    places_top: u64,
    /// A fraction that is not only zeros.
    fraction: bool,
    whole_bare: bool,
    whole_dot_zero: bool,
    zero_tailed: bool,
    point_bare: bool,
    point_led: bool,
    negative: bool,
    negative_zero: bool,
    plus: bool,
    plus_zero: bool,
    positive: bool,
    zero: bool,
    fixed_breaks: bool,
    shortest_breaks: bool,
    exponent: bool,
    /// A cell with a point, whether or not there is an exponent; and an exponent that Python would write otherwise.
    pointed: bool,
    exponent_breaks: bool,
    /// A number so small or large that Python would have written an exponent.
    extreme: bool,
    /// Room to write in, kept from cell to cell.
    written: Vec<u8>,
}

impl Tracker {
    fn new(point: u8) -> Tracker {
        Tracker {
            point,
            alive: true,
            cells: 0,
            prefix: Vec::new(),
            suffix: Vec::new(),
            sign_inside: None,
            mark: None,
            ungrouped_long: false,
            whole_max: 0,
            whole_min: usize::MAX,
            zero_led: false,
            places_min: usize::MAX,
            places_max: 0,
            places_top: 0,
            fraction: false,
            whole_bare: false,
            whole_dot_zero: false,
            zero_tailed: false,
            point_bare: false,
            point_led: false,
            negative: false,
            negative_zero: false,
            plus: false,
            plus_zero: false,
            positive: false,
            zero: false,
            fixed_breaks: false,
            shortest_breaks: false,
            exponent: false,
            pointed: false,
            exponent_breaks: false,
            extreme: false,
            written: Vec::new(),
        }
    }

    fn see(&mut self, cell: &[u8]) {
        if self.alive {
            self.alive = Shape::of(cell, self.point).is_some_and(|shape| self.take(&shape));
        }
    }

    /// Takes a cell; false if no spelling is left.
    fn take(&mut self, shape: &Shape<'_>) -> bool {
        if self.cells == 0 {
            self.prefix = shape.prefix.to_vec();
            self.suffix = shape.suffix.to_vec();
        }
        self.cells += 1;
        if self.prefix != shape.prefix || self.suffix != shape.suffix {
            return false;
        }
        if shape.mark.is_some() {
            if self.mark.is_some() && self.mark != shape.mark || shape.zero_led {
                return false;
            }
            self.mark = shape.mark;
        }
        self.ungrouped_long |= shape.mark.is_none() && shape.whole_digits > 3;
        if !self.take_sign(shape) {
            return false;
        }
        self.whole_max = self.whole_max.max(shape.whole_digits);
        self.whole_min = self.whole_min.min(shape.whole_digits);
        self.zero_led |= shape.zero_led;
        let places = shape.fraction.len();
        if places > PLACES_MAX || shape.whole_digits > WHOLE_DIGITS_MAX {
            return false;
        }
        self.pointed |= places > 0;
        if shape.exponent {
            return self.take_exponent(shape);
        }
        self.places_min = self.places_min.min(places);
        if places > self.places_max {
            (self.places_max, self.places_top) = (places, 0);
        }
        self.places_top += u64::from(places == self.places_max);
        let dot_zero = shape.fraction == b"0";
        self.whole_bare |= places == 0;
        self.whole_dot_zero |= dot_zero;
        self.zero_tailed |= !dot_zero && shape.fraction.last() == Some(&b'0');
        self.fraction |= !dot_zero && shape.fraction.iter().any(|&byte| byte != b'0');
        self.point_bare |= shape.whole_digits == 0;
        self.point_led |= places > 0 && shape.whole_digits > 0 && shape.digits[0] == b'0';
        if shape.significant() > DIGITS_EXACT || places > DIGITS_EXACT {
            self.weigh(shape);
        }
        // Below 1e-4, where Python goes over to exponents.
        self.extreme |= shape.fraction.starts_with(b"0000") && !shape.zero() && shape.digits[0] == b'0';
        true
    }

    /// Takes a cell's sign; false if it stands elsewhere than the others.
    fn take_sign(&mut self, shape: &Shape<'_>) -> bool {
        let zero = shape.zero();
        match shape.sign {
            Some(b'-') => {
                self.negative = true;
                self.negative_zero |= zero;
            }
            Some(_) if zero => self.plus_zero = true,
            Some(_) => self.plus = true,
            None if zero => self.zero = true,
            None => self.positive = true,
        }
        if shape.sign.is_none() || shape.prefix.is_empty() {
            return true;
        }
        *self.sign_inside.get_or_insert(shape.sign_inside) == shape.sign_inside
    }

    fn value(&self, shape: &Shape<'_>) -> Option<f64> {
        parse(shape.digits, self.point, shape.mark)
    }

    /// Checks by writing, for cells with more digits than a double is sure to carry.
    fn weigh(&mut self, shape: &Shape<'_>) {
        let Some(value) = self.value(shape).filter(|_| shape.mark.is_none()) else {
            (self.fixed_breaks, self.shortest_breaks) = (true, true);
            return;
        };
        self.extreme |= value != 0.0 && !(1e-4..1e16).contains(&value);
        // Where the number of digits varies, there is nothing fixed to check.
        self.fixed_breaks |= self.places_min != self.places_max;
        if !self.fixed_breaks {
            self.fixed_breaks = !self.writes(shape, value, Fraction::Fixed { places: shape.fraction.len() });
        }
        if !self.shortest_breaks {
            let dot_zero = shape.fraction == b"0";
            self.shortest_breaks = !self.writes(shape, value, Fraction::Shortest { dot_zero, exponent: false });
        }
    }

    fn writes(&mut self, shape: &Shape<'_>, value: f64, fraction: Fraction) -> bool {
        self.written.clear();
        let number = Number { point: self.point, bare_point: shape.whole_digits == 0, ..Number::bare(fraction) };
        number.write_real(value, &mut self.written);
        self.written == shape.digits
    }

    /// Takes a cell with an exponent; false if its number is beyond all doubles.
    fn take_exponent(&mut self, shape: &Shape<'_>) -> bool {
        self.exponent = true;
        let Some(value) = self.value(shape) else { return false };
        if self.exponent_breaks || self.point != b'.' || shape.mark.is_some() || value == 0.0 {
            self.exponent_breaks = true;
            return true;
        }
        self.written.clear();
        write_shortest(value, false, true, &mut self.written);
        self.exponent_breaks = self.written != shape.digits;
        true
    }

    fn absorb(&self, bare: &Bare) -> Tracker {
        Tracker {
            point: self.point,
            alive: self.alive,
            cells: self.cells + bare.cells,
            prefix: self.prefix.clone(),
            suffix: self.suffix.clone(),
            whole_max: self.whole_max.max(bare.digits_max),
            whole_min: self.whole_min.min(bare.digits_min),
            zero_led: self.zero_led || bare.zero_led,
            ungrouped_long: self.ungrouped_long || bare.digits_max > 3,
            places_min: if bare.cells > 0 { 0 } else { self.places_min },
            whole_bare: self.whole_bare || bare.cells > 0,
            negative: self.negative || bare.negative,
            negative_zero: self.negative_zero || bare.negative_zero,
            positive: self.positive || bare.positive,
            zero: self.zero || bare.zero,
            // A bare whole number of more digits than a double carries is not checked one by one.
            fixed_breaks: self.fixed_breaks || bare.digits_max > DIGITS_EXACT,
            shortest_breaks: self.shortest_breaks || bare.digits_max > DIGITS_EXACT,
            written: Vec::new(),
            ..*self
        }
    }

    fn form(&self, bare: &Bare) -> Option<Number> {
        if !self.alive || bare.cells > 0 && self.cells > 0 && !(self.prefix.is_empty() && self.suffix.is_empty()) {
            return None;
        }
        let all = self.absorb(bare);
        if all.cells == 0 || all.mark.is_some() && all.ungrouped_long {
            return None;
        }
        // A plus is a sign only where there are minuses too; else it begins a telephone number.
        if all.plus && (all.positive || !all.negative) || all.plus_zero && (all.zero || !all.plus) {
            return None;
        }
        let number = Number {
            prefix: String::from_utf8(all.prefix.clone()).ok()?,
            suffix: String::from_utf8(all.suffix.clone()).ok()?,
            sign_inside: all.sign_inside.unwrap_or(false),
            plus: all.plus,
            plus_zero: all.plus_zero,
            mark: all.mark,
            point: all.point,
            bare_point: all.point_bare,
            negative_zero: all.negative_zero,
            width: 0,
            fraction: Fraction::None { zeros: 0 },
        };
        all.whole_form(&number).or_else(|| all.real_form(&number)).or_else(|| all.closest_form(&number))
    }

    fn whole_form(&self, number: &Number) -> Option<Number> {
        let same_places = self.places_min == self.places_max && !self.fraction;
        if !same_places || self.exponent || self.negative_zero || self.point_bare {
            return None;
        }
        if self.whole_max > WHOLE_DIGITS_MAX {
            return None;
        }
        let mut width = 0;
        if self.zero_led {
            if self.whole_min != self.whole_max || self.negative || self.plus || self.mark.is_some() {
                return None;
            }
            width = self.whole_max;
        }
        Some(Number { width, fraction: Fraction::None { zeros: self.places_max }, ..number.clone() })
    }

    fn real_form(&self, number: &Number) -> Option<Number> {
        if self.zero_led || self.places_max == 0 && !self.exponent || self.point_bare && self.point_led {
            return None;
        }
        let exact = self.whole_max + self.places_max <= DIGITS_EXACT;
        if self.places_min == self.places_max && !self.exponent && (exact || !self.fixed_breaks && self.mark.is_none())
        {
            return Some(Number { fraction: Fraction::Fixed { places: self.places_max }, ..number.clone() });
        }
        if self.zero_tailed || self.whole_bare && self.whole_dot_zero {
            return None;
        }
        let dot_zero = self.whole_dot_zero;
        if exact && !self.exponent {
            let fraction = Fraction::Trimmed { places: self.places_max, dot_zero };
            return Some(Number { fraction, ..number.clone() });
        }
        if self.shortest_breaks || self.mark.is_some() || self.exponent && (self.extreme || self.exponent_breaks) {
            return None;
        }
        Some(Number { fraction: Fraction::Shortest { dot_zero, exponent: self.exponent }, ..number.clone() })
    }

    /// The spelling that keeps the values where none keeps every byte: for cells that cannot be codes, versions or
    /// chapters, because they have a sign, a currency, a known unit, an exponent or many digits behind the point.
    fn closest_form(&self, number: &Number) -> Option<Number> {
        let known = !self.prefix.is_empty() || known_unit(&self.suffix);
        let measured = known || self.negative || self.exponent || self.places_max >= PLACES_MEASURED;
        if !self.pointed || !measured || self.zero_led || self.mark.is_some() || self.whole_max > DIGITS_EXACT {
            return None;
        }
        let exact = self.whole_max + self.places_max <= DIGITS_EXACT && !self.exponent;
        let (places, dot_zero) = (self.places_max, self.whole_dot_zero);
        let fraction = match exact {
            true if self.places_top * 2 > self.cells => Fraction::Fixed { places },
            true => Fraction::Trimmed { places, dot_zero },
            false => Fraction::Shortest { dot_zero, exponent: self.exponent },
        };
        Some(Number { fraction, bare_point: self.point_bare && !self.point_led, ..number.clone() })
    }
}
