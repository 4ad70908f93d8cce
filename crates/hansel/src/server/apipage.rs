//! The OpenAPI document as a page: every route with what it takes and gives, without scripts.

use std::fmt::Write;

use utoipa::openapi::{OpenApi, PathItem, path::Operation};

const STYLE: &str = ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem \
auto;padding:0 1rem}code{font-family:ui-monospace,monospace}details{border-top:1px solid #8884;padding:.5rem 0}\
summary{cursor:pointer}summary code{overflow-wrap:anywhere}.m{display:inline-block;width:4.5rem;font-weight:700}\
ul{margin:.25rem 0}h2{margin-top:2rem;text-transform:capitalize}";

/// The page.
pub(crate) fn page(document: &OpenApi) -> String {
    let mut tags: std::collections::BTreeMap<String, String> = std::collections::BTreeMap::new();
    for (path, item) in &document.paths.paths {
        for (method, operation) in operations(item) {
            let tag = operation.tags.iter().flatten().next().cloned().unwrap_or_else(|| "other".into());
            write_route(tags.entry(tag).or_default(), method, path, operation);
        }
    }
    let mut body = String::new();
    for (tag, routes) in tags {
        let _ = write!(body, "<section><h2>{}</h2>{routes}</section>", escape(&tag));
    }
    let about = document.info.description.as_deref().unwrap_or_default();
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Hansel: REST API</title><style>{STYLE}</style></head><body><main><h1>REST API</h1><p>{}</p>\
         <p>The same for programs: <a href=\"/openapi.json\">openapi.json</a>.</p>{body}</main></body></html>",
        escape(about)
    )
}

fn operations(item: &PathItem) -> Vec<(&'static str, &Operation)> {
    let each = [
        ("GET", &item.get),
        ("POST", &item.post),
        ("PUT", &item.put),
        ("PATCH", &item.patch),
        ("DELETE", &item.delete),
    ];
    each.into_iter().filter_map(|(name, operation)| Some((name, operation.as_ref()?))).collect()
}

fn write_route(to: &mut String, method: &str, path: &str, operation: &Operation) {
    let summary = operation.summary.as_deref().unwrap_or_default();
    let _ = write!(
        to,
        "<details><summary><span class=\"m\">{method}</span><code>{}</code> — {}</summary>",
        escape(path),
        escape(summary)
    );
    if let Some(more) = &operation.description {
        let _ = write!(to, "<p>{}</p>", escape(more));
    }
    let parameters: Vec<String> = operation
        .parameters
        .iter()
        .flatten()
        .map(|one| {
            let about = one.description.as_deref().unwrap_or_default();
            format!("<li><code>{}</code> {}</li>", escape(&one.name), escape(about))
        })
        .collect();
    if !parameters.is_empty() {
        let _ = write!(to, "<ul>{}</ul>", parameters.concat());
    }
    for (title, schema) in bodies(operation) {
        let _ = write!(to, "<p>{title}</p><pre><code>{}</code></pre>", escape(&schema));
    }
    to.push_str("</details>");
}

/// What a route takes and gives, as the names or outlines of their schemas.
fn bodies(operation: &Operation) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    let outline = |content: Vec<(&String, &utoipa::openapi::Content)>| {
        content
            .into_iter()
            .map(|(kind, content)| {
                let schema = serde_json::to_value(&content.schema).unwrap_or_default();
                let name = schema["$ref"].as_str().and_then(|name| name.rsplit('/').next()).map(str::to_string);
                format!("{kind}: {}", name.unwrap_or_else(|| schema.to_string()))
            })
            .collect::<Vec<_>>()
            .join("\n")
    };
    if let Some(body) = &operation.request_body {
        found.push(("Takes", outline(body.content.iter().collect())));
    }
    if let Some(utoipa::openapi::RefOr::T(response)) = operation.responses.responses.get("200") {
        found.push(("Gives", outline(response.content.iter().collect())));
    }
    found
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
