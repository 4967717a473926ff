"""The words of a question that restrict patients by age ("over 60", 60到69岁), read from ``age_words.yaml``.

They are read here where a planner makes something else of the number ("the 60 most prescribed drugs in patients"):
it then reads the question without them, and its query gets the condition.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any, cast

import yaml

from agent.answer import Language
from agent.planning.link import Linked
from agent.planning.times import half_width
from agent.query.model import ClinicalQuery, Condition, Events, Operator
from agent.query.restrictions import with_partners

_NUMBER = "\ue020"  # stands for a number, place for place
_YEARS = frozenset({None, "year", "years", "岁", "y", "yo"})


@dataclass(frozen=True, slots=True)
class AgeWords:
    """A restriction by age.

    Attributes:
        start, end: of the words in the question, without those for the people.
        condition: what they ask.
    """

    start: int
    end: int
    condition: Condition

    def left_out(self, question: str) -> str:
        """The question without the words, place for place."""
        return f"{question[: self.start]}{' ' * (self.end - self.start)}{question[self.end :]}"

    def without(self, linked: Linked) -> Linked:
        """The links that are no part of the words."""
        kept = (n for n in linked.numbers if n[1] <= self.start or n[0] >= self.end)
        times = (t for t in linked.times if t.end <= self.start or t.start >= self.end)
        return replace(linked, numbers=tuple(kept), times=tuple(times))

    def is_in(self, query: ClinicalQuery) -> bool:
        """Whether a query restricts ages by these numbers."""
        asked = {self.condition.value, self.condition.upper} - {None}
        found = {
            bound
            for events in with_partners(query.of)
            for condition in events.where
            if condition.field == "age"
            for bound in (condition.value, condition.upper)
        }
        return asked <= found

    def asked_of(self, query: ClinicalQuery) -> ClinicalQuery:
        """The query of patients of this age."""
        others = tuple(condition for condition in query.of.where if condition.field != "age")
        of: Events = query.of.model_copy(update={"where": (*others, self.condition)})
        return query.model_copy(update={"of": of})


def find_ages(question: str, linked: Linked, language: Language) -> AgeWords | None:
    """The restriction by age in a question, or ``None`` where there is none, or more than one.

    Args:
        question: as cleaned.
        linked: gives the numbers.
        language: of the question.
    """
    numbers = [number for number in linked.numbers if number[3] in _YEARS]
    text = _masked(question, numbers)
    found = sorted(_matches(text, numbers, language), key=lambda one: one.start - one.end)
    if not found or any(one.end <= found[0].start or one.start >= found[0].end for one in found):
        return None
    return found[0]


def _matches(
    text: str, numbers: list[tuple[int, int, float, str | None]], language: Language
) -> Iterator[AgeWords]:
    for pattern, op in _words()[language]:
        for match in pattern.finditer(text):
            start, end = match.span("words")
            inside = [value for first, last, value, _ in numbers if start <= first and last <= end]
            if op == "between" and len(inside) == 2 and inside[0] <= inside[1]:
                yield AgeWords(start, end, Condition(field="age", op=op, value=inside[0], upper=inside[1]))
            elif op != "between" and len(inside) == 1:
                yield AgeWords(start, end, Condition(field="age", op=op, value=inside[0]))


def _masked(question: str, numbers: list[tuple[int, int, float, str | None]]) -> str:
    """The question in small letters with a sign in each place of a number that may be an age."""
    text = half_width(question).lower()
    characters = list(text)
    for start, end, _, _ in numbers:
        digits = re.match(r"[\d.]+", text[start:end])
        last = start + digits.end() if digits else end
        characters[start:last] = _NUMBER * (last - start)
    return "".join(characters)


@cache
def _words() -> Mapping[str, tuple[tuple[re.Pattern[str], Operator], ...]]:
    path = files("agent.planning").joinpath("age_words.yaml")
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {
        language: tuple(
            (_pattern(entry, raw["whom"], raw["years"]), cast(Operator, entry["op"]))
            for entry in raw["words"]
        )
        for language, raw in content.items()
    }


def _pattern(entry: Mapping[str, Any], whom: str, years: str) -> re.Pattern[str]:
    words = entry["words"].replace("<years>", years)
    before = "" if entry.get("alone") else whom
    return re.compile(f"{before}(?P<words>{words})".replace("#", f"{_NUMBER}+"))
