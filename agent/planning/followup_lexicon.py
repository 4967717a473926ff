"""The closed class of words in which questions lean on the one before, as ``followup_words.yaml`` has them."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files

import yaml
from rapidfuzz import process
from rapidfuzz.distance import OSA

from agent.planning.times import half_width
from agent.planning.vocabulary import is_ordinary
from agent.query.model import Domain

_SECTIONS = (
    "picks",
    "forms",
    "fields",
    "buckets",
    "groups",
    "filters",
    "frequencies",
    "drops",
    "compares",
    "limits",
    "before",
    "nouns",
)
_LEANING = ("among", "without", "except", "restricts", "anytime", "icu", "patients")


def cover(text: str) -> Iterator[tuple[str, str, int, int]]:
    """(section, name, start, end) of the known words, the longest first, without overlaps but for nouns."""
    found = [
        (section, name, *match.span())
        for section, name, pattern in _patterns()
        for match in pattern.finditer(text)
        if match[0].strip()
    ]
    found.sort(key=lambda item: item[2] - item[3])
    kept: list[tuple[str, str, int, int]] = []
    for item in found:
        section, _, start, end = item
        same = section == "nouns"  # "stays" are those of the hospital and those of the ICU
        if all(
            end <= first or start >= last or (same and other == "nouns" and (start, end) == (first, last))
            for other, _, first, last in kept
        ):
            kept.append(item)
    yield from sorted(kept, key=lambda item: item[2])


def says(name: str, text: str) -> bool:
    """Whether a text, in lower case and half width, leans as the pattern ``name`` of ``words`` describes."""
    return word(name).search(text) is not None


def word(name: str) -> re.Pattern[str]:
    """A pattern of ``words``."""
    return _words()[name]


def unknown(text: str) -> bool:
    """Whether a text, of which what is known was taken, has words that may mean something."""
    return re.search(r"[^\W_]", word("filler").sub(" ", text)) is not None


def mended(text: str) -> str:
    """A text in lower case with its misspelt closed-class words set right ("jsut the urgent ones")."""
    return re.sub(r"(?<!<)\b[a-z]{4,}\b", lambda match: _nearest(match[0]) or match[0], text, flags=re.ASCII)


def _nearest(said: str) -> str | None:
    """The one closed-class word that is one slip away from an unknown word."""
    known = _vocabulary()
    if said in known or is_ordinary(said):
        return None
    near = process.extract(said, known, scorer=OSA.distance, score_cutoff=1, limit=2)
    return near[0][0] if len(near) == 1 and near[0][0][0] == said[0] else None


def leans_only(text: str) -> bool:
    """Whether a text has nothing but words that point at what was said before ("show it", 给我看看)."""
    return not re.search(r"[^\W_]", word("filler").sub(" ", half_width(text)))


def span_beside(words: str) -> str | None:
    """The span or stay before or after, where words are nothing but its name ("前一年", "the year before")."""
    named = half_width(words).strip()
    return next(
        (name for section, name, p in _patterns() if section == "before" and p.fullmatch(named)), None
    )


def shown_fields(domain: Domain) -> tuple[str, ...]:
    """The fields that a list of events of a domain shows."""
    return tuple(_document()["listed"][domain])


def fields_of(name: str) -> tuple[str, ...]:
    """The fields that are shown where one is asked for; the first is the one that a domain must have."""
    return tuple(_document()["fields"][name]["fields"])


def released(name: str) -> tuple[str, ...]:
    """The fields whose restrictions words lift ("regardless of sex")."""
    return tuple(_document()["drops"][name]["fields"])


def frequencies(name: str) -> tuple[str, ...]:
    """The ways in which records write how often a drug is given."""
    return tuple(_document()["frequencies"][name]["values"])


@cache
def _document() -> Mapping[str, dict]:
    return yaml.safe_load(files("agent.planning").joinpath("followup_words.yaml").read_text(encoding="utf-8"))


@cache
def _patterns() -> tuple[tuple[str, str, re.Pattern[str]], ...]:
    document = _document()
    found: list[tuple[str, str, re.Pattern[str]]] = []
    for section in _SECTIONS:
        for name, words in document[section].items():
            found.append((section, name, _any(_written(words, section))))
    found += [("words", name, _any(document["words"][name])) for name in _LEANING]
    return tuple(found)


def _written(words: list[str] | dict, section: str) -> list[str]:
    """The patterns of an entry; of a group, in how questions ask for one figure for each."""
    if isinstance(words, list):
        return words
    if section != "groups":
        return words["words"]
    frame = _document()["group_frames"]
    framed = [frame[language].replace("{field}", words[language]) for language in ("en", "zh")]
    return [*framed, *words.get("words", [])]


@cache
def _vocabulary() -> tuple[str, ...]:
    """The English words of four letters and more that are known here."""
    patterns = [pattern for _, _, pattern in _patterns()] + [word("filler")]
    candidates = {said for pattern in patterns for said in re.findall(r"[a-z]{4,}", pattern.pattern)}
    return tuple(sorted(said for said in candidates if any(pattern.fullmatch(said) for pattern in patterns)))


@cache
def _words() -> Mapping[str, re.Pattern[str]]:
    return {name: _any(patterns) for name, patterns in _document()["words"].items()}


def _any(patterns: list[str]) -> re.Pattern[str]:
    """One pattern of several; Chinese characters are no part of an English word."""
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.ASCII)
