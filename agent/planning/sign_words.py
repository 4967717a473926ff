"""Clinical signs that are asked of a measurement: a fever is a temperature above a limit, whoever coded what.

Which words are signs of which vital sign is in ``sign_words.tsv``, the limits are in ``thresholds.tsv`` of the query.
For a planner, "a high temperature" stands in their place; a plan that asks for anything else is not followed.
"""

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any, Literal, cast

import yaml

from agent.answer import Language
from agent.planning.link import Candidate, Link, Linked, Sign
from agent.planning.phrases import phrase
from agent.planning.times import half_width
from agent.query.base import display_unit
from agent.query.model import ClinicalQuery, Condition, Exists, Pick, Rows
from agent.query.reference import limits, names

Side = Literal["high", "low"]
_PART = re.compile(r"; (?=(?:low|high|normal|critical)[^;:]*:)")


def find_signs(
    question: str,
    language: Language,
    values: Sequence[Link],
    held: Callable[[str], Sequence[Candidate]],
) -> tuple[Sign, ...]:
    """The signs that a question asks of measurements, in order.

    Args:
        question: as cleaned.
        language: of the question.
        values: what else it names; a sign within a longer name ("rheumatic fever") is none.
        held: the values of the store that have a name.
    """
    words, text = _words()[language], half_width(question).lower()
    if words.not_of.search(text):
        return ()
    found: list[Sign] = []
    for match, kind in words.matches(text):
        start, end = match.span()
        longer = any(v.start <= start and end <= v.end and v.end - v.start > end - start for v in values)
        candidates = tuple(
            candidate
            for name in names()[kind.analyte]
            for candidate in held(name)
            if (candidate.domain, candidate.field) == ("vital", "name")
            and candidate.count
            and candidate.value.lower() in names()[kind.analyte]
        )
        if candidates and not longer:
            link = Link(start, end, question[start:end], candidates, read_as=kind.reads)
            yes_no, present = (p.search(text) is not None for p in (words.asked, words.present))
            found.append(Sign(link, kind.analyte, kind.side, yes_no, present))
    return tuple(found)


def with_sign(linked: Linked, sign: Sign) -> Linked:
    """The links with the sign's vital sign in the place of what its words were linked to."""
    link = sign.link
    others = [v for v in linked.values if v.end <= link.start or v.start >= link.end]
    return replace(linked, values=tuple(sorted((*others, link), key=lambda v: v.start)))


def asked_of_sign(query: ClinicalQuery, sign: Sign, *, timed: bool) -> ClinicalQuery | None:
    """The query as the sign wants it; ``None`` where it does not ask for that side of that vital sign.

    Args:
        query: what a planner made of the question.
        sign: the sign.
        timed: whether the question names a time.
    """
    of, condition = query.of, Condition(field="value", value=sign.side)
    held = {candidate.value for candidate in sign.link.candidates}
    if of.domain != "vital" or condition not in of.where:
        return None
    if not any(set(concept.values) <= held for concept in of.concepts):
        return None
    concepts = tuple(
        concept.model_copy(update={"values": tuple(dict.fromkeys(c.value for c in sign.link.candidates))})
        if set(concept.values) <= held
        else concept
        for concept in of.concepts
    )
    of = of.model_copy(update={"concepts": concepts})
    plain = isinstance(query.ask, Exists | Rows) and of.pick is None and not of.related
    if plain and sign.yes_no and sign.present and not timed:
        rest = tuple(one for one in of.where if one != condition)
        unnamed = tuple(concept.model_copy(update={"said": ""}) for concept in concepts)  # it may be no fever
        latest = {"where": rest, "concepts": unnamed, "pick": Pick(which="last")}
        return query.model_copy(
            update={"ask": Rows(fields=("value",), distinct=False), "of": of.model_copy(update=latest)}
        )
    asked = Exists(among=True) if plain and sign.yes_no else query.ask
    return query.model_copy(update={"ask": asked, "of": of})


def limit_said(sign: Sign, language: Language) -> str:
    """What the sign is taken for, with its limit and who says so."""
    found = [limit for limit in limits(sign.analyte) if getattr(limit, sign.side) is not None]
    shown = [f"{getattr(limit, sign.side):g} {_unit(limit.units)}".strip() for limit in found]
    values = ", ".join(dict.fromkeys(candidate.value for candidate in sign.link.candidates))
    return phrase(
        language,
        f"sign_{sign.side}",
        said=sign.link.text,
        values=values,
        limit=" / ".join(shown),
        source=_source(found[0].source, sign.side),
    )


def _source(source: str, side: str) -> str:
    """The part of a threshold's source that is about one side of the normal range."""
    parts = [
        re.fullmatch(r"(?:((?:low|high|normal|critical)[^:]*): )?(.*)", part) for part in _PART.split(source)
    ]
    of_side = [part[2] for part in parts if part and (not part[1] or side in part[1] or part[1] == "normal")]
    return "; ".join(of_side)


def _unit(units: Sequence[str]) -> str:
    return "" if units[0] == "*" else display_unit(units[0]).replace("°c", "°C").replace("°f", "°F")


@dataclass(frozen=True, slots=True)
class _Kind:
    analyte: str
    side: Side
    reads: str


@dataclass(frozen=True, slots=True)
class _Words:
    kinds: tuple[tuple[re.Pattern[str], _Kind], ...]
    not_of: re.Pattern[str]
    asked: re.Pattern[str]
    present: re.Pattern[str]

    def matches(self, text: str) -> Iterator[tuple[re.Match[str], _Kind]]:
        found = [(match, kind) for pattern, kind in self.kinds for match in pattern.finditer(text)]
        yield from sorted(found, key=lambda one: one[0].start())


@cache
def _words() -> Mapping[str, _Words]:
    folder = files("agent.planning")
    content: dict[str, Any] = yaml.safe_load(folder.joinpath("sign_words.yaml").read_text(encoding="utf-8"))
    with folder.joinpath("sign_words.tsv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    return {
        language: _Words(
            tuple(
                (_pattern(row["words"], language), _kind(row, raw["reads"]))
                for row in rows
                if row["language"] == language
            ),
            *(re.compile(raw[key]) for key in ("not_of", "asked", "present")),
        )
        for language, raw in content.items()
    }


def _pattern(words: str, language: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{words})\b" if language == "en" else words, re.ASCII)


def _kind(row: Mapping[str, str], reads: Mapping[str, Mapping[str, str]]) -> _Kind:
    side = cast(Side, row["side"])
    return _Kind(row["analyte"], side, reads[row["form"]][side])
