"""The parts of a question for a chart: counted things, groups, times, values and numbers, and what is none of them.

The words are those of ``chart_asks.yaml`` and ``chart_filler.yaml``; what they make up is for ``chart_query.py``.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml

from agent.answer import Language
from agent.planning.chart_limits import Limit, limits
from agent.planning.link import Linked, TimeLink
from agent.planning.numerals import number
from agent.planning.times import half_width

WORDS = (
    "place",
    "dose",
    "by_patients",
    "share",
    "top",
    "many",
    "whose",
    "ever",
    "spread",
    "without",
    "counted",
    "each",
)
"""Words that stand for themselves; the others have a section of their own."""
_NAMED = ("things", "groups", "spans", "filters", "buckets", "figures", "rates", "states", "ranges")
_ONLY = re.compile(r"\bonly\b|[仅只]")
_Found = tuple[int, int, str, str]
"""Start, end, kind and name of what may be a part."""
_FIRST = re.compile(
    r"(?<![\w.])(?:(?P<n>\d+)|(?P<word>two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty))"
    r"(?=\s+(?:(?:of )?(?:the|our) )?(?:\w+ )?(?:most|top|commonest|leading|biggest|largest|busiest|fullest|main)\b)"
    r"|(?<=top )(?P<top>two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty)\b"
    r"|(?<=[前的大最])(?P<han>[一二两三四五六七八九十]+|\d+)(?=[位个种项名大类条])|(?<=前)(?P<bare>[二三四五六七八九十]+|\d+)"
    r"|(?<=which )(?P<which>two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty)\b"
    r"|(?P<great>[二三四五六七八九十]+|\d+)(?=大(?!于))"
)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a question.

    Attributes:
        kind: a section of ``chart_asks.yaml``, ``value``, ``limit``, ``number`` or one of ``WORDS``.
        name: in its section; of a value or a limit, which of them; of a number, the number.
    """

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Parts:
    """A question taken apart.

    Attributes:
        parts: in the order of the question.
        left: words that are no part and no filler.
        times: those of the linked times that no longer part contains ("age at admission").
        limits: what the parts of kind ``limit`` number.
    """

    parts: tuple[Part, ...]
    left: str
    times: tuple[TimeLink, ...]
    limits: tuple[Limit, ...]


def parts_of(rest: str, language: Language, linked: Linked) -> Parts:
    """The parts of a question with its chart words blanked; where two overlap, the longer counts."""
    text = half_width(rest)
    named = [patient for patient in linked.patients if patient.how != "scope"]
    limited = tuple(limits(text))
    given = [(time.start, time.end, "time", str(place)) for place, time in enumerate(linked.times)]
    given += [(link.start, link.end, "value", str(place)) for place, link in enumerate(linked.values)]
    given += [(p.start, p.end, "whose", "whose") for p in linked.patients if p.how == "scope"]
    given += [(start, end, "number", str(int(value))) for start, end, value, _ in linked.numbers]
    given += [(limit.start, limit.end, "limit", str(place)) for place, limit in enumerate(limited)]
    given += [
        (*m.span(), "number", str(int(number(m[m.lastgroup or 0]) or 0))) for m in _FIRST.finditer(text)
    ]
    taken: list[tuple[int, int]] = [(patient.start, patient.end) for patient in named]
    chosen: list[_Found] = []
    before = -1
    while before < len(taken):  # what a longer part cut short may be a part of its own
        before, words = len(taken), _blanked(text, taken)
        for item in sorted([*given, *_worded(words, language)], key=_first):
            if all(item[1] <= start or item[0] >= end for start, end in taken):
                taken.append((item[0], item[1]))
                chosen.append(item)
    words = _blanked(text, taken)
    narrowed = restricting(language).search(_ONLY.sub(" ", words))  # all that "only" goes with is read
    left = narrowed[0] if narrowed else filler(language).sub(" ", words)
    times = tuple(linked.times[int(name)] for _, _, kind, name in chosen if kind == "time")
    parts = tuple(Part(kind, name) for _, _, kind, name in sorted(chosen) if kind != "time")
    return Parts(parts, re.sub(r"[^\w\s]+|_+", " ", left), times, limited)


def _worded(text: str, language: Language) -> Iterable[_Found]:
    """Everything in a text that the words for charts name."""
    for kind, name, pattern in patterns(language):
        yield from ((*match.span(), kind, name) for match in pattern.finditer(text) if match[0].strip())


def _blanked(text: str, taken: Iterable[tuple[int, int]]) -> str:
    """The text with a line break in each place that is taken, so that no word reaches across it."""
    characters = list(text)
    for start, end in taken:
        characters[start:end] = "\n" * (end - start)
    return "".join(characters)


def _first(found: _Found) -> tuple[int, int, int]:
    """The longer, then the likelier, then the earlier."""
    start, end, kind, _ = found
    return start - end, _LATER.get(kind, 2), start


_LATER = {"time": 0, "groups": 1, "value": 3, "each": 4, "counted": 4}
"""Which of two equally long readings counts: a time first, a value of the records after the words for charts."""


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
    return _document("chart_asks.yaml")


@cache
def patterns(language: Language) -> tuple[tuple[str, str, re.Pattern[str]], ...]:
    """(kind, name, pattern) of all words; a Chinese question may use English ones, too."""

    def read(raw: Mapping[str, str]) -> Iterable[re.Pattern[str]]:
        yield re.compile(rf"(?<![a-z])(?:{raw['en']})(?![a-z])")
        if language == "zh":
            yield re.compile(raw["zh"])

    found = []
    for kind in _NAMED:
        for name, raw in asks()[kind].items():
            found += [(kind, name, pattern) for pattern in read(raw)]
    for word in WORDS:
        found += [(word, word, pattern) for pattern in read(asks()[word])]
    return tuple(found)


@cache
def filler(language: Language) -> re.Pattern[str]:
    """Words that carry nothing."""
    raw = _document("chart_filler.yaml")
    english = rf"(?<![a-z])(?:{'|'.join(raw['en'].values())})(?![a-z])"
    return re.compile(f"{english}|{'|'.join(raw['zh'].values())}" if language == "zh" else english)


def _document(name: str) -> dict:
    return yaml.safe_load(files("agent.planning").joinpath(name).read_text(encoding="utf-8"))
