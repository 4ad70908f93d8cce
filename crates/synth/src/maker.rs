//! Makers: columns whose values cannot be listed (identifiers, texts that few rows share) come in with their training
//! values, what makes new ones goes out; and drawn ticks come in, the columns of an output go out. No training value of
//! such a column is written.

use arrow_array::{Array, StringArray};
use rayon::prelude::*;
use table::{Column, Table, Values};

use crate::bytes::{Bytes, Kept};
use crate::encode::{Encoded, Scale};
use crate::generator::Output;
use crate::ids::{IdPlan, plan_numbers, plan_texts};
use crate::model::{Ask, Note};
use crate::random::{Random, mix};
use crate::text::Writer;

/// What makes new values.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Maker {
    /// Identifiers.
    Ids(IdPlan),
    /// Texts.
    Writer(Writer),
}

impl Maker {
    /// Whether it makes every value that is present; else only those that no list holds.
    pub(crate) fn makes_all(&self) -> bool {
        matches!(self, Maker::Ids(_))
    }
}

/// What makes the values of each column, where something does; says in `notes` what became of columns whose values are
/// not shown as they are.
pub(crate) fn find_makers(
    real: &Table,
    encoded: Vec<Encoded>,
    floor: usize,
    seed: u64,
    notes: &mut Vec<Note>,
) -> (Vec<Encoded>, Vec<Option<Maker>>) {
    let makers: Vec<Option<Maker>> =
        (0..real.columns()).into_par_iter().map(|at| find_maker(real, at, &encoded[at], floor, seed)).collect();
    note_columns(real, &encoded, &makers, floor, notes);
    (encoded, makers)
}

/// The columns of an output: `drawn` holds ticks per block, output and row.
pub(crate) fn make_columns(outputs: &[Output], drawn: &[Vec<Vec<f64>>], ask: &Ask) -> Vec<Column> {
    let columns = outputs.par_iter().enumerate().map(|(at, output)| {
        let ticks: Vec<f64> = drawn.iter().flat_map(|block| block[at].iter().copied()).collect();
        column(output, &ticks, ask, mix(ask.seed ^ mix(at as u64)))
    });
    columns.collect()
}

fn column(output: &Output, ticks: &[f64], ask: &Ask, salt: u64) -> Column {
    let row_of = |at: usize| ask.first_row + at as u64;
    if let (Some(Maker::Ids(plan)), Scale::Int { .. }) = (&output.maker, &output.scale) {
        let id = |at: usize| plan.id(row_of(at), ask.rows_total, salt).parse().ok();
        let ids = ticks.iter().enumerate().map(|(at, tick)| if tick.is_nan() { None } else { id(at) });
        return Column::ints(&output.name, ids.collect(), output.spelling.clone());
    }
    let mut novel = |at: usize| match &output.maker {
        Some(Maker::Ids(plan)) => plan.id(row_of(at), ask.rows_total, salt),
        Some(Maker::Writer(writer)) => writer.write(row_of(at), &mut Random::at(&[salt, row_of(at)])),
        None => String::new(),
    };
    output.scale.column(&output.name, &output.spelling, ticks, &mut novel)
}

/// Says what became of columns whose values are not shown as they are.
fn note_columns(real: &Table, encoded: &[Encoded], makers: &[Option<Maker>], floor: usize, notes: &mut Vec<Note>) {
    for (at, maker) in makers.iter().enumerate() {
        let name = real.name(at);
        let (kind, how) = match maker {
            Some(Maker::Ids(_)) => ("column", "holds identifiers: new ones of the same form are made".to_string()),
            Some(Maker::Writer(_)) => ("column", "holds texts that few rows share: new ones are written".to_string()),
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
    let text = "Extreme values are drawn in, and rows equal to a training row that few rows share are drawn again.";
    notes.push(Note { kind: "protection", text: text.to_string() });
}

/// What makes the values of a column that cannot be listed: identifiers, and texts that few rows share.
fn find_maker(real: &Table, at: usize, encoded: &Encoded, floor: usize, seed: u64) -> Option<Maker> {
    /// Share of present rows whose words are held by too few rows, from which on new words are written.
    const RARE_MIN: f64 = 0.3;
    let key = mix(seed ^ mix(at as u64 + 1));
    match real.values(at) {
        Values::Int(values) => plan_numbers(&values.iter().collect::<Vec<_>>(), key).map(Maker::Ids),
        Values::Text(values) => {
            let words = values.values().as_any().downcast_ref::<StringArray>()?;
            let texts: Vec<&str> =
                (0..values.len()).filter_map(|row| values.key(row)).map(|key| words.value(key)).collect();
            if texts.is_empty() || (encoded.rare_rows as f64) < RARE_MIN * texts.len() as f64 {
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

impl Kept for Maker {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Maker::Ids(plan) => {
                0u8.put(out);
                plan.put(out);
            }
            Maker::Writer(writer) => {
                1u8.put(out);
                writer.put(out);
            }
        }
    }
    fn take(from: &mut Bytes) -> Option<Maker> {
        match u8::take(from)? {
            0 => Some(Maker::Ids(IdPlan::take(from)?)),
            1 => Some(Maker::Writer(Writer::take(from)?)),
            _ => None,
        }
    }
}
