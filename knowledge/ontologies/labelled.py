"""Reads tables of terms that name their kinds by label: ``id label subClassOf`` (``HumanDO.tsv``)."""

import re
from collections.abc import Iterator
from pathlib import Path

from knowledge.ontologies.codes import namespace
from knowledge.ontologies.entries import Entry, Left, Release, Term
from knowledge.ontologies.lines import table_of

_COLUMNS = ("id", "label", "subClassOf")


def recognise(head: str) -> bool:
    """Whether the beginning of a file is that of such a table."""
    return bool(re.match(r"id\tlabel\tsubClassOf\r?\n", head))


def describe(path: Path) -> Release:
    """The table is named after its file; the form has no version."""
    name = path.name.split(".")[0]
    return Release(name.lower(), f"Table of terms {name}")


def read(path: Path) -> Iterator[Entry]:
    """The terms; a term with several kinds has several rows.

    Raises:
        ImportFailure: the file cannot be read, or a column is missing.
    """
    labels: dict[str, str] = {}
    kinds: dict[str, list[str]] = {}
    ids: dict[str, str | None] = {}  # by label; None where two terms have it
    for line, row in table_of(path, _COLUMNS):
        ref, label = row["id"], row["label"]
        if not ref or not label:
            yield Left(f"line {line}", "a row without an id or a label")
            continue
        if namespace(ref) is None:
            yield Left(ref, f"no type is known for terms of {ref.partition(':')[0]!r} (namespaces.tsv)")
            continue
        labels.setdefault(ref, label)
        ids[label] = ref if ids.get(label, ref) == ref else None
        if row["subClassOf"]:
            kinds.setdefault(ref, []).append(row["subClassOf"])
    for ref, label in labels.items():
        parents = []
        for kind in kinds.get(ref, ()):
            if parent := ids.get(kind):
                parents.append(parent)
            else:
                yield Left(ref, "its kind is named by a label that no term, or more than one, has")
        yield Term(ref, label, parents=tuple(parents))
