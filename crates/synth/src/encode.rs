//! Columns to numbers and back: a column of a table comes in, ticks on its own grid (or category numbers) go out, and
//! drawn ticks become a column again. Words held by fewer rows than the floor are not kept.

use std::collections::HashMap;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use table::{Column, Spelling, Table, Values};

/// Whole numbers above this are not exact in an `f64`.
const EXACT_MAX: f64 = 9.0e15;

/// One column as numbers; `values` has one entry per row, NaN where the cell is missing.
#[derive(Clone)]
pub(crate) struct Encoded {
    /// Ticks, or category numbers.
    pub(crate) values: Vec<f64>,
    /// Whether the numbers have no order.
    pub(crate) nominal: bool,
    /// The way back.
    pub(crate) scale: Scale,
    /// Ticks of rows that are not learned and count where it is asked how many rows hold a value.
    pub(crate) beside: Vec<f64>,
    /// For text: rows whose word is not kept.
    pub(crate) rare_rows: usize,
}

impl Encoded {
    /// Values alone: nothing beside them, nothing rare.
    pub(crate) fn plain(values: Vec<f64>, nominal: bool, scale: Scale) -> Encoded {
        Encoded { values, nominal, scale, beside: Vec::new(), rare_rows: 0 }
    }
}

/// What a tick means.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scale {
    /// `base + tick * unit`, whole numbers.
    Int { base: i64, unit: i64 },
    /// `base + tick * unit` microseconds.
    Time { base: i64, unit: i64 },
    /// `tick * unit / per`; `per` is a power of ten, or 0 where the values keep to no grid and the tick is the value.
    Real { unit: f64, per: f64 },
    /// Minutes since midnight, written as hours and minutes in one whole number: 517 is 05:17.
    Clock,
    /// 0 is false, 1 is true.
    Bool,
    /// The tick is a position among the words; the position after the last stands for every word not kept.
    Text { words: Vec<String> },
}

impl Scale {
    /// Whether values lie on whole ticks.
    pub(crate) fn grid(&self) -> bool {
        !matches!(self, Scale::Real { per, .. } if *per == 0.0)
    }

    /// (value at tick 0, value of one tick), in the column's own unit (microseconds for times).
    pub(crate) fn line(&self) -> (f64, f64) {
        match self {
            Scale::Int { base, unit } | Scale::Time { base, unit } => (*base as f64, *unit as f64),
            Scale::Real { unit, per } if *per > 0.0 => (0.0, unit / per),
            _ => (0.0, 1.0),
        }
    }

    /// The ticks of values that come from elsewhere, NaN for missing; they may lie between whole ones. A word that is not
    /// known counts as one of those not kept.
    pub(crate) fn ticks(&self, values: &Values) -> Vec<f64> {
        let tick = |value: Option<f64>| value.map_or(f64::NAN, |value| self.tick(value));
        match values {
            Values::Int(values) => values.iter().map(|v| tick(v.map(|v| v as f64))).collect(),
            Values::Time(values) => values.iter().map(|v| tick(v.map(|v| v as f64))).collect(),
            Values::Real(values) => values.iter().map(tick).collect(),
            Values::Bool(values) => values.iter().map(|v| tick(v.map(|v| v as u8 as f64))).collect(),
            Values::Text(values) => {
                let Scale::Text { words } = self else { return vec![f64::NAN; values.len()] };
                let known: HashMap<&str, usize> = words.iter().map(String::as_str).zip(0..).collect();
                let place = |word: Option<&str>| word.and_then(|word| known.get(word)).copied().unwrap_or(words.len());
                let of_word: Vec<f64> =
                    values.values().as_string::<i32>().iter().map(|word| place(word) as f64).collect();
                (0..values.len()).map(|row| values.key(row).map_or(f64::NAN, |key| of_word[key])).collect()
            }
        }
    }

    /// Ticks as a column of this name and spelling.
    pub(crate) fn column(
        &self,
        name: &str,
        spelling: &Spelling,
        ticks: &[f64],
        novel: &mut dyn FnMut(usize) -> String,
    ) -> Column {
        let present = ticks.iter().map(|&tick| (!tick.is_nan()).then_some(tick));
        let whole = |base: i64, unit: i64, tick: f64| {
            let value = base as i128 + tick.round() as i128 * unit as i128;
            value.clamp(i64::MIN as i128, i64::MAX as i128) as i64
        };
        match self {
            Scale::Int { base, unit } => {
                Column::ints(name, present.map(|t| t.map(|t| whole(*base, *unit, t))).collect(), spelling.clone())
            }
            Scale::Time { base, unit } => {
                Column::times(name, present.map(|t| t.map(|t| whole(*base, *unit, t))).collect(), spelling.clone())
            }
            Scale::Clock => {
                let written = |tick: f64| (tick / 60.0).floor() as i64 * 100 + (tick as i64).rem_euclid(60);
                Column::ints(name, present.map(|t| t.map(written)).collect(), spelling.clone())
            }
            Scale::Real { unit, per } => {
                let real = |tick: f64| if *per == 0.0 { tick } else { (tick.round() * unit) / per };
                Column::reals(name, present.map(|t| t.map(real)).collect(), spelling.clone())
            }
            Scale::Bool => Column::bools(name, present.map(|t| t.map(|t| t >= 0.5)).collect(), spelling.clone()),
            Scale::Text { words } => text_column(name, spelling, ticks, words, novel),
        }
    }
}

fn text_column(
    name: &str,
    spelling: &Spelling,
    ticks: &[f64],
    kept: &[String],
    novel: &mut dyn FnMut(usize) -> String,
) -> Column {
    let mut words = kept.to_vec();
    let mut known: HashMap<String, i32> = HashMap::new();
    let mut codes = Vec::with_capacity(ticks.len());
    for (row, &tick) in ticks.iter().enumerate() {
        if tick.is_nan() {
            codes.push(None);
        } else if (tick as usize) < kept.len() {
            codes.push(Some(tick as i32));
        } else {
            let word = novel(row);
            let next = words.len() as i32;
            let code = *known.entry(word.clone()).or_insert(next);
            if code == next {
                words.push(word);
            }
            codes.push(Some(code));
        }
    }
    Column::texts(name, codes, words, spelling.clone())
}

/// Column `index` as numbers. Words held by fewer than `floor` rows become one category past the last; where `units`
/// says whom each row belongs to, by fewer than `floor` of those. The rows of `beside`, if there are any, count as well.
pub(crate) fn encode(
    table: &Table,
    index: usize,
    floor: usize,
    units: Option<&[u32]>,
    beside: Option<&Table>,
) -> Encoded {
    let others = beside.map(|table| table.values(index));
    let mut encoded = match table.values(index) {
        Values::Int(values) => {
            let (ticks, base, unit) = on_whole_grid(values.iter());
            Encoded::plain(ticks, false, Scale::Int { base, unit })
        }
        Values::Time(values) => {
            let (ticks, base, unit) = on_whole_grid(values.iter());
            Encoded::plain(ticks, false, Scale::Time { base, unit })
        }
        Values::Real(values) => {
            let raw: Vec<f64> = values.iter().map(|v| v.filter(|v| v.is_finite()).unwrap_or(f64::NAN)).collect();
            let (values, scale) = on_decimal_grid(raw, table.spelling(index).step());
            Encoded::plain(values, false, scale)
        }
        Values::Bool(values) => {
            let ticks = values.iter().map(|v| v.map_or(f64::NAN, |v| v as u8 as f64)).collect();
            Encoded::plain(ticks, true, Scale::Bool)
        }
        Values::Text(values) => {
            let words = values.values().as_string::<i32>();
            let keys: Vec<Option<usize>> = (0..values.len()).map(|row| values.key(row)).collect();
            let mut counts = word_counts(words.len(), &keys, units);
            if let Some(Values::Text(others)) = &others {
                let places: HashMap<&str, usize> = words.iter().flatten().zip(0..).collect();
                let of_key: Vec<Option<usize>> = others
                    .values()
                    .as_string::<i32>()
                    .iter()
                    .map(|word| word.and_then(|word| places.get(word).copied()))
                    .collect();
                let found = (0..others.len()).filter_map(|row| of_key[others.key(row)?]);
                found.for_each(|place| counts[place] += 1);
            }
            encode_text(&keys, &|key| words.value(key), counts, floor)
        }
    };
    if let Some(others) = others {
        encoded.beside = encoded.scale.ticks(&others);
    }
    encoded
}

fn on_whole_grid(values: impl Iterator<Item = Option<i64>> + Clone) -> (Vec<f64>, i64, i64) {
    let Some(base) = values.clone().flatten().min() else { return (values.map(|_| f64::NAN).collect(), 0, 1) };
    let mut unit = 0u64;
    for value in values.clone().flatten() {
        if unit == 1 {
            break;
        }
        unit = greatest_divisor(unit, value.abs_diff(base));
    }
    let unit = unit.clamp(1, i64::MAX as u64);
    let ticks = values.map(|v| v.map_or(f64::NAN, |v| (v.abs_diff(base) / unit) as f64)).collect();
    (ticks, base, unit as i64)
}

fn greatest_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// Finds the fewest decimals that write every value, unless the spelling says how many there are.
fn on_decimal_grid(values: Vec<f64>, step: Option<f64>) -> (Vec<f64>, Scale) {
    let first = step.filter(|s| *s > 0.0 && *s <= 1.0).map_or(0, |s| (-s.log10()).round() as i32);
    let fits = |per: f64| {
        values.iter().all(|v| {
            let scaled = v * per;
            v.is_nan()
                || (scaled.abs() < EXACT_MAX && (scaled - scaled.round()).abs() <= 1e-6 * (1.0 + scaled.abs() * 1e-9))
        })
    };
    let Some(per) = (first..=10).map(|places| 10f64.powi(places)).find(|&per| fits(per)) else {
        return (values, Scale::Real { unit: 1.0, per: 0.0 });
    };
    let mut unit = 0u64;
    for value in values.iter().filter(|v| !v.is_nan()) {
        if unit == 1 {
            break;
        }
        unit = greatest_divisor(unit, (value * per).round().abs() as u64);
    }
    let unit = unit.max(1) as f64;
    let ticks = values.iter().map(|v| (v * per).round() / unit).collect();
    (ticks, Scale::Real { unit, per })
}

/// How many rows, or units, hold each word.
fn word_counts(words: usize, keys: &[Option<usize>], units: Option<&[u32]>) -> Vec<usize> {
    let mut counts = vec![0usize; words];
    match units {
        None => keys.iter().flatten().for_each(|&key| counts[key] += 1),
        Some(units) => {
            let mut pairs: Vec<(u32, usize)> =
                units.iter().zip(keys).filter_map(|(&unit, key)| Some((unit, (*key)?))).collect();
            pairs.sort_unstable();
            pairs.dedup();
            pairs.into_iter().for_each(|(_, key)| counts[key] += 1);
        }
    }
    counts
}

fn encode_text<'a>(
    keys: &[Option<usize>],
    word: &dyn Fn(usize) -> &'a str,
    mut counts: Vec<usize>,
    floor: usize,
) -> Encoded {
    /// As many as a sample of a million rows can hold five times each.
    const WORDS_MAX: usize = 200_000;
    let words = counts.len();
    // A dictionary may hold one word twice; the first place stands for all.
    let mut first: HashMap<&str, usize> = HashMap::new();
    let mut place: Vec<usize> = (0..words).collect();
    for key in 0..words {
        let at = *first.entry(word(key)).or_insert(key);
        if at != key {
            counts[at] += counts[key];
            counts[key] = 0;
            place[key] = at;
        }
    }
    let mut kept: Vec<usize> = (0..words).filter(|&key| counts[key] >= floor.max(1)).collect();
    kept.sort_by(|&a, &b| counts[b].cmp(&counts[a]).then_with(|| word(a).cmp(word(b))));
    kept.truncate(WORDS_MAX);
    let mut number = vec![kept.len() as f64; words];
    for (at, &key) in kept.iter().enumerate() {
        number[key] = at as f64;
    }
    let values: Vec<f64> = keys.iter().map(|key| key.map_or(f64::NAN, |key| number[place[key]])).collect();
    let rare_rows = values.iter().filter(|&&v| v == kept.len() as f64).count();
    let words = kept.iter().map(|&key| word(key).to_string()).collect();
    Encoded { rare_rows, ..Encoded::plain(values, true, Scale::Text { words }) }
}
