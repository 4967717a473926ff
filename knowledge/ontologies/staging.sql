-- Where the entries of a release wait until all are read. They end with the connection.
CREATE TEMP TABLE term (
    k INTEGER PRIMARY KEY, ref TEXT NOT NULL UNIQUE, type TEXT NOT NULL, en TEXT NOT NULL, zh TEXT,
    basis TEXT NOT NULL,
    implied INTEGER NOT NULL,         -- 1: only a relation speaks of it
    concept INTEGER,                  -- where it went
    fate TEXT                         -- merged, added, or outside
);
CREATE TEMP TABLE form (
    k INTEGER NOT NULL, same TEXT NOT NULL, form TEXT NOT NULL, language TEXT NOT NULL, kind TEXT NOT NULL,
    exact INTEGER NOT NULL
);
CREATE TEMP TABLE coding (
    k INTEGER NOT NULL, system TEXT NOT NULL, plain TEXT NOT NULL, code TEXT NOT NULL, scope TEXT NOT NULL
);
CREATE TEMP TABLE parent (k INTEGER NOT NULL, ref TEXT NOT NULL, PRIMARY KEY (k, ref)) WITHOUT ROWID;
CREATE TEMP TABLE alternative (k INTEGER NOT NULL, ref TEXT NOT NULL, PRIMARY KEY (ref, k)) WITHOUT ROWID;
CREATE TEMP TABLE called (
    ref TEXT NOT NULL, label TEXT, form TEXT NOT NULL, language TEXT NOT NULL, kind TEXT NOT NULL, exact INTEGER NOT NULL
);
CREATE TEMP TABLE coded (
    ref TEXT NOT NULL, label TEXT, system TEXT NOT NULL, code TEXT NOT NULL, scope TEXT NOT NULL
);
CREATE TEMP TABLE related (
    subject TEXT NOT NULL, relation TEXT NOT NULL, object TEXT NOT NULL, place TEXT NOT NULL, condition TEXT,
    severity TEXT, detail_en TEXT, detail_zh TEXT, source TEXT, section TEXT, year INTEGER
);
