"""The published questions, statements and answers of one part of EHRSQL-2024, and the rule of comparison."""

import json
from ast import literal_eval
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

NOW = "2100-12-31 23:59:00"
PUBLISHED_ROWS = 100
UNANSWERABLE = "null"

Agreement = Literal["the same", "both nothing", "the same as far as published", "differs"]


@dataclass(frozen=True, slots=True)
class Published:
    """One answerable question.

    Attributes:
        id: its id in the data set.
        question: its words.
        sql: the statement that answers it, with ``current_time`` for "now".
        rows: the published answer, as text, at most ``PUBLISHED_ROWS`` rows.
    """

    id: str
    question: str
    sql: str
    rows: tuple[tuple[object, ...], ...]


def answerable(data: Path, split: str) -> Iterator[Published]:
    """The questions of a part that have an answer, in its order."""
    folder = data / split
    questions = json.loads((folder / "data.json").read_text(encoding="utf-8"))["data"]
    statements, answers = (
        json.loads((folder / name).read_text(encoding="utf-8")) for name in ("label.json", "answer.json")
    )
    for asked in questions:
        key = asked["id"]
        if statements[key] != UNANSWERABLE:
            rows = tuple(map(tuple, literal_eval(answers[key])))
            yield Published(key, asked["question"], statements[key], rows)


def canonical(rows: Sequence[Sequence[object]]) -> list[list[str]]:
    """Rows as the shared task compares them: cells as text, numbers to three places, sorted, the first 100."""
    return sorted([_cell(cell) for cell in row] for row in rows)[:PUBLISHED_ROWS]


def agreement(ours: Sequence[Sequence[object]], published: Sequence[Sequence[object]]) -> Agreement:
    """How our rows compare with the published ones.

    ``both nothing``: neither holds a value; SQL writes that as no row or as a row of NULL. ``the same as far
    as published``: the published answer was cut at 100 rows before they were sorted, and all of them are ours.
    """
    mine, theirs = canonical(ours), canonical(published)
    if mine == theirs:
        return "the same"
    if _nothing(mine) and _nothing(theirs):
        return "both nothing"
    full = {tuple(map(_cell, row)) for row in ours}
    if len(theirs) == PUBLISHED_ROWS < len(ours) and all(tuple(row) in full for row in theirs):
        return "the same as far as published"
    return "differs"


def _nothing(rows: list[list[str]]) -> bool:
    return all(cell == "None" for row in rows for cell in row)


def _cell(cell: object) -> str:
    try:
        return str(round(float(cell), 3))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return str(cell)
