"""Holds what a walk found against its evidence: edges against the graph, values against rows, sums done again."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Protocol

from agent.answer import Cell, Evidence, GraphEvidence, NoteEvidence, PassageEvidence, RowEvidence
from agent.facts import facts, has_number
from agent.knowing.evidence import citation
from agent.knowing.point import Computation
from agent.knowing.saying import days_between
from agent.knowing.values import CREATININE, HEART_RATE, QT, WEIGHT, age_at, rounded
from knowledge.errors import UnitError
from knowledge.facts.derived import creatinine_clearance, egfr_ckd_epi_2021, qtc_fridericia
from knowledge.facts.units import convert
from knowledge.graph import Edge, KnowledgeGraph
from knowledge.graph.relations import relations
from knowledge.store.store import TIME_FORMAT

_PLACE = re.compile(r"^\d+\. ")  # the place in a ranking
_ARROW = re.compile(r" (?:—(?P<to>[^—→←]+)→|←(?P<back>[^—→←]+)—) ")
_CONDITION = re.compile(r" \([^()]*\)$")
_FORMULAS = {
    "egfr": "CKD-EPI 2021",
    "clearance_as_egfr": "CKD-EPI 2021",
}  # names with digits in them, as sentences say them


def edges_hold(piece: GraphEvidence, graph: KnowledgeGraph) -> bool:
    """Whether every relation of a piece is in the graph as it is told, and the work named is the one that says it."""
    said, works = set(piece.details), set[str]()
    for subject, relation, there in piece.edges:
        ids = [node.id for node in graph.named(subject)]
        found = [e for e in graph.edges(ids, (relation,)) if _leads_to(graph, e, there)]
        cited = [edge for edge in found if citation(edge) in piece.source]
        if not cited:
            return False
        said -= {detail for edge in cited for detail in (edge.detail_en, edge.detail_zh)}
        works |= {citation(edge) for edge in cited}
    rest = piece.source
    for work in sorted(works, key=len, reverse=True):
        rest = rest.replace(work, "")
    return not said and not rest.strip("; ")  # no work is named that does not say it


def _leads_to(graph: KnowledgeGraph, edge: Edge, there: str) -> bool:
    node = graph.node(edge.object)
    names = {node.en, node.zh or node.en}
    if edge.condition is None:
        return there in names
    return there == edge.condition or there in {f"{name} ({edge.condition})" for name in names}


class Walked(Protocol):
    """A sentence of a walk: its text, the numbers in it that were computed, the names of concepts in it."""

    @property
    def text(self) -> str: ...  # noqa: D102

    @property
    def computed(self) -> Sequence[Computation]: ...  # noqa: D102

    @property
    def names(self) -> Sequence[str]: ...  # noqa: D102


def walk_holds(sentence: Walked, cited: Sequence[Evidence], now: str, graph: KnowledgeGraph | None) -> bool:
    """Whether all that can be checked in a sentence of a walk stands in the evidence it cites.

    Args:
        sentence: each of its computed numbers is computed again from the cited rows.
        cited: its evidence, which is known to exist as it is told.
        now: days are counted back from it.
        graph: knows the names of concepts; digits in these ("type 2 diabetes") are no figures.
    """
    computed = sentence.computed
    if not _paths_hold(sentence.text, cited) or not all(_recomputes(one, cited, now) for one in computed):
        return False
    rest = _PLACE.sub("", sentence.text)
    names = {name for name in sentence.names if _has_digit(name) and name in rest}
    known_names = {name for name in names if graph is not None and graph.named(name)}
    for known in sorted({*_texts(computed, cited), *known_names}, key=len, reverse=True):
        rest = rest.replace(known, " ")
    found = facts(rest)
    cells = [cell for piece in cited for cell in _cells(piece)]
    times = [cell for cell in cells if isinstance(cell, str)]
    if not all(any(time.startswith(date) for time in times) for date in found.dates):
        return False
    quotes = [" ".join(p.quote.split()) for p in cited if isinstance(p, NoteEvidence | PassageEvidence)]
    if not all(any(quotation in quote for quote in quotes) for quotation in found.quotations):
        return False
    figures = {one.result for one in computed} | set(_numbers(cells)) | set(_keys(cited))
    return all(has_number(number, figures) for number in found.numbers)


def _paths_hold(text: str, cited: Sequence[Evidence]) -> bool:
    """Whether every step of a path in a sentence is a relation of a cited piece, between those two, that way round."""
    for piece in cited:
        if isinstance(piece, NoteEvidence | PassageEvidence):
            text = text.replace(" ".join(piece.quote.split()), " ")
    edges = [edge for piece in cited if isinstance(piece, GraphEvidence) for edge in piece.edges]
    measured = tuple(there for _, _, there in edges)
    return all(
        any(_is_step(text[: arrow.start()], arrow, text[arrow.end() :], edge, measured) for edge in edges)
        for arrow in _ARROW.finditer(text)
    )


def _is_step(
    before: str, arrow: re.Match[str], after: str, edge: tuple[str, str, str], measured: tuple[str, ...]
) -> bool:
    subject, relation, there = edge
    known = relations().get(relation)
    if (arrow["to"] or arrow["back"]) not in (relation, known.zh if known else relation):
        return False
    bare = _CONDITION.sub("", before)
    if arrow["to"] is not None:  # a step before may have led to a condition instead of the name
        return after.startswith(there) and (bare.endswith(subject) or before.endswith(measured))
    return after.startswith(subject) and (
        bare.endswith(_CONDITION.sub("", there)) or f"{subject} ({there})" in after
    )


def _recomputes(one: Computation, cited: Sequence[Evidence], now: str) -> bool:
    rows = [piece for piece in cited if isinstance(piece, RowEvidence)]
    match one.name:
        case "days_ago":
            times = (c for piece in cited for c in _cells(piece) if isinstance(c, str) and _is_time(c))
            return any(days_between(time, now) == one.result for time in times)
        case "count":
            return one.result in _counts(cited)
        case "age":
            return any(_age(row, now) == one.result for row in rows)
        case "converted":
            return any(
                rounded(number) == one.result for row in rows for number in _in_unit(row, one.unit, one.of)
            )
        case "egfr" | "clearance_as_egfr" | "creatinine_clearance":
            return any(rounded(value) == one.result for value in _kidney(one, rows))
        case "qtc":
            return any(
                rounded(qtc_fridericia(qt, rate).value) == one.result
                for qt in _each(rows, "ms", QT)
                for rate in _each(rows, "bpm", HEART_RATE)
                if qt > 0 < rate
            )


def _kidney(one: Computation, rows: Sequence[RowEvidence]) -> Iterator[float]:
    people = [row for row in rows if row.table == "patients"]
    for person in people:
        sex = {"f": "female", "m": "male"}.get(str(person.values.get("gender", "")).lower()[:1])
        for row in rows:
            age = _age(person, str(row.values.get("charttime") or ""))
            if sex is None or age is None:
                continue
            for creatinine in _in_unit(row, "mg/dL", CREATININE):
                with suppress(ValueError):
                    if one.name != "creatinine_clearance":
                        yield egfr_ckd_epi_2021(creatinine, age, sex).value  # type: ignore[arg-type]
                    else:
                        for weight in _each(rows, "kg", WEIGHT):
                            yield creatinine_clearance(creatinine, age, weight, sex).value  # type: ignore[arg-type]


def _each(rows: Iterable[RowEvidence], unit: str, concept: str) -> Iterator[float]:
    for row in rows:
        yield from _in_unit(row, unit, concept)


def _in_unit(row: RowEvidence, unit: str, concept: str) -> Iterator[float]:
    value = row.values.get("value" if row.table == "outputevents" else "valuenum")
    if isinstance(value, int | float):
        with suppress(UnitError):
            yield convert(value, str(row.values.get("valueuom") or ""), unit, concept)


def _age(row: RowEvidence, at: str) -> float | None:
    with suppress(ValueError):
        born = datetime.fromisoformat(str(row.values.get("dob"))[:10])
        return float(age_at(born, datetime.strptime(at, TIME_FORMAT)))
    return None


def _counts(cited: Sequence[Evidence]) -> set[float]:
    """What there are so many of as a sentence may say: rows, patients, notes, pieces of each kind."""
    rows = {(p.table, i) for p in cited if isinstance(p, RowEvidence) for i in p.row_ids}
    kinds = [piece.kind for piece in cited]
    said = len(rows) + kinds.count("note")  # one row or note for each thing that is counted
    return {float(said), *(float(kinds.count(kind)) for kind in kinds), float(len(rows))}


def _texts(computed: Sequence[Computation], cited: Sequence[Evidence]) -> Iterator[str]:
    """What stands in a sentence as a whole and may hold digits that are no figures: names, units, conditions."""
    for piece in cited:
        if isinstance(piece, GraphEvidence):
            yield from (text for edge in piece.edges for text in edge)
            yield from piece.details
            yield piece.source
        elif isinstance(piece, RowEvidence):
            yield from (v for v in piece.values.values() if isinstance(v, str) and _is_named(v))
        elif isinstance(piece, NoteEvidence | PassageEvidence):
            yield f"“{' '.join(piece.quote.split())}”"
            if isinstance(piece, PassageEvidence) and piece.title:
                yield piece.title
    yield from (one.unit for one in computed if one.unit)
    yield from (_FORMULAS[one.name] for one in computed if one.name in _FORMULAS)


def _cells(piece: Evidence) -> list[Cell]:
    if isinstance(piece, RowEvidence):
        return list(piece.values.values())
    return [piece.charttime] if isinstance(piece, NoteEvidence) else []


def _keys(cited: Iterable[Evidence]) -> Iterator[float]:
    """The numbers by which rows, notes and patients are named."""
    for piece in cited:
        if isinstance(piece, RowEvidence):
            yield from map(float, piece.row_ids)
        elif isinstance(piece, NoteEvidence):
            yield float(piece.note_id)
            if piece.subject_id is not None:
                yield float(piece.subject_id)


def _numbers(cells: Iterable[Cell]) -> Iterator[float]:
    for cell in cells:
        with suppress(TypeError, ValueError):
            yield float(cell)  # type: ignore[arg-type]  # None and other text are what is suppressed


def _is_named(cell: str) -> bool:
    """Whether a cell is a text with digits in it ("5% dextrose", "10^9/L", "49-51"), and no bare number or time."""
    return _has_digit(cell) and not _is_time(cell) and not list(_numbers((cell,)))


def _has_digit(text: str) -> bool:
    return any(char.isdigit() for char in text)


def _is_time(cell: str) -> bool:
    return len(cell) >= 10 and cell[:4].isdigit() and cell[4] == "-" and cell[7] == "-"
