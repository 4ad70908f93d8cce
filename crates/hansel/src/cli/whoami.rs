//! `hansel whoami`: whose key it is, and the settings in use.

use serde_json::json;

use super::Setting;
use super::say::{self, Stop};
use crate::client::Server;

/// Print whose key is used, and the settings
#[derive(clap::Args)]
pub(crate) struct Whoami;

impl Whoami {
    pub(crate) fn go(self, setting: &Setting) -> Result<(), Stop> {
        let server = setting.server("`hansel whoami`", "")?;
        let email = email(&server)?;
        let named = server.named();
        let key = named.key.as_ref().map_or_else(|| "None".to_string(), |key| key.masked());
        say::json(&json!({
            "email": email,
            "config": {
                "endpoint": named.endpoint, "artifact_endpoint": "cloud", "api_key": key,
                "default_project_name": named.project, "default_runner": "cloud", "preview_features": "disabled",
                "tenant_name": "",
            },
        }));
        Ok(())
    }
}

/// E-mail of the user whose key is used.
pub(crate) fn email(server: &Server) -> Result<String, workflow::Failure> {
    let me = server.get("/users/me", &[])?;
    Ok(me["data"]["me"]["email"].as_str().unwrap_or_default().to_string())
}
