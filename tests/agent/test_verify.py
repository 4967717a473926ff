"""What does not stand in its evidence does not get through, whoever wrote it."""

import pytest
from hospital import NOW

from agent.answer import NoteEvidence, RowEvidence
from agent.query.execute import run
from agent.query.model import (
    Change,
    ClinicalQuery,
    Concept,
    Count,
    Events,
    Extent,
    Percentile,
    Rows,
    Statistic,
)
from agent.query.sentence import Operation
from agent.scope import Scope
from agent.state import Draft, Sentence
from agent.verify import holds, resolves, verify
from knowledge.store import RecordStore

EVERYONE = Scope(now=NOW)
CREATININE = Events(domain="lab", concepts=(Concept(values=("Creatinine",)),))


def row(store: RecordStore, **change: object) -> RowEvidence:
    values = {
        "subject_id": 1,
        "time": "2025-02-27 06:00:00",
        "name": "Creatinine",
        "value": 1.9,
        "unit": "mg/dL",
    }
    return RowEvidence(id=1, table="labevents", row_ids=(4,), values={**values, **change})


def note(store: RecordStore, words: str) -> NoteEvidence:
    found = next(n for n in store.notes() if words in n.text)
    start = found.text.index(words)
    return NoteEvidence(
        id=1, note_id=found.note_id, start=start, end=start + len(words), quote=words,
        charttime=found.charttime, subject_id=found.subject_id,
    )  # fmt: skip


def draft(store: RecordStore, query: ClinicalQuery) -> Draft:
    return Draft("answered", outcomes=(run(query, store, EVERYONE),))


LISTED = ClinicalQuery(ask=Rows(fields=("time", "value", "unit")), of=CREATININE, patient=1)


@pytest.mark.parametrize(
    ("text", "true"),
    [
        ("The latest creatinine was 1.9 mg/dL (2025-02-27 06:00).", True),
        ("The latest creatinine was 2.9 mg/dL (2025-02-27 06:00).", False),
        ("The latest creatinine was 1.9 mg/dL (2025-02-28 06:00).", False),
        ("The latest creatinine was 1.9 mg/dL, 3 times the normal value.", False),
        ("Creatinine 1.9 mg/dL, “critically high”.", False),
    ],
)
def test_numbers_dates_and_quotations_must_be_in_the_row(
    hospital_store: RecordStore, text: str, true: bool
) -> None:
    sentence = Sentence(text, (1,), outcome=0)
    assert holds(sentence, [row(hospital_store)], draft(hospital_store, LISTED)) is true


def test_digits_inside_a_name_are_not_figures(hospital_store: RecordStore) -> None:
    cited = row(hospital_store, name="NaCl 0.9%")
    assert holds(Sentence("NaCl 0.9%: 1.9 mg/dL.", (1,), outcome=0), [cited], draft(hospital_store, LISTED))


@pytest.mark.parametrize(("words", "true"), [("Denies chest pain.", True), ("Reports chest pain.", False)])
def test_a_quotation_must_be_the_notes_own_words(hospital_store: RecordStore, words: str, true: bool) -> None:
    cited = note(hospital_store, "Denies chest pain.")
    assert holds(Sentence(f"Discharge summary: “{words}”", (1,)), [cited], Draft("answered")) is true


def test_a_quotation_may_hold_quotation_marks(hospital_store: RecordStore) -> None:
    cited = note(hospital_store, "Denies chest pain.").model_copy(update={"quote": "“stabbing” pain, 3/10"})
    assert holds(Sentence("Note: ““stabbing” pain, 3/10”", (1,)), [cited], Draft("answered"))


def test_a_figure_is_computed_again(hospital_store: RecordStore) -> None:
    query = ClinicalQuery(ask=Statistic(function="mean"), of=CREATININE, patient=1)
    base = draft(hospital_store, query)
    cited = [row(hospital_store)]
    true = (0.9 + 1.2 + 2.8 + 1.9) / 4
    right = Sentence("The mean was 1.7 mg/dL.", (1,), (Operation("mean", (0,), true),), 0)
    wrong = Sentence("The mean was 1.8 mg/dL.", (1,), (Operation("mean", (0,), 1.8),), 0)
    assert holds(right, cited, base)
    assert not holds(wrong, cited, base)


def test_a_percentile_is_said_as_a_percentage_of_what_was_computed(hospital_store: RecordStore) -> None:
    query = ClinicalQuery(ask=Percentile(value=1.9), of=CREATININE, patient=1)
    computed = draft(hospital_store, query)
    [[share]] = computed.outcomes[0].rows
    assert isinstance(share, float)
    said = [
        Sentence(
            f"{result:.1f}% of the values are below 1.9.",
            (1,),
            (Operation("percentile", (0,), result), Operation("asked", (), 1.9)),
            outcome=0,
        )
        for result in (share * 100, share)
    ]
    evidence = [row(hospital_store, value=1.2)]
    assert [holds(one, list(evidence), computed) for one in said] == [True, False]


def test_a_difference_is_computed_again(hospital_store: RecordStore) -> None:
    base = draft(hospital_store, ClinicalQuery(ask=Change(), of=CREATININE, patient=1))
    cited = [row(hospital_store), row(hospital_store, value=0.9, time="2024-05-01 10:00:00")]
    right = Sentence("It rose by 1 mg/dL.", (1,), (Operation("difference", (0, 1), 1.0),), 0)
    wrong = Sentence("It rose by 4 mg/dL.", (1,), (Operation("difference", (0, 1), 4.0),), 0)
    assert holds(right, cited, base)
    assert not holds(wrong, cited, base)


def test_a_sentence_without_evidence_stands_only_where_nothing_was_found(hospital_store: RecordStore) -> None:
    none = Events(domain="drug", concepts=(Concept(values=("Warfarin",)),))
    empty = draft(hospital_store, ClinicalQuery(ask=Count(), of=none, patient=1))
    full = draft(hospital_store, ClinicalQuery(ask=Count(), of=CREATININE, patient=1))
    assert holds(Sentence("No order is recorded in the tables: Warfarin.", (), outcome=0), [], empty)
    assert not holds(
        Sentence("No lab result is recorded in the tables: Creatinine.", (), outcome=0), [], full
    )
    assert not holds(Sentence("All is well.", ()), [], Draft("answered"))


def test_a_citation_resolves_only_to_what_is_there_and_may_be_seen(hospital_store: RecordStore) -> None:
    good = row(hospital_store)
    assert resolves(good, EVERYONE, hospital_store)
    assert not resolves(good.model_copy(update={"row_ids": (4, 99_999)}), EVERYONE, hospital_store)
    assert not resolves(good, Scope(now=NOW, permitted=frozenset({2})), hospital_store)
    quoted = note(hospital_store, "Denies chest pain.")
    assert resolves(quoted, EVERYONE, hospital_store)
    assert not resolves(quoted.model_copy(update={"start": quoted.start + 1}), EVERYONE, hospital_store)
    assert not resolves(quoted.model_copy(update={"note_id": 999}), EVERYONE, hospital_store)


def test_what_fails_is_dropped_and_if_nothing_is_left_the_answer_is_a_refusal(
    hospital_store: RecordStore,
) -> None:
    base = draft(hospital_store, LISTED)
    evidence = (row(hospital_store),)
    true = Sentence("Creatinine: 1.9 mg/dL.", (1,), outcome=0)
    false = Sentence("Creatinine: 9.1 mg/dL.", (1,), outcome=0)
    both = Draft("answered", sentences=(true, false), evidence=evidence, outcomes=base.outcomes)
    assert verify(both, EVERYONE, hospital_store).sentences == (true,)
    only = Draft("answered", sentences=(false,), evidence=evidence, outcomes=base.outcomes)
    checked = verify(only, EVERYONE, hospital_store)
    assert (checked.status, checked.reason, checked.sentences) == ("refused", "low_confidence", ())


def test_a_ratio_is_computed_again_from_its_two_values(hospital_store: RecordStore) -> None:
    doubled = Change(at_least=Extent(by=2, kind="times", direction="rise"))
    found = draft(hospital_store, ClinicalQuery(ask=doubled, of=CREATININE, patient=1))
    outcome = found.outcomes[0]
    roles = [piece.role for piece in outcome.evidence]
    ends = (roles.index("earlier"), roles.index("furthest"))
    first, far = (float(outcome.evidence[i].numbers[0] or 0) for i in ends)
    cited = [row(hospital_store, value=value) for value in (first, far)]
    for ratio, true in ((far / first, True), (far / first + 1, False)):
        text = f"It was {ratio:.2f} times the first."
        sentence = Sentence(text, (1,), (Operation("ratio", ends, ratio),), 0)
        assert holds(sentence, cited, found) is true


def test_a_name_with_digits_that_begins_a_sentence_in_a_capital_is_no_figure() -> None:
    drug = RowEvidence(id=1, table="prescriptions", row_ids=(1,), values={"name": "latanoprost 0.005% soln."})
    sentence = Sentence("Latanoprost 0.005% soln. is recorded.", (1,))
    assert holds(sentence, [drug], Draft("answered", sentences=(sentence,), evidence=(drug,)))
    wrong = Sentence("Latanoprost 0.005% soln. is recorded 7 times.", (1,))
    assert not holds(wrong, [drug], Draft("answered", sentences=(wrong,), evidence=(drug,)))
