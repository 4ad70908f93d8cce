//! Kinds of values: the words of a column and its name come in, what they are (names, e-mail addresses, telephone
//! numbers) goes out. Values decide; a name only where values leave it open.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::makers::fake_lists::{FIRMS, STREETS, TITLES, first_name, fold, last_name, listed};
use crate::makers::ids::Check;

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// First names.
    First,
    /// Last names.
    Last,
    /// Names of persons, first and last.
    Full,
    /// E-mail addresses.
    Mail,
    /// User names.
    User,
    /// Names of companies.
    Company,
    /// Web addresses.
    Url,
    /// Domains.
    Domain,
    /// Postal addresses, or the street alone.
    Address,
    /// Names of places.
    City,
    /// Telephone numbers.
    Phone,
    /// Numbers of social security, as in the United States.
    Social,
    /// Card numbers with a check digit.
    Card,
    /// Account numbers of ISO 13616.
    Iban,
    /// IP addresses of four octets.
    Ipv4,
    /// IP addresses of eight groups.
    Ipv6,
    /// Addresses of network cards.
    Mac,
    /// UUIDs of any version.
    Uuid,
    /// Hexadecimal digits, twelve or more.
    Hash,
    /// Anything without blanks and with digits.
    Code,
}

impl Kind {
    /// All, in the order of their numbers in saved models.
    pub(crate) const ALL: [Kind; 20] = [
        Kind::First,
        Kind::Last,
        Kind::Full,
        Kind::Mail,
        Kind::User,
        Kind::Company,
        Kind::Url,
        Kind::Domain,
        Kind::Address,
        Kind::City,
        Kind::Phone,
        Kind::Social,
        Kind::Card,
        Kind::Iban,
        Kind::Ipv4,
        Kind::Ipv6,
        Kind::Mac,
        Kind::Uuid,
        Kind::Hash,
        Kind::Code,
    ];

    /// What they are called in a note.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Kind::First => "first names",
            Kind::Last => "last names",
            Kind::Full => "names of persons",
            Kind::Mail => "e-mail addresses",
            Kind::User => "user names",
            Kind::Company => "names of companies",
            Kind::Url => "web addresses",
            Kind::Domain => "domains",
            Kind::Address => "postal addresses",
            Kind::City => "names of places",
            Kind::Phone => "telephone numbers",
            Kind::Social => "social security numbers",
            Kind::Card => "card numbers",
            Kind::Iban => "account numbers (IBAN)",
            Kind::Ipv4 | Kind::Ipv6 => "IP addresses",
            Kind::Mac => "MAC addresses",
            Kind::Uuid => "UUIDs",
            Kind::Hash => "hexadecimal codes",
            Kind::Code => "codes",
        }
    }

    /// Whether its values are made sign by sign, of themselves; others are made of words and names.
    pub(crate) fn code(self) -> bool {
        self >= Kind::Phone
    }

    /// Whether a single value points to one person or account, however many rows hold it.
    pub(crate) fn personal(self) -> bool {
        self.named() || matches!(self, Kind::Mail | Kind::Phone | Kind::Social | Kind::Card | Kind::Iban)
    }

    /// Whether its values are words that name a person or a household, and might name something else.
    pub(crate) fn named(self) -> bool {
        matches!(self, Kind::First | Kind::Last | Kind::Full | Kind::User | Kind::Address)
    }
}

impl Kind {
    /// Whether a listed word of a column of this kind may be written as it is: it stands for no one.
    pub(crate) fn common(self, word: &str) -> bool {
        let blank = fold(word).len() < 2
            || listed(
                "n/a na none null unknown anonymous anonym nobody other missing unspecified undefined withheld private not-given",
                &word.trim().to_lowercase(),
            );
        match self {
            Kind::Mail => blank || !word.contains('@'),
            Kind::First | Kind::Last | Kind::Full | Kind::Address | Kind::User => blank,
            Kind::Company | Kind::City | Kind::Url | Kind::Domain => true,
            _ => blank || !word.bytes().any(|b| b.is_ascii_digit()),
        }
    }
}

/// What is asked of a value.
type Test<'t> = &'t dyn Fn(&str) -> bool;

/// Share of values that must be of a kind that a pattern tells.
const MOST: f64 = 0.9;

/// The kind of these different words of the column `name`, if they have one.
pub(crate) fn kind_of(name: &str, words: &[&str]) -> Option<Kind> {
    if words.len() < 5 {
        return None;
    }
    let step = words.len().div_ceil(2000);
    let sample: Vec<&str> = words.iter().step_by(step).map(|word| word.trim()).collect();
    let share =
        |test: &dyn Fn(&str) -> bool| sample.iter().filter(|word| test(word)).count() as f64 / sample.len() as f64;
    let hint = Hint::of(name);
    let patterns: [(Kind, Test); 11] = [
        (Kind::Mail, &is_mail),
        (Kind::Url, &is_url),
        (Kind::Uuid, &is_uuid),
        (Kind::Ipv4, &|text| text.parse::<Ipv4Addr>().is_ok()),
        (Kind::Ipv6, &|text| text.parse::<Ipv6Addr>().is_ok()),
        (Kind::Mac, &is_mac),
        (Kind::Social, &is_social),
        (Kind::Card, &is_card),
        (Kind::Iban, &is_iban),
        (Kind::Phone, &|text| is_phone(text, hint.phone)),
        (Kind::Domain, &is_domain),
    ];
    if let Some((kind, _)) = patterns.iter().find(|(_, test)| share(*test) >= MOST) {
        return Some(*kind);
    }
    if sample.iter().all(|text| is_hash(text)) {
        return Some(Kind::Hash);
    }
    if share(&is_mail) > 0.6 {
        return Some(Kind::Mail);
    }
    let length = sample[0].len();
    let token = length >= 8 && sample.iter().all(|text| text.len() == length && !text.contains(' '));
    let code = share(&is_code);
    word_kind(&hint, &share).or_else(|| (code > if token { 0.7 } else { 0.98 }).then_some(Kind::Code))
}

/// The kind of values that are words.
fn word_kind(hint: &Hint, share: &dyn Fn(Test) -> f64) -> Option<Kind> {
    let single = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_alphabetic() || "-' .’".contains(c));
    let part = |text: &str, nth: usize| text.split([' ', '-']).nth(nth).map(fold).unwrap_or_default();
    let firm = |text: &str| text.split([' ', ',', '.']).skip(1).any(|word| listed(FIRMS, &word.to_lowercase()));
    let street = |text: &str| {
        let mut words = text.split(|c: char| !c.is_alphanumeric());
        let digits = text.bytes().any(|b| b.is_ascii_digit());
        digits && words.any(|word| listed(STREETS, &word.to_lowercase()) || ends_as_street(word))
    };
    if share(&street) > 0.4 || (hint.address && share(&|text| has_number_and_word(text)) > 0.7) {
        return Some(Kind::Address);
    }
    let wordy = share(&single);
    let names = |text: &str| -> bool {
        let parts: Vec<String> = text
            .split([' ', ','])
            .filter(|word| !listed(TITLES, &word.trim_end_matches('.').to_lowercase()))
            .map(fold)
            .filter(|word| word.len() > 1)
            .collect();
        (2..=4).contains(&parts.len())
            && parts.iter().any(|word| first_name(word))
            && parts.iter().all(|word| word.bytes().all(|b| b.is_ascii_alphabetic()))
    };
    let full = share(&names);
    let two = share(&|text| {
        (2..=5).contains(&text.split_whitespace().count())
            && text.chars().all(|c| c.is_alphabetic() || " .,-'’".contains(c))
    });
    if hint.company || share(&firm) > 0.15 {
        let capital = share(&|text| text.chars().next().is_some_and(char::is_uppercase));
        if share(&firm) > 0.15 || capital > 0.8 {
            return Some(Kind::Company);
        }
    }
    if full > if hint.person { 0.1 } else { 0.5 } && two > 0.7 || (hint.full && two > 0.8) {
        return Some(Kind::Full);
    }
    if share(&user_like) > 0.6 {
        return Some(Kind::User);
    }
    if hint.user && share(&|text| !text.contains(' ') && text.len() >= 3) > 0.95 {
        return Some(Kind::User);
    }
    if wordy < 0.9 {
        return None;
    }
    if hint.city && share(&|text| text.chars().next().is_some_and(char::is_uppercase)) > 0.9 {
        return Some(Kind::City);
    }
    let firsts = share(&|text| first_name(&part(text, 0)) && !text.contains(' '));
    let lasts = share(&|text| last_name(&part(text, 0)) && !text.trim().contains(' '));
    if hint.first || hint.last {
        let enough = firsts.max(lasts) > 0.05;
        return enough.then_some(if hint.first { Kind::First } else { Kind::Last });
    }
    if firsts > 0.6 && firsts > lasts + 0.15 {
        return Some(Kind::First);
    }
    (lasts > 0.6).then_some(Kind::Last)
}

/// What the name of a column hints at.
struct Hint {
    first: bool,
    last: bool,
    full: bool,
    person: bool,
    user: bool,
    phone: bool,
    company: bool,
    city: bool,
    address: bool,
}

impl Hint {
    fn of(name: &str) -> Hint {
        let lower: String = name.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
        let any = |words: &[&str]| words.iter().any(|word| lower.contains(word));
        let user = any(&["username", "userid", "login", "nickname", "screenname"]) || lower == "user";
        let company = any(&["company", "employer", "organi", "firma", "business", "vendor", "supplier"]);
        let first = any(&["firstname", "givenname", "forename", "vorname", "fname", "prenom"]);
        let last = any(&["lastname", "surname", "familyname", "nachname", "lname", "nomdefamille"]);
        let place = any(&["city", "town", "file", "product", "item", "country", "state", "street"]);
        let first = first || lower == "first" || lower == "given";
        let last = last || lower == "last" || lower == "family";
        Hint {
            first,
            last,
            full: any(&["fullname", "personname", "customername", "patientname", "contactname", "employeename"]),
            person: !first && !last && !place && !user && !company && (any(&["name"]) || lower == "person"),
            user,
            phone: any(&["phone", "mobile", "tel", "fax", "cell"]),
            company,
            city: any(&["city", "town", "village", "municipality", "ville"]) || lower == "ort" || lower == "stadt",
            address: any(&["address", "street", "adresse", "strasse"]) && !any(&["mail", "ip", "mac"]),
        }
    }
}

/// Whether it is an e-mail address.
pub(crate) fn is_mail(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let sign = |c: char| c.is_alphanumeric() || "._%+-'".contains(c);
    !local.is_empty() && local.chars().all(sign) && is_domain(domain)
}

fn is_domain(text: &str) -> bool {
    let labels: Vec<&str> = text.split('.').collect();
    let label = |label: &&str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-');
    let ending = labels.last().is_some_and(|end| end.len() >= 2 && end.chars().all(char::is_alphabetic));
    labels.len() >= 2 && labels.iter().all(label) && ending
}

fn is_url(text: &str) -> bool {
    let rest = match text.split_once("://") {
        Some((scheme, rest)) if scheme.chars().all(|c| c.is_ascii_alphabetic()) => rest,
        None if text.starts_with("www.") => text,
        _ => return false,
    };
    let host = rest.split(['/', '?', '#', ':']).next().unwrap_or("");
    is_domain(host) && !text.contains(' ')
}

fn is_uuid(text: &str) -> bool {
    let bare = text.strip_prefix('{').and_then(|t| t.strip_suffix('}')).unwrap_or(text);
    let hex = |part: &str, length: usize| part.len() == length && part.bytes().all(|b| b.is_ascii_hexdigit());
    let parts: Vec<&str> = bare.split('-').collect();
    parts.len() == 5 && parts.iter().zip([8, 4, 4, 4, 12]).all(|(part, length)| hex(part, length))
}

fn is_mac(text: &str) -> bool {
    let sign = if text.contains(':') { ':' } else { '-' };
    let parts: Vec<&str> = text.split(sign).collect();
    parts.len() == 6 && parts.iter().all(|part| part.len() == 2 && part.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn is_social(text: &str) -> bool {
    text.len() == 11
        && text.bytes().enumerate().all(|(at, b)| if at == 3 || at == 6 { b == b'-' } else { b.is_ascii_digit() })
}

fn is_card(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let sign = |b: u8| b.is_ascii_digit() || b == b' ' || b == b'-';
    (13..=19).contains(&digits) && text.bytes().all(sign) && Check::Luhn.holds(text)
}

fn is_iban(text: &str) -> bool {
    let bare = text.bytes().filter(u8::is_ascii_alphanumeric).count();
    let head = text
        .as_bytes()
        .get(..4)
        .is_some_and(|head| head[..2].iter().all(u8::is_ascii_uppercase) && head[2..].iter().all(u8::is_ascii_digit));
    head && (15..=34).contains(&bare) && Check::Iban.holds(text)
}

fn is_phone(text: &str, hinted: bool) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let signs = text.bytes().filter(|b| b"+()-. /".contains(b)).count();
    let rest = text.trim_end_matches(|c: char| c.is_ascii_digit());
    let extension = ["x", "ext", "ext.", " x", " ext. "].iter().any(|mark| rest.trim_end().ends_with(mark.trim()));
    let letters = text.bytes().filter(u8::is_ascii_alphabetic).count();
    let date =
        text.len() == 10 && text.bytes().filter(|b| *b == b'-' || *b == b'.' || *b == b'/').count() == 2 && digits == 8;
    let plain = signs + digits + letters == text.len() && (letters == 0 || (extension && letters <= 4));
    let decimal = text.bytes().filter(|b| *b == b'.').count() == 1 && signs == 1;
    let told = text.starts_with('+') || text.starts_with('(') || signs >= 2;
    (7..=20).contains(&digits) && plain && (hinted || (told && !date && !decimal))
}

/// Whether names are found in a word of small letters, with digits and signs between.
fn user_like(text: &str) -> bool {
    let small = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    if text.len() < 4 || !text.chars().all(small) {
        return false;
    }
    let mut runs = text.split(|c: char| !c.is_ascii_lowercase()).filter(|run| run.len() > 1);
    runs.clone().count() > 0
        && runs.any(|run| {
            let parts = 1..run.len();
            let alone = text.len() > run.len() && (first_name(run) || last_name(run));
            alone
                || parts.clone().any(|at| {
                    (at > 2 && first_name(&run[..at]) && run.len() - at > 2)
                        || (run.len() - at > 2 && at > 2 && first_name(&run[at..]))
                        || (at == 1 && last_name(&run[at..]))
                })
        })
}

/// Whether it is a code: no blanks, and a digit.
fn is_code(text: &str) -> bool {
    !text.is_empty()
        && !text.contains(char::is_whitespace)
        && text.bytes().any(|b| b.is_ascii_digit())
        && text.len() < 80
}

fn is_hash(text: &str) -> bool {
    let signs = text.bytes().filter(|b| b.is_ascii_hexdigit()).count();
    signs >= 12 && signs == text.len() && text.bytes().any(|b| b.is_ascii_alphabetic())
}

fn ends_as_street(word: &str) -> bool {
    let lower = word.to_lowercase();
    ["straße", "strasse", "str", "weg", "gasse", "allee", "platz", "straat", "laan"]
        .iter()
        .any(|end| lower.len() > end.len() + 1 && lower.ends_with(end))
}

fn has_number_and_word(text: &str) -> bool {
    text.split_whitespace().any(|word| word.bytes().any(|b| b.is_ascii_digit()))
        && text.split_whitespace().any(|word| word.chars().count() > 2 && word.chars().all(char::is_alphabetic))
}
