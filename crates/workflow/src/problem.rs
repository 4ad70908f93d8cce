//! What is wrong with what was written, and where.

use crate::Code;

/// Where in a config: line and column (both from 1; 0 where there is no text) and the path of keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Dotted path, such as `actions[2].config.filename`; empty for the whole document.
    pub path: String,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
}

/// One thing that is wrong with a config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which kind: one of the `config.*` and `connection.*` codes.
    pub code: Code,
    /// Where.
    pub at: Place,
    /// What is so; one line, no final stop.
    pub message: String,
    /// A full sentence that the reader can act on.
    pub hint: Option<String>,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.at.line > 0 {
            write!(f, "{}:{}: ", self.at.line, self.at.column)?;
        }
        if !self.at.path.is_empty() {
            write!(f, "{}: ", self.at.path)?;
        }
        write!(f, "{}: {}", self.code.name(), self.message)
    }
}
