//! One table of what can go wrong: the code that programs match on, the status of the server, the exit code of the
//! command line, whether the
//! same work may succeed later, and the page that explains it. Nobody matches on message text.

/// What kind of thing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Code {
    /// The text is not YAML or JSON.
    ConfigParse,
    /// A key or value of a config is not allowed.
    ConfigInvalid,
    /// A template refers to something that is not there.
    ConfigReference,
    /// A connection file or record is not usable.
    ConnectionInvalid,
    /// No connection of this id.
    ConnectionNotFound,
    /// The connection is of another type than the action needs.
    ConnectionTypeMismatch,
    /// The connection is for sources only, or for destinations only.
    ConnectionTargetMismatch,
    /// The store does not know the key or refuses its signature.
    AuthInvalidCredentials,
    /// The role cannot be assumed.
    AuthAssumeRoleDenied,
    /// No bucket of this name.
    S3BucketNotFound,
    /// The identity lacks a permission.
    S3AccessDenied,
    /// The object was replaced between listing and reading.
    S3ObjectChanged,
    /// The object was there when listed and is gone now.
    S3ObjectNotFound,
    /// The store could not be reached or kept failing.
    S3Unavailable,
    /// The object could not be written.
    S3WriteFailed,
    /// The object is of a type that models cannot read.
    DataUnsupportedType,
    /// The object cannot be read as the type it claims to be.
    DataUnreadable,
    /// The object holds no records.
    DataNoRecords,
    /// The model could not be trained on this object.
    ModelFailed,
    /// The file is no model that can be sampled from.
    ModelUnreadable,
    /// The copy is not private or not good enough to be published.
    GateRefused,
    /// Two objects of one run would be written under the same key.
    OutputCollision,
    /// The run was cancelled.
    RunCancelled,
    /// The home directory cannot be used.
    HomeUnusable,
    /// The command line is not understood.
    Usage,
    /// No record of this name or id.
    NotFound,
    /// No API key came with a request.
    AuthKeyMissing,
    /// The API key is unknown, expired or revoked.
    AuthKeyUnknown,
    /// A token of the issuer, or a session, does not hold.
    AuthTokenRefused,
    /// The user's role does not allow it.
    PermissionDenied,
    /// A request is not understood.
    RequestInvalid,
    /// A request or an upload is longer than the server takes.
    RequestTooLarge,
    /// A key asks faster than the server allows.
    RequestTooMany,
    /// The run or model is not in a state that allows it.
    RunConflict,
    /// The server cannot work right now.
    ServerUnready,
    /// Our own mistake.
    Internal,
}

struct Row {
    code: Code,
    name: &'static str,
    http: u16,
    exit: u8,
    retry: bool,
}

const fn row(code: Code, name: &'static str, http: u16, exit: u8, retry: bool) -> Row {
    Row { code, name, http, exit, retry }
}

static TABLE: &[Row] = &[
    row(Code::ConfigParse, "config.parse", 400, 2, false),
    row(Code::ConfigInvalid, "config.invalid", 400, 2, false),
    row(Code::ConfigReference, "config.reference", 400, 2, false),
    row(Code::ConnectionInvalid, "connection.invalid", 400, 2, false),
    row(Code::ConnectionNotFound, "connection.not_found", 400, 3, false),
    row(Code::ConnectionTypeMismatch, "connection.type_mismatch", 400, 2, false),
    row(Code::ConnectionTargetMismatch, "connection.target_mismatch", 400, 2, false),
    row(Code::AuthInvalidCredentials, "auth.invalid_credentials", 400, 3, false),
    row(Code::AuthAssumeRoleDenied, "auth.assume_role_denied", 400, 3, false),
    row(Code::S3BucketNotFound, "s3.bucket_not_found", 400, 3, false),
    row(Code::S3AccessDenied, "s3.access_denied", 400, 3, false),
    row(Code::S3ObjectChanged, "s3.object_changed", 400, 1, true),
    row(Code::S3ObjectNotFound, "s3.object_not_found", 400, 1, true),
    row(Code::S3Unavailable, "s3.unavailable", 400, 3, true),
    row(Code::S3WriteFailed, "s3.write_failed", 400, 1, true),
    row(Code::DataUnsupportedType, "data.unsupported_type", 400, 1, false),
    row(Code::DataUnreadable, "data.unreadable", 400, 1, false),
    row(Code::DataNoRecords, "data.no_records", 400, 1, false),
    row(Code::ModelFailed, "model.failed", 400, 1, false),
    row(Code::ModelUnreadable, "model.unreadable", 400, 1, false),
    row(Code::GateRefused, "gate.refused", 400, 1, false),
    row(Code::OutputCollision, "output.collision", 400, 1, false),
    row(Code::RunCancelled, "run.cancelled", 400, 130, true),
    row(Code::HomeUnusable, "home.unusable", 500, 2, false),
    row(Code::Usage, "usage", 400, 2, false),
    row(Code::NotFound, "not_found", 404, 2, false),
    row(Code::AuthKeyMissing, "auth.key_missing", 401, 3, false),
    row(Code::AuthKeyUnknown, "auth.key_unknown", 401, 3, false),
    row(Code::AuthTokenRefused, "auth.token_refused", 401, 3, false),
    row(Code::PermissionDenied, "permission.denied", 403, 3, false),
    row(Code::RequestInvalid, "request.invalid", 400, 2, false),
    row(Code::RequestTooLarge, "request.too_large", 413, 2, false),
    row(Code::RequestTooMany, "request.too_many", 429, 3, true),
    row(Code::RunConflict, "run.conflict", 409, 1, true),
    row(Code::ServerUnready, "server.unready", 503, 3, true),
    row(Code::Internal, "internal", 500, 4, false),
];

impl Code {
    /// Every code, in the order of the table.
    pub fn all() -> impl Iterator<Item = Code> {
        TABLE.iter().map(|row| row.code)
    }

    /// The dotted name that users and programs see.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The status of an answer of the server that says this.
    pub fn http(self) -> u16 {
        self.row().http
    }

    /// The exit code of a command that ends with this.
    pub fn exit(self) -> u8 {
        self.row().exit
    }

    /// Whether the same work may succeed when it is tried again unchanged.
    pub fn may_retry(self) -> bool {
        self.row().retry
    }

    /// The code of this name.
    pub fn named(name: &str) -> Option<Code> {
        TABLE.iter().find(|row| row.name == name).map(|row| row.code)
    }

    fn row(self) -> &'static Row {
        TABLE.iter().find(|row| row.code == self).expect("every code has a row; the test of the table says so")
    }
}

/// What happened, when something did not work: a code for programs, a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The kind.
    pub code: Code,
    /// What is so; one line, no final stop.
    pub message: String,
    /// A full sentence that the reader can act on.
    pub hint: Option<String>,
    /// What lay below, in the words of whoever said it; never a secret.
    pub cause: Option<String>,
}

impl Failure {
    /// A failure without hint or cause.
    pub fn new(code: Code, message: impl Into<String>) -> Failure {
        Failure { code, message: message.into(), hint: None, cause: None }
    }

    /// The same with a sentence the reader can act on.
    pub fn hint(mut self, hint: impl Into<String>) -> Failure {
        self.hint = Some(hint.into());
        self
    }

    /// The same with what lay below.
    pub fn cause(mut self, cause: impl std::fmt::Display) -> Failure {
        self.cause = Some(cause.to_string());
        self
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code.name(), self.message)
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_one_row_and_a_name_of_its_own() {
        for code in Code::all() {
            assert_eq!(Code::named(code.name()), Some(code), "{} stands for two codes", code.name());
        }
        assert_eq!(TABLE.len(), Code::Internal as usize + 1, "a code has no row");
    }
}
