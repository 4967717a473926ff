"""The tables of concepts: reading them, and what a row of them is.

A table is UTF-8 TSV with the columns ``COLUMNS``; cells that hold several entries separate them with ``|``.
An abbreviation written with a leading ``=`` counts only in exactly that case (``=K``, ``=MS``), because in
another case it would be an ordinary word, a unit or somebody else's abbreviation. Three further columns may be there:
``title_patterns`` (words that the titles of a procedure have; ``!word`` for one they must not have), ``members``
(names of the drugs of a class, beyond the drugs with its ATC codes; ``!word`` for one that marks local forms
outside the class) and ``stand_ins`` (ids of concepts that answer for this one where a store has only them).
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from knowledge.errors import ConfigError

ConceptType = Literal["lab", "vital", "drug", "drug_class", "disease", "finding", "procedure", "organism"]
COLUMNS = (
    "id",
    "type",
    "en",
    "zh",
    "synonyms_en",
    "synonyms_zh",
    "abbreviations",
    "codes",
    "labels",
    "source",
)


@dataclass(frozen=True, slots=True)
class Concept:
    """One thing that clinicians name, in both languages.

    Attributes:
        id: stable, ours: ``lab:creatinine``.
        en, zh: preferred names.
        abbreviations: a leading ``=`` marks those that count only in exactly that case.
        codes: ``(system, code)``; a code of ICD or ATC stands for itself and all below it.
        labels: how tables of MIMIC-IV and its relatives call it.
        source: where names, codes and labels come from.
        title_patterns: of a procedure: the words that a title needs, ``!word`` those it must not have.
        members: of a class of drugs: names of drugs that belong to it, ``!word`` for forms that do not.
        stand_ins: ids of concepts that answer for this one where a store has only them.
    """

    id: str
    type: ConceptType
    en: str
    zh: str
    synonyms_en: tuple[str, ...]
    synonyms_zh: tuple[str, ...]
    abbreviations: tuple[str, ...]
    codes: tuple[tuple[str, str], ...]
    labels: tuple[str, ...]
    source: str
    title_patterns: tuple[tuple[str, ...], ...] = ()
    members: tuple[str, ...] = ()
    stand_ins: tuple[str, ...] = ()

    def extended(self, other: "Concept") -> "Concept":
        """This concept with the names, codes and labels of another row for the same id added."""

        def both(mine: tuple, theirs: tuple) -> tuple:
            return tuple(dict.fromkeys((*mine, *theirs)))

        return replace(
            self,
            synonyms_en=both(self.synonyms_en, (other.en, *other.synonyms_en)),
            synonyms_zh=both(self.synonyms_zh, (other.zh, *other.synonyms_zh)),
            abbreviations=both(self.abbreviations, other.abbreviations),
            codes=both(self.codes, other.codes),
            labels=both(self.labels, other.labels),
            source=f"{self.source}; {other.source}",
            title_patterns=both(self.title_patterns, other.title_patterns),
            members=both(self.members, other.members),
            stand_ins=both(self.stand_ins, other.stand_ins),
        )


def read_table(path: Path) -> Iterator[Concept]:
    """The concepts of one table, in order.

    Raises:
        ConfigError: the file cannot be read, a column is missing or a row is incomplete.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
            missing = [column for column in COLUMNS if column not in (rows.fieldnames or ())]
            if missing:
                raise ConfigError(f"The terminology table {path} has no column {', '.join(missing)}.")
            for row in rows:
                yield concept_of(row, f"{path}, line {rows.line_num}")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"The terminology table {path} cannot be read: {error}. It must be UTF-8 TSV."
        ) from error


def concept_of(row: Mapping[str, str | None], where: str) -> Concept:
    """The concept of one row.

    Args:
        row: column to cell.
        where: file and line, for messages.

    Raises:
        ConfigError: a cell that every concept needs is empty, or one makes no sense.
    """
    for column in ("id", "type", "en", "zh", "source"):
        if not (row[column] or "").strip():
            raise ConfigError(f"{where}: the column {column!r} is empty; every concept needs it.")
    if row["type"] not in get_args(ConceptType):
        raise ConfigError(
            f"{where}: {row['type']!r} is no type of concept; use one of {', '.join(get_args(ConceptType))}."
        )
    codes = tuple(tuple(code.split(":", 1)) for code in _entries(row["codes"]))
    if any(len(code) != 2 for code in codes):
        raise ConfigError(f"{where}: a code is written system:code, such as icd10:N17.9.")
    return Concept(
        id=row["id"] or "",
        type=row["type"],  # type: ignore[arg-type]  # checked against ConceptType above
        en=row["en"] or "",
        zh=row["zh"] or "",
        synonyms_en=_entries(row["synonyms_en"]),
        synonyms_zh=_entries(row["synonyms_zh"]),
        abbreviations=_entries(row["abbreviations"]),
        codes=codes,  # type: ignore[arg-type]  # each has two parts, checked above
        labels=_entries(row["labels"]),
        source=row["source"] or "",
        title_patterns=tuple(tuple(words.lower().split()) for words in _entries(row.get("title_patterns"))),
        members=_entries(row.get("members")),
        stand_ins=_entries(row.get("stand_ins")),
    )


def _entries(cell: str | None) -> tuple[str, ...]:
    return tuple(entry.strip() for entry in (cell or "").split("|") if entry.strip())
