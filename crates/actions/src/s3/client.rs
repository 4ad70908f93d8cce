//! One bucket behind one connection: the SDK's client, made on first use, with the house's rules for regions, roles,
//! proxies and cancelling.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{Credentials, Region, RequestChecksumCalculation, SharedHttpClient};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_http_client::{Connector, proxy::ProxyConfig, tls};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use workflow::{Attempt, Code, Connection, Failure};

use super::connection::{Access, Keys};
use super::failure::{Doing, failure, region_told, session_over};

/// One bucket, reached through one connection.
pub(crate) struct Bucket {
    pub(crate) name: String,
    access: Access,
    made: Mutex<Made>,
}

#[derive(Default)]
struct Made {
    client: Option<Client>,
    region: Option<String>,
}

impl Bucket {
    /// The bucket behind a connection. No I/O happens before the first call.
    pub(crate) fn new(name: &str, connection: Option<&Connection>) -> Result<Bucket, Failure> {
        let connection =
            connection.ok_or_else(|| Failure::new(Code::Internal, "an s3 action was built without a connection"))?;
        Ok(Bucket { name: name.to_string(), access: Access::open(connection)?, made: Mutex::default() })
    }

    /// The bucket as the process itself reaches it; `by` is its name in messages.
    pub(crate) fn of_process(name: &str, by: &str) -> Bucket {
        Bucket { name: name.to_string(), access: Access::of_process(by), made: Mutex::default() }
    }

    /// What a failure of a call should say.
    pub(crate) fn doing<'a>(&'a self, permission: &'static str, key: Option<&'a str>) -> Doing<'a> {
        let role = self.access.role_arn.as_deref().map(|arn| (arn, self.access.external_id.as_str()));
        Doing { permission, bucket: &self.name, key, connection: &self.access.connection, role }
    }

    /// Makes one call and waits for it, unless the user stops it. A bucket of another region and a session that has
    /// run out are met with a new client, once each.
    pub(crate) fn call<T, E, F>(
        &self,
        attempt: &Attempt<'_>,
        doing: &Doing<'_>,
        call: impl Fn(Client) -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: std::error::Error + ProvideErrorMetadata + 'static,
    {
        self.call_raw(attempt, call)?.map_err(|error| failure(&error, doing))
    }

    /// As [`Bucket::call`], with the SDK's own error for callers that tell answers apart.
    pub(crate) fn call_raw<T, E, F>(
        &self,
        attempt: &Attempt<'_>,
        call: impl Fn(Client) -> F,
    ) -> Result<Result<T, SdkError<E, HttpResponse>>, Failure>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: std::error::Error + ProvideErrorMetadata + 'static,
    {
        let mut renewed = false;
        let mut moved = false;
        loop {
            let client = self.client(attempt)?;
            let answer = wait(attempt, call(client))?;
            let Err(error) = &answer else { return Ok(answer) };
            if let Some(region) = region_told(error).filter(|_| !moved) {
                moved = true;
                let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
                *made = Made { client: None, region: Some(region) };
                continue;
            }
            if session_over(error) && self.access.role_arn.is_some() && !renewed {
                renewed = true;
                self.made.lock().unwrap_or_else(PoisonError::into_inner).client = None;
                continue;
            }
            return Ok(answer);
        }
    }

    fn client(&self, attempt: &Attempt<'_>) -> Result<Client, Failure> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = &made.client {
            return Ok(client.clone());
        }
        let client = self.connect(made.region.clone(), attempt)?;
        made.client = Some(client.clone());
        Ok(client)
    }

    fn connect(&self, region: Option<String>, attempt: &Attempt<'_>) -> Result<Client, Failure> {
        let access = &self.access;
        let region = region
            .or_else(|| access.region.clone())
            .or_else(|| variable("AWS_REGION"))
            .or_else(|| variable("AWS_DEFAULT_REGION"))
            .unwrap_or_else(|| "us-east-1".into());
        let endpoint = access
            .endpoint_url
            .clone()
            .or_else(|| variable("AWS_ENDPOINT_URL_S3"))
            .or_else(|| variable("AWS_ENDPOINT_URL"));
        let path_style = access.force_path_style.unwrap_or(endpoint.is_some());
        let http = http_client()?;
        let mut config = aws_sdk_s3::config::Builder::new()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region.clone()))
            .http_client(http.clone())
            .force_path_style(path_style)
            .retry_config(retries())
            .timeout_config(timeouts())
            // Integrity comes from Content-MD5, which every store knows; the SDK's trailing checksums break several.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired);
        if let Some(endpoint) = endpoint {
            config = config.endpoint_url(endpoint);
        }
        let config = match (&access.role_arn, &access.keys) {
            (Some(arn), _) => config.credentials_provider(self.session(arn, region, http, attempt)?),
            (None, Some(keys)) => config.credentials_provider(keys.credentials()),
            (None, None) if access.of_process => {
                let mut config = config;
                config.set_credentials_provider(process_config("S3", Some(region))?.credentials_provider());
                config
            }
            (None, None) => return Err(Failure::new(Code::Internal, "an s3 connection has neither keys nor role")),
        };
        Ok(Client::from_conf(config.build()))
    }

    /// Who the credentials are, in the words of the token service; none where the store has no such service.
    pub(crate) fn caller(&self, attempt: &Attempt<'_>) -> Result<Option<String>, Failure> {
        let region =
            self.access.region.clone().or_else(|| variable("AWS_REGION")).unwrap_or_else(|| "us-east-1".into());
        let http = http_client()?;
        let mut config = aws_sdk_sts::config::Builder::new()
            .behavior_version(BehaviorVersion::latest())
            .region(aws_sdk_sts::config::Region::new(region.clone()))
            .http_client(http.clone())
            // Asked once: where the service is out of reach the store itself is asked.
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts());
        if let Some(endpoint) = self.token_endpoint() {
            config = config.endpoint_url(endpoint);
        }
        let config = match (&self.access.role_arn, &self.access.keys) {
            (Some(arn), _) => config.credentials_provider(self.session(arn, region, http, attempt)?),
            (None, Some(keys)) => config.credentials_provider(keys.credentials()),
            (None, None) => return Ok(None),
        };
        let client = aws_sdk_sts::Client::from_conf(config.build());
        let answer = wait(attempt, client.get_caller_identity().send())?;
        match answer {
            Ok(said) => Ok(said.arn().map(str::to_string)),
            Err(error) => {
                let failure = failure(&error, &self.doing("sts:GetCallerIdentity", None));
                match failure.code {
                    Code::AuthInvalidCredentials | Code::AuthAssumeRoleDenied => Err(failure),
                    // A store that speaks S3 only knows no such question.
                    _ => Ok(None),
                }
            }
        }
    }

    fn token_endpoint(&self) -> Option<String> {
        variable("AWS_ENDPOINT_URL_STS")
            .or_else(|| variable("AWS_ENDPOINT_URL"))
            .or_else(|| self.access.endpoint_url.clone())
    }

    /// Sessions of a role, from whatever identity the process has. The SDK's cache renews them before they run out.
    fn session(
        &self,
        arn: &str,
        region: String,
        http: SharedHttpClient,
        attempt: &Attempt<'_>,
    ) -> Result<AssumeRoleProvider, Failure> {
        let endpoint = self.token_endpoint();
        let name: String = attempt.run.chars().filter(|c| c.is_ascii_alphanumeric()).take(40).collect();
        runtime().block_on(async {
            let mut base = aws_config::defaults(BehaviorVersion::latest())
                .region(Region::new(region.clone()))
                .http_client(http)
                .retry_config(retries())
                .timeout_config(timeouts());
            if let Some(endpoint) = endpoint {
                base = base.endpoint_url(endpoint);
            }
            let base = base.load().await;
            Ok(AssumeRoleProvider::builder(arn)
                .external_id(&self.access.external_id)
                .session_name(format!("hansel-{name}"))
                .region(Region::new(region))
                .configure(&base)
                .build()
                .await)
        })
    }
}

impl Keys {
    fn credentials(&self) -> Credentials {
        Credentials::new(
            self.access_key_id.clone(),
            String::from_utf8_lossy(self.secret_access_key.open()).into_owned(),
            self.session_token.as_ref().map(|token| String::from_utf8_lossy(token.open()).into_owned()),
            None,
            "connection",
        )
    }
}

/// Who the credentials of a connection are: a role is assumed, keys sign a request. That the identity may not list
/// buckets is no fault, since no workflow asks it to.
pub(crate) fn identity(connection: &Connection) -> Result<String, Failure> {
    let bucket = Bucket::new("", Some(connection))?;
    let attempt = Attempt::silent("", &|| false);
    let doing = bucket.doing("s3:ListAllMyBuckets", None);
    let asked =
        bucket.call(&attempt, &doing, |client| async move { client.list_buckets().max_buckets(1).send().await });
    match asked {
        Err(failure) if failure.code != Code::S3AccessDenied => Err(failure),
        _ => Ok(match &bucket.access.role_arn {
            Some(role) => format!("role `{role}` was assumed with external id `{}`", bucket.access.external_id),
            None => "the store knows the key and accepts its signature".into(),
        }),
    }
}

/// Waits for a call on the crate's own runtime; ends early when the user asks to stop.
pub(crate) fn wait<T>(attempt: &Attempt<'_>, call: impl Future<Output = T>) -> Result<T, Failure> {
    attempt.go_on()?;
    runtime().block_on(async {
        let mut call = std::pin::pin!(call);
        loop {
            match tokio::time::timeout(Duration::from_millis(50), &mut call).await {
                Ok(answer) => return Ok(answer),
                Err(_) => attempt.go_on()?,
            }
        }
    })
}

/// The runtime of the SDK; steps themselves are blocking functions and never see it.
pub(crate) fn runtime() -> &'static tokio::runtime::Runtime {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("s3")
            .enable_all()
            .build()
            .expect("the operating system gives two threads")
    })
}

/// How calls of another service of AWS are made, by the process's own identity. `service` is the end of the variable
/// that may name its endpoint; without a region the process's own is taken.
pub(crate) fn process_config(service: &str, region: Option<String>) -> Result<aws_config::SdkConfig, Failure> {
    let endpoint = variable(&format!("AWS_ENDPOINT_URL_{service}")).or_else(|| variable("AWS_ENDPOINT_URL"));
    let mut base = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http_client()?)
        .retry_config(retries())
        .timeout_config(timeouts());
    if let Some(region) = region {
        base = base.region(Region::new(region));
    }
    if let Some(endpoint) = endpoint {
        base = base.endpoint_url(endpoint);
    }
    Ok(runtime().block_on(base.load()))
}

fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(4)
        .with_initial_backoff(Duration::from_millis(100))
        .with_max_backoff(Duration::from_secs(5))
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(Duration::from_secs(10)).read_timeout(Duration::from_secs(60)).build()
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// One HTTP client for the process: proxies as the environment says, and the certificates of AWS_CA_BUNDLE if set.
fn http_client() -> Result<SharedHttpClient, Failure> {
    static CLIENT: OnceLock<Result<SharedHttpClient, Failure>> = OnceLock::new();
    CLIENT.get_or_init(make_http_client).clone()
}

fn make_http_client() -> Result<SharedHttpClient, Failure> {
    let mut trust = tls::TrustStore::default();
    if let Some(path) = variable("AWS_CA_BUNDLE") {
        let pem = std::fs::read(&path).map_err(|error| {
            Failure::new(Code::ConnectionInvalid, format!("the file `{path}` of AWS_CA_BUNDLE cannot be read"))
                .cause(error)
        })?;
        trust = tls::TrustStore::empty().with_pem_certificate(pem);
    }
    let context = tls::TlsContext::builder().with_trust_store(trust).build().map_err(|error| {
        Failure::new(Code::ConnectionInvalid, "the certificates of AWS_CA_BUNDLE are not usable").cause(error)
    })?;
    Ok(aws_smithy_http_client::Builder::new().build_with_connector_fn(move |settings, components| {
        let mut builder = Connector::builder().proxy_config(ProxyConfig::from_env());
        builder.set_connector_settings(settings.cloned());
        if let Some(components) = components {
            builder.set_sleep_impl(components.sleep_impl());
        }
        builder
            .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc))
            .tls_context(context.clone())
            .build()
    }))
}
