"""Another time in the place of the last question's: one that is named, the one before, or none at all."""

import re
from dataclasses import replace
from datetime import datetime, timedelta

from agent.answer import Language
from agent.planning.followup_words import Edit
from agent.planning.link import Linked, TimeLink
from agent.planning.phrases import phrase
from agent.planning.times import half_width
from agent.planning.units_of_time import MONTHS
from agent.query.domains import shared_fields
from agent.query.model import Encounter, Events, Window
from knowledge.store.store import TIME_FORMAT

_EARLIER = re.compile(r"\b(?:previous|prior)\b|上一次|前次|前一次")

_YEAR = re.compile(r"\d{4}|[今去前本]年|year")
_ALONE = re.compile(rf"(?:{'|'.join(MONTHS)})\b|月|quarter|季度|^q\d$")

_ADMITTED = re.compile(
    r"\b(?:on|at|upon)\b.*\b(?:admission|arrival)\b|(?:入院|入住|转入|进).*(?:时|当天|当日|之初|首日)"
)
_HOURS = {"hour": 1, "hours": 1, "小时": 1, "day": 24, "days": 24, "天": 24, "日": 24}


def with_times(of: Events, edit: Edit, linked: Linked) -> Events | None:
    """The events in the time that is named; ``None`` where two are."""
    windows = [time for time in linked.times if time.window is not None]
    stays = [time for time in linked.times if time.encounter is not None]
    if len(windows) > 1 or len(stays) > 1:
        return None
    if "icu" in edit.leans and not linked.times:
        stay = Encounter(kind="icu_stay")
        if of.domain == "admission":
            return _of_icu(of)
        return None if of.domain == "icu_stay" else of.model_copy(update={"window": None, "encounter": stay})
    hours = None if edit.limit is None else _HOURS.get(edit.limit[1][1] or "")
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


def spans_before(of: Events, edit: Edit) -> Events | None:
    """The events in the span of time, or in the stay, before theirs; ``None`` where they have none."""
    if edit.before == "stay":
        stay = of.encounter
        if stay is None or stay.id is not None or stay.which not in ("this", "current", "last"):
            return None
        return of.model_copy(update={"window": None, "encounter": _stay_before(stay)})
    if of.window is None or of.window.start is None:
        return None
    start = datetime.strptime(of.window.start, TIME_FORMAT)
    if edit.before == "year":
        first = start.replace(year=start.year - 1, month=1, day=1)
        last = start.replace(month=1, day=1)
    elif edit.before == "month":
        last = start.replace(day=1)
        first = (last - timedelta(days=1)).replace(day=1)
    else:
        last = start
        first = start - timedelta(days=1)
    span = Window(
        start=_midnight(first).strftime(TIME_FORMAT),
        end=_midnight(last).strftime(TIME_FORMAT),
        on=of.window.on,
    )
    return of.model_copy(update={"window": span, "encounter": None})


def _named_stay(time: TimeLink, last: Encounter | None, edit: Edit) -> Encounter | None:
    stay = time.encounter
    if stay is not None and edit.form in ("change", "versus"):  # "since admission": from where it begins
        return stay.model_copy(update={"from_hours": None, "to_hours": None})
    if stay is None or last is None or stay.which != "last" or last.kind != stay.kind or last.id is not None:
        return stay
    # Beside "this admission", the last one is the one before it, also where none is open.
    said_before = last.which == "last" and _EARLIER.search(half_width(time.text)) is not None
    if last.which in ("this", "current") or said_before:
        return _stay_before(last)
    return stay


def _stay_before(stay: Encounter) -> Encounter:
    """The stay before: of the open one, the last that is completed."""
    which = "this" if stay.which == "current" else stay.which
    return stay.model_copy(update={"which": which, "n": stay.n + 1, "from_hours": None, "to_hours": None})


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0)
