"""FHIR R4 into the store: a module for each group of resources, data files for codes and their labels."""

from knowledge.importers.fhir.reader import FhirReader

__all__ = ["FhirReader"]
