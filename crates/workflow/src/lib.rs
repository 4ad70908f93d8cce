//! The language: YAML to a checked plan, plan to units.
