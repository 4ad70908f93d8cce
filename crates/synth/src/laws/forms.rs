//! Forms: the curves that one number may follow another by. In: a real value. Out: its image, NaN where there is none.

/// A curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// The natural logarithm.
    Log,
    /// The natural logarithm of one more.
    LogOfNext,
    /// The square.
    Square,
    /// The cube.
    Cube,
    /// The square root.
    Root,
    /// One divided by it.
    Inverse,
    /// The exponential.
    Power,
}

impl Form {
    /// Every form, with the words for the log.
    pub(crate) const ALL: [(Form, &'static str); 7] = [
        (Form::Log, "the logarithm"),
        (Form::LogOfNext, "the logarithm of one more than that"),
        (Form::Square, "the square"),
        (Form::Cube, "the cube"),
        (Form::Root, "the square root"),
        (Form::Inverse, "the inverse"),
        (Form::Power, "the exponential"),
    ];

    /// The image of a value.
    pub(crate) fn of(self, value: f64) -> f64 {
        let image = match self {
            Form::Log => value.ln(),
            Form::LogOfNext => value.ln_1p(),
            Form::Square => value * value,
            Form::Cube => value * value * value,
            Form::Root => value.sqrt(),
            Form::Inverse => 1.0 / value,
            Form::Power => value.exp(),
        };
        if image.is_finite() { image } else { f64::NAN }
    }
}
