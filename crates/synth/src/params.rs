//! Model keys and their parameters.

use crate::fit::{Settings, fit};
use crate::model::{BadParam, Generator, ModelType, Params, Progress, Recipe, Unfit};
use table::Table;

/// Every model key.
pub static MODELS: &[&ModelType] = &[&ModelType {
    name: "synthetics",
    about: "The tabular engine: one likelihood tree per column, drawn one after another.",
    source: "Reiter 2005",
    recipe: recipe,
}];

fn recipe(_params: &Params) -> Result<Box<dyn Recipe>, Vec<BadParam>> {
    Ok(Box::new(Tabular { settings: Settings { floor: 5 } }))
}

struct Tabular {
    settings: Settings,
}

impl Recipe for Tabular {
    fn fit(&self, real: &Table, seed: u64, progress: &(dyn Fn(Progress) -> bool + Sync)) -> Result<Box<dyn Generator>, Unfit> {
        Ok(Box::new(fit(real, &self.settings, Vec::new(), seed, progress)?))
    }

    fn num_records(&self) -> Option<u64> {
        None
    }
}
