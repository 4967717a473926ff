"""Which facts about a drug hold for the route by which it is given.

Eye drops do not need the dose for a failing kidney, and a rule for injections does not bar a tablet. The wordings
of routes (``routes.tsv``), what each spares (``route_rules.tsv``) and which facts speak of one route only
(``fact_routes.tsv``) are data. An allergy counts by whatever route; so does everything where the route is unknown.
"""

import csv
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Literal

from knowledge.graph import Edge

Spared = Literal["dose", "class", "own", "interaction"]
"""Doses; what bars a class of drugs; what bars the drug itself; interactions."""
_ANY = "*"
_EVERY_RULE: frozenset[str] = frozenset({"dose", "class", "own"})


def route_class(route: str | None) -> str | None:
    """The kind of a route (``ocular``, ``oral``, …) as a record writes it; ``None`` where that is not known."""
    text = (route or "").strip()
    return next((name for name, words in _routes() if words.fullmatch(text)), None) if text else None


def spared(route: str | None, lineage: Sequence[str]) -> frozenset[str]:
    """What does not hold for a drug by a route; what is said of the nearest of its kinds counts.

    Args:
        route: as the record writes it.
        lineage: the drug and its classes, nearest first.
    """
    rules = _rules().get(route_class(route) or "", {})
    return next((rules[one] for one in (*lineage, _ANY) if one in rules), frozenset())


def holds(edge: Edge, route: str | None, lineage: Sequence[str]) -> bool:
    """Whether a rule about a drug or one of its classes holds for what is given by a route."""
    kind = "class" if edge.subject != lineage[0] else "own"
    kind = "dose" if edge.relation == "dose_adjust_when" else kind
    if kind in spared(route, lineage):
        return False
    given, meant = route_class(route), _meant(edge.detail_en)
    return given is None or meant is None or given == meant


def local(route: str | None, lineage: Sequence[str]) -> bool:
    """Whether no rule but an allergy holds for what is given by a route."""
    return spared(route, lineage) >= _EVERY_RULE


def _meant(detail: str) -> str | None:
    """The only kind of route that a fact speaks of, by its words."""
    return next((route for words, route in _limits() if words.search(detail)), None)


def _table(name: str) -> Sequence[Mapping[str, str]]:
    lines = files("agent.knowing").joinpath(name).read_text(encoding="utf-8").splitlines()
    return tuple(csv.DictReader(lines, delimiter="\t"))


@cache
def _routes() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((row["route"], re.compile(row["words"], re.IGNORECASE)) for row in _table("routes.tsv"))


@cache
def _rules() -> Mapping[str, Mapping[str, frozenset[str]]]:
    found: dict[str, dict[str, frozenset[str]]] = {}
    for row in _table("route_rules.tsv"):
        found.setdefault(row["route"], {})[row["drug"]] = frozenset(filter(None, row["spares"].split("|")))
    return found


@cache
def _limits() -> tuple[tuple[re.Pattern[str], str], ...]:
    rows = _table("fact_routes.tsv")
    return tuple((re.compile(row["words"], re.IGNORECASE), row["route"]) for row in rows)
