//! The command line: a file per noun or verb. Nothing here has rules of its own; it reads arguments, calls, prints.

mod backup;
mod binding;
mod conditions;
mod connections;
mod demo;
mod evaluate;
mod gate;
mod impute;
mod keys;
mod plan;
mod projects;
mod run;
mod runs;
mod sample;
mod say;
mod secrets;
mod serve;
mod settings;
mod signals;
mod synthesize;
mod validate;
mod watch;

use std::path::PathBuf;

use clap::{CommandFactory, Parser, Subcommand};
use say::{Output, Stop};
pub(crate) use signals::asked_to_stop;

/// Follows the trail of a bucket: trains a model on every new table in it and writes synthetic copies to another.
#[derive(Parser)]
#[command(name = "hansel", version, disable_help_subcommand = true)]
struct Arguments {
    /// Directory that keeps projects, connections, runs and models [default: ~/.local/share/hansel]
    #[arg(long, global = true, env = "HANSEL_HOME", value_name = "DIR")]
    home: Option<PathBuf>,
    /// How results are printed
    #[arg(long, global = true, value_enum, default_value = "text", value_name = "FORMAT")]
    output: Output,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Demo(demo::Demo),
    Run(run::Run),
    Plan(plan::Plan),
    Validate(validate::Validate),
    /// Print the JSON Schema of workflow files, for editors
    Schema,
    Synthesize(synthesize::Synthesize),
    Sample(sample::Sample),
    Impute(impute::Impute),
    Evaluate(evaluate::Evaluate),
    #[command(subcommand)]
    Projects(projects::Projects),
    #[command(subcommand)]
    Connections(connections::Connections),
    #[command(subcommand)]
    Runs(runs::Runs),
    #[command(subcommand)]
    Gate(gate::Gate),
    Serve(Box<serve::Serve>),
    #[command(subcommand)]
    Keys(keys::Keys),
    #[command(subcommand)]
    Secrets(secrets::Secrets),
    Backup(backup::Backup),
    Restore(backup::Restore),
    /// Print the page of all settings
    #[command(hide = true)]
    SettingsPage,
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// What every command may need.
struct Setting {
    home: Option<PathBuf>,
    output: Output,
}

impl Setting {
    fn json(&self) -> bool {
        self.output == Output::Json
    }

    fn home_dir(&self) -> Result<PathBuf, workflow::Failure> {
        crate::memory::home_dir(self.home.clone())
    }

    fn memory(&self) -> Result<crate::memory::Memory, workflow::Failure> {
        crate::memory::Memory::open(&self.home_dir()?)
    }
}

/// Runs the command of the process's arguments; gives the exit code.
pub(crate) fn main() -> u8 {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { 2 } else { 0 };
        }
    };
    let setting = Setting { home: arguments.home, output: arguments.output };
    let done = match arguments.command {
        Command::Demo(demo) => demo.go(&setting),
        Command::Run(run) => run.go(&setting),
        Command::Plan(plan) => plan.go(&setting),
        Command::Validate(validate) => validate.go(&setting),
        Command::Schema => {
            say::json(&workflow::json_schema(actions::ACTIONS));
            Ok(())
        }
        Command::Synthesize(synthesize) => synthesize.go(&setting),
        Command::Sample(sample) => sample.go(&setting),
        Command::Impute(impute) => impute.go(&setting),
        Command::Evaluate(evaluate) => evaluate.go(&setting),
        Command::Projects(projects) => projects.go(&setting),
        Command::Connections(connections) => connections.go(&setting),
        Command::Runs(runs) => runs.go(&setting),
        Command::Gate(gate) => gate.go(&setting),
        Command::Serve(serve) => serve.go(&setting),
        Command::Keys(keys) => keys.go(&setting),
        Command::Secrets(secrets) => secrets.go(&setting),
        Command::Backup(backup) => backup.go(&setting),
        Command::Restore(restore) => restore.go(&setting),
        Command::SettingsPage => {
            say::result(settings::page(&Arguments::command()).trim_end());
            Ok(())
        }
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "hansel", &mut text);
            say::result(String::from_utf8_lossy(&text).trim_end());
            Ok(())
        }
    };
    match done {
        Ok(()) => 0,
        Err(stop) => say::stop(&stop, setting.output),
    }
}

/// The text of a file that the user named.
fn read_text(path: &std::path::Path) -> Result<String, Stop> {
    std::fs::read_to_string(path).map_err(|error| {
        let message = format!("the file `{}` cannot be read", path.display());
        Stop::Failure(workflow::Failure::new(workflow::Code::Usage, message).cause(error))
    })
}
