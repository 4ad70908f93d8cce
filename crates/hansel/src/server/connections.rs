//! Connections: credentials go in and never come out.

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use store::{ConnectionEdit, ConnectionFilter, ConnectionRecord, NewConnection, Project, Role};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use workflow::Code;
use zeroize::Zeroizing;

use super::answer::{Answer, Nothing, Refusal, Refused, bounded, time};
use super::body::{Asked, Body};
use super::caller::Caller;
use super::search::{Query, page};
use super::state::App;

/// A connection, without its credentials.
#[derive(Serialize, ToSchema)]
pub(crate) struct Connection {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    name: String,
    /// `VALIDATION_STATUS_UNKNOWN`, `…_VALIDATING`, `…_VALID` or `…_INVALID`.
    validation_status: String,
    customer_managed_credentials_encryption: bool,
    created_at: String,
    /// Guid of the project.
    project_id: String,
    /// Guid of the user.
    created_by: String,
    #[schema(value_type = Object)]
    config: Value,
    connection_target_type: String,
    auth_strategy: String,
    /// Whether credentials are kept.
    has_credentials: bool,
}

/// The key with which clients encrypt credentials for this server.
#[derive(Serialize, ToSchema)]
struct EncryptionKey {
    /// To be sent back beside what was encrypted with it.
    key_id: String,
    /// `RSA_4096_OAEP_SHA256`.
    algorithm: String,
    /// The public key, PEM.
    public_key: String,
}

#[derive(Serialize, ToSchema)]
struct ConnectionListed {
    data: Vec<Connection>,
}

#[derive(Serialize, ToSchema)]
struct ConnectionSearched {
    connections: Vec<Connection>,
    total: i64,
}

/// What came of a check.
#[derive(Serialize, ToSchema)]
pub(crate) struct Validated {
    pub(crate) status: String,
    pub(crate) message: String,
}

/// What a connection is to be tried for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ToDiagnose {
    /// Without any, only the identity is asked for. At most 20.
    #[serde(default)]
    uses: Vec<UseWanted>,
}

/// What a connection is to do in a bucket.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UseWanted {
    bucket: String,
    #[serde(default)]
    path: String,
    /// `source` or `destination`.
    side: Side,
}

#[derive(Clone, Copy, PartialEq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Side {
    Source,
    Destination,
}

/// What was found, thing by thing.
#[derive(Serialize, ToSchema)]
struct Diagnosis {
    findings: Vec<FindingRecord>,
}

/// How one thing that a connection needs stands.
#[derive(Serialize, ToSchema)]
struct FindingRecord {
    /// The thing: `identity`, a region, a permission with its bucket or object.
    what: String,
    /// `held`, `missing` or `unknown`.
    standing: String,
    /// What the service said.
    said: String,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Search {
    /// `project_id:…`, `id:…`.
    query: Option<String>,
    /// `created_at` or `updated_at`, with `-` before it for falling order.
    sort: Option<String>,
    #[param(minimum = 0)]
    limit: Option<i64>,
    #[param(minimum = 0)]
    skip: Option<i64>,
}

/// A new connection.
#[derive(Deserialize, ToSchema)]
struct ConnectionWanted {
    /// Guid, id or name of the project.
    project_id: String,
    #[serde(rename = "type")]
    kind: String,
    name: Option<String>,
    #[schema(value_type = Option<Object>)]
    credentials: Option<Map<String, Value>>,
    #[schema(value_type = Option<Object>)]
    encrypted_credentials: Option<Map<String, Value>>,
    #[schema(value_type = Option<Object>)]
    config: Option<Map<String, Value>>,
    connection_target_type: Option<String>,
    auth_strategy: Option<String>,
}

/// What of a connection is to change; what is left out stays.
#[derive(Deserialize, ToSchema)]
struct ConnectionChange {
    name: Option<String>,
    #[schema(value_type = Option<Object>)]
    credentials: Option<Map<String, Value>>,
    #[schema(value_type = Option<Object>)]
    encrypted_credentials: Option<Map<String, Value>>,
    #[schema(value_type = Option<Object>)]
    config: Option<Map<String, Value>>,
    connection_target_type: Option<String>,
    auth_strategy: Option<String>,
}

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(search))
        .routes(routes!(get, update, delete))
        .routes(routes!(validate))
        .routes(routes!(diagnose))
        .routes(routes!(credentials))
        .routes(routes!(encryption_key))
}

fn wire(record: &ConnectionRecord, project: &Project) -> Connection {
    Connection {
        id: record.id.clone(),
        kind: record.kind.clone(),
        name: record.name.clone(),
        validation_status: format!("VALIDATION_STATUS_{}", record.validation),
        customer_managed_credentials_encryption: record.encrypted,
        created_at: time(record.created_at),
        project_id: project.guid.clone(),
        created_by: record.created_by.clone(),
        config: record.config.clone(),
        connection_target_type: record.target.clone(),
        auth_strategy: record.auth_strategy.clone(),
        has_credentials: record.credentials || record.encrypted,
    }
}

/// The connection and its project, if the caller has this role there.
async fn find(app: &App, caller: &Caller, id: &str, least: Role) -> Result<(ConnectionRecord, Project), Refusal> {
    let record = app.store().connection(id).await?;
    let project = app.store().project(&record.project).await?;
    caller.may(app, &project, least, "connection", id).await?;
    Ok((record, project))
}

async fn found(app: &App, caller: &Caller, asked: &Search) -> Result<(Vec<Connection>, i64), Refusal> {
    let query = Query::read(asked.query.as_deref(), &["id", "project_id"])?;
    let page = page(asked.limit.or(Some(i64::MAX)), asked.skip, asked.sort.as_deref())?;
    let projects = match query.one("project_id") {
        Some(any) => vec![caller.project(app, any, Role::Read).await?.id],
        None => caller.sight(app).await?,
    };
    let filter = ConnectionFilter { projects: Some(projects), ids: query.all("id") };
    let (records, total) = app.store().connections_page(&filter, &page).await?;
    let mut connections = Vec::with_capacity(records.len());
    let mut projects: std::collections::BTreeMap<String, Project> = std::collections::BTreeMap::new();
    for record in &records {
        if !projects.contains_key(&record.project) {
            projects.insert(record.project.clone(), app.store().project(&record.project).await?);
        }
        connections.push(wire(record, &projects[&record.project]));
    }
    Ok((connections, total))
}

/// Every connection in the caller's sight.
#[utoipa::path(get, path = "/v1/connections", tag = "connections", params(Search),
    responses((status = 200, body = ConnectionListed), (status = "4XX", body = Refused)))]
async fn list(State(app): State<App>, caller: Caller, Asked(asked): Asked<Search>) -> Answer<ConnectionListed> {
    Ok(Json(ConnectionListed { data: found(&app, &caller, &asked).await?.0 }))
}

/// Connections that a query finds.
#[utoipa::path(get, path = "/v1/connections/search", tag = "connections", params(Search),
    responses((status = 200, body = ConnectionSearched), (status = "4XX", body = Refused)))]
async fn search(State(app): State<App>, caller: Caller, Asked(asked): Asked<Search>) -> Answer<ConnectionSearched> {
    let (connections, total) = found(&app, &caller, &asked).await?;
    Ok(Json(ConnectionSearched { connections, total }))
}

/// Keeps a connection. Its credentials are sealed and never given back.
#[utoipa::path(post, path = "/v1/connections", tag = "connections", request_body = ConnectionWanted,
    responses((status = 200, body = Connection), (status = "4XX", body = Refused)))]
async fn create(State(app): State<App>, caller: Caller, Body(wanted): Body<ConnectionWanted>) -> Answer<Connection> {
    let project = caller.project(&app, &wanted.project_id, Role::Write).await?;
    let config = wanted.config.unwrap_or_default();
    let target = target(wanted.connection_target_type.as_deref())?;
    let encrypted = wanted.encrypted_credentials.filter(|map| !map.is_empty());
    let credentials = wanted.credentials.filter(|map| !map.is_empty());
    if encrypted.is_some() && credentials.is_some() {
        return Err(Refusal::new(
            Code::ConnectionInvalid,
            "both `credentials` and `encrypted_credentials` are given; one of them is expected",
        ));
    }
    let opened = match &encrypted {
        Some(encrypted) => Some(unboxed(&app, encrypted).await?),
        None => None,
    };
    check(&wanted.kind, &config, opened.as_ref().or(credentials.as_ref()))?;
    let name = match wanted.name.filter(|name| !name.is_empty()) {
        Some(name) => name,
        None => format!("{}-{}", wanted.kind, short()),
    };
    let new = NewConnection {
        project: project.id.clone(),
        name,
        kind: wanted.kind.to_lowercase(),
        config: Value::Object(config),
        credentials: credentials.map(plain),
        encrypted_credentials: encrypted.map(Value::Object),
        target,
        auth_strategy: wanted.auth_strategy.unwrap_or_default(),
        created_by: caller.0.guid.clone(),
    };
    let record = app.store().create_connection(new).await?;
    app.audit(&caller, "create", "connection", &record.id, &project.guid).await?;
    Ok(Json(wire(&record, &project)))
}

/// Checks config and credentials against the type; types that nothing here uses are refused by name.
fn check(kind: &str, config: &Map<String, Value>, credentials: Option<&Map<String, Value>>) -> Result<(), Refusal> {
    let Some(known) = actions::CONNECTION_TYPES.iter().find(|known| known.name.eq_ignore_ascii_case(kind)) else {
        let names = actions::CONNECTION_TYPES.iter().map(|known| known.name);
        let allowed: Vec<String> = names.clone().map(|name| format!("`{name}`")).collect();
        let shown = bounded(kind);
        let mut refusal = Refusal::new(
            Code::ConnectionInvalid,
            format!("`{shown}` is no connection type here; allowed: {}", allowed.join(", ")),
        );
        if let Some(near) = workflow::nearest(kind, names) {
            refusal = refusal.hint(format!("Did you mean `{near}`?"));
        }
        return Err(refusal);
    };
    let problems = (known.check)(config, credentials);
    if problems.is_empty() { Ok(()) } else { Err(Refusal::new(Code::ConnectionInvalid, problems.join("; "))) }
}

/// Opens credentials that the caller encrypted, so that what cannot be opened is not kept.
async fn unboxed(app: &App, encrypted: &Map<String, Value>) -> Result<Map<String, Value>, Refusal> {
    match crate::memory::unboxed(app.store(), encrypted).await {
        Err(store::StoreError::Refused(message)) => Err(Refusal::new(Code::ConnectionInvalid, message)
            .hint("Encrypt them with the key of `GET /v1/encryption-key`, or send `credentials`, which are sealed.")),
        opened => Ok(opened?),
    }
}

fn target(text: Option<&str>) -> Result<String, Refusal> {
    match text.unwrap_or_default() {
        "" | "unspecified" => Ok(String::new()),
        text @ ("source" | "destination") => Ok(text.into()),
        other => {
            let shown = bounded(other);
            Err(Refusal::new(
                Code::ConnectionInvalid,
                format!("`connection_target_type` is `{shown}`; `source`, `destination` or `unspecified` is expected"),
            ))
        }
    }
}

fn plain(credentials: Map<String, Value>) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(Value::Object(credentials).to_string().into_bytes())
}

/// Five hex digits from the clock, for names that nobody gave.
fn short() -> String {
    format!("{:05x}", jiff::Timestamp::now().as_microsecond() & 0xf_ffff)
}

/// One connection.
#[utoipa::path(get, path = "/v1/connections/{id}", tag = "connections", params(("id" = String, Path)),
    responses((status = 200, body = Connection), (status = "4XX", body = Refused)))]
async fn get(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Answer<Connection> {
    let (record, project) = find(&app, &caller, &id, Role::Read).await?;
    Ok(Json(wire(&record, &project)))
}

/// Changes a connection. A `config` replaces the old one whole.
#[utoipa::path(patch, path = "/v1/connections/{id}", tag = "connections", params(("id" = String, Path)),
    request_body = ConnectionChange, responses((status = 200, body = Connection), (status = "4XX", body = Refused)))]
async fn update(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(change): Body<ConnectionChange>,
) -> Answer<Connection> {
    let (old, project) = find(&app, &caller, &id, Role::Write).await?;
    let credentials = change.credentials.filter(|map| !map.is_empty());
    let encrypted = change.encrypted_credentials.filter(|map| !map.is_empty());
    if old.encrypted && credentials.is_some() || !old.encrypted && old.credentials && encrypted.is_some() {
        return Err(Refusal::new(
            Code::ConnectionInvalid,
            "the credentials are not encrypted in the way that this connection was made with",
        )
        .hint("Make a new connection, or send them as before."));
    }
    let config = change.config.clone().unwrap_or_else(|| old.config.as_object().cloned().unwrap_or_default());
    if let Some(encrypted) = &encrypted {
        check(&old.kind, &config, Some(&unboxed(&app, encrypted).await?))?;
    } else if credentials.is_some() || !(old.credentials || old.encrypted) {
        check(&old.kind, &config, credentials.as_ref())?;
    } else if change.config.is_some() {
        let opened = crate::memory::credentials(app.store(), &old).await?;
        let kept: Option<Map<String, Value>> = opened.and_then(|plain| serde_json::from_slice(&plain).ok());
        check(&old.kind, &config, kept.as_ref())?;
    }
    let target = change.connection_target_type.as_deref().map(|text| target(Some(text))).transpose()?;
    let edit = ConnectionEdit {
        name: change.name,
        config: change.config.map(Value::Object),
        credentials: credentials.map(plain),
        encrypted_credentials: encrypted.map(Value::Object),
        target,
        auth_strategy: change.auth_strategy,
        validation: Some(("UNKNOWN".into(), String::new())),
    };
    let record = app.store().update_connection(&id, edit).await?;
    app.audit(&caller, "update", "connection", &id, &project.guid).await?;
    Ok(Json(wire(&record, &project)))
}

/// Deletes a connection; workflows that name it fail from then on.
#[utoipa::path(delete, path = "/v1/connections/{id}", tag = "connections", params(("id" = String, Path)),
    responses((status = 200, body = Nothing), (status = "4XX", body = Refused)))]
async fn delete(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Answer<Nothing> {
    let (_, project) = find(&app, &caller, &id, Role::Administrator).await?;
    app.store().delete_connection(&id).await?;
    app.audit(&caller, "delete", "connection", &id, &project.guid).await?;
    Ok(Json(Nothing {}))
}

/// Asks the service behind a connection who the credentials are.
#[utoipa::path(post, path = "/v1/connections/{id}/validate-credentials", tag = "connections",
    params(("id" = String, Path)), responses((status = 200, body = Validated), (status = "4XX", body = Refused)))]
async fn validate(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Answer<Validated> {
    let (record, project) = find(&app, &caller, &id, Role::Write).await?;
    let opened = crate::memory::connection(app.store(), &record, &project).await?;
    app.audit(&caller, "use credentials", "connection", &id, &project.guid).await?;
    let checked = tokio::task::spawn_blocking(move || actions::identity(&opened)).await;
    let (state, message) = match checked {
        Ok(Ok(said)) => ("VALID", said),
        Ok(Err(failure)) => ("INVALID", failure.to_string()),
        Err(_) => ("UNKNOWN", "a mistake of ours ended the check".to_string()),
    };
    let validation = Some((state.to_string(), message.clone()));
    app.store().update_connection(&id, ConnectionEdit { validation, ..ConnectionEdit::default() }).await?;
    Ok(Json(Validated { status: format!("VALIDATION_STATUS_{state}"), message }))
}

/// Tries what a connection may do in buckets, permission by permission. Nothing is written.
#[utoipa::path(post, path = "/v1/connections/{id}/diagnose", tag = "connections", params(("id" = String, Path)),
    request_body = ToDiagnose, responses((status = 200, body = Diagnosis), (status = "4XX", body = Refused)))]
async fn diagnose(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(asked): Body<ToDiagnose>,
) -> Answer<Diagnosis> {
    let (record, project) = find(&app, &caller, &id, Role::Write).await?;
    if asked.uses.len() > 20 {
        return Err(Refusal::bad(format!("`uses` has {} entries; 20 at most are allowed", asked.uses.len())));
    }
    let mut uses = Vec::with_capacity(asked.uses.len());
    for one in asked.uses {
        if let Some(problem) = actions::bucket_problem(&one.bucket) {
            return Err(Refusal::bad(problem));
        }
        uses.push(actions::Use { bucket: one.bucket, path: one.path, source: one.side == Side::Source });
    }
    let opened = crate::memory::connection(app.store(), &record, &project).await?;
    app.audit(&caller, "use credentials", "connection", &id, &project.guid).await?;
    let tried = tokio::task::spawn_blocking(move || actions::diagnose(&opened, &uses)).await;
    let findings = tried.map_err(|_| Refusal::new(Code::Internal, "a mistake of ours ended the check"))??;
    let record =
        |one: actions::Finding| FindingRecord { what: one.what, standing: one.standing.word().into(), said: one.said };
    Ok(Json(Diagnosis { findings: findings.into_iter().map(record).collect() }))
}

/// Refused always: nobody reads credentials back.
#[utoipa::path(get, path = "/v1/connections/{id}/credentials", tag = "connections", params(("id" = String, Path)),
    responses((status = 403, body = Refused), (status = "4XX", body = Refused)))]
async fn credentials(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Answer<Nothing> {
    find(&app, &caller, &id, Role::Read).await?;
    Err(Refusal::new(Code::PermissionDenied, "credentials are not given back"))
}

/// The public key with which clients may encrypt credentials before they send them as `encrypted_credentials`.
#[utoipa::path(get, path = "/v1/encryption-key", tag = "connections",
    responses((status = 200, body = EncryptionKey), (status = "4XX", body = Refused)))]
async fn encryption_key(State(app): State<App>, _caller: Caller) -> Answer<EncryptionKey> {
    let key = app.store().encryption_key().await?;
    let algorithm = crate::sealed_box::ALGORITHM.to_string();
    Ok(Json(EncryptionKey { key_id: key.id, algorithm, public_key: key.public_pem }))
}
