//! What makes the values that no list may hold: identifiers, free text, names, addresses and numbers of a kind. In: training
//! values, which are forgotten. Out: new ones.

pub(crate) mod fake_cast;
pub(crate) mod fake_code;
pub(crate) mod fake_fit;
pub(crate) mod fake_form;
pub(crate) mod fake_group;
pub(crate) mod fake_kind;
pub(crate) mod fake_lists;
pub(crate) mod fake_numeral;
pub(crate) mod fake_parse;
pub(crate) mod fake_person;
pub(crate) mod fake_rename;
pub(crate) mod fake_told;
pub(crate) mod faker;
pub(crate) mod id_intent;
pub(crate) mod ids;
pub(crate) mod maker;
pub(crate) mod pattern;
pub(crate) mod text;
pub(crate) mod text_grams;
pub(crate) mod text_tokens;
