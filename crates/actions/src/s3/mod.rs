//! What source and destination share: one bucket behind one connection, its keys, its failures.

mod client;
mod connection;
mod doctor;
mod failure;
mod fetch;
mod keys;
mod list;
mod publish;

pub(crate) use client::{Bucket, process_config, runtime};
pub(crate) use connection::{S3_CONNECTION, check_bucket};
pub(crate) use keys::{directory, join};
pub(crate) use publish::Manner;
