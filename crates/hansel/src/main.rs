//! The door: one binary. Arguments come in, commands of `cli` run, an exit code goes out.

mod cli;
mod client;
mod engine;
mod memory;
mod outgoing;
mod server;
mod told;

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(cli::main())
}
