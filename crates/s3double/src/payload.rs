//! The body of an answer on its way out, whole or cut short.
//!
//! In: the bytes and the fault to commit on them. Out: frames for hyper. It announces the full length in any case.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::time::Sleep;

use crate::faults::FaultAction;

/// A slow body goes out in pieces of this many bytes.
const SLOW_PIECE: usize = 64 * 1024;

/// How long a cut body waits before the cut. hyper drops what it has not yet written when a body fails, so the bytes
/// before the cut get time to leave.
const BEFORE_CUT: Duration = Duration::from_millis(10);

/// A body for hyper.
pub(crate) struct Payload {
    rest: Bytes,
    announced: u64,
    ending: Ending,
    piece: usize,
    pause: Option<Duration>,
    waiting: Option<Pin<Box<Sleep>>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    Whole,
    /// The body ends early: hyper closes the connection.
    Short,
    /// The body fails: hyper closes the connection, and the server resets it.
    Broken,
}

impl Payload {
    /// The body as the fault leaves it; faults that are no matter of the body change nothing.
    pub(crate) fn new(body: Bytes, action: Option<&FaultAction>) -> Payload {
        let announced = body.len() as u64;
        let mut payload =
            Payload { rest: body, announced, ending: Ending::Whole, piece: usize::MAX, pause: None, waiting: None };
        match action {
            Some(FaultAction::Truncate(bytes)) => payload.cut(*bytes, Ending::Short),
            Some(FaultAction::ResetMidBody(bytes)) => payload.cut(*bytes, Ending::Broken),
            Some(FaultAction::Corrupt) => payload.corrupt(),
            Some(FaultAction::Slow(milliseconds)) => {
                payload.piece = SLOW_PIECE;
                payload.pause = Some(Duration::from_millis(*milliseconds));
            }
            _ => {}
        }
        payload
    }

    /// At least one byte is held back: a cut at or beyond the end would be no fault.
    fn cut(&mut self, bytes: usize, ending: Ending) {
        if self.rest.is_empty() {
            return;
        }
        self.rest.truncate(bytes.min(self.rest.len() - 1));
        self.ending = ending;
        if self.rest.is_empty() {
            self.waiting = Some(Box::pin(tokio::time::sleep(BEFORE_CUT)));
        }
    }

    /// The lowest bit: text stays text and digits stay digits, so that nothing but a checksum can notice.
    fn corrupt(&mut self) {
        let mut bytes = self.rest.to_vec();
        let middle = bytes.len() / 2;
        if let Some(byte) = bytes.get_mut(middle) {
            *byte ^= 1;
        }
        self.rest = Bytes::from(bytes);
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = self.get_mut();
        if let Some(sleep) = &mut this.waiting {
            ready!(sleep.as_mut().poll(context));
            this.waiting = None;
        }
        if !this.rest.is_empty() {
            let piece = this.rest.split_to(this.piece.min(this.rest.len()));
            if !this.rest.is_empty() {
                this.waiting = this.pause.map(|pause| Box::pin(tokio::time::sleep(pause)));
            } else if this.ending != Ending::Whole {
                this.waiting = Some(Box::pin(tokio::time::sleep(BEFORE_CUT)));
            }
            this.announced -= piece.len() as u64;
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        match this.ending {
            Ending::Whole | Ending::Short => Poll::Ready(None),
            Ending::Broken => {
                Poll::Ready(Some(Err(io::Error::new(io::ErrorKind::ConnectionReset, "reset by a fault"))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.ending == Ending::Whole
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.announced)
    }
}
