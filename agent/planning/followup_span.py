"""Another time in the place of the last question's: one that is named, the one before, or none at all."""

import re
from dataclasses import replace
from datetime import datetime, timedelta

from agent.answer import Language
from agent.planning.followup_words import Edit
from agent.planning.link import Linked, TimeLink
from agent.planning.phrases import phrase
from agent.planning.times import half_width
from agent.planning.units_of_time import MONTHS, UNITS, calendar_span, shift
from agent.query.domains import shared_fields
from agent.query.model import Encounter, Events, Related, Window
from knowledge.store.store import TIME_FORMAT

_EARLIER = re.compile(r"\b(?:previous|prior)\b|上一次|前次|前一次")

_YEAR = re.compile(r"\d{4}|[今去前本]年|year")
_ALONE = re.compile(rf"(?:{'|'.join(MONTHS)})\b|月|quarter|季度|\bq\d$|half|\bh[12]$|半年")

_ADMITTED = re.compile(
    r"\b(?:on|at|upon)\b.*\b(?:admission|arrival)\b|(?:入院|入住|转入|进).*(?:时|当天|当日|之初|首日)"
)
_HOURS = {"hours": 1, "days": 24, "weeks": 168}


def with_times(of: Events, edit: Edit, linked: Linked) -> Events | None:
    """The events in the time that is named; ``None`` where two are."""
    windows = [time for time in linked.times if time.window is not None]
    stays = [time for time in linked.times if time.encounter is not None]
    if len(windows) > 1 or len(stays) > 1:
        return None
    if "icu" in edit.leans and not linked.times:
        stay = Encounter(kind="icu_stay")
        if of.domain == "admission":
            return (None if "icu_seen" in edit.leans else _of_icu(of)) or _with_icu(of)
        return None if of.domain == "icu_stay" else of.model_copy(update={"window": None, "encounter": stay})
    hours = None if edit.limit is None else _HOURS.get(UNITS.get(edit.limit[1][1] or "", ""))
    if hours is not None and edit.limit is not None and edit.limit[0] == "first":
        stay = (of.encounter or Encounter()).model_copy(
            update={"from_hours": 0.0, "to_hours": edit.limit[1][0] * hours}
        )
        return of.model_copy(update={"window": None, "encounter": stay})
    if not linked.times:
        return of.model_copy(update={"window": None, "encounter": None}) if "anytime" in edit.leans else of
    window = windows[0].window if windows else None
    encounter = _named_stay(stays[0], of.encounter, edit) if stays else None
    status = of.status
    if window is not None:
        on = of.window.on if of.window is not None else "overlap" if of.domain == "drug" else "time"
        window = window.model_copy(update={"on": on})
        status = None if status == "active" else status  # what runs now is not what ran then
    pick = of.pick
    if (
        pick is not None
        and pick.which == "last"
        and _ADMITTED.search(half_width(stays[0].text) if stays else "")
    ):
        pick = pick.model_copy(update={"which": "first"})  # "on admission" is the first value of the stay
    return of.model_copy(update={"window": window, "encounter": encounter, "status": status, "pick": pick})


def _of_icu(of: Events) -> Events | None:
    """The ICU stays of the same time and people, where admissions were asked about."""
    own = {concept.field for concept in of.concepts} | {condition.field for condition in of.where}
    if own - shared_fields().keys() or of.encounter is not None:
        return None
    return of.model_copy(update={"domain": "icu_stay", "pick": None})


def _with_icu(of: Events) -> Events:
    """The admissions with an ICU stay in them."""
    stay = Related(events=Events(domain="icu_stay"), relation="same_admission")
    return of.model_copy(update={"related": (*of.related, stay)})


def in_same_year(linked: Linked, last: Window | None, language: Language) -> Linked:
    """A month or quarter that is named alone is that of the year of the last question, where it was within one."""
    return replace(linked, times=tuple(_dated(time, last, language) for time in linked.times))


def _dated(time: TimeLink, last: Window | None, language: Language) -> TimeLink:
    window = time.window
    if window is None or last is None or _YEAR.search(half_width(time.text)) or not time.assumption:
        return time
    spans = (window.start, window.end, last.start, last.end)
    if not all(spans) or not _ALONE.search(half_width(time.text)):
        return time
    start, end, first, after = (datetime.strptime(text or "", TIME_FORMAT) for text in spans)
    until = after - timedelta(seconds=1)
    if first.year != until.year:
        return time
    later = end.replace(year=first.year + end.year - start.year)
    moved = {
        "start": start.replace(year=first.year).strftime(TIME_FORMAT),
        "end": later.strftime(TIME_FORMAT),
        "said": f"{window.said} {first.year}",
    }
    said = phrase(language, "same_year", said=time.text, year=str(first.year))
    return replace(time, window=window.model_copy(update=moved), assumption=said)


def spans_beside(of: Events, edit: Edit) -> Events | None:
    """The events in the span of time, or in the stay, before or after theirs; ``None`` where they have none."""
    name = edit.before or ""
    after = name.startswith("next_")
    unit = name.removeprefix("next_")
    if unit == "stay":
        stay = of.encounter
        if stay is None or stay.id is not None:
            return None
        beside = _stay_after(stay) if after else _stay_before(stay)
        return None if beside is None else of.model_copy(update={"window": None, "encounter": beside})
    if of.window is None or of.window.start is None:
        return None
    start = datetime.strptime(of.window.start, TIME_FORMAT)
    units = f"{unit}s"
    step = 1 if after else -1
    until = datetime.strptime(of.window.end, TIME_FORMAT) if of.window.end is not None else None
    if until is not None and _is_rolling(start, until, units):
        until -= timedelta(seconds=1)
        first, last = (until, shift(until, 1, units)) if after else (shift(start, -1, units), start)
    else:
        anchor = until - timedelta(seconds=1) if after and until is not None else start
        first, last = calendar_span(shift(calendar_span(anchor, units)[0], step, units), units)
    span = Window(start=first.strftime(TIME_FORMAT), end=last.strftime(TIME_FORMAT), on=of.window.on)
    return of.model_copy(update={"window": span, "encounter": None})


def _is_rolling(start: datetime, until: datetime, units: str) -> bool:
    """Whether a span is one unit that ends at an instant and not with the calendar ("the past week")."""
    return shift(until - timedelta(seconds=1), -1, units) == start


def _named_stay(time: TimeLink, last: Encounter | None, edit: Edit) -> Encounter | None:
    stay = time.encounter
    if stay is not None and edit.form in ("change", "versus"):  # "since admission": from where it begins
        return stay.model_copy(update={"from_hours": None, "to_hours": None})
    if stay is None or last is None or stay.which != "last" or last.kind != stay.kind or last.id is not None:
        return stay
    # Beside "this admission", the last one is the one before it, also where none is open.
    said_before = last.which == "last" and _EARLIER.search(half_width(time.text)) is not None
    if last.which in ("this", "current") or said_before:
        return _stay_before(last) or stay
    return stay


def _stay_before(stay: Encounter) -> Encounter | None:
    """The stay before: of the open one, the last that is completed."""
    update = {"from_hours": None, "to_hours": None}
    if stay.which in ("this", "current", "last"):
        which = "this" if stay.which == "current" else stay.which
        return stay.model_copy(update={**update, "which": which, "n": stay.n + 1})
    if stay.which == "nth" and stay.n > 1:
        return stay.model_copy(update={**update, "n": stay.n - 1})
    return None


def _stay_after(stay: Encounter) -> Encounter | None:
    """The stay after: of the first, the second."""
    update = {"from_hours": None, "to_hours": None}
    if stay.which in ("first", "nth"):
        n = 2 if stay.which == "first" else stay.n + 1
        return stay.model_copy(update={**update, "which": "nth", "n": n})
    if stay.which in ("this", "last") and stay.n > 1:
        return stay.model_copy(update={**update, "n": stay.n - 1})
    return None
