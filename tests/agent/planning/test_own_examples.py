"""A hospital's own questions become examples that a model is shown, with nothing about a patient in them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_server import FakeServer, serving
from hospital import NOW, small_hospital

from agent.cli import main
from agent.models.server import ServerModel
from agent.models.server_address import Server
from agent.paths import home, index_folder
from agent.planning.form import QueryForm, RefuseForm
from agent.planning.form_query import query_of
from agent.planning.linker import Linker
from agent.planning.model_planner import ModelPlanner
from agent.planning.own_examples import OwnExamples, Pair, forget, keep, read_pairs, understood
from agent.scope import Scope
from indexes.values import ValueIndex
from knowledge.errors import ConfigError
from knowledge.store import RecordStore
from knowledge.terminology import Terminology

LOWEST = {
    "ask": {"ask": "statistic", "function": "min"},
    "of": {"domain": "lab", "concepts": [{"values": ["Creatinine"]}]},
    "patient": 1,
}
PAIRS = [
    {"id": 7, "question": "how low did creatinine ever go in patient 1", "query": LOWEST},
    {"question": "患者1的肌酐最低到过多少", "query": LOWEST},
    {"question": "who is on call tonight", "reason": "not_in_schema"},
    {"question": "how low did it go", "query": LOWEST},
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> RecordStore:
    return small_hospital(tmp_path_factory.mktemp("store") / "small.sqlite")


@pytest.fixture(scope="module")
def linker(store: RecordStore) -> Iterator[Linker]:
    assert main(["index", "--store", str(store.path), "--keywords-only"]) == 0
    values = ValueIndex.open(store, index_folder(store.path))
    yield Linker(store, values, Terminology.load())
    values.close()


def brought_in(linker: Linker) -> list[Any]:
    return list(understood([Pair.model_validate(pair) for pair in PAIRS], linker, NOW))


def test_a_question_and_its_query_become_an_example(linker: Linker) -> None:
    english, chinese, refused, lacking = brought_in(linker)
    assert (english.language, chinese.language) == ("en", "zh")
    for example in (english, chinese):
        form = example.shown.form
        assert isinstance(form, QueryForm)
        assert (form.who, form.domain, form.ask.ask) == ("patient", "lab", "statistic")
    assert refused.shown.form == RefuseForm(action="refuse", reason="not_in_schema")
    assert lacking is None, "its question does not name what its query asks for"


def test_several_mentions_are_alternatives_of_one_concept(linker: Linker) -> None:
    either = {
        "ask": {"ask": "exists"},
        "of": {"domain": "drug", "concepts": [{"values": ["Levofloxacin", "Metformin"]}]},
        "patient": 1,
    }
    pair = Pair.model_validate(
        {"question": "did patient 1 ever get metformin or levofloxacin", "query": either}
    )
    [example] = understood([pair], linker, NOW)
    assert example is not None
    form = example.shown.form
    assert isinstance(form, QueryForm)
    assert len(form.values) == 2
    [concept] = query_of(form, example.shown.offer, 1).of.concepts
    assert set(concept.values) == {"Levofloxacin", "Metformin"}


def test_whose_record_it_was_is_not_kept(linker: Linker) -> None:
    english, chinese, *_ = brought_in(linker)
    assert english.shown.question == "how low did creatinine ever go in this patient"
    assert chinese.shown.question == "该患者的肌酐最低到过多少"


def test_examples_come_back_as_they_were_kept_and_can_be_forgotten(linker: Linker) -> None:
    found = [example for example in brought_in(linker) if example is not None]
    keep(found)
    kept = OwnExamples.open()
    assert len(kept) == 3
    [(score, nearest)] = kept.nearest("how low did <measure> ever go in <named>", "en", 1)
    assert score == 1
    assert nearest == found[0].shown
    assert [example for _, example in kept.nearest("最低", "zh", 5)] == [found[1].shown]
    keep(found[:1])
    assert len(OwnExamples.open()) == 1
    forget()
    assert len(OwnExamples.open()) == 0


def test_damaged_examples_are_said_with_the_way_out() -> None:
    (home() / "examples.jsonl").write_text('{"language": "en", "masked": "SECRET"}\n')
    with pytest.raises(ConfigError, match="models examples FILE") as caught:
        OwnExamples.open()
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(
    "line",
    [
        "no json",
        '{"question": "x"}',
        json.dumps({"question": "x", "query": LOWEST, "reason": "judgement"}),
        '{"question": "x", "query": {"ask": {"ask": "count"}, "of": {"domain": "nothing"}}}',
        '{"question": "x", "reason": "because"}',
    ],
)
def test_a_line_that_is_no_pair_is_refused_with_its_number(line: str, tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text(f'{{"question": "x", "reason": "judgement"}}\n\n{line}\n')
    with pytest.raises(ConfigError, match="line 3"):
        read_pairs(path)


def test_the_model_is_shown_what_is_most_like_the_question(linker: Linker, store: RecordStore) -> None:
    own = OwnExamples([example for example in brought_in(linker) if example is not None])
    refusal = '{"action":"refuse","reason":"low_confidence"}'
    question = "how low did sodium ever go in patient 2"
    with serving(FakeServer(answers=[refusal])) as fake:
        model = ServerModel(Server(url=fake.url, model="ward-8b"))
        try:
            linked = linker.link(question, "en", Scope(now=NOW))
            ModelPlanner(model, store, own).plan(question, "en", linked, Scope(now=NOW))
            ModelPlanner(model, store, own, demonstrations=0).plan(question, "en", linked, Scope(now=NOW))
        finally:
            model.close()
    shown, bare = (asked["messages"] for asked in fake.asked)
    assert "how low did creatinine ever go in this patient" in shown[-3]["content"], "the nearest comes last"
    assert '"function":"min"' in shown[-2]["content"]
    assert [message["role"] for message in bare] == ["system", "user"]


def test_the_command_brings_them_in_and_says_how_many(
    store: RecordStore, linker: Linker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text("".join(json.dumps(pair, ensure_ascii=False) + "\n" for pair in PAIRS), encoding="utf-8")
    assert main(["models", "examples", str(path), "--store", str(store.path)]) == 0
    assert "3 of 4 examples" in capsys.readouterr().out
    assert len(OwnExamples.open()) == 3
    assert main(["models", "examples", "--clear"]) == 0
    assert len(OwnExamples.open()) == 0
    assert main(["models", "examples"]) == 2
