//! The right to be the one server of a database. In a file of a home the lock of the home is enough; a PostgreSQL server
//! may be named by several homes, and gives the right to one connection at a time.

use sqlx::AnyConnection;

use crate::Store;
use crate::error::StoreError;

/// The right, for as long as it lives. It goes with its connection, so a process that dies leaves it to the next.
pub struct ServerLock(Option<AnyConnection>);

impl Store {
    /// Takes the right to be the one server of the database. Refused while another has it.
    pub async fn lone_server(&self) -> Result<ServerLock, StoreError> {
        if self.db.in_home() {
            return Ok(ServerLock(None));
        }
        let mut connection = self.db.write().acquire().await?.detach();
        if taken(&mut connection).await? {
            return Ok(ServerLock(Some(connection)));
        }
        Err(StoreError::Unusable("another server works on this database, from another home directory".into()))
    }

    /// Whether the right is still held; where its connection was lost it is taken again, if nobody else has it by now.
    pub async fn still_lone(&self, lock: &mut ServerLock) -> Result<bool, StoreError> {
        let Some(connection) = &mut lock.0 else { return Ok(true) };
        if sqlx::query("SELECT 1").execute(&mut *connection).await.is_ok() {
            return Ok(true);
        }
        let mut connection = self.db.write().acquire().await?.detach();
        let taken = taken(&mut connection).await?;
        if taken {
            lock.0 = Some(connection);
        }
        Ok(taken)
    }
}

/// Of each schema there may be one server, since records of two schemas have nothing to do with each other.
async fn taken(connection: &mut AnyConnection) -> Result<bool, StoreError> {
    // The first number is ours for good ("hans" in ASCII).
    let taken = sqlx::query_scalar("SELECT pg_try_advisory_lock(1751215731, hashtext(current_schema()))");
    Ok(taken.fetch_one(connection).await?)
}
