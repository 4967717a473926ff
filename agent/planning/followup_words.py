"""What a question that leans on the one before changes of it, read from ``followup_words.yaml``.

Only words are read here; what they do to a query is for ``followup_edit.py``. A question is read in full or not
at all: a word that is not known may be one that matters.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Literal, cast

import yaml

from agent.planning.intent import kind_of
from agent.planning.link import Link, Linked
from agent.planning.numerals import number
from agent.planning.times import half_width
from agent.query.model import Bucket, Domain, Operator

PickWord = Literal["max", "min", "first", "last", "before", "longest", "shortest"]
_HAN = re.compile("[两二三四五六七八九十]+")
Number = tuple[float, str | None]
"""A number and its unit."""

_SECTIONS = (
    "picks",
    "forms",
    "fields",
    "buckets",
    "groups",
    "filters",
    "compares",
    "limits",
    "before",
    "nouns",
)
_LEANING = ("among", "without", "anytime", "icu", "patients")
_FRAGMENT = 8  # Chinese characters; half as many English words
_SEARCHED = ("opening", "anaphor", "among", "without")  # wherever they stand, also within other words


@dataclass(frozen=True, slots=True)
class Edit:
    """What a follow-up says, each part by its name in ``followup_words.yaml``.

    Attributes:
        pick: which of the events.
        form: what is asked of them.
        field: the field that is asked for.
        bucket, group: one figure for each.
        filters: restrictions.
        compares: comparisons with numbers; two numbers for ``between``.
        limit: ``first`` or ``last``, and how many.
        before: the span of time or the stay before the one of the last question.
        nouns: domains, one of which the events must be of.
        leans: words of ``words`` that are there.
        pronoun: whether the one patient is meant.
    """

    pick: PickWord | None = None
    form: str | None = None
    field: str | None = None
    bucket: Bucket | None = None
    group: str | None = None
    filters: tuple[str, ...] = ()
    compares: tuple[tuple[Operator, tuple[Number, ...]], ...] = ()
    limit: tuple[str, Number] | None = None
    before: str | None = None
    nouns: frozenset[Domain] = frozenset()
    leans: frozenset[str] = frozenset()
    pronoun: bool = False

    @property
    def asks(self) -> bool:
        """Whether it says what is asked."""
        return any((self.pick, self.form, self.field, self.bucket, self.group))

    @property
    def is_empty(self) -> bool:
        """Whether it changes nothing."""
        narrows = any((self.filters, self.compares, self.limit, self.before))
        return not (self.asks or narrows or self.leans & {"anytime", "icu"})


@dataclass(slots=True)
class _Found:
    """The parts of an edit while they are collected."""

    names: dict[str, list[str]] = field(default_factory=dict)
    compares: list[tuple[Operator, tuple[Number, ...]]] = field(default_factory=list)
    limit: tuple[str, Number] | None = None
    nouns: set[Domain] = field(default_factory=set)
    leans: set[str] = field(default_factory=set)

    def one(self, section: str) -> str | None:
        """The first of a section."""
        return next(iter(self.names.get(section, ())), None)


def read_edit(question: str, linked: Linked) -> Edit | None:
    """What a question changes of the one before.

    Args:
        question: as cleaned.
        linked: what it names.

    Returns:
        ``None`` where it holds words that are not known here, or stands alone.
    """
    text, numbers = _masked(question, linked)
    found = _Found()
    matches = list(_cover(text))
    rest = text
    for section, name, start, end in matches:
        rest = rest[:start] + " " * (end - start) + rest[end:]
        _note(found, section, name, text[start:end], text.count("<n>", 0, start), numbers)
    if {"lab", "vital"} & found.nouns:
        found.nouns |= {"lab", "vital"}
    rest = re.sub(r"<[vctp]>", " ", rest)
    rest = _words()["filler"].sub(" ", rest)
    if re.search(r"[^\W_]", rest):
        return None
    leans = found.leans | {name for name in _SEARCHED if _words()[name].search(text)}
    edit = Edit(
        pick=cast(PickWord | None, found.one("picks")),
        form=found.one("forms"),
        field=found.one("fields"),
        bucket=cast(Bucket | None, found.one("buckets")),
        group=found.one("groups"),
        filters=tuple(found.names.get("filters", ())),
        compares=tuple(found.compares),
        limit=found.limit,
        before=found.one("before"),
        nouns=frozenset(found.nouns),
        leans=frozenset(leans),
        pronoun=any(
            patient.how == "scope" and _words()["pronoun"].match(half_width(patient.text))
            for patient in linked.patients
        ),
    )
    return None if _stands_alone(edit, text) else edit


def is_bound(question: str) -> bool:
    """Whether a question restricts what was said before in so many words ("of them", 其中)."""
    return _words()["bound"].search(half_width(question)) is not None


def is_fragment(question: str) -> bool:
    """Whether a question is a few words that go on from the one before ("and on weekends?", 只看夜班的)."""
    text = half_width(question)
    size = (
        len(re.findall(r"[^\W_a-z]|[a-z0-9']+", text))
        if re.search("[一-鿿]", text)
        else 2 * len(text.split())
    )
    return size <= _FRAGMENT and _words()["opening"].search(text) is not None


def leans_only(text: str) -> bool:
    """Whether a text has nothing but words that point at what was said before ("show it", 给我看看)."""
    return not re.search(r"[^\W_]", _words()["filler"].sub(" ", half_width(text)))


def span_before(words: str) -> str | None:
    """The span or stay before, where words are nothing but its name ("前一年", "the year before")."""
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


def is_group(link: Link) -> bool:
    """Whether a link names a group ("women", "IV") and not a value that questions are about."""
    return not any(kind_of(candidate) for candidate in link.candidates)


def _stands_alone(edit: Edit, text: str) -> bool:
    if edit.leans & {"opening", "among", "without"}:
        return False
    if "<v>" in text:
        return edit.asks or _words()["own"].search(text) is not None
    return (
        edit.asks
        and bool(edit.nouns or "icu" in edit.leans)
        and "anaphor" not in edit.leans
        and edit.form != "top"
    )


def _note(found: _Found, section: str, name: str, words: str, before: int, numbers: list[Number]) -> None:
    """Take a match up; ``before`` numbers stand in front of it."""
    if section == "compares":
        own = numbers[before : before + words.count("<n>")]
        found.compares.append((cast(Operator, name), tuple(own)))
    elif section == "limits":
        said = _HAN.search(words)
        found.limit = (name, (number(said[0]) or 1, None) if said else numbers[before])
    elif section == "nouns":
        found.nouns.add(cast(Domain, name))
    elif section == "words":
        found.leans.add(name)
    else:
        found.names.setdefault(section, []).append(name)


def _masked(question: str, linked: Linked) -> tuple[str, list[Number]]:
    """The question with placeholders for what was linked, and its numbers in order."""
    spans = [(link.start, link.end, "<c>" if is_group(link) else "<v>") for link in linked.values]
    spans += [(time.start, time.end, "<t>") for time in linked.times]
    spans += [
        (patient.start, patient.end, "<p>")
        for patient in dict.fromkeys(linked.patients)
        if patient.how != "scope"
    ]
    spans += [(start, end, "<n>") for start, end, _, _ in linked.numbers]
    text = half_width(question)
    for start, end, name in sorted(set(spans), reverse=True):
        text = text[:start] + name + text[end:]
    return text, [(value, unit) for _, _, value, unit in linked.numbers]


def _cover(text: str) -> Iterator[tuple[str, str, int, int]]:
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


@cache
def _document() -> Mapping[str, dict]:
    return yaml.safe_load(files("agent.planning").joinpath("followup_words.yaml").read_text(encoding="utf-8"))


@cache
def _patterns() -> tuple[tuple[str, str, re.Pattern[str]], ...]:
    document = _document()
    found: list[tuple[str, str, re.Pattern[str]]] = []
    for section in _SECTIONS:
        for name, words in document[section].items():
            patterns = words["words"] if isinstance(words, dict) else words
            found.append((section, name, _any(patterns)))
    found += [("words", name, _any(document["words"][name])) for name in _LEANING]
    return tuple(found)


@cache
def _words() -> Mapping[str, re.Pattern[str]]:
    return {name: _any(patterns) for name, patterns in _document()["words"].items()}


def _any(patterns: list[str]) -> re.Pattern[str]:
    """One pattern of several; Chinese characters are no part of an English word."""
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.ASCII)
