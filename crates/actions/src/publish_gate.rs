//! The gate of `gretel_model`: `publish_gate` comes in, thresholds go out, and a judged copy is held against them.

use quality::{Report, Thresholds, Verdict, gate};
use workflow::{Code, Failure, History, Node, Place, Problem, Value, nearest};

/// A limit of `publish_gate` and where it is read to.
type Limit = (&'static str, fn(&mut Thresholds) -> &mut f64);

const LIMITS: [Limit; 5] = [
    ("attack_auc_max", |limits| &mut limits.attack_auc_max),
    ("exact_copies_max", |limits| &mut limits.exact_copies_max),
    ("near_copies_max", |limits| &mut limits.near_copies_max),
    ("protected_values_max", |limits| &mut limits.protected_values_max),
    ("constraint_violations_max", |limits| &mut limits.constraint_violations_max),
];

/// The thresholds that `tree` stands for, the default ones without it; `None` where it switches the gate off. Every key
/// and value that is not allowed is a problem.
pub(crate) fn thresholds(tree: Option<&Node>, at: &Place, problems: &mut Vec<Problem>) -> Option<Thresholds> {
    let mut limits = Thresholds::default();
    let mut enabled = true;
    let Some(Node { value: Value::Map(entries), .. }) = tree else { return Some(limits) };
    let mut names: Vec<&str> = LIMITS.iter().map(|limit| limit.0).collect();
    names.extend(["fidelity_min", "enabled"]);
    for (key, value) in entries {
        let name = key.text().unwrap_or_default();
        let mut invalid = |node: &Node, message: String, hint: Option<String>| {
            let at = node.at(&format!("{}.{name}", at.path));
            problems.push(Problem { code: Code::ConfigInvalid, at, message, hint });
        };
        let share = match value.value {
            Value::Int(number @ 0..=1) => Some(number as f64),
            Value::Real(number) if (0.0..=1.0).contains(&number) => Some(number),
            _ => None,
        };
        match (name, share, &value.value) {
            ("enabled", _, Value::Bool(on)) => enabled = *on,
            ("enabled", ..) => invalid(value, format!("true or false is expected, not {}", value.shown()), None),
            ("fidelity_min", None, Value::Null) => {}
            ("fidelity_min", Some(share), _) => limits.fidelity_min = Some(share),
            (_, Some(share), _) if names.contains(&name) => {
                LIMITS.iter().filter(|limit| limit.0 == name).for_each(|limit| *limit.1(&mut limits) = share);
            }
            _ if names.contains(&name) => {
                invalid(value, format!("a number between 0 and 1 is expected, not {}", value.shown()), None);
            }
            _ => {
                let allowed: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
                let hint = nearest(name, names.iter().copied()).map(|near| format!("Did you mean `{near}`?"));
                invalid(key, format!("unknown key `{name}`; allowed: {}", allowed.join(", ")), hint);
            }
        }
    }
    enabled.then_some(limits)
}

/// What became of a copy at the gate.
pub(crate) struct Passage {
    /// The verdict, for the report.
    pub(crate) verdict: Verdict,
    /// A line for the log, with its level.
    pub(crate) said: (&'static str, String),
    /// Why the copy must not leave, where it must not.
    pub(crate) refusal: Option<Failure>,
}

/// Holds a judged copy of the object `key` against thresholds. A version that somebody let through passes, with both
/// reasons in the log.
pub(crate) fn pass(report: &Report, limits: &Thresholds, key: &str, run: &str, history: &History<'_>) -> Passage {
    let verdict = gate(report, limits);
    let reason = verdict.reason();
    let (said, refusal) = match (verdict.passed, history.let_through) {
        (true, _) => (("info", "the gate lets the copy through".to_string()), None),
        (false, Some(words)) => {
            let text = format!("published although the gate refuses it ({reason}); let through: {words}");
            (("warning", text), None)
        }
        (false, None) => {
            let hint = format!(
                "Its report is in `hansel runs outputs {run}`. To publish this version all the same: `hansel gate allow {run} \
                 {key} --reason TEXT`."
            );
            let failure = Failure::new(Code::GateRefused, format!("object `{key}`: {reason}")).hint(hint);
            (("error", format!("the gate refuses the copy: {reason}")), Some(failure))
        }
    };
    Passage { verdict, said, refusal }
}
