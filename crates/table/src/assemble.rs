//! Makes a table from records. In: sampled records and how each column is written. Out: a [`Table`], or the column that is
//! not written so.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::builder::{BooleanBuilder, Float64Builder, Int64Builder, TimestampMicrosecondBuilder};

use crate::csv::{Field, split};
use crate::dialect::Dialect;
use crate::profile::Written;
use crate::sample::Record;
use crate::{Cell, Column, Kind, Table};

/// A cell that is not written as its column is.
pub(crate) struct Misspelt {
    /// The line its record begins on.
    pub line: u64,
    pub column: usize,
}

/// The table of these records, each of which has as many fields as there are columns.
pub(crate) fn assemble(records: &[Record], dialect: &Dialect, columns: &[Written]) -> Result<Table, Misspelt> {
    let mut builders: Vec<Builder> = columns.iter().map(|written| Builder::new(written.kind, records.len())).collect();
    let mut fields: Vec<Field> = Vec::with_capacity(columns.len());
    let mut scratch = Vec::new();
    for Record { line, bytes } in records {
        split(bytes, dialect, true, &mut fields);
        for (column, ((field, written), builder)) in fields.iter().zip(columns).zip(&mut builders).enumerate() {
            let cell = cell(bytes, field, dialect, &mut scratch);
            builder.push(cell, field.quoted, written).ok_or(Misspelt { line: *line, column })?;
        }
    }
    let columns = columns.iter().zip(builders).map(|(written, builder)| builder.finish(written)).collect();
    Ok(Table::new(columns).expect("every record filled every column"))
}

/// What a field says; its escapes are undone in `scratch`.
pub(crate) fn cell<'a>(record: &'a [u8], field: &Field, dialect: &Dialect, scratch: &'a mut Vec<u8>) -> &'a [u8] {
    let raw = &record[field.start as usize..field.end as usize];
    if !field.escaped {
        return raw;
    }
    scratch.clear();
    dialect.unescape(raw, scratch);
    scratch
}

enum Builder {
    Int(Int64Builder),
    Real(Float64Builder),
    Bool(BooleanBuilder),
    Time(TimestampMicrosecondBuilder),
    Text(Texts),
}

#[derive(Default)]
struct Texts {
    codes: Vec<Option<i32>>,
    words: Vec<String>,
    code_of: HashMap<Box<str>, i32>,
}

impl Texts {
    fn push(&mut self, text: &str) -> Option<()> {
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
    fn new(kind: Kind, rows: usize) -> Builder {
        match kind {
            Kind::Int => Builder::Int(Int64Builder::with_capacity(rows)),
            Kind::Real => Builder::Real(Float64Builder::with_capacity(rows)),
            Kind::Bool => Builder::Bool(BooleanBuilder::with_capacity(rows)),
            Kind::Time => Builder::Time(TimestampMicrosecondBuilder::with_capacity(rows)),
            Kind::Text => Builder::Text(Texts { codes: Vec::with_capacity(rows), ..Texts::default() }),
        }
    }

    fn push(&mut self, cell: &[u8], quoted: bool, written: &Written) -> Option<()> {
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

    fn finish(self, written: &Written) -> Column {
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
