"""Which questions are for the graphs, in either language, and which are left to the planner of record questions."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.knowing.planner import KnowledgePlanner
from agent.knowing.reading import QuestionReader
from agent.knowing.spelt import Spelt
from agent.language import language_of
from agent.planning.link import Linked
from agent.planning.plan import Clarify, ExploreGraph, Plan, Refuse
from agent.scope import Scope
from knowledge.graph import KnowledgeGraph, ensure
from knowledge.mentions import MentionFinder, NameTable
from knowledge.terminology import Terminology

QUESTIONS = [
    line.split(" | ") for line in Path(__file__).with_name("questions.txt").read_text("utf-8").splitlines()
]


class Behind:
    """The planner behind: it declines whatever reaches it."""

    def plan(self, *_: object, **__: object) -> Plan:
        """Says that the question came through."""
        return Plan((Refuse("low_confidence", "behind"),), 0.5)


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeGraph]:
    """The core pack."""
    with ensure(tmp_path_factory.mktemp("knowledge") / "graph") as opened:
        yield opened


@pytest.fixture(scope="module")
def planner(graph: KnowledgeGraph) -> KnowledgePlanner:
    """The planner before one that declines."""
    terminology = Terminology.load()
    finder = MentionFinder.load(NameTable.of_graph(graph))
    reader = QuestionReader(graph, finder, terminology)
    return KnowledgePlanner(Behind(), reader, Spelt(terminology), graph)


def asked(planner: KnowledgePlanner, question: str, patient: int | None = 1) -> object:
    """The action of a question."""
    scope = Scope(now="2025-03-01 12:00:00", patient=patient)
    return planner.plan(question, language_of(question), Linked(), scope).actions[0]


@pytest.mark.parametrize(("ask", "question"), QUESTIONS)
def test_a_question_goes_where_it_belongs(planner: KnowledgePlanner, ask: str, question: str) -> None:
    action = asked(planner, question)
    assert (action.ask if isinstance(action, ExploreGraph) else "records") == ask


def test_what_is_about_someone_is_asked_back_where_nobody_is_open(planner: KnowledgePlanner) -> None:
    assert isinstance(asked(planner, "Which of her drugs interact?", patient=None), Clarify)


def test_what_a_question_denies_is_no_finding_of_it(planner: KnowledgePlanner) -> None:
    action = asked(planner, "differential diagnosis of fever and dyspnea without cough", patient=None)
    assert isinstance(action, ExploreGraph)
    assert "finding:cough" in action.absent
    assert "finding:cough" not in action.concepts


def test_a_high_result_is_the_disease_that_it_proves(planner: KnowledgePlanner) -> None:
    action = asked(planner, "Why is her potassium so high?")
    assert isinstance(action, ExploreGraph)
    assert "disease:hyperkalemia" in action.concepts


def test_no_answerable_question_of_ehrsql_is_taken(planner: KnowledgePlanner, shared_data: Path) -> None:
    folder = shared_data / "ehrsql-2024" / "train"
    labels = json.loads((folder / "label.json").read_text("utf-8"))
    questions = json.loads((folder / "data.json").read_text("utf-8"))["data"]
    taken = [
        one["question"]
        for one in questions
        if labels[one["id"]] != "null" and isinstance(asked(planner, one["question"], None), ExploreGraph)
    ]
    assert taken == []


@pytest.mark.parametrize(
    ("question", "said", "drug"),
    [
        ("Is metfromin safe for her?", "metfromin", "drug:metformin"),
        ("Can I restart warfrin in this patient?", "warfrin", "drug:warfarin"),
        ("能不能给他用二甲双呱？", "二甲双呱", "drug:metformin"),
    ],
)
def test_a_misspelt_drug_is_read_as_the_one_meant_and_that_is_told(
    planner: KnowledgePlanner, question: str, said: str, drug: str
) -> None:
    scope = Scope(now="2025-03-01 12:00:00", patient=1)
    plan = planner.plan(question, language_of(question), Linked(), scope)
    (action,) = plan.actions
    assert isinstance(action, ExploreGraph)
    assert action.concepts == (drug,)
    assert said in plan.assumptions[0]


@pytest.mark.parametrize(
    "question",
    [
        "Is the cefazolin dose right?",  # as near to others as they are to each other
        "Does anything prolong or prolongs the QT?",  # another form of a known word
        "Did the tracheoscopy help?",  # a procedure that nobody listed
        "头孢噻吩可以用吗？",  # one character from two known drugs
        "慢性肾病能用二甲双胍吗？",
    ],
)
def test_what_is_no_slip_is_left_as_it_is(question: str) -> None:
    assert Spelt(Terminology.load()).corrected(question, ()) == (question, ())
