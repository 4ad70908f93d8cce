//! Values: bytes come in, a [`Table`] goes out, and the same bytes can be written back.
//!
//! A table is Arrow columns plus, per column, its [`Spelling`]: how the source wrote the values.
//! This crate never opens a file, a socket or a clock; callers hand it readers and writers.

mod column;
mod spelling;

pub use column::{Column, Kind, Misshapen, Table, Values};
pub use spelling::{Form, Spelling};
