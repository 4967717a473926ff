-- The record store. Table and column names follow the EHRSQL-2024 edition of MIMIC-IV, so that what
-- research and models know of these names holds here; columns that the edition lacks come last.
--
-- Conventions
--   * times are text, local hospital time, 'YYYY-MM-DD HH:MM:SS' (second precision, no zone)
--   * text keeps the source's case and compares without case (COLLATE NOCASE)
--   * every row has an integer row_id: it is what a citation names; it never changes once given
--   * codes carry their system before a bar: 'icd10|N179', 'icd9|5849', 'snomed|431855005'
--   * source_id is the row's key in its source; (kind of source, table, source_id) is loaded once (see keys)
--   * a column that a source cannot fill is NULL, never a guess

CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
-- keys: schema_version, created, name, now (fixed "now" of a synthetic or de-identified store), demo

CREATE TABLE sources (                    -- one line for each file ever loaded
    source_id     INTEGER PRIMARY KEY,
    kind          TEXT NOT NULL,          -- mimic | fhir | omop | tabular | notes | demo
    path          TEXT NOT NULL,
    sha256        TEXT NOT NULL,
    loaded_at     TEXT NOT NULL,
    accepted      INTEGER NOT NULL,
    rejected      INTEGER NOT NULL,
    skipped       INTEGER NOT NULL,
    duplicates    INTEGER NOT NULL DEFAULT 0,   -- rows that were already there
    unresolved    INTEGER NOT NULL DEFAULT 0,   -- rejected only because a row they refer to has not come yet
    options       TEXT NOT NULL DEFAULT '{}',   -- how the file was read (JSON): a sheet, a mapping
    UNIQUE (kind, path, sha256, options)
);

-- What the loader knows of each key of a source: the integer that stands for it here. Makes a row loaded
-- once whatever file it comes in, and lets rows refer to each other by the source's own text keys.
CREATE TABLE keys (
    table_name TEXT NOT NULL,
    key        TEXT NOT NULL,             -- the source's key, or '#' and a hash where the source has none
    kind       TEXT NOT NULL,             -- as in sources: two kinds may use one key for two things
    id         INTEGER NOT NULL,          -- subject_id, hadm_id, stay_id, transfer_id, itemid, note_id or row_id
    PRIMARY KEY (table_name, key, kind)
) WITHOUT ROWID;

CREATE TABLE quarantine (                 -- rejected rows: nothing is lost
    row_id   INTEGER PRIMARY KEY,
    source   INTEGER NOT NULL REFERENCES sources (source_id) ON DELETE CASCADE,
    line     INTEGER,                     -- 1-based line or entry in the file
    item     TEXT,                        -- table or resource type
    reason   TEXT NOT NULL,               -- names columns and rules, never values
    raw      TEXT                         -- the row as JSON: stays inside the store
);

CREATE TABLE skipped (                    -- what the importer has no place for, counted by type
    source   INTEGER NOT NULL REFERENCES sources (source_id) ON DELETE CASCADE,
    item     TEXT NOT NULL,
    reason   TEXT NOT NULL,
    n        INTEGER NOT NULL,
    PRIMARY KEY (source, item, reason)
) WITHOUT ROWID;

CREATE TABLE patients (
    row_id     INTEGER PRIMARY KEY,
    subject_id INTEGER NOT NULL UNIQUE,
    gender     TEXT COLLATE NOCASE,       -- m | f | other | unknown
    dob        TEXT,
    dod        TEXT,
    name       TEXT COLLATE NOCASE,
    mrn        TEXT COLLATE NOCASE,       -- the hospital's own patient number
    race       TEXT COLLATE NOCASE,
    dob_precision TEXT,                   -- day | month | year
    source INTEGER REFERENCES sources (source_id), source_id TEXT
);

CREATE TABLE admissions (                 -- every encounter, ambulatory ones too (see admission_type)
    row_id     INTEGER PRIMARY KEY,
    subject_id INTEGER NOT NULL REFERENCES patients (subject_id),
    hadm_id    INTEGER NOT NULL UNIQUE,
    admittime  TEXT NOT NULL,
    dischtime  TEXT,                      -- NULL: still in hospital
    admission_type     TEXT COLLATE NOCASE,
    admission_location TEXT COLLATE NOCASE,
    discharge_location TEXT COLLATE NOCASE,
    insurance  TEXT COLLATE NOCASE,
    language   TEXT COLLATE NOCASE,
    marital_status TEXT COLLATE NOCASE,
    age        INTEGER,                   -- completed years at admittime
    reason     TEXT COLLATE NOCASE,
    deathtime  TEXT,
    source INTEGER REFERENCES sources (source_id), source_id TEXT
);

CREATE TABLE d_icd_diagnoses (
    row_id INTEGER PRIMARY KEY, icd_code TEXT NOT NULL UNIQUE COLLATE NOCASE,
    long_title TEXT NOT NULL COLLATE NOCASE
);
CREATE TABLE d_icd_procedures (
    row_id INTEGER PRIMARY KEY, icd_code TEXT NOT NULL UNIQUE COLLATE NOCASE,
    long_title TEXT NOT NULL COLLATE NOCASE
);
CREATE TABLE d_labitems (
    row_id INTEGER PRIMARY KEY, itemid INTEGER NOT NULL UNIQUE, label TEXT COLLATE NOCASE,
    fluid TEXT COLLATE NOCASE, category TEXT COLLATE NOCASE, code TEXT COLLATE NOCASE   -- 'loinc|2160-0'
);
CREATE TABLE d_items (
    row_id INTEGER PRIMARY KEY, itemid INTEGER NOT NULL UNIQUE, label TEXT NOT NULL COLLATE NOCASE,
    abbreviation TEXT COLLATE NOCASE, linksto TEXT NOT NULL,
    category TEXT COLLATE NOCASE, unitname TEXT, code TEXT COLLATE NOCASE
);

CREATE TABLE diagnoses_icd (
    row_id     INTEGER PRIMARY KEY,
    subject_id INTEGER NOT NULL REFERENCES patients (subject_id),
    hadm_id    INTEGER REFERENCES admissions (hadm_id),
    icd_code   TEXT NOT NULL COLLATE NOCASE REFERENCES d_icd_diagnoses (icd_code),
    charttime  TEXT,
    seq_num    INTEGER,
    status     TEXT COLLATE NOCASE,       -- active | resolved | … as the source says
    endtime    TEXT,
    source INTEGER REFERENCES sources (source_id), source_id TEXT
);
CREATE TABLE procedures_icd (
    row_id     INTEGER PRIMARY KEY,
    subject_id INTEGER NOT NULL REFERENCES patients (subject_id),
    hadm_id    INTEGER REFERENCES admissions (hadm_id),
    icd_code   TEXT NOT NULL COLLATE NOCASE REFERENCES d_icd_procedures (icd_code),
    charttime  TEXT,
    seq_num    INTEGER,
    endtime    TEXT,
    source INTEGER REFERENCES sources (source_id), source_id TEXT
);
CREATE TABLE labevents (
    row_id     INTEGER PRIMARY KEY,
    subject_id INTEGER NOT NULL REFERENCES patients (subject_id),
    hadm_id    INTEGER REFERENCES admissions (hadm_id),
    itemid     INTEGER NOT NULL REFERENCES d_labitems (itemid),
    charttime  TEXT,
    valuenum   REAL,
    valueuom   TEXT COLLATE NOCASE,
    value      TEXT,                      -- as reported: '<0.01', 'HAZY'
    ref_range_lower REAL,
    ref_range_upper REAL,
    flag       TEXT COLLATE NOCASE,       -- abnormal | high | low | …
    source INTEGER REFERENCES sources (source_id), source_id TEXT
);
CREATE TABLE prescriptions (
    row_id     INTEGER PRIMARY KEY,
    subject_id INTEGER NOT NULL REFERENCES patients (subject_id),
    hadm_id    INTEGER REFERENCES admissions (hadm_id),
    starttime  TEXT,
    stoptime   TEXT,                      -- NULL: no stop is recorded
    drug       TEXT NOT NULL COLLATE NOCASE,
    dose_val_rx TEXT,
    dose_unit_rx TEXT COLLATE NOCASE,
    route      TEXT COLLATE NOCASE,
    frequency  TEXT COLLATE NOCASE,
    status     TEXT COLLATE NOCASE,
    code       TEXT COLLATE NOCASE,       -- 'rxnorm|563026', 'ndc|…', 'atc|…'
    drug_type  TEXT COLLATE NOCASE,
    source INTEGER REFERENCES sources (source_id), source_id TEXT
);
CREATE TABLE icustays (
    row_id     INTEGER PRIMARY KEY,
    subject_id INTEGER NOT NULL REFERENCES patients (subject_id),
    hadm_id    INTEGER REFERENCES admissions (hadm_id),
    stay_id    INTEGER NOT NULL UNIQUE,
    first_careunit TEXT COLLATE NOCASE,
    last_careunit  TEXT COLLATE NOCASE,
    intime     TEXT NOT NULL,
    outtime    TEXT,
    source INTEGER REFERENCES sources (source_id), source_id TEXT
);
CREATE TABLE transfers (
    row_id     INTEGER PRIMARY KEY,
    subject_id INTEGER NOT NULL REFERENCES patients (subject_id),
    hadm_id    INTEGER REFERENCES admissions (hadm_id),
    transfer_id INTEGER NOT NULL UNIQUE,
    eventtype  TEXT COLLATE NOCASE,
    careunit   TEXT COLLATE NOCASE,
    intime     TEXT NOT NULL,
    outtime    TEXT,
    source INTEGER REFERENCES sources (source_id), source_id TEXT
);
CREATE TABLE chartevents (
    row_id     INTEGER PRIMARY KEY,
    subject_id INTEGER NOT NULL REFERENCES patients (subject_id),
    hadm_id    INTEGER REFERENCES admissions (hadm_id),
    stay_id    INTEGER REFERENCES icustays (stay_id),
    itemid     INTEGER NOT NULL REFERENCES d_items (itemid),
    charttime  TEXT,
    valuenum   REAL,
    valueuom   TEXT COLLATE NOCASE,
    value      TEXT,
    source INTEGER REFERENCES sources (source_id), source_id TEXT
);
CREATE TABLE inputevents (
    row_id     INTEGER PRIMARY KEY,
    subject_id INTEGER NOT NULL REFERENCES patients (subject_id),
    hadm_id    INTEGER REFERENCES admissions (hadm_id),
    stay_id    INTEGER REFERENCES icustays (stay_id),
    starttime  TEXT,
    itemid     INTEGER NOT NULL REFERENCES d_items (itemid),
    totalamount REAL,
    totalamountuom TEXT COLLATE NOCASE,
    endtime    TEXT,
    amount     REAL,
    amountuom  TEXT COLLATE NOCASE,
    rate       REAL,
    rateuom    TEXT COLLATE NOCASE,
    source INTEGER REFERENCES sources (source_id), source_id TEXT
);
CREATE TABLE outputevents (
    row_id     INTEGER PRIMARY KEY,
    subject_id INTEGER NOT NULL REFERENCES patients (subject_id),
    hadm_id    INTEGER REFERENCES admissions (hadm_id),
    stay_id    INTEGER REFERENCES icustays (stay_id),
    charttime  TEXT,
    itemid     INTEGER NOT NULL REFERENCES d_items (itemid),
    value      REAL,
    valueuom   TEXT COLLATE NOCASE,
    source INTEGER REFERENCES sources (source_id), source_id TEXT
);
CREATE TABLE microbiologyevents (
    row_id     INTEGER PRIMARY KEY,
    subject_id INTEGER NOT NULL REFERENCES patients (subject_id),
    hadm_id    INTEGER REFERENCES admissions (hadm_id),
    charttime  TEXT,
    spec_type_desc TEXT COLLATE NOCASE,
    test_name  TEXT COLLATE NOCASE,
    org_name   TEXT COLLATE NOCASE,       -- NULL: nothing grew, or not yet reported (see comments)
    ab_name    TEXT COLLATE NOCASE,
    interpretation TEXT COLLATE NOCASE,   -- S | I | R
    comments   TEXT,
    source INTEGER REFERENCES sources (source_id), source_id TEXT
);
CREATE TABLE cost (
    row_id     INTEGER PRIMARY KEY,
    subject_id INTEGER NOT NULL REFERENCES patients (subject_id),
    hadm_id    INTEGER REFERENCES admissions (hadm_id),
    event_type TEXT NOT NULL,             -- the table that event_id is a row_id of; 'admissions': event_id is the hadm_id
    event_id   INTEGER NOT NULL,
    chargetime TEXT,
    cost       REAL NOT NULL,
    currency   TEXT,
    source INTEGER REFERENCES sources (source_id), source_id TEXT
);
CREATE TABLE allergies (
    row_id     INTEGER PRIMARY KEY,
    subject_id INTEGER NOT NULL REFERENCES patients (subject_id),
    hadm_id    INTEGER REFERENCES admissions (hadm_id),
    charttime  TEXT,
    substance  TEXT NOT NULL COLLATE NOCASE,
    reaction   TEXT COLLATE NOCASE,
    severity   TEXT COLLATE NOCASE,
    status     TEXT COLLATE NOCASE,       -- active | inactive | resolved | entered-in-error
    code       TEXT COLLATE NOCASE,
    source INTEGER REFERENCES sources (source_id), source_id TEXT
);
CREATE TABLE immunizations (
    row_id     INTEGER PRIMARY KEY,
    subject_id INTEGER NOT NULL REFERENCES patients (subject_id),
    hadm_id    INTEGER REFERENCES admissions (hadm_id),
    charttime  TEXT,
    vaccine    TEXT NOT NULL COLLATE NOCASE,
    status     TEXT COLLATE NOCASE,
    code       TEXT COLLATE NOCASE,
    source INTEGER REFERENCES sources (source_id), source_id TEXT
);
CREATE TABLE observations (               -- what is observed and is not a number: coded and text values
    row_id     INTEGER PRIMARY KEY,
    subject_id INTEGER NOT NULL REFERENCES patients (subject_id),
    hadm_id    INTEGER REFERENCES admissions (hadm_id),
    charttime  TEXT,
    label      TEXT NOT NULL COLLATE NOCASE,
    value      TEXT COLLATE NOCASE,
    category   TEXT COLLATE NOCASE,
    code       TEXT COLLATE NOCASE,
    source INTEGER REFERENCES sources (source_id), source_id TEXT
);
CREATE TABLE diagnostic_reports (
    row_id     INTEGER PRIMARY KEY,
    subject_id INTEGER NOT NULL REFERENCES patients (subject_id),
    hadm_id    INTEGER REFERENCES admissions (hadm_id),
    charttime  TEXT,
    label      TEXT NOT NULL COLLATE NOCASE,
    category   TEXT COLLATE NOCASE,
    status     TEXT COLLATE NOCASE,
    conclusion TEXT,
    code       TEXT COLLATE NOCASE,
    source INTEGER REFERENCES sources (source_id), source_id TEXT
);
CREATE TABLE notes (
    note_id    INTEGER PRIMARY KEY,
    subject_id INTEGER NOT NULL REFERENCES patients (subject_id),
    hadm_id    INTEGER REFERENCES admissions (hadm_id),
    charttime  TEXT,
    note_type  TEXT COLLATE NOCASE,       -- admission | progress | nursing | consult | radiology | discharge | …
    title      TEXT COLLATE NOCASE,
    author     TEXT COLLATE NOCASE,
    language   TEXT,                      -- en | zh
    text       TEXT NOT NULL,             -- citations are [start, end) offsets, in code points, into this
    sha256     TEXT NOT NULL,             -- of the text in UTF-8
    source INTEGER REFERENCES sources (source_id), source_id TEXT
);
CREATE TABLE note_changes (               -- the indexes follow the notes by reading this log
    change_id INTEGER PRIMARY KEY AUTOINCREMENT,
    note_id   INTEGER NOT NULL,
    op        TEXT NOT NULL               -- put | delete
);
CREATE TRIGGER notes_inserted AFTER INSERT ON notes
    BEGIN INSERT INTO note_changes (note_id, op) VALUES (new.note_id, 'put'); END;
CREATE TRIGGER notes_updated AFTER UPDATE ON notes
    BEGIN INSERT INTO note_changes (note_id, op) VALUES (new.note_id, 'put'); END;
CREATE TRIGGER notes_deleted AFTER DELETE ON notes
    BEGIN INSERT INTO note_changes (note_id, op) VALUES (old.note_id, 'delete'); END;

-- Patient-scoped questions read (subject_id, …, time); cohort questions read (what, subject_id).
CREATE INDEX admissions_patient ON admissions (subject_id, admittime);
CREATE INDEX diagnoses_patient ON diagnoses_icd (subject_id, charttime);
CREATE INDEX diagnoses_code ON diagnoses_icd (icd_code, subject_id);
CREATE INDEX diagnoses_encounter ON diagnoses_icd (hadm_id);
CREATE INDEX procedures_patient ON procedures_icd (subject_id, charttime);
CREATE INDEX procedures_code ON procedures_icd (icd_code, subject_id);
CREATE INDEX procedures_encounter ON procedures_icd (hadm_id);
CREATE INDEX labs_patient ON labevents (subject_id, itemid, charttime);
CREATE INDEX labs_item ON labevents (itemid, charttime);
CREATE INDEX labs_encounter ON labevents (hadm_id, itemid);
CREATE INDEX prescriptions_patient ON prescriptions (subject_id, starttime);
CREATE INDEX prescriptions_drug ON prescriptions (drug, subject_id);
CREATE INDEX prescriptions_encounter ON prescriptions (hadm_id);
CREATE INDEX icustays_patient ON icustays (subject_id, intime);
CREATE INDEX icustays_encounter ON icustays (hadm_id);
CREATE INDEX transfers_patient ON transfers (subject_id, intime);
CREATE INDEX transfers_encounter ON transfers (hadm_id);
CREATE INDEX chart_patient ON chartevents (subject_id, itemid, charttime);
CREATE INDEX chart_item ON chartevents (itemid, charttime);
CREATE INDEX chart_encounter ON chartevents (hadm_id, itemid);
CREATE INDEX chart_stay ON chartevents (stay_id);
CREATE INDEX inputs_patient ON inputevents (subject_id, starttime);
CREATE INDEX inputs_item ON inputevents (itemid, starttime);
CREATE INDEX inputs_stay ON inputevents (stay_id);
CREATE INDEX outputs_patient ON outputevents (subject_id, charttime);
CREATE INDEX outputs_item ON outputevents (itemid, charttime);
CREATE INDEX outputs_stay ON outputevents (stay_id);
CREATE INDEX micro_patient ON microbiologyevents (subject_id, charttime);
CREATE INDEX micro_org ON microbiologyevents (org_name, subject_id);
CREATE INDEX micro_encounter ON microbiologyevents (hadm_id);
CREATE INDEX cost_patient ON cost (subject_id, chargetime);
CREATE INDEX cost_event ON cost (event_type, event_id);
CREATE INDEX cost_encounter ON cost (hadm_id);
CREATE INDEX allergies_patient ON allergies (subject_id);
CREATE INDEX immunizations_patient ON immunizations (subject_id, charttime);
CREATE INDEX observations_patient ON observations (subject_id, charttime);
CREATE INDEX reports_patient ON diagnostic_reports (subject_id, charttime);
CREATE INDEX notes_patient ON notes (subject_id, charttime);
