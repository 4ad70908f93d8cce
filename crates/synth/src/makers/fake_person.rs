//! Persons or things: the name of a column and its words come in, whether the words surely name persons goes out. Colours,
//! months and towns are names of persons too: where a column lists a few words, more is asked than that lists of names
//! have them.

use crate::makers::fake_kind::Kind;
use crate::makers::fake_lists::{first_name, fold, last_name, listed};

/// What a column speaks of that is named for it, and is no person.
const THINGS: &str = "city town village municipality country nation state county region province district borough neighborhood \
    neighbourhood place location product item sku article species genus family breed brand make model airport airline carrier \
    station stop line route branch store shop venue site building park river lake mountain island team club league party genre \
    category class type kind group color colour month day weekday season language currency course subject department sector \
    industry ship vessel boat aircraft hurricane storm cyclone song track album movie film book play game drug medicine disease \
    crop variety cultivar plant animal dish food wine beer cocktail hospital school university college hotel restaurant company \
    firm organization organisation bank vendor supplier manufacturer publisher label status level grade role job occupation \
    profession title religion ethnicity race relationship education degree material fabric style theme event project file \
    folder host server device machine engine planet star constellation element gene protein";

/// What a column speaks of that is a person.
const PEOPLE: &str = "person people customer client patient employee worker staff user member owner holder manager teacher doctor \
    physician nurse agent author writer seller buyer salesperson salesman rep player student pupil driver contact assignee \
    reporter creator recipient sender applicant candidate guest tenant resident passenger victim suspect officer attorney \
    lawyer judge clerk cashier trainer coach actor actress director singer artist husband wife spouse father mother child \
    parent guardian insured claimant subscriber attendee participant cardholder beneficiary payee donor voter first last \
    given surname firstname lastname forename vorname nachname fullname username login nickname";

/// Words of a column's name that say nothing of what it names.
const NEUTRAL: &str = "name names nm id code text value key full no number str string desc description 1 2 3";

/// The words of a column's name in small letters.
fn tokens(name: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![String::new()];
    let mut small = false;
    for letter in name.chars() {
        let start = !letter.is_alphanumeric() || (letter.is_uppercase() && small);
        if start && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if letter.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(letter.to_lowercase());
        }
        small = letter.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether a column of these listed words surely names persons or households. `linked` says that other columns of the
/// row show the same names.
pub(crate) fn names_people(name: &str, kind: Kind, words: &[(&str, u32)], linked: bool) -> bool {
    if !kind.named() {
        return kind.personal();
    }
    let tokens = tokens(name);
    let is = |list: &str, word: &str| listed(list, word) || listed(list, word.strip_suffix('s').unwrap_or(word));
    let head = tokens.iter().rev().find(|word| !listed(NEUTRAL, word));
    let joined: String = tokens.concat();
    let person = head.is_some_and(|word| is(PEOPLE, word))
        || ["firstname", "lastname", "surname", "fullname", "username", "forename"].iter().any(|w| joined.contains(w));
    let family_name = matches!(kind, Kind::Last) && head.is_some_and(|word| word == "family");
    if person || family_name {
        return true;
    }
    if head.is_some_and(|word| is(THINGS, word)) {
        return false;
    }
    let named = tokens.iter().any(|word| word == "name" || word == "names") || joined.ends_with("name");
    let count = words.len().max(1) as f64;
    let share = |test: &dyn Fn(&str) -> bool| words.iter().filter(|word| test(word.0)).count() as f64 / count;
    let part = |text: &str| text.split([' ', ',']).map(fold).filter(|word| word.len() > 1).collect::<Vec<_>>();
    match kind {
        _ if linked => true,
        Kind::Address => {
            ["address", "addr", "street", "adresse", "strasse", "residence", "home"].iter().any(|w| joined.contains(w))
        }
        Kind::User => ["user", "login", "nick", "screen", "account", "handle"].iter().any(|w| joined.contains(w)),
        Kind::Full => share(&|text| part(text).iter().any(|word| first_name(word))) > if named { 0.25 } else { 0.5 },
        _ if named => true,
        // A few colours may be last names all the same: most of the words have to be, if nothing else tells.
        Kind::First => share(&|text| part(text).iter().any(|word| first_name(word))) > 0.8,
        _ => share(&|text| part(text).iter().any(|word| last_name(word))) > 0.8,
    }
}
