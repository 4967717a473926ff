-- The patient graph of one store. Everything in it is derived: from rows and notes of the store, and from the
-- knowledge graph that names concepts. It holds no text of a note; a note is quoted from the store.

CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
-- keys: last_change (the newest note_changes.change_id that was read)

CREATE TABLE nodes (                      -- what statements are about, once for all patients
    node_id INTEGER PRIMARY KEY,
    kind    TEXT NOT NULL,                -- problem | finding | drug | procedure | organism | result | encounter
    concept TEXT UNIQUE,                  -- id in the knowledge graph; NULL where no concept is known
    name    TEXT NOT NULL,                -- the concept's English name, or the record's own wording
    UNIQUE (kind, concept, name)
);
CREATE UNIQUE INDEX nodes_unknown ON nodes (kind, name) WHERE concept IS NULL;

CREATE TABLE edges (                      -- patient —relation→ node, each with the one row or span that says it
    edge_id    INTEGER PRIMARY KEY,
    subject_id INTEGER NOT NULL,
    hadm_id    INTEGER,
    relation   TEXT NOT NULL,             -- has_problem | has_finding | takes | underwent | grew | allergic_to |
                                          -- stayed | noted (said in a note, without one of the others following)
    node_id    INTEGER NOT NULL REFERENCES nodes (node_id),
    start      TEXT,                      -- 'YYYY-MM-DD HH:MM:SS'; of a note: when it was written
    "end"      TEXT,
    closed     INTEGER NOT NULL DEFAULT 0, -- 1: the record says that it has ended, be the time known or not
    assertion  TEXT NOT NULL,             -- present | negated | possible | historical | family | hypothetical |
                                          -- conditional
    experiencer TEXT NOT NULL,            -- patient | family | other
    code       TEXT,                      -- as recorded: 'icd10|N179'
    said_time  TEXT,                      -- the time that a note gives in its own words, normalised by the finder
    tbl        TEXT,                      -- evidence: a row …
    row_id     INTEGER,
    note_id    INTEGER,                   -- … or a span of a note
    span_start INTEGER,
    span_end   INTEGER,
    CHECK ((row_id IS NULL) <> (note_id IS NULL))
);
CREATE INDEX edges_patient ON edges (subject_id, relation, node_id);
CREATE INDEX edges_node ON edges (node_id, subject_id);
CREATE INDEX edges_note ON edges (note_id) WHERE note_id IS NOT NULL;
CREATE INDEX edges_row ON edges (tbl, subject_id) WHERE tbl IS NOT NULL;
CREATE INDEX edges_code ON edges (code) WHERE code IS NOT NULL;

-- Results stay where they are: a store holds hundreds of them for each problem, they are never negated, and the
-- store's own index (subject_id, itemid, charttime) finds the newest in a moment. Here is which items they are.
CREATE TABLE items (
    concept TEXT NOT NULL,
    tbl     TEXT NOT NULL,                -- labevents | chartevents | outputevents
    itemid  INTEGER NOT NULL,
    PRIMARY KEY (concept, tbl, itemid)
) WITHOUT ROWID;

CREATE TABLE row_digests (                -- tells which patient's rows of which table have changed
    tbl        TEXT NOT NULL,
    subject_id INTEGER NOT NULL,
    digest     TEXT NOT NULL,
    PRIMARY KEY (tbl, subject_id)
) WITHOUT ROWID;
