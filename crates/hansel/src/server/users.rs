//! `/users/me`, and the users and API keys of this server.

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use store::{ApiKey, NewUser, User};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::answer::{Answer, Nothing, Refusal, Refused, time};
use super::body::Body;
use super::caller::Caller;
use super::state::App;

/// `{"data": {"me": …}}`.
#[derive(Serialize, ToSchema)]
struct Me {
    data: MeData,
}

#[derive(Serialize, ToSchema)]
struct MeData {
    me: Person,
}

/// A user, as the documented client reads one.
#[derive(Serialize, ToSchema)]
struct Person {
    /// 24 hex digits.
    _id: String,
    /// `user_` and 27 characters.
    guid: String,
    email: String,
    firstname: String,
    lastname: String,
    /// Whether the user may manage users and keys of this server.
    administrator: bool,
}

/// An API key, without the key.
#[derive(Serialize, ToSchema)]
struct KeyRecord {
    /// `k_` and 27 characters.
    id: String,
    /// What it is for, in the words of who made it.
    name: String,
    /// The first characters of the key.
    start: String,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<String>,
    /// The key itself; given once, when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct Keys {
    keys: Vec<KeyRecord>,
}

#[derive(Serialize, ToSchema)]
struct Users {
    users: Vec<Person>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewKey {
    /// What the key is for.
    #[serde(default)]
    name: String,
    /// Days until it expires; never where it is not given.
    expires_in_days: Option<u32>,
    /// E-mail, id or guid of the user it is for; an administrator may make keys for others.
    user: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPerson {
    email: String,
    #[serde(default)]
    firstname: String,
    #[serde(default)]
    lastname: String,
    #[serde(default)]
    administrator: bool,
}

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(me))
        .routes(routes!(list_users, create_user))
        .routes(routes!(list_keys, create_key))
        .routes(routes!(revoke_key))
        .routes(routes!(end_sessions))
}

fn person(user: &User) -> Person {
    Person {
        _id: user.id.clone(),
        guid: user.guid.clone(),
        email: user.email.clone(),
        firstname: user.first_name.clone(),
        lastname: user.last_name.clone(),
        administrator: user.administrator,
    }
}

fn key_record(key: &ApiKey, text: Option<String>) -> KeyRecord {
    KeyRecord {
        id: key.id.clone(),
        name: key.name.clone(),
        start: key.start.clone(),
        created_at: time(key.created_at),
        expires_at: key.expires_at.map(time),
        revoked_at: key.revoked_at.map(time),
        last_used_at: key.last_used_at.map(time),
        key: text,
    }
}

/// The user whose key this is.
#[utoipa::path(get, path = "/users/me", tag = "users", responses((status = 200, body = Me), (status = "4XX", body = Refused)))]
async fn me(caller: Caller) -> Answer<Me> {
    Ok(Json(Me { data: MeData { me: person(&caller.0) } }))
}

/// Every user of this server; for administrators.
#[utoipa::path(get, path = "/v1/users", tag = "users", responses((status = 200, body = Users), (status = "4XX", body = Refused)))]
async fn list_users(State(app): State<App>, caller: Caller) -> Answer<Users> {
    caller.administrator()?;
    let users = app.store().users().await?;
    Ok(Json(Users { users: users.iter().map(person).collect() }))
}

/// Makes a user; for administrators.
#[utoipa::path(post, path = "/v1/users", tag = "users", request_body = NewPerson,
    responses((status = 200, body = Person), (status = "4XX", body = Refused)))]
async fn create_user(State(app): State<App>, caller: Caller, Body(asked): Body<NewPerson>) -> Answer<Person> {
    caller.administrator()?;
    let new = NewUser {
        email: asked.email,
        first_name: asked.firstname,
        last_name: asked.lastname,
        administrator: asked.administrator,
    };
    let user = app.store().create_user(&new).await?;
    app.audit(&caller, "create", "user", &user.guid, "").await?;
    Ok(Json(person(&user)))
}

/// The caller's API keys, without the keys.
#[utoipa::path(get, path = "/v1/keys", tag = "users", responses((status = 200, body = Keys), (status = "4XX", body = Refused)))]
async fn list_keys(State(app): State<App>, caller: Caller) -> Answer<Keys> {
    let keys = app.store().keys(Some(&caller.0.id)).await?;
    Ok(Json(Keys { keys: keys.iter().map(|key| key_record(key, None)).collect() }))
}

/// Makes an API key. The answer is the only time that the key is shown.
#[utoipa::path(post, path = "/v1/keys", tag = "users", request_body = NewKey,
    responses((status = 200, body = KeyRecord), (status = "4XX", body = Refused)))]
async fn create_key(State(app): State<App>, caller: Caller, Body(asked): Body<NewKey>) -> Answer<KeyRecord> {
    let user = match &asked.user {
        Some(any) if *any != caller.0.id && *any != caller.0.guid && *any != caller.0.email => {
            caller.administrator()?;
            app.store().user(any).await?
        }
        _ => caller.0.clone(),
    };
    let expires_at = asked.expires_in_days.map(expiry).transpose()?;
    let (key, text) = app.store().create_key(&user.id, &asked.name, expires_at).await?;
    app.audit(&caller, "create", "key", &key.id, "").await?;
    Ok(Json(key_record(&key, Some(text.to_string()))))
}

fn expiry(days: u32) -> Result<i64, Refusal> {
    if days == 0 || days > 36_500 {
        return Err(Refusal::bad(format!("`expires_in_days` is {days}; 1 to 36500 are allowed")));
    }
    Ok(jiff::Timestamp::now().as_microsecond() + i64::from(days) * 86_400_000_000)
}

/// Revokes an API key of the caller, or any for an administrator.
#[utoipa::path(delete, path = "/v1/keys/{id}", tag = "users", params(("id" = String, Path)),
    responses((status = 200, body = Nothing), (status = "4XX", body = Refused)))]
async fn revoke_key(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Answer<Nothing> {
    let scope = if caller.0.administrator { None } else { Some(caller.0.id.as_str()) };
    if !app.store().keys(scope).await?.iter().any(|key| key.id == id) {
        return Err(Refusal::not_found("key", &id));
    }
    app.store().revoke_key(&id).await?;
    app.audit(&caller, "revoke", "key", &id, "").await?;
    Ok(Json(Nothing {}))
}

/// Ends every session of a browser of the caller, or of any user for an administrator. Whoever is to stay out has to be
/// kept from signing in by the issuer first, and keys are revoked apart.
#[utoipa::path(delete, path = "/v1/users/{user}/sessions", tag = "users", params(("user" = String, Path)),
    responses((status = 200, body = Nothing), (status = "4XX", body = Refused)))]
async fn end_sessions(State(app): State<App>, caller: Caller, Path(user): Path<String>) -> Answer<Nothing> {
    let found = app.store().user(&user).await?;
    if !caller.0.administrator && found.id != caller.0.id {
        return Err(Refusal::not_found("user", &user));
    }
    app.store().end_sessions_of(&found.id).await?;
    app.audit(&caller, "end sessions", "user", &found.guid, "").await?;
    Ok(Json(Nothing {}))
}
