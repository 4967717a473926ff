"""Reads the disease annotations of the Human Phenotype Ontology (``phenotype.hpoa``): which findings a disease has."""

import re
from collections.abc import Iterator
from pathlib import Path

from knowledge.ontologies.codes import rows
from knowledge.ontologies.entries import End, Entry, Left, Related, Release
from knowledge.ontologies.lines import lines_of

COLUMNS = (
    "database_id",
    "disease_name",
    "qualifier",
    "hpo_id",
    "reference",
    "evidence",
    "onset",
    "frequency",
)
_RATIO = re.compile(r"(\d+)/(\d+)")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)%")


def recognise(head: str) -> bool:
    """Whether the beginning of a file is that of such annotations."""
    return any(line.split("\t")[: len(COLUMNS)] == list(COLUMNS) for line in head.splitlines())


def describe(path: Path) -> Release:
    """Version and year are in the remarks at the top."""
    version = ""
    for _, line in lines_of(path):
        if not line.startswith("#"):
            break
        if line.startswith("#version:"):
            version = line.partition(":")[2].strip()
    year = re.match(r"(19|20)\d\d", version)
    return Release("hpoa", "Human Phenotype Ontology annotations", version, int(year[0]) if year else None)


def read(path: Path) -> Iterator[Entry]:
    """The findings of diseases; a disease that is not known yet becomes a concept.

    Raises:
        ImportFailure: the file cannot be read.
    """
    release = describe(path)
    for line, text in lines_of(path):
        if text.startswith("#") or text.startswith("database_id"):
            continue
        cells = text.split("\t")
        place = f"line {line}"
        if len(cells) < 11:
            yield Left(place, "a row that lacks columns")
            continue
        disease, name, qualifier, finding, reference, frequency, aspect = *cells[:5], cells[7], cells[10]
        severity = _severity(frequency)
        if aspect != "P":
            yield Left(place, "a remark on inheritance, course or modifiers, which is no finding")
        elif qualifier == "NOT" or severity == "":
            yield Left(place, "a finding that the disease does not have")
        else:
            yield Related(
                End(finding),
                "symptom_of",
                End(disease, name or None, "disease"),
                place=place,
                severity=severity,
                citation=release.citation(reference),
            )


def _severity(frequency: str) -> str | None:
    """How typical a finding is; None where the source does not say, empty where no patient has it."""
    if not frequency:
        return None
    ratio, percent = _RATIO.fullmatch(frequency), _PERCENT.fullmatch(frequency)
    share = None
    if ratio and int(ratio[2]):
        share = int(ratio[1]) / int(ratio[2])
    elif percent:
        share = float(percent[1]) / 100
    for row in rows("hpo_frequencies.tsv"):
        if frequency == row["frequency"] or (share is not None and share >= float(row["least"])):
            return row["severity"]
    return None
