//! Chores. `cargo xtask docs` writes the reference pages from the lists in the code; a test fails when they are stale.
//! `cargo xtask bench` measures how the work grows with the table, and writes the page of benchmarks.

mod bench;
mod bench_page;
mod bench_table;
mod watch;

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["docs"] => write_docs(),
        ["bench", flags @ ..] => bench::bench(flags, &root()),
        _ => Err(format!("usage: cargo xtask docs\n       {}", bench::USAGE)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            let _ = writeln!(std::io::stderr(), "{message}");
            ExitCode::from(2)
        }
    }
}

/// The generated pages: path below the repository, and text.
fn pages() -> Vec<(&'static str, String)> {
    let schema = workflow::json_schema(actions::ACTIONS);
    vec![
        ("docs/reference/actions.md", action_page()),
        ("docs/reference/connections.md", connection_page()),
        ("docs/reference/models.md", model_page()),
        ("docs/reference/tasks.md", task_page()),
        ("docs/reference/metrics.md", metric_page()),
        ("docs/reference/workflow.schema.json", format!("{schema:#}\n")),
    ]
}

fn write_docs() -> Result<(), String> {
    for (path, text) in pages() {
        let path = root().join(path);
        let failed = |error: std::io::Error| format!("{}: {error}", path.display());
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).map_err(failed)?;
        std::fs::write(&path, text).map_err(failed)?;
    }
    // The settings are those of the binary, which makes their page itself; a test of its own compares it.
    let page = std::process::Command::new("cargo")
        .args(["run", "--release", "--quiet", "--package", "hansel", "--", "settings-page"])
        .current_dir(root())
        .output()
        .map_err(|error| format!("cargo cannot be run: {error}"))?;
    if !page.status.success() {
        return Err(String::from_utf8_lossy(&page.stderr).into_owned());
    }
    std::fs::write(root().join("docs/reference/configuration.md"), page.stdout).map_err(|error| error.to_string())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

const MADE: &str = "<!-- Made by `cargo xtask docs` from the lists in the code; edit those. -->\n";

fn action_page() -> String {
    let mut page = format!("# Actions\n\n{MADE}");
    for action in actions::ACTIONS {
        let _ = write!(page, "\n## `{}`\n\n{}\n\n", action.name, action.about);
        match action.connection {
            Some(kind) => page.push_str(&format!("Needs a connection of type `{kind}`.\n\n")),
            None => page.push_str("Takes no connection.\n\n"),
        }
        page.push_str("| key | holds | required | meaning | example |\n|---|---|---|---|---|\n");
        for field in action.fields {
            let required = if field.required { "yes" } else { "no" };
            let cells = [field.shape.noun(), required.into(), field.about.into(), format!("`{}`", field.example)];
            let _ = writeln!(page, "| `{}` | {} |", field.name, cells.map(|cell| cell.replace('|', "\\|")).join(" | "));
        }
    }
    page
}

fn task_page() -> String {
    let mut page = format!("# Tasks\n\n{MADE}\nThe steps of version-2 workflows.\n\n");
    page.push_str("| task | what it does | inputs | output |\n|---|---|---|---|\n");
    for task in actions::tasks::TASKS {
        let (least, most) = task.inputs;
        let inputs = if least == most { least.to_string() } else { format!("{least} to {most}") };
        let _ = writeln!(page, "| `{}` | {} | {inputs} | `{}` |", task.name, task.about, task.output);
    }
    page.push_str("\nRefused by name:\n\n| task | why |\n|---|---|\n");
    for (name, reason) in actions::tasks::TASKS_REFUSED {
        let _ = writeln!(page, "| `{name}` | it {reason} |");
    }
    page
}

fn connection_page() -> String {
    let mut page = format!("# Connections\n\n{MADE}");
    for kind in actions::CONNECTION_TYPES {
        let _ = write!(page, "\n## `{}`\n\n{}.\n\n| key | meaning |\n|---|---|\n", kind.name, kind.about);
        for (part, keys) in [("config", kind.config), ("credentials", kind.credentials)] {
            for (key, about) in keys {
                let _ = writeln!(page, "| `{part}.{key}` | {about} |");
            }
        }
    }
    page
}

fn model_page() -> String {
    let mut page = format!("# Models\n\n{MADE}\n## Model types\n\n| key | what it is | method |\n|---|---|---|\n");
    for model in synth::MODELS {
        let _ = writeln!(page, "| `{}` | {} | {} |", model.name, model.about, model.source);
    }
    page.push_str("\n## Templates\n\nNames for `model:` and `--model`; `synthetics/` may be left out.\n\n");
    for name in synth::template_names() {
        let _ = writeln!(page, "- `{name}`");
    }
    page
}

fn metric_page() -> String {
    let mut page =
        format!("# Metrics\n\n{MADE}\n1 is best for each.\n\n| metric | what it says | source |\n|---|---|---|\n");
    for metric in quality::METRICS {
        let _ = writeln!(page, "| `{}` | {} | {} |", metric.name, metric.about, metric.source);
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_is_fresh() {
        for (path, text) in pages() {
            let found = std::fs::read_to_string(root().join(path)).unwrap_or_default();
            assert!(found == text, "{path} is stale; run `cargo xtask docs`");
        }
    }
}
