//! Envelopes: the key of the store (see `key_file.rs`) wraps one data key a project, and data keys seal
//! values. In: a value and its place. Out: sealed bytes, a byte for the scheme and the data key's name before them. No
//! value and no data key is ever in the database in the clear, and none opens anywhere but where it was sealed.

use sqlx::any::Any;
use sqlx::{Row, Transaction};
use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::seal::Key;
use crate::webhooks::secret_of;
use crate::{Store, ids, now_us};

/// First byte of every sealed value: the scheme, so that a later one can be told apart. 1 had no data keys.
const SCHEME: u8 = 2;
/// Length of a data key's name.
const NAME: usize = 32;

/// What a rotation did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// Data keys that are wrapped anew, or drawn anew.
    pub data_keys: usize,
    /// Values that are sealed anew.
    pub values: usize,
}

/// Where a sealed value lies.
pub(crate) struct Place<'a> {
    pub(crate) table: &'static str,
    pub(crate) row: &'a str,
    pub(crate) column: &'static str,
}

impl Place<'_> {
    fn with(&self, data_key: &str) -> String {
        format!("{}|{}|{}|{data_key}", self.table, self.row, self.column)
    }
}

/// Where credentials of a connection lie; those that the customer encrypted are no such credentials.
pub(crate) fn credentials_of(connection: &str, encrypted: bool) -> Place<'_> {
    let column = if encrypted { "encrypted_credentials" } else { "credentials" };
    Place { table: "connections", row: connection, column }
}

fn wrapping(data_key: &str, project: &str, kek: &str) -> String {
    format!("data_keys|{data_key}|{project}|{kek}")
}

pub(crate) fn other_key() -> StoreError {
    StoreError::Unusable(
        "the secrets of this database were sealed with another key than the home or its environment has".into(),
    )
}

impl Store {
    /// Seals a value of a project within a transaction.
    pub(crate) async fn seal(
        &self,
        transaction: &mut Transaction<'static, Any>,
        project: &str,
        place: &Place<'_>,
        plain: &[u8],
    ) -> Result<Vec<u8>, StoreError> {
        let kek = self.sealing_key(transaction).await?;
        let row = sqlx::query(
            "SELECT id, wrapped FROM data_keys WHERE project = $1 ORDER BY created_at DESC, id DESC LIMIT 1",
        )
        .bind(project)
        .fetch_optional(&mut **transaction)
        .await?;
        let (name, key) = match row {
            Some(row) => {
                let (name, wrapped): (String, Vec<u8>) = (row.get("id"), row.get("wrapped"));
                let key = unwrapped(&kek, &name, project, &wrapped).ok_or_else(other_key)?;
                (name, key)
            }
            None => new_data_key(transaction, &kek, project).await?,
        };
        Ok(sealed(&name, &key, place, plain))
    }

    /// Opens a value of a project; `None` when it was sealed with another key, for another place, or was changed.
    pub(crate) async fn open_sealed(
        &self,
        project: &str,
        place: &Place<'_>,
        value: &[u8],
    ) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let Some((name, body)) = opened_envelope(value) else { return Ok(None) };
        let row = sqlx::query("SELECT wrapped, kek FROM data_keys WHERE id = $1 AND project = $2")
            .bind(name)
            .bind(project)
            .fetch_optional(self.db.read())
            .await?;
        let Some(row) = row else { return Ok(None) };
        let (wrapped, kek): (Vec<u8>, String) = (row.get("wrapped"), row.get("kek"));
        let key = self.keys.named(&kek).and_then(|kek| unwrapped(&kek, name, project, &wrapped));
        Ok(key.and_then(|key| key.open(body, &place.with(name))))
    }

    /// The key of the store, if it is the one with which this database's data keys are wrapped; held as such until the
    /// transaction ends. A database without a sealed value takes the key that comes.
    pub(crate) async fn sealing_key(&self, transaction: &mut Transaction<'static, Any>) -> Result<Key, StoreError> {
        let kek = self.lock_sealing(transaction).await?;
        if let Some(key) = self.keys.named(&kek) {
            return Ok(key);
        }
        let sealed: i64 = sqlx::query_scalar(
            "SELECT (SELECT COUNT(*) FROM connections WHERE sealed IS NOT NULL) + (SELECT COUNT(*) FROM webhooks)",
        )
        .fetch_one(&mut **transaction)
        .await?;
        if sealed > 0 {
            return Err(other_key());
        }
        let key = self.keys.key();
        sqlx::query("DELETE FROM data_keys").execute(&mut **transaction).await?;
        sqlx::query("DELETE FROM key_pairs").execute(&mut **transaction).await?;
        sqlx::query("UPDATE sealing SET kek = $1").bind(key.id()).execute(&mut **transaction).await?;
        Ok(key)
    }

    /// Keeps others from sealing and from rotating keys until the transaction ends, and gives the name of the key with
    /// which data keys are wrapped. Whoever locks connections as well does so after this.
    pub(crate) async fn lock_sealing(&self, transaction: &mut Transaction<'static, Any>) -> Result<String, StoreError> {
        sqlx::query("INSERT INTO sealing (one, kek) VALUES (1, $1) ON CONFLICT (one) DO NOTHING")
            .bind(self.keys.key().id())
            .execute(&mut **transaction)
            .await?;
        let select = self.db.locking("SELECT kek FROM sealing WHERE one = 1");
        Ok(sqlx::query_scalar(select).fetch_one(&mut **transaction).await?)
    }

    /// Wraps every data key with a new key of the store, in one transaction. `new_kek` is 64 hex digits; without it one
    /// is drawn, which needs the key to lie in the home. With `fresh_data_keys`, data keys are drawn anew as well and
    /// every value is sealed anew. A crash leaves the old key in force or the new one, never a mixture.
    ///
    /// Where the key is given as text (HANSEL_KEY), it is the caller's part to give the new one from then on.
    pub async fn rotate_keys(&self, new_kek: Option<&str>, fresh_data_keys: bool) -> Result<Rotation, StoreError> {
        let next = match new_kek {
            Some(text) => Key::parse(text)
                .ok_or_else(|| StoreError::Refused("the new key is not a key; 64 hex digits are expected".into()))?,
            None if self.keys.in_file() => Key::drawn(),
            None => return Err(StoreError::Refused("a new key is needed, since this one is given as text".into())),
        };
        let mut transaction = self.db.begin().await?;
        let kek = self.sealing_key(&mut transaction).await?;
        let rotation = match fresh_data_keys {
            true => renew(&mut transaction, &kek, &next).await?,
            false => rewrap(&mut transaction, &kek, &next).await?,
        };
        crate::key_pair::rewrap_pairs(&mut transaction, &kek, &next).await?;
        sqlx::query("UPDATE sealing SET kek = $1").bind(next.id()).execute(&mut *transaction).await?;
        // The new key is on disk before the commit that makes it the only one, and found there after a crash.
        self.keys.prepare(&next)?;
        transaction.commit().await?;
        self.keys.adopt(next)?;
        Ok(rotation)
    }

    /// Ends a rotation that a crash cut off: the prepared key comes into force if its transaction was committed.
    pub(crate) async fn end_rotation(&self) -> Result<(), StoreError> {
        if self.keys.prepared()?.is_none() {
            return Ok(());
        }
        // A rotation that is at work in another process holds this row; what it prepared is judged when it has ended.
        let mut transaction = self.db.begin().await?;
        let kek: Option<String> = sqlx::query_scalar(self.db.locking("SELECT kek FROM sealing WHERE one = 1"))
            .fetch_optional(&mut *transaction)
            .await?;
        match self.keys.prepared()? {
            Some(next) if kek.as_deref() == Some(&next.id()) => self.keys.adopt(next),
            Some(_) => self.keys.discard(),
            None => Ok(()),
        }
    }
}

fn sealed(name: &str, key: &Key, place: &Place<'_>, plain: &[u8]) -> Vec<u8> {
    [&[SCHEME][..], name.as_bytes(), &key.seal(plain, &place.with(name))].concat()
}

/// The name of the data key and what it sealed.
fn opened_envelope(value: &[u8]) -> Option<(&str, &[u8])> {
    let (scheme, rest) = value.split_first()?;
    let (name, body) = rest.split_at_checked(NAME)?;
    (*scheme == SCHEME).then_some((std::str::from_utf8(name).ok()?, body))
}

fn unwrapped(kek: &Key, name: &str, project: &str, wrapped: &[u8]) -> Option<Key> {
    Key::from_bytes(&kek.open(wrapped, &wrapping(name, project, &kek.id()))?)
}

async fn new_data_key(
    transaction: &mut Transaction<'static, Any>,
    kek: &Key,
    project: &str,
) -> Result<(String, Key), StoreError> {
    let (name, key) = (ids::hex(NAME), Key::drawn());
    sqlx::query("INSERT INTO data_keys (id, project, wrapped, kek, created_at) VALUES ($1, $2, $3, $4, $5)")
        .bind(&name)
        .bind(project)
        .bind(kek.seal(key.bytes(), &wrapping(&name, project, &kek.id())))
        .bind(kek.id())
        .bind(now_us())
        .execute(&mut **transaction)
        .await?;
    Ok((name, key))
}

/// Every data key under `next` instead of `kek`.
async fn rewrap(transaction: &mut Transaction<'static, Any>, kek: &Key, next: &Key) -> Result<Rotation, StoreError> {
    let rows = sqlx::query("SELECT id, project, wrapped FROM data_keys").fetch_all(&mut **transaction).await?;
    for row in &rows {
        let (name, project, wrapped): (String, String, Vec<u8>) =
            (row.get("id"), row.get("project"), row.get("wrapped"));
        let key = unwrapped(kek, &name, &project, &wrapped).ok_or_else(other_key)?;
        sqlx::query("UPDATE data_keys SET wrapped = $2, kek = $3 WHERE id = $1")
            .bind(&name)
            .bind(next.seal(key.bytes(), &wrapping(&name, &project, &next.id())))
            .bind(next.id())
            .execute(&mut **transaction)
            .await?;
    }
    Ok(Rotation { data_keys: rows.len(), values: 0 })
}

/// A new data key for every project that has one, and every value sealed with it.
async fn renew(transaction: &mut Transaction<'static, Any>, kek: &Key, next: &Key) -> Result<Rotation, StoreError> {
    let rows = sqlx::query("SELECT id, project, wrapped FROM data_keys ORDER BY project")
        .fetch_all(&mut **transaction)
        .await?;
    let mut old = std::collections::BTreeMap::new();
    let mut new = std::collections::BTreeMap::new();
    for row in &rows {
        let (name, project, wrapped): (String, String, Vec<u8>) =
            (row.get("id"), row.get("project"), row.get("wrapped"));
        old.insert(name.clone(), unwrapped(kek, &name, &project, &wrapped).ok_or_else(other_key)?);
        if let std::collections::btree_map::Entry::Vacant(place) = new.entry(project) {
            let made = new_data_key(transaction, next, place.key()).await?;
            place.insert(made);
        }
    }
    let values = sqlx::query("SELECT id, project, sealed, encrypted FROM connections WHERE sealed IS NOT NULL")
        .fetch_all(&mut **transaction)
        .await?;
    let anew = |value: &[u8], project: &str, place: &Place<'_>| {
        let plain = opened_envelope(value)
            .and_then(|(name, body)| old.get(name)?.open(body, &place.with(name)))
            .ok_or_else(other_key)?;
        let (name, key) = new.get(project).ok_or_else(other_key)?;
        Ok::<_, StoreError>(sealed(name, key, place, &plain))
    };
    for row in &values {
        let (id, project, value): (String, String, Vec<u8>) = (row.get("id"), row.get("project"), row.get("sealed"));
        let place = credentials_of(&id, row.get::<i64, _>("encrypted") != 0);
        sqlx::query("UPDATE connections SET sealed = $2 WHERE id = $1")
            .bind(&id)
            .bind(anew(&value, &project, &place)?)
            .execute(&mut **transaction)
            .await?;
    }
    let hooks = sqlx::query("SELECT project, sealed FROM webhooks").fetch_all(&mut **transaction).await?;
    for row in &hooks {
        let (project, value): (String, Vec<u8>) = (row.get("project"), row.get("sealed"));
        sqlx::query("UPDATE webhooks SET sealed = $2 WHERE project = $1")
            .bind(&project)
            .bind(anew(&value, &project, &secret_of(&project))?)
            .execute(&mut **transaction)
            .await?;
    }
    for name in old.keys() {
        sqlx::query("DELETE FROM data_keys WHERE id = $1").bind(name).execute(&mut **transaction).await?;
    }
    Ok(Rotation { data_keys: new.len(), values: values.len() + hooks.len() })
}
