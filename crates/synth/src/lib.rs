//! Models: a [`table::Table`] comes in, a [`Generator`] of synthetic rows goes out. Pure and deterministic: the same
//! table, parameters and seed give the same rows, whatever the thread count. No I/O, no clock, no global randomness;
//! no model ever sees the holdout (the caller splits first).

mod absent;
mod bytes;
mod calendar;
mod draft;
mod drawn;
mod encode;
mod find_days;
mod find_forms;
mod find_lines;
mod find_lookups;
mod find_sums;
mod find_time;
mod find_totals;
mod fit;
mod forms;
mod generator;
mod guard;
mod ids;
mod kept;
mod law;
mod leaf;
mod levels;
mod line;
mod model;
mod nearest;
mod params;
mod random;
mod save;
mod screen;
mod shape;
mod sieve;
mod templates;
mod text;
mod tree;

pub use model::{Ask, BadParam, Generator, MakeRecipe, ModelType, Note, Params, Progress, Recipe, Unfit};
pub use params::MODELS;
pub use save::{Unloadable, load};
pub use templates::{Template, TemplateProblem, template, template_names};
