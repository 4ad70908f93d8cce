//! One table through the models: read, split, fit, sample, write, judge. The step `gretel_model` and the command
//! `synthesize` are both this.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use crate::drawing::{Drawing, Wanted};
use quality::{CompatSettings, Declared, Evidence, Provenance, Report, judge_with};
use rand::SeedableRng;
use rand::rngs::ChaCha12Rng;
use rand::seq::SliceRandom;
use synth::{Ask, Generator, Recipe, Unfit};
use table::{Layout, ReadOptions, Reading, SetAside, Table, Unreadable, read};
use workflow::{Attempt, Code, Failure, Progress};

use crate::ModelFile;

/// One row in this many is held out from the fit.
const HOLDOUT_PART: usize = 10;
/// More rows than this say nothing more about the fit.
const HOLDOUT_ROWS_MAX: usize = 20_000;
/// Rows drawn and written at a time; a multiple of the models' block.
const CHUNK_ROWS: u64 = 16 * Ask::BLOCK;

/// What is asked of a synthesis.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which rows to generate; as many as the source has readable rows unless it says otherwise.
    pub wanted: Wanted,
    /// Most rows of the uniform sample that the model is fitted on.
    pub sample_rows_max: usize,
    /// Most bytes of raw records in that sample.
    pub sample_bytes_max: usize,
    /// Whether records are generated at all, or the model is only trained.
    pub generate: bool,
    /// Name whose extension says how the output is packed; as the source is if `None`.
    pub packed_for: Option<String>,
    /// Whether the output is judged.
    pub judged: bool,
    /// The column that train-on-synthetic utility predicts.
    pub target: Option<String>,
    /// A table of the input's layout that is the holdout; a part of the input is, if there is none or it is of another.
    pub holdout: Option<PathBuf>,
}

impl Options {
    /// Rows of the default sample.
    pub const SAMPLE_ROWS_MAX: usize = 1_000_000;
    /// Bytes of the default sample. A fit holds about seven times as much where cells are seven bytes long, more where they
    /// are shorter, and as many objects are fitted at once as there are cores: two such samples stay below 4 GiB.
    pub const SAMPLE_BYTES_MAX: usize = 256 << 20;
    /// So many times the sample where rows belong together: a sample of rows would thin the groups.
    const GROUPED: usize = 2;

    fn bounds(&self, recipe: &dyn Recipe, seed: u64) -> ReadOptions {
        let times = if recipe.group_by().is_empty() { 1 } else { Options::GROUPED };
        let rows_max = self.sample_rows_max.saturating_mul(times);
        ReadOptions { rows_max, bytes_max: self.sample_bytes_max.saturating_mul(times), seed }
    }
}

/// What came of a synthesis.
pub struct Synthesis {
    /// Readable data rows of the source.
    pub rows_read: u64,
    /// Rows that the model was fitted on.
    pub rows_fitted: usize,
    /// Rows held out.
    pub rows_held_out: usize,
    /// Rows written.
    pub rows_written: u64,
    /// Malformed rows of the source.
    pub set_aside: SetAside,
    /// What the model did.
    pub notes: Vec<synth::Note>,
    /// The fitted model.
    pub generator: Box<dyn Generator>,
    /// How the source is written.
    pub layout: Layout,
    /// The judgement, if one was asked for.
    pub report: Option<Report>,
}

/// Makes a synthetic copy of the table in `input` (whose key or name is `name`) at `output`.
///
/// Fails with a `data.*` code when the input is not a table, with `model.failed` when it cannot be fitted.
pub fn synthesize(
    input: &Path,
    name: &str,
    output: &Path,
    recipe: &dyn Recipe,
    options: &Options,
    attempt: &Attempt<'_>,
) -> Result<Synthesis, Failure> {
    synthesize_with(input, name, output, recipe, (options, &CompatSettings::default()), attempt)
}

/// As [`synthesize`], the documented scores computed by these settings.
pub(crate) fn synthesize_with(
    input: &Path,
    name: &str,
    output: &Path,
    recipe: &dyn Recipe,
    (options, compat): (&Options, &CompatSettings),
    attempt: &Attempt<'_>,
) -> Result<Synthesis, Failure> {
    let bounds = options.bounds(recipe, attempt.seed);
    let Reading { table, layout, rows, set_aside } = reading(input, name, &bounds)?;
    attempt.go_on()?;
    // Rows that no row of the input is written like cannot be counted with them: then a part of the input has to do.
    let given = options.holdout.as_ref().and_then(|path| layout.read_back(&File::open(path).ok()?, &bounds).ok());
    let (training, holdout) = match given.filter(|held| held.rows() > 0) {
        Some(held) => (table, Some(held)),
        None => split(&table, recipe.group_by(), attempt.seed),
    };
    let progress = |step: synth::Progress| {
        (attempt.progress)(Progress { doing: "training", done: step.done as u64, total: step.total as u64 });
        attempt.go_on().is_ok()
    };
    let generator =
        recipe.fit(&training, holdout.as_ref(), attempt.seed, &progress).map_err(|unfit| untrained(name, unfit))?;
    let mut synthesis = Synthesis {
        rows_read: rows,
        rows_fitted: training.rows(),
        rows_held_out: holdout.as_ref().map_or(0, Table::rows),
        rows_written: 0,
        set_aside,
        notes: generator.notes(),
        generator,
        layout,
        report: None,
    };
    if !options.generate {
        return Ok(synthesis);
    }
    let layout = match &options.packed_for {
        Some(name) => synthesis.layout.clone().packed_for(name),
        None => synthesis.layout.clone(),
    };
    synthesis.rows_written = write(synthesis.generator.as_ref(), &layout, output, (&options.wanted, rows), attempt)?;
    if options.judged {
        // The bytes to be published are judged, not what the model meant by them.
        let file = File::open(output).map_err(|error| unwritable(output, error))?;
        let synthetic = layout.read_back(&file, &bounds).map_err(|error| {
            Failure::new(Code::Internal, format!("the synthetic copy of `{name}` cannot be read back")).cause(error)
        })?;
        attempt.go_on()?;
        (attempt.progress)(Progress { doing: "judging", done: 0, total: 0 });
        let real: Vec<&Table> = [Some(&training), holdout.as_ref()].into_iter().flatten().collect();
        let declared =
            |demand: synth::Demand| Declared { text: demand.text, violations: demand.broken, rows: demand.rows };
        let constraints: Vec<Declared> = recipe.demands(&real, &synthetic).into_iter().map(declared).collect();
        let made = synthesis.generator.made();
        let evidence = Evidence {
            training: &training,
            synthetic: &synthetic,
            holdout: holdout.as_ref(),
            target: options.target.as_deref(),
            constraints: &constraints,
            made: &made,
            seed: attempt.seed,
        };
        synthesis.report = Some(judge_with(&evidence, compat));
    }
    Ok(synthesis)
}

impl Synthesis {
    /// Where the copy came from, for the report: `about` first, then what the synthesis knows.
    pub fn provenance(&self, about: Vec<(String, String)>) -> Provenance {
        let mut provenance = about;
        provenance.push(("rows read".into(), self.rows_read.to_string()));
        provenance.push(("rows fitted on".into(), self.rows_fitted.to_string()));
        provenance.push(("rows held out".into(), self.rows_held_out.to_string()));
        provenance.push(("rows written".into(), self.rows_written.to_string()));
        if self.set_aside.rows > 0 {
            provenance.push(("rows set aside".into(), self.set_aside.to_string()));
        }
        provenance.extend(self.notes.iter().map(|note| (note.kind.to_string(), note.text.clone())));
        provenance.push(("version".into(), env!("CARGO_PKG_VERSION").into()));
        provenance
    }
}

/// Samples what is wanted from a saved model into `output`, packed as the extension of `name` says: with the seed of the
/// training the same bytes as right behind it. The seed is the attempt's. Gives the rows written.
pub fn sample(
    model: &ModelFile,
    output: &Path,
    name: &str,
    wanted: &Wanted,
    attempt: &Attempt<'_>,
) -> Result<u64, Failure> {
    let layout = model.layout.clone().packed_for(name);
    write(model.generator.as_ref(), &layout, output, (wanted, model.origin.rows), attempt)
}

/// Fills the gaps of the table in `input` (whose name is `name`), cells that are present left as they are, and writes it to
/// `output` as its source is written. Gives the rows written and what was done.
pub fn impute(
    input: &Path,
    name: &str,
    output: &Path,
    packed_for: &str,
    attempt: &Attempt<'_>,
) -> Result<(u64, Vec<synth::Note>), Failure> {
    let all = ReadOptions { rows_max: usize::MAX, bytes_max: usize::MAX, seed: attempt.seed };
    let Reading { table, layout, rows, set_aside } = reading(input, name, &all)?;
    if set_aside.rows > 0 {
        let message = format!("object `{name}` has malformed rows: {set_aside}");
        return Err(Failure::new(Code::DataUnreadable, message).hint("Mend them: none may be lost."));
    }
    let progress = |step: synth::Progress| {
        (attempt.progress)(Progress { doing: "filling", done: step.done as u64, total: step.total as u64 });
        attempt.go_on().is_ok()
    };
    let (filled, notes) = synth::impute(&table, attempt.seed, &progress).map_err(|unfit| untrained(name, unfit))?;
    let write = || -> std::io::Result<()> {
        let mut writer = layout.packed_for(packed_for).writer(BufWriter::new(File::create(output)?))?;
        writer.write(&filled)?;
        writer.finish()?.into_inner().map_err(|error| error.into_error())?;
        Ok(())
    };
    write().map_err(|error| unwritable(output, error))?;
    Ok((rows, notes))
}

fn untrained(name: &str, unfit: Unfit) -> Failure {
    match unfit {
        Unfit::Cancelled => Failure::new(Code::RunCancelled, "the run was cancelled"),
        unfit => Failure::new(Code::ModelFailed, format!("no model can be trained on `{name}`: {unfit}")),
    }
}

/// Why rows were not written.
pub(crate) enum WriteError {
    /// The file could not be written.
    Io(std::io::Error),
    /// The user asked to stop.
    Cancelled(Failure),
}

impl WriteError {
    /// The failure that it stands for; `path` is the file.
    pub(crate) fn failure(self, path: &Path) -> Failure {
        match self {
            WriteError::Io(error) => unwritable(path, error),
            WriteError::Cancelled(failure) => failure,
        }
    }
}

impl From<std::io::Error> for WriteError {
    fn from(error: std::io::Error) -> WriteError {
        WriteError::Io(error)
    }
}

fn write(
    generator: &dyn Generator,
    layout: &Layout,
    output: &Path,
    (wanted, rows): (&Wanted, u64),
    attempt: &Attempt<'_>,
) -> Result<u64, Failure> {
    let drawing = Drawing::of(generator, wanted, rows, attempt.seed)?;
    let out = File::create(output).map_err(|error| unwritable(output, error))?;
    write_to(BufWriter::new(out), &drawing, layout, attempt).map_err(|error| error.failure(output))?;
    Ok(drawing.total)
}

fn write_to(
    out: BufWriter<File>,
    drawing: &Drawing<'_>,
    layout: &Layout,
    attempt: &Attempt<'_>,
) -> Result<(), WriteError> {
    let mut writer = layout.writer(out)?;
    each_chunk(drawing, attempt, &mut |rows| writer.write(rows))?;
    writer.finish()?.into_inner().map_err(|error| error.into_error())?;
    Ok(())
}

/// Draws, chunk by chunk, and hands the rows to `take`.
pub(crate) fn each_chunk(
    drawing: &Drawing<'_>,
    attempt: &Attempt<'_>,
    take: &mut dyn FnMut(&Table) -> std::io::Result<()>,
) -> Result<(), WriteError> {
    let total = drawing.total;
    let mut first_row = 0;
    while first_row < total {
        attempt.go_on().map_err(|cancelled| WriteError::Cancelled(cancelled.into()))?;
        let rows = CHUNK_ROWS.min(total - first_row) as usize;
        take(&drawing.rows(first_row, rows))?;
        first_row += rows as u64;
        (attempt.progress)(Progress { doing: "generating", done: first_row, total });
    }
    Ok(())
}

/// A table in two: what the model is fitted on and what it never sees, both in source order, drawn by `seed`. Rows that
/// agree in the columns `group_by` stay together. Under twenty rows (or groups) nothing is held out, since nothing could be
/// measured on it.
pub fn split(table: &Table, group_by: &[String], seed: u64) -> (Table, Option<Table>) {
    split_off(table, group_by, (table.rows() / HOLDOUT_PART).min(HOLDOUT_ROWS_MAX), seed)
}

/// As [`split`], with at most `wanted` rows in the second part.
pub(crate) fn split_off(table: &Table, group_by: &[String], wanted: usize, seed: u64) -> (Table, Option<Table>) {
    let columns: Vec<usize> = group_by.iter().filter_map(|name| table.position(name)).collect();
    let groups = if columns.is_empty() { (0..table.rows() as u32).collect() } else { table.groups(&columns) };
    let count = groups.iter().max().map_or(0, |last| *last as usize + 1);
    if count < 2 * HOLDOUT_PART {
        return (table.clone(), None);
    }
    let mut order: Vec<u32> = (0..count as u32).collect();
    order.shuffle(&mut ChaCha12Rng::seed_from_u64(seed ^ 0x686f_6c64_6f75_7421));
    let mut sizes = vec![0usize; count];
    groups.iter().for_each(|&group| sizes[group as usize] += 1);
    let mut held = vec![false; count];
    let mut rows = 0;
    for group in order {
        if rows + sizes[group as usize] <= wanted {
            held[group as usize] = true;
            rows += sizes[group as usize];
        }
        if rows == wanted {
            break;
        }
    }
    let (holdout, training): (Vec<u32>, Vec<u32>) =
        (0..table.rows() as u32).partition(|&row| held[groups[row as usize] as usize]);
    (table.take(&training), (!holdout.is_empty()).then(|| table.take(&holdout)))
}

/// Reads the table in a file whose key or name is `name`.
///
/// Fails with a `data.*` code when it is none.
pub(crate) fn reading(path: &Path, name: &str, options: &ReadOptions) -> Result<Reading, Failure> {
    File::open(path)
        .map_err(Unreadable::Io)
        .and_then(|file| read(name, &file, options))
        .map_err(|error| unreadable(name, &error))
}

/// The failure that an unreadable table stands for; `name` is its key or file.
pub fn unreadable(name: &str, error: &Unreadable) -> Failure {
    let (code, hint) = match error {
        Unreadable::UnsupportedType { .. } => {
            (Code::DataUnsupportedType, "Leave it out with `glob_filter`, such as `*.csv`.")
        }
        Unreadable::NoRecords => (Code::DataNoRecords, "Leave it out with `glob_filter`, or wait until it is filled."),
        _ => (Code::DataUnreadable, "Mend the object; the next run takes it again."),
    };
    Failure::new(code, format!("object `{name}`: {error}")).hint(hint)
}

/// The failure of a file that cannot be written.
pub(crate) fn unwritable(path: &Path, error: std::io::Error) -> Failure {
    Failure::new(Code::HomeUnusable, format!("the file `{}` cannot be written", path.display())).cause(error)
}
