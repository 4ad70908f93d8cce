//! Saved models: a fitted [`Trees`] becomes bytes with a version and a checksum, and bytes become one again. There is no
//! code inside, and bytes that were cut, changed or made by another version are refused.

use table::{Kept, kept};

use crate::generator::{Node, Output, Trees};
use crate::laws::absent::Verdict;
use crate::laws::calendar::Part;
use crate::laws::forms::Form;
use crate::model::{Generator, Note};
use crate::random::fingerprint;
use crate::sequence::{Context, Place, Sequences};

/// What every saved model begins with.
const MAGIC: &[u8; 8] = b"hanselTM";

/// The only version read and written.
const VERSION: u32 = 3;

/// What follows is a model of single rows, or of groups of rows.
const ROWS: u8 = 0;
const GROUPS: u8 = 1;

/// Kinds of notes, so that a loaded note borrows its kind as a new one does.
const NOTE_KINDS: [&str; 4] = ["parameter", "law", "protection", "column"];

/// Why bytes are no model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unloadable {
    /// They are something else.
    NotAModel,
    /// They were written by a version of the engine that this one cannot read.
    Version {
        /// The version found.
        found: u32,
    },
    /// They were cut short or changed.
    Damaged,
}

impl std::fmt::Display for Unloadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Unloadable::NotAModel => write!(f, "the bytes are not a saved model"),
            Unloadable::Version { found } => write!(f, "the model is of version {found} where {VERSION} is read"),
            Unloadable::Damaged => write!(f, "the model was cut short or changed"),
        }
    }
}

impl std::error::Error for Unloadable {}

/// The generator that [`Generator::save`] wrote: it samples the same rows as the one that was saved.
pub fn load(bytes: &[u8]) -> Result<Box<dyn Generator>, Unloadable> {
    let Some((head, rest)) = bytes.split_at_checked(MAGIC.len() + 12) else { return Err(Unloadable::NotAModel) };
    if &head[..8] != MAGIC {
        return Err(Unloadable::NotAModel);
    }
    let found = u32::from_le_bytes([head[8], head[9], head[10], head[11]]);
    if found != VERSION {
        return Err(Unloadable::Version { found });
    }
    if head[12..] != fingerprint(VERSION as u64, rest).to_le_bytes() {
        return Err(Unloadable::Damaged);
    }
    let mut from = rest;
    let model: Option<Box<dyn Generator>> = match u8::take(&mut from) {
        Some(ROWS) => Trees::take(&mut from).filter(Trees::coherent).map(|trees| Box::new(trees) as _),
        Some(GROUPS) => Sequences::take(&mut from).filter(Sequences::coherent).map(|model| Box::new(model) as _),
        _ => None,
    };
    model.filter(|_| from.is_empty()).ok_or(Unloadable::Damaged)
}

/// The bytes of a fitted model of rows.
pub(crate) fn save(trees: &Trees) -> Vec<u8> {
    saved(ROWS, trees)
}

/// The bytes of a fitted model of groups.
pub(crate) fn save_sequences(sequences: &Sequences) -> Vec<u8> {
    saved(GROUPS, sequences)
}

fn saved(kind: u8, model: &impl Kept) -> Vec<u8> {
    let mut body = vec![kind];
    model.put(&mut body);
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&fingerprint(VERSION as u64, &body).to_le_bytes());
    bytes.append(&mut body);
    bytes
}

kept!(struct Trees { nodes, order, outputs, copies, filters, rules, notes });

impl Kept for Sequences {
    fn put(&self, out: &mut Vec<u8>) {
        self.groups.put(out);
        self.events.put(out);
        self.places.put(out);
        self.told.put(out);
        self.rows_mean.put(out);
        self.notes.put(out);
    }
    fn take(from: &mut &[u8]) -> Option<Sequences> {
        Some(Sequences {
            groups: Kept::take(from)?,
            events: Kept::take(from)?,
            places: Kept::take(from)?,
            told: Kept::take(from)?,
            rows_mean: Kept::take(from)?,
            notes: Kept::take(from)?,
            roster: Default::default(),
        })
    }
}

impl Kept for Place {
    fn put(&self, out: &mut Vec<u8>) {
        match *self {
            Place::Group(at) => (false, at).put(out),
            Place::Event(at) => (true, at).put(out),
        }
    }
    fn take(from: &mut &[u8]) -> Option<Place> {
        let (event, at) = <(bool, u16)>::take(from)?;
        Some(if event { Place::Event(at) } else { Place::Group(at) })
    }
}

kept!(struct Context { constant, position, lags, first });

impl Kept for Note {
    fn put(&self, out: &mut Vec<u8>) {
        (NOTE_KINDS.iter().position(|kind| *kind == self.kind).unwrap_or(0) as u8).put(out);
        self.text.put(out);
    }
    fn take(from: &mut &[u8]) -> Option<Note> {
        Some(Note { kind: NOTE_KINDS.get(u8::take(from)? as usize)?, text: String::take(from)? })
    }
}

impl Kept for Verdict {
    fn put(&self, out: &mut Vec<u8>) {
        (*self as u8).put(out);
    }
    fn take(from: &mut &[u8]) -> Option<Verdict> {
        [Verdict::Open, Verdict::Missing, Verdict::Present].get(u8::take(from)? as usize).copied()
    }
}

impl Kept for Form {
    fn put(&self, out: &mut Vec<u8>) {
        (Form::ALL.iter().position(|form| form.0 == *self).unwrap_or(0) as u8).put(out);
    }
    fn take(from: &mut &[u8]) -> Option<Form> {
        Some(Form::ALL.get(u8::take(from)? as usize)?.0)
    }
}

impl Kept for Part {
    fn put(&self, out: &mut Vec<u8>) {
        (Part::ALL.iter().position(|part| part.0 == *self).unwrap_or(0) as u8).put(out);
    }
    fn take(from: &mut &[u8]) -> Option<Part> {
        Some(Part::ALL.get(u8::take(from)? as usize)?.0)
    }
}

kept!(struct Node { shape, binning, grid, law, drawn, guards, absences });

kept!(struct Output { name, spelling, scale, node, maker, pattern, hidden });
