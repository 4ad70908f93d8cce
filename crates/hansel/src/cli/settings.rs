//! Every setting as a page: flags with their variables from the commands themselves, and the variables that have no flag
//! from the list here. `docs/reference/configuration.md` is this page; a test compares them.

use std::fmt::Write;

use clap::{Arg, Command};

/// A variable without a flag, and what it means.
type Variable = (&'static str, &'static str);

/// Variables that only the environment gives.
static ENVIRONMENT: &[Variable] = &[
    ("HANSEL_DATABASE", "`postgres://user:password@host/database` keeps the records there instead of in the home."),
    ("HANSEL_KEY", "The key that seals secrets, 64 hexadecimal digits, in place of the file `key` in the home."),
    ("HANSEL_KEY_KMS", "Id, ARN or alias of a key of AWS KMS that wraps the key of the home. Not beside `HANSEL_KEY`."),
    ("HANSEL_NEW_KEY", "The next `HANSEL_KEY`, for `hansel secrets rotate`."),
    (
        "HANSEL_OIDC_CLIENT_SECRET",
        "The secret of this server at the issuer of `--oidc-issuer`; a public client has none.",
    ),
    ("HANSEL_LOG", "What the server logs: `info`, `debug`, or a list such as `hansel=debug,info`."),
    ("HANSEL_ENDPOINT", "The server that the nouns of the command line work at; `GRETEL_ENDPOINT` is taken as well."),
    ("HANSEL_API_KEY", "The key for it; `GRETEL_API_KEY` is taken as well."),
    (
        "HANSEL_PROJECT",
        "The project where none is named; `GRETEL_DEFAULT_PROJECT` and `GRETEL_PROJECT` are taken as well.",
    ),
    ("GRETEL_CONFIG_FILE", "Where the documented client's configuration lies, in place of `~/.gretel/config.json`."),
    (
        "AWS_ACCESS_KEY_ID",
        "With `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_PROFILE` and the rest of what the AWS SDK reads: the process's own identity, for roles and KMS.",
    ),
    ("AWS_REGION", "The region where nothing else names one; `AWS_DEFAULT_REGION` is taken as well."),
    ("AWS_ENDPOINT_URL", "Where the services of AWS are; `AWS_ENDPOINT_URL_S3`, `_STS` and `_KMS` for one each."),
    ("AWS_CA_BUNDLE", "Certificates, PEM, that stores are checked against."),
    (
        "SSL_CERT_FILE",
        "Certificates, PEM, that other servers are checked against; `REQUESTS_CA_BUNDLE` is taken as well.",
    ),
    ("HTTPS_PROXY", "The proxy to stores; `HTTP_PROXY` and `NO_PROXY` as usual."),
    ("XDG_DATA_HOME", "The folder in which the home lies unless `--home` names one."),
];

/// Variables that break things on purpose, for tests.
static FOR_TESTS: &[Variable] = &[
    ("HANSEL_ABORT_AFTER_EVENTS", "Ends the process behind so many events of a run, as a crash would."),
    ("HANSEL_PANIC_AT", "Panics as a step of a run begins this, such as `judging`."),
    ("HANSEL_CLOCK_AHEAD", "Puts the clock of schedules so many seconds ahead, as after a long stop."),
];

/// The page, made from the commands.
pub(crate) fn page(command: &Command) -> String {
    let mut page = String::from(
        "# Settings\n\n<!-- Made by `cargo xtask docs` from the commands; edit those. -->\n\nA flag wins over its \
         variable. There is no configuration file.\n",
    );
    let mut with_flag: Vec<String> = Vec::new();
    let global: Vec<&Arg> = command.get_arguments().filter(|arg| arg.is_global_set()).collect();
    table(&mut page, "Every command", &global, &mut with_flag);
    if let Some(serve) = command.find_subcommand("serve") {
        let own: Vec<&Arg> =
            serve.get_arguments().filter(|arg| arg.get_long().is_some() && !arg.is_hide_set()).collect();
        table(&mut page, "`hansel serve`", &own, &mut with_flag);
    }
    for other in command.get_subcommands().filter(|other| other.get_name() != "serve") {
        let own: Vec<&Arg> =
            other.get_arguments().filter(|arg| arg.get_env().is_some() && !arg.is_global_set()).collect();
        if !own.is_empty() {
            table(&mut page, &format!("`hansel {}`", other.get_name()), &own, &mut with_flag);
        }
    }
    for (title, list) in [("The environment alone", ENVIRONMENT), ("For tests", FOR_TESTS)] {
        let _ = write!(page, "\n## {title}\n\n| variable | what |\n|---|---|\n");
        for (name, what) in list.iter().filter(|(name, _)| !with_flag.iter().any(|known| known == name)) {
            let _ = writeln!(page, "| `{name}` | {what} |");
        }
    }
    page
}

fn table(page: &mut String, title: &str, arguments: &[&Arg], with_flag: &mut Vec<String>) {
    let _ = write!(page, "\n## {title}\n\n| flag | variable | default | what |\n|---|---|---|---|\n");
    for arg in arguments.iter().filter(|arg| !["help", "version"].contains(&arg.get_id().as_str())) {
        let value = match arg.get_value_names() {
            Some([name, ..]) if arg.get_action().takes_values() => format!(" {name}"),
            _ => String::new(),
        };
        let env = arg.get_env().map(|name| name.to_string_lossy().into_owned());
        let shown = env.as_ref().map(|name| format!("`{name}`")).unwrap_or_default();
        with_flag.extend(env);
        let defaults: Vec<String> = match arg.get_action().takes_values() {
            true => arg.get_default_values().iter().map(|value| format!("`{}`", value.to_string_lossy())).collect(),
            false => Vec::new(),
        };
        let help =
            arg.get_help().map(|help| help.to_string().replace('\n', " ").replace('|', "\\|")).unwrap_or_default();
        let values: Vec<String> =
            arg.get_possible_values().iter().map(|value| format!("`{}`", value.get_name())).collect();
        let choice = match values.is_empty() || !arg.get_action().takes_values() {
            true => String::new(),
            false => format!(" One of {}.", values.join(", ")),
        };
        let flag = arg.get_long().map(|long| format!("`--{long}{value}`")).unwrap_or_default();
        let _ = writeln!(page, "| {flag} | {shown} | {} | {help}.{choice} |", defaults.join(", "));
    }
}
