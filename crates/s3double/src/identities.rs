//! Users, roles and the sessions opened under roles.
//!
//! In: what the owner of the service adds, and the access keys that requests claim. Out: the secret to check a
//! signature with, and the caller with its rights. It verifies no signature.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::answer::Refusal;
use crate::policy::{self, Policy};
use crate::sign;

/// The account everything belongs to: the one of Amazon's own examples.
pub(crate) const ACCOUNT: &str = "123456789012";

/// What an identity may do.
#[derive(Debug)]
pub(crate) enum Rights {
    Everything,
    Policies(Vec<Policy>),
}

impl Rights {
    pub(crate) fn parse(documents: &[&str]) -> Result<Rights, String> {
        let mut policies = Vec::new();
        for document in documents {
            policies.push(Policy::parse(document)?);
        }
        Ok(Rights::Policies(policies))
    }
}

/// Who makes a request.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) access_key: String,
    pub(crate) arn: String,
    rights: Arc<Rights>,
}

impl Caller {
    pub(crate) fn may(&self, action: &str, resource: &str) -> bool {
        match &*self.rights {
            Rights::Everything => true,
            Rights::Policies(policies) => policy::allowed(policies, action, resource),
        }
    }
}

/// A role that users may assume.
struct Role {
    trusted_access_key: Option<String>,
    external_id: Option<String>,
    rights: Arc<Rights>,
    session_seconds: Option<u64>,
}

/// Temporary credentials.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) access_key: String,
    pub(crate) secret: String,
    pub(crate) token: String,
    pub(crate) expires: Timestamp,
    pub(crate) arn: String,
    rights: Arc<Rights>,
}

struct User {
    secret: String,
    rights: Arc<Rights>,
}

/// All identities of the service.
#[derive(Default)]
pub(crate) struct Identities {
    users: BTreeMap<String, User>,
    roles: BTreeMap<String, Role>,
    sessions: BTreeMap<String, Session>,
}

impl Identities {
    pub(crate) fn add_user(&mut self, access_key: &str, secret: &str, rights: Rights) {
        self.users.insert(access_key.to_string(), User { secret: secret.to_string(), rights: Arc::new(rights) });
    }

    pub(crate) fn add_role(
        &mut self,
        arn: &str,
        trusted_access_key: Option<&str>,
        external_id: Option<&str>,
        rights: Rights,
        session_seconds: Option<u64>,
    ) {
        let role = Role {
            trusted_access_key: trusted_access_key.map(str::to_string),
            external_id: external_id.map(str::to_string),
            rights: Arc::new(rights),
            session_seconds,
        };
        self.roles.insert(arn.to_string(), role);
    }

    pub(crate) fn expire_sessions(&mut self) {
        for session in self.sessions.values_mut() {
            session.expires = Timestamp::UNIX_EPOCH;
        }
    }

    /// The secret of an access key and the caller behind it. A session's key only counts with the session's token.
    pub(crate) fn find(
        &self,
        access_key: &str,
        token: Option<&str>,
        now: Timestamp,
    ) -> Result<(String, Caller), Refusal> {
        let unknown = || Refusal::new(403, "InvalidAccessKeyId", format!("access key `{access_key}` is not known"));
        let invalid = || Refusal::new(400, "InvalidToken", "the session token is not the one of this access key");
        if let Some(user) = self.users.get(access_key) {
            if token.is_some() {
                return Err(invalid());
            }
            let arn = format!("arn:aws:iam::{ACCOUNT}:user/{access_key}");
            let caller = Caller { access_key: access_key.to_string(), arn, rights: user.rights.clone() };
            return Ok((user.secret.clone(), caller));
        }
        let session = self.sessions.get(access_key).ok_or_else(unknown)?;
        match token {
            None => return Err(unknown()),
            Some(token) if token != session.token => return Err(invalid()),
            Some(_) => {}
        }
        if session.expires <= now {
            return Err(Refusal::new(400, "ExpiredToken", format!("the session expired at {}", session.expires)));
        }
        let caller =
            Caller { access_key: access_key.to_string(), arn: session.arn.clone(), rights: session.rights.clone() };
        Ok((session.secret.clone(), caller))
    }

    /// Opens a session under a role. The caller must be trusted by the role and know its external id; an unknown role
    /// is refused in the same words.
    pub(crate) fn assume(
        &mut self,
        caller: &Caller,
        role_arn: &str,
        external_id: Option<&str>,
        session_name: &str,
        asked_seconds: u64,
        now: Timestamp,
    ) -> Result<Session, Refusal> {
        let refused = || {
            let message = format!("`{}` may not perform sts:AssumeRole on `{role_arn}`", caller.arn);
            Refusal::new(403, "AccessDenied", message)
        };
        let role = self.roles.get(role_arn).ok_or_else(refused)?;
        let trusted = role.trusted_access_key.as_ref().is_none_or(|key| *key == caller.access_key);
        let proven = role.external_id.as_deref().is_none_or(|id| external_id == Some(id));
        if !trusted || !proven {
            return Err(refused());
        }
        let seconds = role.session_seconds.unwrap_or(asked_seconds);
        let lifetime = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
        let role_name = role_arn.rsplit('/').next().unwrap_or(role_arn);
        // The double need not be unguessable, only never the same twice.
        let seed = format!("{role_arn}\n{session_name}\n{}\n{}", self.sessions.len(), now.as_nanosecond());
        let letters = |purpose: &str| sign::hex(&sign::sha256(format!("{purpose}\n{seed}").as_bytes()));
        let session = Session {
            access_key: format!("ASIA{}", letters("key")[..16].to_ascii_uppercase()),
            secret: letters("secret")[..40].to_string(),
            token: format!("{}{}", letters("token"), letters("more")),
            expires: now.checked_add(lifetime).unwrap_or(Timestamp::MAX),
            arn: format!("arn:aws:sts::{ACCOUNT}:assumed-role/{role_name}/{session_name}"),
            rights: role.rights.clone(),
        };
        self.sessions.insert(session.access_key.clone(), session.clone());
        Ok(session)
    }
}
