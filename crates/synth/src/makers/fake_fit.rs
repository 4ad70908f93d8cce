//! Fitting of fakers: the text columns of a table come in, which of them are of a kind whose values can be made up, how,
//! and which belong to one persona goes out.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use arrow_array::{Array, StringArray};
use rayon::prelude::*;
use table::{Table, Values};

use crate::encode::{Encoded, Scale};
use crate::makers::fake_cast::Lot;
use crate::makers::fake_code::plan_codes;
use crate::makers::fake_form::{Domains, Form, Part, Persona, Piece, form_of, learn, running, widened};
use crate::makers::fake_group::{Groups, group};
use crate::makers::fake_kind::{Kind, kind_of};
use crate::makers::fake_lists::{first_name, fold, last_name, region_of};
use crate::makers::fake_numeral::decimals;
use crate::makers::fake_parse::{Named, parse_name, parse_user, parse_words, split_name};
use crate::makers::fake_person::names_people;
use crate::makers::fake_rename::{Stand, Stood, stand_in};
use crate::makers::faker::{Cast, Craft, Faker, with_number};
use crate::makers::ids::plan_texts;
use crate::random::{Random, mix};
use crate::sieve::Sieve;

/// Share of present rows whose words are held by too few rows, from which on new ones are made.
pub(crate) const RARE_MIN: f64 = 0.3;

/// Different values that forms are learned from at most.
const VALUES_MAX: usize = 20_000;

/// A text column of a kind.
pub(crate) struct Typed<'a> {
    /// Position in the table.
    pub(crate) at: usize,
    /// What its values are.
    pub(crate) kind: Kind,
    /// Different values and the first row of each.
    pub(crate) words: Vec<(&'a str, u32)>,
    /// The value of each row.
    pub(crate) cells: Vec<Option<&'a str>>,
    /// Rows that hold a value.
    pub(crate) present: usize,
    /// Whether its values are made; else they are listed.
    pub(crate) made: bool,
    /// Whether something made up stands for each listed value.
    pub(crate) renamed: bool,
    /// Whether all are different.
    pub(crate) unique: bool,
    /// Whether last names stand before first names.
    pub(crate) turned: bool,
}

/// What became of a column.
pub(crate) struct Found {
    /// What makes its values.
    pub(crate) faker: Box<Faker>,
    /// What stands for its listed values, in their order.
    pub(crate) words: Option<Vec<String>>,
    /// What a note says of it.
    pub(crate) how: String,
}

/// The fakers of a table, by column; none of what they make is a name of `beside` either.
pub(crate) fn find_fakers(
    real: &Table,
    beside: Option<&Table>,
    encoded: &[Encoded],
    floor: usize,
    seed: u64,
) -> Vec<Option<Found>> {
    let mut typed: Vec<Typed> =
        (0..real.columns()).into_par_iter().filter_map(|at| typed(real, at, &encoded[at])).collect();
    let groups = group(&typed);
    for nth in 0..typed.len() {
        let column = &typed[nth];
        let sure = || names_people(real.name(column.at), column.kind, &column.words, groups.linked(&typed, nth));
        typed[nth].renamed = !column.made && sure();
    }
    let learned: Vec<Option<Craft>> = (0..typed.len())
        .into_par_iter()
        .map(|nth| craft(&typed, nth, &groups, floor, mix(seed ^ mix(typed[nth].at as u64 + 1))))
        .collect();
    let mut stand = stand_for(&typed, beside, seed);
    let stood: Vec<Option<Stood>> = (0..typed.len())
        .map(|nth| {
            let stands = typed[nth].renamed && learned[nth].is_some();
            stands.then(|| stand_in(&typed, nth, &groups, &encoded[typed[nth].at], &mut stand))
        })
        .collect();
    let mut found: Vec<Option<Found>> = (0..real.columns()).map(|_| None).collect();
    for (number, members) in groups.members.iter().enumerate() {
        let able: Vec<usize> = members.iter().copied().filter(|&nth| learned[nth].is_some()).collect();
        let lot =
            Lot { typed: &typed, able: &able, groups: &groups, number, learned: &learned, encoded, stood: &stood };
        let cast = lot.cast(&stand, mix(seed ^ number as u64));
        let mut first = Some(cast.clone());
        for &nth in &able {
            let column = &typed[nth];
            let Some(craft) = &learned[nth] else { continue };
            let words = stood[nth].as_ref().map(|stood| match stood.words.is_empty() {
                true => rename(column, craft, &cast, &stood.names, &encoded[column.at], seed),
                false => stood.words.clone(),
            });
            let how = match &words {
                Some(_) => "a made-up one stands for each".to_string(),
                None => format!("new ones are made, {}", said(craft, column.kind, groups.people(number))),
            };
            let faker = Box::new(Faker {
                kind: column.kind,
                craft: craft.clone(),
                group: number as u16,
                unique: column.unique,
                listed: words.as_ref().map(|_| encoded[column.at].rare_rows as f64 / column.present.max(1) as f64),
                known: sieve(column, mix(seed ^ mix(column.at as u64 + 77))),
                cast: first.take(),
            });
            found[column.at] = Some(Found { faker, words, how });
        }
    }
    found
}

/// Stand-ins for the names of all columns, which are none of them.
fn stand_for(typed: &[Typed], beside: Option<&Table>, seed: u64) -> Stand {
    let named = || typed.iter().filter(|column| matches!(column.kind, Kind::First | Kind::Last | Kind::Full));
    let words = || named().flat_map(|column| column.words.iter().map(|word| (column.kind, word.0)));
    let region = region_of(words().flat_map(|word| word.1.split([' ', ','])).filter(|word| word.len() > 1));
    let mut stand = Stand::new(region, mix(seed ^ 0x7374_616e));
    words().for_each(|(kind, word)| stand.avoid(kind, word));
    for (column, beside) in named().filter_map(|column| Some((column, beside?))) {
        if let Values::Text(values) = beside.values(column.at) {
            let words = values.values().as_any().downcast_ref::<StringArray>();
            words.iter().flat_map(|words| words.iter()).flatten().for_each(|word| stand.avoid(column.kind, word));
        }
    }
    stand
}

/// What a note says of where the values come from; `people` columns of the group name a person.
fn said(craft: &Craft, kind: Kind, people: usize) -> &'static str {
    let Craft::Forms(_, domains) = craft else { return "in the same forms" };
    match kind {
        Kind::First | Kind::Last => "from public lists",
        Kind::Full if people < 2 => "from public lists",
        Kind::Full => "from the row's own names",
        Kind::Mail | Kind::User if people > 0 => "from the row's own names",
        _ if domains.of_company.iter().sum::<f64>() > 0.1 => "from the row's own company",
        _ => "in the same forms, of public lists of names",
    }
}

fn typed<'a>(real: &'a Table, at: usize, encoded: &Encoded) -> Option<Typed<'a>> {
    let Values::Text(values) = real.values(at) else { return None };
    let dictionary = values.values().as_any().downcast_ref::<StringArray>()?;
    let cells: Vec<Option<&str>> =
        (0..values.len()).map(|row| values.key(row).map(|key| dictionary.value(key))).collect();
    let mut seen = HashSet::new();
    let mut words = Vec::new();
    let mut present = 0;
    for (row, cell) in cells.iter().enumerate() {
        let Some(cell) = cell else { continue };
        present += 1;
        if seen.insert(*cell) {
            words.push((*cell, row as u32));
        }
    }
    let kind = kind_of(real.name(at), &words.iter().map(|word| word.0).collect::<Vec<_>>())?;
    let made = encoded.rare_rows as f64 >= RARE_MIN * present as f64;
    let unique = words.len() == present && present >= 10;
    // Identifiers of few forms have a maker of their own, which knows of ascending ones.
    let formed = || {
        let texts: Vec<&str> = cells.iter().flatten().copied().collect();
        !decimals(&texts) && plan_texts(&texts, 0).is_some()
    };
    if kind == Kind::Code && (!made || unique && formed()) {
        return None;
    }
    let turned = kind == Kind::Full && {
        let votes = words.iter().take(2000).map(|(word, _)| {
            let name = split_name(word, false);
            let (first, last) = (fold(&name.first), fold(&name.last));
            (first_name(&last) as i32 + last_name(&first) as i32)
                - (first_name(&first) as i32 + last_name(&last) as i32)
        });
        votes.sum::<i32>() > 0
    };
    Some(Typed { at, kind, words, cells, present, made, renamed: false, unique, turned })
}

fn sieve(column: &Typed, key: u64) -> Sieve {
    let mut known = Sieve::new(column.words.len(), key);
    column.words.iter().for_each(|word| known.add(word.0.as_bytes()));
    known
}

/// How the values of a column are made; none if they keep to no form.
fn craft(typed: &[Typed], nth: usize, groups: &Groups, floor: usize, key: u64) -> Option<Craft> {
    let column = &typed[nth];
    if !column.made && !column.renamed {
        return None;
    }
    let valid: Vec<&str> = column.words.iter().map(|word| word.0).collect();
    if column.kind.code() {
        return plan_codes(&valid, column.kind, !column.unique && column.made, floor, key).map(Craft::Code);
    }
    let step = column.words.len().div_ceil(VALUES_MAX);
    let sample: Vec<(&str, u32)> = column.words.iter().step_by(step).copied().collect();
    let shared = shared_words(&sample, column.kind, floor);
    let shared = |word: &str| shared.contains(word);
    let named = |row: u32| groups.named(typed, nth, row);
    let mut parsed: Vec<Vec<Piece>> = sample
        .iter()
        .filter_map(|&(word, row)| {
            Some(match column.kind {
                Kind::First | Kind::Last => parse_single(word, column.kind),
                Kind::Full => parse_name(word, &groups.shown(typed, nth, row), column.turned),
                Kind::Mail => {
                    let (local, _) = word.split_once('@')?;
                    let mut pieces = parse_user(local, &named(row), &shared);
                    pieces.extend([Piece::Lit("@".into()), Piece::Domain]);
                    pieces
                }
                Kind::User => parse_user(word, &named(row), &shared),
                Kind::Domain => vec![Piece::Domain],
                Kind::Url => parse_url(word, &shared)?,
                _ => parse_words(word, &shared, false),
            })
        })
        .collect();
    if parsed.is_empty() {
        return None;
    }
    widened(&mut parsed);
    let domains = learn_domains(typed, nth, groups, &sample, floor);
    Some(Craft::Forms(learn(&parsed, floor), domains))
}

/// A first or a last name alone; further names are someone's.
fn parse_single(word: &str, kind: Kind) -> Vec<Piece> {
    let (part, other) = if kind == Kind::First { (Part::First, Part::Middle) } else { (Part::Last, Part::OtherLast) };
    let pieces = parse_name(word, &Named::default(), false).into_iter().enumerate().scan(false, |own, (_, piece)| {
        Some(match piece {
            Piece::Part { cut, case, plain, .. } => {
                let part = if *own { other } else { part };
                *own = true;
                Piece::Part { part, cut, case, plain }
            }
            Piece::Pick(words) if words[0].0.chars().count() == 1 => Piece::Lit(words[0].0.clone()),
            other => other,
        })
    });
    pieces.collect()
}

fn parse_url(word: &str, shared: &dyn Fn(&str) -> bool) -> Option<Vec<Piece>> {
    let (host, path) = split_url(word)?;
    let start = word.len() - host.len() - path.len();
    let mut pieces = vec![Piece::Lit(word[..start].to_string()), Piece::Domain];
    pieces.extend(parse_words(path, shared, true));
    Some(pieces)
}

/// Host (without `www.`) and what follows it.
pub(crate) fn split_url(word: &str) -> Option<(&str, &str)> {
    let rest = word.split_once("://").map_or(word, |parts| parts.1);
    let rest = rest.strip_prefix("www.").unwrap_or(rest);
    let end = rest.find(['/', '?', '#', ':']).unwrap_or(rest.len());
    (end > 0).then(|| rest.split_at(end))
}

/// The domain that a value of the kind shows.
pub(crate) fn domain_in(word: &str, kind: Kind) -> Option<&str> {
    match kind {
        Kind::Mail => word.split_once('@').map(|parts| parts.1),
        Kind::Url => split_url(word).map(|parts| parts.0),
        Kind::Domain => Some(word),
        _ => None,
    }
}

/// Words that enough different values hold to be no one's own; among user names, no names.
fn shared_words<'a>(sample: &[(&'a str, u32)], kind: Kind, floor: usize) -> BTreeSet<std::borrow::Cow<'a, str>> {
    let user = matches!(kind, Kind::Mail | Kind::User);
    let least = floor.max(sample.len() / if user { 100 } else { 200 });
    let mut held: BTreeMap<std::borrow::Cow<str>, usize> = BTreeMap::new();
    for (word, _) in sample {
        let part = match kind {
            Kind::Mail => word.split('@').next().unwrap_or(""),
            Kind::Url => split_url(word).map_or("", |parts| parts.1),
            Kind::User | Kind::Company | Kind::Address | Kind::City => word,
            _ => return BTreeSet::new(),
        };
        let runs: BTreeSet<&str> = part.split(|c: char| !c.is_alphabetic() && c != '\'').collect();
        for run in runs.into_iter().filter(|run| !run.is_empty()) {
            let run = if user { run.to_lowercase().into() } else { std::borrow::Cow::Borrowed(run) };
            *held.entry(run).or_default() += 1;
        }
    }
    held.retain(|word, count| *count >= least && !(user && (first_name(word) || last_name(word))));
    held.into_keys().collect()
}

/// Which domains there are, and whether the others are those of the row's company.
fn learn_domains(typed: &[Typed], nth: usize, groups: &Groups, sample: &[(&str, u32)], floor: usize) -> Domains {
    let kind = typed[nth].kind;
    let mut held: BTreeMap<String, u32> = BTreeMap::new();
    let each = || sample.iter().filter_map(|&(word, row)| Some((domain_in(word, kind)?.to_lowercase(), row)));
    each().for_each(|(domain, _)| *held.entry(domain).or_default() += 1);
    let shared = running(held.iter().filter(|d| *d.1 >= floor as u32).map(|(d, n)| (d.clone(), *n)));
    let mut domains = Domains { shared, ..Domains::default() };
    let mut endings: BTreeMap<String, u32> = BTreeMap::new();
    for (domain, row) in each().filter(|(domain, _)| held[domain] < floor as u32) {
        let Some((stem, ending)) = domain.split_once('.') else { continue };
        domains.made += 1;
        *endings.entry(ending.to_string()).or_default() += 1;
        let Some(company) = groups.company(typed, nth, row) else { continue };
        let word = fold(company.split([' ', ',']).next().unwrap_or(""));
        let stem = fold(stem);
        if stem == fold(company) {
            domains.of_company[1] += 1.0;
        } else if stem == word {
            domains.of_company[0] += 1.0;
        }
    }
    let made = domains.made.max(1) as f64;
    domains.of_company.iter_mut().for_each(|share| *share /= made);
    let many = endings.values().any(|rows| *rows >= floor as u32);
    endings.retain(|_, rows| *rows >= if many { floor as u32 } else { 2 });
    domains.endings = running(endings.into_iter());
    domains
}

/// New words in the place of a column's listed ones, for whom they speak of.
fn rename(
    column: &Typed,
    craft: &Craft,
    cast: &Cast,
    names: &[[String; 2]],
    encoded: &Encoded,
    seed: u64,
) -> Vec<String> {
    let Scale::Text { words } = &encoded.scale else { return Vec::new() };
    let mut taken: BTreeSet<String> = column.words.iter().map(|word| word.0.to_string()).collect();
    let nobody: [String; 2] = Default::default();
    let mut renamed = Vec::with_capacity(words.len());
    for (at, word) in words.iter().enumerate() {
        if column.kind.common(word) {
            renamed.push(word.clone());
            continue;
        }
        let name = names.get(at).unwrap_or(&nobody);
        let mut text = String::new();
        for attempt in 0..40 {
            let mut random = Random::at(&[seed, 0x7265_6e61, column.at as u64, at as u64, attempt]);
            text = match craft {
                Craft::Code(plan) => plan.id(at as u64 * 40 + attempt, words.len() as u64 * 40, seed),
                Craft::Forms(forms, domains) => write_one(forms, domains, cast, name, &mut random),
            };
            if attempt > 30 {
                text = with_number(&text, random.below(1000) as u64);
            }
            if taken.insert(text.clone()) {
                break;
            }
        }
        renamed.push(text);
    }
    renamed
}

fn write_one(forms: &[Form], domains: &Domains, cast: &Cast, name: &[String; 2], random: &mut Random) -> String {
    let any = |list: &[String], given: &str, random: &mut Random| match given.is_empty() {
        true => list.get(random.below(list.len())).cloned().unwrap_or_default(),
        false => given.to_string(),
    };
    let who = Persona {
        first: any(&cast.words.firsts, &name[0], random).into(),
        last: any(&cast.words.lasts, &name[1], random).into(),
        company: "".into(),
        dice: random.next(),
        owned: true,
    };
    let mut text = String::new();
    if let Some(form) = form_of(forms, random) {
        form.write(&who, &cast.words, domains, random, &mut text);
    }
    text
}
