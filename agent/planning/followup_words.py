"""What a question that leans on the one before changes of it, read with the words of ``followup_lexicon.py``.

Only words are read here; what they do to a query is for ``followup_edit.py``. A question is read in full or not
at all: a word that is not known may be one that matters.
"""

import re
from dataclasses import dataclass, field, replace
from typing import Literal, cast

from agent.planning.followup_lexicon import cover, mended, says, unknown, word
from agent.planning.intent import kind_of
from agent.planning.link import Link, Linked
from agent.planning.numbers import lengths
from agent.planning.numerals import number
from agent.planning.times import half_width
from agent.planning.units_of_time import UNITS
from agent.query.model import Bucket, Domain, Operator, Unit

PickWord = Literal["max", "min", "first", "last", "before", "longest", "shortest"]
Number = tuple[float, str | None]
"""A number and its unit."""

_HAN = re.compile("[两二三四五六七八九十]+")
_ASKED_UNIT = re.compile(
    r"\bhow many (minutes|hours|days|weeks|months|years)\b|[几多少]个?(分钟|小时|天|周|月|年)"
)
_COUNTED = frozenset({"count", "people", "names"})
_RATE_BEFORE = re.compile(r"(?:\b(?:every|each) |\bq|每|[每一][天日])$", re.ASCII)
_RATE_AFTER = re.compile(r" ?(?:times|x) ?(?:a|per|each|every|daily|/)", re.ASCII)
_WORD = re.compile(r"[^\W_a-z]{2}|[^\W_]{3}")
_FRAGMENT = 8  # Chinese characters; half as many English words
_SEARCHED = (
    "opening",
    "anaphor",
    "among",
    "without",
    "yes_no",
    "icu_seen",
)  # wherever they stand, also within other words


@dataclass(frozen=True, slots=True)
class Edit:
    """What a follow-up says, each part by its name in ``followup_words.yaml``.

    Attributes:
        pick: which of the events.
        form: what is asked of them.
        unit: of a length of time that is asked for.
        field: the field that is asked for.
        bucket, group: one figure for each.
        filters: restrictions.
        frequencies: how often a drug is given.
        drops: restrictions that are lifted.
        compares: comparisons with numbers; two numbers for ``between``.
        limit: ``first`` or ``last``, and how many.
        number: a number that stands for itself ("make it 48").
        before: the span of time or the stay before, or after, the one of the last question.
        nouns: domains, one of which the events must be of.
        leans: words of ``words`` that are there.
        pronoun: whether the one patient is meant.
    """

    pick: PickWord | None = None
    form: str | None = None
    field: str | None = None
    unit: Unit | None = None
    bucket: Bucket | None = None
    group: str | None = None
    filters: tuple[str, ...] = ()
    frequencies: tuple[str, ...] = ()
    drops: tuple[str, ...] = ()
    compares: tuple[tuple[Operator, tuple[Number, ...]], ...] = ()
    limit: tuple[str, Number] | None = None
    number: Number | None = None
    before: str | None = None
    nouns: frozenset[Domain] = frozenset()
    leans: frozenset[str] = frozenset()
    pronoun: bool = False

    @property
    def asks(self) -> bool:
        """Whether it says what is asked."""
        return any((self.pick, self.form, self.field, self.bucket, self.group))

    @property
    def narrows(self) -> bool:
        """Whether it says of which of the events it asks."""
        return any((self.filters, self.frequencies, self.drops, self.compares, self.limit))

    @property
    def is_empty(self) -> bool:
        """Whether it changes nothing."""
        moves = self.number is not None or self.before is not None or self.leans & {"anytime", "icu"}
        return not (self.asks or self.narrows or moves)


@dataclass(slots=True)
class _Found:
    """The parts of an edit while they are collected."""

    names: dict[str, list[str]] = field(default_factory=dict)
    compares: list[tuple[Operator, tuple[Number, ...]]] = field(default_factory=list)
    limit: tuple[str, Number] | None = None
    nouns: set[Domain] = field(default_factory=set)
    leans: set[str] = field(default_factory=set)

    def one(self, section: str) -> str | None:
        """The first of a section."""
        return next(iter(self.all(section)), None)

    def all(self, section: str) -> tuple[str, ...]:
        """All of a section, each once."""
        return tuple(dict.fromkeys(self.names.get(section, ())))


def read_edit(question: str, linked: Linked, *, many: bool = False) -> Edit | None:
    """What a question changes of the one before.

    Args:
        question: as cleaned.
        linked: what it names.
        many: the one before was about many patients, whose restrictions a mere phrase takes over ("mean lactate?").

    Returns:
        ``None`` where it holds words that are not known here, or stands alone.
    """
    text, numbers = _masked(question, linked)
    text = mended(text)
    found = _Found()
    rest = text
    for section, name, start, end in cover(text):
        rest = rest[:start] + " " * (end - start) + rest[end:]
        _note(found, section, name, text[start:end], text.count("<n>", 0, start), numbers)
    if {"lab", "vital"} & found.nouns:
        found.nouns |= {"lab", "vital"}
    left = [place for place in range(len(numbers)) if rest.startswith("<n>", _place(text, place))]
    if unknown(re.sub(r"<[vctpn]>", " ", rest)) or len(left) > 1:
        return None
    edit = Edit(
        pick=cast(PickWord | None, found.one("picks")),
        form=_form(found.all("forms")),
        field=found.one("fields"),
        unit=_unit(text),
        bucket=cast(Bucket | None, found.one("buckets")),
        group=found.one("groups"),
        filters=found.all("filters"),
        frequencies=found.all("frequencies"),
        drops=found.all("drops"),
        compares=tuple(found.compares),
        limit=found.limit,
        number=numbers[left[0]] if left else None,
        before=found.one("before"),
        nouns=frozenset(found.nouns),
        leans=frozenset(found.leans | {name for name in _SEARCHED if says(name, text)}),
        pronoun=any(
            patient.how == "scope" and word("pronoun").match(half_width(patient.text))
            for patient in linked.patients
        ),
    )
    return None if _stands_alone(edit, text, many) else edit


def without_contrast(question: str, linked: Linked) -> tuple[str, Linked]:
    """A question and its links without what it says it does not mean: "IV instead of oral", 不是女性，是男性."""
    spans = [match.span() for match in word("contrast").finditer(half_width(question))]
    if not spans:
        return question, linked

    def apart(start: int, end: int) -> bool:
        return all(end <= first or start >= last for first, last in spans)

    for first, last in spans:
        question = question[:first] + " " * (last - first) + question[last:]
    kept = replace(
        linked,
        values=tuple(link for link in linked.values if apart(link.start, link.end)),
        times=tuple(time for time in linked.times if apart(time.start, time.end)),
        patients=tuple(patient for patient in linked.patients if apart(patient.start, patient.end)),
        numbers=tuple(number for number in linked.numbers if apart(number[0], number[1])),
    )
    return question, kept


def names_a_subject(question: str, linked: Linked) -> bool:
    """Whether a question says what it is about, so that it can be read by itself."""
    text = half_width(question)
    nouns = any(section == "nouns" or name == "icu" for section, name, _, _ in cover(text))
    return nouns or says("people", text) or bool(linked.values)


def is_bound(question: str) -> bool:
    """Whether a question restricts what was said before in so many words ("of them", 其中)."""
    return says("bound", half_width(question))


def is_fragment(question: str) -> bool:
    """Whether a question is a few words that go on from the one before ("and on weekends?", 只看夜班的).

    So is one of which no word is left but those that carry nothing ("高吗").
    """
    text = half_width(question)
    size = (
        len(re.findall(r"[^\W_a-z]|[a-z0-9']+", text))
        if re.search("[一-鿿]", text)
        else 2 * len(text.split())
    )
    if size > _FRAGMENT:
        return False
    rest = text
    asks = False
    for section, _, start, end in cover(text):
        rest = rest[:start] + " " * (end - start) + rest[end:]
        asks = asks or section in ("forms", "fields", "nouns", "groups")
    empty = not asks and not _WORD.search(word("filler").sub(" ", rest))
    return empty or says("opening", text) or says("points", text)


def is_group(link: Link) -> bool:
    """Whether a link names a group ("women", "IV") and not a value that questions are about."""
    return not any(kind_of(candidate) for candidate in link.candidates)


def _stands_alone(edit: Edit, text: str, many: bool) -> bool:
    if edit.leans & {"opening", "among", "without", "except"}:
        return False
    if "<v>" in text:
        return says("own", text) or (edit.asks and not many)
    return (
        edit.asks
        and bool(edit.nouns or "icu" in edit.leans)
        and "anaphor" not in edit.leans
        and edit.form != "top"
    )


def _unit(text: str) -> Unit | None:
    """The unit that "how many hours" names."""
    match = _ASKED_UNIT.search(text)
    return None if match is None else cast(Unit, UNITS[match[1] or match[2]])


def _form(forms: tuple[str, ...]) -> str | None:
    """What is asked, where a total is no sum beside the word that says of what: 总计几个人."""
    said = [form for form in forms if form != "sum" or not _COUNTED.intersection(forms)]
    return next(iter(said), None)


def _note(found: _Found, section: str, name: str, words: str, before: int, numbers: list[Number]) -> None:
    """Take a match up; ``before`` numbers stand in front of it."""
    if section == "compares":
        own = numbers[before : before + words.count("<n>")]
        if word("age").search(words):
            own = [(value, unit or "years") for value, unit in own]
        found.compares.append((cast(Operator, name), tuple(own)))
    elif section == "limits":
        said = _HAN.search(words)
        found.limit = (name, (number(said[0]) or 1, None) if said else numbers[before])
    elif section == "nouns":
        found.nouns.add(cast(Domain, name))
    elif section == "words":
        found.leans.add(name)
    else:
        found.names.setdefault(section, []).append(name)


def _masked(question: str, linked: Linked) -> tuple[str, list[Number]]:
    """The question with placeholders for what was linked, and its numbers in order."""
    spans = [(link.start, link.end, "<c>" if is_group(link) else "<v>") for link in linked.values]
    spans += [(time.start, time.end, "<t>") for time in linked.times]
    spans += [
        (patient.start, patient.end, "<p>")
        for patient in dict.fromkeys(linked.patients)
        if patient.how != "scope"
    ]
    text = half_width(question)
    numbers = {
        (start, end): (value, unit)
        for start, end, value, unit in linked.numbers
        if _apart(start, end, spans) and not _is_rate(text, start, end)
    }
    for start, end, value, unit in lengths(text):
        if _apart(start, end, spans) and not _is_rate(text, start, end):
            numbers = {place: own for place, own in numbers.items() if _apart(*place, [(start, end, "")])}
            numbers[start, end] = (value, unit)
    spans += [(start, end, "<n>") for start, end in numbers]
    for start, end, name in sorted(set(spans), reverse=True):
        text = text[:start] + name + text[end:]
    return text, [numbers[place] for place in sorted(numbers)]


def _apart(start: int, end: int, spans: list[tuple[int, int, str]]) -> bool:
    return all(end <= first or start >= last for first, last, _ in spans)


def _is_rate(text: str, start: int, end: int) -> bool:
    """Whether a number says how often in a span of time ("every 6 hours", 每日2次), which has words of its own."""
    return bool(_RATE_BEFORE.search(text[:start]) or _RATE_AFTER.match(text[end:]))


def _place(text: str, nth: int) -> int:
    """Where the number ``nth``, from 0, stands."""
    place = -1
    for _ in range(nth + 1):
        place = text.index("<n>", place + 1)
    return place
