"""Walks find what is near and what connects, in a fixed order, whatever the shape of the graph."""

from pathlib import Path

import pytest

from knowledge.graph import KnowledgeGraph
from knowledge.graph.neighbours import CAP, Reach
from knowledge.graph.walk import pagerank, paths
from knowledge.graph.wording import path_text
from knowledge.graph.write import writing


def texts(graph: KnowledgeGraph, found, language="en") -> list[str]:
    return [path_text(graph, path, language) for path in found]


def made(folder: Path, edges: list[tuple[str, str, str]]) -> KnowledgeGraph:
    """A graph of nothing but these relations."""
    with writing(folder) as writer:
        source = writer.source("own", title="own", format="test", version="1", sha256="0")
        for name in sorted({name for one, _, other in edges for name in (one, other)}):
            key = writer.concept(name)
            writer.claim(key, source, term=name, type="disease", en=name, zh=None)
        for one, relation, other in edges:
            writer.edge(
                writer.concept(one), relation, writer.concept(other), source, citation=("test", "", 2020)
            )
    return KnowledgeGraph.open(folder)


def test_a_path_reads_from_its_start_in_both_languages(graph: KnowledgeGraph) -> None:
    [path] = paths(graph, ["drug:metformin"], ["lab:egfr"])
    assert path_text(graph, path) == "Metformin —contraindicated_when→ eGFR < 30 mL/min/1.73m2"
    assert path_text(graph, path, "zh") == "二甲双胍 —禁用于→ eGFR < 30 mL/min/1.73m2"


def test_a_relation_walked_backwards_has_its_arrow_turned(graph: KnowledgeGraph) -> None:
    assert texts(graph, paths(graph, ["drug:metformin"], ["disease:ckd"])) == [
        "Metformin —contraindicated_when→ eGFR < 30 mL/min/1.73m2 ←diagnosed_by— Chronic kidney disease "
        "(eGFR < 60 mL/min/1.73m2)"
    ]


def test_shorter_paths_come_first_and_the_limit_holds(graph: KnowledgeGraph) -> None:
    found = texts(graph, paths(graph, ["drug:furosemide"], ["disease:heart-failure", "disease:ckd"], limit=3))
    assert found == [
        "Furosemide —treats→ Heart failure",
        "Furosemide —treats→ Edema —symptom_of→ Heart failure",
        "Furosemide —treats→ Edema —symptom_of→ Chronic kidney disease",
    ]


def test_a_path_of_three_hops_is_found(graph: KnowledgeGraph) -> None:
    [path] = paths(graph, ["drug:furosemide"], ["finding:fatigue"])
    assert path_text(graph, path) == (
        "Furosemide —treats→ Edema —symptom_of→ Chronic kidney disease ←symptom_of— Fatigue"
    )
    assert paths(graph, ["drug:furosemide"], ["finding:fatigue"], max_hops=2) == []
    with pytest.raises(ValueError, match="1 to 3"):
        paths(graph, ["drug:furosemide"], ["finding:fatigue"], max_hops=4)


def test_only_the_named_relations_are_walked(graph: KnowledgeGraph) -> None:
    found = paths(graph, ["drug:furosemide"], ["disease:heart-failure"], relations={"treats"})
    assert [[edge.relation for edge in path] for path in found] == [["treats"]]


def test_two_kinds_of_the_same_thing_are_not_thereby_connected(tmp_path: Path) -> None:
    graph = made(tmp_path, [("a", "is_a", "kind"), ("b", "is_a", "kind"), ("kind", "is_a", "kinds")])
    assert paths(graph, ["a"], ["b"]) == []
    assert texts(graph, paths(graph, ["a"], ["kinds"])) == ["a —is_a→ kind —is_a→ kinds"]


def test_a_negative_relation_is_walked_only_when_asked_for(tmp_path: Path) -> None:
    graph = made(tmp_path, [("drug", "not_indicated_for", "disease")])
    assert paths(graph, ["drug"], ["disease"]) == []
    assert len(paths(graph, ["drug"], ["disease"], relations={"not_indicated_for"})) == 1


def test_a_circle_in_the_hierarchy_ends_every_walk(tmp_path: Path) -> None:
    graph = made(tmp_path, [("a", "is_a", "b"), ("b", "is_a", "c"), ("c", "is_a", "a"), ("d", "is_a", "d")])
    assert graph.ancestors("a") == ("b", "c")
    assert graph.descendants("a") == ("c", "b")
    assert graph.ancestors("d") == ()
    assert len(graph.subgraph(["a"], 5)) == 3
    assert paths(graph, ["a"], ["d"]) == []


def test_a_hub_is_cut_to_its_weightiest_relations_and_says_so(tmp_path: Path) -> None:
    edges = [("hub", "is_a", f"kind {number}") for number in range(CAP + 50)]
    graph = made(tmp_path, [*edges, ("hub", "treats", "disease")])
    around = Reach(graph).around(Reach(graph).keys(["hub"]))
    assert len(around.steps) == CAP
    assert list(around.capped.values()) == [CAP + 51]
    assert graph.subgraph(["hub"], 1).graph["capped"] == {"hub": CAP + 51}
    assert texts(graph, paths(graph, ["hub"], ["disease"])) == ["hub —treats→ disease"]


def test_a_subgraph_ends_after_its_hops_and_keeps_every_edge_of_a_pair(graph: KnowledgeGraph) -> None:
    near = graph.subgraph(["drug:furosemide"], 1)
    assert set(near) == {
        "drug:furosemide",
        "disease:heart-failure",
        "finding:edema",
        "drug_class:loop-diuretic",
    }
    assert near.nodes["finding:edema"]["node"].zh == "水肿"
    assert "disease:ckd" in graph.subgraph(["drug:furosemide"], 2)
    assert len(graph.subgraph(["drug:furosemide"], 3, limit=2)) == 2
    assert len(graph.subgraph(["nothing"], 2)) == 0


def test_pagerank_prefers_what_the_seeds_lead_to(graph: KnowledgeGraph) -> None:
    ranks = pagerank(graph.subgraph(["finding:edema"], 3), {"finding:edema": 1.0, "nothing": 1.0})
    assert next(iter(ranks)) == "finding:edema"
    assert ranks["disease:heart-failure"] > ranks["disease:hypertension"]
    assert sum(ranks.values()) == pytest.approx(1.0)
    assert pagerank(graph.subgraph(["finding:edema"], 1), {"nothing": 1.0}) == {}


def test_walks_give_the_same_order_each_time(graph: KnowledgeGraph) -> None:
    one, other = (paths(graph, ["drug:furosemide"], ["disease:ckd", "finding:fatigue"]) for _ in range(2))
    assert one == other


def test_two_drugs_are_not_connected_by_what_forbids_both(tmp_path: Path) -> None:
    graph = made(
        tmp_path,
        [
            ("a", "contraindicated_when", "cirrhosis"),
            ("b", "dose_adjust_when", "cirrhosis"),
            ("a", "interacts_with", "c"),
            ("c", "interacts_with", "d"),
            ("x", "symptom_of", "cirrhosis"),
            ("y", "symptom_of", "cirrhosis"),
        ],
    )
    assert paths(graph, ["a"], ["b"]) == []
    assert paths(graph, ["a"], ["d"]) == []
    assert texts(graph, paths(graph, ["x"], ["y"])) == ["x —symptom_of→ cirrhosis ←symptom_of— y"]


def test_what_several_sources_say_is_one_path_told_by_the_core_pack(
    graph: KnowledgeGraph, tmp_path: Path
) -> None:
    with writing(tmp_path / "graph") as writer:
        source = writer.source("other", title="Other", format="test", version="1", sha256="0")
        ends = writer.concept("drug:furosemide"), writer.concept("finding:edema")
        writer.edge(ends[0], "treats", ends[1], source, citation=("Other", "", 2020))
    again = KnowledgeGraph.open(tmp_path / "graph")
    assert len(again.edges(["drug:furosemide"], {"treats"})) == 3
    [path] = paths(again, ["drug:furosemide"], ["finding:edema"], max_hops=1)
    assert path[0].source_id == "core"
