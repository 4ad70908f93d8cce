//! Models: a [`table::Table`] comes in, a [`Generator`] of synthetic rows goes out. Pure and deterministic: the same
//! table, parameters and seed give the same rows, whatever the thread count. No I/O, no clock, no global randomness;
//! no model ever sees the holdout (the caller splits first).

mod choose;
mod drawn;
mod encode;
mod fit;
mod generator;
mod leaf;
mod line;
mod model;
mod params;
mod random;
mod shape;
mod tree;

pub use model::{Ask, BadParam, Generator, ModelType, Note, Params, Progress, Recipe, Unfit};
pub use params::MODELS;
