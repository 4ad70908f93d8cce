//! What can go wrong on request: which requests a fault meets and what it does to them.
//!
//! In: a list of faults and one request's line. Out: the action to take, if any. It never acts itself.

use crate::request::RequestLine;

/// A fault that meets some requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The operation it meets, such as `GetObject` or `AssumeRole`; `*` means every one.
    pub operation: String,
    /// It meets only requests whose key contains this; empty means every one.
    pub key_contains: String,
    /// What happens.
    pub action: FaultAction,
    /// How many fitting requests pass unharmed first.
    pub skip: usize,
    /// How many fitting requests are met after that; `usize::MAX` means all of them.
    pub times: usize,
}

/// What a fault does to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultAction {
    /// Answers with this status and S3 error code, such as 503 and `SlowDown`, and does nothing else.
    Status(u16, String),
    /// Resets the connection without doing or answering anything.
    Reset,
    /// Does what was asked, announces the whole body, sends up to so many bytes of it and resets the connection.
    ResetMidBody(usize),
    /// Does what was asked, announces the whole body, sends up to so many bytes of it and closes the connection.
    Truncate(usize),
    /// Does what was asked and changes one bit of one byte in the middle of the body sent; its length stays.
    Corrupt,
    /// Does what was asked and closes the connection without an answer.
    DropResponse,
    /// Does nothing and answers 200 with an `<Error>` of code `InternalError` in the body, as
    /// `CompleteMultipartUpload` can.
    ErrorIn200,
    /// Does what was asked and waits so many milliseconds before each further 64 KiB of the body.
    Slow(u64),
}

/// The action of the first fault that meets this request. Counts down `skip` and `times` on the way.
pub(crate) fn met(faults: &mut Vec<Fault>, line: &RequestLine) -> Option<FaultAction> {
    let mut action = None;
    for fault in faults.iter_mut() {
        let fits = (fault.operation == "*" || fault.operation == line.operation)
            && line.key.contains(fault.key_contains.as_str());
        if !fits || fault.times == 0 {
            continue;
        }
        if fault.skip > 0 {
            fault.skip -= 1;
            continue;
        }
        if fault.times != usize::MAX {
            fault.times -= 1;
        }
        action = Some(fault.action.clone());
        break;
    }
    faults.retain(|fault| fault.times > 0);
    action
}
