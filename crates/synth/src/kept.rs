//! How the parts of a fitted model are saved: one after another, in the order of their fields. A change here is a new
//! version of saved models.

use crate::absent::Absence;
use crate::bytes::{Bytes, Kept};
use crate::drawn::{Drawn, Question};
use crate::encode::Scale;
use crate::guard::Guard;
use crate::ids::{Check, Form, IdPlan, Make};
use crate::law::Law;
use crate::leaf::{Leaf, Spread};
use crate::line::{Line, Term};
use crate::shape::{Binning, Shape};
use crate::sieve::Sieve;
use table::Spelling;

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
        self.lifts.put(out);
    }
    fn take(from: &mut Bytes) -> Option<Drawn> {
        Some(Drawn { questions: Kept::take(from)?, leaves: Kept::take(from)?, lifts: Kept::take(from)? })
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
        Some(Spread {
            knots: Kept::take(from)?,
            line: Kept::take(from)?,
            low: Kept::take(from)?,
            high: Kept::take(from)?,
        })
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

impl Kept for IdPlan {
    fn put(&self, out: &mut Vec<u8>) {
        self.forms.put(out);
        self.known.put(out);
        self.ascending.put(out);
        (Check::ALL.iter().position(|check| *check == self.check).unwrap_or(0) as u8).put(out);
        self.repeats.put(out);
    }
    fn take(from: &mut Bytes) -> Option<IdPlan> {
        Some(IdPlan {
            forms: Kept::take(from)?,
            known: Kept::take(from)?,
            ascending: Kept::take(from)?,
            check: *Check::ALL.get(u8::take(from)? as usize)?,
            repeats: Kept::take(from)?,
        })
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
            1 => Some(Leaf::Numbers {
                missing: Kept::take(from)?,
                atoms: Kept::take(from)?,
                rest: Kept::take(from)?,
                spread: Kept::take(from)?,
            }),
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
            1 => Some(Shape::Continuous {
                tops: Kept::take(from)?,
                atoms: Kept::take(from)?,
                low: Kept::take(from)?,
                high: Kept::take(from)?,
            }),
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
            Law::Given => 9u8.put(out),
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
            Law::Total { terms, constant, unit } => {
                5u8.put(out);
                terms.put(out);
                constant.put(out);
                unit.put(out);
            }
            Law::Curve { of, form, weight, constant } => {
                6u8.put(out);
                of.put(out);
                form.put(out);
                weight.put(out);
                constant.put(out);
            }
            Law::Share { top, bottom, weight, constant } => {
                7u8.put(out);
                top.put(out);
                bottom.put(out);
                weight.put(out);
                constant.put(out);
            }
            Law::Date { parts, within, base, unit } => {
                8u8.put(out);
                parts.put(out);
                within.put(out);
                base.put(out);
                unit.put(out);
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
            1 => Some(Law::Product {
                factors: Kept::take(from)?,
                weight: Kept::take(from)?,
                constant: Kept::take(from)?,
            }),
            5 => Some(Law::Total { terms: Kept::take(from)?, constant: Kept::take(from)?, unit: Kept::take(from)? }),
            6 => Some(Law::Curve {
                of: Kept::take(from)?,
                form: Kept::take(from)?,
                weight: Kept::take(from)?,
                constant: Kept::take(from)?,
            }),
            7 => Some(Law::Share {
                top: Kept::take(from)?,
                bottom: Kept::take(from)?,
                weight: Kept::take(from)?,
                constant: Kept::take(from)?,
            }),
            8 => Some(Law::Date {
                parts: Kept::take(from)?,
                within: Kept::take(from)?,
                base: Kept::take(from)?,
                unit: Kept::take(from)?,
            }),
            2 => Some(Law::Part {
                of: Kept::take(from)?,
                base: Kept::take(from)?,
                unit: Kept::take(from)?,
                part: Kept::take(from)?,
                shift: Kept::take(from)?,
            }),
            4 => Some(Law::Near {
                terms: Kept::take(from)?,
                level: Kept::take(from)?,
                rest: Kept::take(from)?,
                base: Kept::take(from)?,
                unit: Kept::take(from)?,
                log: Kept::take(from)?,
            }),
            3 => Some(Law::Lookup { keys: Kept::take(from)?, rows: Kept::take(from)? }),
            9 => Some(Law::Given),
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
            Make::Parts { lead, parts, sign, hex, wide } => {
                2u8.put(out);
                lead.put(out);
                parts.put(out);
                sign.put(out);
                hex.put(out);
                wide.put(out);
            }
        }
    }
    fn take(from: &mut Bytes) -> Option<Make> {
        match u8::take(from)? {
            0 => Some(Make::Range { low: Kept::take(from)?, size: Kept::take(from)? }),
            1 => Some(Make::Places { sets: Kept::take(from)? }),
            2 => Some(Make::Parts {
                lead: Kept::take(from)?,
                parts: Kept::take(from)?,
                sign: Kept::take(from)?,
                hex: Kept::take(from)?,
                wide: Kept::take(from)?,
            }),
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
