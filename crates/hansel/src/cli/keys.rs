//! `hansel keys`: API keys, made where the home is or at its server.

use serde_json::{Value, json};
use store::{ApiKey, NewUser, User};
use workflow::{Code, Failure};
use zeroize::Zeroizing;

use super::Setting;
use super::connections::timestamp;
use super::place::Place;
use super::say::{self, Stop};
use crate::client::{Server, path};
use crate::memory::Memory;

/// Make, list and revoke API keys of a home's server
#[derive(clap::Subcommand)]
pub(crate) enum Keys {
    /// Make a key, and its user where there is none of this e-mail; the key is shown this once
    Create {
        /// E-mail of the user [default: at a server, yourself]
        #[arg(long, value_name = "EMAIL")]
        user: Option<String>,
        /// What the key is for
        #[arg(long, default_value = "", value_name = "TEXT")]
        name: String,
        /// Days until it expires [default: never]
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=36_500))]
        expires_in_days: Option<u32>,
        /// Make a new user an administrator of the server
        #[arg(long)]
        administrator: bool,
    },
    /// Print the keys, without the keys; at a server your own
    List,
    /// Revoke a key
    Revoke {
        /// Its id
        id: String,
    },
}

impl Keys {
    pub(crate) fn go(self, setting: &Setting) -> Result<(), Stop> {
        match setting.place()? {
            Place::Home(memory) => self.at_home(&memory, setting),
            Place::Server(server) => self.at_server(&server, setting),
        }
    }

    fn at_home(self, memory: &Memory, setting: &Setting) -> Result<(), Stop> {
        let store = &memory.store;
        match self {
            Keys::Create { user, name, expires_in_days, administrator } => {
                let user = user.ok_or_else(|| {
                    Failure::new(Code::Usage, "no user is named").hint("Name one with `--user EMAIL`.")
                })?;
                let user = match memory.ask(store.user(&user)) {
                    Ok(user) => user,
                    Err(failure) if failure.code == Code::NotFound => made(memory, &user, administrator)?,
                    Err(failure) => return Err(failure.into()),
                };
                let expires_at = expires_in_days
                    .map(|days| jiff::Timestamp::now().as_microsecond() + i64::from(days) * 86_400_000_000);
                let (key, text) = memory.ask(store.create_key(&user.id, &name, expires_at))?;
                if setting.json() {
                    let mut value = record(&key, &user);
                    value["key"] = json!(text.as_str());
                    say::json(&value);
                } else {
                    say::result(&text);
                }
            }
            Keys::List => {
                let users = memory.ask(store.users())?;
                let mut records = Vec::new();
                for key in memory.ask(store.keys(None))? {
                    if let Some(user) = users.iter().find(|user| user.id == key.user) {
                        records.push(record(&key, user));
                    }
                }
                list(records, setting);
            }
            Keys::Revoke { id } => {
                memory.ask(store.revoke_key(&id))?;
            }
        }
        Ok(())
    }

    fn at_server(self, server: &Server, setting: &Setting) -> Result<(), Stop> {
        match self {
            Keys::Create { user, name, expires_in_days, administrator } => {
                let mut wanted = json!({ "name": name });
                wanted["expires_in_days"] = json!(expires_in_days);
                wanted["user"] = json!(user);
                let made = match (server.post("/v1/keys", &wanted), &user) {
                    (Err(failure), Some(email)) if failure.code == Code::NotFound => {
                        server.post("/v1/users", &json!({ "email": email, "administrator": administrator }))?;
                        server.post("/v1/keys", &wanted)?
                    }
                    (made, _) => made?,
                };
                match setting.json() {
                    true => say::json(&made),
                    false => say::result(made["key"].as_str().unwrap_or_default()),
                }
            }
            Keys::List => match server.get("/v1/keys", &[])?["keys"].take() {
                Value::Array(records) => list(records, setting),
                _ => list(Vec::new(), setting),
            },
            Keys::Revoke { id } => server.delete(&path(&["v1", "keys", &id]), &[])?,
        }
        Ok(())
    }
}

/// Prints records of keys.
fn list(records: Vec<Value>, setting: &Setting) {
    if setting.json() {
        say::json(&Value::Array(records));
        return;
    }
    for record in records {
        let word = |name: &str| record[name].as_str().unwrap_or("-").to_string();
        let end = if record["revoked_at"].is_null() { word("expires_at") } else { "revoked".into() };
        say::result(&format!("{}  {}…  {}  {end}  {}", word("id"), word("start"), word("user"), word("name")));
    }
}

fn made(memory: &Memory, email: &str, administrator: bool) -> Result<User, Failure> {
    let new = NewUser { email: email.into(), first_name: String::new(), last_name: String::new(), administrator };
    memory.ask(memory.store.create_user(&new))
}

fn record(key: &ApiKey, user: &User) -> Value {
    let time = |us: Option<i64>| us.map(timestamp);
    json!({
        "id": key.id, "user": user.email, "name": key.name, "start": key.start, "created_at": timestamp(key.created_at),
        "expires_at": time(key.expires_at), "revoked_at": time(key.revoked_at), "last_used_at": time(key.last_used_at),
    })
}

/// The key of the administrator of a home that has no user yet; made here.
pub(crate) fn first(memory: &Memory) -> Result<Option<Zeroizing<String>>, Failure> {
    if !memory.ask(memory.store.users())?.is_empty() {
        return Ok(None);
    }
    let user = made(memory, "admin@localhost.localdomain", true)?;
    let (_, text) = memory.ask(memory.store.create_key(&user.id, "first start", None))?;
    Ok(Some(text))
}
