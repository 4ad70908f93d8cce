-- Key pairs for credentials that clients encrypt; the private half is wrapped by the key of the store.
CREATE TABLE key_pairs (
    id TEXT PRIMARY KEY, public_pem TEXT NOT NULL, wrapped BYTES NOT NULL, kek TEXT NOT NULL, created_at BIGINT NOT NULL
);
