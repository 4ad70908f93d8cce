//! The OpenID Connect issuer by whom people sign in. In: how it is asked for, tokens, the codes of logins. Out: where to
//! send a browser, and whom a token speaks of. What the issuer says of itself and its public keys are fetched when first
//! needed, kept for an hour, and fetched anew when a token names another key. No token is kept or told.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::{Mutex, Semaphore};
use ureq::Agent;
use ureq::http::Uri;
use workflow::{Code, Failure};
use zeroize::Zeroizing;

use super::answer::{Refusal, bounded};
use super::links::escape;
use super::token::{Expected, Keys, Odd, Spoken, Token};
use crate::outgoing::{AddressRule, Outgoing};

/// Longest wait for a connection, and longest silence.
const CONNECT: Duration = Duration::from_secs(5);
const SILENCE: Duration = Duration::from_secs(10);
/// Longest time that one question may take.
const WHOLE: Duration = Duration::from_secs(20);
/// Longest answer, in bytes.
const ANSWER_MAX: u64 = 1 << 20;
/// How long what was fetched is used before it is fetched anew: keys that were taken back are gone by then.
const FRESH: Duration = Duration::from_secs(3600);
/// How long it may be used where the issuer does not answer.
const STALE: Duration = Duration::from_secs(24 * 3600);
/// How soon an issuer that did not answer is asked again.
const PAUSE: Duration = Duration::from_secs(5);
/// How often a minute unknown keys make us ask: whoever makes tokens up must not have us ask for each.
const ANEW_A_MINUTE: NonZeroU32 = NonZeroU32::new(6).expect("six is not zero");
/// Logins that are finished at once.
const LOGINS: usize = 8;

/// How people may sign in.
pub(crate) struct SignIn {
    /// Address of the issuer.
    pub(crate) issuer: String,
    /// Our id there.
    pub(crate) client: String,
    /// Our secret there; a public client has none.
    pub(crate) secret: Option<Zeroizing<String>>,
    /// Domains of e-mail addresses for which users are made.
    pub(crate) domains: Vec<String>,
}

/// The issuer.
pub(crate) struct Issuer {
    asked: SignIn,
    web: Web,
    known: RwLock<Option<Arc<Known>>>,
    /// Held while it is asked about itself; when it last did not answer.
    asking: Mutex<Option<Instant>>,
    anew: DefaultDirectRateLimiter,
    logins: Semaphore,
}

/// What the issuer says of itself (OpenID Connect Discovery 1.0), as far as it is needed.
#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

struct Known {
    discovery: Discovery,
    keys: Keys,
    at: Instant,
}

/// The answer to the code of a login.
#[derive(Deserialize)]
struct Granted {
    id_token: String,
}

/// What a browser is sent to the issuer with.
pub(crate) struct Errand<'l> {
    /// Where the issuer sends the browser back to.
    pub(crate) back: &'l str,
    pub(crate) state: &'l str,
    pub(crate) nonce: &'l str,
    /// SHA-256 of the verifier, as PKCE has it (RFC 7636).
    pub(crate) challenge: &'l str,
}

impl Issuer {
    /// The issuer that is asked for; nothing is fetched yet.
    pub(crate) fn new(asked: SignIn) -> Result<Issuer, Failure> {
        let plain = asked.issuer.starts_with("http://");
        let odd = |why: &str| {
            Failure::new(Code::Usage, format!("`--oidc-issuer` is `{}`, which {why}", asked.issuer))
                .hint("It is the address that the issuer calls itself by, such as `https://login.example.com`.")
        };
        if let Some(why) = unfit(&asked.issuer, plain) {
            return Err(odd(why));
        }
        if asked.issuer.contains(['?', '#']) {
            return Err(odd("has more than a path behind its host"));
        }
        let loopback: AddressRule = Arc::new(|_: &str, address: SocketAddr| address.ip().is_loopback());
        let rule = plain.then_some(loopback);
        let agent = Outgoing { connect: CONNECT, silence: SILENCE, redirects: 0, rule }.agent()?;
        Ok(Issuer {
            asked,
            web: Web { agent, plain },
            known: RwLock::new(None),
            asking: Mutex::new(None),
            anew: RateLimiter::direct(Quota::per_minute(ANEW_A_MINUTE)),
            logins: Semaphore::new(LOGINS),
        })
    }

    /// Whether a user is made for an address that has none yet.
    pub(crate) fn takes(&self, email: &str) -> bool {
        let domain = email.rsplit_once('@').map_or("", |(_, domain)| domain);
        self.asked.domains.iter().any(|one| one.eq_ignore_ascii_case(domain))
    }

    /// The address that the issuer calls itself by.
    pub(crate) async fn name(&self) -> Result<String, Refusal> {
        Ok(self.known().await?.discovery.issuer.clone())
    }

    /// Where to send a browser.
    pub(crate) async fn door(&self, errand: &Errand<'_>) -> Result<String, Refusal> {
        let known = self.known().await?;
        let door = &known.discovery.authorization_endpoint;
        let join = if door.contains('?') { '&' } else { '?' };
        let fields = [
            ("response_type", "code"),
            ("scope", "openid email profile"),
            ("client_id", &self.asked.client),
            ("redirect_uri", errand.back),
            ("state", errand.state),
            ("nonce", errand.nonce),
            ("code_challenge", errand.challenge),
            ("code_challenge_method", "S256"),
        ];
        let fields = fields.map(|(name, value)| format!("{name}={}", escape(value)));
        Ok(format!("{door}{join}{}", fields.join("&")))
    }

    /// Whom a token that came with a request speaks of.
    pub(crate) async fn bearer(&self, token: &str) -> Result<Spoken, Refusal> {
        self.spoken(token, None).await
    }

    /// Whom the code of a login stands for.
    pub(crate) async fn exchange(
        &self,
        code: &str,
        back: &str,
        verifier: &str,
        nonce: &str,
    ) -> Result<Spoken, Refusal> {
        let Ok(_one) = self.logins.try_acquire() else {
            return Err(Refusal::new(Code::ServerUnready, "too many people sign in at this moment"));
        };
        let known = self.known().await?;
        let mut form: Vec<(&str, String)> = vec![
            ("grant_type", "authorization_code".into()),
            ("code", code.into()),
            ("redirect_uri", back.into()),
            ("code_verifier", verifier.into()),
        ];
        let mut basic = None;
        let methods = known.discovery.token_endpoint_auth_methods_supported.as_deref();
        // Where the issuer does not say how, this is how (OpenID Connect Discovery 1.0, 3).
        let by_header = methods.is_none_or(|all| all.iter().any(|one| one == "client_secret_basic"));
        match &self.asked.secret {
            Some(secret) if by_header => {
                let pair = Zeroizing::new(format!("{}:{}", escape(&self.asked.client), escape(secret)));
                basic = Some(Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes()))));
            }
            secret => {
                form.push(("client_id", self.asked.client.clone()));
                form.extend(secret.as_ref().map(|secret| ("client_secret", secret.to_string())));
            }
        }
        let (web, url) = (self.web.clone(), known.discovery.token_endpoint.clone());
        match self.aside(move || web.post::<Granted>(&url, form, basic)).await? {
            Ok(granted) => self.spoken(&granted.id_token, Some(nonce)).await,
            Err(status) => {
                tracing::warn!(issuer = self.asked.issuer, status, "the issuer did not grant a login");
                let message = format!("the issuer did not grant the login: it answered {status}");
                Err(Refusal::new(Code::AuthTokenRefused, message).hint("Begin again at `/login`."))
            }
        }
    }

    async fn spoken(&self, text: &str, nonce: Option<&str>) -> Result<Spoken, Refusal> {
        let refused = |odd: Odd| {
            let why = match odd {
                Odd::UnknownKey => "it is signed by a key that the issuer does not have".to_string(),
                Odd::Because(why) => why,
            };
            Refusal::new(Code::AuthTokenRefused, format!("the issuer's token is refused: {why}"))
        };
        let token = Token::parse(text).map_err(refused)?;
        let check = |known: &Known| {
            let now = jiff::Timestamp::now().as_second();
            let (issuer, client) = (known.discovery.issuer.as_str(), self.asked.client.as_str());
            token.check(&known.keys, &Expected { issuer, client, nonce, now })
        };
        let known = self.known().await?;
        match check(&known) {
            Err(Odd::UnknownKey) => check(&*self.newer(&known).await).map_err(refused),
            told => told.map_err(refused),
        }
    }

    /// What is known of the issuer, fetched where it is not known yet or too old.
    async fn known(&self) -> Result<Arc<Known>, Refusal> {
        let current = || self.known.read().expect("nothing panics while it holds this").clone();
        let fresh = |known: &Arc<Known>| known.at.elapsed() < FRESH;
        if let Some(known) = current().filter(fresh) {
            return Ok(known);
        }
        let mut silent = self.asking.lock().await;
        let known = current();
        if let Some(known) = known.clone().filter(fresh) {
            return Ok(known);
        }
        let stale = known.filter(|known| known.at.elapsed() < STALE);
        if silent.is_some_and(|at| at.elapsed() < PAUSE) {
            let message = format!("the issuer `{}` did not answer a moment ago", bounded(&self.asked.issuer));
            return stale.ok_or_else(|| Refusal::new(Code::ServerUnready, message));
        }
        let fetched = self.fetch().await;
        *silent = fetched.is_err().then(Instant::now);
        fetched.or_else(|error| stale.ok_or(error))
    }

    /// What is known once the issuer was asked again; the same as before where it was asked too often.
    async fn newer(&self, than: &Arc<Known>) -> Arc<Known> {
        let _asking = self.asking.lock().await;
        let current = self.known.read().expect("nothing panics while it holds this").clone();
        match current {
            // Somebody else asked while we waited.
            Some(known) if !Arc::ptr_eq(&known, than) => known,
            _ if self.anew.check().is_err() => than.clone(),
            _ => self.fetch().await.unwrap_or_else(|_| than.clone()),
        }
    }

    async fn fetch(&self) -> Result<Arc<Known>, Refusal> {
        let (web, issuer) = (self.web.clone(), self.asked.issuer.clone());
        let known = Arc::new(self.aside(move || web.about(&issuer)).await?);
        *self.known.write().expect("nothing panics while it holds this") = Some(known.clone());
        Ok(known)
    }

    /// Asks the issuer on a thread that may wait.
    async fn aside<T: Send + 'static>(
        &self,
        ask: impl FnOnce() -> Result<T, String> + Send + 'static,
    ) -> Result<T, Refusal> {
        let answer = tokio::task::spawn_blocking(ask).await;
        answer.unwrap_or_else(|_| Err("it broke off".into())).map_err(|why| {
            tracing::warn!(issuer = self.asked.issuer, "the issuer is of no use: {why}");
            let message = format!("the issuer `{}` is of no use at this moment: {why}", bounded(&self.asked.issuer));
            Refusal::new(Code::ServerUnready, message)
        })
    }
}

/// How the issuer is reached.
#[derive(Clone)]
struct Web {
    agent: Agent,
    /// Whether `http` is allowed, which goes to this machine only.
    plain: bool,
}

impl Web {
    /// What the issuer says of itself, and its keys.
    fn about(&self, issuer: &str) -> Result<Known, String> {
        let bare = issuer.trim_end_matches('/');
        let discovery: Discovery = self.get(&format!("{bare}/.well-known/openid-configuration"))?;
        if discovery.issuer.trim_end_matches('/') != bare {
            return Err(format!("it calls itself `{}`", bounded(&discovery.issuer)));
        }
        for url in [&discovery.authorization_endpoint, &discovery.token_endpoint, &discovery.jwks_uri] {
            if let Some(why) = unfit(url, self.plain) {
                return Err(format!("it names the address `{}`, which {why}", bounded(url)));
            }
        }
        let keys = Keys::read(&self.get::<Value>(&discovery.jwks_uri)?);
        if keys.len() == 0 {
            return Err("it has no key of a kind that is taken; RSA, P-256 and Ed25519 are".into());
        }
        Ok(Known { discovery, keys, at: Instant::now() })
    }

    fn get<T: DeserializeOwned>(&self, url: &str) -> Result<T, String> {
        let request = self.agent.get(url).config().timeout_global(Some(WHOLE)).build();
        let answered = read(request.header("accept", "application/json").call(), url)?;
        answered.map_err(|status| format!("`{}` answered {status}", bounded(url)))
    }

    fn post<T: DeserializeOwned>(
        &self,
        url: &str,
        form: Vec<(&str, String)>,
        basic: Option<Zeroizing<String>>,
    ) -> Result<Result<T, u16>, String> {
        let mut request = self.agent.post(url).config().timeout_global(Some(WHOLE)).build();
        request = request.header("accept", "application/json");
        if let Some(basic) = basic {
            request = request.header("authorization", basic.as_str());
        }
        read(request.send_form(form), url)
    }
}

/// The JSON of an answer, or its status where it is one of refusal. What an issuer says in a refusal is not passed on: it may repeat what it was sent.
fn read<T: DeserializeOwned>(
    answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    url: &str,
) -> Result<Result<T, u16>, String> {
    let url = bounded(url);
    let mut answer = answer.map_err(|error| format!("`{url}`: {}", error.to_string().replace('\n', " ")))?;
    let status = answer.status().as_u16();
    if (400..500).contains(&status) {
        return Ok(Err(status));
    }
    if status != 200 {
        return Err(format!("`{url}` answered {status}"));
    }
    let bytes = answer.body_mut().with_config().limit(ANSWER_MAX).read_to_vec();
    let bytes = Zeroizing::new(bytes.map_err(|error| format!("`{url}`: {}", error.to_string().replace('\n', " ")))?);
    let value = serde_json::from_slice(&bytes);
    value.map(Ok).map_err(|_| format!("`{url}` answered something else than was asked for"))
}

/// Why an address may not be asked, if so.
fn unfit(url: &str, plain: bool) -> Option<&'static str> {
    let Some(uri) = url.parse::<Uri>().ok().filter(|uri| uri.host().is_some_and(|host| !host.is_empty())) else {
        return Some("is not an address of the form `https://host/path`");
    };
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Some("has a name or a password before its host");
    }
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let here = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    match uri.scheme_str() {
        Some("https") => None,
        Some("http") if plain && here => None,
        Some("http") => Some("is not `https`; `http` is for this machine only"),
        _ => Some("is not an address of the form `https://host/path`"),
    }
}
