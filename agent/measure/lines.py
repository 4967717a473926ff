"""Which lines of an output are scored: all, those of a list of ids, or one half of a set."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from agent.measure.gold import Gold, Judged
from knowledge.errors import ConfigError

Line = Mapping[str, Any]


def read_lines(path: Path) -> dict[str, Line]:
    """The objects of a JSONL file by their id.

    Raises:
        ConfigError: the file is missing, or a line has no id or one that occurred before.
    """
    found: dict[str, Line] = {}
    try:
        for number, text in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), 1):
            if not text.strip():
                continue
            line = json.loads(text)
            key = str(line["id"])
            if key in found:
                raise ConfigError(f"{path}, line {number}: the id {key!r} occurs twice; ids must differ.")
            found[key] = line
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"{path} cannot be read ({type(error).__name__}). It must be JSONL, with an id in each line."
        ) from error
    return found


def read_ids(path: Path) -> list[str]:
    """The ids of a text file, one a line.

    Raises:
        ConfigError: the file cannot be read.
    """
    try:
        return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path} cannot be read ({type(error).__name__}): one id a line is expected."
        ) from error


def of_half(questions: Mapping[str, Line], half: str) -> list[str]:
    """The ids of a set's questions that are marked with this half (``"half": "tune"`` or ``"held"``).

    Raises:
        ConfigError: none is.
    """
    found = [key for key, line in questions.items() if line.get("half") == half]
    if not found:
        raise ConfigError(f"No question of the set is marked with the half {half!r}.")
    return found


def judge_lines(lines: Mapping[str, Line], gold: Gold, ids: Iterable[str] | None = None) -> list[Judged]:
    """What became of the questions.

    Args:
        lines: answer objects by id.
        gold: of these questions.
        ids: only these; one that has no line counts as an abstention ("not asked").
    """
    return [gold.judge(key, lines.get(key)) for key in (lines if ids is None else ids)]
