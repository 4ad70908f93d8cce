//! Groups of rows: a table and the columns that name a row's group come in; its rows in the order of their groups, and what
//! can be said of a row by the ones before it, go out.

use table::{Table, Values};

use crate::encode::Encoded;
use crate::fit::{ROWS_MIN, Settings};
use crate::model::Unfit;

/// A table in the order of its groups.
pub(crate) struct Grouped {
    /// The rows, those of a group behind each other.
    pub(crate) table: Table,
    /// Group of each row.
    pub(crate) units: Vec<u32>,
    /// First row of each group.
    pub(crate) starts: Vec<u32>,
}

impl Grouped {
    /// Groups by these columns, in the order of their first rows; within a group by `order`, else as in the source.
    pub(crate) fn of(real: &Table, by: &[usize], order: Option<usize>) -> Grouped {
        let units = real.groups(by);
        let rank = |row: u32| order.map(|at| sortable(&real.values(at), row as usize));
        let mut rows: Vec<u32> = (0..real.rows() as u32).collect();
        rows.sort_by_cached_key(|&row| (units[row as usize], rank(row), row));
        let units: Vec<u32> = rows.iter().map(|&row| units[row as usize]).collect();
        let starts =
            (0..units.len() as u32).filter(|&row| row == 0 || units[row as usize] != units[row as usize - 1]).collect();
        Grouped { table: real.take(&rows), units, starts }
    }

    /// Itself, if it has as many groups as a model needs.
    pub(crate) fn enough(self) -> Result<Grouped, Unfit> {
        let (found, needed) = (self.starts.len(), ROWS_MIN);
        let text = || format!("the table has {found} groups where a model of groups needs {needed}");
        if found < needed { Err(Unfit::Misfit(vec![text()])) } else { Ok(self) }
    }

    /// Whether a column never changes within a group.
    pub(crate) fn constant(&self, at: usize) -> bool {
        let values = self.table.values(at);
        let same = |row: usize| self.units[row] != self.units[row - 1] || values.bits(row) == values.bits(row - 1);
        (1..self.units.len()).all(same)
    }

    /// Rows of each group.
    pub(crate) fn sizes(&self) -> Vec<f64> {
        let ends = self.starts.iter().skip(1).copied().chain([self.units.len() as u32]);
        self.starts.iter().zip(ends).map(|(&start, end)| (end - start) as f64).collect()
    }

    /// Values moved on by so many rows within their groups, NaN where there is no row before.
    pub(crate) fn lagged(&self, values: &[f64], by: usize) -> Vec<f64> {
        let before = |row: usize| row >= by && self.units[row - by] == self.units[row];
        (0..values.len()).map(|row| if before(row) { values[row - by] } else { f64::NAN }).collect()
    }
}

/// A cell as a number in the order of the column's values, or a text; missing ones come first.
fn sortable(values: &Values, row: usize) -> (i128, String) {
    use arrow_array::Array;
    use arrow_array::cast::AsArray;
    let ordered = |real: f64| {
        let bits = real.to_bits() as i64;
        (bits ^ (((bits >> 63) as u64) >> 1) as i64) as i128
    };
    match values {
        Values::Int(values) if values.is_valid(row) => (values.value(row) as i128, String::new()),
        Values::Time(values) if values.is_valid(row) => (values.value(row) as i128, String::new()),
        Values::Real(values) if values.is_valid(row) => (ordered(values.value(row)), String::new()),
        Values::Bool(values) if values.is_valid(row) => (values.value(row) as i128, String::new()),
        Values::Text(values) => match values.key(row) {
            Some(key) => (0, values.values().as_string::<i32>().value(key).to_string()),
            None => (i128::MIN, String::new()),
        },
        _ => (i128::MIN, String::new()),
    }
}

/// How far each row is behind the one before it, on the ticks of the column that orders them.
pub(crate) fn gap_of(grouped: &Grouped, order: &Encoded) -> Option<Vec<f64>> {
    if order.nominal || !order.scale.grid() || order.values.iter().any(|value| value.is_nan()) {
        return None;
    }
    let before = grouped.lagged(&order.values, 1);
    Some(order.values.iter().zip(before).map(|(now, before)| now - before).collect())
}

/// The columns that name groups and the one that orders their rows.
pub(crate) fn named_columns(real: &Table, settings: &Settings) -> Result<(Vec<usize>, Option<usize>), Unfit> {
    let find = |name: &String, what: &str| {
        real.position(name).ok_or_else(|| format!("`{what}` names `{name}`, which the table does not have"))
    };
    let by: Result<Vec<usize>, String> =
        settings.group_by.iter().map(|name| find(name, "group_training_examples_by")).collect();
    let order = settings.order_by.as_ref().map(|name| find(name, "order_training_examples_by")).transpose();
    match (by, order) {
        (Ok(by), Ok(order)) => Ok((by, order)),
        (by, order) => Err(Unfit::Misfit([by.err(), order.err()].into_iter().flatten().collect())),
    }
}

/// The columns whose position is kept.
pub(crate) fn columns_where(table: &Table, kept: impl Fn(usize) -> bool) -> Table {
    let columns = (0..table.columns()).filter(|&at| kept(at)).map(|at| table.column(at));
    Table::new(columns.collect()).expect("columns of one table")
}
