//! Flags that say what is known of the rows to be drawn. In: arguments. Out: what is wanted of a model.

use std::path::PathBuf;

use actions::{Shares, Wanted};
use synth::Recipe;
use workflow::{Code, Failure};

/// What is known of the rows before they are drawn.
#[derive(clap::Args)]
pub(crate) struct Conditions {
    /// A table with some of the columns: one row is drawn beside each of its rows, which stay as they are
    #[arg(long, value_name = "FILE", conflicts_with_all = ["rows", "rebalance"])]
    seeds: Option<PathBuf>,
    /// Shares that values of one column are to have, such as `plan:free=0.2,gold=0.5`; other values share the rest
    #[arg(long, value_name = "COLUMN:VALUE=SHARE,...")]
    rebalance: Option<String>,
}

impl Conditions {
    /// What is wanted: these conditions, else those of the recipe.
    pub(crate) fn wanted(&self, rows: Option<u64>, recipe: Option<&dyn Recipe>) -> Result<Wanted, Failure> {
        if let Some(path) = &self.seeds {
            return Ok(Wanted::Seeds(path.clone()));
        }
        match (&self.rebalance, recipe) {
            (Some(text), _) => Ok(Wanted::Shares(shares(text)?, rows)),
            (None, Some(recipe)) => Ok(Wanted::of(recipe, rows)),
            (None, None) => Ok(Wanted::Rows(rows)),
        }
    }
}

fn shares(text: &str) -> Result<Shares, Failure> {
    let unread = || {
        let message = format!("`--rebalance` is `{text}` where COLUMN:VALUE=SHARE,VALUE=SHARE is allowed");
        Failure::new(Code::Usage, message).hint("A share is a number from 0 to 1.")
    };
    let (column, list) = text.split_once(':').ok_or_else(unread)?;
    let mut shares = Vec::new();
    for part in list.split(',') {
        let (value, share) = part.rsplit_once('=').ok_or_else(unread)?;
        shares.push((value.to_string(), share.trim().parse().map_err(|_| unread())?));
    }
    Shares { column: column.into(), shares }.checked().map_err(|message| Failure::new(Code::Usage, message))
}
