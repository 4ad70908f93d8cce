//! What a server has to tell to webhooks: taken from the store, signed, posted, and tried again until it was heard or a
//! day is over. A message may arrive twice, and says by its id that it is the same.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use store::{AuditEntry, Delivery};
use workflow::Failure;

use crate::memory::Memory;
use crate::outside::Outside;

const SECOND_US: i64 = 1_000_000;
/// When a message is given up, after the end of its run.
const GIVE_UP_US: i64 = 24 * 3600 * SECOND_US;
/// Longest wait between two attempts.
const WAIT_MAX_US: i64 = 3600 * SECOND_US;
/// To how many projects it is told at a time.
const AT_ONCE: i64 = 16;

/// Posts what is due, to each project at once: a receiver that does not answer holds up its own messages only.
pub(crate) fn deliver(memory: &Memory, outside: &Outside, leaving: &(dyn Fn() -> bool + Sync)) -> Result<(), Failure> {
    while !leaving() {
        let due = memory.ask(memory.store.due_deliveries(AT_ONCE))?;
        let heard = std::thread::scope(|scope| {
            let posts: Vec<_> = due.iter().map(|due| scope.spawn(|| one(memory, outside, due))).collect();
            let done = posts.into_iter().map(|post| post.join().unwrap_or(Ok(false)));
            done.collect::<Result<Vec<bool>, Failure>>()
        })?;
        if !heard.contains(&true) {
            return Ok(());
        }
    }
    Ok(())
}

/// Posts one message; gives whether it is off the list.
fn one(memory: &Memory, outside: &Outside, delivery: &Delivery) -> Result<bool, Failure> {
    let store = &memory.store;
    let posted = match memory.ask(store.webhook_secret(&delivery.project)) {
        Ok(secret) => {
            let at = jiff::Timestamp::now().as_second();
            let headers = [
                ("hansel-signature", signature(&secret, at, &delivery.body)),
                ("hansel-delivery", delivery.id.clone()),
            ];
            outside.post(&delivery.url, &headers, &delivery.body)
        }
        Err(failure) => Err(failure.message),
    };
    let now = jiff::Timestamp::now().as_microsecond();
    match posted {
        Ok(()) => {
            memory.ask(store.end_delivery(&delivery.id))?;
            record(memory, delivery, "deliver", "")?;
            Ok(true)
        }
        Err(why) if now - delivery.created_at > GIVE_UP_US => {
            tracing::warn!(run = delivery.run, delivery = delivery.id, "webhook given up: {why}");
            memory.ask(store.end_delivery(&delivery.id))?;
            record(memory, delivery, "give up", &why)?;
            Ok(true)
        }
        Err(why) => {
            tracing::warn!(run = delivery.run, delivery = delivery.id, "webhook not heard: {why}");
            memory.ask(store.postpone_delivery(&delivery.id, wait_us(delivery.attempts)))?;
            Ok(false)
        }
    }
}

/// The header that proves who sent a message and when: `t=` the time in seconds, `v1=` HMAC-SHA-256 (RFC 2104) of that
/// time, a full stop and the body, in hex.
fn signature(secret: &[u8], at: i64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("a key of any length is taken");
    mac.update(format!("{at}.{body}").as_bytes());
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={at},v1={hex}")
}

/// One second, then four times as long each time, up to an hour.
fn wait_us(attempts: i64) -> i64 {
    4_i64.saturating_pow(attempts.clamp(0, 30) as u32).saturating_mul(SECOND_US).min(WAIT_MAX_US)
}

fn record(memory: &Memory, delivery: &Delivery, verb: &str, note: &str) -> Result<(), Failure> {
    let entry = AuditEntry {
        verb: verb.into(),
        kind: "webhook".into(),
        id: delivery.run.clone(),
        project: delivery.project_guid.clone(),
        note: note.into(),
        ..AuditEntry::default()
    };
    memory.ask(memory.store.audit(&entry))
}
