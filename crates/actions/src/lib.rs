//! Outside: one file per action type; object stores are reached only from here.
