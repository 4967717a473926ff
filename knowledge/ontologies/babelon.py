"""Reads translation tables in the Babelon form (``hp-zh.babelon.tsv``): Chinese names of terms that are known.

The status of a row is respected: an official or approved name becomes the preferred Chinese name where there is
none yet; a candidate is kept as a synonym; a row that is not translated, or rejected, is left.
"""

from collections.abc import Iterator
from pathlib import Path

from knowledge.ontologies.entries import Called, Entry, Form, Left, Release
from knowledge.ontologies.lines import table_of

_COLUMNS = (
    "translation_language",
    "subject_id",
    "predicate_id",
    "source_value",
    "translation_value",
    "translation_status",
)
_PREFERRED = frozenset({"OFFICIAL", "APPROVED"})
_CANDIDATE = frozenset({"CANDIDATE", "UNDER_REVIEW"})
_LABELS = frozenset({"rdfs:label", "skos:prefLabel"})
_SYNONYMS = frozenset({"oboInOwl:hasExactSynonym", "skos:altLabel"})


def recognise(head: str) -> bool:
    """Whether the beginning of a file is that of a Babelon table."""
    header = head.splitlines()[0].split("\t") if head else []
    return all(column in header for column in _COLUMNS)


def describe(path: Path) -> Release:
    """The table is named after its file; the form has no version."""
    name = path.name.split(".")[0]
    return Release(name, f"Translation table {name}")


def read(path: Path) -> Iterator[Entry]:
    """The translations into Chinese.

    Raises:
        ImportFailure: the file cannot be read, or a column is missing.
    """
    for line, row in table_of(path, _COLUMNS):
        status = row["translation_status"].upper()
        if not row["translation_language"].lower().startswith("zh"):
            yield Left(f"line {line}", "a translation into another language than Chinese")
        elif row["predicate_id"] not in _LABELS | _SYNONYMS:
            yield Left(f"line {line}", f"a translation of {row['predicate_id']}, which is no name")
        elif status not in _PREFERRED | _CANDIDATE:
            yield Left(row["subject_id"], f"a translation of status {status or 'unknown'}")
        elif not row["translation_value"] or not row["subject_id"]:
            yield Left(f"line {line}", "a row without an id or a translation")
        else:
            preferred = status in _PREFERRED and row["predicate_id"] in _LABELS
            form = Form(row["translation_value"], "zh", "name" if preferred else "synonym")
            yield Called(row["subject_id"], form, label=row["source_value"] or None)
