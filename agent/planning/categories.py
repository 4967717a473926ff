"""Finds the groups that a question names: routes, wards, kinds of admission, insurance, sex and the like.

A column such as a prescription's route has few values, and many of them are short or ordinary words: "po", "f",
"home", "medicine". They are read here and not by the value index, because what stands beside them decides
whether they are meant: "via the po route" names a route, "went home" names where a discharge leads.
"""

import csv
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml

from agent.planning.followup_lexicon import leans_only
from agent.planning.link import Candidate
from agent.planning.times import half_width
from agent.planning.vocabulary import is_common
from agent.query.model import Domain
from indexes.tokens import is_cjk, normalise, tokenise
from knowledge.store.store import RecordStore

_SHORT = 3  # letters: such values need a cue unless category_words.tsv knows them as unmistakable
_MOST_VALUES = 500  # a column with more is no set of groups
_WITH_SHORT_NAME = re.compile(r"(?P<name>.+?)\s*\((?P<short>[^()]+)\)")
_EXACT, _WORDS = 1.0, 0.95
_ASKED = re.compile(r"\b(?:what|which)\s*$")
_WORD = re.compile(r"[a-z]")


@dataclass(frozen=True, slots=True)
class _Field:
    """A column of groups and what stands beside one that is meant."""

    domain: Domain
    field: str
    table: str
    column: str
    before: re.Pattern[str]
    after: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class _Form:
    """A spelling of a group.

    Attributes:
        candidate: what it names.
        field: its column.
        cued: whether it counts only beside a cue.
        written: the only spelling that counts (``ED``), or ``None`` for any case.
    """

    candidate: Candidate
    field: _Field
    cued: bool
    written: str | None


@dataclass(frozen=True, slots=True)
class Mention:
    """Words ``question[start:end]`` that name groups."""

    start: int
    end: int
    candidates: tuple[Candidate, ...]


class Categories:
    """The groups of one store by everything that names them. Safe to share: it only reads."""

    def __init__(self, forms: Mapping[str, tuple[_Form, ...]]) -> None:
        self._forms = forms
        self._longest = max((len(form.split()) for form in forms), default=0)

    @classmethod
    def of(cls, store: RecordStore) -> "Categories":
        """The groups that a store holds."""
        forms: dict[str, list[_Form]] = defaultdict(list)
        words = _words()
        for field in _fields():
            held = _held(store, field)
            for value, count in held.items():
                exact = Candidate(field.domain, field.field, value, _EXACT, "exact", count)
                forms[normalise(value)].append(_Form(exact, field, _is_plain(value), None))
                parts = _WITH_SHORT_NAME.fullmatch(value)
                for part in parts.groups() if parts else ():
                    named = Candidate(field.domain, field.field, value, _WORDS, "abbreviation", count)
                    forms[normalise(part)].append(_Form(named, field, _is_plain(part), None))
            folded = {value.casefold(): (value, count) for value, count in held.items()}
            for text, values, cued in words.get((field.domain, field.field), ()):
                for value, count in (folded[name] for name in values if name in folded):
                    same = value.casefold() == text.casefold()
                    score, how = (_EXACT, "exact") if same else (_WORDS, "synonym")
                    named = Candidate(field.domain, field.field, value, score, how, count)
                    written = text[1:] if text.startswith("=") else None
                    forms[normalise(text)].append(_Form(named, field, cued, written))
        return cls({form: tuple(found) for form, found in forms.items() if form})

    def find(self, question: str) -> list[Mention]:
        """The groups that a question names, by place; longer names win over shorter ones."""
        text = half_width(question)
        tokens = list(tokenise(text))
        found: list[Mention] = []
        for size in range(self._longest, 0, -1):
            for first in range(len(tokens) - size + 1):
                forms = self._forms.get(" ".join(token.text for token in tokens[first : first + size]))
                if forms is None:
                    continue
                start, end = tokens[first].start, tokens[first + size - 1].end
                if any(start < other.end and other.start < end for other in found):
                    continue
                meant = tuple(f.candidate for f in forms if _is_meant(f, question, text, start, end))
                if meant:
                    found.append(Mention(start, end, meant))
        return sorted(found, key=lambda mention: mention.start)


def _is_meant(form: _Form, question: str, text: str, start: int, end: int) -> bool:
    if form.written is not None and question[start:end] != form.written:
        return False
    before, after = text[:start], text[end:]
    if _never_after().search(before):
        return False
    if not form.cued or form.field.before.search(before) or form.field.after.match(after):
        return True
    # The question is nothing but this group, "and emergency?", 那急诊的呢; "what medicine was she given?" is more.
    return not _ASKED.search(before) and not _WORD.search(after) and leans_only(before) and leans_only(after)


def _is_plain(value: str) -> bool:
    """Whether a value is too short or too ordinary to be meant wherever it stands."""
    letters = "".join(normalise(value).split())
    return (len(letters) <= _SHORT and not all(map(is_cjk, letters))) or is_common(value)


def _held(store: RecordStore, field: _Field) -> dict[str, int]:
    """The groups of a column with the number of rows in each; none where the store has no such column."""
    if field.column not in store.tables.get(field.table, ()):
        return {}
    with closing(store.connect()) as connection:
        rows = connection.execute(
            f'SELECT "{field.column}", count(*) FROM "{field.table}" WHERE "{field.column}" <> \'\' '
            "GROUP BY 1 LIMIT ?",
            (_MOST_VALUES,),
        ).fetchall()
    return {str(value): count for value, count in rows}


@cache
def _document() -> dict:
    return yaml.safe_load(files("agent.planning").joinpath("categories.yaml").read_text(encoding="utf-8"))


@cache
def _never_after() -> re.Pattern[str]:
    return re.compile(_document()["never_after"])


@cache
def _fields() -> tuple[_Field, ...]:
    articles = _document()["cue_articles"]
    return tuple(
        _Field(
            raw["domain"],
            raw["field"],
            raw["table"],
            raw["column"],
            re.compile(rf"(?:{raw['before']})[\s:=“\"'-]*(?:{articles}\s+)?$"),
            re.compile(rf"[\s”\"'-]*(?:{raw['after']})"),
        )
        for raw in _document()["fields"]
    )


@cache
def _words() -> Mapping[tuple[str, str], tuple[tuple[str, tuple[str, ...], bool], ...]]:
    """Domain and field to their words: the text, the values that it may stand for, whether it needs a cue."""
    found: dict[tuple[str, str], list[tuple[str, tuple[str, ...], bool]]] = defaultdict(list)
    for row in _rows():
        values = tuple(value.casefold() for value in row["values"].split("|"))
        found[row["domain"], row["field"]].append((row["words"], values, row["cue"] == "cue"))
    return {key: tuple(entries) for key, entries in found.items()}


def _rows() -> Iterator[dict[str, str]]:
    text = files("agent.planning").joinpath("category_words.tsv").read_text(encoding="utf-8")
    yield from csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
