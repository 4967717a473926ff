"""Reads tables of drug-disease pairs in the form of PharmacotherapyDB (``indications.tsv``).

A pair of the category DM (modifies the disease) or SYM (relieves its symptoms) is a treatment; a pair of the
category NOT is kept as ``not_indicated_for``, so that it never reads as one.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from knowledge.ontologies.entries import End, Entry, Left, Related, Release
from knowledge.ontologies.lines import table_of

_COLUMNS = ("doid_id", "drugbank_id", "disease", "drug", "category")
_RELATIONS = {
    "DM": ("treats", ("modifies the disease", "改变病程")),
    "SYM": ("treats", ("symptomatic", "对症治疗")),
    "NOT": ("not_indicated_for", None),
}


def recognise(head: str) -> bool:
    """Whether the beginning of a file is that of such a table."""
    header = head.split("\n", 1)[0].rstrip("\r").split("\t")
    return all(column in header for column in _COLUMNS)


def describe(path: Path) -> Release:
    """The table is named after its folder; the form has no version."""
    name = path.resolve().parent.name.lower()
    return Release(f"{name}-{path.name.split('.')[0].lower()}", "PharmacotherapyDB", "", 2016)


def read(path: Path) -> Iterator[Entry]:
    """The pairs.

    Raises:
        ImportFailure: the file cannot be read, or a column is missing.
    """
    for line, row in table_of(path, _COLUMNS):
        place, meaning = f"line {line}", _RELATIONS.get(row["category"].upper())
        if meaning is None:
            yield Left(place, f"a pair of the unknown category {row['category'][:10]!r}")
        elif not (re.fullmatch(r"DOID:\d+", row["doid_id"]) and re.fullmatch(r"DB\d{5}", row["drugbank_id"])):
            yield Left(place, "a pair without the ids of its drug and disease")
        else:
            relation, detail = meaning
            yield Related(
                End(row["drugbank_id"], row["drug"], "drug"),
                relation,
                End(row["doid_id"], row["disease"], "disease"),
                place=place,
                detail=detail,
            )
