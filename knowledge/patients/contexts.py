"""What codes and statuses say beside the thing itself: "family history of", "resolved", "ruled out"."""

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import cast

from knowledge.patients.model import Assertion, Experiencer

_STRENGTH = ("negated", "family", "hypothetical", "possible", "historical", "present")
"""Which assertion wins where code and status give several: the one that says least of the patient."""


@dataclass(frozen=True, slots=True)
class Context:
    """How a row means what it names."""

    assertion: Assertion = "present"
    experiencer: Experiencer = "patient"
    closed: bool = False


def context_of(table: str, code: str | None, status: str | None) -> Context:
    """The context of a row.

    Args:
        table: of the store.
        code: as recorded (``icd10|Z809``).
        status: as recorded; several parted by commas (``active, provisional``).
    """
    found = [Context()]
    if code is not None and table == "diagnoses_icd":
        system, _, value = code.lower().partition("|")
        plain = value.replace(".", "")
        found += [context for of, prefix, context in _codes() if of == system and plain.startswith(prefix)]
    said = [part.strip().lower() for part in (status or "").split(",")]
    found += [_statuses()[table, part] for part in said if (table, part) in _statuses()]
    weakest = min(found, key=lambda context: _STRENGTH.index(context.assertion))
    return Context(weakest.assertion, weakest.experiencer, any(context.closed for context in found))


@cache
def _codes() -> tuple[tuple[str, str, Context], ...]:
    return tuple(
        (
            row["system"],
            row["prefix"].replace(".", "").lower(),
            Context(cast(Assertion, row["assertion"]), cast(Experiencer, row["experiencer"])),
        )
        for row in _rows("code_contexts.tsv")
    )


@cache
def _statuses() -> dict[tuple[str, str], Context]:
    return {
        (row["table"], row["status"]): Context(
            cast(Assertion, row["assertion"]), "patient", row["closed"] == "1"
        )
        for row in _rows("statuses.tsv")
    }


def _rows(name: str) -> list[dict[str, str]]:
    lines = files("knowledge.patients").joinpath(name).read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
