"""What a plan script may point at in one question: the linked values, periods, encounters and numbers."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from agent.answer import Language
from agent.planning.choose import Choice, choose_in
from agent.planning.link import Candidate, Link, Linked, TimeLink
from agent.query.domains import shared_fields
from agent.query.model import Concept, Domain, Encounter, Window
from knowledge.errors import QueryRejected
from knowledge.store.store import TIME_FORMAT

Kind = Literal["v", "t", "e", "n"]
MOST: Mapping[str, int] = {"v": 6, "t": 3, "e": 3, "n": 4}  # of each kind; what lies beyond is left unused
NUMBER_FORMS = ("", "+9", "*months", "*years")  # "the 40s": 40 to 49; "3-month mortality": in days
_DAYS_A_MONTH = 365.25 / 12
_CLOSE_S = 3 * 24 * 3600  # months have different lengths: "20 months ago" is one of two days


class Unpointable(QueryRejected):
    """A pointer of a plan leads to nothing that fits there."""


class Ambiguous(QueryRejected):
    """A mention means several values that are equally good; the user has to be asked.

    Attributes:
        said: the words of the question.
        options: what they may mean.
    """

    def __init__(self, said: str, options: tuple[str, ...]) -> None:
        super().__init__("A value of the question is ambiguous.")
        self.said, self.options = said, options


@dataclass(frozen=True, slots=True)
class Pointers:
    """Everything of one question that a script may point at; each kind counts from 1.

    Attributes:
        subject_id: the patient whom it is about; it comes from the session or is named.
        strict: whether :meth:`concept` looks up what mentions mean.
    """

    linked: Linked
    language: Language
    subject_id: int | None
    strict: bool = True

    def loosely(self) -> "Pointers":
        """The same for looking at grammar alone: what a mention means is not looked up."""
        return replace(self, strict=False)

    def places(self, kind: Kind) -> range:
        """The places of one kind."""
        here = {
            "v": len(self.linked.values),
            "t": len(self.periods),
            "e": len(self.stays),
            "n": len(self.linked.numbers),
        }
        return range(1, min(here[kind], MOST[kind]) + 1)

    @property
    def periods(self) -> tuple[Window, ...]:
        """The windows that the question names."""
        return tuple(time.window for time in self.linked.times if time.window is not None)

    @property
    def stays(self) -> tuple[Encounter, ...]:
        """The encounters that the question names."""
        return tuple(
            time.encounter for time in self.linked.times if time.window is None and time.encounter is not None
        )

    def values_of(self, domain: str, field: str) -> tuple[int, ...]:
        """Places of the mentions that may be a value of this field."""
        return tuple(
            place
            for place in self.places("v")
            if any(_is_of(c, domain, field) for c in self._link(place).candidates)
        )

    def value_fields(self, domain: str) -> tuple[str, ...]:
        """Fields of a domain, ``name`` apart, of which a mention may be a value."""
        found = {
            c.field: None
            for place in self.places("v")
            for c in self._link(place).candidates
            if c.field != "name" and _is_of(c, domain, c.field)
        }
        return tuple(found)

    def choice(self, place: int, domain: str, field: str) -> Choice:
        """The values that a mention means as this field, and what has to be said about it."""
        link = self._link(place)
        of = [c.domain for c in link.candidates if _is_of(c, domain, field)]
        holder = of[0] if of and domain not in of else domain  # a patient's sex is a field of every event
        return choose_in(link, _domain(holder), field, self.language)

    def concept(self, domain: str, field: str, places: Sequence[int]) -> Concept:
        """The values that mentions mean; several mentions are alternatives.

        Raises:
            Ambiguous: a mention means several values equally well.
            Unpointable: a mention is no value of this field.
        """
        if not self.strict:
            return Concept(field=field, values=("…",))
        found: list[Concept] = []
        for place in places:
            choice = self.choice(place, domain, field)
            if choice.concept is None:
                if choice.options:
                    raise Ambiguous(self._link(place).text, choice.options)
                raise Unpointable(f"Value {place} is no {domain} {field}.")
            found.append(choice.concept)
        values = dict.fromkeys(value for concept in found for value in concept.values)
        return Concept(field=field, values=tuple(values), said=", ".join(c.said for c in found))

    def window(self, place: int) -> Window:
        """The period at a place."""
        return self.periods[place - 1]

    def encounter(self, place: int) -> Encounter:
        """The encounter at a place."""
        return self.stays[place - 1]

    def number(self, token: str) -> tuple[float, str | None]:
        """The number, and its unit, that a token such as ``n1`` or ``n2+9`` means."""
        form = next(form for form in reversed(NUMBER_FORMS) if token.endswith(form))
        _, _, value, unit = self.linked.numbers[int(token.removesuffix(form)[1:]) - 1]
        return {
            "": (value, unit),
            "+9": (value + 9, unit),
            "*months": (float(int(value * _DAYS_A_MONTH)), None),
            "*years": (value * 365, None),
        }[form]

    def places_of_concept(self, domain: str, concept: Concept) -> list[int] | None:
        """The mentions that stand for a concept, one for each of its values where it has several."""
        places: list[int] = []
        left = list(concept.values)
        for place in self.values_of(domain, concept.field):
            here = {c.value for c in self._link(place).candidates if _is_of(c, domain, concept.field)}
            met = [value for value in left if value in here]
            if met:
                places.append(place)
                left = [value for value in left if value not in here]
        return places if places and not left else None

    def place_of_window(self, window: Window) -> int | None:
        """The period that is this window, give or take the length of a month."""
        apart = {place: _apart(self.window(place), window) for place in self.places("t")}
        nearest = min(apart, key=apart.__getitem__, default=None)
        return nearest if nearest is not None and apart[nearest] <= _CLOSE_S else None

    def place_of_encounter(self, encounter: Encounter) -> int | None:
        """The mention of this encounter; "this" one is the current one."""
        wanted = _named(encounter)
        return next((place for place in self.places("e") if _named(self.encounter(place)) == wanted), None)

    def number_token(self, value: float) -> str | None:
        """The token of a number that the question names."""
        for form in NUMBER_FORMS:
            for place in self.places("n"):
                token = f"n{place}{form}"
                if self.number(token)[0] == value:
                    return token
        return None

    def _link(self, place: int) -> Link:
        return self.linked.values[place - 1]


def disjoint(linked: Linked) -> Linked:
    """The links without times that lie within another one ("当天" in "2100-11-27当天"), so that each place is one."""
    kept: list[TimeLink] = []
    for time in sorted(linked.times, key=lambda time: (time.start - time.end, time.start)):
        if all(time.end <= other.start or time.start >= other.end for other in kept):
            kept.append(time)
    return replace(linked, times=tuple(sorted(kept, key=lambda time: time.start)))


def _is_of(candidate: Candidate, domain: str, field: str) -> bool:
    """Whether it is a value of this field; those of patients and admissions are fields of every event."""
    return candidate.field == field and (candidate.domain == domain or field in shared_fields())


def _domain(name: str) -> Domain:
    return name  # pyright: ignore[reportReturnType]  # tokens are made from the domains


def _apart(one: Window, other: Window) -> float:
    """Seconds between two windows, at the end where they differ most."""
    return max(_between(one.start, other.start), _between(one.end, other.end))


def _between(one: str | None, other: str | None) -> float:
    if one is None or other is None:
        return 0.0 if one is other else math.inf
    first, second = (datetime.strptime(text, TIME_FORMAT) for text in (one, other))
    return abs((first - second).total_seconds())


def _named(encounter: Encounter) -> Encounter:
    return encounter.model_copy(update={"which": "current"}) if encounter.which == "this" else encounter
