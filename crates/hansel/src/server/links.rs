//! Signed links: whoever holds one may do the one thing that it is for, until it expires, and needs no key. The path
//! ends in the file's own name, since the documented client takes the compression and the name of a download from it.

use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, Request, State};
use axum::http::HeaderMap;
use axum::response::Response;
use futures_util::{Stream, StreamExt};
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::Sha256;
use tokio::io::AsyncWriteExt;
use tower::ServiceExt;
use utoipa_axum::router::OpenApiRouter;
use workflow::Code;
use zeroize::Zeroizing;

use super::answer::Refusal;
use super::state::App;

/// Signs links and knows its own again.
pub(crate) struct Signer {
    key: Zeroizing<[u8; 32]>,
    /// Address under which this server is reached, where it was told.
    public: Option<String>,
    tls: bool,
}

/// What a link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The bytes of an upload.
    Get,
    /// The place for the bytes of an upload.
    Put,
    /// A file that a job left.
    Job,
}

impl Purpose {
    fn word(self) -> &'static str {
        match self {
            Purpose::Get => "get",
            Purpose::Put => "put",
            Purpose::Job => "job",
        }
    }

    fn of(word: &str) -> Option<Purpose> {
        [Purpose::Get, Purpose::Put, Purpose::Job].into_iter().find(|purpose| purpose.word() == word)
    }
}

/// The signature of a link, as its query carries it.
#[derive(Deserialize)]
struct Signed {
    expires: i64,
    signature: String,
}

impl Signer {
    /// A signer with this key. `public` is the server's address where it cannot be told from a request.
    pub(crate) fn new(key: Zeroizing<[u8; 32]>, public: Option<String>, tls: bool) -> Signer {
        Signer { key, public: public.map(|url| url.trim_end_matches('/').to_string()), tls }
    }

    /// A link to `name` of `id`, good for `seconds` from now.
    pub(crate) fn link(&self, headers: &HeaderMap, purpose: Purpose, id: &str, name: &str, seconds: u64) -> String {
        let expires = jiff::Timestamp::now().as_second().saturating_add_unsigned(seconds);
        let signature = hex(&self.mac(purpose, id, name, expires).finalize().into_bytes());
        let (id, name) = (escape(id), escape(name));
        format!("{}/links/{}/{id}/{name}?expires={expires}&signature={signature}", self.base(headers), purpose.word())
    }

    /// The address that the caller reached us under.
    pub(crate) fn base(&self, headers: &HeaderMap) -> String {
        if let Some(public) = &self.public {
            return public.clone();
        }
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}", header("host").unwrap_or("localhost"))
    }

    fn holds(&self, purpose: Purpose, id: &str, name: &str, signed: &Signed) -> bool {
        let Some(bytes) = unhex(&signed.signature) else { return false };
        let fresh = signed.expires > jiff::Timestamp::now().as_second();
        // Compared in constant time, and whatever the clock says.
        self.mac(purpose, id, name, signed.expires).verify_slice(&bytes).is_ok() && fresh
    }

    fn mac(&self, purpose: Purpose, id: &str, name: &str, expires: i64) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.as_slice()).expect("a key of any length is taken");
        for part in [purpose.word(), id, name, &expires.to_string()] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac
    }
}

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().route("/links/{purpose}/{id}/{name}", axum::routing::get(download).put(upload))
}

async fn open(
    app: &App,
    (purpose, id, name): &(String, String, String),
    signed: &Signed,
    write: bool,
) -> Result<Purpose, Refusal> {
    let denied = || Refusal::new(Code::PermissionDenied, "the link is not one of this server's, or it has expired");
    let purpose = Purpose::of(purpose).filter(|purpose| (*purpose == Purpose::Put) == write).ok_or_else(denied)?;
    if app.signer().holds(purpose, id, name, signed) { Ok(purpose) } else { Err(denied()) }
}

async fn download(
    State(app): State<App>,
    Path(place): Path<(String, String, String)>,
    Query(signed): Query<Signed>,
    request: Request,
) -> Result<Response, Refusal> {
    let purpose = open(&app, &place, &signed, false).await?;
    let (_, id, name) = place;
    let path = match purpose {
        Purpose::Job => app.store().job_dir(&id).join(&name),
        _ => app.store().upload_path(&id),
    };
    serve(&app, &path, &name, request).await
}

/// A file of the home as the answer to a request, ranges included. One that only the sink has is brought back first.
pub(crate) async fn serve(
    app: &App,
    path: &std::path::Path,
    name: &str,
    request: Request,
) -> Result<Response, Refusal> {
    // Until the answer begins: then the file is open, and stays whole wherever its name goes.
    let _in_use = app.at_hand(path).await?;
    if !path.is_file() {
        return Err(Refusal::not_found("file", name));
    }
    let mime = match name.rsplit('.').next().unwrap_or_default() {
        "gz" => "application/gzip",
        "csv" => "text/csv",
        "json" | "jsonl" => "application/json",
        "html" => "text/html; charset=utf-8",
        _ => "application/octet-stream",
    };
    let mime: mime::Mime = mime.parse().unwrap_or(mime::APPLICATION_OCTET_STREAM);
    let served = tower_http::services::ServeFile::new_with_mime(path, &mime).oneshot(request).await;
    let mut response = match served {
        Ok(response) => response.map(Body::new),
        Err(never) => match never {},
    };
    let plain: String = name.chars().filter(|c| c.is_ascii_graphic() && !"\"\\;".contains(*c)).collect();
    let headers = response.headers_mut();
    if let Ok(value) = format!("attachment; filename={plain}").parse() {
        headers.insert("content-disposition", value);
    }
    headers.insert("x-content-type-options", "nosniff".parse().expect("a word is a header"));
    Ok(response)
}

async fn upload(
    State(app): State<App>,
    Path(place): Path<(String, String, String)>,
    Query(signed): Query<Signed>,
    request: Request,
) -> Result<axum::Json<super::answer::Nothing>, Refusal> {
    open(&app, &place, &signed, true).await?;
    let (_, key, _) = place;
    app.store().upload(&key).await?;
    let bytes = receive(&app, &key, request.into_body().into_data_stream()).await?;
    app.store().finish_upload(&key, bytes as i64).await?;
    Ok(axum::Json(super::answer::Nothing {}))
}

/// Takes a body into the place of an upload; gives its length. A body that breaks off leaves nothing.
pub(crate) async fn receive<E: std::fmt::Display>(
    app: &App,
    key: &str,
    stream: impl Stream<Item = Result<Bytes, E>>,
) -> Result<u64, Refusal> {
    let path = app.store().upload_path(key);
    let failed = |error: std::io::Error| {
        tracing::error!(%error, "an upload could not be kept");
        Refusal::new(Code::Internal, "the upload could not be kept; the server's log says more")
    };
    if let Some(folder) = path.parent() {
        tokio::fs::create_dir_all(folder).await.map_err(failed)?;
    }
    let draft = path.with_extension("part");
    let mut file = tokio::fs::File::create(&draft).await.map_err(failed)?;
    let (mut stream, mut bytes) = (std::pin::pin!(stream), 0u64);
    while let Some(chunk) = stream.next().await {
        let chunk = match chunk {
            Ok(chunk) => chunk,
            Err(error) => {
                let _ = tokio::fs::remove_file(&draft).await;
                return Err(Refusal::bad(format!("the upload broke off: {error}")));
            }
        };
        bytes += chunk.len() as u64;
        if bytes > app.settings().upload_bytes_max {
            let _ = tokio::fs::remove_file(&draft).await;
            let message = format!("the upload is longer than {} bytes", app.settings().upload_bytes_max);
            return Err(Refusal::new(Code::RequestTooLarge, message));
        }
        file.write_all(&chunk).await.map_err(failed)?;
    }
    file.flush().await.map_err(failed)?;
    drop(file);
    tokio::fs::rename(&draft, &path).await.map_err(failed)?;
    app.sink_soon();
    Ok(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

/// Percent-encodes everything but letters, digits and `-._~`.
/// A text as it may stand in the path or the query of an address.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(byte as char);
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}
