//! Laws over the list of actions: what is declared is what is checked.

use actions::ACTIONS;
use workflow::{ActionType, Code, Connections, Problem, Role, plan};

/// The problems of a workflow whose last action is of this type with this config.
fn problems(action: &ActionType, config: &str) -> Vec<Problem> {
    let connection = if action.connection.is_some() { ", connection: c_1" } else { "" };
    let source = "  - {name: first, type: s3_source, connection: c_1, config: {bucket: source-bucket}}\n";
    let (before, input) = if action.role == Role::Source { ("", "") } else { (source, ", input: first") };
    let text = format!(
        "name: law\nactions:\n{before}  - {{name: last, type: {}{connection}{input}, config: {config}}}\n",
        action.name
    );
    plan(&text, ACTIONS, &Connections::Unbound).err().unwrap_or_default()
}

#[test]
fn every_required_key_is_missed_and_every_unknown_one_is_named() {
    for action in ACTIONS {
        let found = problems(action, "{no_such_key: 1}");
        for field in action.fields.iter().filter(|field| field.required) {
            let message = format!("key `{}` is missing", field.name);
            assert!(found.iter().any(|problem| problem.message == message), "{}: {message}", action.name);
        }
        let unknown = found.iter().find(|problem| problem.message.contains("unknown key `no_such_key`"));
        let unknown = unknown.unwrap_or_else(|| panic!("{} takes an unknown key", action.name));
        assert!(action.fields.iter().all(|field| unknown.message.contains(&format!("`{}`", field.name))));
        assert!(found.iter().all(|problem| problem.at.line > 0 && !problem.at.path.is_empty()));
    }
}

#[test]
fn every_key_takes_its_own_example_and_no_value_of_another_shape() {
    for action in ACTIONS {
        for field in action.fields {
            let path = |problem: &Problem| problem.at.path.contains(&format!(".config.{}", field.name));
            let example = field.example.replace("<source>", "first").replace("<model>", "first");
            let found = problems(action, &format!("{{{}: {example}}}", field.name));
            // What two keys say together is the check's; here one stands alone.
            let alone = |problem: &&Problem| path(problem) && !problem.message.contains(" is given and ");
            let refused: Vec<_> = found.iter().filter(alone).map(|problem| &problem.message).collect();
            assert!(refused.is_empty(), "{}.{}: {refused:?}", action.name, field.name);
            let found = problems(action, &format!("{{{}: [1, 2]}}", field.name));
            let told = found.iter().find(|problem| path(problem));
            assert_eq!(told.map(|problem| problem.code), Some(Code::ConfigInvalid), "{}.{}", action.name, field.name);
        }
    }
}
