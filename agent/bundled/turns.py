"""Whether a plan script keeps to the words that turn a question around: without, before, at most, lowest.

A network that has seen "with" a hundred times for each "without" may read one for the other, and the answer looks
as good. What these words are is in ``turns.yaml``; here is how a script says the same. It knows nothing of stores.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

_VALUE = r"<(v\d)>(?:<[a-z_.]+>)*"
_PLACEHOLDER = re.compile(r"v\d")
_UNIT = re.compile(r"\bhow many (minute|hour|day|week|month|year)s?\b|多少个?(分钟|小时|天|周|月|年)")
_HAN = {"分钟": "minute", "小时": "hour", "天": "day", "周": "week", "月": "month", "年": "year"}
_AFTER = frozenset({"relation=after", "relation=same_admission_after"})
_BEFORE = frozenset({"relation=before", "relation=same_admission_before"})
_ABSENT = frozenset({"none=true", "unknown", "!="})


@dataclass(frozen=True, slots=True)
class _Opposite:
    """A word with an opposite, and the script tokens of both; ``instead`` are words that may call for the other.

    Without tokens of its own (``plan``), no script says what the word says, and ``other`` is what is not followed.
    """

    words: re.Pattern[str]
    instead: re.Pattern[str]
    plan: frozenset[str]
    other: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Turns:
    opposites: tuple[_Opposite, ...]
    after: re.Pattern[str]
    before: re.Pattern[str]
    negated: re.Pattern[str]


@dataclass(slots=True)
class _Part:
    """A bracket of a script: its own tokens and the brackets in it."""

    tokens: list[str] = field(default_factory=list[str])
    parts: "list[_Part]" = field(default_factory=list["_Part"])

    def values(self) -> set[str]:
        """The pointers at names, at any depth."""
        own = {token for token in self.tokens if _PLACEHOLDER.fullmatch(token)}
        return own.union(*(part.values() for part in self.parts))


def turned(text: str, tokens: Sequence[str]) -> str | None:
    """The words of a delexicalised question that a script contradicts; ``None`` where it keeps to all.

    Args:
        text: see :func:`~agent.bundled.delexical.delexicalise`.
        tokens: of the script, without the end.
    """
    known, present = _turns(), set(tokens)
    for one in known.opposites:
        found = one.words.search(text)
        if found and present & one.other and not present & one.plan and not one.instead.search(text):
            return _plain(found[0])
    if "elapsed" in present:
        return _other_unit(text, tokens)
    relations = list(_relations(tokens))
    for found in known.negated.finditer(text):
        place = next(group for group in found.groups() if group)
        if not present & _ABSENT and not any(
            "negated=true" in own and place in inside for own, _, inside in relations
        ):
            return _plain(found[0])
    after, before = list(known.after.finditer(text)), list(known.before.finditer(text))
    if after and not before:
        return _misordered(after, relations, _BEFORE, _AFTER)
    return _misordered(before, relations, _AFTER, _BEFORE) if before and not after else None


def _other_unit(text: str, tokens: Sequence[str]) -> str | None:
    """The words "how many hours", where a script counts in another unit; elapsed time has no negation."""
    found = _UNIT.search(text)
    unit = next((token for token in tokens if token.startswith("unit=")), "unit=days")
    return _plain(found[0]) if found and unit != f"unit={found[1] or _HAN[found[2]]}s" else None


def _misordered(
    found: list[re.Match[str]],
    relations: list[tuple[set[str], set[str], set[str]]],
    inward: frozenset[str],
    outward: frozenset[str],
) -> str | None:
    """The words with which events follow (or precede) a name, where a script does not order them so.

    "aspirin after heparin" is aspirin with heparin ``before`` it (inward), or heparin with aspirin ``after`` it
    (outward). A name that a script relates to nothing stands for a time, not for an event, and is passed over.
    """
    for match in found:
        anchor = next(group for group in match.groups() if group)
        within = [own for own, _, inside in relations if anchor in inside]
        without = [own for own, outside, inside in relations if anchor in outside and anchor not in inside]
        if not (within or without):
            continue
        if not any(own & inward for own in within) and not any(own & outward for own in without):
            return _plain(match[0])
    return None


def _relations(tokens: Sequence[str]) -> Iterator[tuple[set[str], set[str], set[str]]]:
    """Of each ``related(``: its own tokens, the names of the events that it restricts, and those within it."""
    root = _Part()
    stack, related = [root], list[tuple[_Part, _Part]]()
    for token in tokens:
        if token.endswith("("):
            part = _Part()
            stack[-1].parts.append(part)
            if token == "related(":
                related.append((stack[-1], part))
            stack.append(part)
        elif token.endswith(")"):
            stack.pop()
        else:
            stack[-1].tokens.append(token)
    for outer, part in related:
        outside = {token for token in outer.tokens if _PLACEHOLDER.fullmatch(token)}
        yield set(part.tokens), outside, part.values()


def _plain(words: str) -> str:
    """Words of a question without the placeholders that follow them."""
    return re.sub(r"<[^>]*>", "", words).strip()


@cache
def _turns() -> _Turns:
    path = files("agent.bundled").joinpath("turns.yaml")
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))

    def joined(patterns: Sequence[str]) -> re.Pattern[str]:
        return re.compile("|".join(patterns) or "(?!)", re.IGNORECASE)

    def anchored(pattern: str) -> re.Pattern[str]:
        return re.compile(pattern.replace("{value}", _VALUE), re.IGNORECASE)

    opposites = tuple(
        _Opposite(joined(o["words"]), joined(o["instead"]), frozenset(o["plan"]), frozenset(o["other"]))
        for o in content["opposites"]
    )
    return _Turns(
        opposites, anchored(content["after"]), anchored(content["before"]), anchored(content["not"])
    )
