"""The catalogue's example questions as training pairs: each intent's query as a plan script."""

import random
import re
from collections.abc import Iterator, Mapping

from agent.answer import Language
from agent.bundled import script
from agent.bundled.delexical import delexicalise
from agent.bundled.pointers import Pointers
from agent.bundled.training.templates import Pair
from agent.planning.examples import LANGUAGES
from agent.planning.intent import SLOT_FIELDS, Intent, load_asides, load_intents
from agent.planning.link import Candidate, Link, Linked, TimeLink
from agent.planning.numbers import numbers
from agent.planning.times import half_width, resolve_times
from agent.query.model import Ask, ClinicalQuery, Concept, Domain, Rows

_NOW = "2100-12-31 23:59:00"
_PATIENT = 1
_ASIDES = {
    "note": "notes",
    "action": "action_request",
    "absent": "not_in_schema",
    "outside": "out_of_scope",
    "judgement": "judgement",
}
_BESIDE = {"time", "value", "unit", "name"}
_SLOT = re.compile(r"\{(\w+)\}")


def catalogue_pairs(seed: int) -> Iterator[Pair]:
    """Every example of every intent and aside that a script can say, in both languages."""
    chance = random.Random(seed)
    for intent in load_intents():
        for language in LANGUAGES:
            for example in intent.examples(language):
                pair = _pair(example, intent, language, chance)
                if pair is not None:
                    yield pair
    for aside in load_asides():
        question, linked, _, tags = _filled(aside.text, aside.language, chance)
        text = delexicalise(question, linked, has_patient=True).removeprefix("<one> ")
        yield Pair(_untagged(text), tags, _ASIDES[aside.kind], aside.language)


def _pair(example: str, intent: Intent, language: Language, chance: random.Random) -> Pair | None:
    question, linked, values, tags = _filled(example, language, chance)
    number = next(((value, unit) for _, _, value, unit in linked.numbers), None)
    n = next((int(value) for _, _, value, _ in linked.numbers if 1 <= value <= 1000), None)
    one = intent.patient == "one"
    query = intent.fill(values, number=number, n=n, patient=_PATIENT if one else None)
    if isinstance(query.ask, Rows) and query.of.pick is not None and not _asks_for_value(query):
        return None  # "the last culture" with all that is known of it: templates ask for one thing at a time
    query = query.model_copy(update={"ask": _asked(query)})
    plan = script.write(_timed(query, intent, linked), Pointers(linked, language, _PATIENT))
    if plan is None:
        return None
    text = delexicalise(question, linked, has_patient=one).split(" ", 1)[-1]
    return Pair(_untagged(text), tags, " ".join(plan), language)


def _asks_for_value(query: ClinicalQuery) -> bool:
    return isinstance(query.ask, Rows) and (
        len(query.ask.fields) == 1 or ("value" in query.ask.fields and set(query.ask.fields) <= _BESIDE)
    )


def _asked(query: ClinicalQuery) -> Ask:
    """What is asked, without the columns that the catalogue shows beside it; evidence carries those anyway."""
    ask = query.ask
    if not isinstance(ask, Rows):
        return ask
    if query.of.pick is not None and "value" in ask.fields and set(ask.fields) <= _BESIDE:
        return Rows(fields=("value",), distinct=False)
    return ask.model_copy(update={"also": ()})


def _filled(
    example: str, language: Language, chance: random.Random
) -> tuple[str, Linked, Mapping[str, tuple[Domain, Concept]], Mapping[str, str]]:
    """An example with values of its own in its slots, and what would be linked in it."""
    parts, places, at = [], [], 0
    for match in _SLOT.finditer(example):
        parts.append(example[at : match.start()])
        start = sum(map(len, parts))
        said = "7" if match[1] in ("n", "number") else f"\ue0f0{len(places)}"
        parts.append(said)
        places.append((match[1], start, start + len(said)))
        at = match.end()
    question = half_width("".join([*parts, example[at:]]))
    values: dict[str, tuple[Domain, Concept]] = {}
    links, tags = [], {}
    for name, start, end in places:
        if name in ("n", "number"):
            continue
        kind = name.rstrip("2")
        fields = [place for place, of in SLOT_FIELDS.items() if of == kind and place[1] != "code"]
        domain, field = chance.choice(fields)
        holder: Domain = domain  # pyright: ignore[reportAssignmentType]  # SLOT_FIELDS names domains as text
        said = question[start:end]
        links.append(Link(start, end, said, (Candidate(holder, field, said, 1.0, "exact", 1),)))
        values[name] = (holder, Concept(field=field, values=(said,), said=said))
        tags[f"v{len(links)}"] = domain if field == "name" else f"{domain}.{field}"
    taken = [(link.start, link.end) for link in links]
    times: tuple[TimeLink, ...] = resolve_times(question, language, _NOW)
    found = numbers(question, [*taken, *((time.start, time.end) for time in times)])
    return question, Linked(tuple(links), times, (), found), values, tags


def _timed(query: ClinicalQuery, intent: Intent, linked: Linked) -> ClinicalQuery:
    """The query narrowed to the example's times, as the catalogue does it."""
    if intent.times == "ignored":
        return query
    window = next((time.window for time in linked.times if time.window is not None), None)
    stay = next((t.encounter for t in linked.times if t.window is None and t.encounter is not None), None)
    events = query.of
    if window is not None:
        events = events.model_copy(update={"window": window.model_copy(update={"on": intent.window_on})})
    if stay is not None:
        events = events.model_copy(update={"encounter": stay})
    elif window is None and query.patient is not None and intent.default_encounter() is not None:
        events = events.model_copy(update={"encounter": intent.default_encounter()})
    return query.model_copy(update={"of": events})


def _untagged(text: str) -> str:
    """Without the fields behind each value, which are drawn anew for each use."""
    return re.sub(r"(<v\d>)(?:<[a-z_.]+>)+", r"\1", text)
