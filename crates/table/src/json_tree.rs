//! Finds the values of nested records by their paths. In: records of JSON. Out: per record its values, each with the node
//! of the tree of all keys that it belongs to. Never looks at what a value means.

use std::collections::HashMap;
use std::ops::Range;

use crate::flaw::Flaw;
use crate::json_scan::{Scan, Token, unescape};

/// A table of more columns is none; and an object of more different keys is a map, which stays one value.
const NODES_MAX: usize = 20_000;
const KEYS_MAX: usize = 256;
/// Objects below stay one value.
const LEVELS_MAX: usize = 16;

/// All keys of a file's records, nested as they are; the first node is the record itself.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tree {
    pub nodes: Vec<Node>,
}

/// A key in its object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub key: String,
    /// In the order of their first appearance.
    pub children: Vec<usize>,
    /// Whether an object stays one value.
    pub whole: bool,
    /// The column of the value; `None` for an object of columns.
    pub column: Option<usize>,
    /// What an object is written as if all values in it are missing.
    pub missing: Missing,
}

/// How a value that is missing is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// Without its key.
    Absent,
    Null,
    /// As an object, whose values are missing one by one.
    Inside,
}

impl Node {
    pub(crate) fn new(key: String) -> Node {
        Node { key, children: Vec::new(), whole: false, column: None, missing: Missing::Inside }
    }
}

/// A value of a record.
pub(crate) struct Leaf {
    pub node: usize,
    pub token: Token,
    pub span: Range<usize>,
    /// For an object of columns, where its values end among the leaves.
    pub end: usize,
}

/// Goes over records.
pub(crate) struct Walker {
    pub tree: Tree,
    /// The values of the last record.
    pub leaves: Vec<Leaf>,
    /// Whether letters beyond ASCII or slashes were escaped so far.
    pub letter_escaped: bool,
    pub slash_escaped: bool,
    /// Whether keys may be new.
    grow: bool,
    place_of: Vec<HashMap<Box<str>, usize>>,
    /// The record in which a node was met last.
    met: Vec<u64>,
    record: u64,
    scratch: Vec<u8>,
}

impl Walker {
    /// Over records of keys that are not known yet.
    pub(crate) fn new() -> Walker {
        Walker { grow: true, ..Walker::over(Tree { nodes: vec![Node::new(String::new())] }) }
    }

    /// Over records of these keys and no others.
    pub(crate) fn over(tree: Tree) -> Walker {
        let place_of = |node: &Node| {
            let places = node.children.iter().enumerate();
            places.map(|(place, &child)| (tree.nodes[child].key.as_str().into(), place)).collect()
        };
        Walker {
            place_of: tree.nodes.iter().map(place_of).collect(),
            met: vec![0; tree.nodes.len()],
            tree,
            leaves: Vec::new(),
            letter_escaped: false,
            slash_escaped: false,
            grow: false,
            record: 0,
            scratch: Vec::new(),
        }
    }

    /// Takes a record apart into [`Walker::leaves`].
    pub(crate) fn walk(&mut self, record: &[u8]) -> Result<(), Flaw> {
        self.leaves.clear();
        self.record += 1;
        let mut scan = Scan::new(record);
        if scan.peek() != Some(b'{') {
            scan.value()?;
            return Err(Flaw::NotObject);
        }
        self.object(&mut scan, 0, 0)?;
        if scan.peek().is_some() {
            return Err(Flaw::NotJson { what: "text behind the object" });
        }
        self.letter_escaped |= scan.letter_escaped;
        self.slash_escaped |= scan.slash_escaped;
        Ok(())
    }

    fn object(&mut self, scan: &mut Scan<'_>, node: usize, level: usize) -> Result<(), Flaw> {
        scan.eat(b'{');
        if scan.eat(b'}') {
            return Ok(());
        }
        let mut place = 0;
        loop {
            let (span, escaped) = scan.string()?;
            let key = &scan.bytes[span];
            let child = self.child(node, key, escaped, &mut place)?;
            if !scan.eat(b':') {
                return Err(Flaw::NotJson { what: "a key without a value" });
            }
            match child {
                Some(child) => self.value(scan, child, level + 1)?,
                // The object around turned out to be a map and is scanned once more.
                None => {
                    scan.value()?;
                }
            }
            if !scan.eat(b',') {
                return scan.close(b'}');
            }
        }
    }

    fn value(&mut self, scan: &mut Scan<'_>, node: usize, level: usize) -> Result<(), Flaw> {
        let nested = scan.peek() == Some(b'{') && !self.tree.nodes[node].whole;
        let (leaf, start) = (self.leaves.len(), scan.at);
        if nested && level < LEVELS_MAX {
            self.leaves.push(Leaf { node, token: Token::Object, span: start..start, end: 0 });
            self.object(scan, node, level)?;
            if !self.tree.nodes[node].whole {
                self.leaves[leaf].end = self.leaves.len();
                self.leaves[leaf].span.end = scan.at;
                return Ok(());
            }
            self.leaves.truncate(leaf);
            scan.at = start;
        }
        self.tree.nodes[node].whole |= nested;
        let (token, span) = scan.value()?;
        self.leaves.push(Leaf { node, token, span, end: leaf + 1 });
        Ok(())
    }

    /// The node of a key in an object; most often the one behind the last. `None` if there are too many keys.
    fn child(&mut self, node: usize, raw: &[u8], escaped: bool, place: &mut usize) -> Result<Option<usize>, Flaw> {
        self.scratch.clear();
        if escaped {
            unescape(raw, &mut self.scratch);
        } else {
            self.scratch.extend_from_slice(raw);
        }
        let guess = self.tree.nodes[node].children.get(*place).copied();
        let child = match guess {
            Some(child) if self.tree.nodes[child].key.as_bytes() == self.scratch => child,
            _ => {
                let key = String::from_utf8_lossy(&self.scratch).into_owned();
                match self.place_of[node].get(key.as_str()) {
                    Some(&found) => {
                        *place = found;
                        self.tree.nodes[node].children[found]
                    }
                    None if !self.grow => return Err(Flaw::KeyUnknown { key }),
                    None => match self.add(node, key, place)? {
                        Some(child) => child,
                        None => return Ok(None),
                    },
                }
            }
        };
        *place += 1;
        if std::mem::replace(&mut self.met[child], self.record) == self.record {
            return Err(Flaw::KeyTwice { key: self.tree.nodes[child].key.clone() });
        }
        Ok(Some(child))
    }

    fn add(&mut self, node: usize, key: String, place: &mut usize) -> Result<Option<usize>, Flaw> {
        let child = self.tree.nodes.len();
        let keys = self.tree.nodes[node].children.len();
        if node > 0 && (keys >= KEYS_MAX || child >= NODES_MAX) || self.tree.nodes[node].whole {
            self.tree.nodes[node].whole = true;
            return Ok(None);
        }
        if child >= NODES_MAX {
            return Err(Flaw::Keys { keys_max: NODES_MAX });
        }
        *place = keys;
        self.place_of[node].insert(key.as_str().into(), keys);
        self.tree.nodes[node].children.push(child);
        self.tree.nodes.push(Node::new(key));
        self.place_of.push(HashMap::new());
        self.met.push(0);
        Ok(Some(child))
    }
}

/// The name of a column by the keys that lead to it: `address.city`; a dot in a key is written `\.` and a backslash `\\`.
pub(crate) fn path<'a>(keys: impl Iterator<Item = &'a str>) -> String {
    let keys: Vec<String> = keys.map(|key| key.replace('\\', "\\\\").replace('.', "\\.")).collect();
    keys.join(".")
}
