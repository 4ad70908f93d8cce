//! What flows between actions: a dataset of files, each with the object it came from.

use std::path::PathBuf;
use std::sync::Arc;

/// The object at the root of a lineage. Everything made from it carries the same origin, and references are joined
/// by it, never by position.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// The bucket or container.
    pub bucket: String,
    /// The key within it.
    pub key: String,
    /// What tells one version of the object from another, such as ETag, size and time.
    pub identity: String,
}

/// A handle on bytes that lie in the unit's own scratch folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Data {
    /// The file.
    pub path: PathBuf,
    /// Its length in bytes.
    pub bytes: u64,
    /// Where the bytes came from, as label and value, for the metadata of what is written.
    pub provenance: Vec<(String, String)>,
}

/// One file of a dataset; it is a table as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// What it descends from.
    pub origin: Arc<Origin>,
    /// The key relative to the source's `path`.
    pub filename: String,
    /// The full key.
    pub source_filename: String,
    /// The bytes.
    pub data: Data,
}

/// What an action gives: files, of one lineage within a unit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dataset {
    /// The files.
    pub files: Vec<File>,
}

/// The table name of a key: every character that a database would not take in a plain name becomes `_`.
pub fn table_name(key: &str) -> String {
    key.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }).collect()
}
