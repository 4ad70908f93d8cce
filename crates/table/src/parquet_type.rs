//! What the values of a Parquet column are. In: a file's schema. Out: per column its name, its meaning, and the groups
//! around it. Never reads a value.

use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type as Physical};
use parquet::schema::types::{ColumnDescriptor, Type};

use crate::flaw::Unreadable;
use crate::json_tree::path;
use crate::number::DIGITS_EXACT;
use crate::time::{DAY, SECOND};

/// Longer decimals do not fit into 128 bits.
const PRECISION_MAX: i32 = 38;
/// Longer whole numbers do not fit into 64 bits.
const WHOLE_DIGITS_MAX: i32 = 18;

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Meaning {
    Bool,
    /// Whole numbers of these bounds.
    Whole {
        low: i64,
        high: i64,
    },
    /// Decimals that a double carries, of so many digits behind the point and at all.
    Decimal {
        places: usize,
        digits: u32,
    },
    /// Numbers that are read by their digits: longer decimals, and unsigned numbers of 64 bits.
    Digits {
        places: usize,
        low: i128,
        high: i128,
    },
    Float,
    Double,
    Date,
    /// Clock times, and times since 1970-01-01; in so many to a second.
    Clock {
        per_second: i64,
    },
    Stamp {
        per_second: i64,
    },
    /// Nanoseconds of a day and a Julian day.
    StampOld,
    Text,
    Uuid,
}

/// A column of a file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Leaf {
    pub name: String,
    pub meaning: Meaning,
    /// The groups around it that may be missing, the outermost first; their positions among all groups.
    pub groups: Vec<usize>,
    /// Whether the value itself may be missing.
    pub optional: bool,
}

/// A group that may be missing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Group {
    /// Its columns.
    pub leaves: std::ops::Range<usize>,
    /// Whether the source has it missing where what is around it is there: then it is so where all its values are.
    pub missing: bool,
}

/// The columns of a schema, or the first that is not read.
pub(crate) fn leaves(
    schema: &Type,
    columns: &[std::sync::Arc<ColumnDescriptor>],
) -> Result<(Vec<Leaf>, Vec<Group>), Unreadable> {
    let (mut leaves, mut groups) = (Vec::new(), Vec::new());
    for column in columns {
        let name = path(column.path().parts().iter().map(String::as_str));
        if column.max_rep_level() > 0 {
            return Err(refused(&name, "is a list or map"));
        }
        let meaning = meaning(column).map_err(|found| refused(&name, found))?;
        leaves.push(Leaf { name, meaning, groups: Vec::new(), optional: column.self_type().is_optional() });
    }
    let mut at = 0;
    for field in schema.get_fields() {
        group(field, &mut Vec::new(), &mut at, &mut leaves, &mut groups);
    }
    Ok((leaves, groups))
}

/// The file is not read for this column.
pub(crate) fn refused(column: &str, found: &str) -> Unreadable {
    Unreadable::UnsupportedType { found: format!("a Parquet file whose column `{column}` {found}") }
}

fn group(field: &Type, around: &mut Vec<usize>, at: &mut usize, leaves: &mut [Leaf], groups: &mut Vec<Group>) {
    if field.is_primitive() {
        leaves[*at].groups.clone_from(around);
        *at += 1;
        return;
    }
    let optional = field.is_optional();
    if optional {
        around.push(groups.len());
        groups.push(Group { leaves: *at..*at, missing: false });
    }
    for inner in field.get_fields() {
        group(inner, around, at, leaves, groups);
    }
    if optional && let Some(group) = around.pop() {
        groups[group].leaves.end = *at;
    }
}

fn meaning(column: &ColumnDescriptor) -> Result<Meaning, &'static str> {
    use ConvertedType as Old;
    let (logical, old) = (column.logical_type_ref(), column.converted_type());
    let per_second = |unit: &TimeUnit| match unit {
        TimeUnit::MILLIS => 1_000,
        TimeUnit::MICROS => 1_000_000,
        TimeUnit::NANOS => 1_000_000_000,
    };
    let (precision, scale) = match logical {
        Some(LogicalType::Decimal(decimal)) => (decimal.precision, decimal.scale),
        _ => (column.type_precision(), column.type_scale()),
    };
    if matches!(logical, Some(LogicalType::Decimal(_))) || old == Old::DECIMAL {
        return decimal(column.physical_type(), precision, scale);
    }
    match (column.physical_type(), logical, old) {
        (Physical::BOOLEAN, ..) => Ok(Meaning::Bool),
        (Physical::INT96, ..) => Ok(Meaning::StampOld),
        (Physical::FLOAT, ..) => Ok(Meaning::Float),
        (Physical::DOUBLE, ..) => Ok(Meaning::Double),
        (Physical::INT32, Some(LogicalType::Date), _) | (Physical::INT32, None, Old::DATE) => Ok(Meaning::Date),
        (Physical::INT32 | Physical::INT64, Some(LogicalType::Time(time)), _) => {
            Ok(Meaning::Clock { per_second: per_second(&time.unit) })
        }
        (Physical::INT64, Some(LogicalType::Timestamp(stamp)), _) => {
            Ok(Meaning::Stamp { per_second: per_second(&stamp.unit) })
        }
        (Physical::INT32, None, Old::TIME_MILLIS) => Ok(Meaning::Clock { per_second: 1_000 }),
        (Physical::INT64, None, Old::TIME_MICROS) => Ok(Meaning::Clock { per_second: 1_000_000 }),
        (Physical::INT64, None, Old::TIMESTAMP_MILLIS) => Ok(Meaning::Stamp { per_second: 1_000 }),
        (Physical::INT64, None, Old::TIMESTAMP_MICROS) => Ok(Meaning::Stamp { per_second: 1_000_000 }),
        (Physical::INT32, ..) => Ok(whole(logical, old, 32)),
        (Physical::INT64, ..) => Ok(whole(logical, old, 64)),
        (Physical::BYTE_ARRAY, Some(LogicalType::String | LogicalType::Enum | LogicalType::Json) | None, _)
            if !matches!(old, Old::BSON) =>
        {
            Ok(Meaning::Text)
        }
        (Physical::FIXED_LEN_BYTE_ARRAY, Some(LogicalType::Uuid), _) if column.type_length() == 16 => Ok(Meaning::Uuid),
        (Physical::BYTE_ARRAY | Physical::FIXED_LEN_BYTE_ARRAY, ..) => Err("holds bytes that are no text"),
    }
}

fn decimal(physical: Physical, precision: i32, scale: i32) -> Result<Meaning, &'static str> {
    if !(1..=PRECISION_MAX).contains(&precision) || !(0..=precision).contains(&scale) {
        return Err("is a decimal of more than 38 digits");
    }
    if matches!(physical, Physical::BOOLEAN | Physical::FLOAT | Physical::DOUBLE | Physical::INT96) {
        return Err("is a decimal of no known form");
    }
    let places = scale as usize;
    if scale == 0 && precision <= WHOLE_DIGITS_MAX {
        let high = 10i64.pow(precision as u32) - 1;
        return Ok(Meaning::Whole { low: -high, high });
    }
    if precision as usize <= DIGITS_EXACT {
        return Ok(Meaning::Decimal { places, digits: precision as u32 });
    }
    let high = 10i128.pow(precision as u32) - 1;
    Ok(Meaning::Digits { places, low: -high, high })
}

fn whole(logical: Option<&LogicalType>, old: ConvertedType, bits: u32) -> Meaning {
    let (signed, bits) = match (logical, old) {
        (Some(LogicalType::Integer(int)), _) => (int.is_signed, u32::from(int.bit_width.unsigned_abs())),
        (None, ConvertedType::UINT_8) => (false, 8),
        (None, ConvertedType::UINT_16) => (false, 16),
        (None, ConvertedType::UINT_32) => (false, 32),
        (None, ConvertedType::UINT_64) => (false, 64),
        (None, ConvertedType::INT_8) => (true, 8),
        (None, ConvertedType::INT_16) => (true, 16),
        _ => (true, bits),
    };
    match (signed, bits.clamp(8, 64)) {
        (false, 64) => Meaning::Digits { places: 0, low: 0, high: i128::from(u64::MAX) },
        (false, bits) => Meaning::Whole { low: 0, high: (1i64 << bits.min(32)) - 1 },
        (true, 64) => Meaning::Whole { low: i64::MIN, high: i64::MAX },
        (true, bits) => Meaning::Whole { low: -(1i64 << (bits - 1)), high: (1i64 << (bits - 1)) - 1 },
    }
}

impl Meaning {
    /// Microseconds of a stored time.
    pub(crate) fn micros(self, stored: i64) -> i64 {
        match self {
            Meaning::Date => stored.saturating_mul(DAY),
            Meaning::Clock { per_second } | Meaning::Stamp { per_second } if per_second <= SECOND => {
                stored.saturating_mul(SECOND / per_second)
            }
            Meaning::Clock { per_second } | Meaning::Stamp { per_second } => stored.div_euclid(per_second / SECOND),
            _ => stored,
        }
    }

    /// What is stored for microseconds.
    pub(crate) fn stored(self, micros: i64) -> i64 {
        match self {
            Meaning::Date => micros.div_euclid(DAY),
            Meaning::Clock { .. } => self.scaled(micros.rem_euclid(DAY)),
            _ => self.scaled(micros),
        }
    }

    fn scaled(self, micros: i64) -> i64 {
        match self {
            Meaning::Clock { per_second } | Meaning::Stamp { per_second } if per_second <= SECOND => {
                micros.div_euclid(SECOND / per_second)
            }
            Meaning::Clock { per_second } | Meaning::Stamp { per_second } => micros.saturating_mul(per_second / SECOND),
            _ => micros,
        }
    }
}

/// A decimal by its digits.
pub(crate) fn digits(unscaled: i128, places: usize) -> String {
    let mut digits = format!("{:0width$}", unscaled.unsigned_abs(), width = places + 1);
    if places > 0 {
        digits.insert(digits.len() - places, '.');
    }
    if unscaled < 0 { format!("-{digits}") } else { digits }
}

/// The decimal of so many places that digits say; `None` if they are none.
pub(crate) fn unscaled(text: &str, places: usize) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mut value = 0i128;
    let kept = fraction.bytes().chain(std::iter::repeat(b'0')).take(places);
    for byte in whole.bytes().chain(kept) {
        let digit = char::from(byte).to_digit(10)?;
        value = value.checked_mul(10)?.checked_add(i128::from(digit))?;
    }
    if fraction.as_bytes().get(places).is_some_and(|&byte| byte >= b'5') {
        value += 1;
    }
    (!whole.is_empty()).then_some(if negative { -value } else { value })
}
