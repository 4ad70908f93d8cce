//! Guards: which values of a node may stand beside a value of an earlier node, where the training rows show that this
//! is a matter of law (a key and what it determines, a pair that a law looks up). In: classes. Out: yes or no, or
//! another class.

use crate::random::Random;
use crate::trees::leaf::Leaf;

/// The pairs of classes that occur: (class of the earlier node, class of the guarded one), ascending, with running
/// totals of rows per earlier class.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Guard {
    /// The earlier node.
    pub(crate) node: u16,
    /// Ascending.
    pub(crate) pairs: Vec<(u16, u16)>,
    /// Rows of each pair.
    pub(crate) rows: Vec<u32>,
}

impl Guard {
    /// The pairs of at least `floor` rows.
    pub(crate) fn of(node: u16, earlier: &[u16], own: &[u16], floor: usize) -> Guard {
        let mut all: Vec<(u16, u16)> = earlier.iter().copied().zip(own.iter().copied()).collect();
        all.sort_unstable();
        let mut guard = Guard { node, pairs: Vec::new(), rows: Vec::new() };
        for run in all.chunk_by(|a, b| a == b) {
            if run.len() >= floor
                && run[0].0 != crate::trees::shape::LEFT_OUT
                && run[0].1 != crate::trees::shape::LEFT_OUT
            {
                guard.pairs.push(run[0]);
                guard.rows.push(run.len() as u32);
            }
        }
        guard
    }

    /// Whether `own` may stand beside `earlier`.
    pub(crate) fn allows(&self, earlier: u16, own: u16) -> bool {
        self.pairs.binary_search(&(earlier, own)).is_ok()
    }

    /// The classes that may stand beside `earlier`, with their rows.
    fn beside(&self, earlier: u16) -> impl Iterator<Item = (u16, u32)> + '_ {
        let from = self.pairs.partition_point(|pair| pair.0 < earlier);
        let to = self.pairs.partition_point(|pair| pair.0 <= earlier);
        (from..to).map(|at| (self.pairs[at].1, self.rows[at]))
    }
}

/// A class that every guard allows: from the leaf if it has one, else from the rows of the first guard's pair.
pub(crate) fn lawful(leaf: &Leaf, guards: &[(&Guard, u16)], random: &mut Random) -> Option<u16> {
    let fits = |class: u16| guards.iter().all(|(guard, earlier)| guard.allows(*earlier, class));
    let in_leaf: Vec<(u16, u32)> = match leaf {
        Leaf::Classes { classes, totals } => {
            let rows = |at: usize| totals[at] - if at > 0 { totals[at - 1] } else { 0 };
            (0..classes.len()).filter(|&at| fits(classes[at])).map(|at| (classes[at], rows(at))).collect()
        }
        Leaf::Numbers { .. } => Vec::new(),
    };
    if let Some(class) = weighted(&in_leaf, random) {
        return Some(class);
    }
    let (first, earlier) = guards.first()?;
    let strict: Vec<(u16, u32)> = first.beside(*earlier).filter(|(class, _)| fits(*class)).collect();
    weighted(&strict, random).or_else(|| weighted(&first.beside(*earlier).collect::<Vec<_>>(), random))
}

fn weighted(choices: &[(u16, u32)], random: &mut Random) -> Option<u16> {
    let total: u32 = choices.iter().map(|c| c.1).sum();
    let mut at = random.below(total as usize) as u32;
    for &(class, rows) in choices {
        if at < rows {
            return Some(class);
        }
        at -= rows;
    }
    None
}
