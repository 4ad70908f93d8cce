//! `hansel secrets`: the key that seals what a home keeps secret.

use serde_json::json;
use zeroize::Zeroizing;

use super::Setting;
use super::say::{self, Stop};

/// Change the key that seals the credentials of a home
#[derive(clap::Subcommand)]
pub(crate) enum Secrets {
    /// Wrap the data key of every project with a new key; a crash leaves the old one in force or the new one
    ///
    /// Where the key lies in the home, a new one is drawn and takes its place. Where HANSEL_KEY gives it, HANSEL_NEW_KEY
    /// gives the next one, and HANSEL_KEY has to be that one from then on.
    Rotate {
        /// Draw new data keys as well, and seal every secret anew
        #[arg(long)]
        data_keys: bool,
    },
}

impl Secrets {
    pub(crate) fn go(self, setting: &Setting) -> Result<(), Stop> {
        let Secrets::Rotate { data_keys } = self;
        let memory = setting.memory()?;
        // A server keeps the key in its memory and would seal with the old one.
        let _alone = memory.only_server()?;
        let next = std::env::var("HANSEL_NEW_KEY").ok().filter(|key| !key.is_empty()).map(Zeroizing::new);
        let done = memory.ask(memory.store.rotate_keys(next.as_ref().map(|key| key.as_str()), data_keys))?;
        if setting.json() {
            say::json(&json!({ "data_keys": done.data_keys, "secrets_sealed_anew": done.values }));
        } else {
            say::result(&format!("{} data keys wrapped anew, {} secrets sealed anew", done.data_keys, done.values));
        }
        Ok(())
    }
}
