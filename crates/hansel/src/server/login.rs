//! Signing in with a browser, by the issuer that the server was given, and out again. In: a browser on its way to the
//! issuer and back. Out: a session in a cookie. The route follows OpenID Connect Core 1.0, authorization code flow, with
//! PKCE (RFC 7636); what has to be the same on the way back lies in a signed cookie, and nothing is kept here meanwhile.

use std::sync::Arc;

use aws_lc_rs::rand;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use store::{AuditEntry, NewUser, StoreError, User};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use workflow::Code;
use zeroize::Zeroizing;

use super::answer::{Nothing, Refusal, Refused, bounded};
use super::body::Asked;
use super::caller::{SESSION, SessionOf, cookie};
use super::issuer::{Errand, Issuer};
use super::state::App;
use super::token::Spoken;

/// The cookie of a login that is under way.
const LOGIN: &str = "hansel_login";
/// How long a login may be under way, in seconds.
const LOGIN_SECONDS: i64 = 600;
/// How long a session holds, in seconds.
const SESSION_SECONDS: u32 = 12 * 3600;
/// Where a browser goes that did not say where to.
const FIRST_PAGE: &str = "/api";
/// Longest place to go to, in bytes.
const TO_MAX: usize = 500;

/// The way in: the issuer, and the key that logins are signed with.
pub(crate) struct SignInDoor {
    issuer: Arc<Issuer>,
    key: Zeroizing<[u8; 32]>,
}

/// A login that is under way.
#[derive(Debug, PartialEq, Eq)]
struct Begun {
    state: String,
    /// Where the browser wants to go.
    to: String,
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    to: String,
}

/// What the issuer sends the browser back with. It may add more.
#[derive(Deserialize)]
struct Back {
    code: Option<String>,
    state: Option<String>,
    error: Option<String>,
    iss: Option<String>,
}

#[derive(Deserialize)]
struct Leave {
    #[serde(default)]
    everywhere: bool,
}

impl SignInDoor {
    /// The door of an issuer; `key` is for this purpose only.
    pub(crate) fn new(issuer: Arc<Issuer>, key: Zeroizing<[u8; 32]>) -> SignInDoor {
        SignInDoor { issuer, key }
    }

    /// The issuer.
    pub(crate) fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    fn mac(&self, purpose: &str, text: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.as_slice()).expect("a key of any length is taken");
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(text.as_bytes());
        mac
    }

    /// A word that belongs to a login and that nobody else can tell; so nothing secret lies in the cookie.
    fn word(&self, purpose: &str, state: &str) -> Zeroizing<String> {
        Zeroizing::new(URL_SAFE_NO_PAD.encode(self.mac(purpose, state).finalize().into_bytes()))
    }

    /// The cookie's value for a login that may be under way until `end`, in seconds since 1970.
    fn signed(&self, begun: &Begun, end: i64) -> String {
        let text = format!("{}.{end}.{}", begun.state, URL_SAFE_NO_PAD.encode(&begun.to));
        let signature = URL_SAFE_NO_PAD.encode(self.mac("login", &text).finalize().into_bytes());
        format!("{text}.{signature}")
    }

    /// The login of a cookie's value, if it is one of ours and still under way at `now`.
    fn opened(&self, value: &str, now: i64) -> Option<Begun> {
        let (text, signature) = value.rsplit_once('.')?;
        self.mac("login", text).verify_slice(&URL_SAFE_NO_PAD.decode(signature).ok()?).ok()?;
        let mut parts = text.split('.');
        let (state, end, to) = (parts.next()?, parts.next()?, parts.next()?);
        if end.parse::<i64>().ok()? <= now {
            return None;
        }
        Some(Begun { state: state.into(), to: String::from_utf8(URL_SAFE_NO_PAD.decode(to).ok()?).ok()? })
    }
}

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(login)).routes(routes!(come_back)).routes(routes!(logout))
}

/// Sends a browser to the issuer to sign in. A page for people: link to it, do not call it.
#[utoipa::path(get, path = "/login", tag = "login", security(()),
    params(("to" = Option<String>, Query, description = "Page of this server to go to afterwards, such as `/api`.")),
    responses((status = 302, description = "To the issuer."), (status = "4XX", body = Refused), (status = 503, body = Refused)))]
async fn login(State(app): State<App>, headers: HeaderMap, Asked(wanted): Asked<Wanted>) -> Result<Response, Refusal> {
    let door = door(&app)?;
    let to = if wanted.to.is_empty() { FIRST_PAGE.to_string() } else { wanted.to };
    if !of_ours(&to) {
        return Err(Refusal::bad(format!("`to` is `{}`; a path of this server is expected", bounded(&to))));
    }
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).map_err(|_| Refusal::new(Code::Internal, "this machine gives no randomness"))?;
    let begun = Begun { state: URL_SAFE_NO_PAD.encode(bytes), to };
    let (verifier, nonce) = (door.word("verifier", &begun.state), door.word("nonce", &begun.state));
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
    let back = back(&app, &headers);
    let errand = Errand { back: &back, state: &begun.state, nonce: &nonce, challenge: &challenge };
    let place = door.issuer.door(&errand).await?;
    let end = jiff::Timestamp::now().as_second() + LOGIN_SECONDS;
    let kept = set_cookie(LOGIN, &door.signed(&begun, end), "/login", LOGIN_SECONDS, &back);
    Ok(onward(&place, &[kept]))
}

/// Where the issuer sends a browser back to: ends the login and begins a session.
#[utoipa::path(get, path = "/login/callback", tag = "login", security(()),
    params(("code" = Option<String>, Query), ("state" = Option<String>, Query), ("error" = Option<String>, Query),
        ("iss" = Option<String>, Query)),
    responses((status = 302, description = "To the page that was asked for, with a session."),
        (status = "4XX", body = Refused), (status = 503, body = Refused)))]
async fn come_back(State(app): State<App>, headers: HeaderMap, Asked(sent): Asked<Back>) -> Result<Response, Refusal> {
    let door = door(&app)?;
    let now = jiff::Timestamp::now().as_second();
    let begun = cookie(&headers, LOGIN).and_then(|value| door.opened(value, now));
    let Some(begun) = begun.filter(|begun| sent.state.as_ref() == Some(&begun.state)) else {
        return Err(Refusal::bad("the login was not begun by this browser, or more than ten minutes ago")
            .hint("Begin again at `/login`."));
    };
    if let Some(other) = &sent.iss
        && *other != door.issuer.name().await?
    {
        return Err(Refusal::new(Code::AuthTokenRefused, "the answer to the login is another issuer's"));
    }
    if let Some(error) = &sent.error {
        let shown = bounded(error).escape_debug().to_string();
        return Err(Refusal::new(Code::PermissionDenied, format!("the issuer did not let you in: `{shown}`")));
    }
    let code = sent.code.ok_or_else(|| Refusal::bad("no `code` came back from the issuer"))?;
    let (verifier, nonce) = (door.word("verifier", &begun.state), door.word("nonce", &begun.state));
    let back = back(&app, &headers);
    let spoken = door.issuer.exchange(&code, &back, &verifier, &nonce).await?;
    let user = person(&app, spoken).await?;
    let (_, text) = app.store().begin_session(&user, SESSION_SECONDS).await?;
    record(&app, &user, "login", &user).await?;
    let kept = set_cookie(SESSION, &text, "/", i64::from(SESSION_SECONDS), &back);
    Ok(onward(&begun.to, &[kept, set_cookie(LOGIN, "", "/login", 0, &back)]))
}

/// Ends the session, or with `everywhere=true` all sessions of its user.
#[utoipa::path(post, path = "/logout", tag = "login", security(("session" = [])),
    params(("everywhere" = Option<bool>, Query)),
    responses((status = 200, body = Nothing), (status = "4XX", body = Refused)))]
async fn logout(
    State(app): State<App>,
    SessionOf(session): SessionOf,
    headers: HeaderMap,
    Asked(leave): Asked<Leave>,
) -> Result<Response, Refusal> {
    if leave.everywhere {
        app.store().end_sessions_of(&session.user.id).await?;
    } else {
        app.store().end_session(&session.id).await?;
    }
    record(&app, &session.user, "logout", &session.user).await?;
    let mut response = Json(Nothing {}).into_response();
    keep(&mut response, &[set_cookie(SESSION, "", "/", 0, &back(&app, &headers))]);
    Ok(response)
}

/// The user whom a token speaks of. One is made at first where the address is of a domain that is let in.
pub(crate) async fn person(app: &App, spoken: Spoken) -> Result<User, Refusal> {
    match app.store().user(&spoken.email).await {
        Err(StoreError::NotFound { .. }) => {}
        found => return Ok(found?),
    }
    if !door(app)?.issuer.takes(&spoken.email) {
        let message = format!("`{}` is no user of this server", spoken.email.escape_debug());
        return Err(Refusal::new(Code::PermissionDenied, message)
            .hint("An administrator can make one, or let its domain in with `--oidc-allow-domain`."));
    }
    let (email, first_name, last_name) = (spoken.email.clone(), spoken.first_name, spoken.last_name);
    match app.store().create_user(&NewUser { email, first_name, last_name, administrator: false }).await {
        Ok(user) => {
            record(app, &user, "create", &user).await?;
            Ok(user)
        }
        // Another request of the same person was faster, or the address is none.
        Err(error) => app.store().user(&spoken.email).await.map_err(|_| error.into()),
    }
}

/// The way in, where the server has one.
fn door(app: &App) -> Result<&SignInDoor, Refusal> {
    app.sign_in().ok_or_else(|| {
        Refusal::new(Code::NotFound, "nobody signs in here: this server was given no issuer")
            .hint("It is given one with `--oidc-issuer` and `--oidc-client-id`.")
    })
}

async fn record(app: &App, who: &User, verb: &str, whom: &User) -> Result<(), StoreError> {
    let entry = AuditEntry {
        user: who.guid.clone(),
        verb: verb.into(),
        kind: "user".into(),
        id: whom.guid.clone(),
        note: "OpenID Connect".into(),
        ..AuditEntry::default()
    };
    app.store().audit(&entry).await
}

/// Whether a browser may be sent there: a path of this server, which no browser takes for another host.
fn of_ours(to: &str) -> bool {
    let rest = to.strip_prefix('/');
    let plain = to.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    plain && to.len() <= TO_MAX && rest.is_some_and(|rest| !rest.starts_with('/'))
}

/// Where the issuer sends browsers back to, as it was told.
fn back(app: &App, headers: &HeaderMap) -> String {
    format!("{}/login/callback", app.signer().base(headers))
}

fn set_cookie(name: &str, value: &str, path: &str, seconds: i64, back: &str) -> String {
    let secure = if back.starts_with("https://") { "; Secure" } else { "" };
    format!("{name}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
}

fn onward(place: &str, cookies: &[String]) -> Response {
    let mut response = StatusCode::FOUND.into_response();
    if let Ok(place) = place.parse() {
        response.headers_mut().insert("location", place);
    }
    keep(&mut response, cookies);
    response
}

fn keep(response: &mut Response, cookies: &[String]) {
    let headers = response.headers_mut();
    for cookie in cookies.iter().filter_map(|cookie| cookie.parse().ok()) {
        headers.append("set-cookie", cookie);
    }
    headers.insert("cache-control", "no-store".parse().expect("a word is a header"));
}
