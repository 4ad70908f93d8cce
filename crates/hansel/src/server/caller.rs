//! Who asks, and what they may: a key becomes a user, a user has a role in a project. What one may not see does not
//! exist; what one may see and not do is denied.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use store::{Project, Role, User};
use workflow::Code;

use super::answer::Refusal;
use super::state::App;

/// The user whose key came with the request.
#[derive(Clone)]
pub(crate) struct Caller(pub(crate) User);

impl FromRequestParts<App> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Caller, Refusal> {
        if let Some(caller) = parts.extensions.get::<Caller>() {
            return Ok(caller.clone());
        }
        let Some(header) = parts.headers.get("authorization") else {
            return Err(Refusal::new(Code::AuthKeyMissing, "no API key came with the request")
                .hint("Send it as `Authorization: <key>`."));
        };
        // The documented client sends the bare key; people with curl write `Bearer`.
        let text = header.to_str().unwrap_or_default().trim();
        let key = text.strip_prefix("Bearer ").or_else(|| text.strip_prefix("bearer ")).unwrap_or(text).trim();
        match app.store().authenticate(key).await? {
            Some(user) => {
                let caller = Caller(user);
                parts.extensions.insert(caller.clone());
                Ok(caller)
            }
            None => Err(Refusal::new(Code::AuthKeyUnknown, "the API key is unknown, expired or revoked")),
        }
    }
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
