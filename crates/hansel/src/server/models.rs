//! ModelModels: configs that are checked, trained by the queue, and told with their logs and files.

use actions::jobs::{MODEL_ARTIFACTS, ModelJob};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{NewJob, Role};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::answer::{Answer, Nothing, Refusal, Refused, bounded};
use super::body::{Asked, Body, Expand};
use super::caller::Caller;
use super::jobs::{Artifact, JobChange, JobLink, JobRecord, LogLine, ModelSearch, Named};
use super::jobs::{cancel, delete, find, jobs, left, lines, link, of_source, record, unfit};
use super::state::App;

#[derive(Serialize, ToSchema)]
struct MadeModel {
    data: ModelOnly,
    worker_key: String,
}

#[derive(Serialize, ToSchema)]
struct ModelOnly {
    model: JobRecord,
}

#[derive(Serialize, ToSchema)]
struct ModelModels {
    data: ModelsData,
}

#[derive(Serialize, ToSchema)]
struct ModelsData {
    models: Vec<JobRecord>,
}

#[derive(Serialize, ToSchema)]
struct OneModel {
    data: OneModelData,
}

#[derive(Serialize, ToSchema)]
struct OneModelData {
    model: JobRecord,
    logs: Vec<LogLine>,
    artifacts: Vec<Named>,
    #[schema(value_type = Object)]
    billing_data: Value,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Making {
    /// `yes`: the config is checked and nothing is made.
    dry_run: Option<String>,
    runner_mode: Option<String>,
}

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(search_models, create_model))
        .routes(routes!(get_model, change_model, delete_model))
        .routes(routes!(model_artifact))
}

/// Makes a model and trains it. A dry run checks the config and gives it back with its defaults filled in.
#[utoipa::path(post, path = "/projects/{project}/models", tag = "models",
    params(("project" = String, Path), Making), request_body = Object,
    responses((status = 200, body = MadeModel), (status = "4XX", body = Refused)))]
async fn create_model(
    State(app): State<App>,
    caller: Caller,
    Path(any): Path<String>,
    Asked(making): Asked<Making>,
    Body(sent): Body<Value>,
) -> Answer<MadeModel> {
    let project = caller.project(&app, &any, Role::Write).await?;
    mode(making.runner_mode.as_deref())?;
    // Sent bare, or with its provenance around it.
    let config = sent.get("config").filter(|_| sent.get("models").is_none()).unwrap_or(&sent);
    let model = ModelJob::check(config).map_err(unfit)?;
    for key in sources(&model) {
        of_source(&app, &project, &key).await?;
    }
    let dry = making.dry_run.as_deref().is_some_and(|dry| ["yes", "true", "1"].contains(&dry));
    let new = NewJob {
        kind: "model".into(),
        project: project.id.clone(),
        model: String::new(),
        name: model.name().unwrap_or_default().to_string(),
        job_type: model.kind().to_string(),
        config: model.filled().to_string(),
        created_by: caller.0.id.clone(),
        run: String::new(),
    };
    let job = match dry {
        true => app.store().draft_job(&new),
        false => {
            let job = app.store().create_job(&new).await?;
            app.audit(&caller, "create", "model", &job.uid, &project.guid).await?;
            app.queue().ring();
            job
        }
    };
    Ok(Json(MadeModel { data: ModelOnly { model: record(&job, &project) }, worker_key: String::new() }))
}

fn mode(asked: Option<&str>) -> Result<(), Refusal> {
    match asked.unwrap_or_default() {
        "" | "cloud" | "hybrid" | "inherit" => Ok(()),
        "manual" => {
            Err(Refusal::bad("`runner_mode` is `manual`; this server does all work itself, `cloud` is expected"))
        }
        other => {
            let shown = bounded(other);
            Err(Refusal::bad(format!("`runner_mode` is `{shown}`; `cloud` is expected")))
        }
    }
}

/// Every data source that a model names.
fn sources(model: &ModelJob) -> Vec<String> {
    let data = model.data_source().into_iter().map(str::to_string);
    data.chain(model.ref_data().into_iter().map(|(_, source)| source)).collect()
}

/// The project's models, newest first unless asked otherwise.
#[utoipa::path(get, path = "/projects/{project}/models", tag = "models",
    params(("project" = String, Path), ModelSearch),
    responses((status = 200, body = ModelModels), (status = "4XX", body = Refused)))]
async fn search_models(
    State(app): State<App>,
    caller: Caller,
    Path(any): Path<String>,
    Asked(asked): Asked<ModelSearch>,
) -> Answer<ModelModels> {
    let project = caller.project(&app, &any, Role::Read).await?;
    let jobs = jobs(&app, &project, "model", "", &asked).await?;
    let models = jobs.iter().map(|job| record(job, &project)).collect();
    Ok(Json(ModelModels { data: ModelsData { models } }))
}

/// One model, with its log and what it left where that is asked for.
#[utoipa::path(get, path = "/projects/{project}/models/{model}", tag = "models",
    params(("project" = String, Path), ("model" = String, Path), ("expand" = Option<String>, Query)),
    responses((status = 200, body = OneModel), (status = "4XX", body = Refused)))]
async fn get_model(
    State(app): State<App>,
    caller: Caller,
    Path((any, uid)): Path<(String, String)>,
    expand: Expand,
) -> Answer<OneModel> {
    let (job, project) = find(&app, &caller, (&any, &uid), "model", Role::Read).await?;
    let logs = lines(&app, &job, &expand).await?;
    let artifacts = left(&app, &job, MODEL_ARTIFACTS).await?;
    Ok(Json(OneModel {
        data: OneModelData { model: record(&job, &project), logs, artifacts, billing_data: json!({}) },
    }))
}

/// Asks a model to stop training.
#[utoipa::path(patch, path = "/projects/{project}/models/{model}", tag = "models",
    params(("project" = String, Path), ("model" = String, Path)), request_body = JobChange,
    responses((status = 200, body = Nothing), (status = "4XX", body = Refused)))]
async fn change_model(
    State(app): State<App>,
    caller: Caller,
    Path((any, uid)): Path<(String, String)>,
    Body(change): Body<JobChange>,
) -> Answer<Nothing> {
    let (job, project) = find(&app, &caller, (&any, &uid), "model", Role::Write).await?;
    cancel(&app, &caller, &job, &project, &change).await?;
    Ok(Json(Nothing {}))
}

/// Deletes a model with everything it left.
#[utoipa::path(delete, path = "/projects/{project}/models/{model}", tag = "models",
    params(("project" = String, Path), ("model" = String, Path)),
    responses((status = 200, body = Nothing), (status = "4XX", body = Refused)))]
async fn delete_model(
    State(app): State<App>,
    caller: Caller,
    Path((any, uid)): Path<(String, String)>,
) -> Answer<Nothing> {
    let (job, project) = find(&app, &caller, (&any, &uid), "model", Role::Write).await?;
    delete(&app, &caller, &job, &project).await
}

/// A signed link to what a model left.
#[utoipa::path(get, path = "/projects/{project}/models/{model}/artifact", tag = "models",
    params(("project" = String, Path), ("model" = String, Path), Artifact),
    responses((status = 200, body = JobLink), (status = "4XX", body = Refused)))]
async fn model_artifact(
    State(app): State<App>,
    caller: Caller,
    Path((any, uid)): Path<(String, String)>,
    headers: HeaderMap,
    Asked(asked): Asked<Artifact>,
) -> Answer<JobLink> {
    let (job, _) = find(&app, &caller, (&any, &uid), "model", Role::Read).await?;
    link(&app, &headers, &job, MODEL_ARTIFACTS, &asked)
}
