//! `hansel configure`: writes the configuration file that this program and the documented client read.

use workflow::{Code, Failure};

use super::Setting;
use super::say::{self, Stop};
use super::whoami::email;
use crate::client::{ConfigFile, Key, Named, Server, checked};

/// Keep a server, its key and a default project in the file that the documented client reads too
#[derive(clap::Args)]
pub(crate) struct Configure {
    /// The key; asked for on a terminal, else HANSEL_API_KEY or GRETEL_API_KEY
    #[arg(long, value_name = "KEY")]
    api_key: Option<String>,
    /// Default project, `none` for none
    #[arg(long, value_name = "P")]
    project: Option<String>,
    /// Where artifacts lie; a server keeps them itself, which the documented client calls `cloud`
    #[arg(long, default_value = "cloud", value_name = "URL", value_parser = ["cloud"])]
    artifact_endpoint: String,
    /// Where work is done
    #[arg(long, default_value = "cloud", value_name = "RUNNER", value_parser = ["cloud"])]
    default_runner: String,
    /// Do not ask the server whether it knows the key
    #[arg(long)]
    skip_validate: bool,
}

impl Configure {
    pub(crate) fn go(self, setting: &Setting) -> Result<(), Stop> {
        let mut file = ConfigFile::anew();
        let variable = |names: [&str; 2]| {
            names.into_iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.trim().is_empty()))
        };
        let endpoint = setting.endpoint.clone().or_else(|| variable(["HANSEL_ENDPOINT", "GRETEL_ENDPOINT"]));
        let endpoint = match endpoint {
            Some(endpoint) => endpoint,
            None => say::ask("Endpoint", file.text("endpoint").as_deref(), false)?
                .ok_or_else(|| missing("endpoint", "--endpoint URL"))?,
        };
        let endpoint = checked(&endpoint, "the endpoint")?;
        let kept = file.text("api_key").filter(|_| file.text("endpoint").as_deref() == Some(endpoint.as_str()));
        let key = match self.api_key.or_else(|| variable(["HANSEL_API_KEY", "GRETEL_API_KEY"])) {
            Some(key) => key,
            None => {
                let masked = kept.as_deref().map(|key| Key::new(key).masked());
                let given =
                    say::ask("API key", masked.as_deref(), true)?.filter(|given| Some(given) != masked.as_ref());
                given.or(kept).ok_or_else(|| missing("key", "--api-key KEY or HANSEL_API_KEY"))?
            }
        };
        let key = Key::new(&key);
        if !key.as_str().starts_with("grt") || !key.as_str().chars().all(|c| c.is_ascii_alphanumeric()) {
            return Err(Failure::new(Code::Usage, "the key is none; `grtu` and 60 more characters are expected").into());
        }
        let project = self.project.or_else(|| file.text("default_project_name")).filter(|name| name != "none");
        let named = Named { endpoint: endpoint.clone(), key: Some(key.clone()), project };
        let server = Server::new(named)?;
        if !self.skip_validate {
            say::note(&format!("Logged in as {}", email(&server)?));
            if server.named().project.is_some() {
                server.project(None)?;
            }
        }
        file.set("endpoint", Some(&endpoint));
        file.set("api_key", Some(key.as_str()));
        file.set("default_project_name", server.named().project.as_deref());
        file.set("artifact_endpoint", Some(&self.artifact_endpoint));
        file.set("default_runner", Some(&self.default_runner));
        file.set("tenant_name", Some(""));
        file.fill("preview_features", Some("disabled"));
        file.write()?;
        say::note(&format!("written to `{}`", file.path.display()));
        say::json(&file.masked());
        Ok(())
    }
}

fn missing(what: &str, how: &str) -> Failure {
    Failure::new(Code::Usage, format!("no {what} is given")).hint(format!("Give it with {how}."))
}
