//! The key pair of a server, for credentials that a client encrypts before it sends them: RSA of 4096 bits. In: what was
//! encrypted for it. Out: the public key, and what was encrypted in the clear. The private key is made on first need,
//! lies in the database wrapped by the key of the store, and leaves this file never.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeySize, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, PrivateDecryptingKey};
use base64::Engine;
use sqlx::any::Any;
use sqlx::{Row, Transaction};
use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::seal::Key;
use crate::{Store, ids, now_us};

/// Bytes of the nonce that AES-GCM messages begin with (NIST SP 800-38D).
const NONCE: usize = 12;

/// The public half of a server's key pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncryptionKey {
    /// `ek_` and 27 characters.
    pub id: String,
    /// The public key (SubjectPublicKeyInfo) in PEM.
    pub public_pem: String,
}

impl Store {
    /// The public key that clients encrypt credentials with; the pair is made when it is first asked for, which takes
    /// seconds.
    pub async fn encryption_key(&self) -> Result<EncryptionKey, StoreError> {
        if let Some(found) = self.newest_pair().await? {
            return Ok(found);
        }
        // Made outside the transaction, which keeps others from writing.
        let made = tokio::task::spawn_blocking(generate).await.ok().flatten();
        let (private, public_pem) =
            made.ok_or_else(|| StoreError::Unusable("no RSA key pair can be made on this machine".into()))?;
        let mut transaction = self.db.begin().await?;
        let kek = self.sealing_key(&mut transaction).await?;
        let found = sqlx::query(NEWEST).bind(kek.id()).fetch_optional(&mut *transaction).await?;
        if let Some(row) = found {
            // Another process was faster.
            return Ok(public(&row));
        }
        let id = ids::guid("ek_");
        sqlx::query("INSERT INTO key_pairs (id, public_pem, wrapped, kek, created_at) VALUES ($1, $2, $3, $4, $5)")
            .bind(&id)
            .bind(&public_pem)
            .bind(kek.seal(private.as_ref(), &wrapping(&id, &kek.id())))
            .bind(kek.id())
            .bind(now_us())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(EncryptionKey { id, public_pem })
    }

    async fn newest_pair(&self) -> Result<Option<EncryptionKey>, StoreError> {
        let kek = self.keys.key().id();
        let row = sqlx::query(NEWEST).bind(kek).fetch_optional(self.db.read()).await?;
        Ok(row.as_ref().map(public))
    }

    /// What a client encrypted for the key pair of this id: `client_key` is an AES-256 key under RSA-OAEP with SHA-256,
    /// `data` a nonce of 12 bytes, what that key encrypted with AES-GCM, and the tag of 16 bytes. `None` when it was not
    /// encrypted for this pair or has been changed; which of the two, nobody is told (J. Manger, A Chosen Ciphertext
    /// Attack on RSA-OAEP, 2001).
    pub async fn open_encrypted(
        &self,
        key_id: &str,
        client_key: &[u8],
        data: &[u8],
    ) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let row = sqlx::query("SELECT wrapped, kek FROM key_pairs WHERE id = $1")
            .bind(key_id)
            .fetch_optional(self.db.read())
            .await?
            .ok_or_else(|| StoreError::not_found("encryption key", key_id))?;
        let (wrapped, kek): (Vec<u8>, String) = (row.get("wrapped"), row.get("kek"));
        let private = self.keys.named(&kek).and_then(|kek| kek.open(&wrapped, &wrapping(key_id, &kek.id())));
        let Some(private) = private else {
            return Err(StoreError::Unusable(format!("the encryption key `{key_id}` was sealed with another key")));
        };
        Ok(opened(&private, client_key, data))
    }
}

const NEWEST: &str = "SELECT id, public_pem FROM key_pairs WHERE kek = $1 ORDER BY created_at DESC, id DESC LIMIT 1";

/// Every private key under `next` instead of `kek`.
pub(crate) async fn rewrap_pairs(
    transaction: &mut Transaction<'static, Any>,
    kek: &Key,
    next: &Key,
) -> Result<(), StoreError> {
    let rows = sqlx::query("SELECT id, wrapped FROM key_pairs").fetch_all(&mut **transaction).await?;
    for row in &rows {
        let (id, wrapped): (String, Vec<u8>) = (row.get("id"), row.get("wrapped"));
        let private = kek.open(&wrapped, &wrapping(&id, &kek.id())).ok_or_else(crate::keyring::other_key)?;
        sqlx::query("UPDATE key_pairs SET wrapped = $2, kek = $3 WHERE id = $1")
            .bind(&id)
            .bind(next.seal(&private, &wrapping(&id, &next.id())))
            .bind(next.id())
            .execute(&mut **transaction)
            .await?;
    }
    Ok(())
}

fn wrapping(id: &str, kek: &str) -> String {
    format!("key_pairs|{id}|{kek}")
}

fn public(row: &sqlx::any::AnyRow) -> EncryptionKey {
    EncryptionKey { id: row.get("id"), public_pem: row.get("public_pem") }
}

/// A new pair: the private key as PKCS #8, the public one in PEM.
fn generate() -> Option<(Pkcs8V1Der<'static>, String)> {
    let private = PrivateDecryptingKey::generate(KeySize::Rsa4096).ok()?;
    let public: PublicKeyX509Der<'_> = private.public_key().as_der().ok()?;
    let text = base64::engine::general_purpose::STANDARD.encode(public.as_ref());
    let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
    for line in text.as_bytes().chunks(64) {
        pem.extend(line.iter().map(|&byte| byte as char));
        pem.push('\n');
    }
    pem.push_str("-----END PUBLIC KEY-----\n");
    Some((AsDer::<Pkcs8V1Der<'static>>::as_der(&private).ok()?, pem))
}

fn opened(private: &[u8], client_key: &[u8], data: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let private = OaepPrivateDecryptingKey::new(PrivateDecryptingKey::from_pkcs8(private).ok()?).ok()?;
    let mut space = Zeroizing::new(vec![0; private.min_output_size()]);
    let key = private.decrypt(&OAEP_SHA256_MGF1SHA256, client_key, &mut space, None).ok()?;
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).ok()?);
    let (nonce, body) = data.split_at_checked(NONCE)?;
    let mut body = Zeroizing::new(body.to_vec());
    let plain = key.open_in_place(Nonce::try_assume_unique_for_key(nonce).ok()?, Aad::empty(), &mut body).ok()?;
    Some(Zeroizing::new(plain.to_vec()))
}
