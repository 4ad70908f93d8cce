//! The house rules that a program can check.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::world::repository;

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;

/// Every file below a folder with this ending, build output left out.
fn files(folder: &Path, end: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("the folder can be read").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                found.extend(files(&path, end));
            }
        } else if name.ends_with(end) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Every source file of ours: path below the repository, and text.
pub(crate) fn sources() -> Vec<(String, String)> {
    let root = repository();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).expect("sources are text");
        (path.strip_prefix(&root).unwrap_or(&path).display().to_string(), text)
    };
    files(&root.join("crates"), ".rs").into_iter().map(read).collect()
}

fn none(found: Vec<String>) {
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn files_and_functions_are_short() {
    let mut found = Vec::new();
    for (path, text) in sources() {
        let lines: Vec<&str> = text.lines().collect();
        if lines.len() > FILE_LINES_MAX {
            found.push(format!("{path} has {} lines", lines.len()));
        }
        for (index, line) in lines.iter().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let head = line
                .trim_start()
                .trim_start_matches("pub ")
                .trim_start_matches("pub(crate) ")
                .trim_start_matches("async ");
            if !head.starts_with("fn ") || path.contains("/tests/") {
                continue;
            }
            let close = format!("{}}}", " ".repeat(indent));
            let length = lines[index..].iter().take_while(|line| **line != close).count();
            if length > FUNCTION_LINES_MAX {
                found.push(format!("{path}:{}: {length} lines: {}", index + 1, head.trim()));
            }
        }
    }
    none(found);
}

#[test]
fn every_module_says_what_it_is() {
    none(sources().into_iter().filter(|(_, text)| !text.starts_with("//! ")).map(|(path, _)| path).collect());
}

#[test]
fn what_belongs_to_one_room_stays_there() {
    // Word, and where it may stand.
    let rooms: &[(&str, &[&str])] = &[
        ("sqlx::", &["crates/store/"]),
        (
            "async fn",
            &[
                "crates/store/",
                "crates/s3double/",
                "crates/hansel/src/cli/signals.rs",
                "crates/hansel/src/memory.rs",
                "crates/hansel/src/server/",
                "crates/hansel/src/engine/queue.rs",
            ],
        ),
        ("std::env::var", &["crates/hansel/", "crates/store/tests/", "crates/actions/src/s3/client.rs"]),
        ("std::process::exit", &["crates/hansel/src/cli/signals.rs"]),
        (".credentials_provider(", &["crates/actions/src/s3/client.rs", "crates/hansel/tests/"]),
    ];
    let mut found = Vec::new();
    for (path, text) in sources().into_iter().filter(|(path, _)| !path.ends_with("tidy.rs")) {
        for (word, allowed) in rooms {
            if text.contains(word) && !allowed.iter().any(|room| path.starts_with(room)) {
                found.push(format!("{path} has `{word}`"));
            }
        }
    }
    none(found);
}

#[test]
fn every_code_has_its_page() {
    let codes: BTreeSet<String> = workflow::Code::all().map(|code| code.name().to_string()).collect();
    let pages: BTreeSet<String> = files(&repository().join("docs/errors"), ".md")
        .iter()
        .map(|path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned())
        .filter(|name| name != "README")
        .collect();
    assert_eq!(codes, pages);
}

#[test]
fn links_lead_somewhere() {
    let mut found = Vec::new();
    for path in files(&repository(), ".md") {
        let text = std::fs::read_to_string(&path).expect("pages are text");
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains("://") || file.starts_with("mailto:") {
                continue;
            }
            if !path.parent().unwrap_or(Path::new(".")).join(file).exists() {
                found.push(format!("{}: {link}", path.display()));
            }
        }
    }
    none(found);
}

#[test]
fn the_folder_of_the_cases_holds_cases() {
    let folder = repository().join("tests/cases");
    none(
        files(&folder, "")
            .iter()
            .filter(|path| path.extension().is_none_or(|end| end != "case"))
            .map(|p| p.display().to_string())
            .collect(),
    );
}
