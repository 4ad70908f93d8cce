//! Tokens of an issuer (JSON Web Tokens, RFC 7519, signed as of RFC 7515). In: a token, the issuer's public keys (RFC
//! 7517), what is expected and the time. Out: what the token says of a person, or the one reason why it is refused.
//! Nothing is fetched here, and no token is ever part of a reason.

use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Number, Value};

/// Longest token, in bytes.
const TOKEN_MAX: usize = 16 << 10;
/// Keys of an issuer that are looked at.
const KEYS_MAX: usize = 64;
/// How far the clocks of issuer and server may be apart, in seconds.
const LEEWAY: f64 = 60.0;

/// Why a token is refused, in words that may be shown.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Odd {
    /// Signed by a key that is not among those that are known.
    UnknownKey,
    /// Anything else.
    Because(String),
}

/// The signatures that are taken. Neither `none` nor those with a shared secret are among them, so that a public key
/// never stands for a secret one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Algorithm {
    Rs256,
    Ps256,
    Es256,
    EdDsa,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<Value>,
}

/// A token that was taken apart, its signature not looked at yet.
pub(crate) struct Token<'t> {
    algorithm: Algorithm,
    kid: Option<String>,
    signed: &'t str,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

/// What a token says; only what is asked of it here.
#[derive(Deserialize)]
struct Claims {
    iss: Option<String>,
    aud: Option<Audience>,
    azp: Option<String>,
    exp: Option<Number>,
    nbf: Option<Number>,
    iat: Option<Number>,
    nonce: Option<String>,
    email: Option<String>,
    email_verified: Option<Value>,
    given_name: Option<String>,
    family_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// What a token has to say.
pub(crate) struct Expected<'e> {
    /// The issuer, to the letter.
    pub(crate) issuer: &'e str,
    /// Our own id at the issuer.
    pub(crate) client: &'e str,
    /// The word of the login that the token answers; `None` for a token that came with a request.
    pub(crate) nonce: Option<&'e str>,
    /// Seconds since 1970.
    pub(crate) now: i64,
}

/// Whom a token speaks of.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Spoken {
    /// In ASCII, and not known to be unverified.
    pub(crate) email: String,
    /// May be empty.
    pub(crate) first_name: String,
    /// May be empty.
    pub(crate) last_name: String,
}

/// The public keys of an issuer.
pub(crate) struct Keys(Vec<PublicKey>);

struct PublicKey {
    kid: Option<String>,
    shape: Shape,
    /// The one algorithm that it is for, where the issuer says so.
    only: Option<String>,
}

enum Shape {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// The point in its uncompressed form.
    P256(Vec<u8>),
    Ed25519(Vec<u8>),
}

fn because<T>(why: impl Into<String>) -> Result<T, Odd> {
    Err(Odd::Because(why.into()))
}

impl Algorithm {
    fn of(name: &str) -> Option<Algorithm> {
        match name {
            "RS256" => Some(Algorithm::Rs256),
            "PS256" => Some(Algorithm::Ps256),
            "ES256" => Some(Algorithm::Es256),
            "EdDSA" => Some(Algorithm::EdDsa),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Algorithm::Rs256 => "RS256",
            Algorithm::Ps256 => "PS256",
            Algorithm::Es256 => "ES256",
            Algorithm::EdDsa => "EdDSA",
        }
    }
}

/// Whether a text has the form of a token, as keys of this server never do.
pub(crate) fn looks_like_one(text: &str) -> bool {
    text.split('.').count() == 3
}

impl<'t> Token<'t> {
    /// Takes a token apart.
    pub(crate) fn parse(text: &'t str) -> Result<Token<'t>, Odd> {
        let none = || Odd::Because("it is not a signed token".into());
        if text.len() > TOKEN_MAX {
            return because(format!("it is longer than {TOKEN_MAX} bytes"));
        }
        let (signed, signature) = text.rsplit_once('.').ok_or_else(none)?;
        let (header, payload) = signed.split_once('.').ok_or_else(none)?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| none());
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| none())?;
        let Some(algorithm) = Algorithm::of(&header.alg) else {
            let shown: String = header.alg.chars().take(20).collect();
            let shown = shown.escape_debug();
            return because(format!("its algorithm is `{shown}`; RS256, PS256, ES256 and EdDSA are taken"));
        };
        // A token of another kind, such as one that tells of a logout, is no proof of who asks.
        let kind = header.typ.unwrap_or_else(|| "JWT".into()).to_ascii_lowercase();
        if !["jwt", "at+jwt", "application/at+jwt"].contains(&kind.as_str()) {
            return because("it is a token of another kind");
        }
        if header.crit.is_some() {
            return because("it asks for extensions that this server does not know");
        }
        let (payload, signature) = (decode(payload)?, decode(signature)?);
        Ok(Token { algorithm, kid: header.kid, signed, payload, signature })
    }

    /// Whom the token speaks of, once its signature and all that it says hold.
    pub(crate) fn check(&self, keys: &Keys, expected: &Expected<'_>) -> Result<Spoken, Odd> {
        let mut named = keys.0.iter().filter(|key| self.kid.is_none() || key.kid == self.kid).peekable();
        if named.peek().is_none() {
            return Err(Odd::UnknownKey);
        }
        if !named.any(|key| key.signed(self)) {
            return because("its signature does not hold");
        }
        match serde_json::from_slice::<Claims>(&self.payload) {
            Ok(claims) => claims.check(expected),
            Err(_) => because("what it says cannot be read"),
        }
    }
}

impl Claims {
    fn check(self, expected: &Expected<'_>) -> Result<Spoken, Odd> {
        if self.iss.as_deref() != Some(expected.issuer) {
            return because("it is from another issuer");
        }
        let (ours, several) = match &self.aud {
            Some(Audience::One(one)) => (one == expected.client, false),
            Some(Audience::Many(all)) => (all.iter().any(|one| one == expected.client), all.len() > 1),
            None => (false, false),
        };
        if !ours {
            return because("it is for another client");
        }
        let now = expected.now as f64;
        let seconds = |number: &Option<Number>| number.as_ref().and_then(Number::as_f64);
        match seconds(&self.exp) {
            None => return because("it does not say until when it holds"),
            Some(end) if now >= end + LEEWAY => return because("it has expired"),
            Some(_) => {}
        }
        if [&self.nbf, &self.iat].iter().filter_map(|time| seconds(time)).any(|from| from - LEEWAY > now) {
            return because("it does not hold yet; the clocks of issuer and server may be apart");
        }
        if let Some(nonce) = expected.nonce {
            if self.nonce.as_deref() != Some(nonce) {
                return because("it answers another login");
            }
            // Made for somebody else who may name us among others (OpenID Connect Core 1.0, 3.1.3.7).
            if self.azp.as_deref().map_or(several, |party| party != expected.client) {
                return because("it was made for another client");
            }
        }
        self.person()
    }

    fn person(self) -> Result<Spoken, Odd> {
        let verified = match &self.email_verified {
            None | Some(Value::Null) => true,
            Some(Value::Bool(verified)) => *verified,
            // Some issuers write it as text.
            Some(other) => other == "true",
        };
        // Letters beyond ASCII can become those of another address when their case is changed.
        match self.email.filter(|email| email.contains('@') && email.is_ascii()) {
            None => because("it names no e-mail address in ASCII; the scope `email` is needed"),
            Some(_) if !verified => because("its e-mail address is not verified"),
            Some(email) => {
                let short = |name: Option<String>| name.unwrap_or_default().chars().take(100).collect();
                Ok(Spoken { email, first_name: short(self.given_name), last_name: short(self.family_name) })
            }
        }
    }
}

impl Keys {
    /// The keys of a set as an issuer gives it; what is for other uses or of other kinds is left out.
    pub(crate) fn read(set: &Value) -> Keys {
        let all = set["keys"].as_array().into_iter().flatten();
        Keys(all.filter_map(PublicKey::read).take(KEYS_MAX).collect())
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

impl PublicKey {
    fn read(key: &Value) -> Option<PublicKey> {
        let text = |name: &str| key[name].as_str();
        let bytes = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?.trim_end_matches('=')).ok();
        if text("use").is_some_and(|used| used != "sig") {
            return None;
        }
        let shape = match (text("kty")?, text("crv")) {
            ("RSA", _) => {
                let n = bytes("n")?;
                let zeros = n.iter().take_while(|byte| **byte == 0).count();
                let n = n[zeros..].to_vec();
                // 2048 to 8192 bits.
                (256..=1024).contains(&n.len()).then_some(Shape::Rsa { n, e: bytes("e")? })?
            }
            ("EC", Some("P-256")) => {
                let (x, y) = (bytes("x")?, bytes("y")?);
                (x.len() == 32 && y.len() == 32).then(|| Shape::P256([&[4][..], &x, &y].concat()))?
            }
            ("OKP", Some("Ed25519")) => Shape::Ed25519(bytes("x").filter(|x| x.len() == 32)?),
            _ => return None,
        };
        Some(PublicKey { kid: text("kid").map(Into::into), shape, only: text("alg").map(Into::into) })
    }

    fn signed(&self, token: &Token<'_>) -> bool {
        let (message, signature) = (token.signed.as_bytes(), token.signature.as_slice());
        // The kind of the key decides what is tried, never the token alone.
        let name = token.algorithm.name();
        let fits = |only: &str| only == name || (name == "EdDSA" && only == "Ed25519");
        if !self.only.as_deref().is_none_or(fits) {
            return false;
        }
        let rsa = |n, e, parameters| PublicKeyComponents { n, e }.verify(parameters, message, signature);
        let verified = match (token.algorithm, &self.shape) {
            (Algorithm::Rs256, Shape::Rsa { n, e }) => rsa(n, e, &RSA_PKCS1_2048_8192_SHA256),
            (Algorithm::Ps256, Shape::Rsa { n, e }) => rsa(n, e, &RSA_PSS_2048_8192_SHA256),
            (Algorithm::Es256, Shape::P256(point)) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
            }
            (Algorithm::EdDsa, Shape::Ed25519(point)) => {
                UnparsedPublicKey::new(&ED25519, point).verify(message, signature)
            }
            _ => return false,
        };
        verified.is_ok()
    }
}
