"""Clinical concepts with their English and Chinese names, abbreviations, codes and labels."""

from knowledge.terminology.concepts import Concept, ConceptType
from knowledge.terminology.terminology import Terminology, TermMatch

__all__ = ["Concept", "ConceptType", "TermMatch", "Terminology"]
