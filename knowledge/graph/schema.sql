-- The knowledge graph. What a source says is a row that carries source_key; `concept` is what follows from all
-- sources together. So a source is removed by deleting its rows, and nothing of the others is lost.

CREATE TABLE source (
    source_key INTEGER PRIMARY KEY,   -- the order of trust: where two sources name a concept, the lower one wins
    id         TEXT NOT NULL UNIQUE,  -- what `chartroom knowledge remove` takes
    title      TEXT NOT NULL,
    format     TEXT NOT NULL,
    version    TEXT NOT NULL,
    sha256     TEXT NOT NULL,         -- of the file or files that were read
    concepts   INTEGER NOT NULL DEFAULT 0,
    names      INTEGER NOT NULL DEFAULT 0,
    codes      INTEGER NOT NULL DEFAULT 0,
    edges      INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE concept (
    concept_key INTEGER PRIMARY KEY,
    id          TEXT NOT NULL UNIQUE,
    type        TEXT NOT NULL,
    en          TEXT NOT NULL,
    zh          TEXT,
    out_degree  INTEGER NOT NULL DEFAULT 0,  -- relations of which it is the subject: walks know hubs before
    in_degree   INTEGER NOT NULL DEFAULT 0   -- they step on them
);

-- A source's own statement that the concept exists, under the id that the source has for it.
CREATE TABLE claim (
    concept_key INTEGER NOT NULL,
    source_key  INTEGER NOT NULL,
    term        TEXT NOT NULL,
    type        TEXT NOT NULL,
    en          TEXT NOT NULL,
    zh          TEXT,
    basis       TEXT NOT NULL,        -- what the source itself names as its sources; empty where nothing
    PRIMARY KEY (concept_key, source_key, term)
) WITHOUT ROWID;
CREATE INDEX claim_term ON claim (term);

CREATE TABLE name (
    concept_key INTEGER NOT NULL,
    folded      TEXT NOT NULL,        -- lower case and half-width, as knowledge.terminology folds
    form        TEXT NOT NULL,
    language    TEXT NOT NULL,        -- en or zh
    kind        TEXT NOT NULL,        -- name, synonym, abbreviation, label, or related (not the same meaning)
    exact       INTEGER NOT NULL,     -- 1: counts only in exactly this case
    source_key  INTEGER NOT NULL,
    PRIMARY KEY (folded, concept_key, form, kind, source_key)
) WITHOUT ROWID;
CREATE INDEX name_concept ON name (concept_key);

CREATE TABLE code (
    concept_key INTEGER NOT NULL,
    system      TEXT NOT NULL,
    plain       TEXT NOT NULL,        -- the code in capitals without dots, as record stores write it
    code        TEXT NOT NULL,
    scope       TEXT NOT NULL,        -- below: the code and all under it; exact: this code; approximate: a mapping says so
    source_key  INTEGER NOT NULL,
    PRIMARY KEY (system, plain, concept_key, source_key)
) WITHOUT ROWID;
CREATE INDEX code_concept ON code (concept_key);

CREATE TABLE relation (
    relation_key INTEGER PRIMARY KEY,
    relation     TEXT NOT NULL UNIQUE
);

CREATE TABLE citation (
    citation_key INTEGER PRIMARY KEY,
    source       TEXT NOT NULL,
    section      TEXT NOT NULL,
    year         INTEGER,
    UNIQUE (source, section, year)
);

CREATE TABLE edge (
    edge_id      INTEGER PRIMARY KEY,
    subject      INTEGER NOT NULL,
    relation     INTEGER NOT NULL,
    object       INTEGER NOT NULL,
    condition    TEXT,
    severity     TEXT,
    detail_en    TEXT,
    detail_zh    TEXT,
    citation_key INTEGER NOT NULL,
    source_key   INTEGER NOT NULL
);
CREATE INDEX edge_subject ON edge (subject, relation, object);
CREATE INDEX edge_object ON edge (object, relation, subject);

-- What of a source was not taken, by reason, with a few examples; kept so that it can be shown later.
CREATE TABLE left_out (
    source_key INTEGER NOT NULL,
    reason     TEXT NOT NULL,
    entries    INTEGER NOT NULL,
    examples   TEXT NOT NULL,
    PRIMARY KEY (source_key, reason)
) WITHOUT ROWID;

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
