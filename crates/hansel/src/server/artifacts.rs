//! Project artifacts: uploaded through a signed link, named by a key, used as data sources.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use store::{Project, Role, Upload};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::answer::{Answer, Nothing, Refusal, Refused, time};
use super::body::{Asked, Body};
use super::caller::Caller;
use super::links::Purpose;
use super::state::App;

#[derive(Deserialize, ToSchema)]
struct ArtifactWanted {
    /// Name of the file.
    filename: String,
}

#[derive(Serialize, ToSchema)]
struct ArtifactMade {
    data: ArtifactMadeData,
}

#[derive(Serialize, ToSchema)]
struct ArtifactMadeData {
    /// `gretel_`, 32 hex digits, `_` and the file name.
    key: String,
    /// Where the bytes go, with `PUT`.
    url: String,
}

#[derive(Serialize, ToSchema)]
struct ArtifactListed {
    data: ListedData,
}

#[derive(Serialize, ToSchema)]
struct ListedData {
    artifacts: Vec<Artifact>,
}

#[derive(Serialize, ToSchema)]
struct Artifact {
    key: String,
    name: String,
    /// Length in bytes.
    size: i64,
    last_modified: String,
}

#[derive(Serialize, ToSchema)]
struct ArtifactLink {
    data: LinkData,
}

#[derive(Serialize, ToSchema)]
struct LinkData {
    data: LinkUrl,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct LinkUrl {
    pub(crate) url: String,
}

#[derive(Serialize, ToSchema)]
struct Manifest {
    /// `completed`, or `pending` while the bytes are not there.
    status: String,
    data: Artifact,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ByKey {
    /// Key of the artifact.
    key: String,
}

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create, delete)).routes(routes!(download)).routes(routes!(manifest))
}

fn artifact(upload: &Upload) -> Artifact {
    Artifact {
        key: upload.key.clone(),
        name: upload.name.clone(),
        size: upload.bytes.unwrap_or(0),
        last_modified: time(upload.created_at),
    }
}

/// The artifact of this key, if it is the project's.
pub(crate) async fn of_project(app: &App, project: &Project, key: &str) -> Result<Upload, Refusal> {
    match app.store().upload(key).await {
        Ok(upload) if upload.project == project.id => Ok(upload),
        Ok(_) | Err(store::StoreError::NotFound { .. }) => Err(Refusal::not_found("artifact", key)),
        Err(error) => Err(error.into()),
    }
}

/// Makes room for an artifact; its bytes are sent to the signed link of the answer.
#[utoipa::path(post, path = "/projects/{project}/artifacts", tag = "artifacts", params(("project" = String, Path)),
    request_body = ArtifactWanted, responses((status = 200, body = ArtifactMade), (status = "4XX", body = Refused)))]
async fn create(
    State(app): State<App>,
    caller: Caller,
    Path(any): Path<String>,
    headers: HeaderMap,
    Body(wanted): Body<ArtifactWanted>,
) -> Answer<ArtifactMade> {
    let project = caller.project(&app, &any, Role::Write).await?;
    let name = file_name(&wanted.filename)?;
    let upload = app.store().create_upload("artifact", &project.id, &name, "", &caller.0.guid).await?;
    let seconds = app.settings().link_seconds;
    let url = app.signer().link(&headers, Purpose::Put, &upload.key, &name, seconds);
    Ok(Json(ArtifactMade { data: ArtifactMadeData { key: upload.key, url } }))
}

/// The last part of a path, as the name of a file; control characters are refused.
pub(crate) fn file_name(text: &str) -> Result<String, Refusal> {
    let name = text.rsplit(['/', '\\']).next().unwrap_or_default().trim();
    if name.is_empty() || name == "." || name == ".." || name.len() > 200 || name.chars().any(char::is_control) {
        return Err(Refusal::bad("`filename` is no file name; 1 to 200 bytes without control characters are expected"));
    }
    Ok(name.to_string())
}

/// The project's artifacts, newest first.
#[utoipa::path(get, path = "/projects/{project}/artifacts", tag = "artifacts", params(("project" = String, Path)),
    responses((status = 200, body = ArtifactListed), (status = "4XX", body = Refused)))]
async fn list(State(app): State<App>, caller: Caller, Path(any): Path<String>) -> Answer<ArtifactListed> {
    let project = caller.project(&app, &any, Role::Read).await?;
    let uploads = app.store().uploads(&project.id, "artifact").await?;
    let there = uploads.iter().filter(|upload| upload.bytes.is_some());
    Ok(Json(ArtifactListed { data: ListedData { artifacts: there.map(artifact).collect() } }))
}

/// Deletes an artifact.
#[utoipa::path(delete, path = "/projects/{project}/artifacts", tag = "artifacts",
    params(("project" = String, Path), ByKey),
    responses((status = 200, body = Nothing), (status = "4XX", body = Refused)))]
async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path(any): Path<String>,
    Asked(asked): Asked<ByKey>,
) -> Answer<Nothing> {
    let project = caller.project(&app, &any, Role::Write).await?;
    of_project(&app, &project, &asked.key).await?;
    app.store().delete_upload(&asked.key).await?;
    app.sink_soon();
    app.audit(&caller, "delete", "artifact", &asked.key, &project.guid).await?;
    Ok(Json(Nothing {}))
}

/// A signed link to an artifact's bytes.
#[utoipa::path(get, path = "/projects/{project}/artifacts/download", tag = "artifacts",
    params(("project" = String, Path), ByKey),
    responses((status = 200, body = ArtifactLink), (status = "4XX", body = Refused)))]
async fn download(
    State(app): State<App>,
    caller: Caller,
    Path(any): Path<String>,
    headers: HeaderMap,
    Asked(asked): Asked<ByKey>,
) -> Answer<ArtifactLink> {
    let project = caller.project(&app, &any, Role::Read).await?;
    let upload = of_project(&app, &project, &asked.key).await?;
    let seconds = app.settings().link_seconds;
    let url = app.signer().link(&headers, Purpose::Get, &upload.key, &upload.name, seconds);
    Ok(Json(ArtifactLink { data: LinkData { data: LinkUrl { url } } }))
}

/// Whether an artifact's bytes are there, and how many.
#[utoipa::path(get, path = "/projects/{project}/artifacts/manifest", tag = "artifacts",
    params(("project" = String, Path), ByKey),
    responses((status = 200, body = Manifest), (status = "4XX", body = Refused)))]
async fn manifest(
    State(app): State<App>,
    caller: Caller,
    Path(any): Path<String>,
    Asked(asked): Asked<ByKey>,
) -> Answer<Manifest> {
    let project = caller.project(&app, &any, Role::Read).await?;
    let upload = of_project(&app, &project, &asked.key).await?;
    let status = if upload.bytes.is_some() { "completed" } else { "pending" };
    Ok(Json(Manifest { status: status.into(), data: artifact(&upload) }))
}
