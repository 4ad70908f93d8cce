//! The tables, and how an older database becomes a newer one. In: a database. Out: the same with every table of this
//! version. No boolean columns and hand-numbered parameters, so that one text serves SQLite and PostgreSQL.

use sqlx::AssertSqlSafe;

use crate::db::Db;
use crate::error::StoreError;

/// The version of the first migration. Versions 1 and 2 were those of the program before it could serve.
const FIRST: i64 = 3;

/// One entry a version, applied in order, all in one transaction. Later versions are appended. `BYTES` and `KEYED` are
/// words of [`Db::schema`].
static MIGRATIONS: &[&str] = &[
    include_str!("schema.sql"),
    include_str!("schema_4.sql"),
    include_str!("schema_5.sql"),
    include_str!("schema_6.sql"),
    include_str!("schema_7.sql"),
];

pub(crate) async fn migrate(db: &Db) -> Result<(), StoreError> {
    // The write lock, so that two processes that open a new home at once do not both migrate it.
    let mut transaction = db.begin().await?;
    db.lock_schema(&mut transaction).await?;
    let version = db.schema("CREATE TABLE IF NOT EXISTS version (number BIGINT NOT NULL)");
    sqlx::raw_sql(AssertSqlSafe(version)).execute(&mut *transaction).await?;
    let found: Option<i64> = sqlx::query_scalar("SELECT MAX(number) FROM version").fetch_one(&mut *transaction).await?;
    let newest = FIRST + MIGRATIONS.len() as i64 - 1;
    match found {
        Some(number) if number > newest => {
            return Err(StoreError::Unusable(format!(
                "the database is of version {number}; this program knows versions up to {newest}"
            )));
        }
        Some(number) if number < FIRST => {
            return Err(StoreError::Unusable(format!(
                "the database is of the development version {number}, which no longer can be read; move the home \
                 directory away and let a new one be made"
            )));
        }
        _ => {}
    }
    for (number, migration) in (FIRST..).zip(MIGRATIONS) {
        if found.is_some_and(|found| found >= number) {
            continue;
        }
        sqlx::raw_sql(AssertSqlSafe(db.schema(migration))).execute(&mut *transaction).await?;
        sqlx::query("INSERT INTO version (number) VALUES ($1)").bind(number).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(())
}
