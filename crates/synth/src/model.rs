//! What every model is: a name, a recipe made of checked parameters, and the generator that a fit gives.

use table::Table;

use crate::laws::broken::Demand;
use crate::rebalance::Shares;

/// One model type; the key under `models:` of a model config.
pub struct ModelType {
    /// The key in the user's YAML, such as `actgan`.
    pub name: &'static str,
    /// One sentence for listings.
    pub about: &'static str,
    /// Where the method comes from.
    pub source: &'static str,
    /// Checks parameters; every problem is returned, not the first.
    pub recipe: MakeRecipe,
}

/// Makes a recipe of parameters, or says what is wrong with each.
pub type MakeRecipe = fn(&Params) -> Result<Box<dyn Recipe>, Vec<BadParam>>;

/// The body under the model key of a model config (`params`, `generate`, `privacy_filters`, ...), as parsed.
#[derive(Clone, Debug, Default)]
pub struct Params {
    /// The mapping; `data_source` and `ref_data` are the caller's and are ignored here.
    pub body: serde_json::Map<String, serde_json::Value>,
}

/// One parameter that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadParam {
    /// Dotted path below the model key, such as `params.epochs`.
    pub path: String,
    /// What is so: the offending value and what is allowed.
    pub message: String,
    /// A full sentence the reader can act on.
    pub hint: Option<String>,
}

/// Something the model did or left, for the log and the report: `kind` groups, `text` is one sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// `parameter`, `law`, `protection` or `column`.
    pub kind: &'static str,
    /// One sentence.
    pub text: String,
}

/// How far a fit is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Steps done.
    pub done: usize,
    /// Steps in all.
    pub total: usize,
}

/// Why a table cannot be fitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// Fewer rows than a model can be made of.
    TooFewRows {
        /// Rows found.
        rows: usize,
        /// Rows needed.
        rows_min: usize,
    },
    /// No columns at all.
    NoColumns,
    /// What the config demands and the table does not have: a sentence each.
    Misfit(Vec<String>),
    /// The caller asked to stop.
    Cancelled,
}

impl std::fmt::Display for Unfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Unfit::TooFewRows { rows, rows_min } => {
                write!(f, "the table has {rows} rows where a model needs {rows_min}")
            }
            Unfit::Misfit(faults) => f.write_str(&faults.join("; ")),
            Unfit::NoColumns => write!(f, "the table has no columns"),
            Unfit::Cancelled => write!(f, "cancelled"),
        }
    }
}

impl std::error::Error for Unfit {}

/// Checked parameters, ready to fit.
pub trait Recipe: Send + Sync {
    /// Learns a generator from `real` (rows x columns). The rows of `held_out`, of the same columns, are not learned: they
    /// only count where it is asked whether enough rows of the source hold a value for it to be shown. `progress` is told of every step and answers whether to go
    /// on; a `false` ends the fit with [`Unfit::Cancelled`]. Same table, same seed: same generator.
    fn fit(
        &self,
        real: &Table,
        held_out: Option<&Table>,
        seed: u64,
        progress: &(dyn Fn(Progress) -> bool + Sync),
    ) -> Result<Box<dyn Generator>, Unfit>;

    /// How many records the config itself asks for, where it does (`generate.num_records`).
    fn num_records(&self) -> Option<u64>;

    /// The shares that values of a column are to have, where the config asks for some (`generate.rebalance`).
    fn shares(&self) -> Option<&Shares>;

    /// How `drawn` (rows x columns) keeps each constraint of the config, in order; combinations are those that the tables of
    /// `real` show.
    fn demands(&self, real: &[&Table], drawn: &Table) -> Vec<Demand>;

    /// The columns that name the group of a row, where rows belong together; else none.
    fn group_by(&self) -> &[String];
}

/// Rows asked of a generator: the range `first_row .. first_row + rows` of the `rows_total` rows that `seed` gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Position of the first row.
    pub first_row: u64,
    /// How many rows; a multiple of [`Ask::BLOCK`] unless the range ends at `rows_total`.
    pub rows: usize,
    /// Rows of the whole output.
    pub rows_total: u64,
    /// Seed of the whole output.
    pub seed: u64,
}

impl Ask {
    /// Rows are drawn in blocks of this many, each with a seed of its own, so that the rows of a range do not depend
    /// on how an output is cut. `first_row` must be a multiple of it.
    pub const BLOCK: u64 = 4096;

    /// All rows of an output at once.
    pub fn all(rows: usize, seed: u64) -> Ask {
        Ask { first_row: 0, rows, rows_total: rows as u64, seed }
    }
}

/// A fitted model: draws synthetic rows.
pub trait Generator: Send + Sync {
    /// The rows asked for: same columns, order, kinds and spelling as the table fitted on. Drawing an output in
    /// ranges gives the same rows as drawing it at once.
    fn sample(&self, ask: &Ask) -> Table;

    /// No rows of the columns: their names, kinds and spellings (0 x columns).
    fn header(&self) -> Table;

    /// What draws the other columns beside these (positions of columns), whose values will be given with every row.
    /// It is learned from rows that this model draws by `seed`, so a saved model is enough and no row is ever drawn
    /// only to be thrown away; laws between columns hold from the given ones on. `None` where rows belong together and
    /// cannot be drawn one by one.
    fn beside(&self, columns: &[usize], seed: u64) -> Option<Box<dyn Completion>>;

    /// Positions of the columns whose every value is made up, so that comparing them with the source value by value says
    /// nothing: identifiers, names and the like.
    fn made(&self) -> Vec<usize>;

    /// What the model did: parameters that were answered otherwise, laws found, protection applied.
    fn notes(&self) -> Vec<Note>;

    /// The model as bytes: versioned, checksummed, no code inside.
    fn save(&self) -> Vec<u8>;
}

/// Draws columns beside given ones.
pub trait Completion: Send + Sync {
    /// One row for each row of `given` (rows asked for x columns given, in the order they were named, of the kinds of
    /// [`Generator::header`]): the given cells as they are, the others drawn to go with them, whatever was given.
    fn complete(&self, given: &Table, ask: &Ask) -> Table;
}
