-- One webhook a project, and what is to be told to it until somebody has heard it.
CREATE TABLE webhooks (
    project TEXT PRIMARY KEY REFERENCES projects (id) ON DELETE CASCADE, url TEXT NOT NULL, sealed BYTES NOT NULL,
    created_by TEXT NOT NULL, created_at BIGINT NOT NULL
);
CREATE TABLE deliveries (
    id TEXT PRIMARY KEY, project TEXT NOT NULL REFERENCES projects (id) ON DELETE CASCADE, run TEXT NOT NULL,
    attempts BIGINT NOT NULL, due_at BIGINT NOT NULL, created_at BIGINT NOT NULL, body TEXT NOT NULL
);
CREATE INDEX deliveries_due ON deliveries (project, due_at, id);
