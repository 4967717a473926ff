"""The parts of a question for a chart: counted things, groups, times, values and numbers, and what is none of them.

The words are those of ``chart_asks.yaml``; what they make up is for ``chart_query.py``.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files

import yaml

from agent.answer import Language
from agent.planning.link import Linked
from agent.planning.times import half_width

WORDS = ("share", "top", "many", "whose", "ever", "spread")
"""Words that stand for themselves; the others have a section of their own."""
Span = tuple[int, int]


def parts_of(rest: str, language: Language, linked: Linked) -> tuple[list[tuple[str, str]], str]:
    """The parts of a question, in its order, and the words that are none and no filler."""
    text = half_width(rest)
    named = [patient for patient in linked.patients if patient.how != "scope"]
    taken: list[Span] = [(part.start, part.end) for part in (*linked.times, *named)]
    found: list[tuple[int, int, str, str]] = []
    for kind, name, pattern in patterns(language):
        found += [(*m.span(), kind, name) for m in pattern.finditer(text) if m[0].strip()]
    found += [(link.start, link.end, "value", str(place)) for place, link in enumerate(linked.values)]
    found += [(p.start, p.end, "whose", "whose") for p in linked.patients if p.how == "scope"]
    found += [(start, end, "number", str(int(value))) for start, end, value, _ in linked.numbers]
    chosen: list[tuple[int, int, str, str]] = []
    for item in sorted(found, key=lambda item: (item[0] - item[1], item[2] == "value", item[0])):
        if all(item[1] <= start or item[0] >= end for start, end in taken):
            taken.append((item[0], item[1]))
            chosen.append(item)
    characters = list(text)
    for start, end in taken:
        characters[start:end] = " " * (end - start)
    left = filler(language).sub(" ", "".join(characters))
    return [(kind, name) for _, _, kind, name in sorted(chosen)], re.sub(r"[^\w\s]+", " ", left)


def field_of(group: str) -> str:
    """The field of the records that a group is."""
    return str(asks()["groups"][group].get("field", group))


@cache
def restricting(language: Language) -> re.Pattern[str]:
    """Words that narrow a question in a way that no part of it does."""
    raw = asks()["restricting"]
    return re.compile(f"{raw['en']}|{raw['zh']}" if language == "zh" else raw["en"])


@cache
def asks() -> Mapping[str, dict]:
    """The words, by section."""
    return yaml.safe_load(files("agent.planning").joinpath("chart_asks.yaml").read_text(encoding="utf-8"))


@cache
def patterns(language: Language) -> tuple[tuple[str, str, re.Pattern[str]], ...]:
    """(kind, name, pattern) of all words; a Chinese question may use English ones, too."""

    def read(raw: Mapping[str, str]) -> Iterable[re.Pattern[str]]:
        yield re.compile(rf"(?<![a-z])(?:{raw['en']})(?![a-z])")
        if language == "zh":
            yield re.compile(raw["zh"])

    found = []
    for kind in ("things", "groups", "spans", "filters", "buckets", "figures"):
        for name, raw in asks()[kind].items():
            found += [(kind, name, pattern) for pattern in read(raw)]
    for word in WORDS:
        found += [(word, word, pattern) for pattern in read(asks()[word])]
    return tuple(found)


@cache
def filler(language: Language) -> re.Pattern[str]:
    """Words that carry nothing."""
    raw = asks()["filler"]
    return re.compile(f"{raw['en']}|{raw['zh']}" if language == "zh" else raw["en"])
