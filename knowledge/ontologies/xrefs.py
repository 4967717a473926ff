"""Reads tables of cross-references of the Disease Ontology: ``allXREFinDO.tsv``, ``ICD10inDO.tsv``."""

import re
from collections.abc import Iterator
from pathlib import Path

from knowledge.ontologies.codes import code_of
from knowledge.ontologies.entries import Coded, Coding, Entry, Left, Release
from knowledge.ontologies.lines import table_of


def recognise(head: str) -> bool:
    """Whether the beginning of a file is that of such a table."""
    return bool(re.match(r"id\tlabel\txrefs?\r?\n", head))


def describe(path: Path) -> Release:
    """The table is named after its file; the form has no version."""
    name = path.name.split(".")[0]
    return Release(name.lower(), f"Cross-references {name}")


def read(path: Path) -> Iterator[Entry]:
    """The codes of terms.

    Raises:
        ImportFailure: the file cannot be read, or a column is missing.
    """
    for line, row in table_of(path, ("id", "label")):
        cell = row.get("xref") or row.get("xrefs") or ""
        if not row["id"] or not cell:
            yield Left(f"line {line}", "a row without an id or a cross-reference")
        for reference in filter(None, (one.strip() for one in re.split(r"[|,]", cell))):
            found = code_of(reference)
            if isinstance(found, tuple):
                yield Coded(row["id"], Coding(*found), label=row["label"] or None)
            else:
                yield Left(row["id"], found)
