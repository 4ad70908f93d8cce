//! The door: one binary. Arguments come in, commands of `cli` run, an exit code goes out.

mod cli;
mod engine;
mod memory;
#[expect(dead_code, reason = "its callers come in the commits after this one")]
mod outgoing;
mod server;

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(cli::main())
}
