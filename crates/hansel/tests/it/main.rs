//! Tests through the door: the binary as a user runs it, against an S3 in memory.

mod cancel;
mod cases;
mod crash;
mod fixtures;
mod isolation;
mod kms;
mod laws;
mod login;
mod mask;
mod model_file;
mod openid;
mod rights;
mod script;
mod security;
mod served;
mod server;
mod settings;
mod sink;
mod tidy;
mod world;
