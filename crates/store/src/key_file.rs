//! Where the key that wraps all others comes from: text that the caller has, the file `key` in the home, or the file
//! `key.kms`, in which it lies wrapped by a key service. In: a home. Out: the key. It is written whole or not at all, and
//! never shown.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::seal::Key;

/// A service outside that wraps the key of a home with a key that never leaves it. Errors are one line, without secret.
pub trait KeyService: Send + Sync {
    /// The key under the service's key.
    fn wrap(&self, key: &[u8]) -> Result<Vec<u8>, String>;
    /// What was wrapped.
    fn unwrap(&self, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, String>;
}

/// Where the key of a home comes from.
#[derive(Clone)]
pub enum HomeKey<'a> {
    /// The file `key` in the home, made on first use.
    File,
    /// 64 hex digits.
    Text(&'a str),
    /// The file `key.kms` in the home, made on first use: the key wrapped by a service. A file `key` that is there goes
    /// over into it.
    Service(Arc<dyn KeyService>),
}

/// The key-encryption key of a store, and where it lies. Clones share it.
#[derive(Clone)]
pub(crate) struct KeySource {
    key: Arc<RwLock<Key>>,
    /// `None` when the caller gave the key as text.
    place: Option<Place>,
}

/// A file that holds a key, as it is or wrapped.
#[derive(Clone)]
struct Place {
    file: PathBuf,
    service: Option<Arc<dyn KeyService>>,
}

impl KeySource {
    /// The key of `home`.
    pub(crate) fn of_home(home: &Path, from: &HomeKey<'_>) -> Result<KeySource, StoreError> {
        let plain = Place { file: home.join("key"), service: None };
        let wrapped = home.join("key.kms");
        let place = match from {
            HomeKey::Text(text) => {
                let key = Key::parse(text).ok_or_else(|| {
                    StoreError::Unusable("HANSEL_KEY is not a key; 64 hex digits are expected".into())
                })?;
                return Ok(KeySource { key: Arc::new(RwLock::new(key)), place: None });
            }
            // A second key beside the wrapped one would open nothing.
            HomeKey::File if wrapped.exists() => {
                return Err(StoreError::Unusable(format!(
                    "the key of the home lies in `{}`, wrapped by a key service; HANSEL_KEY_KMS has to name its key",
                    wrapped.display()
                )));
            }
            HomeKey::File => plain.clone(),
            HomeKey::Service(service) => Place { file: wrapped, service: Some(service.clone()) },
        };
        let key = match place.read(&place.file)? {
            Some(key) => key,
            None => {
                let old = if place.service.is_some() { plain.read(&plain.file)? } else { None };
                place.make(old.unwrap_or_else(Key::drawn))?
            }
        };
        if place.service.is_some() && plain.read(&plain.file)?.is_some_and(|old| old.id() == key.id()) {
            crate::files_of_home::remove(&plain.file)?;
        }
        Ok(KeySource { key: Arc::new(RwLock::new(key)), place: Some(place) })
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
        let place = self.place.as_ref()?;
        let key = place.read(&place.file).ok().flatten().filter(|key| key.id() == id)?;
        self.set(key.clone());
        Some(key)
    }

    /// Whether the key lies in a file of the home.
    pub(crate) fn in_file(&self) -> bool {
        self.place.is_some()
    }

    /// Writes the key that is to come beside the file of the one of now, durably.
    pub(crate) fn prepare(&self, next: &Key) -> Result<(), StoreError> {
        let Some(place) = &self.place else { return Ok(()) };
        let path = place.next();
        let draft = place.draft(next)?;
        std::fs::rename(&draft, &path).map_err(|error| StoreError::unusable(&path, error))?;
        sync_folder(&path);
        Ok(())
    }

    /// The key that was prepared and not yet put in its place.
    pub(crate) fn prepared(&self) -> Result<Option<Key>, StoreError> {
        self.place.as_ref().map_or(Ok(None), |place| place.read(&place.next()))
    }

    /// Puts the prepared key in the place of the old one.
    pub(crate) fn adopt(&self, next: Key) -> Result<(), StoreError> {
        if let Some(place) = &self.place {
            match std::fs::rename(place.next(), &place.file) {
                Ok(()) => {}
                // Another process that opened the store in between has done it.
                Err(_) if place.read(&place.file)?.is_some_and(|key| key.id() == next.id()) => {}
                Err(error) => return Err(StoreError::unusable(&place.next(), error)),
            }
            sync_folder(&place.file);
        }
        self.set(next);
        Ok(())
    }

    /// Takes a prepared key away again.
    pub(crate) fn discard(&self) -> Result<(), StoreError> {
        self.place.as_ref().map_or(Ok(()), |place| crate::files_of_home::remove(&place.next()))
    }

    fn set(&self, key: Key) {
        *self.key.write().expect("nothing panics while it holds this") = key;
    }
}

impl Place {
    /// The key in a file of this form, if the file is there.
    fn read(&self, path: &Path) -> Result<Option<Key>, StoreError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::unusable(path, error)),
        };
        let Some(service) = &self.service else {
            return Key::parse(text.trim()).map(Some).ok_or_else(|| {
                StoreError::Unusable(format!("the file `{}` is not a key; 64 hex digits are expected", path.display()))
            });
        };
        let odd = || StoreError::Unusable(format!("the file `{}` does not hold a wrapped key", path.display()));
        let wrapped = STANDARD.decode(text.trim()).map_err(|_| odd())?;
        let plain = service.unwrap(&wrapped).map_err(|error| {
            StoreError::Unusable(format!("the key in `{}` cannot be unwrapped: {error}", path.display()))
        })?;
        Key::from_bytes(&plain).map(Some).ok_or_else(odd)
    }

    /// Writes a first key; gives the one that lies there afterwards.
    fn make(&self, key: Key) -> Result<Key, StoreError> {
        // Written whole under a name of its own first: a crash leaves no half key behind, and two processes that begin
        // at once do not write into one file.
        let draft = self.draft(&key)?;
        // A link, not a rename: of the two, the second takes the first one's key.
        let linked = std::fs::hard_link(&draft, &self.file);
        crate::files_of_home::remove(&draft)?;
        match linked {
            Ok(()) => {
                sync_folder(&self.file);
                Ok(key)
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                self.read(&self.file)?.ok_or_else(|| StoreError::unusable(&self.file, "the key file came and went"))
            }
            Err(error) => Err(StoreError::unusable(&self.file, error)),
        }
    }

    /// The key in a file of a name that nobody else uses, durably.
    fn draft(&self, key: &Key) -> Result<PathBuf, StoreError> {
        let text = match &self.service {
            None => key.text(),
            Some(service) => {
                let wrapped = service
                    .wrap(key.bytes())
                    .map_err(|error| StoreError::Unusable(format!("the key of the home cannot be wrapped: {error}")))?;
                Zeroizing::new(STANDARD.encode(wrapped))
            }
        };
        let draft = self.beside(&format!(".new-{}", crate::ids::hex(8)));
        write_private(&draft, &text).map_err(|error| StoreError::unusable(&draft, error))?;
        Ok(draft)
    }

    fn next(&self) -> PathBuf {
        self.beside(".next")
    }

    fn beside(&self, end: &str) -> PathBuf {
        let mut name = self.file.clone().into_os_string();
        name.push(end);
        name.into()
    }
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Makes the new name of a file survive a power cut, where the system can.
fn sync_folder(path: &Path) {
    if let Some(Ok(folder)) = path.parent().map(std::fs::File::open) {
        let _ = folder.sync_all();
    }
}
