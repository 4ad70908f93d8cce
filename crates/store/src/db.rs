//! The database and its dialect. In: where it is. Out: connections to read and to write with, and the few pieces of SQL
//! in which SQLite and PostgreSQL differ. The rest of the crate writes one text for both.

use std::path::Path;
use std::time::Duration;

use sqlx::any::{Any, AnyPoolOptions};
use sqlx::{AnyConnection, AnyPool, AssertSqlSafe, Connection, Executor, SqlSafeStr, SqlStr, Transaction};

use crate::error::StoreError;
use crate::files_of_home::{make_private_dir, make_private_file};

/// How long a call waits for a free connection or for another writer.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a server may take to answer when it is first asked.
const ANSWER: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    Sqlite,
    Postgres,
}

/// One database. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Db {
    dialect: Dialect,
    read: AnyPool,
    write: AnyPool,
}

impl Db {
    /// The SQLite file of `home` (`None` or `sqlite:...`), or the server that a `postgres://` URL names.
    pub(crate) async fn open(home: &Path, database: Option<&str>) -> Result<Db, StoreError> {
        sqlx::any::install_default_drivers();
        make_private_dir(home)?;
        match database {
            None => Db::sqlite(home).await,
            Some(text) if text == "sqlite" || text.starts_with("sqlite:") => Db::sqlite(home).await,
            Some(url) if url.starts_with("postgres://") || url.starts_with("postgresql://") => Db::postgres(url).await,
            Some(other) => {
                let scheme = other.split_once(':').map_or("", |(scheme, _)| scheme);
                Err(StoreError::Unusable(format!(
                    "a database of the scheme `{scheme}` is not known; `sqlite:` and `postgres://` are"
                )))
            }
        }
    }

    async fn sqlite(home: &Path) -> Result<Db, StoreError> {
        let unusable = |error: sqlx::Error| StoreError::unusable(home, error);
        let path = home.join("hansel.db");
        // Made before SQLite opens it, so that its side files inherit the mode.
        make_private_file(&path)?;
        let path = path.canonicalize().map_err(|error| StoreError::unusable(home, error))?;
        let url = sqlite_url(&path)?;
        // FULL, since a done mark that is lost after a publication would publish twice.
        const WRITER: &str = "PRAGMA busy_timeout = 30000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
                              PRAGMA foreign_keys = ON;";
        const READER: &str = "PRAGMA busy_timeout = 30000; PRAGMA query_only = ON;";
        // One writer, since SQLite has no more; readers beside it see the last commit and never wait for the next.
        let pool = |connections, pragmas: &'static str| {
            AnyPoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(PATIENCE)
                .idle_timeout(None)
                .max_lifetime(None)
                .test_before_acquire(false)
                .after_connect(move |connection, _| {
                    Box::pin(async move { connection.execute(sqlx::raw_sql(pragmas)).await.map(|_| ()) })
                })
        };
        let write = pool(1, WRITER).connect(&url).await.map_err(unusable)?;
        let read = pool(4, READER).connect_lazy(&url).map_err(unusable)?;
        Ok(Db { dialect: Dialect::Sqlite, read, write })
    }

    async fn postgres(url: &str) -> Result<Db, StoreError> {
        let unusable = |cause: &str| StoreError::Unusable(unreachable_server(url, cause));
        // Tried once beforehand: a pool goes on trying where nobody answers, and does not say why it gave up.
        match tokio::time::timeout(ANSWER, AnyConnection::connect(url)).await {
            Ok(Ok(connection)) => connection.close().await?,
            Ok(Err(error)) => return Err(unusable(&error.to_string())),
            Err(_) => return Err(unusable("no answer")),
        }
        let pool = AnyPoolOptions::new()
            .max_connections(8)
            .acquire_timeout(PATIENCE)
            .connect_lazy(url)
            .map_err(|error| unusable(&error.to_string()))?;
        Ok(Db { dialect: Dialect::Postgres, read: pool.clone(), write: pool })
    }

    /// Whether the database is a file of the home.
    pub(crate) fn in_home(&self) -> bool {
        self.dialect == Dialect::Sqlite
    }

    /// Where single statements that only read go.
    pub(crate) fn read(&self) -> &AnyPool {
        &self.read
    }

    /// Where single statements that write go.
    pub(crate) fn write(&self) -> &AnyPool {
        &self.write
    }

    /// Begins a transaction that writes. In SQLite it holds the one write lock from here on, so that what it reads
    /// stays true; in PostgreSQL the rows that must stay are read by [`Db::locking`].
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Any>, StoreError> {
        let statement = match self.dialect {
            Dialect::Sqlite => "BEGIN IMMEDIATE",
            Dialect::Postgres => "BEGIN",
        };
        Ok(self.write.begin_with(statement).await?)
    }

    /// A `SELECT` of one row within a transaction that keeps other writers from this row until the commit.
    pub(crate) fn locking(&self, select: &'static str) -> SqlStr {
        match self.dialect {
            Dialect::Sqlite => select.into_sql_str(),
            // Not FOR UPDATE, which would also keep out those who only insert rows that refer to this one.
            Dialect::Postgres => AssertSqlSafe(format!("{select} FOR NO KEY UPDATE")).into_sql_str(),
        }
    }

    /// Keeps other writers from a whole table until the transaction ends.
    pub(crate) async fn lock_table(
        &self,
        transaction: &mut Transaction<'static, Any>,
        table: &'static str,
    ) -> Result<(), StoreError> {
        if self.dialect == Dialect::Postgres {
            let text = format!("LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE");
            sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut **transaction).await?;
        }
        Ok(())
    }

    /// Keeps other processes that open the same database from changing its tables at the same time.
    pub(crate) async fn lock_schema(&self, transaction: &mut Transaction<'static, Any>) -> Result<(), StoreError> {
        if self.dialect == Dialect::Postgres {
            // Any number will do, so long as it stays the same: "hansel" in ASCII.
            sqlx::raw_sql("SELECT pg_advisory_xact_lock(114767674172780)").execute(&mut **transaction).await?;
        }
        Ok(())
    }

    /// A schema in the words of this database: `BYTES` is its type for bytes, `KEYED` ends a table that lies in the
    /// order of its primary key, and text is compared byte by byte.
    pub(crate) fn schema(&self, text: &str) -> String {
        match self.dialect {
            Dialect::Sqlite => text.replace(" BYTES", " BLOB").replace(") KEYED;", ") WITHOUT ROWID;"),
            Dialect::Postgres => {
                text.replace(" TEXT", " TEXT COLLATE \"C\"").replace(" BYTES", " BYTEA").replace(") KEYED;", ");")
            }
        }
    }
}

/// The URL of a file, every byte that could mean something in a URL written by its number.
pub(crate) fn sqlite_url(path: &Path) -> Result<String, StoreError> {
    let Some(text) = path.to_str() else {
        return Err(StoreError::Unusable(format!("the path `{}` is not UTF-8", path.display())));
    };
    let mut url = String::from("sqlite://");
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => url.push(byte as char),
            other => url.push_str(&format!("%{other:02X}")),
        }
    }
    url.push_str("?mode=rw");
    Ok(url)
}

/// What is so with a server, without the password of its URL.
fn unreachable_server(url: &str, cause: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("postgres", url));
    // A password may hold any character, hence the last `@`.
    let (login, place) = rest.rsplit_once('@').unwrap_or(("", rest));
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    let (place, settings) = place.split_once('?').unwrap_or((place, ""));
    let mut cause = cause.replace('\n', " ");
    for word in settings.split('&').filter_map(|setting| setting.strip_prefix("password=")).chain([password]) {
        if !word.is_empty() {
            cause = cause.replace(word, "***");
        }
    }
    let at = if user.is_empty() { "" } else { "@" };
    format!("the database `{scheme}://{user}{at}{place}` cannot be used: {cause}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_never_shows() {
        for url in [
            "postgres://ann:s3cr/et@db:5432/h?x=1",
            "postgres://ann:s3cr/et@db",
            "postgres://:s3cr/et@db/h?password=s3cr/et",
        ] {
            let text = unreachable_server(url, "no route to s3cr/et");
            assert!(!text.contains("s3cr"), "{text}");
            assert!(text.contains("db"), "{text}");
        }
        let text = unreachable_server("postgres://db/h?user=ann&password=s3cr", "timed out");
        assert!(!text.contains("s3cr"), "{text}");
    }
}
