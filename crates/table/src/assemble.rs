//! Builds a column from cells. In: cells, one by one, and how the column is written. Out: a [`Column`], or that a cell is
//! not written so.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::builder::{BooleanBuilder, Float64Builder, Int64Builder, TimestampMicrosecondBuilder};

use crate::profile::Written;
use crate::{Cell, Column, Kind};

/// A column in the making.
pub(crate) enum Builder {
    Int(Int64Builder),
    Real(Float64Builder),
    Bool(BooleanBuilder),
    Time(TimestampMicrosecondBuilder),
    Text(Texts),
}

/// Texts as codes into distinct words.
#[derive(Default)]
pub(crate) struct Texts {
    pub codes: Vec<Option<i32>>,
    pub words: Vec<String>,
    code_of: HashMap<Box<str>, i32>,
}

impl Texts {
    /// Takes a text; `None` if there are too many.
    pub(crate) fn push(&mut self, text: &str) -> Option<()> {
        // Neighbours are often equal, which is cheaper to see than to look up.
        if let Some(&Some(code)) = self.codes.last()
            && self.words[code as usize] == text
        {
            self.codes.push(Some(code));
            return Some(());
        }
        let code = match self.code_of.get(text) {
            Some(&code) => code,
            None => {
                let code = i32::try_from(self.words.len()).ok()?;
                self.words.push(text.into());
                self.code_of.insert(text.into(), code);
                code
            }
        };
        self.codes.push(Some(code));
        Some(())
    }
}

impl Builder {
    /// A column of this kind, with room for so many rows.
    pub(crate) fn new(kind: Kind, rows: usize) -> Builder {
        match kind {
            Kind::Int => Builder::Int(Int64Builder::with_capacity(rows)),
            Kind::Real => Builder::Real(Float64Builder::with_capacity(rows)),
            Kind::Bool => Builder::Bool(BooleanBuilder::with_capacity(rows)),
            Kind::Time => Builder::Time(TimestampMicrosecondBuilder::with_capacity(rows)),
            Kind::Text => Builder::Text(Texts { codes: Vec::with_capacity(rows), ..Texts::default() }),
        }
    }

    /// Takes a cell; `None` if it is not written so.
    pub(crate) fn push(&mut self, cell: &[u8], quoted: bool, written: &Written) -> Option<()> {
        let cell = written.trim(cell)?;
        let value = if written.missing(cell, quoted) {
            Cell::Null
        } else if let Builder::Text(texts) = self {
            return texts.push(std::str::from_utf8(cell).ok()?);
        } else {
            written.spelling.read_present(written.kind, cell)?
        };
        match (self, value) {
            (Builder::Int(builder), Cell::Int(value)) => builder.append_value(value),
            (Builder::Real(builder), Cell::Real(value)) => builder.append_value(value),
            (Builder::Bool(builder), Cell::Bool(value)) => builder.append_value(value),
            (Builder::Time(builder), Cell::Time(value)) => builder.append_value(value),
            (Builder::Int(builder), Cell::Null) => builder.append_null(),
            (Builder::Real(builder), Cell::Null) => builder.append_null(),
            (Builder::Bool(builder), Cell::Null) => builder.append_null(),
            (Builder::Time(builder), Cell::Null) => builder.append_null(),
            (Builder::Text(texts), Cell::Null) => texts.codes.push(None),
            _ => return None,
        }
        Some(())
    }

    /// The column of all cells so far.
    pub(crate) fn finish(self, written: &Written) -> Column {
        let (name, spelling) = (written.name.clone(), written.spelling.clone());
        let values: ArrayRef = match self {
            Builder::Int(mut builder) => Arc::new(builder.finish()),
            Builder::Real(mut builder) => Arc::new(builder.finish()),
            Builder::Bool(mut builder) => Arc::new(builder.finish()),
            Builder::Time(mut builder) => Arc::new(builder.finish()),
            Builder::Text(texts) => return Column::texts(&name, texts.codes, texts.words, spelling),
        };
        Column { name, values, spelling }
    }
}
