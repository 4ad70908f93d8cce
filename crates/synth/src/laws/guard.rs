//! Guards: which values of a node may stand beside a value of an earlier node, where the training rows show that this
//! is a matter of law (a key and what it determines, a pair that a law looks up). In: classes. Out: yes or no, or
//! another class.

use crate::random::Random;
use crate::trees::leaf::Leaf;
use crate::trees::shape::{Class, LEFT_OUT};

/// The pairs of classes that occur: (class of the earlier node, class of the guarded one), ascending, with running
/// totals of rows per earlier class.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Guard {
    /// The earlier node.
    pub(crate) node: u16,
    /// Ascending.
    pub(crate) pairs: Vec<(Class, Class)>,
    /// Rows of each pair.
    pub(crate) rows: Vec<u32>,
}

impl Guard {
    /// The pairs of at least `floor` rows.
    pub(crate) fn of(node: u16, earlier: &[Class], own: &[Class], floor: usize) -> Guard {
        let mut all: Vec<(Class, Class)> = earlier.iter().copied().zip(own.iter().copied()).collect();
        all.sort_unstable();
        let mut guard = Guard { node, pairs: Vec::new(), rows: Vec::new() };
        for run in all.chunk_by(|a, b| a == b) {
            if run.len() >= floor && run[0].0 != LEFT_OUT && run[0].1 != LEFT_OUT {
                guard.pairs.push(run[0]);
                guard.rows.push(run.len() as u32);
            }
        }
        guard
    }

    /// Whether `own` may stand beside `earlier`.
    pub(crate) fn allows(&self, earlier: Class, own: Class) -> bool {
        self.pairs.binary_search(&(earlier, own)).is_ok()
    }

    /// The classes that may stand beside `earlier`, ascending, with their rows.
    fn beside(&self, earlier: Class) -> impl ExactSizeIterator<Item = (Class, u32)> + '_ {
        let from = self.pairs.partition_point(|pair| pair.0 < earlier);
        let to = self.pairs.partition_point(|pair| pair.0 <= earlier);
        (from..to).map(|at| (self.pairs[at].1, self.rows[at]))
    }
}

/// A class that every guard allows: from the leaf if it has one, else from the rows of the first guard's pair.
pub(crate) fn lawful(leaf: &Leaf, guards: &[(&Guard, Class)], random: &mut Random) -> Option<Class> {
    let fits = |class: Class| guards.iter().all(|(guard, earlier)| guard.allows(*earlier, class));
    let in_leaf: Vec<(Class, u32)> = match leaf {
        Leaf::Classes { classes, totals } => {
            let rows = |at: usize| totals[at] - if at > 0 { totals[at - 1] } else { 0 };
            let beside = guards.first().map(|(guard, earlier)| guard.beside(*earlier));
            match beside.filter(|beside| beside.len() < classes.len()) {
                // A key of many levels has large leaves, of which few classes stand beside one value.
                Some(beside) => beside
                    .filter(|&(class, _)| fits(class))
                    .filter_map(|(class, _)| classes.binary_search(&class).ok())
                    .map(|at| (classes[at], rows(at)))
                    .collect(),
                None => (0..classes.len()).filter(|&at| fits(classes[at])).map(|at| (classes[at], rows(at))).collect(),
            }
        }
        Leaf::Numbers { .. } => Vec::new(),
    };
    if let Some(class) = weighted(&in_leaf, random) {
        return Some(class);
    }
    let (first, earlier) = guards.first()?;
    let strict: Vec<(Class, u32)> = first.beside(*earlier).filter(|(class, _)| fits(*class)).collect();
    weighted(&strict, random).or_else(|| weighted(&first.beside(*earlier).collect::<Vec<_>>(), random))
}

fn weighted(choices: &[(Class, u32)], random: &mut Random) -> Option<Class> {
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
