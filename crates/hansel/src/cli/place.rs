//! Where a command works: in the home, or at a server.

use std::path::PathBuf;

use workflow::{Code, Failure};

use super::say::{self, Format};
use crate::client::{self, Server};
use crate::memory::{self, Memory};

/// What every command may need.
pub(crate) struct Setting {
    /// The home that was named, on the command line or in the environment.
    pub(crate) home: Option<PathBuf>,
    /// Whether it was named on the command line, which means the home and no server.
    pub(crate) home_asked: bool,
    /// The server that was named on the command line.
    pub(crate) endpoint: Option<String>,
    /// How results are printed.
    pub(crate) output: Format,
    /// Where files are to be left, where `--output` named a folder.
    pub(crate) folder: Option<PathBuf>,
}

/// Where a command works.
pub(crate) enum Place {
    /// In the home of this machine.
    Home(Memory),
    /// At a server.
    Server(Server),
}

impl Setting {
    /// Whether results are printed for programs.
    pub(crate) fn json(&self) -> bool {
        self.output == Format::Json
    }

    /// Where the home is.
    pub(crate) fn home_dir(&self) -> Result<PathBuf, Failure> {
        memory::home_dir(self.home.clone())
    }

    /// The home's store.
    pub(crate) fn memory(&self) -> Result<Memory, Failure> {
        Memory::open(&self.home_dir()?)
    }

    /// The server that is meant, if one is. What is odd about the choice is said.
    pub(crate) fn named_server(&self) -> Result<Option<Server>, Failure> {
        if self.home_asked {
            return Ok(None);
        }
        let (named, notes) = client::named(self.endpoint.as_deref())?;
        for note in &notes {
            say::note(note);
        }
        named.map(Server::new).transpose()
    }

    /// Where a command works that both places know.
    pub(crate) fn place(&self) -> Result<Place, Failure> {
        match self.named_server()? {
            Some(server) => Ok(Place::Server(server)),
            None => Ok(Place::Home(self.memory()?)),
        }
    }

    /// The server, for what only a server does; `instead` says what a home has for it.
    pub(crate) fn server(&self, what: &str, instead: &str) -> Result<Server, Failure> {
        self.named_server()?.ok_or_else(|| {
            Failure::new(Code::Usage, format!("{what} needs a server, and none is named")).hint(
                format!("Name one with `--endpoint URL`, HANSEL_ENDPOINT or `hansel configure`. {instead}").trim(),
            )
        })
    }
}
