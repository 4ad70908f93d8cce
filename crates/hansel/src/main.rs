//! The door: one binary.
fn main() {}
