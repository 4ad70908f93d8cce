//! Makers: columns whose values cannot be listed (identifiers, texts that few rows share) come in with their training
//! values, what makes new ones goes out; and drawn ticks come in, the columns of an output go out. No training value of
//! such a column is written.

use std::collections::{BTreeMap, HashMap};

use arrow_array::cast::AsArray;
use arrow_array::{Array, StringArray};
use rayon::prelude::*;
use table::{Column, Table, Values, kept};

use crate::encode::{Encoded, Scale};
use crate::generator::Output;
use crate::laws::rule::Want;
use crate::makers::fake_code::plan_cards;
use crate::makers::fake_fit::{RARE_MIN, find_fakers};
use crate::makers::faker::{Faker, Stage, act};
use crate::makers::id_intent::meant_as_ids;
use crate::makers::ids::{IdPlan, plan_numbers, plan_range, plan_texts};
use crate::makers::pattern::Pattern;
use crate::makers::text::{Place, Writer};
use crate::model::{Ask, Note};
use crate::random::mix;

/// What makes new values.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Maker {
    /// Identifiers.
    Ids(IdPlan),
    /// Texts.
    Writer(Writer),
    /// Names, addresses and numbers of a kind.
    Faker(Box<Faker>),
    /// Texts that match a pattern, where training texts do not.
    Pattern(Pattern),
}

impl Maker {
    /// Whether it makes every value that is present; else only those that no list holds.
    pub(crate) fn makes_all(&self) -> bool {
        matches!(self, Maker::Ids(_))
    }

    /// Whether what it makes leaves a row what it is without it: a copy with another telephone number is a copy.
    pub(crate) fn beside(&self) -> bool {
        matches!(self, Maker::Ids(_) | Maker::Faker(_))
    }

    /// Whether no value of the training table is shown as it is, words that stand for no one apart.
    pub(crate) fn hides(&self) -> bool {
        match self {
            Maker::Ids(_) => true,
            Maker::Faker(faker) => faker.kind.personal(),
            Maker::Writer(_) | Maker::Pattern(_) => false,
        }
    }

    /// Makes none of these values either, though it was not learned from them.
    fn avoid(&mut self, values: &Values) {
        let known = match self {
            Maker::Ids(plan) => &mut plan.known,
            Maker::Writer(writer) => &mut writer.known,
            Maker::Faker(faker) => &mut faker.known,
            Maker::Pattern(_) => return,
        };
        match values {
            Values::Int(values) => values.iter().flatten().for_each(|value| known.add(value.to_string().as_bytes())),
            Values::Text(values) => {
                values.values().as_string::<i32>().iter().flatten().for_each(|text| known.add(text.trim().as_bytes()));
            }
            _ => {}
        }
    }
}

/// What makes the values of each column, where something does, none of them a value of `beside`; says in `notes` what became of columns whose values are
/// not shown as they are.
pub(crate) fn find_makers(
    real: &Table,
    beside: Option<&Table>,
    encoded: Vec<Encoded>,
    wants: &[Want],
    floor: usize,
    seed: u64,
    notes: &mut Vec<Note>,
) -> (Vec<Encoded>, Vec<Option<Maker>>) {
    let mut encoded = encoded;
    for (column, want) in encoded.iter_mut().zip(wants) {
        if let Some(pattern) = &want.pattern {
            keep_words(column, &|word, _| pattern.matches(word));
        }
    }
    let found = find_fakers(real, beside, &encoded, floor, seed);
    let mut said: Vec<Option<String>> = vec![None; encoded.len()];
    let mut fakers: Vec<Option<Maker>> = Vec::with_capacity(encoded.len());
    for (at, found) in found.into_iter().enumerate() {
        let Some(found) = found else {
            fakers.push(None);
            continue;
        };
        said[at] = Some(format!("holds {}: {}", found.faker.kind.noun(), found.how));
        if let (Some(words), Scale::Text { words: listed }) = (found.words, &mut encoded[at].scale) {
            *listed = words;
            // What stands for a word need not match what is demanded of it.
            let pattern = wants.get(at).and_then(|want| want.pattern.as_ref());
            if pattern.is_some_and(|pattern| listed.iter().any(|word| !pattern.matches(word))) {
                keep_words(&mut encoded[at], &|_, _| false);
            }
        }
        fakers.push(Some(Maker::Faker(found.faker)));
    }
    let mut makers: Vec<Option<Maker>> = fakers
        .into_par_iter()
        .enumerate()
        .map(|(at, faker)| {
            let maker = faker.or_else(|| find_maker(real, at, &encoded, floor, seed));
            let want = wants.get(at).cloned().unwrap_or_default();
            as_wanted(maker, want, real, at, &encoded[at], floor, mix(seed ^ at as u64))
        })
        .collect();
    if let Some(beside) = beside {
        makers.iter_mut().enumerate().for_each(|(at, maker)| {
            maker.iter_mut().for_each(|maker| maker.avoid(&beside.values(at)));
        });
    }
    for (at, maker) in makers.iter().enumerate() {
        match maker {
            Some(maker) if wants.get(at).is_some_and(|want| want.unique) && !maker.makes_all() => {
                keep_words(&mut encoded[at], &|_, _| false);
            }
            Some(Maker::Faker(faker)) if faker.listed.is_some() => leave_rare(&mut encoded[at], floor),
            Some(Maker::Faker(faker)) => keep_common(&mut encoded[at], floor, &|word| faker.kind.common(word)),
            Some(Maker::Writer(_)) => keep_common(&mut encoded[at], floor, &|_| true),
            _ => {}
        }
    }
    note_columns(real, &encoded, &makers, &said, floor, notes);
    (encoded, makers)
}

/// Of the listed words of a column whose other values are made, keeps those that `common` says yes to and many rows
/// hold: `n/a` of a tenth of the rows is worth keeping, the name of five customers is not.
fn keep_common(column: &mut Encoded, floor: usize, common: &dyn Fn(&str) -> bool) {
    let least = floor.max(column.values.len().div_ceil(100));
    keep_words(column, &|word, rows| rows >= least && common(word));
}

/// Spreads the rows that hold no listed word over ticks of too few rows each: they are not learned, so that what follows
/// from the listed words is found, and the column's maker decides which drawn rows are like them.
fn leave_rare(column: &mut Encoded, floor: usize) {
    let Scale::Text { words } = &column.scale else { return };
    if words.is_empty() {
        return;
    }
    let rare = words.len() as f64;
    let each = floor.saturating_sub(1).max(1);
    let rows = column.values.iter_mut().filter(|value| **value == rare);
    rows.enumerate().for_each(|(nth, value)| *value = rare + 1.0 + (nth / each) as f64);
}

/// Keeps the listed words that `keep` says yes to, given how many rows hold each.
fn keep_words(column: &mut Encoded, keep: &dyn Fn(&str, usize) -> bool) {
    let Scale::Text { words } = &mut column.scale else { return };
    let mut rows = vec![0usize; words.len() + 1];
    column.values.iter().filter(|v| !v.is_nan()).for_each(|&v| rows[v as usize] += 1);
    let keeps: Vec<bool> = words.iter().zip(&rows).map(|(word, &rows)| keep(word, rows)).collect();
    let kept = keeps.iter().filter(|&&k| k).count() as f64;
    let mut next = 0.0;
    let mut place: Vec<f64> = Vec::with_capacity(rows.len());
    for &keep in &keeps {
        place.push(if keep { next } else { kept });
        next += keep as u8 as f64;
    }
    place.push(kept);
    let every = column.values.iter_mut().chain(&mut column.beside);
    every.filter(|v| !v.is_nan()).for_each(|v| *v = place[*v as usize]);
    column.rare_rows = column.values.iter().filter(|v| **v == kept).count();
    let mut keep = keeps.iter();
    words.retain(|_| *keep.next().unwrap_or(&false));
}

/// The columns of the rows asked for, from the ticks of each output.
pub(crate) fn make_columns(outputs: &[Output], ticks: &[Vec<f64>], ask: &Ask) -> Vec<Column> {
    let acted = act_all(outputs, ticks, ask);
    let columns = outputs.par_iter().enumerate();
    columns.map(|(at, output)| column(output, &ticks[at], ask, mix(ask.seed ^ mix(at as u64)), &acted[at])).collect()
}

/// What the fakers of each column make, per row.
fn act_all(outputs: &[Output], ticks: &[Vec<f64>], ask: &Ask) -> Vec<Vec<String>> {
    let mut groups: BTreeMap<u16, Vec<u16>> = BTreeMap::new();
    for (at, output) in outputs.iter().enumerate() {
        if let Some(Maker::Faker(faker)) = &output.maker {
            groups.entry(faker.group).or_default().push(at as u16);
        }
    }
    let first = ask.first_row / Ask::BLOCK;
    let made = |output: &Output| matches!(output.maker, Some(Maker::Writer(_) | Maker::Faker(_)));
    let blocks = if outputs.iter().any(made) { ask.rows.div_ceil(Ask::BLOCK as usize) } else { 0 };
    let block = |at: usize| {
        let (from, to) = (at * Ask::BLOCK as usize, ask.rows.min((at + 1) * Ask::BLOCK as usize));
        ticks.iter().map(|ticks| &ticks[from..to]).collect::<Vec<&[f64]>>()
    };
    let drawn: Vec<Vec<&[f64]>> = (0..blocks).map(block).collect();
    let tasks: Vec<(&Vec<u16>, usize)> =
        groups.values().flat_map(|members| (0..blocks).map(move |at| (members, at))).collect();
    let made: Vec<Vec<Vec<String>>> = tasks
        .par_iter()
        .map(|&(members, at)| act(&Stage { outputs, ticks: &drawn[at], ask, number: first + at as u64 }, members))
        .collect();
    let mut acted: Vec<Vec<String>> = outputs.iter().map(|_| Vec::new()).collect();
    for ((members, _), texts) in tasks.into_iter().zip(made) {
        for (&column, texts) in members.iter().zip(texts) {
            acted[column as usize].extend(texts);
        }
    }
    let first = ask.first_row / Ask::BLOCK;
    let blocks = ask.rows_total.div_ceil(Ask::BLOCK).max(first + drawn.len() as u64);
    let writers: Vec<(usize, &Writer)> = outputs
        .iter()
        .enumerate()
        .filter_map(|(at, output)| match &output.maker {
            Some(Maker::Writer(writer)) => Some((at, writer)),
            _ => None,
        })
        .collect();
    let tasks: Vec<(usize, &Writer, usize)> =
        writers.iter().flat_map(|&(at, writer)| (0..drawn.len()).map(move |block| (at, writer, block))).collect();
    let written: Vec<Vec<String>> = tasks
        .par_iter()
        .map(|&(at, writer, block)| {
            let listed = if let Scale::Text { words } = &outputs[at].scale { words.len() } else { 0 };
            let wanted: Vec<bool> =
                drawn[block][at].iter().map(|tick| !tick.is_nan() && *tick as usize >= listed).collect();
            let place = Place { blocks, number: first + block as u64 };
            writer.write(&wanted, place, mix(ask.seed ^ mix(at as u64)))
        })
        .collect();
    for ((at, _, _), texts) in tasks.into_iter().zip(written) {
        acted[at].extend(texts);
    }
    acted
}

fn column(output: &Output, ticks: &[f64], ask: &Ask, salt: u64, acted: &[String]) -> Column {
    let row_of = |at: usize| ask.first_row + at as u64;
    if let (Some(Maker::Ids(plan)), Scale::Int { .. }) = (&output.maker, &output.scale) {
        let id = |at: usize| plan.id(row_of(at), ask.rows_total, salt).parse().ok();
        let ids = ticks.iter().enumerate().map(|(at, tick)| if tick.is_nan() { None } else { id(at) });
        return Column::ints(&output.name, ids.collect(), output.spelling.clone());
    }
    let mut novel = |at: usize| {
        let text = match &output.maker {
            Some(Maker::Ids(plan)) => plan.id(row_of(at), ask.rows_total, salt),
            Some(Maker::Writer(_) | Maker::Faker(_)) => acted.get(at).cloned().unwrap_or_default(),
            Some(Maker::Pattern(_)) | None => String::new(),
        };
        match &output.pattern {
            Some(pattern) if !pattern.matches(&text) => pattern.row_text(row_of(at), ask.rows_total, salt),
            _ => text,
        }
    };
    if let (Some(Maker::Ids(_)), Scale::Time { .. } | Scale::Real { .. }) = (&output.maker, &output.scale) {
        let tick = |(at, tick): (usize, &f64)| if tick.is_nan() { f64::NAN } else { novel(at).parse().unwrap_or(0.0) };
        let ticks: Vec<f64> = ticks.iter().enumerate().map(tick).collect();
        return output.scale.column(&output.name, &output.spelling, &ticks, &mut |_| String::new());
    }
    let (Some(Maker::Faker(_)), Scale::Text { words }) = (&output.maker, &output.scale) else {
        return output.scale.column(&output.name, &output.spelling, ticks, &mut novel);
    };
    // What a faker wrote takes the place of a listed word, too; it may be another of the list.
    let places: HashMap<&str, usize> = words.iter().map(String::as_str).zip(0..).collect();
    let tick = |(at, &tick): (usize, &f64)| match acted.get(at).filter(|text| !tick.is_nan() && !text.is_empty()) {
        Some(text) => places.get(text.as_str()).copied().unwrap_or(words.len()) as f64,
        None => tick,
    };
    let ticks: Vec<f64> = ticks.iter().enumerate().map(tick).collect();
    output.scale.column(&output.name, &output.spelling, &ticks, &mut novel)
}

/// Says what became of columns whose values are not shown as they are.
fn note_columns(
    real: &Table,
    encoded: &[Encoded],
    makers: &[Option<Maker>],
    said: &[Option<String>],
    floor: usize,
    notes: &mut Vec<Note>,
) {
    for (at, maker) in makers.iter().enumerate() {
        let name = real.name(at);
        let (kind, how) = match maker {
            _ if said[at].is_some() => ("column", said[at].clone().unwrap_or_default()),
            Some(Maker::Faker(_)) => continue,
            Some(Maker::Pattern(_)) => {
                ("column", "holds few texts that match its pattern: new ones that do are made".into())
            }
            Some(Maker::Ids(_)) => ("column", "holds identifiers: new ones of the same form are made".to_string()),
            Some(Maker::Writer(writer)) => {
                let of = if writer.words { "words" } else { "letters" };
                let how = format!(
                    "holds texts that few rows share: a small model of {of} trained on this column alone writes new ones"
                );
                ("column", how)
            }
            None if encoded[at].rare_rows > 0 => {
                let rows = encoded[at].rare_rows;
                (
                    "protection",
                    format!("has {rows} rows with values held by fewer than {floor} rows: those values are not shown"),
                )
            }
            None => continue,
        };
        notes.push(Note { kind, text: format!("`{name}` {how}.") });
    }
}

/// What makes the values of a column of which something is demanded.
fn as_wanted(
    maker: Option<Maker>,
    want: Want,
    real: &Table,
    at: usize,
    encoded: &Encoded,
    floor: usize,
    key: u64,
) -> Option<Maker> {
    let present = encoded.values.iter().filter(|value| !value.is_nan()).count();
    match (maker, want) {
        (Some(Maker::Ids(plan)), Want { unique: true, .. }) if !plan.repeats => Some(Maker::Ids(plan)),
        (_, Want { unique: true, pattern }) => match real.values(at) {
            Values::Int(values) => plan_range(values.iter().flatten(), key).map(Maker::Ids),
            Values::Text(_) if pattern.is_some() => pattern.map(Maker::Pattern),
            Values::Text(values) => {
                let words: Vec<&str> =
                    values.values().as_any().downcast_ref::<StringArray>()?.iter().flatten().collect();
                let plan = plan_texts(&words, key).map(Maker::Ids);
                plan.or_else(|| Some(Maker::Writer(Writer::learn(&words, floor, true, key))))
            }
            _ => plan_range(encoded.values.iter().filter(|v| !v.is_nan()).map(|&v| v as i64), key).map(Maker::Ids),
        },
        (None, Want { pattern: Some(pattern), .. }) if 2 * encoded.rare_rows > present => Some(Maker::Pattern(pattern)),
        (maker, _) => maker,
    }
}

/// What makes the values of a column that cannot be listed: identifiers, and texts that few rows share.
fn find_maker(real: &Table, at: usize, encoded: &[Encoded], floor: usize, seed: u64) -> Option<Maker> {
    let key = mix(seed ^ mix(at as u64 + 1));
    match real.values(at) {
        Values::Int(values) => {
            let values: Vec<Option<i64>> = values.iter().collect();
            let meant = |present: &[i64], sorted: &[i64]| meant_as_ids(real.name(at), present, sorted, at, encoded);
            plan_cards(&values, floor, key).or_else(|| plan_numbers(&values, key, &meant)).map(Maker::Ids)
        }
        Values::Text(values) => {
            let words = values.values().as_any().downcast_ref::<StringArray>()?;
            let texts: Vec<&str> =
                (0..values.len()).filter_map(|row| values.key(row)).map(|key| words.value(key)).collect();
            if texts.is_empty() || (encoded[at].rare_rows as f64) < RARE_MIN * texts.len() as f64 {
                return None;
            }
            let different = texts.iter().collect::<std::collections::BTreeSet<_>>().len();
            let unique = different == texts.len() && texts.len() >= 10;
            if unique && let Some(plan) = plan_texts(&texts, key) {
                return Some(Maker::Ids(plan));
            }
            Some(Maker::Writer(Writer::learn(&texts, floor, unique, key)))
        }
        _ => None,
    }
}

kept!(enum Maker {
    0 => Ids(plan),
    1 => Writer(writer),
    2 => Faker(faker),
    3 => Pattern(pattern),
});
