"""The published questions, statements and answers of one part of EHRSQL-2024, and the rule of comparison."""

import json
from ast import literal_eval
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

NOW = "2100-12-31 23:59:00"
PUBLISHED_ROWS = 100
UNANSWERABLE = "null"


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


def unanswerable(data: Path, split: str) -> Iterator[tuple[str, str]]:
    """Id and words of the questions of a part that the database cannot answer, in its order."""
    folder = data / split
    questions = json.loads((folder / "data.json").read_text(encoding="utf-8"))["data"]
    statements = json.loads((folder / "label.json").read_text(encoding="utf-8"))
    for asked in questions:
        if statements[asked["id"]] == UNANSWERABLE:
            yield asked["id"], asked["question"]


def canonical(rows: Sequence[Sequence[object]]) -> list[list[str]]:
    """Rows as the shared task compares them: cells as text, numbers to three places, sorted, the first 100.

    Two answers agree if their canonical rows are equal; a row that stands twice has to stand twice in both.
    """
    return sorted([_cell(cell) for cell in row] for row in rows)[:PUBLISHED_ROWS]


def _cell(cell: object) -> str:
    try:
        return str(round(float(cell), 3))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return str(cell)
