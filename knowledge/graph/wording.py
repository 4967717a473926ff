"""A path of the graph as a line of text, in either language."""

from collections.abc import Mapping, Sequence
from typing import Literal

from knowledge.graph.graph import KnowledgeGraph
from knowledge.graph.parts import Edge, Node
from knowledge.graph.relations import relations


def path_text(graph: KnowledgeGraph, path: Sequence[Edge], language: Literal["en", "zh"] = "en") -> str:
    """A path as text: ``Metformin —contraindicated_when→ eGFR < 30 mL/min/1.73m2``.

    A condition stands for the measured concept that it is about; an arrow to the left is a relation that is walked
    from its object. English keeps the relations' own names, since these are what tables and filters use.

    Args:
        graph: knows the names.
        path: as ``knowledge.graph.walk.paths`` gives it, or a single edge.
        language: of the names.
    """
    if not path:
        return ""
    nodes = {
        node.id: node for node in graph.nodes(one for edge in path for one in (edge.subject, edge.object))
    }
    names = {one: node.name(language) for one, node in nodes.items()}
    at = _start(path)
    text = names[at]
    for edge in path:
        relation = relations().get(edge.relation)
        label = relation.zh if language == "zh" and relation else edge.relation
        if edge.subject == at:
            target = names[edge.object]
            if edge.condition:
                measured = nodes[edge.object].type in ("lab", "vital")
                target = edge.condition if measured else f"{target} ({edge.condition})"
            text += f" —{label}→ {target}"
            at = edge.object
        else:
            condition = f" ({edge.condition})" if edge.condition else ""
            text += f" ←{label}— {names[edge.subject]}{condition}"
            at = edge.subject
    return text


def fact_text(edge: Edge, names: Mapping[str, Node], language: Literal["en", "zh"]) -> str:
    """A relation as a sentence with its detail, such as ``Metformin contraindicated when eGFR < 30 (absolute)``.

    Args:
        edge: the relation.
        names: the concepts at both ends by id.
        language: of the sentence.
    """
    relation = relations().get(edge.relation)
    label = edge.relation if relation is None else relation.zh if language == "zh" else relation.en
    subject, target = names[edge.subject].name(language), names[edge.object].name(language)
    if edge.condition:
        # The measured thing is named, too: a condition may abbreviate it.
        target = edge.condition if target in edge.condition else f"{edge.condition} ({target})"
    detail = edge.detail_zh if language == "zh" else edge.detail_en
    if language == "zh":
        return f"{subject}{label}{target}。" + (f"{detail}。" if detail else "")
    return f"{subject} {label} {target}." + (f" {detail}." if detail else "")


def _start(path: Sequence[Edge]) -> str:
    if len(path) == 1:
        return path[0].subject
    second = (path[1].subject, path[1].object)
    return path[0].object if path[0].subject in second and path[0].object not in second else path[0].subject
