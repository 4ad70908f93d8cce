//! Model files outlive the version that wrote them, and damaged ones are refused.

use std::path::PathBuf;

use actions::ModelFile;
use workflow::Code;

use crate::fixtures::table;
use crate::world::{World, repository};

/// The formats of a source, each of which a layout keeps in a form of its own.
const FORMATS: [&str; 3] = ["csv", "jsonl", "parquet"];

fn folder() -> PathBuf {
    repository().join("tests/data/models")
}

/// A file of this format to train on.
fn source(world: &World, format: &str) -> PathBuf {
    let path = world.path(&format!("in.{format}"));
    let bytes = match format {
        "csv" => table(80, 5).into_bytes(),
        "jsonl" => {
            let record = |row: usize| {
                let (city, sum) = (["Wien", "Graz", "Linz"][row % 3], 40 + row * row % 90);
                format!("{{\"id\":{row},\"who\":{{\"city\":\"{city}\",\"ok\":{}}},\"sum\":{sum}}}\n", row % 4 < 2)
            };
            (1..60).map(record).collect::<String>().into_bytes()
        }
        _ => std::fs::read(repository().join("tests/data/shops.parquet")).expect("it is there"),
    };
    std::fs::write(&path, bytes).expect("a folder of our own");
    path
}

/// With `UPDATE=1` the models of this version are written anew, as `model-<version>.<format>.hansel`. Do so only while
/// no released version has written such files; afterwards a new version of the form gets files of a new name.
#[test]
fn saved_models_stay_readable() {
    const VERSION: u32 = 1;
    let world = World::new();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(folder()).expect("a folder can be made");
        for format in FORMATS {
            let model = folder().join(format!("model-{VERSION}.{format}.hansel"));
            let (input, model) = (source(&world, format), model.display().to_string());
            let said = world.hansel(&["synthesize", &input.display().to_string(), "--save", &model, "--seed", "5"]);
            assert!(said.as_ref().is_ok_and(|said| !said.contains("exit")), "{said:?}");
        }
    }
    let mut models: Vec<PathBuf> =
        std::fs::read_dir(folder()).expect("it is there").map(|entry| entry.expect("readable").path()).collect();
    models.sort();
    assert!(models.len() >= FORMATS.len(), "{models:?}");
    for model in models {
        let name = model.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let format = FORMATS.into_iter().find(|format| name.contains(format)).expect("named for its format");
        let out = format!("out.{format}");
        let said = world.hansel(&["sample", &model.display().to_string(), "-o", &out, "--rows", "30"]);
        let expected = format!("{out}: 30 rows from the model of `in.{format}`\n");
        assert_eq!(said, Ok(expected), "{name}; see CONTRIBUTING.md on model files");
        let path = world.path(&out);
        let options = table::ReadOptions { rows_max: 100, bytes_max: 1 << 20, seed: 0 };
        let open = |path: &PathBuf| {
            let file = std::fs::File::open(path).expect("it was written");
            table::read(&out, &file, &options).unwrap_or_else(|error| panic!("{name}: {error}")).table
        };
        let (made, real) = (open(&path), open(&source(&world, format)));
        let names = |table: &table::Table| -> Vec<String> {
            (0..table.columns()).map(|column| table.name(column).to_string()).collect()
        };
        assert_eq!((made.rows(), names(&made)), (30, names(&real)), "{name}");
    }
}

#[test]
fn no_cut_or_changed_model_is_read() {
    let world = World::new();
    for format in FORMATS {
        let said = world.hansel(&["synthesize", &source(&world, format).display().to_string(), "--save", "m.hansel"]);
        assert!(said.is_ok(), "{said:?}");
        let bytes = std::fs::read(world.path("m.hansel")).expect("it was saved");
        assert!(ModelFile::from_bytes("m", &bytes).is_ok());
        let refused = |bytes: &[u8], what: String| match ModelFile::from_bytes("m", bytes) {
            Ok(_) => panic!("{what} is read"),
            Err(failure) => assert_eq!((failure.code, failure.hint.is_some()), (Code::ModelUnreadable, true), "{what}"),
        };
        for end in (0..bytes.len()).step_by(7) {
            refused(&bytes[..end], format!("{format} cut at {end}"));
        }
        for at in (0..bytes.len()).step_by(3) {
            let mut changed = bytes.clone();
            changed[at] ^= 0x10;
            refused(&changed, format!("{format} changed at {at}"));
        }
    }
}
