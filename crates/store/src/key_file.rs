//! Where the key that wraps all others comes from: text that the caller has, or the file `key` in the home. In: a home.
//! Out: the key. It is written whole or not at all, and never shown.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::seal::Key;

/// The key-encryption key of a store, and where it lies. Clones share it.
#[derive(Clone)]
pub(crate) struct KeySource {
    key: Arc<RwLock<Key>>,
    /// The file; `None` when the caller gave the key as text.
    file: Option<PathBuf>,
}

impl KeySource {
    /// The key given as text, else the one in the file `key` of `home`, which is made on first use.
    pub(crate) fn of_home(home: &Path, key_text: Option<&str>) -> Result<KeySource, StoreError> {
        if let Some(text) = key_text {
            let key = Key::parse(text)
                .ok_or_else(|| StoreError::Unusable("HANSEL_KEY is not a key; 64 hex digits are expected".into()))?;
            return Ok(KeySource { key: Arc::new(RwLock::new(key)), file: None });
        }
        let path = home.join("key");
        let key = match read(&path)? {
            Some(key) => key,
            None => make(&path).map_err(|error| StoreError::unusable(home, error))?,
        };
        Ok(KeySource { key: Arc::new(RwLock::new(key)), file: Some(path) })
    }

    /// The key of now.
    pub(crate) fn key(&self) -> Key {
        self.key.read().expect("nothing panics while it holds this").clone()
    }

    /// The key of this name: the one of now, or the one in the file if another process has changed it.
    pub(crate) fn named(&self, id: &str) -> Option<Key> {
        let key = self.key();
        if key.id() == id {
            return Some(key);
        }
        let key = read(self.file.as_ref()?).ok().flatten().filter(|key| key.id() == id)?;
        self.set(key.clone());
        Some(key)
    }

    /// Whether the key lies in a file of the home.
    pub(crate) fn in_file(&self) -> bool {
        self.file.is_some()
    }

    /// Writes the key that is to come beside the file of the one of now, durably.
    pub(crate) fn prepare(&self, next: &Key) -> Result<(), StoreError> {
        let Some(path) = self.next() else { return Ok(()) };
        // Under another name first, so that what bears this one is whole.
        let draft = path.with_extension(format!("new-{}", crate::ids::hex(8)));
        let written = write_private(&draft, next).and_then(|()| std::fs::rename(&draft, &path));
        written.map_err(|error| StoreError::unusable(&path, error))?;
        sync_folder(&path);
        Ok(())
    }

    /// The key that was prepared and not yet put in its place.
    pub(crate) fn prepared(&self) -> Result<Option<Key>, StoreError> {
        self.next().map_or(Ok(None), |path| read(&path))
    }

    /// Puts the prepared key in the place of the old one.
    pub(crate) fn adopt(&self, next: Key) -> Result<(), StoreError> {
        if let (Some(file), Some(path)) = (&self.file, self.next()) {
            match std::fs::rename(&path, file) {
                Ok(()) => {}
                // Another process that opened the store in between has done it.
                Err(_) if read(file)?.is_some_and(|key| key.id() == next.id()) => {}
                Err(error) => return Err(StoreError::unusable(&path, error)),
            }
            sync_folder(file);
        }
        self.set(next);
        Ok(())
    }

    /// Takes a prepared key away again.
    pub(crate) fn discard(&self) -> Result<(), StoreError> {
        self.next().map_or(Ok(()), |path| crate::files_of_home::remove(&path))
    }

    fn next(&self) -> Option<PathBuf> {
        self.file.as_ref().map(|file| file.with_extension("next"))
    }

    fn set(&self, key: Key) {
        *self.key.write().expect("nothing panics while it holds this") = key;
    }
}

fn read(path: &Path) -> Result<Option<Key>, StoreError> {
    match std::fs::read_to_string(path) {
        Ok(text) => {
            let text = Zeroizing::new(text);
            Key::parse(text.trim()).map(Some).ok_or_else(|| {
                StoreError::Unusable(format!("the file `{}` is not a key; 64 hex digits are expected", path.display()))
            })
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::unusable(path, error)),
    }
}

fn make(path: &Path) -> std::io::Result<Key> {
    // Written whole under a name of its own first: a crash leaves no half key behind, and two processes that begin at
    // once do not write into one file.
    let draft = path.with_extension(format!("new-{}", crate::ids::hex(8)));
    let key = Key::drawn();
    write_private(&draft, &key)?;
    // A link, not a rename: of the two, the second takes the first one's key.
    let linked = std::fs::hard_link(&draft, path);
    std::fs::remove_file(&draft)?;
    match linked {
        Ok(()) => {
            sync_folder(path);
            Ok(key)
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let text = Zeroizing::new(std::fs::read_to_string(path)?);
            Key::parse(text.trim()).ok_or_else(|| std::io::Error::other("the key file is not a key"))
        }
        Err(error) => Err(error),
    }
}

fn write_private(path: &Path, key: &Key) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(key.text().as_bytes())?;
    file.sync_all()
}

/// Makes the new name of a file survive a power cut, where the system can.
fn sync_folder(path: &Path) {
    if let Some(Ok(folder)) = path.parent().map(std::fs::File::open) {
        let _ = folder.sync_all();
    }
}
