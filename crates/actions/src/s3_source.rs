//! `s3_source`: crawls a bucket for objects under a path that match a glob.

use globset::{GlobBuilder, GlobMatcher};
use workflow::{
    ActionType, Attempt, Built, Config, Connection, Crawl, Data, Failure, Field, Object, Problem, Reach, Role, Shape,
    Source,
};

use crate::s3::{Bucket, check_bucket, directory};

/// The action type `s3_source`.
pub(crate) static S3_SOURCE: ActionType = ActionType {
    name: "s3_source",
    about: "Crawls an S3 bucket for objects that are new or have changed since they were last done.",
    role: Role::Source,
    connection: Some("s3"),
    fields: &[
        Field {
            name: "bucket",
            shape: Shape::Text,
            required: true,
            about: "Name of the bucket to crawl; the name only.",
            example: "my-analytics-bucket",
        },
        Field {
            name: "path",
            shape: Shape::Text,
            required: false,
            about: "Directory to crawl from; the root of the bucket by default.",
            example: "metrics/",
        },
        Field {
            name: "glob_filter",
            shape: Shape::Text,
            required: false,
            about: "Which objects to take, matched against the key relative to `path` or, without a `/` in it, against the file name: `*` is any run of characters but `/`, `**` any number of directories, `?` one character, `[ab]` and `{a,b}` alternatives. Everything by default.",
            example: "\"*.csv\"",
        },
        Field {
            name: "recursive",
            shape: Shape::Flag,
            required: false,
            about: "Whether to descend below `path`; false by default.",
            example: "true",
        },
        Field {
            name: "on_failure",
            shape: Shape::Choice(&["continue", "stop"]),
            required: false,
            about: "Whether the other objects go on when one fails (`continue`, the default) or the run ends at the first (`stop`).",
            example: "continue",
        },
        Field {
            name: "allow_feedback",
            shape: Shape::Flag,
            required: false,
            about: "Whether a destination of this workflow may write where this source reads; false by default.",
            example: "false",
        },
    ],
    check,
    reach: |config| {
        Some(Reach {
            bucket: config.text("bucket")?.to_string(),
            prefix: directory(config.text("path").unwrap_or_default()),
            deep: config.flag("recursive").unwrap_or(false),
            feedback_allowed: config.flag("allow_feedback").unwrap_or(false),
        })
    },
    build: |config, connection| Ok(Built::Source(Box::new(S3Source::new(config, connection)?))),
};

fn check(config: &Config, problems: &mut Vec<Problem>, warnings: &mut Vec<Problem>) {
    if let Some(message) = config.text("bucket").and_then(check_bucket) {
        problems.push(config.problem("bucket", message, Some("Write for instance `bucket: my-analytics-bucket`.")));
    }
    let Some(pattern) = config.text("glob_filter") else { return };
    if let Err(message) = glob(pattern) {
        problems.push(config.problem("glob_filter", message, Some("Leave `glob_filter` out to take every object.")));
        return;
    }
    let path = directory(config.text("path").unwrap_or_default());
    let below = pattern.strip_prefix(path.as_str()).filter(|_| !path.is_empty()).unwrap_or(pattern);
    if !config.flag("recursive").unwrap_or(false) && below.contains('/') {
        let message = format!(
            "glob `{pattern}` needs depth and `recursive` is false: only objects directly in the path are listed"
        );
        warnings.push(config.problem("glob_filter", message, Some("Set `recursive: true`.")));
    }
}

fn glob(pattern: &str) -> Result<GlobMatcher, String> {
    if pattern.is_empty() {
        return Err("an empty glob matches nothing".into());
    }
    GlobBuilder::new(pattern)
        .literal_separator(true)
        .backslash_escape(true)
        .build()
        .map(|glob| glob.compile_matcher())
        .map_err(|error| format!("`{pattern}` is not a glob: {}", error.kind()))
}

struct S3Source {
    bucket: Bucket,
    prefix: String,
    recursive: bool,
    goes_on: bool,
    filter: Option<Filter>,
}

struct Filter {
    pattern: String,
    matcher: GlobMatcher,
    /// Whether the pattern begins with the path and so speaks of whole keys.
    whole_key: bool,
}

impl Filter {
    /// Whether an object is taken: by its key or, where the pattern has no `/`, by its file name, whatever its folder.
    fn takes(&self, object: &Object) -> bool {
        let key = if self.whole_key { &object.origin.key } else { &object.filename };
        let name = key.rsplit('/').next().unwrap_or(key);
        self.matcher.is_match(key) || !self.pattern.contains('/') && self.matcher.is_match(name)
    }
}

impl S3Source {
    fn new(config: &Config, connection: Option<&Connection>) -> Result<S3Source, Failure> {
        let prefix = directory(config.text("path").unwrap_or_default());
        let filter = config.text("glob_filter").and_then(|pattern| {
            let whole_key = !prefix.is_empty() && pattern.starts_with(&prefix);
            Some(Filter { pattern: pattern.to_string(), matcher: glob(pattern).ok()?, whole_key })
        });
        Ok(S3Source {
            bucket: Bucket::new(config.text("bucket").unwrap_or_default(), connection)?,
            recursive: config.flag("recursive").unwrap_or(false),
            goes_on: config.text("on_failure") != Some("stop"),
            prefix,
            filter,
        })
    }
}

impl Source for S3Source {
    fn crawl(&self, attempt: &Attempt<'_>) -> Result<Crawl, Failure> {
        let listing = self.bucket.list(&self.prefix, self.recursive, attempt)?;
        let listed = (listing.objects.len() + listing.left_out.len()) as u64;
        let mut crawl = Crawl { objects: Vec::new(), listed, left_out: listing.left_out };
        for object in listing.objects {
            match &self.filter {
                Some(filter) if !filter.takes(&object) => {
                    crawl
                        .left_out
                        .push((object.origin.key.clone(), format!("does not match glob `{}`", filter.pattern)));
                }
                _ => crawl.objects.push(object),
            }
        }
        Ok(crawl)
    }

    fn fetch(&self, object: &Object, attempt: &Attempt<'_>) -> Result<Data, Failure> {
        self.bucket.fetch(object, attempt)
    }

    fn goes_on(&self) -> bool {
        self.goes_on
    }
}
