//! Where requests to other servers come from: each agent for outgoing HTTP is made here, with the house's TLS, its
//! trust, its limits of time and, where the caller has one, a rule about addresses. Credentials are no matter of it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Error};
use workflow::{Code, Failure};

/// Whether an address that a name stands for may be reached: gets the host as written and the address.
pub(crate) type AddressRule = Arc<dyn Fn(&str, SocketAddr) -> bool + Send + Sync>;

/// What an agent may do and how long it waits.
pub(crate) struct Outgoing {
    /// Longest wait for a connection, its name included.
    pub(crate) connect: Duration,
    /// Longest silence while something is awaited; an answer may take longer than this as a whole.
    pub(crate) silence: Duration,
    /// Redirects that are followed; behind these, and with 0, the redirect itself is the answer.
    pub(crate) redirects: u32,
    /// Which addresses may be reached; all where there is no rule. It is asked at every connection, so for each
    /// redirect too and for what a name stands for then. With a rule no proxy is used: a proxy would look names up
    /// where the rule does not see it.
    pub(crate) rule: Option<AddressRule>,
}

impl Outgoing {
    /// The agent. An answer is given whatever its status is. Fails where the trusted certificates cannot be read.
    pub(crate) fn agent(&self) -> Result<Agent, Failure> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .root_certs(RootCerts::Specific(trusted()?))
            .unversioned_rustls_crypto_provider(provider)
            .build();
        let mut config = Config::builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .max_redirects(self.redirects)
            .max_redirects_will_error(false)
            .user_agent(concat!("hansel/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(self.connect))
            .timeout_connect(Some(self.connect))
            .timeout_per_read(Some(self.silence))
            .timeout_per_write(Some(self.silence))
            .timeout_recv_response(Some(self.silence));
        if self.rule.is_some() {
            config = config.proxy(None);
        }
        let resolver = Ruled { rule: self.rule.clone(), resolver: DefaultResolver::default() };
        Ok(Agent::with_parts(config.build(), DefaultConnector::default(), resolver))
    }
}

/// Looks names up and leaves out what the rule does not let through.
struct Ruled {
    rule: Option<AddressRule>,
    resolver: DefaultResolver,
}

impl std::fmt::Debug for Ruled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.rule.is_some() { "names under a rule" } else { "names" })
    }
}

impl Resolver for Ruled {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let found = self.resolver.resolve(uri, config, timeout)?;
        let Some(rule) = &self.rule else { return Ok(found) };
        let host = uri.host().unwrap_or_default();
        let mut allowed = self.empty();
        for address in found.iter().filter(|address| rule(host, **address)) {
            allowed.push(*address);
        }
        if allowed.is_empty() {
            let message = format!("the addresses of `{host}` may not be reached from here");
            return Err(Error::Io(std::io::Error::new(std::io::ErrorKind::PermissionDenied, message)));
        }
        Ok(allowed)
    }
}

/// The certificates that servers are checked against: those of SSL_CERT_FILE, else those of REQUESTS_CA_BUNDLE, which
/// are the documented client's variables, else the system's own.
fn trusted() -> Result<Arc<Vec<Certificate<'static>>>, Failure> {
    static TRUSTED: OnceLock<Result<Arc<Vec<Certificate<'static>>>, Failure>> = OnceLock::new();
    TRUSTED.get_or_init(read_trusted).clone()
}

fn read_trusted() -> Result<Arc<Vec<Certificate<'static>>>, Failure> {
    let named = ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"].into_iter().find_map(|name| {
        let value = std::env::var_os(name).filter(|value| !value.is_empty())?;
        Some((name, value))
    });
    let found = match &named {
        Some((_, path)) if Path::new(path).is_dir() => {
            rustls_native_certs::load_certs_from_paths(None, Some(Path::new(path)))
        }
        Some((_, path)) => rustls_native_certs::load_certs_from_paths(Some(Path::new(path)), None),
        None => rustls_native_certs::load_native_certs(),
    };
    // The system's store may hold an odd file among good ones; a file that was named has to hold certificates.
    if let (true, Some((name, path))) = (found.certs.is_empty(), &named) {
        let message = format!("`{name}` names `{}`; a file of certificates is expected", path.to_string_lossy());
        let failure = Failure::new(Code::Usage, message);
        return Err(match found.errors.into_iter().next() {
            Some(error) => failure.cause(error),
            None => failure,
        });
    }
    Ok(Arc::new(found.certs.iter().map(|one| Certificate::from_der(one).to_owned()).collect()))
}
