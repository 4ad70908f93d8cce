//! Makes a column of Parquet values. In: the values, one by one. Out: a [`Column`] and how it is written. Holds the sampled
//! values of one column and a few numbers.

use std::collections::HashSet;
use std::sync::Arc;

use arrow_array::{BooleanArray, Float64Array, Int64Array, TimestampMicrosecondArray};

use crate::assemble::{Builder, Texts};
use crate::dialect::Need;
use crate::number::{Fraction, Number};
use crate::parquet_type::{Leaf, Meaning, digits};
use crate::profile::{Profile, Written};
use crate::time::{DAY, Item, MINUTE, Pattern, SECOND};
use crate::{Column, Form, Kind, Spelling};

/// Different texts that are remembered, so that each is looked at once.
const KNOWN_MAX: usize = 1 << 16;
const KNOWN_BYTES_MAX: usize = 256;
/// Doubles of more digits behind the point are written with as many as it takes.
const PLACES_MAX: usize = 9;
/// Doubles carry whole numbers up to here.
const EXACT: f64 = 1e15;

/// How one column is written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ParquetColumn {
    pub kind: Kind,
    pub spelling: Spelling,
    /// Whether a missing value is a text like any other, or not a number.
    pub word: bool,
}

/// The values of one column so far.
pub(crate) enum Gathered {
    Bools(Vec<Option<bool>>),
    /// Whole numbers, unscaled decimals, or times as they are stored.
    Ints {
        values: Vec<Option<i64>>,
        grain: usize,
        micros: bool,
    },
    Reals(Reals),
    Texts(Box<Words>),
}

/// Doubles and what they allow.
pub(crate) struct Reals {
    values: Vec<Option<f64>>,
    /// Digits behind the point that write every value so far; above [`PLACES_MAX`] none do.
    places: usize,
    whole: bool,
    single: bool,
    nulls: u64,
    not_finite: u64,
}

/// Texts and what they allow.
pub(crate) struct Words {
    texts: Texts,
    rows: Vec<u64>,
    profile: Profile,
    known: HashSet<Box<[u8]>>,
    nulls: u64,
}

/// The units that all times of a column may be multiples of.
const GRAINS: [i64; 5] = [DAY, MINUTE, SECOND, 1000, 1];

impl Gathered {
    pub(crate) fn new(leaf: &Leaf) -> Gathered {
        match leaf.meaning {
            Meaning::Bool => Gathered::Bools(Vec::new()),
            Meaning::Whole { .. } | Meaning::Decimal { .. } => {
                Gathered::Ints { values: Vec::new(), grain: 0, micros: false }
            }
            Meaning::Date | Meaning::Clock { .. } | Meaning::Stamp { .. } | Meaning::StampOld => {
                Gathered::Ints { values: Vec::new(), grain: 0, micros: true }
            }
            Meaning::Float | Meaning::Double => Gathered::Reals(Reals {
                values: Vec::new(),
                places: 0,
                whole: true,
                single: leaf.meaning == Meaning::Float,
                nulls: 0,
                not_finite: 0,
            }),
            Meaning::Digits { .. } | Meaning::Text | Meaning::Uuid => Gathered::Texts(Box::new(Words {
                texts: Texts::default(),
                rows: Vec::new(),
                profile: Profile::new(),
                known: HashSet::new(),
                nulls: 0,
            })),
        }
    }

    pub(crate) fn bool(&mut self, kept: bool, value: Option<bool>) {
        if let Gathered::Bools(values) = self
            && kept
        {
            values.push(value);
        }
    }

    pub(crate) fn int(&mut self, meaning: Meaning, kept: bool, value: Option<i64>) {
        let Gathered::Ints { values, grain, micros } = self else { return };
        let value = if *micros { value.map(|value| meaning.micros(value)) } else { value };
        if *micros && let Some(value) = value {
            while value % GRAINS[*grain] != 0 {
                *grain += 1;
            }
        }
        if kept {
            values.push(value);
        }
    }

    pub(crate) fn double(&mut self, kept: bool, value: Option<f64>) {
        if let Gathered::Reals(reals) = self {
            reals.take(kept, value);
        }
    }

    pub(crate) fn digits(&mut self, row: u64, kept: bool, value: Option<i128>, places: usize) {
        let text = value.map(|value| digits(value, places));
        if let Gathered::Texts(words) = self {
            words.take(row, kept, text.as_deref());
        }
    }

    /// Takes bytes; `false` if they are no text where they should be one.
    pub(crate) fn bytes(&mut self, row: u64, kept: bool, value: Option<&[u8]>, meaning: Meaning) -> bool {
        match (meaning, value) {
            (Meaning::Digits { places, .. }, Some(bytes)) => match wide(bytes) {
                Some(value) => self.digits(row, kept, Some(value), places),
                None => return false,
            },
            (Meaning::Whole { .. } | Meaning::Decimal { .. }, value) => {
                let narrow = value.map(|bytes| wide(bytes).and_then(|value| i64::try_from(value).ok()));
                if narrow == Some(None) {
                    return false;
                }
                self.int(meaning, kept, narrow.flatten());
            }
            (Meaning::Uuid, Some(bytes)) => {
                let text = uuid(bytes);
                if let Gathered::Texts(words) = self {
                    words.take(row, kept, Some(&text));
                }
            }
            (_, value) => {
                let text = match value.map(std::str::from_utf8) {
                    Some(Err(_)) => return false,
                    Some(Ok(text)) => Some(text),
                    None => None,
                };
                if let Gathered::Texts(words) = self {
                    words.take(row, kept, text);
                }
            }
        }
        true
    }

    /// The column, and how it is written as its values tell.
    pub(crate) fn finish(mut self, leaf: &Leaf) -> (Column, ParquetColumn) {
        let mut written = self.written(leaf);
        match self.column(leaf, &written) {
            Ok(column) => (column, written),
            Err((gathered, _)) => {
                // No spelling reads this text after all.
                written = ParquetColumn { kind: Kind::Text, spelling: Spelling::plain(), word: false };
                let column = gathered.column(leaf, &written).unwrap_or_else(|_| empty(leaf));
                (column, written)
            }
        }
    }

    fn written(&mut self, leaf: &Leaf) -> ParquetColumn {
        let plain = |kind, form| ParquetColumn { kind, spelling: Spelling { form, null: String::new() }, word: false };
        let number = |fraction| Form::Number(Number::bare(fraction));
        match (self, leaf.meaning) {
            (Gathered::Bools(_), _) => plain(Kind::Bool, Form::Plain),
            (Gathered::Ints { .. }, Meaning::Decimal { places, .. }) => {
                plain(Kind::Real, number(Fraction::Fixed { places }))
            }
            (Gathered::Ints { micros: false, .. }, _) => plain(Kind::Int, number(Fraction::None { zeros: 0 })),
            (Gathered::Ints { grain, .. }, meaning) => {
                let clock = matches!(meaning, Meaning::Clock { .. });
                plain(Kind::Time, Form::Time(pattern(GRAINS[*grain], clock)))
            }
            (Gathered::Reals(reals), _) => {
                let word = reals.not_finite > 0 && reals.nulls == 0;
                let (kind, fraction) = match reals.places {
                    0 if reals.whole => (Kind::Int, Fraction::None { zeros: 0 }),
                    places if places <= PLACES_MAX => {
                        (Kind::Real, Fraction::Trimmed { places: places.max(1), dot_zero: true })
                    }
                    _ => (Kind::Real, Fraction::Shortest { dot_zero: true, exponent: true }),
                };
                ParquetColumn { word, ..plain(kind, number(fraction)) }
            }
            (Gathered::Texts(words), _) => words.written(leaf),
        }
    }

    /// The column of this spelling; or all back, and the first row that is not written so.
    pub(crate) fn column(self, leaf: &Leaf, written: &ParquetColumn) -> Result<Column, (Gathered, u64)> {
        let (name, spelling) = (leaf.name.clone(), written.spelling.clone());
        let values: arrow_array::ArrayRef = match self {
            Gathered::Bools(values) => Arc::new(BooleanArray::from(values)),
            Gathered::Ints { values, .. } => match leaf.meaning {
                Meaning::Decimal { places, .. } => {
                    let power = 10f64.powi(places as i32);
                    Arc::new(values.into_iter().map(|value| value.map(|v| v as f64 / power)).collect::<Float64Array>())
                }
                Meaning::Whole { .. } => Arc::new(Int64Array::from(values)),
                _ => Arc::new(TimestampMicrosecondArray::from(values)),
            },
            Gathered::Reals(reals) if written.kind == Kind::Int => {
                Arc::new(reals.values.into_iter().map(|v| v.map(|v| v.round() as i64)).collect::<Int64Array>())
            }
            Gathered::Reals(reals) => {
                let places = written.spelling.decimals();
                Arc::new(reals.values.iter().map(|v| v.map(|v| reals.tidy(v, places))).collect::<Float64Array>())
            }
            Gathered::Texts(words) => return words.column(leaf, written).map_err(|(w, row)| (Gathered::Texts(w), row)),
        };
        Ok(Column { name, values, spelling })
    }
}

fn empty(leaf: &Leaf) -> Column {
    Column::texts(&leaf.name, Vec::new(), Vec::new(), Spelling::plain())
}

impl Reals {
    fn take(&mut self, kept: bool, value: Option<f64>) {
        match value {
            None => self.nulls += 1,
            Some(value) if !value.is_finite() => self.not_finite += 1,
            Some(value) => {
                while self.places <= PLACES_MAX && !self.fits(value) {
                    self.places += 1;
                }
                self.whole &= value.abs() < EXACT && (value != 0.0 || value.is_sign_positive());
            }
        }
        if kept {
            self.values.push(value.filter(|value| value.is_finite()));
        }
    }

    fn fits(&self, value: f64) -> bool {
        let power = 10f64.powi(self.places as i32);
        let scaled = (value * power).round();
        let back = scaled / power;
        scaled.abs() < EXACT && if self.single { back as f32 == value as f32 } else { back == value }
    }

    /// The decimal number that a single stands for.
    fn tidy(&self, value: f64, places: Option<usize>) -> f64 {
        match places {
            Some(places) if self.single => {
                let power = 10f64.powi(places as i32);
                let near = (value * power).round() / power;
                if near as f32 == value as f32 { near } else { value }
            }
            _ => value,
        }
    }
}

impl Words {
    fn take(&mut self, row: u64, kept: bool, text: Option<&str>) {
        match text {
            Some(text) if !self.known.contains(text.as_bytes()) => {
                self.profile.see(text.as_bytes(), true, Need::None);
                if self.known.len() < KNOWN_MAX && text.len() <= KNOWN_BYTES_MAX {
                    self.known.insert(text.as_bytes().into());
                }
            }
            Some(_) => {}
            None => self.nulls += 1,
        }
        if kept {
            self.rows.push(row);
            match text {
                // There are never as many different texts as codes in memory.
                Some(text) => drop(self.texts.push(text)),
                None => self.texts.codes.push(None),
            }
        }
    }

    fn written(&mut self, leaf: &Leaf) -> ParquetColumn {
        let written = self.profile.written_apart(&leaf.name, self.nulls > 0);
        ParquetColumn { kind: written.kind, word: written.null_quoted, spelling: written.spelling }
    }

    fn column(self: Box<Words>, leaf: &Leaf, column: &ParquetColumn) -> Result<Column, (Box<Words>, u64)> {
        if column.kind == Kind::Text {
            let Texts { codes, words, .. } = self.texts;
            return Ok(Column::texts(&leaf.name, codes, words, column.spelling.clone()));
        }
        let written = Written {
            name: leaf.name.clone(),
            kind: column.kind,
            spelling: column.spelling.clone(),
            quoted: true,
            null_quoted: column.word,
            quotes_inside: false,
            space_led: false,
        };
        let mut builder = Builder::new(column.kind, self.texts.codes.len());
        for (at, code) in self.texts.codes.iter().enumerate() {
            let text = code.map(|code| self.texts.words[code as usize].as_bytes());
            // A missing value is one whatever word stands for others.
            let pushed = match text {
                Some(text) => builder.push(text, true, &written),
                None => builder.push(written.spelling.null.as_bytes(), column.word, &written),
            };
            if pushed.is_none() {
                let row = self.rows[at];
                return Err((self, row + 1));
            }
        }
        Ok(builder.finish(&written))
    }
}

/// A whole number of at most 16 bytes, the first the highest.
fn wide(bytes: &[u8]) -> Option<i128> {
    let (&first, rest) = bytes.split_first()?;
    if rest.len() >= size_of::<i128>() {
        return None;
    }
    Some(rest.iter().fold(i128::from(first as i8), |value, &byte| value << 8 | i128::from(byte)))
}

fn uuid(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

/// The pattern of times that are multiples of `grain` microseconds.
fn pattern(grain: i64, clock: bool) -> Pattern {
    let literal = |text: &str| Item::Literal(text.into());
    let mut items = Vec::new();
    if !clock {
        items.extend([Item::Year, literal("-"), Item::Month, literal("-"), Item::Day]);
    }
    if clock || grain < DAY {
        if !clock {
            items.push(literal(" "));
        }
        items.extend([Item::Hour, literal(":"), Item::Minute]);
    }
    if grain < MINUTE {
        items.extend([literal(":"), Item::Second]);
    }
    if grain < SECOND {
        items.extend([literal("."), Item::Fraction(if grain < 1000 { 6 } else { 3 })]);
    }
    Pattern { items, date_padded: true, hour_padded: true }
}
