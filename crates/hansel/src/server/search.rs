//! The query language of searches: `field:value` terms that must all hold, a sort word, a page.

use store::{Page, Sort};

use super::answer::Refusal;

/// Records of a search page where the caller does not say.
const LIMIT: i64 = 100;

/// The terms of a query, by field.
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads whitespace-separated terms. Fields other than `allowed` are refused by name.
    pub(crate) fn read(text: Option<&str>, allowed: &[&str]) -> Result<Query, Refusal> {
        let mut terms = Vec::new();
        for term in text.unwrap_or_default().split_whitespace() {
            let Some((field, value)) = term.split_once(':') else {
                return Err(Refusal::bad(format!("`query` holds `{term}`; `field:value` is expected")));
            };
            if !allowed.contains(&field) {
                let fields: Vec<String> = allowed.iter().map(|field| format!("`{field}`")).collect();
                return Err(Refusal::bad(format!("`query` has no field `{field}`; allowed: {}", fields.join(", "))));
            }
            terms.push((field.to_string(), value.to_string()));
        }
        Ok(Query(terms))
    }

    /// The values asked for under a field; several of them can hold for nothing.
    pub(crate) fn all(&self, field: &str) -> Vec<String> {
        self.0.iter().filter(|(name, _)| name == field).map(|(_, value)| value.clone()).collect()
    }

    /// The value asked for under a field.
    pub(crate) fn one(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == field).map(|(_, value)| value.as_str())
    }
}

/// Reads a page: `limit` and `skip` from 0, `sort` as `field`, `-field` or `field:asc|desc`.
pub(crate) fn page(limit: Option<i64>, skip: Option<i64>, sort: Option<&str>) -> Result<Page, Refusal> {
    for (name, value) in [("limit", limit), ("skip", skip)] {
        if let Some(value) = value.filter(|value| *value < 0) {
            return Err(Refusal::bad(format!("`{name}` is {value}; 0 or more is expected")));
        }
    }
    let (field, falling) = match sort.map(str::trim).filter(|sort| !sort.is_empty()) {
        None => ("created_at", true),
        Some(sort) => match (sort.strip_prefix('-'), sort.rsplit_once(':')) {
            (Some(field), _) => (field, true),
            (None, Some((field, "asc"))) => (field, false),
            (None, Some((field, "desc"))) => (field, true),
            (None, _) => (sort, false),
        },
    };
    let sort = match (field, falling) {
        ("created_at", false) => Sort::CreatedAsc,
        ("created_at", true) => Sort::CreatedDesc,
        ("updated_at", false) => Sort::UpdatedAsc,
        ("updated_at", true) => Sort::UpdatedDesc,
        _ => return Err(Refusal::bad(format!("`sort` names `{field}`; `created_at` and `updated_at` are allowed"))),
    };
    Ok(Page { limit: limit.unwrap_or(LIMIT), skip: skip.unwrap_or(0), sort })
}
