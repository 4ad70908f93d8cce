//! Saved models: a fitted [`Trees`] becomes bytes with a version and a checksum, and bytes become one again. There is no
//! code inside, and bytes that were cut, changed or made by another version are refused.

use crate::absent::{Absence, Verdict};
use crate::bytes::{Bytes, Kept};
use crate::calendar::Part;
use crate::drawn::{Drawn, Question};
use crate::encode::Scale;
use crate::generator::{Maker, Node, Output, Trees};
use crate::guard::Guard;
use crate::ids::{Form, IdPlan, Make};
use crate::law::Law;
use crate::leaf::{Leaf, Spread};
use crate::line::{Line, Term};
use crate::model::{Generator, Note};
use crate::random::fingerprint;
use crate::shape::{Binning, Shape};
use crate::sieve::Sieve;
use crate::text::{Follow, Writer};
use table::Spelling;

/// What every saved model begins with.
const MAGIC: &[u8; 8] = b"hanselTM";

/// The only version read and written.
const VERSION: u32 = 1;

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
    let mut from = Bytes { rest };
    let trees = Trees::take(&mut from).filter(|trees| from.rest.is_empty() && trees.coherent());
    Ok(Box::new(trees.ok_or(Unloadable::Damaged)?))
}

/// The bytes of a fitted model.
pub(crate) fn save(trees: &Trees) -> Vec<u8> {
    let mut body = Vec::new();
    trees.put(&mut body);
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&fingerprint(VERSION as u64, &body).to_le_bytes());
    bytes.append(&mut body);
    bytes
}

impl Kept for Trees {
    fn put(&self, out: &mut Vec<u8>) {
        self.nodes.put(out);
        self.order.put(out);
        self.outputs.put(out);
        self.copies.put(out);
        self.notes.put(out);
    }
    fn take(from: &mut Bytes) -> Option<Trees> {
        Some(Trees { nodes: Vec::take(from)?, order: Vec::take(from)?, outputs: Kept::take(from)?, copies: Kept::take(from)?, notes: Kept::take(from)? })
    }
}

impl Kept for Note {
    fn put(&self, out: &mut Vec<u8>) {
        (NOTE_KINDS.iter().position(|kind| *kind == self.kind).unwrap_or(0) as u8).put(out);
        self.text.put(out);
    }
    fn take(from: &mut Bytes) -> Option<Note> {
        Some(Note { kind: NOTE_KINDS.get(u8::take(from)? as usize)?, text: String::take(from)? })
    }
}

impl Kept for Verdict {
    fn put(&self, out: &mut Vec<u8>) {
        (*self as u8).put(out);
    }
    fn take(from: &mut Bytes) -> Option<Verdict> {
        [Verdict::Open, Verdict::Missing, Verdict::Present].get(u8::take(from)? as usize).copied()
    }
}

impl Kept for Part {
    fn put(&self, out: &mut Vec<u8>) {
        (Part::ALL.iter().position(|part| part.0 == *self).unwrap_or(0) as u8).put(out);
    }
    fn take(from: &mut Bytes) -> Option<Part> {
        Some(Part::ALL.get(u8::take(from)? as usize)?.0)
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

impl Kept for Question {
    fn put(&self, out: &mut Vec<u8>) {
        self.node.put(out);
        self.mask.put(out);
        self.ways.put(out);
    }
    fn take(from: &mut Bytes) -> Option<Question> {
        Some(Question { node: Kept::take(from)?, mask: Kept::take(from)?, ways: Kept::take(from)? })
    }
}

impl Kept for Drawn {
    fn put(&self, out: &mut Vec<u8>) {
        self.questions.put(out);
        self.leaves.put(out);
    }
    fn take(from: &mut Bytes) -> Option<Drawn> {
        Some(Drawn { questions: Kept::take(from)?, leaves: Kept::take(from)? })
    }
}

impl Kept for Spread {
    fn put(&self, out: &mut Vec<u8>) {
        self.knots.put(out);
        self.line.put(out);
        self.low.put(out);
        self.high.put(out);
    }
    fn take(from: &mut Bytes) -> Option<Spread> {
        Some(Spread { knots: Kept::take(from)?, line: Kept::take(from)?, low: Kept::take(from)?, high: Kept::take(from)? })
    }
}

impl Kept for Line {
    fn put(&self, out: &mut Vec<u8>) {
        self.level.put(out);
        self.terms.put(out);
    }
    fn take(from: &mut Bytes) -> Option<Line> {
        Some(Line { level: Kept::take(from)?, terms: Kept::take(from)? })
    }
}

impl Kept for Term {
    fn put(&self, out: &mut Vec<u8>) {
        self.node.put(out);
        self.weight.put(out);
        self.fill.put(out);
    }
    fn take(from: &mut Bytes) -> Option<Term> {
        Some(Term { node: Kept::take(from)?, weight: Kept::take(from)?, fill: Kept::take(from)? })
    }
}

impl Kept for Guard {
    fn put(&self, out: &mut Vec<u8>) {
        self.node.put(out);
        self.pairs.put(out);
        self.rows.put(out);
    }
    fn take(from: &mut Bytes) -> Option<Guard> {
        Some(Guard { node: Kept::take(from)?, pairs: Kept::take(from)?, rows: Kept::take(from)? })
    }
}

impl Kept for Absence {
    fn put(&self, out: &mut Vec<u8>) {
        self.node.put(out);
        self.verdicts.put(out);
    }
    fn take(from: &mut Bytes) -> Option<Absence> {
        Some(Absence { node: Kept::take(from)?, verdicts: Kept::take(from)? })
    }
}

impl Kept for Node {
    fn put(&self, out: &mut Vec<u8>) {
        self.shape.put(out);
        self.binning.put(out);
        self.grid.put(out);
        self.law.put(out);
        self.drawn.put(out);
        self.guards.put(out);
        self.absences.put(out);
    }
    fn take(from: &mut Bytes) -> Option<Node> {
        Some(Node { shape: Kept::take(from)?, binning: Kept::take(from)?, grid: Kept::take(from)?, law: Kept::take(from)?, drawn: Kept::take(from)?, guards: Kept::take(from)?, absences: Kept::take(from)? })
    }
}

impl Kept for Output {
    fn put(&self, out: &mut Vec<u8>) {
        self.name.put(out);
        self.spelling.put(out);
        self.scale.put(out);
        self.node.put(out);
        self.maker.put(out);
    }
    fn take(from: &mut Bytes) -> Option<Output> {
        Some(Output { name: Kept::take(from)?, spelling: Kept::take(from)?, scale: Kept::take(from)?, node: Kept::take(from)?, maker: Kept::take(from)? })
    }
}

impl Kept for IdPlan {
    fn put(&self, out: &mut Vec<u8>) {
        self.forms.put(out);
        self.known.put(out);
        self.ascending.put(out);
    }
    fn take(from: &mut Bytes) -> Option<IdPlan> {
        Some(IdPlan { forms: Kept::take(from)?, known: Kept::take(from)?, ascending: Kept::take(from)? })
    }
}

impl Kept for Form {
    fn put(&self, out: &mut Vec<u8>) {
        self.rows.put(out);
        self.make.put(out);
    }
    fn take(from: &mut Bytes) -> Option<Form> {
        Some(Form { rows: Kept::take(from)?, make: Kept::take(from)? })
    }
}

impl Kept for Sieve {
    fn put(&self, out: &mut Vec<u8>) {
        self.key.put(out);
        self.bits.put(out);
    }
    fn take(from: &mut Bytes) -> Option<Sieve> {
        Some(Sieve { key: Kept::take(from)?, bits: Kept::take(from)? })
    }
}

impl Kept for Writer {
    fn put(&self, out: &mut Vec<u8>) {
        self.words.put(out);
        self.tokens.put(out);
        self.follow.put(out);
        self.known.put(out);
        self.longest.put(out);
        self.unique.put(out);
    }
    fn take(from: &mut Bytes) -> Option<Writer> {
        Some(Writer { words: Kept::take(from)?, tokens: Kept::take(from)?, follow: Kept::take(from)?, known: Kept::take(from)?, longest: Kept::take(from)?, unique: Kept::take(from)? })
    }
}

impl Kept for Follow {
    fn put(&self, out: &mut Vec<u8>) {
        self.context.put(out);
        self.next.put(out);
    }
    fn take(from: &mut Bytes) -> Option<Follow> {
        Some(Follow { context: Kept::take(from)?, next: Kept::take(from)? })
    }
}

impl Kept for Leaf {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Leaf::Classes { classes, totals } => {
                0u8.put(out);
                classes.put(out);
                totals.put(out);
            }
            Leaf::Numbers { missing, atoms, rest, spread } => {
                1u8.put(out);
                missing.put(out);
                atoms.put(out);
                rest.put(out);
                spread.put(out);
            }
        }
    }
    fn take(from: &mut Bytes) -> Option<Leaf> {
        match u8::take(from)? {
            0 => Some(Leaf::Classes { classes: Kept::take(from)?, totals: Kept::take(from)? }),
            1 => Some(Leaf::Numbers { missing: Kept::take(from)?, atoms: Kept::take(from)?, rest: Kept::take(from)?, spread: Kept::take(from)? }),
            _ => None,
        }
    }
}

impl Kept for Shape {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Shape::Discrete { values } => {
                0u8.put(out);
                values.put(out);
            }
            Shape::Continuous { tops, atoms, low, high } => {
                1u8.put(out);
                tops.put(out);
                atoms.put(out);
                low.put(out);
                high.put(out);
            }
        }
    }
    fn take(from: &mut Bytes) -> Option<Shape> {
        match u8::take(from)? {
            0 => Some(Shape::Discrete { values: Kept::take(from)? }),
            1 => Some(Shape::Continuous { tops: Kept::take(from)?, atoms: Kept::take(from)?, low: Kept::take(from)?, high: Kept::take(from)? }),
            _ => None,
        }
    }
}

impl Kept for Binning {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Binning::Ordered { tops } => {
                0u8.put(out);
                tops.put(out);
            }
            Binning::Nominal { codes } => {
                1u8.put(out);
                codes.put(out);
            }
        }
    }
    fn take(from: &mut Bytes) -> Option<Binning> {
        match u8::take(from)? {
            0 => Some(Binning::Ordered { tops: Kept::take(from)? }),
            1 => Some(Binning::Nominal { codes: Kept::take(from)? }),
            _ => None,
        }
    }
}

impl Kept for Law {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Law::Sum { terms, constant, wrap } => {
                0u8.put(out);
                terms.put(out);
                constant.put(out);
                wrap.put(out);
            }
            Law::Product { factors, weight, constant } => {
                1u8.put(out);
                factors.put(out);
                weight.put(out);
                constant.put(out);
            }
            Law::Near { terms, level, rest, base, unit, log } => {
                4u8.put(out);
                terms.put(out);
                level.put(out);
                rest.put(out);
                base.put(out);
                unit.put(out);
                log.put(out);
            }
            Law::Part { of, base, unit, part, shift } => {
                2u8.put(out);
                of.put(out);
                base.put(out);
                unit.put(out);
                part.put(out);
                shift.put(out);
            }
            Law::Lookup { keys, rows } => {
                3u8.put(out);
                keys.put(out);
                rows.put(out);
            }
        }
    }
    fn take(from: &mut Bytes) -> Option<Law> {
        match u8::take(from)? {
            0 => Some(Law::Sum { terms: Kept::take(from)?, constant: Kept::take(from)?, wrap: Kept::take(from)? }),
            1 => Some(Law::Product { factors: Kept::take(from)?, weight: Kept::take(from)?, constant: Kept::take(from)? }),
            2 => Some(Law::Part { of: Kept::take(from)?, base: Kept::take(from)?, unit: Kept::take(from)?, part: Kept::take(from)?, shift: Kept::take(from)? }),
            4 => Some(Law::Near {
                terms: Kept::take(from)?,
                level: Kept::take(from)?,
                rest: Kept::take(from)?,
                base: Kept::take(from)?,
                unit: Kept::take(from)?,
                log: Kept::take(from)?,
            }),
            3 => Some(Law::Lookup { keys: Kept::take(from)?, rows: Kept::take(from)? }),
            _ => None,
        }
    }
}

impl Kept for Scale {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Scale::Int { base, unit } => {
                0u8.put(out);
                base.put(out);
                unit.put(out);
            }
            Scale::Time { base, unit } => {
                1u8.put(out);
                base.put(out);
                unit.put(out);
            }
            Scale::Real { unit, per } => {
                2u8.put(out);
                unit.put(out);
                per.put(out);
            }
            Scale::Clock => {
                3u8.put(out);
            }
            Scale::Bool => {
                4u8.put(out);
            }
            Scale::Text { words } => {
                5u8.put(out);
                words.put(out);
            }
        }
    }
    fn take(from: &mut Bytes) -> Option<Scale> {
        match u8::take(from)? {
            0 => Some(Scale::Int { base: Kept::take(from)?, unit: Kept::take(from)? }),
            1 => Some(Scale::Time { base: Kept::take(from)?, unit: Kept::take(from)? }),
            2 => Some(Scale::Real { unit: Kept::take(from)?, per: Kept::take(from)? }),
            3 => Some(Scale::Clock),
            4 => Some(Scale::Bool),
            5 => Some(Scale::Text { words: Kept::take(from)? }),
            _ => None,
        }
    }
}

impl Kept for Make {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Make::Range { low, size } => {
                0u8.put(out);
                low.put(out);
                size.put(out);
            }
            Make::Places { sets } => {
                1u8.put(out);
                sets.put(out);
            }
        }
    }
    fn take(from: &mut Bytes) -> Option<Make> {
        match u8::take(from)? {
            0 => Some(Make::Range { low: Kept::take(from)?, size: Kept::take(from)? }),
            1 => Some(Make::Places { sets: Kept::take(from)? }),
            _ => None,
        }
    }
}

impl Kept for Spelling {
    fn put(&self, out: &mut Vec<u8>) {
        self.to_text().put(out);
    }
    fn take(from: &mut Bytes) -> Option<Spelling> {
        Spelling::from_text(&String::take(from)?)
    }
}
