//! Signing in by an OpenID Connect issuer: who is let in, who is not, what a session may do and when it ends.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::openid::{CLIENT, Grant, Issuer, Pair, SECRET, coded, plain};
use crate::world::World;

const KEY: &str = "one";

/// A server, its issuer, and the issuer's key.
struct Door {
    world: World,
    issuer: Issuer,
    pair: Pair,
}

/// What was answered.
struct Answer {
    status: String,
    head: String,
    body: Value,
}

/// A browser that was sent to the issuer.
struct Errand {
    cookie: String,
    sent: BTreeMap<String, String>,
}

fn now() -> i64 {
    std::time::UNIX_EPOCH.elapsed().expect("it is later than 1970").as_secs() as i64
}

impl Door {
    fn new(arguments: &[&str]) -> Door {
        let (mut world, issuer, pair) = (World::new(), Issuer::start(), Pair::rsa());
        issuer.gives(&pair, KEY);
        world.set("HANSEL_OIDC_CLIENT_SECRET", SECRET);
        let serve = ["serve", "--oidc-issuer", &issuer.url, "--oidc-client-id", CLIENT];
        world.obey_served(&[&serve[..], arguments].concat(), &[]).expect("it serves");
        world.obey_served(&["key", "ANN", "ann@example.com"], &[]).expect("a user");
        Door { world, issuer, pair }
    }

    fn ask(&self, method: &str, path: &str, headers: &[&str]) -> Answer {
        let address = self.world.address();
        let mut stream = TcpStream::connect(&address).expect("it listens");
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
        for header in headers {
            head.push_str(&format!("{header}\r\n"));
        }
        let body = if method == "POST" && path == "/projects" { "{}" } else { "" };
        let rest = format!("content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(format!("{head}{rest}").as_bytes()).expect("room");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("an answer");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
        let status = head.split_whitespace().nth(1).unwrap_or_default().to_string();
        Answer { status, head: head.to_string(), body: serde_json::from_str(body).unwrap_or(Value::Null) }
    }

    /// Begins a login.
    fn begin(&self, path: &str) -> Errand {
        let answer = self.ask("GET", path, &[]);
        assert_eq!(answer.status, "302", "{}", answer.body);
        let place = answer.header("location");
        let (page, query) = place.split_once('?').expect("a query");
        assert_eq!(page, format!("{}/authorize", self.issuer.url));
        let sent = query.split('&').filter_map(|pair| pair.split_once('='));
        let sent: BTreeMap<String, String> = sent.map(|(name, value)| (name.into(), plain(value))).collect();
        Errand { cookie: answer.cookie("hansel_login"), sent }
    }

    /// What a good token says.
    fn claims(&self, nonce: &str) -> Value {
        json!({
            "iss": self.issuer.url, "aud": CLIENT, "sub": "1", "iat": now(), "exp": now() + 60, "nonce": nonce,
            "email": "ann@example.com", "email_verified": true, "given_name": "Ann", "family_name": "B",
        })
    }

    fn token(&self, claims: &Value) -> String {
        self.pair.token(&json!({ "alg": "RS256", "kid": KEY, "typ": "JWT" }), claims)
    }

    /// Has the issuer grant a token, and the browser come back with its code.
    fn back(&self, errand: &Errand, token: String) -> Answer {
        let grant = Grant {
            challenge: errand.sent["code_challenge"].clone(),
            back: errand.sent["redirect_uri"].clone(),
            token,
        };
        self.issuer.said().codes.insert("the-code".into(), grant);
        let path = format!("/login/callback?code=the-code&state={}&session_state=more", errand.sent["state"]);
        self.ask("GET", &path, &[&format!("cookie: other=1; hansel_login={}", errand.cookie)])
    }

    /// A whole login with a token of these claims.
    fn comes(&self, change: impl FnOnce(&mut Value)) -> Answer {
        let errand = self.begin("/login");
        let mut claims = self.claims(&errand.sent["nonce"]);
        change(&mut claims);
        self.back(&errand, self.token(&claims))
    }

    fn me(&self, header: &str) -> Answer {
        self.ask("GET", "/users/me", &[header])
    }

    /// The verbs and notes of the audit log, oldest first, and no secret among them.
    fn audited(&self) -> Vec<String> {
        let log = self.ask("GET", "/v1/audit", &[&format!("authorization: {}", self.world.filled("$KEY"))]);
        let entries = log.body["entries"].as_array().unwrap_or_else(|| panic!("no log: {}", log.body)).iter().rev();
        let verb = |entry: &Value| entry["verb"].as_str().unwrap_or_default().to_string();
        entries.filter(|entry| entry["note"] == "OpenID Connect").map(verb).collect()
    }

    /// Nothing of what proves who somebody is stands in the log.
    fn quiet(&self, secrets: &[&str]) {
        let log = std::fs::read_to_string(self.world.path("server.log")).expect("there is a log");
        for secret in secrets.iter().chain(&[SECRET, "the-code"]) {
            assert!(!secret.is_empty() && !log.contains(secret), "`{secret}` is in the log");
        }
    }
}

impl Answer {
    fn header(&self, name: &str) -> String {
        let mut pairs = self.head.lines().filter_map(|line| line.split_once(": "));
        pairs.find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.into()).unwrap_or_default()
    }

    /// The value that a cookie is set to; it has to be out of the reach of scripts and of other sites.
    fn cookie(&self, name: &str) -> String {
        let lines = self.head.lines().filter_map(|line| line.strip_prefix("set-cookie: "));
        let mut ours = lines.filter_map(|line| line.strip_prefix(&format!("{name}=")));
        let Some((value, rest)) = ours.find_map(|line| line.split_once("; ")) else { return String::new() };
        assert!(rest.contains("HttpOnly") && rest.contains("SameSite=Lax"), "{rest}");
        assert!(!rest.contains("Secure"), "over http a browser would not keep it: {rest}");
        value.to_string()
    }

    fn refused(&self, status: &str, code: &str, said: &str) {
        assert_eq!((self.status.as_str(), self.body["code"].as_str()), (status, Some(code)), "{}", self.body);
        let message = self.body["message"].as_str().unwrap_or_default();
        assert!(message.contains(said), "`{message}` does not say `{said}`");
        assert!(self.cookie("hansel_session").is_empty(), "a session all the same");
    }
}

#[test]
fn who_signs_in_has_a_session_until_it_ends() {
    let door = Door::new(&["--oidc-allow-domain", "Example.org"]);
    let errand = door.begin("/login?to=/openapi.json");
    let sent = |name: &str| errand.sent.get(name).map(String::as_str).unwrap_or_default();
    assert_eq!((sent("response_type"), sent("client_id"), sent("tenant")), ("code", CLIENT, "one"));
    assert_eq!((sent("code_challenge_method"), sent("scope")), ("S256", "openid email profile"));
    assert!(sent("state").len() >= 43 && sent("nonce").len() >= 43 && sent("state") != sent("nonce"));
    let token = door.token(&door.claims(sent("nonce")));
    let answer = door.back(&errand, token.clone());
    assert_eq!(
        (answer.status.as_str(), answer.header("location").as_str()),
        ("302", "/openapi.json"),
        "{}",
        answer.body
    );
    let text = answer.cookie("hansel_session");
    assert_eq!(text.len(), 64);
    let cookie = format!("cookie: a=b; hansel_session={text}");
    assert_eq!(door.me(&cookie).body["data"]["me"]["email"], "ann@example.com");
    // A key wins, also a wrong one.
    let ask = |headers: &[&str]| door.ask("GET", "/users/me", headers);
    let key = format!("authorization: {}", door.world.filled("$KEY"));
    assert_ne!(ask(&[&cookie, &key]).body["data"]["me"]["email"], "ann@example.com");
    ask(&[&cookie, "authorization: grtu0"]).refused("401", "auth.key_unknown", "the API key");
    door.me(&format!("cookie: hansel_session={}", text.replace(['0', '1', '2', '3'], "4"))).refused(
        "401",
        "auth.token_refused",
        "the session",
    );

    // Somebody new, of a domain that is let in; the domain in any case, and not as the end of another.
    let new = door.comes(|claims| claims["email"] = json!("Eve@EXAMPLE.org"));
    let other = format!("cookie: hansel_session={}", new.cookie("hansel_session"));
    let eve = door.me(&other).body["data"]["me"].clone();
    assert_eq!(
        (&eve["email"], &eve["firstname"], &eve["administrator"]),
        (&json!("Eve@EXAMPLE.org"), &json!("Ann"), &json!(false))
    );
    for email in ["x@notexample.org", "x@example.com", "x@example.org.evil.com", "\u{212a}ate@example.org"] {
        let refused = door.comes(|claims| claims["email"] = json!(email));
        assert!(["401", "403"].contains(&refused.status.as_str()), "{email}: {}", refused.body);
        assert!(refused.cookie("hansel_session").is_empty());
    }

    let own = format!("origin: http://{}", door.world.address());
    let ended = door.ask("POST", "/logout", &[&cookie, &own]);
    assert_eq!((ended.status.as_str(), ended.cookie("hansel_session").as_str()), ("200", ""), "{}", ended.body);
    door.me(&cookie).refused("401", "auth.token_refused", "the session");
    assert_eq!(door.me(&other).status, "200");
    let second = door.comes(|claims| claims["email"] = json!("eve@example.org"));
    let second = format!("cookie: hansel_session={}", second.cookie("hansel_session"));
    assert_eq!(door.ask("POST", "/logout?everywhere=true", &[&second, "x-hansel-session: 1"]).status, "200");
    door.me(&other).refused("401", "auth.token_refused", "the session");
    let third = door.comes(|claims| claims["email"] = json!("eve@example.org"));
    let third = format!("cookie: hansel_session={}", third.cookie("hansel_session"));
    let ends = |key: &str| {
        let key = format!("authorization: {}", door.world.filled(key));
        door.ask("DELETE", "/v1/users/eve@example.org/sessions", &[&key]).status
    };
    assert_eq!((ends("$ANN").as_str(), door.me(&third).status.as_str()), ("404", "200"));
    assert_eq!((ends("$KEY").as_str(), door.me(&third).status.as_str()), ("200", "401"));
    assert_eq!(door.audited(), ["login", "create", "login", "logout", "login", "logout", "login"]);
    door.quiet(&[&token, &text]);
}

#[test]
fn a_token_that_is_not_meant_for_this_login_opens_nothing() {
    let door = Door::new(&[]);
    assert_eq!(door.comes(|_| {}).status, "302");
    type Change = fn(&mut Value);
    let refused: [(Change, &str); 14] = [
        (|claims| claims["nonce"] = json!("another"), "another login"),
        (|claims| claims["nonce"] = Value::Null, "another login"),
        (|claims| claims["aud"] = json!("another"), "another client"),
        (|claims| claims["aud"] = json!([]), "another client"),
        (|claims| claims["aud"] = json!([CLIENT, "another"]), "another client"),
        (|claims| claims["azp"] = json!("another"), "another client"),
        (|claims| claims["iss"] = json!("https://evil.example.com"), "another issuer"),
        (|claims| claims["exp"] = json!(now() - 120), "expired"),
        (|claims| claims["exp"] = Value::Null, "until when"),
        (|claims| claims["nbf"] = json!(now() + 600), "not hold yet"),
        (|claims| claims["iat"] = json!(now() + 600), "not hold yet"),
        (|claims| claims["email_verified"] = json!(false), "not verified"),
        (|claims| claims["email_verified"] = json!("false"), "not verified"),
        (|claims| claims["email"] = Value::Null, "no e-mail address"),
    ];
    for (change, said) in refused {
        door.comes(change).refused("401", "auth.token_refused", said);
    }
    door.comes(|claims| claims["email"] = json!("bob@example.com")).refused("403", "permission.denied", "no user");
    // Small differences of clocks, many audiences with us as the one asked for, and no word about the address are well.
    assert_eq!(door.comes(|claims| claims["exp"] = json!(now() as f64 - 10.5)).status, "302");
    let many = |claims: &mut Value| {
        claims["aud"] = json!(["another", CLIENT]);
        claims["azp"] = json!(CLIENT);
        claims["email_verified"] = Value::Null;
    };
    assert_eq!(door.comes(many).status, "302");
}

#[test]
fn only_the_issuers_own_signatures_hold() {
    let door = Door::new(&[]);
    let (p256, ed25519, strange) = (Pair::p256(), Pair::ed25519(), Pair::rsa());
    door.issuer.gives(&p256, "two");
    door.issuer.gives(&ed25519, "three");
    let claims = door.claims("");
    let asked = |pair: &Pair, header: Value| {
        let token = pair.token(&header, &claims);
        let answer = door.me(&format!("authorization: Bearer {token}"));
        assert!(!answer.body.to_string().contains(&token), "the token comes back");
        answer
    };
    for (pair, header) in [
        (&door.pair, json!({ "alg": "RS256", "kid": KEY })),
        (&door.pair, json!({ "alg": "RS256" })),
        (&door.pair, json!({ "alg": "PS256", "kid": KEY, "typ": "at+jwt" })),
        (&p256, json!({ "alg": "ES256", "kid": "two" })),
        (&ed25519, json!({ "alg": "EdDSA", "kid": "three" })),
    ] {
        let answer = asked(pair, header.clone());
        assert_eq!(answer.body["data"]["me"]["email"], "ann@example.com", "{header}: {}", answer.body);
    }
    for (pair, header, said) in [
        (&door.pair, json!({ "alg": "none", "kid": KEY }), "`none`"),
        (&door.pair, json!({ "alg": "HS256", "kid": KEY }), "`HS256`"),
        (&strange, json!({ "alg": "RS256", "kid": KEY }), "signature"),
        (&strange, json!({ "alg": "RS256" }), "signature"),
        (&strange, json!({ "alg": "RS256", "kid": "four" }), "a key that the issuer does not have"),
        (&door.pair, json!({ "alg": "RS256", "kid": "two" }), "signature"),
        (&door.pair, json!({ "alg": "ES256", "kid": KEY }), "signature"),
        (&door.pair, json!({ "alg": "RS256", "kid": KEY, "typ": "logout+jwt" }), "another kind"),
        (&door.pair, json!({ "alg": "RS256", "kid": KEY, "crit": ["exp"] }), "extensions"),
    ] {
        asked(pair, header).refused("401", "auth.token_refused", said);
    }
    // What was signed is what is believed.
    let token = door.token(&claims);
    let parts: Vec<&str> = token.split('.').collect();
    let mut other = claims.clone();
    other["email"] = json!("root@localhost");
    let forged = format!("{}.{}.{}", parts[0], coded(other.to_string().as_bytes()), parts[2]);
    let unsigned = format!("{}.{}.", parts[0], parts[1]);
    for odd in [forged.as_str(), &unsigned, "..", "a.b.c", &format!("{token}="), &format!("{token}A")] {
        let answer = door.me(&format!("authorization: Bearer {odd}"));
        assert_eq!(
            (answer.status.as_str(), answer.body["code"].as_str()),
            ("401", Some("auth.token_refused")),
            "{odd}"
        );
    }
    // A key that was taken into use since is found; for keys that are made up the issuer is not asked each time.
    let before = door.issuer.said().asked;
    for number in 0..40 {
        asked(&strange, json!({ "alg": "RS256", "kid": format!("made-up-{number}") }));
    }
    let asked_for = door.issuer.said().asked - before;
    assert!(asked_for <= 6, "the issuer was asked {asked_for} times");
    door.quiet(&[&token]);
}

#[test]
fn a_new_key_of_the_issuer_is_found() {
    let door = Door::new(&[]);
    assert_eq!(door.comes(|_| {}).status, "302");
    let newer = Pair::p256();
    door.issuer.gives(&newer, "newer");
    let token = newer.token(&json!({ "alg": "ES256", "kid": "newer" }), &door.claims(""));
    assert_eq!(door.me(&format!("authorization: Bearer {token}")).status, "200");
}

#[test]
fn a_login_belongs_to_the_browser_that_began_it() {
    let door = Door::new(&[]);
    let (mine, other) = (door.begin("/login"), door.begin("/login"));
    let (state, cookie) = (&mine.sent["state"], &mine.cookie);
    let came = |query: &str, cookie: &str| {
        door.ask("GET", &format!("/login/callback?{query}"), &[&format!("cookie: hansel_login={cookie}")])
    };
    let not_begun = "not begun by this browser";
    came(&format!("code=c&state={state}"), &other.cookie).refused("400", "request.invalid", not_begun);
    came(&format!("code=c&state={state}"), "").refused("400", "request.invalid", not_begun);
    came("code=c", cookie).refused("400", "request.invalid", not_begun);
    let longer = cookie.replacen(".1", ".2", 1);
    assert_ne!(longer, *cookie);
    came(&format!("code=c&state={state}"), &longer).refused("400", "request.invalid", not_begun);
    came(&format!("state={state}"), cookie).refused("400", "request.invalid", "no `code`");
    came(&format!("state={state}&error=access_denied"), cookie).refused("403", "permission.denied", "`access_denied`");
    came(&format!("state={state}&code=c&iss=https://evil.example.com"), cookie).refused(
        "401",
        "auth.token_refused",
        "another issuer",
    );
    came(&format!("state={state}&code=never-given"), cookie).refused("401", "auth.token_refused", "answered 400");
    // The code of one login does not end another, since its verifier is another.
    let grant = Grant {
        challenge: other.sent["code_challenge"].clone(),
        back: other.sent["redirect_uri"].clone(),
        token: door.token(&door.claims(&mine.sent["nonce"])),
    };
    door.issuer.said().codes.insert("stolen".into(), grant);
    came(&format!("state={state}&code=stolen"), cookie).refused("401", "auth.token_refused", "answered 400");
    for to in ["//evil.example.com", "https://evil.example.com", "/\\evil.example.com", "api", "/a%0d%0ab", "/%5cevil"]
    {
        door.ask("GET", &format!("/login?to={to}"), &[]).refused("400", "request.invalid", "`to`");
    }
}

#[test]
fn pages_of_others_cannot_use_a_session() {
    let door = Door::new(&[]);
    let cookie = format!("cookie: hansel_session={}", door.comes(|_| {}).cookie("hansel_session"));
    let own = format!("origin: http://{}", door.world.address());
    let other_port = format!("{own}0");
    for headers in [
        &[][..],
        &["origin: https://evil.example.com"],
        &["origin: https://evil.example.com", "x-hansel-session: 1"],
        &["origin: null", "x-hansel-session: 1"],
        &[&other_port],
        &["sec-fetch-site: cross-site"],
        &["sec-fetch-site: same-site", "x-hansel-session: 1"],
        &["sec-fetch-site: none"],
        &[&own, "sec-fetch-site: cross-site"],
        &["x-hansel-session: 0"],
    ] {
        let headers = [&[cookie.as_str()], headers].concat();
        for (method, path) in [("POST", "/projects"), ("POST", "/logout"), ("DELETE", "/v1/keys/k_0")] {
            door.ask(method, path, &headers).refused("403", "permission.denied", "a page of this server");
        }
    }
    for header in ["x-hansel-session: 1", &own, "sec-fetch-site: same-origin"] {
        let made = door.ask("POST", "/projects", &[&cookie, header]);
        assert_eq!(made.status, "200", "{header}: {}", made.body);
    }
    assert_eq!(door.ask("GET", "/projects", &[&cookie, "sec-fetch-site: cross-site"]).status, "200");
    // Without its cookie there is nothing to end.
    let key = format!("authorization: {}", door.world.filled("$KEY"));
    door.ask("POST", "/logout", &[&key, "x-hansel-session: 1"]).refused("401", "auth.key_missing", "no session");
}

#[test]
fn behind_https_cookies_are_for_https_only() {
    let door = Door::new(&["--public-url", "https://hansel.example.com/"]);
    let begun = door.ask("GET", "/login", &[]);
    assert!(begun.head.lines().any(|line| line.starts_with("set-cookie: hansel_login=") && line.ends_with("; Secure")));
    let place = plain(&begun.header("location"));
    assert!(place.contains("&redirect_uri=https://hansel.example.com/login/callback&"), "{place}");
    let sent = place.split('&').filter_map(|pair| pair.split_once('='));
    let sent: BTreeMap<String, String> = sent.map(|(name, value)| (name.into(), value.into())).collect();
    let kept = begun.head.lines().find_map(|line| line.strip_prefix("set-cookie: hansel_login=")).unwrap_or_default();
    let errand = Errand { cookie: kept.split(';').next().unwrap_or_default().into(), sent };
    let came = door.back(&errand, door.token(&door.claims(&errand.sent["nonce"])));
    let kept = came.head.lines().find_map(|line| line.strip_prefix("set-cookie: hansel_session=")).unwrap_or_default();
    assert!(kept.ends_with("; Secure"), "{kept}: {}", came.body);
    // The browser knows the server by the public name only.
    let cookie = format!("cookie: hansel_session={}", kept.split(';').next().unwrap_or_default());
    let made = door.ask("POST", "/projects", &[&cookie, "origin: https://hansel.example.com"]);
    assert_eq!(made.status, "200", "{}", made.body);
}

#[test]
fn an_issuer_that_is_of_no_use_is_named() {
    for (name, lie, said) in [
        ("issuer", "http://127.0.0.1:1", "it calls itself"),
        ("jwks_uri", "http://example.com/keys", "is not `https`"),
        ("authorization_endpoint", "javascript:alert(1)", "is not an address"),
    ] {
        let door = Door::new(&[]);
        door.issuer.said().lies.insert(name.into(), lie.into());
        door.ask("GET", "/login", &[]).refused("503", "server.unready", said);
        // It is not asked again at once, and keys open as ever.
        door.ask("GET", "/login", &[]).refused("503", "server.unready", "a moment ago");
        assert_eq!(door.me(&format!("authorization: {}", door.world.filled("$ANN"))).status, "200");
    }
}

#[test]
fn without_an_issuer_there_is_no_such_door() {
    let mut world = World::new();
    world.obey_served(&["serve"], &[]).expect("it serves");
    let (status, text) = world.ask("GET", "/login", "NOBODY", ("", "")).expect("an answer");
    assert_eq!(status, "404");
    assert!(text.contains("--oidc-issuer"), "{text}");
    for (arguments, said) in [
        (&["--oidc-issuer", "https://login.example.com"][..], "go together"),
        (&["--oidc-issuer", "http://login.example.com", "--oidc-client-id", "a"], "is not `https`"),
        (&["--oidc-issuer", "https://a:b@login.example.com", "--oidc-client-id", "a"], "a password before its host"),
        (&["--oidc-issuer", "login", "--oidc-client-id", "a"], "https://host/path"),
        (&["--oidc-issuer", "https://a", "--oidc-client-id", "a", "--oidc-allow-domain", "@b.com"], "`@b.com`"),
    ] {
        let output = world.command(&[&["serve", "--listen", "127.0.0.1:0"], arguments].concat()).output();
        let error = String::from_utf8_lossy(&output.expect("it runs").stderr).into_owned();
        assert!(error.contains(said), "{arguments:?}: {error}");
    }
}
