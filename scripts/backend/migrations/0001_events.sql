-- What kiosks said. A place is (kiosk, epoch, sequence); it is taken once, whatever comes again.

CREATE TABLE kiosks (
    no              integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kiosk           text NOT NULL UNIQUE,           -- community/grid/kiosk
    community       text GENERATED ALWAYS AS (split_part(kiosk, '/', 1)) STORED,
    grid            text GENERATED ALWAYS AS (split_part(kiosk, '/', 2)) STORED,
    signing_key     bytea,                          -- pinned by a person; Ed25519, 32 bytes
    sealing_key     bytea,                          -- pinned by a person; X25519, 32 bytes
    pinned_at       timestamptz,
    former_keys     bytea[] NOT NULL DEFAULT '{}',  -- signing keys before it: for streams of their time
    said_signing    bytea,                          -- what the broker carries: compared, not believed
    said_sealing    bytea,
    last_seen       timestamptz,
    online          boolean,
    status          jsonb,
    status_at       timestamptz,
    health          jsonb,
    health_at       timestamptz
);
CREATE INDEX ON kiosks (community, grid);

-- whole_to: up to here nothing is missing but what a kiosk said that it has no more.
CREATE TABLE streams (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kiosk_no        integer NOT NULL REFERENCES kiosks (no),
    epoch           text NOT NULL,
    first_seen      timestamptz NOT NULL DEFAULT now(),
    whole_to        bigint NOT NULL DEFAULT 0,
    highest         bigint NOT NULL DEFAULT 0,
    said_last       bigint NOT NULL DEFAULT 0,      -- by a heartbeat that had nothing waiting
    signed_to       bigint NOT NULL DEFAULT 0,      -- the last place that a good checkpoint vouches for
    UNIQUE (kiosk_no, epoch)
);

CREATE INDEX ON streams (id) WHERE highest > whole_to OR said_last > whole_to;

-- The ledger of the chain. It has no partitions, for only so its keys hold over all times.
CREATE TABLE places (
    stream          bigint NOT NULL,
    sequence        bigint NOT NULL,
    kiosk_no        integer NOT NULL,
    id              uuid NOT NULL,
    previous        bytea,                          -- none: an event of before there was a chain
    link            bytea NOT NULL,
    PRIMARY KEY (stream, sequence),
    UNIQUE (kiosk_no, id)
);

-- at: the kiosk's time where it is plausible, else when it was heard.
CREATE TABLE events (
    stream          bigint NOT NULL,
    sequence        bigint NOT NULL,
    kiosk_no        integer NOT NULL,
    at              timestamptz NOT NULL,
    time            timestamptz NOT NULL,
    received        timestamptz NOT NULL DEFAULT now(),
    clock_synced    boolean NOT NULL,
    type            text NOT NULL,
    access_point    text,
    holder          text,
    altered         boolean NOT NULL,
    body            jsonb NOT NULL
) PARTITION BY RANGE (at);
CREATE INDEX ON events (stream, sequence);
CREATE INDEX ON events (kiosk_no, at);
CREATE INDEX ON events (at);
CREATE INDEX ON events (holder, at) WHERE holder IS NOT NULL;
CREATE INDEX ON events (type, at) WHERE type NOT IN ('gate.access.granted', 'gate.access.denied');
CREATE TABLE events_other PARTITION OF events DEFAULT;

-- What was stored and not looked over yet; a queue that every instance takes from.
CREATE TABLE touched (
    stream          bigint NOT NULL,
    first           bigint NOT NULL,
    last            bigint NOT NULL,
    at              timestamptz NOT NULL DEFAULT now()
);

-- Another event for a place, or with an id, that is taken: the first of them is kept as it came.
CREATE TABLE conflicts (
    stream          bigint NOT NULL,
    sequence        bigint NOT NULL,
    id              uuid NOT NULL,
    link            bytea NOT NULL,
    body            jsonb NOT NULL,
    received        timestamptz NOT NULL DEFAULT now(),
    times           bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (stream, sequence)
);

-- What cannot be trusted. sequence 0 is the stream as a whole, stream 0 the kiosk.
CREATE TABLE flaws (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kiosk_no        integer NOT NULL REFERENCES kiosks (no),
    stream          bigint NOT NULL,
    sequence        bigint NOT NULL,
    kind            text NOT NULL,
    found           timestamptz NOT NULL DEFAULT now(),
    UNIQUE (kiosk_no, stream, sequence, kind)
);

CREATE TABLE checkpoints (
    stream          bigint NOT NULL,
    sequence        bigint NOT NULL,                -- of the checkpoint's own event
    until           bigint NOT NULL,
    link            bytea NOT NULL,
    signature       bytea NOT NULL,
    state           text NOT NULL DEFAULT 'waiting',
    PRIMARY KEY (stream, sequence)
);
CREATE INDEX ON checkpoints (stream, until) WHERE state = 'waiting';
CREATE INDEX ON checkpoints (stream, until) WHERE state = 'good';

-- What is missing, and what became of asking for it. The end stays while a backlog fills it up.
CREATE TABLE gaps (
    stream          bigint NOT NULL REFERENCES streams (id),
    first           bigint NOT NULL,
    last            bigint NOT NULL,
    state           text NOT NULL DEFAULT 'waiting',
    reason          text,
    found           timestamptz NOT NULL DEFAULT now(),
    changed         timestamptz NOT NULL DEFAULT now(),
    due             timestamptz NOT NULL,
    attempts        integer NOT NULL DEFAULT 0,
    command         bytea,
    PRIMARY KEY (stream, last)
);
CREATE INDEX ON gaps (due) WHERE state IN ('waiting', 'asked');
CREATE INDEX ON gaps (command) WHERE command IS NOT NULL;

-- What was no event, no status, nothing: counted, and kept nowhere.
CREATE TABLE refusals (
    kiosk           text NOT NULL,                  -- by its topic; empty where that names none
    reason          text NOT NULL,
    times           bigint NOT NULL,
    first_at        timestamptz NOT NULL DEFAULT now(),
    last_at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (kiosk, reason)
);
