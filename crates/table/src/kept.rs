//! Spellings as one line of text and back, so that a saved model can keep them. In: a spelling. Out: fields between
//! unit separators. Nothing here writes cells.

use crate::number::{Fraction, Number};
use crate::time::{Case, Item, Pattern};
use crate::{Form, Spelling};

const BETWEEN: char = '\u{1f}';
/// No cell has more digits of one sort; a text that asks for more would ask for memory.
const DIGITS_MAX: usize = 1 << 12;

impl Spelling {
    /// The spelling as text, which [`Spelling::from_text`] reads back to an equal spelling.
    pub fn to_text(&self) -> String {
        let mut fields = vec![escaped(&self.null)];
        match &self.form {
            Form::Plain => fields.push("plain".into()),
            Form::Words { yes, no } => fields.extend(["words".into(), escaped(yes), escaped(no)]),
            Form::Number(number) => number_fields(number, &mut fields),
            Form::Time(pattern) => {
                fields.extend(["time".into(), pattern.date_padded.to_string(), pattern.hour_padded.to_string()]);
                fields.extend(pattern.items.iter().map(item_field));
            }
        }
        fields.join(&BETWEEN.to_string())
    }

    /// The spelling that [`Spelling::to_text`] wrote; `None` for any other text.
    pub fn from_text(text: &str) -> Option<Spelling> {
        let mut fields = text.split(BETWEEN);
        let null = unescaped(fields.next()?);
        let form = match fields.next()? {
            "plain" => Form::Plain,
            "words" => Form::Words { yes: unescaped(fields.next()?), no: unescaped(fields.next()?) },
            "number" => Form::Number(number_of(&mut fields)?),
            "time" => Form::Time(Pattern {
                date_padded: fields.next()?.parse().ok()?,
                hour_padded: fields.next()?.parse().ok()?,
                items: fields.by_ref().map(item_of).collect::<Option<_>>()?,
            }),
            _ => return None,
        };
        fields.next().is_none().then_some(Spelling { form, null })
    }
}

fn number_fields(number: &Number, fields: &mut Vec<String>) {
    fields.extend(["number".into(), escaped(&number.prefix), escaped(&number.suffix)]);
    let flags = [number.sign_inside, number.plus, number.plus_zero, number.bare_point, number.negative_zero];
    fields.push(flags.map(|flag| if flag { '1' } else { '0' }).iter().collect());
    fields.push(number.mark.map_or(String::new(), |mark| mark.to_string()));
    fields.extend([number.point.to_string(), number.width.to_string()]);
    fields.push(match number.fraction {
        Fraction::None { zeros } => format!("none {zeros}"),
        Fraction::Fixed { places } => format!("fixed {places}"),
        Fraction::Trimmed { places, dot_zero } => format!("trimmed {places} {dot_zero}"),
        Fraction::Shortest { dot_zero, exponent } => format!("shortest {dot_zero} {exponent}"),
    });
}

/// A count of digits.
fn count(field: &str) -> Option<usize> {
    field.parse().ok().filter(|&count| count <= DIGITS_MAX)
}

fn number_of<'a>(fields: &mut impl Iterator<Item = &'a str>) -> Option<Number> {
    let (prefix, suffix) = (unescaped(fields.next()?), unescaped(fields.next()?));
    let flags: Vec<bool> = fields.next()?.chars().map(|flag| flag == '1').collect();
    let &[sign_inside, plus, plus_zero, bare_point, negative_zero] = flags.as_slice() else { return None };
    let mark = Some(fields.next()?).filter(|mark| !mark.is_empty()).map(|mark| mark.parse().ok());
    let mark = match mark {
        Some(mark) => Some(mark?),
        None => None,
    };
    let (point, width) = (fields.next()?.parse().ok()?, count(fields.next()?)?);
    let fraction: Vec<&str> = fields.next()?.split(' ').collect();
    let fraction = match fraction.as_slice() {
        ["none", zeros] => Fraction::None { zeros: count(zeros)? },
        ["fixed", places] => Fraction::Fixed { places: count(places)? },
        ["trimmed", places, dot_zero] => Fraction::Trimmed { places: count(places)?, dot_zero: dot_zero.parse().ok()? },
        ["shortest", dot_zero, exponent] => {
            Fraction::Shortest { dot_zero: dot_zero.parse().ok()?, exponent: exponent.parse().ok()? }
        }
        _ => return None,
    };
    Some(Number {
        prefix,
        suffix,
        sign_inside,
        plus,
        plus_zero,
        mark,
        point,
        bare_point,
        negative_zero,
        width,
        fraction,
    })
}

fn item_field(item: &Item) -> String {
    let name = |kind: char, long: bool, case: Case| {
        let at = Case::ALL.iter().position(|c| *c == case).unwrap_or(0);
        format!("{kind}{}{at}", if long { 'l' } else { 's' })
    };
    match item {
        Item::Year => "Y".into(),
        Item::YearShort => "y".into(),
        Item::Month => "m".into(),
        Item::Day => "d".into(),
        Item::MonthName { long, case } => name('B', *long, *case),
        Item::Weekday { long, case } => name('A', *long, *case),
        Item::Hour => "H".into(),
        Item::Hour12 => "I".into(),
        Item::Minute => "M".into(),
        Item::Second => "S".into(),
        Item::Fraction(places) => format!("f{places}"),
        Item::FractionSix => "six".into(),
        Item::FractionTrimmed => "trim".into(),
        Item::Half { upper } => if *upper { "P" } else { "p" }.into(),
        Item::Literal(text) => format!("={}", escaped(text)),
    }
}

fn item_of(field: &str) -> Option<Item> {
    let named = |rest: &str| {
        let mut letters = rest.chars();
        let long = letters.next()? == 'l';
        Some((long, *Case::ALL.get(letters.next()?.to_digit(10)? as usize)?))
    };
    Some(match field {
        "Y" => Item::Year,
        "y" => Item::YearShort,
        "m" => Item::Month,
        "d" => Item::Day,
        "H" => Item::Hour,
        "I" => Item::Hour12,
        "M" => Item::Minute,
        "S" => Item::Second,
        "six" => Item::FractionSix,
        "trim" => Item::FractionTrimmed,
        "P" => Item::Half { upper: true },
        "p" => Item::Half { upper: false },
        _ => match (field.get(..1)?, field.get(1..)?) {
            ("=", text) => Item::Literal(unescaped(text)),
            ("f", places) => Item::Fraction(count(places)?),
            ("B", rest) => named(rest).map(|(long, case)| Item::MonthName { long, case })?,
            ("A", rest) => named(rest).map(|(long, case)| Item::Weekday { long, case })?,
            _ => return None,
        },
    })
}

/// The text without unit separators: `\` becomes `\\`, a separator `\u`.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace(BETWEEN, "\\u")
}

fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => plain.push(if letters.next() == Some('u') { BETWEEN } else { '\\' }),
            other => plain.push(other),
        }
    }
    plain
}
