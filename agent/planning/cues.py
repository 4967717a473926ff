"""Words that tell what kind of question it is, read from ``cues.yaml``."""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml


@dataclass(frozen=True, slots=True)
class _Cues:
    action: tuple[re.Pattern[str], ...]
    never_action: tuple[re.Pattern[str], ...]
    note_types: tuple[tuple[str, re.Pattern[str]], ...]
    note: tuple[re.Pattern[str], ...]
    note_cohort: tuple[re.Pattern[str], ...]


@cache
def _cues() -> _Cues:
    content = yaml.safe_load(files("agent.planning").joinpath("cues.yaml").read_text(encoding="utf-8"))

    def compiled(patterns: list[str]) -> tuple[re.Pattern[str], ...]:
        return tuple(re.compile(pattern) for pattern in patterns)

    return _Cues(
        compiled(content["action"]["start"]),
        compiled(content["action"]["never"]),
        tuple(
            (name, re.compile(rf"(?<![a-z])(?:{pattern})(?![a-z])"))
            for name, patterns in content["note_types"].items()
            for pattern in patterns
        ),
        compiled(content["note"]),
        compiled(content["note_cohort"]),
    )


def asks_for_action(masked: str) -> bool:
    """Whether a masked question asks to do something; "was it ordered?" and "when was it stopped?" do not."""
    cues = _cues()
    return any(p.match(masked) for p in cues.action) and not any(p.search(masked) for p in cues.never_action)


def note_types(text: str) -> list[tuple[int, int, str]]:
    """(start, end, type) of the note types that a lower-case text names, without overlaps, longest first."""
    found = [
        (*match.span(), name) for name, pattern in _cues().note_types for match in pattern.finditer(text)
    ]
    found.sort(key=lambda item: (item[0] - item[1], item[0]))
    kept: list[tuple[int, int, str]] = []
    for start, end, name in found:
        if all(end <= first or start >= last for first, last, _ in kept):
            kept.append((start, end, name))
    return sorted(kept)


def sounds_like_note(text: str) -> bool:
    """Whether a lower-case question asks for what only notes tell: why, how it looks, what somebody said."""
    return any(pattern.search(text) for pattern in _cues().note)


def asks_many_notes(text: str) -> bool:
    """Whether a lower-case question asks for patients by what their notes mention."""
    return any(pattern.search(text) for pattern in _cues().note_cohort)
