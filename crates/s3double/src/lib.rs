//! An S3 in memory for the demo and the tests.
