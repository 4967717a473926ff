"""What the graph's relations are called and how much they count in a walk: the table ``relations.tsv``."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from io import StringIO


@dataclass(frozen=True, slots=True)
class Relation:
    """A row of the table.

    Attributes:
        weight: 0 to 1; how much a step over it counts. Those of 0 are walked only when asked for by name.
        family: two steps of one family that meet in what they point to connect nothing: that two drugs are both
            forbidden in cirrhosis, or treat it, says nothing of the one about the other. Empty: they may.
        symmetric: it has no direction.
        en, zh: how it is worded.
    """

    name: str
    weight: float
    family: str
    symmetric: bool
    en: str
    zh: str


@cache
def relations() -> Mapping[str, Relation]:
    """All relations, the weightiest first."""
    text = files("knowledge.graph").joinpath("relations.tsv").read_text("utf-8")
    rows = csv.DictReader(StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE)
    return {
        row["relation"]: Relation(
            row["relation"],
            float(row["weight"]),
            row["family"],
            row["symmetric"] == "yes",
            row["en"],
            row["zh"],
        )
        for row in rows
    }


def walked() -> tuple[str, ...]:
    """The relations that a walk takes where none are named."""
    return tuple(name for name, relation in relations().items() if relation.weight > 0)
