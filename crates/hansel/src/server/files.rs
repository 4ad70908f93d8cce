//! Files of the newest layer: uploaded in one request, read back as they came.

use axum::Json;
use axum::extract::{Multipart, Path, Request, State};
use axum::response::Response;
use serde::Serialize;
use store::Upload;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use workflow::Code;

use super::answer::{Answer, Refusal, Refused, bounded};
use super::artifacts::file_name;
use super::caller::Caller;
use super::state::App;

/// A file.
#[derive(Serialize, ToSchema)]
struct FileRecord {
    /// `file_` and 27 characters.
    file_id: String,
    object: String,
    /// Length in bytes.
    bytes: i64,
    /// Seconds since 1970.
    created_at: i64,
    filename: String,
    purpose: String,
}

#[derive(Serialize, ToSchema)]
struct Files {
    data: Vec<FileRecord>,
}

#[derive(Serialize, ToSchema)]
struct Deleted {
    file_id: String,
    deleted: bool,
    object: String,
}

/// A file to keep.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read part by part; here for the document")]
struct Parts {
    /// What it is for, such as `dataset`.
    purpose: String,
    /// The bytes, with a file name.
    #[schema(value_type = String, format = Binary)]
    file: String,
}

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(get, delete)).routes(routes!(download))
}

fn record(upload: &Upload) -> FileRecord {
    FileRecord {
        file_id: upload.key.clone(),
        object: "file".into(),
        bytes: upload.bytes.unwrap_or(0),
        created_at: upload.created_at / 1_000_000,
        filename: upload.name.clone(),
        purpose: upload.purpose.clone(),
    }
}

/// The caller's own file of this id; files belong to a user, not to a project.
pub(crate) async fn own(app: &App, caller: &Caller, id: &str) -> Result<Upload, Refusal> {
    match app.store().upload(id).await {
        Ok(upload) if upload.kind == "file" && upload.created_by == caller.0.guid => Ok(upload),
        Ok(_) | Err(store::StoreError::NotFound { .. }) => Err(Refusal::not_found("file", id)),
        Err(error) => Err(error.into()),
    }
}

/// Keeps a file (`multipart/form-data` with `purpose` and `file`).
#[utoipa::path(post, path = "/v1/files", tag = "files", request_body(content = Parts, content_type = "multipart/form-data"),
    responses((status = 200, body = FileRecord), (status = "4XX", body = Refused)))]
async fn create(State(app): State<App>, caller: Caller, mut parts: Multipart) -> Answer<FileRecord> {
    let (mut purpose, mut kept) = (String::new(), None);
    let broken = |error: axum::extract::multipart::MultipartError| match error.status().as_u16() {
        413 => Refusal::new(Code::RequestTooLarge, "the file is longer than this server takes"),
        _ => Refusal::bad(format!("the form cannot be read: {}", error.body_text())),
    };
    while let Some(part) = parts.next_field().await.map_err(broken)? {
        match part.name().unwrap_or_default() {
            "purpose" => purpose = part.text().await.map_err(broken)?.chars().take(100).collect(),
            "file" if kept.is_none() => {
                let name = file_name(part.file_name().unwrap_or("file"))?;
                let upload = app.store().create_upload("file", "", &name, "", &caller.0.guid).await?;
                match super::links::receive(&app, &upload.key, part).await {
                    Ok(bytes) => {
                        app.store().finish_upload(&upload.key, bytes as i64).await?;
                        kept = Some(upload.key);
                    }
                    Err(refusal) => {
                        app.store().delete_upload(&upload.key).await?;
                        return Err(refusal);
                    }
                }
            }
            other => {
                let shown = bounded(other);
                return Err(Refusal::bad(format!(
                    "the form has a part `{shown}`; `purpose` and one `file` are expected"
                )));
            }
        }
    }
    let Some(key) = kept else { return Err(Refusal::bad("the form has no part `file`")) };
    let upload = app.store().set_purpose(&key, &purpose).await?;
    Ok(Json(record(&upload)))
}

/// The caller's files, newest first.
#[utoipa::path(get, path = "/v1/files", tag = "files",
    responses((status = 200, body = Files), (status = "4XX", body = Refused)))]
async fn list(State(app): State<App>, caller: Caller) -> Answer<Files> {
    let uploads = app.store().uploads_by(&caller.0.guid, "file").await?;
    Ok(Json(Files { data: uploads.iter().map(record).collect() }))
}

/// One file.
#[utoipa::path(get, path = "/v1/files/{id}", tag = "files", params(("id" = String, Path)),
    responses((status = 200, body = FileRecord), (status = "4XX", body = Refused)))]
async fn get(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Answer<FileRecord> {
    Ok(Json(record(&own(&app, &caller, &id).await?)))
}

/// The bytes of a file, as they came.
#[utoipa::path(get, path = "/v1/files/{id}/download", tag = "files", params(("id" = String, Path)),
    responses((status = 200, description = "the file", content_type = "application/octet-stream", body = Vec<u8>), (status = "4XX", body = Refused)))]
async fn download(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    let upload = own(&app, &caller, &id).await?;
    super::links::serve(&app, &app.store().upload_path(&upload.key), &upload.name, request).await
}

/// Deletes a file.
#[utoipa::path(delete, path = "/v1/files/{id}", tag = "files", params(("id" = String, Path)),
    responses((status = 200, body = Deleted), (status = "4XX", body = Refused)))]
async fn delete(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Answer<Deleted> {
    own(&app, &caller, &id).await?;
    app.store().delete_upload(&id).await?;
    app.sink_soon();
    Ok(Json(Deleted { file_id: id, deleted: true, object: "file".into() }))
}
