"""Cites: rows and notes of the store, and paths of the knowledge graph, as evidence of an answer."""

from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import cast

from agent.answer import Cell, GraphEvidence, Language, NoteEvidence, RowEvidence
from agent.knowing.point import Mentioned
from knowledge.graph import Edge, KnowledgeGraph
from knowledge.mentions.sentences import sentences
from knowledge.patients import NoteRef, RowRef, Statement
from knowledge.store.store import RecordStore

UNNUMBERED = 0
"""The id of a piece of evidence until the answer is composed."""
_SHOWN = {  # what a card shows of a row; the first names the thing
    "diagnoses_icd": ("long_title", "icd_code", "charttime", "status"),
    "procedures_icd": ("long_title", "icd_code", "charttime"),
    "prescriptions": (
        "drug",
        "dose_val_rx",
        "dose_unit_rx",
        "route",
        "frequency",
        "starttime",
        "stoptime",
        "status",
    ),
    "inputevents": ("label", "totalamount", "totalamountuom", "starttime", "endtime"),
    "labevents": ("label", "valuenum", "valueuom", "value", "charttime", "flag"),
    "chartevents": ("label", "valuenum", "valueuom", "value", "charttime"),
    "outputevents": ("label", "value", "valueuom", "charttime"),
    "microbiologyevents": ("org_name", "spec_type_desc", "test_name", "charttime"),
    "allergies": ("substance", "reaction", "severity", "charttime", "status"),
    "patients": ("gender", "dob"),
    "admissions": ("admission_type", "admittime", "dischtime"),
}
_NAMED_BY = {
    "diagnoses_icd": ("d_icd_diagnoses", "icd_code", "long_title"),
    "procedures_icd": ("d_icd_procedures", "icd_code", "long_title"),
    "inputevents": ("d_items", "itemid", "label"),
    "labevents": ("d_labitems", "itemid", "label"),
    "chartevents": ("d_items", "itemid", "label"),
    "outputevents": ("d_items", "itemid", "label"),
}


class Cites:
    """Makes evidence for one answer.

    Args:
        store: whose rows and notes are cited.
        graph: whose paths are cited.
        language: in which paths name concepts.
    """

    def __init__(self, store: RecordStore, graph: KnowledgeGraph, language: Language) -> None:
        self._store = store
        self._graph = graph
        self._language: Language = language
        self.named: set[str] = set()  # every name that was given out
        self.mentioned: dict[Mentioned, None] = {}  # every span of a note that was cited, in order

    def rows(self, refs: Iterable[RowRef]) -> tuple[RowEvidence, ...]:
        """One piece for each row, in their order."""
        return tuple(self._row(ref) for ref in dict.fromkeys(refs))

    def said(self, statement: Statement, *, person: bool = False) -> RowEvidence | NoteEvidence:
        """What a statement rests on: its row, or the sentence of the note around its mention.

        Args:
            statement: of a patient.
            person: shows whose row it is, for answers about many.
        """
        if isinstance(statement.evidence, RowRef):
            return self._row(statement.evidence, person=person)
        ref = statement.evidence
        place = (ref.note_id, ref.start, ref.end)
        self.mentioned[Mentioned(*place, statement.concept, statement.assertion, statement.experiencer)] = (
            None
        )
        return self._note(ref)

    def _note(self, ref: NoteRef) -> NoteEvidence:
        """The sentence of a note that holds a span: what negates a mention stands beside it."""
        note = self._store.note(ref.note_id)
        assert note is not None, "the patient graph follows the notes"
        start, end = next(
            ((s.start, s.end) for s in sentences(note.text) if s.start <= ref.start and ref.end <= s.end),
            (ref.start, ref.end),
        )
        return NoteEvidence(
            id=UNNUMBERED,
            note_id=note.note_id,
            start=start,
            end=end,
            quote=note.text[start:end],
            note_type=note.note_type,
            charttime=note.charttime,
            author=note.author,
            subject_id=note.subject_id,
        )

    def path(self, edges: Sequence[Edge]) -> GraphEvidence:
        """A path with the works that say so."""
        return GraphEvidence(
            id=UNNUMBERED,
            edges=tuple(self.triple(edge) for edge in edges),
            source="; ".join(dict.fromkeys(citation(edge) for edge in edges)),
            details=tuple(dict.fromkeys(filter(None, map(self.detail, edges)))),
        )

    def triple(self, edge: Edge) -> tuple[str, str, str]:
        """Subject, relation, and the object; of a measured one the condition alone, which names it."""
        there = self.name(edge.object)
        if edge.condition is not None:
            measured = self._graph.node(edge.object).type in ("lab", "vital")
            there = edge.condition if measured else f"{there} ({edge.condition})"
        return self.name(edge.subject), edge.relation, there

    def detail(self, edge: Edge) -> str:
        """What a fact adds in words; empty where it adds nothing."""
        return edge.detail_zh if self._language == "zh" else edge.detail_en

    def name(self, concept: str) -> str:
        """What a concept is called in the answer's language."""
        found = self._graph.nodes((concept,))
        name = found[0].name(self._language) if found else concept
        self.named.add(name)
        return name

    def _row(self, ref: RowRef, *, person: bool = False) -> RowEvidence:
        has = self._store.tables[ref.table]
        named = _NAMED_BY.get(ref.table)
        columns = [c for c in _SHOWN[ref.table] if c in has or (named is not None and c == named[2])]
        columns += ["subject_id"] if person else []
        read = ", ".join(f"d.{c}" if named is not None and c == named[2] else f"e.{c}" for c in columns)
        joined = f"LEFT JOIN {named[0]} d ON d.{named[1]} = e.{named[1]}" if named is not None else ""
        with closing(self._store.connect()) as connection:
            row = connection.execute(
                f"SELECT {read} FROM {ref.table} e {joined} WHERE e.row_id = ?", (ref.row_id,)
            ).fetchone()
        values = cast("Iterable[tuple[str, Cell]]", zip(columns, row, strict=True))
        return RowEvidence(
            id=UNNUMBERED,
            table=ref.table,
            row_ids=(ref.row_id,),
            values={column: value for column, value in values if value is not None},
        )


def citation(edge: Edge) -> str:
    """A work as an answer cites it: title, section, year."""
    section = f", {edge.section}" if edge.section else ""
    return f"{edge.source}{section}" + (f" ({edge.year})" if edge.year is not None else "")
