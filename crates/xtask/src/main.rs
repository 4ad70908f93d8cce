//! Chores: docs, benchmarks, chaos.
fn main() {}
