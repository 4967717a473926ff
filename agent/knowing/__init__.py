"""The clinical questions that walk the knowledge graph and the patient graph, answered without a model."""
