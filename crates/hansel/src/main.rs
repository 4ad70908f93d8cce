//! The door: one binary. Arguments come in, commands of `cli` run, an exit code goes out.

mod archive;
mod cli;
mod client;
mod depot;
mod engine;
mod memory;
mod outgoing;
mod outside;
mod sealed_box;
mod server;
mod spans;
mod told;

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(cli::main())
}
