"""A hospital's own questions, each with its query, as demonstrations for a model that is prompted.

They are linked once, when they are brought in (``chartroom models examples FILE``), and kept in Chartroom's folder.
A question is shown the ones whose words are most like its own, what was linked left aside.
"""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import get_args

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, model_validator

from agent.answer import Language
from agent.language import language_of
from agent.paths import home
from agent.planning.demonstrations import Demonstration, likeness
from agent.planning.features import words
from agent.planning.form import PlanForm, Reason, RefuseForm
from agent.planning.form_query import form_of, merged
from agent.planning.link import Linked
from agent.planning.linker import Linker
from agent.planning.mask import mask_question
from agent.planning.offer import Offer
from agent.query.model import Change, ClinicalQuery, Concept, Condition, Domain, Encounter, Events
from agent.scope import Scope
from knowledge.errors import ConfigError

_REASONS: tuple[Reason, ...] = get_args(Reason)
_OPEN = ("current", "this")  # two words for the stay that is going on


class Pair(BaseModel):
    """One line of the file: a question, and the typed query that it asks or the reason why it cannot be asked.

    Attributes:
        question: its words.
        query: the query; ``None`` where ``reason`` is given.
        reason: of refusing it.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")  # an id, a source …

    question: str
    query: ClinicalQuery | None = None
    reason: Reason | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "Pair":
        if (self.query is None) == (self.reason is None):
            raise ValueError("give either query or reason")
        return self


@dataclass(frozen=True, slots=True)
class OwnExample:
    """A demonstration with the words that it is compared by."""

    language: Language
    masked: str
    shown: Demonstration


_ADAPTER: TypeAdapter[OwnExample] = TypeAdapter(OwnExample)


class OwnExamples:
    """The hospital's examples, to be searched.

    Args:
        found: the examples.
    """

    def __init__(self, found: Iterable[OwnExample]) -> None:
        self._found = tuple(found)

    @classmethod
    def open(cls) -> "OwnExamples":
        """Those that were brought in; none where none were.

        Raises:
            ConfigError: their file is damaged.
        """
        try:
            lines = _file().read_bytes().splitlines()
            return cls([_ADAPTER.validate_json(line) for line in lines])
        except FileNotFoundError:
            return cls(())
        except (OSError, ValidationError) as error:
            raise ConfigError(
                f"The examples {_file()} cannot be read ({type(error).__name__}). Bring them in again with "
                "`chartroom models examples FILE`."
            ) from None

    def __len__(self) -> int:
        return len(self._found)

    def nearest(self, masked: str, language: Language, most: int) -> list[tuple[float, Demonstration]]:
        """The examples whose words are most like those of a masked question, the most like first."""
        asked = words(masked)
        scored = [
            (likeness(asked, here), example.shown)
            for example, here in zip(self._found, self._words, strict=True)
            if example.language == language
        ]
        return sorted(scored, key=lambda pair: -pair[0])[:most]

    @cached_property
    def _words(self) -> list[Counter[str]]:
        return [words(example.masked) for example in self._found]


def read_pairs(path: Path) -> list[Pair]:
    """The pairs of a JSONL file.

    Raises:
        ConfigError: it cannot be read, or a line is no pair.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path} cannot be read ({type(error).__name__}). It must be JSONL in UTF-8."
        ) from error
    found: list[Pair] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            found.append(Pair.model_validate_json(line))
        except ValidationError:
            raise ConfigError(
                f'{path}, line {number}: expected {{"question", "query"}} with a typed query, or '
                f'{{"question", "reason"}} with one of {", ".join(_REASONS)}.'
            ) from None
    return found


def understood(pairs: Iterable[Pair], linker: Linker, now: str) -> Iterator[OwnExample | None]:
    """Each pair as an example; ``None`` where its query holds what was not linked in its question.

    Args:
        pairs: questions and queries.
        linker: of the store that the queries are about.
        now: that the times of the questions count from.
    """
    for pair in pairs:
        language = language_of(pair.question)
        yield _example(pair, language, linker.link(pair.question, language, Scope(now=now)))


def keep(found: Iterable[OwnExample]) -> None:
    """Keep examples instead of those that are kept."""
    target = _file()
    arriving = target.with_suffix(".part")
    arriving.write_bytes(b"".join(_ADAPTER.dump_json(example) + b"\n" for example in found))
    os.replace(arriving, target)


def forget() -> None:
    """Keep none."""
    _file().unlink(missing_ok=True)


def _file() -> Path:
    return home() / "examples.jsonl"


def _example(pair: Pair, language: Language, linked: Linked) -> OwnExample | None:
    named = [patient.subject_id for patient in linked.patients]
    subject_id = next((number for number in named if number is not None), None)
    offer = Offer.of(linked, language, subject_id)
    form: PlanForm | None = None
    if pair.reason is not None:
        form = RefuseForm(action="refuse", reason=pair.reason)
    elif pair.query is not None:
        form = form_of(_as_offered(pair.query, offer), offer, subject_id)
    if form is None:
        return None
    masked = mask_question(pair.question, linked, language)[0].text
    return OwnExample(
        language, masked, Demonstration(_anonymous(pair.question, linked, language), offer, form)
    )


def _anonymous(question: str, linked: Linked, language: Language) -> str:
    """The question without the patient that it names: who that is is of no use to a model."""
    for patient in sorted(linked.patients, key=lambda link: -link.start):
        who = "this patient" if language == "en" else "该患者"
        question = question[: patient.start] + who + question[patient.end :]
    return question


def _as_offered(query: ClinicalQuery, offer: Offer) -> ClinicalQuery:
    """A query with the values, periods, stays and units as they were linked, where those are the ones it means."""
    ask = query.ask
    if isinstance(ask, Change) and ask.earlier_of is not None:
        ask = ask.model_copy(update={"earlier_of": _events_offered(ask.earlier_of, offer)})
    return query.model_copy(update={"ask": ask, "of": _events_offered(query.of, offer)})


def _events_offered(events: Events, offer: Offer) -> Events:
    concepts = tuple(_concept_offered(concept, events.domain, offer) for concept in events.concepts)
    window = events.window
    if window is not None:
        span = (window.start, window.end)
        linked = [time.window for time in offer.periods if time.window is not None]
        same = next((one for one in linked if (one.start, one.end) == span), None)
        window = window if same is None else same.model_copy(update={"on": window.on})
    related = tuple(
        one.model_copy(update={"events": _events_offered(one.events, offer)}) for one in events.related
    )
    return events.model_copy(
        update={
            "concepts": concepts,
            "window": window,
            "encounter": None if events.encounter is None else _stay_offered(events.encounter, offer),
            "where": tuple(_condition_offered(condition, offer) for condition in events.where),
            "related": related,
        }
    )


def _concept_offered(concept: Concept, domain: Domain, offer: Offer) -> Concept:
    """What was linked as these values, or, mention by mention, as all of them together."""
    here = [
        one.concept
        for one in offer.values
        if one.concept is not None and (one.domain, one.concept.field) == (domain, concept.field)
    ]
    whole = next((one for one in here if set(concept.values) <= set(one.values)), None)
    if whole is not None:
        return whole
    parts = [one for one in here if set(one.values) <= set(concept.values)]
    covered = {value for part in parts for value in part.values}
    return merged(parts)[0] if covered == set(concept.values) else concept


def _stay_offered(stay: Encounter, offer: Offer) -> Encounter:
    if stay.which not in _OPEN:
        return stay
    linked = [time.encounter for time in offer.stays if time.encounter is not None]
    alike = (one for one in linked if one.which in _OPEN and one.kind == stay.kind)
    return next((one for one in alike if stay.model_copy(update={"which": one.which}) == one), stay)


def _condition_offered(condition: Condition, offer: Offer) -> Condition:
    if condition.field != "value" or condition.unit is not None:
        return condition
    unit = next((unit for value, unit in offer.numbers if value == condition.value), None)
    return condition.model_copy(update={"unit": unit})
