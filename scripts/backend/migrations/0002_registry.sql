-- The community's registry: what its kiosks are to know, each line under the version that brought
-- it. What a later line replaces stays, so that an update on its way can be made again; but of
-- whoever is removed nothing stays.

CREATE TABLE registry (
    only_one        boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    version         bigint NOT NULL DEFAULT 0
);

CREATE TABLE registry_lines (
    version         bigint NOT NULL,
    key             text NOT NULL,                  -- holder:ID, pass:ID, issuer:KEY
    scope           text NOT NULL,                  -- a kiosk, lakeside/g3/*, lakeside/*
    entry           bytea NOT NULL,                 -- CBOR, as agent.credentials.signed.entries has it
    gone            boolean NOT NULL,               -- it takes something away
    PRIMARY KEY (key, version)
);
CREATE INDEX ON registry_lines (version);

-- What a kiosk has, by its own signed word or by what was sent to it last.
ALTER TABLE kiosks
    ADD COLUMN registry_version bigint NOT NULL DEFAULT 0,
    ADD COLUMN registry_sent    bigint NOT NULL DEFAULT 0,
    ADD COLUMN message_bytes    integer;

-- The update that is on its way to a kiosk, and those parts of it that were made.
CREATE TABLE registry_updates (
    kiosk_no        integer PRIMARY KEY REFERENCES kiosks (no),
    update          bytea NOT NULL,
    since           bigint NOT NULL,
    version         bigint NOT NULL,
    parts           integer NOT NULL,
    message_bytes   integer NOT NULL,
    digest          bytea NOT NULL
);
CREATE TABLE registry_parts (
    kiosk_no        integer NOT NULL REFERENCES registry_updates ON DELETE CASCADE,
    part            integer NOT NULL,
    head            bytea NOT NULL,
    chunks          bytea[] NOT NULL,
    PRIMARY KEY (kiosk_no, part)
);

CREATE TABLE registry_requests (
    kiosk_no        integer NOT NULL REFERENCES kiosks (no),
    payload         bytea NOT NULL
);

CREATE TABLE receipts (
    kiosk_no        integer NOT NULL REFERENCES kiosks (no),
    id              bytea NOT NULL,
    version         bigint NOT NULL,
    outcome         text NOT NULL,
    holder          text NOT NULL,
    counts          jsonb NOT NULL,
    reason          text,
    time            timestamptz NOT NULL,           -- the kiosk's clock
    clock_trusted   boolean NOT NULL,
    signed          bytea NOT NULL,                 -- as the kiosk signed it
    received        timestamptz NOT NULL DEFAULT now(),
    acknowledged    boolean NOT NULL DEFAULT false,
    PRIMARY KEY (kiosk_no, id)
);
CREATE INDEX ON receipts (holder);
CREATE INDEX ON receipts (kiosk_no) WHERE NOT acknowledged;
