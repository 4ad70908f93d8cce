//! Values: bytes come in, a [`Table`] goes out, and the same bytes can be written back.
//!
//! A table is Arrow columns plus, per column, its [`Spelling`]: how the source wrote the values.
//! This crate never opens a file, a socket or a clock; callers hand it open files and writers.

mod alike;
mod assemble;
mod bytes;
pub mod calendar;
mod column;
mod content;
mod csv;
mod csv_layout;
mod csv_read;
mod dialect;
mod flaw;
mod json_columns;
mod json_elements;
mod json_layout;
mod json_read;
mod json_scan;
mod json_style;
mod json_tree;
mod kept;
mod layout;
mod layout_bytes;
mod number;
mod number_profile;
mod number_shape;
mod packing;
mod parquet_column;
mod parquet_layout;
mod parquet_of;
mod parquet_read;
mod parquet_type;
mod parquet_values;
mod profile;
mod read;
mod respell;
mod sample;
mod spelling;
mod time;
mod time_profile;

pub use alike::{Mismatch, alike};
pub use bytes::Kept;
pub use column::{Column, Kind, Misshapen, Table, Values};
pub use flaw::{Aside, Flaw, SetAside, Unreadable};
pub use layout::{Layout, Writer};
pub use layout_bytes::NoLayout;
pub use number::Number;
pub use parquet_of::to_parquet;
pub use read::{ReadOptions, Reading, read};
pub use respell::{BadCell, respell};
pub use spelling::{Cell, Form, Spelling};
pub use time::Pattern;
