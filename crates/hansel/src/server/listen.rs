//! Connections: taken, given to the routes, and seen to their end when the server stops.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;
use tower_http::timeout::TimeoutBody;
use workflow::{Code, Failure};

use super::Tls;
use super::guard::in_order;

/// How long a connection may take to send the head of a request: whoever is slower holds a socket, not a server.
const HEAD: Duration = Duration::from_secs(15);
/// How long a body may stand still, for the same reason.
const BODY: Duration = Duration::from_secs(30);
/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long open requests may go on when the server stops.
const GRACE: Duration = Duration::from_secs(10);

/// Takes connections until the process is asked to stop, then lets open requests end.
pub(crate) async fn keep(listener: TcpListener, acceptor: Option<TlsAcceptor>, router: Router) {
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = crate::cli::asked_to_stop() => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let (router, acceptor, watcher) = (router.clone(), acceptor.clone(), graceful.watcher());
                tokio::spawn(async move { one(stream, peer, acceptor, router, watcher).await });
            }
            Err(error) => {
                // Out of descriptors, mostly: a pause lets some close.
                tracing::error!(%error, "a connection could not be taken");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    let _ = tokio::time::timeout(GRACE, graceful.shutdown()).await;
}

async fn one(
    stream: TcpStream,
    peer: std::net::SocketAddr,
    acceptor: Option<TlsAcceptor>,
    router: Router,
    watcher: hyper_util::server::graceful::Watcher,
) {
    let _ = stream.set_nodelay(true);
    let service = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
        if let Some(uri) = in_order(request.uri()) {
            *request.uri_mut() = uri;
        }
        request.extensions_mut().insert(ConnectInfo(peer));
        // A body that stands still for this long is given up, and the connection with it.
        router.clone().oneshot(request.map(|body| axum::body::Body::new(TimeoutBody::new(BODY, body))))
    });
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD).max_headers(64);
    match acceptor {
        None => {
            let connection = watcher.watch(builder.serve_connection(TokioIo::new(stream), service));
            let _ = connection.await;
        }
        Some(acceptor) => {
            let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await else { return };
            let connection = watcher.watch(builder.serve_connection(TokioIo::new(stream), service));
            let _ = connection.await;
        }
    }
}

/// Reads the certificate and its key, or makes a pair that signs itself.
pub(crate) fn acceptor(tls: &Tls) -> Result<TlsAcceptor, Failure> {
    let (certificate, key) = match tls {
        Tls::Files { certificate, key } => (certificate.clone(), key.clone()),
        Tls::OwnName(home) => {
            let (certificate, key) = (home.join("tls.crt"), home.join("tls.key"));
            if !certificate.exists() || !key.exists() {
                make(&certificate, &key)?;
            }
            (certificate, key)
        }
    };
    let unusable = |path: &Path, error: String| {
        Failure::new(Code::Usage, format!("`{}` cannot be used for TLS", path.display())).cause(error)
    };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&certificate)
        .and_then(Iterator::collect)
        .map_err(|error| unusable(&certificate, error.to_string()))?;
    let private = PrivateKeyDer::from_pem_file(&key).map_err(|error| unusable(&key, error.to_string()))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, private))
        .map_err(|error| unusable(&certificate, error.to_string()))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn make(certificate: &Path, key: &Path) -> Result<(), Failure> {
    let failed = |error: String| Failure::new(Code::HomeUnusable, "a certificate cannot be made").cause(error);
    let names = vec!["localhost".to_string(), "127.0.0.1".to_string(), "::1".to_string()];
    let made = rcgen::generate_simple_self_signed(names).map_err(|error| failed(error.to_string()))?;
    store::private_file(key, made.signing_key.serialize_pem().as_bytes()).map_err(|error| failed(error.to_string()))?;
    std::fs::write(certificate, made.cert.pem()).map_err(|error| failed(error.to_string()))?;
    Ok(())
}
