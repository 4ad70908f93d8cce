//! `hansel backup` and `hansel restore`: a home as one file, and back.

use std::path::{Path, PathBuf};

use serde_json::json;
use workflow::{Code, Failure};

use super::Setting;
use super::say::{self, Stop};
use crate::archive::{self, Packing};

/// Copy the home into one file, while a server goes on working
///
/// The copy has the database as of one moment, models, reports, kept files and uploads. With HANSEL_DATABASE the records
/// are not in the home: copy them with pg_dump first.
#[derive(clap::Args)]
pub(crate) struct Backup {
    /// The file to write, or a folder to write one into
    #[arg(value_name = "FILE|DIR")]
    to: PathBuf,
    /// Put the key that seals secrets into it too; whoever has the file has the secrets
    #[arg(long)]
    with_key: bool,
}

/// Make a home from a file that `hansel backup` wrote
#[derive(clap::Args)]
pub(crate) struct Restore {
    /// The file
    #[arg(value_name = "FILE")]
    from: PathBuf,
}

impl Backup {
    pub(crate) fn go(self, setting: &Setting) -> Result<(), Stop> {
        let home = setting.home_dir()?;
        if !crate::memory::exists(&home) {
            let message = format!("the home directory `{}` has no records", home.display());
            return Err(Failure::new(Code::NotFound, message).hint("Name another with `--home DIR`.").into());
        }
        let memory = setting.memory()?;
        let path = match self.to.is_dir() {
            true => self.to.join(format!("hansel-{}.tar.zst", jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ"))),
            false => self.to,
        };
        if path.exists() {
            return Err(Failure::new(Code::Usage, format!("`{}` is there already", path.display())).into());
        }
        let mut packing = Packing::begin(&path)?;
        let scratch = private_folder(".hansel-backup-", &home)
            .map_err(|error| Failure::new(Code::HomeUnusable, "a folder in the home cannot be made").cause(error))?;
        let copy = scratch.path().join("hansel.db");
        // The database first: the files that it speaks of are there before it does.
        let database = match memory.ask(memory.store.copy_database(&copy))? {
            true => "sqlite",
            false => "postgres",
        };
        packing.add("hansel.db", &copy)?;
        for folder in store::KEPT {
            packing.add_folder(folder, &home.join(folder))?;
        }
        let [plain, wrapped] = store::KEY_FILES;
        // Without its key service the wrapped key opens nothing.
        packing.add(wrapped, &home.join(wrapped))?;
        let key = self.with_key && home.join(plain).is_file();
        if key {
            packing.add(plain, &home.join(plain))?;
        }
        let manifest = packing.end(&path, database, key)?;
        if database == "postgres" {
            say::note("the records are in PostgreSQL and not in this file; copy them with pg_dump, before the home");
        }
        if !key {
            say::note(key_note(&home));
        }
        let bytes = std::fs::metadata(&path).map(|found| found.len()).unwrap_or(0);
        if setting.json() {
            say::json(&json!({
                "file": path.display().to_string(), "files": manifest.files.len(), "bytes": bytes,
                "database": database, "key": key,
            }));
        } else {
            say::result(&format!("{}: {} files", path.display(), manifest.files.len()));
        }
        Ok(())
    }
}

fn key_note(home: &Path) -> &'static str {
    let [plain, wrapped] = store::KEY_FILES;
    if home.join(wrapped).is_file() {
        "the key is in it as the key service wrapped it; a restored home needs HANSEL_KEY_KMS"
    } else if home.join(plain).is_file() {
        "the file `key` of the home is not in it; keep a copy elsewhere, or no restored secret can be opened"
    } else {
        "the key is not in it; a restored home needs the same HANSEL_KEY"
    }
}

impl Restore {
    pub(crate) fn go(self, setting: &Setting) -> Result<(), Stop> {
        let home = setting.home_dir()?;
        let unusable = |error: std::io::Error| {
            Failure::new(Code::HomeUnusable, format!("the home directory `{}` cannot be made", home.display()))
                .cause(error)
        };
        let there = match std::fs::read_dir(&home) {
            Ok(mut entries) => match entries.next() {
                None => true,
                Some(_) => {
                    let message = format!("the home directory `{}` is not empty", home.display());
                    return Err(Failure::new(Code::HomeUnusable, message)
                        .hint("Name a new one with `--home DIR`; nothing is ever restored over another home.")
                        .into());
                }
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
            Err(error) => return Err(unusable(error).into()),
        };
        // Beside the home until all of it is checked, or within one that is there, which may be a mounted volume. Such a
        // folder is its owner's only, and goes away with a failure.
        let beside = home.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let place = if there { &home } else { beside };
        std::fs::create_dir_all(place).map_err(unusable)?;
        let draft = private_folder(".hansel-restore-", place).map_err(unusable)?;
        let manifest = archive::unpack(&self.from, draft.path())?;
        if there {
            move_up(draft.path(), &home).map_err(unusable)?;
        } else {
            std::fs::rename(draft.path(), &home).map_err(unusable)?;
            let _ = draft.keep();
        }
        if manifest.database == "postgres" {
            say::note("the records were in PostgreSQL; restore them with psql or pg_restore and set HANSEL_DATABASE");
        }
        if !manifest.key {
            say::note(
                "the key that seals secrets was not in the file; put it into the home as `key`, or set HANSEL_KEY",
            );
        }
        if setting.json() {
            let (home, files) = (home.display().to_string(), manifest.files.len());
            say::json(&json!({ "home": home, "files": files, "created_at": manifest.created_at }));
        } else {
            say::result(&format!(
                "{}: {} files of {}, by hansel {}",
                home.display(),
                manifest.files.len(),
                manifest.created_at,
                manifest.hansel
            ));
        }
        Ok(())
    }
}

/// A folder for its owner only, which goes away again.
fn private_folder(prefix: &str, place: &Path) -> std::io::Result<tempfile::TempDir> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.prefix(prefix).tempdir_in(place)
}

/// Moves what is in a folder of the home into the home, the database last: a home without it is none.
fn move_up(draft: &Path, home: &Path) -> std::io::Result<()> {
    let entries = std::fs::read_dir(draft)?.collect::<Result<Vec<_>, _>>()?;
    let mut names: Vec<_> = entries.into_iter().map(|entry| entry.file_name()).collect();
    names.sort_by_key(|name| name == "hansel.db");
    names.iter().try_for_each(|name| std::fs::rename(draft.join(name), home.join(name)))
}
