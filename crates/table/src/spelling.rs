//! How a source wrote the values of a column, so that they can be written back the same way. In: one value or one cell.
//! Out: the cell or the value. Quotes and delimiters are none of its business.

use crate::number::{Fraction, Number};
use crate::time::Pattern;
use crate::{Kind, time};

/// The spelling of one column. Law: for every cell of the column, writing the value that was read gives the same
/// bytes; a column for which no form keeps the law is text. The exception are measurements that are written in more than
/// one way, or with more digits than a double carries: they are numbers all the same, kept by value, which is to say as
/// the nearest double, and written by its shortest digits. What could as well be a code, a version or a chapter (no sign,
/// currency, unit or exponent, and less than six digits behind the point) is no measurement.
#[derive(Clone, Debug, PartialEq)]
pub struct Spelling {
    /// How a present value is written.
    pub form: Form,
    /// How a missing value is written (often the empty string).
    pub null: String,
}

/// How a present value is written.
#[derive(Clone, Debug, PartialEq)]
pub enum Form {
    /// Text as it stands; whole numbers and reals by their shortest digits, truth values as `true` and `false`, times as
    /// `2024-01-31 23:59:59.000000`.
    Plain,
    /// Whole numbers or reals with fixed habits: padding, decimals, thousands marks, currency and percent signs.
    Number(Number),
    /// Truth values as a pair of words.
    Words {
        /// The word for true.
        yes: String,
        /// The word for false.
        no: String,
    },
    /// Dates, timestamps or clock times by a pattern.
    Time(Pattern),
}

/// One value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// A missing value.
    Null,
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Real(f64),
    /// A truth value.
    Bool(bool),
    /// Microseconds since 1970-01-01.
    Time(i64),
    /// A text.
    Text(&'a str),
}

impl std::fmt::Display for Form {
    /// What a value looks like, such as `$1,234.50` or `%d/%m/%Y`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Form::Plain => f.write_str("plain"),
            Form::Number(number) => number.fmt(f),
            Form::Words { yes, no } => write!(f, "{yes}/{no}"),
            Form::Time(pattern) => pattern.fmt(f),
        }
    }
}

impl Spelling {
    /// Text as it stands, with the empty string for a missing value.
    pub fn plain() -> Spelling {
        Spelling { form: Form::Plain, null: String::new() }
    }

    /// The smallest difference between two values that the form can write: 1 for whole numbers, 10^-places for numbers
    /// of fixed decimals, microseconds for times; `None` where there is no fixed step.
    pub fn step(&self) -> Option<f64> {
        match &self.form {
            Form::Number(number) => number.places().map(|places| 10f64.powi(-(places as i32))),
            Form::Time(pattern) => Some(pattern.step() as f64),
            Form::Plain | Form::Words { .. } => None,
        }
    }

    /// Digits behind the decimal point that the form can write: 0 for whole numbers; `None` where that has no bound or
    /// no meaning.
    pub fn decimals(&self) -> Option<usize> {
        match &self.form {
            Form::Number(number) => number.places(),
            _ => None,
        }
    }

    /// The digits that whole numbers are padded to with zeros, if they are.
    pub fn padding(&self) -> Option<usize> {
        match &self.form {
            Form::Number(number) => Some(number.width).filter(|&width| width > 0),
            _ => None,
        }
    }

    /// The smallest and largest value that the form can write and read back, both included, in the units of the values
    /// (microseconds for times); `None` where there is no bound.
    pub fn range(&self) -> Option<(f64, f64)> {
        match &self.form {
            Form::Number(number) => number.range(),
            Form::Time(pattern) => {
                let (first, last) = pattern.range();
                Some((first as f64, last as f64))
            }
            Form::Plain | Form::Words { .. } => None,
        }
    }

    /// Appends a value as the source would have written it. A value outside of [`Spelling::range`] is written as its
    /// digits come and may break the form.
    pub fn write(&self, cell: Cell<'_>, out: &mut Vec<u8>) {
        match (&self.form, cell) {
            (_, Cell::Null) => out.extend_from_slice(self.null.as_bytes()),
            (_, Cell::Text(text)) => out.extend_from_slice(text.as_bytes()),
            (Form::Number(number), Cell::Int(value)) => number.write_int(value, out),
            (Form::Number(number), Cell::Real(value)) => number.write_real(value, out),
            (Form::Words { yes, no }, Cell::Bool(value)) => {
                out.extend_from_slice(if value { yes } else { no }.as_bytes())
            }
            (Form::Time(pattern), Cell::Time(value)) => pattern.write(value, out),
            (_, Cell::Int(value)) => Number::bare(Fraction::None { zeros: 0 }).write_int(value, out),
            (_, Cell::Real(value)) => shortest().write_real(value, out),
            (_, Cell::Bool(value)) => out.extend_from_slice(if value { b"true" } else { b"false" }),
            (_, Cell::Time(value)) => time::iso().write(value, out),
        }
    }

    /// The value of a cell of this kind; `None` if it is not written by this spelling. A cell equal to the null token is
    /// a missing value, also in a column of text.
    pub fn read<'a>(&self, kind: Kind, cell: &'a str) -> Option<Cell<'a>> {
        if cell == self.null {
            return Some(Cell::Null);
        }
        match kind {
            Kind::Text => Some(Cell::Text(cell)),
            _ => self.read_present(kind, cell.as_bytes()),
        }
    }

    /// The value of a cell that is neither missing nor text.
    pub(crate) fn read_present(&self, kind: Kind, cell: &[u8]) -> Option<Cell<'static>> {
        match (&self.form, kind) {
            (Form::Number(number), Kind::Int) => number.read_int(cell).map(Cell::Int),
            (Form::Number(number), Kind::Real) => number.read_real(cell).map(Cell::Real),
            (Form::Words { yes, .. }, Kind::Bool) if cell == yes.as_bytes() => Some(Cell::Bool(true)),
            (Form::Words { no, .. }, Kind::Bool) if cell == no.as_bytes() => Some(Cell::Bool(false)),
            (Form::Time(pattern), Kind::Time) => pattern.read(cell).map(Cell::Time),
            (Form::Plain, Kind::Int) => Number::bare(Fraction::None { zeros: 0 }).read_int(cell).map(Cell::Int),
            (Form::Plain, Kind::Real) => shortest().read_real(cell).map(Cell::Real),
            (Form::Plain, Kind::Bool) if cell == b"true" => Some(Cell::Bool(true)),
            (Form::Plain, Kind::Bool) if cell == b"false" => Some(Cell::Bool(false)),
            (Form::Plain, Kind::Time) => time::iso().read(cell).map(Cell::Time),
            _ => None,
        }
    }
}

fn shortest() -> Number {
    Number::bare(Fraction::Shortest { dot_zero: false, exponent: false })
}
