"""From findings to a draft: sentences with numbered evidence. What is said of a result is realised, not invented."""

from agent.answer import Evidence, Language, NoteEvidence, RowEvidence
from agent.phrases import name_of, say
from agent.planning.plan import Clarify, Refuse
from agent.query.execute import EvidenceRows, Outcome
from agent.query.phrases import assumption, subject
from agent.query.realise import realise
from agent.records import is_countable
from agent.state import Draft, Failed, Finding, NoteSentence, NotesFinding, RecordsFinding, Sentence, State


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
    writer = _Writer(language)
    refusals: list[Failed] = []
    for finding in state["findings"]:
        if isinstance(finding, Failed):
            refusals.append(finding)
        elif isinstance(finding, RecordsFinding):
            refusals += writer.records(finding)
        else:
            refusals += writer.notes(finding)
    said = [say(language, "assumption.now", now=state["scope"].now), *(plan.assumptions if plan else ())]
    said += [assumption(language, key) for outcome in writer.outcomes for key in outcome.assumptions]
    assumptions = tuple(dict.fromkeys(said))
    if not writer.sentences:
        worst = refusals[0]
        return Draft(
            "refused", worst.reason, worst.text, outcomes=tuple(writer.outcomes), assumptions=assumptions
        )
    return Draft(
        "answered",
        sentences=tuple(writer.sentences),
        evidence=tuple(writer.evidence),
        outcomes=tuple(writer.outcomes),
        assumptions=assumptions,
    )


def _told_apart(refusals: list[Failed], findings: list[Finding], language: Language) -> Failed:
    """The refusal to give: the first, or one that says that tables and notes were both looked through."""
    outcomes = [f.outcome for f in findings if isinstance(f, RecordsFinding)]
    notes = [f for f in findings if isinstance(f, NotesFinding)]
    if outcomes and notes and {refusal.reason for refusal in refusals} == {"not_documented"}:
        what = subject(outcomes[0].query.of, language)
        text = say(language, "records.none_anywhere", what=what, searched=notes[0].searched)
        return Failed("not_documented", text)
    return refusals[0]


class _Writer:
    """Numbers the evidence as sentences come to rest on it."""

    def __init__(self, language: Language) -> None:
        self.language: Language = language
        self.sentences: list[Sentence] = []
        self.evidence: list[Evidence] = []
        self.outcomes: list[Outcome] = []

    def records(self, finding: RecordsFinding) -> list[Failed]:
        """Sentences of a result; a refusal where there is none."""
        outcome = finding.outcome
        place = len(self.outcomes)
        self.outcomes.append(outcome)
        sentences = realise(outcome, self.language)
        if sentences is None and is_countable(finding.action):
            what = subject(outcome.query.of, self.language)
            self.sentences.append(
                Sentence(say(self.language, "records.no_such", what=what), (), outcome=place)
            )
            return []
        if sentences is None:
            what = subject(outcome.query.of, self.language)
            return [Failed("not_documented", say(self.language, "records.none", what=what))]
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
