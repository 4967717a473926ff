"""Time expressions of a question, resolved against "now" to a window or an encounter.

Conventions, said as assumptions where they are not plain from the words:

* calendar words are calendar spans: "this month", "last year", "去年";
* "in the last month", "during the last year" are the calendar month and year before this one;
* "the past week", "over the last month", "the last 3 days", "最近三天" count back from now;
* "since 1 year ago" starts at that instant exactly;
* windows are half-open; one that ends "now" includes now.
"""

import re
import unicodedata
from datetime import datetime

from agent.answer import Language
from agent.planning.calendar import Point, points
from agent.planning.encounters import encounters
from agent.planning.link import TimeLink
from agent.query.model import Window
from knowledge.store.store import TIME_FORMAT

_JOIN = re.compile(r"\s*(?P<word>and|to|until|till|through|thru|-|–|—|~|至|到|和|与)\s*(?:the\s+)?")
_PAIR_BEFORE = re.compile(r"(?:\b(?:between|from)\s+|介于|自从|从|自|在)$")
_BEFORE = re.compile(
    r"(?:\b(?P<since>since|starting(?: from)?|as of|from)\s+(?:the\s+(?:start|beginning)\s+of\s+)?|"
    r"\b(?P<after>after|following|later than)\s+|"
    r"\b(?P<before>before|prior to|earlier than)\s+|\b(?P<until>until|till|up to|up until|by)\s+|"
    r"\b(?P<plain>in|on|during|for|at|of|over|throughout|within)\s+|"
    r"(?P<han_since>自从|自|从)|(?P<han_until>截至|截止到?|直到|到))(?:the\s+)?$"
)
_AFTER = re.compile(
    r"\s*(?:(?P<before>之前|以前|前)|(?P<after>之后|以后|后)|(?P<since>年?初?(?:以来|至今|起|开始|到现在)|"
    r"on(?:wards?)?\b(?!\s+\w)|to now\b)|"
    r"(?P<plain>期间|之间|以内|之内|内|当天|当日|当月|那天|这一天|这天|里))"
)


def half_width(question: str) -> str:
    """``question`` in lower case with full-width forms narrowed, of the same length, so that offsets hold."""

    def narrow(character: str) -> str:
        plain = unicodedata.normalize("NFKC", character).lower()
        return plain if len(plain) == 1 else character

    return "".join(map(narrow, question))


def resolve_times(question: str, language: Language, now: str) -> tuple[TimeLink, ...]:
    """The time expressions of ``question``, in order, resolved to windows or encounters.

    Args:
        question: as it was cleaned; offsets of the result are into it.
        language: of the assumptions.
        now: ``YYYY-MM-DD HH:MM:SS``.
    """
    text = half_width(question)
    moment = datetime.strptime(now, TIME_FORMAT)
    stays = encounters(text)
    links: list[TimeLink] = [
        TimeLink(
            words.start,
            words.end,
            question[words.start : words.end],
            encounter=words.encounter,
            assumption=_in(language, words.assumption),
        )
        for words in stays
    ]
    free = [
        point
        for point in points(text, moment)
        if all(point.end <= words.start or point.start >= words.end for words in stays)
    ]
    position = 0
    while position < len(free):
        point = free[position]
        following = free[position + 1] if position + 1 < len(free) else None
        pair = _pair(text, question, point, following, language) if following else None
        links.append(pair or _single(text, question, point, moment, language))
        position += 2 if pair else 1
    return tuple(sorted(links, key=lambda link: link.start))


def _pair(text: str, question: str, first: Point, second: Point, language: Language) -> TimeLink | None:
    """Two points that belong together: "between X and Y", "X至Y"; ``None`` where they do not."""
    join = _JOIN.fullmatch(text[first.end : second.start])
    if join is None:
        return None
    before = _PAIR_BEFORE.search(text[: first.start])
    if before is None and join["word"] in {"and", "和", "与", "-"}:
        return None
    start = before.start() if before else first.start
    closing = re.match(r"\s*(?:之间|期间)", text[second.end :])
    end = second.end + (closing.end() if closing else 0)
    said = " ".join(filter(None, (_in(language, first.assumption), _in(language, second.assumption)))) or None
    lower, upper = first.exact or first.first, second.last
    return TimeLink(start, end, question[start:end], _window(lower, upper, question[start:end]), None, said)


def _single(text: str, question: str, point: Point, now: datetime, language: Language) -> TimeLink:
    before, after = _BEFORE.search(text[: point.start]), _AFTER.match(text[point.end :])
    start = before.start() if before else point.start
    end = point.end + (after.end() if after else 0)
    words = (
        {name for match in (before, after) if match for name, part in match.groupdict().items() if part}
        if before or after
        else set()
    )
    lower: datetime | None = point.first
    upper: datetime | None = point.last
    counts_back = point.exact is not None and point.last > now
    if words & {"before"} and not counts_back:
        lower, upper = None, point.first
    elif words & {"after"} and not counts_back:
        lower, upper = point.last, None
    elif words & {"since", "han_since"} and not (
        words == {"since"} and before and before["since"] == "from" and not (after and after["since"])
    ):
        lower, upper = point.exact or point.first, None
    elif words & {"until", "han_until"}:
        lower, upper = None, point.last
    said = question[start:end]
    return TimeLink(start, end, said, _window(lower, upper, said), None, _in(language, point.assumption))


def _window(lower: datetime | None, upper: datetime | None, said: str) -> Window:
    return Window(
        start=lower.strftime(TIME_FORMAT) if lower else None,
        end=upper.strftime(TIME_FORMAT) if upper else None,
        said=said.strip(),
    )


def _in(language: Language, assumption: tuple[str, str] | None) -> str | None:
    return assumption[language == "zh"] if assumption else None
