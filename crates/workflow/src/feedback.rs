//! The feedback rule: a destination that can write into the crawl scope of its own source is a problem.

use crate::plan::Written;
use crate::{Code, Config, Item, Problem, Reach, Role};

/// A destination that can write into the crawl scope of its own source would feed on itself.
pub(crate) fn feedback(found: &[Written], problems: &mut Vec<Problem>) {
    for (index, action) in found.iter().enumerate() {
        let (Some(kind), Some(config)) = (action.kind, &action.config) else { continue };
        if kind.role != Role::Destination {
            continue;
        }
        let Some(writes) = (kind.reach)(config) else { continue };
        let Some(root) = std::iter::successors(Some(index), |&at| found[at].parent).last() else { continue };
        let (Some(source), Some(source_config)) = (found[root].kind, &found[root].config) else { continue };
        if source.role != Role::Source {
            continue;
        }
        let Some(reads) = (source.reach)(source_config) else { continue };
        let deep = writes.deep && (reads.deep || names_whole_key(config));
        if !reads.feedback_allowed && same_store(action, &found[root]) && overlap(&reads, &Reach { deep, ..writes }) {
            problems.push(Problem {
                code: Code::ConfigInvalid,
                // At the source, since it is what would take the copies for tables.
                at: found[root].place.clone(),
                message: format!(
                    "`{}` can write where `{}` reads in bucket `{}`: feedback loop",
                    action.name, found[root].name, reads.bucket
                ),
                hint: Some(
                    "Give the destination another bucket or path, or set `allow_feedback: true` on the source.".into(),
                ),
            });
        }
    }
}

fn names_whole_key(config: &Config) -> bool {
    config.templates().any(|(_, template, _)| template.references().any(|r| r.item == Item::SourceFilename))
}

/// Two connections reach the same store unless both or one of them name different endpoints.
fn same_store(one: &Written, other: &Written) -> bool {
    let endpoint = |written: &Written| {
        let connection = written.connection.as_ref()?;
        Some(
            connection
                .config
                .get("endpoint_url")
                .and_then(|url| url.as_str())
                .unwrap_or_default()
                .trim_end_matches('/')
                .to_string(),
        )
    };
    match (endpoint(one), endpoint(other)) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    }
}

fn overlap(reads: &Reach, writes: &Reach) -> bool {
    if reads.bucket != writes.bucket {
        return false;
    }
    if let Some(below) = writes.prefix.strip_prefix(&reads.prefix) {
        return reads.deep || !below.contains('/');
    }
    match reads.prefix.strip_prefix(&writes.prefix) {
        Some(below) => writes.deep || !below.contains('/'),
        None => false,
    }
}
