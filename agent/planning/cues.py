"""Words that tell what kind of question it is, read from ``cues.yaml``."""

import re
from collections.abc import Iterable
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
    decision: tuple[re.Pattern[str], ...]
    family: tuple[re.Pattern[str], ...]
    reason: tuple[re.Pattern[str], ...]
    reason_kept: tuple[re.Pattern[str], ...]
    compare: tuple[re.Pattern[str], ...]
    qualifiers: tuple[re.Pattern[str], ...]
    verbs: tuple[re.Pattern[str], ...]


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
        compiled(content["decision"]),
        compiled(content["family"]),
        compiled(content["reason"]),
        compiled(content["reason_kept"]),
        compiled(content["compare"]),
        compiled(list(content["qualifiers"].values())),
        compiled(content["verbs"]),
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


def verbs(text: str) -> list[tuple[int, int]]:
    """Places in a lower-case text of words that are verbs there, though they could name a condition."""
    return [match.span() for pattern in _cues().verbs for match in pattern.finditer(text)]


def sounds_like_note(text: str) -> bool:
    """Whether a lower-case question asks for what only notes tell: why, how it looks, what somebody said."""
    return any(pattern.search(text) for pattern in _cues().note)


def asks_many_notes(text: str) -> bool:
    """Whether a lower-case question asks for patients by what their notes mention."""
    return any(pattern.search(text) for pattern in _cues().note_cohort)


def asks_for_decision(masked: str) -> bool:
    """Whether a masked question asks if something may or should be done."""
    return any(pattern.search(masked) for pattern in _cues().decision)


def is_about_family(text: str) -> bool:
    """Whether a lower-case question names a relative."""
    return any(pattern.search(text) for pattern in _cues().family)


def asks_for_reason(masked: str) -> bool:
    """Whether a masked question asks why something is so, other than an admission, or what the aim is."""
    cues = _cues()
    return any(p.search(masked) for p in cues.reason) and not any(p.search(masked) for p in cues.reason_kept)


def compares(text: str) -> bool:
    """Whether a lower-case question sets two things against each other."""
    return any(pattern.search(text) for pattern in _cues().compare)


def unexplained(masked: str, examples: Iterable[str]) -> str | None:
    """The first restriction of a masked question that no example of the chosen query has; ``None`` if all have."""
    known = list(examples)
    for pattern in _cues().qualifiers:
        found = pattern.search(masked)
        if found and not any(pattern.search(example) for example in known):
            return found[0]
    return None
