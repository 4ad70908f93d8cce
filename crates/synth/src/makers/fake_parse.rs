//! Parsing of typed values: a training value and the names of its row come in, the pieces of its form go out. A word that
//! few rows share becomes a part to be made up, whatever it is.

use crate::makers::fake_form::{Case, Part, Piece, Plain, joined};
use crate::makers::fake_lists::{TITLES, first_name, fold, fold_wide, last_name, listed};

/// The names that stand in the other columns of a row; empty where none does.
#[derive(Clone, Debug, Default)]
pub(crate) struct Named {
    /// First name, as written.
    pub(crate) first: String,
    /// Last name, as written.
    pub(crate) last: String,
}

/// A person's name. `turned` says that the last name stands before the first where no comma tells.
pub(crate) fn parse_name(text: &str, row: &Named, turned: bool) -> Vec<Piece> {
    let lower = |word: &str| word.to_lowercase();
    let (first, last) = (lower(&row.first), lower(&row.last));
    let named = !first.is_empty() || !last.is_empty();
    let mut tokens: Vec<(&str, Option<Piece>)> = Vec::new();
    let mut rest = text;
    let ends = |after: &str| after.chars().next().is_none_or(|c| !c.is_alphanumeric());
    while let Some(letter) = rest.chars().next() {
        let of_row = [(&first, Part::First), (&last, Part::Last)].into_iter().find_map(|(name, part)| {
            let length: usize = rest.chars().take(name.chars().count()).map(char::len_utf8).sum();
            let found = !name.is_empty() && lower(&rest[..length]) == **name && ends(&rest[length..]);
            found.then_some((length, part))
        });
        let (length, piece) = match of_row {
            Some((length, part)) => {
                let as_written = if part == Part::First { &row.first } else { &row.last };
                let same = *as_written == rest[..length];
                (length, Some(Piece::whole(part, if same { Case::Kept } else { Case::of(&rest[..length]) })))
            }
            None if !letter.is_alphabetic() => (letter.len_utf8(), Some(Piece::Lit(letter.to_string()))),
            None => {
                let inner = |c: char| c.is_alphabetic() || c == '\'' || c == '’';
                let length = rest.find(|c| !inner(c)).unwrap_or(rest.len());
                (length, None)
            }
        };
        tokens.push((&rest[..length], piece));
        rest = &rest[length..];
    }
    name_tokens(tokens, named, turned || text.contains(", "))
}

/// Gives parts to the tokens that have none yet: titles, initials, then names by their place.
fn name_tokens(tokens: Vec<(&str, Option<Piece>)>, named: bool, turned: bool) -> Vec<Piece> {
    let word = |token: &(&str, Option<Piece>)| {
        token.1.is_none() && token.0.chars().count() > 1 && !listed(TITLES, &token.0.to_lowercase())
    };
    let words = tokens.iter().filter(|token| word(token)).count();
    let mut nth = 0;
    let mut pieces = Vec::new();
    for (text, piece) in tokens {
        let case = Case::of(text);
        if let Some(piece) = piece {
            pieces.push(piece);
            continue;
        }
        if listed(TITLES, &text.to_lowercase()) {
            pieces.push(Piece::Pick(vec![(text.to_string(), 1)]));
            continue;
        }
        if text.chars().count() == 1 {
            pieces.push(Piece::Part { part: Part::Middle, cut: 1, case: Case::of(text), plain: Plain::No });
            continue;
        }
        let part = match (named, nth, turned) {
            (true, ..) => Part::Middle,
            (false, 0, true) => Part::Last,
            (false, 0, false) => Part::First,
            (false, 1, true) => Part::First,
            (false, at, false) if at + 1 == words => Part::Last,
            _ => Part::Middle,
        };
        nth += 1;
        pieces.push(Piece::whole(part, if case == Case::Title { Case::Kept } else { case }));
    }
    joined(pieces)
}

/// What stands before the `@` of an e-mail address, or a user name. `shared` knows the words that many rows hold.
pub(crate) fn parse_user(text: &str, row: &Named, shared: &dyn Fn(&str) -> bool) -> Vec<Piece> {
    let (first, last) = (fold(&row.first), fold(&row.last));
    if text.is_ascii() && (!first.is_empty() || !last.is_empty()) {
        let lower = text.to_ascii_lowercase();
        for (first, last, plain) in [
            (&first, &last, Plain::Fold),
            (&fold_wide(&row.first), &fold_wide(&row.last), Plain::Wide),
            (&row.first.to_lowercase(), &row.last.to_lowercase(), Plain::No),
        ] {
            let names = Names { text, lower: &lower, first, last, plain };
            let mut pieces = Vec::new();
            if names.found(0, &mut pieces) && tells(&pieces) {
                return joined(pieces);
            }
        }
    }
    let named = !first.is_empty() && !last.is_empty();
    let mut guess = Guess { first: named, last: named, pieces: Vec::new() };
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let same = |c: char| {
            if letter.is_alphabetic() {
                c.is_alphabetic()
            } else if letter.is_ascii_digit() {
                c.is_ascii_digit()
            } else {
                false
            }
        };
        let length = rest.find(|c| !same(c)).unwrap_or(rest.len()).max(letter.len_utf8());
        let run = &rest[..length];
        if letter.is_ascii_digit() {
            guess.pieces.push(Piece::digits(run));
        } else if !letter.is_alphabetic() || shared(&run.to_lowercase()) {
            guess.pieces.push(Piece::Lit(run.to_string()));
        } else {
            guess.word(run);
        }
        rest = &rest[length..];
    }
    joined(guess.pieces)
}

/// Whether the pieces tell whose they are.
fn tells(pieces: &[Piece]) -> bool {
    pieces.iter().any(|piece| matches!(piece, Piece::Part { cut, .. } if *cut == 0 || *cut >= 3))
}

/// A text, and the names of its row as they may stand in it.
struct Names<'a> {
    text: &'a str,
    lower: &'a str,
    first: &'a str,
    last: &'a str,
    plain: Plain,
}

impl Names<'_> {
    /// Takes the text from `at` on apart into the names, their beginnings, digits and signs, the longest first.
    fn found(&self, at: usize, pieces: &mut Vec<Piece>) -> bool {
        let Names { text, lower, first, last, plain } = *self;
        let Some(&byte) = lower.as_bytes().get(at) else { return true };
        if pieces.len() > 8 {
            return false;
        }
        let run = lower[at..].bytes().take_while(u8::is_ascii_digit).count();
        if run > 0 || !byte.is_ascii_alphabetic() {
            let length = run.max(1);
            let end = at + length;
            pieces.push(if run > 0 { Piece::digits(&text[at..end]) } else { Piece::Lit(text[at..end].to_string()) });
            if self.found(end, pieces) {
                return true;
            }
            pieces.pop();
            return false;
        }
        let mut choices: Vec<(Part, usize, usize)> = Vec::new();
        for (part, name) in [(Part::Last, last), (Part::First, first)] {
            if name.len() >= 2 && lower[at..].starts_with(name) {
                choices.push((part, name.len(), 0));
            }
        }
        for (part, name) in [(Part::First, first), (Part::Last, last)] {
            let shared = name.bytes().zip(lower[at..].bytes()).take_while(|(a, b)| a == b).count().min(name.len());
            let cuts = (1..=shared.min(8)).rev().filter(|&cut| cut < name.len() && (cut == 1 || cut >= 3));
            choices.extend(cuts.map(|cut| (part, cut, cut)));
        }
        for (part, length, cut) in choices {
            let slice = &text[at..at + length];
            let case = if length == 1 && slice.bytes().all(|b| b.is_ascii_uppercase()) {
                Case::Upper
            } else {
                Case::of(slice)
            };
            pieces.push(Piece::Part { part, cut: cut as u8, case, plain });
            if self.found(at + length, pieces) {
                return true;
            }
            pieces.pop();
        }
        false
    }
}

/// Words of a user name told by lists of names.
struct Guess {
    first: bool,
    last: bool,
    pieces: Vec<Piece>,
}

impl Guess {
    fn word(&mut self, run: &str) {
        let word = run.to_lowercase();
        let letters: Vec<usize> = word.char_indices().map(|(at, _)| at).chain([word.len()]).collect();
        let count = letters.len() - 1;
        if count == 1 {
            return self.first_part(run, 1);
        }
        if first_name(&word) && !(self.first && last_name(&word)) {
            return self.first_part(run, 0);
        }
        if last_name(&word) {
            return self.last_part(run, 0);
        }
        if word.is_ascii() && run.is_ascii() {
            if count >= 4 && last_name(&word[1..]) {
                self.first_part(&run[..1], 1);
                return self.last_part(&run[1..], 0);
            }
            let split = (2..count.saturating_sub(1)).find(|&at| first_name(&word[..at]) && last_name(&word[at..]));
            if let Some(at) = split {
                self.first_part(&run[..at], 0);
                return self.last_part(&run[at..], 0);
            }
            // A first name at one end, and what may be a last name at the other.
            if let Some(at) = (3..count.saturating_sub(2)).rev().find(|&at| first_name(&word[..at])) {
                self.first_part(&run[..at], 0);
                return self.last_part(&run[at..], 0);
            }
            if let Some(at) = (3..count.saturating_sub(2)).find(|&at| first_name(&word[at..])) {
                self.last_part(&run[..at], 0);
                return self.first_part(&run[at..], 0);
            }
            if count >= 4 && first_name(&word[..count - 1]) {
                self.first_part(&run[..count - 1], 0);
                return self.last_part(&run[count - 1..], 1);
            }
        }
        self.last_part(run, 0)
    }

    fn first_part(&mut self, run: &str, cut: u8) {
        let part = if self.first { Part::OtherFirst } else { Part::First };
        self.first |= cut == 0;
        let case = if cut == 1 && run.chars().all(char::is_uppercase) { Case::Upper } else { Case::of(run) };
        self.pieces.push(Piece::Part { part, cut, case, plain: Plain::Fold });
    }

    fn last_part(&mut self, run: &str, cut: u8) {
        let part = if self.last { Part::OtherLast } else { Part::Last };
        self.last |= cut == 0;
        self.pieces.push(Piece::Part { part, cut, case: Case::of(run), plain: Plain::Fold });
    }
}

/// Words, digits and signs: addresses, companies, paths. Words that many rows hold may be picked, others are made up, as
/// plain words where `nouns` says so.
pub(crate) fn parse_words(text: &str, shared: &dyn Fn(&str) -> bool, nouns: bool) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let word = |c: char| c.is_alphabetic() || c == '\'';
        let length = if letter.is_ascii_digit() {
            rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())
        } else if letter.is_alphabetic() {
            rest.find(|c| !word(c)).unwrap_or(rest.len())
        } else {
            letter.len_utf8()
        };
        let run = &rest[..length];
        pieces.push(if letter.is_ascii_digit() {
            Piece::digits(run)
        } else if !letter.is_alphabetic() {
            Piece::Lit(run.to_string())
        } else if shared(run) {
            Piece::Pick(vec![(run.to_string(), 1)])
        } else {
            let part = if nouns { Part::Noun } else { Part::Word };
            let case = if Case::of(run) == Case::Kept { Case::Title } else { Case::of(run) };
            Piece::Part { part, cut: 0, case, plain: if nouns { Plain::Fold } else { Plain::No } }
        });
        rest = &rest[length..];
    }
    joined(pieces)
}

/// First and last name of a full name, by their places.
pub(crate) fn split_name(text: &str, turned: bool) -> Named {
    let turned = turned || text.contains(", ");
    let proper = |word: &&str| word.chars().count() > 1 && !listed(TITLES, &word.to_lowercase());
    let words: Vec<&str> = text.split([' ', ',', '.']).filter(proper).collect();
    let at = |nth: usize| words.get(nth).map(|word| word.to_string()).unwrap_or_default();
    match (words.len(), turned) {
        (0 | 1, _) => Named { first: at(0), last: String::new() },
        (_, true) => Named { first: at(1), last: at(0) },
        (count, false) => Named { first: at(0), last: at(count - 1) },
    }
}
