//! The judge: [`Evidence`] comes in, a [`Report`] goes out as JSON or as one HTML page. It never knows who made the
//! data, never talks to the outside, and never depends on the models.

mod report;

pub use report::{Evidence, Provenance, Report, judge};
