//! `hansel serve`: the server.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use actions::sink::Sink;
use workflow::{Code, Failure};
use zeroize::Zeroizing;

use super::say::{self, Stop};
use super::{Setting, signals};
use crate::depot::Depot;
use crate::memory::Memory;
use crate::outside::Outside;
use crate::server::{self, Issuer, Serve as Asked, SignIn, Tls};

/// Serve the REST API: projects, connections, workflows, runs, models and artifacts, for the documented client and others
#[derive(clap::Args)]
pub(crate) struct Serve {
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1:8080", env = "HANSEL_LISTEN", value_name = "ADDR")]
    listen: SocketAddr,
    /// Address under which clients reach this server, for signed links [default: the one they used]
    #[arg(long, env = "HANSEL_PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,
    /// Certificate chain for TLS, PEM
    #[arg(long, env = "HANSEL_TLS_CERT", requires = "tls_key", value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// Private key of the certificate, PEM
    #[arg(long, env = "HANSEL_TLS_KEY", requires = "tls_cert", value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// TLS with a certificate that signs itself, made in the home; for trying out
    #[arg(long, conflicts_with = "tls_cert")]
    tls_self_signed: bool,
    /// Runs that are worked on at once
    #[arg(long, default_value_t = 2, env = "HANSEL_CONCURRENT_RUNS", value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1024))]
    concurrent_runs: u64,
    /// Models and record handlers that are worked on at once
    #[arg(long, default_value_t = 2, env = "HANSEL_CONCURRENT_JOBS", value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1024))]
    concurrent_jobs: u64,
    /// Longest body of a request, in bytes
    #[arg(long, default_value_t = 4 << 20, env = "HANSEL_BODY_BYTES_MAX", value_name = "N")]
    body_bytes_max: usize,
    /// Longest uploaded file, in bytes
    #[arg(long, default_value_t = 10 << 30, env = "HANSEL_UPLOAD_BYTES_MAX", value_name = "N")]
    upload_bytes_max: u64,
    /// Requests a second for each key; bursts of ten times as many are let through
    #[arg(long, default_value_t = 1000, env = "HANSEL_REQUESTS_PER_SECOND", value_name = "N")]
    requests_per_second: u32,
    /// How long a signed link holds, in seconds
    #[arg(long, default_value_t = 3600, env = "HANSEL_LINK_SECONDS", value_name = "N")]
    link_seconds: u64,
    /// Bucket and prefix, `s3://bucket/prefix`, to which the files of models, runs and uploads are copied; the home is then
    /// a cache of them. With the process's own AWS identity [default: the home alone]
    #[arg(long, env = "HANSEL_ARTIFACT_SINK", value_name = "URL")]
    artifact_sink: Option<String>,
    /// How long the home keeps a file that is in the artifact sink, in hours
    #[arg(long, default_value_t = 24, env = "HANSEL_ARTIFACT_CACHE_HOURS", value_name = "N", value_parser = clap::value_parser!(u64).range(0..=87600))]
    artifact_cache_hours: u64,
    /// Host that models may take data from and webhooks may be at, such as `data.example.com` or `*.example.com`; none
    /// without it. `http://` before one host allows it without TLS, `:port` another port, `+private` behind it an address
    /// within this network [comma-separated in the environment]
    #[arg(long, env = "HANSEL_ALLOW_URLS", value_name = "HOST", value_delimiter = ',')]
    allow_url: Vec<String>,
    /// OpenID Connect issuer by whom people sign in at `/login`, such as `https://login.example.com`; nobody does without
    #[arg(long, env = "HANSEL_OIDC_ISSUER", value_name = "URL")]
    oidc_issuer: Option<String>,
    /// Id of this server at the issuer
    #[arg(long, env = "HANSEL_OIDC_CLIENT_ID", value_name = "ID")]
    oidc_client_id: Option<String>,
    /// Domain of e-mail addresses for which a user is made at the first login; without it only users who are there sign
    /// in [comma-separated in the environment]
    #[arg(long, env = "HANSEL_OIDC_ALLOW_DOMAINS", value_name = "DOMAIN", value_delimiter = ',')]
    oidc_allow_domain: Vec<String>,
    /// How the log is written, on stderr
    #[arg(long, value_enum, default_value = "json", env = "HANSEL_LOG_FORMAT", value_name = "FORMAT")]
    log_format: LogFormat,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

impl Serve {
    pub(crate) fn go(self, setting: &Setting) -> Result<(), Stop> {
        #[cfg(not(feature = "otel"))]
        self.log();
        #[cfg(feature = "otel")]
        let _sender = self.log()?;
        // Before anything is made: a key that is shown once must not go by with an error behind it.
        let issuer = self.issuer()?.map(Arc::new);
        let mut memory = setting.memory()?;
        let alone = memory.only_server()?;
        self.open_sink(&mut memory)?;
        if let Some(key) = super::keys::first(&memory)? {
            // Shown once; the store keeps its hash only.
            say::note(&format!("the administrator's API key, shown this once: {}", key.as_str()));
        }
        signals::listen();
        let tls = match (&self.tls_cert, &self.tls_key) {
            (Some(certificate), Some(key)) => Some(Tls::Files { certificate: certificate.clone(), key: key.clone() }),
            _ if self.tls_self_signed => Some(Tls::OwnName(memory.store.home().to_path_buf())),
            _ => None,
        };
        let scheme = if tls.is_some() { "https" } else { "http" };
        let outside = Outside::new(&self.allow_url, self.upload_bytes_max)?;
        let asked = Asked {
            listen: self.listen,
            tls,
            public_url: self.public_url.clone(),
            runs: self.concurrent_runs as usize,
            jobs: self.concurrent_jobs as usize,
            body_bytes_max: self.body_bytes_max,
            upload_bytes_max: self.upload_bytes_max,
            requests_per_second: self.requests_per_second,
            link_seconds: self.link_seconds,
            outside: Arc::new(outside),
            issuer,
        };
        server::serve(&memory, &asked, alone, |address| say::result(&format!("listening on {scheme}://{address}")))?;
        Ok(())
    }

    /// By whom people sign in, if anybody.
    fn issuer(&self) -> Result<Option<Issuer>, Failure> {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let (issuer, client) = match (given(&self.oidc_issuer), given(&self.oidc_client_id)) {
            (Some(issuer), Some(client)) => (issuer, client),
            (None, None) => return Ok(None),
            _ => {
                let message = "`--oidc-issuer` and `--oidc-client-id` go together; one of them is not given";
                return Err(Failure::new(Code::Usage, message));
            }
        };
        let secret = std::env::var("HANSEL_OIDC_CLIENT_SECRET").ok().filter(|secret| !secret.is_empty());
        let mut domains = Vec::new();
        for given in self.oidc_allow_domain.iter().map(|domain| domain.trim()).filter(|domain| !domain.is_empty()) {
            let letters = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
            if !given.chars().all(letters) {
                let message = format!("`--oidc-allow-domain` is `{given}`; a domain such as `example.com` is expected");
                return Err(Failure::new(Code::Usage, message));
            }
            domains.push(given.to_string());
        }
        Issuer::new(SignIn { issuer, client, secret: secret.map(Zeroizing::new), domains }).map(Some)
    }

    /// Gives the home its sink.
    fn open_sink(&self, memory: &mut Memory) -> Result<(), Stop> {
        match self.artifact_sink.as_deref().filter(|text| !text.is_empty()) {
            Some(text) => {
                // What a crash left half brought back.
                let _ = std::fs::remove_dir_all(memory.store.scratch_dir("sink"));
                let cache = Duration::from_secs(self.artifact_cache_hours * 3600);
                memory.depot = Some(Arc::new(Depot::new(Sink::parse(text)?, cache)));
            }
            None if memory.ask(memory.store.any_sunk())? => {
                tracing::warn!("files of this home lie in an artifact sink, and --artifact-sink names none");
            }
            None => {}
        }
        Ok(())
    }

    #[cfg(not(feature = "otel"))]
    fn log(&self) {
        use tracing_subscriber::EnvFilter;
        let filter = EnvFilter::try_from_env("HANSEL_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
        let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
        // A second call in one process finds the log set up already.
        let _ = match self.log_format {
            LogFormat::Json => builder.json().flatten_event(true).try_init(),
            LogFormat::Text => builder.try_init(),
        };
    }

    /// The log as without the feature, and spans beside it; what is given back sends the last of them.
    #[cfg(feature = "otel")]
    fn log(&self) -> Result<Option<crate::spans::Sender>, Stop> {
        use tracing_subscriber::layer::{Layer, SubscriberExt};
        use tracing_subscriber::util::SubscriberInitExt;
        use tracing_subscriber::{EnvFilter, fmt, registry};
        let filter = EnvFilter::try_from_env("HANSEL_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
        let sender = crate::spans::Sender::from_environment()?;
        let spans = sender.as_ref().map(|sender| tracing_opentelemetry::layer().with_tracer(sender.tracer()));
        let lines = fmt::layer().with_writer(std::io::stderr);
        let lines = match self.log_format {
            LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed(),
            LogFormat::Text => lines.boxed(),
        };
        let _ = registry().with(filter).with(lines).with(spans).try_init();
        Ok(sender)
    }
}
