//! What the store promises, asked through its door, on SQLite always and on PostgreSQL where HANSEL_TEST_POSTGRES is the
//! URL of a database in which schemas may be made.

mod connections;
mod jobs;
mod open;
mod people;
mod projects;
mod rotation;
mod runs;
mod search;
mod webhooks;
mod world;
