"""Writes the graph: what a source says goes in, what a source said goes out, and what follows is computed anew.

A change is made on a copy of the database, which takes over when it is complete (``knowledge.generations``), so
an interrupted one leaves nothing and readers keep what they have open. Only one change is made at a time.
"""

import hashlib
import json
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from importlib.resources import files
from pathlib import Path

from knowledge.errors import IndexFault, IndexOutdated
from knowledge.generations import Generations
from knowledge.graph.parts import CORE, CodeScope, Language, NameKind
from knowledge.manifest import NAME as MANIFEST
from knowledge.manifest import Manifest
from knowledge.terminology.terminology import fold

DATABASE = "graph.sqlite"
REPAIR = "chartroom knowledge build --anew"
_SCHEMA = files("knowledge.graph").joinpath("schema.sql").read_text("utf-8")
SCHEMA_VERSION = hashlib.sha256(_SCHEMA.encode()).hexdigest()[:16]
_CLAIMS = ("claim", "name", "code", "edge", "left_out")
_COUNTS = {
    "concepts": "SELECT type, count(*) FROM concept GROUP BY type ORDER BY type",
    "names": "SELECT language, count(*) FROM (SELECT DISTINCT language, concept_key, form FROM name) GROUP BY language",
    "codes": "SELECT system, count(*) FROM (SELECT DISTINCT system, concept_key, code FROM code) GROUP BY system",
    "edges": "SELECT r.relation, count(*) FROM edge JOIN relation r ON relation_key = edge.relation GROUP BY 1",
}


def generations(folder: Path) -> Generations:
    """The generations of the graph that lies in ``folder``."""
    return Generations(folder, REPAIR)


def checked(folder: Path) -> tuple[Path, Manifest]:
    """The folder of the present generation and its manifest, every byte checked.

    Raises:
        IndexFault: missing, truncated, altered or of another version.
    """
    try:
        generation, manifest = generations(folder).open()
    except IndexOutdated as error:
        raise _outdated(folder) from error
    if manifest.details.get("graph_schema") != SCHEMA_VERSION:
        raise _outdated(folder)
    return generation, manifest


def _outdated(folder: Path) -> IndexOutdated:
    imported = str(stated(folder).get("sources", "")).split()[1:]
    again = f" Then import again: {', '.join(imported)}." if imported else ""
    return IndexOutdated(
        f"The knowledge graph {folder} was made by another version of Chartroom. "
        f"Build it anew with: {REPAIR}.{again}"
    )


def stated(folder: Path) -> Mapping[str, int | str]:
    """What the manifest tells of the graph, unchecked; nothing where there is none that can be read."""
    try:
        text = (generations(folder).current() / MANIFEST).read_text("utf-8")
        return Manifest.model_validate_json(text).details
    except (OSError, ValueError, IndexFault):
        return {}


def refuse_lost(folder: Path) -> None:
    """Refuse to begin anew where imports lie that no pointer leads to: a build would clean them away.

    Raises:
        IndexFault: there are some. A core pack alone, left by a first build that was killed, is none.
    """
    for manifest in sorted(folder.glob(f"gen-*/{MANIFEST}")):
        try:
            sources = Manifest.model_validate_json(manifest.read_text("utf-8")).details.get("sources")
        except (OSError, ValueError):
            continue
        if sources != CORE:
            raise IndexFault(
                f"The pointer of the knowledge graph {folder} is missing, and {manifest.parent.name} holds imports: "
                f"{sources}. Put the file 'current' back, or build it anew without them: {REPAIR}"
            )


@contextmanager
def writing(folder: Path, *, anew: bool = False, wait: float = 0) -> "Iterator[GraphWriter]":
    """Change the graph in ``folder``; the change takes effect when the block ends, and not at all if it raises.

    Args:
        folder: holds the graph, or is made.
        anew: begin with an empty graph, whatever is there.
        wait: for another change that is at work, in seconds.

    Raises:
        IndexFault: another change is at work, the folder cannot be written, or the graph to be changed was altered.
    """
    places = generations(folder)
    with places.stage(wait) as staging:
        database = staging.folder / DATABASE
        copied = not anew and (folder / "current").exists()
        if copied:
            shutil.copyfile(checked(folder)[0] / DATABASE, database)
        with closing(sqlite3.connect(database, isolation_level=None)) as connection:
            # The copy is thrown away when anything fails, so it needs neither a journal nor durable writes;
            # what is kept is synchronised to the disk when it is sealed.
            connection.execute("PRAGMA journal_mode = OFF")
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("PRAGMA cache_size = -65536")
            connection.execute("PRAGMA temp_store = FILE")
            if not copied:
                connection.executescript(_SCHEMA)
            connection.execute("BEGIN")
            writer = GraphWriter(connection)
            yield writer
            details = writer.finish()
            connection.execute("COMMIT")
            connection.execute(
                "PRAGMA optimize = 0x10002"
            )  # statistics, so that queries begin at the right end
        staging.manifest = Manifest(store="knowledge", details={"graph_schema": SCHEMA_VERSION, **details})


class GraphWriter:
    """The graph while it is being changed. Made by ``writing``."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._relations: dict[str, int] = dict(
            connection.execute("SELECT relation, relation_key FROM relation")
        )
        self._citations: dict[tuple[str, str, int | None], int] = {}

    def source(self, source_id: str, *, title: str, format: str, version: str, sha256: str) -> int:
        """Begin a source, in place of the one with the same id; gives its key."""
        place = self.remove(source_id)
        row = (place, source_id, title, format, version, sha256)
        cursor = self.connection.execute(
            "INSERT INTO source (source_key, id, title, format, version, sha256) VALUES (?, ?, ?, ?, ?, ?)",
            row,
        )
        return cursor.lastrowid or 0

    def remove(self, source_id: str) -> int | None:
        """Take out all that a source said; gives the key that it had, None where it is not there."""
        row = self.connection.execute("SELECT source_key FROM source WHERE id = ?", (source_id,)).fetchone()
        if row is None:
            return None
        for table in (*_CLAIMS, "source"):
            self.connection.execute(f"DELETE FROM {table} WHERE source_key = ?", row)
        return row[0]

    def concept(self, concept_id: str) -> int:
        """The key of a concept, which is made if it is not there; what it is called, its claims say."""
        row = self.connection.execute(
            "SELECT concept_key FROM concept WHERE id = ?", (concept_id,)
        ).fetchone()
        if row is not None:
            return row[0]
        cursor = self.connection.execute(
            "INSERT INTO concept (id, type, en) VALUES (?, '', '')", (concept_id,)
        )
        return cursor.lastrowid or 0

    def claim(
        self, concept: int, source: int, *, term: str, type: str, en: str, zh: str | None, basis: str = ""
    ) -> None:
        """Say that a source knows the concept, as what and under which id of its own."""
        self.connection.execute(
            "INSERT OR IGNORE INTO claim VALUES (?, ?, ?, ?, ?, ?, ?)",
            (concept, source, term, type, en, zh, basis),
        )
        self.name(concept, source, en, "en", "name")
        if zh:
            self.name(concept, source, zh, "zh", "name")

    def name(
        self, concept: int, source: int, form: str, language: Language, kind: NameKind, *, exact: bool = False
    ) -> None:
        """Say that a source calls the concept so."""
        self.connection.execute(
            "INSERT OR IGNORE INTO name VALUES (?, ?, ?, ?, ?, ?, ?)",
            (concept, fold(form), form, language, kind, exact, source),
        )

    def code(self, concept: int, source: int, system: str, code: str, scope: CodeScope = "exact") -> None:
        """Say that a source gives the concept this code."""
        self.connection.execute(
            "INSERT OR IGNORE INTO code VALUES (?, ?, ?, ?, ?, ?)",
            (concept, system, plain(code), code, scope, source),
        )

    def edge(
        self,
        subject: int,
        relation: str,
        object: int,
        source: int,
        *,
        citation: tuple[str, str, int | None],
        condition: str | None = None,
        severity: str | None = None,
        detail: tuple[str, str] | None = None,
    ) -> None:
        """Say that two concepts are related.

        The citation is the work that says so, the place in it and its year; the detail is the same remark in
        English and in Chinese.
        """
        english, chinese = detail or (None, None)
        self.connection.execute(
            "INSERT INTO edge (subject, relation, object, condition, severity, detail_en, detail_zh, "
            "citation_key, source_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                subject,
                self._relation(relation),
                object,
                condition,
                severity,
                english,
                chinese,
                self._citation(citation),
                source,
            ),
        )

    def left(self, source: int, reason: str, entries: int, examples: str) -> None:
        """Keep how many entries of a source were not taken for one reason, with the ids of some."""
        self.connection.execute(
            "INSERT INTO left_out VALUES (?, ?, ?, ?)", (source, reason, entries, examples)
        )

    def finish(self) -> Mapping[str, int | str]:
        """Drop what no source carries any more, name each concept after its first source, count.

        Returns:
            What the manifest tells of the graph.
        """
        run = self.connection.execute
        run("DELETE FROM concept WHERE concept_key NOT IN (SELECT concept_key FROM claim)")
        for table, column in (
            ("name", "concept_key"),
            ("code", "concept_key"),
            ("edge", "subject"),
            ("edge", "object"),
        ):
            run(f"DELETE FROM {table} WHERE {column} NOT IN (SELECT concept_key FROM concept)")
        run("DELETE FROM citation WHERE citation_key NOT IN (SELECT citation_key FROM edge)")
        run("DELETE FROM relation WHERE relation_key NOT IN (SELECT relation FROM edge)")
        self._relations.clear()  # what was just deleted is known no more
        self._citations.clear()
        run(
            "UPDATE concept SET (type, en) = (SELECT type, en FROM claim WHERE claim.concept_key = "
            "concept.concept_key ORDER BY source_key, term LIMIT 1), zh = coalesce((SELECT zh FROM claim WHERE "
            "claim.concept_key = concept.concept_key AND zh IS NOT NULL ORDER BY source_key, term LIMIT 1), "
            "(SELECT form FROM name WHERE name.concept_key = concept.concept_key AND language = 'zh' AND "
            "kind = 'name' ORDER BY source_key, form LIMIT 1))"
        )
        for column, side in (("out_degree", "subject"), ("in_degree", "object")):
            run(
                f"UPDATE concept SET {column} = n FROM (SELECT {side} AS k, count(*) AS n FROM edge GROUP BY {side}) "
                f"WHERE k = concept_key AND {column} <> n"
            )
            run(
                f"UPDATE concept SET {column} = 0 WHERE {column} > 0 AND concept_key NOT IN (SELECT {side} FROM edge)"
            )
        for column, table in (("concepts", "claim"), ("names", "name"), ("codes", "code"), ("edges", "edge")):
            run(
                f"UPDATE source SET {column} = coalesce((SELECT n FROM (SELECT source_key AS k, count(*) AS n "
                f"FROM {table} GROUP BY source_key) WHERE k = source_key), 0)"
            )
        counts = {what: dict(run(query).fetchall()) for what, query in _COUNTS.items()}
        self.meta("counts", json.dumps(counts))
        core = run("SELECT version FROM source WHERE id = 'core'").fetchone()
        return {
            "core": core[0] if core else "",
            "concepts": sum(counts["concepts"].values()),
            "edges": sum(counts["edges"].values()),
            "sources": " ".join(row[0] for row in run("SELECT id FROM source ORDER BY source_key")),
        }

    def meta(self, key: str, value: str) -> None:
        """Keep a remark about the graph as a whole."""
        self.connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def _relation(self, relation: str) -> int:
        key = self._relations.get(relation)
        if key is None:
            cursor = self.connection.execute("INSERT INTO relation (relation) VALUES (?)", (relation,))
            key = self._relations[relation] = cursor.lastrowid or 0
        return key

    def _citation(self, citation: tuple[str, str, int | None]) -> int:
        key = self._citations.get(citation)
        if key is None:
            row = self.connection.execute(
                "SELECT citation_key FROM citation WHERE source = ? AND section = ? AND year IS ?", citation
            ).fetchone()
            if row is None:
                cursor = self.connection.execute(
                    "INSERT INTO citation (source, section, year) VALUES (?, ?, ?)", citation
                )
                key = cursor.lastrowid or 0
            else:
                key = row[0]
            self._citations[citation] = key
        return key


def plain(code: str) -> str:
    """A code in capitals without dots and the prefix of its system, as record stores write it."""
    return code.rpartition(":")[2].replace(".", "").upper()
