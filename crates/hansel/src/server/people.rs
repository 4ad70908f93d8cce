//! People as records show them: who made what.

use serde::Serialize;
use utoipa::ToSchema;

use super::answer::Refusal;
use super::state::App;

/// Somebody who made or changed a record.
#[derive(Serialize, ToSchema)]
pub(crate) struct Profile {
    id: String,
    firstname: String,
    lastname: String,
    email: String,
    image: Image,
}

/// Pictures of a person; this server keeps none.
#[derive(Serialize, ToSchema)]
struct Image {
    small: String,
    medium: String,
    large: String,
}

/// The profile of a user by guid; `None` for somebody who is gone.
pub(crate) async fn profile(app: &App, guid: &str) -> Result<Option<Profile>, Refusal> {
    match app.store().user(guid).await {
        Ok(user) => Ok(Some(Profile {
            id: user.guid,
            firstname: user.first_name,
            lastname: user.last_name,
            email: user.email,
            image: Image { small: String::new(), medium: String::new(), large: String::new() },
        })),
        Err(store::StoreError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
