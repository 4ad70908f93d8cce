//! The ledger: which objects a workflow has done, which it has at hand, which keys its outputs hold, and what files
//! they left. A done mark is written in the same transaction as the event that reports it.

use std::collections::BTreeMap;

use sqlx::any::{Any, AnyRow};
use sqlx::{AssertSqlSafe, Row, Transaction};

use crate::error::StoreError;
use crate::journal::append_event;
use crate::{Store, now_us};

/// Which object of a run: the source action, the bucket and the key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnitKey {
    /// Name of the source action.
    pub branch: String,
    /// Its bucket.
    pub bucket: String,
    /// The object's key.
    pub key: String,
}

/// One object of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitRow {
    /// Which.
    pub unit: UnitKey,
    /// Which version of it.
    pub identity: String,
    /// `waiting`, `done` or `failed`.
    pub state: String,
    /// Name of the code of a failure.
    pub code: String,
    /// What is so, for a failure.
    pub message: String,
}

/// The latest version of an object that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// Which version.
    pub identity: String,
    /// In which run.
    pub run: String,
}

/// What is written when everything downstream of an object is done.
#[derive(Clone, Debug, Default)]
pub struct DoneMark {
    /// Where its outputs were published; no other object may write there.
    pub targets: Vec<String>,
    /// Files that were kept.
    pub artifacts: Vec<ArtifactRow>,
}

/// One file that a step left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArtifactRow {
    /// The object it belongs to.
    pub unit: UnitKey,
    /// The action that left it.
    pub action: String,
    /// `model`, `data`, `report` or `report_json`.
    pub kind: String,
    /// Its file name.
    pub name: String,
    /// Where it lies, relative to the home.
    pub path: String,
    /// Its length.
    pub bytes: i64,
}

impl Store {
    /// Everything a workflow has done from one bucket through one source action, by key.
    pub async fn done(&self, workflow: &str, branch: &str, bucket: &str) -> Result<BTreeMap<String, Done>, StoreError> {
        let rows =
            sqlx::query("SELECT key, identity, run FROM done WHERE workflow = $1 AND branch = $2 AND bucket = $3")
                .bind(workflow)
                .bind(branch)
                .bind(bucket)
                .fetch_all(self.db.read())
                .await?;
        Ok(rows
            .iter()
            .map(|row| (row.get("key"), Done { identity: row.get("identity"), run: row.get("run") }))
            .collect())
    }

    /// Which object holds each published target of a workflow.
    pub async fn claims(&self, workflow: &str) -> Result<BTreeMap<String, UnitKey>, StoreError> {
        let rows = sqlx::query("SELECT target, branch, bucket, key FROM claims WHERE workflow = $1")
            .bind(workflow)
            .fetch_all(self.db.read())
            .await?;
        Ok(rows.iter().map(|row| (row.get("target"), unit(row))).collect())
    }

    /// Records what a source action's listing gave for a run, with its event, in one transaction. Objects that an
    /// earlier start of the same run had done stay as they are; the others wait.
    pub async fn plan_units(
        &self,
        run: &str,
        units: &[(UnitKey, String)],
        event: (&str, &serde_json::Value),
    ) -> Result<(), StoreError> {
        let mut transaction = self.db.begin().await?;
        self.lock_run(&mut transaction, run).await?;
        // Once each, since one statement must not meet a row twice.
        let units: BTreeMap<&UnitKey, &String> = units.iter().map(|(unit, identity)| (unit, identity)).collect();
        let units: Vec<_> = units.into_iter().collect();
        for units in units.chunks(UNITS_AT_ONCE) {
            insert_units(&mut transaction, run, units).await?;
        }
        append_event(&mut transaction, run, event.0, event.1).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The objects of a run, in key order.
    pub async fn units(&self, run: &str) -> Result<Vec<UnitRow>, StoreError> {
        let rows = sqlx::query("SELECT * FROM units WHERE run = $1 ORDER BY branch, bucket, key")
            .bind(run)
            .fetch_all(self.db.read())
            .await?;
        Ok(rows.iter().map(unit_row).collect())
    }

    /// A part of the objects of a run, in key order: at most `limit` behind `skip`, of one state unless that is empty.
    pub async fn units_page(&self, run: &str, state: &str, limit: i64, skip: i64) -> Result<Vec<UnitRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM units WHERE run = $1 AND ($2 = '' OR state = $2) ORDER BY branch, bucket, key LIMIT $3 OFFSET $4",
        )
        .bind(run)
        .bind(state)
        .bind(limit)
        .bind(skip)
        .fetch_all(self.db.read())
        .await?;
        Ok(rows.iter().map(unit_row).collect())
    }

    /// Marks an object done: ledger, claims, artifacts, record and event at once.
    pub async fn unit_done(
        &self,
        workflow: &str,
        run: &str,
        unit: &UnitKey,
        identity: &str,
        mark: &DoneMark,
        event: (&str, &serde_json::Value),
    ) -> Result<(), StoreError> {
        let mut transaction = self.db.begin().await?;
        self.lock_run(&mut transaction, run).await?;
        sqlx::query(
            "INSERT INTO done (workflow, branch, bucket, key, identity, run, at) VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (workflow, branch, bucket, key) DO UPDATE
             SET identity = excluded.identity, run = excluded.run, at = excluded.at",
        )
        .bind(workflow)
        .bind(&unit.branch)
        .bind(&unit.bucket)
        .bind(&unit.key)
        .bind(identity)
        .bind(run)
        .bind(now_us())
        .execute(&mut *transaction)
        .await?;
        for target in &mark.targets {
            sqlx::query(
                "INSERT INTO claims (workflow, target, branch, bucket, key) VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (workflow, target) DO UPDATE
                 SET branch = excluded.branch, bucket = excluded.bucket, key = excluded.key",
            )
            .bind(workflow)
            .bind(target)
            .bind(&unit.branch)
            .bind(&unit.bucket)
            .bind(&unit.key)
            .execute(&mut *transaction)
            .await?;
        }
        for artifact in &mark.artifacts {
            keep_artifact(&mut transaction, run, artifact).await?;
        }
        set_state(&mut transaction, run, unit, "done", "", "").await?;
        append_event(&mut transaction, run, event.0, event.1).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Marks an object failed: record, the files that it left all the same, and event at once.
    pub async fn unit_failed(
        &self,
        run: &str,
        unit: &UnitKey,
        (code, message): (&str, &str),
        artifacts: &[ArtifactRow],
        event: (&str, &serde_json::Value),
    ) -> Result<(), StoreError> {
        let mut transaction = self.db.begin().await?;
        self.lock_run(&mut transaction, run).await?;
        for artifact in artifacts {
            keep_artifact(&mut transaction, run, artifact).await?;
        }
        set_state(&mut transaction, run, unit, "failed", code, message).await?;
        append_event(&mut transaction, run, event.0, event.1).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The JSON reports of the runs that last published each object of a workflow through one source action: the run and
    /// the path below the home, by key.
    pub async fn last_reports(
        &self,
        workflow: &str,
        branch: &str,
        bucket: &str,
    ) -> Result<BTreeMap<String, (String, String)>, StoreError> {
        let rows = sqlx::query(
            "SELECT done.key AS key, done.run AS run, artifacts.path AS path FROM done JOIN artifacts
             ON artifacts.run = done.run AND artifacts.branch = done.branch AND artifacts.bucket = done.bucket
             AND artifacts.key = done.key AND artifacts.kind = 'report_json'
             WHERE done.workflow = $1 AND done.branch = $2 AND done.bucket = $3 ORDER BY artifacts.action",
        )
        .bind(workflow)
        .bind(branch)
        .bind(bucket)
        .fetch_all(self.db.read())
        .await?;
        Ok(rows.iter().map(|row| (row.get("key"), (row.get("run"), row.get("path")))).collect())
    }

    /// The kept files of a run, in key order.
    pub async fn artifacts(&self, run: &str) -> Result<Vec<ArtifactRow>, StoreError> {
        let rows = sqlx::query("SELECT * FROM artifacts WHERE run = $1 ORDER BY branch, bucket, key, action, kind")
            .bind(run)
            .fetch_all(self.db.read())
            .await?;
        Ok(rows.iter().map(artifact_row).collect())
    }

    /// A part of the files that a run left, in the order of [`Store::artifacts`]: at most `limit` behind `skip`, of one kind
    /// unless that is empty. Nobody is told how many there are: counting them takes longer than reading a page.
    pub async fn artifacts_page(
        &self,
        run: &str,
        kind: &str,
        limit: i64,
        skip: i64,
    ) -> Result<Vec<ArtifactRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM artifacts WHERE run = $1 AND ($2 = '' OR kind = $2)
             ORDER BY branch, bucket, key, action, kind LIMIT $3 OFFSET $4",
        )
        .bind(run)
        .bind(kind)
        .bind(limit)
        .bind(skip)
        .fetch_all(self.db.read())
        .await?;
        Ok(rows.iter().map(artifact_row).collect())
    }
}

fn unit_row(row: &AnyRow) -> UnitRow {
    UnitRow {
        unit: unit(row),
        identity: row.get("identity"),
        state: row.get("state"),
        code: row.get("code"),
        message: row.get("message"),
    }
}

fn artifact_row(row: &AnyRow) -> ArtifactRow {
    ArtifactRow {
        unit: unit(row),
        action: row.get("action"),
        kind: row.get("kind"),
        name: row.get("name"),
        path: row.get("path"),
        bytes: row.get("bytes"),
    }
}

/// How many objects go into one statement: few enough for the parameters that a database takes.
const UNITS_AT_ONCE: usize = 200;

async fn insert_units(
    transaction: &mut Transaction<'static, Any>,
    run: &str,
    units: &[(&UnitKey, &String)],
) -> Result<(), StoreError> {
    let row = |index: usize| {
        let first = 4 * index + 2;
        format!("($1, ${first}, ${}, ${}, ${}, 'waiting', '', '')", first + 1, first + 2, first + 3)
    };
    let rows: Vec<String> = (0..units.len()).map(row).collect();
    let text = format!(
        "INSERT INTO units (run, branch, bucket, key, identity, state, code, message) VALUES {}
         ON CONFLICT (run, branch, bucket, key) DO UPDATE
         SET identity = excluded.identity, state = 'waiting', code = '', message = ''",
        rows.join(", ")
    );
    let mut query = sqlx::query(AssertSqlSafe(text)).bind(run);
    for (unit, identity) in units {
        query = query.bind(&unit.branch).bind(&unit.bucket).bind(&unit.key).bind(*identity);
    }
    query.execute(&mut **transaction).await?;
    Ok(())
}

async fn keep_artifact(
    transaction: &mut Transaction<'static, Any>,
    run: &str,
    artifact: &ArtifactRow,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO artifacts (run, branch, bucket, key, action, kind, name, path, bytes)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (run, branch, bucket, key, action, kind) DO UPDATE
         SET name = excluded.name, path = excluded.path, bytes = excluded.bytes",
    )
    .bind(run)
    .bind(&artifact.unit.branch)
    .bind(&artifact.unit.bucket)
    .bind(&artifact.unit.key)
    .bind(&artifact.action)
    .bind(&artifact.kind)
    .bind(&artifact.name)
    .bind(&artifact.path)
    .bind(artifact.bytes)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

async fn set_state(
    transaction: &mut Transaction<'static, Any>,
    run: &str,
    unit: &UnitKey,
    state: &str,
    code: &str,
    message: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE units SET state = $5, code = $6, message = $7 WHERE run = $1 AND branch = $2 AND bucket = $3 AND key = $4",
    )
    .bind(run)
    .bind(&unit.branch)
    .bind(&unit.bucket)
    .bind(&unit.key)
    .bind(state)
    .bind(code)
    .bind(message)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

fn unit(row: &AnyRow) -> UnitKey {
    UnitKey { branch: row.get("branch"), bucket: row.get("bucket"), key: row.get("key") }
}
