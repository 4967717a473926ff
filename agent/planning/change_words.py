"""The words of a question that ask how large a change is ("doubled", "升高超过50%"), read from ``change_words.yaml``.

They are read here and not by a planner: for it, "change" stands in their place, and the plan of that question gets
the extent that was read. Only where a quantity is named are they of a change: a dose is doubled, too.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any, Literal, cast

import yaml

from agent.answer import Language
from agent.planning.link import Linked, TimeLink
from agent.planning.times import half_width
from agent.query.model import Change, ClinicalQuery, Extent, Rows

Direction = Literal["rise", "fall", "either"]
_MEASURED = frozenset({"lab", "vital", "output", "observation"})
_PERCENT, _PLAIN = "\ue010", "\ue011"  # stand for numbers with and without "%", place for place


@dataclass(frozen=True, slots=True)
class ChangeWords:
    """A request to say whether a change was as large as this.

    Attributes:
        start, end: of the words in the question.
        text: the words.
        instead: what a planner reads in their place.
        extent: what they ask.
        baselines: where times begin with which the change is compared ("compared to yesterday", 较入院时).
    """

    start: int
    end: int
    text: str
    instead: str
    extent: Extent
    baselines: frozenset[int] = frozenset()

    def without(self, linked: Linked) -> Linked:
        """The links that are no part of these words; a change compared with a time is one since that time."""
        return replace(
            linked,
            values=tuple(link for link in linked.values if self._leaves(link.start, link.end)),
            times=tuple(_since(time) if time.start in self.baselines else time for time in linked.times),
            numbers=tuple(number for number in linked.numbers if self._leaves(number[0], number[1])),
        )

    def asked_of(self, query: ClinicalQuery) -> ClinicalQuery | None:
        """The query with the extent; ``None`` where it asks for anything but a change, or for patients with one."""
        ask, of = query.ask, query.of
        if isinstance(ask, Change):
            change = ask.model_copy(update={"as_comparison": None, "at_least": self.extent})
            return query.model_copy(update={"ask": change})
        if isinstance(ask, Rows) and ask.fields == ("subject_id",) and not (query.patient or of.pick):
            return query.model_copy(update={"ask": Change(at_least=self.extent)})
        return None

    def _leaves(self, start: int, end: int) -> bool:
        return end <= self.start or start >= self.end


def find_change(question: str, linked: Linked, language: Language, *, many: bool) -> ChangeWords | None:
    """The request in a question, or ``None`` where there is none or no quantity is named.

    Args:
        question: as cleaned.
        linked: what it names.
        language: of the question; a Chinese one may ask in English words.
        many: whether it is about many patients.
    """
    if not any(c.domain in _MEASURED for link in linked.values for c in link.candidates):
        return None
    text = _masked(question, linked)
    found = [
        ChangeWords(
            match.start(),
            match.end(),
            question[match.start() : match.end()],
            instead,
            extent,
            frozenset(time.start for time in linked.times if words.compares(text, time)),
        )
        for words in (_words()[name] for name in (("zh", "en") if language == "zh" else ("en",)))
        for instead in (words.many if many else words.one,)
        for match, extent in words.matches(text, linked)
    ]
    return max(found, key=lambda one: (one.end - one.start, -one.start), default=None)


@dataclass(frozen=True, slots=True)
class _Words:
    one: str
    many: str
    before: re.Pattern[str]
    behind: re.Pattern[str]
    patterns: tuple[tuple[re.Pattern[str], Direction, float | None], ...]

    def matches(self, text: str, linked: Linked) -> Iterator[tuple[re.Match[str], Extent]]:
        for pattern, direction, by in self.patterns:
            for match in pattern.finditer(text):
                extent = _extent(match, direction, by, linked)
                if extent is not None:
                    yield match, extent

    def compares(self, text: str, time: TimeLink) -> bool:
        """Whether a time is what a value is compared with."""
        from_before = self.before.search(text[: time.start]) or self.before.match(time.text.lower())
        return from_before is not None or self.behind.match(text[time.end :]) is not None


def _since(time: TimeLink) -> TimeLink:
    if time.window is not None:
        return replace(time, window=time.window.model_copy(update={"end": None}))
    assert time.encounter is not None
    whole = time.encounter.model_copy(update={"from_hours": None, "to_hours": None})
    return replace(time, encounter=whole)


def _extent(match: re.Match[str], direction: Direction, by: float | None, linked: Linked) -> Extent | None:
    groups = match.groupdict()
    beyond = bool(groups.get("more"))
    if by is not None:
        return Extent(by=by, kind="times", direction=direction, beyond=beyond)
    inside = [number for number in linked.numbers if match.start() <= number[0] and number[1] <= match.end()]
    if len(inside) != 1 or inside[0][2] <= 0:
        return None
    _, _, value, unit = inside[0]
    if groups.get("times"):
        return Extent(by=value, kind="times", direction=direction, beyond=beyond) if value > 1 else None
    if unit == "%":
        return Extent(by=value, kind="percent", direction=direction, beyond=beyond)
    return Extent(by=value, kind="amount", direction=direction, beyond=beyond, unit=unit)


def _masked(question: str, linked: Linked) -> str:
    """The question in small letters with a sign in each place of a number."""
    characters = list(half_width(question).lower())
    for start, end, _, unit in linked.numbers:
        characters[start:end] = (_PERCENT if unit == "%" else _PLAIN) * (end - start)
    return "".join(characters)


@cache
def _words() -> Mapping[str, _Words]:
    path = files("agent.planning").joinpath("change_words.yaml")
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {language: _compiled(raw) for language, raw in content.items()}


def _compiled(raw: dict[str, Any]) -> _Words:
    parts = {
        **raw["parts"],
        "percent": f"{_PERCENT}+",
        "plain": f"{_PLAIN}+",
        "n": f"[{_PERCENT}{_PLAIN}]+",
    }

    def pattern(text: str) -> re.Pattern[str]:
        for name, part in parts.items():
            text = text.replace(f"<{name}>", part)
        return re.compile(text, re.ASCII)

    entries = [*raw["multiples"], *raw["sized"]]
    return _Words(
        raw["instead"]["one"],
        raw["instead"]["many"],
        pattern(raw["before"]),
        pattern(raw["behind"]),
        tuple(
            (pattern(entry["words"]), cast(Direction, entry["direction"]), entry.get("by"))
            for entry in entries
        ),
    )
