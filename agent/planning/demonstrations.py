"""The catalogue's examples as demonstrations for a model: the nearest questions, each with its plan."""

from collections import Counter
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from agent.answer import Language
from agent.planning.askable import Askable
from agent.planning.classifier import Classifier
from agent.planning.features import words
from agent.planning.form import PlanForm, QueryForm, RefuseForm, SearchForm
from agent.planning.form_query import form_of
from agent.planning.intent import Intent, load_asides
from agent.planning.link import Linked
from agent.planning.mask import mask_example, mask_question
from agent.planning.offer import Offer, Offered
from agent.planning.prompt_text import Sample, prompt_text
from agent.planning.reading import intents
from agent.planning.times import resolve_times
from agent.query.model import ClinicalQuery, Concept, Domain, Rows

_ANY_PATIENT = 1  # stands for "the patient" and never reaches the model
_REASONS = {"action": "action_request", "absent": "not_in_schema", "outside": "out_of_scope"}


@dataclass(frozen=True, slots=True)
class Demonstration:
    """A question, all that is linked in it, and its plan."""

    question: str
    offer: Offer
    form: PlanForm

    def fits(self, domains: Container[str]) -> bool:
        """Whether it is about something that a store holds."""
        return not isinstance(self.form, QueryForm) or self.form.domain in domains


def nearest(
    question: str,
    linked: Linked,
    language: Language,
    domains: Mapping[Domain, Askable],
    *,
    most: int,
    now: str,
) -> list[tuple[float, Demonstration]]:
    """Examples of the kinds of question that this one is most like, the likeliest kind first.

    Args:
        question: as cleaned.
        linked: what it names.
        language: of the question and of the examples.
        domains: examples about others are left out.
        most: how many.
        now: that the times of the examples count from.

    Returns:
        Each with the likeness of its words to the question's, 0 to 1.
    """
    if most == 0:
        return []
    classifier = Classifier.of_catalogue()
    text = mask_question(question, linked, language)[0].text
    order = np.argsort(classifier.scores([text])[0])[::-1]
    found: list[tuple[float, Demonstration]] = []
    for column in order:
        if len(found) == most:
            break
        score, example = _example(classifier.labels[column], text, language)
        shown = None if example is None else demonstrate(classifier.labels[column], example, language, now)
        if shown is not None and shown.fits(domains):
            found.append((score, shown))
    return found


def demonstrate(label: str, example: str, language: Language, now: str) -> Demonstration | None:
    """An example question of the catalogue with its slots filled and its plan.

    Args:
        label: the intent that it asks, or ``!`` and the kind of an aside.
        example: with its slots in braces.
        language: of the example.
        now: that its times count from.

    Returns:
        ``None`` where the plan has no compact form.
    """
    names = [name for name in (*prompt_text().samples, "number", "n") if f"{{{name}}}" in example]
    number, unit = prompt_text().number
    said = {name: _word(name, language) for name in names}
    question = example.format(**said)
    times = resolve_times(question, language, now)
    numbers = [(number, unit)] * ("number" in names) + [(float(prompt_text().n), None)] * ("n" in names)
    samples = {name: prompt_text().samples[name] for name in names if name in prompt_text().samples}
    offer = Offer(
        who=("patient",),
        values=tuple(_offered(sample, said[name]) for name, sample in samples.items()),
        periods=tuple(time for time in times if time.window is not None),
        stays=tuple(time for time in times if time.encounter is not None),
        numbers=tuple(numbers),
    )
    if label.startswith("!"):
        form = _aside(label[1:], offer)
        return None if form is None else Demonstration(question, offer, form)
    intent = intents()[label]
    if intent.patient == "many":
        offer = replace(offer, who=("all",))
    values: dict[str, tuple[Domain, Concept]] = {
        name: (sample.domain, sample.concept(said[name])) for name, sample in samples.items()
    }
    query = intent.fill(
        values,
        number=(number, unit) if "number" in names else None,
        n=prompt_text().n if "n" in names else None,
        patient=_ANY_PATIENT if intent.patient == "one" else None,
    )
    if isinstance(query.ask, Rows):  # what is listed besides is the catalogue's; a model need not write it
        query = query.model_copy(update={"ask": query.ask.model_copy(update={"also": ()})})
    found = form_of(_timed(query, intent, offer), offer)
    return None if found is None else Demonstration(question, offer, found)


def _example(label: str, text: str, language: Language) -> tuple[float, str | None]:
    """The example of a label whose words are most like the question's, and how like they are."""
    intent = intents().get(label)
    examples: Iterator[str] = (
        iter(intent.examples(language))
        if intent is not None
        else (a.text for a in load_asides() if f"!{a.kind}" == label and a.language == language)
    )
    asked = words(text)
    scored = ((likeness(asked, words(mask_example(example, language))), example) for example in examples)
    return max(scored, key=lambda pair: pair[0], default=(0.0, None))


def likeness(asked: Counter[str], here: Counter[str]) -> float:
    """How many words two masked questions share, of those that either has."""
    return (asked & here).total() / max(1, (asked | here).total())


def _timed(query: ClinicalQuery, intent: Intent, offer: Offer) -> ClinicalQuery:
    """The query narrowed to the example's times as the catalogue does it."""
    if intent.times == "ignored":
        return query
    events = query.of
    window = offer.periods[0].window if offer.periods else None
    if window is not None:
        events = events.model_copy(update={"window": window.model_copy(update={"on": intent.window_on})})
    if offer.stays:
        events = events.model_copy(update={"encounter": offer.stays[0].encounter})
    elif window is None and query.patient is not None and intent.default_encounter() is not None:
        events = events.model_copy(update={"encounter": intent.default_encounter()})
    return query.model_copy(update={"of": events})


def _aside(kind: str, offer: Offer) -> PlanForm | None:
    if kind == "note":
        places = offer.of_domain("note")
        return SearchForm(
            action="search_notes", who="patient", values=places, period=1 if offer.periods else None
        )
    return RefuseForm.model_validate({"action": "refuse", "reason": _REASONS.get(kind, kind)})


def _offered(sample: Sample, said: str) -> Offered:
    return Offered(said, sample.domain, sample.concept(said))


def _word(name: str, language: Language) -> str:
    if name == "n":
        return str(prompt_text().n)
    if name == "number":
        number, unit = prompt_text().number
        return f"{number:g} {unit}"
    return prompt_text().samples[name].said(language)
