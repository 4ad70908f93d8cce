//! `hansel doctor`: looks whether what a command needs is there.

use super::Setting;
use super::say::Stop;

/// Check the surroundings, or what a connection may do
#[derive(clap::Args)]
pub(crate) struct Doctor {}

impl Doctor {
    pub(crate) fn go(self, _setting: &Setting) -> Result<(), Stop> {
        Ok(())
    }
}
