"""What is asked of the events of a chart: how many, their mean or share, their values, in time or by group."""

from typing import cast

from agent.answer import Language
from agent.charts.mark import Mark
from agent.planning.chart_events import by_end, counted_thing, fits
from agent.planning.chart_parts import asks, field_of
from agent.planning.chart_said import Said
from agent.query.model import (
    Ask,
    Balance,
    Bucket,
    Concept,
    Condition,
    Events,
    Group,
    Readmission,
    Rows,
    Top,
    Trend,
)

_DAYS, _TOP, _ALL = 30, 10, 30
_WIDE: frozenset[Mark | None] = frozenset({"histogram", "box"})
_BARS: frozenset[Mark | None] = frozenset({"bar", "arc", "line", "stacked_bar"})
_MEANS: frozenset[Mark | None] = frozenset({"bar", "line"})
_LISTED = frozenset({"diagnosis", "procedure", "drug"})
"""Things that have so many names that a chart without a group shows the most frequent."""
_ENDS = {"weekday": "end_weekday", "hour_of_day": "end_hour_of_day"}
_SPLITS = frozenset({"interpretation", "gender"})
Figure = str


def ask_of(
    said: Said, events: Events, mark: Mark | None, language: Language, *, of_one: bool
) -> tuple[Ask, Events] | None:
    """What is asked of the events, and the events with what that needs; ``None`` where it is not clear."""
    groups = [_ENDS.get(g, g) if by_end(said) else field_of(g) for g in said.groups]
    if "hour_of_day" in said.groups and "hour" in said.buckets:
        said.buckets.remove("hour")
    if "hour" in said.buckets and not of_one and not said.measured:  # of many, the hours of the day are meant
        said.buckets.remove("hour")
        groups.append(_ENDS["hour_of_day"] if by_end(said) else "hour_of_day")
    apart = said.named_apart()
    if apart and apart[0].domain == events.domain:
        if any(len(value.concept.values) > 1 for value in apart) and (
            groups or said.buckets or not said.measured
        ):
            return None  # a group of names beside another: which of them is drawn as one is not said
        if not said.measured or said.buckets or groups or said.figures:
            groups.append(apart[0].concept.field)
    if len(groups) == 2 and not said.buckets and groups[0] in _SPLITS:
        groups.reverse()  # what has a few fixed values tells the parts of a bar apart
    by = _By(said, groups, events)
    if "fluid_balance" in said.things:
        bare = (
            of_one and not groups and said.buckets in ([], ["day"]) and not said.values and not said.figures
        )
        return (Balance(per="day"), events) if bare else None
    if said.rates:
        return _rate(said, events, by)
    if "readmission" in said.things:
        return _readmissions(said, events, by)
    if said.spans:
        return _span(said, events, mark, by)
    if said.measured:
        ask = _measure(said, mark, by, of_one=of_one)
        return None if ask is None else (ask, events)
    share = _share(said, events, mark, by)
    if share is not None:
        return share
    thing = counted_thing(said, language)
    ask = _top(said, thing, by) if _is_top(said, by) else _counts(said, events, thing, by, of_one=of_one)
    return None if ask is None else (ask, events)


class _By:
    """The groups and buckets of a question, as a figure for each takes them."""

    def __init__(self, said: Said, groups: list[str], events: Events) -> None:
        self.groups = groups
        self.bucket: Bucket | None = cast(Bucket, said.buckets[0]) if said.buckets else None
        self.on = "end" if self.bucket and by_end(said) else "time"
        self.events = events

    def __bool__(self) -> bool:
        return bool(self.groups or self.bucket)

    def group(self, figure: Figure, **more: object) -> Group | None:
        """A figure for each group or bucket, split by what else there is."""
        if not self or len(self.groups) + (self.bucket is not None) > 2:
            return None
        parts = self.groups if self.bucket else self.groups[1:]
        return Group.model_validate(
            {
                "bucket": self.bucket,
                "by": None if self.bucket else self.groups[0],
                "series": parts[0] if parts else None,
                "figure": figure,
                "on": self.on,
                **more,
            }
        )


def _rate(said: Said, events: Events, by: _By) -> tuple[Ask, Events] | None:
    """A share that has a name, in time or by group: mortality, readmission, resistance."""
    raw = asks()["rates"][said.rates[0]]
    met = [Condition.model_validate(each) for each in raw["met"]]
    if said.numbers and said.rates[0] == "readmission_rate":
        met = [each.model_copy(update={"value": float(said.numbers[0])}) for each in met]
    known = (Condition(field=raw["known"], op="known"),) if "known" in raw else ()
    of = {"mortality": "subject_id", "positivity": "culture"}.get(said.rates[0])
    distinct = {"field": of} if of else {}
    ask = by.group("rate", met=tuple(met), **distinct)
    if said.figures not in ([], ["mean"]) or said.things[:1] == ["death"] or ask is None:
        return None
    if said.rates[0] == "readmission_rate" and ask.bucket:  # a discharge is followed by the return
        ask = ask.model_copy(update={"on": "end"})
    return ask, events.model_copy(update={"where": (*events.where, *known)})


def _readmissions(said: Said, events: Events, by: _By) -> tuple[Ask, Events] | None:
    """Returns within some days, as the known series or counted by what they are."""
    days = next(iter(said.numbers), _DAYS)
    plain = not (by.groups or events.where or events.related or events.concepts or said.figures)
    if plain and "share" not in said.words:
        monthly: Bucket = by.bucket or "month"
        return Readmission(days=days, bucket=monthly), events
    soon = Condition(field="days_since_discharge", op="<=", value=float(days))
    ask = by.group("admissions", share="share" in said.words)
    if ask is None or said.figures:
        return None
    return ask, events.model_copy(update={"where": (*events.where, soon)})


def _share(said: Said, events: Events, mark: Mark | None, by: _By) -> tuple[Ask, Events] | None:
    """The share of those that a word leaves, in each group: "percentage of women by ward", 各月急诊占比."""
    each = by.bucket is not None or "each" in said.words
    if "share" not in said.words or not each or not by or mark in ("arc", "stacked_bar"):
        return None
    tests: list[Concept | Condition] = [c for c in events.concepts if c.field != "name"]
    tests = [c for c in (*tests, *events.where) if c.field not in by.groups]
    if len(tests) != 1 or said.figures or said.numbers:
        return None
    met = tests[0]
    distinct = {"field": "subject_id"} if "patient" in said.things or events.domain == "patient" else {}
    ask = by.group("rate", met=(met,), **distinct)
    if ask is None:
        return None
    ended = (Condition(field="end", op="known"),) if met.field == "duration" else ()
    rest = {
        "concepts": tuple(c for c in events.concepts if c is not met),
        "where": (*(c for c in events.where if c is not met), *ended),
    }
    return ask, events.model_copy(update=rest)


def _span(said: Said, events: Events, mark: Mark | None, by: _By) -> tuple[Ask, Events] | None:
    """Ages or lengths of stay: single values, by group where one is named, or a figure of them in time or by group."""
    names = [str(asks()["spans"][span].get("field", span)) for span in said.spans]
    if len(names) == 2 and not (by or said.figures):
        return Rows(fields=tuple(names), distinct=False), events
    if len(names) > 1 or said.numbers or said.rates:
        return None
    name = names[0]
    if by and (by.bucket or said.figures or (mark in _MEANS and "spread" not in said.words)):
        ask = by.group(said.figures[0] if said.figures else "mean", field=name)
        return None if ask is None else (ask, events)
    if said.figures or len(by.groups) > 1:
        return None
    if mark in _BARS and not by:
        return Group(by=name, figure="patients" if events.domain == "patient" else "admissions"), events
    return Rows(fields=(*by.groups, name), distinct=False), events


def _measure(said: Said, mark: Mark | None, by: _By, *, of_one: bool) -> Ask | None:
    """Measured values: in time, by group, as a distribution, or a figure of them in buckets of time or groups."""
    if "top" in said.words:
        return None
    figure = said.figures[0] if said.figures else None
    limited = bool(said.limits or said.ranges)
    who = next((t for t in said.things if t in ("patient", "admission", "icu_stay")), None)
    if figure is None and mark not in _WIDE and "spread" not in said.words:
        if who is not None and (limited or "counted" in said.words):
            return by.group(asks()["things"][who]["figure"])
        if "counted" in said.words or (limited and by.bucket):
            return by.group("events")  # of values beyond a limit, how many there are
    usual = "mean" if said.measured[0].kind == "measure" else "sum"
    if by.bucket and mark not in _WIDE:
        return by.group(figure or usual)
    if by.groups and (figure or mark in _MEANS):
        return by.group(figure or usual)
    if by.groups:
        return Rows(fields=(by.groups[0], "value", "unit"), distinct=False) if len(by.groups) == 1 else None
    if figure is not None and figure != usual:
        return None
    if of_one:
        return Trend()
    if len(said.measured) > 1 and mark == "point":
        return None  # one against the other
    if mark == "point" or (limited and mark not in _WIDE):
        return Rows(fields=("time", "value", "unit"), distinct=False)
    if mark not in _WIDE and not {"many", "spread"} & said.words:
        return None  # of whom is not said
    return Rows(fields=("value", "unit"), distinct=False)


def _is_top(said: Said, by: _By) -> bool:
    listed = [thing for thing in said.things if thing in _LISTED]
    return (
        "top" in said.words
        or "by_patients" in said.words
        or (bool(listed) and not by and len(said.values) == 0)
    )


def _top(said: Said, thing: str | None, by: _By) -> Ask | None:
    """The most frequent names of what is counted."""
    if by.bucket or len(by.groups) > 1 or said.figures:
        return None
    named = by.groups[0] if by.groups else "name"
    figure = "patients" if thing == "patient" else "events"
    if "cost" in said.things:
        return Top(n=next(iter(said.numbers), _TOP), by="cost") if not by.groups else None
    if not by.groups and thing == "patient" and len(said.things) == 1:
        return None
    return Top(n=next(iter(said.numbers), _TOP), field=named, by=figure)


def _counts(said: Said, events: Events, thing: str | None, by: _By, *, of_one: bool) -> Ask | None:
    """How many there are in each bucket of time or group, and of which kind."""
    if said.numbers or not fits(said, events.domain):
        return None
    raw = (
        asks()["things"][thing]
        if thing
        else {"figure": "patients" if events.domain == "patient" else "events"}
    )
    figure = str(raw["figure"])
    if figure == "sum" or said.figures:
        return _sums(said, events, by, of_one=of_one) if figure == "sum" else None
    if "share" in said.words and by.bucket and not by.groups:
        return None  # the share of what is not said
    if thing is None and events.domain == "microbiology":
        figure = "cultures"
    if (
        thing is None and said.filters and events.domain != "microbiology"
    ):  # women, men: they are who is counted
        figure = "patients"
    elif thing is None and events.domain == "admission":
        figure = "admissions"
    if figure == "cultures" and {"antibiotic", "interpretation"} & {*by.groups}:
        figure = "events"  # a culture has a result for each antibiotic tested in it
    if by.groups == ["organism"] and not by.bucket and figure in ("events", "cultures"):
        return Top(n=_ALL, field="organism")  # which counts cultures, not the antibiotics tested in them
    return by.group(figure, share="share" in said.words)


def _sums(said: Said, events: Events, by: _By, *, of_one: bool) -> Ask | None:
    """Charges and fluids: their total, or another figure of them, in time or by group."""
    each = {"admission", "patient", "icu_stay"} & {*said.things} or "ever" in said.words
    if said.figures and said.figures != ["sum"] and each:
        return None  # the mean of what each stay cost is no mean of charges
    if not by:
        return Group(bucket="day", figure="sum") if of_one and not said.figures else None
    return by.group(said.figures[0] if said.figures else "sum", share="share" in said.words)
