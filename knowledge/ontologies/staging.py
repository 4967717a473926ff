"""Holds the entries of a release until all are read, on disk, so that a large one needs no memory."""

import sqlite3
from importlib.resources import files

from knowledge.graph.write import plain
from knowledge.ontologies.codes import namespace, own_code
from knowledge.ontologies.entries import Called, Coded, Coding, End, Entry, Form, Left, Related, Term
from knowledge.ontologies.likeness import same
from knowledge.ontologies.report import Reason

_LOOKED_UP = (
    ("form", "same"),
    ("form", "k"),
    ("coding", "system, plain"),
    ("coding", "k"),
    ("parent", "ref"),
)


class Staging:
    """The entries that were read so far, in temporary tables of the graph's connection.

    Attributes:
        entries: how many were read.
        left: reason to the entries that were not taken.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.entries = 0
        self.left: dict[str, Reason] = {}
        for statement in files("knowledge.ontologies").joinpath("staging.sql").read_text("utf-8").split(";"):
            connection.execute(statement)

    def leave(self, place: str, reason: str) -> None:
        """Report an entry as not taken."""
        self.left.setdefault(reason, Reason()).add(place)

    def add(self, entry: Entry) -> None:
        """Take an entry."""
        self.entries += 1
        match entry:
            case Left(place, reason):
                self.leave(place, reason)
            case Term():
                self._term(entry)
            case Called(ref, form, label):
                self.connection.execute(
                    "INSERT INTO called VALUES (?, ?, ?, ?, ?, ?)",
                    (ref, label, form.form, form.language, form.kind, form.exact),
                )
            case Coded(ref, code, label):
                self.connection.execute(
                    "INSERT INTO coded VALUES (?, ?, ?, ?, ?)",
                    (ref, label, code.system, code.code, code.scope),
                )
            case Related():
                self._related(entry)

    def index(self) -> None:
        """Ready the tables for being looked up; after the last entry."""
        for table, columns in _LOOKED_UP:
            name = f"{table}_{columns.replace(', ', '_')}"
            self.connection.execute(f"CREATE INDEX temp.{name} ON {table} ({columns})")

    def _term(self, term: Term) -> None:
        known = namespace(term.ref)
        kind = term.type or (known.type if known else None)
        if kind is None:
            self.leave(term.ref, "a term of a prefix whose type is not known (namespaces.tsv)")
            return
        run = self.connection.execute
        row = run("SELECT k, implied FROM term WHERE ref = ?", (term.ref,)).fetchone()
        if row is not None and not row[1]:
            self.leave(term.ref, "the id occurs twice; the first term of it is kept")
            return
        if row is not None:  # a relation spoke of it before it was defined
            for table in ("form", "coding", "term"):
                run(f"DELETE FROM {table} WHERE k = ?", row[:1])
        key = run(
            "INSERT INTO term (ref, type, en, zh, basis, implied) VALUES (?, ?, ?, ?, ?, 0)",
            (term.ref, kind, term.en, term.zh, term.basis),
        ).lastrowid
        self._form(key, Form(term.en, "en", "name"))
        if term.zh:
            self._form(key, Form(term.zh, "zh", "name"))
        for form in term.forms:
            self._form(key, form)
        own = own_code(term.ref)
        for code in (*term.codes, *((Coding(*own),) if own else ())):
            self._coding(key, code)
        for table, refs in (("parent", term.parents), ("alternative", term.alternatives)):
            self.connection.executemany(
                f"INSERT OR IGNORE INTO {table} VALUES (?, ?)", ((key, ref) for ref in refs)
            )

    def _related(self, entry: Related) -> None:
        for end in (entry.subject, entry.object):
            if end.type is not None and end.label:
                self._imply(end, end.type, end.label)
        english, chinese = entry.detail or (None, None)
        self.connection.execute(
            "INSERT INTO related VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                entry.subject.ref,
                entry.relation,
                entry.object.ref,
                entry.place,
                entry.condition,
                entry.severity,
                english,
                chinese,
                *(entry.citation or (None, None, None)),
            ),
        )

    def _imply(self, end: End, kind: str, label: str) -> None:
        cursor = self.connection.execute(
            "INSERT OR IGNORE INTO term (ref, type, en, basis, implied) VALUES (?, ?, ?, '', 1)",
            (end.ref, kind, label),
        )
        if cursor.rowcount:
            self._form(cursor.lastrowid, Form(label, "en", "name"))
            if own := own_code(end.ref):
                self._coding(cursor.lastrowid, Coding(*own))

    def _form(self, key: int | None, form: Form) -> None:
        self.connection.execute(
            "INSERT INTO form VALUES (?, ?, ?, ?, ?, ?)",
            (key, same(form.form), form.form, form.language, form.kind, form.exact),
        )

    def _coding(self, key: int | None, code: Coding) -> None:
        self.connection.execute(
            "INSERT INTO coding VALUES (?, ?, ?, ?, ?)",
            (key, code.system, plain(code.code), code.code, code.scope),
        )
