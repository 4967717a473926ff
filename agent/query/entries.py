"""One recorded entry in words: what kind of entry it is, what it says, and when.

Every value in it is a cell of the entry's evidence. A kind is said in full ("Coded diagnosis", not "Yes"):
what a table holds is an entry in it, and the reader decides what that means.
"""

from collections.abc import Mapping

from agent.answer import Cell, Language
from agent.query.domains import bindings
from agent.query.execute import EvidenceRows
from agent.query.model import Events
from agent.query.numerals import fixed, moment, number
from agent.query.phrases import kind, phrase, value_word

_MEASURED = frozenset({"lab", "vital", "input", "output"})
_ORDER = ("dose", "dose_unit", "route", "frequency")


def entry(
    piece: EvidenceRows, events: Events, language: Language, now: str, places: int | None = None
) -> str:
    """The entry that a piece of evidence shows, without a full stop.

    Args:
        piece: its evidence; where several entries say the same, the newest.
        events: what was asked for.
        language: of the words.
        now: tells an order that has ended from one that will.
        places: decimals of its number.
    """
    values = piece.values
    lead = str(values.get("name") or "")
    facts: list[str] = []
    if events.domain in _MEASURED:
        lead = f"{lead} {measured(values.get('value', values.get('reported')), values, language, places)}"
    elif events.domain == "drug":
        lead = " ".join([lead, *(str(values[key]).strip() for key in _ORDER if values.get(key) is not None)])
        facts = _course(values, events, language, now)
    elif events.domain == "microbiology":
        facts = [str(values["specimen"])] if values.get("specimen") else []
        facts.append(culture_result(values, language))
        if values.get("antibiotic"):
            facts.append(
                f"{values['antibiotic']} {value_word('interpretation', values.get('interpretation'), language)}"
            )
    else:
        facts = [
            value_word(name, values[name], language)
            for name in bindings()[events.domain].detail
            if values.get(name) is not None and not (name == "status" and values[name] == "active")
        ]
    time = moment(values.get("time"))
    if events.domain == "drug":
        time = phrase(language, "from", time=time) if time else ""
        facts.insert(0, time)
    elif time:
        facts.append(time)
    if piece.count > 1:
        facts.append(phrase(language, "entry.times", n=piece.count))
    told = phrase(language, "entry.separator").join(fact for fact in facts if fact)
    return phrase(
        language,
        "entry.said" if told else "entry.bare",
        kind=kind(events, language),
        item=lead.strip(),
        facts=told,
    )


def measured(value: Cell, values: Mapping[str, Cell], language: Language, places: int | None) -> str:
    """A number with its unit, whether it is beyond its reference range, and that range."""
    text = fixed(value, places)
    if values.get("unit"):
        text = f"{text} {values['unit']}"
    if values.get("unit_recorded", values.get("unit")) != values.get("unit"):
        return text  # the range is in the unit that was recorded
    low, high = values.get("low"), values.get("high")
    arrow = _arrow(value, low, high, values.get("flag"))
    text += f" {arrow}" if arrow else ""
    if low is not None and high is not None:
        return text + phrase(language, "range.both", low=number(low), high=number(high))
    if low is not None:
        return text + phrase(language, "range.low", low=number(low))
    return text + phrase(language, "range.high", high=number(high)) if high is not None else text


def _arrow(value: Cell, low: Cell, high: Cell, flag: Cell) -> str:
    if isinstance(value, int | float):
        if isinstance(low, int | float) and value < low:
            return "↓"
        if isinstance(high, int | float) and value > high:
            return "↑"
    return {"high": "↑", "h": "↑", "hh": "↑", "low": "↓", "l": "↓", "ll": "↓"}.get(str(flag).casefold(), "")


def culture_result(values: Mapping[str, Cell], language: Language) -> str:
    """What a culture gave: the organism, else what the laboratory wrote, else that it wrote nothing."""
    for name in ("organism", "comments"):
        if text := str(values.get(name) or "").strip():
            return text.rstrip(".")
    return phrase(language, "entry.no_organism")


def _course(values: Mapping[str, Cell], events: Events, language: Language, now: str) -> list[str]:
    end, status = values.get("end_time"), values.get("status")
    if end is None:
        facts = [phrase(language, "open.drug")]
    else:
        facts = [phrase(language, "entry.ended" if str(end) <= now else "entry.until", time=moment(end))]
    closed = str(status).casefold() in bindings()[events.domain].closed
    said_already = (
        status is None
        or (events.status == "active" and not closed)
        or (closed and end is not None and str(end) <= now)
    )
    return facts if said_already else [*facts, value_word("status", status, language)]
