//! The tasks `data_source` and `holdout`: a file becomes the table of a workflow, and some of its rows are kept from models.
//! In: an uploaded file, or the table of an earlier step. Out: Parquet files.

use std::fs::File;
use std::io::{BufWriter, Read};
use std::path::{Path, PathBuf};

use arrow_array::StringArray;
use serde_json::{Map, Value as Json};
use table::{Cell, Layout, ReadOptions, Table, Values, to_parquet};
use workflow::{Code, Failure};

use super::{StepTable, Task, TaskType};
use crate::gretel_model::ModelProblem;
use crate::jobs::told::Teller;
use crate::jobs::{JobFile, JobWork};
use crate::synthesis::{Options, reading, split_off, unwritable};

/// The share that is held out where a config does not say, and the most rows of it: the client's own defaults.
const SHARE: f64 = 0.05;
const ROWS_MAX: u64 = 2_000;

/// The task `data_source`.
pub(crate) static DATA_SOURCE: TaskType = TaskType {
    name: "data_source",
    about: "Reads an uploaded file: CSV, JSON or Parquet.",
    output: "dataset",
    inputs: (0, 0),
    check: |config, _| {
        let mut problems = Vec::new();
        known(config, &["data_source"], &mut problems);
        let source = match config.get("data_source") {
            Some(Json::String(source)) if !source.is_empty() => Some(source.clone()),
            Some(other) => {
                problems.push(("data_source".into(), format!("the id of a file is expected, not {other}"), None));
                None
            }
            None => {
                problems.push(("data_source".into(), "`data_source` is missing".into(), None));
                None
            }
        };
        match source.filter(|_| problems.is_empty()) {
            Some(source) => Ok(Box::new(DataSource { source, rows_max: Options::SAMPLE_ROWS_MAX })),
            None => Err(problems),
        }
    },
};

/// The task `holdout`.
pub(crate) static HOLDOUT: TaskType = TaskType {
    name: "holdout",
    about: "Keeps rows from the steps behind it, for the evaluation: a share below 1 or a number of rows; or a second input.",
    output: "dataset",
    inputs: (1, 2),
    check: |config, _| {
        let mut problems = Vec::new();
        known(config, &["holdout", "max_holdout", "group_by"], &mut problems);
        let mut wrong = |name: &str, what: &str, value: &Json| {
            problems.push((name.into(), format!("{what} is expected, not {value}"), None));
        };
        let given = |name: &str| config.get(name).filter(|value| !value.is_null());
        let wanted = match given("holdout") {
            None => Wanted::Share(SHARE),
            Some(value) => match (value.as_u64(), value.as_f64()) {
                (Some(rows), _) if rows >= 1 => Wanted::Rows(rows),
                (None, Some(share)) if share > 0.0 && share < 1.0 => Wanted::Share(share),
                _ => {
                    wrong("holdout", "a share between 0 and 1, or a number of rows,", value);
                    Wanted::Share(SHARE)
                }
            },
        };
        let rows_max = match given("max_holdout") {
            None => ROWS_MAX,
            Some(value) => value.as_u64().filter(|&rows| rows > 0).unwrap_or_else(|| {
                wrong("max_holdout", "a number of rows", value);
                ROWS_MAX
            }),
        };
        let group_by = match given("group_by") {
            None => Vec::new(),
            Some(Json::String(name)) => vec![name.clone()],
            Some(value) => {
                wrong("group_by", "the name of a column", value);
                Vec::new()
            }
        };
        if problems.is_empty() { Ok(Box::new(Holdout { wanted, rows_max, group_by })) } else { Err(problems) }
    },
};

/// Says which keys of a config nobody reads.
pub(crate) fn known(config: &Map<String, Json>, keys: &[&str], problems: &mut Vec<ModelProblem>) {
    for key in config.keys().filter(|key| !keys.contains(&key.as_str())) {
        let allowed: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
        let hint = workflow::nearest(key, keys.iter().copied()).map(|near| format!("Did you mean `{near}`?"));
        problems.push((key.clone(), format!("`{key}` is not known; allowed: {}", allowed.join(", ")), hint));
    }
}

struct DataSource {
    source: String,
    rows_max: usize,
}

impl Task for DataSource {
    fn run(&self, inputs: &[StepTable], work: &JobWork<'_>) -> Result<(), Failure> {
        let teller = Teller::new(work, None);
        let [StepTable { data, .. }] = inputs else {
            return Err(Failure::new(Code::Internal, "a data source was given no file"));
        };
        let (table, layout) = open(data, self.rows_max, work.seed, &teller)?;
        write(&table, &layout, &work.folder.join("dataset.parquet"))?;
        teller.say("pre", format!("read {} rows, {} columns from `{}`", table.rows(), table.columns(), data.name));
        Ok(())
    }

    fn reads(&self) -> Option<&str> {
        Some(&self.source)
    }

    fn small(&mut self, records: u64) {
        self.rows_max = records as usize;
    }
}

/// How many rows are held out.
enum Wanted {
    Share(f64),
    Rows(u64),
}

struct Holdout {
    wanted: Wanted,
    rows_max: u64,
    group_by: Vec<String>,
}

impl Task for Holdout {
    fn run(&self, inputs: &[StepTable], work: &JobWork<'_>) -> Result<(), Failure> {
        let teller = Teller::new(work, None);
        let Some(first) = inputs.first() else {
            return Err(Failure::new(Code::Internal, "a holdout was given no table"));
        };
        let (table, layout) = open(&first.data, Options::SAMPLE_ROWS_MAX, work.seed, &teller)?;
        let (training, held) = match inputs.get(1) {
            Some(given) => (table.clone(), Some(given_holdout(&table, &given.data, work.seed, &teller)?)),
            None => self.part(&table, &first.data.name, work.seed)?,
        };
        write(&training, &layout, &work.folder.join("dataset.parquet"))?;
        let rows = held.as_ref().map_or(0, Table::rows);
        match &held {
            Some(held) => write(held, &layout, &work.folder.join("holdout.parquet"))?,
            None => teller.say("pre", "warning: the table is too small to hold rows out; nothing is held out"),
        }
        teller.say("pre", format!("{} rows for training, {rows} held out", training.rows()));
        Ok(())
    }

    fn small(&mut self, records: u64) {
        let most = (records / Holdout::PREVIEW).max(1);
        self.rows_max = self.rows_max.min(most);
        if let Wanted::Rows(rows) = &mut self.wanted {
            *rows = (*rows).min(most);
        }
    }
}

impl Holdout {
    /// So many rows of a preview are held out at most, of every ten.
    const PREVIEW: u64 = 10;

    fn part(&self, table: &Table, name: &str, seed: u64) -> Result<(Table, Option<Table>), Failure> {
        if let Some(column) = self.group_by.iter().find(|column| table.position(column).is_none()) {
            return Err(Failure::new(Code::Usage, format!("there is no column `{column}` in `{name}`"))
                .hint("Name a column of the table in `group_by`."));
        }
        let rows = table.rows() as u64;
        let wanted = match self.wanted {
            Wanted::Share(share) => (rows as f64 * share).ceil() as u64,
            Wanted::Rows(wanted) => wanted,
        };
        if wanted >= rows {
            let message = format!("{wanted} rows are to be held out of `{name}`, which has {rows}");
            return Err(Failure::new(Code::Usage, message).hint("Make `holdout` smaller."));
        }
        Ok(split_off(table, &self.group_by, wanted.min(self.rows_max) as usize, seed))
    }
}

/// A holdout that the user brought, in the columns and types of the table.
fn given_holdout(table: &Table, file: &JobFile, seed: u64, teller: &Teller<'_>) -> Result<Table, Failure> {
    let (held, _) = open(file, Options::SAMPLE_ROWS_MAX, seed, teller)?;
    let unlike = |what: String| {
        Failure::new(Code::Usage, format!("the holdout `{}` does not go with the table: {what}", file.name))
            .hint("Give it the columns of the table, in the same types.")
    };
    let columns = (0..table.columns()).map(|at| {
        let name = table.name(at);
        let place = held.position(name).ok_or_else(|| unlike(format!("it has no column `{name}`")))?;
        table::respell(&held, place, table.kind(at), table.spelling(at))
            .map_err(|bad| unlike(format!("in column `{name}`, {bad}")))
    });
    let columns = columns.collect::<Result<Vec<_>, Failure>>()?;
    Ok(Table::new(columns).expect("columns of one table"))
}

/// A file as a table that Parquet has types for, and how to write it. Rows beyond the bounds of a sample are left out, and
/// that is said.
pub(crate) fn open(
    file: &JobFile,
    rows_max: usize,
    seed: u64,
    teller: &Teller<'_>,
) -> Result<(Table, Layout), Failure> {
    let options = ReadOptions { rows_max, bytes_max: Options::SAMPLE_BYTES_MAX, seed };
    let reading = reading(&file.path, &file.name, &options)?;
    if reading.set_aside.rows > 0 {
        teller.say("pre", format!("warning: object `{}`: set aside {}", file.name, reading.set_aside));
    }
    let kept = reading.table.rows() as u64;
    if kept < reading.rows {
        let text = format!("warning: `{}` has {} rows; a sample of {kept} is used", file.name, reading.rows);
        teller.say("pre", text);
    }
    if reading.layout.is_parquet() {
        return Ok((reading.table, reading.layout));
    }
    Ok(to_parquet(&reading.table))
}

/// Writes a table.
pub(crate) fn write(table: &Table, layout: &Layout, path: &Path) -> Result<(), Failure> {
    let done = || -> std::io::Result<()> {
        let mut writer = layout.writer(BufWriter::new(File::create(path)?))?;
        writer.write(table)?;
        writer.finish()?.into_inner().map_err(|error| error.into_error())?;
        Ok(())
    };
    done().map_err(|error| unwritable(path, error))
}

/// The first rows of a table as JSON objects: numbers and truth values as such, everything else as its text.
///
/// Fails with `data.*` where the file is no table.
pub fn records(file: &JobFile, rows_max: usize) -> Result<Vec<Json>, Failure> {
    let options = ReadOptions { rows_max: usize::MAX, bytes_max: usize::MAX, seed: 0 };
    let reading = reading(&file.path, &file.name, &options)?;
    let table = reading.table.head(rows_max);
    let columns: Vec<Values<'_>> = (0..table.columns()).map(|at| table.values(at)).collect();
    let cell = |at: usize, row: usize| {
        if table.missing(at, row) {
            return Json::Null;
        }
        let text = |cell: Cell<'_>| {
            let mut out = Vec::new();
            table.spelling(at).write(cell, &mut out);
            Json::String(String::from_utf8_lossy(&out).into_owned())
        };
        match columns[at] {
            Values::Int(values) => values.value(row).into(),
            Values::Real(values) => values.value(row).into(),
            Values::Bool(values) => values.value(row).into(),
            Values::Time(values) => text(Cell::Time(values.value(row))),
            Values::Text(values) => {
                let words = values.values().as_any().downcast_ref::<StringArray>();
                words.zip(values.key(row)).map_or(Json::Null, |(words, key)| text(Cell::Text(words.value(key))))
            }
        }
    };
    let record = |row| (0..table.columns()).map(|at| (table.name(at).to_string(), cell(at, row))).collect();
    Ok((0..table.rows()).map(|row| Json::Object(record(row))).collect())
}

/// Where a table lies as a Parquet file: where it is if it is one, else in a copy in `folder`.
pub(crate) fn as_parquet(file: &JobFile, folder: &Path, seed: u64, teller: &Teller<'_>) -> Result<PathBuf, Failure> {
    let mut magic = [0u8; 4];
    let is = File::open(&file.path).and_then(|mut opened| opened.read_exact(&mut magic));
    if is.is_ok() && &magic == b"PAR1" {
        return Ok(file.path.clone());
    }
    let (table, layout) = open(file, Options::SAMPLE_ROWS_MAX, seed, teller)?;
    let path = folder.join("input.parquet");
    write(&table, &layout, &path)?;
    Ok(path)
}
