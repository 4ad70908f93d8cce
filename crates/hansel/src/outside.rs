//! Which addresses a server may reach for its users: data sources and webhooks. In: an address that a user wrote. Out:
//! what lies there, or a refusal. Nothing may be reached unless whoever started the server named its host, and what a
//! name stands for is judged at every connection, so that a name cannot change its meaning behind a check.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ureq::http::Uri;
use workflow::{Code, Failure};

use crate::outgoing::Outgoing;

/// Longest address, in bytes.
const URL_MAX: usize = 2048;
/// Longest wait for a connection, its name included.
const CONNECT: Duration = Duration::from_secs(10);
/// Longest silence while a file is fetched or an answer awaited.
const SILENCE: Duration = Duration::from_secs(30);
/// Longest time that fetching one file may take.
const FETCH: Duration = Duration::from_secs(3600);
/// Longest time that one message may take.
const POST: Duration = Duration::from_secs(30);

/// What may be reached, and how much may be fetched.
pub(crate) struct Outside {
    allowed: Arc<Vec<Allowed>>,
    bytes_max: u64,
}

/// One host, or all below one.
#[derive(Debug)]
struct Allowed {
    /// A name or an address in the form of a URL; `*` for all, or a name with `*.` before it for those below it.
    host: String,
    port: Port,
    /// Whether `http` may be used too.
    plain: bool,
    /// Whether the host may stand for an address of a private network or of this machine.
    private: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Port {
    /// That of the scheme.
    Usual,
    Any,
    One(u16),
}

impl Outside {
    /// With these entries of `--allow-url`; a file that is fetched has at most `bytes_max` bytes.
    pub(crate) fn new(entries: &[String], bytes_max: u64) -> Result<Outside, Failure> {
        let allowed = entries
            .iter()
            .map(|entry| entry.trim())
            .filter(|entry| !entry.is_empty())
            .map(Allowed::parse)
            .collect::<Result<Vec<_>, _>>();
        allowed.map(|allowed| Outside { allowed: Arc::new(allowed), bytes_max }).map_err(|message| {
            Failure::new(Code::Usage, message)
                .hint("Entries are `host`, `*.domain` or `*`, with `http://` before, `:port` and `+private` behind.")
        })
    }

    /// Fails unless an address may be reached, as far as its text says.
    pub(crate) fn check(&self, url: &str) -> Result<(), Failure> {
        let shown = shown(url);
        let refused = |why: String| Err(Failure::new(Code::ConfigInvalid, format!("the address `{shown}` {why}")));
        if self.allowed.is_empty() {
            return refused("may not be reached, since this server reaches none".into()).map_err(|failure: Failure| {
                failure.hint("Whoever starts the server may allow a host with `--allow-url`; uploaded files need none.")
            });
        }
        let Some(target) = Target::read(url) else {
            return refused("is not one of the form `https://host/path`".into());
        };
        let named: Vec<&Allowed> = self.allowed.iter().filter(|allowed| allowed.names(&target.host)).collect();
        if named.is_empty() {
            return refused(format!("may not be reached; the host `{}` is not allowed", target.host));
        }
        if !named.iter().any(|allowed| allowed.takes(&target)) {
            return refused(format!("may not be reached; `{}` is allowed by another scheme or port only", target.host));
        }
        Ok(())
    }

    /// Fetches what lies at an address into a new file; gives the name of the file as the address has it.
    pub(crate) fn fetch(&self, url: &str, into: &Path, stop: &dyn Fn() -> bool) -> Result<String, Failure> {
        self.check(url)?;
        let failed = |why: &str| Failure::new(Code::DataUnreadable, format!("data source `{}`: {why}", shown(url)));
        let request = self.agent()?.get(url).config().timeout_global(Some(FETCH)).build();
        let answer = request.call().map_err(|error| failed("cannot be fetched").cause(error))?;
        let status = answer.status().as_u16();
        if status != 200 {
            let hint = "A redirect is not followed: name the address that it leads to.";
            let failure = failed(&format!("the server answered {status}"));
            return Err(if (300..400).contains(&status) { failure.hint(hint) } else { failure });
        }
        let mut reader = answer.into_body().into_reader();
        let unusable = |error| Failure::new(Code::HomeUnusable, "what is fetched cannot be kept").cause(error);
        let mut file = std::fs::File::create(into).map_err(unusable)?;
        let (mut buffer, mut bytes) = (vec![0; 1 << 16], 0);
        loop {
            if stop() {
                return Err(Failure::new(Code::RunCancelled, "stopped while a data source was fetched"));
            }
            let count = reader.read(&mut buffer).map_err(|error| failed("the answer broke off").cause(error))?;
            if count == 0 {
                return Ok(file_name(url));
            }
            bytes += count as u64;
            if bytes > self.bytes_max {
                return Err(failed(&format!("it is longer than {} bytes, which may be fetched", self.bytes_max)));
            }
            file.write_all(&buffer[..count]).map_err(unusable)?;
        }
    }

    /// Posts JSON to an address; what is answered is not read beyond its status, which has to be one of success.
    pub(crate) fn post(&self, url: &str, headers: &[(&str, String)], body: &str) -> Result<(), String> {
        // The address of a webhook may be a secret in itself, and this is logged.
        self.check(url).map_err(|_| "its address may not be reached from here any more")?;
        let agent = self.agent().map_err(|failure| failure.message)?;
        let mut request = agent.post(url).config().timeout_global(Some(POST)).build();
        request = request.header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let answer = request.send(body).map_err(|error| error.to_string().replace('\n', " "))?;
        match answer.status().as_u16() {
            200..300 => Ok(()),
            status => Err(format!("the receiver answered {status}")),
        }
    }

    /// An agent that follows no redirect and goes nowhere but where the rule lets it.
    fn agent(&self) -> Result<ureq::Agent, Failure> {
        let allowed = self.allowed.clone();
        let rule = move |host: &str, address: std::net::SocketAddr| {
            let host = host.to_ascii_lowercase();
            allowed.iter().any(|entry| entry.names(&host) && entry.leads_to(address.ip()))
        };
        Outgoing { connect: CONNECT, silence: SILENCE, redirects: 0, rule: Some(Arc::new(rule)) }.agent()
    }
}

/// An address as this module judges it.
struct Target {
    host: String,
    plain: bool,
    port: Option<u16>,
}

impl Target {
    fn read(url: &str) -> Option<Target> {
        let uri: Uri = url.parse().ok().filter(|_| url.len() <= URL_MAX)?;
        let plain = match uri.scheme_str()? {
            "https" => false,
            "http" => true,
            _ => return None,
        };
        let authority = uri.authority()?;
        // A name and a password in front of the host would be a secret in a config.
        let odd = authority.as_str().contains('@') || uri.host()?.is_empty();
        let host = uri.host()?.trim_end_matches('.').to_ascii_lowercase();
        (!odd).then_some(Target { host, plain, port: uri.port_u16() })
    }
}

impl Allowed {
    fn parse(entry: &str) -> Result<Allowed, String> {
        let odd = |why: &str| Err(format!("`{entry}` is not what `--allow-url` takes: {why}"));
        let (plain, rest) = match (entry.strip_prefix("http://"), entry.strip_prefix("https://")) {
            (Some(rest), _) => (true, rest),
            (_, rest) => (false, rest.unwrap_or(entry)),
        };
        let (rest, private) = rest.strip_suffix("+private").map_or((rest, false), |rest| (rest, true));
        // The colons of an address of version 6 stand within brackets.
        let port_at = rest.rfind(':').filter(|at| rest.rfind(']').is_none_or(|end| end < *at));
        let (host, port) = match port_at.map(|at| (&rest[..at], &rest[at + 1..])) {
            None => (rest, Port::Usual),
            Some((host, "*")) => (host, Port::Any),
            Some((host, port)) => match port.parse() {
                Ok(port) => (host, Port::One(port)),
                Err(_) => return odd("the port is not a number"),
            },
        };
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let name = host.strip_prefix("*.").unwrap_or(&host);
        let letters = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
        if name != "*" && (name.is_empty() || !name.chars().all(letters)) {
            return odd("the host is not a name");
        }
        if (private || plain) && host.contains('*') {
            return odd("`http://` and `+private` go with one host, not with all of a kind");
        }
        Ok(Allowed { host, port, plain, private })
    }

    fn names(&self, host: &str) -> bool {
        match self.host.strip_prefix('*') {
            Some("") => true,
            Some(end) => host.len() > end.len() && host.ends_with(end),
            None => self.host == host.trim_end_matches('.'),
        }
    }

    fn takes(&self, target: &Target) -> bool {
        let usual = if target.plain { 80 } else { 443 };
        let port = target.port.unwrap_or(usual);
        let fits = match self.port {
            Port::Usual => port == usual,
            Port::Any => true,
            Port::One(one) => port == one,
        };
        fits && (self.plain || !target.plain)
    }

    fn leads_to(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        public(address) || (self.private && !link_local(address))
    }
}

/// Whether an address is one of the open network, and of no network within (IANA's special-purpose registries).
fn public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            !(v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_multicast()
                || v4.is_documentation()
                || a == 0
                || a >= 240
                || (a == 100 && (64..128).contains(&b))
                || (a == 198 && (18..20).contains(&b))
                || (a == 192 && b == 0 && c == 0)
                || (a == 192 && b == 88 && c == 99))
        }
        IpAddr::V6(v6) => {
            let [first, second, ..] = v6.segments();
            // 2000::/3 without documentation, Teredo and its like, and 6to4, which stand for other addresses.
            first & 0xe000 == 0x2000
                && first != 0x2002
                && first != 0x3fff
                && !(first == 0x2001 && (second < 0x200 || second == 0xdb8))
        }
    }
}

/// Where machines find the metadata of their cloud; no name that a user writes has a reason to lead there.
fn link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_link_local() || v4 == Ipv4Addr::UNSPECIFIED || v4.is_multicast(),
        IpAddr::V6(v6) => {
            let metadata = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
            v6.segments()[0] & 0xffc0 == 0xfe80 || v6 == metadata || v6.is_unspecified() || v6.is_multicast()
        }
    }
}

/// The last part of the path; its ending says what the file is.
fn file_name(url: &str) -> String {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let last = path.rsplit('/').next().unwrap_or_default();
    let name: String = last.chars().filter(|c| c.is_ascii_alphanumeric() || "._-".contains(*c)).take(100).collect();
    if name.is_empty() { "data".into() } else { name }
}

/// An address without its query, which may hold a signature.
fn shown(url: &str) -> String {
    url.split(['?', '#']).next().unwrap_or_default().chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_named_may_be_reached() {
        let entries = ["data.example.com", "*.example.org:8443", "http://files.lan:8080+private", "[2001:db8::1]:*"];
        let outside = Outside::new(&entries.map(String::from), 10).expect("the entries are right");
        for url in [
            "https://data.example.com/a.csv",
            "https://DATA.example.com./a.csv",
            "https://a.b.example.org:8443/x",
            "http://files.lan:8080/x",
            "https://[2001:db8::1]:1/x",
        ] {
            assert!(outside.check(url).is_ok(), "{url}");
        }
        for url in [
            "http://data.example.com/a.csv",
            "https://data.example.com:22/",
            "https://data.example.com@evil.net/",
            "https://user:word@data.example.com/",
            "https://evil-data.example.com/",
            "https://example.org:8443/",
            "https://example.org.evil.net:8443/",
            "http://files.lan/x",
            "file:///etc/passwd",
            "//data.example.com/x",
            "ftp://data.example.com/",
        ] {
            assert!(outside.check(url).is_err(), "{url}");
        }
        assert!(Outside::new(&[], 10).expect("no entry is fine").check("https://data.example.com/").is_err());
        for entry in ["*+private", "http://*.example.com", "a b", "host:x", "https://host/path"] {
            assert!(Outside::new(&[entry.into()], 10).is_err(), "{entry}");
        }
    }

    #[test]
    fn an_inner_address_is_reached_only_under_a_name_that_may() {
        let open = Allowed::parse("host").expect("it is a name");
        let inner = Allowed::parse("host+private").expect("it is a name");
        for (address, by_open, by_inner) in [
            ("93.184.216.34", true, true),
            ("2606:2800:220:1::1", true, true),
            ("127.0.0.1", false, true),
            ("10.1.2.3", false, true),
            ("100.64.0.1", false, true),
            ("::1", false, true),
            ("fd12::1", false, true),
            ("::ffff:10.0.0.1", false, true),
            ("::ffff:93.184.216.34", true, true),
            ("169.254.169.254", false, false),
            ("::ffff:169.254.169.254", false, false),
            ("fd00:ec2::254", false, false),
            ("fe80::1", false, false),
            ("0.0.0.0", false, false),
            ("64:ff9b::a00:1", false, true),
            ("2002:a00:1::", false, true),
        ] {
            let address: IpAddr = address.parse().expect("it is an address");
            assert_eq!((open.leads_to(address), inner.leads_to(address)), (by_open, by_inner), "{address}");
        }
    }
}
