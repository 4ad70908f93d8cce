//! How a source wrote the values of a column, so that they can be written back the same way.

/// The spelling of one column. Law: for every cell of the column, writing the value that was read gives the same
/// bytes; a column for which no form keeps the law is text.
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
    /// Text as it stands.
    Plain,
}

impl Spelling {
    /// Text as it stands, with the empty string for a missing value.
    pub fn plain() -> Spelling {
        Spelling { form: Form::Plain, null: String::new() }
    }

    /// The smallest difference between two values that the form can write: 1 for whole numbers, 10^-places for numbers
    /// of fixed decimals, microseconds for times; `None` where there is no fixed step.
    pub fn step(&self) -> Option<f64> {
        None
    }
}
