//! The connection type `s3`: keys, or a role that is assumed with the project's guid as external id.

use serde_json::{Map, Value};
use workflow::{Code, Connection, Failure, Secret, nearest};

use crate::ConnectionType;

/// The connection type `s3`.
pub(crate) static S3_CONNECTION: ConnectionType = ConnectionType {
    name: "s3",
    about: "Amazon S3 or a store that speaks its protocol",
    config: &[
        ("role_arn", "Role to assume; its external id is the guid of the project."),
        ("region", "Region of the buckets; the process's AWS_REGION, else us-east-1."),
        ("endpoint_url", "Address of a store other than AWS."),
        ("force_path_style", "Bucket in the path instead of the host name; true by default off AWS."),
    ],
    credentials: &[
        ("access_key_id", "Identifies the user."),
        ("secret_access_key", "Signs requests."),
        ("session_token", "Goes with temporary keys."),
    ],
    check,
    identity: super::client::identity,
    diagnose: super::doctor::diagnose,
};

/// Every problem of a connection of type `s3`, as sentences without a place.
fn check(config: &Map<String, Value>, credentials: Option<&Map<String, Value>>) -> Vec<String> {
    let mut problems = Vec::new();
    unknown("config", config, S3_CONNECTION.config, &mut problems);
    for (key, value) in config {
        let fits = if key == "force_path_style" { value.is_boolean() } else { value.is_string() };
        if !fits && S3_CONNECTION.config.iter().any(|(name, _)| name == key) {
            let expected = if key == "force_path_style" { "true or false" } else { "text" };
            problems.push(format!("`config.{key}` is not {expected}"));
        }
    }
    if let Some(url) = text(config, "endpoint_url")
        && !["http://", "https://"].iter().any(|scheme| url.starts_with(scheme))
    {
        problems.push(format!("`config.endpoint_url` is `{url}`; an address with http:// or https:// is expected"));
    }
    if let Some(arn) = text(config, "role_arn")
        && !(arn.starts_with("arn:") && arn.contains(":role/"))
    {
        problems.push(format!("`config.role_arn` is `{arn}`; `arn:aws:iam::<account>:role/<name>` is expected"));
    }
    if let Some(credentials) = credentials {
        unknown("credentials", credentials, S3_CONNECTION.credentials, &mut problems);
        for key in ["access_key_id", "secret_access_key"] {
            match credentials.get(key) {
                Some(Value::String(text)) if !text.is_empty() => {}
                Some(_) => problems.push(format!("`credentials.{key}` is not text")),
                None => problems.push(format!("`credentials.{key}` is missing")),
            }
        }
        if text(config, "role_arn").is_some() {
            problems.push("both `config.role_arn` and `credentials` are given; one of them is expected".into());
        }
    } else if text(config, "role_arn").is_none() {
        problems.push("neither `credentials` nor `config.role_arn` is given".into());
    }
    problems
}

fn unknown(part: &str, given: &Map<String, Value>, known: &[(&'static str, &'static str)], problems: &mut Vec<String>) {
    for key in given.keys().filter(|key| !known.iter().any(|(name, _)| name == key)) {
        let near = nearest(key, known.iter().map(|(name, _)| *name));
        let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        problems.push(format!("unknown key `{part}.{key}`{near}"));
    }
}

fn text<'m>(map: &'m Map<String, Value>, key: &str) -> Option<&'m str> {
    map.get(key)?.as_str()
}

/// How to reach the store: a connection of type `s3`, opened.
pub(crate) struct Access {
    pub(crate) connection: String,
    pub(crate) role_arn: Option<String>,
    pub(crate) external_id: String,
    pub(crate) region: Option<String>,
    pub(crate) endpoint_url: Option<String>,
    pub(crate) force_path_style: Option<bool>,
    pub(crate) keys: Option<Keys>,
    /// Whether the process itself is who asks, where there is neither role nor key.
    pub(crate) of_process: bool,
}

/// Static keys.
pub(crate) struct Keys {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: Secret,
    pub(crate) session_token: Option<Secret>,
}

impl Access {
    /// Opens a connection. Fails when it is not a usable connection of type `s3`.
    pub(crate) fn open(connection: &Connection) -> Result<Access, Failure> {
        let credentials: Option<Map<String, Value>> = match &connection.credentials {
            None => None,
            Some(secret) => Some(serde_json::from_slice(secret.open()).map_err(|_| {
                Failure::new(
                    Code::ConnectionInvalid,
                    format!("the credentials of connection `{}` are not a mapping", connection.id),
                )
            })?),
        };
        let problems = check(&connection.config, credentials.as_ref());
        if !problems.is_empty() {
            let message = format!("connection `{}`: {}", connection.id, problems.join("; "));
            return Err(Failure::new(Code::ConnectionInvalid, message));
        }
        let config = |key| text(&connection.config, key).map(str::to_string);
        let keys = credentials.map(|map| {
            let take = |key| text(&map, key).map(str::to_string);
            Keys {
                access_key_id: take("access_key_id").unwrap_or_default(),
                secret_access_key: Secret::new(take("secret_access_key").unwrap_or_default().into_bytes()),
                session_token: take("session_token").map(|token| Secret::new(token.into_bytes())),
            }
        });
        Ok(Access {
            connection: connection.id.clone(),
            role_arn: config("role_arn"),
            external_id: connection.external_id.clone(),
            region: config("region"),
            endpoint_url: config("endpoint_url"),
            force_path_style: connection.config.get("force_path_style").and_then(Value::as_bool),
            keys,
            of_process: false,
        })
    }

    /// The process's own identity and endpoint, under a name for messages.
    pub(crate) fn of_process(name: &str) -> Access {
        Access {
            connection: name.to_string(),
            role_arn: None,
            external_id: String::new(),
            region: None,
            endpoint_url: None,
            force_path_style: None,
            keys: None,
            of_process: true,
        }
    }
}

/// Why `bucket` is not the bare name of a bucket.
pub(crate) fn check_bucket(bucket: &str) -> Option<String> {
    let letters = bucket.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.' || c == '_');
    if letters && (3..=255).contains(&bucket.len()) {
        return None;
    }
    Some(format!("`{bucket}` is not a bucket name; the name only is expected, without scheme, slash or path"))
}
