//! Who asks, and what they may: a key, a session or a token of the issuer becomes a user, a user has a role in a project.
//! What one may not see does not exist; what one may see and not do is denied.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Uri};
use store::{Project, Role, Session, User};
use workflow::Code;

use super::answer::Refusal;
use super::state::App;
use super::{login, token};

/// The cookie of a session.
pub(crate) const SESSION: &str = "hansel_session";

/// The user whose key, session or token came with the request.
#[derive(Clone)]
pub(crate) struct Caller(pub(crate) User);

/// The session that came with the request.
pub(crate) struct SessionOf(pub(crate) Session);

impl FromRequestParts<App> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Caller, Refusal> {
        if let Some(caller) = parts.extensions.get::<Caller>() {
            return Ok(caller.clone());
        }
        let user = match parts.headers.get("authorization") {
            // The documented client sends the bare key; people with curl write `Bearer`.
            Some(header) => by_header(app, header.to_str().unwrap_or_default().trim()).await?,
            None => session(app, parts).await?.map(|session| session.user).ok_or_else(|| {
                Refusal::new(Code::AuthKeyMissing, "no API key came with the request")
                    .hint("Send it as `Authorization: <key>`.")
            })?,
        };
        let caller = Caller(user);
        parts.extensions.insert(caller.clone());
        Ok(caller)
    }
}

impl FromRequestParts<App> for SessionOf {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<SessionOf, Refusal> {
        let missing = || Refusal::new(Code::AuthKeyMissing, "no session came with the request");
        session(app, parts).await?.map(SessionOf).ok_or_else(missing)
    }
}

async fn by_header(app: &App, text: &str) -> Result<User, Refusal> {
    let bearer = text.strip_prefix("Bearer ").or_else(|| text.strip_prefix("bearer ")).map(str::trim);
    if let (Some(bearer), Some(door)) = (bearer.filter(|text| token::looks_like_one(text)), app.sign_in()) {
        return login::person(app, door.issuer().bearer(bearer).await?).await;
    }
    match app.store().authenticate(bearer.unwrap_or(text)).await? {
        Some(user) => Ok(user),
        None => Err(Refusal::new(Code::AuthKeyUnknown, "the API key is unknown, expired or revoked")),
    }
}

/// The session of a request, where its cookie is there and this server takes sessions. A browser sends the cookie along
/// whoever makes it ask, so whatever may change something has to show that a page of ours asked.
async fn session(app: &App, parts: &Parts) -> Result<Option<Session>, Refusal> {
    let Some(text) = cookie(&parts.headers, SESSION).filter(|_| app.sign_in().is_some()) else { return Ok(None) };
    let Some(session) = app.store().session(text).await? else {
        return Err(Refusal::new(Code::AuthTokenRefused, "the session is unknown or has ended")
            .hint("Sign in again at `/login`."));
    };
    if ![Method::GET, Method::HEAD].contains(&parts.method) && !from_our_page(app, &parts.headers) {
        return Err(Refusal::new(Code::PermissionDenied, "the request does not come from a page of this server")
            .hint("A page of this server sends `x-hansel-session: 1` with it; programs use an API key."));
    }
    Ok(Some(session))
}

/// Whether nothing says that another site's page asked, and something says that one of ours did.
fn from_our_page(app: &App, headers: &HeaderMap) -> bool {
    let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let authority = |url: &str| Some(url.parse::<Uri>().ok()?.authority()?.as_str().to_ascii_lowercase());
    let ours = authority(&app.signer().base(headers));
    // A proxy in front may have given us another name than the browser knows; then `Host` is what it passed on.
    let host = header("host").map(str::to_ascii_lowercase);
    let signs = [
        header("origin")
            .map(|origin| authority(origin).is_some_and(|one| Some(&one) == ours.as_ref() || Some(one) == host)),
        header("sec-fetch-site").map(|site| site == "same-origin"),
        // No other site's page can send this: a browser would ask us first, and we never allow it.
        header("x-hansel-session").map(|word| word == "1"),
    ];
    signs.contains(&Some(true)) && !signs.contains(&Some(false))
}

/// The value of a cookie.
pub(crate) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let all = headers.get_all("cookie").iter().filter_map(|header| header.to_str().ok());
    let mut pairs = all.flat_map(|header| header.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(own, _)| *own == name).map(|(_, value)| value)
}

impl Caller {
    /// The project with this guid, id or name, if the caller has at least this role in it.
    pub(crate) async fn project(&self, app: &App, any: &str, least: Role) -> Result<Project, Refusal> {
        let project = match app.store().project(any).await {
            Ok(project) => project,
            Err(store::StoreError::NotFound { .. }) => return Err(Refusal::not_found("project", any)),
            Err(error) => return Err(error.into()),
        };
        self.may(app, &project, least, "project", any).await?;
        Ok(project)
    }

    /// Fails as if the record were not there where the caller has no role in its project, and says what is missing
    /// where the role is too low.
    pub(crate) async fn may(
        &self,
        app: &App,
        project: &Project,
        least: Role,
        kind: &str,
        id: &str,
    ) -> Result<(), Refusal> {
        match app.store().role(&project.id, &self.0.id).await? {
            Some(role) if role >= least => Ok(()),
            Some(role) => Err(Refusal::new(
                Code::PermissionDenied,
                format!("the role `{}` in project `{}` does not allow this", role.name(), project.name),
            )
            .hint(format!("Ask the project's owner for the role `{}`.", least.name()))),
            None => Err(Refusal::not_found(kind, id)),
        }
    }

    /// Fails unless the caller may manage this server's users.
    pub(crate) fn administrator(&self) -> Result<(), Refusal> {
        if self.0.administrator {
            return Ok(());
        }
        Err(Refusal::new(Code::PermissionDenied, "only an administrator of this server may do this"))
    }

    /// Ids of every project in the caller's sight.
    pub(crate) async fn sight(&self, app: &App) -> Result<Vec<String>, Refusal> {
        let projects = app.store().projects_of(Some(&self.0.id), "", i64::MAX, 0).await?;
        Ok(projects.into_iter().map(|project| project.id).collect())
    }
}
