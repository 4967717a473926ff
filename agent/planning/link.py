"""Linking: the values, concepts, patients and times that a question names, matched to the store's own."""

from dataclasses import dataclass
from typing import Literal

from agent.query.model import Domain, Encounter, Window


@dataclass(frozen=True, slots=True)
class Candidate:
    """A value of the store that words of the question may mean.

    Attributes:
        domain, field: where the value stands, in the terms of ``agent/query/domains.yaml``.
        value: as the store has it.
        score: 0 to 1.
        how: exact, abbreviation, synonym, typo, translation … shown to the user; ``code``, ``title``, ``class``
            and ``ingredient``: one of all the values that a concept covers; ``stand_in``: of another concept that
            answers for it; ``absent``: the concept is known, but nothing in the store is of it (count 0).
        count: events that have it.
        is_name: the value is the very name that the words say in the other language or misspelt, and not only
            one of those that they cover.
    """

    domain: Domain
    field: str
    value: str
    score: float
    how: str
    count: int
    is_name: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """Words of the question (``question[start:end]``) and what they may mean, best first.

    Attributes:
        read_as: what a planner reads in their place; {} is the mention.
    """

    start: int
    end: int
    text: str
    candidates: tuple[Candidate, ...]
    read_as: str = "{}"


@dataclass(frozen=True, slots=True)
class Sign:
    """Words that name a clinical sign which a vital sign beyond a limit shows: a fever is a high temperature.

    Attributes:
        link: the words, as a mention of the vital sign.
        analyte: whose limit counts, in the terms of ``thresholds.tsv``.
        side: of which limit the values are that show it.
        yes_no: whether the question wants a yes or a no.
        present: whether it is about now.
    """

    link: Link
    analyte: str
    side: Literal["high", "low"]
    yes_no: bool
    present: bool


@dataclass(frozen=True, slots=True)
class TimeLink:
    """Words that name a time, and the window or encounter they resolve to."""

    start: int
    end: int
    text: str
    window: Window | None = None
    encounter: Encounter | None = None
    assumption: str | None = None


@dataclass(frozen=True, slots=True)
class PatientLink:
    """Words that name a patient; ``subject_id`` is ``None`` where the store has no such patient."""

    start: int
    end: int
    text: str
    subject_id: int | None
    how: Literal["id", "mrn", "name", "scope"]


@dataclass(frozen=True, slots=True)
class Linked:
    """All that was linked in a question."""

    values: tuple[Link, ...] = ()
    times: tuple[TimeLink, ...] = ()
    patients: tuple[PatientLink, ...] = ()
    numbers: tuple[tuple[int, int, float, str | None], ...] = ()  # start, end, number, unit
    signs: tuple[Sign, ...] = ()  # of one patient; what else their words may mean is among the values
