//! Projects in both layers of the documented API, and who may do what in them.

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use store::{NewProject, Project, Role};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::answer::{Answer, Nothing, Refusal, Refused, time};
use super::body::{Asked, Body};
use super::caller::Caller;
use super::state::App;

/// A project in the older layer.
#[derive(Serialize, ToSchema)]
struct ProjectV0 {
    /// 24 hex digits.
    _id: String,
    guid: String,
    name: String,
    display_name: String,
    description: String,
    runner_mode: Option<String>,
    cluster_guid: Option<String>,
}

/// A project in the newer layer.
#[derive(Clone, Serialize, ToSchema)]
pub(crate) struct ProjectV1 {
    /// The guid.
    id: String,
    /// 24 hex digits.
    uid: String,
    name: String,
    display_name: String,
    description: String,
    runner_mode: String,
    created: String,
    modified: String,
}

#[derive(Serialize, ToSchema)]
struct ProjectMade {
    data: ProjectMadeData,
}

#[derive(Serialize, ToSchema)]
struct ProjectMadeData {
    /// 24 hex digits.
    id: String,
}

#[derive(Serialize, ToSchema)]
struct Found {
    data: FoundData,
}

#[derive(Serialize, ToSchema)]
struct FoundData {
    project: ProjectV0,
}

#[derive(Serialize, ToSchema)]
struct Many {
    data: ManyData,
}

#[derive(Serialize, ToSchema)]
struct ManyData {
    projects: Vec<ProjectV0>,
}

#[derive(Serialize, ToSchema)]
struct FoundV1 {
    project: ProjectV1,
}

#[derive(Serialize, ToSchema)]
struct ManyV1 {
    projects: Vec<ProjectV1>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Search {
    /// Part of a name, display name or description, in any case of letters.
    query: Option<String>,
    /// At most so many.
    #[param(minimum = 0)]
    limit: Option<i64>,
    /// Leave out so many.
    #[param(minimum = 0)]
    skip: Option<i64>,
}

#[derive(Deserialize, ToSchema)]
struct ProjectWanted {
    name: Option<String>,
    display_name: Option<String>,
    description: Option<String>,
    /// `cloud`, or null.
    runner_mode: Option<String>,
    cluster_guid: Option<String>,
}

/// Somebody with a role in a project.
#[derive(Serialize, ToSchema)]
struct Member {
    guid: String,
    email: String,
    /// `read`, `write`, `administrator` or `owner`.
    role: String,
}

#[derive(Serialize, ToSchema)]
struct Members {
    members: Vec<Member>,
}

#[derive(Deserialize, ToSchema)]
struct Invite {
    /// E-mail of a user of this server.
    email: String,
    /// 1 read, 2 write, 3 administrator, 4 owner.
    #[schema(minimum = 1, maximum = 4)]
    level: i64,
}

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(search, create))
        .routes(routes!(get, delete))
        .routes(routes!(get_v1))
        .routes(routes!(search_v1))
        .routes(routes!(invite))
        .routes(routes!(members))
        .routes(routes!(remove_member))
}

fn v0(project: &Project) -> ProjectV0 {
    ProjectV0 {
        _id: project.id.clone(),
        guid: project.guid.clone(),
        name: project.name.clone(),
        display_name: project.display_name.clone(),
        description: project.description.clone(),
        // The documented record is printed without a runner mode, which is what null means to the client. A mode
        // other than the two it knows would stop it.
        runner_mode: None,
        cluster_guid: None,
    }
}

pub(crate) fn v1(project: &Project) -> ProjectV1 {
    ProjectV1 {
        id: project.guid.clone(),
        uid: project.id.clone(),
        name: project.name.clone(),
        display_name: project.display_name.clone(),
        description: project.description.clone(),
        runner_mode: "RUNNER_MODE_CLOUD".into(),
        created: time(project.created_at),
        modified: time(project.updated_at),
    }
}

/// Projects that the caller has a role in, newest first.
#[utoipa::path(get, path = "/projects", tag = "projects", params(Search),
    responses((status = 200, body = Many), (status = "4XX", body = Refused)))]
async fn search(State(app): State<App>, caller: Caller, Asked(asked): Asked<Search>) -> Answer<Many> {
    let projects = find(&app, &caller, &asked).await?;
    Ok(Json(Many { data: ManyData { projects: projects.iter().map(v0).collect() } }))
}

/// Projects that the caller has a role in, newest first.
#[utoipa::path(get, path = "/v1/projects/search", tag = "projects", params(Search),
    responses((status = 200, body = ManyV1), (status = "4XX", body = Refused)))]
async fn search_v1(State(app): State<App>, caller: Caller, Asked(asked): Asked<Search>) -> Answer<ManyV1> {
    let projects = find(&app, &caller, &asked).await?;
    Ok(Json(ManyV1 { projects: projects.iter().map(v1).collect() }))
}

async fn find(app: &App, caller: &Caller, asked: &Search) -> Result<Vec<Project>, Refusal> {
    let page = super::search::page(asked.limit, asked.skip, None)?;
    let query = asked.query.as_deref().unwrap_or_default();
    Ok(app.store().projects_of(Some(&caller.0.id), query, page.limit, page.skip).await?)
}

/// Makes a project. The same owner asking again for the same name gets the project that is there.
#[utoipa::path(post, path = "/projects", tag = "projects", request_body = ProjectWanted,
    responses((status = 200, body = ProjectMade), (status = "4XX", body = Refused)))]
async fn create(State(app): State<App>, caller: Caller, Body(wanted): Body<ProjectWanted>) -> Answer<ProjectMade> {
    if let Some(mode) = wanted.runner_mode.as_deref().filter(|mode| !["cloud", "hybrid", ""].contains(mode)) {
        return Err(Refusal::bad(format!("`runner_mode` is `{mode}`; `cloud` is expected")));
    }
    if wanted.cluster_guid.as_deref().is_some_and(|guid| !guid.is_empty())
        || wanted.runner_mode.as_deref() == Some("hybrid")
    {
        return Err(Refusal::bad("this server has no clusters; it does all work itself")
            .hint("Leave `cluster_guid` out and take the runner mode `cloud`."));
    }
    let new = NewProject {
        name: wanted.name.filter(|name| !name.is_empty()),
        display_name: Some(wanted.display_name.unwrap_or_default()),
        description: wanted.description,
        owner: Some(caller.0.id.clone()),
        runner_mode: wanted.runner_mode,
    };
    let (project, made) = app.store().create_project(&new).await?;
    if made {
        app.audit(&caller, "create", "project", &project.guid, &project.guid).await?;
    }
    Ok(Json(ProjectMade { data: ProjectMadeData { id: project.id } }))
}

/// One project, by name, id or guid.
#[utoipa::path(get, path = "/projects/{project}", tag = "projects", params(("project" = String, Path)),
    responses((status = 200, body = Found), (status = "4XX", body = Refused)))]
async fn get(State(app): State<App>, caller: Caller, Path(any): Path<String>) -> Answer<Found> {
    let project = caller.project(&app, &any, Role::Read).await?;
    Ok(Json(Found { data: FoundData { project: v0(&project) } }))
}

/// One project, by name, id or guid.
#[utoipa::path(get, path = "/v1/projects/{project}", tag = "projects", params(("project" = String, Path)),
    responses((status = 200, body = FoundV1), (status = "4XX", body = Refused)))]
async fn get_v1(State(app): State<App>, caller: Caller, Path(any): Path<String>) -> Answer<FoundV1> {
    let project = caller.project(&app, &any, Role::Read).await?;
    Ok(Json(FoundV1 { project: v1(&project) }))
}

/// Deletes a project with its models, artifacts, connections, workflows and runs.
#[utoipa::path(delete, path = "/projects/{project}", tag = "projects", params(("project" = String, Path)),
    responses((status = 200, body = Nothing), (status = "4XX", body = Refused)))]
async fn delete(State(app): State<App>, caller: Caller, Path(any): Path<String>) -> Answer<Nothing> {
    let project = caller.project(&app, &any, Role::Owner).await?;
    app.queue().cancel_project(&project.id);
    app.store().delete_project(&project.id).await?;
    app.sink_soon();
    app.audit(&caller, "delete", "project", &project.guid, &project.guid).await?;
    Ok(Json(Nothing {}))
}

/// Gives a user of this server a role in a project.
#[utoipa::path(post, path = "/projects/{project}/invites", tag = "projects", params(("project" = String, Path)),
    request_body = Invite, responses((status = 200, body = Nothing), (status = "4XX", body = Refused)))]
async fn invite(
    State(app): State<App>,
    caller: Caller,
    Path(any): Path<String>,
    Body(asked): Body<Invite>,
) -> Answer<Nothing> {
    let project = caller.project(&app, &any, Role::Administrator).await?;
    let role = Role::from_level(asked.level)
        .ok_or_else(|| Refusal::bad(format!("`level` is {}; 1 (read) to 4 (owner) are allowed", asked.level)))?;
    if role == Role::Owner {
        caller.may(&app, &project, Role::Owner, "project", &any).await?;
    }
    let user = app.store().user(&asked.email).await?;
    if user.id == caller.0.id {
        return Err(Refusal::bad("Cannot invite yourself"));
    }
    app.store().set_member(&project.id, &user.id, role).await?;
    app.audit(&caller, &format!("grant {}", role.name()), "user", &user.guid, &project.guid).await?;
    Ok(Json(Nothing {}))
}

/// Who has which role in a project.
#[utoipa::path(get, path = "/v1/projects/{project}/members", tag = "projects", params(("project" = String, Path)),
    responses((status = 200, body = Members), (status = "4XX", body = Refused)))]
async fn members(State(app): State<App>, caller: Caller, Path(any): Path<String>) -> Answer<Members> {
    let project = caller.project(&app, &any, Role::Read).await?;
    let members = app.store().members(&project.id).await?;
    let member = |(user, role): &(store::User, Role)| Member {
        guid: user.guid.clone(),
        email: user.email.clone(),
        role: role.name().into(),
    };
    Ok(Json(Members { members: members.iter().map(member).collect() }))
}

/// Takes a user's role in a project away. A project keeps one owner at least.
#[utoipa::path(delete, path = "/v1/projects/{project}/members/{user}", tag = "projects",
    params(("project" = String, Path), ("user" = String, Path)),
    responses((status = 200, body = Nothing), (status = "4XX", body = Refused)))]
async fn remove_member(
    State(app): State<App>,
    caller: Caller,
    Path((any, user)): Path<(String, String)>,
) -> Answer<Nothing> {
    let project = caller.project(&app, &any, Role::Administrator).await?;
    let members = app.store().members(&project.id).await?;
    let Some((member, role)) = members.iter().find(|(one, _)| one.guid == user || one.id == user || one.email == user)
    else {
        return Err(Refusal::not_found("member", &user));
    };
    if *role == Role::Owner {
        caller.may(&app, &project, Role::Owner, "project", &any).await?;
        if members.iter().filter(|(_, role)| *role == Role::Owner).count() == 1 {
            return Err(
                Refusal::bad("a project keeps one owner at least").hint("Give somebody else the role `owner` first.")
            );
        }
    }
    app.store().remove_member(&project.id, &member.id).await?;
    app.audit(&caller, "remove", "user", &member.guid, &project.guid).await?;
    Ok(Json(Nothing {}))
}
