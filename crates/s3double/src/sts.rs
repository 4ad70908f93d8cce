//! The two STS operations that S3 clients use: AssumeRole and GetCallerIdentity.
//!
//! In: a signed form posted to `/`. Out: temporary credentials, or who the caller is. It grants nothing by itself: a
//! session may do what its role's policies allow.

use crate::answer::{Answer, Refusal};
use crate::identities::{ACCOUNT, Caller};
use crate::objects::iso;
use crate::request::{Ask, Operation};
use crate::server::{World, locked, now};
use crate::sign;
use crate::xml::Xml;

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// Proves who asks and answers, refusals included: they look different from S3's.
pub(crate) fn answer(world: &World, ask: &mut Ask, request_id: &str) -> Answer {
    served(world, ask, request_id).unwrap_or_else(|refusal| refused(&refusal, request_id))
}

/// A refusal as STS words it.
pub(crate) fn refused(refusal: &Refusal, request_id: &str) -> Answer {
    let mut xml = Xml::new("ErrorResponse", NAMESPACE);
    xml.open("Error");
    xml.leaf("Type", if refusal.status < 500 { "Sender" } else { "Receiver" });
    xml.leaf("Code", &refusal.code);
    xml.leaf("Message", &refusal.message);
    xml.close("Error");
    xml.leaf("RequestId", request_id);
    Answer::xml(refusal.status, xml.end()).with("x-amzn-requestid", request_id)
}

fn served(world: &World, ask: &mut Ask, request_id: &str) -> Result<Answer, Refusal> {
    if ask.header("authorization").is_none() {
        return Err(Refusal::new(403, "MissingAuthenticationToken", "the request is not signed"));
    }
    let caller = sign::authenticate(ask, &world.identities, now(), "sts").map_err(in_sts_words)?;
    match ask.operation {
        Operation::AssumeRole => assume_role(world, ask, &caller, request_id),
        _ => Ok(caller_identity(&caller, request_id)),
    }
}

/// STS has other codes for the same refusals.
fn in_sts_words(refusal: Refusal) -> Refusal {
    match refusal.code.as_str() {
        "InvalidAccessKeyId" | "InvalidToken" => Refusal::new(403, "InvalidClientTokenId", refusal.message),
        "ExpiredToken" => Refusal::new(403, "ExpiredToken", refusal.message),
        "AuthorizationHeaderMalformed" => Refusal::new(403, "SignatureDoesNotMatch", refusal.message),
        _ => refusal,
    }
}

fn assume_role(world: &World, ask: &Ask, caller: &Caller, request_id: &str) -> Result<Answer, Refusal> {
    let wrong = |message: String| Refusal::new(400, "ValidationError", message);
    let role_arn = ask.field("RoleArn").ok_or_else(|| wrong("RoleArn is missing".to_string()))?;
    let name = ask.field("RoleSessionName").unwrap_or_default();
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    if !(2..=64).contains(&name.len()) || !name.bytes().all(fits) {
        return Err(wrong(format!("RoleSessionName `{name}` is not 2 to 64 of letters, digits and `_+=,.@-`")));
    }
    let seconds = match ask.field("DurationSeconds") {
        None => 3600,
        Some(text) => match text.parse::<u64>().ok().filter(|seconds| (900..=3600).contains(seconds)) {
            Some(seconds) => seconds,
            None => return Err(wrong(format!("DurationSeconds `{text}` is not a number from 900 to 3600"))),
        },
    };
    let external_id = ask.field("ExternalId");
    let session = locked(&world.identities).assume(caller, role_arn, external_id, name, seconds, now())?;
    let mut xml = Xml::new("AssumeRoleResponse", NAMESPACE);
    xml.open("AssumeRoleResult");
    xml.open("AssumedRoleUser");
    xml.leaf("AssumedRoleId", &format!("{}:{name}", session.access_key.replacen("ASIA", "AROA", 1)));
    xml.leaf("Arn", &session.arn);
    xml.close("AssumedRoleUser");
    xml.open("Credentials");
    xml.leaf("AccessKeyId", &session.access_key);
    xml.leaf("SecretAccessKey", &session.secret);
    xml.leaf("SessionToken", &session.token);
    xml.leaf("Expiration", &iso(session.expires));
    xml.close("Credentials");
    xml.close("AssumeRoleResult");
    Ok(finished(xml, request_id))
}

fn caller_identity(caller: &Caller, request_id: &str) -> Answer {
    let mut xml = Xml::new("GetCallerIdentityResponse", NAMESPACE);
    xml.open("GetCallerIdentityResult");
    xml.leaf("Arn", &caller.arn);
    xml.leaf("UserId", &caller.access_key);
    xml.leaf("Account", ACCOUNT);
    xml.close("GetCallerIdentityResult");
    finished(xml, request_id)
}

fn finished(mut xml: Xml, request_id: &str) -> Answer {
    xml.open("ResponseMetadata");
    xml.leaf("RequestId", request_id);
    xml.close("ResponseMetadata");
    Answer::xml(200, xml.end()).with("x-amzn-requestid", request_id)
}
