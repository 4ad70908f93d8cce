//! Pages of records. In: what to look for, and which part of what is found. Out: that part, and how many there are.

use sqlx::any::{AnyArguments, AnyRow};
use sqlx::{Arguments, AssertSqlSafe, Row};

use crate::db::Db;
use crate::error::StoreError;

/// The order of what is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// Oldest first.
    CreatedAsc,
    /// Newest first.
    #[default]
    CreatedDesc,
    /// Least recently changed first.
    UpdatedAsc,
    /// Most recently changed first.
    UpdatedDesc,
}

/// Which part of what is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// At most so many.
    pub limit: i64,
    /// Behind so many.
    pub skip: i64,
    /// In this order.
    pub sort: Sort,
}

impl Page {
    /// The newest `limit` records.
    pub fn newest(limit: i64) -> Page {
        Page { limit, skip: 0, sort: Sort::CreatedDesc }
    }
}

/// Which runs. Empty lists leave everything in, but for `projects`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// With one of these ids.
    pub ids: Vec<String>,
    /// Of one of these workflows.
    pub workflows: Vec<String>,
    /// Of these projects, by id, and no others; `None` means all.
    pub projects: Option<Vec<String>>,
    /// With one of these statuses.
    pub statuses: Vec<String>,
}

/// Which workflows. An empty list of ids leaves everything in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkflowFilter {
    /// With one of these ids.
    pub ids: Vec<String>,
    /// Of these projects, by id, and no others; `None` means all.
    pub projects: Option<Vec<String>>,
}

/// Which connections. An empty list of ids leaves everything in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectionFilter {
    /// With one of these ids.
    pub ids: Vec<String>,
    /// Of these projects, by id, and no others; `None` means all.
    pub projects: Option<Vec<String>>,
}

/// Conditions on the rows of one table, joined by AND.
#[derive(Default)]
pub(crate) struct Conditions {
    text: String,
    values: Vec<String>,
}

impl Conditions {
    /// The column holds one of the values; no values at all leave every row in.
    pub(crate) fn any_of(&mut self, column: &str, values: &[String]) {
        if !values.is_empty() {
            self.within(column, Some(values));
        }
    }

    /// The column holds one of the values, none when there are none; `None` leaves every row in.
    pub(crate) fn within(&mut self, column: &str, values: Option<&[String]>) {
        let Some(values) = values else { return };
        self.join();
        if values.is_empty() {
            self.text.push_str("1 = 0");
            return;
        }
        let numbers: Vec<String> = values.iter().map(|value| self.number(value.clone())).collect();
        self.text.push_str(&format!("{column} IN ({})", numbers.join(", ")));
    }

    /// The column equals the value, where there is one.
    pub(crate) fn equal(&mut self, column: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.any_of(column, &[value.to_string()]);
        }
    }

    /// The column, which is in lower case, contains the text in any case.
    pub(crate) fn contains(&mut self, column: &str, text: &str) {
        if text.is_empty() {
            return;
        }
        self.join();
        let mut pattern = String::from("%");
        for letter in text.to_lowercase().chars() {
            if matches!(letter, '%' | '_' | '\\') {
                pattern.push('\\');
            }
            pattern.push(letter);
        }
        pattern.push('%');
        let number = self.number(pattern);
        self.text.push_str(&format!("{column} LIKE {number} ESCAPE '\\'"));
    }

    /// The row's `column` is among the first column of what a `SELECT` gives, in which `{}` stands for the value.
    pub(crate) fn among(&mut self, column: &str, select: &str, value: &str) {
        self.join();
        let number = self.number(value.to_string());
        self.text.push_str(&format!("{column} IN ({})", select.replace("{}", &number)));
    }

    fn join(&mut self) {
        self.text.push_str(if self.text.is_empty() { " WHERE " } else { " AND " });
    }

    fn number(&mut self, value: String) -> String {
        self.values.push(value);
        format!("${}", self.values.len())
    }

    fn arguments(&self) -> Result<AnyArguments, StoreError> {
        let mut arguments = AnyArguments::default();
        for value in &self.values {
            arguments.add(value.as_str()).map_err(sqlx::Error::Encode)?;
        }
        Ok(arguments)
    }

    /// A page of the rows of `table` to which all of this applies.
    pub(crate) async fn page(&self, db: &Db, table: &str, page: &Page) -> Result<Vec<AnyRow>, StoreError> {
        let (by, way) = match page.sort {
            Sort::CreatedAsc => ("created_at", "ASC"),
            Sort::CreatedDesc => ("created_at", "DESC"),
            Sort::UpdatedAsc => ("updated_at", "ASC"),
            Sort::UpdatedDesc => ("updated_at", "DESC"),
        };
        let (condition, count) = (&self.text, self.values.len());
        // The inner query is answered from an index; only the rows of the page are read, with their long texts.
        let text = format!(
            "SELECT {table}.* FROM (SELECT id AS found FROM {table}{condition} ORDER BY {by} {way}, id {way}
             LIMIT ${} OFFSET ${}) AS page JOIN {table} ON {table}.id = page.found
             ORDER BY {table}.{by} {way}, {table}.id {way}",
            count + 1,
            count + 2
        );
        let rows = sqlx::query_with(AssertSqlSafe(text), self.arguments()?)
            .bind(page.limit.max(0))
            .bind(page.skip.max(0))
            .persistent(false)
            .fetch_all(db.read())
            .await?;
        Ok(rows)
    }

    /// How many rows of `table` there are to which all of this applies.
    pub(crate) async fn count(&self, db: &Db, table: &str) -> Result<i64, StoreError> {
        let text = format!("SELECT COUNT(*) AS total FROM {table}{}", self.text);
        let row =
            sqlx::query_with(AssertSqlSafe(text), self.arguments()?).persistent(false).fetch_one(db.read()).await?;
        Ok(row.get("total"))
    }
}
