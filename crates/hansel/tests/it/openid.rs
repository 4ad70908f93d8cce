//! An OpenID Connect issuer for tests, on loopback: it says what it is, gives its keys out, and grants the codes that a
//! test put there. What it signs is what the test says, true or not.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
    RsaKeyPair,
};
use aws_lc_rs::{digest, hmac};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// The client's id and secret at the issuer; the secret has letters that need care on the way.
pub(crate) const CLIENT: &str = "hansel-test";
pub(crate) const SECRET: &str = "s3cr:t/& of-the-client";

/// One key pair of the issuer's.
pub(crate) enum Pair {
    Rsa(Box<RsaKeyPair>),
    P256(Box<EcdsaKeyPair>),
    Ed25519(Box<Ed25519KeyPair>),
}

/// A code that was given to a browser, and what it may be changed into.
pub(crate) struct Grant {
    /// What the verifier has to hash to.
    pub(crate) challenge: String,
    pub(crate) back: String,
    pub(crate) token: String,
}

#[derive(Default)]
pub(crate) struct Said {
    /// The keys as they are given out.
    pub(crate) keys: Vec<Value>,
    pub(crate) codes: BTreeMap<String, Grant>,
    /// How often the keys were asked for.
    pub(crate) asked: usize,
    /// What discovery says in place of the truth.
    pub(crate) lies: BTreeMap<String, String>,
}

/// The issuer at work.
pub(crate) struct Issuer {
    pub(crate) url: String,
    said: Arc<Mutex<Said>>,
}

impl Issuer {
    pub(crate) fn start() -> Issuer {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback can be bound");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let issuer = Issuer { url: url.clone(), said: Arc::default() };
        let said = issuer.said.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                answer(stream, &url, &said);
            }
        });
        issuer
    }

    pub(crate) fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().expect("no test panics while it holds this")
    }

    /// Gives a key out under a name.
    pub(crate) fn gives(&self, pair: &Pair, kid: &str) {
        self.said().keys.push(pair.public(kid));
    }
}

impl Pair {
    pub(crate) fn rsa() -> Pair {
        Pair::Rsa(Box::new(RsaKeyPair::generate(KeySize::Rsa2048).expect("a key can be made")))
    }

    pub(crate) fn p256() -> Pair {
        Pair::P256(Box::new(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key can be made")))
    }

    pub(crate) fn ed25519() -> Pair {
        Pair::Ed25519(Box::new(Ed25519KeyPair::generate().expect("a key can be made")))
    }

    /// The public half as a set of keys has it.
    pub(crate) fn public(&self, kid: &str) -> Value {
        match self {
            Pair::Rsa(pair) => {
                let (n, e) = modulus(pair);
                json!({ "kty": "RSA", "kid": kid, "use": "sig", "n": coded(n), "e": coded(e) })
            }
            Pair::P256(pair) => {
                let point = pair.public_key().as_ref();
                json!({ "kty": "EC", "crv": "P-256", "kid": kid, "x": coded(&point[1..33]), "y": coded(&point[33..]) })
            }
            Pair::Ed25519(pair) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "kid": kid, "x": coded(pair.public_key().as_ref()) })
            }
        }
    }

    /// A token that says `claims`, signed as `header` has it. With `HS256` the public half is the secret.
    pub(crate) fn token(&self, header: &Value, claims: &Value) -> String {
        let signed = format!("{}.{}", coded(header.to_string().as_bytes()), coded(claims.to_string().as_bytes()));
        let message = signed.as_bytes();
        let signature = match (self, header["alg"].as_str()) {
            (Pair::Rsa(pair), Some("HS256")) => {
                hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, modulus(pair).0), message).as_ref().to_vec()
            }
            (_, Some("none")) => Vec::new(),
            (Pair::Rsa(pair), algorithm) => {
                let padding = if algorithm == Some("PS256") { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &SystemRandom::new(), message, &mut signature).expect("it signs");
                signature
            }
            (Pair::P256(pair), _) => pair.sign(&SystemRandom::new(), message).expect("it signs").as_ref().to_vec(),
            (Pair::Ed25519(pair), _) => pair.sign(message).as_ref().to_vec(),
        };
        format!("{signed}.{}", coded(&signature))
    }
}

/// Modulus and exponent of a pair of 2048 bits, whose public half is two numbers in DER.
fn modulus(pair: &RsaKeyPair) -> (&[u8], &[u8]) {
    let der = pair.public_key().as_ref();
    assert_eq!((&der[..9], &der[265..267]), (&[0x30, 0x82, 1, 10, 2, 0x82, 1, 1, 0][..], &[2, 3][..]));
    (&der[9..265], &der[267..])
}

/// Bytes as tokens have them.
pub(crate) fn coded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn answer(mut stream: TcpStream, url: &str, said: &Mutex<Said>) {
    let mut reader = BufReader::new(stream.try_clone().expect("a socket can be shared"));
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 || line.trim().is_empty() {
            break;
        }
        head.push(line.trim().to_string());
    }
    let header = |name: &str| {
        let mut pairs = head.iter().filter_map(|line| line.split_once(": "));
        pairs.find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_string()).unwrap_or_default()
    };
    let mut body = String::new();
    if head.iter().any(|line| line.eq_ignore_ascii_case("transfer-encoding: chunked")) {
        let mut line = String::new();
        while reader.read_line(&mut line).unwrap_or(0) > 0 && line.trim() != "0" {
            let mut chunk = vec![0; usize::from_str_radix(line.trim(), 16).unwrap_or(0) + 2];
            reader.read_exact(&mut chunk).expect("a whole chunk");
            body.push_str(String::from_utf8_lossy(&chunk).trim());
            line.clear();
        }
    } else {
        let mut bytes = vec![0; header("content-length").parse().unwrap_or(0)];
        reader.read_exact(&mut bytes).expect("a whole body");
        body = String::from_utf8_lossy(&bytes).into_owned();
    }
    let mut said = said.lock().expect("no test panics while it holds this");
    let (status, answer) = match head.first().and_then(|line| line.split_whitespace().nth(1)) {
        Some("/.well-known/openid-configuration") => {
            let told = |name: &str, truth: String| said.lies.get(name).cloned().unwrap_or(truth);
            let found = json!({
                "issuer": told("issuer", url.to_string()),
                "authorization_endpoint": told("authorization_endpoint", format!("{url}/authorize?tenant=one")),
                "token_endpoint": format!("{url}/token"),
                "jwks_uri": told("jwks_uri", format!("{url}/keys")),
            });
            (200, found)
        }
        Some("/keys") => {
            said.asked += 1;
            (200, json!({ "keys": said.keys }))
        }
        Some("/token") => granted(&mut said, &header("authorization"), &body),
        _ => (404, json!({})),
    };
    let text = answer.to_string();
    let length = text.len();
    let _ = write!(stream, "HTTP/1.1 {status} x\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{text}");
}

/// Changes a code into its token, once, for whom it was made for.
fn granted(said: &mut Said, authorization: &str, body: &str) -> (u16, Value) {
    let field = |name: &str| {
        let pairs = body.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(own, _)| *own == name).map(|(_, value)| plain(value)).next().unwrap_or_default()
    };
    let pair = STANDARD.decode(authorization.trim_start_matches("Basic ")).unwrap_or_default();
    let pair = String::from_utf8_lossy(&pair).into_owned();
    let (client, secret) = pair.split_once(':').unwrap_or_default();
    let Some(grant) = said.codes.remove(&field("code")) else { return (400, json!({ "error": "invalid_grant" })) };
    let challenge = coded(digest::digest(&digest::SHA256, field("code_verifier").as_bytes()).as_ref());
    let ours = plain(client) == CLIENT && plain(secret) == SECRET;
    if !ours || challenge != grant.challenge || field("redirect_uri") != grant.back {
        return (400, json!({ "error": "invalid_client" }));
    }
    assert_eq!(field("grant_type"), "authorization_code");
    (200, json!({ "access_token": "unused", "token_type": "Bearer", "id_token": grant.token }))
}

/// A value of a form or a query as it was meant.
pub(crate) fn plain(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let digits = [rest.next().unwrap_or(b'0'), rest.next().unwrap_or(b'0')];
                let digits = String::from_utf8_lossy(&digits).into_owned();
                bytes.push(u8::from_str_radix(&digits, 16).unwrap_or(b'?'));
            }
            b'+' => bytes.push(b' '),
            other => bytes.push(other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
