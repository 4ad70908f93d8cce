//! From what a store answered to a [`Failure`]: the one place that knows the stores' error codes.

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use workflow::{Code, Failure};

/// What was being done when the store answered.
#[derive(Clone, Copy)]
pub(crate) struct Doing<'a> {
    /// The permission that the call needs.
    pub(crate) permission: &'static str,
    /// The bucket.
    pub(crate) bucket: &'a str,
    /// The key, for calls on one object.
    pub(crate) key: Option<&'a str>,
    /// Id of the connection.
    pub(crate) connection: &'a str,
    /// Role and external id, where the connection assumes a role.
    pub(crate) role: Option<(&'a str, &'a str)>,
}

static SIGNATURE_CODES: &[&str] = &[
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "InvalidToken",
    "ExpiredToken",
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "NotSignedUp",
    "AuthFailure",
    "RequestTimeTooSkewed",
    "InvalidSecurity",
];

/// The failure that an error of the store stands for.
pub(crate) fn failure<E>(error: &SdkError<E, HttpResponse>, doing: &Doing<'_>) -> Failure
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    if let Some(failure) = identity(error, doing) {
        return failure;
    }
    let status = error.raw_response().map(|response| response.status().as_u16());
    let code = error.as_service_error().and_then(|error| error.code());
    let said = error.as_service_error().and_then(|error| error.message()).unwrap_or_default();
    let Some(status) = status else {
        return Failure::new(Code::S3Unavailable, format!("the store could not be reached for {}", place(doing)))
            .cause(chain(error));
    };
    let cause = format!("{status} {} {said}", code.unwrap_or("without a code"));
    let failure = match (status, code) {
        (_, Some(code)) if SIGNATURE_CODES.contains(&code) => Failure::new(
            Code::AuthInvalidCredentials,
            format!("connection `{}` is not accepted by the store: {code}", doing.connection),
        )
        .hint("Check the access key, its secret and the clock of this machine."),
        (_, Some("NoSuchBucket")) => Failure::new(Code::S3BucketNotFound, format!("no bucket `{}`", doing.bucket))
            .hint("Check the spelling, and that the connection points to the right store."),
        (404, Some("NoSuchKey")) | (404, None) if doing.key.is_some() => {
            Failure::new(Code::S3ObjectNotFound, format!("{} was listed and is gone now", place(doing)))
        }
        (412, _) | (_, Some("PreconditionFailed")) => {
            Failure::new(Code::S3ObjectChanged, format!("{} was replaced after it was listed", place(doing)))
                .hint("The next run takes the new version.")
        }
        (403, _) => Failure::new(
            Code::S3AccessDenied,
            format!("permission {} is missing on {}", doing.permission, place(doing)),
        )
        .hint("Compare the identity's policy with docs/iam."),
        (
            301 | 307 | 400,
            Some(
                "PermanentRedirect"
                | "TemporaryRedirect"
                | "AuthorizationHeaderMalformed"
                | "IllegalLocationConstraintException",
            ),
        ) => Failure::new(Code::ConnectionInvalid, format!("bucket `{}` lies in another region", doing.bucket))
            .hint("Set `region` in the connection."),
        (500.. | 429 | 408, _) => {
            Failure::new(Code::S3Unavailable, format!("the store kept failing for {}", place(doing)))
        }
        _ => Failure::new(Code::S3Unavailable, format!("the store refused {}", place(doing))),
    };
    failure.cause(cause)
}

/// The failure, if no identity could be had: a role that cannot be assumed, or no credentials at all.
fn identity<E: std::error::Error + 'static>(error: &SdkError<E, HttpResponse>, doing: &Doing<'_>) -> Option<Failure> {
    use aws_credential_types::provider::error::CredentialsError;
    let mut below: Option<&(dyn std::error::Error + 'static)> = Some(error);
    let mut credentials: Option<&CredentialsError> = None;
    let mut answer: Option<String> = None;
    let mut refused = false;
    while let Some(current) = below {
        if credentials.is_none() {
            credentials = current.downcast_ref();
        }
        if let Some(role) = current.downcast_ref::<aws_sdk_sts::operation::assume_role::AssumeRoleError>() {
            refused = role.meta().code().is_some_and(|code| code != "ServiceUnavailable" && code != "InternalFailure");
            answer = Some(format!(
                "{} {}",
                role.meta().code().unwrap_or_default(),
                role.meta().message().unwrap_or_default()
            ));
        }
        below = current.source();
    }
    let credentials = credentials?;
    let cause = answer.unwrap_or_else(|| chain(credentials));
    Some(
        match doing.role {
            Some((arn, external_id)) if refused => Failure::new(
                Code::AuthAssumeRoleDenied,
                format!(
                    "connection `{}`: role `{arn}` cannot be assumed with external id `{external_id}`",
                    doing.connection
                ),
            )
            .hint("`hansel projects trust-policy` prints the trust policy that the role needs."),
            Some((arn, _)) => Failure::new(
                Code::AuthInvalidCredentials,
                format!("connection `{}`: there is no identity to assume role `{arn}` from", doing.connection),
            )
            .hint("Give the process AWS credentials: environment, profile, or the machine's own role."),
            None => Failure::new(
                Code::AuthInvalidCredentials,
                format!("connection `{}` has no usable credentials", doing.connection),
            ),
        }
        .cause(cause),
    )
}

/// Whether the session behind a role has run out, so that a new one may do.
pub(crate) fn session_over<E>(error: &SdkError<E, HttpResponse>) -> bool
where
    E: ProvideErrorMetadata,
{
    error
        .as_service_error()
        .and_then(|error| error.code())
        .is_some_and(|code| code == "ExpiredToken" || code == "InvalidToken")
}

/// The region that the store says the bucket lies in.
pub(crate) fn region_told<E>(error: &SdkError<E, HttpResponse>) -> Option<String> {
    let response = error.raw_response()?;
    matches!(response.status().as_u16(), 301 | 307 | 400).then_some(())?;
    response.headers().get("x-amz-bucket-region").map(str::to_string)
}

fn place(doing: &Doing<'_>) -> String {
    match doing.key {
        Some(key) => format!("object `{key}` of bucket `{}`", doing.bucket),
        None if doing.bucket.is_empty() => "a question about the credentials".into(),
        None => format!("bucket `{}`", doing.bucket),
    }
}

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut said = Vec::new();
    let mut below = Some(error);
    while let Some(current) = below {
        let text = current.to_string();
        if said.last() != Some(&text) {
            said.push(text);
        }
        below = current.source();
    }
    said.join(": ")
}
