//! A key of AWS KMS as what wraps the key of a home. In: 32 bytes. Out: the same under a key that never leaves KMS. The
//! process's own identity is used, and asks for `kms:Encrypt` and `kms:Decrypt` on that one key.

use aws_sdk_kms::Client;
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kms::primitives::Blob;

use crate::s3::{process_config, runtime};

/// What every call says it is for. KMS opens nothing that was wrapped for another purpose, and logs it in the clear.
const CONTEXT: (&str, &str) = ("hansel:purpose", "key-encryption-key");

/// One key of KMS, by id, ARN or alias.
pub struct Kms {
    key: String,
}

impl Kms {
    /// The key of this id, ARN or alias (`alias/name`). No I/O happens before the first call.
    pub fn new(key: String) -> Kms {
        Kms { key }
    }

    /// Encrypts a few bytes.
    pub fn encrypt(&self, plain: &[u8]) -> Result<Vec<u8>, String> {
        self.call(|client| {
            let call = client.encrypt().key_id(&self.key).encryption_context(CONTEXT.0, CONTEXT.1);
            let answer = runtime().block_on(call.plaintext(Blob::new(plain)).send());
            let answer = answer.map_err(|error| self.told("kms:Encrypt", &error))?;
            answer.ciphertext_blob.map(Blob::into_inner).ok_or_else(|| "KMS gave nothing back".to_string())
        })
    }

    /// Decrypts what [`Kms::encrypt`] gave.
    pub fn decrypt(&self, wrapped: &[u8]) -> Result<Vec<u8>, String> {
        self.call(|client| {
            let call = client.decrypt().key_id(&self.key).encryption_context(CONTEXT.0, CONTEXT.1);
            let answer = runtime().block_on(call.ciphertext_blob(Blob::new(wrapped)).send());
            let answer = answer.map_err(|error| self.told("kms:Decrypt", &error))?;
            answer.plaintext.map(Blob::into_inner).ok_or_else(|| "KMS gave nothing back".to_string())
        })
    }

    /// Calls on a thread of its own, since the caller may stand in a runtime, in which another cannot wait.
    fn call<T: Send>(&self, call: impl FnOnce(Client) -> Result<T, String> + Send) -> Result<T, String> {
        let work = || {
            let config = process_config("KMS", self.region()).map_err(|failure| failure.to_string())?;
            call(Client::new(&config))
        };
        std::thread::scope(|scope| scope.spawn(work).join()).unwrap_or_else(|_| Err("the call was cut off".into()))
    }

    /// The region that an ARN names.
    fn region(&self) -> Option<String> {
        let mut parts = self.key.split(':');
        (parts.next() == Some("arn")).then(|| parts.nth(2)).flatten().map(str::to_string)
    }

    fn told<E, R>(&self, permission: &str, error: &SdkError<E, R>) -> String
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
        R: std::fmt::Debug + 'static,
    {
        let said = match error.code() {
            Some(code) => format!("{code}: {}", error.message().unwrap_or("no message")),
            None => {
                let causes = std::iter::successors(Some(error as &dyn std::error::Error), |cause| cause.source());
                causes.map(|cause| cause.to_string()).collect::<Vec<_>>().join(": ")
            }
        };
        format!("KMS key `{}`, {permission}: {}", self.key, said.replace('\n', " "))
    }
}
