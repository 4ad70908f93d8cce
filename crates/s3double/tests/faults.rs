//! What an unsigned client meets: refusals, faults and the log. Signed requests are tested with a real client.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::mpsc;

use s3double::{Fault, FaultAction, S3Double};

/// One request on a connection of its own; all that comes back until the connection ends, however it ends.
fn sent(double: &S3Double, method: &str, path: &str) -> String {
    let endpoint = double.endpoint();
    let address = endpoint.strip_prefix("http://").expect("an http address");
    let mut stream = TcpStream::connect(address).expect("a connection");
    write!(stream, "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").expect("a request sent");
    let mut answer = Vec::new();
    // A reset is an error here, and an outcome that tests look at.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn fault(operation: &str, action: FaultAction, skip: usize, times: usize) -> Fault {
    Fault { operation: operation.to_string(), key_contains: String::new(), action, skip, times }
}

#[test]
fn an_unsigned_request_is_refused_and_logged_with_its_key_as_written() {
    let double = S3Double::start().expect("a free port");
    double.put("raw", "a//b/../c d", b"1\n");
    let answer = sent(&double, "GET", "/raw/a//b/../c%20d");
    assert!(answer.starts_with("HTTP/1.1 403 ") && answer.contains("<Code>AccessDenied</Code>"), "{answer}");
    let seen = double.requests();
    assert_eq!(seen.len(), 1);
    assert_eq!((seen[0].operation.as_str(), seen[0].key.as_str(), seen[0].status), ("GetObject", "a//b/../c d", 403));
}

#[test]
fn a_fault_lets_pass_what_it_skips_and_ends_after_its_times() {
    let double = S3Double::start().expect("a free port");
    double.fault(fault("HeadBucket", FaultAction::Status(500, "InternalError".to_string()), 0, usize::MAX));
    double.fault(fault("ListObjectsV2", FaultAction::Status(503, "SlowDown".to_string()), 1, 2));
    let statuses: Vec<String> = (0..4).map(|_| sent(&double, "GET", "/raw?list-type=2")[9..12].to_string()).collect();
    assert_eq!(statuses, ["403", "503", "503", "403"]);
}

#[test]
fn a_reset_and_a_dropped_answer_bring_nothing() {
    let double = S3Double::start().expect("a free port");
    double.fault(fault("*", FaultAction::Reset, 0, 1));
    double.fault(fault("*", FaultAction::DropResponse, 0, 1));
    assert_eq!(sent(&double, "GET", "/raw/a"), "");
    assert_eq!(sent(&double, "GET", "/raw/a"), "");
    assert!(sent(&double, "GET", "/raw/a").starts_with("HTTP/1.1 403 "));
    assert_eq!(double.requests().iter().map(|line| line.status).collect::<Vec<_>>(), [0, 0, 403]);
}

#[test]
fn a_cut_body_stops_where_the_fault_says_under_the_full_length() {
    let double = S3Double::start().expect("a free port");
    let whole = sent(&double, "GET", "/raw/a");
    let (whole_head, whole_body) = whole.split_once("\r\n\r\n").expect("a head");
    for action in [FaultAction::Truncate(10), FaultAction::ResetMidBody(10)] {
        double.fault(fault("GetObject", action, 0, 1));
        let cut = sent(&double, "GET", "/raw/a");
        let (head, body) = cut.split_once("\r\n\r\n").expect("a head");
        let length = |head: &str| head.lines().find(|line| line.starts_with("content-length")).map(str::to_string);
        assert_eq!(length(head), length(whole_head));
        assert_eq!(body, &whole_body[..10]);
    }
}

#[test]
fn a_hook_sees_a_request_before_it_is_served_and_may_change_the_buckets() {
    let double = S3Double::start().expect("a free port");
    let (sender, receiver) = mpsc::channel();
    double.on_request(move |double, line| {
        double.put(&line.bucket, "new", b"x");
        sender.send((line.operation.clone(), line.status)).expect("the test listens");
    });
    sent(&double, "DELETE", "/raw/a?uploadId=1");
    assert_eq!(receiver.recv().expect("the hook was called"), ("AbortMultipartUpload".to_string(), 0));
    assert_eq!(double.keys("raw"), ["new"]);
}
