//! Tokens of texts: a text comes in, its words, numbers and signs go out, each with the blank before it, so that they can
//! be joined to the same text again.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    /// Letters, with apostrophes and hyphens inside.
    Word,
    /// Digits.
    Number,
    /// Anything else.
    Sign,
}

/// The tokens of a text: a blank belongs to the token behind it, other white space is a token of its own.
pub(crate) fn split(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let blank = rest.len() - rest.strip_prefix(' ').unwrap_or(rest).len();
        let body = &rest[blank..];
        let Some(first) = body.chars().next() else {
            tokens.push(rest);
            break;
        };
        let length = if first.is_alphabetic() {
            word_length(body)
        } else if first.is_ascii_digit() {
            body.find(|c: char| !c.is_ascii_digit()).unwrap_or(body.len())
        } else if first == ' ' {
            // More blanks than one stand for themselves.
            0
        } else {
            body.find(|c: char| c != first).unwrap_or(body.len())
        };
        let end = (blank + length).max(1);
        tokens.push(&rest[..end]);
        rest = &rest[end..];
    }
    tokens
}

fn word_length(body: &str) -> usize {
    let mut end = 0;
    let mut letters = body.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let inner = matches!(letter, '\'' | '’' | '-') && letters.peek().is_some_and(|next| next.1.is_alphabetic());
        let mark = ('\u{300}'..='\u{36f}').contains(&letter) || ('\u{900}'..='\u{e7f}').contains(&letter);
        if !letter.is_alphabetic() && !inner && !mark {
            break;
        }
        end = at + letter.len_utf8();
    }
    end
}

/// What a token is.
pub(crate) fn sort_of(token: &str) -> Sort {
    match token.trim_start_matches(' ').chars().next() {
        Some(first) if first.is_alphabetic() => Sort::Word,
        Some(first) if first.is_ascii_digit() => Sort::Number,
        _ => Sort::Sign,
    }
}

/// A word or number without its blank and in small letters; nothing for signs.
pub(crate) fn spoken(token: &str) -> Option<String> {
    (sort_of(token) != Sort::Sign).then(|| token.trim_start_matches(' ').to_lowercase())
}
