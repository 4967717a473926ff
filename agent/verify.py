"""Holds every sentence of a draft against the evidence it cites, and makes the answer of what stands.

For each sentence: what it cites still exists in the store, word for word, and the user may see it; every
quotation is in a cited note; every date and number is in a cited row, or was asked for, or is computed
from the cited rows, which is done again here. Where the rows behind a figure are capped, or the computation
is not one of those below, the figure must be a cell of the result of the SQL that the answer shows.
"""

import re
from collections.abc import Iterable
from contextlib import closing, suppress
from dataclasses import replace
from statistics import fmean, median

from agent.answer import (
    Answer,
    Cell,
    Claim,
    Evidence,
    GraphEvidence,
    Model,
    NoteEvidence,
    PassageEvidence,
    Result,
    RowEvidence,
    Step,
)
from agent.facts import facts, has_number
from agent.knowing.check import edges_hold, walk_holds
from agent.knowing.mentioned import mentions_hold
from agent.knowing.named import says_no_other
from agent.phrases import say
from agent.query.execute import Outcome
from agent.query.model import Group, Readmission
from agent.query.provenance import PROVENANCE_CAP
from agent.query.reference import analyte_of, limits
from agent.query.restrictions import with_partners
from agent.query.sentence import Operation
from agent.query.speaker import SENTENCES_CAP
from agent.scope import Scope
from agent.state import Draft, Sentence, State
from knowledge.documents import Library
from knowledge.graph import KnowledgeGraph
from knowledge.mentions import MentionFinder
from knowledge.store import RecordStore

_STRENGTH = re.compile(r"[\d.]+(?:[-/][\d.]+)+")
_QUARTER = re.compile(r"\d{4}-Q[1-4]")
_BUCKET = "2100-12-31 23:00"
_TWO_VALUES = (["earlier", "later"], ["earlier", "furthest"])
_COMPUTED = {"min": min, "max": max, "mean": fmean, "median": median, "sum": sum}


def verify(
    draft: Draft,
    scope: Scope,
    store: RecordStore,
    graph: KnowledgeGraph | None = None,
    library: Library | None = None,
    finder: MentionFinder | None = None,
) -> Draft:
    """The draft with only the sentences that hold; a refusal if none does.

    Args:
        draft: as composed.
        scope: who asks about whom.
        store: where rows and notes are looked up again.
        graph: where relations are looked up again; without it none holds.
        library: where passages are looked up again; without it none holds.
        finder: reads the notes again that a walk rests on; without it no such sentence holds.
    """
    if draft.status != "answered":
        return draft
    evidence = {piece.id: piece for piece in draft.evidence}
    sound = {number: resolves(piece, scope, store, graph, library) for number, piece in evidence.items()}
    kept = tuple(
        sentence
        for sentence in draft.sentences
        if all(sound[number] for number in sentence.evidence)
        and (
            walk_holds(sentence, [evidence[n] for n in sentence.evidence], scope.now, graph)
            and (finder is None or says_no_other(sentence, [evidence[n] for n in sentence.evidence], finder))
            and mentions_hold(sentence, [evidence[n] for n in sentence.evidence], store, finder)
            if sentence.walked
            else holds(sentence, [evidence[n] for n in sentence.evidence], draft)
        )
    )
    if not kept:
        return replace(draft, status="refused", reason="low_confidence", sentences=(), evidence=())
    whole = len(kept) == len(
        draft.sentences
    )  # a table that a sentence of the walk did not bear out is not given
    return replace(draft, sentences=kept, result=draft.result if whole else None)


def resolves(
    piece: Evidence,
    scope: Scope,
    store: RecordStore,
    graph: KnowledgeGraph | None = None,
    library: Library | None = None,
) -> bool:
    """Whether a citation leads to what it says, and the user may see it."""
    if isinstance(piece, GraphEvidence):
        return graph is not None and edges_hold(piece, graph)
    if isinstance(piece, PassageEvidence):
        document = library.document(piece.doc_id) if library is not None else None
        return document is not None and document.text[piece.start : piece.end] == piece.quote
    if isinstance(piece, NoteEvidence):
        note = store.note(piece.note_id)
        return (
            note is not None
            and note.text[piece.start : piece.end] == piece.quote
            and scope.may_see(note.subject_id)
        )
    if isinstance(piece, RowEvidence):
        key = "note_id" if piece.table == "notes" else "row_id"
        marks = ", ".join("?" * len(piece.row_ids))
        with closing(store.connect()) as connection:
            owners = connection.execute(
                f"SELECT subject_id FROM {piece.table} WHERE {key} IN ({marks})", piece.row_ids
            ).fetchall()
        return len(owners) == len(set(piece.row_ids)) and all(scope.may_see(owner) for (owner,) in owners)
    return False


def holds(sentence: Sentence, cited: list[Evidence], draft: Draft) -> bool:
    """Whether all that can be checked in a sentence stands in the evidence it cites."""
    outcome = None if sentence.outcome is None else draft.outcomes[sentence.outcome]
    if not cited and (outcome is None or not outcome.empty):
        return False
    cells = [cell for piece in cited for cell in _cells(piece)]
    text = sentence.text
    quotes = [
        " ".join(piece.quote.split()) for piece in cited if isinstance(piece, NoteEvidence | PassageEvidence)
    ]
    for quote in quotes:
        text = text.replace(f"“{quote}”", " ")  # as a whole first: a note may hold quotation marks itself
    quotes += _asked_words(outcome)
    found = facts(text)
    if not all(any(quotation in quote for quote in quotes) for quotation in found.quotations):
        return False
    names = {c for c in cells if isinstance(c, str) and not _is_time(c)} | _asked_names(outcome)
    for name in sorted(filter(_is_name, names), key=len, reverse=True):
        # Digits inside a name ("5% dextrose") are not figures; a sentence may begin with it in a capital.
        text = re.sub(re.escape(name), " ", text, flags=re.IGNORECASE)
    found = facts(text)
    times = [str(cell) for cell in cells if _is_time(cell)] + _buckets(outcome)
    if not all(any(time.startswith(date) for time in times) for date in found.dates):
        return False
    figures = _figures(cells)
    figures |= {f.result for f in sentence.figures if outcome is not None and _recomputes(f, outcome)}
    figures |= {f.result for f in sentence.figures if f.name == "searched" and f.result == draft.searched}
    figures |= {float(n) for piece in cited for n in _subject_ids(piece)} | _years(outcome)
    return all(has_number(number, figures) for number in found.numbers)


def _recomputes(figure: Operation, outcome: Outcome) -> bool:
    if figure.name == "asked":
        return str(int(figure.result)) in outcome.query.model_dump_json() or figure.result in _asked_ranks(
            outcome
        )
    if figure.name == "limit":
        items = (value for concept in outcome.query.of.concepts for value in concept.values)
        return any(figure.result in (one.low, one.high) for one in limits(analyte_of(items)))
    if figure.name == "searched":
        return False  # no result says how many notes were read; the draft does
    if figure.name == "rest":
        return figure.result + SENTENCES_CAP in (len(outcome.rows), len(outcome.evidence))
    rows = [outcome.evidence[i] for i in figure.inputs]
    numbers = [float(n) for row in rows for n in row.numbers if isinstance(n, int | float)]
    complete = not any(row.truncated for row in rows)
    if figure.name == "difference" and [r.role for r in rows] in _TWO_VALUES:
        return abs(abs(numbers[-1] - numbers[0]) - abs(figure.result)) < 1e-6
    if figure.name == "ratio" and [r.role for r in rows] in _TWO_VALUES and numbers[0]:
        return abs(numbers[-1] / numbers[0] - figure.result) < 1e-6
    if figure.name == "percent" and len(numbers) == 2 and numbers[0]:
        return abs(abs(numbers[1] - numbers[0]) / abs(numbers[0]) * 100 - figure.result) < 1e-6
    if figure.name in _COMPUTED and complete and numbers:
        computed = _COMPUTED[figure.name](numbers)
        if abs(computed - figure.result) <= 1e-6 * max(1.0, abs(computed)):
            return True
    counted = sum(row.count for row in rows)  # of all rows, also of those beyond the cited ones
    if figure.name == "at_least":
        return counted >= figure.result
    if figure.name == "count" and counted == figure.result and counted < PROVENANCE_CAP:
        return True
    return _is_cell_of_result(figure, outcome)


def _is_cell_of_result(figure: Operation, outcome: Outcome) -> bool:
    scale = 100.0 if figure.name in ("share", "percentile") else 1.0
    cells = [figure * scale for row in outcome.rows for figure in _figures(row)]
    if any(abs(cell - figure.result) <= 1e-6 * max(1.0, abs(cell)) for cell in cells):
        return True
    return figure.name == "count" and figure.result in (
        len(outcome.rows),
        len(outcome.rows) - len(figure.inputs),
    )


def _asked_ranks(outcome: Outcome) -> set[float]:
    pick = outcome.query.of.pick
    return {float(pick.n), float(pick.n - 1)} if pick else set()


def _asked_words(outcome: Outcome | None) -> list[str]:
    """Words of the question that a sentence about its result may repeat in quotation marks."""
    events = list(with_partners(outcome.query.of)) if outcome else []
    times = [one.window.said for one in events if one.window is not None]
    return [*(concept.said for one in events for concept in one.concepts), *times]


def _asked_names(outcome: Outcome | None) -> set[str]:
    if outcome is None:
        return set()
    events = with_partners(outcome.query.of)
    names = {n for one in events for c in one.concepts for n in (*c.values, c.said)}
    return names | {
        cell for row in outcome.rows for cell in row if isinstance(cell, str) and not _is_time(cell)
    }


def _is_name(text: str) -> bool:
    """Whether a text is a name that holds digits, a strength ("24-26") or a quarter; a dose such as "1" is none."""
    return any(c.isdigit() for c in text) and (
        sum(c.isalpha() for c in text) > 1
        or _STRENGTH.fullmatch(text) is not None
        or _QUARTER.fullmatch(text) is not None
    )


def _buckets(outcome: Outcome | None) -> list[str]:
    """The days, months or years that a result is grouped by; full times must come from the cited rows."""
    if outcome is None:
        return []
    return [
        str(cell) for row in outcome.rows for cell in row if _is_time(cell) and len(str(cell)) <= len(_BUCKET)
    ]


def _years(outcome: Outcome | None) -> set[float]:
    """The years that a result is grouped by."""
    ask = outcome.query.ask if outcome else None
    if outcome is None or not isinstance(ask, Group | Readmission) or ask.bucket != "year":
        return set()
    return _figures(row[0] for row in outcome.rows)


def _cells(piece: Evidence) -> list[Cell]:
    if isinstance(piece, RowEvidence):
        return list(piece.values.values())
    if isinstance(piece, NoteEvidence):
        return [piece.charttime, piece.author]
    if isinstance(piece, PassageEvidence):
        return [piece.title]
    return []


def _subject_ids(piece: Evidence) -> list[int]:
    if isinstance(piece, NoteEvidence) and piece.subject_id is not None:
        return [piece.subject_id]
    return []


def _is_time(cell: Cell) -> bool:
    """Whether a cell is a date or time; a quarter ("2100-Q1") is a name."""
    return (
        isinstance(cell, str)
        and len(cell) >= 7
        and cell[:4].isdigit()
        and cell[4] == "-"
        and cell[5].isdigit()
    )


def _figures(cells: Iterable[Cell]) -> set[float]:
    """The numbers among cells; a dose is text in the records, so text that is a number counts."""
    found = set()
    for cell in cells:
        with suppress(TypeError, ValueError):
            found.add(float(cell))  # type: ignore[arg-type]  # None and other text are what is suppressed
    return found


def finish(state: State, draft: Draft, steps: tuple[Step, ...], model: Model | None) -> Answer:
    """The answer of a verified draft."""
    language, plan = state["language"], state.get("plan")
    dropped = len(state["draft"].sentences) - len(draft.sentences)
    text = draft.text
    if draft.sentences and draft.patient is not None:
        first, *others = draft.sentences
        opened = say(language, "verify.patient", subject_id=draft.patient, text=first.text)
        draft = replace(draft, sentences=(replace(first, text=opened), *others))
    if draft.sentences:
        lines = [
            s.text + (" " if s.evidence else "") + "".join(f"[{n}]" for n in s.evidence[:6])
            for s in draft.sentences
        ]
        text = "\n".join(lines)
    elif dropped:
        text = say(language, "verify.nothing_left")
    if not draft.sentences and draft.patient is not None:
        text = say(language, "verify.patient", subject_id=draft.patient, text=text)
    assumptions = list(draft.assumptions)
    if draft.sentences and dropped:
        assumptions.append(say(language, "verify.dropped", n=dropped))
    outcome = draft.outcomes[0] if draft.outcomes else None
    cited = {number for sentence in draft.sentences for number in sentence.evidence}
    answered = draft.status == "answered"
    result = draft.result
    if outcome is not None:
        result = Result(columns=outcome.columns, rows=outcome.rows, truncated=outcome.truncated)
    return Answer(
        question=state["question"],
        language=language,
        status=draft.status,
        reason=draft.reason,
        text=text,
        claims=tuple(Claim(text=s.text, evidence=s.evidence, verified=True) for s in draft.sentences),
        evidence=tuple(piece for piece in draft.evidence if piece.id in cited),
        result=result if answered else None,
        sql=outcome.sql if outcome else None,
        chart={"mark": draft.chart.mark, "spec": draft.chart.spec} if draft.chart and answered else None,
        options=draft.options,
        assumptions=tuple(assumptions),
        steps=steps,
        confidence=plan.confidence if plan else None,
        model=model,
    )
