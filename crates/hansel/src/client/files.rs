//! Files over signed links: up as project artifacts, down beside one another in a folder. A link carries its own right,
//! so no key goes with it.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;
use ureq::http::Request;
use workflow::{Code, Failure};

use super::{Server, path};
use crate::outgoing::Outgoing;

/// Puts a local file into a project; gives its key.
pub(crate) fn upload(server: &Server, project: &str, file: &Path) -> Result<String, Failure> {
    let shown = file.display();
    let unread =
        |error: std::io::Error| Failure::new(Code::Usage, format!("the file `{shown}` cannot be read")).cause(error);
    let opened = File::open(file).map_err(unread)?;
    if !opened.metadata().map_err(unread)?.is_file() {
        return Err(Failure::new(Code::Usage, format!("`{shown}` is not a file")));
    }
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let made = server.post(&path(&["projects", project, "artifacts"]), &json!({ "filename": name }))?;
    let text = |key: &str| made["data"][key].as_str().unwrap_or_default().to_string();
    let broken = |error: &dyn std::fmt::Display| {
        Failure::new(Code::ServerUnready, format!("the upload of `{shown}` broke off")).cause(error)
    };
    let request = Request::builder().method("PUT").uri(text("url")).body(opened).map_err(|error| broken(&error))?;
    let response = server.agent.run(request).map_err(|error| broken(&error))?;
    if response.status().as_u16() >= 400 {
        super::read(response)?;
    }
    Ok(text("key"))
}

/// Fetches what is behind a link into a folder, under the link's own name; none where nothing is there.
pub(crate) fn download(server: &Server, link: &str, folder: &Path) -> Result<Option<PathBuf>, Failure> {
    let broken = |error: &dyn std::fmt::Display| {
        Failure::new(Code::ServerUnready, format!("the download of `{}` broke off", base_name(link))).cause(error)
    };
    let request = Request::builder().uri(link).body(()).map_err(|error| broken(&error))?;
    let response = server.agent.run(request).map_err(|error| broken(&error))?;
    match response.status().as_u16() {
        404 => return Ok(None),
        300.. => {
            super::read(response)?;
            return Ok(None);
        }
        _ => {}
    }
    let to = folder.join(base_name(link));
    written(&mut response.into_body().into_reader(), &to, &broken)?;
    Ok(Some(to))
}

/// Fetches the bytes at a path of the API into a file.
pub(crate) fn fetch(server: &Server, path: &str, to: &Path) -> Result<(), Failure> {
    let response = server.send("GET", path, super::Sent::Nothing)?;
    if response.status().as_u16() >= 300 {
        super::read(response)?;
        return Ok(());
    }
    let broken = |error: &dyn std::fmt::Display| {
        Failure::new(Code::ServerUnready, format!("the download of `{}` broke off", to.display())).cause(error)
    };
    written(&mut response.into_body().into_reader(), to, &broken)
}

/// Writes beside the place first, so that what breaks off leaves no half file under the name.
fn written(
    reader: &mut dyn Read,
    to: &Path,
    broken: &dyn Fn(&dyn std::fmt::Display) -> Failure,
) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(Code::Usage, format!("the file `{}` cannot be written", to.display())).cause(error)
    };
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(failed)?;
    let mut draft = to.as_os_str().to_os_string();
    draft.push(".part");
    let draft = PathBuf::from(draft);
    let mut file = File::create(&draft).map_err(failed)?;
    let mut piece = vec![0; 1 << 16];
    let copied = loop {
        match reader.read(&mut piece) {
            Ok(0) => break Ok(()),
            Ok(read) => {
                if let Err(error) = file.write_all(&piece[..read]) {
                    break Err(failed(error));
                }
            }
            Err(error) => break Err(broken(&error)),
        }
    };
    if copied.is_err() {
        let _ = std::fs::remove_file(&draft);
        return copied;
    }
    std::fs::rename(&draft, to).map_err(failed)
}

/// The name of the file that a link leads to, fit for a folder.
fn base_name(link: &str) -> String {
    let path = link.split(['?', '#']).next().unwrap_or_default();
    let last = path.rsplit('/').next().unwrap_or_default();
    let mut bytes = Vec::with_capacity(last.len());
    let mut rest = last.as_bytes();
    while let [first, after @ ..] = rest {
        let code = after.get(..2).and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
        match (first, code) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    let name: String = String::from_utf8_lossy(&bytes)
        .chars()
        .map(|c| if c.is_control() || c == '/' || c == '\\' { '_' } else { c })
        .take(200)
        .collect();
    if name.is_empty() || name == "." || name == ".." { "artifact".into() } else { name }
}

/// The text at an address that the user named: a config that lies on the web.
pub(crate) fn text_at(address: &str) -> Result<String, Failure> {
    let failed = |cause: &dyn std::fmt::Display| {
        Failure::new(Code::Usage, format!("`{address}` could not be fetched")).cause(cause)
    };
    let agent =
        Outgoing { connect: Duration::from_secs(10), silence: Duration::from_secs(30), redirects: 3, rule: None }
            .agent()?;
    let request = Request::builder().uri(address).body(()).map_err(|error| failed(&error))?;
    let response = agent.run(request).map_err(|error| failed(&error))?;
    let status = response.status();
    if !status.is_success() {
        return Err(failed(&format!("status {status}")));
    }
    response.into_body().into_with_config().limit(1 << 20).read_to_string().map_err(|error| failed(&error))
}
