//! IAM policy documents: what they allow and what they forbid.
//!
//! In: JSON documents, an action and a resource ARN. Out: whether the action is granted. It knows no conditions,
//! principals or negated members, and refuses documents that have them rather than ignoring them.

use serde_json::Value;

/// One policy document.
#[derive(Debug)]
pub(crate) struct Policy {
    statements: Vec<Statement>,
}

#[derive(Debug)]
struct Statement {
    allow: bool,
    /// In lower case: actions are compared without regard to case.
    actions: Vec<String>,
    resources: Vec<String>,
}

impl Policy {
    /// Reads a document. An action nobody knows is kept and never asked for, as with the real service.
    pub(crate) fn parse(text: &str) -> Result<Policy, String> {
        let document: Value = serde_json::from_str(text).map_err(|error| format!("policy is not JSON: {error}"))?;
        let members = document.as_object().ok_or("policy is not a JSON object")?;
        let mut statements = Vec::new();
        for (name, value) in members {
            match (name.as_str(), value) {
                ("Version" | "Id", Value::String(_)) => {}
                ("Statement", Value::Array(items)) => {
                    for item in items {
                        statements.push(Statement::parse(item)?);
                    }
                }
                ("Statement", item) => statements.push(Statement::parse(item)?),
                _ => return Err(format!("policy member `{name}` is not one of Version, Id, Statement")),
            }
        }
        if statements.is_empty() {
            return Err("policy has no Statement".to_string());
        }
        Ok(Policy { statements })
    }
}

impl Statement {
    fn parse(value: &Value) -> Result<Statement, String> {
        let members = value.as_object().ok_or("policy statement is not a JSON object")?;
        let (mut allow, mut actions, mut resources) = (None, Vec::new(), Vec::new());
        for (name, value) in members {
            match name.as_str() {
                "Sid" => {}
                "Effect" => match value.as_str() {
                    Some("Allow") => allow = Some(true),
                    Some("Deny") => allow = Some(false),
                    _ => return Err(format!("policy Effect {value} is not one of Allow, Deny")),
                },
                "Action" => actions = texts("Action", value)?.iter().map(|text| text.to_ascii_lowercase()).collect(),
                "Resource" => resources = texts("Resource", value)?,
                _ => {
                    let known = "Sid, Effect, Action, Resource";
                    return Err(format!("policy statement member `{name}` is not one of {known}"));
                }
            }
        }
        let allow = allow.ok_or("policy statement has no Effect")?;
        if actions.is_empty() {
            return Err("policy statement has no Action".to_string());
        }
        if resources.is_empty() {
            return Err("policy statement has no Resource".to_string());
        }
        Ok(Statement { allow, actions, resources })
    }

    fn covers(&self, action: &str, resource: &str) -> bool {
        self.actions.iter().any(|pattern| fits(pattern, action))
            && self.resources.iter().any(|pattern| fits(pattern, resource))
    }
}

/// A string or an array of strings.
fn texts(name: &str, value: &Value) -> Result<Vec<String>, String> {
    let wrong = || format!("policy {name} is neither a string nor an array of strings");
    match value {
        Value::String(text) => Ok(vec![text.clone()]),
        Value::Array(items) => {
            let mut all = Vec::new();
            for item in items {
                all.push(item.as_str().ok_or_else(wrong)?.to_string());
            }
            Ok(all)
        }
        _ => Err(wrong()),
    }
}

/// Whether the policies together grant the action: some statement allows it and none denies it.
pub(crate) fn allowed(policies: &[Policy], action: &str, resource: &str) -> bool {
    let action = action.to_ascii_lowercase();
    let mut granted = false;
    for statement in policies.iter().flat_map(|policy| &policy.statements) {
        if statement.covers(&action, resource) {
            if !statement.allow {
                return false;
            }
            granted = true;
        }
    }
    granted
}

/// Whether the text fits a pattern in which `*` stands for any bytes and `?` for one.
fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at_pattern, mut at_text) = (0, 0);
    // Where to go on when a byte does not fit: behind the last star, which then takes one byte more.
    let mut retry: Option<(usize, usize)> = None;
    while at_text < text.len() {
        match pattern.get(at_pattern) {
            Some(b'*') => {
                retry = Some((at_pattern + 1, at_text + 1));
                at_pattern += 1;
            }
            Some(&byte) if byte == b'?' || byte == text[at_text] => {
                at_pattern += 1;
                at_text += 1;
            }
            _ => match retry {
                Some((behind_star, next)) => {
                    at_pattern = behind_star;
                    at_text = next;
                    retry = Some((behind_star, next + 1));
                }
                None => return false,
            },
        }
    }
    pattern[at_pattern..].iter().all(|&byte| byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    const READER: &str = r#"{"Version": "2012-10-17", "Statement": [{"Sid": "Read", "Effect": "Allow",
        "Action": ["s3:ListBucket", "s3:GetObject", "s3:NoSuchActionAtAll"],
        "Resource": ["arn:aws:s3:::raw", "arn:aws:s3:::raw/*"]}]}"#;

    fn check(documents: &[&str], action: &str, resource: &str, expected: bool) {
        let policies: Vec<Policy> = documents.iter().map(|text| Policy::parse(text).expect("a policy")).collect();
        assert_eq!(allowed(&policies, action, resource), expected, "{action} on {resource}");
    }

    #[test]
    fn a_policy_grants_what_it_names_and_nothing_else() {
        check(&[READER], "s3:ListBucket", "arn:aws:s3:::raw", true);
        check(&[READER], "s3:GetObject", "arn:aws:s3:::raw/a/b.csv", true);
        check(&[READER], "s3:GetObject", "arn:aws:s3:::raw2/a.csv", false);
        check(&[READER], "s3:PutObject", "arn:aws:s3:::raw/a.csv", false);
        check(&[READER], "s3:ListBucket", "arn:aws:s3:::other", false);
    }

    #[test]
    fn a_denial_wins_and_stars_reach_across_slashes() {
        let all = r#"{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}"#;
        let but =
            r#"{"Statement": {"Effect": "Deny", "Action": "S3:Delete*", "Resource": "arn:aws:s3:::raw/*/keep?"}}"#;
        check(&[all, but], "s3:DeleteObject", "arn:aws:s3:::raw/x", true);
        check(&[all, but], "s3:DeleteObject", "arn:aws:s3:::raw/a/b/keep1", false);
        check(&[all, but], "s3:GetObject", "arn:aws:s3:::raw/a/b/keep1", true);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for text in [
            "[]",
            "{}",
            r#"{"Statement": []}"#,
            r#"{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {}}}"#,
            r#"{"Statement": {"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}}"#,
            r#"{"Statement": {"Effect": "allow", "Action": "s3:*", "Resource": "*"}}"#,
            r#"{"Statement": {"Effect": "Allow", "Action": "s3:*"}}"#,
        ] {
            assert!(Policy::parse(text).is_err(), "{text}");
        }
    }
}
