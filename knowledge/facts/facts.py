"""The tables of facts: reading them, and what a row of them is.

A table is UTF-8 TSV with the columns ``COLUMNS``, named after its relation (``interacts_with.tsv``). A row without
a source and its year is no fact; neither is one about a concept that nobody knows. In the tables that come with
Chartroom such a row is a mistake and stops the reading; in a table that a hospital imports it is set aside and
reported, and the others are taken. What follows from facts is left to the graph.

How a row reads: where the object is a lab or a vital, the condition says at which value the relation holds; where it
is a disease or a finding, the patient has it and the condition, if any, holds as well. A drug or class that is
``contraindicated_when`` a class of drugs must not go to a patient who is allergic to that class. A pair of
``interacts_with`` speaks of two different drugs, also where one drug belongs to both of its classes.
"""

import csv
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from knowledge.errors import ConfigError
from knowledge.facts.conditions import parse

COLUMNS = (
    "subject",
    "object",
    "condition",
    "severity",
    "detail_en",
    "detail_zh",
    "source",
    "section",
    "year",
)
DETAIL_LENGTH = 120
RELATIONS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "is_a": frozenset(),
        "treats": frozenset(),
        "first_line_for": frozenset(),
        "contraindicated_when": frozenset({"absolute", "relative"}),
        "dose_adjust_when": frozenset(),
        "interacts_with": frozenset({"contraindicated", "major", "moderate"}),
        "adverse_effect": frozenset({"common", "uncommon", "serious"}),
        "causes": frozenset(),
        "symptom_of": frozenset({"typical", "common", "possible"}),
        "risk_factor_of": frozenset(),
        "diagnosed_by": frozenset(),
        "monitored_by": frozenset(),
    }
)
"""Every relation and the severities that it knows; a relation without any takes none."""
_MEASURED = ("lab:", "vital:")
_FIRST_YEAR, _LAST_YEAR = 1900, 2100


@dataclass(frozen=True, slots=True)
class Fact:
    """One sourced statement: subject, relation, object.

    Attributes:
        subject, object: ids of concepts.
        relation: one of ``RELATIONS``.
        condition: when it holds, in the grammar of ``knowledge.facts.conditions``; None: always.
        severity: one of those that the relation knows, or None.
        detail_en, detail_zh: mechanism, consequence or advice; both are there or neither.
        source, section, year: what says so, where in it, and of which year the source is.
    """

    subject: str
    relation: str
    object: str
    condition: str | None
    severity: str | None
    detail_en: str
    detail_zh: str
    source: str
    section: str
    year: int


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that was not taken; it is named by its place, never quoted."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.reason}"


@dataclass(frozen=True, slots=True)
class FactReview:
    """What reading a foreign table gave."""

    facts: tuple[Fact, ...]
    rejected: tuple[RejectedRow, ...]


def read_facts(source: Path, known: Container[str]) -> list[Fact]:
    """The facts of the core pack, in the order of the tables.

    Args:
        source: a folder of tables, or one of them.
        known: the ids of all concepts.

    Raises:
        ConfigError: a table cannot be read, or a row of it is no fact; names file, line and reason.
    """
    facts = []
    for entry in _entries(source, known):
        if isinstance(entry, RejectedRow):
            raise ConfigError(f"{entry}. Correct the row or take it out.")
        facts.append(entry)
    return facts


def review_facts(source: Path, known: Container[str]) -> FactReview:
    """The facts of imported tables, and the rows that are none.

    Args:
        source: a folder of tables, or one of them.
        known: the ids of all concepts.

    Raises:
        ConfigError: a table cannot be read at all.
    """
    entries = list(_entries(source, known))
    return FactReview(
        facts=tuple(entry for entry in entries if isinstance(entry, Fact)),
        rejected=tuple(entry for entry in entries if isinstance(entry, RejectedRow)),
    )


def _entries(source: Path, known: Container[str]) -> Iterator[Fact | RejectedRow]:
    tables = sorted(source.glob("*.tsv")) if source.is_dir() else [source]
    if not tables:
        raise ConfigError(f"The folder of facts {source} holds no .tsv file.")
    for table in tables:
        if table.stem not in RELATIONS:
            raise ConfigError(
                f"The table of facts {table} is not named after a relation; use one of {', '.join(RELATIONS)}."
            )
        yield from _table(table, known)


def _table(table: Path, known: Container[str]) -> Iterator[Fact | RejectedRow]:
    relation = table.stem
    lines_of: dict[tuple[str, ...], int] = {}
    try:
        with table.open(encoding="utf-8-sig", newline="") as lines:
            rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
            missing = [column for column in COLUMNS if column not in (rows.fieldnames or ())]
            if missing:
                raise ConfigError(f"The table of facts {table} has no column {', '.join(missing)}.")
            for row in rows:
                cells = {column: (row[column] or "").strip() for column in COLUMNS}
                reason = _fault(relation, cells, known)
                key = (cells["subject"], cells["object"], cells["condition"])
                if reason is None and key in lines_of:
                    reason = f"it repeats line {lines_of[key]}"
                if reason is not None:
                    yield RejectedRow(str(table), rows.line_num, reason)
                    continue
                lines_of[key] = rows.line_num
                yield _fact(relation, cells)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"The table of facts {table} cannot be read: {error}. It must be UTF-8 TSV."
        ) from error


def _fault(relation: str, cells: Mapping[str, str], known: Container[str]) -> str | None:
    """Why a row is no fact; None where it is one."""
    for column in ("subject", "object", "source", "year"):
        if not cells[column]:
            return f"the column {column!r} is empty; every fact needs it"
    for column in ("subject", "object"):
        if cells[column] not in known:
            return f"the {column} {cells[column]!r} is no known concept"
    year = cells["year"]
    if not (year.isascii() and year.isdigit() and _FIRST_YEAR <= int(year) <= _LAST_YEAR):
        return f"the year {year!r} is no year"
    severities = RELATIONS[relation]
    if cells["severity"] and cells["severity"] not in severities:
        allowed = ", ".join(sorted(severities)) or "none"
        return f"{cells['severity']!r} is no severity of {relation} (allowed: {allowed})"
    for column in ("detail_en", "detail_zh"):
        if len(cells[column]) > DETAIL_LENGTH:
            return f"the column {column!r} is longer than {DETAIL_LENGTH} characters"
    if bool(cells["detail_en"]) != bool(cells["detail_zh"]):
        return "a detail is written in both languages or in neither"
    return _condition_fault(relation, cells) or (
        _interaction_fault(cells) if relation == "interacts_with" else None
    )


def _condition_fault(relation: str, cells: Mapping[str, str]) -> str | None:
    if cells["condition"]:
        try:
            parse(cells["condition"])
        except ConfigError as error:
            return str(error).rstrip(".")
    elif relation == "dose_adjust_when" and cells["object"].startswith(_MEASURED):
        return "a dose that depends on a measured value needs the condition"
    return None


def _interaction_fault(cells: Mapping[str, str]) -> str | None:
    if cells["subject"] >= cells["object"]:
        return "a pair is written once, its two ids in alphabetical order"
    if not (cells["severity"] and cells["detail_en"]):
        return "an interaction needs a severity and, as detail, mechanism and consequence"
    return None


def _fact(relation: str, cells: Mapping[str, str]) -> Fact:
    return Fact(
        subject=cells["subject"],
        relation=relation,
        object=cells["object"],
        condition=cells["condition"] or None,
        severity=cells["severity"] or None,
        detail_en=cells["detail_en"],
        detail_zh=cells["detail_zh"],
        source=cells["source"],
        section=cells["section"],
        year=int(cells["year"]),
    )
