"""A script says what its query says, and nothing that the question does not name."""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.bundled import script
from agent.bundled.pointers import Pointers
from agent.bundled.script import ASIDES, END, NotAScript, allowed_next, parse, write
from agent.bundled.training.catalogue_pairs import catalogue_pairs
from agent.bundled.training.check import pointers_of
from agent.planning.link import Linked
from agent.planning.linker import Linker
from agent.query.model import ClinicalQuery, Concept, Events, Rows
from agent.scope import Scope
from benchmarks.ehrsql.published import NOW as PUBLISHED_NOW
from benchmarks.ehrsql.published import answerable
from benchmarks.ehrsql.reader import read
from indexes.values import ValueIndex
from knowledge.store.store import RecordStore
from knowledge.terminology.terminology import Terminology
from tests.hospital import NOW

CLOSING = {")", "subject)", "|"}


def walk(pointers: Pointers, seed: int) -> tuple[str, ...] | None:
    """A random script; after some length it closes what is open. ``None`` where its parts do not go together."""
    chance, tokens = random.Random(seed), []
    while True:
        allowed = allowed_next(tokens, pointers)
        closing = [token for token in allowed if token in CLOSING]
        if not allowed:
            return None
        if END in allowed:
            return tuple(tokens)
        tokens.append(
            chance.choice(closing if closing and len(tokens) > 8 else sorted({*allowed} - {*ASIDES}))
        )
        assert len(tokens) < 400


@given(seed=st.integers(0, 2**32))
@settings(max_examples=300, deadline=None)
def test_what_is_written_of_a_read_script_reads_the_same(rich: Pointers, seed: int) -> None:
    tokens = walk(rich, seed)
    if tokens is None:
        return
    try:
        query = parse(tokens, rich)
    except NotAScript:
        return  # grammatical, but a range without numbers or the like
    written = write(query, rich)
    assert written is not None
    assert parse(written, rich) == query
    assert all(token in allowed_next(written[:at], rich) for at, token in enumerate(written))
    assert END in allowed_next(written, rich)


def test_random_scripts_are_mostly_queries(rich: Pointers) -> None:
    found = [walk(rich, seed) for seed in range(100)]
    assert sum(tokens is not None for tokens in found) > 80
    assert len({tokens for tokens in found if tokens}) > 50


@given(seed=st.integers(0, 2**32))
@settings(max_examples=100, deadline=None)
def test_a_script_points_at_nothing_that_was_not_linked(rich: Pointers, seed: int) -> None:
    linked = rich.linked
    few = Pointers(Linked(linked.values[:1], linked.times[:1], (), ()), "en", 1)
    tokens = walk(few, seed) or ()
    pointing = {token for token in tokens if token[0] in "vten" and token[1:2].isdigit()}
    assert pointing <= {"v1", "t1", "t1@end", "t1@overlap"}


@pytest.mark.parametrize("token", ["v2", "t2", "e1", "n1"])
def test_a_pointer_to_what_was_not_linked_is_refused(rich: Pointers, token: str) -> None:
    few = Pointers(Linked(rich.linked.values[:1], rich.linked.times[:1], (), ()), "en", 1)
    with pytest.raises(NotAScript):
        parse(("one", "rows", ".value", "lab(", token, "|", ")"), few)


def test_a_query_about_something_else_has_no_script(rich: Pointers) -> None:
    other = Events(domain="lab", concepts=(Concept(values=("Potassium",)),))
    assert write(ClinicalQuery(ask=Rows(fields=("value",)), of=other, patient=1), rich) is None


def test_events_of_another_patient_have_no_script(rich: Pointers) -> None:
    of = Events(domain="lab", concepts=(Concept(values=("Creatinine",)),), patient=2)
    assert write(ClinicalQuery(ask=Rows(fields=("value",)), of=of), rich) is None


@pytest.mark.parametrize(
    "tokens", [(), ("one",), ("one", "rows", ".value", "lab("), ("one", "rows", "lab(", ")")]
)
def test_an_unfinished_or_wrong_script_is_refused(rich: Pointers, tokens: tuple[str, ...]) -> None:
    with pytest.raises(NotAScript):
        parse(tokens, rich)


def test_every_token_of_the_grammar_is_in_the_vocabulary(rich: Pointers) -> None:
    known = set(script.vocabulary())
    for seed in range(30):
        tokens = walk(rich, seed) or ()
        for at in range(len(tokens) + 1):
            assert set(allowed_next(tokens[:at], rich)) <= known


def test_a_question_becomes_a_script_and_the_script_its_query(linker: Linker) -> None:
    linked = linker.link("What was the last creatinine of patient 1?", "en", Scope(now=NOW))
    pointers = Pointers(linked, "en", 1)
    query = parse("one rows .value lab( v1 | pick( which=last ) )".split(), pointers)
    assert (query.patient, query.of.concepts[0].values) == (1, ("Creatinine",))
    assert query.of.pick is not None and query.of.pick.which == "last"


def test_every_query_of_the_catalogue_survives_its_script() -> None:
    seen = 0
    for pair in catalogue_pairs(1):
        if pair.plan in ASIDES:
            continue
        pointers = pointers_of(pair)
        tokens = pair.plan.split()
        query = parse(tokens, pointers)
        again = write(query, pointers)
        assert again is not None and parse(again, pointers) == query, pair.plan
        seen += 1
    assert seen > 1000


@pytest.mark.shared_data
def test_published_questions_survive_their_script(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "ehrsql-2024"
    store = RecordStore.open(folder / "mimic_iv.sqlite")
    terminology = Terminology.load()
    values = ValueIndex.build(store, tmp_path / "index", terminology.surface_forms())
    here = Linker(store, values, terminology)
    sample = [*answerable(folder, "train")][::40]
    lost = 0
    for published in sample:
        query = ClinicalQuery.model_validate_json(read(published.sql, PUBLISHED_NOW).model_dump_json())
        linked = here.link(published.question, "en", Scope(now=PUBLISHED_NOW))
        subject = next((p.subject_id for p in linked.patients if p.subject_id is not None), None)
        pointers = Pointers(linked, "en", subject)
        tokens = write(query, pointers)
        if tokens is None:
            lost += 1
            continue
        assert write(parse(tokens, pointers), pointers) == tokens
        assert all(token in allowed_next(tokens[:at], pointers) for at, token in enumerate(tokens))
    assert lost <= 0.05 * len(sample)
