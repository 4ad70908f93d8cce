//! Which rows are drawn from a model: so many, or one beside each row of a file of seeds, or so many with target shares of a
//! column. In: a generator and what is wanted. Out: rows, range by range.

use std::fs::File;
use std::path::{Path, PathBuf};

use synth::{Ask, Completion, Generator, Recipe, Shares};
use table::{ReadOptions, Table, read, respell};
use workflow::{Code, Failure, nearest};

use crate::synthesis::unreadable;

/// What is asked of a model.
#[derive(Clone, Debug, PartialEq)]
pub enum Wanted {
    /// So many rows; as many as the source has if `None`.
    Rows(Option<u64>),
    /// One row for each row of this table, whose columns are some of the model's.
    Seeds(PathBuf),
    /// So many rows, in which the values of a column have these shares.
    Shares(Shares, Option<u64>),
}

impl Wanted {
    /// So many rows, with the shares that a config asks for.
    pub fn of(recipe: &dyn Recipe, rows: Option<u64>) -> Wanted {
        match recipe.shares() {
            Some(shares) => Wanted::Shares(shares.clone(), rows),
            None => Wanted::Rows(rows),
        }
    }
}

/// Rows about to be drawn.
pub(crate) struct Drawing<'a> {
    generator: &'a dyn Generator,
    beside: Option<(Table, Box<dyn Completion>)>,
    seed: u64,
    /// How many rows there are to draw.
    pub(crate) total: u64,
}

impl<'a> Drawing<'a> {
    /// Prepares what is wanted; `rows` is how many rows there are by default. Fails with `usage` where seeds or shares do
    /// not go with the model, with a `data.*` code where the seeds cannot be read.
    pub(crate) fn of(generator: &'a dyn Generator, wanted: &Wanted, rows: u64, seed: u64) -> Result<Self, Failure> {
        match wanted {
            Wanted::Rows(total) => Ok(Drawing { generator, beside: None, seed, total: total.unwrap_or(rows) }),
            Wanted::Seeds(path) => Drawing::seeded(generator, path, &path.display().to_string(), seed),
            Wanted::Shares(shares, total) => {
                let rows = usize::try_from(total.unwrap_or(rows)).unwrap_or(usize::MAX);
                let (column, known) =
                    shares.column(generator, rows, seed).map_err(|message| Failure::new(Code::Usage, message))?;
                Drawing::beside(generator, &[column], known, seed)
            }
        }
    }

    /// Prepares one row for each row of the table in `path`, whose name is `name`; fails as [`Drawing::of`].
    pub(crate) fn seeded(generator: &'a dyn Generator, path: &Path, name: &str, seed: u64) -> Result<Self, Failure> {
        let (columns, known) = seeds(path, name, &generator.header())?;
        Drawing::beside(generator, &columns, known, seed)
    }

    fn beside(generator: &'a dyn Generator, columns: &[usize], known: Table, seed: u64) -> Result<Self, Failure> {
        let completion = generator.beside(columns, seed).ok_or_else(|| {
            let message = "rows that belong together are drawn by groups, and no columns can be given with them";
            Failure::new(Code::Usage, message)
                .hint("Leave out the seeds, or train without `group_training_examples_by`.")
        })?;
        let total = known.rows() as u64;
        Ok(Drawing { generator, beside: Some((known, completion)), seed, total })
    }

    /// The rows `first_row .. first_row + rows`.
    pub(crate) fn rows(&self, first_row: u64, rows: usize) -> Table {
        let ask = Ask { first_row, rows, rows_total: self.total, seed: self.seed };
        match &self.beside {
            None => self.generator.sample(&ask),
            Some((known, completion)) => {
                let range: Vec<u32> = (first_row..first_row + rows as u64).map(|row| row as u32).collect();
                completion.complete(&known.take(&range), &ask)
            }
        }
    }
}

/// The columns that a file of seeds gives, as positions in the model's table, and their values in its spelling.
fn seeds(path: &Path, name: &str, header: &Table) -> Result<(Vec<usize>, Table), Failure> {
    let file = File::open(path)
        .map_err(|error| Failure::new(Code::Usage, format!("the seeds `{name}` cannot be read")).cause(error))?;
    let options = ReadOptions { rows_max: usize::MAX, bytes_max: usize::MAX, seed: 0 };
    let reading = read(name, &file, &options).map_err(|error| unreadable(name, &error))?;
    if reading.set_aside.rows > 0 {
        let message = format!("the seeds `{name}` have malformed rows: {}", reading.set_aside);
        return Err(Failure::new(Code::DataUnreadable, message).hint("Mend them: each seed gives one row."));
    }
    let (mut places, mut columns, mut faults) = (Vec::new(), Vec::new(), Vec::new());
    for at in 0..reading.table.columns() {
        let own = reading.table.name(at);
        let Some(place) = header.position(own).filter(|place| !places.contains(place)) else {
            let near = nearest(own, (0..header.columns()).map(|at| header.name(at)));
            let near = near.map_or(String::new(), |near| format!(" (is `{near}` meant?)"));
            faults.push(format!("the model has no column `{own}`, or it is given twice{near}"));
            continue;
        };
        match respell(&reading.table, at, header.kind(place), header.spelling(place)) {
            Ok(column) => {
                places.push(place);
                columns.push(column);
            }
            Err(bad) => faults.push(format!("in column `{own}`, {bad}, which is not written as the model's column is")),
        }
    }
    if !faults.is_empty() {
        return Err(Failure::new(Code::Usage, format!("seeds `{name}`: {}", faults.join("; "))));
    }
    Ok((places, Table::new(columns).expect("columns of one table")))
}
