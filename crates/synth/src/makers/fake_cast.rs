//! Casts: the columns of a group come in, what its personas are made of goes out: lists of names that are none of the
//! table's, and whom the words speak of that stand for listed ones.

use std::collections::BTreeSet;

use crate::encode::{Encoded, Scale};
use crate::makers::fake_fit::Typed;
use crate::makers::fake_form::Words;
use crate::makers::fake_group::Groups;
use crate::makers::fake_kind::Kind;
use crate::makers::fake_lists::{fold, pool, region_of};
use crate::makers::fake_parse::{Named, split_name};
use crate::makers::fake_rename::{Stand, Stood};
use crate::makers::fake_told::Told;
use crate::makers::faker::{Cast, Craft};

/// The columns of one group.
pub(crate) struct Lot<'a> {
    /// All typed columns.
    pub(crate) typed: &'a [Typed<'a>],
    /// Those of the group whose values are made or renamed.
    pub(crate) able: &'a [usize],
    /// All groups.
    pub(crate) groups: &'a Groups,
    /// Which group.
    pub(crate) number: usize,
    /// How values are made, per typed column.
    pub(crate) learned: &'a [Option<Craft>],
    /// All columns as numbers.
    pub(crate) encoded: &'a [Encoded],
    /// What stands for listed words, per typed column.
    pub(crate) stood: &'a [Option<Stood>],
}

impl Lot<'_> {
    /// What the personas of the group are made of.
    pub(crate) fn cast(&self, stand: &Stand, seed: u64) -> Cast {
        let Lot { typed, able, groups, .. } = self;
        let person = groups.person(self.number);
        let of = |kinds: &[Kind]| {
            let made = able.iter().copied().filter(|&nth| typed[nth].made);
            made.filter(|&nth| kinds.contains(&typed[nth].kind)).collect::<Vec<_>>()
        };
        let mut names = [BTreeSet::new(), BTreeSet::new()];
        let mut raw: Vec<&str> = Vec::new();
        let mut rows = [0usize; 2];
        for &nth in able.iter().chain(person.iter().flatten()) {
            let column = &typed[nth];
            for (word, _) in &column.words {
                let name = match column.kind {
                    Kind::First => Named { first: word.to_string(), ..Named::default() },
                    Kind::Last => Named { last: word.to_string(), ..Named::default() },
                    Kind::Full => split_name(word, column.turned),
                    _ => continue,
                };
                raw.extend(word.split([' ', ',']));
                names[0].insert(fold(&name.first));
                names[1].insert(fold(&name.last));
            }
            match column.kind {
                Kind::First => rows[0] = column.present,
                Kind::Last => rows[1] = column.present,
                Kind::Full => rows.iter_mut().for_each(|r| *r = (*r).max(column.words.len())),
                _ => {}
            }
        }
        let region = region_of(raw.into_iter().filter(|word| word.len() > 1));
        let worded = of(&[Kind::City, Kind::Company, Kind::Address, Kind::Url, Kind::Domain]);
        let wanted = worded.iter().map(|&nth| typed[nth].words.len()).max().unwrap_or(0).clamp(1500, 4000);
        let size = |part: usize| if rows[part] == 0 { wanted } else { pool_size(names[part].len(), rows[part]) };
        let list = |part: usize| pool(region, part == 1, size(part), &|name| stand.holds(part, name), seed);
        let made: Vec<usize> = able.iter().copied().filter(|&nth| typed[nth].made).collect();
        let unique = made.iter().any(|&nth| typed[nth].unique);
        let main = of(&[Kind::Mail, Kind::User]).into_iter().find(|&nth| typed[nth].unique);
        let firm = of(&[Kind::Company]).first().map(|&nth| self.learned[nth].clone());
        let firm = if let Some(Some(Craft::Forms(forms, _))) = firm { forms } else { Vec::new() };
        let shown = |part: usize| person[part].filter(|&nth| !typed[nth].renamed).map(|nth| typed[nth].at as u16);
        Cast {
            words: Words { firsts: list(0), lasts: list(1) },
            shown: [shown(0), shown(1)],
            told: self.told(),
            firm,
            per_row: if unique { 0.0 } else { self.per_row(false) },
            crowd: self.per_row(true),
            paired: of(&[Kind::Full]).iter().any(|&nth| typed[nth].unique),
            main: main.map(|nth| typed[nth].at as u16),
        }
    }

    /// Whom the listed words of the group's columns speak of; columns that tell more of a person come first.
    fn told(&self) -> Vec<Told> {
        let mut told: Vec<Told> = Vec::new();
        // Rows whose persona no earlier column tells.
        let mut open: Vec<bool> = Vec::new();
        for kind in [Kind::Mail, Kind::User, Kind::Full, Kind::First, Kind::Last] {
            let mut next = open.clone();
            for &nth in self.able.iter().filter(|&&nth| self.typed[nth].kind == kind) {
                let (Some(stood), values) = (&self.stood[nth], &self.encoded[self.typed[nth].at].values) else {
                    continue;
                };
                let tells = |tick: f64| stood.names.get(tick as usize).is_some_and(|n| n.iter().any(|n| !n.is_empty()));
                next.resize(values.len(), true);
                let mut rows = vec![0u32; stood.names.len()];
                let mut all = 0u32;
                for (row, &tick) in values.iter().enumerate().filter(|(_, tick)| !tick.is_nan()) {
                    if open.get(row).copied().unwrap_or(true) {
                        all += 1;
                        rows.get_mut(tick as usize).into_iter().for_each(|rows| *rows += 1);
                    }
                    // First and last names tell one part each, and so leave each other open.
                    if tells(tick) && !matches!(kind, Kind::First | Kind::Last) {
                        next[row] = false;
                    }
                }
                let share = rows.iter().map(|&rows| rows as f64 / all.max(1) as f64).collect();
                told.push(Told { column: self.typed[nth].at as u16, names: stood.names.clone(), share });
            }
            open = next;
        }
        told
    }

    /// Different personas per row of the output, as many as the values show that no list holds (`rare`: those of
    /// columns with lists alone).
    fn per_row(&self, rare: bool) -> f64 {
        let typed = self.typed;
        let counts = |nth: &usize| !rare || typed[*nth].renamed;
        let telling = self
            .able
            .iter()
            .filter(|nth| counts(nth))
            .filter(|&&nth| !matches!(typed[nth].kind, Kind::First | Kind::Last));
        let share = |nth: usize| -> (f64, f64) {
            let (column, encoded) = (&typed[nth], &self.encoded[typed[nth].at]);
            let (present, listed) = (column.present.max(1) as f64, listed_words(encoded));
            match column.renamed {
                false => (column.words.len() as f64 / present, 1.0),
                true => {
                    let words = column.words.len().saturating_sub(listed) as f64;
                    (words / encoded.rare_rows.max(1) as f64, encoded.rare_rows as f64 / present)
                }
            }
        };
        let most = telling.map(|&nth| share(nth)).fold((0.0, 1.0), |a, b| if b.0 > a.0 { b } else { a });
        if most.0 == 0.0 || most.0 > 0.98 { 0.0 } else { beings_for(most.0) * most.1 }
    }
}

fn listed_words(encoded: &Encoded) -> usize {
    if let Scale::Text { words } = &encoded.scale { words.len() } else { 0 }
}

/// How many names a list must have for `rows` draws to show `different` of them.
fn pool_size(different: usize, rows: usize) -> usize {
    let share = (different as f64 / rows.max(1) as f64).min(0.999);
    ((beings_for(share) * rows as f64) as usize).clamp(20, 4000)
}

/// The number k per draw for which k (1 - exp(-1/k)) is the share of draws that are different.
fn beings_for(share: f64) -> f64 {
    let (mut low, mut high) = (1e-6, 1e4);
    for _ in 0..60 {
        let middle = f64::sqrt(low * high);
        if middle * (1.0 - (-1.0 / middle).exp()) < share { low = middle } else { high = middle }
    }
    high
}
