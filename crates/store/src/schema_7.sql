-- Files of the home that were copied to a sink: by path below the home, and by the folder of what they belong to.
CREATE TABLE sunk (
    path TEXT PRIMARY KEY, folder TEXT NOT NULL, sink TEXT NOT NULL, bytes BIGINT NOT NULL, modified_at BIGINT NOT NULL,
    kept BIGINT NOT NULL, gone BIGINT NOT NULL
);
CREATE INDEX sunk_by_folder ON sunk (folder);
CREATE INDEX sunk_gone ON sunk (path) WHERE gone = 1;
CREATE INDEX sunk_open ON sunk (path) WHERE kept = 0;
