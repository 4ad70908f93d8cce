//! What users and roles of a case may do, in the words of case files.

use crate::world::repository;

/// Policies from the shipped documents: `source BUCKET`, `destination BUCKET`, `documented SOURCE DESTINATION`; and of
/// one permission: `allow ACTION RESOURCE`.
pub(crate) fn policies(mut rights: &[&str]) -> Result<Vec<String>, String> {
    let read = |name: &str| {
        std::fs::read_to_string(repository().join("docs/iam").join(name)).map_err(|error| error.to_string())
    };
    let mut policies = Vec::new();
    loop {
        match rights {
            [] => return Ok(policies),
            ["source", bucket, rest @ ..] => {
                policies.push(read("source.json")?.replace("your-source-bucket-here", bucket));
                rights = rest;
            }
            ["destination", bucket, rest @ ..] => {
                policies.push(read("destination.json")?.replace("your-destination-bucket-here", bucket));
                rights = rest;
            }
            ["allow", action, resource, rest @ ..] => {
                let statement = serde_json::json!({ "Effect": "Allow", "Action": action, "Resource": resource });
                policies.push(serde_json::json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string());
                rights = rest;
            }
            ["documented", source, destination, rest @ ..] => {
                let policy = read("documented.json")?.replace("your-source-bucket-here", source);
                policies.push(policy.replace("your-destination-bucket-here", destination));
                rights = rest;
            }
            _ => return Err("no such right".into()),
        }
    }
}
