//! Laws between columns: those that the table shows, those that users declare, and how they are kept. In: drafts and drawn
//! values. Out: what follows from what.

pub(crate) mod absent;
pub(crate) mod broken;
pub(crate) mod calendar;
pub(crate) mod declare;
pub(crate) mod find_days;
pub(crate) mod find_forms;
pub(crate) mod find_lines;
pub(crate) mod find_lookups;
pub(crate) mod find_sums;
pub(crate) mod find_time;
pub(crate) mod find_totals;
pub(crate) mod forms;
pub(crate) mod guard;
pub(crate) mod law;
pub(crate) mod rule;
