//! The page.
use crate::report::{Provenance, Report};

pub(crate) fn page(_report: &Report, _provenance: &Provenance) -> String {
    String::new()
}
