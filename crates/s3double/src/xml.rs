//! The XML of the protocol: a writer for answers and a scanner for the one body that requests carry.
//!
//! In: names and texts, or the body of `CompleteMultipartUpload`. Out: XML text, or the parts it names.
//! It is no general parser: it knows no CDATA, comments or prefixes.

/// The namespace of S3's answers.
pub(crate) const S3_NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// A document being written.
pub(crate) struct Xml {
    text: String,
    root: &'static str,
}

impl Xml {
    /// Opens a document with a root element; an empty namespace is left out.
    pub(crate) fn new(root: &'static str, namespace: &str) -> Xml {
        let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        if namespace.is_empty() {
            text.push_str(&format!("<{root}>"));
        } else {
            text.push_str(&format!("<{root} xmlns=\"{namespace}\">"));
        }
        Xml { text, root }
    }

    pub(crate) fn open(&mut self, name: &str) {
        self.text.push_str(&format!("<{name}>"));
    }

    pub(crate) fn close(&mut self, name: &str) {
        self.text.push_str(&format!("</{name}>"));
    }

    /// An element that holds only text.
    pub(crate) fn leaf(&mut self, name: &str, value: &str) {
        self.open(name);
        escape(&mut self.text, value);
        self.close(name);
    }

    /// Closes the root and gives the text.
    pub(crate) fn end(mut self) -> String {
        let root = self.root;
        self.close(root);
        self.text
    }
}

/// One part in the body of `CompleteMultipartUpload`.
pub(crate) struct NamedPart {
    pub(crate) number: u32,
    /// Without quotes.
    pub(crate) etag: String,
    /// Algorithm in lower case and checksum in base64.
    pub(crate) checksums: Vec<(&'static str, String)>,
}

/// The parts that the body of `CompleteMultipartUpload` names, in its order; `None` when it is not such a body.
pub(crate) fn named_parts(body: &str) -> Option<Vec<NamedPart>> {
    if !body.contains("<CompleteMultipartUpload") {
        return None;
    }
    let mut parts = Vec::new();
    for piece in body.split("<Part>").skip(1) {
        let (part, _) = piece.split_once("</Part>")?;
        let number = text_of(part, "PartNumber")?.parse::<u32>().ok()?;
        let etag = text_of(part, "ETag")?.trim_matches('"').to_string();
        let mut checksums = Vec::new();
        for algorithm in crate::checksums::ALGORITHMS {
            if let Some(value) = text_of(part, &crate::checksums::element(algorithm)) {
                checksums.push((algorithm, value));
            }
        }
        parts.push(NamedPart { number, etag, checksums });
    }
    Some(parts)
}

/// The text of the first element of that name, its references replaced.
fn text_of(xml: &str, name: &str) -> Option<String> {
    let (_, after) = xml.split_once(&format!("<{name}>"))?;
    let (inside, _) = after.split_once(&format!("</{name}>"))?;
    let mut text = inside.trim().to_string();
    for (reference, meaning) in [("&quot;", "\""), ("&#34;", "\""), ("&#x22;", "\""), ("&lt;", "<"), ("&gt;", ">")] {
        text = text.replace(reference, meaning);
    }
    // Last, so that an escaped ampersand never starts a new reference.
    Some(text.replace("&amp;", "&"))
}

/// Writes control characters as references, as S3 does even where XML 1.0 forbids the character altogether: such keys
/// only survive a listing with `encoding-type=url`.
fn escape(out: &mut String, value: &str) {
    for character in value.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            control if u32::from(control) < 0x20 => out.push_str(&format!("&#x{:x};", u32::from(control))),
            other => out.push(other),
        }
    }
}
