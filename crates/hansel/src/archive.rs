//! A home as one file, and back: tar under zstd, with a list of what is in it and of what it hashes to as the last entry.
//! Nothing is written over, nothing lands outside the new home, and what is not whole is not taken.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use workflow::{Code, Failure};

/// The version of the form that this program writes and reads.
const FORMAT: u32 = 1;
const MANIFEST: &str = "manifest.json";
/// Longest list that is read, in bytes: some millions of files.
const MANIFEST_MAX: u64 = 1 << 30;

/// What an archive says of itself.
#[derive(Serialize, Deserialize)]
pub(crate) struct Manifest {
    format: u32,
    /// The program that wrote it.
    pub(crate) hansel: String,
    /// When it was written, RFC 3339.
    pub(crate) created_at: String,
    /// `sqlite`, or `postgres` where the database is not in the archive.
    pub(crate) database: String,
    /// Whether the key that seals secrets is in it.
    pub(crate) key: bool,
    /// SHA-256 of each file.
    pub(crate) files: BTreeMap<String, String>,
}

/// Writes an archive file by file.
pub(crate) struct Packing {
    tar: tar::Builder<zstd::Encoder<'static, BufWriter<File>>>,
    draft: tempfile::NamedTempFile,
    files: BTreeMap<String, String>,
}

impl Packing {
    /// Begins an archive that is to lie at `path`; until it is whole it has another name beside it.
    pub(crate) fn begin(path: &Path) -> Result<Packing, Failure> {
        let begin = || {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            // Readable by its owner only, as temporary files are.
            let draft = tempfile::Builder::new().prefix(".hansel-backup-").tempfile_in(folder)?;
            let zstd = zstd::Encoder::new(BufWriter::new(draft.as_file().try_clone()?), 3)?;
            Ok(Packing { tar: tar::Builder::new(zstd), draft, files: BTreeMap::new() })
        };
        begin().map_err(|error| unwritten(path, error))
    }

    /// Adds a file; one that is gone by now is left out.
    pub(crate) fn add(&mut self, name: &str, path: &Path) -> Result<(), Failure> {
        let odd = |error: std::io::Error| unread(path, error);
        let file = match File::open(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            file => file.map_err(odd)?,
        };
        let bytes = file.metadata().map_err(odd)?.len();
        let mut header = header(bytes);
        // A file that work under way makes shorter is filled up, and one that grows is cut: nothing in the database
        // speaks of it yet, and the work is done again.
        let mut hashed = Hashed { from: file.take(bytes).chain(std::io::repeat(0)).take(bytes), hash: Sha256::new() };
        self.tar.append_data(&mut header, name, &mut hashed).map_err(odd)?;
        self.files.insert(name.into(), hex(&hashed.hash.finalize()));
        Ok(())
    }

    /// Adds every file of a folder and of those below it, in the order of their names; drafts are left out.
    pub(crate) fn add_folder(&mut self, name: &str, path: &Path) -> Result<(), Failure> {
        let entries = match std::fs::read_dir(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            entries => entries.and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(|error| unread(path, error))?,
        };
        let mut paths: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            let Some(own) = path.file_name().and_then(|own| own.to_str()) else { continue };
            let name = format!("{name}/{own}");
            let kind = match std::fs::symlink_metadata(&path) {
                Ok(found) => found.file_type(),
                Err(_) => continue,
            };
            if kind.is_dir() {
                self.add_folder(&name, &path)?;
            } else if kind.is_file() && !own.ends_with(".part") {
                self.add(&name, &path)?;
            }
        }
        Ok(())
    }

    /// Ends the archive and puts it in its place.
    pub(crate) fn end(self, path: &Path, database: &str, key: bool) -> Result<Manifest, Failure> {
        let Packing { mut tar, draft, files } = self;
        let (hansel, created_at) = (env!("CARGO_PKG_VERSION").to_string(), jiff::Timestamp::now().to_string());
        let manifest = Manifest { format: FORMAT, hansel, created_at, database: database.into(), key, files };
        let end = || {
            let text = serde_json::to_vec(&manifest)?;
            tar.append_data(&mut header(text.len() as u64), MANIFEST, text.as_slice())?;
            tar.into_inner()?.finish()?.flush()?;
            draft.as_file().sync_all()?;
            draft.persist_noclobber(path).map_err(|error| error.error)?;
            Ok(())
        };
        end().map_err(|error| unwritten(path, error))?;
        Ok(manifest)
    }
}

/// Unpacks an archive into a new folder, and gives its list once everything in it is as the list says.
pub(crate) fn unpack(archive: &Path, into: &Path) -> Result<Manifest, Failure> {
    let odd = |error: std::io::Error| unread(archive, error);
    let file = File::open(archive).map_err(odd)?;
    let mut tar = tar::Archive::new(zstd::Decoder::with_buffer(BufReader::new(file)).map_err(odd)?);
    let mut found = BTreeMap::new();
    let mut manifest: Option<Manifest> = None;
    for entry in tar.entries().map_err(odd)? {
        let mut entry = entry.map_err(odd)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if manifest.is_some() || !entry.header().entry_type().is_file() || !belongs(&name) {
            let shown: String = name.chars().take(200).collect();
            return Err(not_ours(archive, &format!("`{shown}` does not belong there")));
        }
        if name == MANIFEST {
            let text = serde_json::from_reader((&mut entry).take(MANIFEST_MAX));
            manifest = Some(text.map_err(|_| not_ours(archive, "its list cannot be read"))?);
            continue;
        }
        let path = into.join(&name);
        std::fs::create_dir_all(path.parent().unwrap_or(into)).map_err(|error| unwritten(&path, error))?;
        // New files only: a second entry of the same name is refused here.
        let mut file = private(&path).map_err(|error| unwritten(&path, error))?;
        let mut hashed = Hashed { from: &mut entry, hash: Sha256::new() };
        std::io::copy(&mut hashed, &mut file).map_err(odd)?;
        file.sync_all().map_err(|error| unwritten(&path, error))?;
        found.insert(name, hex(&hashed.hash.finalize()));
    }
    let manifest = manifest.ok_or_else(|| not_ours(archive, "it ends before its list"))?;
    if manifest.format != FORMAT {
        let message = format!("it is of format {}; this program reads format {FORMAT}", manifest.format);
        return Err(not_ours(archive, &message));
    }
    match manifest.files.iter().find(|(name, hash)| found.get(*name) != Some(hash)) {
        Some((name, _)) => Err(not_ours(archive, &format!("`{name}` is not what was packed"))),
        None if found.len() != manifest.files.len() => Err(not_ours(archive, "it holds more than its list says")),
        None => Ok(manifest),
    }
}

/// Whether a name is that of a file which a home may have: plain parts, below one of the known names.
fn belongs(name: &str) -> bool {
    let path = Path::new(name);
    let plain = path.components().all(|part| matches!(part, Component::Normal(_))) && !name.contains(['\\', '\0']);
    let top = name.split('/').next().unwrap_or_default();
    let alone = name == MANIFEST || name == "hansel.db" || store::KEY_FILES.contains(&name);
    plain && (alone || (store::KEPT.contains(&top) && name.len() > top.len() + 1))
}

/// Bytes that are hashed as they are read.
struct Hashed<R> {
    from: R,
    hash: Sha256,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.from.read(buffer)?;
        self.hash.update(&buffer[..count]);
        Ok(count)
    }
}

fn header(bytes: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes);
    header.set_mode(0o600);
    header
}

fn private(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unread(path: &Path, error: std::io::Error) -> Failure {
    Failure::new(Code::Usage, format!("`{}` cannot be read", path.display())).cause(error)
}

fn unwritten(path: &Path, error: std::io::Error) -> Failure {
    Failure::new(Code::HomeUnusable, format!("`{}` cannot be written", path.display())).cause(error)
}

fn not_ours(path: &Path, why: &str) -> Failure {
    Failure::new(Code::Usage, format!("the archive `{}` is not a whole backup of a home: {why}", path.display()))
        .hint("Nothing was restored. Take another copy of the archive.")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An archive of one entry of this name, written byte by byte as a stranger would.
    fn archive(name: &str, kind: tar::EntryType) -> Vec<u8> {
        let mut header = header(4);
        header.set_entry_type(kind);
        header.as_gnu_mut().expect("it is one of GNU's").name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        let mut tar = tar::Builder::new(Vec::new());
        tar.append(&header, &b"evil"[..]).expect("memory takes everything");
        zstd::encode_all(&tar.into_inner().expect("memory takes everything")[..], 1).expect("it can be packed")
    }

    #[test]
    fn nothing_lands_outside_the_home_or_under_a_strange_name() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let (path, home) = (folder.path().join("a.tar.zst"), folder.path().join("home"));
        for name in ["../evil", "artifacts/../../evil", "/tmp/evil", "artifacts//../evil", "evil", "artifacts", "key/x"]
        {
            std::fs::write(&path, archive(name, tar::EntryType::Regular)).expect("it can be written");
            let failure = unpack(&path, &home).err().expect("it is refused");
            assert!(failure.message.contains("does not belong there"), "{name}: {failure}");
        }
        for kind in [tar::EntryType::Symlink, tar::EntryType::Link, tar::EntryType::Directory] {
            std::fs::write(&path, archive("artifacts/a", kind)).expect("it can be written");
            assert!(unpack(&path, &home).is_err(), "{kind:?}");
        }
        assert!(!home.exists() && !folder.path().join("evil").exists());
        std::fs::write(&path, archive("artifacts/a", tar::EntryType::Regular)).expect("it can be written");
        let failure = unpack(&path, &home).err().expect("it has no list");
        assert!(failure.message.contains("ends before its list"), "{failure}");
    }

    #[test]
    fn a_file_that_is_not_what_was_packed_is_told_by_name() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let (path, file) = (folder.path().join("a.tar.zst"), folder.path().join("file"));
        for (number, wrong) in [false, true].into_iter().enumerate() {
            std::fs::write(&file, "true").expect("it can be written");
            let path = path.with_extension(number.to_string());
            let mut packing = Packing::begin(&path).expect("the folder is there");
            packing.add("artifacts/a", &file).expect("it can be read");
            if wrong {
                packing.files.insert("artifacts/a".into(), hex(&Sha256::digest("false")));
            }
            packing.end(&path, "sqlite", false).expect("it can be written");
            let unpacked = unpack(&path, &folder.path().join(format!("home{number}")));
            match unpacked {
                Ok(manifest) => assert!(!wrong && manifest.files.len() == 1),
                Err(failure) => assert!(wrong && failure.message.contains("`artifacts/a` is not"), "{failure}"),
            }
        }
    }
}
