"""What a route spares: eye drops, ointments and capsules that are not absorbed are not judged like injections."""

import csv
from collections.abc import Iterator
from contextlib import closing
from importlib.resources import files

import pytest
from hospital import small_hospital

from agent import Answer, ClinicalAgent
from agent.knowing.recency import days_of
from agent.knowing.routes import holds, local, route_class, spared
from knowledge.graph import Edge

_TIMOLOL = ("drug:timolol", "drug_class:nonselective-beta-blocker")


def edge(subject: str, detail: str = "", relation: str = "contraindicated_when") -> Edge:
    """A fact about a drug or class."""
    return Edge(1, subject, relation, "disease:mi", None, "relative", detail, "", "core", "", "", 2020)


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClinicalAgent]:
    """A patient in renal failure with drugs by several routes."""
    orders = [
        ("Gentamicin 0.3% Ophth. Soln", "1", "DROP", "BOTH EYES"),
        ("Vancomycin", "125", "mg", "PO"),
        ("Timolol Maleate 0.5%", "1", "DROP", "LEFT EYE"),
        ("Fondaparinux", "2.5", "mg", "SC"),
        ("Clarithromycin", "500", "mg", "PO"),
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHARTROOM_HOME", str(tmp_path_factory.mktemp("routes-home")))
        patch.setenv("CHARTROOM_PLANNER", "catalogue")
        store = small_hospital(tmp_path_factory.mktemp("routes") / "small.sqlite")
        with closing(store.connect()) as connection, connection:
            connection.executemany(
                "INSERT INTO prescriptions (subject_id, hadm_id, starttime, drug, dose_val_rx, dose_unit_rx, "
                "route) VALUES (1, 102, '2025-02-26 09:00:00', ?, ?, ?, ?)",
                orders,
            )
            connection.execute(
                "INSERT INTO d_icd_diagnoses (icd_code, long_title) VALUES ('icd10|J45909', 'Unspecified asthma')"
            )
            connection.execute(
                "INSERT INTO diagnoses_icd (subject_id, hadm_id, icd_code, charttime, seq_num) "
                "VALUES (1, 102, 'icd10|J45909', '2025-02-25 12:00:00', 3)"
            )
        with ClinicalAgent.open(store) as opened:
            yield opened


def told(answer: Answer, drug: str) -> list[str]:
    """The sentences that say what to do about a drug."""
    return [claim.text for claim in answer.claims if claim.text.startswith((f"– {drug} (", f"{drug} ("))]


@pytest.fixture(scope="module")
def answer(agent: ClinicalAgent) -> Answer:
    """All that is said of the current drugs."""
    return agent.ask("Which of her current drugs are contraindicated or need a dose change?", patient=1)


def test_drops_and_capsules_that_are_not_absorbed_are_told_as_local(answer: Answer) -> None:
    (said,) = [claim.text for claim in answer.claims if "given locally" in claim.text]
    assert "Gentamicin (BOTH EYES)" in said
    assert "Vancomycin (PO)" in said
    assert not told(answer, "Gentamicin")
    assert not told(answer, "Vancomycin")


def test_eye_drops_that_act_on_the_whole_body_are_still_judged(answer: Answer) -> None:
    assert any("Asthma" in text and "contraindicated_when" in text for text in told(answer, "Timolol"))


def test_the_same_drug_by_injection_is_judged(answer: Answer) -> None:
    assert any("contraindicated" in text for text in told(answer, "Fondaparinux"))


def test_the_chinese_answer_says_so_too(agent: ClinicalAgent) -> None:
    assert "局部用药" in agent.ask("目前的用药有禁忌吗？", patient=1).text


def test_a_relative_warning_leaves_the_dose_to_be_told(answer: Answer) -> None:
    assert told(answer, "Clarithromycin")


def test_drops_do_not_interact(agent: ClinicalAgent) -> None:
    text = agent.ask("Which of her drugs interact?", patient=1).text
    assert "Gentamicin +" not in text
    assert "+ Gentamicin" not in text


@pytest.mark.parametrize(
    ("route", "kind"),
    [
        ("BOTH EYES", "ocular"),
        ("滴眼", "ocular"),
        ("TP", "dermal"),
        ("PO/NG", "oral"),
        ("口服", "oral"),
        ("IV DRIP", "parenteral"),
        ("NEB", "inhaled"),
        ("", None),
        ("as directed", None),
    ],
)
def test_a_route_is_known_as_records_write_it(route: str, kind: str | None) -> None:
    assert route_class(route) == kind


def test_what_has_no_known_route_is_judged_in_full() -> None:
    assert spared(None, ("drug:gentamicin",)) == frozenset()
    assert holds(edge("drug:gentamicin"), "as directed", ("drug:gentamicin",))


def test_a_rule_for_injections_does_not_bar_a_tablet() -> None:
    rule = edge("drug:acetaminophen", "Injection contraindicated in active liver disease")
    assert not holds(rule, "PO", ("drug:acetaminophen",))
    assert holds(rule, "IV", ("drug:acetaminophen",))
    assert holds(rule, None, ("drug:acetaminophen",))


def test_the_nearest_kind_of_a_drug_says_what_its_route_spares() -> None:
    assert not local("LEFT EYE", _TIMOLOL)
    assert local("LEFT EYE", ("drug:latanoprost",))


def test_a_fact_about_present_bleeding_counts_for_a_while_and_one_about_any_past_event_for_good() -> None:
    assert days_of(edge("drug:apixaban", "Active pathological bleeding")) == 90
    assert days_of(edge("drug:prasugrel", "Any previous TIA or stroke")) is None
    assert days_of(edge("drug:metformin", "Acute or chronic metabolic acidosis")) is None
    assert days_of(edge("drug:metoprolol")) is None


@pytest.mark.parametrize("table", ["routes", "route_rules", "fact_routes", "recency", "episodes"])
def test_each_row_of_the_tables_has_a_source(table: str) -> None:
    lines = files("agent.knowing").joinpath(f"{table}.tsv").read_text(encoding="utf-8").splitlines()
    assert all(row["source"] for row in csv.DictReader(lines, delimiter="\t"))


def test_what_the_tables_name_is_in_the_graph(agent: ClinicalAgent) -> None:
    graph = agent.rooms.explorer.graph
    for table, column in (("route_rules", "drug"), ("episodes", "concept")):
        lines = files("agent.knowing").joinpath(f"{table}.tsv").read_text(encoding="utf-8").splitlines()
        named = {row[column] for row in csv.DictReader(lines, delimiter="\t")} - {"*"}
        assert named == {node.id for node in graph.nodes(sorted(named))}
