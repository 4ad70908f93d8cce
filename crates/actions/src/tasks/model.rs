//! The tasks `tabular_ft` and `tabular_gan`: a table is learned and as many records as asked for are drawn. In: the table,
//! and what was held out of it. Out: records in its Parquet types, and the model. The engine is the one of all models.

use serde_json::{Map, Value as Json};
use synth::{Params, Recipe};
use workflow::{Code, Failure};

use super::data::as_parquet;
use super::{StepTable, Task, TaskType};
use crate::Origin;
use crate::drawing::Wanted;
use crate::gretel_model::{ModelProblem, model_type, recipe};
use crate::jobs::told::Teller;
use crate::jobs::{JobWork, defaults};
use crate::synthesis::{Options, synthesize, unwritable};

/// The task `tabular_ft`.
pub(crate) static TABULAR_FT: TaskType = TaskType {
    name: "tabular_ft",
    about: "Learns a table and draws records like its own; rows that belong together by `group_training_examples_by`.",
    output: "dataset",
    inputs: (1, 1),
    check: |config, globals| check("tabular_ft", 1_000, config, globals),
};

/// The task `tabular_gan`.
pub(crate) static TABULAR_GAN: TaskType = TaskType {
    name: "tabular_gan",
    about: "Learns a table and draws records like its own.",
    output: "dataset",
    inputs: (1, 1),
    check: |config, globals| check("tabular_gan", 5_000, config, globals),
};

struct Model {
    kind: &'static str,
    recipe: Box<dyn Recipe>,
    records: u64,
    epochs: Option<u64>,
}

fn check(
    kind: &'static str,
    default: u64,
    config: &Map<String, Json>,
    globals: &Json,
) -> Result<Box<dyn Task>, Vec<ModelProblem>> {
    let mut body = defaults::asked(config);
    // Sections that are not set come as null.
    body.retain(|_, value| !value.is_null());
    let model = model_type(kind).expect("every task of a model names one that there is");
    let recipe = recipe(model, &Params { body }, "")?;
    let epochs = config.get("train").and_then(|train| train.get("params")?.get("epochs")?.as_u64());
    let records = recipe.num_records().or_else(|| globals.get("num_records")?.as_u64()).unwrap_or(default);
    Ok(Box::new(Model { kind, recipe, records, epochs }))
}

impl Task for Model {
    fn run(&self, inputs: &[StepTable], work: &JobWork<'_>) -> Result<(), Failure> {
        let [input] = inputs else {
            return Err(Failure::new(Code::Internal, "a model was not given one table"));
        };
        let teller = Teller::new(work, self.epochs);
        teller.say("pre", format!("training `{}`", self.kind));
        let path = as_parquet(&input.data, work.folder, work.seed, &teller)?;
        let options = Options {
            wanted: Wanted::of(self.recipe.as_ref(), Some(self.records)),
            sample_rows_max: Options::SAMPLE_ROWS_MAX,
            sample_bytes_max: Options::SAMPLE_BYTES_MAX,
            generate: true,
            packed_for: None,
            judged: false,
            target: None,
            holdout: input.holdout.as_ref().map(|held| held.path.clone()),
        };
        let progress = |at: workflow::Progress| teller.progress(at);
        let attempt = work.attempt(work.folder, &progress);
        let output = work.folder.join("dataset.parquet");
        let made = synthesize(&path, &input.data.name, &output, self.recipe.as_ref(), &options, &attempt)?;
        made.notes.iter().for_each(|note| teller.say("post", note.text.as_str()));
        let origin =
            Origin { source: input.data.name.clone(), rows: made.rows_read, seed: work.seed, model: self.kind.into() };
        let kept = work.folder.join("model.hansel");
        std::fs::write(&kept, origin.save(&made.layout, made.generator.as_ref()))
            .map_err(|error| unwritable(&kept, error))?;
        teller.say("post", format!("{} records are ready", made.rows_written));
        Ok(())
    }

    fn small(&mut self, records: u64) {
        self.records = self.records.min(records);
    }
}
