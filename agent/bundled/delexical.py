"""A linked question as the bundled planner reads it: every name, time and number replaced by a placeholder.

"What was the last potassium of patient 10018081 since 2100?" becomes
``<one> what was the last <v1><lab> of <p> <t1>``. So the model sees none of a record's values, and learns what
is asked and not of what. A linked value is followed by the fields of which it may be a value.
"""

import re
from collections.abc import Iterable

from agent.bundled.pointers import MOST
from agent.planning.change_words import ChangeWords
from agent.planning.chart_words import ChartWords
from agent.planning.link import Link, Linked
from agent.planning.times import half_width

_ABOVE, _AT_LEAST = "\ue001", "\ue002"
_BELOW, _AT_MOST = "\ue003", "\ue004"
_COMPARED = {_ABOVE: " above ", _AT_LEAST: " at least ", _BELOW: " below ", _AT_MOST: " at most "}
_TAGS = 5  # fields named for one value
_IN_HAN = re.compile(r"(?<=[>\u4e00-\u9fff]) (?=[\u4e00-\u9fff])|(?<=[\u4e00-\u9fff]) (?=<)")


def delexicalise(
    question: str,
    linked: Linked,
    *,
    has_patient: bool,
    chart: ChartWords | None = None,
    change: ChangeWords | None = None,
) -> str:
    """The question with placeholders.

    Args:
        question: as cleaned; the links' places are into it.
        linked: what it names.
        has_patient: whether it names a patient or one is open.
        chart: the words that ask for a chart.
        change: the words that ask how large a change was; others take their place. ``linked`` is without them.
    """
    text = half_width(question)
    for written, sign in ((">=", _AT_LEAST), ("≥", _AT_LEAST), ("<=", _AT_MOST), ("≤", _AT_MOST)):
        text = text.replace(written, sign.ljust(len(written)))
    text = text.replace("<", _BELOW).replace(">", _ABOVE)
    for start, end, word in sorted(_spans(linked, chart, change), reverse=True):
        text = f"{text[:start]} {word} {text[end:]}"
    for sign, words in _COMPARED.items():
        text = text.replace(sign, words)
    return f"{'<one>' if has_patient else '<many>'} {tidy(text)}"


def tidy(text: str) -> str:
    """Plain words and placeholders, one space between them."""
    text = re.sub(r"(?<=\w)['’]s\b", " 's", text)
    text = re.sub(r"[^\w<>\s'+/%.#-]|(?<!\w)['.]|[.'](?!\w)(?!s\b)|_(?![a-z_.]*>)", " ", text)
    text = re.sub(r"\s+", " ", text).strip()
    return _IN_HAN.sub("", text)


def _spans(
    linked: Linked, chart: ChartWords | None, change: ChangeWords | None
) -> Iterable[tuple[int, int, str]]:
    named = list(_named(linked))
    if change is not None:
        named.append((change.start, change.end, change.instead))
    yield from named
    free = [
        (start, end)
        for start, end in (chart.spans if chart else ())
        if all(end <= first or start >= last for first, last, _ in named)
    ]
    for place, (start, end) in enumerate(free):
        yield start, end, "" if place else "<chart>"


def _named(linked: Linked) -> Iterable[tuple[int, int, str]]:
    for place, link in enumerate(linked.values[: MOST["v"]], 1):
        mention = f"<v{place}>" + "".join(f"<{tag}>" for tag in tags(link))
        yield link.start, link.end, link.read_as.format(mention)
    periods = [time for time in linked.times if time.window is not None]
    for place, time in enumerate(periods[: MOST["t"]], 1):
        yield time.start, time.end, f"<t{place}>"
    stays = [time for time in linked.times if time.window is None and time.encounter is not None]
    for place, time in enumerate(stays[: MOST["e"]], 1):
        kind = "<icu>" if time.encounter is not None and time.encounter.kind == "icu_stay" else ""
        yield time.start, time.end, f"<e{place}>{kind}"
    for patient in linked.patients:
        if patient.how != "scope":
            yield patient.start, patient.end, "<p>"
    for place, (start, end, _, unit) in enumerate(linked.numbers[: MOST["n"]], 1):
        yield start, end, f"<n{place}> {unit or ''}"


def tags(link: Link) -> tuple[str, ...]:
    """The fields of which a mention may be a value: ``lab``, ``microbiology.organism``; ``absent`` if none is used."""
    used = [candidate for candidate in link.candidates if candidate.count]
    found = dict.fromkeys(
        c.domain if c.field == "name" else f"{c.domain}.{c.field}" for c in used or link.candidates
    )
    names = sorted(found)[:_TAGS]
    return tuple(names) if used else (*names, "absent")
