//! Memory: projects, connections, runs and the ledger in SQLite; sealed secrets.
