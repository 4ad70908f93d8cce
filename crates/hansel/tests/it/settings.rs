//! The page of settings is the one that the binary makes, and no variable is left out of it.

use std::collections::BTreeSet;

use crate::world::{World, repository};

#[test]
fn the_page_of_settings_is_fresh() {
    let made = World::new().command(&["settings-page"]).output().expect("the binary runs");
    let (path, made) = (repository().join("docs/reference/configuration.md"), String::from_utf8_lossy(&made.stdout));
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, made.as_bytes()).expect("the page can be written");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == made, "{} is stale; run `cargo xtask docs`", path.display());
}

#[test]
fn every_variable_is_on_the_page() {
    let page = std::fs::read_to_string(repository().join("docs/reference/configuration.md")).expect("it is there");
    let mut found = BTreeSet::new();
    for crate_ in ["hansel", "actions", "store"] {
        for (_, text) in
            crate::tidy::sources().iter().filter(|(path, _)| path.starts_with(&format!("crates/{crate_}/src")))
        {
            for rest in text.split('"').filter(|rest| rest.starts_with("HANSEL_") || rest.starts_with("GRETEL_")) {
                if rest.chars().all(|c| c.is_ascii_uppercase() || c == '_') {
                    found.insert(rest.to_string());
                }
            }
        }
    }
    found.retain(|name| !page.contains(&format!("`{name}`")));
    assert!(found.is_empty(), "not on the page of settings: {found:?}");
}
