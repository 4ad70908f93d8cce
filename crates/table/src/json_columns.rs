//! Finds the columns of nested records. In: the values of every record. Out: the tree of keys that were met in sound
//! records, and how each column is written. Holds a few numbers a key, never its values.

use crate::dialect::Need;
use crate::json_scan::{Token, unescape};
use crate::json_tree::{Leaf, Missing, Node, Tree, path};
use crate::number::{Fraction, Number};
use crate::profile::{Profile, Written};
use crate::{Form, Kind, Spelling};

/// How one column is written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct JsonColumn {
    /// Quotes are those of a JSON string.
    pub written: Written,
    /// Whether a text is the JSON of its value: of an array, a map, or values of several sorts.
    pub raw: bool,
    /// Whether a missing value has no key; else it is written as `null`, or as the column's own word.
    pub absent: bool,
}

impl JsonColumn {
    /// The column whose texts are JSON.
    pub(crate) fn raw(name: &str, absent: bool) -> JsonColumn {
        let spelling = Spelling { form: Form::Plain, null: String::new() };
        JsonColumn { written: written(name, Kind::Text, spelling), raw: true, absent }
    }
}

fn written(name: &str, kind: Kind, spelling: Spelling) -> Written {
    Written {
        name: name.into(),
        kind,
        spelling,
        quoted: false,
        null_quoted: false,
        quotes_inside: true,
        space_led: false,
    }
}

/// What the values of one key seen so far allow.
struct Sorts {
    objects: u64,
    /// Objects without a present value.
    hollow: u64,
    nulls: u64,
    bools: u64,
    numbers: u64,
    /// Numbers with an exponent; and numbers of more digits than a double carries.
    exponents: u64,
    long: u64,
    words: u64,
    texts: u64,
    texts_empty: u64,
    others: u64,
    profile: Profile,
}

impl Sorts {
    fn new() -> Sorts {
        Sorts {
            objects: 0,
            hollow: 0,
            nulls: 0,
            bools: 0,
            numbers: 0,
            exponents: 0,
            long: 0,
            words: 0,
            texts: 0,
            texts_empty: 0,
            others: 0,
            profile: Profile::new(),
        }
    }

    fn scalars(&self) -> u64 {
        self.bools + self.numbers + self.words + self.texts + self.others
    }

    fn seen(&self) -> u64 {
        self.scalars() + self.objects + self.nulls
    }
}

/// What the records seen so far allow.
pub(crate) struct Sightings {
    records: u64,
    sorts: Vec<Sorts>,
    scratch: Vec<u8>,
}

impl Sightings {
    pub(crate) fn new() -> Sightings {
        Sightings { records: 0, sorts: Vec::new(), scratch: Vec::new() }
    }

    /// Takes the values of the next sound record.
    pub(crate) fn see(&mut self, record: &[u8], leaves: &[Leaf]) {
        self.records += 1;
        for (index, leaf) in leaves.iter().enumerate() {
            while self.sorts.len() <= leaf.node {
                self.sorts.push(Sorts::new());
            }
            let sorts = &mut self.sorts[leaf.node];
            let bytes = &record[leaf.span.clone()];
            match leaf.token {
                Token::Null => sorts.nulls += 1,
                Token::Bool => sorts.bools += 1,
                Token::Number => {
                    sorts.numbers += 1;
                    sorts.exponents += u64::from(bytes.iter().any(|byte| matches!(byte, b'e' | b'E')));
                    sorts.long += u64::from(!carried(bytes));
                    sorts.profile.see(bytes, false, Need::None);
                }
                Token::Word => {
                    sorts.words += 1;
                    sorts.profile.see(bytes, false, Need::None);
                }
                Token::Text { escaped } => {
                    let text = if escaped {
                        self.scratch.clear();
                        unescape(bytes, &mut self.scratch);
                        &self.scratch
                    } else {
                        bytes
                    };
                    sorts.texts += 1;
                    sorts.texts_empty += u64::from(text.is_empty());
                    sorts.profile.see(text, true, Need::None);
                }
                // An object that stays one value has no leaves of its own.
                Token::Object if leaf.end > index + 1 || bytes_empty(bytes) => {
                    let inside = &leaves[index + 1..leaf.end];
                    sorts.objects += 1;
                    let hollow = inside.iter().all(|leaf| matches!(leaf.token, Token::Null | Token::Object));
                    sorts.hollow += u64::from(hollow);
                }
                Token::Array | Token::Object => sorts.others += 1,
            }
        }
    }

    /// The tree without keys that no sound record had, and its columns, in the order of their first appearance.
    pub(crate) fn finish(mut self, tree: &Tree) -> (Tree, Vec<JsonColumn>) {
        while self.sorts.len() < tree.nodes.len() {
            self.sorts.push(Sorts::new());
        }
        let mut kept = Tree { nodes: vec![Node::new(String::new())] };
        let mut columns = Vec::new();
        let records = self.records;
        self.keep(tree, (0, 0), records, &mut Vec::new(), &mut kept, &mut columns);
        (kept, columns)
    }

    /// Takes over the children of a node of `tree` (the first of `nodes`) to the one of `kept`.
    fn keep(
        &mut self,
        tree: &Tree,
        nodes: (usize, usize),
        objects: u64,
        keys: &mut Vec<String>,
        kept: &mut Tree,
        columns: &mut Vec<JsonColumn>,
    ) {
        for &child in &tree.nodes[nodes.0].children {
            let seen = self.sorts[child].seen();
            if seen == 0 {
                continue;
            }
            let absent = objects.saturating_sub(seen);
            let place = kept.nodes.len();
            keys.push(tree.nodes[child].key.clone());
            kept.nodes.push(Node::new(tree.nodes[child].key.clone()));
            kept.nodes[nodes.1].children.push(place);
            let grown = tree.nodes[child].children.iter().any(|&inner| self.sorts[inner].seen() > 0);
            let sorts = &self.sorts[child];
            if grown && sorts.scalars() == 0 && !tree.nodes[child].whole {
                kept.nodes[place].missing = if sorts.nulls.max(absent) < sorts.hollow.max(1) {
                    Missing::Inside
                } else if sorts.nulls >= absent {
                    Missing::Null
                } else {
                    Missing::Absent
                };
                let objects = sorts.objects;
                self.keep(tree, (child, place), objects, keys, kept, columns);
            } else {
                kept.nodes[place].column = Some(columns.len());
                kept.nodes[place].whole = sorts.objects + sorts.others > 0;
                let name = path(keys.iter().map(String::as_str));
                columns.push(column(&mut self.sorts[child], &name, absent));
            }
            keys.pop();
        }
    }
}

/// Whether a double tells a number from its neighbours.
fn carried(number: &[u8]) -> bool {
    const DIGITS_MAX: usize = 17;
    number.len() <= DIGITS_MAX || {
        let mantissa = number.split(|byte| matches!(byte, b'e' | b'E')).next().unwrap_or_default();
        let digits = mantissa.iter().filter(|byte| byte.is_ascii_digit()).skip_while(|&&byte| byte == b'0').count();
        digits <= DIGITS_MAX && std::str::from_utf8(number).is_ok_and(|text| text.parse().is_ok_and(f64::is_finite))
    }
}

fn bytes_empty(object: &[u8]) -> bool {
    object.iter().all(|byte| matches!(byte, b'{' | b'}' | b' ' | b'\t' | b'\r' | b'\n'))
}

fn column(sorts: &mut Sorts, name: &str, absent_count: u64) -> JsonColumn {
    let absent = absent_count > 0 && sorts.nulls == 0;
    let numeric = sorts.numbers + sorts.words;
    if sorts.objects + sorts.others > 0 || sorts.bools > 0 && sorts.scalars() > sorts.bools {
        return JsonColumn::raw(name, absent);
    }
    if sorts.scalars() == sorts.bools {
        let kind = if sorts.bools > 0 { Kind::Bool } else { Kind::Text };
        return JsonColumn { written: written(name, kind, Spelling::plain()), raw: false, absent };
    }
    if absent_count + sorts.nulls > 0 {
        sorts.profile.see(b"", false, Need::None);
    }
    let mut written = sorts.profile.written(name);
    written.quotes_inside = true;
    written.quoted = numeric == 0 || sorts.numbers == 0 && sorts.texts > 0;
    if written.spelling.null.is_empty() && sorts.texts_empty == 0 {
        written.null_quoted = false;
    }
    if written.kind == Kind::Text && sorts.exponents > 0 && sorts.long == 0 && sorts.numbers == sorts.scalars() {
        // Exponents are written in many ways, of which one is kept; the numbers matter more than the rest.
        let number = Number::bare(Fraction::Shortest { dot_zero: false, exponent: true });
        let form = Form::Number(Number { negative_zero: true, ..number });
        written.kind = Kind::Real;
        written.spelling = Spelling { form, null: String::new() };
    }
    let raw = match written.kind {
        // In text the empty string is a text.
        Kind::Text if sorts.texts > 0 && numeric == 0 => {
            written.null_quoted = false;
            written.spelling.null.clear();
            false
        }
        Kind::Text => sorts.numbers > 0 || sorts.texts == 0 || written.spelling.null.is_empty(),
        _ => sorts.numbers > 0 && sorts.texts > 0 && sorts.profile.quoted(),
    };
    if raw { JsonColumn::raw(name, absent) } else { JsonColumn { written, raw, absent } }
}
