//! Models: a [`table::Table`] comes in, a [`Generator`] of synthetic rows goes out. Pure and deterministic: the same
//! table, parameters and seed give the same rows, whatever the thread count. No I/O, no clock, no global randomness;
//! no model ever sees the holdout (the caller splits first).

mod config;
mod draft;
mod encode;
mod filters;
mod fit;
mod generator;
mod given;
mod grouped;
mod impute;
mod kept;
mod laws;
mod makers;
mod model;
mod random;
mod rebalance;
mod save;
mod sequence;
mod sieve;
mod trees;

pub use config::params::MODELS;
pub use config::templates::{Template, TemplateProblem, template, template_names};
pub use impute::impute;
pub use laws::broken::Demand;
pub use model::{Ask, BadParam, Completion, Generator, MakeRecipe, ModelType, Note, Params, Progress, Recipe, Unfit};
pub use rebalance::Shares;
pub use save::{Unloadable, load};
