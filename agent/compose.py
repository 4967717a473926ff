"""From findings to a draft: sentences with numbered evidence. What is said of a result is realised, not invented."""

from agent.answer import Evidence, Language, NoteEvidence, PassageEvidence, RowEvidence
from agent.charts.drawing import Chart
from agent.knowing.point import GraphFinding, Mentioned
from agent.knowing.words import word
from agent.phrases import name_of, say
from agent.planning.plan import Clarify, QueryRecords, Refuse
from agent.query.execute import EvidenceRows, Outcome
from agent.query.phrases import assumption, assumption_order
from agent.query.realise import realise
from agent.query.restrictions import asked_numbers, none_of
from agent.query.sentence import Operation
from agent.query.sentence import Sentence as Said
from agent.query.speaker import SENTENCES_CAP
from agent.records import is_countable
from agent.state import (
    Draft,
    Failed,
    Finding,
    NoteSentence,
    NotesFinding,
    PassagesFinding,
    RecordsFinding,
    Sentence,
    State,
)


def compose(state: State) -> Draft:
    """The draft of a question's answer.

    Whatever tool found something speaks; if none did, the first one's reason is the refusal.
    """
    language = state["language"]
    plan = state.get("plan")
    for action in plan.actions if plan and not state["findings"] else ():
        if isinstance(action, Clarify):
            return Draft("clarify", text=action.text, options=action.options)
        if isinstance(action, Refuse):
            return Draft("refused", action.reason, action.text)
    notes = [f for f in state["findings"] if isinstance(f, NotesFinding)]
    writer = _Writer(language, in_vain=next((f for f in notes if not f.sentences), None))
    refusals: list[Failed] = []
    for finding in state["findings"]:
        if isinstance(finding, Failed):
            refusals.append(finding)
        elif isinstance(finding, RecordsFinding):
            refusals += writer.records(finding)
        elif isinstance(finding, GraphFinding):
            writer.walked(finding)
        elif isinstance(finding, PassagesFinding):
            refusals += writer.passages(finding)
        else:
            refusals += writer.notes(finding)
    assumptions = _assumptions(state, writer.outcomes)
    if not writer.sentences:
        worst = _told_apart(refusals, state["findings"], language)
        return Draft(
            "refused",
            worst.reason,
            worst.text,
            outcomes=tuple(writer.outcomes),
            assumptions=assumptions,
            patient=_other_patient(state),
        )
    return Draft(
        "answered",
        sentences=tuple(writer.sentences),
        evidence=tuple(writer.evidence),
        outcomes=tuple(writer.outcomes),
        assumptions=assumptions,
        patient=_other_patient(state),
        chart=_chart(state),
        result=next((f.result for f in state["findings"] if isinstance(f, GraphFinding) and f.result), None),
        searched=writer.searched,
    )


def _chart(state: State) -> Chart | None:
    """The chart of the first result that was drawn."""
    drawings = [f.drawing for f in state["findings"] if isinstance(f, RecordsFinding) and f.drawing]
    return next((drawing.chart for drawing in drawings if drawing.chart is not None), None)


def _assumptions(state: State, outcomes: list[Outcome]) -> tuple[str, ...]:
    """What the answer takes for granted, most important first; "now" leads where the question names a time."""
    language, plan = state["language"], state.get("plan")
    keys = sorted({key for outcome in outcomes for key in outcome.assumptions}, key=assumption_order)
    drawn = [f.drawing for f in state["findings"] if isinstance(f, RecordsFinding) and f.drawing]
    said = [note for drawing in drawn for note in drawing.notes]
    said += [*(plan.assumptions if plan else ()), *(assumption(language, key) for key in keys)]
    walked = [f for f in state["findings"] if isinstance(f, GraphFinding)]
    said += [
        word(language, f"assumption.{key}", **dict(slots)) for f in walked for key, slots in f.assumptions
    ]
    if any(isinstance(f, RecordsFinding) and f.widened for f in state["findings"]):
        said.insert(0, say(language, "assumption.widened"))
    now = say(language, "assumption.now", now=state["scope"].now)
    linked = state.get("linked")
    counted = any(time.window is not None for time in linked.times) if linked else False
    return tuple(dict.fromkeys([now, *said] if counted else [*said, now]))


def _other_patient(state: State) -> int | None:
    """The patient that the answer is about, where the reader does not have just that record open."""
    about: set[int | None] = set()
    for finding in state["findings"]:
        if isinstance(finding, Failed | PassagesFinding):
            continue
        action = finding.action
        about.add(action.query.patient if isinstance(action, QueryRecords) else action.subject_id)
    only = about.pop() if len(about) == 1 else None
    return None if only == state["scope"].patient else only


def _told_apart(refusals: list[Failed], findings: list[Finding], language: Language) -> Failed:
    """The refusal to give: the first, or one that says that tables and notes were both looked through."""
    outcomes = [f.outcome for f in findings if isinstance(f, RecordsFinding)]
    notes = [f for f in findings if isinstance(f, NotesFinding)]
    if outcomes and notes and {refusal.reason for refusal in refusals} == {"not_documented"}:
        none = none_of(outcomes[0].query, language)
        neither = say(language, _in_vain("none", notes[0]), none=none, searched=notes[0].searched)
        return Failed("not_documented", neither)
    return refusals[0]


def _in_vain(key: str, notes: NotesFinding | None) -> str:
    """The phrase for "none in the tables" that says which notes were searched for it, too."""
    if notes is None:
        return f"records.{key}"
    if not notes.action.timed:
        return f"records.{key}_anywhere" if notes.searched else f"records.{key}"
    return f"records.{key}_then" if notes.searched else f"records.{key}_no_note_then"


def _said_by_chart(finding: RecordsFinding) -> tuple[Said, ...]:
    """One sentence in the place of a long list of single values that a chart shows."""
    chart, outcome = finding.drawing.chart if finding.drawing else None, finding.outcome
    if chart is None or not chart.spread or len(outcome.rows) <= SENTENCES_CAP or outcome.truncated:
        return ()
    n, low, high = chart.spread
    ends = [i for i, e in enumerate(outcome.evidence) if {low, high} & {*e.numbers}]
    behind = tuple(ends[:SENTENCES_CAP]) or (0,)
    held = (i for i, e in enumerate(outcome.evidence) if None not in outcome.rows[e.result_row or 0])
    figures = (
        Operation("count", tuple(held), n),
        Operation("min", behind, low),
        Operation("max", behind, high),
    )
    return (Said(chart.summary, behind, figures),)


class _Writer:
    """Numbers the evidence as sentences come to rest on it.

    Args:
        language: of the sentences.
        in_vain: a search of the notes that found nothing.
    """

    def __init__(self, language: Language, in_vain: NotesFinding | None) -> None:
        self.language: Language = language
        self.in_vain = in_vain
        self.searched = in_vain.searched if in_vain else 0
        self.sentences: list[Sentence] = []
        self.evidence: list[Evidence] = []
        self.outcomes: list[Outcome] = []

    def records(self, finding: RecordsFinding) -> list[Failed]:
        """Sentences of a result; a refusal where there is none."""
        outcome = finding.outcome
        place = len(self.outcomes)
        self.outcomes.append(outcome)
        sentences = _said_by_chart(finding) or realise(outcome, self.language)
        if sentences is None and is_countable(finding.action):
            none = none_of(outcome.query, self.language)
            text = say(self.language, _in_vain("no_such", self.in_vain), none=none, searched=self.searched)
            figures = asked_numbers(outcome.query)
            figures += (Operation("searched", (), self.searched),) if self.searched else ()
            self.sentences.append(Sentence(text, (), figures, place))
            return []
        if sentences is None:
            none = none_of(outcome.query, self.language)
            return [Failed("not_documented", say(self.language, "records.none", none=none))]
        ids: dict[int, int] = {}
        for sentence in sentences:
            for index in sentence.evidence:
                if index not in ids:
                    ids[index] = self._add_rows(outcome.evidence[index])
            cited = tuple(ids[index] for index in sentence.evidence)
            self.sentences.append(Sentence(sentence.text, cited, sentence.operations, place))
        return []

    def notes(self, finding: NotesFinding) -> list[Failed]:
        """Quotations with their source; a refusal where nothing bears on the question."""
        many = finding.action.subject_id is None
        if not finding.sentences:
            key = "note.none_many" if many else "note.none" if finding.searched else "note.no_notes"
            return [Failed("not_documented", say(self.language, key, searched=finding.searched))]
        for found in finding.sentences:
            text = self._quotation(found)
            if many:
                text = say(self.language, "note.patient", subject_id=found.subject_id) + text
            self.evidence.append(
                NoteEvidence(
                    id=len(self.evidence) + 1,
                    note_id=found.note_id,
                    start=found.start,
                    end=found.end,
                    quote=found.text,
                    note_type=found.note_type,
                    charttime=found.charttime,
                    author=found.author,
                    subject_id=found.subject_id,
                )
            )
            self.sentences.append(Sentence(text, (len(self.evidence),)))
        return []

    def passages(self, finding: PassagesFinding) -> list[Failed]:
        """Quotations of documents with title and edition; a refusal where nothing bears on the question."""
        if not finding.sentences:
            return [Failed("out_of_scope", say(self.language, "passage.none", searched=finding.searched))]
        for found in finding.sentences:
            piece = PassageEvidence(
                id=len(self.evidence) + 1,
                doc_id=found.doc_id,
                start=found.start,
                end=found.end,
                quote=found.text,
                title=found.cited_as,
            )
            quote = " ".join(found.text.split())
            text = say(self.language, "passage.quote", title=found.cited_as, quote=quote)
            self.sentences.append(Sentence(text, (self._add(piece),)))
        return []

    def walked(self, finding: GraphFinding) -> None:
        """A sentence for each point of a walk; what several of them rest on is numbered once."""
        for point in finding.points:
            cited = tuple(dict.fromkeys(self._add(piece) for piece in point.evidence))
            text = word(self.language, point.key, **dict(point.slots))
            self.sentences.append(
                Sentence(
                    text,
                    cited,
                    walked=True,
                    computed=point.computed,
                    names=finding.names,
                    mentions=tuple(
                        one for one in finding.mentions if any(_covers(p, one) for p in point.evidence)
                    ),
                    key=point.key,
                )
            )

    def _add(self, piece: Evidence) -> int:
        """The number of a piece of evidence, which it is given where it comes first."""
        for known in self.evidence:
            if known.model_copy(update={"id": piece.id}) == piece:
                return known.id
        self.evidence.append(piece.model_copy(update={"id": len(self.evidence) + 1}))
        return len(self.evidence)

    def _quotation(self, found: NoteSentence) -> str:
        author = say(self.language, "note.author", author=found.author) if found.author else ""
        return say(
            self.language,
            "note.quote_repeated" if found.repeats else "note.quote",
            note_type=name_of(self.language, "note_types", found.note_type),
            date=(found.charttime or say(self.language, "note.undated"))[:10],
            author=author,
            quote=" ".join(found.text.split()),
        )

    def _add_rows(self, rows: EvidenceRows) -> int:
        self.evidence.append(
            RowEvidence(
                id=len(self.evidence) + 1,
                table=rows.table,
                row_ids=rows.row_ids,
                values=dict(rows.values),
                truncated=rows.truncated,
            )
        )
        return len(self.evidence)


def _covers(piece: Evidence, mentioned: Mentioned) -> bool:
    return (
        isinstance(piece, NoteEvidence)
        and piece.note_id == mentioned.note_id
        and piece.start <= mentioned.start < piece.end
    )
