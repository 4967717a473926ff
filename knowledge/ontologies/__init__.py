"""From foreign releases into the knowledge graph: ontologies, translations, codes, pairs, own tables."""

from knowledge.ontologies.importing import import_package, import_source, remove_source
from knowledge.ontologies.registry import FORMATS, PACKAGES, detect
from knowledge.ontologies.report import ImportReport, RemovalReport

__all__ = [
    "FORMATS",
    "PACKAGES",
    "ImportReport",
    "RemovalReport",
    "detect",
    "import_package",
    "import_source",
    "remove_source",
]
