//! How a Parquet file is laid out, and a writer of more of the same. In: tables of the layout's columns. Out: a file of the
//! same schema, packing and metadata. A value that a column's type cannot hold becomes the nearest that it can.

use std::io::{self, Write};

use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{SchemaDescriptor, TypePtr};

use crate::Table;
use crate::parquet_column::ParquetColumn;
use crate::parquet_type::{Group, Leaf};
use crate::parquet_values::{Levels, write_column};

/// More rows are not held back for one row group.
const GROUP_ROWS_MAX: usize = 1 << 18;
/// Fewer are, so that small pieces do not make small groups.
const GROUP_ROWS_MIN: usize = 1 << 10;

/// How a Parquet file is written, from its schema to the spelling of each column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ParquetLayout {
    pub schema: TypePtr,
    pub metadata: Option<Vec<KeyValue>>,
    /// How each column is packed.
    pub compression: Vec<Compression>,
    /// The rows of the largest row group.
    pub group_rows: usize,
    pub leaves: Vec<Leaf>,
    pub groups: Vec<Group>,
    pub columns: Vec<ParquetColumn>,
}

impl ParquetLayout {
    /// Starts a file of this layout.
    pub(crate) fn writer<W: Write + Send>(&self, out: W) -> io::Result<ParquetWriter<W>> {
        let mut properties = WriterProperties::builder()
            .set_created_by(concat!("hansel version ", env!("CARGO_PKG_VERSION")).into())
            .set_key_value_metadata(self.metadata.clone());
        let schema = SchemaDescriptor::new(self.schema.clone());
        for (column, &compression) in schema.columns().iter().zip(&self.compression) {
            properties = properties.set_column_compression(column.path().clone(), compression);
        }
        let file = SerializedFileWriter::new(out, self.schema.clone(), properties.build().into()).map_err(outside)?;
        let group_rows = self.group_rows.clamp(GROUP_ROWS_MIN, GROUP_ROWS_MAX);
        Ok(ParquetWriter { layout: self.clone(), file, pending: Vec::new(), pending_rows: 0, group_rows })
    }
}

/// Writes tables of one layout, one below the other.
pub(crate) struct ParquetWriter<W: Write + Send> {
    layout: ParquetLayout,
    file: SerializedFileWriter<W>,
    /// The rows of the next row group.
    pending: Vec<Table>,
    pending_rows: usize,
    group_rows: usize,
}

impl<W: Write + Send> ParquetWriter<W> {
    /// Writes the rows of a table, which must have the layout's columns.
    pub(crate) fn write(&mut self, table: &Table) -> io::Result<()> {
        let mut start = 0;
        while start < table.rows() {
            let rows = (table.rows() - start).min(self.group_rows - self.pending_rows);
            self.pending.push(table.slice(start, rows));
            self.pending_rows += rows;
            start += rows;
            if self.pending_rows == self.group_rows {
                self.write_group()?;
            }
        }
        Ok(())
    }

    /// Ends the file and gives back what it was written to.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        if self.pending_rows > 0 {
            self.write_group()?;
        }
        let mut out = self.file.into_inner().map_err(outside)?;
        out.flush()?;
        Ok(out)
    }

    fn write_group(&mut self) -> io::Result<()> {
        let levels = Levels::of(&self.layout, &self.pending, self.pending_rows);
        let mut group = self.file.next_row_group().map_err(outside)?;
        let mut index = 0;
        while let Some(mut column) = group.next_column().map_err(outside)? {
            write_column(&mut column, &self.layout, index, &self.pending, &levels).map_err(outside)?;
            column.close().map_err(outside)?;
            index += 1;
        }
        group.close().map_err(outside)?;
        self.pending.clear();
        self.pending_rows = 0;
        Ok(())
    }
}

/// What the place that is written to says, as it said it.
fn outside(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(error) => match error.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(error) => io::Error::other(error),
        },
        error => io::Error::other(error),
    }
}
