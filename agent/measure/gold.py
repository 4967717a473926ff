"""Gold answers, and what became of one question against them.

The rule of comparison is that of the shared task EHRSQL 2024 (source: https://github.com/glee4810/ehrsql-2024):
cells as text, numbers to three places, rows sorted, the first 100 of them; a row that stands twice has to stand
twice in both.
"""

import json
from ast import literal_eval
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from knowledge.errors import ConfigError

ROWS_COMPARED = 100
Rows = list[list[str]]
Verdict = Literal[
    "right", "abstained rightly", "abstained on answerable", "wrong", "answered the unanswerable"
]
Fault = Literal[
    "cannot be answered",
    "no table",
    "empty",
    "other columns",
    "rows missing",
    "rows too many",
    "other values",
]


@dataclass(frozen=True, slots=True)
class Judged:
    """One question and what became of it.

    Attributes:
        id: of the question.
        verdict: right, wrong, or abstained.
        confidence: the planner's own, of an answer; 0 where it stated none.
        fault: how a wrong answer differs from the gold.
        reason: of an abstention (``clarify``, or the reason of a refusal).
        ms: how long the question took.
    """

    id: str
    verdict: Verdict
    confidence: float = 0.0
    fault: Fault | None = None
    reason: str | None = None
    ms: int | None = None

    @property
    def answered(self) -> bool:
        """Whether there is an answer, right or wrong."""
        return self.verdict in ("right", "wrong", "answered the unanswerable")


class Gold:
    """The gold answers of a set of questions.

    Args:
        answers: by id, rows or, for what cannot be answered, ``None``.
    """

    def __init__(self, answers: Mapping[str, Sequence[Sequence[object]] | None]) -> None:
        self._rows = {key: None if rows is None else canonical(rows) for key, rows in answers.items()}

    @classmethod
    def read(cls, path: Path) -> "Gold":
        """The gold answers of a JSON file: id → rows as a list or as the text of one; ``null`` is unanswerable.

        Raises:
            ConfigError: the file is missing or holds something else.
        """
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            return cls({str(key): _rows(value) for key, value in found.items()})
        except (OSError, ValueError, SyntaxError, TypeError, AttributeError) as error:
            raise ConfigError(
                f"{path} cannot be read as gold answers ({type(error).__name__}). It must be a JSON object of "
                "id and rows, with null for a question that cannot be answered."
            ) from error

    def judge(self, key: str, line: Mapping[str, Any] | None) -> Judged:
        """What became of a question.

        Args:
            key: its id; a variant after ``|`` ("17|zh1") shares the gold of what stands before.
            line: its answer object (a line of ``chartroom batch``); ``None`` where it was not asked.

        Raises:
            ConfigError: there is no gold for it, or the line is no answer object.
        """
        name = key.split("|")[0]
        if name not in self._rows:
            raise ConfigError(f"There is no gold answer for the question {key!r}; add it, or leave it out.")
        gold = self._rows[name]
        if line is None:
            verdict = "abstained rightly" if gold is None else "abstained on answerable"
            return Judged(key, verdict, reason="not asked")
        try:
            ms = line.get("ms", {}).get("total")
            if line["status"] != "answered":
                verdict = "abstained rightly" if gold is None else "abstained on answerable"
                return Judged(key, verdict, reason=line.get("reason") or line["status"], ms=ms)
            fault = _fault(gold, (line.get("result") or {}).get("rows"))
            confidence = float(line.get("confidence") or 0.0)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ConfigError(f"The line of the question {key!r} is no answer object.") from error
        if fault is None:
            return Judged(key, "right", confidence, ms=ms)
        return Judged(
            key, "wrong" if gold is not None else "answered the unanswerable", confidence, fault, ms=ms
        )


def canonical(rows: Sequence[Sequence[object]]) -> Rows:
    """Rows in the form in which two answers are compared."""
    return sorted([_cell(cell) for cell in row] for row in rows)[:ROWS_COMPARED]


def _cell(cell: object) -> str:
    try:
        return str(round(float(cell), 3))  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return str(cell)


def _rows(value: object) -> Sequence[Sequence[object]] | None:
    """What stands for one answer in the file; the published files write rows as the text of a Python list."""
    if isinstance(value, str):
        value = None if value == "null" else literal_eval(value)
    if value is not None and not isinstance(value, list | tuple):
        raise TypeError(type(value).__name__)
    return value


def _fault(gold: Rows | None, given: Sequence[Sequence[object]] | None) -> Fault | None:
    if gold is None:
        return "cannot be answered"
    if given is None:
        return "no table"
    got = canonical(given)
    if got == gold:
        return None
    if not got:
        return "empty"
    if gold and len(got[0]) != len(gold[0]):
        return "other columns"
    has, wanted = Counter(map(tuple, got)), Counter(map(tuple, gold))
    if has < wanted:
        return "rows missing"
    return "rows too many" if has > wanted else "other values"
