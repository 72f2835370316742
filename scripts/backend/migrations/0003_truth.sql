-- Of two events for one place the kiosk's signature says which is its own (backend/truth.py).

-- Several at a place: the true one may be the third. disproved: what the kiosk signed is another.
ALTER TABLE conflicts DROP CONSTRAINT conflicts_pkey;
ALTER TABLE conflicts ADD PRIMARY KEY (stream, sequence, link);
ALTER TABLE conflicts ADD COLUMN disproved boolean NOT NULL DEFAULT false;
CREATE INDEX ON conflicts (stream) WHERE NOT disproved;

-- The link of a place's event, where that event has not come: nothing else may take the place.
CREATE TABLE proven (
    stream          bigint NOT NULL,
    sequence        bigint NOT NULL,
    link            bytea NOT NULL,
    PRIMARY KEY (stream, sequence)
);

-- A forged checkpoint does not keep the true one of its place from being heard.
ALTER TABLE checkpoints DROP CONSTRAINT checkpoints_pkey;
ALTER TABLE checkpoints ADD PRIMARY KEY (stream, sequence, signature);
CREATE INDEX ON checkpoints (stream) WHERE state = 'differs';
CREATE INDEX ON flaws (stream) WHERE kind = 'chain_broken';
