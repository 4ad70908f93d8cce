//! The tables, and how an older database becomes a newer one. No boolean columns and hand-numbered parameters, so that
//! the same text serves PostgreSQL one day.

use std::path::Path;

use sqlx::sqlite::SqlitePool;

use crate::error::StoreError;

/// One entry a version, applied in order, each in a transaction of its own.
static MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE projects (
        id TEXT PRIMARY KEY, guid TEXT NOT NULL UNIQUE, name TEXT NOT NULL UNIQUE, display_name TEXT NOT NULL,
        description TEXT NOT NULL, created_at BIGINT NOT NULL
    );
    CREATE TABLE connections (
        id TEXT PRIMARY KEY, project TEXT NOT NULL REFERENCES projects (id) ON DELETE CASCADE, name TEXT NOT NULL,
        kind TEXT NOT NULL, config TEXT NOT NULL, sealed BLOB, target TEXT NOT NULL, auth_strategy TEXT NOT NULL,
        created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL
    );
    CREATE TABLE workflows (
        id TEXT PRIMARY KEY, project TEXT NOT NULL REFERENCES projects (id) ON DELETE CASCADE, name TEXT NOT NULL,
        seed BIGINT NOT NULL, created_at BIGINT NOT NULL, UNIQUE (project, name)
    );
    CREATE TABLE runs (
        id TEXT PRIMARY KEY, workflow TEXT NOT NULL REFERENCES workflows (id) ON DELETE CASCADE, config TEXT NOT NULL,
        options TEXT NOT NULL, status TEXT NOT NULL, message TEXT NOT NULL, created_at BIGINT NOT NULL,
        started_at BIGINT, ended_at BIGINT
    );
    CREATE INDEX runs_of_workflow ON runs (workflow, created_at);
    CREATE TABLE events (
        run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE, seq BIGINT NOT NULL, at BIGINT NOT NULL,
        kind TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (run, seq)
    ) WITHOUT ROWID;
    CREATE TABLE units (
        run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE, branch TEXT NOT NULL, bucket TEXT NOT NULL,
        key TEXT NOT NULL, identity TEXT NOT NULL, state TEXT NOT NULL, code TEXT NOT NULL, message TEXT NOT NULL,
        PRIMARY KEY (run, branch, bucket, key)
    ) WITHOUT ROWID;
    CREATE TABLE done (
        workflow TEXT NOT NULL REFERENCES workflows (id) ON DELETE CASCADE, branch TEXT NOT NULL, bucket TEXT NOT NULL,
        key TEXT NOT NULL, identity TEXT NOT NULL, run TEXT NOT NULL, at BIGINT NOT NULL,
        PRIMARY KEY (workflow, branch, bucket, key)
    ) WITHOUT ROWID;
    CREATE TABLE claims (
        workflow TEXT NOT NULL REFERENCES workflows (id) ON DELETE CASCADE, target TEXT NOT NULL, branch TEXT NOT NULL,
        bucket TEXT NOT NULL, key TEXT NOT NULL, PRIMARY KEY (workflow, target)
    ) WITHOUT ROWID;
    CREATE TABLE artifacts (
        run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE, branch TEXT NOT NULL, bucket TEXT NOT NULL,
        key TEXT NOT NULL, action TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, path TEXT NOT NULL,
        bytes BIGINT NOT NULL, PRIMARY KEY (run, branch, bucket, key, action, kind)
    ) WITHOUT ROWID;
",
    "
    CREATE TABLE let_through (
        workflow TEXT NOT NULL REFERENCES workflows (id) ON DELETE CASCADE, branch TEXT NOT NULL, bucket TEXT NOT NULL,
        key TEXT NOT NULL, identity TEXT NOT NULL, reason TEXT NOT NULL, run TEXT NOT NULL, at BIGINT NOT NULL,
        PRIMARY KEY (workflow, branch, bucket, key)
    ) WITHOUT ROWID;
",
];

pub(crate) async fn migrate(pool: &SqlitePool) -> Result<(), StoreError> {
    sqlx::raw_sql("CREATE TABLE IF NOT EXISTS version (number BIGINT NOT NULL)").execute(pool).await?;
    // IMMEDIATE, so that two processes that open a new home at once do not both migrate it.
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    let found: Option<i64> = sqlx::query_scalar("SELECT MAX(number) FROM version").fetch_one(&mut *transaction).await?;
    let found = usize::try_from(found.unwrap_or(0)).unwrap_or(0);
    if found > MIGRATIONS.len() {
        return Err(StoreError::Unusable(format!(
            "the database is of version {found}; this program knows versions up to {}",
            MIGRATIONS.len()
        )));
    }
    for (index, migration) in MIGRATIONS.iter().enumerate().skip(found) {
        sqlx::raw_sql(*migration).execute(&mut *transaction).await?;
        sqlx::query("INSERT INTO version (number) VALUES ($1)")
            .bind(index as i64 + 1)
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// Makes a directory that only its owner may look into; one that exists is left as it is.
pub(crate) fn make_private_dir(path: &Path) -> Result<(), StoreError> {
    if path.is_dir() {
        return Ok(());
    }
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| StoreError::unusable(path, error))
}

/// Makes a file that only its owner may read, empty if it is not there.
pub(crate) fn make_private_file(path: &Path) -> Result<(), StoreError> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|error| StoreError::unusable(path, error))?;
    Ok(())
}
