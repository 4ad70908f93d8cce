//! Which server is meant and with which key: from the command line, the environment, or the configuration file of the
//! documented client. Nothing of it is printed but the start of a key, as the documented client does.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use workflow::{Code, Failure};
use zeroize::Zeroizing;

/// An API key. It has no form for printing.
#[derive(Clone)]
pub(crate) struct Key(Zeroizing<String>);

impl Key {
    /// A key from its text.
    pub(crate) fn new(text: &str) -> Key {
        Key(Zeroizing::new(text.trim().to_string()))
    }

    /// The text, for the header of a request and for the file that keeps it.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The first characters, as they may be shown.
    pub(crate) fn masked(&self) -> String {
        format!("{}****", self.0.chars().take(8).collect::<String>())
    }
}

/// A server that was named, with what goes with it.
#[derive(Clone)]
pub(crate) struct Named {
    /// Address without a slash at its end.
    pub(crate) endpoint: String,
    /// The key, where there is one for this server.
    pub(crate) key: Option<Key>,
    /// The default project.
    pub(crate) project: Option<String>,
}

impl Named {
    /// Whether the server is on this machine.
    pub(crate) fn loopback(&self) -> bool {
        loopback(&self.endpoint)
    }
}

/// The server that is meant, if one is: `asked` on the command line, HANSEL_ENDPOINT, GRETEL_ENDPOINT, or that of the
/// configuration file. Key and project of the file go with the file's endpoint only. Beside it, what is to be said
/// about the choice.
pub(crate) fn named(asked: Option<&str>) -> Result<(Option<Named>, Vec<String>), Failure> {
    let mut notes = Vec::new();
    let file = ConfigFile::read()?;
    let mut alive = |text: Option<String>, origin: &str| -> Result<Option<String>, Failure> {
        match text {
            Some(text) if dead(&text) => {
                notes.push(format!("note: {origin} names `{text}`, which is gone; it is not used"));
                Ok(None)
            }
            Some(text) => Ok(Some(checked(&text, origin)?)),
            None => Ok(None),
        }
    };
    let (of_file, endpoint) = match (asked, variable("HANSEL_ENDPOINT")) {
        (Some(text), _) => (file.text("endpoint"), Some(checked(text, "`--endpoint`")?)),
        (None, Some(text)) => (file.text("endpoint"), Some(checked(&text, "HANSEL_ENDPOINT")?)),
        (None, None) => {
            let of_file = alive(file.text("endpoint"), &format!("`{}`", file.path.display()))?;
            (of_file.clone(), alive(variable("GRETEL_ENDPOINT"), "GRETEL_ENDPOINT")?.or(of_file))
        }
    };
    let Some(endpoint) = endpoint else { return Ok((None, notes)) };
    let of_file = of_file.map(|text| text.trim_end_matches('/').to_string());
    let same = of_file.as_ref() == Some(&endpoint);
    let of_file = |name: &str| file.text(name).filter(|text| same && text != "none");
    let own = variable("HANSEL_API_KEY").or_else(|| variable("GRETEL_API_KEY"));
    let kept = of_file("api_key").filter(|_| own.is_none());
    if kept.is_some() && readable_by_others(&file.path) {
        let place = file.path.display();
        notes.push(format!("warning: others may read the key in `{place}`; `chmod 600` keeps it yours"));
    }
    let key = own.or(kept);
    let key = key.map(|text| Key::new(&text));
    let project = ["HANSEL_PROJECT", "GRETEL_DEFAULT_PROJECT", "GRETEL_PROJECT"].into_iter().find_map(variable);
    let project = project.or_else(|| of_file("default_project_name"));
    if key.is_some() && open_to_all(&endpoint) {
        notes.push(format!("warning: the key goes to `{endpoint}` unencrypted; use https outside this machine"));
    }
    Ok((Some(Named { endpoint, key, project }), notes))
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

/// Whether an address is one of the service that was switched off.
fn dead(endpoint: &str) -> bool {
    let host = host(endpoint);
    host == "api.gretel.ai" || host == "gretel.cloud" || host.ends_with(".gretel.cloud")
}

#[cfg(unix)]
fn readable_by_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn readable_by_others(_path: &Path) -> bool {
    false
}

/// Whether requests to an address can be read on the way.
fn open_to_all(endpoint: &str) -> bool {
    endpoint.starts_with("http://") && !loopback(endpoint)
}

fn loopback(endpoint: &str) -> bool {
    let host = host(endpoint);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// The host of an address, in lower case and without brackets.
fn host(endpoint: &str) -> String {
    let rest = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host.to_lowercase()
}

/// An address as it is used, or why it is none.
pub(crate) fn checked(text: &str, origin: &str) -> Result<String, Failure> {
    let text = text.trim().trim_end_matches('/');
    let good = ["http://", "https://"].iter().any(|scheme| text.starts_with(scheme)) && !host(text).is_empty();
    let plain = text.chars().all(|c| c.is_ascii_graphic()) && !text.contains(['@', '?', '#']);
    if good && plain && text.parse::<ureq::http::Uri>().is_ok() {
        return Ok(text.to_string());
    }
    // What stands before an `@` may be a password.
    let shown = text.rsplit_once('@').map_or(text, |(_, rest)| rest);
    let message = format!("{origin} is `{shown}`; an address such as `https://hansel.example.com` is expected");
    Err(Failure::new(Code::Usage, message))
}

/// The configuration file of the documented client: one flat JSON object.
pub(crate) struct ConfigFile {
    /// Where it is, or would be.
    pub(crate) path: PathBuf,
    map: Map<String, Value>,
}

impl ConfigFile {
    /// Reads the file of $GRETEL_CONFIG_FILE, else `~/.gretel/config.json`; one that is not there is empty.
    pub(crate) fn read() -> Result<ConfigFile, Failure> {
        let path = match std::env::var_os("GRETEL_CONFIG_FILE").filter(|path| !path.is_empty()) {
            Some(path) => PathBuf::from(path),
            None => match std::env::home_dir() {
                Some(home) => home.join(".gretel/config.json"),
                None => return Ok(ConfigFile { path: PathBuf::new(), map: Map::new() }),
            },
        };
        let shown = path.display().to_string();
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(ConfigFile { path, map: Map::new() });
            }
            Err(error) => {
                let message = format!("the configuration file `{shown}` cannot be read");
                return Err(Failure::new(Code::Usage, message).cause(error));
            }
        };
        match serde_json::from_str(&text) {
            Ok(Value::Object(map)) => Ok(ConfigFile { path, map }),
            _ => Err(Failure::new(Code::Usage, format!("the configuration file `{shown}` is not a JSON object"))
                .hint("Delete it, or write it anew with `hansel configure`.")),
        }
    }

    /// An empty one in the same place, for a file that is to be written anew.
    pub(crate) fn anew() -> ConfigFile {
        match ConfigFile::read() {
            Ok(file) => file,
            Err(_) => {
                let named = std::env::var_os("GRETEL_CONFIG_FILE").filter(|path| !path.is_empty()).map(PathBuf::from);
                let path = named.or_else(|| std::env::home_dir().map(|home| home.join(".gretel/config.json")));
                ConfigFile { path: path.unwrap_or_default(), map: Map::new() }
            }
        }
    }

    /// A setting that is text and not empty.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.map.get(name)?.as_str().map(str::trim).filter(|text| !text.is_empty()).map(str::to_string)
    }

    /// Changes a setting; none is written as null, as the documented client does.
    pub(crate) fn set(&mut self, name: &str, value: Option<&str>) {
        self.map.insert(name.into(), json!(value));
    }

    /// Gives a setting a value where it has none.
    pub(crate) fn fill(&mut self, name: &str, value: Option<&str>) {
        self.map.entry(name.to_string()).or_insert_with(|| json!(value));
    }

    /// The settings with the key masked.
    pub(crate) fn masked(&self) -> Value {
        let mut map = self.map.clone();
        let key = self.text("api_key").map_or_else(|| "None".to_string(), |key| Key::new(&key).masked());
        map.insert("api_key".into(), json!(key));
        Value::Object(map)
    }

    /// Writes the file whole or not at all; nobody but its owner may read it.
    pub(crate) fn write(&self) -> Result<(), Failure> {
        let failed = |error: std::io::Error| {
            let message = format!("the configuration file `{}` cannot be written", self.path.display());
            Failure::new(Code::Usage, message).cause(error)
        };
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(failed)?;
        // Such a file is made for its owner only.
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
        let text = serde_json::to_string_pretty(&self.map).unwrap_or_default();
        file.write_all(text.as_bytes()).and_then(|()| file.write_all(b"\n")).map_err(failed)?;
        file.persist(&self.path).map_err(|error| failed(error.error))?;
        Ok(())
    }
}
