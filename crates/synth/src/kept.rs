//! How the parts of a fitted model are saved: one after another, in the order of their fields. A change here is a new
//! version of saved models.

use crate::encode::Scale;
use crate::laws::absent::Absence;
use crate::laws::guard::Guard;
use crate::laws::law::Law;
use crate::makers::ids::{Check, Form, IdPlan, Make};
use crate::sieve::Sieve;
use crate::trees::drawn::{Drawn, Question};
use crate::trees::leaf::{Leaf, Spread};
use crate::trees::line::{Line, Term};
use crate::trees::shape::{Binning, Shape};
use table::{Kept, kept};

kept!(struct Question { node, mask, ways });

kept!(struct Drawn { questions, leaves, lifts });

kept!(struct Spread { knots, line, low, high });

kept!(struct Line { level, terms });

kept!(struct Term { node, weight, fill });

kept!(struct Guard { node, pairs, rows });

kept!(struct Absence { node, verdicts });

impl Kept for IdPlan {
    fn put(&self, out: &mut Vec<u8>) {
        self.forms.put(out);
        self.known.put(out);
        self.ascending.put(out);
        (Check::ALL.iter().position(|check| *check == self.check).unwrap_or(0) as u8).put(out);
        self.repeats.put(out);
    }
    fn take(from: &mut &[u8]) -> Option<IdPlan> {
        Some(IdPlan {
            forms: Kept::take(from)?,
            known: Kept::take(from)?,
            ascending: Kept::take(from)?,
            check: *Check::ALL.get(u8::take(from)? as usize)?,
            repeats: Kept::take(from)?,
        })
    }
}

kept!(struct Form { rows, make });

kept!(struct Sieve { key, bits });

kept!(enum Leaf {
    0 => Classes { classes, totals },
    1 => Numbers { missing, atoms, rest, spread },
});

kept!(enum Shape {
    0 => Discrete { values },
    1 => Continuous { tops, atoms, low, high },
});

kept!(enum Binning {
    0 => Ordered { tops },
    1 => Nominal { codes },
});

kept!(enum Law {
    0 => Sum { terms, constant, wrap },
    1 => Product { factors, weight, constant },
    2 => Part { of, base, unit, part, shift },
    3 => Lookup { keys, rows },
    4 => Near { terms, level, rest, base, unit, log },
    5 => Total { terms, constant, unit },
    6 => Curve { of, form, weight, constant },
    7 => Share { top, bottom, weight, constant },
    8 => Date { parts, within, base, unit },
    9 => Given,
});

kept!(enum Scale {
    0 => Int { base, unit },
    1 => Time { base, unit },
    2 => Real { unit, per },
    3 => Clock,
    4 => Bool,
    5 => Text { words },
});

kept!(enum Make {
    0 => Range { low, size },
    1 => Places { sets },
    2 => Parts { lead, parts, sign, hex, wide },
});
