//! Fields as the documented evaluation reads them. In: a case. Out: for each column its type, and its cells in equally
//! large samples of both tables.

use std::collections::BTreeMap;

use table::Kind;

use super::Settings;
use crate::case::Case;
use crate::encode::Cells;
use crate::random::Random;

/// The types of the documented evaluation, in the order in which they are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldType {
    /// No values.
    Empty,
    /// Two different values.
    Binary,
    /// Numbers.
    Numeric,
    /// Values that repeat.
    Categorical,
    /// Texts of several words.
    Text,
    /// Anything else.
    Other,
}

impl FieldType {
    /// The word for it in the JSON.
    pub(crate) fn word(self) -> &'static str {
        match self {
            FieldType::Empty => "empty",
            FieldType::Binary => "binary",
            FieldType::Numeric => "numeric",
            FieldType::Categorical => "categorical",
            FieldType::Text => "text",
            FieldType::Other => "other",
        }
    }

    /// Whether distributions, correlations and components are made of it.
    pub(crate) fn tabular(self) -> bool {
        matches!(self, FieldType::Binary | FieldType::Categorical | FieldType::Numeric)
    }
}

/// One column. Both samples have as many rows.
pub(crate) struct Field {
    /// Its position in the case.
    pub(crate) index: usize,
    /// Its name.
    pub(crate) name: String,
    /// Its type, told from the training table.
    pub(crate) kind: FieldType,
    /// Training and synthetic numbers, NaN where missing; empty unless numeric.
    pub(crate) numbers: [Vec<f64>; 2],
    /// Training and synthetic values by number, 0 where missing; for every field.
    pub(crate) codes: [Vec<u32>; 2],
    /// How many numbers there are for values.
    pub(crate) levels: usize,
    /// The values by number, for categories.
    pub(crate) words: Vec<String>,
    /// What the features of the JSON say of each table.
    pub(crate) features: [Features; 2],
}

/// What is said of a column of one table.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Features {
    /// Cells with a value.
    pub(crate) count: usize,
    /// Different values.
    pub(crate) unique: usize,
    /// Cells without.
    pub(crate) missing: usize,
    /// Shortest, mean and longest value, in letters.
    pub(crate) lengths: [f64; 3],
}

/// All columns that are compared.
pub(crate) struct Prepared {
    /// In the order of the table.
    pub(crate) fields: Vec<Field>,
    /// Rows of each sample.
    pub(crate) rows: usize,
}

impl Prepared {
    /// Prepares at most so many rows and columns of a case; which columns are left out is a matter of its seed.
    pub(crate) fn of(case: &Case, settings: &Settings) -> Prepared {
        let most = |limit: usize| if limit == 0 { usize::MAX } else { limit };
        let rows = case.training.sampled.min(case.synthetic.sampled).min(most(settings.rows_max));
        let mut chosen: Vec<usize> = (0..case.columns.len()).collect();
        if chosen.len() > most(settings.columns_max) {
            let mandatory = |at: &usize| settings.mandatory_columns.contains(&case.columns[*at].name);
            let (mut first, mut others): (Vec<usize>, Vec<usize>) = chosen.into_iter().partition(mandatory);
            let mut random = Random::new(case.seed ^ 0x636f_6c75);
            while first.len() < settings.columns_max && !others.is_empty() {
                first.push(others.swap_remove(random.below(others.len())));
            }
            first.sort_unstable();
            chosen = first;
        }
        Prepared { fields: chosen.into_iter().map(|index| Field::of(case, index, rows)).collect(), rows }
    }

    /// The tabular fields.
    pub(crate) fn tabular(&self) -> Vec<&Field> {
        self.fields.iter().filter(|field| field.kind.tabular()).collect()
    }
}

impl Field {
    fn of(case: &Case, index: usize, rows: usize) -> Field {
        let column = &case.columns[index];
        let first: Vec<u32> = (0..rows as u32).collect();
        let cells = [&case.training, &case.synthetic].map(|side| side.sample[index].take(&first));
        let (codes, words) = coded(&cells, &column.levels);
        let features = codes.each_ref().map(|codes| features(codes, &words));
        let kind = field_type(column.kind, &cells[0], &features[0], &codes[0], &words);
        let numbers = match (&cells, kind) {
            ([Cells::Numbers(a), Cells::Numbers(b)], FieldType::Numeric) => [a.clone(), b.clone()],
            ([Cells::Codes(_), _], FieldType::Numeric) => {
                let number = |code: &u32| match code {
                    0 => f64::NAN,
                    code => words[*code as usize - 1].parse().unwrap_or(f64::NAN),
                };
                codes.each_ref().map(|codes| codes.iter().map(number).collect())
            }
            _ => [Vec::new(), Vec::new()],
        };
        let (levels, listed) = (words.len(), matches!(kind, FieldType::Binary | FieldType::Categorical));
        let words = if listed { words } else { Vec::new() };
        Field { index, name: column.name.clone(), kind, numbers, codes, levels, words, features }
    }
}

/// Values of both tables by number, and what they are.
fn coded(cells: &[Cells; 2], levels: &[String]) -> ([Vec<u32>; 2], Vec<String>) {
    let mut code_of: BTreeMap<u64, u32> = BTreeMap::new();
    let mut words = Vec::new();
    let codes = cells.each_ref().map(|cells| match cells {
        Cells::Codes(codes) => codes.clone(),
        Cells::Numbers(values) => values
            .iter()
            .map(|&value| {
                if value.is_nan() {
                    return 0;
                }
                let value = value + 0.0;
                *code_of.entry(value.to_bits()).or_insert_with(|| {
                    words.push(value.to_string());
                    words.len() as u32
                })
            })
            .collect(),
    });
    if words.is_empty() { (codes, levels.to_vec()) } else { (codes, words) }
}

fn features(codes: &[u32], words: &[String]) -> Features {
    let mut held = vec![0usize; words.len() + 1];
    codes.iter().for_each(|&code| held[code as usize] += 1);
    let missing = held[0];
    let count = codes.len() - missing;
    let mut lengths = [f64::INFINITY, 0.0, 0.0f64];
    for (word, &rows) in words.iter().zip(&held[1..]).filter(|(_, rows)| **rows > 0) {
        let length = word.chars().count() as f64;
        lengths = [lengths[0].min(length), lengths[1] + length * rows as f64, lengths[2].max(length)];
    }
    let lengths = if count == 0 { [0.0; 3] } else { [lengths[0], lengths[1] / count as f64, lengths[2]] };
    Features { count, unique: held[1..].iter().filter(|&&rows| rows > 0).count(), missing, lengths }
}

fn field_type(kind: Kind, cells: &Cells, features: &Features, codes: &[u32], words: &[String]) -> FieldType {
    let &Features { count, unique, missing, .. } = features;
    if count == 0 {
        return FieldType::Empty;
    }
    if unique == 2 {
        return FieldType::Binary;
    }
    // Whole numbers with gaps are read as floating ones by the documented evaluation.
    if kind == Kind::Real || kind == Kind::Int && missing > 0 {
        return FieldType::Numeric;
    }
    if kind == Kind::Int {
        let least = match cells {
            Cells::Numbers(values) => values.iter().copied().fold(f64::INFINITY, f64::min),
            Cells::Codes(_) => words.iter().filter_map(|word| word.parse::<f64>().ok()).fold(f64::INFINITY, f64::min),
        };
        return if unique <= 10 && least >= 0.0 { FieldType::Categorical } else { FieldType::Numeric };
    }
    let repeated = (count - unique) as f64 / count as f64;
    if repeated >= 0.9 || count <= 50 && repeated >= 0.7 {
        return FieldType::Categorical;
    }
    let spaces = |code: &u32| words[*code as usize - 1].bytes().filter(|&byte| byte == b' ').count();
    let all: usize = codes.iter().filter(|&&code| code > 0).map(spaces).sum();
    if all as f64 / count as f64 > 2.0 { FieldType::Text } else { FieldType::Other }
}
