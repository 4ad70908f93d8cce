//! The command line: a file per noun or verb. Nothing here has rules of its own; it reads arguments, calls, prints.

mod artifacts;
mod backup;
mod binding;
mod conditions;
mod configure;
mod connections;
mod demo;
mod doctor;
mod evaluate;
mod gate;
mod impute;
mod job;
mod keys;
mod models;
mod place;
mod plan;
mod projects;
mod records;
mod run;
mod runs;
mod runs_served;
mod sample;
mod say;
mod secrets;
mod serve;
mod settings;
mod signals;
mod synthesize;
mod validate;
mod watch;
mod whoami;
mod workflows;
mod workflows_run;

use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use place::Setting;
use say::{Format, Output, Stop};
pub(crate) use signals::{asked_to_stop, cancelled as stopped};

/// Follows the trail of a bucket: trains a model on every new table in it and writes synthetic copies to another.
#[derive(Parser)]
#[command(name = "hansel", version, disable_help_subcommand = true)]
struct Arguments {
    /// Directory that keeps projects, connections, runs and models [default: ~/.local/share/hansel]
    #[arg(long, global = true, env = "HANSEL_HOME", value_name = "DIR")]
    home: Option<PathBuf>,
    /// Server that the command is for, instead of the home [default: HANSEL_ENDPOINT, GRETEL_ENDPOINT, or that of the
    /// documented client's configuration file]
    #[arg(long, global = true, value_name = "URL")]
    endpoint: Option<String>,
    /// How results are printed: `text` or `json`; commands that leave files take a directory here too
    #[arg(long, global = true, default_value = "text", value_name = "FORMAT")]
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
    Whoami(whoami::Whoami),
    Configure(configure::Configure),
    #[command(subcommand)]
    Projects(projects::Projects),
    #[command(subcommand)]
    Connections(connections::Connections),
    #[command(subcommand)]
    Workflows(workflows::Workflows),
    #[command(subcommand)]
    Runs(runs::Runs),
    #[command(subcommand)]
    Models(models::Models),
    #[command(subcommand)]
    Records(records::Records),
    #[command(subcommand)]
    Artifacts(artifacts::Artifacts),
    #[command(subcommand)]
    Gate(gate::Gate),
    Doctor(doctor::Doctor),
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

/// Runs the command of the process's arguments; gives the exit code.
pub(crate) fn main() -> u8 {
    let arguments = match read_arguments() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { 2 } else { 0 };
        }
    };
    let (arguments, home_asked) = arguments;
    let output = arguments.output;
    let (format, folder) = match output {
        Output::Folder(folder) => (Format::Text, Some(folder)),
        Output::Text => (Format::Text, None),
        Output::Json => (Format::Json, None),
    };
    let setting = Setting { home: arguments.home, home_asked, endpoint: arguments.endpoint, output: format, folder };
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
        Command::Whoami(whoami) => whoami.go(&setting),
        Command::Configure(configure) => configure.go(&setting),
        Command::Projects(projects) => projects.go(&setting),
        Command::Connections(connections) => connections.go(&setting),
        Command::Workflows(workflows) => workflows.go(&setting),
        Command::Models(models) => models.go(&setting),
        Command::Records(records) => records.go(&setting),
        Command::Artifacts(artifacts) => artifacts.go(&setting),
        Command::Doctor(doctor) => doctor.go(&setting),
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

/// The arguments, and whether the home was named on the command line.
fn read_arguments() -> Result<(Arguments, bool), clap::Error> {
    let mut command = Arguments::command();
    let mut matches = command.try_get_matches_from_mut(std::env::args_os())?;
    let home_asked = matches.value_source("home") == Some(ValueSource::CommandLine);
    let arguments = Arguments::from_arg_matches_mut(&mut matches)?;
    if let (Output::Folder(folder), false) = (&arguments.output, arguments.command.leaves_files()) {
        let message = format!("`--output` is `{}`; `text` and `json` are allowed here", folder.display());
        return Err(command.error(clap::error::ErrorKind::InvalidValue, message));
    }
    if arguments.endpoint.is_some() && arguments.command.local() {
        let message = "`--endpoint` names a server, and this command works on this machine only";
        return Err(command.error(clap::error::ErrorKind::ArgumentConflict, message));
    }
    if home_asked && arguments.endpoint.is_some() {
        let message = "`--home` and `--endpoint` name two places; one of them is expected";
        return Err(command.error(clap::error::ErrorKind::ArgumentConflict, message));
    }
    Ok((arguments, home_asked))
}

impl Command {
    /// Whether the command works on this machine, whatever server is named elsewhere.
    fn local(&self) -> bool {
        matches!(
            self,
            Command::Demo(_)
                | Command::Run(_)
                | Command::Plan(_)
                | Command::Validate(_)
                | Command::Schema
                | Command::Synthesize(_)
                | Command::Sample(_)
                | Command::Impute(_)
                | Command::Evaluate(_)
                | Command::Serve(_)
                | Command::Secrets(_)
                | Command::Completions { .. }
        )
    }

    /// Whether a directory may be named with `--output`, as the documented client has it for its downloads.
    fn leaves_files(&self) -> bool {
        match self {
            Command::Models(models) => models.leave_files(),
            Command::Records(records) => records.leave_files(),
            _ => false,
        }
    }
}

/// The text of a file that the user named.
fn read_text(path: &std::path::Path) -> Result<String, Stop> {
    std::fs::read_to_string(path).map_err(|error| {
        let message = format!("the file `{}` cannot be read", path.display());
        Stop::Failure(workflow::Failure::new(workflow::Code::Usage, message).cause(error))
    })
}
