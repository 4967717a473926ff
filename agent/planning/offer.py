"""What a model may refer to in one question: the values, times and numbers that were linked, by number.

A plan of the model holds positions in these lists and nothing else from the question, so it cannot invent
a value, a time or a patient. Whom the question is about is decided before (``subject.py``).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from agent.answer import Language
from agent.planning.choose import choose_in
from agent.planning.link import Linked, TimeLink
from agent.planning.phrases import phrase
from agent.query.model import Concept, Domain
from knowledge.errors import QueryRejected

Who = Literal["patient", "all"]
Number = tuple[float, str | None]  # with its unit
_T = TypeVar("_T")
_MOST = 16  # entries of a list; what does not fit counts as unused, which is said


@dataclass(frozen=True, slots=True)
class Offered:
    """A mention read as values of one domain.

    Attributes:
        said: the words of the question.
        concept: what they mean, or ``None`` where that has to be asked; ``options`` are the candidates then.
        assumption: what has to be said about the reading.
    """

    said: str
    domain: Domain
    concept: Concept | None
    options: tuple[str, ...] = ()
    assumption: str | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """Everything of a question that a plan may refer to; plans count each list from 1.

    Attributes:
        who: ``patient`` is the named or open one; only ``all`` where there is none, and only ``patient``
            where the question names one or says "she".
        periods, stays: times with a window, and those with an encounter.
        numbers: with their units.
    """

    who: tuple[Who, ...]
    values: tuple[Offered, ...] = ()
    periods: tuple[TimeLink, ...] = ()
    stays: tuple[TimeLink, ...] = ()
    numbers: tuple[Number, ...] = ()

    @classmethod
    def of(cls, linked: Linked, language: Language, subject_id: int | None) -> "Offer":
        """What was linked in a question about ``subject_id`` (or about many)."""
        who: tuple[Who, ...] = (
            ("all",) if subject_id is None else ("patient",) if linked.patients else ("patient", "all")
        )
        return cls(
            who,
            tuple(_values(linked, language))[:_MOST],
            tuple(time for time in linked.times if time.window is not None)[:_MOST],
            tuple(time for time in linked.times if time.encounter is not None)[:_MOST],
            tuple((value, unit) for _, _, value, unit in linked.numbers)[:_MOST],
        )

    def domains(self) -> tuple[Domain, ...]:
        """The domains of the values."""
        return tuple(dict.fromkeys(offered.domain for offered in self.values))

    def of_domain(self, domain: Domain) -> tuple[int, ...]:
        """Positions of the values of one domain."""
        return tuple(place for place, offered in enumerate(self.values, 1) if offered.domain == domain)

    def unused(
        self,
        linked: Linked,
        language: Language,
        values: Iterable[Offered],
        times: Iterable[TimeLink],
        numbers: Iterable[Number],
    ) -> tuple[str, ...]:
        """What the question names and a plan leaves out, said in a sentence each."""
        used = {offered.said for offered in values}
        kept, counted = list(times), list(numbers)
        left = [link.text for link in linked.values if link.text not in used and link.candidates]
        left += [time.text for time in linked.times if time not in kept]
        left += [number_text(number) for number in self.numbers if number not in counted]
        return tuple(phrase(language, "not_used", said=text) for text in dict.fromkeys(left))


def pointed(items: Sequence[_T], place: int, what: str) -> _T:
    """What a position, counted from 1, points at.

    Raises:
        QueryRejected: nothing.
    """
    if not 1 <= place <= len(items):
        raise QueryRejected(f"There is no {what} {place}; {len(items)} are listed.")
    return items[place - 1]


def number_text(number: Number) -> str:
    """A number with its unit, for display."""
    value, unit = number
    return f"{value:g} {unit or ''}".strip()


def _values(linked: Linked, language: Language) -> Iterable[Offered]:
    """Each mention once for every field that it may be a value of; the plan says by its domain which is meant."""
    for link in linked.values:
        places: dict[tuple[Domain, str], None] = {(c.domain, c.field): None for c in link.candidates}
        for domain, field in places:
            choice = choose_in(link, domain, field, language)
            yield Offered(link.text, domain, choice.concept, choice.options, choice.assumption)
