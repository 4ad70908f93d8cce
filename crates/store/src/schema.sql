CREATE TABLE users (
    id TEXT PRIMARY KEY, guid TEXT NOT NULL UNIQUE, email TEXT NOT NULL, email_key TEXT NOT NULL UNIQUE,
    first_name TEXT NOT NULL, last_name TEXT NOT NULL, administrator BIGINT NOT NULL, created_at BIGINT NOT NULL
);
CREATE TABLE api_keys (
    id TEXT PRIMARY KEY, user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE, name TEXT NOT NULL,
    start TEXT NOT NULL, hash TEXT NOT NULL UNIQUE, created_at BIGINT NOT NULL, expires_at BIGINT, revoked_at BIGINT,
    last_used_at BIGINT
);
CREATE INDEX api_keys_of_user ON api_keys (user_id);

CREATE TABLE projects (
    id TEXT PRIMARY KEY, guid TEXT NOT NULL UNIQUE, name TEXT NOT NULL UNIQUE, display_name TEXT NOT NULL,
    description TEXT NOT NULL, words TEXT NOT NULL, owner TEXT REFERENCES users (id), runner_mode TEXT,
    created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL
);
CREATE INDEX projects_by_time ON projects (created_at, id);
CREATE TABLE members (
    project TEXT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE, role BIGINT NOT NULL, PRIMARY KEY (project, user_id)
) KEYED;
CREATE INDEX members_by_user ON members (user_id, project);

CREATE TABLE sealing (one BIGINT PRIMARY KEY, kek TEXT NOT NULL);
CREATE TABLE data_keys (
    id TEXT PRIMARY KEY, project TEXT NOT NULL REFERENCES projects (id) ON DELETE CASCADE, wrapped BYTES NOT NULL,
    kek TEXT NOT NULL, created_at BIGINT NOT NULL
);
CREATE INDEX data_keys_of_project ON data_keys (project, created_at, id);
CREATE TABLE connections (
    id TEXT PRIMARY KEY, project TEXT NOT NULL REFERENCES projects (id) ON DELETE CASCADE, name TEXT NOT NULL,
    kind TEXT NOT NULL, config TEXT NOT NULL, sealed BYTES, encrypted BIGINT NOT NULL, target TEXT NOT NULL,
    auth_strategy TEXT NOT NULL, validation TEXT NOT NULL, validation_message TEXT NOT NULL, created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL
);
CREATE INDEX connections_of_project ON connections (project, created_at, id);

CREATE TABLE workflows (
    id TEXT PRIMARY KEY, project TEXT NOT NULL REFERENCES projects (id) ON DELETE CASCADE, name TEXT NOT NULL,
    origin TEXT NOT NULL, seed BIGINT NOT NULL, from_json BIGINT NOT NULL, runner_mode TEXT NOT NULL,
    created_by TEXT NOT NULL, updated_by TEXT NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
    next_run BIGINT, config_text TEXT NOT NULL
);
CREATE UNIQUE INDEX workflows_local ON workflows (project, name) WHERE origin = 'local';
CREATE INDEX workflows_of_project ON workflows (project, created_at, id);
CREATE INDEX workflows_by_time ON workflows (created_at, id);
CREATE INDEX workflows_due ON workflows (next_run) WHERE next_run IS NOT NULL;

-- Long texts come last: whoever looks for rows need not read past what is in front of them.
CREATE TABLE runs (
    id TEXT PRIMARY KEY, workflow TEXT NOT NULL REFERENCES workflows (id) ON DELETE CASCADE, project TEXT NOT NULL,
    name TEXT NOT NULL, status TEXT NOT NULL, created_by TEXT NOT NULL, cancel_by TEXT NOT NULL, cancel_at BIGINT,
    retry_of TEXT NOT NULL, scheduled BIGINT NOT NULL, created_at BIGINT NOT NULL, started_at BIGINT, ended_at BIGINT,
    updated_at BIGINT NOT NULL, message TEXT NOT NULL, options TEXT NOT NULL, config TEXT NOT NULL
);
CREATE INDEX runs_of_workflow ON runs (workflow, created_at, id);
CREATE INDEX runs_of_project ON runs (project, created_at, id);
CREATE INDEX runs_by_time ON runs (created_at, id);
CREATE INDEX runs_by_change ON runs (updated_at, id);
CREATE INDEX runs_open ON runs (created_at, id) WHERE ended_at IS NULL;
CREATE TABLE events (
    run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE, seq BIGINT NOT NULL, at BIGINT NOT NULL,
    kind TEXT NOT NULL, action TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (run, seq)
) KEYED;
CREATE INDEX events_of_action ON events (run, action, seq);
CREATE TABLE tasks (
    id TEXT PRIMARY KEY, run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE, action TEXT NOT NULL,
    action_type TEXT NOT NULL, position BIGINT NOT NULL, status TEXT NOT NULL, error_code TEXT NOT NULL,
    error_msg TEXT NOT NULL, created_at BIGINT NOT NULL, started_at BIGINT, ended_at BIGINT, updated_at BIGINT NOT NULL,
    UNIQUE (run, action)
);

CREATE TABLE units (
    run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE, branch TEXT NOT NULL, bucket TEXT NOT NULL,
    key TEXT NOT NULL, identity TEXT NOT NULL, state TEXT NOT NULL, code TEXT NOT NULL, message TEXT NOT NULL,
    PRIMARY KEY (run, branch, bucket, key)
) KEYED;
CREATE TABLE done (
    workflow TEXT NOT NULL REFERENCES workflows (id) ON DELETE CASCADE, branch TEXT NOT NULL, bucket TEXT NOT NULL,
    key TEXT NOT NULL, identity TEXT NOT NULL, run TEXT NOT NULL, at BIGINT NOT NULL,
    PRIMARY KEY (workflow, branch, bucket, key)
) KEYED;
CREATE TABLE claims (
    workflow TEXT NOT NULL REFERENCES workflows (id) ON DELETE CASCADE, target TEXT NOT NULL, branch TEXT NOT NULL,
    bucket TEXT NOT NULL, key TEXT NOT NULL, PRIMARY KEY (workflow, target)
) KEYED;
CREATE TABLE artifacts (
    run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE, branch TEXT NOT NULL, bucket TEXT NOT NULL,
    key TEXT NOT NULL, action TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, path TEXT NOT NULL,
    bytes BIGINT NOT NULL, PRIMARY KEY (run, branch, bucket, key, action, kind)
) KEYED;
CREATE TABLE let_through (
    workflow TEXT NOT NULL REFERENCES workflows (id) ON DELETE CASCADE, branch TEXT NOT NULL, bucket TEXT NOT NULL,
    key TEXT NOT NULL, identity TEXT NOT NULL, reason TEXT NOT NULL, run TEXT NOT NULL, at BIGINT NOT NULL,
    PRIMARY KEY (workflow, branch, bucket, key)
) KEYED;

CREATE TABLE jobs (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, project TEXT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    model TEXT NOT NULL, name TEXT NOT NULL, words TEXT NOT NULL, job_type TEXT NOT NULL, status TEXT NOT NULL,
    created_by TEXT NOT NULL, run TEXT NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
    started_at BIGINT, ended_at BIGINT, cancel_asked BIGINT NOT NULL, error_msg TEXT, facts TEXT NOT NULL,
    config TEXT NOT NULL
);
CREATE INDEX jobs_of_project ON jobs (project, kind, created_at, id);
CREATE INDEX jobs_of_model ON jobs (model, created_at, id);
CREATE INDEX jobs_of_run ON jobs (run, created_at, id);
CREATE INDEX jobs_open ON jobs (created_at, id) WHERE ended_at IS NULL;
CREATE TABLE job_log (
    job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE, seq BIGINT NOT NULL, at BIGINT NOT NULL,
    stage TEXT NOT NULL, msg TEXT NOT NULL, ctx TEXT NOT NULL, PRIMARY KEY (job, seq)
) KEYED;

CREATE TABLE uploads (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, project TEXT REFERENCES projects (id) ON DELETE CASCADE,
    name TEXT NOT NULL, bytes BIGINT, purpose TEXT NOT NULL, created_by TEXT NOT NULL, created_at BIGINT NOT NULL
);
CREATE INDEX uploads_of_project ON uploads (project, kind, created_at, id);

CREATE TABLE audit (
    at BIGINT PRIMARY KEY, who TEXT NOT NULL, verb TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL,
    project TEXT NOT NULL, note TEXT NOT NULL
);
CREATE INDEX audit_of_project ON audit (project, at);
