"""The formats that can be imported, and how each is recognised by the beginning of a file."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from knowledge.errors import ImportFailure
from knowledge.ontologies import (
    babelon,
    hpoa,
    icd_mapping,
    icd_order,
    indications,
    labelled,
    obo,
    obographs,
    own_tables,
    packages,
    sparql,
    symptoms,
    xrefs,
)
from knowledge.ontologies.entries import Entry, Release
from knowledge.ontologies.lines import head_of


@dataclass(frozen=True, slots=True)
class Format:
    """A form of file that can be imported.

    Attributes:
        recognise: whether the beginning of a file is of this form.
        describe: what the file calls itself.
        read: its entries.
    """

    name: str
    recognise: Callable[[str], bool]
    describe: Callable[[Path], Release]
    read: Callable[[Path], Iterator[Entry]]


@dataclass(frozen=True, slots=True)
class Package:
    """A Python package that carries a release."""

    name: str
    describe: Callable[[], Release]
    read: Callable[[], Iterator[Entry]]


# In this order a folder is imported: what defines terms before what speaks of them.
_FORMATS = (
    Format("concepts", own_tables.recognise_concepts, own_tables.describe, own_tables.read_concepts),
    Format("obo", obo.recognise, obo.describe, obo.read),
    Format("obographs", obographs.recognise, obographs.describe, obographs.read),
    Format("labelled", labelled.recognise, labelled.describe, labelled.read),
    Format("icd10cm-order", icd_order.recognise, icd_order.describe, icd_order.read),
    Format("hierarchy", sparql.recogniser(sparql.EDGES), sparql.describe, sparql.read_edges),
    Format("hpoa", hpoa.recognise, hpoa.describe, hpoa.read),
    Format("icd-mapping", icd_mapping.recognise, icd_mapping.describe, icd_mapping.read),
    Format("xrefs", xrefs.recognise, xrefs.describe, xrefs.read),
    Format("exported-xrefs", sparql.recogniser(sparql.XREFS), sparql.describe, sparql.read_xrefs),
    Format("lay-synonyms", sparql.recogniser(sparql.SYNONYMS), sparql.describe, sparql.read_synonyms),
    Format("babelon", babelon.recognise, babelon.describe, babelon.read),
    Format("disease-symptoms", symptoms.recognise, symptoms.describe, symptoms.read),
    Format("drug-disease", indications.recognise, indications.describe, indications.read),
    Format("facts", own_tables.recognise_facts, own_tables.describe, own_tables.read_facts),
)
FORMATS: Mapping[str, Format] = {one.name: one for one in _FORMATS}
PACKAGES: Mapping[str, Package] = {
    "icd10cm": Package("icd10cm", packages.describe_icd10cm, packages.read_icd10cm),
    "hpo": Package("hpo", packages.describe_hpo, packages.read_hpo),
}


def detect(path: Path, named: str | None = None) -> Format | None:
    """The format of a file; None where it is none of ours.

    Args:
        path: the file.
        named: the name of the format, where the user gave one.

    Raises:
        ImportFailure: there is no file, or no format of that name.
    """
    if not path.is_file():
        raise ImportFailure(f"There is no file {path}.")
    if named is not None:
        if named not in FORMATS:
            raise ImportFailure(f"There is no format {named!r}; use one of {', '.join(FORMATS)}.")
        return FORMATS[named]
    head = head_of(path)
    return next((one for one in _FORMATS if one.recognise(head)), None)
