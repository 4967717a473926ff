-- The library: every edition of every document that was imported.
-- A document in use is the newest version of its id that no other document in use replaces.
CREATE TABLE documents (
    document_key INTEGER PRIMARY KEY AUTOINCREMENT,
    doc_id     TEXT NOT NULL,             -- stable name: what citations give
    version    INTEGER NOT NULL,          -- 1, 2, … with each change of its text
    title      TEXT NOT NULL,
    edition    TEXT,                      -- as the publisher names it: "2024", "3rd edition"
    supersedes TEXT,                      -- doc_id of the document that this one replaces
    language   TEXT,
    origin     TEXT NOT NULL,             -- name of the file it came from
    added      TEXT NOT NULL,
    sha256     TEXT NOT NULL,             -- of the text
    pages      TEXT NOT NULL,             -- JSON: where each page begins in the text, in code points
    text       TEXT NOT NULL,
    UNIQUE (doc_id, version)
);
CREATE INDEX documents_supersedes ON documents (supersedes);

CREATE VIEW newest AS
    SELECT d.* FROM documents d
    WHERE d.version = (SELECT max(v.version) FROM documents v WHERE v.doc_id = d.doc_id);
CREATE VIEW in_use AS
    SELECT n.* FROM newest n
    WHERE NOT EXISTS (SELECT 1 FROM newest s WHERE s.supersedes = n.doc_id);

CREATE TABLE changes (                    -- the index follows the documents by reading this log
    change_id INTEGER PRIMARY KEY AUTOINCREMENT,
    doc_id    TEXT NOT NULL
);
CREATE TRIGGER documents_put AFTER INSERT ON documents BEGIN
    INSERT INTO changes (doc_id) VALUES (new.doc_id);
    INSERT INTO changes (doc_id) SELECT new.supersedes WHERE new.supersedes IS NOT NULL;
    INSERT INTO changes (doc_id)          -- what the version before replaced may come back
        SELECT DISTINCT supersedes FROM documents
        WHERE doc_id = new.doc_id AND supersedes IS NOT NULL AND supersedes IS NOT new.supersedes;
END;
CREATE TRIGGER documents_gone AFTER DELETE ON documents BEGIN
    INSERT INTO changes (doc_id) VALUES (old.doc_id);
    INSERT INTO changes (doc_id) SELECT old.supersedes WHERE old.supersedes IS NOT NULL;
END;
