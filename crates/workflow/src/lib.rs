//! The language: YAML text comes in, a [`Plan`] goes out, or every [`Problem`] at once, each with its place.
//!
//! Text becomes a tree with positions, the tree is checked against the action types it is given, references are
//! resolved on the tree. Nothing here knows a concrete action, opens a connection or looks at a clock.

mod action;
mod check;
mod code;
mod connection;
mod dataset;
mod event;
mod feedback;
mod nearest;
mod plan;
mod problem;
mod schema;
mod template;
mod tree;
mod trigger;

pub use action::{
    ActionType, Artifact, Attempt, Built, Cancelled, Crawl, History, Inputs, Object, Outcome, Progress, Reach, Role,
    Source, Step,
};
pub use check::Config;
pub use code::{Code, Failure};
pub use connection::{Connection, Connections, Secret, Target};
pub use dataset::{Data, Dataset, File, Origin, table_name};
pub use event::{Event, RunStatus, UnitState};
pub use nearest::nearest;
pub use plan::{Branch, Plan, Planned, connections_named, plan, plan_to_keep, workflow_name};
pub use problem::{Place, Problem};
pub use schema::{Accepts, Field, Shape, json_schema};
pub use template::{Item, Part, Reference, Template};
pub use tree::{Node, Value, parse};
pub use trigger::Trigger;
