"""Reads tables of diseases with their symptoms (``disease-symptom.tsv`` of the Disease Ontology)."""

from collections.abc import Iterator
from pathlib import Path

from knowledge.ontologies.entries import End, Entry, Left, Related, Release
from knowledge.ontologies.lines import table_of

_COLUMNS = ("disease_id", "disease_label", "symptom_id", "symptom_label")


def recognise(head: str) -> bool:
    """Whether the beginning of a file is that of such a table."""
    return tuple(head.split("\n", 1)[0].rstrip("\r").split("\t")) == _COLUMNS


def describe(path: Path) -> Release:
    """The table is named after its file; the form has no version."""
    name = path.name.split(".")[0].lower()
    return Release(name, "Disease Ontology, diseases with symptoms")


def read(path: Path) -> Iterator[Entry]:
    """The pairs; a symptom that is not known yet becomes a finding.

    Raises:
        ImportFailure: the file cannot be read, or a column is missing.
    """
    for line, row in table_of(path, _COLUMNS):
        if not (row["disease_id"] and row["symptom_id"]):
            yield Left(f"line {line}", "a pair without the ids of its disease and symptom")
            continue
        yield Related(
            End(row["symptom_id"], row["symptom_label"] or None, "finding"),
            "symptom_of",
            End(row["disease_id"], row["disease_label"] or None, "disease"),
            place=f"line {line}",
        )
