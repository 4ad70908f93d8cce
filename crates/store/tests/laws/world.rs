//! A store in a folder of its own, and, behind its back, the database.

use sqlx::any::AnyPoolOptions;
use sqlx::{AnyPool, AssertSqlSafe};
use store::{NewConnection, NewProject, NewRun, NewUser, Project, Run, Store, User, Workflow};

/// One store and what lies beneath it.
pub(crate) struct World {
    pub(crate) store: Store,
    /// `None` for SQLite.
    pub(crate) database: Option<String>,
    pub(crate) folder: tempfile::TempDir,
}

/// Runs a test on each database that there is.
pub(crate) fn each(test: impl AsyncFn(World)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime can be made").block_on(async {
        sqlx::any::install_default_drivers();
        let folder = tempfile::tempdir().expect("a folder can be made");
        test(World::of(folder, None).await).await;
        let Ok(server) = std::env::var("HANSEL_TEST_POSTGRES") else { return };
        let folder = tempfile::tempdir().expect("a folder can be made");
        // A schema of its own for each test, named by its folder.
        let path = folder.path().to_string_lossy().into_owned();
        let schema: String =
            ["t".into()].into_iter().chain(path.bytes().rev().take(24).map(|b| format!("{b:02x}"))).collect();
        let pool = pool(&server).await;
        let (make, drop) = (format!("CREATE SCHEMA {schema}"), format!("DROP SCHEMA {schema} CASCADE"));
        sqlx::query(AssertSqlSafe(make)).execute(&pool).await.expect("a schema can be made");
        let join = if server.contains('?') { '&' } else { '?' };
        let url = format!("{server}{join}options=-c%20search_path%3D{schema}");
        test(World::of(folder, Some(url)).await).await;
        sqlx::query(AssertSqlSafe(drop)).execute(&pool).await.expect("the schema can go");
    });
}

impl World {
    async fn of(folder: tempfile::TempDir, database: Option<String>) -> World {
        // By two at once, as may happen: both find the same key and the same tables.
        let home = folder.path().join("home");
        let open = || Store::open(&home, None, database.as_deref());
        let (store, other) = tokio::join!(open(), open());
        let (store, _) = (store.expect("a new home opens"), other.expect("a new home opens"));
        World { store, database, folder }
    }

    /// The same home opened once more, as another process would.
    pub(crate) async fn again(&self) -> Store {
        self.open(None).await.expect("the home opens again")
    }

    /// The same home opened with a key given as text.
    pub(crate) async fn open(&self, key: Option<&str>) -> Result<Store, store::StoreError> {
        Store::open(self.store.home(), key, self.database.as_deref()).await
    }

    /// The database itself.
    pub(crate) async fn pool(&self) -> AnyPool {
        match &self.database {
            Some(url) => pool(url).await,
            None => pool(&format!("sqlite://{}?mode=rwc", self.store.home().join("hansel.db").display())).await,
        }
    }

    /// Runs a statement behind the store's back.
    pub(crate) async fn sql(&self, text: &'static str) -> u64 {
        let pool = self.pool().await;
        let done = sqlx::query(text).execute(&pool).await.expect("the statement is right").rows_affected();
        pool.close().await;
        done
    }

    pub(crate) async fn user(&self, email: &str) -> User {
        let new = NewUser { email: email.into(), ..NewUser::default() };
        self.store.create_user(&new).await.expect("a user can be made")
    }

    pub(crate) async fn project(&self, name: &str, owner: Option<&User>) -> Project {
        let new =
            NewProject { name: Some(name.into()), owner: owner.map(|user| user.id.clone()), ..NewProject::default() };
        self.store.create_project(&new).await.expect("a project can be made").0
    }

    pub(crate) async fn workflow(&self) -> Workflow {
        let project = self.store.default_project().await.expect("a home has a project");
        self.store.workflow(&project.id, "flow").await.expect("a workflow can be made")
    }

    pub(crate) async fn run(&self, workflow: &Workflow, status: &str) -> Run {
        let new = NewRun { status, ..NewRun::pending(&workflow.id, "name: flow", "") };
        self.store.create_run(&new).await.expect("a run can be made")
    }
}

/// A connection with these credentials.
pub(crate) fn connection(project: &Project, secret: &str) -> NewConnection {
    NewConnection {
        project: project.id.clone(),
        name: "bucket".into(),
        kind: "s3".into(),
        config: serde_json::json!({"region": "eu-central-1"}),
        credentials: Some(secret.as_bytes().to_vec().into()),
        encrypted_credentials: None,
        target: String::new(),
        auth_strategy: String::new(),
        created_by: String::new(),
    }
}

async fn pool(url: &str) -> AnyPool {
    AnyPoolOptions::new().max_connections(1).connect(url).await.expect("the database can be reached")
}
