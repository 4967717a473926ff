"""Context rules: reading them from their YAML files and writing their phrases out.

A phrase is written as a clinician would read it: ``[x]`` may be missing, ``(a|b)`` is a choice, ``<list>`` is
any entry of a list of the file, ``{x}`` must follow but is left to other rules, and a backslash takes a mark
for itself. Written out, the phrases are plain sequences of words, found by looking them up.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import product
from typing import Any, Literal, get_args

import yaml

from knowledge.errors import ConfigError
from knowledge.mentions.words import words_of

Meaning = Literal[
    "negated",
    "possible",
    "present",
    "historical",
    "hypothetical",
    "conditional",
    "family",
    "other",
    "now",
    "nothing",
    "stop",
]
Reach = Literal["forward", "backward", "both"]
_FREE = "\x00"  # stands before the part of a phrase that is left to other rules
_SPECIAL = "[](){}<>|\\"


@dataclass(frozen=True, slots=True)
class Rule:
    """What a phrase means for the mentions that it reaches.

    Attributes:
        within: how many words it reaches at most; None: to the end of the clause.
        strong: whether weak stops leave it alone.
        holds: of "present": whether it counts although a negation or doubt stands right before it.
        weak: of a stop: whether strong rules run on over it.
        ends: the meanings that it ends; a stop ends all where its file names none.
    """

    means: Meaning
    reaches: Reach
    within: int | None
    strong: bool
    holds: bool
    weak: bool
    ends: frozenset[str]


NEW_CLAUSE = Rule("stop", "forward", None, False, False, False, frozenset(get_args(Meaning)))
"""Ends whatever was said before."""


@dataclass(slots=True)
class Phrase:
    """A phrase written out: its rules, each with how many of its words it takes for itself.

    A phrase may stand in several groups: "ruled out" looks forward and backward.
    """

    length: int
    rules: list[tuple[Rule, int]]


class Rulebook:
    """All phrases of one or more rule files, by their words."""

    def __init__(self) -> None:
        self._phrases: dict[str, Phrase] = {}
        self._lengths: dict[str, tuple[int, ...]] = {}

    def add(self, phrase: tuple[str, ...], taken: int, rule: Rule) -> None:
        """Add one written-out phrase."""
        key = " ".join(phrase)
        known = self._phrases.get(key)
        if known is None:
            self._phrases[key] = Phrase(len(phrase), [(rule, taken)])
            lengths = {len(phrase), *self._lengths.get(phrase[0], ())}
            self._lengths[phrase[0]] = tuple(sorted(lengths, reverse=True))
        elif (rule, taken) not in known.rules:
            known.rules.append((rule, taken))

    def at(self, words: list[str], place: int, end: int) -> Phrase | None:
        """The longest phrase that begins at ``words[place]`` and ends by ``end``."""
        for length in self._lengths.get(words[place], ()):
            if place + length <= end:
                phrase = self._phrases.get(" ".join(words[place : place + length]))
                if phrase is not None:
                    return phrase
        return None

    def __len__(self) -> int:
        return len(self._phrases)


@lru_cache(maxsize=4)
def rulebook(*languages: str) -> Rulebook:
    """The rules of these languages together."""
    book = Rulebook()
    for language in languages:
        path = files("knowledge.mentions").joinpath(f"rules/{language}.yaml")
        _read(book, yaml.safe_load(path.read_text(encoding="utf-8")), str(path))
    return book


def _read(book: Rulebook, content: dict[str, Any], where: str) -> None:
    lists = {name: _choice(entries) for name, entries in content["lists"].items()}
    for group in content["groups"]:
        if group["means"] not in get_args(Meaning):
            raise ConfigError(f"{where}: {group['means']!r} is no meaning; use one of {get_args(Meaning)}.")
        rule = Rule(
            group["means"],
            group.get("reaches", "forward"),
            group.get("within"),
            group.get("strong", content.get("strong", False)),
            group.get("holds", False),
            group.get("weak", False),
            frozenset(group.get("ends", get_args(Meaning) if group["means"] == "stop" else ())),
        )
        for pattern in group["phrases"]:
            for text in written_out(pattern, lists):
                own, _, free = text.partition(_FREE)
                taken = tuple(words_of(own).raw)
                if not taken:
                    raise ConfigError(f"{where}: the phrase {pattern!r} may be empty.")
                book.add((*taken, *words_of(free).raw), len(taken), rule)


def _choice(entries: list[str]) -> str:
    return "(" + "|".join(str(entry) for entry in entries) + ")"


def written_out(pattern: str, lists: dict[str, str]) -> Iterator[str]:
    """Every wording of a phrase.

    Raises:
        ConfigError: a bracket is not closed or a list unknown.
    """
    for name, choice in lists.items():
        pattern = pattern.replace(f"<{name}>", choice)
    texts, rest = _alternatives(pattern, 0)
    if rest != len(pattern):
        raise ConfigError(f"The phrase {pattern!r} has a bracket too many.")
    yield from dict.fromkeys(texts)


def _alternatives(pattern: str, at: int) -> tuple[list[str], int]:
    """The wordings from ``at`` to the bracket that closes, and where that stands."""
    found: list[str] = []
    parts: list[list[str]] = []

    def close() -> None:
        found.extend("".join(pieces) for pieces in product(*parts))
        parts.clear()

    while at < len(pattern) and pattern[at] not in ")]}":
        mark = pattern[at]
        if mark == "|":
            close()
            at += 1
        elif mark in "([{":
            inner, at = _alternatives(pattern, at + 1)
            if at >= len(pattern):
                raise ConfigError(f"The phrase {pattern!r} has an open bracket.")
            at += 1
            prefix = _FREE if mark == "{" else ""
            parts.append([prefix + text for text in inner] + ([""] if mark == "[" else []))
        elif mark == "<":
            raise ConfigError(f"The phrase {pattern!r} names a list that the file does not have.")
        else:
            if mark == "\\":
                at += 1
            begin = at
            at += 1
            while at < len(pattern) and pattern[at] not in _SPECIAL:
                at += 1
            parts.append([pattern[begin:at]])
    close()
    return found, at
