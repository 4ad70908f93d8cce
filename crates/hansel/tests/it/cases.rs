//! Runs every case file of `tests/cases`. `UPDATE=1` rewrites the expectations, `CASE=text` runs only the files whose
//! names contain the text.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use crate::script::Script;

/// The folder of the case files.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases")
}

fn files() -> Vec<PathBuf> {
    let filter = std::env::var("CASE").unwrap_or_default();
    let entries = std::fs::read_dir(folder()).expect("the folder of the cases is there");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.extension().is_some_and(|end| end == "case"))
        .filter(|path| path.file_stem().is_some_and(|stem| stem.to_string_lossy().contains(&filter)))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no case file matches");
    files
}

#[test]
#[expect(clippy::print_stdout, reason = "each case tells its time")]
fn every_case_says_what_it_says() {
    let files = files();
    let next = AtomicUsize::new(0);
    let failures: Mutex<Vec<String>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(file) = files.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let began = Instant::now();
                    let outcome = std::panic::catch_unwind(|| run(file))
                        .unwrap_or_else(|_| Err("the runner panicked; see above".to_string()));
                    let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                    println!("{name}: {:.2} s", began.elapsed().as_secs_f64());
                    if let Err(message) = outcome {
                        failures.lock().expect("not poisoned").push(format!("{name}: {message}"));
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().expect("not poisoned");
    assert!(failures.is_empty(), "{} of {} cases differ:\n{}", failures.len(), files.len(), failures.join("\n"));
}

fn run(file: &Path) -> Result<(), String> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    let found = Script::parse(&text)?.run()?;
    if found == text {
        return Ok(());
    }
    if std::env::var_os("UPDATE").is_some() {
        return std::fs::write(file, found).map_err(|error| error.to_string());
    }
    let differs = text.lines().zip(found.lines()).position(|(expected, found)| expected != found);
    let line = differs.unwrap_or_else(|| text.lines().count().min(found.lines().count()));
    let show = |text: &str| text.lines().skip(line.saturating_sub(3)).take(9).collect::<Vec<_>>().join("\n    ");
    Err(format!("line {} differs\n  expected\n    {}\n  found\n    {}", line + 1, show(&text), show(&found)))
}
