"""The medical knowledge graph: concepts, their names and codes, and sourced relations, in one SQLite file."""

from knowledge.graph.build import build_core, ensure
from knowledge.graph.graph import KnowledgeGraph
from knowledge.graph.parts import Code, Edge, Name, Node, Source

__all__ = ["Code", "Edge", "KnowledgeGraph", "Name", "Node", "Source", "build_core", "ensure"]
